//! The sonar of a file.

use std::f64::consts::{PI, SQRT_2};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use beluga_types::{Beam, SensorSpec, SonarImage, Stamp, StrengthUnit, Strengths, WaveformShape};

use super::frame::{self, Aris, Frame};
use super::lens;
use crate::error::Error;
use crate::regular;
use crate::survey::played::{Datagrams, Played, Rows};
use crate::survey::widths;

/// Elevation of a beam in degrees, both ways: that of an ARIS with its own lens.
pub(super) const ELEVATION_DEG: f64 = 14.0;
/// Decibels of a count: 255 are 80 dB.
const DECIBELS: f32 = 80.0 / 255.0;

/// The rows of the sonar of a file.
///
/// # Errors
/// If it cannot be read, is no such file, or the rig's `beams` are no widths.
pub(crate) fn open(path: &Path, spec: &SensorSpec) -> Result<Played<File, Aris, Reader>, Error> {
    let walk = super::walk(regular::open(path)?, path)?;
    let reader = Reader {
        named: widths::named(spec, path)?,
        last: None,
    };
    Ok(Played::new(walk, reader, path.to_owned()))
}

/// The reader of a file's frames; the beams of the last are shared while they stay the same.
pub(crate) struct Reader {
    named: Option<Beam>,
    last: Option<(usize, bool, Arc<[Beam]>)>,
}

impl Reader {
    fn image(&mut self, frame: Frame) -> Result<SonarImage, String> {
        let shape = WaveformShape {
            channels: frame.beams,
            samples: frame.samples,
        };
        let beams = self.beams(&frame)?;
        let centre_hz = nominal_hz(&frame);
        let image = SonarImage::new(shape, Strengths::U8(frame.strengths), beams);
        let mut image = image.map_err(|wrong| wrong.to_string())?;
        (image.unit, image.scale) = (StrengthUnit::Decibel, DECIBELS);
        image.first_s = f64::from(frame.delay_us) * 1e-6;
        image.interval_s = f64::from(frame.period_us) * 1e-6;
        image.transmitted = frame.transmitted;
        image.centre_hz = centre_hz;
        image.sound_speed_m_per_s = Some(f64::from(frame.sound_speed_m_per_s));
        Ok(image)
    }

    /// Where the beams look: the lens's table, in the plane of `Sensor` y and z.
    fn beams(&mut self, frame: &Frame) -> Result<Arc<[Beam]>, String> {
        if let Some((count, telephoto, beams)) = &self.last
            && (*count, *telephoto) == (frame.beams, frame.telephoto)
        {
            return Ok(Arc::clone(beams));
        }
        let table = lens::beams_deg(frame.beams, frame.telephoto).ok_or_else(|| {
            format!(
                "expected a lens whose table is known, found {} beams through the telephoto lens",
                frame.beams
            )
        })?;
        let high = ELEVATION_DEG * PI / 180.0 * SQRT_2;
        let beam = |&[angle, wide]: &[f64; 2]| {
            let [transmit, receive] = match self.named {
                Some(named) => [named.transmit_width_rad, named.receive_width_rad],
                // One way each is the root of two wider than both ways together.
                None => [[high, PI], [high, wide * PI / 180.0]],
            };
            Beam::at(angle * PI / 180.0, 0.0, transmit, receive)
        };
        let beams: Arc<[Beam]> = table.iter().map(beam).collect();
        self.last = Some((frame.beams, frame.telephoto, Arc::clone(&beams)));
        Ok(beams)
    }
}

/// The frequency that a model has by its name, in hertz: the header says only which of its two.
pub(super) fn nominal_hz(frame: &Frame) -> Option<f64> {
    let [low, high] = match frame.system {
        0 => [1.1e6, 1.8e6],
        1 => [1.8e6, 3.0e6],
        2 => [0.7e6, 1.2e6],
        _ => return None,
    };
    Some(if frame.high { high } else { low })
}

impl Datagrams for Reader {
    fn take(&mut self, start: u64, whole: &[u8], rows: &mut Rows) {
        rows.at(start, "frame");
        let found = frame::read(whole).and_then(|frame| {
            let micros = i64::try_from(frame.recorded_us).unwrap_or(i64::MAX);
            let stamp = Stamp::from_nanos(micros.saturating_mul(1000));
            let number = frame.number;
            self.image(frame).map(|image| (stamp, number, image))
        });
        rows.push_image(found);
    }

    fn is_own(&self, _: &[u8]) -> Option<bool> {
        // A file has nothing else.
        Some(true)
    }
}
