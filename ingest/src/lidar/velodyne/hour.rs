//! From µs since the hour to time.
//!
//! A Velodyne counts µs from the start of an hour and begins again with the next. Some units count
//! on past the hour, up to the end of 32 bits (users of the ROS driver report it), so a step is taken
//! as whatever is nearest: on, into the next hour, or past the end of the number.

use beluga_types::Stamp;

const HOUR_MICROS: i64 = 3_600_000_000;
/// The host may be so far off a clock that is set, and no hour is taken from it beyond.
pub(super) const SET_MICROS: i64 = 10_000_000;
/// A step that is no turn of the hour and longer than this is a jump.
const JUMP_MICROS: i64 = 1_000_000;

/// A sensor's clock, unwrapped.
#[derive(Clone, Debug)]
pub(super) struct Hour {
    /// Added to the sensor's count, in µs since 1970.
    base: i64,
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    sensor: i64,
    host: i64,
}

/// How a first packet is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// By a receiver's date and time.
    Receiver,
    /// By the host's clock, which agrees with the sensor's within the hour.
    Host,
    /// Not set: by when the host heard the first packet.
    Heard,
}

impl Hour {
    /// The clock of a sensor whose count is `micros` when the host hears of it at `received`, and
    /// whose receiver, if it has one, says that it is then about `receiver`.
    pub(super) fn new(micros: u32, received: Stamp, receiver: Option<Stamp>) -> (Self, Set) {
        let micros = i64::from(micros);
        let heard = received.nanos().div_euclid(1000);
        let near = |time: i64| time - off_hour(time - micros) - micros;
        let (base, set) = match receiver {
            Some(time) => (near(time.nanos().div_euclid(1000)), Set::Receiver),
            None if off_hour(heard - micros).abs() <= SET_MICROS => (near(heard), Set::Host),
            None => (heard - micros, Set::Heard),
        };
        (Self { base, last: None }, set)
    }

    /// The time of a count, and by how many seconds it jumped, if it did.
    pub(super) fn stamp(&mut self, micros: u32, received: Stamp) -> (Stamp, Option<f64>) {
        let host = received.nanos().div_euclid(1000);
        let sensor = i64::from(micros).saturating_add(self.base);
        let Some(last) = self.last else {
            self.last = Some(Last { sensor, host });
            return (stamp(sensor), None);
        };
        // Two hosts' times may be anything; a recording does not stand still for an hour unheard.
        let passed = host.saturating_sub(last.host).clamp(0, HOUR_MICROS);
        let expected = last.sensor.saturating_add(passed);
        let turns = [0, HOUR_MICROS, -HOUR_MICROS, 1 << 32];
        let off = |turn: &i64| {
            sensor
                .saturating_add(*turn)
                .saturating_sub(expected)
                .saturating_abs()
        };
        let turn = turns.into_iter().min_by_key(off).unwrap_or(0);
        let jump = off(&turn);
        self.base = self.base.saturating_add(turn);
        let sensor = sensor.saturating_add(turn);
        self.last = Some(Last { sensor, host });
        let jumped = (jump > JUMP_MICROS).then(|| sensor.saturating_sub(expected) as f64 * 1e-6);
        (stamp(sensor), jumped)
    }
}

/// From the nearest full hour, in µs.
pub(super) fn off_hour(micros: i64) -> i64 {
    (micros + HOUR_MICROS / 2).rem_euclid(HOUR_MICROS) - HOUR_MICROS / 2
}

fn stamp(micros: i64) -> Stamp {
    Stamp::from_nanos(micros.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-01-11T02:00:00Z.
    const HOUR_S: i64 = 1_673_402_400;

    fn at(s: f64) -> Stamp {
        Stamp::from_nanos(HOUR_S * 1_000_000_000).shifted_s(s)
    }

    fn micros(s: f64) -> u32 {
        (s * 1e6).round() as u32
    }

    fn since(stamp: Stamp) -> f64 {
        (stamp.seconds_since(at(0.0)) * 1e6).round() / 1e6
    }

    #[test]
    fn the_hour_comes_from_the_receiver_or_from_a_host_that_agrees() {
        let place = |count: f64, heard: f64, receiver: Option<f64>| {
            let (mut hour, set) = Hour::new(micros(count), at(heard), receiver.map(at));
            (since(hour.stamp(micros(count), at(heard)).0), set)
        };
        assert_eq!(place(12.5, 13.0, None), (12.5, Set::Host));
        // Just before the hour by the sensor, just behind it by the host.
        assert_eq!(place(3599.5, 0.5, None), (-0.5, Set::Host));
        assert_eq!(place(0.5, 3599.5, None), (3600.5, Set::Host));
        // Not set: 1430 s off.
        assert_eq!(place(779.03, 2209.6, None), (2209.6, Set::Heard));
        // The receiver's sentence is of the second before; the host's clock is days off.
        assert_eq!(place(33.2, 1e6, Some(32.0)), (33.2, Set::Receiver));
        assert_eq!(place(3599.9, 1e6, Some(0.2)), (-0.1, Set::Receiver));
    }

    #[test]
    fn the_hour_turns_and_units_run_past_it() {
        let (mut hour, _) = Hour::new(micros(3599.9), at(3599.9), None);
        let mut step = |count: f64, heard: f64| {
            let (stamp, jump) = hour.stamp(micros(count), at(heard));
            (since(stamp), jump.map(f64::round))
        };
        assert_eq!(step(3599.9, 3599.9), (3599.9, None));
        assert_eq!(step(0.1, 3600.1), (3600.1, None), "the hour turned");
        assert_eq!(
            step(3599.95, 3599.95),
            (3599.95, None),
            "an early packet comes late"
        );
        assert_eq!(step(0.2, 3600.2), (3600.2, None));
        // Counted on past the hour, then begun again.
        let (mut hour, _) = Hour::new(micros(3600.5), at(3600.5), None);
        let mut step = |count: f64, heard: f64| {
            let (stamp, jump) = hour.stamp(micros(count), at(heard));
            (since(stamp), jump.map(f64::round))
        };
        assert_eq!(step(3601.0, 3601.0), (3601.0, None));
        assert_eq!(step(3700.0, 3700.0), (3700.0, None));
        assert_eq!(step(100.5, 3700.5), (3700.5, None), "taken back to the hour");
        // Past the end of 32 bits: 4294.967296 s.
        let (mut hour, _) = Hour::new(micros(4294.9), at(4294.9), None);
        hour.stamp(micros(4294.9), at(4294.9));
        let (stamp, jump) = hour.stamp(32_704, at(4295.0));
        assert_eq!((since(stamp), jump), (4295.0, None));
    }

    #[test]
    fn a_clock_that_is_set_while_it_runs_jumps() {
        let (mut hour, set) = Hour::new(micros(779.0), at(2209.0), None);
        assert_eq!(set, Set::Heard);
        hour.stamp(micros(779.0), at(2209.0));
        let (stamp, jump) = hour.stamp(micros(900.0), at(2210.0));
        assert_eq!((since(stamp), jump.map(f64::round)), (2330.0, Some(120.0)));
    }

    #[test]
    fn no_time_is_too_far() {
        for heard in [i64::MIN, -1, 0, i64::MAX] {
            let heard = Stamp::from_nanos(heard);
            let (mut hour, _) = Hour::new(u32::MAX, heard, Some(Stamp::from_nanos(i64::MAX)));
            hour.stamp(0, heard);
            hour.stamp(u32::MAX, Stamp::from_nanos(heard.nanos().wrapping_neg()));
        }
    }
}
