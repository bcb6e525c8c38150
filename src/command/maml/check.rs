//! `maml verify` and `maml inspect`: what a record is.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use beluga_sinks::maml::{
    Demands, KeyStore, LateSeal, MAX_LATE_SEAL, MetaFacts, Report, SignerId, Unlock, verify_for,
};
use beluga_sinks::read_regular_text;
use clap::Args;
use serde::Serialize;

use super::Keys;
use crate::document;
use crate::exit::{Exit, Wrong};

/// Says whether a record is whole and whose it is; needs no key.
///
/// Example: beluga maml verify quay.maml --anchor quay.root
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The record.
    record: PathBuf,
    #[command(flatten)]
    demands: Demanded,
    /// Writes the last signed root here, to be kept elsewhere: whoever has it notices later that the
    /// record was cut or written anew.
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Checks what was sworn of the record later, by `seal`. The record stays what it is; a late seal that
    /// does not hold is refused.
    #[arg(long, value_name = "FILE")]
    seal: Option<PathBuf>,
}

/// Says what a record holds; with a key also the SHA-256 of its frame bytes, and what it says
/// beside its frames.
///
/// Example: beluga maml inspect quay.maml
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The record.
    record: PathBuf,
    /// Also prints the document.
    #[arg(long)]
    document: bool,
    #[command(flatten)]
    demands: Demanded,
    #[command(flatten)]
    keys: Keys,
}

/// What is asked of a record beyond what it must be anyway.
#[derive(Debug, Args)]
struct Demanded {
    /// The record must have had this root, as 64 hexadecimal digits or a file that --anchor wrote.
    #[arg(long, value_name = "ROOT|FILE")]
    expect_root: Option<String>,
    /// Nothing counts but what a trusted device signed.
    #[arg(long)]
    require_signed: bool,
    /// Trusts this signer too, this once: its name as `maml keygen` and `maml verify` print it, heard from
    /// whoever signed. `maml trust` does so for good. May be repeated.
    #[arg(long, value_name = "SIGNER")]
    trust: Vec<SignerId>,
}

impl Demanded {
    fn read(&self) -> anyhow::Result<Demands> {
        Ok(Demands {
            root: self.expect_root.as_deref().map(expected_root).transpose()?,
            signed: self.require_signed,
            checkpoints: false,
        })
    }

    fn report(&self, record: &Path, unlock: Option<&Unlock>) -> anyhow::Result<Report> {
        checked(record, unlock, &self.read()?, &self.trust)
    }
}

impl Verify {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        if self.anchor.is_some() {
            crate::command::outputs::must_be_free(&[("--anchor", self.anchor.as_deref())])?;
        }
        let report = self.demands.report(&self.record, None)?;
        let checked = Checked::of(&report);
        let mut text = report.to_string();
        if let Some(path) = &self.seal {
            text.push_str(&format!("\nlate seal:  {}", sworn(path, &self.record, &report)?));
        }
        if let Some(path) = &self.anchor {
            let anchor = anchor_of(&report)
                .ok_or_else(|| anyhow!("nothing is signed, so there is no root to keep"))
                .context(Wrong::Authenticity)?;
            std::fs::write(path, &anchor).with_context(|| format!("cannot write {}", path.display()))?;
            text.push_str(&format!("\nanchor:     {}", path.display()));
        }
        crate::command::show(json, &checked, &text)?;
        Ok(exit_of_report(&report))
    }
}

impl Inspect {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let report = self.demands.report(&self.record, Some(&self.keys.unlock()?))?;
        let checked = Checked::of(&report);
        let mut text = report.to_string();
        if let Some(class) = &checked.cpu_class {
            text.push_str(&format!("\ncpu class:  {class}"));
        }
        if self.document
            && let Some(head) = &report.head
        {
            text.push_str("\n\n");
            text.extend(head.document.chars().filter(|c| !c.is_control() || *c == '\n'));
        }
        crate::command::show(json, &checked, &text)?;
        Ok(exit_of_report(&report))
    }
}

/// Checks a record against the signers this machine trusts.
pub(crate) fn reported(record: &Path, unlock: Option<&Unlock>, demands: &Demands) -> anyhow::Result<Report> {
    checked(record, unlock, demands, &[])
}

/// The same with more signers that are trusted this once.
fn checked(
    record: &Path,
    unlock: Option<&Unlock>,
    demands: &Demands,
    more: &[SignerId],
) -> anyhow::Result<Report> {
    let mut trust = KeyStore::open_default()?.trust()?;
    more.iter().for_each(|signer| trust.add(*signer));
    verify_for(record, &trust, unlock, demands)
        .with_context(|| format!("cannot read {}", record.display()))
        .context(Wrong::Arguments)
}

/// What a late seal says of a record, if it holds.
fn sworn(path: &Path, record: &Path, report: &Report) -> anyhow::Result<String> {
    let text = read_regular_text(path, MAX_LATE_SEAL)
        .with_context(|| format!("cannot read {}", path.display()))
        .context(Wrong::Arguments)?;
    let seal = LateSeal::read(&text)
        .and_then(|seal| seal.check(record, report).map(|()| seal))
        .with_context(|| format!("of {}", path.display()))
        .context(Wrong::Authenticity)?;
    let trusted = KeyStore::open_default()?.trust()?.holds(&seal.signer);
    let known = if trusted { "trusted" } else { "unknown" };
    Ok(format!("{seal} ({known})"))
}

/// What an anchor file holds: a word, the file's id, leaves, and root, on one line.
fn anchor_of(report: &Report) -> Option<String> {
    let (leaves, root) = report.signed?;
    let id = report.head.as_ref().map(|head| hex(&head.file_id))?;
    Some(format!("{ANCHOR} {id} {leaves} {}\n", hex(&root)))
}

const ANCHOR: &str = "maml-anchor-1";

/// The longest anchor that is read, in bytes.
const MAX_ANCHOR: u64 = 4096;

/// A root out of an argument: 64 hexadecimal digits, or the file that has them.
fn expected_root(argument: &str) -> anyhow::Result<[u8; 32]> {
    let refused = || {
        anyhow!("--expect-root takes 64 hexadecimal digits or a file that --anchor wrote, found {argument:?}")
            .context(Wrong::Arguments)
    };
    let digits = match root_digits(argument) {
        Some(root) => return Ok(root),
        None => read_regular_text(Path::new(argument), MAX_ANCHOR).map_err(|_| refused())?,
    };
    let mut words = digits.split_whitespace();
    match (words.next(), words.nth(2), words.next()) {
        (Some(ANCHOR), Some(root), None) => root_digits(root).ok_or_else(refused),
        _ => Err(refused()),
    }
}

fn root_digits(text: &str) -> Option<[u8; 32]> {
    // A root has the form of a signer's name.
    text.parse::<SignerId>().ok().map(|id| id.0)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a report says, for machines.
#[derive(Serialize)]
pub(crate) struct Checked {
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
    /// The root that was demanded, and of how many leaves it is the root: of none if that is null.
    expected_root: Option<String>,
    expected_root_at: Option<u64>,
    /// Whether what was demanded of it is there.
    demands_met: bool,
    exit_code: u8,
    leaves: Option<u64>,
    /// The record it continues, and that one's last signed root.
    continues: Option<[String; 2]>,
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
    pub(crate) fn of(report: &Report) -> Self {
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
            expected_root: report.demands.root.map(|root| hex(&root)),
            expected_root_at: report.root_at,
            demands_met: !report.is_refused(),
            exit_code: report.exit_code(),
            leaves: report.signed.map(|(leaves, _)| leaves),
            continues: report
                .previous
                .as_ref()
                .map(|previous| [hex(&previous.file_id), hex(&previous.root)]),
            metas: report.metas.iter().map(ListedMeta::of).collect(),
        }
    }
}

pub(super) fn exit_of_report(report: &Report) -> Exit {
    match report.exit_code() {
        0 => Exit::Done,
        1 => Exit::Findings,
        3 => Exit::Lost,
        5 => Exit::NoKey,
        _ => Exit::NotAuthentic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_read_from_digits_or_an_anchor() {
        let digits = "ab".repeat(32);
        assert_eq!(expected_root(&digits).unwrap(), [0xab; 32]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root");
        let name = path.display().to_string();
        std::fs::write(&path, format!("{ANCHOR} {} 12 {digits}\n", "cd".repeat(16))).unwrap();
        assert_eq!(expected_root(&name).unwrap(), [0xab; 32]);
        for wrong in [digits.clone(), format!("{ANCHOR} 00 12 ab\n"), String::new()] {
            std::fs::write(&path, wrong).unwrap();
            assert!(expected_root(&name).is_err());
        }
        assert!(expected_root("abab").is_err());
    }
}
