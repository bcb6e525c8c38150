//! What goes onto a tape comes back, bit by bit.

use std::collections::BTreeSet;

use beluga_ingest::tape::{Reader, Writer};
use beluga_ingest::{Error, Recording};
use beluga_types::{Measurement, SensorId};

use crate::specimens::{Seeded, rig};
use crate::taped;

/// As `==`, but by bits: 0 and -0 differ. The derived text of a number tells them apart and is
/// exact.
fn same(found: &[Measurement], expected: &[Measurement]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }
}

#[test]
fn every_payload_comes_back_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(1).run(14 * 40);
    let kinds: BTreeSet<String> = run
        .iter()
        .map(|m| format!("{:?}", m.payload).chars().take(24).collect())
        .collect();
    assert!(kinds.len() >= 14, "{kinds:?}");
    let (path, _) = taped(folder.path(), &rig(), &run);
    let reader = Reader::open(&path).unwrap();
    assert!(reader.is_finished());
    same(&reader.collect::<Vec<_>>(), &run);

    let recording = Recording::open(&path).unwrap();
    assert_eq!(*recording.rig(), rig());
    same(&recording.timeline().unwrap().collect::<Vec<_>>(), &run);
    assert_eq!(recording.notes().len(), 1, "{:?}", recording.notes());
    assert!(recording.notes()[0].contains("-12.345678 ms"));
}

/// Behind the data stands the index, in which definitions come in any order.
#[test]
fn the_same_run_gives_the_same_data() {
    let folders = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let run = Seeded(2).run(60);
    let [one, other] = folders.map(|folder| taped(folder.path(), &rig(), &run).1);
    assert_eq!(one.len(), other.len());
    // The footer: magic, sum, two places of which the first is where the index begins.
    let place = one.len() - 8 - 4 - 8 - 8;
    let index = u64::from_le_bytes(one[place..place + 8].try_into().unwrap());
    let data = ..usize::try_from(index).unwrap();
    assert!(one[data] == other[data]);
}

#[test]
fn a_tape_is_never_overwritten_and_takes_only_sensors_of_its_rig() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(3).run(3);
    let (path, _) = taped(folder.path(), &rig(), &run);
    assert!(matches!(Writer::create(&path, &rig()), Err(Error::Io { .. })));
    let mut writer = Writer::create(&folder.path().join("other.mcap"), &rig()).unwrap();
    let mut stranger = run[0].clone();
    stranger.sensor = SensorId(9);
    let error = writer.push(&stranger).unwrap_err().to_string();
    assert!(
        error.contains("sensor 9") && error.contains("other.mcap"),
        "{error}"
    );
}

#[test]
fn kept_counts_what_would_outlive_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mcap");
    let run = Seeded(4).run(200);
    let mut writer = Writer::create(&path, &rig()).unwrap();
    for (index, measurement) in run.iter().enumerate() {
        writer.push(measurement).unwrap();
        if index % 20 == 0 {
            let readable = Reader::open(&path).unwrap();
            assert!(!readable.is_finished());
            let found: Vec<_> = readable.collect();
            let kept = usize::try_from(writer.kept()).unwrap();
            same(&found[..kept], &run[..kept]);
            assert_eq!(found.len(), kept + 1, "and that the tape has no end");
            // A chunk spans a second of data time.
            let open = &run[kept..=index];
            let span = open.last().map_or(0, |last| last.end.nanos_since(open[0].end));
            assert!(span < 1_000_000_000, "{span}");
        }
    }
}

/// Two writers at once, and every definition there is: a map without order would show.
#[test]
fn the_same_run_gives_the_same_file() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let run = Seeded(5).run(14 * 12);
    let [one, two] = std::thread::scope(|scope| {
        folders
            .each_ref()
            .map(|folder| scope.spawn(|| taped(folder.path(), &rig(), &run).1))
            .map(|writer| writer.join().unwrap())
    });
    assert!(one == two, "{} and {} bytes", one.len(), two.len());
    let reader = Reader::new(std::io::Cursor::new(&one[..]), std::path::Path::new("one.mcap")).unwrap();
    assert!(reader.is_finished());
}
