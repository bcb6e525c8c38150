//! Arrivals as a channel hears them: on the grid of the waveform, with their Doppler shift.

use nalgebra::Vector3;
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

/// From where across track a device hears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sector {
    /// From everywhere.
    All,
    /// Between two places, as its beams count them: angles or sines.
    Between([f64; 2]),
    /// Between two angles less than half a turn apart: (y, z) of the normals of its two sides, inwards. Asked
    /// without an arc tangent for each scatterer.
    Wedge([[f64; 2]; 2]),
}

impl Sector {
    /// Whether it holds a unit vector in `Sensor` axes, whose place is asked for only where it must be.
    pub(super) fn holds(&self, from: &Vector3<f64>, place: impl FnOnce() -> f64) -> bool {
        match self {
            Self::All => true,
            Self::Between([first, last]) => {
                let place = place();
                place >= *first && place <= *last
            }
            Self::Wedge(sides) => sides.iter().all(|[y, z]| y * from.y + z * from.z >= 0.0),
        }
    }
}

impl Sonar {
    /// Where the beams of a fan hear, to the ends of their patterns.
    pub(super) fn sector_heard(&self) -> Sector {
        if !self.device.kind.is_fan() {
            return Sector::All;
        }
        let [first, last] = match self.across_rad[..] {
            [first, .., last] => [first, last],
            [only] => [only; 2],
            [] => return Sector::All,
        };
        let (first, last) = (
            self.look(first) - self.receive.reach,
            self.look(last) + self.receive.reach,
        );
        if self.device.flat_receiver || last - first >= std::f64::consts::PI {
            return Sector::Between([first, last]);
        }
        // The place is the angle of (-z, -y): its sine less the side's is that of (-y cos - -z sin).
        Sector::Wedge([[-first.cos(), first.sin()], [last.cos(), -last.sin()]])
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::sonar::{across_rad, bench};

    /// Sides of a wedge against the angle itself, all round and along track.
    #[test]
    fn a_wedge_holds_what_lies_between_its_angles() {
        let mut scenario = Scenario::demo();
        scenario.sonar.fan_deg = 100.0;
        let sonar = Sonar::new(&scenario);
        let Sector::Wedge(_) = sonar.sector else {
            panic!("{:?}", sonar.sector);
        };
        let limit = 50f64.to_radians() + sonar.receive.reach;
        let mut held = 0;
        for across in 0..3600 {
            for along in [-70.0, -3.0, 0.0, 20.0] {
                let from = bench::towards(0.1 * f64::from(across) + 0.03, along);
                let expected = across_rad(&from).abs() <= limit;
                assert_eq!(sonar.hears(&from), expected, "{across} {along}");
                held += u32::from(expected);
            }
        }
        assert!(held > 4000);
        scenario.sonar.fan_deg = 170.0;
        scenario.sonar.beam_width_deg = 10.0;
        assert!(matches!(Sonar::new(&scenario).sector, Sector::Between(_)));
    }
}
