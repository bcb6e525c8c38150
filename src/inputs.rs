//! SHA-256 of what a recording is read from, while it is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use beluga_ingest::Input;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What is read at once.
const PIECE: usize = 1 << 20;

/// The digest of every input, nothing if there are none. What cannot be read to its end, or not before
/// `stop` is set, has none.
///
/// Of one file it is that of its bytes; of several that of lines `SHA-256`, two spaces, name, in order of
/// name: what `sha256sum * | sha256sum` says in that folder.
pub(crate) fn hashed(inputs: &[Input], stop: &AtomicBool) -> Option<Value> {
    (!inputs.is_empty()).then(|| inputs.iter().map(|input| hashed_one(input, stop)).collect())
}

fn hashed_one(input: &Input, stop: &AtomicBool) -> Value {
    let found = of_files(input, stop).ok();
    json!({
        "name": input.name,
        "role": input.role.name(),
        "sensors": input.sensors.iter().map(|sensor| sensor.0).collect::<Vec<_>>(),
        "files": input.files.len(),
        "bytes": found.as_ref().map(|(bytes, _)| bytes),
        "sha256": found.as_ref().map(|(_, sha256)| sha256),
    })
}

fn of_files(input: &Input, stop: &AtomicBool) -> io::Result<(u64, String)> {
    if let [only] = input.files.as_slice() {
        return of_file(only, stop);
    }
    let (mut bytes, mut lines) = (0, Sha256::new());
    for path in &input.files {
        let (length, sha256) = of_file(path, stop)?;
        bytes += length;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lines.update(format!("{sha256}  {name}\n"));
    }
    Ok((bytes, hex(&lines.finalize())))
}

/// Length and digest of a file.
///
/// # Errors
/// If it cannot be read, or `stop` is set meanwhile.
pub(crate) fn of_file(path: &Path, stop: &AtomicBool) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut bytes, mut hash) = (0, Sha256::new());
    let mut piece = vec![0; PIECE];
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match file.read(&mut piece) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(read) => {
                bytes += read as u64;
                hash.update(&piece[..read]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use beluga_ingest::Role;

    use super::*;

    fn input(files: Vec<PathBuf>) -> Input {
        Input {
            name: "lidar".into(),
            role: Role::Data,
            sensors: vec![beluga_types::SensorId(2)],
            files,
        }
    }

    #[test]
    fn digests_are_those_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a"), "a = 1").unwrap();
        std::fs::write(at("b"), "").unwrap();
        let go = AtomicBool::new(false);
        // `printf 'a = 1' | sha256sum`
        let one = hashed(&[input(vec![at("a")])], &go).unwrap();
        let sha256 = "b5bc1ffd90912fb18bef6e7d80909192c7a6492896320156d67fbaf104c6544a";
        assert_eq!(
            one,
            json!([{ "name": "lidar", "role": "data", "sensors": [2], "files": 1, "bytes": 5, "sha256": sha256 }])
        );
        // `sha256sum a b | sha256sum`
        let two = hashed(&[input(vec![at("a"), at("b")])], &go).unwrap();
        assert_eq!((&two[0]["files"], &two[0]["bytes"]), (&json!(2), &json!(5)));
        assert_eq!(
            two[0]["sha256"],
            "9c86a3b7a95f96dd5000fdbb0851c7c91bc680ab21211e4d8a4b96812ad2e535"
        );
        assert_eq!(hashed(&[], &go), None);
    }

    #[test]
    fn what_is_not_read_whole_has_no_digest() {
        let folder = tempfile::tempdir().unwrap();
        let gone = hashed(
            &[input(vec![folder.path().join("gone")])],
            &AtomicBool::new(false),
        )
        .unwrap();
        assert_eq!(
            (&gone[0]["sha256"], &gone[0]["bytes"]),
            (&Value::Null, &Value::Null)
        );
        std::fs::write(folder.path().join("a"), "a").unwrap();
        let stopped = hashed(&[input(vec![folder.path().join("a")])], &AtomicBool::new(true)).unwrap();
        assert_eq!(stopped[0]["sha256"], Value::Null);
    }
}
