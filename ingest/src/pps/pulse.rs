//! The newest pulse as Linux shows it: `SECONDS.NANOSECONDS#NUMBER` in `/sys/class/pps/pps0/assert`.
//!
//! Source: Linux, `Documentation/driver-api/pps.rst` ("SYSFS support"). The time is that of the system's clock, since
//! 1970; `assert` is the edge that a pulse begins with, `clear` the one that it ends with. Before the first pulse all
//! is 0; a source that does not know the edge shows nothing.

use beluga_types::Stamp;

/// One pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pulse {
    /// When it came, by the host's clock.
    pub(super) at: Stamp,
    /// Its number since the source was there.
    pub(super) number: i64,
}

impl Pulse {
    /// The pulse that a line of the system's shows; nothing where there has been none.
    ///
    /// # Errors
    /// If the text is no such line.
    pub(super) fn of(text: &str) -> Result<Option<Self>, String> {
        let line = text.trim();
        let wrong = || {
            format!(
                "expected a pulse, `SECONDS.NANOSECONDS#NUMBER`, found `{}`",
                line.escape_debug()
            )
        };
        let (time, number) = line.split_once('#').ok_or_else(wrong)?;
        let (seconds, nanos) = time.split_once('.').ok_or_else(wrong)?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !(digits(seconds) && nanos.len() == 9 && digits(nanos)) {
            return Err(wrong());
        }
        let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
        let nanos: i64 = nanos.parse().map_err(|_| wrong())?;
        let number = number.parse().map_err(|_| wrong())?;
        let at = seconds
            .checked_mul(1_000_000_000)
            .and_then(|whole| whole.checked_add(nanos));
        let at = Stamp::from_nanos(at.ok_or_else(wrong)?);
        Ok((seconds > 0).then_some(Self { at, number }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_systems_is_a_pulse() {
        let pulse = Pulse {
            at: Stamp::from_nanos(1_170_026_870_983_207_967),
            number: 8,
        };
        assert_eq!(Pulse::of("1170026870.983207967#8\n"), Ok(Some(pulse)));
        assert_eq!(Pulse::of("0.000000000#0\n"), Ok(None), "none has come");
    }

    #[test]
    fn every_other_text_is_refused_with_what_was_found() {
        let line = "1170026870.983207967#8";
        for cut in 0..line.len() {
            let said = Pulse::of(&line[..cut]).unwrap_err();
            assert!(said.contains(&line[..cut]), "{said}");
        }
        for text in [
            "-1.000000000#8",
            "1.98#8",
            "1.98320796x#8",
            "9223372036854775807.000000000#1",
            "1.983207967#x",
        ] {
            assert!(Pulse::of(text).is_err(), "{text}");
        }
    }
}
