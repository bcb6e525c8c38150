//! A fan of beams: each a weighted sum over the elements, which is the pattern's value for each echo.

use beluga_types::{Beams, SampleValues, SonarPing, WaveformShape, Waveforms};
use rustfft::num_complex::Complex;

use super::Sonar;
use super::hearing::{Echo, Shifts};
use super::paths::Arrival;
use super::receiver::Moment;
use super::waveform::Scratch;

impl Sonar {
    /// A waveform per beam.
    pub(super) fn ping_by_beams(&self, seed: u64, ping: u64, arrivals: &[Arrival]) -> (SonarPing, i64) {
        let echoes = self.echoes(arrivals);
        let shifts = self.shifts(echoes.iter().map(|echo| f64::from(echo.doppler)));
        let moment = self.moment(seed, ping);
        let mut scratch = self.synthesis.scratch();
        let values = if self.receiver.leaks() {
            let mut rows = Vec::with_capacity(self.beams.len() * self.samples);
            for beam in 0..self.beams.len() {
                rows.extend_from_slice(self.beam(&echoes, &shifts, beam, &moment, &mut scratch));
            }
            self.receiver.leak(&mut rows, self.samples);
            self.receiver.counts_of(&rows, self.samples, &moment)
        } else {
            let mut counts = Vec::with_capacity(self.beams.len() * self.samples);
            for beam in 0..self.beams.len() {
                let row = self.beam(&echoes, &shifts, beam, &moment, &mut scratch);
                self.receiver.counts(row, &moment, beam as u64, &mut counts);
            }
            SampleValues::IqI16(counts)
        };
        let waveforms = self.waveforms(self.beams.len(), values);
        let last = waveforms.last_offset_nanos();
        let beams = Beams::new(
            waveforms,
            self.beams.clone(),
            self.pulse,
            0.0,
            Some(self.head_sound_speed_m_per_s),
            self.blanking_m,
        )
        .expect("there is one channel per beam, and the blanking range is checked");
        (SonarPing::Beams(beams), last)
    }

    /// The samples of a ping.
    pub(super) fn waveforms(&self, channels: usize, values: SampleValues) -> Waveforms {
        let samples = self.samples;
        Waveforms::new(
            WaveformShape { channels, samples },
            values,
            self.receiver.scale,
            self.sample_rate_hz,
            self.pulse.centre_hz(),
            0.0,
        )
        .expect("every channel gives all its samples, and the scenario's numbers are in range")
    }

    pub(super) fn moment(&self, seed: u64, ping: u64) -> Moment {
        Moment {
            seed,
            ping,
            start_s: self.moment_s(ping),
        }
    }

    /// What a fan hears of the arrivals, sorted from port to starboard.
    pub(super) fn echoes(&self, arrivals: &[Arrival]) -> Vec<Echo> {
        let mut echoes: Vec<Echo> = arrivals.iter().filter_map(|arrival| self.echo(arrival)).collect();
        echoes.sort_by(|a, b| a.across_rad.total_cmp(&b.across_rad));
        echoes
    }

    /// The samples of one beam without noise.
    fn beam<'a>(
        &self,
        echoes: &[Echo],
        shifts: &Shifts,
        beam: usize,
        moment: &Moment,
        scratch: &'a mut Scratch,
    ) -> &'a mut [Complex<f32>] {
        let axis = self.look(self.across_rad[beam]);
        if let Some(table) = &self.receive.defocused {
            for (index, aside) in self.heard(echoes, axis) {
                let echo = &echoes[index];
                let amplitude = echo.amplitude * table.at(aside, f64::from(echo.radius_m));
                shifts.add(scratch, index, &echo.taps, amplitude);
            }
        } else if self.doppler.is_some() {
            for (index, aside) in self.heard(echoes, axis) {
                let echo = &echoes[index];
                let amplitude = echo.amplitude * self.receive.across.at(aside);
                shifts.add(scratch, index, &echo.taps, amplitude);
            }
        } else {
            self.listen(echoes, axis, scratch);
        }
        let row = self.synthesis.finish_terms(scratch, shifts.terms);
        let gain = self.receiver.neighbour_from().map(|from| {
            let aside = self.receive.place(&from) - axis;
            let gain = self.receive.across.at(aside) * self.receive.along(&from);
            Complex::new(gain, 0.0)
        });
        self.receiver.disturb(row, moment, gain.unwrap_or_default(), 0.0);
        row
    }

    /// Index and distance from the axis of the echoes that a beam hears. Echoes are sorted.
    pub(super) fn heard<'a>(
        &self,
        echoes: &'a [Echo],
        axis: f64,
    ) -> impl Iterator<Item = (usize, f64)> + use<'a> {
        let reach = self.receive.reach;
        let first = echoes.partition_point(|echo| f64::from(echo.across_rad) < axis - reach);
        echoes[first..]
            .iter()
            .enumerate()
            .map(move |(i, echo)| (first + i, f64::from(echo.across_rad) - axis))
            .take_while(move |(_, aside)| *aside <= reach)
    }

    /// Lays all echoes that a focused beam hears on the scratch's grid. Echoes are sorted.
    pub(super) fn listen(&self, echoes: &[Echo], axis: f64, scratch: &mut Scratch) {
        for (index, aside) in self.heard(echoes, axis) {
            let echo = &echoes[index];
            scratch.add(&echo.taps, echo.amplitude * self.receive.across.at(aside));
        }
    }
}
