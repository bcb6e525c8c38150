//! `maml rewrap`, `maml split`, `maml join`: the same record in another form.

use std::path::PathBuf;

use anyhow::anyhow;
use beluga_sinks::maml::{join, rewrap, split};
use clap::Args;
use serde::Serialize;

use super::read::with_exit;
use super::{Keys, To};
use crate::command::outputs::must_be_free;
use crate::exit::{Exit, Wrong};

/// Changes who may read a record; its frames and signatures stay byte for byte.
///
/// Those named are added; with --only they are the whole list. Whoever could read the record before can
/// still read every copy he has: to keep a reader out, record anew without him.
///
/// Example: beluga maml rewrap quay.maml --to port.xwing.pub
#[derive(Debug, Args)]
pub(crate) struct Rewrap {
    /// The record.
    record: PathBuf,
    #[command(flatten)]
    to: To,
    /// Takes everybody else off the list.
    #[arg(long)]
    only: bool,
    /// Writes a new file instead of taking the record's place.
    #[arg(long, value_name = "X.maml")]
    out: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Serialize)]
struct Changed {
    record: PathBuf,
    readers: Vec<String>,
}

impl Rewrap {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[("--out", self.out.as_deref())])?;
        let readers = self.to.readers()?;
        if readers.is_empty() {
            let wrong = anyhow!("name who may read it, with --to, --to-key-file or --to-passphrase");
            return Err(wrong.context(Wrong::Arguments));
        }
        let target = self.out.as_deref().unwrap_or(&self.record);
        let done =
            rewrap(&self.record, target, &self.keys.unlock()?, &readers, !self.only).map_err(with_exit)?;
        let mut text = format!(
            "record       {}\nreaders      {}",
            target.display(),
            done.readers.join(" ")
        );
        if self.only {
            text.push_str("\nnote         whoever could read it before can still read every copy he has");
        }
        let changed = Changed {
            record: target.to_owned(),
            readers: done.readers,
        };
        crate::command::show(json, &changed, &text)?;
        Ok(Exit::Done)
    }
}

/// Writes a record as two files: the document, to be read and versioned, and the binary rest.
///
/// Example: beluga maml split quay.maml --document quay.maml.md --binary quay.maml.bin
#[derive(Debug, Args)]
pub(crate) struct Split {
    /// The record.
    record: PathBuf,
    #[command(flatten)]
    parts: Parts,
}

/// Writes the two parts of a record as one file again, byte for byte what was split.
///
/// Example: beluga maml join quay.maml --document quay.maml.md --binary quay.maml.bin
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The record to make.
    record: PathBuf,
    #[command(flatten)]
    parts: Parts,
}

/// The two parts of a record.
#[derive(Debug, Args, Serialize)]
struct Parts {
    /// The Markdown document.
    #[arg(long, value_name = "X.maml.md")]
    document: PathBuf,
    /// The binary rest.
    #[arg(long, value_name = "X.maml.bin")]
    binary: PathBuf,
}

impl Split {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let Parts { document, binary } = &self.parts;
        must_be_free(&[("--document", Some(document)), ("--binary", Some(binary))])?;
        split(&self.record, document, binary).map_err(with_exit)?;
        let text = format!(
            "document     {}\nbinary       {}",
            document.display(),
            binary.display()
        );
        crate::command::show(json, &self.parts, &text)?;
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct Joined {
    record: PathBuf,
}

impl Join {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[("RECORD", Some(&self.record))])?;
        join(&self.parts.document, &self.parts.binary, &self.record).map_err(with_exit)?;
        let text = format!("record       {}", self.record.display());
        crate::command::show(json, &Joined { record: self.record }, &text)?;
        Ok(Exit::Done)
    }
}
