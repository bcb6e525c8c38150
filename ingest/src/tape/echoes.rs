//! What a sonar gives, as messages: samples keep their type, every field its bits.

use std::sync::Arc;

use beluga_types::{
    Beam, Beams, Detection, Detections, Direction, Elements, FilterStage, Point, Profile, Pulse, PulseKind,
    Receiver, SampleValues, Sensor, Shading, SonarPing, StrengthUnit, WaveformShape, Waveforms,
};

use super::cdr::{Decoder, Encoder, Wrong};
use super::image;
use super::schema::Kind;
use crate::range::{MAX_FIRST_SAMPLE_S, SAMPLE_RATES_HZ};

/// Bytes of a beam in a message, and the fewest of a detection.
const BEAM_BYTES: usize = 56;
const DETECTION_BYTES: usize = 42;

/// Writes a ping after its moment.
pub(super) fn put(encoder: &mut Encoder, ping: &SonarPing) {
    match ping {
        SonarPing::Elements(ping) => {
            put_waveforms(encoder, &ping.waveforms);
            encoder.flag(ping.pulse.is_some());
            put_pulse(encoder, &ping.pulse.unwrap_or(NO_PULSE));
            encoder.optional(ping.sound_speed_m_per_s);
            encoder.put(ping.blanking_m);
            let positions: Vec<f64> = ping
                .positions
                .iter()
                .flat_map(|p| [p.x(), p.y(), p.z()])
                .collect();
            encoder.sequence(&positions);
            encoder.flag(ping.beam.is_some());
            put_beam(encoder, &ping.beam.unwrap_or_else(no_beam));
        }
        SonarPing::Beams(ping) => {
            put_waveforms(encoder, &ping.waveforms);
            put_pulse(encoder, &ping.pulse);
            encoder.put(ping.steering_rad);
            encoder.optional(ping.sound_speed_m_per_s);
            encoder.put(ping.blanking_m);
            put_beams(encoder, &ping.beams);
        }
        SonarPing::Profile(ping) => {
            put_beam(encoder, &ping.beam);
            encoder.array(&[ping.first_s, ping.interval_s, ping.steering_rad]);
            encoder.optional(ping.sound_speed_m_per_s);
            encoder.put(ping.blanking_m);
            encoder.sequence(&ping.strength);
            encoder.put(match ping.unit {
                StrengthUnit::Amplitude => 0u8,
                StrengthUnit::Decibel => 1,
            });
            encoder.flag(ping.transmitted);
        }
        SonarPing::Image(ping) => image::put(encoder, ping),
        SonarPing::Detections(ping) => {
            encoder.optional(ping.sound_speed_m_per_s);
            encoder.array(&ping.beam_width_rad);
            encoder.count(ping.detections.len());
            for detection in &ping.detections {
                encoder.array(&[
                    detection.two_way_time_s,
                    detection.receive_angle_rad,
                    detection.transmit_tilt_rad,
                    detection.transmit_delay_s,
                ]);
                encoder.array(&[detection.level_db, detection.quality]);
                encoder.put(detection.sector);
            }
        }
    }
}

/// Reads a ping of this kind; nothing if the kind is none of a sonar's.
pub(super) fn get(kind: Kind, decoder: &mut Decoder<'_>) -> Result<Option<SonarPing>, Wrong> {
    Ok(Some(match kind {
        Kind::Elements => {
            let waveforms = waveforms(decoder)?;
            let there = decoder.flag()?;
            let pulse = pulse(decoder)?;
            SonarPing::Elements(Elements {
                waveforms,
                pulse: there.then_some(pulse),
                sound_speed_m_per_s: decoder.optional()?,
                blanking_m: decoder.finite()?,
                positions: positions(decoder)?,
                beam: {
                    let there = decoder.flag()?;
                    Some(beam(decoder)?).filter(|_| there)
                },
            })
        }
        Kind::Beams => {
            let waveforms = waveforms(decoder)?;
            let pulse = pulse(decoder)?;
            let steering_rad = decoder.finite()?;
            let speed = decoder.optional()?;
            let blanking_m = decoder.finite()?;
            let beams = beams(decoder)?.into();
            SonarPing::Beams(Beams::new(
                waveforms,
                beams,
                pulse,
                steering_rad,
                speed,
                blanking_m,
            )?)
        }
        Kind::Profile => {
            let beam = beam(decoder)?;
            let [first_s, interval_s, steering_rad] = decoder.finites()?;
            SonarPing::Profile(Profile {
                beam,
                first_s,
                interval_s,
                steering_rad,
                sound_speed_m_per_s: decoder.optional()?,
                blanking_m: decoder.finite()?,
                strength: finite(decoder.sequence()?)?,
                unit: match decoder.get::<u8>()? {
                    0 => StrengthUnit::Amplitude,
                    1 => StrengthUnit::Decibel,
                    _ => return Err(Wrong::Value("a unit of 0 or 1")),
                },
                transmitted: decoder.flag()?,
            })
        }
        Kind::Image => SonarPing::Image(image::get(decoder)?),
        Kind::Detections => {
            let sound_speed_m_per_s = decoder.optional()?;
            let beam_width_rad = decoder.finites()?;
            let count = decoder.count(DETECTION_BYTES)?;
            SonarPing::Detections(Detections {
                detections: (0..count).map(|_| detection(decoder)).collect::<Result<_, _>>()?,
                sound_speed_m_per_s,
                beam_width_rad,
            })
        }
        _ => return Ok(None),
    }))
}

/// Writes a counted table of beams.
pub(super) fn put_beams(encoder: &mut Encoder, beams: &[Beam]) {
    encoder.count(beams.len());
    beams.iter().for_each(|beam| put_beam(encoder, beam));
}

/// Reads a counted table of beams.
pub(super) fn beams(decoder: &mut Decoder<'_>) -> Result<Vec<Beam>, Wrong> {
    let count = decoder.count(BEAM_BYTES)?;
    (0..count).map(|_| beam(decoder)).collect()
}

fn put_beam(encoder: &mut Encoder, beam: &Beam) {
    encoder.array(beam.direction.vector().as_slice());
    encoder.array(&beam.transmit_width_rad);
    encoder.array(&beam.receive_width_rad);
}

fn beam(decoder: &mut Decoder<'_>) -> Result<Beam, Wrong> {
    let [x, y, z] = decoder.finites()?;
    Ok(Beam {
        direction: Direction::new(x, y, z),
        transmit_width_rad: decoder.finites()?,
        receive_width_rad: decoder.finites()?,
    })
}

fn positions(decoder: &mut Decoder<'_>) -> Result<Arc<[Point<Sensor>]>, Wrong> {
    let numbers: Vec<f64> = decoder.sequence()?;
    if !(numbers.len().is_multiple_of(3) && numbers.iter().all(|number| number.is_finite())) {
        return Err(Wrong::Value("three finite numbers for each element"));
    }
    let point = |xyz: &[f64]| Point::new(xyz[0], xyz[1], xyz[2]);
    Ok(numbers.chunks_exact(3).map(point).collect())
}

fn detection(decoder: &mut Decoder<'_>) -> Result<Detection, Wrong> {
    let [
        two_way_time_s,
        receive_angle_rad,
        transmit_tilt_rad,
        transmit_delay_s,
    ] = decoder.finites()?;
    let (level_db, quality): (f32, f32) = (decoder.get()?, decoder.get()?);
    finite(vec![level_db, quality])?;
    Ok(Detection {
        two_way_time_s,
        receive_angle_rad,
        transmit_tilt_rad,
        transmit_delay_s,
        level_db,
        quality,
        sector: decoder.get()?,
    })
}

fn put_waveforms(encoder: &mut Encoder, waveforms: &Waveforms) {
    let WaveformShape { channels, samples } = waveforms.shape();
    encoder.count(channels);
    encoder.count(samples);
    let values = waveforms.values();
    encoder.put(match values {
        SampleValues::RealI16(_) => 0u8,
        SampleValues::IqI16(_) => 1,
        SampleValues::RealF32(_) => 2,
        SampleValues::IqF32(_) => 3,
    });
    encoder.put(waveforms.scale());
    encoder.array(&[
        waveforms.sample_rate_hz(),
        waveforms.centre_hz(),
        waveforms.first_sample_s(),
    ]);
    let (counts, numbers): (&[i16], &[f32]) = match values {
        SampleValues::RealI16(values) => (values, &[]),
        SampleValues::IqI16(values) => (values.as_flattened(), &[]),
        SampleValues::RealF32(values) => (&[], values),
        SampleValues::IqF32(values) => (&[], values.as_flattened()),
    };
    encoder.sequence(counts);
    encoder.sequence(numbers);
    put_receiver(encoder, waveforms.receiver());
}

fn put_receiver(encoder: &mut Encoder, receiver: Option<&Arc<Receiver>>) {
    let stages = receiver.map_or(&[][..], |receiver| receiver.stages());
    let decimations: Vec<u32> = stages.iter().map(|stage| stage.decimation).collect();
    let taps: Vec<u32> = stages
        .iter()
        .map(|stage| u32::try_from(stage.coefficients.len()).unwrap_or(u32::MAX))
        .collect();
    let coefficients: Vec<f32> = stages
        .iter()
        .flat_map(|stage| stage.coefficients.as_flattened())
        .copied()
        .collect();
    encoder.put(receiver.map_or(0.0, |receiver| receiver.rate_hz()));
    encoder.sequence(&decimations);
    encoder.sequence(&taps);
    encoder.sequence(&coefficients);
}

/// Reads a receiver; nothing if its rate is 0.
fn receiver(decoder: &mut Decoder<'_>) -> Result<Option<Arc<Receiver>>, Wrong> {
    let rate_hz: f64 = decoder.finite()?;
    let (decimations, taps): (Vec<u32>, Vec<u32>) = (decoder.sequence()?, decoder.sequence()?);
    let coefficients: Vec<f32> = decoder.sequence()?;
    if rate_hz == 0.0 {
        return Ok(None);
    }
    let coefficients = pairs(&coefficients)?;
    let mut rest = coefficients.as_slice();
    if decimations.len() != taps.len() {
        return Err(Wrong::Value("a decimation for each stage"));
    }
    let mut stages = Vec::with_capacity(taps.len());
    for (&decimation, &taps) in decimations.iter().zip(&taps) {
        let Some((own, others)) = rest.split_at_checked(taps as usize) else {
            return Err(Wrong::Value("coefficients for every stage"));
        };
        rest = others;
        stages.push(FilterStage {
            coefficients: own.to_vec(),
            decimation,
        });
    }
    Ok(Some(Arc::new(Receiver::new(rate_hz, stages)?)))
}

fn waveforms(decoder: &mut Decoder<'_>) -> Result<Waveforms, Wrong> {
    let (channels, samples): (u32, u32) = (decoder.get()?, decoder.get()?);
    let kind: u8 = decoder.get()?;
    let scale: f32 = decoder.get()?;
    let [sample_rate_hz, centre_hz, first_sample_s] = decoder.finites()?;
    if !SAMPLE_RATES_HZ.contains(&sample_rate_hz) || first_sample_s.abs() > MAX_FIRST_SAMPLE_S {
        return Err(Wrong::Value(
            "100 Hz to 1 GHz, and samples within 60 s of the stamp",
        ));
    }
    let (counts, numbers): (Vec<i16>, Vec<f32>) = (decoder.sequence()?, decoder.sequence()?);
    let values = match (kind, counts.len(), numbers.len()) {
        (0, _, 0) => SampleValues::RealI16(counts),
        (1, _, 0) => SampleValues::IqI16(pairs(&counts)?),
        (2, 0, _) => SampleValues::RealF32(numbers),
        (3, 0, _) => SampleValues::IqF32(pairs(&numbers)?),
        _ => return Err(Wrong::Value("samples of one type, 0 to 3")),
    };
    let shape = WaveformShape {
        channels: channels as usize,
        samples: samples as usize,
    };
    let waveforms = Waveforms::new(shape, values, scale, sample_rate_hz, centre_hz, first_sample_s)?;
    Ok(match receiver(decoder)? {
        Some(receiver) => waveforms.with_receiver(receiver)?,
        None => waveforms,
    })
}

fn pairs<T: Copy>(values: &[T]) -> Result<Vec<[T; 2]>, Wrong> {
    match values.as_chunks() {
        (pairs, []) => Ok(pairs.to_vec()),
        _ => Err(Wrong::Value("pairs of I and Q")),
    }
}

/// What stands in the message of elements that share no beam: straight down, no width.
fn no_beam() -> Beam {
    Beam::at(0.0, 0.0, [0.0; 2], [0.0; 2])
}

/// What stands in the message of an array that only listens.
const NO_PULSE: Pulse = Pulse {
    kind: PulseKind::Lfm,
    start_hz: 0.0,
    end_hz: 0.0,
    duration_s: 0.0,
    shading: Shading::Rectangular,
};

fn put_pulse(encoder: &mut Encoder, pulse: &Pulse) {
    encoder.put(match pulse.kind {
        PulseKind::Lfm => 0u8,
        PulseKind::Cw => 1,
    });
    let (shading, taper) = match pulse.shading {
        Shading::Rectangular => (0u8, 0.0),
        Shading::Hann => (1, 0.0),
        Shading::Tukey(taper) => (2, taper),
    };
    encoder.put(shading);
    encoder.array(&[pulse.start_hz, pulse.end_hz, pulse.duration_s, taper]);
}

fn pulse(decoder: &mut Decoder<'_>) -> Result<Pulse, Wrong> {
    let (kind, shading): (u8, u8) = (decoder.get()?, decoder.get()?);
    let [start_hz, end_hz, duration_s, taper] = decoder.finites()?;
    Ok(Pulse {
        kind: match kind {
            0 => PulseKind::Lfm,
            1 => PulseKind::Cw,
            _ => return Err(Wrong::Value("a pulse of kind 0 or 1")),
        },
        start_hz,
        end_hz,
        duration_s,
        shading: match shading {
            0 => Shading::Rectangular,
            1 => Shading::Hann,
            2 => Shading::Tukey(taper),
            _ => return Err(Wrong::Value("a shading of 0 to 2")),
        },
    })
}

fn finite(values: Vec<f32>) -> Result<Vec<f32>, Wrong> {
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(Wrong::Value("finite numbers"))
    }
}
