//! A sensor's own count: which numbers are missing, and which losses have been told already.
//!
//! Each row that is not delivered is to be counted once: as a number that a jump leaves out, or
//! by itself. So what a jump has told is remembered, and a row that comes too late afterwards is
//! lost only if its number was not among these. All that is remembered is bounded.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use beluga_types::Stamp;

/// A jump of a sensor's count from this on is a restart or damage, not a loss of that many.
const MAX_JUMP: u64 = 1_000_000;
/// The most rows, and the most jumps, that are remembered.
const MAX_REMEMBERED: usize = 65_536;
/// Jumps that are looked through for one number; they overlap only where the count restarted.
const MAX_SEARCHED: usize = 64;

/// The count of one sensor, as far as its rows have come.
pub(crate) struct Count {
    count_jumps: bool,
    last: Option<(u64, Stamp)>,
    /// The count has gone back, so a number alone does not say which payload is meant.
    restarted: bool,
    /// Payloads since the last number that had none.
    unnumbered: u64,
    /// Rows that were read and wait for their turn.
    held: BTreeSet<(u64, Stamp)>,
    /// Held rows that a jump has passed over; they are not missing.
    passed: BTreeSet<(u64, Stamp)>,
    /// Numbers after the last that were lost one by one.
    late: BTreeSet<u64>,
    /// Jumps by their first number and the time before them.
    told: BTreeMap<(u64, Stamp), Told>,
    seen: BTreeSet<(u64, Stamp)>,
    seen_in_order: VecDeque<(u64, Stamp)>,
}

/// Numbers that a jump has told to be missing.
struct Told {
    last: u64,
    until: Stamp,
    /// How many of them have not come after all.
    left: u64,
}

/// What a row's number says when its turn has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is missing before it.
    Next,
    /// So many are missing after the number `last`.
    Jump { last: u64, lost: u64 },
    /// The count runs so far ahead that it must have started anew.
    Restart { last: u64 },
    /// The same number with the same stamp has been here.
    Twice,
    /// It was overtaken, and a jump has told it as missing.
    Found,
}

/// What is lost with a row that came too late.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Late {
    Lost,
    /// A jump has told it already.
    Told,
    Twice,
}

impl Count {
    /// `count_jumps`: whether a jump is a loss that nothing else tells of.
    pub(crate) fn new(count_jumps: bool) -> Self {
        Self {
            count_jumps,
            last: None,
            restarted: false,
            unnumbered: 0,
            held: BTreeSet::new(),
            passed: BTreeSet::new(),
            late: BTreeSet::new(),
            told: BTreeMap::new(),
            seen: BTreeSet::new(),
            seen_in_order: VecDeque::new(),
        }
    }

    /// A row has been read and will be admitted later.
    pub(crate) fn hold(&mut self, seq: u64, stamp: Stamp) {
        self.held.insert((seq, stamp));
    }

    /// Payloads without a number have come or been lost; a jump over them is smaller by as many.
    pub(crate) fn unnumbered(&mut self, payloads: u64) {
        self.unnumbered = self.unnumbered.saturating_add(payloads);
    }

    /// A row's turn has come.
    pub(crate) fn admit(&mut self, seq: u64, stamp: Stamp) -> Verdict {
        self.held.remove(&(seq, stamp));
        if !self.remember(seq, stamp) {
            return Verdict::Twice;
        }
        if self.passed.remove(&(seq, stamp)) {
            return Verdict::Next;
        }
        if self.last.is_some_and(|(last, _)| seq < last) && self.was_told(seq, stamp, false) {
            return Verdict::Found;
        }
        let unnumbered = std::mem::take(&mut self.unnumbered);
        let Some((last, before)) = self.last.replace((seq, stamp)) else {
            return Verdict::Next;
        };
        if seq < last {
            self.restarted = true;
            self.late.clear();
        }
        let between = seq.saturating_sub(last).saturating_sub(1);
        if between == 0 || !self.count_jumps {
            return Verdict::Next;
        }
        if between >= MAX_JUMP {
            self.restarted = true;
            self.late.clear();
            return Verdict::Restart { last };
        }
        let lost = between
            .saturating_sub(self.pass_over(last + 1, seq))
            .saturating_sub(unnumbered);
        if lost == 0 {
            return Verdict::Next;
        }
        let told = Told {
            last: seq - 1,
            until: stamp,
            left: lost,
        };
        self.told.insert((last + 1, before), told);
        if self.told.len() > MAX_REMEMBERED {
            self.told.pop_first();
        }
        Verdict::Jump { last, lost }
    }

    /// A row has come when its place had been passed.
    pub(crate) fn late(&mut self, seq: u64, stamp: Stamp) -> Late {
        if self.held.contains(&(seq, stamp)) || !self.remember(seq, stamp) {
            return Late::Twice;
        }
        let restarted = self.restarted;
        if self.was_told(seq, stamp, !restarted) {
            return Late::Told;
        }
        if self.last.is_some_and(|(last, _)| seq > last) && self.late.len() < MAX_REMEMBERED {
            self.late.insert(seq);
        }
        Late::Lost
    }

    /// Whether a jump has told this number as missing, and of them not all have come; of what was measured
    /// before or after that, only if `any_time`.
    fn was_told(&mut self, seq: u64, stamp: Stamp, any_time: bool) -> bool {
        let candidates = self.told.range_mut(..=(seq, Stamp::from_nanos(i64::MAX)));
        let told = candidates.rev().take(MAX_SEARCHED).find(|((_, before), told)| {
            let in_time = (*before..=told.until).contains(&stamp);
            seq <= told.last && told.left > 0 && (in_time || any_time)
        });
        if let Some((_, told)) = told {
            told.left -= 1;
            return true;
        }
        false
    }

    /// How many numbers from `first` to before `next` are accounted for by rows.
    fn pass_over(&mut self, first: u64, next: u64) -> u64 {
        let earliest = Stamp::from_nanos(i64::MIN);
        let mut numbers: BTreeSet<u64> = self.late.range(first..next).copied().collect();
        self.late = self.late.split_off(&next);
        for row in self.held.range((first, earliest)..(next, earliest)) {
            numbers.insert(row.0);
            self.passed.insert(*row);
        }
        numbers.len() as u64
    }

    /// Whether this row is a new one.
    fn remember(&mut self, seq: u64, stamp: Stamp) -> bool {
        if !self.seen.insert((seq, stamp)) {
            return false;
        }
        self.seen_in_order.push_back((seq, stamp));
        if self.seen_in_order.len() > MAX_REMEMBERED {
            let oldest = self.seen_in_order.pop_front();
            oldest.map(|oldest| self.seen.remove(&oldest));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Stamp {
        Stamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn only_the_same_number_at_the_same_time_is_the_same_row() {
        let mut count = Count::new(true);
        assert_eq!(count.admit(7, at(0)), Verdict::Next);
        assert_eq!(count.admit(7, at(1)), Verdict::Next);
        assert_eq!(count.admit(7, at(1)), Verdict::Twice);
        assert_eq!(count.late(7, at(0)), Late::Twice);
    }

    #[test]
    fn what_was_overtaken_is_found_and_no_restart() {
        let mut count = Count::new(true);
        count.admit(5, at(5));
        assert_eq!(count.admit(7, at(7)), Verdict::Jump { last: 5, lost: 1 });
        assert_eq!(count.admit(6, at(6)), Verdict::Found);
        assert_eq!(count.admit(6, at(6)), Verdict::Twice);
        assert_eq!(count.admit(8, at(8)), Verdict::Next);
        // The same number at a later time is one of another run.
        assert_eq!(count.admit(11, at(11)), Verdict::Jump { last: 8, lost: 2 });
        assert_eq!(count.admit(9, at(12)), Verdict::Next);
        assert_eq!(count.admit(10, at(13)), Verdict::Next);
    }

    #[test]
    fn a_number_that_a_jump_has_told_is_not_lost_again() {
        let mut count = Count::new(true);
        count.admit(5, at(5));
        count.unnumbered(1);
        assert_eq!(count.admit(9, at(9)), Verdict::Jump { last: 5, lost: 2 });
        assert_eq!(count.late(7, at(7)), Late::Told);
        assert_eq!(count.late(7, at(7)), Late::Twice);
        assert_eq!(count.late(6, at(6)), Late::Told);
        assert_eq!(count.late(8, at(8)), Late::Lost, "only two were told");
        assert_eq!(count.late(2, at(2)), Late::Lost, "before the first");
    }

    #[test]
    fn after_a_restart_the_time_says_which_number_is_meant() {
        let mut count = Count::new(true);
        count.admit(5, at(5));
        count.admit(9, at(9));
        assert_eq!(count.admit(0, at(10)), Verdict::Next);
        for seq in 1..20 {
            assert_eq!(count.admit(seq, at(10 + seq as i64)), Verdict::Next);
        }
        assert_eq!(count.late(7, at(27)), Late::Lost);
        assert_eq!(count.late(7, at(7)), Late::Told);
    }

    #[test]
    fn numbers_that_time_puts_later_are_not_missing() {
        let mut count = Count::new(true);
        for (seq, time) in [(5, 5), (9, 6), (7, 7), (10, 8)] {
            count.hold(seq, at(time));
        }
        assert_eq!(count.admit(5, at(5)), Verdict::Next);
        assert_eq!(count.admit(9, at(6)), Verdict::Jump { last: 5, lost: 2 });
        assert_eq!(count.admit(7, at(7)), Verdict::Next);
        assert_eq!(count.admit(10, at(8)), Verdict::Next);
        assert_eq!(count.late(12, at(1)), Late::Lost);
        assert_eq!(count.admit(13, at(9)), Verdict::Jump { last: 10, lost: 1 });
    }
}
