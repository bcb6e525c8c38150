//! `beluga maml …`: keys, and what a record is.

mod read;

use std::path::{Path, PathBuf};

use anyhow::Context;
use beluga_sinks::arrow::ArrowFiles;
use beluga_sinks::maml::{KeyFile, KeyStore, MetaFacts, Report, Unlock, verify};
use clap::Subcommand;
use serde::Serialize;

use crate::document;
use crate::exit::{Exit, Wrong};
use read::frame_bytes;
pub(crate) use read::{Keys, frames, metas_of};

/// Keys and records.
#[derive(Debug, Subcommand)]
pub(crate) enum Maml {
    /// Makes this machine's keys, or a key file of 32 random bytes.
    ///
    /// Example: beluga maml keygen
    Keygen {
        /// Makes a key file here instead.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// Says whether a record is whole and whose it is; needs no key.
    ///
    /// Example: beluga maml verify quay.maml
    Verify {
        /// The record.
        record: PathBuf,
    },
    /// Says what a record holds; with a key also the SHA-256 of its frame bytes, and what it says
    /// beside its frames.
    ///
    /// Example: beluga maml inspect quay.maml
    Inspect {
        /// The record.
        record: PathBuf,
        /// Also prints the document.
        #[arg(long)]
        document: bool,
        #[command(flatten)]
        keys: Keys,
    },
    /// Writes a record's tables as Arrow files.
    ///
    /// Example: beluga maml open quay.maml --arrow tables
    Open {
        /// The record.
        record: PathBuf,
        /// Folder for frames.arrow, points.arrow, arcs.arrow and the streams of each frame.
        #[arg(long, value_name = "DIR", required = true)]
        arrow: PathBuf,
        #[command(flatten)]
        keys: Keys,
    },
}

impl Maml {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        match self {
            Maml::Keygen { key_file } => keygen(json, key_file),
            Maml::Verify { record } => check(json, &record, None, false),
            Maml::Inspect {
                record,
                document,
                keys,
            } => check(json, &record, Some(&keys.unlock()?), document),
            Maml::Open { record, arrow, keys } => open(json, &record, &arrow, &keys),
        }
    }
}

#[derive(Serialize)]
struct MadeKey {
    path: PathBuf,
    made: bool,
}

fn keygen(json: bool, key_file: Option<PathBuf>) -> anyhow::Result<Exit> {
    let mut keys = Vec::new();
    if let Some(path) = key_file {
        KeyFile::create(&path)?;
        keys.push(MadeKey { path, made: true });
    } else {
        let store = KeyStore::open_default()?;
        let device = store.device_key()?;
        let reader = store.reader_key()?;
        keys.push(MadeKey {
            path: device.path,
            made: device.created,
        });
        keys.push(MadeKey {
            path: reader.path,
            made: reader.created,
        });
    }
    let lines: Vec<String> = keys
        .iter()
        .map(|key| {
            format!(
                "{} {}",
                if key.made { "made   " } else { "exists " },
                key.path.display()
            )
        })
        .collect();
    super::show(json, &keys, &lines.join("\n"))?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Checked {
    status: String,
    id: Option<String>,
    suite: Option<&'static str>,
    cpu_class: Option<String>,
    signer: Option<String>,
    trusted: bool,
    frames: u64,
    records: u64,
    bytes: u64,
    first_nanos: Option<i64>,
    last_nanos: Option<i64>,
    root: Option<String>,
    recipients_checked: bool,
    frame_sha256: Option<String>,
    metas: Vec<ListedMeta>,
}

/// A META as `inspect` lists it.
#[derive(Serialize)]
struct ListedMeta {
    seq: u64,
    kind: String,
    time_nanos: i64,
    bytes: usize,
    beginning: String,
}

impl ListedMeta {
    fn of(facts: &MetaFacts) -> Self {
        Self {
            seq: facts.seq,
            kind: facts.kind.clone(),
            time_nanos: facts.time_nanos,
            bytes: facts.bytes,
            beginning: facts.beginning.clone(),
        }
    }
}

impl Checked {
    fn of(report: &Report) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let head = report.head.as_ref();
        Self {
            status: report.status.to_string(),
            id: head.map(|head| hex(&head.file_id)),
            suite: head.map(|head| head.suite.name()),
            cpu_class: head.and_then(|head| document::cpu_class(&head.document)),
            signer: head.map(|head| head.signer.to_string()),
            trusted: report.is_trusted(),
            frames: report.counts.frames,
            records: report.counts.records,
            bytes: report.bytes,
            recipients_checked: report.recipients_checked,
            first_nanos: report.counts.times_nanos.map(|(first, _)| first),
            last_nanos: report.counts.times_nanos.map(|(_, last)| last),
            root: report.signed.map(|(_, root)| hex(&root)),
            frame_sha256: report.frame_hash.map(|hash| hex(&hash)),
            metas: report.metas.iter().map(ListedMeta::of).collect(),
        }
    }
}

fn check(json: bool, record: &Path, unlock: Option<&Unlock>, whole_document: bool) -> anyhow::Result<Exit> {
    let trust = KeyStore::open_default()?.trust()?;
    let report = verify(record, &trust, unlock)
        .with_context(|| format!("cannot read {}", record.display()))
        .context(Wrong::Arguments)?;
    let checked = Checked::of(&report);
    let mut text = report.to_string();
    if let Some(class) = checked.cpu_class.as_ref().filter(|_| unlock.is_some()) {
        text.push_str(&format!("\ncpu class:  {class}"));
    }
    if whole_document && let Some(head) = &report.head {
        text.push_str("\n\n");
        text.extend(head.document.chars().filter(|c| !c.is_control() || *c == '\n'));
    }
    super::show(json, &checked, &text)?;
    Ok(exit_of_report(&report))
}

fn exit_of_report(report: &Report) -> Exit {
    match report.exit_code() {
        0 => Exit::Done,
        1 => Exit::Findings,
        3 => Exit::Lost,
        5 => Exit::NoKey,
        _ => Exit::NotAuthentic,
    }
}

#[derive(Serialize)]
struct OpenedTables {
    folder: PathBuf,
    frames: usize,
}

fn open(json: bool, record: &Path, folder: &Path, keys: &Keys) -> anyhow::Result<Exit> {
    // The folder is made when the record has opened: a missing key leaves nothing behind.
    let mut files = None;
    let exit = frame_bytes(record, keys, |_, bytes| {
        let files = match &mut files {
            Some(files) => files,
            none => none.insert(ArrowFiles::create(folder)?),
        };
        Ok(files.push(&bytes)?)
    })?;
    let frames = match files {
        Some(files) => files.finish()?,
        None => ArrowFiles::create(folder)?.finish()?,
    };
    let text = format!(
        "tables       {} ({frames} frames: frames.arrow, points.arrow, arcs.arrow; the streams of each frame in frames)",
        folder.display()
    );
    super::show(
        json,
        &OpenedTables {
            folder: folder.to_owned(),
            frames,
        },
        &text,
    )?;
    Ok(exit)
}
