//! Signed distances as counts per tenth of a millimetre: small, and the same in any order.

use serde::Serialize;

use super::OUTLIER_M;

/// Width of a bin, in metres.
const BIN_M: f64 = 1e-4;
/// Bins on either side of zero.
const HALF: usize = 5_000;

/// Signed distances to a surface.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    outliers: u64,
}

/// Distances of points to the true surface, in metres, each to a tenth of a millimetre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SurfaceError {
    /// Points within half a metre of a surface; the numbers below are of these.
    pub points: u64,
    /// Median of the distance without sign.
    pub median_m: f64,
    /// 95th percentile of the distance without sign.
    pub p95_m: f64,
    /// Mean of the signed distance; positive is in front of the surface.
    pub bias_m: f64,
    /// Median of the signed distance.
    pub signed_median_m: f64,
    /// Part of all points that is farther than half a metre from every surface, 0 to 1.
    pub outlier_fraction: f64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            counts: vec![0; 2 * HALF],
            outliers: 0,
        }
    }

    /// Adds a signed distance; nothing stands for a point far from everything.
    pub(super) fn add(&mut self, signed_m: Option<f64>) {
        match signed_m {
            Some(signed) if signed.abs() <= OUTLIER_M => {
                let bin = (signed / BIN_M).floor() + HALF as f64;
                self.counts[bin.clamp(0.0, (2 * HALF - 1) as f64) as usize] += 1;
            }
            _ => self.outliers += 1,
        }
    }

    /// Adds its counts to bins of `bin_m` from `from_m` on; what lies outside them is left out.
    pub(super) fn fold_into(&self, bins: &mut [u64], from_m: f64, bin_m: f64) {
        for (i, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let middle = (i as f64 + 0.5 - HALF as f64) * BIN_M;
            let bin = ((middle - from_m) / bin_m).floor();
            if bin >= 0.0 && bin < bins.len() as f64 {
                bins[bin as usize] += count;
            }
        }
    }

    pub(super) fn finish(&self) -> SurfaceError {
        let points: u64 = self.counts.iter().sum();
        if points + self.outliers == 0 {
            return SurfaceError::default();
        }
        let outlier_fraction = self.outliers as f64 / (points + self.outliers) as f64;
        if points == 0 {
            return SurfaceError {
                outlier_fraction,
                ..SurfaceError::default()
            };
        }
        let folded = (0..HALF).map(|i| self.counts[HALF + i] + self.counts[HALF - 1 - i]);
        let folded: Vec<u64> = folded.collect();
        let middle = |bin: usize| (bin as f64 + 0.5 - HALF as f64) * BIN_M;
        let sum: f64 = (0..2 * HALF)
            .map(|bin| self.counts[bin] as f64 * middle(bin))
            .sum();
        SurfaceError {
            points,
            median_m: (quantile(&folded, points, 0.5) + 0.5) * BIN_M,
            p95_m: (quantile(&folded, points, 0.95) + 0.5) * BIN_M,
            bias_m: sum / points as f64,
            signed_median_m: middle(quantile(&self.counts, points, 0.5) as usize),
            outlier_fraction,
        }
    }
}

/// The bin in which the given part of all counts is reached.
fn quantile(counts: &[u64], total: u64, part: f64) -> f64 {
    let wanted = (part * total as f64).ceil().max(1.0) as u64;
    let mut sum = 0;
    for (bin, count) in counts.iter().enumerate() {
        sum += count;
        if sum >= wanted {
            return bin as f64;
        }
    }
    counts.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_known_distances() {
        let mut histogram = Histogram::new();
        // -49 mm to +50 mm in millimetres: the median without sign is 25 mm.
        for i in -49..=50 {
            histogram.add(Some(f64::from(i) * 1e-3 + 1e-5));
        }
        for _ in 0..25 {
            histogram.add(None);
        }
        let error = histogram.finish();
        assert_eq!(error.points, 100);
        assert!((error.median_m - 0.025).abs() < 2e-4, "{error:?}");
        assert!((error.p95_m - 0.0475).abs() < 6e-4, "{error:?}");
        assert!((error.bias_m - 0.0005).abs() < 1e-4, "{error:?}");
        assert!((error.signed_median_m - 0.0).abs() < 2e-4, "{error:?}");
        assert!((error.outlier_fraction - 0.2).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_zero_points_and_not_a_division() {
        assert_eq!(Histogram::new().finish(), SurfaceError::default());
        let mut far = Histogram::new();
        far.add(None);
        assert_eq!(far.finish().outlier_fraction, 1.0);
        far.add(Some(OUTLIER_M));
        far.add(Some(-OUTLIER_M));
        assert_eq!(far.finish().points, 2, "the edges belong to the counts");
    }
}
