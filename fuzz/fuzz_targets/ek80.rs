//! Whatever the bytes of an EK80 file are: they are read to their end or refused.

#![no_main]

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::ek80;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("fuzz.raw");
    let Ok(summary) = ek80::summary_of(Cursor::new(bytes), path) else {
        return;
    };
    for channel in summary.channels.iter().take(4) {
        if let Ok(pings) = ek80::pings(Cursor::new(bytes), path, &channel.id) {
            for ping in pings {
                drop(ping);
            }
        }
    }
});
