//! What a file holds, and the rig that it makes by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{Rig, SensorSpec, Stamp, Vessel, Water};

use super::framing::Kmall;
use super::read::Part;
use super::{Content, Motion, Reader, SoundProfile, SoundSpeed, installation};
use crate::error::Error;
use crate::regular;
use crate::survey::chosen::Part as _;
use crate::survey::damage;
use crate::survey::detections::WATER_M_PER_S;
use crate::survey::install::Installation;
use crate::survey::walk::{Framing, Walk};
use crate::survey::water;

/// The most kinds of datagrams that are told apart; a file has about fifteen.
const MOST_KINDS: usize = 64;
/// The most sensors of a kind that are told apart.
const MOST_SENSORS: usize = 16;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Whole datagrams by their type.
    pub datagrams: BTreeMap<String, u64>,
    /// Stretches and datagrams that cannot be read, and the first of them.
    pub damaged: (u64, Option<String>),
    /// Soundings of all swaths, and those of them that are no detections.
    pub soundings: [u64; 2],
    /// Times of the first and last datagram.
    pub span: Option<[Stamp; 2]>,
    /// The sounder's model number.
    pub sounder: Option<u16>,
    installation: Option<Installation>,
    /// It is not the same at the end as at the beginning.
    is_moved: bool,
    profiles: Vec<SoundProfile>,
    other_profiles: u64,
    /// Transmitter and receiver of each head, from 0; depth and speed of sound of its first ping.
    heads: BTreeMap<u8, (u8, f64, f64)>,
    motions: BTreeMap<u8, bool>,
    positions: BTreeSet<u16>,
    old_positions: BTreeSet<u16>,
    has_sound_speed: bool,
}

/// What a file holds.
///
/// # Errors
/// If it cannot be read, or does not begin as a KMALL file does.
pub fn summary(path: &Path) -> Result<Summary, Error> {
    summary_of(regular::open(path)?, path)
}

/// As [`summary`], of what is open already; `path` is its name in messages.
///
/// # Errors
/// As [`summary`].
pub fn summary_of<R: Read + Seek>(input: R, path: &Path) -> Result<Summary, Error> {
    let mut walk = Walk::new(input, Kmall, 0).map_err(Error::io(path))?;
    let mut reader = Reader::default();
    let mut summary = Summary::default();
    while let Some(found) = walk.next() {
        match found {
            Ok(start) => summary.take(start, walk.bytes(), &mut reader),
            Err(damage) => damage::count(&mut summary.damaged, damage.fault.detail),
        }
    }
    if let Some(lost) = reader.end() {
        damage::count(&mut summary.damaged, lost);
    }
    if summary.datagrams.is_empty() {
        let expected = "a KMALL file: datagrams that begin with their length, `#` and three letters";
        return Err(Error::bad(path, "byte 0", expected, "no whole datagram"));
    }
    Ok(summary)
}

/// Whether a file begins as a KMALL file does; nothing is said of the rest.
pub(crate) fn looks_like(path: &Path) -> bool {
    let mut start = [0; 20];
    let read = regular::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok());
    read && Kmall.length(&start).is_some()
}

impl Summary {
    /// The sensors of the file: receivers, attitude, position, speed of sound.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self.heads.keys().copied().map(Part::Receiver).collect();
        // One that also says where it is comes first.
        let motions = |placed: bool| {
            let own = self.motions.iter().filter(move |(_, has)| **has == placed);
            // One that does not is put together with a position sensor.
            let position = self.positions.first().copied().filter(|_| !placed);
            own.map(move |(&motion, _)| match position {
                Some(position) => Part::Joined { motion, position },
                None => Part::Motion(motion),
            })
        };
        parts.extend(motions(true).chain(motions(false)));
        parts.extend(self.positions.iter().copied().map(Part::Position));
        if self.positions.is_empty() {
            parts.extend(self.old_positions.iter().copied().map(Part::OldPosition));
        }
        parts.extend(self.has_sound_speed.then_some(Part::SoundSpeed));
        parts
    }

    fn take(&mut self, start: u64, whole: &[u8], reader: &mut Reader) {
        let name = String::from_utf8_lossy(&whole[4..8]).into_owned();
        if self.datagrams.len() < MOST_KINDS || self.datagrams.contains_key(&name) {
            *self.datagrams.entry(name.clone()).or_default() += 1;
        }
        let given = reader.read(whole);
        if let Some(lost) = given.lost {
            damage::count(&mut self.damaged, format!("byte {start}, `{name}`: {lost}"));
        }
        match given.content {
            Ok(content) => {
                self.sounder
                    .get_or_insert(u16::from_le_bytes([whole[10], whole[11]]));
                let first = self.span.map_or(given.stamp, |[first, _]| first.min(given.stamp));
                let last = self.span.map_or(given.stamp, |[_, last]| last.max(given.stamp));
                self.span = Some([first, last]);
                self.take_content(content);
            }
            Err(wrong) => damage::count(&mut self.damaged, format!("byte {start}, `{name}`: {wrong}")),
        }
    }

    fn take_content(&mut self, content: Content) {
        match content {
            Content::Installation(text) => {
                let found = installation::read(&text);
                let first = self.installation.get_or_insert_with(|| found.clone());
                self.is_moved |= *first != found;
            }
            Content::Swath(swath) => {
                let none = swath.soundings.iter().filter(|s| s.kind == super::Kind::Rejected);
                self.soundings[0] += swath.soundings.len() as u64;
                self.soundings[1] += none.count() as u64;
                let speed = f64::from(swath.sound_speed_m_per_s);
                if !WATER_M_PER_S.contains(&speed) {
                    damage::count(
                        &mut self.damaged,
                        format!("a swath whose head has a speed of sound of {speed} m/s"),
                    );
                } else if self.heads.len() < MOST_SENSORS {
                    let depth = f64::from(swath.transmitter_depth_m);
                    let head = (swath.transmitter, depth, speed);
                    self.heads.entry(swath.receiver).or_insert(head);
                }
            }
            Content::Motions(motions)
                if self.motions.len() < MOST_SENSORS && motions.samples.iter().any(Motion::has_attitude) =>
            {
                let placed = self.motions.entry(motions.sensor).or_default();
                *placed |= motions.samples.iter().any(Motion::has_place);
            }
            Content::Position(fix) if fix.is_known() && self.positions.len() < MOST_SENSORS => {
                self.positions.insert(fix.sensor);
            }
            Content::OldPosition(fix) if fix.is_known() && self.old_positions.len() < MOST_SENSORS => {
                self.old_positions.insert(fix.sensor);
            }
            Content::Profile(profile) => match self.profiles.first() {
                None => self.profiles.push(profile),
                Some(first) => self.other_profiles += u64::from(*first != profile),
            },
            Content::SoundSpeeds(samples) => {
                let usable =
                    |sample: &SoundSpeed| WATER_M_PER_S.contains(&f64::from(sample.sound_speed_m_per_s));
                self.has_sound_speed |= samples.iter().any(usable);
            }
            _ => {}
        }
    }

    /// The water of the file: its profile, but down to the head what the head measures.
    fn water(&self, notes: &mut Vec<String>) -> Water {
        let levels = self.profiles.first().map(|profile| profile.levels.as_slice());
        let head = self
            .heads
            .values()
            .next()
            .map(|(_, depth, speed)| (*depth, *speed));
        if self.other_profiles > 0 {
            let more = self.other_profiles;
            notes.push(format!(
                "the file has {more} more sound-speed profile(s): the first is used for all of it"
            ));
        }
        let levels: Vec<(f64, f64)> = levels
            .unwrap_or_default()
            .iter()
            .map(|[depth, speed]| (f64::from(*depth), f64::from(*speed)))
            .collect();
        water::of(&levels, head, notes)
    }

    fn say_of_arrays(&self, notes: &mut Vec<String>) {
        let installation = self.installation.as_ref();
        for (receiver, (transmitter, ..)) in &self.heads {
            let (sent, heard) = (transmitter.saturating_add(1), receiver.saturating_add(1));
            if !installation.is_some_and(|installation| installation.has(sent, heard)) {
                notes.push(format!(
                    "nothing says where transmitter {sent} and receiver {heard} are installed (datagram `#IIP`): taken \
                     as one array at the vessel's reference point"
                ));
            }
        }
        if self.is_moved {
            notes.push("the file says two things of what is installed where: the rig has the first".into());
        }
        for (sensor, delay) in installation.iter().flat_map(|installation| &installation.delays) {
            notes.push(format!(
                "`{sensor}` has a delay of {delay} in the file, which is not applied"
            ));
        }
    }
}

/// The rig of a file by itself: its heads, attitude and position sensors where the file says that they
/// are installed, and the water as the sounder had it.
///
/// # Errors
/// If the file cannot be read, or has nothing of what is read.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let summary = summary(path)?;
    let source = regular::name(path);
    let installation = summary.installation.clone().unwrap_or_default();
    let parts = summary.parts();
    let mut sensors: Vec<SensorSpec> = Vec::new();
    for part in &parts {
        let usual = match part {
            Part::Receiver(_) => "sonar",
            Part::Motion(_) | Part::Joined { .. } => "ins",
            Part::Position(_) | Part::OldPosition(_) => "position",
            Part::SoundSpeed => "sound-speed",
        };
        let before = sensors
            .iter()
            .filter(|sensor| sensor.name.starts_with(usual))
            .count();
        let name = match before {
            0 => usual.to_owned(),
            more => format!("{usual}-{}", more + 1),
        };
        let mut spec = SensorSpec {
            model: Some(part.word()),
            source: Some(source.clone()),
            format: Some("kmall".into()),
            ..SensorSpec::new(name, part.kind())
        };
        if let Part::Receiver(receiver) = part
            && let Some((transmitter, ..)) = summary.heads.get(receiver)
        {
            let head = installation.head(transmitter.saturating_add(1), receiver.saturating_add(1));
            spec.mount = head.mount;
            spec.flat_array = true;
        }
        sensors.push(spec);
    }
    if sensors.is_empty() {
        let found = summary.datagrams.keys().cloned().collect::<Vec<_>>().join(", ");
        return Err(Error::Empty {
            expected: format!("soundings (`#MRZ`) or sensors (`#SKM`, `#SPO`, `#SVT`) beside {found}"),
            path: path.to_owned(),
        });
    }
    summary.say(notes);
    summary.say_of_arrays(notes);
    let water = summary.water(notes);
    Ok(Rig {
        origin: None,
        vessel: Vessel {
            waterline_m: installation.waterline_m,
        },
        water,
        sensors,
    })
}

impl Summary {
    fn say(&self, notes: &mut Vec<String>) {
        let model = self
            .sounder
            .map_or(String::new(), |model| format!(" of an EM {model}"));
        notes.push(format!(
            "no rig: the file's own installation{model} is taken; Body is its vessel's reference point"
        ));
        notes.extend(damage::note(&self.damaged));
        let passed = |kind: &str| self.datagrams.get(kind).copied().unwrap_or(0);
        if passed("#MWC") > 0 {
            let beside = match self.heads.is_empty() {
                true => "; soundings are in the `.kmall` file beside it",
                false => "",
            };
            notes.push(format!(
                "water column (`#MWC`, {} datagrams) is passed over{beside}",
                passed("#MWC")
            ));
        }
        if self.soundings[1] > 0 {
            let [all, none] = self.soundings;
            notes.push(format!(
                "{none} of {all} soundings are no detections (rejected by the sounder) and left out"
            ));
        }
    }
}
