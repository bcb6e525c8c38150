//! Numbers over time.

use std::collections::BTreeMap;
use std::time::Duration;

use beluga_types::{Attitude, Instruments, Medium, Rig, SolidarFrame, SonarRegistration, Stamp};
use re_sdk::log::TimeColumn;
use re_sdk::{EntityPath, RecordingStream, RecordingStreamError};
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
const GATHERED_SECONDS: f64 = 10.0;

/// A plot's entity, with the names and colours of its lines.
struct Plot {
    entity: &'static str,
    lines: &'static [(&'static str, Rgb)],
}

const BLUE: Rgb = [86, 180, 233];
const ORANGE: Rgb = [230, 159, 0];
const GREEN: Rgb = [0, 190, 140];
const RED: Rgb = [213, 94, 0];
const GREY: Rgb = [110, 125, 150];

/// Colours that colour-blind eyes tell apart: M. Okabe, K. Ito, "Color universal design" (2008).
const ATTITUDE: Plot = Plot {
    entity: "plot/attitude",
    lines: &[("roll, deg", ORANGE), ("pitch, deg", BLUE)],
};
const HEADING: Plot = Plot {
    entity: "plot/heading",
    lines: &[("heading, deg", GREEN)],
};
const HEIGHT: Plot = Plot {
    entity: "plot/height",
    lines: &[("vessel z, m", ORANGE), ("waterline z, m", BLUE)],
};
const SIGMA: Plot = Plot {
    entity: "plot/sigma",
    lines: &[
        ("horizontal 1σ, m", ORANGE),
        ("vertical 1σ, m", BLUE),
        ("rotation 1σ, deg", GREEN),
    ],
};
const HELD: Plot = Plot {
    entity: "plot/held",
    lines: &[
        ("weakest rotation axis", GREEN),
        ("weakest translation axis", ORANGE),
    ],
};
const RESIDUAL: Plot = Plot {
    entity: "plot/residual",
    lines: &[
        ("sonar off the lidar map, cm", ORANGE),
        ("sonar off the lidar map, 0.1°", GREEN),
        ("seam, mm", BLUE),
        ("seam's 95 %, mm", GREY),
    ],
};
const LATENCY: Plot = Plot {
    entity: "plot/latency",
    lines: &[("slowest frame, ms", ORANGE)],
};
const POINTS: Plot = Plot {
    entity: "plot/points",
    lines: &[
        ("lidar points", ORANGE),
        ("sonar points", BLUE),
        ("arcs", GREEN),
        ("payloads lost", RED),
    ],
};
/// Plots whose lines are entities, named by the stage or the sensor.
pub(crate) const STAGES: &str = "plot/stages";
pub(crate) const QUEUE: &str = "plot/queue";

const ALL: [&Plot; 8] = [
    &ATTITUDE, &HEADING, &HEIGHT, &SIGMA, &HELD, &RESIDUAL, &LATENCY, &POINTS,
];

/// Takes a value of each line every second: where many frames are between two, how many payloads
/// were lost in all of them, and how late the slowest was.
pub(crate) struct Plots {
    true_north: bool,
    pace: Pace,
    lost: u64,
    late: Option<Duration>,
    gathered: Gathered,
}

/// Values that were not sent yet: sent one by one, their wrapping would be most of it.
#[derive(Default)]
struct Gathered {
    since: Option<Stamp>,
    now: Stamp,
    /// Of each plot the times, and at each time a value for every line.
    plots: BTreeMap<EntityPath, (Vec<Stamp>, Vec<f64>)>,
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

    /// A value for each line of a plot; a line without one has a hole there.
    fn add<const N: usize>(&mut self, plot: &Plot, values: [Option<f64>; N]) {
        let values = values.map(|value| value.filter(|value| value.is_finite()));
        if N == plot.lines.len() && values.iter().any(Option::is_some) {
            let (stamps, all) = self.plots.entry(plot.entity.into()).or_default();
            stamps.push(self.now);
            all.extend(values.map(|value| value.unwrap_or(f64::NAN)));
        }
    }

    /// A value for a plot's line that has an entity of its own, by its name.
    fn add_line(&mut self, plot: &str, name: &str, value: f64) {
        let entity = EntityPath::from(plot).join(&EntityPath::from_single_string(name.to_owned()));
        let (stamps, all) = self.plots.entry(entity).or_default();
        stamps.push(self.now);
        all.push(value);
    }

    fn send(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        for (entity, (stamps, values)) in std::mem::take(&mut self.plots) {
            let lines = values.len() / stamps.len();
            let nanos = stamps.iter().map(|stamp| stamp.nanos());
            let times = TimeColumn::new_timestamp_nanos_since_epoch(TIMELINE, nanos);
            let columns = Scalars::new(values).columns(stamps.iter().map(|_| lines));
            stream.send_columns(entity, [times], columns.map_err(RecordingStreamError::from)?)?;
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
        for plot in ALL {
            let colours = plot.lines.iter().map(|(_, [red, green, blue])| {
                re_sdk_types::components::Color::from_rgb(*red, *green, *blue)
            });
            let look = SeriesLines::new()
                .with_names(plot.lines.iter().map(|(name, _)| *name))
                .with_colors(colours)
                .with_widths(plot.lines.iter().map(|_| 1.5));
            stream.log_static(plot.entity, &look)?;
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
        points(gathered, frame, std::mem::take(&mut self.lost));
        if let Some(by) = self.late.take() {
            gathered.add(&LATENCY, [Some(by.as_secs_f64() * 1e3)]);
        }
        if self.gathered.is_old() {
            return self.gathered.send(stream);
        }
        Ok(())
    }

    /// Takes how long stages take and how full queues are.
    pub(crate) fn instruments(&mut self, stream: &RecordingStream, seen: &Instruments) -> Result<(), Error> {
        self.gathered.at(seen.at);
        for stage in &seen.stages {
            self.gathered.add_line(STAGES, stage.name, stage.p99_ms);
        }
        for (state, _) in &seen.sensors {
            if let Some(edge) = &state.edge {
                self.gathered.add_line(QUEUE, &state.name, edge.fill * 100.0);
            }
        }
        if self.gathered.is_old() {
            return self.gathered.send(stream);
        }
        Ok(())
    }

    /// Sends what has been gathered.
    pub(crate) fn finish(&mut self, stream: &RecordingStream) -> Result<(), Error> {
        self.gathered.send(stream)
    }
}

fn pose(gathered: &mut Gathered, frame: &SolidarFrame, true_north: bool) {
    let pose = &frame.world_from_body;
    let water_m = frame.waterline.as_ref().map(|waterline| waterline.z_m);
    gathered.add(&HEIGHT, [Some(pose.translation().z), water_m]);
    let attitude = if true_north {
        Attitude::from_east_north_up_from_body(&pose.rotation())
    } else {
        Attitude::from_rotation(&pose.rotation())
    };
    let degrees = [attitude.roll_rad, attitude.pitch_rad].map(|rad| Some(rad.to_degrees()));
    gathered.add(&ATTITUDE, degrees);
    let heading_deg = attitude.heading_rad.to_degrees().rem_euclid(360.0);
    gathered.add(&HEADING, [Some(heading_deg)]);

    let sigma = frame.pose_sigma();
    let sigmas = [
        sigma.horizontal_m,
        sigma.vertical_m,
        sigma.rotation_rad.to_degrees(),
    ];
    gathered.add(&SIGMA, sigmas.map(Some));
    let weakest = |axes: &[f64]| axes.iter().copied().fold(f64::INFINITY, f64::min);
    let (rotation, translation) = frame.localizability.split_at(3);
    gathered.add(&HELD, [rotation, translation].map(|axes| Some(weakest(axes))));
}

/// How far what was heard lies off what was seen.
fn residuals(gathered: &mut Gathered, frame: &SolidarFrame, seam: Option<&Seam>) {
    let (mut distance_cm, mut turn) = (None, None);
    if let SonarRegistration::Measured { correction, .. } = &frame.status.sonar_registration {
        distance_cm = Some(correction.fixed_rows::<3>(3).norm() * 100.0);
        turn = Some(correction.fixed_rows::<3>(0).norm().to_degrees() * 10.0);
    }
    let seam_mm = seam.map(|seam| seam.offset_m * 1e3);
    let half_mm = seam.map(|seam| seam.half_width_95_m * 1e3);
    gathered.add(&RESIDUAL, [distance_cm, turn, seam_mm, half_mm]);
}

fn points(gathered: &mut Gathered, frame: &SolidarFrame, lost: u64) {
    let under_water = frame
        .points
        .medium
        .iter()
        .filter(|&&medium| medium == Medium::Water)
        .count();
    let in_air = frame.points.len() - under_water;
    let counts = [in_air, under_water, frame.arcs.len()].map(|count| count as f64);
    let [in_air, under_water, arcs] = counts.map(Some);
    gathered.add(&POINTS, [in_air, under_water, arcs, Some(lost as f64)]);
}
