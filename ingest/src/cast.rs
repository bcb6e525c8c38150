//! Casts: speed of sound over depth, as `[water] profile` and `export --profile` take it.
//!
//! Two forms, told apart by their first bytes: the CSV of this project, and the text that CARIS reads
//! and most probes' programs write (`caris`). Levels need not be clean: a probe that is let down in a
//! swell comes back to depths it has been at. They are put in order of depth, and what was measured
//! at one depth is averaged; nothing else is smoothed.

mod caris;

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use beluga_types::Stamp;

use crate::error::Error;
use crate::exact::number;
use crate::regular;
use crate::rig_toml::Beside;
use crate::table::Table;

const COLUMNS: [&str; 2] = ["depth_m", "sound_speed_m_per_s"];
/// The longest profile that is read, in points.
const MAX_POINTS: usize = 1_000_000;
/// The longest file, in bytes: each point at its longest.
const MAX_BYTES: u64 = 64 << 20;

/// One lowering of a probe.
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    /// When it was taken, if the file says.
    pub taken: Option<Stamp>,
    /// Latitude and longitude in degrees, north and east positive, if the file says.
    pub place_deg: Option<[f64; 2]>,
    /// Depth in metres, rising strictly, and speed of sound in m/s: at least one.
    pub levels: Arc<[(f64, f64)]>,
    /// Measurements that were averaged with others of the same depth.
    pub averaged: usize,
}

impl Cast {
    /// Levels as they were measured, in order of depth.
    fn of(mut levels: Vec<(f64, f64)>, taken: Option<Stamp>, place_deg: Option<[f64; 2]>) -> Self {
        levels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let measured = levels.len();
        let mean = |same: &[(f64, f64)]| {
            let sum: f64 = same.iter().map(|level| level.1).sum();
            (same[0].0, sum / same.len() as f64)
        };
        let levels: Vec<_> = levels.chunk_by(|a, b| a.0 == b.0).map(mean).collect();
        Self {
            taken,
            place_deg,
            averaged: measured - levels.len(),
            levels: levels.into(),
        }
    }
}

/// The casts of a file: CSV with `depth_m,sound_speed_m_per_s`, or CARIS `[SVP_VERSION_2]`, which may
/// hold several.
///
/// # Errors
/// [`Error::Bad`] with the line of what is no depth (-10 to 12 000 m) or no speed of sound in water
/// (1300 to 1800 m/s; the CSV, which may be of any medium, 100 to 3000 and depths that rise),
/// [`Error::Empty`] for a file without levels, [`Error::Io`] if it cannot be read.
pub fn read(path: &Path) -> Result<Vec<Cast>, Error> {
    let mut bytes = Vec::new();
    let file = regular::open(path)?;
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(Error::io(path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::bad(
            path,
            "length",
            format!("at most {MAX_BYTES} bytes"),
            "more",
        ));
    }
    // Names of ships and people may be in any encoding; numbers are not.
    of_text(String::from_utf8_lossy(&bytes).into_owned(), path)
}

/// The one cast that a rig names.
pub(crate) fn of_rig(file: &str, beside: Beside<'_>) -> Result<Arc<[(f64, f64)]>, Error> {
    let path = beside.path(file);
    let casts = match beside {
        Beside::Folder(_) => read(&path)?,
        Beside::Texts(..) => of_text(beside.text(file)?, &path)?,
    };
    match &*casts {
        [cast] => Ok(Arc::clone(&cast.levels)),
        casts => Err(Error::bad(
            &path,
            "sections",
            "one cast: a rig's water is the same all the time",
            format!("{}", casts.len()),
        )),
    }
}

fn of_text(text: String, path: &Path) -> Result<Vec<Cast>, Error> {
    let casts = match caris::is_caris(&text) {
        true => caris::read(&text, path)?,
        false => vec![csv(text, path)?],
    };
    if casts.is_empty() {
        return Err(Error::Empty {
            expected: "at least one depth with its speed of sound".into(),
            path: path.to_owned(),
        });
    }
    Ok(casts)
}

/// Our own table: depths increase strictly, speeds lie within 100 to 3000 m/s.
fn csv(text: String, path: &Path) -> Result<Cast, Error> {
    let mut table = Table::of_text(text, path, &COLUMNS, &[])?;
    let mut levels: Vec<(f64, f64)> = Vec::new();
    while let Some(line) = table.next_line().transpose()? {
        let depth_m = line.required_number(COLUMNS[0])?;
        let speed = line.required_number(COLUMNS[1])?;
        if let Some((above_m, _)) = levels.last().filter(|(above_m, _)| *above_m >= depth_m) {
            return Err(line.refuse(format!("a depth below {above_m} m"), format!("{depth_m}")));
        }
        if !(100.0..=3000.0).contains(&speed) {
            return Err(line.refuse("100 to 3000 in `sound_speed_m_per_s`", format!("{speed}")));
        }
        if levels.len() == MAX_POINTS {
            return Err(line.refuse(format!("at most {MAX_POINTS} points"), "more"));
        }
        levels.push((depth_m, speed));
    }
    if levels.is_empty() {
        return Err(Error::Empty {
            expected: "at least one depth with its speed of sound".into(),
            path: path.to_owned(),
        });
    }
    Ok(Cast::of(levels, None, None))
}

/// A profile as text.
pub(crate) fn text(levels: &[(f64, f64)]) -> String {
    let mut text = format!("{}\n", COLUMNS.join(","));
    for (depth_m, speed) in levels {
        let _ = writeln!(text, "{},{}", number(*depth_m), number(*speed));
    }
    text
}
