//! Whether sensors were there at the same time.

/// Sentences on sensors that have no time in common with the first that gave anything: each by its
/// name, with its first payload's time and its last one's end, in nanoseconds, if it gave any.
pub fn apart<'a>(sensors: impl IntoIterator<Item = (&'a str, Option<(i64, i64)>)>) -> Vec<String> {
    let mut spans = sensors
        .into_iter()
        .filter_map(|(name, span_ns)| Some((name, span_ns?)));
    let Some((first, (start, end))) = spans.next() else {
        return Vec::new();
    };
    spans
        .filter(|(_, (other, last))| *other > end || *last < start)
        .map(|(name, (other, last))| {
            let seconds = |nanos: i64| nanos as f64 * 1e-9;
            let how = match other > end {
                true => format!("starts {:.3} s after it ends", seconds(other - end)),
                false => format!("ends {:.3} s before it starts", seconds(start - last)),
            };
            format!(
                "`{name}` and `{first}` have no time in common: `{name}` {how}; \
                 if their clocks differ, set `time_offset_ms` in the rig"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_without_a_common_time_are_said() {
        let front = ("front", Some((0, 5_000_000_000)));
        let check = |span| apart([("deaf", None), front, ("fan", span)]);
        assert_eq!(
            check(Some((6_500_000_000, 9_000_000_000))),
            [
                "`fan` and `front` have no time in common: `fan` starts 1.500 s after it ends; \
                 if their clocks differ, set `time_offset_ms` in the rig"
            ]
        );
        let before = check(Some((-2_000_000_000, -1_000_000_000)));
        assert!(before[0].contains("`fan` ends 1.000 s before it starts"));
        for together in [Some((4_900_000_000, 9_000_000_000)), None] {
            assert_eq!(check(together), Vec::<String>::new());
        }
        assert_eq!(apart([]), Vec::<String>::new());
    }
}
