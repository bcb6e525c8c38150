//! What a file holds, from the heads of its datagrams alone, and the rig of a file that has none.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::Path;

use beluga_types::{Rig, SensorKind, SensorSpec, Stamp, Vessel, Water};

use super::datagram::Datagrams;
use super::pings::{Pings, configuration};
use super::samples;
use crate::error::Error;
use crate::regular;

/// The most kinds of datagrams that are told apart; a file has about ten.
const MOST_KINDS: usize = 64;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The channels of the configuration, in its order.
    pub channels: Vec<ChannelSummary>,
    /// Whole datagrams by their type.
    pub datagrams: BTreeMap<String, u64>,
    /// Stretches that are no whole datagram, and pings of no channel of the file, with the first of them.
    pub damaged: (u64, Option<String>),
}

/// What a file holds of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSummary {
    /// Its id; a sensor's `model` in a rig.
    pub id: String,
    /// Name of its transducer.
    pub transducer: String,
    /// Pings.
    pub pings: u64,
    /// Pings with angles, which are not read.
    pub angles: u64,
    /// Samples of its longest ping.
    pub samples: usize,
    /// Start of transmission of its first and last ping.
    pub span: Option<[Stamp; 2]>,
}

/// What a file holds.
///
/// # Errors
/// If it cannot be read or does not start as an EK80 file does.
pub fn summary(path: &Path) -> Result<Summary, Error> {
    summary_of(regular::open(path)?, path)
}

/// As [`summary`], of what is open already; `path` is its name in messages.
///
/// # Errors
/// As [`summary`].
pub fn summary_of<R: Read + Seek>(input: R, path: &Path) -> Result<Summary, Error> {
    let mut datagrams = Datagrams::new(input).map_err(Error::io(path))?;
    let channels = configuration(&mut datagrams, path)?;
    let mut summary = Summary {
        channels: channels
            .into_iter()
            .map(|channel| ChannelSummary {
                id: channel.id,
                transducer: channel.transducer,
                pings: 0,
                angles: 0,
                samples: 0,
                span: None,
            })
            .collect(),
        datagrams: BTreeMap::new(),
        damaged: (0, None),
    };
    while let Some(found) = datagrams.next() {
        let datagram = match found {
            Ok(datagram) => datagram,
            Err(damage) => {
                summary.damaged.0 += 1;
                summary.damaged.1.get_or_insert(damage.fault.detail);
                continue;
            }
        };
        let name = datagram.name();
        if summary.datagrams.len() < MOST_KINDS || summary.datagrams.contains_key(&name) {
            *summary.datagrams.entry(name).or_default() += 1;
        }
        let mut head = [0; samples::HEAD];
        if &datagram.kind != b"RAW3" || datagrams.read(&datagram, 0, &mut head).is_err() {
            continue;
        }
        let Ok(head) = samples::head(&head, datagram.body) else {
            continue;
        };
        if let Some(channel) = summary
            .channels
            .iter_mut()
            .find(|channel| channel.id == head.channel)
        {
            channel.pings += 1;
            channel.angles += u64::from(head.angles);
            channel.samples = channel.samples.max(head.count);
            let first = channel.span.map_or(datagram.stamp, |[first, _]| first);
            channel.span = Some([first, datagram.stamp]);
        } else {
            summary.damaged.0 += 1;
            let id = head.channel.escape_debug();
            let words = format!(
                "byte {}, `RAW3`: expected the id of a channel, found `{id}`",
                datagram.start
            );
            summary.damaged.1.get_or_insert(words);
        }
    }
    Ok(summary)
}

/// Whether a file starts as an EK80 file does; nothing is said of the rest.
pub(crate) fn looks_like(path: &Path) -> bool {
    let mut start = [0; 8];
    let read = regular::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok());
    read && (&start[4..] == b"XML0" || &start[4..] == b"CON0")
}

/// The rig of a file by itself: a sonar for each channel that has a ping that can be read, at the
/// `Body` origin, looking down; with a note, and one on each channel that is left out.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let summary = summary(path)?;
    let source = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut sensors: Vec<SensorSpec> = Vec::new();
    let mut unread = None;
    for channel in &summary.channels {
        if channel.pings == 0 {
            notes.push(format!(
                "channel `{}` has no whole ping and is left out",
                channel.id
            ));
            continue;
        }
        let mut name = name_of(&channel.id);
        while sensors.iter().any(|sensor| sensor.name == name) {
            name.push_str("-2");
        }
        let spec = SensorSpec {
            model: Some(channel.id.clone()),
            source: Some(source.clone()),
            format: Some("ek80".into()),
            ..SensorSpec::new(name, SensorKind::Sonar)
        };
        if let Some(first) = Pings::open(path, &spec)?.nothing_readable() {
            let ChannelSummary { id, pings, .. } = channel;
            notes.push(format!(
                "channel `{id}` is left out: none of its {pings} ping(s) can be read, first: {first}"
            ));
            unread.get_or_insert(Error::NothingReadable {
                sensor: spec.name,
                lost: *pings,
                first,
                path: path.to_owned(),
            });
            continue;
        }
        sensors.push(spec);
    }
    if let (places, Some(first)) = &summary.damaged {
        notes.push(format!(
            "the file is damaged in {places} place(s), first: {first}"
        ));
    }
    if sensors.is_empty() {
        return Err(unread.unwrap_or_else(|| Error::Empty {
            expected: "pings (datagrams `RAW3`)".into(),
            path: path.to_owned(),
        }));
    }
    notes.push(format!(
        "no rig: {} sonar(s) at the Body origin taken, looking straight down, one for each channel of the file",
        sensors.len()
    ));
    Ok(Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors,
    })
}

/// A channel's id as a name of files: small letters and digits, all else a single `-`.
fn name_of(id: &str) -> String {
    let words = id
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    if name.is_empty() { "channel".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_files() {
        assert_eq!(
            name_of("WBT Mini 253617-7 ES38-18|200-18C"),
            "wbt-mini-253617-7-es38-18-200-18c"
        );
        assert_eq!(name_of("| /"), "channel");
    }
}
