//! Documents checked many at once, and what is said of them as text, JSON and SARIF.

mod files;
mod sarif;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use beluga_sinks::document::{Finding, Level, Profile, Reading, head_of, read};
use beluga_sinks::open_regular;
use rayon::prelude::*;
use serde::Serialize;

pub(crate) use files::documents_below;
pub(crate) use sarif::sarif;

/// One document, by the name it is reported under.
#[derive(Debug, Serialize)]
pub(crate) struct Checked {
    pub(crate) path: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// What came of a document.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    Read(Verdict),
    /// The file could not be read.
    Unread {
        error: String,
    },
}

/// What is said of a document.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) valid: bool,
    pub(crate) profile: Option<&'static str>,
    pub(crate) findings: Vec<Said>,
}

/// A finding as machines get it.
#[derive(Debug, Serialize)]
pub(crate) struct Said {
    pub(crate) code: &'static str,
    pub(crate) level: &'static str,
    pub(crate) message: String,
    pub(crate) hint: &'static str,
    pub(crate) pointer: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) byte: usize,
    #[serde(skip)]
    pub(crate) weight: Level,
}

impl Said {
    fn of(finding: Finding) -> Self {
        Self {
            code: finding.rule.code,
            level: finding.level.name(),
            message: finding.message,
            hint: finding.rule.hint,
            pointer: finding.pointer,
            line: finding.line,
            column: finding.column,
            byte: finding.byte,
            weight: finding.level,
        }
    }
}

impl Verdict {
    pub(crate) fn of(reading: Reading) -> Self {
        Self {
            valid: reading.is_valid(),
            profile: reading.document.as_ref().map(|document| document.profile.name()),
            findings: reading.findings.into_iter().map(Said::of).collect(),
        }
    }
}

impl Checked {
    /// What its text, for people, is.
    pub(crate) fn text(&self) -> String {
        let path = on_one_line(&self.path);
        let verdict = match &self.outcome {
            Outcome::Unread { error } => return format!("{path}: error: {error}\n"),
            Outcome::Read(verdict) => verdict,
        };
        let mut text = String::new();
        for said in &verdict.findings {
            let Said {
                line,
                column,
                level,
                code,
                message,
                hint,
                pointer,
                ..
            } = said;
            let at = if pointer.is_empty() {
                String::new()
            } else {
                format!(" ({pointer})")
            };
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{path}:{line}:{column}: {level}[{code}]: {}{}",
                on_one_line(message),
                on_one_line(&at)
            );
            let _ = writeln!(text, "    hint: {hint}");
        }
        text
    }

    /// The heaviest finding; of a file that could not be read, none.
    pub(crate) fn worst(&self) -> Option<Level> {
        match &self.outcome {
            Outcome::Read(verdict) => verdict.findings.iter().map(|said| said.weight).max(),
            Outcome::Unread { .. } => None,
        }
    }
}

/// Words of strangers: whatever is in them, they stay on their line.
fn on_one_line(words: &str) -> Cow<'_, str> {
    match words.contains(char::is_control) {
        true => words.replace(char::is_control, "\u{fffd}").into(),
        false => words.into(),
    }
}

/// Checks files on the threads of `pool`; the result stands in the order of `paths`.
pub(crate) fn check_files(
    pool: &rayon::ThreadPool,
    paths: &[PathBuf],
    asked: Option<Profile>,
) -> Vec<Checked> {
    pool.install(|| paths.par_iter().map(|path| check_file(path, asked)).collect())
}

fn check_file(path: &Path, asked: Option<Profile>) -> Checked {
    let read_in = || head_of(BufReader::new(open_regular(path)?));
    Checked {
        path: path.display().to_string(),
        outcome: match read_in() {
            Ok(bytes) => Outcome::Read(Verdict::of(read(&bytes, asked))),
            Err(error) => Outcome::Unread {
                error: format!("cannot read: {error}"),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_keep_their_order_and_one_that_is_missing_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for number in 0..100 {
            let path = folder.path().join(format!("{number}.maml.md"));
            if number != 50 {
                let context = if number % 2 == 0 { "a" } else { "[a" };
                std::fs::write(
                    &path,
                    format!("---\nschema: maml-v1.0\ncontext: {context}\n---\n## Intent\n"),
                )
                .unwrap();
            }
            paths.push(path);
        }
        let mut texts = Vec::new();
        for threads in [1, 4] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            let checked = check_files(&pool, &paths, None);
            for (number, (checked, path)) in checked.iter().zip(&paths).enumerate() {
                assert_eq!(checked.path, path.display().to_string());
                match (&checked.outcome, number) {
                    (Outcome::Unread { error }, 50) => assert!(error.contains("cannot read"), "{error}"),
                    (Outcome::Read(verdict), _) => assert_eq!(verdict.valid, number % 2 == 0, "{number}"),
                    other => panic!("{other:?}"),
                }
            }
            texts.push(serde_json::to_string(&checked).unwrap());
        }
        assert_eq!(texts[0], texts[1]);
        let broken = check_files(
            &rayon::ThreadPoolBuilder::new().build().unwrap(),
            &paths[1..2],
            None,
        );
        let text = broken[0].text();
        assert!(
            text.contains("1.maml.md:4:1: error[M0002]: ") || text.contains("1.maml.md:3:10: error[M0002]: "),
            "{text}"
        );
        assert!(text.contains("\n    hint: "), "{text}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_stops_nothing_and_a_name_stays_on_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(at("a.maml.md")).status();
        assert!(made.unwrap().success());
        std::fs::write(at("b\n1: error\u{1b}[31m.maml.md"), "---\na: [\n---\n").unwrap();
        let mut unread = Vec::new();
        let paths = documents_below(folder.path(), &mut unread);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let texts: Vec<String> = check_files(&pool, &paths, None)
            .iter()
            .map(Checked::text)
            .collect();
        assert_eq!(texts.len(), 2);
        assert!(texts[0].contains("expected a regular file"), "{}", texts[0]);
        let first = texts[1].lines().next().unwrap();
        assert!(
            first.contains("error[M0002]") && !first.contains('\u{1b}'),
            "{}",
            texts[1]
        );
    }
}
