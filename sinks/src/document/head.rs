//! The document at the beginning of a file: all of it, or the head of a record.

use std::io::{self, BufRead, Read};

use super::MAX_DOCUMENT;
use crate::maml::layout::MARKER;

/// The document of a file, which is all of it, or of a record what stands before its binary part. At most one
/// byte more than a document may have is read.
///
/// # Errors
/// If reading fails.
pub fn head_of(mut source: impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut limited = source.by_ref().take(MAX_DOCUMENT as u64 + 1);
    loop {
        let begin = bytes.len();
        let length = limited.read_until(b'\n', &mut bytes)?;
        if length == 0 || &bytes[begin..] == MARKER.as_bytes() {
            return Ok(bytes);
        }
    }
}

/// Whether what [`head_of`] gave is the head of a record.
pub fn is_head_of_record(head: &[u8]) -> bool {
    head.ends_with(MARKER.as_bytes())
}
