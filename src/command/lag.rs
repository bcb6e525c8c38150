//! `beluga lag`: how late sensors that tell of attitude are beside the lidar.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use beluga_fusion::{Config, Lag as Found, LidarOdometry, lag};
use beluga_ingest::Recording;
use beluga_types::{Measurement, Payload, PoseSource, Rig, SensorId, Stamp};
use clap::Args;
use nalgebra::UnitQuaternion;
use serde::Serialize;

use crate::exit::{Exit, Wrong};

/// Lags that matter, in seconds, if they are also so many sigmas.
const MATTERS_S: f64 = 0.005;
const SIGMAS: f64 = 3.0;

/// Says by how much the times of each navigation or inertial sensor are later than the reference lidar's, from the
/// turns of the vehicle that both saw: what hydrographers call the latency run of a patch test.
///
/// The lidar's odometry runs without them. Wanted are half a minute and a vessel that rolls or steers.
///
/// Exit code 0: none is off by more than 5 ms and three sigmas. 1: one is, or nothing can be told of one. 2: it
/// cannot be read.
///
/// Example: beluga lag survey.mcap
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Lag {
    /// A recording with a lidar and a sensor that tells of attitude or turns.
    recording: PathBuf,
    /// Longest lag that is looked for, in seconds.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    reach: f64,
}

/// What was found of one sensor.
#[derive(Debug, Serialize)]
struct Line {
    sensor: String,
    lag_ms: Option<f64>,
    sigma_ms: Option<f64>,
    correlation: Option<[f64; 3]>,
    fall: Option<f64>,
    turns: Option<usize>,
    rate_rms_deg_per_s: Option<f64>,
    /// What to do, or why nothing can be told.
    said: String,
    #[serde(skip)]
    is_off: bool,
}

impl Lag {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        anyhow::ensure!(
            self.reach.is_finite() && (0.02..=10.0).contains(&self.reach),
            anyhow::anyhow!("`--reach` is {}, expected 0.02 to 10 s", self.reach).context(Wrong::Arguments)
        );
        let recording = Recording::open(&self.recording).context(Wrong::Arguments)?;
        let rig = recording.rig().clone();
        let Some(reference) = rig.reference_lidar() else {
            return Err(anyhow::anyhow!(
                "{}: no lidar, expected one to compare with",
                self.recording.display()
            )
            .context(Wrong::Arguments));
        };
        let mut turns = Turns::new(&rig, reference)?;
        for measurement in recording.timeline().context(Wrong::Arguments)? {
            turns.take(&measurement);
        }
        let lines: Vec<Line> = turns
            .others
            .iter()
            .map(|(id, attitudes)| {
                let name = rig.sensor(*id).map_or("?", |spec| spec.name.as_str());
                match lag(&turns.lidar, attitudes, self.reach) {
                    Ok(found) => Line::of(name, &found),
                    Err(said) => Line::nothing(name, said.to_string()),
                }
            })
            .collect();
        anyhow::ensure!(
            !lines.is_empty(),
            anyhow::anyhow!(
                "{}: nothing tells of attitude or turns beside the lidar",
                self.recording.display()
            )
            .context(Wrong::Arguments)
        );
        let mut text = String::new();
        for line in &lines {
            let _ = writeln!(text, "{:<12} {}", line.sensor, line.said);
        }
        super::show(json, &lines, &text)?;
        Ok(match lines.iter().any(|line| line.is_off) {
            true => Exit::Findings,
            false => Exit::Done,
        })
    }
}

impl Line {
    fn of(name: &str, found: &Found) -> Self {
        let (lag_ms, sigma_ms) = (1e3 * found.lag_s, 1e3 * found.sigma_s);
        let is_off = found.lag_s.abs() > MATTERS_S.max(SIGMAS * found.sigma_s);
        let way = if lag_ms < 0.0 { "earlier" } else { "later" };
        let remedy = if is_off {
            format!(": `time_offset_ms = {:.1}` more for it in the rig", -lag_ms)
        } else {
            String::new()
        };
        Self {
            sensor: name.to_owned(),
            lag_ms: Some(lag_ms),
            sigma_ms: Some(sigma_ms),
            correlation: Some(found.correlation),
            fall: Some(found.fall),
            turns: Some(found.turns),
            rate_rms_deg_per_s: Some(found.rate_rms.to_degrees()),
            said: format!(
                "{:.1} ± {sigma_ms:.1} ms (one sigma) {way} than the lidar ({}; {:.3} less 100 ms beside it; {} turns, {:.1} °/s){remedy}",
                lag_ms.abs(),
                axes(found),
                found.fall,
                found.turns,
                found.rate_rms.to_degrees()
            ),
            is_off,
        }
    }

    fn nothing(name: &str, said: String) -> Self {
        Self {
            sensor: name.to_owned(),
            lag_ms: None,
            sigma_ms: None,
            correlation: None,
            fall: None,
            turns: None,
            rate_rms_deg_per_s: None,
            said: format!("nothing can be told: {said}"),
            is_off: true,
        }
    }
}

/// What each axis says, or that it does not count.
fn axes(found: &Found) -> String {
    let names = ["roll", "pitch", "yaw"];
    let said = |((name, alike), axis): ((&str, f64), Option<(f64, f64)>)| match axis {
        Some((lag_s, sigma_s)) => {
            format!(
                "{name} {:+.1} ± {:.1} ms, correlation {alike:.3}",
                1e3 * lag_s,
                1e3 * sigma_s
            )
        }
        None => format!("{name} left out, {alike:.3}"),
    };
    let each = names.into_iter().zip(found.correlation).zip(found.axes);
    each.map(said).collect::<Vec<_>>().join("; ")
}

/// Attitudes of the vehicle, by who tells them.
struct Turns {
    reference: SensorId,
    odometry: LidarOdometry,
    lidar: Vec<(Stamp, UnitQuaternion<f64>)>,
    others: BTreeMap<SensorId, Vec<(Stamp, UnitQuaternion<f64>)>>,
    rig: Rig,
}

impl Turns {
    fn new(rig: &Rig, reference: SensorId) -> anyhow::Result<Self> {
        let spec = rig.sensor(reference).context("a rig that names its reference")?;
        let of = match rig.vessel.waterline_m {
            Some(_) => LidarOdometry::afloat,
            None => LidarOdometry::new,
        };
        Ok(Self {
            reference,
            odometry: of(&Config::default(), spec.mount.body_from_sensor(), spec.deskewed)?,
            lidar: Vec::new(),
            others: BTreeMap::new(),
            rig: rig.clone(),
        })
    }

    fn take(&mut self, measurement: &Measurement) {
        let Measurement { sensor, stamp, .. } = *measurement;
        let attitude = match &measurement.payload {
            Payload::Lidar(scan) if sensor == self.reference && !scan.is_empty() => {
                let found = self.odometry.push(scan, stamp);
                if found.source != PoseSource::Prediction {
                    let attitude = found.world_from_body.rotation();
                    self.lidar.push((measurement.end, attitude));
                }
                return;
            }
            Payload::Pose(fix) => fix.world_from_body.rotation(),
            Payload::Attitude(fix) => fix.world_from_body,
            Payload::Imu(sample) => {
                let Some(spec) = self.rig.sensor(sensor) else {
                    return;
                };
                let in_body = spec.mount.body_from_sensor().rotation() * sample.rate_rad_per_s.vector();
                let told = self.others.entry(sensor).or_default();
                let (last, before) = told
                    .last()
                    .copied()
                    .unwrap_or((stamp, UnitQuaternion::identity()));
                before * UnitQuaternion::from_scaled_axis(in_body * stamp.seconds_since(last))
            }
            _ => return,
        };
        let told = self.others.entry(sensor).or_default();
        if told.last().is_none_or(|(last, _)| *last < stamp) {
            told.push((stamp, attitude));
        }
    }
}
