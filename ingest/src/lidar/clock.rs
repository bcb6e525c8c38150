//! Clocks that tell date and time: whether they do, and what is said of one that does not.

use beluga_types::{GapCause, Stamp};

use crate::error::Fault;

/// Clocks that differ by more than this do not tell the same time.
const SAME_NANOS: i64 = 86_400 * 1_000_000_000;
/// A clock is as it should be within this of the host's.
const NEAR_NANOS: i64 = 500_000_000;
/// TAI − UTC, in seconds: since 2017, and until then.
const TAI_SECONDS: [i64; 2] = [37, 36];
/// A step longer than this against the host's clock is a jump.
const JUMP_NANOS: i64 = 1_000_000_000;

/// How a sensor's time lands on the timeline.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Added to the sensor's time; 0 for a clock that tells the time.
    offset_nanos: i64,
    /// Sensor and host at the packet that was under way for the shortest time.
    first: Option<(i64, Stamp)>,
    last: Option<(i64, Stamp)>,
}

impl Clock {
    /// From the first packets: the sensor's time, in ns since 1970, and when the host heard it.
    pub(super) fn of(pairs: impl Iterator<Item = (i64, Stamp)>) -> Self {
        let delay = |(sensor, host): &(i64, Stamp)| host.nanos().saturating_sub(*sensor);
        let first = pairs.min_by_key(delay);
        let offset_nanos = first
            .as_ref()
            .map(delay)
            .filter(|delay| delay.saturating_abs() > SAME_NANOS);
        Self {
            offset_nanos: offset_nanos.unwrap_or(0),
            first,
            last: None,
        }
    }

    /// The sensor's time on the timeline, and by how many seconds it jumped, if it did.
    ///
    /// A clock that was set while it ran, or has begun anew, is judged again as at the start: else what it
    /// tells from then on would lie years away, or before what came already.
    pub(super) fn stamp(&mut self, sensor: i64, received: Stamp) -> (Stamp, Option<f64>) {
        let jump = self.last.map_or(0, |(last, heard)| {
            let passed = received.nanos().saturating_sub(heard.nanos());
            sensor.saturating_sub(last).saturating_sub(passed)
        });
        let jumps = jump.saturating_abs() > JUMP_NANOS;
        if jumps {
            self.judge_again(sensor, received);
        }
        self.last = Some((sensor, received));
        let stamp = Stamp::from_nanos(sensor.saturating_add(self.offset_nanos));
        (stamp, jumps.then_some(jump as f64 * 1e-9))
    }

    fn judge_again(&mut self, sensor: i64, received: Stamp) {
        let delay = received.nanos().saturating_sub(sensor);
        let at_first = self
            .first
            .map(|(sensor, host)| host.nanos().saturating_sub(sensor));
        // One packet's time may be damaged: what was true before it is so after it.
        let as_before = at_first.filter(|first| delay.saturating_sub(*first).saturating_abs() <= JUMP_NANOS);
        self.offset_nanos = match delay.saturating_abs() > SAME_NANOS {
            true => as_before.unwrap_or(delay),
            false => 0,
        };
    }

    /// What a user should know of it; `free` is what is said of a sensor that nothing sets.
    pub(super) fn said(&self, free: &str) -> String {
        let Some((sensor, host)) = self.first else {
            return "clock: no packet at the start has a time".to_owned();
        };
        let told = Stamp::from_nanos(sensor);
        let ahead = sensor.saturating_sub(host.nanos());
        if self.offset_nanos != 0 {
            return format!(
                "clock: not set: it tells {} when the host's tells {}, as {free}; scans are placed by when the host heard the packet that came quickest (PTP or GPS sets the clock, `time_offset_ms` shifts it)",
                told.iso_8601(),
                host.iso_8601()
            );
        }
        let is_tai = |seconds: &i64| (ahead - seconds * 1_000_000_000).abs() < NEAR_NANOS;
        if let Some(seconds) = TAI_SECONDS.iter().find(|seconds| is_tai(seconds)) {
            return format!(
                "clock: {seconds} s ahead of the host's: it tells TAI, not UTC, because its master does not announce the difference (`time_offset_ms = -{seconds}000` in the rig corrects it)"
            );
        }
        let seconds = ahead as f64 * 1e-9;
        match ahead.abs() < NEAR_NANOS {
            true => format!("clock: tells the time, {seconds:+.6} s from the host's"),
            false => format!(
                "clock: {seconds:+.3} s from the host's: one of them is not set (`time_offset_ms = {:.0}` in the rig corrects the sensor's)",
                seconds * -1e3
            ),
        }
    }
}

/// A clock that was set while it ran.
pub(super) fn jump(stamp: Stamp, jump_s: f64) -> Fault {
    Fault {
        cause: GapCause::Missing,
        lost: 0,
        detail: format!(
            "{}: the sensor's clock jumps by {jump_s:.3} s: it was set while it ran, it has begun anew, or packets are missing",
            stamp.iso_8601()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;
    const NOW: i64 = 1_673_400_677 * S;

    fn of(ahead: i64) -> Clock {
        Clock::of(
            [
                (NOW + ahead, Stamp::from_nanos(NOW + 7)),
                (NOW + ahead + 5, Stamp::from_nanos(NOW + 5)),
            ]
            .into_iter(),
        )
    }

    #[test]
    fn a_clock_that_is_years_off_is_not_used_and_said() {
        let mut clock = of(-100_000_000 * S);
        let said = clock.said("a sensor without PTP");
        assert!(said.starts_with("clock: not set: it tells 2019-11-1"), "{said}");
        let (stamp, jump) = clock.stamp(NOW - 100_000_000 * S + 5, Stamp::from_nanos(NOW + 9));
        assert_eq!(
            (stamp.nanos(), jump),
            (NOW + 5, None),
            "by the packet that came quickest"
        );
    }

    #[test]
    fn a_clock_that_is_near_is_used_and_its_error_named() {
        for (ahead, says) in [
            (37 * S, "37 s ahead of the host's: it tells TAI"),
            (36 * S, "36 s ahead"),
            (2 * S, "time_offset_ms = -2000"),
            (-2 * S, "time_offset_ms = 2000"),
            (1000, "tells the time"),
        ] {
            let mut clock = of(ahead);
            let said = clock.said("");
            assert!(said.contains(says), "{said}");
            assert_eq!(
                clock.stamp(NOW + ahead, Stamp::from_nanos(NOW)).0.nanos(),
                NOW + ahead
            );
        }
    }

    #[test]
    fn a_clock_that_is_set_while_it_runs_jumps() {
        let mut clock = of(0);
        let mut step = |sensor: i64, host: i64| clock.stamp(NOW + sensor, Stamp::from_nanos(NOW + host)).1;
        assert_eq!(step(0, 0), None);
        assert_eq!(step(S, S), None);
        assert_eq!(step(5 * S, 2 * S), Some(3.0));
        assert_eq!(step(6 * S, 3 * S), None);
        assert_eq!(step(S, 4 * S), Some(-6.0));
    }

    /// A sensor without PTP is switched off and on; then its clock is set.
    #[test]
    fn a_clock_that_begins_anew_or_is_set_stays_with_the_hosts() {
        let mut clock = Clock::of([(100 * S, Stamp::from_nanos(NOW))].into_iter());
        let mut step = |sensor: i64, host: i64| {
            let (stamp, jump) = clock.stamp(sensor, Stamp::from_nanos(NOW + host));
            (stamp.nanos() - NOW, jump.is_some())
        };
        assert_eq!(step(100 * S, 5), (0, false));
        assert_eq!(step(102 * S, 2 * S + 5), (2 * S, false));
        assert_eq!(
            step(0, 9 * S),
            (9 * S, true),
            "from zero on: by when it was heard"
        );
        assert_eq!(step(S, 10 * S + 7), (10 * S, false));
        assert_eq!(step(112 * S, 12 * S + 7), (12 * S, true), "as before");
        assert_eq!(
            step(NOW + 14 * S, 14 * S + 7),
            (14 * S, true),
            "it tells the time"
        );
        assert_eq!(step(NOW + 15 * S, 15 * S + 7), (15 * S, false));
    }
}
