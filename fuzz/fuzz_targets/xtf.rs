//! Whatever the bytes of an XTF file are: they are read to their end or refused, and what comes out is
//! bounded by what went in.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::xtf::{self, Content};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzz.xtf");
    if let Ok((_, contents)) = xtf::contents(Cursor::new(bytes), path) {
        let mut numbers = 0;
        for content in contents.flatten() {
            numbers += match content {
                Content::Sonar(ping) => ping.channels.iter().map(|channel| channel.strength.len()).sum(),
                Content::R2Sonic(ping) => ping.points.len(),
                _ => 0,
            };
        }
        assert!(numbers <= 2 * bytes.len());
    }
    drop(xtf::summary_of(Cursor::new(bytes), path));
});
