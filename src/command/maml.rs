//! `beluga maml …`: keys, and what a record is.

mod change;
mod check;
mod log;
mod mend;
mod proof;
mod read;
mod serve;
mod to;
mod trust;
mod validate;

use std::path::{Path, PathBuf};

use beluga_sinks::arrow::ArrowFiles;
use beluga_sinks::document::published_schema;
use beluga_sinks::maml::{KeyFile, KeyStore};
use clap::Subcommand;
use serde::Serialize;

use crate::exit::Exit;
pub(crate) use check::{Checked, reported};
pub(crate) use read::{Keys, entries, frame_bytes, frames, metas_of};
pub(crate) use to::To;

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
    Trust(trust::Pin),
    Verify(check::Verify),
    Inspect(check::Inspect),
    Log(log::Log),
    Seal(mend::Seal),
    Recover(mend::Recover),
    Rewrap(change::Rewrap),
    Split(change::Split),
    Join(change::Join),
    Prove(proof::Prove),
    CheckProof(proof::CheckProof),
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
    Validate(validate::Validate),
    Serve(serve::Serve),
    /// Prints the JSON Schema (2020-12) of a document's normal form.
    ///
    /// Example: beluga maml schema
    Schema,
}

impl Maml {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        match self {
            Maml::Keygen { key_file } => keygen(json, key_file),
            Maml::Trust(command) => command.run(json),
            Maml::Verify(command) => command.run(json),
            Maml::Inspect(command) => command.run(json),
            Maml::Log(command) => command.run(),
            Maml::Seal(command) => command.run(json),
            Maml::Recover(command) => command.run(json),
            Maml::Rewrap(command) => command.run(json),
            Maml::Split(command) => command.run(json),
            Maml::Join(command) => command.run(json),
            Maml::Prove(command) => command.run(json),
            Maml::CheckProof(command) => command.run(json),
            Maml::Open { record, arrow, keys } => open(json, &record, &arrow, &keys),
            Maml::Validate(command) => command.run(json),
            Maml::Serve(command) => command.run(),
            Maml::Schema => {
                let schema = published_schema();
                super::show(json, &schema, &format!("{schema:#}"))?;
                Ok(Exit::Done)
            }
        }
    }
}

#[derive(Serialize)]
struct MadeKey {
    path: PathBuf,
    made: bool,
    /// By what name others trust what it signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<String>,
}

fn keygen(json: bool, key_file: Option<PathBuf>) -> anyhow::Result<Exit> {
    let mut keys = Vec::new();
    if let Some(path) = key_file {
        KeyFile::create(&path)?;
        keys.push(MadeKey {
            path,
            made: true,
            signer: None,
        });
    } else {
        let store = KeyStore::open_default()?;
        let device = store.device_key()?;
        let reader = store.reader_key()?;
        keys.push(MadeKey {
            path: device.path,
            made: device.created,
            signer: Some(device.key.id().to_string()),
        });
        keys.push(MadeKey {
            path: reader.path,
            made: reader.created,
            signer: None,
        });
    }
    let lines: Vec<String> = keys
        .iter()
        .map(|key| {
            let signer = key.signer.as_ref().map_or_else(String::new, |signer| {
                format!("\nsigner  {signer}: others trust it with `beluga maml trust`")
            });
            format!(
                "{} {}{signer}",
                if key.made { "made   " } else { "exists " },
                key.path.display()
            )
        })
        .collect();
    super::show(json, &keys, &lines.join("\n"))?;
    Ok(Exit::Done)
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
