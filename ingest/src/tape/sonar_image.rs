//! A ping's magnitudes once more, as `marine_acoustic_msgs/RawSonarImage` (version 2.1, ROS 2),
//! for viewers. Never read back: phases are lost, and arrays by elements have no beams to show.
//!
//! A row of the image is a sample and a column a beam: the message's own comment counts time in
//! rows. Angles are those of [`Beam`]: of the receive beam across track, positive to starboard, and
//! of the transmit beam along track, positive forward; radians.

use beluga_types::{Beam, SonarPing, Stamp, StrengthUnit};

use super::cdr::Encoder;
use super::cloud::put_header;

/// `SonarImageData.DTYPE_FLOAT32`.
const FLOAT32: u32 = 8;

/// Magnitudes by beam and how they were sampled.
struct Image<'a> {
    /// One beam after the other, each from early to late; in the device's unit, linear.
    magnitudes: Vec<f32>,
    beams: &'a [Beam],
    steering_rad: f64,
    sample_rate_hz: f64,
    first_sample_s: f64,
    /// Zero where the device does not say.
    centre_hz: f64,
    sound_speed_m_per_s: Option<f64>,
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
                magnitudes.extend(row.iter().map(|[real, imaginary]| real.hypot(*imaginary)));
            }
            Image {
                magnitudes,
                beams: &ping.beams,
                steering_rad: ping.steering_rad,
                sample_rate_hz: ping.waveforms.sample_rate_hz(),
                first_sample_s: ping.waveforms.first_sample_s(),
                centre_hz: ping.pulse.centre_hz(),
                sound_speed_m_per_s: ping.sound_speed_m_per_s,
            }
        }
        SonarPing::Profile(ping) => Image {
            magnitudes: match ping.unit {
                StrengthUnit::Amplitude => ping.strength.clone(),
                StrengthUnit::Decibel => ping.strength.iter().map(|db| 10f32.powf(db / 20.0)).collect(),
            },
            beams: std::slice::from_ref(&ping.beam),
            steering_rad: ping.steering_rad,
            sample_rate_hz: ping.interval_s.recip(),
            first_sample_s: ping.first_s,
            centre_hz: 0.0,
            sound_speed_m_per_s: ping.sound_speed_m_per_s,
        },
        SonarPing::Elements(_) | SonarPing::Detections(_) => return None,
    };
    Some(message(stamp, sensor, &image))
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
    encoder.put(FLOAT32);
    encoder.count(beams);
    let rows = (0..samples).flat_map(|sample| (0..beams).map(move |beam| (beam, sample)));
    let bytes: Vec<u8> = rows
        .flat_map(|(beam, sample)| image.magnitudes[beam * samples + sample].to_le_bytes())
        .collect();
    encoder.sequence(&bytes);
    encoder.finish()
}
