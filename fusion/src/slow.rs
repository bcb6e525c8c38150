//! The slow error of navigation: what it is now, and how fast it changes.
//!
//! What an INS gets wrong it gets wrong for a while: carrier multipath, alignment, a tide model. Taken
//! for white noise, fifty fixes a second would make it vanish. So it is a state: per axis a first-order
//! Gauss–Markov process whose variance is the stated one less the noise from fix to fix (P. D. Groves,
//! "Principles of GNSS, Inertial, and Multisensor Integrated Navigation Systems", 2nd edition 2013,
//! sections 3.4.3 and 14.3). No device states its time constant. It shows in how the difference of
//! navigation and lidar odometry changes over some seconds: of a process with variance σ² and time
//! constant τ, a difference over t has the variance 2σ²(1 − exp(−t/τ)).

use std::collections::VecDeque;

use beluga_types::elementary::{Squared, exp, ln};
use beluga_types::{Body, Stamp, Transform, World};
use nalgebra::{Matrix6, Vector6};

use crate::nav::{NavPose, is_alike};
use crate::odometry::Map;

/// Time over which differences are looked at, in seconds.
const LAG_S: f64 = 5.0;
/// Time between two looks, in seconds.
const LOOK_S: f64 = 1.0;
/// How many independent differences the configured time constant counts for: two runs' lags on six
/// axes, so that a minute of data outweighs it and six seconds do not.
const PRIOR_DIFFERENCES: f64 = 12.0;
/// Time constants that are believed, in seconds.
const TIMES_S: std::ops::RangeInclusive<f64> = 1.0..=1000.0;
/// Localizability from which the lidar's motion along an axis says something of navigation's.
const SEEN: f64 = 0.9;

/// A moment at which both were known.
struct Both {
    stamp: Stamp,
    nav: NavPose,
    map_from_body: Transform<Map, Body>,
    /// Variance of the pose on the map, per axis.
    on_map: Vector6<f64>,
    seen: [bool; 6],
}

/// How long navigation errs the same way.
pub(crate) struct ErrorTime {
    looks: VecDeque<Both>,
    /// Sum of the differences' parts of the whole variance, and how many they are.
    part: (f64, f64),
    /// Sum of the differences' squares over the most that the stated variances allow of them, and how
    /// many they are.
    apart: (f64, f64),
}

impl ErrorTime {
    pub(crate) fn new(configured_s: f64) -> Self {
        let part = 1.0 - exp(-LAG_S / configured_s.clamp(*TIMES_S.start(), *TIMES_S.end()));
        Self {
            looks: VecDeque::new(),
            part: (part * PRIOR_DIFFERENCES, PRIOR_DIFFERENCES),
            apart: (0.0, 0.0),
        }
    }

    /// How many times farther navigation and lidar move apart, over some seconds and along axes that the
    /// lidar sees, than both could if they erred as they state and not alike at all; nothing until that
    /// is known. Above two, what navigation states of itself is too small, or a clock or mount is off.
    pub(crate) fn tension(&self) -> Option<f64> {
        /// Independent differences from which a mean of squares says something.
        const ENOUGH: f64 = 6.0;
        (self.apart.1 >= ENOUGH).then(|| (self.apart.0 / self.apart.1).sqrt())
    }

    /// The time constant, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        let part = (self.part.0 / self.part.1).clamp(1e-6, 1.0 - 1e-6);
        (-LAG_S / ln(1.0 - part)).clamp(*TIMES_S.start(), *TIMES_S.end())
    }

    /// Looks at a moment: navigation's pose there and the lidar's, `on_map` the covariance of the
    /// latter.
    pub(crate) fn look(
        &mut self,
        stamp: Stamp,
        nav: &NavPose,
        map_from_body: &Transform<Map, Body>,
        on_map: &Matrix6<f64>,
        localizability: &[f64; 6],
    ) {
        if self
            .looks
            .back()
            .is_some_and(|last| stamp.seconds_since(last.stamp) < LOOK_S)
        {
            return;
        }
        let now = Both {
            stamp,
            nav: *nav,
            map_from_body: *map_from_body,
            on_map: on_map.diagonal(),
            seen: localizability.map(|held| held > SEEN),
        };
        while self
            .looks
            .front()
            .is_some_and(|first| stamp.seconds_since(first.stamp) > LAG_S + 0.5 * LOOK_S)
        {
            self.looks.pop_front();
        }
        if let Some(then) = self
            .looks
            .front()
            .filter(|then| stamp.seconds_since(then.stamp) > LAG_S - 0.5 * LOOK_S)
        {
            let motions = then.difference(&now);
            for square in apart(&motions, then, &now) {
                self.apart.0 += square * LOOK_S / LAG_S;
                self.apart.1 += LOOK_S / LAG_S;
            }
            let differences = parts(motions, then, &now);
            for part in differences {
                // Looks overlap: so many of them are one difference of its own.
                self.part.0 += part * LOOK_S / LAG_S;
                self.part.1 += LOOK_S / LAG_S;
            }
        }
        self.looks.push_back(now);
    }
}

/// The square of each axis' difference as a part of twice the slow variance, noise taken off; of axes
/// that the lidar held at both moments. Where an outage begins or ends between them, the difference is
/// that of two processes and tells nothing of how fast one changes.
fn parts((by_nav, by_lidar): Motions, then: &Both, now: &Both) -> Vec<f64> {
    let difference = by_lidar.perturbation_to(&by_nav);
    let part = |axis: usize| {
        let white = now.nav.white[axis];
        let slow = now.nav.covariance[(axis, axis)] - white;
        let before = then.nav.covariance[(axis, axis)] - then.nav.white[axis];
        let noise = white + then.nav.white[axis] + then.on_map[axis] + now.on_map[axis];
        let part = (difference[axis].squared() - noise) / (2.0 * slow);
        let told = then.seen[axis] && now.seen[axis] && is_alike(slow, before) && slow > noise;
        (told && part.is_finite()).then_some(part.min(4.0))
    };
    (0..6).filter_map(part).collect()
}

/// The square of each axis' difference over the sum of the variances stated at both moments; of axes that
/// the lidar held.
fn apart((by_nav, by_lidar): &Motions, then: &Both, now: &Both) -> Vec<f64> {
    /// One leap is not to decide the mean.
    const MOST: f64 = 1e4;
    let difference = by_lidar.perturbation_to(by_nav);
    let square = |axis: usize| {
        let stated = then.nav.covariance[(axis, axis)] + now.nav.covariance[(axis, axis)];
        let square = difference[axis].squared() / (stated + then.on_map[axis] + now.on_map[axis]);
        (then.seen[axis] && now.seen[axis] && square.is_finite()).then_some(square.min(MOST))
    };
    (0..6).filter_map(square).collect()
}

type Motions = (Transform<Body, Body>, Transform<Body, Body>);

impl Both {
    /// The motion from here to another moment, by navigation and by the lidar.
    fn difference(&self, later: &Both) -> Motions {
        let world: Transform<Body, World> = self.nav.world_from_body.inverse();
        (
            world * later.nav.world_from_body,
            self.map_from_body.inverse() * later.map_from_body,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonar::synthetic::Noise;
    use beluga_types::elementary::sin;
    use nalgebra::{UnitQuaternion, Vector3};

    /// A slow error made of its definition, on all axes: its time constant comes out.
    #[test]
    fn the_time_constant_is_found_from_what_changes() {
        for tau in [8.0f64, 120.0] {
            let mut time = ErrorTime::new(30.0);
            let sigma = 0.5;
            let keep = exp(-LOOK_S / tau);
            let mut state = Vector3::zeros();
            let mut noise = Noise::new(1);
            for second in 0..4000 {
                let fresh = Vector3::from_fn(|_, _| noise.gaussian());
                state = state * keep + fresh * (sigma * (1.0f64 - keep * keep).sqrt());
                let nav = NavPose {
                    world_from_body: Transform::new(UnitQuaternion::identity(), state),
                    covariance: Matrix6::identity() * sigma * sigma,
                    white: Vector6::zeros(),
                };
                let still = Transform::identity();
                let seen = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
                let zero = Matrix6::zeros();
                time.look(
                    Stamp::from_nanos(second * 1_000_000_000),
                    &nav,
                    &still,
                    &zero,
                    &seen,
                );
            }
            let found = time.seconds();
            assert!((found / tau - 1.0).abs() < 0.25, "{found}, not {tau}");
            assert!(time.tension().unwrap() < 1.0, "it errs as it states");
        }
    }

    /// Half a metre to and fro within seconds, five centimetres stated: ten times too little.
    #[test]
    fn navigation_that_states_too_little_is_found_out() {
        let mut time = ErrorTime::new(30.0);
        assert_eq!(time.tension(), None);
        for second in 0..60 {
            let x = 0.5 * sin(1.1 * f64::from(second));
            let nav = NavPose {
                world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::x() * x),
                covariance: Matrix6::identity() * 0.05f64.squared(),
                white: Vector6::zeros(),
            };
            let stamp = Stamp::from_nanos(i64::from(second) * 1_000_000_000);
            let seen = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
            time.look(stamp, &nav, &Transform::identity(), &Matrix6::zeros(), &seen);
        }
        // Over 5 s: 2 · 0.5 · |sin(2.75)| · rms of a cosine, over √2 · 5 cm.
        let wanted = 2.0 * 0.5 * sin(2.75) / 2f64.sqrt() / (2f64.sqrt() * 0.05);
        let found = time.tension().unwrap();
        assert!((found / wanted - 1.0).abs() < 0.1, "{found}, not {wanted}");
    }

    /// Navigation that errs in nothing but the drift of an outage, which it states.
    #[test]
    fn an_outage_says_nothing_of_the_time_constant() {
        let mut time = ErrorTime::new(30.0);
        for second in 0..60 {
            let away = if (20..30).contains(&second) {
                0.1 * f64::from(second - 19)
            } else {
                0.0
            };
            let nav = NavPose {
                world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::x() * away),
                covariance: Matrix6::identity() * (0.05f64.squared() + away.squared()),
                white: Vector6::zeros(),
            };
            let stamp = Stamp::from_nanos(i64::from(second) * 1_000_000_000);
            let seen = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
            time.look(stamp, &nav, &Transform::identity(), &Matrix6::zeros(), &seen);
        }
        let found = time.seconds();
        assert!(
            found > 30.0,
            "what never changed seems to change within {found} s"
        );
    }

    #[test]
    fn what_the_lidar_does_not_hold_says_nothing() {
        let mut time = ErrorTime::new(30.0);
        for second in 0..100 {
            let nav = NavPose {
                world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::x() * f64::from(second)),
                covariance: Matrix6::identity(),
                white: Vector6::zeros(),
            };
            let stamp = Stamp::from_nanos(i64::from(second) * 1_000_000_000);
            let zero = Matrix6::zeros();
            time.look(stamp, &nav, &Transform::identity(), &zero, &[0.5; 6]);
        }
        assert!((time.seconds() - 30.0).abs() < 1e-9);
    }
}
