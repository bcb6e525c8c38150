//! Sentences of one moment → one pose.
//!
//! A position is held until the vessel's attitude at its moment is known: between the attitudes around
//! it where the receiver tells attitudes (PASHR), else with the heading that comes beside it (HDT),
//! roll and pitch being unknown. A position that waits in vain goes on alone.

use beluga_types::{Attitude, AttitudeFix, Geodetic, GnssFix, Mount, Origin, Payload, PoseFix, Stamp};
use nalgebra::{Matrix3, Matrix6, Quaternion, UnitQuaternion, Vector3};

use crate::survey::install;

/// Attitudes farther from a position than this say nothing of it, in nanoseconds.
const NEAR_NANOS: i64 = 1_000_000_000;
/// One sigma of roll and pitch where only heading is told, in degrees: a small boat on a lake.
const UNKNOWN_TILT_DEG: f64 = 5.0;
/// And of that heading: two antennas a metre apart (a usual statement of makers is 0.2 to 0.5).
const HEADING_DEG: f64 = 0.5;

/// How the vessel lies, as a sentence says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lying {
    pub(crate) stamp: Stamp,
    pub(crate) turn: UnitQuaternion<f64>,
    /// One sigma of roll, pitch and heading, in radians.
    pub(crate) sigma_rad: Option<Vector3<f64>>,
}

/// How a vessel lies by a unit's quaternion (w, x, y, z) from axes forward, starboard, down to north, east,
/// down.
///
/// # Errors
/// If it is not of length 1.
pub(crate) fn turn_of([w, x, y, z]: [f64; 4]) -> Result<UnitQuaternion<f64>, String> {
    let given = Quaternion::new(w, x, y, z);
    if !(0.99..=1.01).contains(&given.norm()) {
        let found = given.norm();
        return Err(format!("expected a quaternion of length 1, found {found}"));
    }
    let (roll_rad, pitch_rad, heading_rad) = UnitQuaternion::from_quaternion(given).euler_angles();
    let attitude = Attitude {
        roll_rad,
        pitch_rad,
        heading_rad,
    };
    Ok(attitude.east_north_up_from_body())
}

/// A position that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    stamp: Stamp,
    place: Geodetic,
}

/// Puts sentences of one receiver together.
#[derive(Debug)]
pub(crate) struct Epochs {
    origin: Origin,
    mount: Mount,
    waiting: Option<Waiting>,
    /// The two newest attitudes.
    lying: [Option<Lying>; 2],
    sigma_m: Option<Vector3<f64>>,
}

impl Epochs {
    /// For a receiver whose antenna, and whose attitude sensor, sit there.
    pub(crate) fn new(origin: Origin, mount: Mount) -> Self {
        Self {
            origin,
            mount,
            waiting: None,
            lying: [None; 2],
            sigma_m: None,
        }
    }

    /// A position; one that still waits goes on as it is.
    pub(crate) fn place(&mut self, stamp: Stamp, place: Geodetic) -> Vec<(Stamp, Payload)> {
        let mut given = self.give_up();
        self.waiting = Some(Waiting { stamp, place });
        given.extend(self.join());
        given
    }

    /// What positions are good to from now on, to the east, to the north, up.
    pub(crate) fn errors(&mut self, sigma_m: [f64; 3]) {
        self.sigma_m = Some(sigma_m.into());
    }

    /// An attitude.
    pub(crate) fn attitude(&mut self, lying: Lying) -> Vec<(Stamp, Payload)> {
        let is_newer = self.lying[1].is_none_or(|last| last.stamp < lying.stamp);
        if is_newer {
            self.lying = [self.lying[1], Some(lying)];
        }
        let mut given = vec![];
        if self.waiting.is_none() && is_newer {
            given.push((lying.stamp, Payload::Attitude(self.attitude_fix(&lying))));
        }
        given.extend(self.join());
        given
    }

    /// A heading without a time: that of the position beside it, or of the moment it was heard.
    pub(crate) fn heading(&mut self, heading_deg: f64, heard: Option<Stamp>) -> Vec<(Stamp, Payload)> {
        let tells_tilt = self.lying[1].is_some_and(|last| last.sigma_rad != Some(unknown()));
        let stamp = self.waiting.map(|waiting| waiting.stamp).or(heard);
        match stamp.filter(|_| !tells_tilt) {
            None => vec![],
            Some(stamp) => self.attitude(Lying {
                stamp,
                turn: Attitude::from_degrees([0.0, 0.0, heading_deg]).east_north_up_from_body(),
                sigma_rad: Some(unknown()),
            }),
        }
    }

    /// The end, or a hole: what waits goes on as it is.
    pub(crate) fn give_up(&mut self) -> Vec<(Stamp, Payload)> {
        let waiting = self.waiting.take();
        let alone = waiting.map(|waiting| match self.lying_at(waiting.stamp, true) {
            Some(lying) => self.pose(&waiting, &lying),
            None => {
                let covariance_m2 = self
                    .sigma_m
                    .map(|sigma| Matrix3::from_diagonal(&sigma.map(|sigma| sigma * sigma)));
                let place = waiting.place;
                (waiting.stamp, Payload::Gnss(GnssFix { place, covariance_m2 }))
            }
        });
        alone.into_iter().collect()
    }

    /// The pose of the position that waits, if the attitude at its moment is known.
    fn join(&mut self) -> Option<(Stamp, Payload)> {
        let waiting = self.waiting?;
        let lying = self.lying_at(waiting.stamp, false)?;
        self.waiting = None;
        Some(self.pose(&waiting, &lying))
    }

    /// How the vessel lay at this moment: between the newest attitudes; or, if one is `enough`, as at the nearest.
    fn lying_at(&self, stamp: Stamp, enough: bool) -> Option<Lying> {
        let after = self.lying[1]?;
        let from = after.stamp.nanos_since(stamp);
        if from == 0 {
            return Some(after);
        }
        if !(0..=NEAR_NANOS).contains(&from) {
            return Some(after).filter(|_| enough && from.abs() <= NEAR_NANOS);
        }
        let before = self.lying[0]
            .filter(|before| before.stamp <= stamp && stamp.nanos_since(before.stamp) <= NEAR_NANOS);
        let Some(before) = before else {
            return Some(after);
        };
        let whole = after.stamp.nanos_since(before.stamp) as f64;
        let part = stamp.nanos_since(before.stamp) as f64 / whole;
        Some(Lying {
            turn: before.turn.slerp(&after.turn, part),
            ..after
        })
    }

    fn attitude_fix(&self, lying: &Lying) -> AttitudeFix {
        AttitudeFix {
            world_from_body: install::vessel_attitude(&lying.turn, &self.mount),
            covariance_rad2: lying
                .sigma_rad
                .map(|sigma| Matrix3::from_diagonal(&sigma.map(|sigma| sigma * sigma))),
        }
    }

    fn pose(&self, waiting: &Waiting, lying: &Lying) -> (Stamp, Payload) {
        let attitude = self.attitude_fix(lying);
        let covariance = attitude
            .covariance_rad2
            .zip(self.sigma_m)
            .map(|(rotation, sigma)| {
                let turn = attitude.world_from_body.to_rotation_matrix().into_inner();
                let place =
                    turn.transpose() * Matrix3::from_diagonal(&sigma.map(|sigma| sigma * sigma)) * turn;
                let mut covariance = Matrix6::zeros();
                covariance.fixed_view_mut::<3, 3>(0, 0).copy_from(&rotation);
                covariance.fixed_view_mut::<3, 3>(3, 3).copy_from(&place);
                covariance
            });
        let fix = PoseFix {
            world_from_body: self
                .origin
                .world_from_body(&waiting.place, attitude.world_from_body),
            covariance,
        };
        let fix = install::moved_to_reference(fix, &self.mount);
        (waiting.stamp, Payload::Pose(fix))
    }
}

/// One sigma of roll, pitch and heading where only heading is told.
fn unknown() -> Vector3<f64> {
    Vector3::new(UNKNOWN_TILT_DEG, UNKNOWN_TILT_DEG, HEADING_DEG).map(f64::to_radians)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Stamp {
        Stamp::from_nanos(1_790_000_000_000_000_000 + millis * 1_000_000)
    }

    fn quay() -> Geodetic {
        Geodetic::from_degrees(54.1, 12.1, 38.5)
    }

    fn epochs(mount: Mount) -> Epochs {
        let origin = Origin {
            anchor: quay(),
            ..Origin::default()
        };
        Epochs::new(origin, mount)
    }

    fn lying(millis: i64, heading_deg: f64) -> Lying {
        Lying {
            stamp: at(millis),
            turn: Attitude::from_degrees([0.0, 0.0, heading_deg]).east_north_up_from_body(),
            sigma_rad: Some(Vector3::repeat(1e-3)),
        }
    }

    fn heading_deg(payload: &Payload) -> f64 {
        let Payload::Pose(fix) = payload else {
            panic!("no pose: {payload:?}")
        };
        let turn = fix.world_from_body.rotation();
        Attitude::from_east_north_up_from_body(&turn)
            .heading_rad
            .to_degrees()
    }

    #[test]
    fn a_position_takes_the_attitude_between_those_around_it() {
        let mut epochs = epochs(Mount::default());
        epochs.errors([0.02, 0.03, 0.04]);
        epochs.attitude(lying(0, 10.0));
        assert!(epochs.place(at(25), quay()).is_empty(), "it waits");
        let given = epochs.attitude(lying(100, 14.0));
        let [(stamp, payload)] = given.as_slice() else {
            panic!("{given:?}")
        };
        assert_eq!(*stamp, at(25));
        assert!((heading_deg(payload) - 11.0).abs() < 1e-9);
        let Payload::Pose(fix) = payload else {
            unreachable!()
        };
        assert!(fix.covariance.is_some());
        assert!(fix.world_from_body.translation().norm() < 1e-6);
    }

    #[test]
    fn a_heading_beside_it_gives_a_pose_whose_tilt_is_not_known() {
        let mut epochs = epochs(Mount::default());
        epochs.errors([0.02, 0.03, 0.04]);
        assert!(epochs.place(at(0), quay()).is_empty());
        let given = epochs.heading(181.5, Some(at(40)));
        let [(stamp, payload @ Payload::Pose(fix))] = given.as_slice() else {
            panic!("{given:?}")
        };
        assert_eq!(*stamp, at(0), "that of the position");
        assert!((heading_deg(payload).rem_euclid(360.0) - 181.5).abs() < 1e-9);
        let sigma_deg = fix.covariance.unwrap()[(0, 0)].sqrt().to_degrees();
        assert!((sigma_deg - UNKNOWN_TILT_DEG).abs() < 1e-9);
    }

    #[test]
    fn a_position_that_waits_in_vain_goes_on_alone() {
        let mut epochs = epochs(Mount::default());
        epochs.place(at(0), quay());
        let given = epochs.place(at(100), quay());
        assert!(matches!(given.as_slice(), [(stamp, Payload::Gnss(_))] if *stamp == at(0)));
        assert!(matches!(epochs.give_up().as_slice(), [(stamp, Payload::Gnss(_))] if *stamp == at(100)));
    }

    #[test]
    fn the_antenna_is_not_the_vessel() {
        let mount = Mount {
            forward_m: 2.0,
            down_m: -3.0,
            ..Mount::default()
        };
        let mut epochs = epochs(mount);
        epochs.attitude(lying(0, 90.0));
        let given = epochs.place(at(0), quay());
        let [(_, Payload::Pose(fix))] = given.as_slice() else {
            panic!("{given:?}")
        };
        let expected = Vector3::new(-2.0, 0.0, -3.0);
        assert!(
            (fix.world_from_body.translation() - expected).norm() < 1e-6,
            "heading east, the antenna is 2 m east of and 3 m above it"
        );
    }
}
