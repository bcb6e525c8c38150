//! What two clocks that differ by a known amount have done.

use beluga_types::Stamp;

/// How near a difference must come to a known one, in seconds: sensors do not start at one moment.
const NEAR_S: f64 = 0.5;
/// Days before this one were not measured on, in seconds since 1970 (2000-01-01): a clock that shows
/// such a time has never been set.
const SET_AFTER_S: f64 = 946_684_800.0;

/// Why a clock shows `later` where another, or itself a moment ago, showed `earlier`; nothing if the
/// difference is none that is known.
///
/// Sources: TAI − UTC is 37 s and GPS − UTC 18 s since 2017 (IERS, Bulletin C 52), so TAI − GPS is 19 s;
/// GPS time began on 1980-01-06 and its week number on ten bits begins again after 1024 weeks (IS-GPS-200,
/// sections 3.3.4 and 20.3.3.3.1.1).
pub fn cause(earlier: Stamp, later: Stamp) -> Option<&'static str> {
    /// From 1970 to GPS week 0, and 1024 weeks, in seconds.
    const GPS_EPOCH_S: f64 = 315_964_800.0;
    const GPS_ROUND_S: f64 = 619_315_200.0;
    /// Time zones lie up to 14 hours off, in seconds.
    const ZONES_S: (f64, f64) = (1_700.0, 50_401.0);
    let difference_s = later.seconds_since(earlier).abs();
    let near = |known_s: f64, within_s: f64| (difference_s - known_s).abs() <= within_s;
    let half_hours = (difference_s / 1_800.0).round();
    let days_apart = difference_s > 86_400.0;
    Some(match () {
        () if near(37.0, NEAR_S) => "TAI taken for UTC: a PTP clock whose UTC offset is not announced",
        () if near(18.0, NEAR_S) => "GPS time taken for UTC",
        () if near(19.0, NEAR_S) => "TAI on one side, GPS time on the other",
        () if near(GPS_EPOCH_S, 40.0) => "GPS time counted as if it began in 1970",
        () if near(GPS_ROUND_S, 40.0) => "a GPS week number that has begun again",
        () if days_apart && is_set(earlier) != is_set(later) => {
            "a clock that was never set: it counts from when it was switched on"
        }
        () if (ZONES_S.0..ZONES_S.1).contains(&difference_s) && near(half_hours * 1_800.0, NEAR_S) => {
            "a time zone: local time taken for UTC"
        }
        () => return None,
    })
}

/// Whether a clock that shows this has ever been set.
pub(crate) fn is_set(stamp: Stamp) -> bool {
    stamp.nanos() as f64 * 1e-9 >= SET_AFTER_S
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_differences_have_their_causes_and_others_none() {
        let now = Stamp::from_nanos(1_760_000_000_000_000_000);
        for (seconds, word) in [
            (37.0, "TAI"),
            (-36.7, "TAI"),
            (18.2, "GPS time taken"),
            (-19.0, "the other"),
            (-1_759_999_000.0, "never set"),
            (315_964_782.0, "1970"),
            (-619_315_200.0, "week number"),
            (7_200.1, "time zone"),
        ] {
            let said = cause(now, now.shifted_s(seconds)).unwrap();
            assert!(said.contains(word), "{seconds}: {said}");
        }
        for seconds in [0.0, 0.1, 5.0, 30.0, 1_000.0, 2_000.0, 86_400.0 * 3.3] {
            assert_eq!(cause(now, now.shifted_s(seconds)), None, "{seconds}");
        }
    }
}
