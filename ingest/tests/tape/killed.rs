//! A program that is killed while it tapes: what lies in closed chunks is there.
//!
//! The child is this very test program, asked to run one test with a path in its environment.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use beluga_ingest::tape::{Parts, Reader, Rotation, Row, Writer};

use crate::specimens::{Seeded, rig};
use crate::{is_gap, lost};

const PATH: &str = "BELUGA_TAPE_OF_THE_CHILD";
const SEED: &str = "BELUGA_SEED_OF_THE_CHILD";
/// Each chunk becomes a part.
const PARTS: &str = "BELUGA_CHILD_WRITES_PARTS";
const COUNT: usize = 400;

/// The child: tapes, and says after every measurement how many are kept. Without a path, nothing.
#[test]
fn child_that_tapes() {
    let (Ok(path), Ok(seed)) = (std::env::var(PATH), std::env::var(SEED)) else {
        return;
    };
    let mut writer = match std::env::var(PARTS) {
        Err(_) => Parts::from(Writer::create(path.as_ref(), &rig()).unwrap()),
        Ok(_) => {
            let rotation = Rotation {
                bytes: Some(1),
                length: None,
                keep_bytes: None,
                tell: std::sync::Arc::new(|_| {}),
            };
            Parts::create(path.as_ref(), &rig(), rotation, false).unwrap()
        }
    };
    let mut out = std::io::stdout();
    for (pushed, measurement) in Seeded(seed.parse().unwrap()).run(COUNT).iter().enumerate() {
        writer.push(measurement).unwrap();
        writeln!(out, "taped {} {}", pushed + 1, writer.kept()).unwrap();
    }
    // Killed at the latest here: the tape is never finished.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

/// Lets a child tape so many measurements and kills it; gives how many it had pushed and kept.
fn killed(path: &std::path::Path, seed: u64, stop_after: usize, parts: bool) -> (usize, usize) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if parts {
        command.env(PARTS, "1");
    }
    let mut child = command
        .args([
            "--exact",
            "killed::child_that_tapes",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PATH, path)
        .env(SEED, seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    // The harness may begin the first line with words of its own.
    let last = said
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| Some(line.split_once("taped ")?.1.to_owned()))
        .nth(stop_after - 1)
        .expect("the child tapes more than it is let to");
    child.kill().unwrap();
    child.wait().unwrap();
    let (pushed, kept) = last.split_once(' ').unwrap();
    let (pushed, kept): (usize, usize) = (pushed.parse().unwrap(), kept.parse().unwrap());
    assert_eq!(pushed, stop_after);
    (pushed, kept)
}

/// What is missing at the moment of the kill lay in one open chunk, of less than a second.
fn is_one_chunk(missing: &[beluga_types::Measurement]) -> bool {
    match missing {
        [first, .., last] => last.end.nanos_since(first.end) < 1_000_000_000,
        _ => true,
    }
}

#[test]
fn a_program_that_is_killed_about_a_seam_loses_at_most_one_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Seeded(12);
    for moment in 0..30 {
        let path = folder.path().join(format!("{moment}.mcap"));
        // Behind the first chunk: before it there is nothing to open.
        let stop_after = 100 + random.below(COUNT as u64 - 100) as usize;
        let (pushed, kept) = killed(&path, moment, stop_after, true);
        let run = Seeded(moment).run(COUNT);
        let found: Vec<_> = Row::open(&path).unwrap().collect();
        let own = found
            .iter()
            .zip(&run)
            .take_while(|(found, run)| found == run)
            .count();
        assert!(
            found.len() - own <= 1 && found[own..].iter().all(is_gap),
            "{moment}"
        );
        assert!(own >= kept, "{moment}: {own} of {kept} kept");
        assert!(is_one_chunk(&run[own.min(pushed)..pushed]), "{moment}");
    }
}

#[test]
fn a_killed_program_loses_at_most_one_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Seeded(11);
    for moment in 0..50 {
        let path = folder.path().join(format!("{moment}.mcap"));
        let stop_after = 1 + random.below(COUNT as u64) as usize;
        let (pushed, kept) = killed(&path, moment, stop_after, false);
        let run = Seeded(moment).run(COUNT);
        let reader = Reader::open(&path).unwrap();
        assert!(!reader.is_finished());
        let found: Vec<_> = reader.collect();
        // The last is the gap that says the tape has no end; others are of the run itself.
        let (end, found) = found.split_last().unwrap();
        assert!(is_gap(end) && lost(std::slice::from_ref(end)) <= 1);
        assert!(found.len() >= kept, "{moment}: {} of {kept} kept", found.len());
        assert_eq!(found, &run[..found.len()], "{moment}");
        assert!(is_one_chunk(&run[found.len().min(pushed)..pushed]), "{moment}");
    }
}
