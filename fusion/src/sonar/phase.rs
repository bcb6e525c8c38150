//! Phase between two elements: what bearing it means, and where it passes zero.

use beluga_types::elementary::{Squared, hypot};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::detect::Candidate;
use super::polar::{arg, from_polar, norm};

/// Two elements as an interferometer.
pub(crate) struct Baseline {
    /// From the second element to the first, in metres.
    pub(crate) apart: Vector3<f64>,
    /// Wavelength at the middle of the pulse.
    pub(crate) wavelength_m: f64,
}

/// A direction by its angle to the plane across the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bearing {
    /// Sine of the angle towards the first element.
    pub(crate) sine: f64,
    /// Radians of bearing per radian of phase.
    pub(crate) per_phase: f64,
}

impl Baseline {
    /// Whether one phase means one bearing: elements at most half a wavelength apart.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (apart, wavelength) = (self.apart.norm(), self.wavelength_m);
        if apart > 1e-6 && apart <= 0.5 * wavelength * (1.0 + 1e-9) {
            return Ok(());
        }
        Err(format!(
            "two elements are {apart:.4} m apart, but bearing from phase needs more than zero and at most half \
             a wavelength, {:.4} m",
            0.5 * wavelength
        ))
    }

    /// Bearing from the phase of the first element against the second: `φ = 2π d sin(θ) / λ`.
    /// Nothing if no bearing gives this phase.
    pub(crate) fn bearing(&self, phase_rad: f64) -> Option<Bearing> {
        let per_sine = std::f64::consts::TAU * self.apart.norm() / self.wavelength_m;
        let sine = phase_rad / per_sine;
        // Noise may push a target on the baseline's line a little past it.
        if !sine.is_finite() || sine.abs() > 1.1 {
            return None;
        }
        let sine = sine.clamp(-1.0, 1.0);
        Some(Bearing {
            sine,
            per_phase: 1.0 / (per_sine * (1.0 - sine * sine).max(1e-4).sqrt()),
        })
    }
}

/// Phase between two rows over an echo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Phase {
    /// First against second, in rad, -π to π.
    pub(crate) angle_rad: f64,
    /// One sigma of that.
    pub(crate) sigma_rad: f64,
}

/// Energy-weighted phase of the first row against the second over an echo's window. Its sigma is
/// `sqrt((1 - γ²) / (2 n γ²))` for coherence γ over n independent cells; Rodriguez and Martin, IEE
/// Proc. F 139 (1992).
pub(crate) fn phase_over(rows: &[Vec<Complex<f32>>; 2], candidate: &Candidate) -> Phase {
    let range = window(rows[0].len(), candidate);
    let mut cross = Complex::new(0.0f64, 0.0);
    let mut energies = [0.0f64; 2];
    for index in range {
        let [a, b] = [rows[0][index], rows[1][index]].map(|v| Complex::new(f64::from(v.re), f64::from(v.im)));
        cross += a * b.conj();
        energies[0] += a.norm_sqr();
        energies[1] += b.norm_sqr();
    }
    let snr = candidate.snr().max(1e-6);
    let seen = norm(cross) / (energies[0] * energies[1]).sqrt().max(f64::MIN_POSITIVE);
    let coherence = seen.min(snr / (1.0 + snr)).clamp(1e-3, 1.0 - 1e-9);
    Phase {
        angle_rad: arg(cross),
        sigma_rad: ((1.0 - coherence * coherence) / (2.0 * candidate.cells)).sqrt() / coherence,
    }
}

/// Where a phase passes zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Crossing {
    /// In samples.
    pub(crate) place: f64,
    /// One sigma of that, from how far phases stray about their line.
    pub(crate) sigma: f64,
}

/// Half of the stretch about a zero over which a phase counts as straight, in rad.
const STRAIGHT_RAD: f64 = 1.2;

/// Where the phase between two rows passes zero inside an echo's window, in samples: when the
/// array's broadside meets a long oblique footprint.
///
/// The phase is taken to run straight: its slope is that from sample to sample, summed over the
/// window before the angle is taken, so that no fade breaks an unwrapping; its height likewise.
/// Over a wide footprint it bends, so the line is laid once more through what lies about its zero.
/// Of the zeros a turn apart the one nearest the energy's middle is meant. Nothing if that lies
/// outside the window, or if the phase turns by less than `least_turn_rad` over it: then the
/// energy's middle is the better estimator.
pub(crate) fn zero_crossing(
    rows: &[Vec<Complex<f32>>; 2],
    candidate: &Candidate,
    least_turn_rad: f64,
) -> Option<Crossing> {
    let range = window(rows[0].len(), candidate);
    let steps: Complex<f64> = range
        .clone()
        .skip(1)
        .map(|index| product(rows, index) * product(rows, index - 1).conj())
        .sum();
    let wide = Line::through(rows, range.clone(), candidate.place, arg(steps));
    let crossing = -wide.level / wide.slope;
    let turn = (wide.slope * range.len() as f64).abs();
    if !(crossing.is_finite() && crossing.abs() <= candidate.half_window && turn >= least_turn_rad) {
        return None;
    }
    let about = Candidate {
        place: candidate.place + crossing,
        half_window: (STRAIGHT_RAD / wide.slope.abs()).clamp(2.0, candidate.half_window),
        ..*candidate
    };
    let near = Line::through(rows, window(rows[0].len(), &about), about.place, wide.slope);
    let crossing = -near.level / near.slope;
    // Independent phases of the shorter stretch, and how far from their middle the line is read off.
    let cells = candidate.cells * about.half_window / candidate.half_window;
    // A line goes through two of them exactly.
    let free = (cells - 2.0).max(0.5);
    let lever = hypot(1.0, crossing / near.spread);
    let is_near = crossing.is_finite() && crossing.abs() <= about.half_window;
    is_near.then(|| Crossing {
        place: about.place + crossing,
        sigma: (near.stray / (free.sqrt() * near.slope)).abs() * lever,
    })
}

/// A straight phase over time.
struct Line {
    /// Phase at the place it counts from, in rad.
    level: f64,
    /// Change from sample to sample.
    slope: f64,
    /// Standard deviation of the places it goes through, by their strength.
    spread: f64,
    /// How far phases stray about it, likewise.
    stray: f64,
}

impl Line {
    /// Through the phases of a stretch, from a slope that is about right.
    fn through(
        rows: &[Vec<Complex<f32>>; 2],
        range: std::ops::Range<usize>,
        place: f64,
        mut slope: f64,
    ) -> Self {
        let (mut level, mut spread, mut stray) = (0.0, 1.0, 0.0);
        // The second round mends the slope by what is left of it.
        for _ in 0..2 {
            let straight =
                |index: usize| product(rows, index) * from_polar(1.0, -(slope * (index as f64 - place)));
            level = arg(range.clone().map(straight).sum());
            let (mut moment, mut weight, mut sum, mut square) = (0.0, 0.0, 0.0, 0.0);
            for index in range.clone() {
                let rest = straight(index) * from_polar(1.0, -level);
                let at = index as f64 - place;
                moment += at * rest.im;
                let strength = norm(rest);
                weight += at * at * strength;
                sum += strength;
                square += strength * arg(rest).squared();
            }
            slope += moment / weight.max(f64::MIN_POSITIVE);
            spread = (weight / sum.max(f64::MIN_POSITIVE))
                .sqrt()
                .max(f64::MIN_POSITIVE);
            stray = (square / sum.max(f64::MIN_POSITIVE)).sqrt();
        }
        Self {
            level,
            slope,
            spread,
            stray,
        }
    }
}

/// The first row at a sample against the second.
fn product(rows: &[Vec<Complex<f32>>; 2], index: usize) -> Complex<f64> {
    let value = rows[0][index] * rows[1][index].conj();
    Complex::new(f64::from(value.re), f64::from(value.im))
}

fn window(samples: usize, candidate: &Candidate) -> std::ops::Range<usize> {
    let low = (candidate.place - candidate.half_window).round().max(0.0) as usize;
    let high = ((candidate.place + candidate.half_window).round().max(0.0) as usize + 1).min(samples);
    low.min(high)..high
}

#[cfg(test)]
mod tests {
    use super::super::synthetic::Noise;
    use super::*;
    use beluga_types::elementary::sin;

    #[test]
    fn phase_over_sine_is_that_of_a_split_beam() {
        let baseline = Baseline {
            apart: Vector3::y() * 0.03,
            wavelength_m: 0.015,
        };
        // Radians of phase at 5° and at 20°, where it has wrapped past π.
        for (degrees, phase_rad) in [(5.0f64, 1.095_231), (20.0, 4.297_952)] {
            let bearing = baseline.bearing(phase_rad).unwrap();
            assert!((bearing.sine - sin(degrees.to_radians())).abs() < 2e-7);
            assert!((sin(degrees.to_radians()) / bearing.sine * phase_rad - phase_rad).abs() < 1e-6);
        }
        assert!(baseline.check().is_err(), "20° would wrap past π");
    }

    #[test]
    fn the_zero_of_a_phase_ramp_is_found_under_noise() {
        let mut noise = Noise::new(8);
        let candidate = Candidate {
            place: 100.0,
            sigma: 1.0,
            spread: 20.0,
            half_window: 50.0,
            energy: 100.0,
            peak: 1.0,
            noise: 1e-3,
            cells: 20.0,
        };
        let mut rows = [Vec::new(), Vec::new()];
        for n in 0..200 {
            let speckle = noise.complex();
            // The phase passes zero at 108.5 and turns by 0.1 rad a sample: 10 rad over the window.
            let turn = from_polar(1.0, 0.1 * (f64::from(n) - 108.5));
            for (row, value) in rows.iter_mut().zip([speckle * turn, speckle]) {
                let value = value + noise.complex() * 0.05;
                row.push(Complex::new(value.re as f32, value.im as f32));
            }
        }
        let crossing = zero_crossing(&rows, &candidate, 1.0);
        assert!(
            crossing.is_some_and(|found| (found.place - 108.5).abs() < 1.0 && found.sigma < 1.0),
            "{crossing:?}"
        );
        let flat = [rows[0].clone(), rows[0].clone()];
        assert_eq!(
            zero_crossing(&flat, &candidate, 1.0),
            None,
            "a phase that does not turn has no zero"
        );
    }
}
