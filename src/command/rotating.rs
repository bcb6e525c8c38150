//! `--rotate` and `--keep`: a tape in parts, of which the newest are kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use beluga_ingest::tape::{self, Parts, Rotation};
use beluga_types::Rig;
use clap::Args;

use crate::exit::Wrong;

/// How a tape is divided.
#[derive(Clone, Debug, Args)]
pub(super) struct Rotating {
    /// Goes on in a new part of the tape after so many bytes or so much time (`1GB`, `500MB`, `10min`, `1h`): X.mcap
    /// becomes X.0001.mcap, X.0002.mcap and so on, each a tape by itself; `replay X.mcap` plays them as one.
    #[arg(long, value_name = "SIZE|TIME", value_parser = each)]
    rotate: Option<Each>,
    /// Deletes the oldest parts while all together are larger (`5GB`); the one that is written stays.
    #[arg(long, value_name = "SIZE", requires = "rotate", value_parser = bytes)]
    keep: Option<u64>,
}

/// When a part ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Each {
    Bytes(u64),
    Length(Duration),
}

impl Rotating {
    /// # Errors
    /// If there is nothing to divide, or a part is larger than what is kept.
    pub(super) fn check(&self, is_taped: bool) -> anyhow::Result<()> {
        let wrong = match (self.rotate, self.keep) {
            (Some(_), _) if !is_taped => "--rotate divides the tape that --record names: name one".to_owned(),
            (Some(Each::Bytes(part)), Some(keep)) if part > keep => {
                format!("a part of {part} bytes is larger than the {keep} that --keep keeps")
            }
            _ => return Ok(()),
        };
        Err(anyhow!(wrong).context(Wrong::Arguments))
    }

    /// A tape that outlives a power cut, to its last second.
    pub(super) fn new_tape(&self, path: &Path, rig: &Rig) -> anyhow::Result<Parts> {
        let Some(each) = self.rotate else {
            let writer = tape::Writer::create(path, rig).and_then(tape::Writer::durable);
            return writer.map(Parts::from).context(Wrong::Arguments);
        };
        let rotation = Rotation {
            bytes: match each {
                Each::Bytes(bytes) => Some(bytes),
                Each::Length(_) => None,
            },
            length: match each {
                Each::Length(length) => Some(length),
                Each::Bytes(_) => None,
            },
            keep_bytes: self.keep,
            tell: Arc::new(|note: &str| crate::tell(note)),
        };
        Parts::create(path, rig, rotation, true).context(Wrong::Arguments)
    }
}

/// A number and its unit.
fn number(text: &str) -> Option<(f64, &str)> {
    let unit_at = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.parse().ok()?;
    (number > 0.0).then_some((number, unit.trim()))
}

fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("found `{text}`, expected bytes as `5GB` or `500MB`");
    let (number, unit) = number(text).ok_or_else(wrong)?;
    let of = match unit {
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return Err(wrong()),
    };
    let bytes = (number * of).round();
    if (1.0..1e18).contains(&bytes) {
        Ok(bytes as u64)
    } else {
        Err(wrong())
    }
}

fn each(text: &str) -> Result<Each, String> {
    if let Ok(bytes) = bytes(text) {
        return Ok(Each::Bytes(bytes));
    }
    let wrong = || format!("found `{text}`, expected bytes as `1GB` or a time as `10min`");
    let (number, unit) = number(text).ok_or_else(wrong)?;
    let of_s = match unit {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    /// A month.
    const MOST_S: f64 = 2.7e6;
    let seconds = number * of_s;
    if seconds <= MOST_S {
        Ok(Each::Length(Duration::from_secs_f64(seconds)))
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_told_by_their_units() {
        for (text, expected) in [
            ("1GB", Each::Bytes(1_000_000_000)),
            ("1.5 MB", Each::Bytes(1_500_000)),
            ("64kB", Each::Bytes(64_000)),
            ("10min", Each::Length(Duration::from_secs(600))),
            ("2h", Each::Length(Duration::from_secs(7200))),
            ("30s", Each::Length(Duration::from_secs(30))),
        ] {
            assert_eq!(each(text), Ok(expected), "{text}");
        }
        for text in [
            "", "GB", "5", "0GB", "-1GB", "1e9TB", "1.2.3GB", "5m", "99999h", "NaNs", "1TBB",
        ] {
            assert!(each(text).is_err(), "{text}");
        }
        assert!(bytes("10min").is_err());
    }

    #[test]
    fn what_cannot_be_divided_or_kept_is_refused() {
        let rotating = |rotate, keep| Rotating { rotate, keep };
        assert!(rotating(Some(Each::Bytes(10)), None).check(false).is_err());
        assert!(rotating(Some(Each::Bytes(10)), Some(9)).check(true).is_err());
        assert!(rotating(Some(Each::Bytes(10)), Some(10)).check(true).is_ok());
        assert!(rotating(None, None).check(false).is_ok());
    }
}
