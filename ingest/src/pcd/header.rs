//! What a PCD header says: which fields a point has, how many there are and how they are written.

use crate::columns::{Role, Wrong};
use crate::point_times::{Said, TIME_FIELDS};
use crate::table::quoted;

/// The longest header that is read, in bytes.
const MAX_HEADER_BYTES: usize = 64 << 10;
/// The most bytes one point may take.
const MAX_STRIDE_BYTES: usize = 64 << 10;

/// How the points are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    Binary,
    Compressed,
}

/// The type of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
}

impl Scalar {
    fn of(kind: &str, bytes: usize) -> Option<Self> {
        Some(match (kind, bytes) {
            ("I", 1) => Scalar::I8,
            ("I", 2) => Scalar::I16,
            ("I", 4) => Scalar::I32,
            ("I", 8) => Scalar::I64,
            ("U", 1) => Scalar::U8,
            ("U", 2) => Scalar::U16,
            ("U", 4) => Scalar::U32,
            ("U", 8) => Scalar::U64,
            ("F", 4) => Scalar::F32,
            ("F", 8) => Scalar::F64,
            _ => return None,
        })
    }

    pub(super) fn is_real(self) -> bool {
        matches!(self, Scalar::F32 | Scalar::F64)
    }
}

/// One field of a point.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) scalar: Scalar,
    /// How many numbers.
    pub(super) count: usize,
    /// Bytes of all of them.
    pub(super) bytes: usize,
    /// Bytes from the point's start.
    pub(super) offset: usize,
    /// Numbers from the point's start.
    pub(super) index: usize,
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) fields: Vec<Field>,
    pub(super) points: usize,
    /// Bytes of one point.
    pub(super) stride: usize,
    pub(super) encoding: Encoding,
    /// Where the points start, in bytes.
    pub(super) body: usize,
    /// Lines before the points.
    pub(super) lines: usize,
}

impl Header {
    /// The header at the start of these bytes.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        let mut entries: Vec<(String, Vec<String>)> = Vec::new();
        let (mut at, mut lines) = (0, 0);
        let head = &bytes[..bytes.len().min(MAX_HEADER_BYTES)];
        loop {
            let Some(end) = head[at..].iter().position(|byte| *byte == b'\n') else {
                return Err(Wrong::new(
                    "header",
                    "a PCD header up to `DATA`",
                    "its end before",
                ));
            };
            let line = String::from_utf8_lossy(&head[at..at + end]).into_owned();
            at += end + 1;
            lines += 1;
            let mut words = line.split_ascii_whitespace().map(str::to_owned);
            let Some(key) = words.next().filter(|key| !key.starts_with('#')) else {
                continue;
            };
            if !KEYS.contains(&key.as_str()) {
                return Err(Wrong::new(
                    format!("line {lines}"),
                    "a line of a PCD header",
                    quoted(&line),
                ));
            }
            let last = key == "DATA";
            entries.push((key, words.collect()));
            if last {
                break;
            }
        }
        Self::of(&entries, at, lines)
    }

    fn of(entries: &[(String, Vec<String>)], body: usize, lines: usize) -> Result<Self, Wrong> {
        let words = |keys: &[&str]| {
            let found = entries.iter().find(|(key, _)| keys.contains(&key.as_str()));
            found.map(|(_, words)| words.as_slice())
        };
        let number = |key: &'static str| -> Result<Option<u64>, Wrong> {
            let Some(words) = words(&[key]) else {
                return Ok(None);
            };
            let found = words.first().and_then(|word| word.parse().ok());
            found
                .map(Some)
                .ok_or_else(|| Wrong::new(format!("`{key}`"), "a whole number", quoted(&words.join(" "))))
        };
        let encoding = match words(&["DATA"])
            .and_then(|words| words.first())
            .map(String::as_str)
        {
            Some("ascii") => Encoding::Ascii,
            Some("binary") => Encoding::Binary,
            Some("binary_compressed") => Encoding::Compressed,
            other => {
                let expected = "ascii, binary or binary_compressed";
                return Err(Wrong::new("`DATA`", expected, quoted(other.unwrap_or(""))));
            }
        };
        let points = points(number("WIDTH")?, number("HEIGHT")?, number("POINTS")?)?;
        let fields = fields(
            words(&["FIELDS", "COLUMNS"]).unwrap_or_default(),
            words(&["SIZE"]).unwrap_or_default(),
            words(&["TYPE"]).unwrap_or_default(),
            words(&["COUNT"]),
        )?;
        let stride: usize = fields.iter().map(|field| field.bytes).sum();
        let header = Self {
            fields,
            points,
            stride,
            encoding,
            body,
            lines,
        };
        // Without them points have no bytes, and nothing bounds how many are promised.
        header.chosen()?;
        Ok(header)
    }

    /// The fields that are used, and for what.
    pub(super) fn chosen(&self) -> Result<Vec<(Role, &Field)>, Wrong> {
        let find = |names: &[&str]| {
            let named = |name: &&str| {
                let fits = |field: &&Field| field.count == 1 && field.name.eq_ignore_ascii_case(name);
                self.fields.iter().find(fits)
            };
            names.iter().find_map(named)
        };
        let mut chosen = Vec::new();
        for (role, name) in [(Role::X, "x"), (Role::Y, "y"), (Role::Z, "z")] {
            let Some(field) = find(&[name]) else {
                let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
                let expected = format!("a field `{name}`");
                return Err(Wrong::new("`FIELDS`", expected, quoted(&names.join(" "))));
            };
            chosen.push((role, field));
        }
        let intensity = find(&["intensity", "reflectivity", "reflectance", "i"]);
        chosen.extend(intensity.map(|field| (Role::Intensity, field)));
        let ring = find(&["ring", "channel", "line"])
            .filter(|field| !field.scalar.is_real() || field.name == "ring");
        chosen.extend(ring.map(|field| (Role::Ring, field)));
        let time = TIME_FIELDS.iter().find_map(|name| find(&[name]));
        chosen.extend(
            time.and_then(|field| Some((Role::Time(Said::of(&field.name, field.scalar.is_real())?), field))),
        );
        Ok(chosen)
    }
}

const KEYS: [&str; 11] = [
    "VERSION",
    "FIELDS",
    "COLUMNS",
    "SIZE",
    "TYPE",
    "COUNT",
    "WIDTH",
    "HEIGHT",
    "VIEWPOINT",
    "POINTS",
    "DATA",
];

fn points(width: Option<u64>, height: Option<u64>, points: Option<u64>) -> Result<usize, Wrong> {
    let grid = match (width, height) {
        (Some(width), height) => Some(width.saturating_mul(height.unwrap_or(1))),
        (None, _) => None,
    };
    let count = match (grid, points) {
        (Some(grid), Some(points)) if grid != points => {
            let expected = format!("{grid} points, WIDTH × HEIGHT");
            return Err(Wrong::new("`POINTS`", expected, format!("{points}")));
        }
        (Some(count), _) | (None, Some(count)) => count,
        (None, None) => {
            return Err(Wrong::new(
                "header",
                "`WIDTH` and `HEIGHT`, or `POINTS`",
                "neither",
            ));
        }
    };
    usize::try_from(count).map_err(|_| Wrong::new("`POINTS`", "a count that fits", format!("{count}")))
}

fn fields(
    names: &[String],
    sizes: &[String],
    types: &[String],
    counts: Option<&[String]>,
) -> Result<Vec<Field>, Wrong> {
    for (key, what, found) in [
        ("`SIZE`", "sizes", sizes.len()),
        ("`TYPE`", "types", types.len()),
        ("`COUNT`", "counts", counts.map_or(names.len(), <[String]>::len)),
    ] {
        if found != names.len() {
            let expected = format!("{} {what}, one for each field", names.len());
            return Err(Wrong::new(key, expected, format!("{found}")));
        }
    }
    let (mut fields, mut offset, mut index) = (Vec::<Field>::with_capacity(names.len()), 0, 0);
    for (place, name) in names.iter().enumerate() {
        let count = counts.map_or("1", |counts| &counts[place]);
        let count = count
            .parse()
            .ok()
            .filter(|count| (1..=MAX_STRIDE_BYTES).contains(count));
        let count = count.ok_or_else(|| {
            Wrong::new(
                "`COUNT`",
                "1 to 65536",
                quoted(&counts.unwrap_or_default()[place]),
            )
        })?;
        let size = sizes[place].parse().unwrap_or(0);
        let Some(scalar) = Scalar::of(&types[place], size) else {
            let found = format!(
                "{} of {}",
                quoted(&types[place]),
                quoted(&sizes[place]).replace('`', "")
            );
            return Err(Wrong::new(
                "`TYPE` and `SIZE`",
                "I or U of 1, 2, 4, 8 bytes or F of 4, 8",
                found,
            ));
        };
        if name != "_" && fields.iter().any(|field| field.name == *name) {
            return Err(Wrong::new(
                "`FIELDS`",
                "each field once",
                format!("{} twice", quoted(name)),
            ));
        }
        let bytes = size * count;
        fields.push(Field {
            name: name.clone(),
            scalar,
            count,
            bytes,
            offset,
            index,
        });
        offset += bytes;
        index += count;
        if offset > MAX_STRIDE_BYTES {
            let expected = format!("points of at most {MAX_STRIDE_BYTES} bytes");
            return Err(Wrong::new("`SIZE`", expected, format!("{offset}")));
        }
    }
    Ok(fields)
}
