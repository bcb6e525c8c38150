//! What a file holds, and the rig that it makes by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{Mount, Rig, SensorSpec, Vessel};

use super::framing::{Channel, Header};
use super::read::{Part, beam_deg, place, speed_of_sound};
use super::{Content, SonarPing};
use crate::error::Error;
use crate::regular;
use crate::survey::chosen::Part as _;
use crate::survey::damage;
use crate::survey::detections::WATER_M_PER_S;
use crate::survey::water;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// What stands before its packets.
    pub header: Header,
    /// Whole packets by their type.
    pub packets: BTreeMap<u8, u64>,
    /// Stretches and packets that cannot be read, and the first of them.
    pub damaged: (u64, Option<String>),
    /// Channels that have samples.
    channels: BTreeSet<u16>,
    has_pings: bool,
    /// Positions, attitudes, and pings that say where they were.
    fixes: [u64; 3],
    speed_m_per_s: Option<f64>,
    /// The file has half the speed of sound.
    one_way: bool,
}

/// What a file holds.
///
/// # Errors
/// If it cannot be read, or does not begin as an XTF file does.
pub fn summary(path: &Path) -> Result<Summary, Error> {
    summary_of(regular::open(path)?, path)
}

/// As [`summary`], of what is open already; `path` is its name in messages.
///
/// # Errors
/// As [`summary`].
pub fn summary_of<R: Read + Seek>(input: R, path: &Path) -> Result<Summary, Error> {
    let (header, mut walk) = super::walk(input, path)?;
    let mut summary = Summary {
        header,
        ..Summary::default()
    };
    while let Some(found) = walk.next() {
        match found {
            Ok(start) => {
                let kind = walk.bytes()[2];
                *summary.packets.entry(kind).or_default() += 1;
                match super::read_whole(walk.bytes(), &summary.header) {
                    Ok(content) => summary.take(content),
                    Err(wrong) => damage::count(
                        &mut summary.damaged,
                        format!("byte {start}, type {kind}: {wrong}"),
                    ),
                }
            }
            Err(damage) => damage::count(&mut summary.damaged, damage.fault.detail),
        }
    }
    Ok(summary)
}

/// Whether a file begins as an XTF file does: with its header and a packet.
pub(crate) fn looks_like(path: &Path) -> bool {
    let first = regular::open(path).and_then(|file| super::walk(file, path));
    first.is_ok_and(|(_, mut walk)| matches!(walk.next(), Some(Ok(_))))
}

impl Summary {
    /// The sensors of the file: channels of samples, an R2Sonic, navigation.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self.channels.iter().copied().map(Part::Channel).collect();
        parts.extend(self.has_pings.then_some(Part::R2Sonic));
        let [_, attitudes, pings] = self.fixes;
        if attitudes > 0 {
            parts.push(Part::Nav);
        } else if pings > 0 {
            parts.push(Part::Pings);
        }
        parts
    }

    fn take(&mut self, content: Content) {
        match content {
            Content::Sonar(ping) => self.take_samples(&ping),
            Content::R2Sonic(ping) => {
                let speed = f64::from(ping.sound_speed_m_per_s);
                if WATER_M_PER_S.contains(&speed) {
                    self.has_pings = true;
                    self.speed_m_per_s.get_or_insert(speed);
                } else {
                    damage::count(
                        &mut self.damaged,
                        format!("a ping whose head has a speed of sound of {speed} m/s"),
                    );
                }
            }
            Content::Attitude(_) => self.fixes[1] += 1,
            Content::Position(fix) => {
                self.fixes[0] += u64::from(place(fix.place, fix.height_m).is_some());
            }
            Content::Other(_) => {}
        }
    }

    fn take_samples(&mut self, ping: &SonarPing) {
        let known = self.header.in_degrees && place(ping.place, -f64::from(ping.depth_m)).is_some();
        self.fixes[2] += u64::from(known);
        let side = |channel: u16| {
            let channel = self.header.channels.get(usize::from(channel));
            channel.is_some_and(|channel| matches!(channel.kind, 1 | 2))
        };
        let own = ping.channels.iter().filter(|samples| {
            side(samples.channel) && !samples.strength.is_empty() && samples.slant_range_m > 0.0
        });
        let own: Vec<u16> = own.map(|samples| samples.channel).collect();
        self.channels.extend(own);
        if let Some(speed) = speed_of_sound(ping.sound_speed) {
            self.one_way |= f64::from(ping.sound_speed) < *WATER_M_PER_S.start();
            self.speed_m_per_s.get_or_insert(speed);
        }
    }

    /// What is taken of the side-scans' beams where the file is silent.
    fn assumed_beam(&self) -> Option<String> {
        let channel = |number: &u16| self.header.channels.get(usize::from(*number));
        let silent = |channel: &&Channel| beam_deg(channel.beam_deg) != channel.beam_deg.map(f64::from);
        let found = self.channels.iter().filter_map(channel).find(silent)?;
        let [along, tilt, across] = beam_deg(found.beam_deg);
        Some(format!(
            "the file does not state all of the side-scan's beam: {along}° wide along track, looking {tilt}° below the \
             horizontal, {across}° wide across is taken"
        ))
    }

    fn say(&self, notes: &mut Vec<String>) {
        notes.push(format!(
            "no rig: the channels of the file are taken where its header (by {}) says they are",
            self.header.program.escape_debug()
        ));
        notes.extend(damage::note(&self.damaged));
        if self.one_way {
            notes.push("the file's speed of sound is that of one way: twice as much is taken".into());
        }
        notes.extend(self.assumed_beam());
        let passed: Vec<String> = self
            .packets
            .iter()
            .filter(|(kind, _)| !matches!(**kind, 0 | 3 | 65 | 68 | 107))
            .map(|(kind, count)| format!("type {kind} ({count})"))
            .collect();
        if !passed.is_empty() {
            notes.push(format!("packets that are passed over: {}", passed.join(", ")));
        }
        let [positions, attitudes, pings] = self.fixes;
        if (positions > 0 || pings > 0) && !self.header.in_degrees {
            notes
                .push("positions are in metres of some projection, not in degrees: they are not used".into());
        } else if positions > 0 && attitudes > 0 {
            notes.push(
                "poses: positions, evenly between them, with the attitude packets; of what their heights are over, the file \
                 says nothing"
                    .into(),
            );
            let is_at_reference =
                |mount: &Mount| [mount.forward_m, mount.starboard_m, mount.down_m] == [0.0; 3];
            let beside = |channel: &Channel| !is_at_reference(&channel.mount);
            if is_at_reference(&self.header.antenna) && self.header.channels.iter().any(beside) {
                notes.push(
                    "the header says where the sonar is, but not where positions are measured: they are taken for the vessel's \
                     reference point; a bed that rises and falls with roll or pitch says that they are not (put the sonar where it \
                     is from there in a rig)"
                        .into(),
                );
            }
        } else if positions > 0 && attitudes == 0 && pings == 0 {
            notes.push("positions without attitudes make no pose: they are not used".into());
        }
    }
}

/// The rig of a file by itself: its channels where its header says that they are, and the water.
///
/// # Errors
/// If the file cannot be read, or has nothing of what is read.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let summary = summary(path)?;
    let source = regular::name(path);
    let channels = &summary.header.channels;
    let mut sensors: Vec<SensorSpec> = Vec::new();
    for part in summary.parts() {
        let (usual, mount) = match part {
            Part::Channel(number) => {
                let channel = channels.get(usize::from(number));
                let port = channel.is_some_and(|channel| channel.kind == 1);
                let mount = channel.map_or(Mount::default(), |channel| channel.mount);
                (if port { "port" } else { "starboard" }, mount)
            }
            Part::R2Sonic => {
                let own = channels.iter().find(|channel| channel.kind == 3);
                ("sonar", own.map_or(Mount::default(), |channel| channel.mount))
            }
            Part::Nav | Part::Pings => ("ins", Mount::default()),
        };
        let before = sensors
            .iter()
            .filter(|sensor| sensor.name.starts_with(usual))
            .count();
        let name = match before {
            0 => usual.to_owned(),
            more => format!("{usual}-{}", more + 1),
        };
        sensors.push(SensorSpec {
            model: Some(part.word()),
            source: Some(source.clone()),
            format: Some("xtf".into()),
            mount,
            ..SensorSpec::new(name, part.kind())
        });
    }
    if sensors.is_empty() {
        let found = summary
            .packets
            .keys()
            .map(u8::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        return Err(Error::Empty {
            expected: format!(
                "side-scan pings, R2Sonic pings or attitudes (types 0, 65, 68, 3) beside {found}"
            ),
            path: path.to_owned(),
        });
    }
    summary.say(notes);
    let head = summary.speed_m_per_s.map(|speed| (0.0, speed));
    let water = water::of(&[], head, notes);
    Ok(Rig {
        origin: None,
        vessel: Vessel::default(),
        water,
        sensors,
    })
}
