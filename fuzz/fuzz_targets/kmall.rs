//! Whatever the bytes of a KMALL file are: they are read to their end or refused, and what comes out is
//! bounded by what went in.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::kmall::{self, Content};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzz.kmall");
    if let Ok(contents) = kmall::contents(Cursor::new(bytes), path) {
        let (mut soundings, mut samples) = (0, 0);
        for content in contents {
            match content {
                Ok((_, Content::Swath(swath))) => soundings += swath.soundings.len(),
                Ok((_, Content::Motions(motions))) => samples += motions.samples.len(),
                _ => {}
            }
        }
        assert!(120 * (soundings + samples) <= bytes.len());
    }
    drop(kmall::summary_of(Cursor::new(bytes), path));
});
