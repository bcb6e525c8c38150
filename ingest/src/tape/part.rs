//! Parts of a tape that is written in several files: how they are named, and what each says of its row.
//!
//! `survey.mcap` becomes `survey.0001.mcap`, `survey.0002.mcap` and so on. Each is a tape by itself. A metadata
//! record before its first chunk says of which row it is, which part, and how many measurements stand before it, so
//! that whoever plays the row knows whether anything is missing between two of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mcap::records::Metadata;

use super::cdr::Decoder;

/// The name of the metadata record.
const NAME: &str = "beluga_part";
const ROW: &str = "row";
const NUMBER: &str = "number";
const BEFORE: &str = "before";

/// What a part says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The end of the row's first measurement, in nanoseconds since 1970: the same in all of its parts.
    pub(super) row: i64,
    /// From 1 on.
    pub(super) number: u32,
    /// Measurements and gaps in the parts before this one.
    pub(super) before: u64,
}

impl Part {
    pub(super) fn metadata(self) -> Metadata {
        let told = [
            (ROW, self.row.to_string()),
            (NUMBER, self.number.to_string()),
            (BEFORE, self.before.to_string()),
        ];
        Metadata {
            name: NAME.to_owned(),
            metadata: told.map(|(word, number)| (word.to_owned(), number)).into(),
        }
    }

    /// What the body of a metadata record says, if it is that of a part.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let mut decoder = Decoder::packed(body);
        if decoder.text().ok()? != NAME {
            return None;
        }
        let mut pairs = Decoder::packed(decoder.bytes().ok()?);
        let mut told = BTreeMap::new();
        while !pairs.rest().is_empty() {
            told.insert(pairs.text().ok()?, pairs.text().ok()?);
        }
        Some(Self {
            row: told.get(ROW)?.parse().ok()?,
            number: told.get(NUMBER)?.parse().ok()?,
            before: told.get(BEFORE)?.parse().ok()?,
        })
    }
}

/// The file of a part of the tape of this name.
pub(super) fn path_of(tape: &Path, number: u32) -> PathBuf {
    tape.with_extension(format!("{number:04}.mcap"))
}

/// The name of the tape, and the number, of a file that is named as a part.
pub(super) fn named(path: &Path) -> Option<(PathBuf, u32)> {
    let stem = Path::new(path.file_name()?.to_str()?.strip_suffix(".mcap")?);
    let digits = stem.extension()?.to_str()?;
    let number = digits
        .parse()
        .ok()
        .filter(|_| digits.len() >= 4 && !digits.starts_with('+'))?;
    let tape = path
        .with_file_name(stem.file_stem()?)
        .with_added_extension("mcap");
    Some((tape, number))
}

/// Files that are named as parts of this tape, by their numbers.
pub(super) fn beside(tape: &Path) -> io::Result<BTreeMap<u32, PathBuf>> {
    let folder = tape.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let path = tape.with_file_name(entry?.file_name());
        if let Some((of, number)) = named(&path).filter(|(of, _)| of == tape) {
            drop(of);
            found.insert(number, path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for (tape, number, file) in [
            ("a/survey.mcap", 1, "a/survey.0001.mcap"),
            ("survey.mcap", 12_345, "survey.12345.mcap"),
            ("x.y.mcap", 9999, "x.y.9999.mcap"),
        ] {
            assert_eq!(path_of(Path::new(tape), number), Path::new(file));
            assert_eq!(named(Path::new(file)), Some((PathBuf::from(tape), number)));
        }
        for other in [
            "survey.mcap",
            "survey.1.mcap",
            "survey.0001.mca",
            "0001.mcap",
            "a.+001.mcap",
            "..",
        ] {
            assert_eq!(named(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn what_is_told_is_read_and_every_cut_is_none() {
        let part = Part {
            row: -5,
            number: 7,
            before: 1_234_567,
        };
        let mut body = Vec::new();
        let put = |text: &str, body: &mut Vec<u8>| {
            body.extend((text.len() as u32).to_le_bytes());
            body.extend(text.as_bytes());
        };
        let metadata = part.metadata();
        put(&metadata.name, &mut body);
        let mut pairs = Vec::new();
        for (word, number) in &metadata.metadata {
            put(word, &mut pairs);
            put(number, &mut pairs);
        }
        body.extend((pairs.len() as u32).to_le_bytes());
        body.extend(&pairs);
        assert_eq!(Part::read(&body), Some(part));
        for cut in 0..body.len() {
            assert_eq!(Part::read(&body[..cut]), None, "{cut}");
        }
    }
}
