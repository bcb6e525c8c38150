//! How an inertial system's position goes astray without satellites, and comes back.
//!
//! An outage begins with a velocity error, and noise of the accelerometers makes it a random walk;
//! position is its integral (P. D. Groves, "Principles of GNSS, Inertial, and Multisensor Integrated
//! Navigation Systems", 2nd edition 2013, section 5.7). When satellites return, the error decays.
//! The variance is carried along with the error by the same linear steps, so it is the true one.

use nalgebra::Vector3;

use crate::random::{Dice, Source};
use crate::scenario::NavScenario;

/// Position error along the axes of `World` (m), and the variance of each axis (m²).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Growth {
    pub(super) offset_m: Vector3<f64>,
    pub(super) variance_m2: f64,
}

/// The state between two samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Drift {
    place: Vector3<f64>,
    velocity: Vector3<f64>,
    /// Variances of place and velocity, and their covariance.
    place_2: f64,
    velocity_2: f64,
    both: f64,
    lost: bool,
}

impl Drift {
    /// One sample later.
    pub(super) fn step(&mut self, nav: &NavScenario, seed: u64, sample: u64, lost: bool) -> Growth {
        let dt = 1.0 / nav.rate_hz;
        let draw = |part: u64| {
            Vector3::from_fn(|axis, _| Dice::new(seed, Source::NavOutage, sample, axis as u64).normal(part))
        };
        if lost {
            if !self.lost {
                self.velocity = draw(0) * nav.outage_velocity_m_per_s;
                self.velocity_2 = nav.outage_velocity_m_per_s.powi(2);
                self.both = 0.0;
            }
            self.place += self.velocity * dt;
            self.place_2 += (2.0 * self.both + self.velocity_2 * dt) * dt;
            self.both += self.velocity_2 * dt;
            self.velocity += draw(1) * (nav.outage_walk_m_per_s_per_sqrt_s * dt.sqrt());
            self.velocity_2 += nav.outage_walk_m_per_s_per_sqrt_s.powi(2) * dt;
        } else {
            let keep = (-dt / nav.recovery_s).exp();
            self.place *= keep;
            self.place_2 *= keep * keep;
        }
        self.lost = lost;
        Growth {
            offset_m: self.place,
            variance_m2: self.place_2,
        }
    }
}
