//! Every fault by its word: what `--fault` takes, what is checked, and what the truth lists.

use crate::error::Error;
use crate::scenario::{FaultScenario, Window};

/// The sensor that a fault is about if none is named.
const DEFAULT_SENSOR: &str = "sonar";
/// The word that switches on many faults.
const STORM: &str = "storm";

/// The number of a fault.
pub(crate) enum Slot<'a> {
    /// Zero is off.
    Number(&'a mut f64),
    /// Nothing is off.
    Moment(&'a mut Option<f64>),
    /// Nothing is off.
    Stretch(&'a mut Option<Window>),
}

/// What a fault's number is measured in, and the units people may write it in.
pub(crate) type Units = [(&'static str, f64)];
const LENGTH: &Units = &[("m", 1.0), ("cm", 0.01), ("mm", 0.001)];
const TIME: &Units = &[("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)];
const PARTS: &Units = &[("ppm", 1.0)];
const ANGLE: &Units = &[("deg", 1.0)];
const SPEED: &Units = &[("m/s", 1.0), ("cm/s", 0.01)];
const SHARE: &Units = &[("", 1.0), ("%", 0.01)];
const LEVEL: &Units = &[("dB", 1.0)];
const RATE: &Units = &[("Hz", 1.0)];
const TURN: &Units = &[("deg/h", 1.0)];

/// A fault, or a number that belongs to one.
pub(crate) struct Flag {
    /// Its word.
    pub(crate) name: &'static str,
    /// Units, the one of the number first.
    pub(crate) units: &'static Units,
    /// Whether it is about one sensor.
    pub(crate) of_sensor: bool,
    /// Whether it is a fault by itself; else it only says more about one.
    pub(crate) acts: bool,
    low: f64,
    high: f64,
    expected: &'static str,
    /// Where its number is.
    pub(crate) slot: for<'a> fn(&'a mut FaultScenario, &str) -> Slot<'a>,
}

/// A flag whose number is at a path of the scenario, or of its table for a sensor.
macro_rules! flag {
    ($name:literal, $units:ident, $low:literal to $high:literal, $kind:ident, $acts:literal, [$table:ident] $field:ident) => {
        Flag {
            of_sensor: true,
            slot: |faults, sensor| {
                Slot::$kind(&mut faults.$table.entry(sensor.to_owned()).or_default().$field)
            },
            ..flag!($name, $units, $low to $high, $acts)
        }
    };
    ($name:literal, $units:ident, $low:literal to $high:literal, $kind:ident, $acts:literal, $table:ident $field:ident) => {
        Flag {
            slot: |faults, _| Slot::$kind(&mut faults.$table.$field),
            ..flag!($name, $units, $low to $high, $acts)
        }
    };
    ($name:literal, $units:ident, $low:literal to $high:literal, $acts:literal) => {
        Flag {
            name: $name,
            units: $units,
            of_sensor: false,
            acts: $acts,
            low: $low,
            high: $high,
            expected: concat!(stringify!($low), " to ", stringify!($high)),
            slot: |faults, _| Slot::Number(&mut faults.growth.thickness_m),
        }
    };
}

/// All of them.
#[rustfmt::skip]
pub(crate) const FLAGS: &[Flag] = &[
    flag!("growth", LENGTH, 0.0 to 0.5, Number, true, growth thickness_m),
    flag!("clock-offset", TIME, -10.0 to 10.0, Number, true, [clock] offset_s),
    flag!("clock-drift", PARTS, -1000.0 to 1000.0, Number, true, [clock] drift_ppm),
    flag!("clock-jitter", TIME, 0.0 to 0.001, Number, true, [clock] jitter_s),
    flag!("pps-loss", TIME, 0.0 to 3600.0, Moment, true, [clock] pps_lost_s),
    flag!("free-running", PARTS, -1000.0 to 1000.0, Number, false, [clock] free_running_ppm),
    flag!("latency", TIME, 0.0 to 1.0, Number, true, [clock] latency_s),
    flag!("mount-forward", LENGTH, -2.0 to 2.0, Number, true, [mount] forward_m),
    flag!("mount-starboard", LENGTH, -2.0 to 2.0, Number, true, [mount] starboard_m),
    flag!("mount-down", LENGTH, -2.0 to 2.0, Number, true, [mount] down_m),
    flag!("mount-roll", ANGLE, -20.0 to 20.0, Number, true, [mount] roll_deg),
    flag!("mount-pitch", ANGLE, -20.0 to 20.0, Number, true, [mount] pitch_deg),
    flag!("mount-heading", ANGLE, -20.0 to 20.0, Number, true, [mount] heading_deg),
    flag!("slip-roll", ANGLE, -20.0 to 20.0, Number, true, [slip] roll_deg),
    flag!("slip-pitch", ANGLE, -20.0 to 20.0, Number, true, [slip] pitch_deg),
    flag!("slip-heading", ANGLE, -20.0 to 20.0, Number, true, [slip] heading_deg),
    flag!("slip-at", TIME, 0.0 to 3600.0, Moment, false, [slip] at_s),
    flag!("sound-speed", SPEED, -100.0 to 100.0, Number, true, sound_speed error_m_per_s),
    flag!("sound-speed-stated", SPEED, 1300.0 to 1700.0, Moment, true, sound_speed stated_m_per_s),
    flag!("loss", SHARE, 0.0 to 1.0, Number, true, [link] loss),
    flag!("duplication", SHARE, 0.0 to 1.0, Number, true, [link] duplication),
    flag!("reordering", SHARE, 0.0 to 1.0, Number, true, [link] reordering),
    flag!("delay", TIME, 0.0 to 5.0, Number, false, [link] delay_s),
    flag!("patience", TIME, 0.0 to 5.0, Number, false, [link] patience_s),
    flag!("silence", TIME, 0.0 to 3600.0, Stretch, true, [silence] during),
    flag!("saturation", LEVEL, 0.0 to 60.0, Number, true, gain excess_db),
    flag!("tide", LENGTH, -5.0 to 5.0, Number, true, tide error_m),
    flag!("heading-drift", TURN, -3600.0 to 3600.0, Number, true, gyro drift_deg_per_h),
    flag!("gnss-outage", TIME, 0.0 to 3600.0, Stretch, true, gnss during),
    flag!("interference", LEVEL, -200.0 to 40.0, Moment, true, interference level_db),
    flag!("interference-rate", RATE, 0.01 to 100.0, Number, false, interference rate_hz),
    flag!("gnss-drift", SPEED, 0.0 to 10.0, Number, false, gnss drift_m_per_s),
];

impl FaultScenario {
    /// Switches on what a flag says: faults separated by commas, each `name=value` or
    /// `name:sensor=value`, the value with its unit (`20ppm`, `1.5deg`, `8m/s`, `2%`, `3s..5s`);
    /// without one it is in the first unit of the fault. `storm` alone is [`Self::storm`].
    ///
    /// # Errors
    /// [`Error::Fault`] with what there is, at the first word that is not known, and at a value
    /// that is none.
    pub fn set(&mut self, text: &str) -> Result<(), Error> {
        for part in text.split(',').map(str::trim) {
            if part == STORM {
                *self = Self::storm();
                continue;
            }
            let (word, value) = part.split_once('=').ok_or_else(|| wrong("`name=value`", part))?;
            let (name, sensor) = word.split_once(':').unwrap_or((word, ""));
            let flag = FLAGS
                .iter()
                .find(|flag| flag.name == name)
                .ok_or_else(|| wrong(&known(), name))?;
            if !flag.of_sensor && !sensor.is_empty() {
                return Err(wrong(&format!("`{name}` without a sensor"), word));
            }
            let sensor = if sensor.is_empty() { DEFAULT_SENSOR } else { sensor };
            let read = |text: &str| flag.number(text).ok_or_else(|| wrong(&flag.wants(), text));
            match (flag.slot)(self, sensor) {
                Slot::Number(number) => *number = read(value)?,
                Slot::Moment(moment) => *moment = Some(read(value)?),
                Slot::Stretch(window) => {
                    let (from, to) = value
                        .split_once("..")
                        .ok_or_else(|| wrong(&flag.wants(), value))?;
                    *window = Some(Window {
                        from_s: read(from)?,
                        to_s: read(to)?,
                    });
                }
            }
        }
        Ok(())
    }

    /// Many faults at once, each as bad as a bad day makes it.
    pub fn storm() -> Self {
        let mut faults = Self::default();
        faults
            .set(
                "growth=8cm,clock-offset=15ms,clock-drift=20ppm,clock-jitter=100us,pps-loss=10s,\
                 latency:lidar=5ms,mount-roll=1.2deg,mount-heading=-0.8deg,mount-forward=5cm,mount-down=-3cm,\
                 slip-roll=0.8deg,sound-speed=6m/s,loss=3%,loss:lidar=2%,loss:nav=1%,duplication=2%,\
                 duplication:nav=1%,reordering=4%,reordering:lidar=2%,silence:lidar=12s..13s,silence=18s..20s,\
                 saturation=20dB,interference=-85dB,tide=15cm,heading-drift=20deg/h,gnss-outage=8s..14s",
            )
            .expect("every word of the storm is known, which a test holds");
        faults
    }
}

impl Flag {
    /// A value as people write it.
    fn number(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        let end = text
            .rfind(|letter: char| letter.is_ascii_digit() || letter == '.')
            .map_or(0, |last| last + 1);
        let (number, unit) = text.split_at(end);
        let number: f64 = number.parse().ok()?;
        let factor = match unit.trim() {
            "" => self.units.first()?.1,
            unit => self.units.iter().find(|(known, _)| *known == unit)?.1,
        };
        Some(number * factor)
    }

    /// What a value looks like.
    fn wants(&self) -> String {
        let units: Vec<&str> = self.units.iter().map(|(unit, _)| *unit).collect();
        let units = units.join("|");
        let mut nothing = FaultScenario::default();
        match (self.slot)(&mut nothing, DEFAULT_SENSOR) {
            Slot::Stretch(_) => format!("`{}=FROM{units}..TO{units}`", self.name),
            _ => format!("`{}=NUMBER{units}`", self.name),
        }
    }

    fn check(&self, slot: Slot<'_>) -> Result<(), Error> {
        let within = |found: f64| {
            if (self.low..=self.high).contains(&found) {
                return Ok(());
            }
            Err(Error::Scenario {
                key: self.name,
                found,
                expected: self.expected,
            })
        };
        match slot {
            Slot::Number(number) => within(*number),
            Slot::Moment(moment) => moment.map_or(Ok(()), within),
            Slot::Stretch(None) => Ok(()),
            Slot::Stretch(Some(window)) => {
                within(window.from_s)?;
                within(window.to_s)?;
                if window.from_s <= window.to_s {
                    return Ok(());
                }
                Err(Error::Scenario {
                    key: self.name,
                    found: window.to_s,
                    expected: "an end after its beginning",
                })
            }
        }
    }
}

/// Every flag with each sensor it says something about ("" if it is about none).
pub(crate) fn named(faults: &FaultScenario) -> Vec<(&'static Flag, String)> {
    let sensors = sensors(faults);
    FLAGS
        .iter()
        .flat_map(|flag| {
            let about = if flag.of_sensor {
                sensors.clone()
            } else {
                vec![String::new()]
            };
            about.into_iter().map(move |sensor| (flag, sensor))
        })
        .collect()
}

/// Every sensor that has a table, in order.
pub(crate) fn sensors(faults: &FaultScenario) -> Vec<String> {
    let mut names: Vec<String> = faults
        .clock
        .keys()
        .chain(faults.mount.keys())
        .chain(faults.slip.keys())
        .chain(faults.link.keys())
        .chain(faults.silence.keys())
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Checks every number against its range.
///
/// # Errors
/// [`Error::Scenario`] with the fault's word.
pub(crate) fn check(faults: &FaultScenario) -> Result<(), Error> {
    // Asking for a slot makes its table, so a copy is asked.
    let mut copy = faults.clone();
    named(faults)
        .into_iter()
        .try_for_each(|(flag, sensor)| flag.check((flag.slot)(&mut copy, &sensor)))
}

/// All words, for messages.
fn known() -> String {
    let words: Vec<String> = FLAGS
        .iter()
        .map(|flag| match flag.of_sensor {
            true => format!("{}[:SENSOR]", flag.name),
            false => flag.name.to_owned(),
        })
        .collect();
    format!("{STORM} or one of {}", words.join(", "))
}

fn wrong(expected: &str, found: &str) -> Error {
    Error::Fault {
        expected: expected.to_owned(),
        found: found.chars().take(80).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_units() {
        let mut faults = FaultScenario::default();
        faults
            .set("clock-drift=20ppm,mount-roll=1.5,sound-speed=8,growth=12cm,silence:lidar=3s..5500ms, loss:nav=2%")
            .unwrap();
        faults
            .set("clock-offset=-15ms,clock-jitter=100us,pps-loss=4")
            .unwrap();
        let clock = &faults.clock["sonar"];
        assert_eq!(
            (clock.drift_ppm, clock.offset_s, clock.pps_lost_s),
            (20.0, -0.015, Some(4.0))
        );
        assert_eq!(faults.mount["sonar"].roll_deg, 1.5);
        assert_eq!(faults.sound_speed.error_m_per_s, 8.0);
        assert_eq!(faults.growth.thickness_m, 0.12);
        assert_eq!(
            faults.silence["lidar"].during,
            Some(Window {
                from_s: 3.0,
                to_s: 5.5
            })
        );
        assert_eq!(faults.link["nav"].loss, 0.02);
        faults.check_all();
    }

    impl FaultScenario {
        fn check_all(&self) {
            check(self).unwrap();
        }
    }

    #[test]
    fn what_is_no_fault_is_told_what_there_is() {
        for (text, told) in [
            ("clock-drif=1", "storm or one of growth, clock-offset[:SENSOR]"),
            ("mount-roll", "`name=value`"),
            ("mount-roll=1.5cm", "`mount-roll=NUMBERdeg`"),
            ("mount-roll=", "`mount-roll=NUMBERdeg`"),
            ("silence=3s", "`silence=FROMs|ms|us|ns..TOs|ms|us|ns`"),
            ("tide:sonar=1m", "without a sensor"),
        ] {
            let said = FaultScenario::default().set(text).unwrap_err().to_string();
            assert!(said.contains(told), "{text}: {said}");
        }
    }

    #[test]
    fn ranges_are_checked_by_the_word() {
        for text in [
            "growth=2m",
            "loss=1.5",
            "silence=5..3",
            "mount-roll=-21",
            "pps-loss=4000s",
        ] {
            let mut faults = FaultScenario::default();
            faults.set(text).unwrap();
            let said = check(&faults).unwrap_err().to_string();
            assert!(said.contains(text.split('=').next().unwrap()), "{said}");
        }
        let mut faults = FaultScenario::default();
        faults.gain.excess_db = f64::NAN;
        assert!(check(&faults).is_err());
    }

    #[test]
    fn the_storm_is_many_faults_in_range() {
        let storm = FaultScenario::storm();
        check(&storm).unwrap();
        assert!(storm.growth.thickness_m > 0.0 && storm.link.len() == 3);
        let mut calmer = FaultScenario::default();
        calmer.set("storm,growth=0").unwrap();
        assert_eq!(calmer.growth.thickness_m, 0.0);
        assert!(storm.gain.excess_db > 0.0);
    }

    /// Each word has its own number: setting one changes the scenario, and no two change the same.
    #[test]
    fn no_two_words_share_a_number() {
        let mut seen: Vec<FaultScenario> = Vec::new();
        for flag in FLAGS {
            let mut faults = FaultScenario::default();
            match (flag.slot)(&mut faults, "sonar") {
                Slot::Number(number) => *number = 0.1234,
                Slot::Moment(moment) => *moment = Some(0.1234),
                Slot::Stretch(window) => {
                    *window = Some(Window {
                        from_s: 0.1,
                        to_s: 0.2,
                    })
                }
            }
            assert!(!seen.contains(&faults), "{}", flag.name);
            seen.push(faults);
        }
    }
}
