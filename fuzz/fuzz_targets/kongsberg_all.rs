//! Whatever the bytes of a `.all` file are: they are read to their end or refused, and what comes out is
//! bounded by what went in.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::kongsberg_all::{self, Content};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzz.all");
    if let Ok(datagrams) = kongsberg_all::datagrams(Cursor::new(bytes), path) {
        let (mut beams, mut samples) = (0, 0);
        for datagram in datagrams.flatten() {
            match datagram.content {
                Content::Ranges(ranges) => beams += ranges.beams.len(),
                Content::Attitudes(found) | Content::NetworkAttitudes(found) => samples += found.samples.len(),
                _ => {}
            }
        }
        assert!(16 * beams + 11 * samples <= bytes.len());
    }
    drop(kongsberg_all::summary_of(Cursor::new(bytes), path));
});
