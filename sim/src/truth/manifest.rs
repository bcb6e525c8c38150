//! `manifest.json`: the SHA-256 of every file of a recording and of its truth, and what made them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Truth;
use super::file::{TRUTH, VERSION, content, read_capped};
use super::writer::io;
use crate::error::Error;

const MANIFEST: &str = "manifest.json";
/// Bytes of a file that are hashed at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Folders within folders of a recording; more is a loop of links.
const DEEPEST: usize = 8;

/// The SHA-256 of a file or of a whole recording, as 64 hexadecimal digits. That of a folder is taken over
/// the lines `DIGEST  PATH` of its files, by path, as `sha256sum` prints them.
pub type Digest = String;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Version of the layout.
    beluga_truth: u32,
    /// The program and its version.
    made_by: String,
    /// What the scenario is called.
    scenario: String,
    seed: u64,
    /// What the truth belongs to.
    recording: Option<Recording>,
    /// Every other file of the truth.
    truth: Files,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    /// Of the whole recording.
    sha256: Digest,
    files: Files,
}

/// By path from the folder, with `/` between its parts.
type Files = BTreeMap<String, Entry>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bytes: u64,
    sha256: Digest,
}

/// Writes the manifest of a truth; gives the digest of the recording.
pub(super) fn write(
    dir: &Path,
    recording: Option<&Path>,
    scenario: &str,
    seed: u64,
) -> Result<Option<Digest>, Error> {
    let recording = recording
        .map(|path| -> Result<Recording, Error> {
            let files = files_of(path)?;
            Ok(Recording {
                sha256: whole(path, &files),
                files,
            })
        })
        .transpose()?;
    let digest = recording.as_ref().map(|recording| recording.sha256.clone());
    let manifest = Manifest {
        beluga_truth: VERSION,
        made_by: concat!("beluga-sim ", env!("CARGO_PKG_VERSION")).to_owned(),
        scenario: scenario.to_owned(),
        seed,
        recording,
        truth: truth_files(dir)?,
    };
    let path = dir.join(MANIFEST);
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| io("writing", error.into(), &path))?;
    fs::write(&path, text + "\n").map_err(|source| io("writing", source, &path))?;
    Ok(digest)
}

impl Truth {
    /// Whether a truth's folder has a manifest: one whose simulation was stopped has none.
    pub fn is_finished(dir: &Path) -> bool {
        dir.join(MANIFEST).exists()
    }

    /// Checks every file of a truth against its manifest.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no manifest or a file cannot be read, [`Error::Recording`] with the
    /// first file that is missing, too many or changed.
    pub fn verify(dir: &Path) -> Result<(), Error> {
        let manifest = read(dir)?;
        compare(&manifest.truth, &truth_files(dir)?, dir)
    }

    /// Checks that a truth belongs to a recording: a folder or a tape, byte for byte as it was
    /// simulated.
    ///
    /// # Errors
    /// As [`Self::verify`], about the files of the recording.
    pub fn verify_recording(dir: &Path, recording: &Path) -> Result<(), Error> {
        let manifest = read(dir)?;
        let Some(expected) = manifest.recording else {
            return Err(Error::Recording {
                expected: "none, since it was made without one".into(),
                found: "a recording".into(),
                path: recording.to_owned(),
            });
        };
        let mut found = files_of(recording)?;
        if let (true, Some((name, _))) = (recording.is_file(), expected.files.first_key_value()) {
            // A tape may have got another name.
            found = found.into_values().map(|entry| (name.clone(), entry)).collect();
        }
        compare(&expected.files, &found, recording)
    }
}

fn read(dir: &Path) -> Result<Manifest, Error> {
    let path = dir.join(MANIFEST);
    let text = read_capped(&path)?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
        content(
            "a manifest as `beluga sim` writes it",
            error.to_string(),
            error.line(),
            &path,
        )
    })?;
    if manifest.beluga_truth != VERSION {
        return Err(Error::Version {
            expected: VERSION,
            found: manifest.beluga_truth.to_string(),
            path,
        });
    }
    Ok(manifest)
}

/// The first difference, as an error.
fn compare(expected: &Files, found: &Files, dir: &Path) -> Result<(), Error> {
    let wrong = |expected: String, found: String, name: &str| {
        let path = if dir.is_file() {
            dir.to_owned()
        } else {
            dir.join(name)
        };
        Err(Error::Recording {
            expected,
            found,
            path,
        })
    };
    for (name, entry) in expected {
        match found.get(name) {
            None => return wrong(format!("{} bytes", entry.bytes), "no such file".into(), name),
            Some(other) if other.bytes != entry.bytes => {
                return wrong(format!("{} bytes", entry.bytes), other.bytes.to_string(), name);
            }
            Some(other) if other.sha256 != entry.sha256 => {
                return wrong(format!("SHA-256 {}", entry.sha256), other.sha256.clone(), name);
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|name| !expected.contains_key(*name)) {
        Some(name) => wrong("no such file".into(), "one".into(), name),
        None => Ok(()),
    }
}

/// All files of a truth but its manifest.
fn truth_files(dir: &Path) -> Result<Files, Error> {
    let mut files = files_of(dir)?;
    files.remove(MANIFEST);
    Ok(files)
}

/// Every file of a folder, but those of a truth in it; or the one file.
fn files_of(path: &Path) -> Result<Files, Error> {
    let mut files = Files::new();
    if path.is_file() {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.insert(name, entry(path)?);
        return Ok(files);
    }
    let mut folders: Vec<(PathBuf, String, usize)> = vec![(path.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        if depth > 0 && folder.join(TRUTH).is_file() {
            continue;
        }
        let listed = fs::read_dir(&folder).map_err(|source| io("reading", source, &folder))?;
        for item in listed {
            let at = item.map_err(|source| io("reading", source, &folder))?.path();
            let name = at.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{prefix}{name}");
            if at.is_file() {
                files.insert(name, entry(&at)?);
            } else if depth < DEEPEST {
                folders.push((at, name + "/", depth + 1));
            }
        }
    }
    Ok(files)
}

fn entry(path: &Path) -> Result<Entry, Error> {
    let failed = |source| io("reading", source, path);
    let mut file = File::open(path).map_err(failed)?;
    let mut piece = vec![0; PIECE_BYTES];
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    loop {
        match file.read(&mut piece).map_err(failed)? {
            0 => break,
            count => {
                hasher.update(&piece[..count]);
                bytes += count as u64;
            }
        }
    }
    Ok(Entry {
        bytes,
        sha256: hex(&hasher.finalize()),
    })
}

/// The digest of a whole recording.
fn whole(path: &Path, files: &Files) -> Digest {
    match files.first_key_value() {
        Some((_, entry)) if path.is_file() => entry.sha256.clone(),
        _ => {
            let mut hasher = Sha256::new();
            for (name, entry) in files {
                hasher.update(format!("{}  {name}\n", entry.sha256));
            }
            hex(&hasher.finalize())
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recording of two files and its truth of one, as a manifest sees them.
    fn recording() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("lidar")).unwrap();
        fs::create_dir_all(folder.path().join("truth")).unwrap();
        fs::write(folder.path().join("rig.toml"), "abc").unwrap();
        fs::write(folder.path().join("lidar/0.ply"), "").unwrap();
        fs::write(folder.path().join("truth/truth.json"), "{}").unwrap();
        folder
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        let folder = recording();
        // FIPS 180-4, examples for "abc" and the empty message.
        let files = files_of(folder.path()).unwrap();
        let digests: Vec<&str> = files.values().map(|entry| entry.sha256.as_str()).collect();
        assert_eq!(
            digests,
            [
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            ]
        );
        assert_eq!(files.keys().collect::<Vec<_>>(), ["lidar/0.ply", "rig.toml"]);
    }

    #[test]
    fn one_changed_byte_is_found_and_named() {
        let folder = recording();
        let (dir, truth) = (folder.path(), folder.path().join("truth"));
        let digest = write(&truth, Some(dir), "sample", 1).unwrap().unwrap();
        assert_eq!(digest.len(), 64);
        Truth::verify(&truth).unwrap();
        Truth::verify_recording(&truth, dir).unwrap();
        for (name, bytes, told) in [
            ("rig.toml", "abd", "SHA-256"),
            ("rig.toml", "abcd", "expected 3 bytes, found 4"),
            ("more.csv", "x", "expected no such file, found one"),
        ] {
            let path = dir.join(name);
            let before = fs::read(&path).ok();
            fs::write(&path, bytes).unwrap();
            let said = Truth::verify_recording(&truth, dir).unwrap_err().to_string();
            assert!(said.contains(told) && said.ends_with(name), "{said}");
            Truth::verify(&truth).unwrap();
            match before {
                Some(before) => fs::write(&path, before).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
        }
        fs::remove_file(dir.join("lidar/0.ply")).unwrap();
        let said = Truth::verify_recording(&truth, dir).unwrap_err().to_string();
        assert!(said.contains("found no such file"), "{said}");
        fs::write(truth.join("truth.json"), "{ }").unwrap();
        assert!(Truth::verify(&truth).is_err());
    }

    #[test]
    fn a_tape_may_be_renamed_and_a_truth_alone_belongs_to_nothing() {
        let folder = recording();
        let (tape, other) = (folder.path().join("a.mcap"), folder.path().join("b.mcap"));
        fs::write(&tape, "tape").unwrap();
        let truth = folder.path().join("truth");
        write(&truth, Some(&tape), "sample", 1).unwrap();
        fs::rename(&tape, &other).unwrap();
        Truth::verify_recording(&truth, &other).unwrap();
        write(&truth, None, "sample", 1).unwrap();
        let said = Truth::verify_recording(&truth, &other).unwrap_err().to_string();
        assert!(said.contains("made without one"), "{said}");
    }
}
