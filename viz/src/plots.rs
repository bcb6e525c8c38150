//! Numbers over time.

use std::collections::BTreeMap;
use std::time::Duration;

use beluga_types::{Attitude, Medium, Rig, SolidarFrame, SonarRegistration, Stamp};
use nalgebra::Vector3;
use re_sdk::log::TimeColumn;
use re_sdk::{RecordingStream, RecordingStreamError};
use re_sdk_types::archetypes::{Scalars, SeriesLines};

use crate::colour::Rgb;
use crate::pace::Pace;
use crate::seam::Seam;
use crate::{Error, TIMELINE};

/// All lines are below here.
pub(crate) const ROOT: &str = "plot";
/// Seconds of data time between two values of a line.
const SECONDS: f64 = 1.0;
/// Seconds of data time that are sent together.
const GATHERED_SECONDS: f64 = 5.0;

/// One line of a plot.
struct Line {
    entity: &'static str,
    name: &'static str,
    colour: Rgb,
}

const BLUE: Rgb = [86, 180, 233];
const ORANGE: Rgb = [230, 159, 0];
const GREEN: Rgb = [0, 190, 140];

/// Colours that colour-blind eyes tell apart: M. Okabe, K. Ito, "Color universal design" (2008).
const LINES: [Line; 19] = [
    line("plot/height/vessel", "vessel z, m", ORANGE),
    line("plot/height/waterline", "waterline z, m", BLUE),
    line("plot/attitude/roll", "roll, deg", ORANGE),
    line("plot/attitude/pitch", "pitch, deg", BLUE),
    line("plot/heading", "heading, deg", GREEN),
    line("plot/sigma/horizontal", "horizontal 1σ, m", ORANGE),
    line("plot/sigma/vertical", "vertical 1σ, m", BLUE),
    line("plot/sigma/rotation", "rotation 1σ, deg", GREEN),
    line("plot/held/rotation", "weakest rotation axis", GREEN),
    line("plot/held/translation", "weakest translation axis", ORANGE),
    line("plot/residual/distance", "sonar off the lidar map, cm", ORANGE),
    line("plot/residual/rotation", "sonar off the lidar map, 0.1°", GREEN),
    line("plot/residual/seam", "seam, mm", BLUE),
    line("plot/residual/seam_95", "seam's 95 %, mm", [90, 110, 140]),
    line("plot/latency", "slowest frame, ms", ORANGE),
    line("plot/points/lidar", "lidar points", ORANGE),
    line("plot/points/sonar", "sonar points", BLUE),
    line("plot/points/arcs", "arcs", GREEN),
    line("plot/points/lost", "payloads lost", [213, 94, 0]),
];

const fn line(entity: &'static str, name: &'static str, colour: Rgb) -> Line {
    Line { entity, name, colour }
}

/// Takes a value of each line every second: where many frames are between two, how many payloads
/// were lost in all of them, and how late the slowest was.
pub(crate) struct Plots {
    true_north: bool,
    pace: Pace,
    lost: u64,
    late: Option<Duration>,
    gathered: Gathered,
}

/// Values that were not sent yet, by line: sent one by one, their wrapping would be most of it.
#[derive(Default)]
struct Gathered {
    since: Option<Stamp>,
    now: Stamp,
    lines: BTreeMap<&'static str, Vec<(Stamp, f64)>>,
}

impl Gathered {
    fn at(&mut self, now: Stamp) {
        self.since.get_or_insert(now);
        self.now = now;
    }

    fn is_old(&self) -> bool {
        let age_s = |since| self.now.seconds_since(since).abs();
        self.since.is_some_and(|since| age_s(since) >= GATHERED_SECONDS)
    }

    fn add(&mut self, line: &'static str, value: f64) {
        if value.is_finite() {
            self.lines.entry(line).or_default().push((self.now, value));
        }
    }

    fn send(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        for (line, values) in std::mem::take(&mut self.lines) {
            let stamps = values.iter().map(|(stamp, _)| stamp.nanos());
            let times = TimeColumn::new_timestamp_nanos_since_epoch(TIMELINE, stamps);
            let scalars = Scalars::new(values.iter().map(|(_, value)| *value));
            let columns = scalars
                .columns_of_unit_batches()
                .map_err(RecordingStreamError::from)?;
            stream.send_columns(line, [times], columns)?;
        }
        self.since = None;
        Ok(())
    }
}

impl Plots {
    pub(crate) fn new(rig: &Rig) -> Self {
        Self {
            true_north: rig.origin.is_some(),
            pace: Pace::new(SECONDS, SECONDS),
            lost: 0,
            late: None,
            gathered: Gathered::default(),
        }
    }

    /// Names and colours of all lines.
    pub(crate) fn describe(stream: &RecordingStream) -> Result<(), Error> {
        for line in &LINES {
            let [red, green, blue] = line.colour;
            let look = SeriesLines::new()
                .with_names([line.name])
                .with_colors([re_sdk_types::components::Color::from_rgb(red, green, blue)])
                .with_widths([1.5]);
            stream.log_static(line.entity, &look)?;
        }
        Ok(())
    }

    /// How long after its newest measurement the next frame came.
    pub(crate) fn late(&mut self, by: Duration) {
        self.late = self.late.max(Some(by));
    }

    /// Takes the numbers of a frame if they are due, and sends what has been gathered if that is old.
    pub(crate) fn frame(
        &mut self,
        stream: &RecordingStream,
        frame: &SolidarFrame,
        seam: Option<&Seam>,
    ) -> Result<(), Error> {
        self.lost = frame
            .gaps
            .iter()
            .fold(self.lost, |sum, gap| sum.saturating_add(gap.lost));
        if !self.pace.due(frame.window.end) {
            return Ok(());
        }
        let gathered = &mut self.gathered;
        gathered.at(frame.window.end);
        pose(gathered, frame, self.true_north);
        residuals(gathered, frame, seam);
        points(gathered, frame);
        self.take_sums();
        if self.gathered.is_old() {
            return self.gathered.send(stream);
        }
        Ok(())
    }

    fn take_sums(&mut self) {
        self.gathered
            .add("plot/points/lost", std::mem::take(&mut self.lost) as f64);
        if let Some(by) = self.late.take() {
            self.gathered.add("plot/latency", by.as_secs_f64() * 1e3);
        }
    }

    /// Sends what has been gathered.
    pub(crate) fn finish(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        if self.lost > 0 {
            self.take_sums();
        }
        self.gathered.send(stream)
    }
}

fn pose(gathered: &mut Gathered, frame: &SolidarFrame, true_north: bool) {
    let pose = &frame.world_from_body;
    gathered.add("plot/height/vessel", pose.translation().z);
    if let Some(waterline) = &frame.waterline {
        gathered.add("plot/height/waterline", waterline.z_m);
    }
    let attitude = if true_north {
        Attitude::from_east_north_up_from_body(&pose.rotation())
    } else {
        Attitude::from_rotation(&pose.rotation())
    };
    gathered.add("plot/attitude/roll", attitude.roll_rad.to_degrees());
    gathered.add("plot/attitude/pitch", attitude.pitch_rad.to_degrees());
    let heading_deg = attitude.heading_rad.to_degrees().rem_euclid(360.0);
    gathered.add("plot/heading", heading_deg);

    let sigma = sigmas(frame);
    gathered.add("plot/sigma/horizontal", sigma.x);
    gathered.add("plot/sigma/vertical", sigma.y);
    gathered.add("plot/sigma/rotation", sigma.z.to_degrees());
    let weakest = |axes: &[f64]| axes.iter().copied().fold(f64::INFINITY, f64::min);
    gathered.add("plot/held/rotation", weakest(&frame.localizability[..3]));
    gathered.add("plot/held/translation", weakest(&frame.localizability[3..]));
}

/// How far what was heard lies off what was seen.
fn residuals(gathered: &mut Gathered, frame: &SolidarFrame, seam: Option<&Seam>) {
    if let SonarRegistration::Measured { correction, .. } = &frame.status.sonar_registration {
        let turn = correction.fixed_rows::<3>(0).norm().to_degrees();
        let distance_m = correction.fixed_rows::<3>(3).norm();
        gathered.add("plot/residual/distance", distance_m * 100.0);
        gathered.add("plot/residual/rotation", turn * 10.0);
    }
    if let Some(seam) = seam {
        gathered.add("plot/residual/seam", seam.offset_m * 1e3);
        gathered.add("plot/residual/seam_95", seam.half_width_95_m * 1e3);
    }
}

fn points(gathered: &mut Gathered, frame: &SolidarFrame) {
    let under_water = frame
        .points
        .medium
        .iter()
        .filter(|&&medium| medium == Medium::Water)
        .count();
    let in_air = frame.points.len() - under_water;
    gathered.add("plot/points/lidar", in_air as f64);
    gathered.add("plot/points/sonar", under_water as f64);
    gathered.add("plot/points/arcs", frame.arcs.len() as f64);
}

/// One sigma of the pose: horizontal (root of the two variances' sum), vertical, in `World` and
/// metres, and of the rotation about all axes together, in rad.
pub(crate) fn sigmas(frame: &SolidarFrame) -> Vector3<f64> {
    let rotation = frame.world_from_body.rotation_matrix();
    let in_body = frame.pose_covariance.fixed_view::<3, 3>(3, 3);
    let in_world = rotation * in_body * rotation.transpose();
    let turn = frame.pose_covariance.fixed_view::<3, 3>(0, 0).trace();
    Vector3::new(in_world[(0, 0)] + in_world[(1, 1)], in_world[(2, 2)], turn)
        .map(|variance| variance.max(0.0).sqrt())
}
