//! The CSV file of `[water] profile`: speed of sound over depth.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::error::Error;
use crate::exact::number;
use crate::rig_toml::Beside;

const COLUMNS: [&str; 2] = ["depth_m", "sound_speed_m_per_s"];
/// The longest profile that is read, in points.
const MAX_POINTS: usize = 1_000_000;

/// Reads a profile: depths increase strictly, speeds lie within 100 to 3000 m/s.
pub(crate) fn read(file: &str, beside: Beside<'_>) -> Result<Arc<[(f64, f64)]>, Error> {
    let mut table = beside.table(file, &COLUMNS)?;
    let mut points: Vec<(f64, f64)> = Vec::new();
    while let Some(line) = table.next_line().transpose()? {
        let depth_m = line.required_number(COLUMNS[0])?;
        let speed = line.required_number(COLUMNS[1])?;
        if let Some((above_m, _)) = points.last().filter(|(above_m, _)| *above_m >= depth_m) {
            return Err(line.refuse(format!("a depth below {above_m} m"), format!("{depth_m}")));
        }
        if !(100.0..=3000.0).contains(&speed) {
            return Err(line.refuse("100 to 3000 in `sound_speed_m_per_s`", format!("{speed}")));
        }
        if points.len() == MAX_POINTS {
            return Err(line.refuse(format!("at most {MAX_POINTS} points"), "more"));
        }
        points.push((depth_m, speed));
    }
    if points.is_empty() {
        return Err(Error::Empty {
            expected: "at least one depth with its speed of sound".into(),
            path: beside.path(file),
        });
    }
    Ok(points.into())
}

/// A profile as text.
pub(crate) fn text(points: &[(f64, f64)]) -> String {
    let mut text = format!("{}\n", COLUMNS.join(","));
    for (depth_m, speed) in points {
        let _ = writeln!(text, "{},{}", number(*depth_m), number(*speed));
    }
    text
}
