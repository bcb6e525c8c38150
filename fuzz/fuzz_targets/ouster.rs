//! Any bytes as a capture of an Ouster: no panic, no scan larger than its bytes can hold.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use beluga_ingest::lidar::ouster::{self, metadata::Metadata};
use libfuzzer_sys::fuzz_target;

static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    Metadata::read(include_bytes!("ouster.json")).expect("the metadata beside this target is whole")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(scans) = ouster::scans(bytes, Path::new("fuzz.pcap"), METADATA.clone()) {
        for scan in scans.flatten() {
            assert!(scan.points.len() <= bytes.len() / 4);
        }
    }
});
