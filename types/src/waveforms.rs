//! Samples of one ping, as a sonar's receiver gave them.

use std::sync::Arc;

use crate::error::Error;
use crate::receiver::Receiver;

/// Size of a block of samples; row-major, one row per channel, samples from early to late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaveformShape {
    /// Beams or elements.
    pub channels: usize,
    /// Samples of each.
    pub samples: usize,
}

/// Samples in the device's own type.
#[derive(Clone, Debug, PartialEq)]
pub enum SampleValues {
    /// Real counts.
    RealI16(Vec<i16>),
    /// In-phase and quadrature counts around `centre_hz`.
    IqI16(Vec<[i16; 2]>),
    /// Real numbers.
    RealF32(Vec<f32>),
    /// In-phase and quadrature numbers around `centre_hz`.
    IqF32(Vec<[f32; 2]>),
}

impl SampleValues {
    /// How many samples there are, over all channels.
    pub fn len(&self) -> usize {
        match self {
            SampleValues::RealI16(values) => values.len(),
            SampleValues::IqI16(values) => values.len(),
            SampleValues::RealF32(values) => values.len(),
            SampleValues::IqF32(values) => values.len(),
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the samples are complex.
    pub fn is_iq(&self) -> bool {
        matches!(self, SampleValues::IqI16(_) | SampleValues::IqF32(_))
    }
}

/// The waveforms of one ping.
///
/// Sample `i` of every channel was taken `first_sample_s + i / sample_rate_hz` seconds after the
/// ping's stamp (the transmit centre). A complex sample `I + jQ` stands for the real signal
/// `Re{(I + jQ) exp(j 2π centre_hz t)}`, t counted from the stamp.
///
/// Samples from behind a [`Receiver`] carry its delay: what starts at the transducer at a moment
/// starts in the samples at that moment, smeared over the receiver's length.
#[derive(Clone, Debug, PartialEq)]
pub struct Waveforms {
    shape: WaveformShape,
    values: SampleValues,
    scale: f32,
    sample_rate_hz: f64,
    centre_hz: f64,
    first_sample_s: f64,
    receiver: Option<Arc<Receiver>>,
}

impl Waveforms {
    /// Samples that fill their shape.
    ///
    /// `scale` turns counts into the device's unit; `centre_hz` is the carrier of I/Q samples and
    /// zero for real ones.
    ///
    /// # Errors
    /// [`Error::WaveformLength`] if the samples do not fill the shape; [`Error::OutOfRange`] for a
    /// sample rate, scale, centre or first sample outside its range; [`Error::NotFinite`] for a
    /// sample that is not finite.
    pub fn new(
        shape: WaveformShape,
        values: SampleValues,
        scale: f32,
        sample_rate_hz: f64,
        centre_hz: f64,
        first_sample_s: f64,
    ) -> Result<Self, Error> {
        let expected = shape.channels.saturating_mul(shape.samples);
        if values.len() != expected {
            let WaveformShape { channels, samples } = shape;
            return Err(Error::WaveformLength {
                found: values.len(),
                channels,
                samples,
                expected,
            });
        }
        let range = |what, found: f64, good: bool, expected| {
            if good {
                Ok(())
            } else {
                Err(Error::OutOfRange {
                    what,
                    found,
                    expected,
                })
            }
        };
        range(
            "sample_rate_hz",
            sample_rate_hz,
            sample_rate_hz.is_finite() && sample_rate_hz > 0.0,
            "a finite number above zero",
        )?;
        range(
            "scale",
            f64::from(scale),
            scale.is_finite() && scale > 0.0,
            "a finite number above zero",
        )?;
        range(
            "centre_hz",
            centre_hz,
            centre_hz.is_finite() && centre_hz >= 0.0,
            "zero or more",
        )?;
        range(
            "first_sample_s",
            first_sample_s,
            first_sample_s.is_finite(),
            "a finite number",
        )?;
        let bad = match &values {
            SampleValues::RealF32(values) => values.iter().position(|value| !value.is_finite()),
            SampleValues::IqF32(values) => values.iter().position(|[i, q]| !(i.is_finite() && q.is_finite())),
            SampleValues::RealI16(_) | SampleValues::IqI16(_) => None,
        };
        if let Some(index) = bad {
            return Err(Error::NotFinite {
                what: "sample",
                index,
            });
        }
        Ok(Self {
            shape,
            values,
            scale,
            sample_rate_hz,
            centre_hz,
            first_sample_s,
            receiver: None,
        })
    }

    /// The same samples, known to come from behind this receiver.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the receiver does not end in this sample rate (to a part in a
    /// million).
    pub fn with_receiver(self, receiver: Arc<Receiver>) -> Result<Self, Error> {
        let ratio = receiver.output_rate_hz() / self.sample_rate_hz;
        if (ratio - 1.0).abs() > 1e-6 {
            return Err(Error::OutOfRange {
                what: "receiver's rate over sample_rate_hz",
                found: ratio,
                expected: "one",
            });
        }
        Ok(Self {
            receiver: Some(receiver),
            ..self
        })
    }

    /// What the samples went through, if it is known and shapes a pulse.
    pub fn receiver(&self) -> Option<&Arc<Receiver>> {
        self.receiver.as_ref()
    }

    /// Channels and samples.
    pub fn shape(&self) -> WaveformShape {
        self.shape
    }

    /// The samples of all channels, row-major.
    pub fn values(&self) -> &SampleValues {
        &self.values
    }

    /// What one count is in the device's unit.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Samples per second (complex samples for I/Q).
    pub fn sample_rate_hz(&self) -> f64 {
        self.sample_rate_hz
    }

    /// Carrier of I/Q samples; zero for real ones.
    pub fn centre_hz(&self) -> f64 {
        self.centre_hz
    }

    /// When the first sample was taken, in seconds after the ping's stamp.
    pub fn first_sample_s(&self) -> f64 {
        self.first_sample_s
    }

    /// When the last sample was taken, in nanoseconds after the ping's stamp.
    pub fn last_offset_nanos(&self) -> i64 {
        let last = self.first_sample_s + self.shape.samples.saturating_sub(1) as f64 / self.sample_rate_hz;
        (last.max(0.0) * 1e9).round() as i64
    }

    /// Writes one channel, scaled, as (real, imaginary) pairs into `row`; the imaginary part of
    /// real samples is zero. `row` is cleared first and keeps its memory.
    ///
    /// # Panics
    /// If `channel` is not below the shape's.
    pub fn read_channel(&self, channel: usize, row: &mut Vec<[f32; 2]>) {
        assert!(
            channel < self.shape.channels,
            "channel {channel} of {}",
            self.shape.channels
        );
        let range = channel * self.shape.samples..(channel + 1) * self.shape.samples;
        let scale = self.scale;
        row.clear();
        match &self.values {
            SampleValues::RealI16(values) => {
                row.extend(values[range].iter().map(|&value| [f32::from(value) * scale, 0.0]));
            }
            SampleValues::IqI16(values) => {
                row.extend(
                    values[range]
                        .iter()
                        .map(|&[i, q]| [f32::from(i) * scale, f32::from(q) * scale]),
                );
            }
            SampleValues::RealF32(values) => {
                row.extend(values[range].iter().map(|&value| [value * scale, 0.0]));
            }
            SampleValues::IqF32(values) => {
                row.extend(values[range].iter().map(|&[i, q]| [i * scale, q * scale]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_must_fill_their_shape() {
        let shape = WaveformShape {
            channels: 2,
            samples: 3,
        };
        let error = Waveforms::new(shape, SampleValues::RealI16(vec![0; 5]), 1.0, 1e3, 0.0, 0.0).unwrap_err();
        assert_eq!(
            error,
            Error::WaveformLength {
                found: 5,
                channels: 2,
                samples: 3,
                expected: 6
            }
        );
    }

    #[test]
    fn a_channel_is_one_row_and_is_scaled() {
        let shape = WaveformShape {
            channels: 2,
            samples: 2,
        };
        let values = SampleValues::IqI16(vec![[1, 2], [3, 4], [5, 6], [7, 8]]);
        let waveforms = Waveforms::new(shape, values, 0.5, 1e3, 40e3, 0.0).unwrap();
        let mut row = Vec::new();
        waveforms.read_channel(1, &mut row);
        assert_eq!(row, [[2.5, 3.0], [3.5, 4.0]]);
        assert_eq!(waveforms.last_offset_nanos(), 1_000_000);
    }
}
