//! A GNSS receiver: fixed, float, single or no position, each with the error it has and the one it
//! states.

use beluga_types::{Body, GnssFix, Origin, Point, Stamp, Transform, World};
use nalgebra::{Matrix3, Vector3};

use super::aiding::kind_at;
use crate::random::{Dice, Source};
use crate::scenario::{FixKind, FixScenario, GnssScenario, Scenario};
use crate::vessel::{START, Vessel};

/// All fixes of a run.
#[derive(Clone, Debug)]
pub(crate) struct Gnss {
    interval_s: f64,
    fixes: Vec<Fix>,
    antenna: Point<Body>,
    origin: Origin,
}

/// One fix: which epoch, and its error.
#[derive(Clone, Copy, Debug)]
struct Fix {
    epoch: u32,
    /// Error in east, north, up, in metres.
    error_m: Vector3<f64>,
    stated_m2: Vector3<f64>,
}

impl Gnss {
    /// Each axis' error is `σ` of the moment's kind times a number of unit variance, half of which
    /// is white and half a first-order autoregressive process.
    pub(crate) fn new(scenario: &Scenario, gnss: &GnssScenario, vessel: &Vessel, origin: Origin) -> Self {
        let interval_s = 1.0 / gnss.rate_hz;
        let epochs = (scenario.duration_s * gnss.rate_hz + 1e-9).floor() as u32 + 1;
        let keep = (-interval_s / gnss.correlation_s).exp();
        let renew = (1.0 - keep * keep).sqrt();
        let [forward, starboard, down] = gnss.antenna_m;
        let antenna = Point::<Body>::new(forward, -starboard, -down);
        let mut slow = Vector3::zeros();
        let mut fixes = Vec::new();
        for epoch in 0..epochs {
            let draw = |part: u64| {
                Vector3::from_fn(|axis, _| {
                    Dice::new(scenario.seed, Source::GnssError, epoch.into(), axis as u64).normal(part)
                })
            };
            let fresh: Vector3<f64> = draw(0);
            slow = if epoch == 0 {
                fresh
            } else {
                slow * keep + fresh * renew
            };
            let t = f64::from(epoch) * interval_s;
            let place = vessel.pose_at(START.shifted_s(t)) * antenna;
            let Some(fix) = gnss.fix(kind_at(&scenario.nav.outage, t, &place.vector())) else {
                continue;
            };
            let unit = (slow + draw(1)) * std::f64::consts::FRAC_1_SQRT_2;
            let stated = fix.stated_m().map(|sigma| sigma * sigma);
            fixes.push(Fix {
                epoch,
                error_m: unit.component_mul(&Vector3::new(fix.horizontal_m, fix.horizontal_m, fix.up_m)),
                stated_m2: Vector3::new(stated[0], stated[0], stated[1]),
            });
        }
        Self {
            interval_s,
            fixes,
            antenna,
            origin,
        }
    }

    /// How many fixes the run has; a receiver without satellites says nothing.
    pub(crate) fn count(&self) -> u64 {
        self.fixes.len() as u64
    }

    /// When a fix is taken.
    pub(crate) fn stamp(&self, seq: u64) -> Stamp {
        START.shifted_s(f64::from(self.fixes[seq as usize].epoch) * self.interval_s)
    }

    /// The fix at a moment whose true pose is given.
    pub(crate) fn fix(&self, seq: u64, world_from_body: &Transform<World, Body>) -> GnssFix {
        let fix = &self.fixes[seq as usize];
        let antenna = (*world_from_body * self.antenna).vector() + fix.error_m;
        let (place, _) = self
            .origin
            .place_of(&Transform::new(world_from_body.rotation(), antenna));
        GnssFix {
            place,
            covariance_m2: Some(Matrix3::from_diagonal(&fix.stated_m2)),
        }
    }
}

impl GnssScenario {
    fn fix(&self, kind: FixKind) -> Option<&FixScenario> {
        match kind {
            FixKind::Fixed => Some(&self.fixed),
            FixKind::Float => Some(&self.float),
            FixKind::Single => Some(&self.single),
            FixKind::Outage => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::OutageScenario;

    /// Twenty minutes, each five of another kind; by code it states less than its error.
    fn scenario() -> Scenario {
        let mut scenario = Scenario::demo();
        scenario.duration_s = 1_200.0;
        let mut gnss = GnssScenario {
            correlation_s: 2.0,
            ..GnssScenario::default()
        };
        gnss.single.stated_horizontal_m = Some(1.0);
        scenario.nav.gnss = Some(gnss);
        let window = |kind, from_s: f64| OutageScenario {
            kind,
            from_s,
            to_s: from_s + 300.0,
            bounds_m: None,
        };
        // One epoch after the last window's end is fixed again.
        scenario.nav.outage = vec![
            window(FixKind::Float, 300.0),
            window(FixKind::Single, 600.0),
            window(FixKind::Outage, 900.0),
        ];
        scenario
    }

    #[test]
    fn each_kind_has_the_error_it_was_given() {
        let scenario = scenario();
        let vessel = Vessel::new(&scenario);
        let receiver = scenario.nav.gnss.clone().unwrap();
        let gnss = Gnss::new(&scenario, &receiver, &vessel, Origin::default());
        assert_eq!(gnss.count(), 900 * 5 + 1, "an outage has no fixes");
        for (kind, from, fix) in [
            ("fixed", 0, &receiver.fixed),
            ("float", 300, &receiver.float),
            ("single", 600, &receiver.single),
        ] {
            let part = &gnss.fixes[from * 5..(from + 300) * 5];
            let rms = |axis: usize| {
                let sum: f64 = part.iter().map(|f| f.error_m[axis].powi(2)).sum();
                (sum / part.len() as f64).sqrt()
            };
            let stated = part[0].stated_m2.map(f64::sqrt);
            println!(
                "gnss {kind}: east {:.4} m, up {:.4} m, expected {} and {}, stated {:.3} and {:.3}",
                rms(0),
                rms(2),
                fix.horizontal_m,
                fix.up_m,
                stated[0],
                stated[2]
            );
            // About 1500 fixes of which half the variance is correlated over 2 s: 5 % of the sigma.
            assert!((rms(0) / fix.horizontal_m - 1.0).abs() < 0.15);
            assert!((rms(2) / fix.up_m - 1.0).abs() < 0.15);
            assert!((stated[0] - fix.stated_m()[0]).abs() < 1e-12);
        }
    }

    #[test]
    fn the_fix_is_where_the_antenna_is() {
        let mut scenario = scenario();
        let receiver = scenario.nav.gnss.as_mut().unwrap();
        receiver.fixed = FixScenario {
            horizontal_m: 0.0,
            up_m: 0.0,
            ..FixScenario::default()
        };
        let receiver = receiver.clone();
        let vessel = Vessel::new(&scenario);
        let origin = crate::rig::build(&scenario).origin.unwrap();
        let gnss = Gnss::new(&scenario, &receiver, &vessel, origin.clone());
        let pose = Transform::<World, Body>::new(
            nalgebra::UnitQuaternion::from_scaled_axis(Vector3::new(0.1, 0.2, -1.0)),
            Vector3::new(30.0, -4.0, 0.5),
        );
        let place = gnss.fix(7, &pose).place;
        let back = origin.world_from_body(&place, nalgebra::UnitQuaternion::identity());
        let [forward, starboard, down] = receiver.antenna_m;
        let expected = (pose * Point::<Body>::new(forward, -starboard, -down)).vector();
        assert!((back.translation() - expected).norm() < 1e-6);
    }
}
