//! Pings as pictures: waterfalls over time, and the newest ping as the fan it looked through.

use std::collections::BTreeMap;
use std::sync::Arc;

use beluga_types::{Beam, Echogram, Rig, SensorId, SensorKind};
use re_sdk::{EntityPath, RecordingStream};
use re_sdk_types::archetypes::DepthImage;
use re_sdk_types::components::Colormap;
use re_sdk_types::datatypes::ChannelDatatype;

use crate::colour::Scale;
use crate::pace::Pace;
use crate::waterfall::{Stage, Waterfall};
use crate::{Error, fan};

/// Seconds of data time between two waterfalls, at first and at last: each holds all pings again.
const WATERFALL_SECONDS: [f64; 2] = [2.0, 10.0];
/// Seconds between two fans, at first and at last.
const FAN_SECONDS: [f64; 2] = [1.0, 2.0];
/// The part of all levels taken for noise, and drawn nearly black.
const NOISE: f32 = 0.6;
/// Half of the angle an unfolded fan takes if the rig does not say where the beams look, rad.
const NOMINAL_HALF_ANGLE_RAD: f64 = 1.05;

/// Where a sonar's pictures are: below here, by its name.
pub(crate) fn entity(name: &str) -> EntityPath {
    EntityPath::from("sonar").join(&EntityPath::from_single_string(name.to_owned()))
}

/// The pictures of all sonars.
pub(crate) struct Echoes {
    sonars: BTreeMap<SensorId, Sonar>,
}

struct Sonar {
    entity: EntityPath,
    beams: Option<Arc<[Beam]>>,
    /// Of the levels of all beams.
    scale: Scale,
    waterfalls: [Waterfall; 3],
    waterfall_pace: Pace,
    fan_pace: Pace,
}

impl Echoes {
    pub(crate) fn new(rig: &Rig) -> Self {
        let sonars = rig.ids().filter_map(|id| {
            let sensor = rig.sensor(id).filter(|sensor| sensor.kind == SensorKind::Sonar)?;
            let sonar = Sonar {
                entity: entity(&sensor.name),
                beams: sensor.beams.clone(),
                scale: Scale::new(NOISE, 0.999),
                waterfalls: Stage::ALL.map(Waterfall::new),
                waterfall_pace: Pace::new(WATERFALL_SECONDS[0], WATERFALL_SECONDS[1]),
                fan_pace: Pace::new(FAN_SECONDS[0], FAN_SECONDS[1]),
            };
            Some((id, sonar))
        });
        Self {
            sonars: sonars.collect(),
        }
    }

    /// Adds a ping, at the stream's current time. One of a sensor that is no sonar of the rig, or
    /// whose levels do not fill its shape, is passed over.
    pub(crate) fn ping(&mut self, stream: &RecordingStream, echo: &Echogram) -> Result<(), Error> {
        let filled = echo.shape.channels.checked_mul(echo.shape.samples) == Some(echo.compressed_db.len());
        match self.sonars.get_mut(&echo.sensor) {
            Some(sonar) if filled && !echo.compressed_db.is_empty() => sonar.ping(stream, echo),
            _ => Ok(()),
        }
    }

    /// Draws what has not been drawn yet.
    pub(crate) fn finish(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        self.sonars
            .values()
            .try_for_each(|sonar| sonar.draw_waterfalls(stream))
    }
}

impl Sonar {
    fn ping(&mut self, stream: &RecordingStream, echo: &Echogram) -> Result<(), Error> {
        self.scale.follow(echo.compressed_db.iter().copied());
        for waterfall in &mut self.waterfalls {
            waterfall.ping(echo);
        }
        if self.waterfall_pace.due(echo.stamp) {
            self.draw_waterfalls(stream)?;
        }
        // One beam is no fan.
        if echo.shape.channels > 1 && self.fan_pace.due(echo.stamp) {
            let angles = self.angles(echo);
            fan::draw(stream, &self.entity, echo, &angles, &self.scale)?;
        }
        Ok(())
    }

    fn draw_waterfalls(&self, stream: &RecordingStream) -> Result<(), Error> {
        self.waterfalls
            .iter()
            .try_for_each(|waterfall| waterfall.draw(stream, &self.entity))
    }

    /// Where the beams look across track, rad: as the ping says, else the rig; spread evenly if neither does.
    fn angles(&self, echo: &Echogram) -> Vec<f64> {
        let beams = echo.shape.channels;
        match &self.beams {
            _ if echo.across_rad.len() == beams => echo.across_rad.clone(),
            Some(table) if table.len() == beams => table.iter().map(Beam::across_rad).collect(),
            _ => {
                let step = 2.0 * NOMINAL_HALF_ANGLE_RAD / (beams.max(2) - 1) as f64;
                (0..beams)
                    .map(|beam| beam as f64 * step - NOMINAL_HALF_ANGLE_RAD)
                    .collect()
            }
        }
    }
}

/// A level as a pixel.
pub(crate) fn grey(scale: &Scale, level_db: f32) -> u8 {
    (scale.fraction(level_db) * 255.0).round() as u8
}

/// Pixels from noise (0) to loud (255).
pub(crate) fn picture(pixels: Vec<u8>, width: usize, height: usize) -> DepthImage {
    DepthImage::from_data_type_and_bytes(pixels, [width as u32, height as u32], ChannelDatatype::U8)
        .with_colormap(Colormap::Inferno)
        .with_depth_range([0.0, 255.0])
}
