//! An array by its elements: each hears every arrival at its own moment.

use std::f64::consts::TAU;
use std::sync::Arc;

use beluga_types::{Elements, Point, SonarPing};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::Sonar;
use super::hearing::Shifts;
use super::paths::Arrival;
use super::waveform::Scratch;

impl Sonar {
    /// A waveform per element.
    pub(super) fn ping_by_elements(&self, seed: u64, ping: u64, arrivals: &[Arrival]) -> (SonarPing, i64) {
        let shifts = self.shifts(arrivals.iter().map(|arrival| arrival.doppler));
        let moment = self.moment(seed, ping);
        let mut scratch = self.synthesis.scratch();
        let mut rows = Vec::with_capacity(self.elements.len() * self.samples);
        for place in &self.elements {
            self.listen_at(place, arrivals, &shifts, &mut scratch);
            let row = self.synthesis.finish_terms(&mut scratch, shifts.terms);
            if let Some(from) = self.receiver.neighbour_from() {
                // Its wave front is plane.
                let late_s = -from.dot(place) / self.sound_speed_m_per_s;
                let gain = Complex::new(self.receive.along(&from), 0.0);
                self.receiver.disturb(row, &moment, gain, late_s);
            } else {
                self.receiver.disturb(row, &moment, Complex::default(), 0.0);
            }
            rows.extend_from_slice(row);
        }
        self.receiver.leak(&mut rows, self.samples);
        let values = self.receiver.counts_of(&rows, self.samples, &moment);
        let waveforms = self.waveforms(self.elements.len(), values);
        let last = waveforms.last_offset_nanos();
        let positions: Arc<[_]> = self
            .elements
            .iter()
            .map(|place| Point::from_vector(*place))
            .collect();
        let elements = Elements {
            waveforms,
            positions,
            beam: None,
            pulse: Some(self.pulse),
            sound_speed_m_per_s: Some(self.head_sound_speed_m_per_s),
            blanking_m: self.blanking_m,
        };
        (SonarPing::Elements(elements), last)
    }

    /// Lays all arrivals as an element at a place hears them on the scratch's grid.
    ///
    /// A wave front of radius R about its source reaches the place |R from - place| - R later than the
    /// acoustic centre, weaker by R over that distance: near field and far field alike.
    fn listen_at(&self, place: &Vector3<f64>, arrivals: &[Arrival], shifts: &Shifts, scratch: &mut Scratch) {
        let turns_per_s = self.pulse.centre_hz();
        for (index, arrival) in arrivals.iter().enumerate() {
            // |R from - place|² - R², without the difference of two large numbers.
            let longer = place.norm_squared() - 2.0 * arrival.radius_m * arrival.from.dot(place);
            let way = (arrival.radius_m * arrival.radius_m + longer).max(0.0).sqrt();
            let late_s = longer / (way + arrival.radius_m) / self.sound_speed_m_per_s;
            let Some(taps) = self.taps(arrival.delay_s + late_s, arrival.doppler) else {
                continue;
            };
            let along = f64::from(self.receive.along(&arrival.from));
            // A shifted echo's phase runs at its own frequency.
            let turns = turns_per_s * (1.0 + arrival.doppler) * late_s;
            let heard = Complex::from_polar(along * arrival.radius_m / way.max(1e-3), -TAU * turns);
            let amplitude = arrival.amplitude * Complex::new(heard.re as f32, heard.im as f32);
            shifts.add(scratch, index, &taps, amplitude);
        }
    }
}
