//! The water as a sounder has it: a cast, and what its head measures itself.

use beluga_types::Water;

use super::detections::WATER_M_PER_S;

/// A cast that differs from the head by this much is not of this water, in m/s.
const ALARMING_M_PER_S: f64 = 2.0;

/// The water of a cast (depth in metres, speed in m/s, downwards) and of a head (its depth, and the
/// speed there). A sounder steers and traces with its head's speed down to its head, and goes on from
/// there to the cast's next level; so do we.
pub(crate) fn of(cast: &[(f64, f64)], head: Option<(f64, f64)>, notes: &mut Vec<String>) -> Water {
    let head = head.filter(|(depth, speed)| depth.is_finite() && WATER_M_PER_S.contains(speed));
    let head = head.map(|(depth, speed)| (depth.max(0.0), speed));
    let mut levels: Vec<(f64, f64)> = Vec::with_capacity(cast.len() + 1);
    levels.extend(head);
    let mut left_out = 0;
    for &(depth, speed) in cast {
        let below = levels.last().is_none_or(|(last, _)| depth > *last);
        if depth.is_finite() && WATER_M_PER_S.contains(&speed) && below {
            levels.push((depth, speed));
        } else if head.is_none_or(|(at, _)| depth > at || !depth.is_finite()) {
            left_out += 1;
        }
    }
    if left_out > 0 {
        notes.push(format!(
            "{left_out} level(s) of the sound-speed profile are none of water, or not in order, and left out"
        ));
    }
    let own = levels.len() > usize::from(head.is_some());
    match (own, head) {
        (true, Some((depth, speed))) => {
            let there = at(cast, depth);
            if let Some(there) = there.filter(|there| (there - speed).abs() >= ALARMING_M_PER_S) {
                notes.push(format!(
                    "the head measures {speed:.1} m/s at {depth:.1} m, the file's profile says {there:.1}: the head's is taken \
                     down to there, as the sounder does; take a new cast"
                ));
            }
            Water::Profile(levels.into())
        }
        (true, None) => Water::Profile(levels.into()),
        (false, Some((_, speed))) => {
            notes.push(
                "no sound-speed profile in the file: what its head measures is taken for all depths".into(),
            );
            Water::SoundSpeed(speed)
        }
        (false, None) => Water::Unknown,
    }
}

/// Speed of a cast at a depth, between its levels.
fn at(cast: &[(f64, f64)], depth: f64) -> Option<f64> {
    let below = cast.partition_point(|(level, _)| *level <= depth);
    let (Some(above), Some(below)) = (
        below.checked_sub(1).and_then(|above| cast.get(above)),
        cast.get(below),
    ) else {
        return cast
            .get(below.min(cast.len().saturating_sub(1)))
            .map(|(_, speed)| *speed);
    };
    let share = (depth - above.0) / (below.0 - above.0);
    Some(above.1 + share * (below.1 - above.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heads_own_speed_counts_down_to_the_head() {
        let cast = [
            (0.0, 1500.0),
            (1.0, 1500.0),
            (50.0, 1490.0),
            (50.0, 1480.0),
            (60.0, 0.0),
        ];
        let mut notes = Vec::new();
        let Water::Profile(levels) = of(&cast, Some((2.0, 1470.0)), &mut notes) else {
            panic!("no profile");
        };
        assert_eq!(*levels, [(2.0, 1470.0), (50.0, 1490.0)]);
        assert!(notes[0].starts_with("2 level(s)"), "{notes:?}");
        assert!(
            notes[1].contains("1470.0 m/s at 2.0 m, the file's profile says 1499.8"),
            "{notes:?}"
        );
    }

    #[test]
    fn without_a_cast_or_a_head_the_other_counts() {
        let mut notes = Vec::new();
        assert_eq!(of(&[], None, &mut notes), Water::Unknown);
        assert_eq!(
            of(&[], Some((1.0, 1480.0)), &mut notes),
            Water::SoundSpeed(1480.0)
        );
        assert_eq!(notes.len(), 1);
        assert_eq!(
            of(&[(0.0, 1480.0)], Some((1.0, 100.0)), &mut Vec::new()),
            Water::Profile([(0.0, 1480.0)].into())
        );
        assert_eq!(at(&[(1.0, 5.0), (3.0, 7.0)], 2.0), Some(6.0));
        assert_eq!(at(&[(1.0, 5.0), (3.0, 7.0)], 0.0), Some(5.0));
        assert_eq!(at(&[(1.0, 5.0), (3.0, 7.0)], 9.0), Some(7.0));
        assert_eq!(at(&[], 9.0), None);
    }
}
