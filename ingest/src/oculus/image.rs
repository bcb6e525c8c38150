//! From a ping's result to an image of ours.

use std::f64::consts::{PI, SQRT_2};
use std::sync::Arc;

use beluga_types::{Beam, SonarImage, WaveformShape};

use super::model;
use super::ping::Ping;
use crate::range::MAX_PAYLOAD_S;

/// Makes images of pings; the beams of the last are shared while they stay the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Imager {
    /// How wide a rig says that every beam is.
    named: Option<Beam>,
    last: Option<Table>,
}

/// The beams of a ping, and what they were made of.
#[derive(Clone, Debug)]
struct Table {
    bearings: Vec<i16>,
    frequency_hz: Option<f64>,
    beams: Arc<[Beam]>,
}

impl Imager {
    pub(super) fn new(named: Option<Beam>) -> Self {
        Self { named, last: None }
    }

    /// The image of a ping. Its cells lie at multiples of their length from half of one on: so the far end
    /// of the last is the range that was asked for.
    ///
    /// # Errors
    /// If it reaches farther than a ping may.
    pub(super) fn image(&mut self, ping: Ping) -> Result<SonarImage, String> {
        let interval_s = 2.0 * ping.cell_m / ping.sound_speed_m_per_s;
        let length_s = interval_s * ping.cells as f64;
        if length_s > MAX_PAYLOAD_S {
            return Err(format!(
                "expected a ping of {MAX_PAYLOAD_S} s at most, found {length_s} s"
            ));
        }
        let beams = self.beams(&ping);
        let shape = WaveformShape {
            channels: ping.bearings.len(),
            samples: ping.cells,
        };
        let image =
            SonarImage::new(shape, ping.strengths, beams).and_then(|image| image.with_cell_gains(ping.gains));
        let mut image = image.map_err(|wrong| wrong.to_string())?;
        (image.first_s, image.interval_s) = (0.5 * interval_s, interval_s);
        image.centre_hz = ping.frequency_hz;
        image.sound_speed_m_per_s = Some(ping.sound_speed_m_per_s);
        Ok(image)
    }

    /// Where the beams look: bearings turn to starboard, in the plane of `Sensor` y and z.
    fn beams(&mut self, ping: &Ping) -> Arc<[Beam]> {
        let same = |last: &&Table| last.bearings == ping.bearings && last.frequency_hz == ping.frequency_hz;
        if let Some(last) = self.last.as_ref().filter(same) {
            return Arc::clone(&last.beams);
        }
        let [elevation, across] = model::widths_deg(ping.frequency_hz).map(|deg| deg * PI / 180.0);
        // One way each is the root of two wider than both ways together; all of the fan is lit at once.
        let widths = [[elevation * SQRT_2, PI], [elevation * SQRT_2, across]];
        let [transmit, receive] = match self.named {
            Some(named) => [named.transmit_width_rad, named.receive_width_rad],
            None => widths,
        };
        let beam = |bearing: &i16| Beam::at(f64::from(*bearing) * PI / 18_000.0, 0.0, transmit, receive);
        let beams: Arc<[Beam]> = ping.bearings.iter().map(beam).collect();
        self.last = Some(Table {
            bearings: ping.bearings.clone(),
            frequency_hz: ping.frequency_hz,
            beams: Arc::clone(&beams),
        });
        beams
    }
}
