//! What is said of a document: one rule, one place, one sentence.

use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Read all the same, but not as it is written.
    Warning,
    /// Not valid.
    Error,
}

impl Level {
    /// As SARIF 2.1.0 and people's text name it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// A rule: its code never changes its meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// `M` and four digits.
    pub code: &'static str,
    /// What a finding of it weighs, unless the profile asked for makes it an error.
    pub level: Level,
    /// What it is about.
    pub title: &'static str,
    /// What to do.
    pub hint: &'static str,
}

/// A finding in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it breaks.
    pub rule: &'static Rule,
    /// What it weighs here.
    pub level: Level,
    /// What was expected and found.
    pub message: String,
    /// JSON pointer (RFC 6901) into the document's normal form; empty for the document as a whole.
    pub pointer: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// Character of the line, from 1.
    pub column: usize,
    /// Byte of the file, from 0.
    pub byte: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { code, .. } = self.rule;
        let (line, column, level) = (self.line, self.column, self.level.name());
        write!(f, "{line}:{column}: {level}[{code}]: {}", self.message)
    }
}

/// A pointer's step: `~` and `/` written as RFC 6901 has them.
pub(super) fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
