//! Whatever the bytes of a record are, as they came and with the sums of their headers put right, so that
//! what lies behind these is reached: only a record of the kit is SEALED, and no frame comes out that is not
//! one of the kit's. Seeds: `sinks/tests/testkit`.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{KeyFile, Reader, ReaderKey, Trust, Unlock, verify_bytes};
use libfuzzer_sys::fuzz_target;

const KIT: [&[u8]; 7] = [
    include_bytes!("../../sinks/tests/testkit/continues.maml"),
    include_bytes!("../../sinks/tests/testkit/core.maml"),
    include_bytes!("../../sinks/tests/testkit/edge.maml"),
    include_bytes!("../../sinks/tests/testkit/empty.maml"),
    include_bytes!("../../sinks/tests/testkit/hidden_times.maml"),
    include_bytes!("../../sinks/tests/testkit/padded.maml"),
    include_bytes!("../../sinks/tests/testkit/xwing.maml"),
];

const PRE: [u8; 9] = *b"\x89MAML\r\n\x1a\n";
const PRE_LEN: usize = 100;
const HEADER_LEN: usize = 40;

static UNLOCK: LazyLock<Unlock> = LazyLock::new(|| Unlock {
    readers: vec![ReaderKey::from_seed(&[5; 32])],
    key_files: vec![KeyFile::from_bytes(&std::array::from_fn(|i| i as u8))],
    passphrase: None,
});

type Parts = (Vec<u8>, Vec<u8>, Vec<u8>);

fn parts(bytes: FrameBytes) -> Parts {
    (bytes.frame, bytes.points, bytes.arcs)
}

static FRAMES: LazyLock<BTreeSet<Parts>> = LazyLock::new(|| {
    let readers = KIT.iter().map(|kit| Reader::from_bytes(kit, &UNLOCK).expect("the kit opens"));
    let frames = readers.flat_map(|reader| reader.map(|frame| parts(frame.expect("the kit reads").bytes)));
    frames.collect()
});

fn check(bytes: &[u8]) {
    let trust = Trust::default();
    let without = verify_bytes(bytes, &trust, None).expect("memory reads");
    assert!(without.counts.frames <= bytes.len() as u64);
    let with = verify_bytes(bytes, &trust, Some(&UNLOCK)).expect("memory reads");
    if with.status.to_string() == "SEALED" {
        assert!(KIT.contains(&bytes), "SEALED, and not of the kit");
    }
    let Ok(reader) = Reader::from_bytes(bytes, &UNLOCK) else {
        return;
    };
    for frame in reader.map_while(Result::ok) {
        assert!(FRAMES.contains(&parts(frame.bytes)), "a frame that nobody wrote");
    }
}

/// Puts the sum of every header right that is where it must be.
fn mend(bytes: &mut [u8]) {
    let pre = bytes.windows(PRE.len()).position(|window| window == PRE);
    let mut at = pre.map_or(bytes.len(), |at| at + PRE_LEN);
    while let Some(header) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..HEADER_LEN)) {
        let sum = crc32c::crc32c(&header[..36]);
        header[36..].copy_from_slice(&sum.to_le_bytes());
        let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        at = at.saturating_add(HEADER_LEN + length as usize);
    }
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut mended = bytes.to_vec();
    mend(&mut mended);
    if mended != bytes {
        check(&mended);
    }
});
