//! What damage inside an EK80 file loses, channel by channel.

#![allow(clippy::unwrap_used)]

use beluga_ingest::Recording;
use beluga_types::Payload;

mod ek80_file;

/// Where the datagrams of a file start, and their types.
fn starts(bytes: &[u8]) -> Vec<(usize, [u8; 4])> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = u32::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
        found.push((at, *bytes[at + 4..].first_chunk().unwrap()));
        at += length + 8;
    }
    found
}

/// Whole pings, and gaps as they count, of one channel of a file by itself.
fn played(bytes: &[u8], channel: &str) -> (usize, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.raw");
    std::fs::write(&path, bytes).unwrap();
    let recording = Recording::open(&path).unwrap();
    let sensors = &recording.rig().sensors;
    let index = sensors.iter().position(|sensor| sensor.name == channel).unwrap();
    let (mut whole, mut gaps) = (0, Vec::new());
    for found in recording.timeline().unwrap() {
        match found.payload {
            _ if usize::from(found.sensor.0) != index => {}
            Payload::Gap(gap) => gaps.push(gap.lost),
            _ => whole += 1,
        }
    }
    (whole, gaps)
}

#[test]
fn damage_over_several_datagrams_is_a_loss_of_every_channel() {
    let bytes = ek80_file::file(6);
    let pings: Vec<usize> = starts(&bytes)
        .into_iter()
        .filter(|(_, kind)| kind == b"RAW3")
        .map(|(at, _)| at)
        .collect();
    // From the body of the chirp's second ping to that of its fourth.
    let mut damaged = bytes.clone();
    damaged[pings[2] + 20..pings[6] + 200].fill(0);
    assert_eq!(played(&damaged, "chirp"), (3, vec![1]));
    assert_eq!(played(&damaged, "tone"), (4, vec![1]));
    // From the tone's first to the tone's third.
    let mut damaged = bytes.clone();
    damaged[pings[1] + 200..pings[5] + 200].fill(0);
    assert_eq!(played(&damaged, "chirp"), (4, vec![1]));
    assert_eq!(played(&damaged, "tone"), (3, vec![1]));
    // One ping alone is one channel's, whichever of its lengths is damaged.
    let behind = starts(&bytes)
        .into_iter()
        .map(|(at, _)| at)
        .find(|&at| at > pings[2])
        .unwrap();
    for at in [pings[2], behind - 4] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        assert_eq!(played(&damaged, "chirp"), (5, vec![1]));
        assert_eq!(played(&damaged, "tone"), (6, vec![]));
    }
}

#[test]
fn a_whole_ping_whose_channel_id_is_damaged_is_lost_to_one_channel() {
    let bytes = ek80_file::file(4);
    let pings: Vec<usize> = starts(&bytes)
        .into_iter()
        .filter(|(_, kind)| kind == b"RAW3")
        .map(|(at, _)| at)
        .collect();
    // A byte of the name `chirp`, then of `tone`.
    for (ping, byte, of_chirp, of_tone) in [
        (2, 17, (3, vec![1]), (4, vec![])),
        (3, 18, (4, vec![]), (3, vec![1])),
        (3, 16, (4, vec![]), (3, vec![1])),
    ] {
        let mut damaged = bytes.clone();
        damaged[pings[ping] + byte] ^= 0x20;
        assert_eq!(played(&damaged, "chirp"), of_chirp, "{ping} {byte}");
        assert_eq!(played(&damaged, "tone"), of_tone, "{ping} {byte}");
        damaged[pings[ping]] ^= 0x40;
        assert_eq!(played(&damaged, "chirp"), of_chirp, "length too, {ping} {byte}");
        assert_eq!(played(&damaged, "tone"), of_tone, "length too, {ping} {byte}");
        let summary = beluga_ingest::ek80::summary_of(std::io::Cursor::new(&damaged), "a.raw".as_ref());
        assert_eq!(summary.unwrap().damaged.0, 1);
    }
}

#[test]
fn lost_parameters_make_a_ping_unsure_behind_other_channels_pings_too() {
    let bytes = ek80_file::file(3);
    let kinds = starts(&bytes);
    let pings: Vec<usize> = (0..kinds.len())
        .filter(|&index| &kinds[index].1 == b"RAW3")
        .collect();
    let mut damaged = bytes.clone();
    damaged[kinds[pings[3] - 1].0] ^= 0x40;
    assert_eq!(played(&damaged, "tone"), (2, vec![0, 1]));
    assert_eq!(played(&damaged, "chirp"), (3, vec![0]));
    // The tone's are damaged, and a ping of the chirp stands between.
    let (parameters, own) = (kinds[pings[3] - 1].0..kinds[pings[3]].0, kinds[pings[2]].0);
    let mut moved = bytes.clone();
    let mut first = bytes[parameters.clone()].to_vec();
    first[0] ^= 0x40;
    moved.drain(parameters);
    moved.splice(own..own, first);
    assert_eq!(played(&moved, "tone").0, 2, "the ping between takes nothing away");
}

#[test]
fn a_lost_stage_loses_its_channel_and_no_other() {
    let bytes = ek80_file::file(2);
    let stages: Vec<usize> = starts(&bytes)
        .into_iter()
        .filter(|(_, kind)| kind == b"FIL1")
        .map(|(at, _)| at)
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.raw");
    let open = |lost: &[usize], change: usize| {
        let mut damaged = bytes.clone();
        lost.iter().for_each(|&at| damaged[at + change] ^= 1);
        std::fs::write(&path, &damaged).unwrap();
        let recording = Recording::open(&path).unwrap();
        let names: Vec<_> = recording
            .rig()
            .sensors
            .iter()
            .map(|spec| spec.name.clone())
            .collect();
        let run: Vec<_> = recording.timeline().unwrap().collect();
        let pings = run
            .iter()
            .filter(|found| matches!(found.payload, Payload::Sonar(_)));
        (names, pings.count(), recording.notes().join("\n"))
    };
    // Its length, and the upper byte of its number of coefficients.
    for change in [0, 16 + 133] {
        for lost in [&stages[..1], &stages[1..], &stages[..]] {
            let (names, pings, notes) = open(lost, change);
            assert_eq!((names, pings), (vec!["tone".to_owned()], 2), "{lost:?} {change}");
            assert!(notes.contains("none of its 2 ping(s) can be read"), "{notes}");
        }
    }
    // Stages that come anew are taken.
    let mut damaged = bytes.clone();
    damaged[stages[0]] ^= 1;
    let anew = bytes[stages[0]..stages[1] + (stages[1] - stages[0])].to_vec();
    let at = starts(&bytes)
        .iter()
        .filter(|(_, kind)| kind == b"NME0")
        .nth(1)
        .unwrap()
        .0;
    damaged.splice(at..at, anew);
    assert_eq!(played(&damaged, "chirp"), (1, vec![0, 1]));
}
