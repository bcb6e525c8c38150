//! What is said of a time field.

use std::fmt;

use super::{Said, Unit};

/// What a time field counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    /// The scan's stamp, or the sweep's start.
    Stamp,
    /// The scan's stamp, backwards: it is the sweep's middle or end.
    Back,
    /// 1970, UTC as far as the numbers tell.
    Day,
    /// A clock of the sensor's own: since the hour, since it was switched on.
    OwnClock,
}

/// Why a time field tells no times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Every point says the same.
    AllTheSame,
    /// The numbers are too large for their type.
    Coarse { step_s: f64 },
    /// No number is finite.
    NotFinite,
    /// They span more than a scan does.
    TooLong,
}

/// How a time field was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimeReport {
    pub(crate) name: String,
    pub(crate) said: Said,
    /// Nothing: parts of a period.
    pub(crate) unit: Option<Unit>,
    pub(crate) span_s: f64,
    pub(crate) zero: Zero,
    /// The round after which the numbers began again in this cloud, in seconds.
    pub(crate) wrapped_s: Option<f64>,
    /// Points whose time is 0 among others that are far from it; they are left out.
    pub(crate) zeros: usize,
    pub(crate) fault: Option<Fault>,
}

impl TimeReport {
    /// Whether there is nothing to tell: the name says all and the numbers agree.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.said, Said::Exactly(_)) && self.fault.is_none() && self.wrapped_s.is_none()
    }
}

impl fmt::Display for TimeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "point times `{}`: ", self.name)?;
        match self.fault {
            Some(Fault::AllTheSame) => {
                return f.write_str("the same for all points, so there is no time per point");
            }
            Some(Fault::Coarse { step_s }) => {
                return write!(
                    f,
                    "4-byte reals hold them only to {:.3} s, so there is no time per point",
                    step_s
                );
            }
            Some(Fault::NotFinite) => return f.write_str("no number is finite"),
            Some(Fault::TooLong) => {
                return write!(
                    f,
                    "they span {:.3} s, longer than a scan, so there is no time per point",
                    self.span_s
                );
            }
            None => {}
        }
        match (self.unit, self.said) {
            (None, _) => f.write_str("parts of the period")?,
            (Some(unit), Said::Usually(usual)) if unit != usual => {
                write!(f, "{} by their span, not {}", unit.name(), usual.name())?
            }
            (Some(unit), _) => f.write_str(unit.name())?,
        }
        f.write_str(match self.zero {
            Zero::Stamp => " after the scan's stamp",
            Zero::Back => " back from the scan's stamp, which is not the sweep's start",
            Zero::Day => " since 1970",
            Zero::OwnClock => " of the sensor's own clock: only the differences are used",
        })?;
        write!(f, ", over {:.1} ms", self.span_s * 1e3)?;
        if let Some(round_s) = self.wrapped_s {
            write!(f, "; they begin again after {round_s:.0} s, which is undone")?;
        }
        if self.zeros > 0 {
            write!(f, "; {} points of time 0 are left out", self.zeros)?;
        }
        Ok(())
    }
}
