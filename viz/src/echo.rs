//! Pings as pictures: a waterfall over time, and the newest ping as the fan it looked through.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use beluga_types::{Beam, Echogram, Rig, SensorId, SensorKind, Stamp};
use re_sdk::{EntityPath, RecordingStream};
use re_sdk_types::archetypes::{DepthImage, Points2D};
use re_sdk_types::components::{Color, Colormap, Radius};
use re_sdk_types::datatypes::ChannelDatatype;

use crate::Error;
use crate::colour::Scale;

/// Rows of the waterfall at most, and the steps it grows by.
const WATERFALL_ROWS: usize = 512;
const WATERFALL_GROWTH: usize = 128;
/// Columns of the waterfall at most: range bins, the loudest of each group.
const WATERFALL_COLUMNS: usize = 320;
/// A new waterfall is drawn after this much data time: each holds all rows again.
const WATERFALL_SECONDS: f64 = 2.0;
/// A new fan is drawn after this much data time.
const FAN_SECONDS: f64 = 0.4;
/// Width and height of the fan, in pixels.
const FAN: [usize; 2] = [320, 200];
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
    /// Of the loudest beams.
    loudest: Scale,
    /// Newest first.
    rows: VecDeque<Vec<u8>>,
    waterfall_drawn: Option<Stamp>,
    fan_drawn: Option<Stamp>,
}

impl Echoes {
    pub(crate) fn new(rig: &Rig) -> Self {
        let sonars = rig.ids().filter_map(|id| {
            let sensor = rig.sensor(id).filter(|sensor| sensor.kind == SensorKind::Sonar)?;
            let sonar = Sonar {
                entity: entity(&sensor.name),
                beams: sensor.beams.clone(),
                scale: Scale::new(NOISE, 0.999),
                loudest: Scale::new(NOISE, 0.98),
                rows: VecDeque::new(),
                waterfall_drawn: None,
                fan_drawn: None,
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
            .try_for_each(|sonar| sonar.draw_waterfall(stream))
    }
}

impl Sonar {
    fn ping(&mut self, stream: &RecordingStream, echo: &Echogram) -> Result<(), Error> {
        self.scale.follow(echo.compressed_db.iter().copied());
        let row = loudest_beam(echo);
        self.loudest.follow(row.iter().copied());
        let row = row.into_iter().map(|level_db| grey(&self.loudest, level_db));
        self.rows.push_front(row.collect());
        self.rows.truncate(WATERFALL_ROWS);
        if due(&mut self.waterfall_drawn, echo.stamp, WATERFALL_SECONDS) {
            self.draw_waterfall(stream)?;
        }
        if due(&mut self.fan_drawn, echo.stamp, FAN_SECONDS) {
            self.draw_fan(stream, echo)?;
        }
        Ok(())
    }

    fn draw_waterfall(&self, stream: &RecordingStream) -> Result<(), Error> {
        // A sonar may change its range setting: rows of before are cut or filled with silence.
        let Some(columns) = self.rows.front().map(Vec::len) else {
            return Ok(());
        };
        let rows = self.rows.len().next_multiple_of(WATERFALL_GROWTH);
        let mut pixels = vec![0; columns * rows];
        for (row, values) in pixels.chunks_exact_mut(columns).zip(&self.rows) {
            for (pixel, value) in row.iter_mut().zip(values) {
                *pixel = *value;
            }
        }
        let entity = self.entity.join(&EntityPath::from("waterfall"));
        Ok(stream.log(entity, &picture(pixels, columns, rows))?)
    }

    fn draw_fan(&self, stream: &RecordingStream, echo: &Echogram) -> Result<(), Error> {
        let fan = Fan::new(echo, &self.angles(echo.shape.channels));
        let mut pixels = Vec::with_capacity(FAN[0] * FAN[1]);
        for row in 0..FAN[1] {
            for column in 0..FAN[0] {
                let level = fan.level(echo, column, row);
                pixels.push(level.map_or(0, |level_db| grey(&self.scale, level_db)));
            }
        }
        let entity = self.entity.join(&EntityPath::from("fan"));
        stream.log(entity.clone(), &picture(pixels, FAN[0], FAN[1]))?;
        let detected = echo
            .detected
            .iter()
            .filter_map(|&(beam, range_m)| fan.pixel(beam, range_m.into()));
        let dots = Points2D::new(detected)
            .with_colors([Color::from_rgb(90, 255, 230)])
            .with_radii([Radius::new_ui_points(0.8)]);
        Ok(stream.log(entity.join(&EntityPath::from("detected")), &dots)?)
    }

    /// Where the beams look across track, rad; spread evenly if the rig does not say.
    fn angles(&self, beams: usize) -> Vec<f64> {
        match &self.beams {
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

/// The loudest beam of a ping over range, in groups of bins.
fn loudest_beam(echo: &Echogram) -> Vec<f32> {
    let samples = echo.shape.samples;
    let group = samples.div_ceil(WATERFALL_COLUMNS);
    let loudest = |start: usize| {
        let beams = echo.compressed_db.chunks_exact(samples);
        let levels = beams.flat_map(|beam| &beam[start..(start + group).min(samples)]);
        levels.copied().fold(f32::NEG_INFINITY, f32::max)
    };
    (0..samples).step_by(group).map(loudest).collect()
}

fn grey(scale: &Scale, level_db: f32) -> u8 {
    (scale.fraction(level_db) * 255.0).round() as u8
}

/// The geometry of a fan on its picture: the sonar at the middle of the top edge, starboard right.
struct Fan {
    angles: Vec<f64>,
    /// Beams in the order of their angles.
    sorted: Vec<usize>,
    metres_per_pixel: f64,
    /// Half of the angle the outermost beams have for themselves.
    margin_rad: f64,
}

impl Fan {
    fn new(echo: &Echogram, angles: &[f64]) -> Self {
        let reach_m = echo.first_range_m + echo.range_step_m * echo.shape.samples as f64;
        let widest = angles
            .iter()
            .map(|angle| angle.abs().min(1.5).sin())
            .fold(0.1, f64::max);
        let across = reach_m * widest * 2.0 / FAN[0] as f64;
        let down = reach_m / FAN[1] as f64;
        let mut sorted: Vec<usize> = (0..angles.len()).collect();
        sorted.sort_by(|&a, &b| angles[a].total_cmp(&angles[b]));
        let span = match (sorted.first(), sorted.last()) {
            (Some(&first), Some(&last)) => angles[last] - angles[first],
            _ => 0.0,
        };
        Self {
            angles: angles.to_vec(),
            sorted,
            metres_per_pixel: across.max(down).max(f64::MIN_POSITIVE),
            margin_rad: span / angles.len().max(1) as f64,
        }
    }

    /// The level a pixel shows; nothing outside the fan.
    fn level(&self, echo: &Echogram, column: usize, row: usize) -> Option<f32> {
        let starboard_m = (column as f64 + 0.5 - FAN[0] as f64 / 2.0) * self.metres_per_pixel;
        let down_m = (row as f64 + 0.5) * self.metres_per_pixel;
        let bin = (starboard_m.hypot(down_m) - echo.first_range_m) / echo.range_step_m;
        if !(0.0..echo.shape.samples as f64).contains(&bin) {
            return None;
        }
        let beam = self.nearest(starboard_m.atan2(down_m))?;
        echo.compressed_db
            .get(beam * echo.shape.samples + bin as usize)
            .copied()
    }

    fn nearest(&self, angle: f64) -> Option<usize> {
        let after = self.sorted.partition_point(|&beam| self.angles[beam] < angle);
        let candidates = [after.checked_sub(1), Some(after)].into_iter().flatten();
        let beams = candidates.filter_map(|place| self.sorted.get(place).copied());
        let distance = |beam: &usize| (self.angles[*beam] - angle).abs();
        let nearest = beams.min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(&nearest) <= self.margin_rad.max(0.005)).then_some(nearest)
    }

    fn pixel(&self, beam: u32, range_m: f64) -> Option<[f32; 2]> {
        let angle = self.angles.get(usize::try_from(beam).ok()?)?;
        let x = angle.sin() * range_m / self.metres_per_pixel + FAN[0] as f64 / 2.0;
        let y = angle.cos() * range_m / self.metres_per_pixel;
        (x.is_finite() && y.is_finite()).then_some([x as f32, y as f32])
    }
}

/// Whether a picture is due at `now`; it then counts as drawn.
fn due(drawn: &mut Option<Stamp>, now: Stamp, seconds: f64) -> bool {
    let due = drawn.is_none_or(|before| now.seconds_since(before).abs() >= seconds);
    if due {
        *drawn = Some(now);
    }
    due
}

fn picture(pixels: Vec<u8>, width: usize, height: usize) -> DepthImage {
    DepthImage::from_data_type_and_bytes(pixels, [width as u32, height as u32], ChannelDatatype::U8)
        .with_colormap(Colormap::Inferno)
        .with_depth_range([0.0, 255.0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    #[test]
    fn a_fan_shows_each_beam_where_it_looks() {
        let angles = [-0.6, -0.2, 0.2, 0.6];
        let mut echo = specimen::echo(0);
        echo.shape.channels = 4;
        echo.compressed_db = (0..4 * echo.shape.samples)
            .map(|i| (i / echo.shape.samples) as f32)
            .collect();
        let fan = Fan::new(&echo, &angles);
        for (beam, range_m) in [(0u32, 5.0), (1, 9.0), (2, 3.0), (3, 7.0)] {
            let [x, y] = fan.pixel(beam, range_m).unwrap();
            assert_eq!(fan.level(&echo, x as usize, y as usize), Some(beam as f32));
        }
        let [x, _] = fan.pixel(3, 5.0).unwrap();
        assert!(x > FAN[0] as f32 / 2.0, "starboard is on the right");
        assert_eq!(
            fan.level(&echo, 0, 0),
            None,
            "nothing at the surface beside the fan"
        );
        assert_eq!(fan.pixel(4, 5.0), None);
    }

    #[test]
    fn pictures_come_at_their_pace() {
        let mut drawn = None;
        let stamps = (0..100).map(|i| Stamp::from_nanos(i * 100_000_000));
        let count = stamps.filter(|&stamp| due(&mut drawn, stamp, 2.0)).count();
        assert_eq!(count, 5);
    }
}
