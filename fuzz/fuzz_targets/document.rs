//! Whatever the bytes of a document are: they are read or refused, every place is one of the file, and a
//! valid document's normal form is read again.

#![no_main]

use beluga_sinks::document::{Profile, head_of, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let head = head_of(bytes).unwrap_or_default();
    assert!(bytes.starts_with(&head));
    for asked in [None, Some(Profile::Compact), Some(Profile::Guide)] {
        let reading = read(&head, asked);
        assert!(reading.document.is_some() || !reading.is_valid());
        for finding in &reading.findings {
            assert!(finding.line >= 1 && finding.column >= 1 && finding.byte <= head.len());
        }
        if let Some(document) = &reading.document {
            drop(document.to_json());
            for block in &document.code_blocks {
                assert!(block.bytes.start <= block.bytes.end && block.bytes.end <= head.len());
            }
        }
    }
});
