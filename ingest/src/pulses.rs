//! `pulses.csv`: what was transmitted, and what the samples of a ping mean.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use beluga_types::{Pulse, PulseKind, Shading};

use crate::error::Error;
use crate::exact::{millis, number, optional, seconds_of_millis};
use crate::range::SAMPLE_RATES_HZ;
use crate::table::{Line, Table, quoted};

const REQUIRED: [&str; 7] = [
    "pulse_id",
    "kind",
    "start_hz",
    "end_hz",
    "duration_ms",
    "shading",
    "centre_hz",
];
const OPTIONAL: [&str; 2] = ["scale", "sample_rate_hz"];
/// The longest table that is read, in pulses.
const MAX_PULSES: usize = 1_000_000;

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PulseRow {
    /// Nothing for a listening array.
    pub(crate) pulse: Option<Pulse>,
    /// Carrier of I/Q samples; nothing for real ones.
    pub(crate) centre_hz: Option<f64>,
    /// What one count is in the device's unit.
    pub(crate) scale: f32,
    /// Where it is not the whole number of hertz that WAV says.
    pub(crate) sample_rate_hz: Option<f64>,
}

/// What a ping without a `pulse_id` is: real samples as they stand, nothing transmitted.
pub(crate) const LISTENING: PulseRow = PulseRow {
    pulse: None,
    centre_hz: None,
    scale: 1.0,
    sample_rate_hz: None,
};

/// Reads the table.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, PulseRow>, Error> {
    let mut table = Table::open(path, &REQUIRED, &OPTIONAL)?;
    let mut pulses = BTreeMap::new();
    while let Some(line) = table.next_line().transpose()? {
        let id = line.required_text("pulse_id")?.to_owned();
        let row = row(&line)?;
        if pulses.len() == MAX_PULSES {
            return Err(line.refuse(format!("at most {MAX_PULSES} pulses"), "more"));
        }
        if pulses.insert(id.clone(), row).is_some() {
            return Err(line.refuse("each pulse once", format!("{} twice", quoted(&id))));
        }
    }
    Ok(pulses)
}

/// Writes the table; a pulse's id is its place in the list.
pub(crate) fn write(path: &Path, pulses: &[PulseRow]) -> Result<(), Error> {
    let mut text = format!("{},{}\n", REQUIRED.join(","), OPTIONAL.join(","));
    for (id, row) in pulses.iter().enumerate() {
        let transmitted = match row.pulse {
            None => "none,,,,".to_owned(),
            Some(pulse) => {
                let kind = match pulse.kind {
                    PulseKind::Lfm => "lfm",
                    PulseKind::Cw => "cw",
                };
                let shading = match pulse.shading {
                    Shading::Rectangular => "rectangular".to_owned(),
                    Shading::Hann => "hann".to_owned(),
                    Shading::Tukey(fraction) => format!("tukey:{}", number(fraction)),
                };
                let (start, end) = (number(pulse.start_hz), number(pulse.end_hz));
                let duration = number(millis(pulse.duration_s));
                format!("{kind},{start},{end},{duration},{shading}")
            }
        };
        let (centre, rate) = (optional(row.centre_hz), optional(row.sample_rate_hz));
        let _ = writeln!(text, "{id},{transmitted},{centre},{},{rate}", row.scale);
    }
    std::fs::write(path, text).map_err(Error::io(path))
}

fn row(line: &Line) -> Result<PulseRow, Error> {
    let above_zero = |column: &str, value: f64| match value > 0.0 {
        true => Ok(value),
        false => Err(line.refuse(format!("more than zero in `{column}`"), format!("{value}"))),
    };
    let required = |column| above_zero(column, line.required_number(column)?);
    let optional = |column| {
        line.number(column)?
            .map(|value| above_zero(column, value))
            .transpose()
    };
    let kind = match line.required_text("kind")? {
        "none" => None,
        "lfm" => Some(PulseKind::Lfm),
        "cw" => Some(PulseKind::Cw),
        other => return Err(line.refuse("lfm, cw or none in `kind`", quoted(other))),
    };
    let pulse = match kind {
        None => None,
        Some(kind) => Some(Pulse {
            kind,
            start_hz: required("start_hz")?,
            end_hz: required("end_hz")?,
            duration_s: seconds_of_millis(required("duration_ms")?),
            shading: shading(line)?,
        }),
    };
    // The smallest and largest scales are those that `f32` can hold.
    let scale = optional("scale")?.unwrap_or(1.0) as f32;
    if !(scale.is_finite() && scale > 0.0) {
        return Err(line.refuse("1.2e-38 to 3.4e38 in `scale`", format!("{scale}")));
    }
    let sample_rate_hz = optional("sample_rate_hz")?;
    if let Some(rate) = sample_rate_hz.filter(|rate| !SAMPLE_RATES_HZ.contains(rate)) {
        return Err(line.refuse("100 to 1000000000 in `sample_rate_hz`", format!("{rate}")));
    }
    Ok(PulseRow {
        pulse,
        centre_hz: line.sigma("centre_hz")?,
        scale,
        sample_rate_hz,
    })
}

fn shading(line: &Line) -> Result<Shading, Error> {
    let text = line.required_text("shading")?;
    let refuse = || {
        line.refuse(
            "rectangular, hann, or tukey: with a fraction 0 to 1, in `shading`",
            quoted(text),
        )
    };
    match text.split_once(':') {
        None if text == "rectangular" => Ok(Shading::Rectangular),
        None if text == "hann" => Ok(Shading::Hann),
        Some(("tukey", fraction)) => match fraction.parse() {
            Ok(fraction) if (0.0..=1.0).contains(&fraction) => Ok(Shading::Tukey(fraction)),
            _ => Err(refuse()),
        },
        _ => Err(refuse()),
    }
}
