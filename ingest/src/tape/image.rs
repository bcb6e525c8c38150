//! An imaging sonar's image as a message: every strength keeps its type, every field its bits.

use beluga_types::{SonarImage, StrengthUnit, Strengths, WaveformShape};

use super::cdr::{Decoder, Encoder, Wrong};
use super::echoes::{beams, put_beams};

/// Writes an image after its moment.
pub(super) fn put(encoder: &mut Encoder, image: &SonarImage) {
    let (kind, bytes, words, longs): (u8, &[u8], &[u16], &[u32]) = match image.strengths() {
        Strengths::U8(values) => (0, values, &[], &[]),
        Strengths::U16(values) => (1, &[], values, &[]),
        Strengths::U32(values) => (2, &[], &[], values),
    };
    encoder.count(image.shape().samples);
    encoder.put(kind);
    encoder.put(match image.unit {
        StrengthUnit::Amplitude => 0u8,
        StrengthUnit::Decibel => 1,
    });
    encoder.flag(image.transmitted);
    encoder.put(image.scale);
    encoder.array(&[image.first_s, image.interval_s]);
    encoder.optional(image.centre_hz);
    encoder.optional(image.sound_speed_m_per_s);
    encoder.put(image.blanking_m);
    put_beams(encoder, image.beams());
    encoder.sequence(image.cell_gains());
    encoder.bytes(bytes.len(), |place| place.copy_from_slice(bytes));
    encoder.sequence(words);
    encoder.sequence(longs);
}

/// Reads an image after its moment.
pub(super) fn get(decoder: &mut Decoder<'_>) -> Result<SonarImage, Wrong> {
    let samples = decoder.get::<u32>()? as usize;
    let (kind, unit): (u8, u8) = (decoder.get()?, decoder.get()?);
    let transmitted = decoder.flag()?;
    let scale: f32 = decoder.get()?;
    let [first_s, interval_s] = decoder.finites()?;
    let centre_hz = decoder.optional()?;
    let sound_speed_m_per_s = decoder.optional()?;
    let blanking_m = decoder.finite()?;
    let beams = beams(decoder)?;
    let cell_gains = decoder.sequence()?;
    let bytes = decoder.bytes()?;
    let (words, longs): (Vec<u16>, Vec<u32>) = (decoder.sequence()?, decoder.sequence()?);
    let strengths = match (kind, bytes.len(), words.len(), longs.len()) {
        (0, _, 0, 0) => Strengths::U8(bytes.to_vec()),
        (1, 0, _, 0) => Strengths::U16(words),
        (2, 0, 0, _) => Strengths::U32(longs),
        _ => return Err(Wrong::Value("strengths of one type, 0 to 2")),
    };
    if !(scale.is_finite() && scale > 0.0) {
        return Err(Wrong::Value("a finite scale above zero"));
    }
    let shape = WaveformShape {
        channels: beams.len(),
        samples,
    };
    let mut image = SonarImage::new(shape, strengths, beams.into())?.with_cell_gains(cell_gains)?;
    image.unit = match unit {
        0 => StrengthUnit::Amplitude,
        1 => StrengthUnit::Decibel,
        _ => return Err(Wrong::Value("a unit of 0 or 1")),
    };
    image.transmitted = transmitted;
    image.scale = scale;
    (image.first_s, image.interval_s) = (first_s, interval_s);
    (image.centre_hz, image.sound_speed_m_per_s) = (centre_hz, sound_speed_m_per_s);
    image.blanking_m = blanking_m;
    Ok(image)
}
