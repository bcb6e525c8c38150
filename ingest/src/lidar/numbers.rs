//! The numbers of a sensor's packets: what is lost, late, or there twice.

use std::collections::VecDeque;

/// Numbers that are remembered to know one that comes twice.
const REMEMBERED: usize = 256;
/// A step further than this is a sensor that began anew.
const RESTART: u32 = 20_000;

/// The count of a sensor's packets, of 16 or 32 bits.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    bits: u32,
    last: Option<u32>,
    recent: VecDeque<u32>,
}

/// What a packet's number says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As many packets are missing before it.
    Next { lost: u32 },
    /// It was to come before another that has come.
    Late,
    /// It has come already.
    Twice,
    /// The sensor counts anew.
    Restart,
}

impl Numbers {
    pub(super) fn new(bits: u32) -> Self {
        Self {
            bits,
            last: None,
            recent: VecDeque::new(),
        }
    }

    pub(super) fn take(&mut self, number: u32) -> Verdict {
        let verdict = self.judge(number);
        if verdict == Verdict::Restart {
            self.recent.clear();
        }
        if verdict != Verdict::Twice {
            if self.recent.len() == REMEMBERED {
                self.recent.pop_front();
            }
            self.recent.push_back(number);
        }
        if !matches!(verdict, Verdict::Twice | Verdict::Late) {
            self.last = Some(number);
        }
        verdict
    }

    fn judge(&self, number: u32) -> Verdict {
        let Some(last) = self.last else {
            return Verdict::Next { lost: 0 };
        };
        let wide = 32 - self.bits;
        let on = number.wrapping_sub(last) << wide >> wide;
        let back = last.wrapping_sub(number) << wide >> wide;
        match (on, back) {
            _ if self.recent.contains(&number) => Verdict::Twice,
            (1..=RESTART, _) => Verdict::Next { lost: on - 1 },
            (_, 1..=RESTART) => Verdict::Late,
            _ => Verdict::Restart,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(bits: u32, numbers: &[u32]) -> Vec<Verdict> {
        let mut count = Numbers::new(bits);
        numbers.iter().map(|number| count.take(*number)).collect()
    }

    #[test]
    fn steps_are_told_apart() {
        use Verdict::{Late, Next, Restart, Twice};
        let whole = Next { lost: 0 };
        assert_eq!(
            verdicts(32, &[7, 8, 11, 9, 10, 10, 12, 500_000, 500_001, 3]),
            [
                whole,
                whole,
                Next { lost: 2 },
                Late,
                Late,
                Twice,
                whole,
                Restart,
                whole,
                Restart
            ]
        );
        assert_eq!(
            verdicts(16, &[65_534, 65_535, 0, 2, 1]),
            [whole, whole, whole, Next { lost: 1 }, Late]
        );
        assert_eq!(verdicts(32, &[u32::MAX, 0, 1]), [whole; 3]);
    }
}
