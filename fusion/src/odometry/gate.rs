//! How far partners are looked for, and how much a residual counts.
//!
//! The gate is three sigma of what predictions of the motion got wrong so far, as in KISS-ICP
//! (Vizzo et al., IEEE RA-L 8(2), 2023), but old errors are forgotten and small ones count too.
//! Inside one alignment it narrows from step to step to what the residuals themselves are like.

use beluga_types::elementary::{Squared, powf};

use crate::solve::Sums;

/// Farthest partner looked for in the end, in voxels: map points lie up to half a voxel apart.
const LEAST_REACH: f32 = 0.75;
/// Smallest sigma believed of residuals, in metres.
const MIN_SIGMA_M: f64 = 0.003;
/// Smallest sigma believed of residuals against points, in voxels.
///
/// The map keeps its points a 20th of a face apart, so a place on a surface lies beside the nearest of
/// them by that spacing over √12 along its ring, as on a square grid, and by nothing across the surface:
/// √(1/2) · √(1/20) / √12. Residuals come out smaller where a scan's points fall onto
/// those of the scan before. Such points would say to the millimetre that nothing has moved, whatever has.
const SAMPLING: f64 = 0.045_6;
/// Smallest sigma believed of a predicted motion, in metres.
const MIN_MOTION_M: f64 = 0.1;
/// Predictions remembered.
const MEAN_OVER: f64 = 20.0;
/// By how much the kernel narrows from step to step.
const NARROWING: f64 = 0.7;
/// Sigmas of residuals before any is known, against planes and points, in metres.
const FIRST_SIGMA_M: (f64, f64) = (0.05, 0.2);

/// Scans over which the part of points with partners is averaged, and after which it is known.
const SHARES_OVER: f64 = 10.0;
const KNOWN_AFTER: f64 = 1.0;
/// Part of that below which a scan is not believed, and below which only where it was expected.
const FAR_FEWER: f64 = 0.6;
const FEWER: f64 = 0.85;
const SIGMAS_OFF: f64 = 1.5;

/// What predictions of the motion got wrong so far.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    initial_m: f64,
    square: f64,
    count: f64,
}

impl Gate {
    pub(crate) fn new(initial_m: f64) -> Self {
        Self {
            initial_m,
            square: initial_m * initial_m,
            count: 1.0,
        }
    }

    /// One sigma before anything was known, in metres.
    pub(crate) fn initial_m(&self) -> f64 {
        self.initial_m
    }

    /// One sigma of a prediction, in metres.
    pub(crate) fn sigma_m(&self) -> f64 {
        self.square.sqrt().max(MIN_MOTION_M)
    }

    pub(crate) fn learn(&mut self, error_m: f64) {
        if error_m.is_finite() {
            self.count = (self.count + 1.0).min(MEAN_OVER);
            let error_m = error_m.min(self.initial_m);
            self.square += (error_m * error_m - self.square) / self.count;
        }
    }
}

/// Which part of a scan's points found partners so far, and whether a scan is of the same place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlap {
    share: f64,
    count: f64,
}

impl Overlap {
    pub(crate) fn learn(&mut self, share: f64) {
        self.count = (self.count + 1.0).min(SHARES_OVER);
        self.share += (share - self.share) / self.count;
    }

    /// Whether a scan may lie where it was laid: not if far fewer of its points than usual have
    /// partners there, nor if fewer have and it is also so many sigma from where it was expected.
    pub(crate) fn is_believable(&self, share: f64, sigmas_off: f64) -> bool {
        let usual = self.share;
        self.count < KNOWN_AFTER
            || share >= FEWER * usual
            || (share >= FAR_FEWER * usual && sigmas_off <= SIGMAS_OFF)
    }
}

/// What one step of an alignment believes of its residuals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    pub(crate) reach_m: f32,
    least_reach_m: f32,
    /// Smallest sigma believed of residuals against points, in metres.
    sampling_m: f64,
    kernel_m: f64,
    pub(crate) plane: Kernel,
    pub(crate) point: Kernel,
}

/// Geman–McClure: of a square r², the loss `k² r² / (k² + r²)` and the weight `(k² / (k² + r²))²`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel {
    k2: f64,
    /// One over the residuals' variance.
    pub(crate) information: f64,
}

impl Kernel {
    fn new(kernel_m: f64, sigma_m: f64) -> Self {
        Self {
            k2: kernel_m.squared().max((3.0 * sigma_m).squared()),
            information: 1.0 / sigma_m.squared(),
        }
    }

    pub(crate) fn weight(&self, square: f64) -> f64 {
        let part = self.k2 / (self.k2 + square);
        part * part
    }

    pub(crate) fn loss(&self, square: f64) -> f64 {
        0.5 * self.information * self.k2 * square / (self.k2 + square)
    }
}

impl Fit {
    /// The first step of an alignment whose guess has this sigma, on a map of this voxel.
    pub(crate) fn new(motion_sigma_m: f64, voxel_m: f32) -> Self {
        let least_reach_m = LEAST_REACH * voxel_m;
        Self {
            reach_m: ((3.0 * motion_sigma_m) as f32).max(least_reach_m),
            least_reach_m,
            sampling_m: SAMPLING * f64::from(voxel_m),
            kernel_m: motion_sigma_m,
            plane: Kernel::new(motion_sigma_m, FIRST_SIGMA_M.0),
            point: Kernel::new(motion_sigma_m, FIRST_SIGMA_M.1),
        }
    }

    /// Takes the sigmas the residuals had, and narrows the kernel towards them.
    pub(crate) fn narrowed(&self, sums: &Sums) -> Self {
        let kernel_m = self.kernel_m * NARROWING;
        let sigma = |found: Option<f64>, kernel: &Kernel, least_m: f64| {
            found.map_or(powf(kernel.information, -0.5), |sigma| sigma.max(least_m))
        };
        let reach_m = self.reach_m.min((3.0 * kernel_m) as f32).max(self.least_reach_m);
        Self {
            reach_m,
            least_reach_m: self.least_reach_m,
            sampling_m: self.sampling_m,
            kernel_m,
            plane: Kernel::new(kernel_m, sigma(sums.planes.sigma(), &self.plane, MIN_SIGMA_M)),
            point: Kernel::new(
                kernel_m,
                sigma(sums.points.sigma(), &self.point, self.sampling_m.max(MIN_SIGMA_M)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_follows_the_errors_and_forgets_the_start() {
        let mut gate = Gate::new(2.0);
        assert_eq!(gate.sigma_m(), 2.0);
        for _ in 0..200 {
            gate.learn(0.3);
        }
        assert!((gate.sigma_m() - 0.3).abs() < 0.01, "{}", gate.sigma_m());
        for _ in 0..400 {
            gate.learn(0.001);
        }
        assert_eq!(gate.sigma_m(), MIN_MOTION_M);
        gate.learn(f64::NAN);
        gate.learn(1e9);
        assert!(gate.sigma_m() <= 2.0);
    }

    #[test]
    fn a_scan_with_too_few_partners_is_not_believed() {
        let mut overlap = Overlap::default();
        assert!(overlap.is_believable(0.1, 9.0), "nothing is known yet");
        overlap.learn(0.9);
        overlap.learn(0.94);
        assert!(overlap.is_believable(0.8, 9.0));
        assert!(overlap.is_believable(0.7, 1.0) && !overlap.is_believable(0.7, 2.0));
        assert!(!overlap.is_believable(0.5, 0.0));
        assert!(!overlap.is_believable(0.7, f64::NAN));
    }

    /// A scan whose points lie on the map's to a tenth of a millimetre, plane or not.
    #[test]
    fn residuals_against_points_are_no_smaller_than_the_map_is_fine() {
        let mut sums = Sums::default();
        for _ in 0..100 {
            sums.planes.add(1.0, 1e-8);
            sums.points.add(1.0, 1e-8);
        }
        for voxel_m in [0.5f32, 1.0] {
            let fit = Fit::new(0.1, voxel_m).narrowed(&sums);
            let sigma = |kernel: &Kernel| powf(kernel.information, -0.5);
            assert!((sigma(&fit.plane) - MIN_SIGMA_M).abs() < 1e-9);
            assert!((sigma(&fit.point) - SAMPLING * f64::from(voxel_m)).abs() < 1e-9);
        }
    }

    #[test]
    fn the_weight_is_the_slope_of_the_loss() {
        let kernel = Kernel::new(0.4, 0.05);
        for square in [0.0, 0.01, 0.3, 4.0] {
            let slope = (kernel.loss(square + 1e-6) - kernel.loss(square)) / 1e-6;
            let wanted = 0.5 * kernel.information * kernel.weight(square);
            assert!((slope - wanted).abs() < 1e-3 * kernel.information);
        }
    }
}
