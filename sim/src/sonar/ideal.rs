//! The beams of an array as they should be: what is formed of its elements' waveforms can be held against
//! them.

use std::sync::Arc;

use beluga_types::{Beam, Beams, SampleValues, WaveformShape, Waveforms};
use nalgebra::Vector3;

use super::Sonar;
use super::facets;
use super::pattern::Pattern;
use crate::scenario::ArrayShading;
use crate::world::World;

/// A filled aperture as wide as an array with half a spacing beyond its outermost elements.
struct Filled {
    along: Option<Pattern>,
    across: Option<Pattern>,
}

impl Filled {
    fn new(sonar: &Sonar, shading: ArrayShading) -> Self {
        let axis = |count: u16| {
            let wavelengths = f64::from(count) * sonar.device.element_spacing;
            // Sines differ by two at most: the pattern is followed wherever sound may come from.
            (count > 1).then(|| Pattern::of_aperture(shading, wavelengths, 2.0 * wavelengths))
        };
        let [along, across] = sonar.device.elements;
        Self {
            along: axis(along),
            across: axis(across),
        }
    }

    /// Amplitude for sound from one unit vector in a beam that looks along another.
    fn at(&self, from: &Vector3<f64>, towards: &Vector3<f64>) -> f32 {
        let one = |axis: &Option<Pattern>, sines: f64| axis.as_ref().map_or(1.0, |pattern| pattern.at(sines));
        one(&self.along, from.x - towards.x) * one(&self.across, from.y - towards.y)
    }
}

impl Sonar {
    /// Beams of what arrives at the elements in a ping: each echo at its moment at the acoustic centre and as
    /// strong as the pattern of a filled aperture has it, which is focused everywhere and hears the whole band
    /// as the pulse's middle frequency. Without noise, hum, neighbours and counts; nothing of a device that is
    /// no array by its elements.
    pub(crate) fn ideal_beams(
        &self,
        world: &World,
        ping: u64,
        beams: &Arc<[Beam]>,
        shading: ArrayShading,
    ) -> Option<Beams> {
        if self.elements.is_empty() || beams.is_empty() {
            return None;
        }
        let posture = self.posture(world, ping);
        let arrivals = facets::arrivals(self, world.scenario().seed, world.scene(), &posture);
        let shifts = self.shifts(arrivals.iter().map(|arrival| arrival.doppler));
        let aperture = Filled::new(self, shading);
        let mut scratch = self.synthesis.scratch();
        let mut values = Vec::with_capacity(beams.len() * self.samples);
        for beam in beams.iter() {
            let towards = beam.direction.vector();
            for (index, arrival) in arrivals.iter().enumerate() {
                let Some(taps) = self.taps(arrival.delay_s, arrival.doppler) else {
                    continue;
                };
                let heard = self.receive.along(&arrival.from) * aperture.at(&arrival.from, &towards);
                shifts.add(&mut scratch, index, &taps, arrival.amplitude * heard);
            }
            let row = self.synthesis.finish_terms(&mut scratch, shifts.terms);
            values.extend(row.iter().map(|value| [value.re, value.im]));
        }
        let shape = WaveformShape {
            channels: beams.len(),
            samples: self.samples,
        };
        let waveforms = Waveforms::new(
            shape,
            SampleValues::IqF32(values),
            1.0,
            self.sample_rate_hz,
            self.pulse.centre_hz(),
            0.0,
        );
        let formed = Beams::new(
            waveforms.ok()?,
            Arc::clone(beams),
            self.pulse,
            0.0,
            Some(self.head_sound_speed_m_per_s),
            self.blanking_m,
        );
        formed.ok()
    }
}
