//! Poses of a vessel whose positions and attitudes come from two sensors.
//!
//! Attitudes come often and positions now and then. Between two positions the reference point is taken to
//! move evenly, and up and down with the heave: so the sounder itself does it.

use std::collections::VecDeque;

use beluga_types::{AttitudeFix, Geodetic, Mount, Origin, Payload, PoseFix, Stamp, Transform};
use nalgebra::{UnitQuaternion, Vector3};

use super::install::at_reference;
use super::played::Rows;

/// Positions farther apart than this have no poses between them, in nanoseconds.
const APART_NANOS: i64 = 10_000_000_000;
/// An attitude farther from a position than this does not tell how the vessel lay then.
const NEAR_NANOS: i64 = 1_000_000_000;
/// The most that waits of each.
const MOST_WAITING: usize = 100_000;

/// How the vessel lies at a moment, and its heave, positive up, in metres.
#[derive(Clone, Copy, Debug)]
struct Lying {
    stamp: Stamp,
    turn: UnitQuaternion<f64>,
    heave_m: f64,
}

/// A place of the reference point; its height without heave, if there is one.
#[derive(Clone, Copy, Debug)]
struct Known {
    stamp: Stamp,
    place: Vector3<f64>,
    slow_m: Option<f64>,
}

/// Puts positions and attitudes together.
#[derive(Debug, Default)]
pub(crate) struct Joiner {
    origin: Origin,
    /// Where the position sensor's antenna is.
    antenna: Mount,
    lying: VecDeque<Lying>,
    fixes: VecDeque<(Stamp, Geodetic, bool)>,
    last: Option<Known>,
}

impl Joiner {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            origin,
            ..Self::default()
        }
    }

    /// Where the position sensor's antenna sits.
    pub(crate) fn set_antenna(&mut self, mount: Mount) {
        self.antenna = mount;
    }

    /// How the vessel lies.
    pub(crate) fn attitude(
        &mut self,
        stamp: Stamp,
        turn: UnitQuaternion<f64>,
        heave_m: f64,
        rows: &mut Rows,
    ) {
        let at = self.lying.partition_point(|other| other.stamp <= stamp);
        // Sensors tell the end of one datagram once more at the beginning of the next.
        if at > 0 && self.lying[at - 1].stamp == stamp {
            return;
        }
        let lying = Lying { stamp, turn, heave_m };
        self.lying.insert(at, lying);
        self.join(rows);
        while self.lying.len() > MOST_WAITING {
            self.let_go(rows);
        }
    }

    /// Where the antenna is; `high` says whether its height is known.
    pub(crate) fn fix(&mut self, stamp: Stamp, place: Geodetic, high: bool, rows: &mut Rows) {
        let at = self.fixes.partition_point(|(other, ..)| *other <= stamp);
        self.fixes.insert(at, (stamp, place, high));
        if self.fixes.len() > MOST_WAITING {
            self.fixes.pop_front();
        }
        self.join(rows);
    }

    /// Nothing more comes: what waits has no position after it.
    pub(crate) fn end(&mut self, rows: &mut Rows) {
        while let Some((stamp, place, high)) = self.fixes.pop_front() {
            self.reach(stamp, place, high, rows);
        }
        while !self.lying.is_empty() {
            self.let_go(rows);
        }
    }

    /// Takes the fixes at which it is known how the vessel lay.
    fn join(&mut self, rows: &mut Rows) {
        while let (Some((stamp, place, high)), Some(newest)) =
            (self.fixes.front().copied(), self.lying.back())
        {
            if newest.stamp < stamp {
                break;
            }
            self.fixes.pop_front();
            self.reach(stamp, place, high, rows);
        }
    }

    /// A fix: the poses from the one before it to it.
    fn reach(&mut self, stamp: Stamp, place: Geodetic, high: bool, rows: &mut Rows) {
        let Some(lying) = self.lying_at(stamp) else {
            return;
        };
        let antenna = self.origin.world_from_body(&place, lying.turn);
        let reference = at_reference(&antenna, &self.antenna).translation();
        let known = Known {
            stamp,
            place: reference,
            slow_m: high.then_some(reference.z - lying.heave_m),
        };
        let before = self
            .last
            .replace(known)
            .filter(|before| (1..=APART_NANOS).contains(&stamp.nanos_since(before.stamp)));
        while let Some(lying) = self.lying.front().copied() {
            if lying.stamp > stamp {
                break;
            }
            match before.filter(|before| before.stamp <= lying.stamp) {
                Some(before) => {
                    rows.push(lying.stamp, Payload::Pose(between(&before, &known, &lying)));
                    self.lying.pop_front();
                }
                None => self.let_go(rows),
            }
        }
    }

    /// The oldest attitude goes on without a place.
    fn let_go(&mut self, rows: &mut Rows) {
        if let Some(lying) = self.lying.pop_front() {
            let fix = AttitudeFix {
                world_from_body: lying.turn,
                covariance_rad2: None,
            };
            rows.push(lying.stamp, Payload::Attitude(fix));
        }
    }

    /// How the vessel lies at a moment: between its neighbours, else as the nearest if that is near.
    fn lying_at(&self, stamp: Stamp) -> Option<Lying> {
        let after = self.lying.partition_point(|lying| lying.stamp < stamp);
        let next = self.lying.get(after);
        let previous = after.checked_sub(1).and_then(|at| self.lying.get(at));
        let near = |lying: &&Lying| stamp.nanos_since(lying.stamp).abs() <= NEAR_NANOS;
        match (previous.filter(near), next.filter(near)) {
            (Some(previous), Some(next)) => {
                let span = next.stamp.seconds_since(previous.stamp).max(1e-9);
                let share = stamp.seconds_since(previous.stamp) / span;
                Some(Lying {
                    stamp,
                    turn: previous.turn.slerp(&next.turn, share),
                    heave_m: previous.heave_m + share * (next.heave_m - previous.heave_m),
                })
            }
            (Some(only), None) | (None, Some(only)) => Some(*only),
            (None, None) => None,
        }
    }
}

/// The pose between two places.
fn between(before: &Known, after: &Known, lying: &Lying) -> PoseFix {
    let span = after.stamp.seconds_since(before.stamp);
    let share = lying.stamp.seconds_since(before.stamp) / span;
    let mut place = before.place + (after.place - before.place) * share;
    place.z = match (before.slow_m, after.slow_m) {
        (Some(before), Some(after)) => before + (after - before) * share + lying.heave_m,
        _ => lying.heave_m,
    };
    PoseFix {
        world_from_body: Transform::new(lying.turn, place),
        covariance: None,
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::Attitude;

    use super::*;
    use beluga_types::elementary::sin;

    const ANCHOR: [f64; 3] = [54.0, 12.0, 40.0];

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(millis * 1_000_000)
    }

    /// What comes of attitudes every 100 ms, of a vessel that heads north and heaves, and of fixes.
    fn joined(fixes: &[(i64, f64, bool)]) -> Vec<(i64, Option<Vector3<f64>>)> {
        let origin = Origin {
            anchor: Geodetic::from_degrees(ANCHOR[0], ANCHOR[1], ANCHOR[2]),
            ..Origin::default()
        };
        let mut joiner = Joiner::new(origin);
        joiner.set_antenna(Mount {
            forward_m: 1.0,
            down_m: -5.0,
            ..Mount::default()
        });
        let mut rows = Rows::default();
        let turn = Attitude::default().east_north_up_from_body();
        for &(millis, height_m, high) in fixes {
            joiner.fix(
                at(millis),
                Geodetic::from_degrees(ANCHOR[0], ANCHOR[1], height_m),
                high,
                &mut rows,
            );
        }
        for step in 0..=20i64 {
            let heave = 0.1 * sin(step as f64 * 0.3);
            joiner.attitude(at(100 * step), turn, heave, &mut rows);
        }
        joiner.end(&mut rows);
        rows.taken()
            .into_iter()
            .map(|(stamp, payload)| match payload {
                Payload::Pose(fix) => (stamp.nanos() / 1_000_000, Some(fix.world_from_body.translation())),
                _ => (stamp.nanos() / 1_000_000, None),
            })
            .collect()
    }

    #[test]
    fn poses_are_between_positions_and_heave_with_the_vessel() {
        let heave = |millis: i64| 0.1 * sin(millis as f64 * 0.003);
        // The antenna's height has the heave in it.
        let run = joined(&[(450, 45.0 + heave(450), true), (1450, 46.0 + heave(1450), true)]);
        assert_eq!(run.len(), 21);
        let poses: Vec<_> = run
            .iter()
            .filter_map(|(millis, place)| Some((*millis, (*place)?)))
            .collect();
        assert_eq!(
            (poses[0].0, poses.last().unwrap().0, poses.len()),
            (500, 1400, 10)
        );
        for (millis, place) in poses {
            let slow = (millis - 450) as f64 * 1e-3;
            assert!((place.z - slow - heave(millis)).abs() < 2e-3, "{millis}: {place}");
            assert!(
                (place.y + 1.0).abs() < 1e-3,
                "one metre behind the antenna: {place}"
            );
        }
    }

    #[test]
    fn without_heights_there_is_the_heave_alone() {
        let run = joined(&[(0, 0.0, false), (2000, 0.0, false)]);
        let pose = run.iter().find(|(millis, _)| *millis == 500).unwrap().1.unwrap();
        assert!((pose.z - 0.1 * sin(1.5)).abs() < 1e-9, "{pose}");
    }

    #[test]
    fn without_positions_around_it_an_attitude_stays_one() {
        assert!(joined(&[]).iter().all(|(_, place)| place.is_none()));
        assert!(
            joined(&[(1000, 45.0, true)])
                .iter()
                .all(|(_, place)| place.is_none())
        );
        let far = joined(&[(-20_000, 45.0, true), (1000, 45.0, true)]);
        assert!(far.iter().all(|(_, place)| place.is_none()) && far.len() == 21);
    }
}
