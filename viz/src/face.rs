//! The wall beside the vessel as frames come in: found, followed, and shown in its three views.

use beluga_types::{Label, Medium, SolidarFrame, Stamp};
use nalgebra::{DMatrix, RowDVector, Vector3};
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::Points2D;
use re_sdk_types::components::Radius;

use crate::coverage::{Coverage, Shares};
use crate::pace::Pace;
use crate::seam::{Seam, Weighed, square};
use crate::section::Section;
use crate::thin::spread;
use crate::wall::{Finder, OnWall, Wall};
use crate::{Error, Options, strip, unwrapped};

/// Points nearer to the face than this belong to the wall: ladders and fenders too, metres.
const BAND_M: f64 = 0.45;
/// Points farther along from the vessel than this, and than it is off the wall, are seen too
/// slantwise to judge the wall by, metres.
const ALONG_M: f64 = 10.0;
/// Points of a frame and medium that the search for the wall looks at.
const LOOKED_AT: usize = 1500;
/// The search begins after this many frames, and is made again every so many until it succeeds.
const SEARCH_FRAMES: u64 = 5;
/// Frames kept until the wall is known.
const PENDING: usize = 25;
/// Seconds of data time between two sections, and two pictures of the whole wall at first.
const SECTION_SECONDS: f64 = 1.0;
const WALL_SECONDS: f64 = 2.0;
/// The wall is asked for again after this much data time.
const ASK_SECONDS: f64 = 5.0;
/// It is another wall if it lies this far from where it was, metres, or is turned by this much, rad.
const OTHER_M: f64 = 0.6;
const OTHER_RAD: f64 = 0.1;
/// So many times in a row before it counts.
const OTHER_TIMES: u32 = 2;

/// What is known of the wall.
pub(crate) struct Face {
    finder: Finder,
    pending: Vec<SolidarFrame>,
    frames: u64,
    wall: Option<Found>,
    asked: Option<Stamp>,
    others: u32,
    tolerance_m: f64,
}

/// A wall and what was seen of it.
struct Found {
    wall: Wall,
    coverage: Coverage,
    section: Section,
    section_pace: Pace,
    wall_pace: Pace,
    seam: Result<Seam, &'static str>,
}

impl Face {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            finder: Finder::default(),
            pending: Vec::new(),
            frames: 0,
            wall: None,
            asked: None,
            others: 0,
            tolerance_m: options.tolerance_m,
        }
    }

    /// The wall, if it was found.
    pub(crate) fn wall(&self) -> Option<&Wall> {
        self.wall.as_ref().map(|found| &found.wall)
    }

    /// How much of the wall is covered and within the tolerance.
    pub(crate) fn shares(&self) -> Option<Shares> {
        self.wall.as_ref()?.coverage.shares(self.tolerance_m)
    }

    /// The stretch of the wall that was passed, metres of chainage.
    pub(crate) fn passed_m(&self) -> Option<[f64; 2]> {
        self.wall.as_ref()?.coverage.passed_m()
    }

    /// The newest seam, or why there is none; nothing without a wall.
    pub(crate) fn seam(&self) -> Option<&Result<Seam, &'static str>> {
        self.wall.as_ref().map(|found| &found.seam)
    }

    /// Adds a frame, and draws what is due at the stream's current time.
    pub(crate) fn frame(&mut self, stream: &RecordingStream, frame: &SolidarFrame) -> Result<(), Error> {
        self.search(frame);
        let Some(found) = &mut self.wall else {
            if self.frames == 1 {
                say_none(stream)?;
            }
            if self.pending.len() < PENDING {
                self.pending.push(frame.clone());
            }
            return Ok(());
        };
        for earlier in self.pending.drain(..) {
            found.frame(&earlier);
        }
        found.frame(frame);
        found.draw(stream, frame, self.tolerance_m)
    }

    /// Draws what has not been drawn yet.
    pub(crate) fn finish(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        match &self.wall {
            Some(found) => found.draw_wall(stream, self.tolerance_m),
            None => Ok(()),
        }
    }

    /// Remembers what the frame saw, and looks for the wall when it is time to.
    fn search(&mut self, frame: &SolidarFrame) {
        let vessel = frame.world_from_body.translation();
        for medium in Medium::ALL {
            let clean = clean_points(frame, medium);
            for place in spread(clean.len(), LOOKED_AT) {
                let point = frame.point_in_world(clean[place]).vector();
                self.finder.see(&vessel, &point);
            }
        }
        self.frames += 1;
        let now = frame.window.end;
        let due = match (&self.wall, self.asked) {
            (Some(_), Some(asked)) => now.seconds_since(asked).abs() >= ASK_SECONDS,
            _ => self.frames.is_multiple_of(SEARCH_FRAMES),
        };
        if !due {
            return;
        }
        self.asked = Some(now);
        let ahead = frame.world_from_body.rotation() * Vector3::x();
        let Some(wall) = self.finder.find(&vessel, &ahead) else {
            return;
        };
        let other = self.wall.as_ref().is_none_or(|found| {
            let off_m = found.wall.place(&wall.point(0.0, 0.0, vessel.z)).off_m;
            let turn = found.wall.normal().angle(&wall.normal());
            off_m.abs() > OTHER_M || turn > OTHER_RAD
        });
        self.others = if other { self.others + 1 } else { 0 };
        if self.wall.is_none() || self.others >= OTHER_TIMES {
            self.others = 0;
            self.wall = Some(Found {
                wall,
                coverage: Coverage::default(),
                section: Section::default(),
                section_pace: Pace::new(SECTION_SECONDS, SECTION_SECONDS),
                wall_pace: Pace::new(WALL_SECONDS, f64::INFINITY),
                seam: Err("not tried yet"),
            });
        }
    }
}

impl Found {
    fn frame(&mut self, frame: &SolidarFrame) {
        let vessel = self.wall.place(&frame.world_from_body.translation());
        let shared = square(frame.shared.states.len(), &frame.shared.covariance);
        let reach_m = vessel.off_m.max(ALONG_M);
        let mut on_face: [Vec<(OnWall, usize)>; 2] = [Vec::new(), Vec::new()];
        for medium in Medium::ALL {
            for i in clean_points(frame, medium) {
                let point = frame.point_in_world(i).vector();
                let at = self.wall.place(&point);
                self.section
                    .see(&self.wall, &point, &at, medium, frame.window.end);
                if at.off_m.abs() < BAND_M && (at.along_m - vessel.along_m).abs() < reach_m {
                    on_face[medium as usize].push((at, i));
                }
            }
        }
        let sonar = &on_face[Medium::Water as usize];
        let here = if sonar.is_empty() {
            vessel.along_m
        } else {
            crate::seam::quantile(sonar.iter().map(|(at, _)| at.along_m), 0.5)
        };
        let heard = !sonar.is_empty();
        let heard_lately = self.section.follow(here, frame.window.end, heard);
        // Between two pings the stretch is not lengthened by where the vessel is.
        if heard == heard_lately {
            self.coverage.pass(here);
        }
        for (medium, points) in Medium::ALL.into_iter().zip(&on_face) {
            for &(at, i) in points {
                if self.coverage.cells.see(&at, medium) {
                    let weighed = weigh(&self.wall, frame, at, medium, i);
                    self.coverage
                        .cells
                        .weigh(&at, weighed.variance_m2, shared_m2(&weighed.row, &shared));
                }
            }
            let near: Vec<_> = points.iter().filter(|(at, _)| self.section.is_near(at)).collect();
            for place in spread(near.len(), Section::WEIGHED_PER_FRAME) {
                let &(at, i) = near[place];
                self.section
                    .weigh(frame.window.end, weigh(&self.wall, frame, at, medium, i));
            }
        }
    }

    /// Draws what is due.
    fn draw(
        &mut self,
        stream: &RecordingStream,
        frame: &SolidarFrame,
        tolerance_m: f64,
    ) -> Result<(), Error> {
        if self.section_pace.due(frame.window.end) {
            self.seam = self.section.draw(stream, &self.wall, frame)?;
        }
        if self.wall_pace.due(frame.window.end) {
            self.draw_wall(stream, tolerance_m)?;
        }
        Ok(())
    }

    fn draw_wall(&self, stream: &RecordingStream, tolerance_m: f64) -> Result<(), Error> {
        strip::draw(stream, &self.wall, &self.coverage)?;
        unwrapped::draw(stream, &self.coverage, tolerance_m, self.section.along_m())
    }
}

/// Says in the wall's views that there is none yet; what is drawn later takes its place.
fn say_none(stream: &RecordingStream) -> Result<(), Error> {
    for entity in ["section/words", "wall/unwrapped/words"] {
        let words = Points2D::new([[0.0, 0.0]])
            .with_labels(["no wall found yet"])
            .with_show_labels(true)
            .with_radii([Radius::new_ui_points(0.1)]);
        stream.log(entity, &words)?;
    }
    Ok(())
}

/// Points that are taken for what they seem, of this medium.
fn clean_points(frame: &SolidarFrame, medium: Medium) -> Vec<usize> {
    let points = &frame.points;
    (0..points.len())
        .filter(|&i| points.medium[i] == medium && is_clean(points.label[i]))
        .collect()
}

/// Whether points with this label are shown and judged as part of what stands there.
pub(crate) fn is_clean(label: Label) -> bool {
    !matches!(
        label,
        Label::Mirror | Label::Multipath | Label::Volume | Label::Moving | Label::Bridged
    )
}

/// What the frame knows of a point's place along the wall's normal.
fn weigh(wall: &Wall, frame: &SolidarFrame, at: OnWall, medium: Medium, i: usize) -> Weighed {
    let normal = wall.normal();
    let normal_in_body = frame.world_from_body.rotation().inverse() * normal;
    let jacobian = frame.jacobian(i);
    let row = RowDVector::from_iterator(
        jacobian.ncols(),
        jacobian
            .column_iter()
            .map(|column| normal.x * column[0] + normal.y * column[1] + normal.z * column[2]),
    );
    Weighed {
        at,
        medium,
        variance_m2: normal_in_body.dot(&(frame.covariance(i) * normal_in_body)),
        row,
    }
}

/// Variance that a row of a Jacobian makes of the shared states' covariance, m².
pub(crate) fn shared_m2(row: &RowDVector<f64>, shared: &DMatrix<f64>) -> f64 {
    if row.len() == shared.nrows() {
        (row * shared * row.transpose())[(0, 0)]
    } else {
        0.0
    }
}
