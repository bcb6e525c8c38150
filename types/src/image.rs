//! What an imaging sonar gives for one transmission: echo strength over range, beam by beam.

use std::sync::Arc;

use crate::error::Error;
use crate::sonar::{Beam, StrengthUnit};
use crate::waveforms::WaveformShape;

/// Echo strengths in the device's own type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strengths {
    /// Eight bits each.
    U8(Vec<u8>),
    /// Sixteen bits each.
    U16(Vec<u16>),
    /// Up to thirty-two bits each.
    U32(Vec<u32>),
}

impl Strengths {
    /// How many there are, over all beams.
    pub fn len(&self) -> usize {
        match self {
            Strengths::U8(values) => values.len(),
            Strengths::U16(values) => values.len(),
            Strengths::U32(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One transmission of an imaging sonar: a fan of beams, each with its echo strength over range.
///
/// Row-major, one row per beam in the order of the beam table, from near to far; the shape's channels
/// are its beams and its samples the cells of range. Cell `i` lies at the two-way time
/// `first_s + i * interval_s` after the transmit centre. Where the beams look is what the device says,
/// not evenly spaced by assumption.
#[derive(Clone, Debug, PartialEq)]
pub struct SonarImage {
    shape: WaveformShape,
    strengths: Strengths,
    beams: Arc<[Beam]>,
    cell_gains: Vec<u32>,
    /// What one count is in the strength's unit; finite and above zero.
    pub scale: f32,
    /// What the strength is.
    pub unit: StrengthUnit,
    /// Whether the device transmitted: without it there is noise, but no echo.
    pub transmitted: bool,
    /// Two-way time of the middle of the first cell, in seconds after the transmit centre.
    pub first_s: f64,
    /// Seconds of two-way time from one cell to the next; above zero.
    pub interval_s: f64,
    /// What was transmitted, in hertz, if the device says.
    pub centre_hz: Option<f64>,
    /// Speed of sound by which the device formed its beams and states its ranges.
    pub sound_speed_m_per_s: Option<f64>,
    /// Echoes nearer than this are the device's own ringing.
    pub blanking_m: f64,
}

impl SonarImage {
    /// An image whose strengths fill its shape, one beam for each row: amplitudes of scale 1, from
    /// time zero on in steps of a second, for the caller to say otherwise.
    ///
    /// # Errors
    /// [`Error::WaveformLength`] if the strengths do not fill the shape; [`Error::BeamCount`] if there
    /// is not one beam per row.
    pub fn new(shape: WaveformShape, strengths: Strengths, beams: Arc<[Beam]>) -> Result<Self, Error> {
        let WaveformShape { channels, samples } = shape;
        let expected = channels.saturating_mul(samples);
        if strengths.len() != expected {
            return Err(Error::WaveformLength {
                found: strengths.len(),
                channels,
                samples,
                expected,
            });
        }
        if beams.len() != channels {
            return Err(Error::BeamCount {
                what: "beam table",
                found: beams.len(),
                expected: channels,
            });
        }
        Ok(Self {
            shape,
            strengths,
            beams,
            cell_gains: Vec::new(),
            scale: 1.0,
            unit: StrengthUnit::Amplitude,
            transmitted: true,
            first_s: 0.0,
            interval_s: 1.0,
            centre_hz: None,
            sound_speed_m_per_s: None,
            blanking_m: 0.0,
        })
    }

    /// The same with the device's own gain at each range; none is the device's silence about it.
    ///
    /// # Errors
    /// [`Error::ColumnLength`] if there is neither none nor one for each cell of a beam.
    pub fn with_cell_gains(self, cell_gains: Vec<u32>) -> Result<Self, Error> {
        if !cell_gains.is_empty() && cell_gains.len() != self.shape.samples {
            return Err(Error::ColumnLength {
                column: "cell_gains",
                found: cell_gains.len(),
                expected: self.shape.samples,
            });
        }
        Ok(Self { cell_gains, ..self })
    }

    /// The same with another table of the same beams, to share one between pings.
    ///
    /// # Errors
    /// [`Error::BeamCount`] if there is not one beam per row.
    pub fn with_beams(self, beams: Arc<[Beam]>) -> Result<Self, Error> {
        if beams.len() != self.shape.channels {
            return Err(Error::BeamCount {
                what: "beam table",
                found: beams.len(),
                expected: self.shape.channels,
            });
        }
        Ok(Self { beams, ..self })
    }

    /// Beams, and cells of range of each.
    pub fn shape(&self) -> WaveformShape {
        self.shape
    }

    /// The strengths of all beams, row-major.
    pub fn strengths(&self) -> &Strengths {
        &self.strengths
    }

    /// Where each beam looks and how wide it is.
    pub fn beams(&self) -> &Arc<[Beam]> {
        &self.beams
    }

    /// The device's own gain at each cell of range, bits as they were sent (their unit is the device's);
    /// empty if it says none.
    pub fn cell_gains(&self) -> &[u32] {
        &self.cell_gains
    }

    /// Two-way time of the last cell, in nanoseconds after the transmit centre.
    pub fn last_offset_nanos(&self) -> i64 {
        let last = self.first_s + self.shape.samples.saturating_sub(1) as f64 * self.interval_s;
        (last.max(0.0) * 1e9).round() as i64
    }

    /// Writes the strengths of one beam, scaled, into `row`, which is cleared first and keeps its memory.
    ///
    /// # Panics
    /// If `beam` is not below the shape's channels.
    pub fn read_row(&self, beam: usize, row: &mut Vec<f32>) {
        let cells = self.shape.samples;
        assert!(
            beam < self.shape.channels,
            "beam {beam} of {}",
            self.shape.channels
        );
        let range = beam * cells..(beam + 1) * cells;
        let scale = self.scale;
        row.clear();
        match &self.strengths {
            Strengths::U8(values) => row.extend(values[range].iter().map(|&value| f32::from(value) * scale)),
            Strengths::U16(values) => row.extend(values[range].iter().map(|&value| f32::from(value) * scale)),
            Strengths::U32(values) => row.extend(values[range].iter().map(|&value| value as f32 * scale)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: WaveformShape = WaveformShape {
        channels: 2,
        samples: 3,
    };

    fn beams(count: usize) -> Arc<[Beam]> {
        (0..count)
            .map(|beam| Beam::at(0.1 * beam as f64, 0.0, [0.2, 2.0], [0.2, 0.01]))
            .collect()
    }

    #[test]
    fn strengths_beams_and_gains_fill_the_shape() {
        let of = |strengths, table| SonarImage::new(SHAPE, strengths, beams(table));
        assert!(of(Strengths::U8(vec![0; 6]), 2).is_ok());
        assert_eq!(
            of(Strengths::U16(vec![0; 5]), 2).unwrap_err().to_string(),
            "ping has 5 samples, but 2 channels of 3 need 6"
        );
        assert_eq!(
            of(Strengths::U32(vec![0; 6]), 3).unwrap_err().to_string(),
            "beam table has 3 beams, but the ping has 2"
        );
        let image = of(Strengths::U8(vec![0; 6]), 2).unwrap();
        assert!(image.clone().with_cell_gains(vec![1; 2]).is_err());
        assert!(image.clone().with_beams(beams(1)).is_err());
        assert_eq!(image.with_cell_gains(vec![1; 3]).unwrap().cell_gains(), [1; 3]);
    }

    #[test]
    fn a_row_is_one_beam_and_is_scaled() {
        let mut image =
            SonarImage::new(SHAPE, Strengths::U16(vec![1, 2, 3, 400, 500, 600]), beams(2)).unwrap();
        (image.scale, image.first_s, image.interval_s) = (0.5, 0.001, 0.002);
        let mut row = vec![9.0];
        image.read_row(1, &mut row);
        assert_eq!(row, [200.0, 250.0, 300.0]);
        assert_eq!(image.last_offset_nanos(), 5_000_000);
    }
}
