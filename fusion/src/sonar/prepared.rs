//! What a sonar keeps for each of its pulses: the filter and the detector that goes with it.

use std::ops::Range;
use std::sync::Arc;

use beluga_types::elementary::powf;
use beluga_types::{Pulse, PulseKind, Receiver, Waveforms};
use rustfft::num_complex::Complex;

use super::cfar::{Cfar, Levels};
use super::config::SonarConfig;
use super::detect::Limits;
use super::pulse::{MatchedFilter, Sampling, Scratch, Unfit};
use super::resolve::Resolver;

/// Margin on the pulse's own near sidelobes in range, as power (3 dB).
const NEAR_MARGIN: f64 = 2.0;

/// Margin on the far ones, which many scatterers of one footprint may add up to (10 dB).
const FAR_MARGIN: f64 = 10.0;

/// A filter and the detector that goes with it.
pub(crate) struct Prepared {
    pulse: Pulse,
    sampling: Sampling,
    receiver: Option<Arc<Receiver>>,
    pub(crate) filter: MatchedFilter,
    pub(crate) cfar: Cfar,
    /// Of a sweep that did not go through a receiver's stages.
    pub(crate) resolver: Option<Resolver>,
}

impl Prepared {
    /// The filter for this pulse and these samples.
    ///
    /// # Errors
    /// If the pulse and the samples do not fit each other.
    pub(crate) fn new(pulse: &Pulse, waveforms: &Waveforms, config: &SonarConfig) -> Result<Self, Unfit> {
        let sampling = sampling(waveforms);
        let receiver = waveforms.receiver().cloned();
        let filter = match &receiver {
            Some(receiver) => {
                MatchedFilter::behind(receiver, pulse, sampling, config.window, config.transforms)
            }
            None => MatchedFilter::new(pulse, sampling, config.window, config.transforms),
        }?;
        let cfar = Cfar::new(
            config.cfar,
            config.false_alarm_rate,
            config.training_cells,
            config.guard_cells,
            filter.cell_samples(),
        );
        Ok(Self {
            pulse: *pulse,
            sampling,
            resolver: match receiver {
                Some(_) => None,
                None => Resolver::new(pulse, &sampling),
            },
            receiver,
            filter,
            cfar,
        })
    }

    /// Whether it is the one for this pulse and these samples.
    pub(crate) fn fits(&self, pulse: &Pulse, waveforms: &Waveforms) -> bool {
        self.pulse == *pulse
            && self.sampling == sampling(waveforms)
            && self.receiver.as_ref() == waveforms.receiver()
    }

    /// The output samples behind `start` that speak for the noise.
    pub(crate) fn trains(&self, start: usize) -> Range<usize> {
        let whole = self.filter.whole_samples();
        start.max(whole.start).min(whole.end)..whole.end
    }

    /// What there is to say where the samples behind `start` are too few for the detector's training
    /// cells: in the middle of such a row nothing has a threshold.
    pub(crate) fn too_short(&self, start: usize) -> Option<String> {
        let trains = self.trains(start);
        let (found, needed) = (trains.len() / self.cfar.cell_samples(), self.cfar.needs_cells());
        (found < needed).then(|| {
            format!(
                "a ping has {found} independent cells of noise behind its blanking, and training_cells and guard_cells \
                 need {needed}: where they do not suffice nothing is detected; ask for fewer"
            )
        })
    }

    /// Two-way time of the first output sample.
    pub(crate) fn first_s(&self, waveforms: &Waveforms) -> f64 {
        waveforms.first_sample_s() + self.filter.centre_after_s()
    }

    /// Width of the compressed pulse, in output samples.
    pub(crate) fn width_samples(&self) -> f64 {
        self.filter.width_s() * self.filter.output_rate_hz()
    }

    /// Output samples for each of a channel.
    pub(crate) fn interpolation(&self) -> f64 {
        self.filter.output_rate_hz() / self.sampling.rate_hz
    }

    /// Frequency in the middle of the pulse.
    pub(crate) fn carrier_hz(&self) -> f64 {
        self.pulse.centre_hz()
    }

    /// By how many seconds an echo seems early for each m/s at which sonar and target close: a shift of
    /// frequency by 2 v f/c looks like a shift of a sweep in time by that over its rate, `2 v f T / (c B)`
    /// (range-Doppler coupling; A. W. Rihaczek, "Principles of High-Resolution Radar", McGraw-Hill 1969).
    /// Zero for a tone.
    pub(crate) fn early_s_per_m_per_s(&self, sound_speed_m_per_s: f64) -> f64 {
        let rate = (self.pulse.end_hz - self.pulse.start_hz) / self.pulse.duration_s;
        match self.pulse.kind {
            PulseKind::Lfm if rate != 0.0 => 2.0 * self.pulse.centre_hz() / (sound_speed_m_per_s * rate),
            _ => 0.0,
        }
    }

    /// Two-way time of a place in the output.
    pub(crate) fn time_s(&self, waveforms: &Waveforms, place: f64) -> f64 {
        self.first_s(waveforms) + place / self.filter.output_rate_hz()
    }

    /// First output sample at or behind this two-way time.
    pub(crate) fn sample_at(&self, waveforms: &Waveforms, time_s: f64) -> usize {
        let place = (time_s - self.first_s(waveforms)) * self.filter.output_rate_hz();
        (place.ceil().max(0.0) as usize).min(self.filter.output_samples())
    }

    /// The pulse's sidelobes with margin, near and far: share of the peak's power, reach in samples.
    fn sidelobes_samples(&self) -> [(f32, usize); 2] {
        let sidelobes = self.filter.sidelobes();
        let pair = |power: f64, margin: f64, reach_s: f64| {
            let samples = (reach_s * self.filter.output_rate_hz()).ceil() as usize;
            ((power * margin).min(1.0) as f32, samples)
        };
        [
            pair(sidelobes.near, NEAR_MARGIN, sidelobes.near_s),
            pair(sidelobes.far, FAR_MARGIN, sidelobes.far_s),
        ]
    }

    /// What the detector needs to know.
    pub(crate) fn limits(
        &self,
        config: &SonarConfig,
        waveforms: &Waveforms,
        beam_rad: f64,
        leading_edge: bool,
    ) -> Limits {
        Limits {
            beam_rad,
            first: self.first_s(waveforms) * self.filter.output_rate_hz(),
            width: self.width_samples(),
            sidelobes: self.sidelobes_samples(),
            min_snr: powf(10.0, 0.1 * config.min_snr_db),
            most: config.max_detections_per_beam,
            leading_edge,
        }
    }
}

/// Memory of one chunk of beams.
#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) channel: Vec<[f32; 2]>,
    pub(crate) scratch: Scratch,
    pub(crate) compressed: Vec<Complex<f32>>,
    pub(crate) levels: Levels,
    pub(crate) floor: Vec<f32>,
}

fn sampling(waveforms: &Waveforms) -> Sampling {
    Sampling {
        rate_hz: waveforms.sample_rate_hz(),
        centre_hz: waveforms.centre_hz(),
        iq: waveforms.values().is_iq(),
        samples: waveforms.shape().samples,
    }
}
