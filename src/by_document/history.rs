//! A line at the end of a document's History.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use beluga_sinks::document::{Document, MAX_DOCUMENT, read};
use beluga_sinks::read_regular;
use beluga_types::Stamp;

/// Appends `- <time>: [EXECUTE] <text>`. The file is replaced as a whole or stays as it is.
///
/// # Errors
/// If the file is no longer `before`, or cannot be written; or if the line would not be read as one of History.
pub(crate) fn append(
    path: &Path,
    before: &[u8],
    document: &Document,
    at: Stamp,
    text: &str,
) -> io::Result<()> {
    let after = with_line(before, document, at, text)?;
    // A link is followed, so that the document itself is replaced.
    let path = path.canonicalize()?;
    if read_regular(&path, MAX_DOCUMENT as u64)? != before {
        return Err(io::Error::other("the document was changed meanwhile"));
    }
    let part = beluga_sinks::part_of(&path);
    let write = || {
        let mut file = File::options().write(true).create_new(true).open(&part)?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(&after)?;
        file.sync_all()?;
        fs::rename(&part, &path)
    };
    write().inspect_err(|error| {
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(&part);
        }
    })?;
    // The name itself is durable when the folder is.
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn with_line(before: &[u8], document: &Document, at: Stamp, text: &str) -> io::Result<Vec<u8>> {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = format!("- {}: [EXECUTE] {line}\n", at.iso_8601());
    let section = document.sections.iter().find(|section| section.name == "History");
    let (end, lead) = match section {
        Some(section) => (section.bytes.end, ""),
        None => (before.len(), "\n## History\n"),
    };
    let used = before[..end].trim_ascii_end().len();
    let indented = section.and_then(|section| section.text.lines().rfind(|line| !line.trim().is_empty()));
    let blank = if indented.is_none() { "\n" } else { "" };
    let mut after = before[..used].to_vec();
    after.push(b'\n');
    after.extend_from_slice(lead.as_bytes());
    after.extend_from_slice(blank.as_bytes());
    after.extend_from_slice(line.as_bytes());
    let rest = before[used..]
        .strip_prefix(b"\r\n")
        .or_else(|| before[used..].strip_prefix(b"\n"));
    after.extend_from_slice(rest.unwrap_or_default());
    let entries = read(&after, Some(document.profile))
        .document
        .map(|document| document.history.len());
    match entries {
        Some(entries) if entries == document.history.len() + 1 => Ok(after),
        _ => Err(io::Error::other(
            "a line of History cannot be appended where the document has it",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT: &str = "---\nschema: maml-v1.0\ncontext: a quay\n---\n";

    fn check(before: &str, expected: &str) {
        let document = read(before.as_bytes(), None).document.unwrap();
        let after = with_line(
            before.as_bytes(),
            &document,
            Stamp::from_nanos(0),
            "fused\na quay",
        )
        .unwrap();
        let line = format!("- {}: [EXECUTE] fused a quay\n", Stamp::from_nanos(0).iso_8601());
        assert_eq!(
            String::from_utf8(after).unwrap(),
            expected.replace("LINE\n", &line)
        );
    }

    #[test]
    fn the_line_stands_at_the_end_of_history_and_all_else_as_it_was() {
        let first = "- 1970-01-01T00:00:00Z: [CREATE] written\n";
        check(
            &format!("{FRONT}## History\n{first}"),
            &format!("{FRONT}## History\n{first}LINE\n"),
        );
        check(
            &format!("{FRONT}## History\n{first}\n\n## Content\nMore.\n"),
            &format!("{FRONT}## History\n{first}LINE\n\n\n## Content\nMore.\n"),
        );
        check(
            &format!("{FRONT}## Intent\nWhy.\n"),
            &format!("{FRONT}## Intent\nWhy.\n\n## History\n\nLINE\n"),
        );
        check(
            &format!("{FRONT}## History"),
            &format!("{FRONT}## History\n\nLINE\n"),
        );
        check(
            &format!("{FRONT}## History\n{}", first.trim_end()),
            &format!("{FRONT}## History\n{first}LINE\n"),
        );
    }

    #[test]
    fn a_document_is_replaced_whole_and_only_if_it_is_the_one_that_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.maml.md");
        let before = format!("{FRONT}## Intent\nWhy.\n");
        fs::write(&path, &before).unwrap();
        let document = read(before.as_bytes(), None).document.unwrap();
        append(&path, before.as_bytes(), &document, Stamp::from_nanos(0), "fused").unwrap();
        let after = fs::read(&path).unwrap();
        assert!(after.starts_with(before.as_bytes()) && after.len() > before.len());
        let refused = append(&path, before.as_bytes(), &document, Stamp::from_nanos(0), "again").unwrap_err();
        assert!(refused.to_string().contains("changed meanwhile"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), after);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn an_open_block_takes_no_line() {
        let before = format!("{FRONT}## Intent\n```\nopen\n");
        let document = read(before.as_bytes(), None).document.unwrap();
        assert!(with_line(before.as_bytes(), &document, Stamp::from_nanos(0), "fused").is_err());
    }
}
