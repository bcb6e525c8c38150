//! What a stream that is kept as a file holds, and the rig that it makes by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{Attitude, Mount, Rig, SensorKind, SensorSpec, Stamp, Vessel};

use super::framing::{self, Oculus};
use super::read::RATE_HZ;
use super::{Content, Ping, model};
use crate::error::Error;
use crate::nameplate::Nameplate;
use crate::regular;
use crate::survey::damage;
use crate::survey::walk::Walk;
use crate::survey::water;

/// Pings that are looked at for a device's number: the first will do.
const LOOK: usize = 100;
/// Kinds of a thing that are told.
const MOST_KINDS: usize = 8;

/// What a stream holds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Whole messages by their number.
    pub messages: BTreeMap<u16, u64>,
    /// Pings that can be read.
    pub pings: u64,
    /// Stretches and messages that cannot be read, and the first of them.
    pub damaged: (u64, Option<String>),
    /// Devices by their own number and part.
    pub devices: BTreeSet<(u16, u16)>,
    /// What pings were set to, in words.
    pub settings: BTreeSet<String>,
    speed_m_per_s: Option<f64>,
    frequency_hz: Option<f64>,
    has_times: bool,
    /// Pings whose temperature, and whose pressure, is none.
    senseless: [u64; 2],
}

/// What a stream holds.
///
/// # Errors
/// If it cannot be read.
pub fn summary(path: &Path) -> Result<Summary, Error> {
    summary_of(regular::open(path)?, path)
}

/// As [`summary`], of what is open already; `path` is its name in messages.
///
/// # Errors
/// As [`summary`].
pub fn summary_of<R: Read + Seek>(input: R, path: &Path) -> Result<Summary, Error> {
    let mut walk = Walk::new(input, Oculus, 0).map_err(Error::io(path))?;
    let mut summary = Summary::default();
    while let Some(found) = walk.next() {
        match found {
            Ok(start) => {
                if let Some((number, _)) = framing::kind(walk.bytes())
                    && (summary.messages.len() < MOST_KINDS || summary.messages.contains_key(&number))
                {
                    *summary.messages.entry(number).or_default() += 1;
                }
                match super::read_whole(walk.bytes()) {
                    Ok(Content::Ping(ping)) => summary.take(&ping),
                    Ok(Content::Other(_)) => {}
                    Err(wrong) => damage::count(&mut summary.damaged, format!("byte {start}: {wrong}")),
                }
            }
            Err(damage) => damage::count(&mut summary.damaged, damage.fault.detail),
        }
    }
    Ok(summary)
}

/// What the sonar of a stream says of itself: a number. Its firmware it says only where it is looked for.
pub(crate) fn nameplate(path: &Path) -> Option<Nameplate> {
    let contents = super::contents(regular::open(path).ok()?, path).ok()?;
    let ping = contents.take(LOOK).find_map(|content| match content {
        Ok(Content::Ping(ping)) => Some(ping),
        _ => None,
    })?;
    Some(Nameplate {
        serial: Some(ping.device.to_string()),
        firmware: None,
    })
}

impl Summary {
    fn take(&mut self, ping: &Ping) {
        self.pings += 1;
        if self.devices.len() < MOST_KINDS {
            self.devices.insert((ping.device, ping.part));
        }
        if self.settings.len() < MOST_KINDS {
            self.settings.insert(settings(ping));
        }
        self.speed_m_per_s.get_or_insert(ping.sound_speed_m_per_s);
        self.frequency_hz = self.frequency_hz.or(ping.frequency_hz);
        self.has_times |= ping.since_start_s.is_some();
        self.senseless[0] += u64::from(ping.temperature_deg_c.is_none());
        self.senseless[1] += u64::from(ping.pressure_bar.is_none());
    }

    fn say(&self, notes: &mut Vec<String>) {
        for (device, part) in &self.devices {
            let model = model::name(*part, self.frequency_hz).unwrap_or("of a model that is not told");
            notes.push(format!(
                "an Oculus {model}, number {device}; its firmware is told only by its status messages (UDP)"
            ));
        }
        notes.extend(self.settings.iter().cloned());
        let [elevation, across] = model::widths_deg(self.frequency_hz);
        notes.push(format!(
            "no rig: the sonar is taken to look forward and level (`pitch_deg = 90`), its beams to be {elevation}° high and \
             {across}° wide (one row of `beams` in a rig says otherwise)"
        ));
        if !self.has_times {
            notes.push(format!(
                "its messages tell no time: pings are taken {RATE_HZ} a second by their count, from 1970 on (`rate_hz` and \
                 `start_ns` in a rig)"
            ));
        } else {
            notes.push(
                "its messages tell seconds since it was switched on: the first ping is taken at 1970 (`start_ns` in a rig)".into(),
            );
        }
        notes.extend(damage::note(&self.damaged));
        for (count, what) in self.senseless.iter().zip(["temperature", "pressure"]) {
            if *count > 0 {
                notes.push(format!("{count} ping(s) tell a {what} that is none, left out"));
            }
        }
        let passed = self
            .messages
            .iter()
            .filter(|(number, _)| **number != framing::PING);
        let passed: Vec<String> = passed
            .map(|(number, count)| format!("{number:#x} ({count})"))
            .collect();
        if !passed.is_empty() {
            notes.push(format!("messages that are passed over: {}", passed.join(", ")));
        }
    }
}

/// What a ping was set to, for people.
fn settings(ping: &Ping) -> String {
    let gamma = match ping.gamma {
        0 | 255 => 1.0,
        gamma => f64::from(gamma) / 255.0,
    };
    let frequency = match ping.frequency_hz {
        Some(frequency) => format!("{:.1} kHz", frequency * 1e-3),
        None => "a frequency that is none".into(),
    };
    let asked = ping
        .range_m
        .map_or(String::new(), |range| format!(" ({range} m asked for)"));
    format!(
        "pings at {frequency}, {} cells of {:.3} mm{asked}, gain {} %, gamma {gamma:.2}, {:.2} m/s{}",
        ping.cells,
        ping.cell_m * 1e3,
        ping.gain_percent,
        ping.sound_speed_m_per_s,
        match ping.gains.is_empty() {
            true => "",
            false => ", the gain of each cell beside it",
        }
    )
}

/// The rig of a stream by itself.
///
/// # Errors
/// If it cannot be read, or has no ping that can be.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let summary = summary(path)?;
    if summary.pings == 0 {
        return Err(damage::nothing(
            "simple ping results (message 0x23, version 0 to 2)",
            &summary.damaged,
            path,
        ));
    }
    let source = regular::name(path);
    let part = summary.devices.first().map_or(0, |(_, part)| *part);
    let sonar = SensorSpec {
        model: model::name(part, summary.frequency_hz).map(|name| format!("Oculus {name}")),
        source: Some(source),
        format: Some("oculus".into()),
        rate_hz: Some(RATE_HZ),
        start: Some(Stamp::default()),
        mount: Mount {
            attitude: Attitude::from_degrees([0.0, 90.0, 0.0]),
            ..Mount::default()
        },
        ..SensorSpec::new("sonar", SensorKind::Sonar)
    };
    summary.say(notes);
    let head = summary.speed_m_per_s.map(|speed| (0.0, speed));
    let water = water::of(&[], head, notes);
    Ok(Rig {
        origin: None,
        vessel: Vessel::default(),
        water,
        sensors: vec![sonar],
    })
}
