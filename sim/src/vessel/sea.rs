//! The sea: a sum of waves with the JONSWAP spectrum, and how the vessel answers it.
//!
//! K. Hasselmann et al., "Measurements of wind-wave growth and swell decay during the Joint North
//! Sea Wave Project (JONSWAP)", Deutsche Hydrographische Zeitschrift, Ergaenzungsheft A8(12), 1973:
//! `S(f) ∝ f⁻⁵ exp(-5/4 (f/fp)⁻⁴) γ^exp(-(f - fp)² / (2 σ² fp²))`, σ = 0.07 below the peak and 0.09
//! above it, here scaled so that `4 √m₀` is the significant height. Waves are linear, in deep water
//! (`ω² = g k`), long-crested unless a spread is given.
//!
//! Heave, roll and pitch are damped oscillators with one degree of freedom each, driven by the
//! water's height and its slopes across and along the vessel: `H = 1 / (1 - r² + 2 i ζ r)` with
//! `r = ω / ω₀` (E. V. Lewis (ed.), "Principles of Naval Architecture", vol. III, SNAME 1989,
//! chapter VIII). `ω` is the wave's own frequency; the vessel's way through the waves enters the
//! phase, and so the frequency it meets them with, but not `H`.

use std::f64::consts::TAU;

use nalgebra::Vector2;

use super::jet::Jet;
use super::path::Planned;
use crate::random::{Dice, Source};
use crate::scenario::{SeaScenario, VesselScenario};

/// Standard gravity, in m/s².
const GRAVITY: f64 = 9.806_65;
/// Lowest and highest frequency, in units of the peak's. Beyond them lies 0.3 % of the energy.
const BAND: [f64; 2] = [0.5, 4.0];
/// Steps of Simpson's rule in a component's band; even.
const STEPS: u32 = 16;

/// The waves and the vessel's answer.
#[derive(Clone, Debug)]
pub(crate) struct Sea {
    waves: Vec<Component>,
}

/// One wave.
#[derive(Clone, Copy, Debug)]
struct Component {
    amplitude_m: f64,
    omega_rad_per_s: f64,
    /// Wave number along the wave's direction, in rad/m.
    wave_number: Vector2<f64>,
    phase_rad: f64,
    heave: Response,
    roll: Response,
    pitch: Response,
}

/// Gain and phase of one motion to one wave.
#[derive(Clone, Copy, Debug)]
struct Response {
    gain: f64,
    phase_rad: f64,
}

/// Heave (m), roll and pitch (rad) in the surveyor's signs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    pub(super) heave: Jet,
    pub(super) roll: Jet,
    pub(super) pitch: Jet,
}

/// The water's surface at a place and a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Elevation {
    /// Above the water without waves, in metres.
    pub(crate) height_m: f64,
    /// How fast it rises, in m/s.
    pub(crate) rises_m_per_s: f64,
}

impl Sea {
    pub(crate) fn new(sea: &SeaScenario, vessel: &VesselScenario, seed: u64) -> Self {
        let peak_hz = 1.0 / sea.peak_period_s;
        let count = u32::from(sea.components);
        let ratio = BAND[1] / BAND[0];
        let edge = |i: u32| peak_hz * BAND[0] * ratio.powf(f64::from(i) / f64::from(count));
        let energies: Vec<f64> = (0..count)
            .map(|i| energy(edge(i), edge(i + 1), peak_hz, sea.gamma))
            .collect();
        let whole: f64 = energies.iter().sum();
        let variance = sea.significant_height_m * sea.significant_height_m / 16.0;
        let waves = (0..count)
            .zip(energies)
            .map(|(i, energy)| {
                let dice = Dice::new(seed, Source::Sea, i.into(), 0);
                let hz = edge(i) + (edge(i + 1) - edge(i)) * dice.uniform(0);
                let omega = TAU * hz;
                let heading = sea.heading_deg.to_radians() + sea.spread_deg.to_radians() * dice.normal(2);
                let answer = |period_s: f64, damping: f64| Response::of(omega, TAU / period_s, damping);
                Component {
                    amplitude_m: (2.0 * variance * energy / whole).sqrt(),
                    omega_rad_per_s: omega,
                    wave_number: Vector2::new(heading.cos(), -heading.sin()) * (omega * omega / GRAVITY),
                    phase_rad: TAU * dice.uniform(1),
                    heave: answer(vessel.heave_period_s, vessel.heave_damping),
                    roll: answer(vessel.roll_period_s, vessel.roll_damping),
                    pitch: answer(vessel.pitch_period_s, vessel.pitch_damping),
                }
            })
            .collect();
        Self { waves }
    }

    /// The water's surface at a place in `Quay`, `t` seconds after the run's start.
    pub(crate) fn surface(&self, t: f64, x: f64, y: f64) -> Elevation {
        let mut surface = Elevation::default();
        for wave in &self.waves {
            let phase =
                wave.omega_rad_per_s * t + wave.phase_rad - x * wave.wave_number.x - y * wave.wave_number.y;
            let (sin, cos) = phase.sin_cos();
            surface.height_m += wave.amplitude_m * cos;
            surface.rises_m_per_s -= wave.amplitude_m * wave.omega_rad_per_s * sin;
        }
        surface
    }

    /// What the vessel does at a planned place, heading along its course.
    pub(super) fn answer(&self, t: f64, planned: &Planned) -> Answer {
        let (sin, cos) = planned.course.sin_cos();
        let mut answer = Answer::default();
        for wave in &self.waves {
            let phase = wave.phase_at(t, planned.x, planned.y);
            let k = wave.wave_number;
            let ahead = cos * k.x + sin * k.y;
            let left = cos * k.y - sin * k.x;
            let turned = |response: Response| (phase + Jet::constant(response.phase_rad)).sin_cos();
            let (_, heave) = turned(wave.heave);
            answer.heave = answer.heave + heave * (wave.amplitude_m * wave.heave.gain);
            // Water higher to port puts starboard down; water higher ahead puts the bow up.
            let (roll, _) = turned(wave.roll);
            answer.roll = answer.roll + roll * left * (wave.amplitude_m * wave.roll.gain);
            let (pitch, _) = turned(wave.pitch);
            answer.pitch = answer.pitch + pitch * ahead * (wave.amplitude_m * wave.pitch.gain);
        }
        answer
    }
}

impl Component {
    fn phase_at(&self, t: f64, x: Jet, y: Jet) -> Jet {
        let omega = self.omega_rad_per_s;
        Jet::new(omega * t + self.phase_rad, omega, 0.0) - x * self.wave_number.x - y * self.wave_number.y
    }
}

impl Response {
    fn of(omega: f64, natural: f64, damping: f64) -> Self {
        let r = omega / natural;
        let (real, imaginary) = (1.0 - r * r, 2.0 * damping * r);
        Self {
            gain: 1.0 / real.hypot(imaginary),
            phase_rad: -imaginary.atan2(real),
        }
    }
}

/// Shape of the spectrum at a frequency, without its scale.
fn jonswap(hz: f64, peak_hz: f64, gamma: f64) -> f64 {
    let x = hz / peak_hz;
    let sigma = if x <= 1.0 { 0.07 } else { 0.09 };
    let bump = (-(x - 1.0).powi(2) / (2.0 * sigma * sigma)).exp();
    x.powi(-5) * (-1.25 * x.powi(-4)).exp() * gamma.powf(bump)
}

/// The spectrum's integral between two frequencies, by Simpson's rule.
fn energy(from_hz: f64, to_hz: f64, peak_hz: f64, gamma: f64) -> f64 {
    let step = (to_hz - from_hz) / f64::from(STEPS);
    let sum: f64 = (0..=STEPS)
        .map(|i| {
            let weight = match i {
                0 | STEPS => 1.0,
                odd if odd % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * jonswap(from_hz + step * f64::from(i), peak_hz, gamma)
        })
        .sum();
    sum * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sea() -> SeaScenario {
        SeaScenario {
            significant_height_m: 0.4,
            peak_period_s: 3.0,
            heading_deg: 90.0,
            ..SeaScenario::default()
        }
    }

    fn still() -> Planned {
        Planned {
            x: Jet::default(),
            y: Jet::default(),
            course: Jet::default(),
        }
    }

    /// Variances over an hour and over seeds, against the spectrum through the transfer functions.
    #[test]
    fn heave_and_roll_have_the_variance_of_the_spectrum() {
        let vessel = VesselScenario::default();
        let (mut heave, mut roll, mut pitch, mut water) = (0.0, 0.0, 0.0f64, 0.0);
        let (mut heave_expected, mut roll_expected) = (0.0, 0.0);
        let (seeds, samples) = (4u64, 3_600u32);
        for seed in 0..seeds {
            let sea = Sea::new(&sea(), &vessel, seed);
            for i in 0..samples {
                let t = 0.97 * f64::from(i);
                let answer = sea.answer(t, &still());
                heave += answer.heave.value.powi(2);
                roll += answer.roll.value.powi(2);
                pitch = pitch.max(answer.pitch.value.abs());
                let height: f64 = sea
                    .waves
                    .iter()
                    .map(|w| w.amplitude_m * w.phase_at(t, Jet::default(), Jet::default()).value.cos())
                    .sum();
                water += height * height;
            }
            for wave in &sea.waves {
                let half = 0.5 * wave.amplitude_m.powi(2);
                heave_expected += half * wave.heave.gain.powi(2);
                roll_expected += half * (wave.wave_number.norm() * wave.roll.gain).powi(2);
            }
        }
        let n = f64::from(samples) * seeds as f64;
        let height = 4.0 * (water / n).sqrt();
        let ratios = [
            heave / n / (heave_expected / seeds as f64),
            roll / n / (roll_expected / seeds as f64),
        ];
        println!("sea: significant height {height:.4} m, expected 0.4");
        println!(
            "sea: heave variance over expected {:.3}, roll {:.3}",
            ratios[0], ratios[1]
        );
        println!("sea: roll rms {:.2}°", (roll / n).sqrt().to_degrees());
        // An hour of 3 s waves has about 1200 independent heights, four hours 4800: 2 % of variance.
        assert!((height / 0.4 - 1.0).abs() < 0.03, "{height}");
        assert!(
            ratios.iter().all(|ratio| (ratio - 1.0).abs() < 0.06),
            "{ratios:?}"
        );
        println!("pitch in a beam sea: expected 0, measured {pitch:.1e} rad");
        assert!(pitch < 1e-12, "beam seas do not pitch a vessel: {pitch}");
    }

    /// The energy in each third of an octave against the formula, on a finer grid.
    #[test]
    fn the_components_have_the_spectrum_of_jonswap() {
        let many = SeaScenario {
            components: 256,
            ..sea()
        };
        let sea = Sea::new(&many, &VesselScenario::default(), 7);
        let peak_hz = 1.0 / 3.0;
        let whole = energy_plainly(0.5 * peak_hz, 4.0 * peak_hz, peak_hz);
        for third in -3..6 {
            let from = peak_hz * 2f64.powf(f64::from(third) / 3.0);
            let to = peak_hz * 2f64.powf(f64::from(third + 1) / 3.0);
            let found: f64 = sea
                .waves
                .iter()
                .filter(|wave| (from..to).contains(&(wave.omega_rad_per_s / TAU)))
                .map(|wave| 0.5 * wave.amplitude_m.powi(2) / 0.01)
                .sum();
            let expected = energy_plainly(from, to, peak_hz) / whole;
            println!("jonswap: {from:.3}..{to:.3} Hz {found:.4}, expected {expected:.4}");
            assert!((found - expected).abs() < 0.02, "{found} {expected}");
        }
    }

    fn energy_plainly(from: f64, to: f64, peak_hz: f64) -> f64 {
        let n = 20_000;
        let step = (to - from) / f64::from(n);
        (0..n)
            .map(|i| step * jonswap(from + step * (f64::from(i) + 0.5), peak_hz, 3.3))
            .sum()
    }

    #[test]
    fn the_vessel_rolls_away_from_higher_water_and_meets_waves_sooner_head_on() {
        let swell = SeaScenario {
            components: 1,
            peak_period_s: 60.0,
            heading_deg: 180.0,
            ..sea()
        };
        let sea = Sea::new(&swell, &VesselScenario::default(), 1);
        // Long waves: the vessel lies on the surface, so its pitch is the surface's slope ahead.
        let planned = still();
        let answer = sea.answer(5.0, &planned);
        let ahead = Planned {
            x: Jet::constant(0.1),
            ..planned
        };
        let slope = (sea.answer(5.0, &ahead).heave.value - answer.heave.value) / 0.1;
        assert!(
            (answer.pitch.value - slope).abs() < 0.1 * slope.abs(),
            "{slope} {}",
            answer.pitch.value
        );
        let moving = Planned {
            x: Jet::new(0.0, 3.0, 0.0),
            ..planned
        };
        let wave = &sea.waves[0];
        let met = wave.phase_at(5.0, moving.x, moving.y).rate;
        let expected = wave.omega_rad_per_s + 3.0 * wave.wave_number.norm();
        assert!((met - expected).abs() < 1e-12);
    }
}
