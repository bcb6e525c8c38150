//! GPS time and UTC: seconds without leaps to Unix time and back.
//!
//! Only the edges use it: readers whose devices count GPS time, and LAS files.

use crate::time::Stamp;

/// The start of GPS time, 1980-01-06, in Unix time.
const EPOCH_S: i64 = 315_964_800;
const NANOS: i64 = 1_000_000_000;

/// When UTC was set back a second against GPS time, in Unix time: the days after leap seconds.
///
/// Source: IERS, `Leap_Second.dat`, with Bulletin C 70 of July 2025 the last that was looked at.
/// Times after it are taken with 18 s, until a line is added here.
const LEAPS_S: [i64; 18] = [
    362_793_600,   // 1981-07-01
    394_329_600,   // 1982-07-01
    425_865_600,   // 1983-07-01
    489_024_000,   // 1985-07-01
    567_993_600,   // 1988-01-01
    631_152_000,   // 1990-01-01
    662_688_000,   // 1991-01-01
    709_948_800,   // 1992-07-01
    741_484_800,   // 1993-07-01
    773_020_800,   // 1994-07-01
    820_454_400,   // 1996-01-01
    867_715_200,   // 1997-07-01
    915_148_800,   // 1999-01-01
    1_136_073_600, // 2006-01-01
    1_230_768_000, // 2009-01-01
    1_341_100_800, // 2012-07-01
    1_435_708_800, // 2015-07-01
    1_483_228_800, // 2017-01-01
];

impl Stamp {
    /// The moment so many seconds of GPS time after 1980-01-06; nothing if that is no time.
    pub fn from_gps(whole_s: i64, rest_s: f64) -> Option<Self> {
        let steps = LEAPS_S
            .iter()
            .zip(1..)
            .take_while(|(leap, after)| whole_s >= **leap - EPOCH_S + after);
        let unix_s = whole_s.checked_add(EPOCH_S)? - steps.count() as i64;
        let rest_nanos = (rest_s * 1e9).round();
        let nanos = unix_s.checked_mul(NANOS)?;
        (rest_nanos.abs() < 1e18)
            .then(|| nanos.checked_add(rest_nanos as i64))?
            .map(Stamp::from_nanos)
    }

    /// This moment in GPS time: whole seconds since 1980-01-06, and nanoseconds (0 to 999,999,999).
    pub fn gps(self) -> (i64, u32) {
        let unix_s = self.nanos().div_euclid(NANOS);
        let leaps = LEAPS_S.iter().take_while(|leap| unix_s >= **leap).count();
        (
            unix_s - EPOCH_S + leaps as i64,
            self.nanos().rem_euclid(NANOS) as u32,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_pairs_of_gps_time_and_utc() {
        // 2017-01-01T00:00:00Z is GPS time 1167264018; the second before it 1167264017 is 23:59:60.
        for (gps, unix) in [
            (0, 315_964_800),
            (1_167_264_016, 1_483_228_799),
            (1_167_264_017, 1_483_228_800),
            (1_167_264_018, 1_483_228_800),
            (1_167_264_019, 1_483_228_801),
            // GPS week 2100 began 2020-04-05, 18 s before midnight UTC.
            (2100 * 604_800, 1_586_044_782),
        ] {
            let stamp = Stamp::from_gps(gps, 0.25).unwrap();
            assert_eq!(stamp.nanos(), unix * NANOS + 250_000_000, "{gps}");
            // The inserted second has no Unix time of its own: only it does not lead back.
            if gps != 1_167_264_017 {
                assert_eq!(stamp.gps(), (gps, 250_000_000));
            }
        }
        assert_eq!(Stamp::from_gps(i64::MAX, 0.0), None);
        assert_eq!(Stamp::from_gps(0, f64::NAN), None);
        assert_eq!(Stamp::from_nanos(EPOCH_S * NANOS - 1).gps(), (-1, 999_999_999));
    }
}
