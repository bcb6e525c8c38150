//! The sectors of one transducer, heard as one beam.

use std::sync::Arc;

use beluga_types::{Beam, Beams, Elements, Error, Pulse, SampleValues, WaveformShape, Waveforms};

/// The ping of a transducer whose sectors are added up: one beam along its axis.
///
/// The mean is taken sample by sample, before compression, which is linear. A target off the axis
/// reaches the sectors at different times, so the mean has the pattern of the whole transducer;
/// which way off the axis it lies is not used.
pub(crate) fn together(elements: &Elements, beam: Beam, pulse: Pulse) -> Result<Beams, Error> {
    let waveforms = &elements.waveforms;
    let shape = waveforms.shape();
    let mut sum = vec![[0.0f64; 2]; shape.samples];
    let mut row = Vec::new();
    for channel in 0..shape.channels {
        waveforms.read_channel(channel, &mut row);
        for (sum, value) in sum.iter_mut().zip(&row) {
            sum[0] += f64::from(value[0]);
            sum[1] += f64::from(value[1]);
        }
    }
    let share = 1.0 / shape.channels.max(1) as f64;
    let mean = sum.iter().map(|value| value.map(|part| (part * share) as f32));
    let values = match waveforms.values().is_iq() {
        true => SampleValues::IqF32(mean.collect()),
        false => SampleValues::RealF32(mean.map(|[real, _]| real).collect()),
    };
    let mut one = Waveforms::new(
        WaveformShape { channels: 1, ..shape },
        values,
        1.0,
        waveforms.sample_rate_hz(),
        waveforms.centre_hz(),
        waveforms.first_sample_s(),
    )?;
    if let Some(receiver) = waveforms.receiver() {
        one = one.with_receiver(Arc::clone(receiver))?;
    }
    Beams::new(
        one,
        Arc::from([beam]),
        pulse,
        0.0,
        elements.sound_speed_m_per_s,
        elements.blanking_m,
    )
}
