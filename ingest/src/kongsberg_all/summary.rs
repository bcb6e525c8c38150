//! What a file holds, and the rig that it makes by itself.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{Rig, SensorSpec, Stamp, Vessel};

use super::installation::{self, Installed};
use super::read::{AttitudeSensor, Heads, Part};
use super::{Content, Datagram, SoundProfile};
use crate::error::Error;
use crate::regular;
use crate::survey::chosen::Part as _;
use crate::survey::damage;
use crate::survey::detections::WATER_M_PER_S;
use crate::survey::walk::Walk;
use crate::survey::water;

/// What a file holds.
#[derive(Debug, Default)]
pub struct Summary {
    /// Whole datagrams by their type, a letter.
    pub datagrams: BTreeMap<char, u64>,
    /// Stretches and datagrams that cannot be read, and the first of them.
    pub damaged: (u64, Option<String>),
    /// Beams of all pings, and those of them without a detection.
    pub beams: [u64; 2],
    /// Times of the first and last datagram.
    pub span: Option<[Stamp; 2]>,
    /// The sounder's model number.
    pub model: Option<u16>,
    installed: Option<Installed>,
    is_moved: bool,
    profile: Option<SoundProfile>,
    other_profiles: u64,
    order: Heads,
    /// Speed of sound of each head's first ping.
    heads: BTreeMap<u8, f64>,
    depth_m: Option<f64>,
    /// By whether they are on the network, and number; whether the sounder uses them.
    attitudes: BTreeMap<(bool, u8), bool>,
    /// By number: whether the sounder uses them, and whether a height comes with them.
    positions: BTreeMap<u8, (bool, bool)>,
    has_sound_speed: bool,
}

/// What a file holds.
///
/// # Errors
/// If it cannot be read, or does not begin as such a file does.
pub fn summary(path: &Path) -> Result<Summary, Error> {
    summary_of(regular::open(path)?, path)
}

/// As [`summary`], of what is open already; `path` is its name in messages.
///
/// # Errors
/// As [`summary`].
pub fn summary_of<R: Read + Seek>(mut input: R, path: &Path) -> Result<Summary, Error> {
    let order = super::order(&mut input, path)?;
    let mut walk = Walk::new(input, order, 0).map_err(Error::io(path))?;
    let mut summary = Summary::default();
    while let Some(found) = walk.next() {
        match found {
            Ok(start) => {
                let kind = char::from(walk.bytes()[5]);
                *summary.datagrams.entry(kind).or_default() += 1;
                match super::read_whole(walk.bytes(), order.big) {
                    Ok(datagram) => summary.take(datagram),
                    Err(wrong) => {
                        let kind = kind.escape_default();
                        damage::count(&mut summary.damaged, format!("byte {start}, `{kind}`: {wrong}"));
                    }
                }
            }
            Err(damage) => damage::count(&mut summary.damaged, damage.fault.detail),
        }
    }
    Ok(summary)
}

/// Whether a file begins as a `.all` file does: with a whole datagram whose sum is right.
pub(crate) fn looks_like(path: &Path) -> bool {
    let Ok(mut file) = regular::open(path) else {
        return false;
    };
    super::order(&mut file, path)
        .and_then(|order| Walk::new(file, order, 0).map_err(Error::io(path)))
        .is_ok_and(|mut walk| matches!(walk.first(), Some(true)))
}

impl Summary {
    /// The sensors of the file: receivers, attitude and position together, speed of sound.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self.heads.keys().copied().map(Part::Receiver).collect();
        let used = |used: bool| self.attitudes.iter().find(|(_, active)| **active == used);
        // What the sounder uses; else what there is.
        let attitude = used(true)
            .or(used(false))
            .map(|(&(network, number), _)| AttitudeSensor { network, number });
        let used = |used: bool| self.positions.iter().find(|(_, (active, _))| *active == used);
        let position = used(true).or(used(false)).map(|(number, _)| *number);
        if attitude.is_some() || position.is_some() {
            parts.push(Part::Nav { attitude, position });
        }
        parts.extend(self.has_sound_speed.then_some(Part::SoundSpeed));
        parts
    }

    fn take(&mut self, datagram: Datagram) {
        self.model.get_or_insert(datagram.model);
        let [first, last] = self.span.unwrap_or([datagram.stamp; 2]);
        self.span = Some([first.min(datagram.stamp), last.max(datagram.stamp)]);
        match datagram.content {
            Content::Installation(text) => {
                let found = installation::read(&text);
                let first = self.installed.get_or_insert_with(|| found.clone());
                self.is_moved |= *first != found;
            }
            Content::Ranges(ranges) => {
                let none = ranges.beams.iter().filter(|beam| !beam.detected).count();
                self.beams[0] += ranges.beams.len() as u64;
                self.beams[1] += none as u64;
                let speed = ranges.sound_speed_m_per_s;
                if WATER_M_PER_S.contains(&speed) {
                    let installed = self.installed.clone().unwrap_or_default();
                    let number = self.order.number(datagram.serial, &installed);
                    self.heads.entry(number).or_insert(speed);
                } else {
                    damage::count(
                        &mut self.damaged,
                        format!("a ping whose head has a speed of sound of {speed} m/s"),
                    );
                }
            }
            Content::Soundings(soundings) => {
                self.depth_m
                    .get_or_insert(f64::from(soundings.transmitter_depth_m));
            }
            Content::Attitudes(found) if !found.samples.is_empty() => {
                *self.attitudes.entry((false, found.sensor)).or_default() |= found.active;
            }
            Content::NetworkAttitudes(found) if !found.samples.is_empty() => {
                *self.attitudes.entry((true, found.sensor)).or_default() |= found.active;
            }
            Content::Position(fix) => {
                let (active, high) = self.positions.entry(fix.sensor).or_default();
                *active |= fix.active;
                *high |= fix.height_m.is_some();
            }
            Content::Profile(profile) => match &self.profile {
                None => self.profile = Some(profile),
                Some(first) => self.other_profiles += u64::from(*first != profile),
            },
            Content::SurfaceSpeeds(samples) => {
                self.has_sound_speed |= samples.iter().any(|(_, speed)| WATER_M_PER_S.contains(speed));
            }
            _ => {}
        }
    }

    fn say(&self, notes: &mut Vec<String>) {
        let model = self
            .model
            .map_or(String::new(), |model| format!(" of an EM {model}"));
        notes.push(format!(
            "no rig: the file's own installation{model} is taken; Body is its vessel's reference point"
        ));
        notes.extend(damage::note(&self.damaged));
        let water_column = self.datagrams.get(&'k').copied().unwrap_or(0);
        if water_column > 0 {
            let beside = match self.heads.is_empty() {
                true => "; pings are in the `.all` file beside it",
                false => "",
            };
            notes.push(format!(
                "water column (`k`, {water_column} datagrams) is passed over{beside}"
            ));
        }
        if self.beams[1] > 0 {
            let [all, none] = self.beams;
            notes.push(format!(
                "{none} of {all} beams have no valid detection and are left out"
            ));
        }
        let arrays = self.installed.as_ref().map(|installed| &installed.arrays);
        for number in self.heads.keys() {
            if !arrays.is_some_and(|arrays| arrays.has(*number, *number)) {
                notes.push(format!(
                    "nothing says where head {number} is installed (datagram `I`): taken at the vessel's reference point"
                ));
            }
        }
        if self.is_moved {
            notes.push("the file says two things of what is installed where: the rig has the first".into());
        }
        for (sensor, delay) in arrays.iter().flat_map(|arrays| &arrays.delays) {
            notes.push(format!(
                "`{sensor}`: a delay of {delay} in the file, which is not applied"
            ));
        }
        if self.other_profiles > 0 {
            let more = self.other_profiles;
            notes.push(format!(
                "the file has {more} more sound-speed profile(s): the first is used for all of it"
            ));
        }
    }

    fn say_of_nav(&self, parts: &[Part], notes: &mut Vec<String>) {
        for part in parts {
            let Part::Nav {
                attitude,
                position: Some(position),
            } = part
            else {
                continue;
            };
            let high = self.positions.get(position).is_some_and(|(_, high)| *high);
            if attitude.is_some() {
                let height = match high {
                    true => "heights over the ellipsoid are its own, with the heave between them",
                    false => "it gives no heights: the cloud's heights are of the heave alone",
                };
                notes.push(format!(
                    "poses: position sensor {position}, evenly between its fixes, with the attitude sensor; {height}"
                ));
            }
        }
    }
}

/// The rig of a file by itself: its heads and sensors where the file says that they are installed, and
/// the water as the sounder had it.
///
/// # Errors
/// If the file cannot be read, or has nothing of what is read.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let summary = summary(path)?;
    let source = regular::name(path);
    let arrays = summary.installed.clone().unwrap_or_default().arrays;
    let parts = summary.parts();
    let mut sensors: Vec<SensorSpec> = Vec::new();
    for part in &parts {
        let name = match part {
            Part::Receiver(number) if summary.heads.len() > 1 => format!("sonar-{number}"),
            Part::Receiver(_) => "sonar".to_owned(),
            Part::Nav { attitude: None, .. } => "position".to_owned(),
            Part::Nav { position: None, .. } => "attitude".to_owned(),
            Part::Nav { .. } => "ins".to_owned(),
            Part::SoundSpeed => "sound-speed".to_owned(),
        };
        let mut spec = SensorSpec {
            model: Some(part.word()),
            source: Some(source.clone()),
            format: Some("all".into()),
            ..SensorSpec::new(name, part.kind())
        };
        if let Part::Receiver(number) = part {
            spec.mount = arrays.head(*number, *number).mount;
            spec.flat_array = true;
        }
        sensors.push(spec);
    }
    if sensors.is_empty() {
        let found = summary
            .datagrams
            .keys()
            .map(|kind| kind.escape_default().to_string());
        let found = found.collect::<Vec<_>>().join(", ");
        return Err(Error::Empty {
            expected: format!("pings (`N`) or sensors (`A`, `n`, `P`, `G`) beside {found}"),
            path: path.to_owned(),
        });
    }
    summary.say(notes);
    summary.say_of_nav(&parts, notes);
    let levels = summary.profile.iter().flat_map(|profile| &profile.levels);
    let levels: Vec<(f64, f64)> = levels.map(|[depth, speed]| (*depth, *speed)).collect();
    let first = summary.heads.iter().next();
    let depth = |number: &u8| arrays.head(*number, *number).mount.down_m + arrays.waterline_m.unwrap_or(0.0);
    let head = first.map(|(number, speed)| (summary.depth_m.unwrap_or_else(|| depth(number)), *speed));
    Ok(Rig {
        origin: None,
        vessel: Vessel {
            waterline_m: arrays.waterline_m,
        },
        water: water::of(&levels, head, notes),
        sensors,
    })
}
