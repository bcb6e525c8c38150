//! A section across the wall at the vessel: both clouds, one to one, with the seam between them.

use std::collections::{BTreeSet, VecDeque};

use beluga_types::{Medium, SolidarFrame, Stamp};
use nalgebra::Vector3;
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::{LineStrips2D, Points2D};
use re_sdk_types::components::{Color, Radius};

use crate::Error;
use crate::face::shared_m2;
use crate::seam::{SIGMAS_95, Seam, Weighed, quantile, seam, square};
use crate::wall::{OnWall, Wall};

/// Half of the thickness of the slice that is shown, metres.
const SLICE_M: f64 = 0.25;
/// Half of the stretch of wall the seam is measured on, metres.
const STRETCH_M: f64 = 1.5;
/// What is older than this is forgotten: the vessel has gone on, seconds.
const MEMORY_SECONDS: f64 = 4.0;
/// Points that are remembered at most, of both kinds.
const MOST_POINTS: usize = 60_000;
const MOST_WEIGHED: usize = 8_000;
/// How far behind the wall the section reaches, metres.
const BEHIND_M: f64 = 1.5;
/// How much water is shown beyond the vessel, metres.
const BEYOND_M: f64 = 2.0;
/// Shown points are at least this far apart, metres.
const APART_M: f64 = 0.04;
/// Bars stand this far apart, metres, and are drawn so many times too long.
const BAR_STEP_M: f64 = 0.5;
pub(crate) const BAR_SCALE: f64 = 10.0;

/// Length of the line from the seam to its words, metres.
const SEAM_MARK_M: f64 = 3.2;

const LIGHT: [u8; 3] = [255, 214, 160];
const SOUND: [u8; 3] = [80, 220, 200];
const WATER: [u8; 3] = [70, 140, 220];
const HULL: [u8; 3] = [235, 120, 40];
const SEAM: [u8; 3] = [255, 84, 160];
const GRID: [u8; 3] = [44, 50, 62];
const GRID_STRONG: [u8; 3] = [78, 86, 102];
const WORDS: [u8; 3] = [190, 198, 210];

/// What was seen lately near the section.
#[derive(Default)]
pub(crate) struct Section {
    along_m: Option<f64>,
    heard: Option<Stamp>,
    points: VecDeque<Seen>,
    weighed: VecDeque<(Stamp, Weighed)>,
}

struct Seen {
    stamp: Stamp,
    along_m: f64,
    /// Level metres off the wall, and up.
    at: [f64; 2],
    medium: Medium,
}

impl Section {
    /// Points of a frame and medium that are weighed for the seam.
    pub(crate) const WEIGHED_PER_FRAME: usize = 40;

    /// Chainage of the section, metres.
    pub(crate) fn along_m(&self) -> Option<f64> {
        self.along_m
    }

    /// Moves the section to where the sonar hears the wall, or abeam of the vessel if it has heard
    /// none lately. Says whether it has.
    pub(crate) fn follow(&mut self, along_m: f64, now: Stamp, heard: bool) -> bool {
        if heard {
            self.heard = Some(now);
        }
        let lately = self
            .heard
            .is_some_and(|heard| now.seconds_since(heard).abs() < MEMORY_SECONDS);
        if heard || !lately {
            self.along_m = Some(along_m);
        }
        let old = |stamp: Stamp| now.seconds_since(stamp).abs() > MEMORY_SECONDS;
        while self.points.front().is_some_and(|seen| old(seen.stamp)) || self.points.len() > MOST_POINTS {
            self.points.pop_front();
        }
        while self.weighed.front().is_some_and(|(stamp, _)| old(*stamp)) || self.weighed.len() > MOST_WEIGHED
        {
            self.weighed.pop_front();
        }
        lately
    }

    /// Remembers a point if it lies near the section.
    pub(crate) fn see(&mut self, wall: &Wall, point: &Vector3<f64>, at: &OnWall, medium: Medium, now: Stamp) {
        if self.is_near(at) {
            self.points.push_back(Seen {
                stamp: now,
                along_m: at.along_m,
                at: [wall.out_m(point), at.level_m],
                medium,
            });
        }
    }

    /// Whether a place is near enough to the section to be remembered.
    pub(crate) fn is_near(&self, at: &OnWall) -> bool {
        self.along_m
            .is_none_or(|along_m| (at.along_m - along_m).abs() < STRETCH_M)
    }

    /// Remembers a point of the face with what is known of it.
    pub(crate) fn weigh(&mut self, now: Stamp, point: Weighed) {
        self.weighed.push_back((now, point));
    }

    /// Draws the section at the stream's current time; gives back the seam.
    pub(crate) fn draw(
        &self,
        stream: &RecordingStream,
        wall: &Wall,
        frame: &SolidarFrame,
    ) -> Result<Result<Seam, &'static str>, Error> {
        let along_m = self.along_m.unwrap_or_default();
        let shared = square(frame.shared.states.len(), &frame.shared.covariance);
        let near: Vec<Weighed> = self
            .weighed
            .iter()
            .filter(|(_, point)| (point.at.along_m - along_m).abs() < STRETCH_M)
            .map(|(_, point)| point.clone())
            .collect();
        let seam = seam(&near, &shared);
        let Some(sheet) = self.sheet(wall, frame) else {
            return Ok(seam);
        };
        sheet.grid(stream, along_m)?;
        self.clouds(stream, &sheet)?;
        bars(stream, wall, along_m, &near, |row| shared_m2(row, &shared))?;
        surroundings(stream, wall, frame, &sheet)?;
        mark(stream, wall, along_m, &near, &seam)?;
        Ok(seam)
    }

    /// What the section shows: the wall from toe to crest, and the vessel.
    fn sheet(&self, wall: &Wall, frame: &SolidarFrame) -> Option<Sheet> {
        let vessel = frame.world_from_body.translation();
        let right_m = wall.out_m(&vessel) + BEYOND_M;
        let levels = || {
            self.weighed
                .iter()
                .map(|(_, point)| point.at.level_m)
                .chain([vessel.z])
        };
        let low_m = (quantile(levels(), 0.01) - 0.6).min(vessel.z - 1.0);
        let high_m = (quantile(levels(), 0.99) + 0.8).max(vessel.z + 1.5);
        let fits = right_m.is_finite() && (high_m - low_m) < 200.0 && right_m < 200.0;
        (!self.weighed.is_empty() && fits).then_some(Sheet {
            across_m: [-BEHIND_M, right_m],
            levels_m: [low_m, high_m],
        })
    }

    fn clouds(&self, stream: &RecordingStream, sheet: &Sheet) -> Result<(), Error> {
        let along_m = self.along_m.unwrap_or_default();
        for (medium, entity, rgb) in [
            (Medium::Air, "section/lidar", LIGHT),
            (Medium::Water, "section/sonar", SOUND),
        ] {
            let mut taken = BTreeSet::new();
            let shown = self.points.iter().filter(|seen| {
                let cell = seen.at.map(|metres| (metres / APART_M).round() as i32);
                seen.medium == medium
                    && (seen.along_m - along_m).abs() < SLICE_M
                    && sheet.holds(seen.at)
                    && taken.insert(cell)
            });
            let cloud = Points2D::new(shown.map(|seen| on_paper(seen.at)))
                .with_colors([colour(rgb)])
                .with_radii([Radius::new_ui_points(1.4)]);
            stream.log(entity, &cloud)?;
        }
        Ok(())
    }
}

/// What is on the paper: metres off the wall, and levels.
struct Sheet {
    across_m: [f64; 2],
    levels_m: [f64; 2],
}

impl Sheet {
    fn holds(&self, [across_m, level_m]: [f64; 2]) -> bool {
        (self.across_m[0]..=self.across_m[1]).contains(&across_m)
            && (self.levels_m[0]..=self.levels_m[1]).contains(&level_m)
    }

    /// Half-metre lines, with metres written where there is room.
    fn grid(&self, stream: &RecordingStream, along_m: f64) -> Result<(), Error> {
        let [left, right] = self.across_m;
        let [low, high] = self.levels_m;
        let step = if right - left > 60.0 { 5.0 } else { 0.5 };
        let mut lines = [Vec::new(), Vec::new()];
        let marks = |from: f64, to: f64| (from / step).ceil() as i32..=(to / step).floor() as i32;
        for i in marks(left, right) {
            let x = f64::from(i) * step;
            lines[usize::from(i % 4 == 0)].push([on_paper([x, low]), on_paper([x, high])]);
        }
        for i in marks(low, high) {
            let z = f64::from(i) * step;
            lines[usize::from(i % 4 == 0)].push([on_paper([left, z]), on_paper([right, z])]);
        }
        let [thin, strong] = lines;
        let grid = |lines: Vec<[[f32; 2]; 2]>, rgb, order: f32| {
            LineStrips2D::new(lines)
                .with_colors([colour(rgb)])
                .with_radii([Radius::new_ui_points(0.4)])
                .with_draw_order(order)
        };
        stream.log("section/grid/half_metre", &grid(thin, GRID, -20.0))?;
        stream.log("section/grid/two_metres", &grid(strong, GRID_STRONG, -19.0))?;
        let mut places = Vec::new();
        let mut words = Vec::new();
        for i in marks(low, high).filter(|i| i % 4 == 0) {
            let z = f64::from(i) * step;
            places.push(on_paper([right + 0.3, z]));
            words.push(level(z));
        }
        places.push(on_paper([0.5 * (left + right), low - 0.5]));
        words.push(format!(
            "chainage {along_m:.1} m · grid {step} m · slice {:.1} m",
            2.0 * SLICE_M
        ));
        let labels = Points2D::new(places)
            .with_labels(words)
            .with_show_labels(true)
            .with_colors([colour(WORDS)])
            .with_radii([Radius::new_ui_points(0.1)]);
        Ok(stream.log("section/words", &labels)?)
    }
}

/// 95 % of single points along the wall's normal: one bar each half metre of level and medium.
fn bars(
    stream: &RecordingStream,
    wall: &Wall,
    along_m: f64,
    near: &[Weighed],
    shared_m2: impl Fn(&nalgebra::RowDVector<f64>) -> f64,
) -> Result<(), Error> {
    let mut taken = BTreeSet::new();
    let mut lines = Vec::new();
    let mut colours = Vec::new();
    // The newest first: they are nearest to the section.
    for point in near.iter().rev() {
        let step = (point.at.level_m / BAR_STEP_M).floor() as i32;
        if point.at.off_m.abs() > 0.15 || !taken.insert((step, point.medium)) {
            continue;
        }
        let variance = point.variance_m2 + shared_m2(&point.row);
        let half_m = BAR_SCALE * SIGMAS_95 * variance.max(0.0).sqrt();
        let end = |off_m: f64| {
            let place = wall.point(along_m, off_m, point.at.level_m);
            on_paper([wall.out_m(&place), place.z])
        };
        lines.push([end(point.at.off_m - half_m), end(point.at.off_m + half_m)]);
        colours.push(colour(if point.medium == Medium::Air { LIGHT } else { SOUND }));
    }
    let bars = LineStrips2D::new(lines)
        .with_colors(colours)
        .with_radii([Radius::new_ui_points(1.0)])
        .with_draw_order(40.0);
    Ok(stream.log("section/bars", &bars)?)
}

/// Waterline and hull.
fn surroundings(
    stream: &RecordingStream,
    wall: &Wall,
    frame: &SolidarFrame,
    sheet: &Sheet,
) -> Result<(), Error> {
    if let Some(waterline) = &frame.waterline {
        let line = [
            on_paper([0.0, waterline.z_m]),
            on_paper([sheet.across_m[1], waterline.z_m]),
        ];
        let line = LineStrips2D::new([line])
            .with_colors([colour(WATER)])
            .with_radii([Radius::new_ui_points(1.2)]);
        stream.log("section/water", &line)?;
    }
    let half = crate::scene::NOMINAL_HULL_HALF_M;
    let corners = [[-1.0, 0.6], [-0.8, -1.0], [0.8, -1.0], [1.0, 0.6], [-1.0, 0.6]];
    let outline = corners.map(|[side, up]: [f32; 2]| {
        let corner = beluga_types::Point::new(0.0, f64::from(side * half[1]), f64::from(up * half[2]));
        let corner = (frame.world_from_body * corner).vector();
        on_paper([wall.out_m(&corner), corner.z])
    });
    let hull = LineStrips2D::new([outline])
        .with_colors([colour(HULL)])
        .with_radii([Radius::new_ui_points(1.2)]);
    Ok(stream.log("section/hull", &hull)?)
}

/// The seam in words, at the middle of the strip or of the wall.
fn mark(
    stream: &RecordingStream,
    wall: &Wall,
    along_m: f64,
    near: &[Weighed],
    seam: &Result<Seam, &'static str>,
) -> Result<(), Error> {
    let level_m = match seam {
        Ok(seam) => seam.level_m,
        Err(_) => quantile(near.iter().map(|point| point.at.level_m), 0.5),
    };
    let place = wall.point(along_m, 0.0, level_m);
    let x = wall.out_m(&place);
    let right = on_paper([x + SEAM_MARK_M, level_m - 0.5 * SEAM_MARK_M]);
    let leader = LineStrips2D::new([[on_paper([x + 0.15, level_m]), right]])
        .with_colors([colour(SEAM)])
        .with_radii([Radius::new_ui_points(1.2)]);
    stream.log("section/seam", &leader)?;
    let label = Points2D::new([right])
        .with_labels([words(seam)])
        .with_show_labels(true)
        .with_colors([colour(SEAM)])
        .with_radii([Radius::new_ui_points(1.5)]);
    Ok(stream.log("section/seam/words", &label)?)
}

/// The seam for people.
pub(crate) fn words(seam: &Result<Seam, &'static str>) -> String {
    match seam {
        Ok(seam) => format!(
            "seam {:+.0} ± {:.0} mm (95 %)",
            seam.offset_m * 1e3,
            (seam.half_width_95_m * 1e3).ceil()
        ),
        Err(reason) => format!("seam not measured: {reason}"),
    }
}

/// A level for people: with its sign, and zero without.
pub(crate) fn level(metres: f64) -> String {
    if metres.round() == 0.0 {
        "0 m".into()
    } else {
        format!("{metres:+.0} m")
    }
}

/// Metres off the wall and up, to where pictures count down.
fn on_paper([across_m, level_m]: [f64; 2]) -> [f32; 2] {
    [across_m as f32, -level_m as f32]
}

fn colour([red, green, blue]: [u8; 3]) -> Color {
    Color::from_rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seam_is_said_in_millimetres() {
        let measured = Seam {
            offset_m: -0.0123,
            half_width_95_m: 0.0081,
            level_m: 0.0,
        };
        assert_eq!(words(&Ok(measured)), "seam -12 ± 9 mm (95 %)");
        assert_eq!([level(-0.0), level(2.0), level(-4.0)], ["0 m", "+2 m", "-4 m"]);
        assert_eq!(
            words(&Err("no sonar on the wall here")),
            "seam not measured: no sonar on the wall here"
        );
    }

    #[test]
    fn the_section_follows_what_is_heard() {
        let at = |seconds: i64| Stamp::from_nanos(seconds * 1_000_000_000);
        let mut section = Section::default();
        assert!(!section.follow(1.0, at(0), false));
        assert_eq!(section.along_m(), Some(1.0));
        assert!(section.follow(2.0, at(1), true));
        assert!(section.follow(9.0, at(2), false), "between two pings");
        assert_eq!(section.along_m(), Some(2.0));
        assert!(!section.follow(9.0, at(20), false));
        assert_eq!(section.along_m(), Some(9.0));
    }
}
