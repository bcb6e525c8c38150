//! `beluga run`: a document runs, or the document of a record shows what it made once more.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use beluga_ingest::Recording;
use beluga_sinks::FrameHasher;
use beluga_sinks::document::{Document, head_of, is_head_of_record, read};
use beluga_sinks::maml::KeyStore;
use beluga_sinks::open_regular;
use clap::Args;
use serde::Serialize;

use super::maml::{Keys, frame_bytes};
use super::replay::{self, Replay};
use super::run::Results;
use crate::by_document::{
    self, Asked, By, Difference, append, difference, foreign_code, other_encryption, permitted, unmet_inputs,
    unmet_outputs,
};
use crate::exit::{Exit, Wrong};
use crate::validation::{Checked, Outcome, Verdict};
use crate::{clock, cpu, document};

/// Fuses a recording as a MAML document has it: the block ```toml beluga is the config, Input_Schema and
/// Output_Schema are checked before anything is made, permissions are kept, and History gets a line. Of a
/// record, its document is run and the frames are compared. Other code in a document is never executed.
///
/// Example: beluga run quay.maml.md --input sample-data/quay --out quay.maml
/// Example: beluga run quay.maml --input sample-data/quay
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Execute {
    /// A document, or a record.
    document: PathBuf,
    /// The recording, as for `beluga replay`.
    #[arg(long, value_name = "RECORDING")]
    input: PathBuf,
    /// The record to write; must not exist (default: the recording's name in the current folder; of a record
    /// run once more, none is kept).
    #[arg(long, value_name = "FILE.maml")]
    out: Option<PathBuf>,
    /// Opens a record that is run once more with this secret reader key; as --key-file and the passphrase do.
    #[arg(long, value_name = "FILE")]
    identity: Vec<PathBuf>,
    /// The record of the earlier survey in whose map the run began, if it began in one.
    #[arg(long, value_name = "X.maml")]
    map: Option<PathBuf>,
    #[command(flatten)]
    results: Results,
}

/// A document that may run, and what it says.
struct Plan {
    head: Vec<u8>,
    document: Document,
    by: By,
}

impl Execute {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let open = || head_of(BufReader::new(open_regular(&self.document)?));
        let head = open()
            .with_context(|| format!("cannot read {}", self.document.display()))
            .context(Wrong::Arguments)?;
        let reading = read(&head, None);
        if !reading.is_valid() {
            let checked = Checked {
                path: self.document.display().to_string(),
                outcome: Outcome::Read(Verdict::of(reading)),
            };
            crate::tell(&checked.text());
            return Err(anyhow!("the document is not valid: {}", self.document.display()));
        }
        let document = reading.document.context("a valid document is there")?;
        let config = by_document::config(&document)?;
        let recording = replay::open(&self.input, &[]).context(Wrong::Arguments)?;
        self.met(&document, &recording)?;
        for block in foreign_code(&document) {
            let text = format!("shown, never executed:\n```{}\n{}```", block.info, block.text);
            crate::tell(&text);
        }
        let by = By {
            config,
            title: document.title.clone(),
            intent: document.section("Intent").map(str::to_owned),
            context: document.section("Context").map(str::to_owned),
            input_schema: document.input_schema.clone(),
            output_schema: document.output_schema.clone(),
            history: format!("run by the document {}", name_of(&document)),
            permissions: document.front_matter.get("permissions").cloned(),
        };
        let plan = Plan { head, document, by };
        match is_head_of_record(&plan.head) {
            true => self.reproduce(json, plan, &recording),
            false => self.execute(json, plan),
        }
    }

    /// Whether the recording and the frames are what the document's schemas say.
    fn met(&self, document: &Document, recording: &Recording) -> anyhow::Result<()> {
        let name = self.input.file_stem().unwrap_or_default().to_string_lossy();
        let mut unmet = unmet_inputs(document.input_schema.as_ref(), &name, recording.rig());
        unmet.extend(unmet_outputs(document.output_schema.as_ref()));
        match unmet.is_empty() {
            true => Ok(()),
            false => Err(anyhow!("{}", unmet.join("\n")).context(Wrong::Arguments)),
        }
    }

    fn execute(self, json: bool, plan: Plan) -> anyhow::Result<Exit> {
        let permissions = plan.document.front_matter.get("permissions");
        permitted(permissions, Asked::Execute, own_id).map_err(|reason| {
            anyhow!("the document may not be run here: {reason}").context(Wrong::Arguments)
        })?;
        let replay = Replay::plain(self.input.clone(), self.out, self.results.by(plan.by));
        let replayed = replay.in_map(self.map).replayed()?;
        let report = &replayed.report;
        let (record, hash) = (report.record.as_ref(), report.frame_sha256.as_deref());
        let line = format!(
            "beluga {} fused {} into {}: {} frames, SHA-256 {}",
            env!("CARGO_PKG_VERSION"),
            self.input.display(),
            record.map_or_else(String::new, |(path, _)| path.display().to_string()),
            report.frames,
            hash.unwrap_or("unknown")
        );
        let made = record.and_then(|(path, _)| made_by(path));
        if let Some(other) = made.and_then(|made| other_encryption(&plan.document, &made)) {
            crate::tell(&format!("warning: {other}"));
        }
        match permitted(permissions, Asked::Write, own_id) {
            Ok(()) => append(&self.document, &plan.head, &plan.document, clock::now(), &line)
                .with_context(|| format!("cannot append to the History of {}", self.document.display()))?,
            Err(reason) => crate::tell(&format!("History is left as it is: {reason}")),
        }
        replayed.tell(json)
    }

    /// Nothing of the record is changed; whoever can open it may compare it.
    fn reproduce(self, json: bool, plan: Plan, recording: &Recording) -> anyhow::Result<Exit> {
        let keys = self.results.keys(self.identity.clone());
        let mut hasher = FrameHasher::new();
        let mut frames = 0_u64;
        let opened = frame_bytes(&self.document, &keys, |_, bytes| {
            frames += 1;
            hasher.update(&bytes);
            Ok(())
        })?;
        let recorded: String = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        let text = String::from_utf8_lossy(&plan.head);
        if let (Some(id), None) = (document::map(&text), &self.map) {
            let wrong = anyhow!("the run began in the map of the record {id}: name that with --map");
            return Err(wrong.context(Wrong::Arguments));
        }
        let shifts = document::shifts(&text, recording.rig());
        let shifted = (!shifts.is_empty())
            .then(|| replay::open(&self.input, &shifts))
            .transpose()
            .context(Wrong::Arguments)?;
        let recording = shifted.as_ref().unwrap_or(recording);
        for other in document::other_rig(&text, recording.rig()) {
            crate::tell(&format!("warning: {other}"));
        }
        let (path, kept) = match self.out {
            Some(path) => (path, true),
            None => (beside(&self.document), false),
        };
        // Who opens the record may read what comes of it once more.
        let by = By {
            permissions: None,
            ..plan.by
        };
        let results = self.results.by(by).unseen();
        let this_cpu_class = cpu::class_of(&results.fusion()?);
        let replay = Replay::plain(self.input, Some(path.clone()), results);
        let replayed = replay.shifted(&shifts).in_map(self.map).replayed();
        let compared = replayed.and_then(|replayed| {
            let reproduced = replayed.report.frame_sha256.clone().unwrap_or_default();
            let found = match reproduced == recorded {
                true => None,
                false => {
                    let mut unlock = keys.unlock()?;
                    unlock.readers.extend(Keys::own().unlock()?.readers);
                    Some(difference(&self.document, &path, &unlock)?)
                }
            };
            Ok(Reproduced {
                same: found.is_none(),
                frames,
                cpu_class: document::cpu_class(&text),
                this_cpu_class,
                recorded_sha256: recorded,
                reproduced_sha256: reproduced,
                difference: found,
            })
        });
        if !kept {
            // It was only made to be compared.
            let _ = std::fs::remove_file(&path);
        }
        let compared = compared?;
        super::show(json, &compared, &compared.text())?;
        Ok(match (opened, compared.same) {
            (Exit::Done, false) => Exit::Findings,
            (opened, _) => opened,
        })
    }
}

/// What came of running a record's document once more.
#[derive(Debug, Serialize)]
struct Reproduced {
    same: bool,
    frames: u64,
    cpu_class: Option<String>,
    this_cpu_class: String,
    recorded_sha256: String,
    reproduced_sha256: String,
    difference: Option<Difference>,
}

impl Reproduced {
    /// Whether both runs are to give the same bytes wherever they were made.
    fn is_portable(&self) -> bool {
        self.this_cpu_class == cpu::PORTABLE && self.cpu_class.as_deref() == Some(cpu::PORTABLE)
    }

    fn text(&self) -> String {
        let class = match &self.cpu_class {
            Some(class) if self.is_portable() => format!("{class} runs: the CPU makes no difference"),
            Some(class) if *class == self.this_cpu_class => format!("the same CPU class ({class})"),
            Some(class) => format!(
                "another CPU class: recorded on {class}, this is {}",
                self.this_cpu_class
            ),
            None => "the record names no CPU class".to_owned(),
        };
        let Some(found) = &self.difference else {
            return format!(
                "same bytes   {} frames, SHA-256 {}\n{class}",
                self.frames, self.recorded_sha256
            );
        };
        let fault = match self.is_portable() {
            false => "",
            true => {
                "\nif it was none of these, of this recording and by this version, it is a fault of beluga: please report it"
            }
        };
        let first = found
            .first
            .map_or_else(String::new, |frame| format!(", first frame {frame}"));
        format!(
            "other bytes  {} of {} frames are the same{first}; reproduced {}\n\
             at most      pose {:.6} m, {:.8} rad; points {:.6} m; {} frames with another number of points\n\
             {class}\n\
             a run that was stopped is not told by its document{fault}",
            found.same,
            found.frames[0],
            found.frames[1],
            found.pose_m,
            found.pose_rad,
            found.point_m,
            found.other_counts
        )
    }
}

/// The document's id, or what it is called.
fn name_of(document: &Document) -> String {
    let id = document
        .front_matter
        .get("id")
        .or_else(|| document.front_matter.get("context"));
    let id = id.and_then(serde_json::Value::as_str);
    id.or(document.title.as_deref())
        .unwrap_or("without a name")
        .to_owned()
}

/// The document of a record.
fn made_by(record: &Path) -> Option<Document> {
    let head = head_of(BufReader::new(open_regular(record).ok()?)).ok()?;
    read(&head, None).document
}

/// This device's signer id, if it has a key.
fn own_id() -> Option<String> {
    let device = KeyStore::open_default().ok()?.device_key().ok()?;
    Some(device.key.id().to_string())
}

/// A name beside the record that is free.
fn beside(record: &Path) -> PathBuf {
    let name = record.file_name().unwrap_or_default().to_string_lossy();
    record.with_file_name(format!(".{name}.{}.reproduced", std::process::id()))
}
