//! `beams.csv`: where each beam of a sonar looks and how wide it is, in degrees.

use std::fmt::Write as _;
use std::sync::Arc;

use beluga_types::Beam;

use crate::error::Error;
use crate::exact::{degrees, number};
use crate::rig_toml::Beside;

const COLUMNS: [&str; 7] = [
    "beam",
    "across_deg",
    "along_deg",
    "transmit_along_deg",
    "transmit_across_deg",
    "receive_along_deg",
    "receive_across_deg",
];
/// WAV counts its channels with 16 bits, so no recording holds more beams.
const MAX_BEAMS: usize = 65_535;

/// Reads a beam table that a rig names; `beam` counts from 0 without a hole, and is the WAV channel.
pub(crate) fn read(file: &str, beside: Beside<'_>) -> Result<Arc<[Beam]>, Error> {
    let mut table = beside.table(file, &COLUMNS)?;
    let mut beams = Vec::new();
    while let Some(line) = table.next_line().transpose()? {
        let index: usize = line.required_integer("beam")?;
        if index != beams.len() || index >= MAX_BEAMS {
            return Err(line.refuse(format!("beam {}", beams.len()), format!("{index}")));
        }
        let angle = |column, limit_deg: f64| match line.required_number(column)? {
            value if value.abs() <= limit_deg => Ok(value.to_radians()),
            value => Err(line.refuse(format!("±{limit_deg}° in `{column}`"), format!("{value}"))),
        };
        let width = |column| match line.required_number(column)? {
            value if value > 0.0 && value <= 360.0 => Ok(value.to_radians()),
            value => Err(line.refuse(
                format!("more than 0° and at most 360° in `{column}`"),
                format!("{value}"),
            )),
        };
        beams.push(Beam::at(
            angle("across_deg", 180.0)?,
            angle("along_deg", 90.0)?,
            [width("transmit_along_deg")?, width("transmit_across_deg")?],
            [width("receive_along_deg")?, width("receive_across_deg")?],
        ));
    }
    if beams.is_empty() {
        return Err(Error::Empty {
            expected: "at least one beam".into(),
            path: beside.path(file),
        });
    }
    Ok(beams.into())
}

/// A beam table as text.
pub(crate) fn text(beams: &[Beam]) -> String {
    let mut text = format!("{}\n", COLUMNS.join(","));
    for (index, beam) in beams.iter().enumerate() {
        let angles = [
            beam.across_rad(),
            beam.along_rad(),
            beam.transmit_width_rad[0],
            beam.transmit_width_rad[1],
            beam.receive_width_rad[0],
            beam.receive_width_rad[1],
        ];
        let _ = write!(text, "{index}");
        for angle in angles {
            let _ = write!(text, ",{}", number(degrees(angle)));
        }
        text.push('\n');
    }
    text
}
