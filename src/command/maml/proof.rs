//! `maml prove` and `maml check-proof`: one frame handed over, and still verified.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use beluga_sinks::arrow::ArrowFiles;
use beluga_sinks::maml::{KeyStore, MAX_PROOF_BYTES, Proof, Proven, prove};
use beluga_sinks::read_regular_text;
use beluga_types::Stamp;
use clap::Args;
use serde::Serialize;

use super::Keys;
use super::check::hex;
use super::read::with_exit;
use crate::command::outputs::must_be_free;
use crate::exit::{Exit, Wrong};

/// Writes one frame with the proof that the record holds it, to be checked without the record and
/// without a key.
///
/// Example: beluga maml prove quay.maml --frame 12 --out berth.proof.json
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The record.
    record: PathBuf,
    /// Which frame, counted from 0.
    #[arg(long, value_name = "N")]
    frame: u64,
    /// The proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Puts the key of the frame's segment (at most 1 s) into the proof: whoever has the proof reads the
    /// frame.
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    keys: Keys,
}

/// Checks a proof that `prove` made and says who signed; needs no key.
///
/// Example: beluga maml check-proof berth.proof.json --arrow tables
#[derive(Debug, Args)]
pub(crate) struct CheckProof {
    /// The proof.
    proof: PathBuf,
    /// Checks too that this is the record's document (what `split` wrote).
    #[arg(long, value_name = "X.maml.md")]
    document: Option<PathBuf>,
    /// Opens the frame, with a key or with what the proof brings, and writes its tables to this folder.
    #[arg(long, value_name = "DIR")]
    arrow: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Serialize)]
struct Told {
    file_id: String,
    suite: &'static str,
    signer: String,
    trusted: bool,
    signed_s: u64,
    leaves: u64,
    root: String,
    document_sha256: String,
    seq: u64,
    time_nanos: i64,
    /// Whether the record hides its times: both are 0 then.
    times_hidden: bool,
    parts: usize,
    readable: bool,
}

impl Told {
    fn of(proven: &Proven, trusted: bool) -> Self {
        Self {
            file_id: hex(&proven.file_id),
            suite: proven.suite.name(),
            signer: proven.signer.to_string(),
            trusted,
            signed_s: proven.signed_s,
            leaves: proven.tree.0,
            root: hex(&proven.tree.1),
            document_sha256: hex(&proven.document_hash),
            seq: proven.seq,
            time_nanos: proven.time_nanos,
            times_hidden: proven.signed_s == 0 && proven.time_nanos == 0,
            parts: proven.parts,
            readable: proven.is_readable,
        }
    }

    fn text(&self) -> String {
        let known = if self.trusted {
            "trusted"
        } else {
            "unknown: not in the list of trusted signers"
        };
        let time = |nanos: i64| match self.times_hidden {
            true => "a time that the record hides".to_owned(),
            false => Stamp::from_nanos(nanos).iso_8601(),
        };
        let signed = i64::try_from(self.signed_s)
            .ok()
            .and_then(|s| s.checked_mul(1_000_000_000));
        [
            format!("file:       {} ({})", self.file_id, self.suite),
            format!("signer:     {} ({known})", self.signer),
            format!(
                "signed at:  {}, the time of the last frame before",
                time(signed.unwrap_or(i64::MAX))
            ),
            format!("root:       {} of {} leaves", self.root, self.leaves),
            format!("document:   SHA-256 {}", self.document_sha256),
            format!(
                "frame:      {} record(s) from {}, at {}",
                self.parts,
                self.seq,
                time(self.time_nanos)
            ),
            format!(
                "readable:   {}",
                if self.readable {
                    "by whoever has this proof"
                } else {
                    "with a key"
                }
            ),
        ]
        .join("\n")
    }
}

impl Prove {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[("--out", Some(&self.out))])?;
        let unlock = self.reveal.then(|| self.keys.unlock()).transpose()?;
        let proof = prove(&self.record, self.frame, unlock.as_ref()).map_err(with_exit)?;
        let proven = proof.check().map_err(with_exit)?;
        beluga_sinks::maml::write_private(&self.out, proof.to_json().as_bytes())?;
        let trusted = KeyStore::open_default()?.trust()?.holds(&proven.signer);
        let told = Told::of(&proven, trusted);
        let text = format!("{}\nproof:      {}", told.text(), self.out.display());
        crate::command::show(json, &told, &text)?;
        Ok(Exit::Done)
    }
}

impl CheckProof {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let proof = Proof::from_json(&read(&self.proof)?).map_err(with_exit)?;
        let proven = proof.check().map_err(with_exit)?;
        if let Some(path) = &self.document {
            let text = read_regular_text(path, MAX_DOCUMENT_BYTES)
                .with_context(|| format!("cannot read {}", path.display()))
                .context(Wrong::Arguments)?;
            if !proof.is_of_document(&text) {
                let other = anyhow!("the proof is of another document: {}", path.display());
                return Err(other.context(Wrong::Authenticity));
            }
        }
        if let Some(folder) = &self.arrow {
            let frame = proof.open(&self.keys.unlock()?).map_err(with_exit)?;
            let mut files = ArrowFiles::create(folder)?;
            files.push(&frame)?;
            files.finish()?;
        }
        let trusted = KeyStore::open_default()?.trust()?.holds(&proven.signer);
        let told = Told::of(&proven, trusted);
        crate::command::show(json, &told, &told.text())?;
        Ok(if trusted { Exit::Done } else { Exit::Findings })
    }
}

/// The longest document of a record, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

fn read(path: &Path) -> anyhow::Result<String> {
    read_regular_text(path, MAX_PROOF_BYTES)
        .with_context(|| format!("cannot read {}", path.display()))
        .context(Wrong::Arguments)
}
