//! Arrivals as a channel hears them: on the grid of the waveform, with their Doppler shift.

use rustfft::num_complex::Complex;

use super::Sonar;
use super::paths::Arrival;
use super::waveform::{Scratch, Taps};

/// An arrival as a fan of beams hears it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Echo {
    /// Angle across track, positive to starboard; to a flat array its sine.
    pub(super) across_rad: f32,
    /// Radius of the wave front, in metres.
    pub(super) radius_m: f32,
    /// Relative Doppler shift.
    pub(super) doppler: f32,
    pub(super) taps: Taps,
    pub(super) amplitude: Complex<f32>,
}

/// The Doppler weights of the echoes of one ping: `terms` for each, none if shifts are in the taps.
pub(super) struct Shifts {
    pub(super) terms: usize,
    weights: Vec<Complex<f32>>,
}

impl Shifts {
    /// Lays an echo on the grids of its terms.
    #[inline]
    pub(super) fn add(&self, scratch: &mut Scratch, index: usize, taps: &Taps, amplitude: Complex<f32>) {
        if self.weights.is_empty() {
            scratch.add(taps, amplitude);
            return;
        }
        let weights = &self.weights[index * self.terms..(index + 1) * self.terms];
        for (term, weight) in weights.iter().enumerate() {
            scratch.add_term(term, taps, amplitude * weight);
        }
    }
}

impl Sonar {
    /// What a fan hears of an arrival; nothing if it falls outside the record.
    pub(super) fn echo(&self, arrival: &Arrival) -> Option<Echo> {
        Some(Echo {
            across_rad: self.receive.place(&arrival.from) as f32,
            radius_m: arrival.radius_m as f32,
            doppler: arrival.doppler as f32,
            taps: self.taps(arrival.delay_s, arrival.doppler)?,
            amplitude: arrival.amplitude * self.receive.along(&arrival.from),
        })
    }

    /// The place on the grid of an echo with this delay and relative Doppler shift.
    pub(super) fn taps(&self, delay_s: f64, doppler: f64) -> Option<Taps> {
        if self.doppler.is_some() {
            return self.synthesis.taps(delay_s);
        }
        // A Doppler shift of an LFM pulse is a shift in time, but for its phase: π fd²/K is below a
        // hundredth of a cycle here.
        let sweep = (self.pulse.end_hz - self.pulse.start_hz) / self.pulse.duration_s;
        let doppler_hz = self.pulse.centre_hz() * doppler;
        self.synthesis.taps(delay_s - doppler_hz / sweep)
    }

    /// The weights of a ping's Doppler shifts, in their order.
    pub(super) fn shifts(&self, shifts: impl Iterator<Item = f64> + Clone) -> Shifts {
        let Some(doppler) = &self.doppler else {
            return Shifts {
                terms: 1,
                weights: Vec::new(),
            };
        };
        let most = shifts.clone().fold(0.0f64, |most, shift| most.max(shift.abs()));
        let terms = doppler.terms_for(most);
        Shifts {
            terms,
            weights: shifts
                .flat_map(|shift| doppler.weights(shift).take(terms))
                .collect(),
        }
    }
}
