//! A ping counter of 16 bits, carried on past its end.

/// What the counter said last, and which number that was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PingNumber {
    last: Option<(u16, u16, u64)>,
}

impl PingNumber {
    /// The number of a swath: as the counter says, but never starting over at 65 536, and one for
    /// each of the `swaths` of a ping. Pings may come a little out of their order.
    pub(crate) fn of(&mut self, counter: u16, swaths: u16, swath: u16) -> u64 {
        let swaths = swaths.max(1);
        let base = match self.last {
            None => u64::from(counter) * u64::from(swaths),
            Some((last, before, number)) => {
                let step = i64::from(counter.wrapping_sub(last).cast_signed());
                // The last ping had its own count of swaths, those between are taken to be as now.
                let by = match step {
                    ..=0 => step * i64::from(swaths),
                    step => (step - 1) * i64::from(swaths) + i64::from(before),
                };
                number.saturating_add_signed(by)
            }
        };
        self.last = Some((counter, swaths, base));
        base + u64::from(swath.min(swaths - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_goes_on_past_its_end_and_pings_may_be_swapped() {
        let mut number = PingNumber::default();
        let of = [65_534, 65_533, 65_535, 0, 2].map(|counter| number.of(counter, 1, 0));
        assert_eq!(of, [65_534, 65_533, 65_535, 65_536, 65_538]);
    }

    #[test]
    fn every_swath_has_its_number() {
        let mut number = PingNumber::default();
        let pings = [(7, 1, 0), (8, 2, 0), (8, 2, 1), (9, 2, 0), (9, 2, 1), (10, 1, 0)];
        let of = pings.map(|(counter, swaths, swath)| number.of(counter, swaths, swath));
        assert_eq!(of, [7, 8, 9, 10, 11, 12]);
    }
}
