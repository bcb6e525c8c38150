//! Where the water surface is: the mean of the body's height over some swells, with its sigma.

use beluga_types::{Stamp, Waterline};

/// Time over which heights are averaged, in seconds: several swells of a harbour.
const MEAN_OVER_S: f64 = 20.0;
/// Heave before anything is known, one sigma in metres.
const FIRST_SIGMA_M: f64 = 0.1;
/// Length of a swell, in seconds: heights closer than this are alike.
const SWELL_S: f64 = 5.0;

/// Running mean of the height of the waterline mark.
pub(crate) struct WaterlineMean {
    above_body_m: Option<f64>,
    last: Option<Stamp>,
    mean_m: f64,
    variance_m2: f64,
    seconds: f64,
}

impl WaterlineMean {
    /// `above_body_m` is the rig's: height of the waterline above the `Body` origin at rest.
    pub(crate) fn new(above_body_m: Option<f64>) -> Self {
        Self {
            above_body_m: above_body_m.filter(|height| height.is_finite()),
            last: None,
            mean_m: 0.0,
            variance_m2: FIRST_SIGMA_M * FIRST_SIGMA_M,
            seconds: 0.0,
        }
    }

    /// Takes the body's height in `World` with its variance; gives the waterline so far.
    pub(crate) fn update(&mut self, stamp: Stamp, body_z_m: f64, variance_m2: f64) -> Option<Waterline> {
        let mark_m = body_z_m + self.above_body_m?;
        let Some(last) = self.last.replace(stamp) else {
            self.mean_m = mark_m;
            return Some(self.waterline(variance_m2));
        };
        let dt_s = stamp.seconds_since(last).clamp(0.0, MEAN_OVER_S);
        self.seconds = (self.seconds + dt_s).min(MEAN_OVER_S);
        let weight = if self.seconds > 0.0 {
            dt_s / self.seconds
        } else {
            0.0
        };
        let difference = mark_m - self.mean_m;
        self.mean_m += weight * difference;
        let slow = (dt_s / MEAN_OVER_S).min(1.0);
        self.variance_m2 += slow * (difference * difference - self.variance_m2);
        Some(self.waterline(variance_m2))
    }

    fn waterline(&self, pose_variance_m2: f64) -> Waterline {
        let independent = (self.seconds / SWELL_S).max(1.0);
        Waterline {
            z_m: self.mean_m,
            sigma_m: (self.variance_m2 / independent + pose_variance_m2.max(0.0)).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::sin;

    #[test]
    fn swell_averages_out() {
        let mut mean = WaterlineMean::new(Some(0.4));
        let mut last = None;
        for i in 0..600 {
            let t = 0.1 * f64::from(i);
            let z = 3.0 + 0.15 * sin(std::f64::consts::TAU * t / 5.0);
            last = mean.update(Stamp::from_nanos((t * 1e9) as i64), z, 1e-4);
        }
        let found = last.unwrap();
        assert!((found.z_m - 3.4).abs() < 0.02, "{found:?}");
        assert!(found.sigma_m > 0.02 && found.sigma_m < 0.1, "{found:?}");
        assert!((found.z_m - 3.4).abs() < 2.0 * found.sigma_m);
    }

    #[test]
    fn a_vehicle_that_is_not_afloat_has_none() {
        assert_eq!(WaterlineMean::new(None).update(Stamp::default(), 1.0, 0.0), None);
    }
}
