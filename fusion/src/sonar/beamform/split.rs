//! The two halves of an array, and what the phase between them says of the way sound came.
//!
//! Both halves look where the whole beam looks; sound from beside that reaches one of them first (split
//! aperture; W. Burdic, "Underwater Acoustic System Analysis", Prentice Hall 1991). Of a line without
//! weights the phase is `2π d sin θ / λ` with `d` between the middles of the halves.

use std::f64::consts::TAU;

use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::super::polar::{arg, from_polar};

/// Newton's steps from a phase to a sine; two suffice for an even array.
const STEPS: usize = 6;

/// An array parted across one of its axes.
pub(crate) struct Split {
    /// Unit vector along which the array is parted.
    pub(crate) along: Vector3<f64>,
    /// Share of each element in the half towards `along`: one, none, or half of one in the middle.
    pub(super) shares: Vec<f64>,
    /// Place along the axis in turns at the middle frequency, and the weight in either half.
    elements: Vec<(f64, [f64; 2])>,
}

/// Where sound came from beside a beam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beside {
    /// Sine of the angle along the axis, less that of the beam.
    pub(crate) sine: f64,
    /// Change of it for each rad of phase.
    pub(crate) per_phase: f64,
}

impl Split {
    /// Of elements (place about the middle, weight) across an axis.
    pub(super) fn new(elements: &[(Vector3<f64>, f64)], along: Vector3<f64>, wavelength_m: f64) -> Self {
        let share = |place: &Vector3<f64>| match place.dot(&along) {
            middle if middle.abs() < 1e-6 => 0.5,
            ahead if ahead > 0.0 => 1.0,
            _ => 0.0,
        };
        Self {
            along,
            shares: elements.iter().map(|(place, _)| share(place)).collect(),
            elements: elements
                .iter()
                .map(|(place, weight)| {
                    let share = share(place);
                    let halves = [weight * share, weight * (1.0 - share)];
                    (TAU * place.dot(&along) / wavelength_m, halves)
                })
                .collect(),
        }
    }

    /// Phase of the half ahead against the other for sound from beside the beam by this sine, and the
    /// change of it with the sine.
    fn phase(&self, sine: f64) -> (f64, f64) {
        let mut sums = [Complex::new(0.0, 0.0); 2];
        let mut slopes = sums;
        for (turn, weights) in &self.elements {
            let heard = from_polar(1.0, turn * sine);
            for (half, weight) in weights.iter().enumerate() {
                sums[half] += heard * *weight;
                slopes[half] += heard * Complex::new(0.0, turn * weight);
            }
        }
        let [ahead, behind] = [0, 1].map(|half| (slopes[half] / sums[half]).im);
        (arg(sums[0] * sums[1].conj()), ahead - behind)
    }

    /// Where sound with this phase came from; nothing where no place in the beam's lobe has it.
    pub(crate) fn beside(&self, phase_rad: f64) -> Option<Beside> {
        let mut sine = 0.0;
        for _ in 0..STEPS {
            let (found, slope) = self.phase(sine);
            sine += (phase_rad - found) / slope;
        }
        let (found, slope) = self.phase(sine);
        let is_met = (found - phase_rad).abs() < 1e-6 && slope > 0.0 && sine.abs() < 1.0;
        is_met.then_some(Beside {
            sine,
            per_phase: 1.0 / slope,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::sin;

    #[test]
    fn the_phase_is_that_of_a_split_beam() {
        // Eight elements 7.5 mm apart: the middles of the halves lie 30 mm apart. 100 kHz, 1500 m/s.
        let elements: Vec<_> = (0..8)
            .map(|i| (Vector3::y() * (f64::from(i) - 3.5) * 0.0075, 0.125))
            .collect();
        let split = Split::new(&elements, Vector3::y(), 0.015);
        // 20° lies beyond the lobe, where the phase has wrapped past π.
        for (degrees, expected) in [(5.0f64, 1.095_231), (20.0, 4.297_952 - TAU)] {
            let (phase, slope) = split.phase(sin(degrees.to_radians()));
            assert!((phase - expected).abs() < 1e-6, "{degrees}°: {phase}");
            assert!((slope - TAU * 0.03 / 0.015).abs() < 1e-9);
        }
        let beside = split.beside(1.095_231).unwrap();
        assert!((beside.sine - sin(5f64.to_radians())).abs() < 1e-6);
        assert_eq!(split.beside(f64::NAN), None);
    }

    #[test]
    fn an_odd_and_weighted_array_is_met_too() {
        let weights = [0.3, 0.8, 1.0, 0.8, 0.3];
        let elements: Vec<_> = (0..5)
            .map(|i| (Vector3::x() * (f64::from(i) - 2.0) * 0.007, weights[i as usize]))
            .collect();
        let split = Split::new(&elements, Vector3::x(), 0.015);
        assert_eq!(split.shares, [0.0, 0.0, 0.5, 1.0, 1.0]);
        for sine in [-0.2, -0.05, 0.0, 0.1, 0.25] {
            let (phase, _) = split.phase(sine);
            assert!((split.beside(phase).unwrap().sine - sine).abs() < 1e-9, "{sine}");
        }
    }
}
