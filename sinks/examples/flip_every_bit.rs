//! Flips every bit of a record of about 60 kB and counts what comes of it.
//!
//! Bits of the list of readers and of the header MAC need the key to be noticed; all others are
//! noticed without it. Ends with 1 if any flip passes, or gives a wrong frame.
//!
//! `cargo run --release -p beluga-sinks --example flip_every_bit`

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::Range;
use std::process::ExitCode;

use beluga_sinks::FrameBytes;
use beluga_sinks::maml::{
    DeviceKey, DocumentFields, KeyFile, Reader, ReaderKey, Readers, Status, Suite, Trust, Unlock, Writer,
    WriterOptions, verify, verify_bytes,
};

const FRAMES: u64 = 36;

fn frame(i: u64) -> FrameBytes {
    let noise = |k: u64| (k.wrapping_add(i << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8;
    FrameBytes {
        frame: i.to_le_bytes().to_vec(),
        points: (0..1300).map(noise).collect(),
        arcs: vec![0; 100],
    }
}

fn unlock() -> Unlock {
    Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]))
}

fn record() -> Result<Vec<u8>, Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("flip-every-bit-{}.maml", std::process::id()));
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite: Suite::Edge256,
        readers: Readers {
            recipients: vec![ReaderKey::from_seed(&[3; 32]).recipient()],
            key_files: vec![KeyFile::from_bytes(&[2; 32])],
            ..Readers::default()
        },
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    let mut writer = Writer::create(&path, options)?;
    for i in 0..FRAMES {
        writer.push(&frame(i), i as i64 * 500_000_000 / 6)?;
    }
    writer.finish()?;
    verify(&path, &Trust::default(), Some(&unlock()))?;
    let bytes = std::fs::read(&path)?;
    std::fs::remove_file(&path)?;
    Ok(bytes)
}

/// What only the key authenticates: the lines inside the recipients' fence, and the header MAC.
fn needs_key(bytes: &[u8]) -> Option<[Range<usize>; 2]> {
    let find = |needle: &[u8], from: usize| {
        let at = bytes[from..]
            .windows(needle.len())
            .position(|window| window == needle)?;
        Some(from + at)
    };
    let open = b"```maml-recipients\n";
    let begin = find(open, 0)? + open.len();
    let marker = b"binary follows -->\n";
    let pre = find(marker, begin)? + marker.len();
    Some([begin..find(b"```", begin)?, pre + 68..pre + 100])
}

fn name(status: &Status) -> &'static str {
    match status {
        Status::Sealed => "SEALED",
        Status::Unsealed => "UNSEALED",
        Status::Torn { .. } => "TORN",
        Status::Corrupt { .. } => "CORRUPT",
        Status::Tamper { .. } => "TAMPER",
        Status::NoKey => "NO-KEY",
        Status::BadHead { .. } => "BAD-HEAD",
        _ => "other",
    }
}

/// Frames that were given, and whether one of them was wrong.
fn wrong_frames(bytes: &[u8]) -> bool {
    let Ok(reader) = Reader::from_bytes(bytes, &unlock()) else {
        return false;
    };
    let frames = reader.map_while(Result::ok);
    frames
        .enumerate()
        .any(|(i, found)| found.bytes != frame(i as u64))
}

#[expect(clippy::print_stdout, reason = "this program is run for what it prints")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let trust = Trust::of([DeviceKey::from_seed(&[1; 32]).id()]);
    let mut bytes = record()?;
    let exceptions = needs_key(&bytes).ok_or("no recipients in the document")?;
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let (mut passed, mut wrong) = (0u64, 0u64);
    for at in 0..bytes.len() {
        let keyed = exceptions.iter().any(|range| range.contains(&at));
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            let key = keyed.then(unlock);
            let report = verify_bytes(&bytes, &trust, key.as_ref())?;
            passed += u64::from(report.status == Status::Sealed);
            let how = if keyed { "with the key" } else { "without a key" };
            *counts.entry((how, name(&report.status))).or_default() += 1;
            // Each flip is read with the key too, once per byte: the frames must be right.
            wrong += u64::from(bit == at % 8 && wrong_frames(&bytes));
            bytes[at] ^= 1 << bit;
        }
    }
    let sound = verify_bytes(&bytes, &trust, Some(&unlock()))?;
    println!(
        "{} bytes, {} flips; unchanged it reads {}",
        bytes.len(),
        8 * bytes.len(),
        sound.status
    );
    for ((how, status), count) in &counts {
        println!("{how:14} {status:9} {count}");
    }
    println!("passed as SEALED: {passed}; wrong frames: {wrong}");
    let failed = passed + wrong > 0 || sound.status != Status::Sealed;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
