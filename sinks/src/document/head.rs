//! The document at the beginning of a file: all of it, or the head of a record.

use std::io::{self, BufRead, Read};

use super::MAX_DOCUMENT;
use crate::maml::layout::{MAGIC, MARKER};

/// The document of a file, which is all of it, or of a record what stands before its binary part. At most one
/// byte more than a document may have is read, and a few that show whether records follow: behind a line that
/// says so, anything else is more of the document.
///
/// # Errors
/// If reading fails.
pub fn head_of(mut source: impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut limited = source.by_ref().take(MAX_DOCUMENT as u64 + 1);
    // Where the line begins that is read.
    let mut begin = 0;
    loop {
        if limited.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(bytes);
        }
        if &bytes[begin..] == MARKER.as_bytes() {
            let end = bytes.len();
            limited
                .by_ref()
                .take(MAGIC.len() as u64)
                .read_to_end(&mut bytes)?;
            // Also where it is cut: a torn record is one.
            if MAGIC.starts_with(&bytes[end..]) {
                bytes.truncate(end);
                return Ok(bytes);
            }
        }
        begin = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
    }
}

/// Whether what [`head_of`] gave is the head of a record.
pub fn is_head_of_record(head: &[u8]) -> bool {
    head.ends_with(MARKER.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_begin_only_where_they_begin_as_records_do() {
        let document = format!("---\ncontext: a\n---\n## Intent\n{MARKER}");
        let check = |after: &[u8], is_head: bool| {
            let file = [document.as_bytes(), after].concat();
            let head = head_of(&file[..]).unwrap();
            let expected = if is_head { document.as_bytes() } else { &file };
            assert_eq!(
                (&head[..], is_head_of_record(&head)),
                (expected, is_head),
                "{after:?}"
            );
        };
        check(&[&MAGIC[..], b"\0\x01\n"].concat(), true);
        check(&MAGIC[..4], true);
        check(b"", true);
        check(b"## Intent\nonce more\n", false);
        check(b"\n", false);
        check(&[0; 300], false);
        check(&[MARKER.as_bytes(), b"more"].concat(), false);
        let end = [document.as_bytes(), MARKER.as_bytes(), &MAGIC].concat();
        assert!(is_head_of_record(&head_of(&end[..]).unwrap()));
        // The line may stand in a document and end it all the same.
        let twice = [document.as_bytes(), b"more\n", MARKER.as_bytes(), &MAGIC, b"x"].concat();
        let head = head_of(&twice[..]).unwrap();
        assert!(is_head_of_record(&head) && head.len() == document.len() + 5 + MARKER.len());
    }
}
