//! Any bytes as a tape: no panic, no allocation beyond the input's size class, measurements in order.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::tape::Reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reader) = Reader::new(Cursor::new(bytes), Path::new("fuzz.mcap")) {
        let mut last = None;
        for measurement in reader {
            assert!(last <= Some(measurement.end));
            last = Some(measurement.end);
        }
    }
});
