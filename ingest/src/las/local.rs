//! The local origin of a source of LAS files, their unit, and what their system is called.

use std::io::Read as _;
use std::path::Path;

use super::header::Header;
use crate::columns::Wrong;
use crate::error::Error;
use crate::regular;

/// The most bytes before the points that are read for their system.
const MAX_HEAD_BYTES: u64 = 16 << 20;
/// Coordinates up to this and without a named system are taken as the device's own, in metres.
const MAX_OWN_M: f64 = 1e4;
const FOOT_M: f64 = 0.3048;
const US_FOOT_M: f64 = 1200.0 / 3937.0;

/// Where the coordinates of a source are counted from, and in what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Local {
    /// In the file's own units.
    origin: [f64; 3],
    /// Metres in one unit, across and up.
    unit_m: [f64; 2],
    epsg: Option<u16>,
    /// Whether the file names a system or a unit.
    is_named: bool,
}

impl Local {
    /// The origin by the header of a source's first file.
    ///
    /// # Errors
    /// If it is not LAS, or its coordinates are degrees.
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let mut head = Vec::new();
        regular::open(path)?
            .take(MAX_HEAD_BYTES)
            .read_to_end(&mut head)
            .map_err(Error::io(path))?;
        Header::parse(&head)
            .and_then(|header| Self::by(&header, &head))
            .map_err(|wrong| Error::bad(path, wrong.place, wrong.expected, wrong.found))
    }

    pub(super) fn by(header: &Header, head: &[u8]) -> Result<Self, Wrong> {
        let named = system(header, head)?;
        let bounds = header.bounds;
        let sane = bounds
            .iter()
            .flatten()
            .all(|bound| bound.is_finite() && bound.abs() < 1e12);
        let own = named.is_none() && sane && bounds.iter().flatten().all(|bound| bound.abs() <= MAX_OWN_M);
        let origin = match sane {
            _ if own => [0.0; 3],
            true => {
                let middle = |axis: usize| (0.5 * (bounds[axis][0] + bounds[axis][1])).round();
                [middle(0), middle(1), bounds[2][0].floor()]
            }
            false => header.offset,
        };
        let (unit_m, epsg) = named.unwrap_or_default();
        Ok(Self {
            origin,
            unit_m: unit_m.unwrap_or([1.0; 2]),
            epsg,
            is_named: unit_m.is_some(),
        })
    }

    /// A place of the file in metres from the local origin.
    pub(super) fn metres(&self, place: [f64; 3]) -> [f64; 3] {
        let [across, up] = self.unit_m;
        let [x, y, z] = self.origin;
        [
            (place[0] - x) * across,
            (place[1] - y) * across,
            (place[2] - z) * up,
        ]
    }

    /// Refuses a file of the source in another unit.
    pub(super) fn check_unit(&self, header: &Header, bytes: &[u8]) -> Result<(), Wrong> {
        let found = Self::by(header, bytes)?.unit_m;
        if found == self.unit_m {
            return Ok(());
        }
        let expected = format!("{:?} m in a unit, as in the first file", self.unit_m);
        Err(Wrong::new("header", expected, format!("{found:?}")))
    }

    /// What a user should know of it.
    pub(crate) fn said(&self) -> String {
        let [x, y, z] = self.origin;
        let system = match self.epsg {
            Some(code) => format!(" of EPSG:{code}"),
            None => String::new(),
        };
        let unit = match self.unit_m {
            [across, up] if across == up && !self.is_named => "metres, which it does not say".to_owned(),
            [1.0, 1.0] => "metres".to_owned(),
            [across, up] => format!("units of {across:.7} m across and {up:.7} m up"),
        };
        if self.origin == [0.0; 3] {
            return format!("coordinates taken as the lidar's own, in {unit}");
        }
        format!("coordinates{system} in {unit}, given as metres from {x} {y} {z}; not placed on the Earth")
    }
}

/// Unit and code, where the file names a system.
type System = (Option<[f64; 2]>, Option<u16>);

fn system(header: &Header, head: &[u8]) -> Result<Option<System>, Wrong> {
    let degrees = || {
        let expected = "projected coordinates, in metres or feet";
        Err(Wrong::new(
            "header",
            expected,
            "degrees of latitude and longitude",
        ))
    };
    if let Some(wkt) = header.records(head, "LASF_Projection", 2112).first() {
        let text = String::from_utf8_lossy(wkt);
        let Some(projected) = ["PROJCS[", "PROJCRS["]
            .iter()
            .find_map(|word| bracket(&text, word))
        else {
            if text.contains("GEOGCS[") || text.contains("GEOGCRS[") {
                return degrees();
            }
            return Ok(None);
        };
        let across = unit(projected);
        let up = ["VERT_CS[", "VERTCRS["]
            .iter()
            .find_map(|word| bracket(&text, word))
            .and_then(unit);
        let epsg = code(projected);
        return Ok(Some((across.map(|across| [across, up.unwrap_or(across)]), epsg)));
    }
    let Some(keys) = header.records(head, "LASF_Projection", 34735).first().copied() else {
        return Ok(None);
    };
    let key = |wanted: u16| {
        let entries = keys.as_chunks::<8>().0.iter().skip(1);
        let words = |entry: &[u8; 8]| [0, 2, 4, 6].map(|at| u16::from_le_bytes([entry[at], entry[at + 1]]));
        entries
            .map(words)
            .find(|[id, place, ..]| *id == wanted && *place == 0)
            .map(|[.., value]| value)
    };
    // GeoTIFF 1.0, section 6: 1024 the model, 3072 the projected system, 3076 and 4099 units.
    if key(1024) == Some(2) {
        return degrees();
    }
    let metres = |code: u16| match code {
        9001 => Some(1.0),
        9002 => Some(FOOT_M),
        9003 => Some(US_FOOT_M),
        _ => None,
    };
    let across = key(3076).and_then(metres);
    let up = key(4099).and_then(metres);
    let epsg = key(3072).filter(|code| !matches!(code, 0 | 32767));
    Ok(Some((across.map(|across| [across, up.unwrap_or(across)]), epsg)))
}

/// What stands between a word's bracket and its end.
fn bracket<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.find(word)? + word.len();
    let mut depth = 1;
    let end = text[start..].char_indices().find_map(|(at, c)| {
        depth += match c {
            '[' => 1,
            ']' => -1,
            _ => 0,
        };
        (depth == 0).then_some(start + at)
    });
    Some(&text[start..end.unwrap_or(text.len())])
}

/// Metres in the last unit that is named: the linear one stands after the angular.
fn unit(text: &str) -> Option<f64> {
    let (_, rest) = text.rsplit_once("UNIT[")?;
    let number = rest.split(',').nth(1)?.trim();
    let number = number
        .split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+')))
        .next()?;
    number
        .parse()
        .ok()
        .filter(|metres: &f64| (1e-3..=1e4).contains(metres))
}

/// The system's own EPSG code: parts of it, as its unit, have others, which stand in brackets of
/// their own.
fn code(text: &str) -> Option<u16> {
    let mut depth = 0i32;
    let own = text.char_indices().find_map(|(at, c)| {
        let rest = &text[at..];
        let starts = depth == 0 && (rest.starts_with("AUTHORITY[") || rest.starts_with("ID["));
        depth += match c {
            '[' => 1,
            ']' => -1,
            _ => 0,
        };
        starts.then_some(rest)
    })?;
    let (_, rest) = own.split_once("\"EPSG\"")?;
    let digits: String = rest
        .chars()
        .skip_while(|c| matches!(c, ',' | '"' | ' '))
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_system_is_its_last() {
        let text = "COMPD_CS[\"a\",PROJCS[\"UTM\",GEOGCS[\"g\",UNIT[\"degree\",0.0174532925199433]],\
            PARAMETER[\"m\",9],UNIT[\"US survey foot\",0.3048006096012192,AUTHORITY[\"EPSG\",\"9003\"]],\
            AUTHORITY[\"EPSG\",\"2992\"]],VERT_CS[\"h\",UNIT[\"metre\",1.0]]]";
        assert_eq!(unit(bracket(text, "PROJCS[").unwrap()), Some(0.3048006096012192));
        assert_eq!(unit(bracket(text, "VERT_CS[").unwrap()), Some(1.0));
        assert_eq!(bracket(text, "NONE["), None);
        assert_eq!(code(bracket(text, "PROJCS[").unwrap()), Some(2992));
        assert_eq!(
            code("\"a\",UNIT[\"foot\",0.3048,AUTHORITY[\"EPSG\",\"9002\"]]"),
            None
        );
    }
}
