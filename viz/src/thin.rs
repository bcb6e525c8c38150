//! How many points the eye gets.

/// At most `limit` of `count` indices, evenly spread.
pub(crate) fn spread(count: usize, limit: usize) -> impl Iterator<Item = usize> {
    let step = count.div_ceil(limit.max(1)).max(1);
    (0..count).step_by(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_keeps_the_limit() {
        assert_eq!(spread(10, 100).count(), 10);
        assert_eq!(spread(0, 5).count(), 0);
        for count in [99, 100, 101, 250, 1_000_003] {
            let kept = spread(count, 100).count();
            assert!((50..=100).contains(&kept), "{kept} of {count}");
        }
    }
}
