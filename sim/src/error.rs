//! What can go wrong in this room.

use std::path::{Path, PathBuf};

/// A world that cannot be made, or truth that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the truth or of a scenario does not hold what it should.
    #[error("expected {expected}, found {found}, {}", place(*line, path))]
    Content {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
        /// Line, from one; zero where the format has no lines.
        line: usize,
        /// Which file.
        path: PathBuf,
    },
    /// A sonar that cannot be built.
    #[error("sonar device `{name}`: {why}")]
    Device {
        /// Its name or path.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A fault that is none, or of a sensor that is none.
    #[error("fault: expected {expected}, found `{found}`")]
    Fault {
        /// What there is.
        expected: String,
        /// What was asked for.
        found: String,
    },
    /// Reading or writing failed.
    #[error("{doing}: {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: std::io::Error,
        /// Which file.
        path: PathBuf,
    },
    /// A recording, or a file of a truth, is not the one that the truth was written with.
    #[error("not what this truth was written with: expected {expected}, found {found}: {}", path.display())]
    Recording {
        /// What the manifest says.
        expected: String,
        /// What is there.
        found: String,
        /// Which file.
        path: PathBuf,
    },
    /// A number of the scenario lies outside its range.
    #[error("scenario: `{key}` is {}, expected {expected}", told(*.found))]
    Scenario {
        /// Which key, with its table.
        key: &'static str,
        /// Its value.
        found: f64,
        /// The valid range, in words.
        expected: &'static str,
    },
    /// Something of the site cannot be as it is described.
    #[error("scenario: {part}: {problem}")]
    Site {
        /// Which part of the site.
        part: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file is larger than any this room reads.
    #[error("expected at most {limit} bytes, found {found}: {}", path.display())]
    TooLarge {
        /// The largest size read.
        limit: u64,
        /// The file's size.
        found: u64,
        /// Which file.
        path: PathBuf,
    },
    /// A truth of another version.
    #[error(
        "expected a truth of version {expected}, found version {found}, which is not read any more: {}",
        path.display()
    )]
    Version {
        /// The version that is read.
        expected: u32,
        /// The version that is there.
        found: String,
        /// Which file.
        path: PathBuf,
    },
    /// No scenario has this name.
    #[error("expected one of {expected}, found scenario `{found}`")]
    UnknownScenario {
        /// Names that exist.
        expected: &'static str,
        /// The name asked for.
        found: String,
    },
}

/// Where in a file something is wrong.
fn place(line: usize, path: &Path) -> String {
    match line {
        0 => format!("in {}", path.display()),
        line => format!("at line {line} of {}", path.display()),
    }
}

/// A number for people: 1e300 has no three hundred digits.
pub(crate) fn told(number: f64) -> String {
    if number == 0.0 || (1e-6..1e15).contains(&number.abs()) {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (-3.5, "-3.5"),
            (1e300, "1e300"),
            (-1e-300, "-1e-300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ];
        for (number, text) in cases {
            assert_eq!(told(number), text);
        }
    }
}
