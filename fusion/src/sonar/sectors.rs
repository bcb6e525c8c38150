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

#[cfg(test)]
mod tests {
    use super::super::SonarConfig;
    use super::super::chain::SonarChain;
    use super::super::echo::{DetectionMethod, PingEchoes};
    use super::super::synthetic::{Noise, echo_at};
    use super::*;
    use beluga_types::{PulseKind, SensorId, Shading, SonarPing, Stamp};

    const SPEED: f64 = 1500.0;

    /// Three sectors that hear a target at 12 m on the axis, each with its own noise.
    fn ping(width_deg: f64) -> Elements {
        let mut noise = Noise::new(5);
        let pulse = Pulse {
            kind: PulseKind::Lfm,
            start_hz: 90e3,
            end_hz: 110e3,
            duration_s: 1e-3,
            shading: Shading::Rectangular,
        };
        let shape = WaveformShape {
            channels: 3,
            samples: 3000,
        };
        let mut value = |index: usize| {
            let t = (index % shape.samples) as f64 / 100e3;
            let value = echo_at(&pulse, true, 100e3, t, 24.0 / SPEED) + noise.complex() * 0.05;
            [value.re as f32, value.im as f32]
        };
        let values = (0..3 * shape.samples).map(&mut value).collect();
        Elements {
            waveforms: Waveforms::new(shape, SampleValues::IqF32(values), 1.0, 100e3, 100e3, 0.0).unwrap(),
            positions: [].into(),
            beam: Some(Beam::at(
                0.0,
                0.0,
                [width_deg.to_radians(); 2],
                [width_deg.to_radians(); 2],
            )),
            pulse: Some(pulse),
            sound_speed_m_per_s: None,
            blanking_m: 0.5,
        }
    }

    fn echoes(elements: Elements) -> PingEchoes {
        let config = SonarConfig {
            keep_echoes: true,
            ..SonarConfig::default()
        };
        let mut chain = SonarChain::new(&config, SensorId(0));
        chain.detect(&SonarPing::Elements(elements), 0, Stamp::default(), SPEED)
    }

    #[test]
    fn sectors_hear_as_one_narrow_beam_a_point_and_as_a_wide_one_an_arc() {
        for (width_deg, is_arc) in [(7.0f64, false), (18.0, true)] {
            let found = echoes(ping(width_deg));
            assert_eq!(found.echoes.len(), 1, "{:?}", found.notes);
            let echo = &found.echoes[0];
            assert!((0.5 * SPEED * echo.two_way_time_s - 12.0).abs() < 0.02);
            assert!(echo.direction.vector().z < -0.999, "along the axis, down");
            assert_eq!(echo.half_angle_rad.is_some(), is_arc);
            assert_eq!(echo.method == DetectionMethod::LeadingEdge, is_arc);
            // Anywhere in the two-way beam: its width over sqrt(2) is 2.355 sigmas.
            let sigma = width_deg.to_radians() / 2f64.sqrt() / 2.355;
            assert!((echo.sigma_along_rad - sigma).abs() < 1e-9);
            assert!((echo.sigma_across_rad - sigma).abs() < 1e-9);
            let picture = found.echogram.unwrap();
            assert_eq!((picture.shape.channels, picture.detected.len()), (1, 1));
            assert_eq!(picture.raw_db.len(), picture.compressed_db.len());
        }
    }

    #[test]
    fn the_mean_of_sectors_keeps_the_level() {
        let mut elements = ping(7.0);
        let one = together(&elements, elements.beam.unwrap(), elements.pulse.unwrap()).unwrap();
        assert_eq!(one.waveforms.shape().channels, 1);
        let SampleValues::IqF32(mean) = one.waveforms.values() else {
            panic!("I/Q");
        };
        let mut rows = [Vec::new(), Vec::new(), Vec::new()];
        for (channel, row) in rows.iter_mut().enumerate() {
            elements.waveforms.read_channel(channel, row);
        }
        let expected = (rows[0][1700][0] + rows[1][1700][0] + rows[2][1700][0]) / 3.0;
        assert!((mean[1700][0] - expected).abs() < 1e-6);
        elements.beam = None;
        assert!(echoes(elements).notes[0].contains("positions"));
    }
}
