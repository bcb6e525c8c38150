//! What a file holds, and the rig that it makes by itself.

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{Attitude, Mount, Rig, SensorKind, SensorSpec, Vessel};

use super::frame::Frame;
use super::read::{ELEVATION_DEG, nominal_hz};
use crate::error::Error;
use crate::nameplate::Nameplate;
use crate::regular;
use crate::survey::damage;
use crate::survey::water;

/// Frames that are looked at for a device's number: the first will do.
const LOOK: usize = 100;
/// Kinds of a thing that are told.
const MOST_KINDS: usize = 8;
/// The window that a header states may differ from its timing by this share without being told.
const ALIKE: f64 = 2e-3;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Frames that can be read.
    pub frames: u64,
    /// Stretches and frames that cannot be read, and the first of them.
    pub damaged: (u64, Option<String>),
    /// What frames were set to, in words.
    pub settings: BTreeSet<String>,
    first: Option<Frame>,
    /// Frames whose stated window is not that of their timing.
    other_window: u64,
}

/// What a file holds.
///
/// # Errors
/// If it cannot be read, or does not begin as an ARIS file does.
pub fn summary(path: &Path) -> Result<Summary, Error> {
    summary_of(regular::open(path)?, path)
}

/// As [`summary`], of what is open already; `path` is its name in messages.
///
/// # Errors
/// As [`summary`].
pub fn summary_of<R: Read + Seek>(input: R, path: &Path) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    for found in super::frames(input, path)? {
        match found {
            Ok(frame) => summary.take(frame),
            Err(wrong) => {
                damage::count(&mut summary.damaged, wrong);
            }
        }
    }
    Ok(summary)
}

/// What the sonar of a file says of itself.
pub(crate) fn nameplate(path: &Path) -> Option<Nameplate> {
    let mut frames = super::frames(regular::open(path).ok()?, path).ok()?.take(LOOK);
    let frame = frames.find_map(Result::ok)?;
    let [major, minor] = frame.version;
    Some(Nameplate {
        serial: Some(frame.serial.to_string()),
        firmware: (frame.version != [0, 0]).then(|| format!("ArisApp {major}.{minor}")),
    })
}

fn model(frame: &Frame) -> &'static str {
    match frame.system {
        0 => "ARIS 1800",
        1 => "ARIS 3000",
        2 => "ARIS 1200",
        _ => "ARIS",
    }
}

impl Summary {
    fn take(&mut self, frame: Frame) {
        self.frames += 1;
        if self.settings.len() < MOST_KINDS {
            self.settings.insert(settings(&frame));
        }
        let cell_m = 0.5e-6 * f64::from(frame.sound_speed_m_per_s);
        let timed = [
            cell_m * f64::from(frame.delay_us),
            cell_m * f64::from(frame.period_us) * frame.samples as f64,
        ];
        let alike = |(stated, timed): (&f32, f64)| (f64::from(*stated) - timed).abs() <= ALIKE * timed;
        self.other_window += u64::from(!frame.window_m.iter().zip(timed).all(alike));
        self.first.get_or_insert(frame);
    }

    fn say(&self, first: &Frame, notes: &mut Vec<String>) {
        notes.push(format!("an {}, number {}", model(first), first.serial));
        notes.extend(self.settings.iter().cloned());
        notes.push(format!(
            "no rig: the sonar is taken to look forward and level (`pitch_deg = 90`), its beams to be {ELEVATION_DEG}° high (one \
             row of `beams` in a rig says otherwise)"
        ));
        notes.extend(damage::note(&self.damaged));
        if self.other_window > 0 {
            let [start, length] = first.window_m;
            notes.push(format!(
                "{} frame(s) state a window that is not that of their timing, which is used (the first: from {start:.3} m on, \
                 {length:.3} m)",
                self.other_window
            ));
        }
    }
}

/// What a frame was set to, for people.
fn settings(frame: &Frame) -> String {
    let lens = if frame.telephoto { ", telephoto lens" } else { "" };
    let frequency = match nominal_hz(frame) {
        Some(hz) => format!("{:.1} MHz by its name", hz * 1e-6),
        None => "an unknown frequency".into(),
    };
    let water = match frame.salinity {
        0 => "fresh",
        15 => "brackish",
        _ => "salt",
    };
    format!(
        "ping mode {} at {frequency}{lens}: {} beams, {} samples of {} µs, pulse {} µs, gain {} dB, {:.2} m/s ({water}, \
         {:.1} °C)",
        frame.ping_mode,
        frame.beams,
        frame.samples,
        frame.period_us,
        frame.pulse_us,
        frame.gain_db,
        frame.sound_speed_m_per_s,
        frame.water_deg_c
    )
}

/// The rig of a file by itself.
///
/// # Errors
/// If it cannot be read, is no such file, or has no frame that can be read.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let summary = summary(path)?;
    let Some(first) = &summary.first else {
        return Err(damage::nothing(
            "frames behind the header of an ARIS file",
            &summary.damaged,
            path,
        ));
    };
    let source = regular::name(path);
    let sonar = SensorSpec {
        model: Some(model(first).into()),
        source: Some(source),
        format: Some("aris".into()),
        mount: Mount {
            attitude: Attitude::from_degrees([0.0, 90.0, 0.0]),
            ..Mount::default()
        },
        ..SensorSpec::new("sonar", SensorKind::Sonar)
    };
    summary.say(first, notes);
    let water = water::of(&[], Some((0.0, f64::from(first.sound_speed_m_per_s))), notes);
    Ok(Rig {
        origin: None,
        vessel: Vessel::default(),
        water,
        sensors: vec![sonar],
    })
}
