//! Bearing from the phase between two elements.

use beluga_types::elementary::log10;
use beluga_types::{Direction, Elements};
use nalgebra::Vector3;

use super::chain::refusal;
use super::config::SonarConfig;
use super::detect::{self, Candidate, Row};
use super::echo::{DetectionMethod, Echo, PingEchoes};
use super::phase::{Baseline, Bearing, Phase, phase_over, zero_crossing};
use super::prepared::{Prepared, Worker};

/// An echo whose phase turns by this much is a long footprint: its time is where the phase passes
/// zero, broadside of the two elements, not the middle of its energy.
const LEAST_TURN_RAD: f64 = 2.0;

/// Echoes of two elements with known positions: time from the summed power of both, bearing from
/// the phase between them. Which way around the line through the elements stays open, so each is
/// an arc: about the device's x axis, or y where the line runs along x.
///
/// Elements without a position each are refused with a note; so are two so far apart that a phase
/// could mean several bearings.
pub(crate) fn detect(
    ping: &Elements,
    prepared: &Prepared,
    worker: &mut Worker,
    config: &SonarConfig,
    sound_speed_m_per_s: f64,
) -> PingEchoes {
    let channels = ping.waveforms.shape().channels;
    let &[first, second] = &ping.positions[..] else {
        return refusal(unplaced(channels, ping.positions.len()));
    };
    if channels != 2 {
        return refusal(unplaced(channels, 2));
    }
    let baseline = Baseline {
        apart: (first - second).vector(),
        wavelength_m: sound_speed_m_per_s / prepared.carrier_hz(),
    };
    if let Err(note) = baseline.check() {
        return refusal(note);
    }
    let rows = [0, 1].map(|channel| {
        ping.waveforms.read_channel(channel, &mut worker.channel);
        prepared
            .filter
            .compress(&worker.channel, &mut worker.scratch, &mut worker.compressed);
        worker.compressed.clone()
    });
    let power: Vec<f32> = rows[0]
        .iter()
        .zip(&rows[1])
        .map(|(a, b)| 0.5 * (a.norm_sqr() + b.norm_sqr()))
        .collect();
    let samples = power.len();
    let start = prepared.sample_at(&ping.waveforms, 2.0 * ping.blanking_m / sound_speed_m_per_s);
    prepared
        .cfar
        .levels(&power, prepared.trains(start), &mut worker.levels);
    worker.floor.clear();
    worker.floor.resize(samples, 0.0);
    let mut row = Row {
        power: &power,
        levels: &worker.levels,
        cell: prepared.cfar.cell_samples(),
        floor: &mut worker.floor,
        start,
    };
    let found = detect::find(&mut row, &prepared.limits(config, &ping.waveforms, 0.0, false));
    let echo = |candidate: &Candidate| {
        let mut phase = phase_over(&rows, candidate);
        let mut place = candidate.place;
        if let Some(crossing) = zero_crossing(&rows, candidate, LEAST_TURN_RAD) {
            place = crossing.place;
            phase.angle_rad = 0.0;
        }
        let bearing = baseline.bearing(phase.angle_rad)?;
        Some(Echo {
            two_way_time_s: prepared.time_s(&ping.waveforms, place),
            sigma_time_s: candidate.sigma / prepared.filter.output_rate_hz(),
            early_s_per_m_per_s: prepared.early_s_per_m_per_s(sound_speed_m_per_s),
            ..arc(candidate, &baseline, &bearing, &phase)
        })
    };
    PingEchoes {
        echoes: found.iter().filter_map(echo).collect(),
        notes: prepared.too_short(start).into_iter().collect(),
        ..PingEchoes::default()
    }
}

fn unplaced(channels: usize, positions: usize) -> String {
    format!(
        "ping has {channels} elements and the rig {positions} positions of them, but echoes come only from two \
         or more elements with a known position each"
    )
}

/// The arc on which an echo with this bearing may lie; its times are the caller's to fill in.
fn arc(candidate: &Candidate, baseline: &Baseline, bearing: &Bearing, phase: &Phase) -> Echo {
    let line = baseline.apart.normalize();
    let ahead = |axis: Vector3<f64>| (axis - line * axis.dot(&line)).try_normalize(0.1);
    let ahead = ahead(Vector3::x())
        .or_else(|| ahead(Vector3::y()))
        .unwrap_or_else(Vector3::z);
    let cosine = (1.0 - bearing.sine * bearing.sine).sqrt();
    let snr = candidate.snr();
    let sigma_rad = (phase.sigma_rad * bearing.per_phase).max(1e-3);
    Echo {
        beam: 0,
        two_way_time_s: 0.0,
        early_s_per_m_per_s: 0.0,
        transmit_delay_s: 0.0,
        direction: Direction::from_vector((line * bearing.sine + ahead * cosine).normalize()),
        sigma_time_s: 0.0,
        sigma_along_rad: sigma_rad,
        sigma_across_rad: sigma_rad,
        level_db: (10.0 * log10(candidate.peak.max(1e-30))) as f32,
        snr_db: Some((10.0 * log10(snr)) as f32),
        method: DetectionMethod::Phase,
        half_angle_rad: Some(std::f64::consts::FRAC_PI_2),
        arc_plane: Direction::from_vector(line.cross(&ahead)),
        floats: false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::SonarChain;
    use super::super::synthetic::{Noise, echo_at};
    use super::*;
    use beluga_types::elementary::{asin, sin};
    use beluga_types::{
        Point, Pulse, PulseKind, SampleValues, SensorId, Shading, SonarPing, Stamp, WaveformShape, Waveforms,
    };

    const SPEED: f64 = 1500.0;

    fn pulse() -> Pulse {
        Pulse {
            kind: PulseKind::Lfm,
            start_hz: 90e3,
            end_hz: 110e3,
            duration_s: 1e-3,
            shading: Shading::Rectangular,
        }
    }

    /// Two elements `apart` metres from each other along y hear a target at this bearing to port.
    fn ping(bearing_rad: f64, apart: f64, range_m: f64) -> Elements {
        let mut noise = Noise::new(5);
        let (samples, rate_hz) = (3000, 100e3);
        let positions = [
            Point::new(0.0, 0.5 * apart, 0.0),
            Point::new(0.0, -0.5 * apart, 0.0),
        ];
        let values = (0..2 * samples)
            .map(|i| {
                let (channel, n) = (i / samples, i % samples);
                let nearer = positions[channel].y() * sin(bearing_rad) / SPEED;
                let echo = echo_at(
                    &pulse(),
                    true,
                    100e3,
                    n as f64 / rate_hz,
                    2.0 * range_m / SPEED - nearer,
                );
                let value = echo + noise.complex() * 0.05;
                [value.re as f32, value.im as f32]
            })
            .collect();
        let shape = WaveformShape { channels: 2, samples };
        Elements {
            waveforms: Waveforms::new(shape, SampleValues::IqF32(values), 1.0, rate_hz, 100e3, 0.0).unwrap(),
            positions: positions.into(),
            beam: None,
            pulse: Some(pulse()),
            sound_speed_m_per_s: None,
            blanking_m: 0.5,
        }
    }

    fn echoes(elements: Elements) -> PingEchoes {
        let mut chain = SonarChain::new(&SonarConfig::default(), SensorId(0));
        chain.detect(&SonarPing::Elements(elements), 0, Stamp::default(), SPEED)
    }

    #[test]
    fn phase_gives_the_bearing() {
        for degrees in [-60.0f64, -20.0, 0.0, 5.0, 45.0] {
            let found = echoes(ping(degrees.to_radians(), 0.007, 12.0));
            assert_eq!(found.echoes.len(), 1, "{:?}", found.notes);
            let echo = &found.echoes[0];
            let bearing = asin(echo.direction.vector().y).to_degrees();
            let sigma = echo.sigma_across_rad.to_degrees();
            assert!(
                (bearing - degrees).abs() < 4.0 * sigma && sigma < 3.0,
                "{bearing}° ± {sigma}°, is {degrees}°"
            );
            assert!((0.5 * SPEED * echo.two_way_time_s - 12.0).abs() < 0.01);
            assert_eq!(echo.method, DetectionMethod::Phase);
            assert!(echo.half_angle_rad.is_some());
        }
    }

    #[test]
    fn ambiguous_and_unplaced_elements_are_refused() {
        let wide = echoes(ping(0.1, 0.03, 12.0));
        assert!(
            wide.echoes.is_empty() && wide.notes[0].contains("half a wavelength"),
            "{:?}",
            wide.notes
        );
        let mut unplaced = ping(0.1, 0.007, 12.0);
        unplaced.positions = [].into();
        assert!(echoes(unplaced).notes[0].contains("positions"));
        let mut silent = ping(0.1, 0.007, 12.0);
        silent.pulse = None;
        assert!(echoes(silent).notes[0].contains("listening only"));
    }
}
