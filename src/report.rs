//! What a run says when it ends.

mod loops;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use beluga_ingest::live::Heard;
use beluga_types::{
    Gap, Measurement, Medium, Payload, PoseSource, Rig, SensorId, SensorSpec, SolidarFrame,
    SonarRegistration, Stamp,
};
use serde::Serialize;

use crate::cockpit::Stage;
use crate::exit::Exit;
use crate::latency::{Latency, Minute, Path, Stages, Watch};
use crate::sensors::SensorReport;
pub(crate) use loops::LoopReport;

/// What is said of a sonar that the lidar map wants elsewhere, beyond the 95 % of that measurement.
const SONAR_IS_OFF: &str = "the sonar does not lie where the lidar map wants it, beyond the 95 % of that: its mount, its \
                            latency or the sound speed is not what the rig states, and no stated sigma knows of it";

/// Everything counted during a run, in the order people ask for it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Frames made.
    pub(crate) frames: u64,
    /// Measurements read, gaps not counted.
    pub(crate) measurements: u64,
    /// Measurements that arrived in a frame.
    pub(crate) measurements_in_frames: u64,
    /// Points seen through air.
    pub(crate) points_air: u64,
    /// Points seen through water.
    pub(crate) points_water: u64,
    /// Returns whose elevation is not resolved.
    pub(crate) arcs: u64,
    /// Frames by the source of their pose.
    pub(crate) poses: BTreeMap<&'static str, u64>,
    /// What came last of comparing the sonar with the lidar's map.
    pub(crate) registration: Option<String>,
    /// Whether that was more than its own 95 % explain.
    pub(crate) sonar_is_off: bool,
    /// Why the body was not found in the map the run began in, if it was not.
    pub(crate) not_found: Option<String>,
    /// Where the survey met itself, if that was looked for.
    pub(crate) loops: Option<LoopReport>,
    /// Payloads lost, by sensor and cause.
    pub(crate) lost: BTreeMap<String, u64>,
    /// Points that readers dropped because they were not finite.
    pub(crate) dropped_points: u64,
    /// What each sensor gave, in the order of the rig.
    pub(crate) sensors: Vec<SensorReport>,
    /// What came to each sensor's edge, of sensors that were heard live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) heard: Vec<Heard>,
    /// Seconds of data.
    pub(crate) data_s: f64,
    /// Seconds the run took.
    pub(crate) wall_s: f64,
    /// From the end of a frame's data until it was made, if the run was paced.
    pub(crate) latency: Option<Latency>,
    /// The same until it was in the record.
    pub(crate) latency_recorded: Option<Latency>,
    /// That of each minute of data, of a run of more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) latency_minutes: Vec<Minute>,
    /// Where that time went, if sensors were heard live.
    pub(crate) stages: Option<Stages>,
    /// SHA-256 over the frame bytes, in order.
    pub(crate) frame_sha256: Option<String>,
    /// Where the record is, and its size.
    pub(crate) record: Option<(PathBuf, u64)>,
    /// Where the tape is, and how many measurements and gaps it holds.
    pub(crate) tape: Option<(PathBuf, u64)>,
    /// Where the picture is, and how many frames it had to leave out.
    pub(crate) picture: Option<(PathBuf, u64)>,
    /// Whether the run was ended before its timeline did.
    pub(crate) stopped_early: bool,
    /// Frames the picture had to leave out.
    pub(crate) frames_not_drawn: u64,
    /// Pings the picture had to leave out.
    pub(crate) echoes_not_drawn: u64,
    /// Where and how the first few payloads were lost.
    pub(crate) losses: Vec<String>,
    /// What else people should know: defaults taken, offsets applied, keys made.
    pub(crate) notes: Vec<String>,
    #[serde(skip)]
    watch: Option<Watch>,
    /// How late each frame was.
    #[serde(skip)]
    late: Vec<Duration>,
    #[serde(skip)]
    path: Option<Path>,
    #[serde(skip)]
    span: Option<(Stamp, Stamp)>,
}

impl Report {
    /// A report on a run of this rig, by this watch.
    pub(crate) fn on(rig: &Rig, watch: Watch) -> Self {
        let sensor = |spec: &SensorSpec| SensorReport {
            name: spec.name.clone(),
            time_offset_ms: spec.time_offset_nanos as f64 * 1e-6,
            ..SensorReport::default()
        };
        Self {
            sensors: rig.sensors.iter().map(sensor).collect(),
            path: watch.path(),
            watch: Some(watch),
            ..Self::default()
        }
    }

    /// Counts what fusion is given.
    pub(crate) fn count(&mut self, measurement: &Measurement) {
        if let Some(board) = self.watch.as_ref().and_then(Watch::board) {
            board.take(measurement);
        }
        match &measurement.payload {
            Payload::Gap(gap) => self.count_gap(gap),
            _ => self.count_measurement(measurement),
        }
    }

    fn count_measurement(&mut self, measurement: &Measurement) {
        if let Some(watch) = &self.watch {
            watch.start(measurement.end);
        }
        // What is known of a sensor's clock is none of its measurements.
        if matches!(measurement.payload, Payload::Clock(_)) {
            return;
        }
        if let Some(path) = &mut self.path {
            path.take(measurement.end, measurement.received, crate::clock::now());
        }
        self.measurements += 1;
        if let Some(sensor) = self.sensors.get_mut(usize::from(measurement.sensor.0)) {
            sensor.measurements += 1;
            let (start, end) = (measurement.stamp.nanos(), measurement.end.nanos());
            let (first, last) = sensor.span_ns.get_or_insert((start, end));
            *first = start.min(*first);
            *last = end.max(*last);
        }
    }

    /// Counts pings that came to nothing.
    pub(crate) fn count_unusable(&mut self, pings: &BTreeMap<SensorId, u64>) {
        for (id, count) in pings {
            if let Some(sensor) = self.sensors.get_mut(usize::from(id.0)) {
                sensor.unusable_pings += count;
            }
        }
    }

    /// Once all has been counted: how late the frames were, and which sensors have no time in common.
    pub(crate) fn sum_up(&mut self) {
        self.latency = Latency::of(std::mem::take(&mut self.late));
        self.stages = self.path.as_mut().and_then(Path::stages);
        let spans = self
            .sensors
            .iter()
            .map(|sensor| (sensor.name.as_str(), sensor.span_ns));
        self.notes.extend(beluga_ingest::apart(spans));
    }

    /// Counts a frame that was just made.
    pub(crate) fn count_frame(&mut self, frame: &SolidarFrame) {
        let watch = self.watch.as_ref();
        let late = watch.and_then(|watch| watch.reached(Stage::Made, frame.window.end));
        self.late.extend(late);
        let path = self.path.as_mut();
        let times = path.and_then(|path| path.made(frame.window.end, crate::clock::now()));
        if let Some(board) = watch.and_then(Watch::board) {
            let stages = [Stage::Heard, Stage::Ordered, Stage::Fused];
            for (stage, time) in stages.into_iter().zip(times.into_iter().flatten()) {
                board.took(stage, time);
            }
            board.frame(frame);
        }
        self.frames += 1;
        let in_water = frame
            .points
            .medium
            .iter()
            .filter(|&&medium| medium == Medium::Water)
            .count() as u64;
        self.points_water += in_water;
        self.points_air += frame.points.len() as u64 - in_water;
        self.arcs += frame.arcs.len() as u64;
        *self.poses.entry(frame.status.pose_source.name()).or_default() += 1;
        if let Some(significant) = frame.status.sonar_registration.is_significant() {
            self.sonar_is_off = significant;
        }
        match &frame.status.sonar_registration {
            SonarRegistration::NotTried => {}
            SonarRegistration::Refused { reason } => {
                self.registration = Some(format!(
                    "not registered: {reason}; its mount, latency and sound speed are taken as stated"
                ))
            }
            SonarRegistration::Measured {
                correction, matched, ..
            } => {
                let metres = correction.fixed_rows::<3>(3).norm();
                self.registration = Some(format!(
                    "{metres:.3} m off the lidar map ({matched} points), not applied"
                ));
            }
        }
        for input in &frame.inputs {
            self.measurements_in_frames += u64::from(input.measurements);
            self.dropped_points += u64::from(input.dropped_points);
            if let Some(sensor) = self.sensors.get_mut(usize::from(input.sensor.0)) {
                sensor.dropped_points += u64::from(input.dropped_points);
            }
        }
        for id in frame.points.sensor.iter().chain(&frame.arcs.sensor) {
            if let Some(sensor) = self.sensors.get_mut(usize::from(*id)) {
                sensor.points += 1;
            }
        }
        for gap in &frame.gaps {
            let sensor = self.sensors.get(usize::from(gap.sensor.0));
            let name = sensor.map_or("a sensor beyond the rig", |sensor| &sensor.name);
            let key = format!("{name} {}", gap.cause.name());
            let lost = self.lost.entry(key).or_default();
            *lost = lost.saturating_add(gap.lost);
        }
        let (first, last) = self.span.get_or_insert((frame.window.start, frame.window.end));
        *first = (*first).min(frame.window.start);
        *last = (*last).max(frame.window.end);
        self.data_s = last.seconds_since(*first);
    }

    /// Keeps what a gap says of itself, up to a handful; its number is counted by the frame it falls in.
    fn count_gap(&mut self, gap: &Gap) {
        const LOSSES_TOLD: usize = 5;
        if self.losses.len() < LOSSES_TOLD {
            self.losses
                .push(format!("{} {}: {}", gap.lost, gap.cause.name(), gap.detail));
        }
    }

    /// Counts frames that were made and could not be kept.
    pub(crate) fn count_unkept(&mut self, frames: u64, most_bytes: usize) {
        if frames > 0 {
            *self
                .lost
                .entry("frames too large for the record".into())
                .or_default() += frames;
            self.notes.push(format!(
                "a record takes frames up to {} MB: thin the lidar with `lidar_voxel_m` under [fusion] in --config",
                most_bytes >> 20
            ));
        }
    }

    /// Counts the frames that found the disk full. `kept`: how many did not.
    pub(crate) fn count_disk_full(&mut self, is_full: bool, kept: u64) {
        if is_full {
            let lost = self.frames.saturating_sub(kept).max(1);
            *self.lost.entry("frames on a full disk".into()).or_default() += lost;
            self.notes.push(format!(
                "the disk is full: the record is sealed with its first {kept} frames, and the run ended there"
            ));
        }
    }

    /// How the run ended.
    pub(crate) fn exit(&self) -> Exit {
        let came_to_nothing = |sensor: &SensorReport| sensor.is_all_lost() || sensor.unusable_pings > 0;
        if self.lost_total() > 0 || self.sensors.iter().any(came_to_nothing) {
            Exit::Lost
        } else if self.stopped_early
            || self.not_found.is_some()
            || self.heard.iter().any(|heard| heard.tally.heard == 0)
        {
            Exit::Findings
        } else {
            Exit::Done
        }
    }

    /// Payloads lost, over all sensors and causes.
    pub(crate) fn lost_total(&self) -> u64 {
        self.lost.values().copied().fold(0, u64::saturating_add)
    }

    /// Seconds of data per second of the run.
    pub(crate) fn real_time_factor(&self) -> f64 {
        if self.wall_s > 0.0 {
            self.data_s / self.wall_s
        } else {
            0.0
        }
    }

    /// Bytes of record per hour of data.
    fn bytes_per_hour(&self) -> Option<f64> {
        let (_, bytes) = self.record.as_ref()?;
        (self.data_s > 0.0).then(|| *bytes as f64 / self.data_s * 3600.0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let poses: Vec<String> = PoseSource::ALL
            .iter()
            .filter_map(|source| {
                self.poses
                    .get(source.name())
                    .map(|count| format!("{count} {}", source.name()))
            })
            .collect();
        if self.stopped_early {
            writeln!(
                f,
                "stopped      before the end of the recording; what came until then is kept"
            )?;
        }
        writeln!(
            f,
            "frames       {} over {:.1} s (pose: {})",
            self.frames,
            self.data_s,
            poses.join(", ")
        )?;
        writeln!(
            f,
            "points       {} in air, {} in water, {} arcs",
            grouped(self.points_air),
            grouped(self.points_water),
            grouped(self.arcs)
        )?;
        for sensor in &self.sensors {
            writeln!(f, "sensor       {sensor}")?;
        }
        for heard in &self.heard {
            writeln!(f, "heard        {heard}")?;
        }
        if let Some(registration) = &self.registration {
            writeln!(f, "sonar        {registration}")?;
        }
        if self.sonar_is_off {
            writeln!(f, "warning      {SONAR_IS_OFF}")?;
        }
        if let Some(reason) = &self.not_found {
            writeln!(
                f,
                "place        not found in the map: {reason}; poses say nothing"
            )?;
        }
        if let Some(loops) = self.loops.as_ref().filter(|loops| loops.is_told()) {
            writeln!(f, "loops        {loops}")?;
        }
        writeln!(
            f,
            "speed        {:.1} × real time ({:.1} s)",
            self.real_time_factor(),
            self.wall_s
        )?;
        if let Some(latency) = &self.latency {
            writeln!(f, "latency      {latency}")?;
        }
        if let Some(recorded) = &self.latency_recorded {
            writeln!(
                f,
                "             in the record half within {:.0} ms, 99 % within {:.0} ms, the latest {:.0} ms",
                recorded.p50_ms, recorded.p99_ms, recorded.max_ms
            )?;
        }
        if let Some(stages) = &self.stages {
            writeln!(f, "             {stages}")?;
        }
        let unusable = self.sensors.iter().filter(|sensor| sensor.unusable_pings > 0);
        let nothing = self.sensors.iter().filter(|sensor| sensor.is_all_lost());
        let lost: Vec<String> = (self.lost.iter())
            .filter(|(_, count)| **count > 0)
            .map(|(what, count)| format!("{count} {what}"))
            .chain(unusable.map(|s| format!("{} {} with an unusable pulse", s.unusable_pings, s.name)))
            .chain(nothing.map(|s| format!("every point of {}", s.name)))
            .collect();
        match (lost.is_empty(), self.losses.is_empty()) {
            (true, true) => writeln!(f, "lost         nothing")?,
            (true, false) => writeln!(f, "lost         nothing whole, but parts, the first of them:")?,
            (false, _) => writeln!(f, "lost         {}", lost.join(", "))?,
        }
        for loss in &self.losses {
            writeln!(f, "             {loss}")?;
        }
        if self.dropped_points > 0 {
            writeln!(
                f,
                "dropped      {} points that were not finite, had no return, lie beyond 1000 km, or are echoes that no path fits",
                grouped(self.dropped_points)
            )?;
        }
        if let Some(bytes) = self.bytes_per_hour() {
            writeln!(f, "disk         {:.1} GB per hour at this rate", bytes / 1e9)?;
        }
        if let Some(hash) = &self.frame_sha256 {
            writeln!(f, "frame bytes  sha256 {hash}")?;
        }
        for note in &self.notes {
            writeln!(f, "note         {note}")?;
        }
        if let Some((path, bytes)) = &self.record {
            writeln!(
                f,
                "record       {} ({:.1} MB)",
                path.display(),
                *bytes as f64 / 1e6
            )?;
            writeln!(f, "             verify it: beluga maml verify {}", path.display())?;
        }
        if let Some((path, measurements)) = &self.tape {
            writeln!(f, "tape         {} ({measurements} measurements)", path.display())?;
        }
        if let Some((path, left_out)) = &self.picture {
            let thinned = if *left_out > 0 {
                format!(" ({left_out} frames not drawn)")
            } else {
                String::new()
            };
            writeln!(f, "look         beluga view {}{thinned}", path.display())?;
        }
        Ok(())
    }
}

/// A count with thin groups of three, as people read it.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use beluga_types::GapCause;

    use super::*;

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1 234");
        assert_eq!(grouped(12_345_678), "12 345 678");
    }

    #[test]
    fn what_was_lost_is_said() {
        let mut report = Report::default();
        assert!(report.to_string().contains("lost         nothing\n"));
        report.count_gap(&Gap {
            lost: 0,
            cause: GapCause::Missing,
            detail: "scan 7: 900 of 1024 columns".into(),
        });
        report.lost.insert("roof missing".into(), 0);
        let said = report.to_string();
        assert!(
            said.contains("lost         nothing whole") && said.contains("900 of 1024"),
            "{said}"
        );
        assert_eq!(report.exit(), Exit::Done);
        report.lost.insert("fan corrupt".into(), 3);
        assert!(report.to_string().contains("3 fan corrupt"));
        assert_eq!(report.lost_total(), 3);
    }

    #[test]
    fn a_sonar_that_is_off_is_warned_of() {
        let mut report = Report {
            registration: Some("0.080 m off the lidar map (900 points), not applied".into()),
            ..Report::default()
        };
        assert!(!report.to_string().contains("warning"));
        report.sonar_is_off = true;
        let said = report.to_string();
        assert!(
            said.contains("not applied\nwarning      the sonar does not lie"),
            "{said}"
        );
    }

    #[test]
    fn what_came_to_nothing_is_lost() {
        let mut report = Report {
            sensors: vec![SensorReport::default(), SensorReport::default()],
            ..Report::default()
        };
        assert_eq!(report.exit(), Exit::Done);
        report.sensors[0].dropped_points = 9;
        assert_eq!(report.exit(), Exit::Lost);
        report.sensors[0].points = 1;
        assert_eq!(report.exit(), Exit::Done);
        report.count_unusable(&BTreeMap::from([(SensorId(1), 4)]));
        assert_eq!(report.exit(), Exit::Lost);
        assert!(report.to_string().contains("4  with an unusable pulse"));
    }
}
