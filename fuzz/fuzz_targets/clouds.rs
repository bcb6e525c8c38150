//! Any bytes as a file of points, of the kind that the first one says: no panic, finite points, no more
//! of them than the bytes can hold.
#![no_main]

use std::panic::{self, PanicHookInfo};
use std::path::Path;

use beluga_ingest::cloud;
use libfuzzer_sys::fuzz_target;

/// A file's name, and the most points of one of its bytes: binary numbers of a byte each, LZF's
/// longest references over such, what is allowed of LASzip, and a point's numbers.
const KINDS: [(&str, f64); 5] = [
    ("fuzz.ply", 1.0 / 3.0),
    ("fuzz.pcd", 264.0 / 9.0),
    ("fuzz.las", 8.0),
    ("fuzz.bin", 1.0 / 16.0),
    ("fuzz.xyz32", 1.0 / 12.0),
];

/// libFuzzer's hook ends the run at every panic; those of the unpacker of LAZ are caught and become a
/// refusal. What is caught nowhere still ends it.
fn tell(panic: &PanicHookInfo) {
    let place = panic.location().map_or("", |place| place.file());
    if !place.contains("/laz-") {
        eprintln!("{panic}");
    }
}

fuzz_target!(
    init: panic::set_hook(Box::new(tell)),
    |bytes: &[u8]| {
        let Some((first, bytes)) = bytes.split_first() else {
            return;
        };
        let (name, most) = KINDS[usize::from(*first) % KINDS.len()];
        let Ok(scan) = cloud::parse(bytes, Path::new(name)) else {
            return;
        };
        assert!(scan.len() as f64 <= bytes.len() as f64 * most);
        let near = |axis: &[f32]| axis.iter().all(|value| value.abs() <= 1e6);
        assert!(near(scan.x()) && near(scan.y()) && near(scan.z()));
        assert!(scan.intensity().into_iter().flatten().all(|value| value.is_finite()));
    }
);
