//! What networks and sensors do: loss, doubles, another order, bursts, silence, garbage; seeded, and counted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use beluga_types::{SensorId, Stamp};
use serde::Serialize;

use super::Sent;

/// How bad it is. Parts are of one; each datagram meets one of them at the most.
#[derive(Clone, Debug)]
pub struct Weather {
    /// The same seed, the same storm.
    pub seed: u64,
    /// Part of the datagrams that never comes.
    pub lost: f64,
    /// Part that comes twice.
    pub twice: f64,
    /// Part that is overtaken by the sensor's next.
    pub swapped: f64,
    /// Part behind which something comes that no sensor has sent.
    pub garbage: f64,
    /// Each so often all sensors' datagrams wait for so long and come at once: every, length.
    pub bursts: Option<(Duration, Duration)>,
    /// Sensors that say nothing for a while.
    pub silences: Vec<Silence>,
    /// Nothing happens before.
    pub from: Stamp,
    /// Nothing happens from here on.
    pub until: Stamp,
}

impl Weather {
    /// A storm between two moments: 1 % lost, 2 % twice, 1 % overtaken, 1 % garbage, once a second a burst of
    /// 0.1 s.
    pub fn storm(seed: u64, from: Stamp, until: Stamp) -> Self {
        Self {
            seed,
            lost: 0.01,
            twice: 0.02,
            swapped: 0.01,
            garbage: 0.01,
            bursts: Some((Duration::from_secs(1), Duration::from_millis(100))),
            silences: Vec::new(),
            from,
            until,
        }
    }
}

/// A sensor that says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// Which.
    pub sensor: SensorId,
    /// From when on.
    pub from: Stamp,
    /// Until when.
    pub until: Stamp,
}

/// What was done to one sensor's datagrams. What went out is `made - lost - silent + twice + garbage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// That the sensor made.
    pub made: u64,
    /// That never came.
    pub lost: u64,
    /// Not sent, since the sensor was silent.
    pub silent: u64,
    /// Doubles.
    pub twice: u64,
    /// That were overtaken.
    pub swapped: u64,
    /// That no sensor has made.
    pub garbage: u64,
    /// Their bytes.
    pub garbage_bytes: u64,
    /// That went out.
    pub sent: u64,
}

/// Datagrams in a storm.
pub struct Storm<I> {
    calm: I,
    weather: Weather,
    lots: Lots,
    /// Overtaken by the next of its sensor.
    held: BTreeMap<SensorId, Sent>,
    ready: VecDeque<Sent>,
    ledgers: BTreeMap<SensorId, Ledger>,
}

/// Numbers by chance: a linear congruential generator (D. Knuth, MMIX), its upper bits.
struct Lots(u64);

impl Lots {
    fn draw(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// From 0 to below 1.
    fn part(&mut self) -> f64 {
        f64::from(self.draw()) / (f64::from(u32::MAX) + 1.0)
    }

    /// Bytes of which none begins a message of any sensor: the ways by which those are told from what is none are
    /// tested where they are read.
    fn garbage(&mut self) -> Vec<u8> {
        let length = 1 + self.draw() % 1400;
        (0..length).map(|_| (self.draw() % 0x40) as u8).collect()
    }
}

impl<I: Iterator<Item = Sent>> Storm<I> {
    /// These datagrams in this weather.
    pub fn new(calm: I, weather: Weather) -> Self {
        Self {
            lots: Lots(weather.seed),
            calm,
            weather,
            held: BTreeMap::new(),
            ready: VecDeque::new(),
            ledgers: BTreeMap::new(),
        }
    }

    /// What was done, by sensor.
    pub fn ledgers(&self) -> &BTreeMap<SensorId, Ledger> {
        &self.ledgers
    }

    /// What the datagrams came from.
    pub fn calm(&self) -> &I {
        &self.calm
    }

    fn ledger(&mut self, sensor: SensorId) -> &mut Ledger {
        self.ledgers.entry(sensor).or_default()
    }

    fn give(&mut self, sent: Sent) {
        self.ledger(sent.sensor).sent += 1;
        self.ready.push_back(sent);
    }

    fn meet(&mut self, sent: Sent) {
        let (sensor, at) = (sent.sensor, sent.at);
        self.ledger(sensor).made += 1;
        let is_silent =
            |silence: &Silence| silence.sensor == sensor && (silence.from..silence.until).contains(&at);
        let overtaken = self.held.remove(&sensor);
        if self.weather.silences.iter().any(is_silent) {
            self.ledger(sensor).silent += 1;
            // Nothing overtakes it any more.
            overtaken.into_iter().for_each(|sent| self.give(sent));
            return;
        }
        let is_calm = !(self.weather.from..self.weather.until).contains(&at);
        // One draw for each datagram, whatever becomes of it.
        let lot = if is_calm { 1.0 } else { self.lots.part() };
        let Weather {
            lost,
            twice,
            swapped,
            garbage,
            ..
        } = self.weather;
        let sent = self.delayed(sent);
        if lot < lost {
            self.ledger(sensor).lost += 1;
        } else if lot < lost + twice {
            self.ledger(sensor).twice += 1;
            self.give(sent.clone());
            self.give(sent);
        } else if lot < lost + twice + swapped && overtaken.is_none() {
            self.ledger(sensor).swapped += 1;
            self.held.insert(sensor, sent);
        } else if lot >= lost + twice + swapped && lot < lost + twice + swapped + garbage {
            let bytes = self.lots.garbage();
            let ledger = self.ledger(sensor);
            ledger.garbage += 1;
            ledger.garbage_bytes += bytes.len() as u64;
            let nobodys = Sent {
                sensor,
                at: sent.at,
                bytes,
            };
            self.give(sent);
            self.give(nobodys);
        } else {
            self.give(sent);
        }
        if let Some(overtaken) = overtaken {
            self.give(Sent { at, ..overtaken });
        }
    }

    /// When it comes, if it is caught in a burst.
    fn delayed(&self, sent: Sent) -> Sent {
        let Some((every, length)) = self.weather.bursts else {
            return sent;
        };
        let since = sent.at.nanos_since(self.weather.from);
        let every = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX).max(1);
        let length = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        let into = since.rem_euclid(every);
        let is_caught = since >= 0 && sent.at < self.weather.until && into < length;
        let at = if is_caught {
            sent.at.shifted_nanos(length - into)
        } else {
            sent.at
        };
        Sent { at, ..sent }
    }
}

impl<I: Iterator<Item = Sent>> Iterator for Storm<I> {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        while self.ready.is_empty() {
            match self.calm.next() {
                Some(sent) => self.meet(sent),
                None => {
                    let (_, last) = self.held.pop_first()?;
                    self.give(last);
                }
            }
        }
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(1_790_000_000_000_000_000 + millis * 1_000_000)
    }

    /// Two sensors, a datagram each millisecond, numbered.
    fn calm() -> impl Iterator<Item = Sent> {
        (0..20_000_i64).map(|number| Sent {
            sensor: SensorId((number % 2) as u16),
            at: at(number),
            bytes: number.to_le_bytes().to_vec(),
        })
    }

    fn weather(seed: u64) -> Weather {
        Weather {
            silences: vec![Silence {
                sensor: SensorId(1),
                from: at(5000),
                until: at(10_000),
            }],
            ..Weather::storm(seed, at(500), at(19_500))
        }
    }

    #[test]
    fn what_goes_out_is_what_was_made_less_and_more_what_was_done() {
        let mut storm = Storm::new(calm(), weather(7));
        let mut came: BTreeMap<SensorId, Vec<Vec<u8>>> = BTreeMap::new();
        for sent in storm.by_ref() {
            came.entry(sent.sensor).or_default().push(sent.bytes);
        }
        for (sensor, ledger) in storm.ledgers() {
            let Ledger {
                made,
                lost,
                silent,
                twice,
                garbage,
                sent,
                swapped,
                ..
            } = *ledger;
            assert_eq!(made, 10_000);
            assert_eq!(sent, made - lost - silent + twice + garbage, "{ledger:?}");
            assert_eq!(sent, came[sensor].len() as u64);
            assert_eq!(silent, if sensor.0 == 1 { 2500 } else { 0 });
            // Of 9500, or 7000 that were not silent: 1, 2, 1, 1 %.
            let part = |count: u64| count as f64 / (9500 - silent) as f64;
            assert!((0.007..0.013).contains(&part(lost)), "{ledger:?}");
            assert!((0.016..0.024).contains(&part(twice)), "{ledger:?}");
            assert!((0.006..0.014).contains(&part(swapped)) && (0.006..0.014).contains(&part(garbage)));
            let own: Vec<&Vec<u8>> = came[sensor].iter().filter(|bytes| bytes.len() == 8).collect();
            let behind = own.windows(2).filter(|pair| {
                let [one, other] =
                    [pair[0], pair[1]].map(|bytes| i64::from_le_bytes(*bytes.first_chunk().unwrap()));
                other < one
            });
            assert!(behind.count() as u64 <= swapped, "{ledger:?}");
        }
    }

    #[test]
    fn the_same_seed_is_the_same_storm_and_calm_is_none() {
        let all = |seed| Storm::new(calm(), weather(seed)).collect::<Vec<_>>();
        assert!(all(3) == all(3) && all(3) != all(4));
        let calm_weather = Weather::storm(3, at(0), at(0));
        assert!(Storm::new(calm(), calm_weather).eq(calm()));
    }

    #[test]
    fn a_burst_comes_at_once() {
        let storm = Storm::new(calm(), Weather::storm(3, at(1000), at(19_000)));
        let caught: Vec<Sent> = storm.filter(|sent| sent.at == at(3100)).collect();
        assert!(caught.len() > 95, "{}", caught.len());
    }
}
