//! Whatever the bytes of an imaging sonar's file are: they are read to their end or refused, and what comes out
//! is bounded by what went in.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::aris;
use beluga_ingest::humminbird;
use beluga_ingest::oculus::{self, Content};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzz.raw");
    if let Ok(contents) = oculus::contents(Cursor::new(bytes), path) {
        let mut numbers = 0;
        for content in contents.flatten() {
            if let Content::Ping(ping) = content {
                numbers += ping.strengths.len() + ping.bearings.len() + ping.gains.len();
            }
        }
        assert!(numbers <= bytes.len());
    }
    drop(oculus::summary_of(Cursor::new(bytes), path));
    if let Ok(frames) = aris::frames(Cursor::new(bytes), path) {
        let numbers: usize = frames.flatten().map(|frame| frame.strengths.len()).sum();
        assert!(numbers <= bytes.len());
    }
    drop(aris::summary_of(Cursor::new(bytes), path));
    if let Ok(records) = humminbird::records(Cursor::new(bytes), path) {
        let numbers: usize = records.flatten().map(|record| record.strength.len()).sum();
        assert!(numbers <= bytes.len());
    }
    drop(humminbird::summary_of(Cursor::new(bytes), path));
    drop(humminbird::description(bytes));
    assert!(8 * humminbird::index(bytes).len() <= bytes.len());
});
