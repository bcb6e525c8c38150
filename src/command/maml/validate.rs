//! `maml validate`: documents, and the documents of records, against the language.

use std::io::{BufReader, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;

use anyhow::Context;
use beluga_sinks::document::{Level, Profile, head_of, read};
use clap::{Args, ValueEnum};

use crate::exit::{Exit, Wrong};
use crate::validation::{Checked, Outcome, Verdict, check_files, documents_below, sarif};

/// Files that are checked before their findings are printed.
const CHUNK: usize = 512;

/// Checks MAML documents, and of sealed records the document; needs no key. Folders are looked through for
/// `*.maml.md`, `*.maml.markdown`, `*.maml.ml` and `*.maml`.
///
/// Ends with 0 if all are valid, 1 with errors (with --strict also with warnings), 2 if a file cannot be read.
///
/// Example: beluga maml validate surveys --format sarif
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Documents, records and folders.
    #[arg(required_unless_present = "stdin")]
    paths: Vec<PathBuf>,
    /// What a document must be; `auto` takes the profile that it looks like.
    #[arg(long, default_value = "auto")]
    profile: Asked,
    /// Warnings count as errors.
    #[arg(long)]
    strict: bool,
    /// How findings are printed.
    #[arg(long, default_value = "text")]
    format: Format,
    /// Threads (default: those of the mathematics).
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroU16>,
    /// Checks one document from the standard input as well, first.
    #[arg(long)]
    stdin: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Asked {
    Auto,
    Compact,
    Guide,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
}

impl Validate {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let format = if json && self.format == Format::Text {
            Format::Json
        } else {
            self.format
        };
        let asked = match self.profile {
            Asked::Auto => None,
            Asked::Compact => Some(Profile::Compact),
            Asked::Guide => Some(Profile::Guide),
        };
        let jobs = self
            .jobs
            .map_or_else(rayon::current_num_threads, |jobs| usize::from(jobs.get()));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .thread_name(|number| format!("validate {number}"))
            .build()
            .context("cannot start the threads")?;
        let mut tally = Tally::default();
        let mut kept = Vec::new();
        let mut take = |checked: Vec<Checked>| -> anyhow::Result<()> {
            tally.count(&checked);
            match format {
                Format::Text => print(&checked.iter().map(Checked::text).collect::<String>()),
                Format::Json | Format::Sarif => {
                    kept.extend(checked);
                    Ok(())
                }
            }
        };
        if self.stdin {
            take(vec![from_stdin(asked)?])?;
        }
        for path in &self.paths {
            let mut unread = Vec::new();
            let files = documents_below(path, &mut unread);
            for chunk in files.chunks(CHUNK) {
                take(check_files(&pool, chunk, asked))?;
            }
            let told = unread.into_iter().map(|unread| Checked {
                path: unread.path.display().to_string(),
                outcome: Outcome::Unread {
                    error: format!("cannot read: {}", unread.error),
                },
            });
            take(told.collect())?;
        }
        match format {
            Format::Text => crate::tell(&tally.text()),
            Format::Json => print(&format!("{}\n", serde_json::to_string_pretty(&kept)?))?,
            Format::Sarif => print(&format!("{:#}\n", sarif(&kept)))?,
        }
        Ok(tally.exit(self.strict))
    }
}

fn from_stdin(asked: Option<Profile>) -> anyhow::Result<Checked> {
    let bytes = head_of(BufReader::new(std::io::stdin().lock()))
        .context("cannot read the standard input")
        .context(Wrong::Arguments)?;
    Ok(Checked {
        path: "stdin".into(),
        outcome: Outcome::Read(Verdict::of(read(&bytes, asked))),
    })
}

/// A reader that has seen enough ends nothing: the exit code still tells.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout()
        .lock()
        .write_all(crate::printable(text).as_bytes())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Tally {
    documents: usize,
    by_worst: [usize; 3],
    unread: usize,
}

impl Tally {
    fn count(&mut self, checked: &[Checked]) {
        for one in checked {
            match (&one.outcome, one.worst()) {
                (Outcome::Unread { .. }, _) => self.unread += 1,
                (Outcome::Read(_), worst) => {
                    self.documents += 1;
                    if let Some(worst) = worst {
                        self.by_worst[worst as usize] += 1;
                    }
                }
            }
        }
    }

    fn text(&self) -> String {
        let [_, warnings, errors] = self.by_worst;
        let valid = self.documents - errors;
        let mut text = format!(
            "{} documents, {valid} valid, {warnings} of them with warnings",
            self.documents
        );
        if self.unread > 0 {
            text.push_str(&format!("; {} could not be read", self.unread));
        }
        text
    }

    fn exit(&self, strict: bool) -> Exit {
        let counts = if strict { Level::Warning } else { Level::Error };
        match self.by_worst[counts as usize..].iter().sum::<usize>() {
            _ if self.unread > 0 => Exit::Unread,
            0 => Exit::Done,
            _ => Exit::Findings,
        }
    }
}
