//! The files of the kit: what is wrong with each, and what a reader must say.

use std::ops::Range;

use super::forge::{Plan, SECOND, forged, passphrase, reader_key};
use crate::maml::end::Previous;
use crate::maml::layout::Suite;
use crate::maml::recipient::Readers;
use crate::maml::writer::Writer;

/// One file.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// The whole file it is an edit of.
    pub(super) base: &'static str,
    pub(super) bytes: Vec<u8>,
    /// Status without a key, and with all keys of the kit.
    pub(super) expected: (String, String),
    /// Frames given out with the keys.
    pub(super) frames: u64,
}

/// META, two frames, and in a second segment two more.
pub(super) fn story(writer: &mut Writer) {
    writer.say("audit").frame(0, 0).frame(1, SECOND / 3);
    writer.frame(2, SECOND).frame(3, SECOND + 1);
}

pub(super) fn told(writer: &mut Writer) {
    story(writer);
    writer.close();
}

/// The whole files.
pub(super) fn bases() -> Vec<(&'static str, Vec<u8>)> {
    let of = |readers| Plan {
        readers,
        ..Plan::default()
    };
    let core = Plan {
        suite: Suite::Core512,
        ..Plan::default()
    };
    let padded = Plan {
        padded: true,
        ..Plan::default()
    };
    let hidden = Plan {
        hides_times: true,
        ..Plan::default()
    };
    let continues = Plan {
        previous: Some(Previous {
            file_id: [7; 16],
            root: [8; 32],
        }),
        ..Plan::default()
    };
    let for_reader = Readers {
        recipients: vec![reader_key().recipient()],
        ..Readers::default()
    };
    vec![
        ("edge", forged(Plan::default(), told)),
        ("core", forged(core, told)),
        ("padded", forged(padded, told)),
        ("hidden_times", forged(hidden, told)),
        ("continues", forged(continues, told)),
        ("xwing", forged(of(for_reader), told)),
        (
            "passphrase",
            forged(of(Readers::with_passphrase(passphrase())), told),
        ),
        ("empty", forged(Plan::default(), Writer::close)),
        ("killed", forged(Plan::default(), story)),
    ]
}

/// Where things stand in a whole file.
pub(super) struct Map {
    pub(super) pre: usize,
    pub(super) records: Vec<Range<usize>>,
    pub(super) foot: usize,
}

impl Map {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let marker = crate::maml::layout::MARKER.as_bytes();
        let found = bytes.windows(marker.len()).position(|window| window == marker);
        let pre = found.unwrap() + marker.len();
        let mut at = pre + 100;
        let mut records = Vec::new();
        while bytes[at..].starts_with(b"\xb5RML") {
            let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
            records.push(at..at + 40 + length);
            at += 40 + length;
        }
        Self {
            pre,
            records,
            foot: at,
        }
    }
}

pub(super) struct Kit {
    pub(super) edge: Vec<u8>,
    pub(super) map: Map,
    pub(super) cases: Vec<Case>,
}

impl Kit {
    pub(super) fn new(edge: &[u8]) -> Self {
        Self {
            edge: edge.to_vec(),
            map: Map::of(edge),
            cases: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: &'static str, bytes: Vec<u8>, without: &str, with: &str, frames: u64) {
        self.cases.push(Case {
            name,
            base: "edge",
            bytes,
            expected: (without.into(), with.into()),
            frames,
        });
    }

    /// A file that reads the same with a key.
    pub(super) fn both(&mut self, name: &'static str, bytes: Vec<u8>, status: &str, frames: u64) {
        self.add(name, bytes, status, status, frames);
    }

    /// The base with other bytes there.
    pub(super) fn spliced(&self, there: Range<usize>, bytes: &[u8]) -> Vec<u8> {
        [&self.edge[..there.start], bytes, &self.edge[there.end..]].concat()
    }

    pub(super) fn flipped(&self, at: usize) -> Vec<u8> {
        self.spliced(at..at + 1, &[self.edge[at] ^ 1])
    }

    /// The base with a byte of a record's header changed, and the CRC that fits.
    pub(super) fn rehead(&self, record: usize, at: usize, value: u8) -> Vec<u8> {
        let begin = self.map.records[record].start;
        let mut header = self.edge[begin..begin + 36].to_vec();
        header[at] = value;
        let crc = crc32c::crc32c(&header);
        header.extend(crc.to_le_bytes());
        self.spliced(begin..begin + 40, &header)
    }

    /// A word of the document, which must be there once.
    pub(super) fn word(&self, word: &str) -> usize {
        let mut found = self.edge.windows(word.len()).enumerate();
        found.find(|(_, window)| *window == word.as_bytes()).unwrap().0
    }

    pub(super) fn fill(&mut self) {
        self.cuts();
        self.flips();
        self.moves();
        self.heads();
        self.documents();
        self.signed_nonsense();
        self.signed_disorder();
    }
}

/// TORN by what follows the last checkpoint, which stands before the second segment.
pub(super) fn killed_status(bytes: &[u8]) -> String {
    let map = Map::of(bytes);
    torn(bytes.len() - map.records[5].end)
}

pub(super) fn torn(bytes: usize) -> String {
    format!("TORN({bytes} bytes)")
}

pub(super) fn tamper(seq: u64) -> String {
    format!("TAMPER(seq {seq})")
}
