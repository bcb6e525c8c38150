//! The seam: how far the face seen by light and the face seen by sound lie apart where they would
//! meet.

use nalgebra::{DMatrix, DVector, Matrix2, RowDVector, Vector2};

use beluga_types::Medium;

use crate::wall::OnWall;

/// The faces are fitted over this height above and below the strip nobody saw, metres.
const FIT_M: f64 = 2.0;
/// Points farther from the face than this are something else (a ladder, a fender), metres.
const REACH_M: f64 = 0.08;
/// Fewer points than this are no face.
const FEWEST: usize = 30;
/// The points of a face reach at least over this height, metres.
const SPAN_M: f64 = 0.5;
/// Wider than this a strip is not bridged by thought, metres.
const WIDEST_M: f64 = 3.0;
/// Half width of a 95 % interval in sigmas of a normal distribution.
pub(crate) const SIGMAS_95: f64 = 1.96;

/// A point near the wall with what is known of its place along the wall's normal.
#[derive(Clone, Debug)]
pub(crate) struct Weighed {
    pub(crate) at: OnWall,
    pub(crate) medium: Medium,
    /// Variance of its random error along the normal, m².
    pub(crate) variance_m2: f64,
    /// How it moves along the normal with each state of its frame that points share.
    pub(crate) row: RowDVector<f64>,
}

/// The offset of the sonar's face against the lidar's along the wall's normal, both carried
/// straight on to the middle of the strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seam {
    /// Positive if the sonar's face stands out, towards the vessel; metres.
    pub(crate) offset_m: f64,
    /// Half width of its 95 % interval, metres: random errors and what points share.
    pub(crate) half_width_95_m: f64,
    /// Where: the middle of the strip, metres.
    pub(crate) level_m: f64,
}

/// The seam of these points, whose shared states have this covariance.
///
/// Each face is a straight line off = a + b (level − middle), by weighted least squares over the
/// two metres next to the strip. The random part is scaled up where points scatter more than they
/// say. That the wall goes on straight between is assumed, not measured.
///
/// # Errors
/// Why there is none, for people.
pub(crate) fn seam(points: &[Weighed], shared: &DMatrix<f64>) -> Result<Seam, &'static str> {
    let of = |medium: Medium| -> Vec<&Weighed> {
        points
            .iter()
            .filter(|point| point.medium == medium && point.row.len() == shared.nrows())
            .collect()
    };
    let (light, sound) = (of(Medium::Air), of(Medium::Water));
    if light.len() < FEWEST {
        return Err("no lidar on the wall here");
    }
    if sound.len() < FEWEST {
        return Err("no sonar on the wall here");
    }
    // One point in fifty may be a stray.
    let low_m = quantile(light.iter().map(|point| point.at.level_m), 0.02);
    let high_m = quantile(sound.iter().map(|point| point.at.level_m), 0.98);
    if low_m - high_m > WIDEST_M {
        return Err("too far apart");
    }
    let level_m = 0.5 * (low_m + high_m);
    let above = Face::fit(light, [low_m, low_m + FIT_M], level_m).ok_or("no plane above the water")?;
    let below = Face::fit(sound, [high_m - FIT_M, high_m], level_m).ok_or("no plane below the water")?;
    let row = below.row - above.row;
    let variance = above.variance_m2 + below.variance_m2 + (&row * shared * row.transpose())[(0, 0)];
    if !variance.is_finite() || variance < 0.0 {
        return Err("its error is not known");
    }
    Ok(Seam {
        offset_m: below.off_m - above.off_m,
        half_width_95_m: SIGMAS_95 * variance.sqrt(),
        level_m,
    })
}

/// A face carried on to the middle of the strip.
struct Face {
    off_m: f64,
    variance_m2: f64,
    row: RowDVector<f64>,
}

impl Face {
    /// The straight line through the points between these levels, at `level_m`.
    fn fit(mut points: Vec<&Weighed>, [low_m, high_m]: [f64; 2], level_m: f64) -> Option<Self> {
        points.retain(|point| (low_m..=high_m).contains(&point.at.level_m));
        let mut line = Vector2::new(densest(points.iter().map(|point| point.at.off_m))?, 0.0);
        let design = |point: &Weighed| Vector2::new(1.0, point.at.level_m - level_m);
        let weight = |point: &Weighed| 1.0 / point.variance_m2.max(1e-8);
        let mut kept = points.clone();
        let mut inverse = Matrix2::zeros();
        for _ in 0..4 {
            kept = points.clone();
            kept.retain(|point| (point.at.off_m - line.dot(&design(point))).abs() < REACH_M);
            let levels = || kept.iter().map(|point| point.at.level_m);
            if kept.len() < FEWEST || quantile(levels(), 0.95) - quantile(levels(), 0.05) < SPAN_M {
                return None;
            }
            let mut normal_matrix = Matrix2::zeros();
            let mut right = Vector2::zeros();
            for point in &kept {
                let row = design(point);
                normal_matrix += row * row.transpose() * weight(point);
                right += row * (weight(point) * point.at.off_m);
            }
            inverse = normal_matrix.try_inverse()?;
            line = inverse * right;
        }
        // The line's value is a weighted sum of the points: so is how it moves with shared states.
        let mut row = RowDVector::zeros(kept[0].row.len());
        let mut scatter = 0.0;
        for point in &kept {
            let part = (inverse * design(point)).x * weight(point);
            row += &point.row * part;
            scatter += (point.at.off_m - line.dot(&design(point))).powi(2) * weight(point);
        }
        let scale = (scatter / (kept.len() - 2) as f64).max(1.0);
        Some(Self {
            off_m: line.x,
            variance_m2: inverse[(0, 0)] * scale,
            row,
        })
    }
}

/// The value that a part of all lies below; nothing is below nothing.
pub(crate) fn quantile(values: impl Iterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    if values.is_empty() {
        return 0.0;
    }
    let place = (part * (values.len() - 1) as f64).round() as usize;
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}

/// Where most values lie within two centimetres: the middle of the fullest bin and its neighbours.
fn densest(values: impl Iterator<Item = f64>) -> Option<f64> {
    const BIN_M: f64 = 0.02;
    let mut counts = std::collections::BTreeMap::<i64, u32>::new();
    for value in values {
        *counts.entry((value / BIN_M).floor() as i64).or_default() += 1;
    }
    let around = |bin: i64| -> u32 { (bin - 1..=bin + 1).filter_map(|bin| counts.get(&bin)).sum() };
    let bin = counts.keys().copied().max_by_key(|&bin| around(bin))?;
    Some((bin as f64 + 0.5) * BIN_M)
}

/// A covariance as it stands in a frame: row-major.
pub(crate) fn square(states: usize, covariance: &[f64]) -> DMatrix<f64> {
    if covariance.len() == states * states {
        DMatrix::from_row_slice(states, states, covariance)
    } else {
        DMatrix::from_diagonal(&DVector::zeros(states))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A simple generator of normal numbers, by the sum of twelve uniform ones.
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> f64 {
            let mut sum = -6.0;
            for _ in 0..12 {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                sum += (self.0 >> 11) as f64 / (1u64 << 53) as f64;
            }
            sum
        }
    }

    /// A wall with a strip from −0.3 to 0.5 m, the sonar's face `step_m` out, plus a range bias of
    /// either sensor.
    fn wall(noise: &mut Noise, step_m: f64, bias_m: [f64; 2]) -> Vec<Weighed> {
        let mut points = Vec::new();
        for i in 0..600 {
            let part = f64::from(i) / 600.0;
            let mut push = |medium, level_m, off_m: f64, sigma_m: f64, row: [f64; 2]| {
                points.push(Weighed {
                    at: OnWall {
                        along_m: part,
                        off_m: off_m + sigma_m * noise.next(),
                        level_m,
                    },
                    medium,
                    variance_m2: sigma_m * sigma_m,
                    row: RowDVector::from_row_slice(&row),
                });
            };
            let lean = |level: f64| 0.01 * level;
            let above = 0.5 + 2.5 * part;
            push(Medium::Air, above, lean(above) + bias_m[0], 0.015, [1.0, 0.0]);
            let below = -0.3 - 4.0 * part;
            push(
                Medium::Water,
                below,
                lean(below) + step_m + bias_m[1],
                0.02,
                [0.0, 1.0],
            );
            if i % 10 == 0 {
                push(Medium::Air, above, 0.2, 0.015, [1.0, 0.0]);
            }
        }
        points
    }

    #[test]
    fn a_planted_step_comes_back_with_a_truthful_interval() {
        let mut noise = Noise(7);
        let sigma = [0.004, 0.006];
        let shared =
            DMatrix::from_diagonal(&DVector::from_vec(vec![sigma[0] * sigma[0], sigma[1] * sigma[1]]));
        let mut inside = 0;
        for _ in 0..100 {
            let bias = sigma.map(|sigma| sigma * noise.next());
            let seam = seam(&wall(&mut noise, 0.020, bias), &shared).unwrap();
            assert!((seam.level_m - 0.1).abs() < 0.05, "{seam:?}");
            assert!((0.013..0.018).contains(&seam.half_width_95_m), "{seam:?}");
            inside += usize::from((seam.offset_m - 0.020).abs() <= seam.half_width_95_m);
        }
        // 95 % of 100, three sigmas of a binomial count below.
        assert!((88..=100).contains(&inside), "{inside} of 100");
    }

    #[test]
    fn random_errors_alone_give_a_truthful_interval_too() {
        let mut noise = Noise(11);
        let none = DMatrix::zeros(2, 2);
        let inside = (0..100)
            .filter(|_| {
                let seam = seam(&wall(&mut noise, -0.015, [0.0; 2]), &none).unwrap();
                (seam.offset_m + 0.015).abs() <= seam.half_width_95_m
            })
            .count();
        assert!((88..=100).contains(&inside), "{inside} of 100");
    }

    #[test]
    fn what_cannot_be_measured_is_said() {
        let mut noise = Noise(3);
        let shared = DMatrix::zeros(2, 2);
        let both = wall(&mut noise, 0.0, [0.0; 2]);
        let of = |medium| -> Vec<Weighed> { both.iter().filter(|p| p.medium == medium).cloned().collect() };
        assert_eq!(seam(&of(Medium::Air), &shared), Err("no sonar on the wall here"));
        assert_eq!(
            seam(&of(Medium::Water), &shared),
            Err("no lidar on the wall here")
        );
        let mut scattered = both.clone();
        for (i, point) in scattered
            .iter_mut()
            .enumerate()
            .filter(|(_, p)| p.medium == Medium::Water)
        {
            point.at.off_m = (i as f64 * 0.618).fract() * 40.0;
        }
        assert_eq!(seam(&scattered, &shared), Err("no plane below the water"));
    }
}
