//! A tape in parts: together they are what one file is, alone each is a tape, and the oldest may go.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beluga_ingest::tape::{Parts, Reader, Rotation, Row};
use beluga_ingest::{Error, Recording};
use beluga_types::Measurement;

use crate::specimens::{Seeded, rig};
use crate::{is_gap, lost};

const COUNT: usize = 400;

/// A part for each chunk, or for so much data time.
fn rotation(length: Option<Duration>, keep_bytes: Option<u64>) -> Rotation {
    Rotation {
        bytes: length.is_none().then_some(1),
        length,
        keep_bytes,
        tell: Arc::new(|_| {}),
    }
}

fn wound(folder: &Path, run: &[Measurement], rotation: Rotation) -> (PathBuf, u64) {
    let tape = folder.join("survey.mcap");
    let mut parts = Parts::create(&tape, &rig(), rotation, false).unwrap();
    for measurement in run {
        parts.push(measurement).unwrap();
    }
    (tape, parts.finish().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn played(path: &Path) -> Vec<Measurement> {
    Recording::open(path).unwrap().timeline().unwrap().collect()
}

#[test]
fn a_row_is_played_as_one_by_its_name_its_first_part_or_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(5).run(COUNT);
    let (tape, kept) = wound(folder.path(), &run, rotation(None, None));
    assert_eq!(kept, COUNT as u64);
    let files = files(folder.path());
    assert!(files.len() > 5, "{files:?}");
    assert_eq!(files[0], folder.path().join("survey.0001.mcap"));
    for path in [tape.as_path(), &files[0], folder.path()] {
        let recording = Recording::open(path).unwrap();
        assert_eq!(*recording.rig(), rig());
        assert!(
            recording.timeline().unwrap().eq(run.iter().cloned()),
            "{}",
            path.display()
        );
        let words = format!("a tape in {} parts", files.len());
        assert!(
            recording.notes().iter().any(|note| note.contains(&words)),
            "{:?}",
            recording.notes()
        );
        assert_eq!(recording.inputs()[0].files, files);
    }
}

#[test]
fn each_part_opens_alone() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(6).run(COUNT);
    let (_, kept) = wound(folder.path(), &run, rotation(Some(Duration::from_secs(2)), None));
    assert_eq!(kept, COUNT as u64);
    let files = files(folder.path());
    assert!(files.len() > 2, "{files:?}");
    let mut found = Vec::new();
    for file in &files {
        let reader = Reader::open(file).unwrap();
        assert!(reader.is_finished());
        assert_eq!(*reader.rig(), rig());
        let part: Vec<Measurement> = reader.collect();
        let span = part.last().unwrap().end.duration_since(part[0].end).unwrap();
        assert!(span < Duration::from_secs(6), "{span:?}");
        found.extend(part);
    }
    assert!(found == run, "nothing is lost or told at a seam");
    // One that is not the first plays alone; in a folder of its own so does the first.
    assert_eq!(
        played(&files[1]),
        Reader::open(&files[1]).unwrap().collect::<Vec<_>>()
    );
    let alone = tempfile::tempdir().unwrap();
    std::fs::copy(&files[0], alone.path().join("survey.0001.mcap")).unwrap();
    assert_eq!(
        played(alone.path()),
        Reader::open(&files[0]).unwrap().collect::<Vec<_>>()
    );
}

#[test]
fn the_oldest_parts_go_and_what_is_left_is_played() {
    let (folder, told) = (tempfile::tempdir().unwrap(), Arc::<Mutex<Vec<String>>>::default());
    let run = Seeded(7).run(COUNT);
    let (all, _) = wound(folder.path(), &run, rotation(None, None));
    let size = |folder: &Path| -> Vec<u64> {
        let files = files(folder);
        files.iter().map(|file| file.metadata().unwrap().len()).collect()
    };
    let sizes = size(folder.path());
    let keep: u64 = sizes[sizes.len() - 3..].iter().sum();
    drop(all);
    let folder = tempfile::tempdir().unwrap();
    let telling = told.clone();
    let kept = Rotation {
        tell: Arc::new(move |note: &str| telling.lock().unwrap().push(note.to_owned())),
        ..rotation(None, Some(keep))
    };
    let (tape, left) = wound(folder.path(), &run, kept);
    let sizes = size(folder.path());
    assert!(
        sizes.iter().sum::<u64>() <= keep && sizes.len() >= 2,
        "{sizes:?} of {keep}"
    );
    let found = played(&tape);
    assert_eq!(found.len() as u64, left);
    assert!(
        found == run[COUNT - found.len()..],
        "the newest, and no gap before them"
    );
    let recording = Recording::open(&tape).unwrap();
    let words = format!("the first {} measurements", COUNT as u64 - left);
    assert!(
        recording.notes().iter().any(|note| note.contains(&words)),
        "{:?}",
        recording.notes()
    );
    assert_eq!(told.lock().unwrap().len(), 1, "{told:?}");
    // The one that is written stays, however large.
    let folder = tempfile::tempdir().unwrap();
    let (tape, left) = wound(folder.path(), &run, rotation(None, Some(1)));
    assert!(left > 0 && played(&tape).len() as u64 == left);
}

#[test]
fn a_part_that_is_not_there_is_a_counted_gap() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(8).run(COUNT);
    let (tape, _) = wound(folder.path(), &run, rotation(None, None));
    let files = files(folder.path());
    let missing = Reader::open(&files[2]).unwrap().count() as u64;
    std::fs::remove_file(&files[2]).unwrap();
    let found = played(&tape);
    let told: Vec<_> = found
        .iter()
        .filter(|one| is_gap(one) && !run.contains(one))
        .cloned()
        .collect();
    assert_eq!((told.len(), lost(&told)), (1, missing));
    assert_eq!(found.len() as u64, COUNT as u64 - missing + 1);
    assert!(found.is_sorted_by_key(|one| one.end));
}

/// As a kill leaves it: whatever there is of the part behind the seam.
#[test]
fn a_row_that_was_killed_at_a_seam_opens() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(9).run(COUNT);
    let (tape, _) = wound(folder.path(), &run, rotation(None, None));
    let files = files(folder.path());
    for later in &files[3..] {
        std::fs::remove_file(later).unwrap();
    }
    let third = std::fs::read(&files[2]).unwrap();
    let before: usize = files[..2]
        .iter()
        .map(|file| Reader::open(file).unwrap().count())
        .sum();
    let whole = before + Reader::open(&files[2]).unwrap().count();
    for cut in (0..third.len())
        .step_by(third.len() / 50 + 1)
        .chain([third.len() - 1])
    {
        std::fs::write(&files[2], &third[..cut]).unwrap();
        let found = played(&tape);
        let own = found.iter().filter(|one| run.contains(one)).count();
        assert!(own == before || own == whole, "{cut}: {own}");
        assert!(found.len() - own <= 1 && found[..own] == run[..own], "{cut}");
    }
    std::fs::remove_file(&files[2]).unwrap();
    assert!(played(&tape) == run[..before]);
    let row = Row::open(&tape).unwrap();
    assert!(row.is_finished() && row.files() == &files[..2]);
}

#[test]
fn what_is_there_is_not_written_over_and_a_stranger_is_none_of_the_row() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(10).run(COUNT);
    // Another survey's part, at a number that this one will reach.
    let (_, _) = wound(folder.path(), &run, rotation(None, None));
    let stranger = files(folder.path()).swap_remove(3);
    for file in files(folder.path()).iter().filter(|file| **file != stranger) {
        std::fs::remove_file(file).unwrap();
    }
    let tape = folder.path().join("survey.mcap");
    let refused = Parts::create(&tape, &rig(), rotation(None, None), false);
    assert!(matches!(refused, Err(Error::Io { path, .. }) if path == stranger));
    let misnamed = Parts::create(
        &folder.path().join("survey.tape"),
        &rig(),
        rotation(None, None),
        false,
    );
    assert!(misnamed.is_err());

    let other = tempfile::tempdir().unwrap();
    let (tape, _) = wound(other.path(), &Seeded(11).run(COUNT), rotation(None, None));
    std::fs::copy(&stranger, other.path().join("survey.9999.mcap")).unwrap();
    assert!(played(&tape) == Seeded(11).run(COUNT));
}
