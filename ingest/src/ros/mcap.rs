//! Topics and messages of an MCAP file of others.
//!
//! Source: MCAP format specification, version 0: <https://mcap.dev/spec>; names of encodings from
//! its registry.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use beluga_types::{GapCause, Stamp};
use mcap::records::op;

use super::walk::{Event, Lost, Walk};
use super::{Layout, Message, Topic};
use crate::error::{Error, Fault};
use crate::range::is_time;
use crate::regular;
use crate::tape::cdr::{Decoder, Wrong};
use crate::tape::records::Records;
use crate::tape::summary;

/// Schemas and channels, as far as they are known.
#[derive(Default)]
struct Definitions {
    schemas: BTreeMap<u16, String>,
    channels: BTreeMap<u16, Channel>,
}

struct Channel {
    schema: u16,
    topic: String,
    encoding: String,
}

impl Definitions {
    /// Takes the definition of a schema or a channel; what cannot be read defines nothing.
    fn take(&mut self, op: u8, body: &[u8]) {
        let mut decoder = Decoder::packed(body);
        let mut schema = || -> Result<_, Wrong> { Ok((decoder.get()?, decoder.text()?.to_owned())) };
        if op == op::SCHEMA {
            if let Ok((id, name)) = schema() {
                self.schemas.entry(id).or_insert(name);
            }
            return;
        }
        let mut decoder = Decoder::packed(body);
        let mut channel = || -> Result<(u16, Channel), Wrong> {
            let (id, schema) = (decoder.get()?, decoder.get()?);
            let topic = decoder.text()?.to_owned();
            let encoding = decoder.text()?.to_owned();
            Ok((
                id,
                Channel {
                    schema,
                    topic,
                    encoding,
                },
            ))
        };
        if let Ok((id, channel)) = channel() {
            self.channels.entry(id).or_insert(channel);
        }
    }

    fn topics(&self, messages: &BTreeMap<u16, u64>) -> Vec<Topic> {
        let mut topics: BTreeMap<String, Topic> = BTreeMap::new();
        for (id, channel) in &self.channels {
            let count = messages.get(id).copied().unwrap_or(0);
            let topic = topics.entry(channel.topic.clone()).or_insert_with(|| Topic {
                name: channel.topic.clone(),
                schema: self.schemas.get(&channel.schema).cloned().unwrap_or_default(),
                layout: Layout::named(&channel.encoding),
                messages: 0,
            });
            topic.messages = topic.messages.saturating_add(count);
        }
        topics.into_values().collect()
    }
}

/// The topics of a file: by its index, or by reading it through where it has none.
///
/// # Errors
/// If it cannot be read, or is no MCAP file.
pub(super) fn topics(path: &Path) -> Result<Vec<Topic>, Error> {
    let mut walk = Walk::open(path)?;
    let mut definitions = Definitions::default();
    if let Some(found) = index(path)? {
        found
            .definitions
            .iter()
            .for_each(|(op, body)| definitions.take(*op, body));
        let is_whole = found
            .messages
            .keys()
            .all(|id| definitions.channels.contains_key(id));
        if is_whole {
            return Ok(definitions.topics(&found.messages));
        }
    }
    let mut messages: BTreeMap<u16, u64> = BTreeMap::new();
    while let Some(event) = walk.step(&BTreeSet::new()) {
        match event {
            Event::Record {
                op: op::MESSAGE,
                body,
            } => {
                if let Ok(channel) = Decoder::packed(walk.body(body)).get::<u16>() {
                    *messages.entry(channel).or_default() += 1;
                }
            }
            Event::Record { op, body } => definitions.take(op, walk.body(body)),
            Event::Lost(_) => {}
        }
    }
    Ok(definitions.topics(&messages))
}

fn index(path: &Path) -> Result<Option<summary::Summary>, Error> {
    let mut records = Records::new(regular::open(path)?).map_err(Error::io(path))?;
    summary::read(&mut records).map_err(Error::io(path))
}

/// The messages of one topic, in the order of the file.
pub(super) struct Messages {
    path: PathBuf,
    topic: String,
    walk: Walk,
    definitions: Definitions,
    wanted: BTreeSet<u16>,
    /// Channels that are known and are not wanted.
    others: BTreeSet<u16>,
    /// Messages of the topic that the index counts.
    stated: Option<u64>,
    /// Messages that were read, or told to be lost.
    told: u64,
    ready: VecDeque<Result<Message, Fault>>,
    is_done: bool,
}

impl Messages {
    /// # Errors
    /// If the file cannot be read, or is no MCAP file.
    pub(super) fn open(path: &Path, topic: &str) -> Result<Self, Error> {
        let mut messages = Self {
            path: path.to_owned(),
            topic: topic.to_owned(),
            walk: Walk::open(path)?,
            definitions: Definitions::default(),
            wanted: BTreeSet::new(),
            others: BTreeSet::new(),
            stated: None,
            told: 0,
            ready: VecDeque::new(),
            is_done: false,
        };
        if let Some(found) = index(path)? {
            for (op, body) in &found.definitions {
                messages.define(*op, body);
            }
            let counts = found
                .messages
                .iter()
                .filter(|(id, _)| messages.wanted.contains(id));
            messages.stated = Some(counts.map(|(_, count)| *count).fold(0, u64::saturating_add));
        }
        Ok(messages)
    }

    fn define(&mut self, op: u8, body: &[u8]) {
        self.definitions.take(op, body);
        for (id, channel) in &self.definitions.channels {
            match channel.topic == self.topic {
                true => self.wanted.insert(*id),
                false => self.others.insert(*id),
            };
        }
    }

    fn advance(&mut self) {
        match self.walk.step(&self.others) {
            Some(Event::Record {
                op: op::MESSAGE,
                body,
            }) => {
                let at = self.walk.at();
                match message(&self.wanted, &self.definitions, self.walk.body(body), at) {
                    Ok(None) => {}
                    Ok(Some(message)) => self.give(Ok(message)),
                    Err(wrong) => {
                        let detail = format!("message in the chunk at byte {at}: {wrong}");
                        self.lose(GapCause::Corrupt, 1, &detail);
                    }
                }
            }
            Some(Event::Record { op, body }) => {
                let body = self.walk.body(body).to_vec();
                self.define(op, &body);
            }
            Some(Event::Lost(lost)) => self.lost(&lost),
            None => {
                self.is_done = true;
                let missing = self.stated.unwrap_or(0).saturating_sub(self.told);
                if missing > 0 {
                    let detail = "the file counts more messages than were found in it";
                    self.lose(GapCause::Corrupt, missing, detail);
                }
            }
        }
    }

    fn lost(&mut self, lost: &Lost) {
        let held = lost.held.iter().filter(|(id, _)| self.wanted.contains(id));
        let count = match lost.held.is_empty() {
            true => lost.least,
            false => held.map(|(_, count)| *count).fold(0, u64::saturating_add),
        };
        if count > 0 || lost.held.is_empty() {
            self.lose(lost.cause, count, &lost.detail);
        }
    }

    fn lose(&mut self, cause: GapCause, lost: u64, detail: &str) {
        self.told = self.told.saturating_add(lost);
        self.ready.push_back(Err(Fault {
            cause,
            lost,
            detail: format!("{detail}: {}", self.path.display()),
        }));
    }

    fn give(&mut self, message: Result<Message, Fault>) {
        self.told = self.told.saturating_add(1);
        self.ready.push_back(message);
    }
}

impl Iterator for Messages {
    type Item = Result<Message, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_done {
            self.advance();
        }
        self.ready.pop_front()
    }
}

/// A message of the topic; nothing if it is of another.
fn message(
    wanted: &BTreeSet<u16>,
    definitions: &Definitions,
    body: &[u8],
    at: u64,
) -> Result<Option<Message>, Wrong> {
    let mut decoder = Decoder::packed(body);
    let channel: u16 = decoder.get()?;
    if !wanted.contains(&channel) {
        return Ok(None);
    }
    let (sequence, log_time, _publish): (u32, u64, u64) = (decoder.get()?, decoder.get()?, decoder.get()?);
    let encoding = definitions
        .channels
        .get(&channel)
        .map(|channel| channel.encoding.as_str());
    let layout = encoding
        .and_then(Layout::named)
        .ok_or(Wrong::Value("messages as CDR or of ROS 1"))?;
    let received = i64::try_from(log_time)
        .ok()
        .map(Stamp::from_nanos)
        .filter(|stamp| is_time(*stamp));
    Ok(Some(Message {
        place: format!("message {sequence} in the chunk at byte {at}"),
        received: received.ok_or(Wrong::Value("a log time before the year 2200"))?,
        layout,
        data: decoder.rest().to_vec(),
    }))
}
