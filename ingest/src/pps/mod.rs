//! A receiver's pulse per second (PPS): when by the host's clock the pulse came, and which second the receiver says
//! it was.
//!
//! - `pulse`: the newest pulse, as Linux shows it in a file; `pairs`: pulses with the seconds that sentences name,
//!   and what they tell of the clocks.
//!
//! A sentence that comes within a second behind a pulse names that pulse's second. Sentences are under way for any
//! time; the pulse is the moment itself. So a pair tells host − sensor without the delay that is in all that is
//! learned from arrivals. What is not sure is not used: it is said once, with what may be done, and the run goes on.

mod pairs;
mod pulse;

use std::io::Read;
use std::path::PathBuf;

use beluga_types::{ClockState, Stamp};

use crate::regular;
use pairs::{Pairs, Unsure};
use pulse::Pulse;

/// How often the clock's state is told, by the host's time in nanoseconds.
const TOLD_EVERY_NANOS: i64 = 10_000_000_000;
/// Seconds on end without a sure pair, after which the pulse is lost.
const LOST_AFTER: u32 = 3;
/// A receiver that names no second for so long, while it tells other things, in nanoseconds.
const UNNAMED_NANOS: i64 = 5_000_000_000;
/// How fast a host's clock may run away from what was last known of it: a plain crystal's 50 parts in a million.
const HOST_DRIFT: f64 = 50e-6;
/// Losses of which so many have come are told no more.
const MANY_LOSSES: u32 = 4;

/// The pulses of one receiver.
pub(crate) struct Pulses {
    /// Where the system shows them.
    file: PathBuf,
    tell: Box<dyn FnMut(String) + Send>,
    pairs: Pairs,
    /// What was last told of the clock, and when.
    told: Option<(ClockState, Stamp)>,
    /// Seconds on end that gave no sure pair, and the newest of them.
    unsure: u32,
    refused: Option<Stamp>,
    /// When a second was last named; at first, when anything was heard.
    named: Option<Stamp>,
    is_lost: bool,
    losses: u32,
}

impl Pulses {
    /// Pulses that the system shows in this file; `tell` is told what is wrong with them.
    pub(crate) fn new(file: PathBuf, tell: impl FnMut(String) + Send + 'static) -> Self {
        Self {
            file,
            tell: Box::new(tell),
            pairs: Pairs::default(),
            told: None,
            unsure: 0,
            refused: None,
            named: None,
            is_lost: false,
            losses: 0,
        }
    }

    /// A sentence that was heard now names this whole second. Gives host − sensor where it is due to be told.
    pub(crate) fn named(&mut self, second: Stamp, heard: Stamp) -> Option<ClockState> {
        self.named = Some(heard);
        let newest = self.newest();
        let Err(why) = newest.and_then(|pulse| self.pairs.take(second, heard, pulse)) else {
            return self.paired(heard);
        };
        // ZDA and RMC may both name it.
        if self.refused.replace(second) != Some(second) {
            self.unsure += 1;
        }
        match self.unsure >= LOST_AFTER {
            true => self.lose(&why, heard),
            false => None,
        }
    }

    /// A sentence was heard now that names no second. Gives the clock's state where that has changed.
    pub(crate) fn unnamed(&mut self, heard: Stamp) -> Option<ClockState> {
        let since = *self.named.get_or_insert(heard);
        match heard.nanos_since(since) > UNNAMED_NANOS {
            true => self.lose(&Unsure::Unnamed, heard),
            false => None,
        }
    }

    fn newest(&self) -> Result<Pulse, Unsure> {
        /// The system's line has some thirty bytes.
        const LONGEST: u64 = 128;
        let unreadable = |said: String| Unsure::Unreadable(said);
        let file = regular::open(&self.file).map_err(|error| unreadable(error.to_string()))?;
        let mut text = String::new();
        file.take(LONGEST)
            .read_to_string(&mut text)
            .map_err(|said| unreadable(format!("{}: {said}", self.file.display())))?;
        let pulse =
            Pulse::of(&text).map_err(|wrong| unreadable(format!("{}: {wrong}", self.file.display())))?;
        pulse.ok_or(Unsure::Missing)
    }

    fn paired(&mut self, heard: Stamp) -> Option<ClockState> {
        self.unsure = 0;
        let state = self.pairs.state()?;
        if std::mem::take(&mut self.is_lost) && self.losses <= MANY_LOSSES {
            (self.tell)("PPS: pulses and sentences pair again".into());
        }
        let is_due =
            |(told, at): (ClockState, Stamp)| !told.locked || heard.nanos_since(at) >= TOLD_EVERY_NANOS;
        if !self.told.is_none_or(is_due) {
            return None;
        }
        self.told = Some((state, heard));
        Some(state)
    }

    /// No pulse is sure. What was known of the clock grows old from here on.
    fn lose(&mut self, why: &Unsure, heard: Stamp) -> Option<ClockState> {
        self.unsure = 0;
        self.pairs = Pairs::default();
        if !std::mem::replace(&mut self.is_lost, true) {
            self.losses += 1;
            let said = why.said(&self.file);
            match self.losses {
                ..MANY_LOSSES => (self.tell)(format!("PPS: {said}")),
                MANY_LOSSES => (self.tell)(format!(
                    "PPS: {said}. This comes again and again: no more of it is told"
                )),
                _ => {}
            }
        }
        let (told, at) = self.told.filter(|(told, _)| told.locked)?;
        let state = ClockState {
            sigma_nanos: told.sigma_nanos + HOST_DRIFT * heard.nanos_since(at).max(0) as f64,
            locked: false,
            ..told
        };
        self.told = Some((state, heard));
        Some(state)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A receiver beside a file that stands for the system's.
    struct Bench {
        _folder: tempfile::TempDir,
        file: PathBuf,
        pulses: Pulses,
        told: Arc<Mutex<Vec<String>>>,
        states: Vec<(i64, ClockState)>,
    }

    /// The host's clock is 4 ms ahead of the receiver's.
    const AHEAD_NANOS: i64 = 4_000_000;

    fn second(number: i64) -> Stamp {
        Stamp::from_nanos((1_790_000_000 + number) * 1_000_000_000)
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("assert");
            let told = Arc::new(Mutex::new(Vec::new()));
            let tell = told.clone();
            Self {
                pulses: Pulses::new(file.clone(), move |note| tell.lock().unwrap().push(note)),
                file,
                _folder: folder,
                told,
                states: Vec::new(),
            }
        }

        /// The pulse of a second, as the system writes it.
        fn pulse(&self, number: i64) {
            let at = second(number).nanos() + AHEAD_NANOS;
            let (whole, part) = (at / 1_000_000_000, at % 1_000_000_000);
            std::fs::write(&self.file, format!("{whole}.{part:09}#{}\n", 7 + number)).unwrap();
        }

        /// The sentence behind the pulse of a second, so long after it.
        fn sentence(&mut self, number: i64, late_millis: i64) {
            let heard = second(number).shifted_nanos(AHEAD_NANOS + late_millis * 1_000_000);
            let state = self.pulses.named(second(number), heard);
            self.states.extend(state.map(|state| (number, state)));
        }

        fn told(&self) -> Vec<String> {
            self.told.lock().unwrap().clone()
        }
    }

    #[test]
    fn the_third_pair_locks_and_the_state_is_told_every_ten_seconds() {
        let mut bench = Bench::new();
        for number in 0..30 {
            bench.pulse(number);
            // ZDA, and RMC behind it.
            bench.sentence(number, 120 + number % 7);
            bench.sentence(number, 180);
        }
        let found: Vec<i64> = bench.states.iter().map(|(number, _)| *number).collect();
        assert_eq!(found, [2, 12, 22]);
        for (_, state) in &bench.states {
            assert!(state.locked && state.sigma_nanos < 1e5, "{state:?}");
            assert!((state.offset_nanos - AHEAD_NANOS).abs() < 10, "{state:?}");
        }
        assert_eq!(bench.told(), [""; 0]);
    }

    #[test]
    fn pulses_that_stop_are_told_once_and_the_clock_is_no_longer_locked() {
        let mut bench = Bench::new();
        (0..10).for_each(|number| {
            bench.pulse(number);
            bench.sentence(number, 120);
        });
        (10..20).for_each(|number| bench.sentence(number, 120));
        (20..25).for_each(|number| {
            bench.pulse(number);
            bench.sentence(number, 120);
        });
        let found: Vec<(i64, bool)> = bench
            .states
            .iter()
            .map(|(number, state)| (*number, state.locked))
            .collect();
        assert_eq!(found, [(2, true), (12, false), (22, true)]);
        let older = bench.states[1].1;
        assert_eq!(older.offset_nanos, bench.states[0].1.offset_nanos);
        assert!(
            older.sigma_nanos > 4e5,
            "ten seconds of 50 parts in a million: {older:?}"
        );
        let told = bench.told();
        assert!(
            told.len() == 2 && told[0].contains("no pulse") && told[0].contains("ppstest"),
            "{told:?}"
        );
        assert!(told[1].contains("again"), "{told:?}");
    }

    #[test]
    fn a_file_that_is_not_there_or_is_another_is_told_with_its_remedy_and_nothing_locks() {
        for text in [None, Some("assert"), Some("")] {
            let mut bench = Bench::new();
            if let Some(text) = text {
                std::fs::write(&bench.file, text).unwrap();
            }
            (0..9).for_each(|number| bench.sentence(number, 120));
            assert!(bench.states.is_empty());
            let told = bench.told();
            let [note] = &told[..] else {
                panic!("{text:?}: {told:?}")
            };
            assert!(note.contains("ldattach") || note.contains("ppstest"), "{note}");
            assert!(note.contains("assert"), "the file is named: {note}");
        }
        // A pipe would never end.
        let mut folder = Pulses::new(Path::new("/").to_owned(), |_| {});
        assert!(folder.newest().is_err());
        assert_eq!(folder.named(second(0), second(0)), None);
    }

    #[test]
    fn a_sentence_that_comes_when_the_next_pulse_has_come_is_not_paired_with_it() {
        // A second and 50 ms late each: all pairs look 50 ms young, and a second wrong.
        let mut bench = Bench::new();
        for number in 0..10 {
            bench.pulse(number + 1);
            bench.sentence(number, 1_050);
        }
        assert!(bench.states.is_empty(), "{:?}", bench.states);
        let told = bench.told();
        assert!(told.len() == 1 && told[0].contains("another pulse"), "{told:?}");
        // Almost a second late: which pulse it means is not sure.
        let mut bench = Bench::new();
        for number in 0..10 {
            bench.pulse(number);
            bench.sentence(number, 950);
        }
        assert!(bench.states.is_empty(), "{:?}", bench.states);
        assert!(bench.told()[0].contains("0.95"), "{:?}", bench.told());
        // Heard a while ago, and read when another pulse has come.
        let mut bench = Bench::new();
        for number in 0..10 {
            bench.pulse(number + 2);
            bench.sentence(number, 100);
        }
        assert!(bench.states.is_empty(), "{:?}", bench.states);
    }

    #[test]
    fn a_receiver_that_names_no_second_is_told() {
        let mut bench = Bench::new();
        for tenth in 0..100 {
            let heard = second(0).shifted_s(0.1 * f64::from(tenth));
            assert_eq!(bench.pulses.unnamed(heard), None);
        }
        let told = bench.told();
        assert!(told.len() == 1 && told[0].contains("ZDA"), "{told:?}");
    }

    #[test]
    fn a_pulse_that_goes_and_comes_is_told_of_four_times() {
        let mut bench = Bench::new();
        for number in 0..200 {
            if number % 10 < 5 {
                bench.pulse(number);
            }
            bench.sentence(number, 100);
        }
        let lost = bench.told().into_iter().filter(|note| note.contains("no pulse"));
        let lost: Vec<String> = lost.collect();
        assert!(lost.len() == 4 && lost[3].contains("no more"), "{lost:?}");
    }
}
