//! What the tests of all formats do alike.

use std::path::{Path, PathBuf};

use beluga_ingest::{Error, Recording};
use beluga_types::{Detections, GapCause, Measurement, Payload, Profile, SonarPing};

/// What a file of this name and content plays by itself.
pub(crate) fn played(name: &str, bytes: &[u8]) -> Result<(Recording, Vec<Measurement>), Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let recording = Recording::open(&path)?;
    let run = recording.timeline()?.collect();
    Ok((recording, run))
}

/// The detections of a measurement, if it is a ping of them.
pub(crate) fn detections(measurement: &Measurement) -> Option<&Detections> {
    match &measurement.payload {
        Payload::Sonar(ping) => match &**ping {
            SonarPing::Detections(detections) => Some(detections),
            _ => None,
        },
        _ => None,
    }
}

/// The profile of a measurement, if it is a ping of one.
pub(crate) fn profile(measurement: &Measurement) -> Option<&Profile> {
    match &measurement.payload {
        Payload::Sonar(ping) => match &**ping {
            SonarPing::Profile(profile) => Some(profile),
            _ => None,
        },
        _ => None,
    }
}

/// Cause, number and words of every gap.
pub(crate) fn gaps(run: &[Measurement]) -> Vec<(GapCause, u64, &str)> {
    let gap = |measurement| match measurement {
        &Measurement {
            payload: Payload::Gap(ref gap),
            ..
        } => Some((gap.cause, gap.lost, gap.detail.as_str())),
        _ => None,
    };
    run.iter().filter_map(gap).collect()
}

/// Numbers that look like chance, the same in every run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    /// Bytes of which some are others.
    pub(crate) fn changed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            changed[at] = self.below(256) as u8;
        }
        changed
    }
}

/// The numbers behind `"key": ` in a text of JSON, in order.
pub(crate) fn numbers(text: &str, key: &str) -> Vec<f64> {
    let key = format!("\"{key}\": ");
    text.match_indices(&key)
        .filter_map(|(at, _)| {
            let rest = &text[at + key.len()..];
            let end = rest.find([',', '\n', '}'])?;
            rest[..end].trim().parse().ok()
        })
        .collect()
}

/// What fuzzing of a format starts from.
fn corpus(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(format)
}

/// The files that fuzzing of a format starts from, and what it has found.
pub(crate) fn seeds(format: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(corpus(format))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// Writes them anew if `BELUGA_MAKE_CORPUS` is set; else nothing.
pub(crate) fn make_seeds(format: &str, files: &[(&str, Vec<u8>)]) {
    if std::env::var_os("BELUGA_MAKE_CORPUS").is_none() {
        return;
    }
    std::fs::create_dir_all(corpus(format)).unwrap();
    for (name, bytes) in files {
        std::fs::write(corpus(format).join(name), bytes).unwrap();
    }
}
