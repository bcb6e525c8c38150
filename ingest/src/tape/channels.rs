//! What the channels of a file mean: ours, our views, and those of others.

use std::collections::BTreeMap;

use beluga_types::{Rig, SensorId};
use mcap::records::op;

use super::cdr::{Decoder, Wrong};
use super::schema::Kind;
use super::{KIND, SENSOR};

/// Topics that are listed by name; more are only counted.
const MAX_LISTED: usize = 20;

/// What a channel means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Measurements of a sensor, or a part of them.
    Own(SensorId, Kind),
    /// The same once more for viewers.
    View,
    /// Another's, or unknown.
    Foreign,
}

/// The channels and schemas that have been defined so far.
#[derive(Default)]
pub(super) struct Channels {
    schemas: BTreeMap<u16, String>,
    channels: BTreeMap<u16, Channel>,
    sensors: BTreeMap<String, SensorId>,
}

struct Channel {
    schema: u16,
    topic: String,
    kind: Option<String>,
    sensor: Option<String>,
    role: Role,
}

impl Channels {
    /// Takes the definition of a schema or a channel; what cannot be read defines nothing, and
    /// what has been defined stays.
    pub(super) fn define(&mut self, op: u8, body: &[u8]) {
        let mut decoder = Decoder::packed(body);
        match op {
            op::SCHEMA => {
                if let Ok((id, name)) = schema(&mut decoder) {
                    self.schemas.entry(id).or_insert_with(|| name.to_owned());
                }
            }
            op::CHANNEL => {
                if let Ok((id, channel)) = channel(&mut decoder) {
                    self.channels.entry(id).or_insert(channel);
                }
            }
            _ => {}
        }
    }

    /// Finds out whose channels are whose.
    pub(super) fn name_sensors(&mut self, rig: &Rig) {
        if self.sensors.is_empty() {
            let names = rig
                .ids()
                .filter_map(|id| Some((rig.sensor(id)?.name.clone(), id)));
            self.sensors = names.collect();
        }
        for channel in self.channels.values_mut() {
            if channel.role != Role::Foreign {
                continue;
            }
            let (Some(kind), Some(sensor)) = (&channel.kind, &channel.sensor) else {
                continue;
            };
            let Some(sensor) = self.sensors.get(sensor) else {
                continue;
            };
            let schema = self.schemas.get(&channel.schema);
            channel.role = match Kind::named(kind) {
                Some(kind) if schema.is_some_and(|name| name == kind.schema()) => Role::Own(*sensor, kind),
                Some(_) => Role::Foreign,
                None => Role::View,
            };
        }
    }

    /// What a channel means.
    pub(super) fn role(&self, channel: u16) -> Role {
        self.channels
            .get(&channel)
            .map_or(Role::Foreign, |channel| channel.role)
    }

    /// The topics of others with their schemas and counts.
    pub(super) fn foreign<'a>(&'a self, counts: &'a BTreeMap<u16, u64>) -> impl Iterator<Item = String> + 'a {
        self.channels
            .iter()
            .filter(|(_, channel)| channel.role == Role::Foreign)
            .map(|(id, channel)| {
                let schema = self
                    .schemas
                    .get(&channel.schema)
                    .map_or("no schema", String::as_str);
                let count = counts.get(id).copied().unwrap_or(0);
                format!("{} ({schema}, {count} messages)", channel.topic)
            })
    }

    /// All topics in one line.
    pub(super) fn listed(&self, counts: Option<&BTreeMap<u16, u64>>) -> String {
        let none = BTreeMap::new();
        let all: Vec<String> = self.foreign(counts.unwrap_or(&none)).collect();
        match all.len() {
            0 => "no topics are listed in it".to_owned(),
            count if count > MAX_LISTED => format!(
                "{}, and {} more",
                all[..MAX_LISTED].join(", "),
                count - MAX_LISTED
            ),
            _ => all.join(", "),
        }
    }
}

fn schema<'a>(decoder: &mut Decoder<'a>) -> Result<(u16, &'a str), Wrong> {
    Ok((decoder.get()?, decoder.text()?))
}

fn channel(decoder: &mut Decoder<'_>) -> Result<(u16, Channel), Wrong> {
    let (id, schema) = (decoder.get()?, decoder.get()?);
    let topic = decoder.text()?.to_owned();
    let _encoding = decoder.text()?;
    let mut told = Decoder::packed(decoder.bytes()?);
    let (mut kind, mut sensor) = (None, None);
    while !told.rest().is_empty() {
        let (key, value) = (told.text()?, told.text()?);
        match key {
            KIND => kind = Some(value.to_owned()),
            SENSOR => sensor = Some(value.to_owned()),
            _ => {}
        }
    }
    let channel = Channel {
        schema,
        topic,
        kind,
        sensor,
        role: Role::Foreign,
    };
    Ok((id, channel))
}
