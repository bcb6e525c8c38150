//! A ping's magnitudes once more, as `marine_acoustic_msgs/RawSonarImage` (version 2.1, ROS 2),
//! for viewers. Never read back: phases are lost, and arrays by elements have no beams to show.
//!
//! A row of the image is a sample and a column a beam: the message's own comment counts time in
//! rows. Angles are those of [`Beam`]: of the receive beam across track, positive to starboard, and
//! of the transmit beam along track, positive forward; radians.

use beluga_types::elementary::{Squared, powf};
use beluga_types::{Beam, SonarImage, SonarPing, Stamp, StrengthUnit, Strengths};

use super::cdr::Encoder;
use super::cloud::put_header;

/// `SonarImageData.DTYPE_UINT8`, `DTYPE_UINT16`, `DTYPE_UINT32` and `DTYPE_FLOAT32`.
const UINT8: u32 = 0;
const UINT16: u32 = 2;
const UINT32: u32 = 4;
const FLOAT32: u32 = 8;

/// Magnitudes by beam and how they were sampled.
struct Image<'a> {
    /// One beam after the other, each from early to late; in the device's unit, linear.
    magnitudes: Magnitudes<'a>,
    beams: &'a [Beam],
    steering_rad: f64,
    sample_rate_hz: f64,
    first_sample_s: f64,
    /// Zero where the device does not say.
    centre_hz: f64,
    sound_speed_m_per_s: Option<f64>,
}

/// Magnitudes as numbers of ours, or in the device's own type.
enum Magnitudes<'a> {
    Ours(Vec<f32>),
    Own(&'a Strengths),
}

impl Magnitudes<'_> {
    fn len(&self) -> usize {
        match self {
            Magnitudes::Ours(values) => values.len(),
            Magnitudes::Own(values) => values.len(),
        }
    }

    /// The type's number, and the bytes, sample after sample of all beams.
    fn bytes(&self, beams: usize) -> (u32, Vec<u8>) {
        fn turned<const N: usize, T: Copy>(values: &[T], beams: usize, bytes: fn(T) -> [u8; N]) -> Vec<u8> {
            let samples = values.len() / beams.max(1);
            let rows = (0..samples).flat_map(|sample| (0..beams).map(move |beam| beam * samples + sample));
            rows.flat_map(|place| bytes(values[place])).collect()
        }
        match self {
            Magnitudes::Ours(values) => (FLOAT32, turned(values, beams, f32::to_le_bytes)),
            Magnitudes::Own(Strengths::U8(values)) => (UINT8, turned(values, beams, u8::to_le_bytes)),
            Magnitudes::Own(Strengths::U16(values)) => (UINT16, turned(values, beams, u16::to_le_bytes)),
            Magnitudes::Own(Strengths::U32(values)) => (UINT32, turned(values, beams, u32::to_le_bytes)),
        }
    }
}

fn magnitude([real, imaginary]: [f32; 2]) -> f32 {
    (f64::from(real).squared() + f64::from(imaginary).squared()).sqrt() as f32
}

/// The message of a ping that has samples by beam.
pub(super) fn of(stamp: Stamp, sensor: &str, ping: &SonarPing) -> Option<Vec<u8>> {
    let image = match ping {
        SonarPing::Beams(ping) => {
            let shape = ping.waveforms.shape();
            let mut magnitudes = Vec::with_capacity(ping.waveforms.values().len());
            let mut row = Vec::new();
            for beam in 0..shape.channels {
                ping.waveforms.read_channel(beam, &mut row);
                magnitudes.extend(row.iter().copied().map(magnitude));
            }
            Image {
                magnitudes: Magnitudes::Ours(magnitudes),
                beams: &ping.beams,
                steering_rad: ping.steering_rad,
                sample_rate_hz: ping.waveforms.sample_rate_hz(),
                first_sample_s: ping.waveforms.first_sample_s(),
                centre_hz: ping.pulse.centre_hz(),
                sound_speed_m_per_s: ping.sound_speed_m_per_s,
            }
        }
        SonarPing::Profile(ping) => Image {
            magnitudes: Magnitudes::Ours(match ping.unit {
                StrengthUnit::Amplitude => ping.strength.clone(),
                StrengthUnit::Decibel => ping.strength.iter().copied().map(linear).collect(),
            }),
            beams: std::slice::from_ref(&ping.beam),
            steering_rad: ping.steering_rad,
            sample_rate_hz: ping.interval_s.recip(),
            first_sample_s: ping.first_s,
            centre_hz: 0.0,
            sound_speed_m_per_s: ping.sound_speed_m_per_s,
        },
        SonarPing::Image(ping) => Image {
            magnitudes: magnitudes(ping),
            beams: ping.beams(),
            steering_rad: 0.0,
            sample_rate_hz: ping.interval_s.recip(),
            first_sample_s: ping.first_s,
            centre_hz: ping.centre_hz.unwrap_or_default(),
            sound_speed_m_per_s: ping.sound_speed_m_per_s,
        },
        SonarPing::Elements(_) | SonarPing::Detections(_) => return None,
    };
    Some(message(stamp, sensor, &image))
}

/// The amplitude of a level in dB.
fn linear(db: f32) -> f32 {
    powf(10.0, f64::from(db) / 20.0) as f32
}

/// Amplitudes as the device has them, levels in dB turned into such.
fn magnitudes(ping: &SonarImage) -> Magnitudes<'_> {
    if ping.unit == StrengthUnit::Amplitude {
        return Magnitudes::Own(ping.strengths());
    }
    let mut all = Vec::with_capacity(ping.strengths().len());
    let mut row = Vec::new();
    for beam in 0..ping.shape().channels {
        ping.read_row(beam, &mut row);
        all.extend(row.iter().copied().map(linear));
    }
    Magnitudes::Ours(all)
}

fn message(stamp: Stamp, sensor: &str, image: &Image<'_>) -> Vec<u8> {
    let of_beams = |value: fn(&Beam) -> f64, more: f64| -> Vec<f32> {
        let values = image.beams.iter().map(value);
        values.map(|value| (value + more) as f32).collect()
    };
    let beams = image.beams.len();
    let samples = image.magnitudes.len() / beams.max(1);
    let mut encoder = Encoder::new();
    put_header(&mut encoder, stamp, sensor);
    encoder.put(image.centre_hz as f32);
    encoder.put(image.sound_speed_m_per_s.unwrap_or_default() as f32);
    encoder.sequence(&of_beams(|beam| beam.transmit_width_rad[0], 0.0));
    encoder.sequence(&of_beams(|beam| beam.receive_width_rad[1], 0.0));
    encoder.put(image.sample_rate_hz as f32);
    encoder.count(samples);
    encoder.put((image.first_sample_s * image.sample_rate_hz).round().max(0.0) as u32);
    encoder.sequence(&vec![0f32; beams]);
    encoder.sequence(&of_beams(Beam::along_rad, 0.0));
    encoder.sequence(&of_beams(Beam::across_rad, image.steering_rad));
    encoder.flag(false);
    let (kind, bytes) = image.magnitudes.bytes(beams);
    encoder.put(kind);
    encoder.count(beams);
    encoder.sequence(&bytes);
    encoder.finish()
}
