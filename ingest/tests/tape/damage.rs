//! Tapes that were cut, bent, or never were one.

use std::io::Cursor;
use std::path::Path;

use beluga_ingest::tape::Reader;
use beluga_ingest::{Error, Recording};
use beluga_types::{GapCause, Measurement, Payload};

use crate::specimens::{Seeded, rig};
use crate::{is_gap, lost, read, taped};

/// A small run without gaps of its own, so that every gap is the reader's.
fn run(count: usize) -> Vec<Measurement> {
    let mut run = Seeded(5).run(count);
    run.retain(|measurement| !is_gap(measurement));
    run
}

fn check_prefix(found: &[Measurement], run: &[Measurement], what: &str) -> usize {
    let whole = found.iter().filter(|m| !is_gap(m)).count();
    let good = found.iter().filter(|m| !is_gap(m));
    assert!(good.eq(&run[..whole]), "{what}: not a prefix");
    assert!(found.is_sorted_by_key(|m| m.end), "{what}: not in order");
    whole
}

#[test]
fn every_truncation_opens_to_the_last_whole_chunk() {
    let folder = tempfile::tempdir().unwrap();
    // Few kinds, so that the schemas do not make most of the bytes.
    let mut run = run(30);
    run.retain(|m| {
        matches!(
            m.payload,
            Payload::Lidar(_) | Payload::Depth(_) | Payload::Clock(_)
        )
    });
    let (_, bytes) = taped(folder.path(), &rig(), &run);
    assert!(run.len() > 5 && bytes.len() < 20_000, "{} bytes", bytes.len());
    let (mut opened, mut longest) = (0, 0);
    for cut in 0..bytes.len() {
        let what = format!("cut at {cut}");
        let Some(found) = read(&bytes[..cut]) else {
            assert_eq!(opened, 0, "{what}: opens no more");
            continue;
        };
        opened += 1;
        let whole = check_prefix(&found, &run, &what);
        assert!(whole >= longest, "{what}: less than of a shorter tape");
        longest = whole;
        // An end that is missing is told, unless all data and their end are there.
        assert!(found.len() > whole || whole == run.len(), "{what}: silent");
    }
    assert_eq!(longest, run.len());
    assert!(opened > bytes.len() / 2, "{opened}");
    assert_eq!(read(&bytes).unwrap(), run);
}

#[test]
fn a_bent_bit_is_noticed_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(28);
    let (_, bytes) = taped(folder.path(), &rig(), &run);
    let mut random = Seeded(6);
    for _ in 0..250 {
        let mut bent = bytes.clone();
        let (at, bit) = (random.below(bytes.len() as u64) as usize, random.below(8));
        bent[at] ^= 1 << bit;
        let Some(found) = read(&bent) else { continue };
        let mut expected = run.iter();
        for good in found.iter().filter(|m| !is_gap(m)) {
            assert!(
                expected.any(|e| e == good),
                "byte {at} bit {bit}: an invented measurement"
            );
        }
        let came = found.iter().filter(|m| !is_gap(m)).count();
        if came < run.len() {
            assert!(
                came as u64 + lost(&found) >= run.len() as u64,
                "byte {at} bit {bit}: {came} of {} came, {} told lost",
                run.len(),
                lost(&found)
            );
        }
    }
}

#[test]
fn a_damaged_chunk_is_counted_and_the_next_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(60);
    let (_, bytes) = taped(folder.path(), &rig(), &run);
    // The middle of the file lies in a chunk; its index behind it says what it held.
    let mut bent = bytes.clone();
    let middle = bytes.len() / 4;
    bent[middle..middle + 40].fill(0xff);
    let found = read(&bent).unwrap();
    let came = found.iter().filter(|m| !is_gap(m)).count() as u64;
    assert!(came < run.len() as u64 && came > 0);
    assert_eq!(
        came + lost(&found),
        run.len() as u64,
        "counted in = counted out + lost"
    );
    assert!(found.is_sorted_by_key(Measurement::order));
}

#[test]
fn random_bytes_in_the_middle_do_not_hide_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(60);
    let (_, bytes) = taped(folder.path(), &rig(), &run);
    // In the last chunk there is nothing behind the hole.
    let last = bytes.windows(8).rposition(|w| w == b"\x04\0\0\0zstd").unwrap() - 37;
    let holes = bytes.len() / 4..(bytes.len() / 2).min(last - 200);
    let mut random = Seeded(7);
    for _ in 0..30 {
        let at = holes.start + random.below(holes.len() as u64) as usize;
        let junk: Vec<u8> = (0..random.below(300)).map(|_| random.bits() as u8).collect();
        let holed = [&bytes[..at], &junk, &bytes[at + random.below(200) as usize..]].concat();
        let found = read(&holed).unwrap();
        let last = found.iter().rfind(|m| !is_gap(m)).unwrap();
        assert_eq!(last, run.last().unwrap(), "what stands behind the hole at {at}");
    }
}

/// Lengths beyond everything: in a record, a chunk, a message. Nothing is allocated for them.
#[test]
fn absurd_lengths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(14);
    let (_, bytes) = taped(folder.path(), &rig(), &run);
    for at in (0..bytes.len() - 8).step_by(41) {
        let mut bent = bytes.clone();
        bent[at..at + 8].copy_from_slice(&0x7fff_ffff_ffff_fff0u64.to_le_bytes());
        if let Some(found) = read(&bent) {
            assert!(found.len() <= run.len() + 10);
        }
    }
}

#[test]
fn what_is_no_tape_says_so_once() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, bytes: &[u8], words: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = Recording::open(&path).unwrap_err().to_string();
        for word in words.iter().chain(&[name]) {
            assert!(error.contains(word), "`{word}` is missing in: {error}");
        }
    };
    check("text.mcap", b"Dear diary,\n", &["byte 0", "MCAP", "Dear dia"]);
    check("empty.mcap", b"", &["nothing"]);
    check(
        "magic.mcap",
        mcap::MAGIC,
        &["no topic plays", "no topics are in it"],
    );
    let (_, bytes) = taped(folder.path(), &rig(), &run(14));
    let chunk = bytes.windows(8).position(|w| w == b"\x04\0\0\0zstd").unwrap() - 37;
    check("early.mcap", &bytes[..chunk + 60], &["lost"]);
    check("no-data.mcap", &bytes[..chunk], &["nothing", "chunk"]);
}

/// Another program's file: its topics are listed with their schemas and counts.
#[test]
fn foreign_topics_are_listed_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.mcap");
    let mut writer = mcap::Writer::new(std::fs::File::create(&path).unwrap()).unwrap();
    let schema = writer
        .add_schema("std_msgs/msg/String", "ros2msg", b"string data\n")
        .unwrap();
    let channel = writer
        .add_channel(schema, "/chatter", "cdr", &Default::default())
        .unwrap();
    for sequence in 0..7 {
        let header = mcap::records::MessageHeader {
            channel_id: channel,
            sequence,
            log_time: 5,
            publish_time: 5,
        };
        writer
            .write_to_known_channel(&header, b"\0\x01\0\0\x02\0\0\0a\0")
            .unwrap();
    }
    writer.finish().unwrap();
    drop(writer);
    let error = Recording::open(&path).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }));
    let error = error.to_string();
    for word in ["/chatter", "std_msgs/msg/String", "7 messages", "other.mcap"] {
        assert!(error.contains(word), "{error}");
    }
}

/// A measurement that stands too late on a tape is a loss in its order, not a step back in time.
#[test]
fn a_step_back_in_time_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(20);
    run.swap(6, 12);
    let (_, bytes) = taped(folder.path(), &rig(), &run);
    let found: Vec<_> = Reader::new(Cursor::new(&bytes[..]), Path::new("x.mcap"))
        .unwrap()
        .collect();
    assert!(found.is_sorted_by_key(|m| m.end));
    let late = found
        .iter()
        .filter(|m| matches!(&m.payload, Payload::Gap(gap) if gap.cause == GapCause::Late))
        .count();
    assert_eq!((late, found.len()), (6, run.len()));
}
