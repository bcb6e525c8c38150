//! The time field of a cloud's points: which unit it has, what it counts from, where it wraps.
//!
//! Drivers agree neither on a name nor on a unit: `t` of whole nanoseconds from the sweep's start,
//! `time` of real seconds back from its end, `timestamp` since 1970 or since the hour. The numbers
//! tell more than the name. A sweep lasts from 2 ms to 2 s, three decades, and units are three decades
//! apart: so the span of the numbers fits exactly one unit. What they count from shows in the
//! earliest: before zero the scan's stamp, near zero the sweep's start, since the year 2000 the day
//! itself, and else a clock of the sensor's own. A number that falls by a known round within a sweep
//! has wrapped.
//!
//! Pure: numbers in, offsets and a report out. Fields whose name states unit and zero are taken as
//! they stand.

mod report;
mod unit;

use beluga_types::Stamp;

pub(crate) use report::{Fault, TimeReport, Zero};
pub(crate) use unit::{Said, TIME_FIELDS, Unit};

/// A sweep's length, in seconds: from a narrow field of view to a slow scanner.
const SWEEP_S: std::ops::Range<f64> = 2e-3..2.0;
/// A part of a sweep, a few packets of it, in seconds: believed of the unit that was expected.
const PART_S: f64 = 3e-4;
/// The farthest time from the scan's stamp that an offset holds, in seconds.
const FARTHEST_S: f64 = i32::MAX as f64 * 1e-9;
/// Fewer points than these say nothing of a unit.
const TELLING: usize = 64;
/// Times of day lie in the years 2000 to 2100, in seconds since 1970.
const DAYS_S: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;
/// A cloud of times of day that is longer than a sweep is still one for so many seconds.
const LONG_S: f64 = 600.0;
/// The coarsest steps that still tell when a point was, in seconds.
const COARSEST_S: f64 = 1e-3;
/// Rounds after which clocks begin again, in seconds: hour, day, GPS week.
const ROUNDS_S: [f64; 3] = [3600.0, 86_400.0, 604_800.0];
/// Where 32 bits begin again, in the field's own unit.
const ROUND_32: f64 = 4_294_967_296.0;

/// The numbers of a time field, as they stand in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    /// Whole numbers of any width. The ends of the type are no time: larger ones saturate there.
    Whole(&'a [i64]),
}

/// A time field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    /// What its name and type promise.
    pub(crate) said: Said,
    pub(crate) numbers: Numbers<'a>,
    /// The time from scan to scan in nanoseconds, where it is known: numbers from 0 to 1 are then
    /// parts of it.
    pub(crate) period_nanos: Option<i64>,
}

/// The times of a cloud's points.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PointTimes {
    /// Nanoseconds after time zero, one per point (0 for points without a time); nothing if the
    /// field tells no times.
    pub(crate) offset_nanos: Option<Vec<i32>>,
    /// Points without a time.
    pub(crate) untimed: Vec<bool>,
    /// Time zero, if the numbers are times of day.
    pub(crate) start: Option<Stamp>,
    /// Time zero after the scan's stamp, in nanoseconds, if the numbers count back from it: then
    /// that stamp is not the sweep's start, whatever else is said of it.
    pub(crate) from_stamp_nanos: Option<i64>,
    pub(crate) report: TimeReport,
}

/// Recognises the times of a cloud's points.
pub(crate) fn recognise(field: &Field) -> PointTimes {
    let mut values = Values::of(field.numbers);
    let zeros = values.drop_lone_zeros();
    let (unit, round) = values.unit(field);
    if let Some(round) = round {
        values.unwrap(round);
    }
    let scale = values.scale(field, unit);
    let first_s = values.first() * scale;
    let zero = match field.said {
        Said::Exactly(_) => Zero::Stamp,
        _ if DAYS_S.contains(&first_s) => Zero::Day,
        _ if first_s.abs() > FARTHEST_S => Zero::OwnClock,
        _ if first_s < 0.0 => Zero::Back,
        _ => Zero::Stamp,
    };
    let fault = values.fault(field, scale);
    let from = if zero == Zero::Stamp {
        0.0
    } else {
        values.since[values.least]
    };
    let base = if zero == Zero::Stamp { values.base } else { 0.0 };
    let mut untimed = values.untimed.clone();
    let offsets: Vec<i32> = values
        .since
        .iter()
        .zip(&mut untimed)
        .map(|(since, untimed)| {
            let nanos = ((base + (since - from)) * scale * 1e9).round();
            *untimed |= nanos.is_nan() || nanos.abs() > f64::from(i32::MAX);
            if *untimed { 0 } else { nanos as i32 }
        })
        .collect();
    let offset_nanos = fault.is_none().then_some(offsets);
    PointTimes {
        untimed: if offset_nanos.is_some() {
            untimed
        } else {
            vec![false; values.since.len()]
        },
        offset_nanos,
        start: (zero == Zero::Day).then(|| values.stamp(unit)).flatten(),
        from_stamp_nanos: (zero == Zero::Back).then(|| (first_s * 1e9).round() as i64),
        report: TimeReport {
            name: field.name.to_owned(),
            said: field.said,
            unit: (scale == unit.seconds()).then_some(unit),
            span_s: values.span() * scale,
            zero,
            wrapped_s: round.map(|round| round * scale),
            zeros,
            fault,
        },
    }
}

/// The numbers, counted from one of them: differences are exact where the numbers are not.
struct Values<'a> {
    numbers: Numbers<'a>,
    /// The number that is counted from.
    base: f64,
    /// Each number less the base.
    since: Vec<f64>,
    untimed: Vec<bool>,
    /// Places of the least and of the greatest; 0 if there is none.
    least: usize,
    greatest: usize,
}

impl<'a> Values<'a> {
    fn of(numbers: Numbers<'a>) -> Self {
        let (base, since): (f64, Vec<f64>) = match numbers {
            Numbers::F32(all) => (0.0, all.iter().map(|value| f64::from(*value)).collect()),
            Numbers::F64(all) => {
                let base = all.iter().copied().find(|value| value.is_finite()).unwrap_or(0.0);
                (base, all.iter().map(|value| value - base).collect())
            }
            Numbers::Whole(all) => {
                let is_time = |value: &i64| *value != i64::MAX && *value != i64::MIN;
                let base = all.iter().copied().find(is_time).unwrap_or(0);
                let since = |value: &i64| match is_time(value) {
                    true => (i128::from(*value) - i128::from(base)) as f64,
                    false => f64::NAN,
                };
                (base as f64, all.iter().map(since).collect())
            }
        };
        let untimed = since.iter().map(|value| !value.is_finite()).collect();
        let mut values = Self {
            numbers,
            base,
            since,
            untimed,
            least: 0,
            greatest: 0,
        };
        values.find_ends();
        values
    }

    fn timed(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let all = self.since.iter().copied().enumerate();
        all.filter(|(index, _)| !self.untimed[*index])
    }

    fn find_ends(&mut self) {
        let by = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
        self.least = self.timed().min_by(by).map_or(0, |(index, _)| index);
        self.greatest = self.timed().max_by(by).map_or(0, |(index, _)| index);
    }

    fn span(&self) -> f64 {
        match self.timed().next() {
            Some(_) => self.since[self.greatest] - self.since[self.least],
            None => 0.0,
        }
    }

    /// The earliest number, in the field's unit.
    fn first(&self) -> f64 {
        match self.timed().next() {
            Some(_) => self.base + self.since[self.least],
            None => 0.0,
        }
    }

    /// Zeros among numbers that are far from it are no times; how many there were.
    fn drop_lone_zeros(&mut self) -> usize {
        let is_zero = |value: f64| value + self.base == 0.0;
        let zeros: Vec<usize> = self
            .timed()
            .filter(|(_, value)| is_zero(*value))
            .map(|(at, _)| at)
            .collect();
        if zeros.is_empty() || zeros.len() * 2 > self.since.len() {
            return 0;
        }
        let others = || {
            self.timed()
                .map(|(_, value)| value)
                .filter(|value| !is_zero(*value))
        };
        let least = others().min_by(f64::total_cmp).unwrap_or(0.0);
        let greatest = others().max_by(f64::total_cmp).unwrap_or(0.0);
        if !(greatest - least > 0.0 && (self.base + least) > 1000.0 * (greatest - least)) {
            return 0;
        }
        for &index in &zeros {
            self.untimed[index] = true;
        }
        self.find_ends();
        zeros.len()
    }

    /// The unit, and the round after which the numbers begin again if they do so in this cloud.
    fn unit(&self, field: &Field) -> (Unit, Option<f64>) {
        let span = self.span();
        let fits = |unit: &Unit, span: f64| SWEEP_S.contains(&(span * unit.seconds()));
        let expected = match field.said {
            Said::Exactly(unit) | Said::InUnit(unit) => return (unit, self.round(unit)),
            Said::Usually(unit) => unit,
        };
        let since_1970 = DAYS_S.contains(&(self.first() * expected.seconds()));
        let few = self.timed().take(TELLING).count() < TELLING;
        let expected_s = span * expected.seconds();
        if few || (PART_S..SWEEP_S.end).contains(&expected_s) || (since_1970 && expected_s < LONG_S) {
            return (expected, None);
        }
        // A sweep over a round: of all rounds in all units the one that leaves the shortest sweep.
        let rounds = Unit::ALL
            .into_iter()
            .filter_map(|unit| Some((unit, self.round(unit)?)));
        let by_length = |(_, round): &(Unit, f64)| self.span_unwrapped(*round);
        if let Some((unit, round)) = rounds.min_by(|a, b| by_length(a).total_cmp(&by_length(b))) {
            return (unit, Some(round));
        }
        let by_span = Unit::ALL.into_iter().find(|unit| fits(unit, span));
        (by_span.unwrap_or(expected), None)
    }

    /// The round that makes one sweep of numbers which are too far apart in this unit.
    fn round(&self, unit: Unit) -> Option<f64> {
        let too_far = self.span() * unit.seconds() > FARTHEST_S;
        let rounds = ROUNDS_S.map(|round_s| round_s / unit.seconds());
        let is_whole = matches!(self.numbers, Numbers::Whole(_));
        let rounds = rounds.into_iter().chain(is_whole.then_some(ROUND_32));
        let spans = rounds.map(|round| (round, self.span_unwrapped(round)));
        let sweeps = spans.filter(|(_, span)| SWEEP_S.contains(&(span * unit.seconds())));
        let shortest = sweeps.min_by(|a, b| a.1.total_cmp(&b.1));
        shortest.filter(|_| too_far).map(|(round, _)| round)
    }

    fn span_unwrapped(&self, round: f64) -> f64 {
        let half = self.since[self.least] + round / 2.0;
        let ends = self.timed().fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, greatest), (_, value)| {
                let value = if value < half { value + round } else { value };
                (least.min(value), greatest.max(value))
            },
        );
        ends.1 - ends.0
    }

    fn unwrap(&mut self, round: f64) {
        let half = self.since[self.least] + round / 2.0;
        for value in self.since.iter_mut().filter(|value| **value < half) {
            *value += round;
        }
        self.find_ends();
    }

    /// Seconds of one of the field's numbers.
    fn scale(&self, field: &Field, unit: Unit) -> f64 {
        let is_real = !matches!(self.numbers, Numbers::Whole(_));
        let last = self.first() + self.span();
        let part = is_real && self.first() >= 0.0 && (0.9..=1.000_001).contains(&last) && self.span() > 0.9;
        match field.period_nanos {
            Some(period)
                if part && matches!(field.said, Said::Usually(_)) && (1..500_000_000).contains(&period) =>
            {
                period as f64 * 1e-9
            }
            _ => unit.seconds(),
        }
    }

    /// Why the field tells no times.
    fn fault(&self, field: &Field, scale: f64) -> Option<Fault> {
        let timed = self.timed().take(TELLING).count();
        if timed == 0 {
            return (!self.since.is_empty()).then_some(Fault::NotFinite);
        }
        let largest = self.first().abs().max((self.first() + self.span()).abs());
        let step_s = largest * f64::from(f32::EPSILON) * scale;
        if matches!(self.numbers, Numbers::F32(_)) && step_s > COARSEST_S {
            return Some(Fault::Coarse { step_s });
        }
        if timed >= TELLING && self.span() == 0.0 {
            return Some(Fault::AllTheSame);
        }
        let exact = matches!(field.said, Said::Exactly(_));
        (!exact && self.span() * scale > FARTHEST_S).then_some(Fault::TooLong)
    }

    /// The earliest as a time of day.
    fn stamp(&self, unit: Unit) -> Option<Stamp> {
        match self.numbers {
            Numbers::Whole(all) => {
                let nanos = i128::from(all[self.least]) * i128::from(unit.nanos());
                i64::try_from(nanos).ok().map(Stamp::from_nanos)
            }
            Numbers::F64(all) => Some(whole_and_rest(all[self.least], unit)),
            Numbers::F32(_) => None,
        }
    }
}

/// Nanoseconds since 1970 do not fit an `f64`: whole units and their fraction apart.
fn whole_and_rest(value: f64, unit: Unit) -> Stamp {
    let whole = value.floor();
    let nanos = (whole as i64).saturating_mul(unit.nanos());
    Stamp::from_nanos(nanos).shifted_nanos(((value - whole) * unit.nanos() as f64).round() as i64)
}

#[cfg(test)]
mod tests;
