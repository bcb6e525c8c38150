//! How a run ends, as a number for scripts and a sentence for people.

use std::fmt;
use std::process::ExitCode;

/// How a command ended when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All done.
    Done,
    /// Done, with findings (an unknown signer, a score that cannot be made).
    Findings,
    /// Nothing that is known (`probe`): the number of wrong arguments.
    Unknown,
    /// Done with the rest, but a file could not be read.
    Unread,
    /// Done, but data was lost.
    Lost,
    /// The record does not authenticate.
    NotAuthentic,
    /// No key opens the record.
    NoKey,
}

impl Exit {
    /// The exit code of the program.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Findings => 1,
            Exit::Unknown | Exit::Unread => 2,
            Exit::Lost => 3,
            Exit::NotAuthentic => 4,
            Exit::NoKey => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Hung on an error to choose the exit code; the sentence is what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The arguments or the config.
    Arguments,
    /// What was read does not authenticate.
    Authenticity,
    /// No key of ours opens it.
    Key,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wrong::Arguments => "cannot start",
            Wrong::Authenticity => "the record does not authenticate",
            Wrong::Key => "no key opens the record",
        })
    }
}

impl std::error::Error for Wrong {}

/// The exit code of an error: 1 unless something in its chain says better.
pub(crate) fn code_of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Wrong>() {
        Some(Wrong::Arguments) => 2,
        Some(Wrong::Authenticity) => 4,
        Some(Wrong::Key) => 5,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_code_is_found_under_later_context() {
        let error = anyhow::anyhow!("no such key")
            .context(Wrong::Arguments)
            .context("while reading the rig");
        assert_eq!(code_of(&error), 2);
        let plain = Err::<(), _>(std::io::Error::other("disk"))
            .context("while writing")
            .unwrap_err();
        assert_eq!(code_of(&plain), 1);
    }
}
