//! The bed: a sloping plane with ripples, random relief and scour holes.

use std::f64::consts::TAU;

use nalgebra::Vector3;

use super::Kind;
use super::builder::Builder;
use super::pier;
use crate::error::Error;
use crate::random::{Dice, Source};
use crate::scenario::{BedScenario, PierScenario};

/// Sines in the random relief.
const WAVES: u64 = 48;
/// The longest of them, in metres.
const LONGEST_M: f64 = 30.0;
/// Exponent of the two-dimensional relief spectrum: D. Jackson, M. Richardson, "High-Frequency Seafloor
/// Acoustics", Springer 2007, chapter 6, give 2.4 to 3.9.
const SPECTRAL_EXPONENT: f64 = 3.25;
/// The most triangles of a bed.
const MOST_TRIANGLES: f64 = 300_000.0;

/// A sine of the relief.
#[derive(Clone, Copy, Debug)]
struct Wave {
    amplitude: f64,
    /// Radians per metre along the course and to port.
    number: [f64; 2],
    phase: f64,
}

/// The bed's height everywhere.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// Place to port and height of the line from which it falls.
    foot: [f64; 2],
    /// Fall per metre to port.
    fall: f64,
    waves: Vec<Wave>,
    piers: Vec<PierScenario>,
    cell: f64,
    /// How far the relief can lie below the plane.
    under: f64,
}

impl Ground {
    /// A plane that falls to port from a line at `foot` (place to port, height), with its relief.
    pub(super) fn new(
        seed: u64,
        bed: &BedScenario,
        foot: [f64; 2],
        fall: f64,
        piers: &[PierScenario],
    ) -> Self {
        let mut waves = Vec::new();
        if bed.ripple_height_m > 0.0 {
            let (sin, cos) = bed.ripple_turn_deg.to_radians().sin_cos();
            let number = TAU / bed.ripple_length_m;
            waves.push(Wave {
                amplitude: 0.5 * bed.ripple_height_m,
                number: [number * cos, number * sin],
                phase: TAU * Dice::new(seed, Source::Bed, 0, 0).uniform(0),
            });
        }
        if bed.roughness_m > 0.0 {
            waves.extend(random_relief(seed, bed));
        }
        let scoured = piers.iter().map(|pier| pier.scour_depth_m).fold(0.0, f64::max);
        let relief: f64 = waves.iter().map(|wave| wave.amplitude).sum();
        Self {
            foot,
            fall,
            waves,
            piers: piers
                .iter()
                .filter(|pier| pier.scour_depth_m > 0.0)
                .cloned()
                .collect(),
            cell: bed.cell_m,
            under: relief.min(0.5 * bed.ripple_height_m + 4.0 * bed.roughness_m) + scoured,
        }
    }

    /// Height of the bed.
    pub(super) fn z(&self, x: f64, y: f64) -> f64 {
        let relief: f64 = self
            .waves
            .iter()
            .map(|wave| wave.amplitude * (wave.number[0] * x + wave.number[1] * y + wave.phase).sin())
            .sum();
        let scour = self
            .piers
            .iter()
            .map(|hole| {
                let near = 1.0 - pier::distance(hole, x, y) / hole.scour_reach_m;
                hole.scour_depth_m * near.max(0.0).powi(2)
            })
            .fold(0.0, f64::max);
        self.foot[1] - self.fall * (y - self.foot[0]) + relief - scour
    }

    /// How far it can lie below its plane.
    pub(super) fn under(&self) -> f64 {
        self.under
    }

    pub(super) fn is_flat(&self) -> bool {
        self.waves.is_empty() && self.piers.is_empty()
    }

    /// Adds the bed between two places along the course and two to port: one rectangle if it is flat,
    /// else triangles.
    ///
    /// # Errors
    /// [`Error::Site`] if that would be too many.
    pub(super) fn build(&self, builder: &mut Builder, xs: [f64; 2], ys: [f64; 2]) -> Result<(), Error> {
        let corner = |x: f64, y: f64| Vector3::new(x, y, self.z(x, y));
        let (along, across) = (xs[1] - xs[0], ys[1] - ys[0]);
        if self.is_flat() {
            let start = corner(xs[0], ys[0]);
            builder.rectangle(
                Kind::Bed,
                start,
                corner(xs[0], ys[1]) - start,
                Vector3::x() * along,
            );
            return Ok(());
        }
        let [columns, rows] = [along, across].map(|length| (length / self.cell).ceil().max(1.0));
        if 2.0 * columns * rows > MOST_TRIANGLES {
            return Err(Error::Site {
                part: "site.bed".to_owned(),
                problem: format!(
                    "{columns} by {rows} cells are more than 150000; make `cell_m` larger or `reach_m` or \
                     `span_m` smaller"
                ),
            });
        }
        let at = |i: u32, j: u32| {
            corner(
                xs[0] + along * f64::from(i) / columns,
                ys[0] + across * f64::from(j) / rows,
            )
        };
        for i in 0..columns as u32 {
            for j in 0..rows as u32 {
                let [a, b, c, d] = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
                builder.triangle(Kind::Bed, [a, b, c]);
                builder.triangle(Kind::Bed, [a, c, d]);
            }
        }
        Ok(())
    }
}

/// Sines of random directions and phases, their lengths spread evenly in logarithm. The variance in
/// a band of logarithmic width goes as k^(2 - γ), so amplitudes go as the length to the (γ - 2)/2.
fn random_relief(seed: u64, bed: &BedScenario) -> Vec<Wave> {
    let shortest = 4.0 * bed.cell_m;
    let ratio = (LONGEST_M / shortest).max(1.0);
    let mut waves: Vec<Wave> = (0..WAVES)
        .map(|i| {
            let dice = Dice::new(seed, Source::Bed, 1, i);
            let length = shortest * ratio.powf((i as f64 + dice.uniform(0)) / WAVES as f64);
            let (sin, cos) = (TAU * dice.uniform(1)).sin_cos();
            Wave {
                amplitude: length.powf(0.5 * (SPECTRAL_EXPONENT - 2.0)),
                number: [TAU / length * cos, TAU / length * sin],
                phase: TAU * dice.uniform(2),
            }
        })
        .collect();
    let variance: f64 = waves.iter().map(|wave| 0.5 * wave.amplitude.powi(2)).sum();
    for wave in &mut waves {
        wave.amplitude *= bed.roughness_m / variance.sqrt();
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ripples_slope_and_roughness_are_as_asked() {
        let bed = BedScenario {
            ripple_height_m: 0.3,
            ripple_length_m: 4.0,
            ..BedScenario::default()
        };
        let ground = Ground::new(1, &bed, [-8.0, -7.0], 0.05, &[]);
        let heights: Vec<f64> = (0..400).map(|i| ground.z(f64::from(i) * 0.01, 2.0)).collect();
        let (low, high) = (
            heights.iter().copied().fold(f64::INFINITY, f64::min),
            heights.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        );
        assert!((high - low - 0.3).abs() < 1e-4, "{low} to {high}");
        assert!((0.5 * (high + low) - (-7.0 - 0.05 * 10.0)).abs() < 1e-4);
        assert!((ground.z(1.0, 2.0) - ground.z(5.0, 2.0)).abs() < 1e-9);

        let bed = BedScenario {
            roughness_m: 0.05,
            ..BedScenario::default()
        };
        let ground = Ground::new(1, &bed, [0.0, 0.0], 0.0, &[]);
        let sum: f64 = (0..40_000)
            .map(|i| {
                ground
                    .z(f64::from(i % 200) * 1.7, f64::from(i / 200) * 1.7)
                    .powi(2)
            })
            .sum();
        let rms = (sum / 40_000.0).sqrt();
        assert!((rms - 0.05).abs() < 0.004, "{rms}");
    }

    #[test]
    fn a_scour_hole_is_deepest_at_its_pier() {
        let pier = PierScenario {
            place_m: [3.0, 0.0],
            turn_deg: 0.0,
            ..PierScenario::default()
        };
        let ground = Ground::new(1, &BedScenario::default(), [0.0, -5.0], 0.0, &[pier]);
        // 6 by 2 m, 1.5 m deep, 3 m wide.
        assert!((ground.z(3.0, 1.0) + 6.5).abs() < 1e-9);
        assert!((ground.z(3.0, 2.5) + 5.375).abs() < 1e-9);
        assert_eq!(ground.z(3.0, 4.1), -5.0);
        assert!((ground.z(7.5, 0.0) + 5.375).abs() < 1e-9);
    }

    #[test]
    fn every_triangle_of_a_bed_looks_up() {
        let bed = BedScenario {
            roughness_m: 0.1,
            ..BedScenario::default()
        };
        let mut builder = Builder::default();
        Ground::new(3, &bed, [0.0, -5.0], 0.1, &[])
            .build(&mut builder, [0.0, 6.0], [0.0, 4.0])
            .unwrap();
        assert_eq!(builder.surfaces.len(), 2 * 12 * 8);
        for surface in &builder.surfaces {
            assert!(surface.shape.normal_at(&Vector3::zeros()).z > 0.5);
        }
        let fine = BedScenario { cell_m: 0.05, ..bed };
        let ground = Ground::new(3, &fine, [0.0, -5.0], 0.1, &[]);
        let error = ground.build(&mut builder, [0.0, 100.0], [0.0, 40.0]).unwrap_err();
        assert!(error.to_string().contains("cell_m"), "{error}");
    }
}
