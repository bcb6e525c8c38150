//! The newest ping as the fan it looked through.

use beluga_types::Echogram;
use re_sdk::{EntityPath, RecordingStream};
use re_sdk_types::archetypes::{LineStrips2D, Points2D};
use re_sdk_types::components::{Color, Radius};

use crate::Error;
use crate::colour::Scale;
use crate::echo::{grey, picture};

/// Width and height of the picture, in pixels.
const FAN: [usize; 2] = [320, 200];
/// Rings of equal range at most, and points of one.
const MOST_RINGS: f64 = 5.0;
const RING_POINTS: usize = 33;

/// Draws the newest ping, whose beams look at these angles (rad, + starboard), below this entity.
pub(crate) fn draw(
    stream: &RecordingStream,
    entity: &EntityPath,
    echo: &Echogram,
    angles: &[f64],
    scale: &Scale,
) -> Result<(), Error> {
    let fan = Fan::new(echo, angles);
    let mut pixels = Vec::with_capacity(FAN[0] * FAN[1]);
    for row in 0..FAN[1] {
        for column in 0..FAN[0] {
            let level = fan.level(echo, column, row);
            pixels.push(level.map_or(0, |level_db| grey(scale, level_db)));
        }
    }
    let entity = entity.join(&EntityPath::from("fan"));
    stream.log(entity.clone(), &picture(pixels, FAN[0], FAN[1]))?;
    let detected = echo
        .detected
        .iter()
        .filter_map(|&(beam, range_m)| fan.pixel(beam, range_m.into()));
    let dots = Points2D::new(detected)
        .with_colors([Color::from_rgb(90, 255, 230)])
        .with_radii([Radius::new_ui_points(0.8)]);
    stream.log(entity.join(&EntityPath::from("detected")), &dots)?;
    let rings: Vec<(f64, Vec<[f32; 2]>)> = fan.rings();
    let labels: Vec<String> = rings.iter().map(|(range_m, _)| format!("{range_m} m")).collect();
    let lines = LineStrips2D::new(rings.into_iter().map(|(_, line)| line))
        .with_labels(labels)
        .with_show_labels(true)
        .with_colors([Color::from_rgb(130, 138, 152)])
        .with_radii([Radius::new_ui_points(0.6)]);
    Ok(stream.log(entity.join(&EntityPath::from("rings")), &lines)?)
}

/// The geometry of a fan on its picture: the sonar at the middle of the top edge, starboard right.
struct Fan {
    angles: Vec<f64>,
    /// Beams in the order of their angles.
    sorted: Vec<usize>,
    metres_per_pixel: f64,
    /// Range of the last bin's end, metres.
    reach_m: f64,
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
            reach_m,
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

    /// Lines of equal range across the fan, at round metres.
    fn rings(&self) -> Vec<(f64, Vec<[f32; 2]>)> {
        let (Some(&first), Some(&last)) = (self.sorted.first(), self.sorted.last()) else {
            return Vec::new();
        };
        if !(self.reach_m.is_finite() && self.reach_m > 0.0) {
            return Vec::new();
        }
        let (from, to) = (self.angles[first], self.angles[last]);
        let step_m = ring_step(self.reach_m);
        let count = (self.reach_m / step_m).floor().min(MOST_RINGS) as usize;
        let ring = |number: usize| {
            let range_m = (step_m * number as f64 * 1e6).round() / 1e6;
            let angle = |at: usize| from + (to - from) * at as f64 / (RING_POINTS - 1) as f64;
            let line = (0..RING_POINTS).filter_map(|at| self.at(angle(at), range_m));
            (range_m, line.collect())
        };
        (1..=count).map(ring).collect()
    }

    fn pixel(&self, beam: u32, range_m: f64) -> Option<[f32; 2]> {
        let angle = self.angles.get(usize::try_from(beam).ok()?)?;
        self.at(*angle, range_m)
    }

    /// The pixel at this angle and range.
    fn at(&self, angle: f64, range_m: f64) -> Option<[f32; 2]> {
        let x = angle.sin() * range_m / self.metres_per_pixel + FAN[0] as f64 / 2.0;
        let y = angle.cos() * range_m / self.metres_per_pixel;
        (x.is_finite() && y.is_finite()).then_some([x as f32, y as f32])
    }
}

/// The shortest of 1, 2, 5, 10, … of which a length holds no more than `MOST_RINGS`.
fn ring_step(reach_m: f64) -> f64 {
    let least = (reach_m / MOST_RINGS).max(1e-6);
    let decade = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step >= least).unwrap_or(steps[3])
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
    fn rings_stand_at_round_metres_and_lie_in_the_picture() {
        for (reach, step) in [(2.0, 0.5), (10.5, 5.0), (23.4, 5.0), (120.0, 50.0), (5.0, 1.0)] {
            assert!(
                (ring_step(reach) - step).abs() < 1e-12,
                "{reach}: {}",
                ring_step(reach)
            );
        }
        let fan = Fan::new(&specimen::echo(0), &[-0.5, 0.0, 0.5]);
        let rings = fan.rings();
        // 10.5 m: rings at 5 and 10.
        assert_eq!(
            rings.iter().map(|(range_m, _)| *range_m).collect::<Vec<_>>(),
            [5.0, 10.0]
        );
        for (range_m, line) in &rings {
            assert_eq!(line.len(), RING_POINTS);
            let [x, y] = line[RING_POINTS / 2];
            assert!((x - FAN[0] as f32 / 2.0).abs() < 1e-3);
            assert!((f64::from(y) * fan.metres_per_pixel - range_m).abs() < 1e-3);
            assert!(
                line.iter()
                    .all(|[x, y]| (0.0..=320.0).contains(x) && (0.0..=200.0).contains(y))
            );
        }
    }
}
