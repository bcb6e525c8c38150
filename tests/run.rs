//! `beluga run` as a user meets it: documents that run, documents that may not, records run once more.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use std::path::Path;

use beluga_sinks::document::{Level, read};
use serde_json::Value;
use user::{check, says};

const DOCUMENT: &str = "---
maml_version: \"1.0.0\"
id: \"urn:uuid:8b0f5c3e-61f4-4f0e-8a27-2f4f0f2a9d10\"
type: \"workflow\"
origin: \"agent://crew\"
permissions:
  read: [\"agent://*\"]
  write: [\"agent://beluga\"]
  execute: [\"agent://beluga\"]
created_at: \"2026-04-11T06:00:00Z\"
---
# East quay

## Intent
Survey the quay after winter.

## Context
Sheet piles.

## Input_Schema
```json
{\"type\": \"object\", \"properties\": {\"lidar\": {\"minItems\": 1}, \"sonar\": {\"minItems\": 1}}}
```

## Code_Blocks
```toml beluga
[fusion]
window_millis = 100
lidar_voxel_m = 0.5
```
```python
open('ran', 'w')
```

## Output_Schema
```json
{\"type\": \"object\", \"properties\": {\"points\": {\"type\": \"array\", \"items\": {\"required\": [\"x\", \"sigma_range_m\"]}}}}
```

## History
- 2026-04-11T06:00:00Z: [CREATE] written
";

fn simulated(home: &Path) {
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.5", "--out", "rec"],
        0,
    );
}

#[test]
fn a_document_runs_and_its_record_runs_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    simulated(home);
    let path = home.join("quay.maml.md");
    std::fs::write(&path, DOCUMENT).unwrap();
    let arguments = [
        "run",
        "quay.maml.md",
        "--input",
        "rec",
        "--out",
        "quay.maml",
        "--view",
        "none",
    ];
    let (out, told) = check(home, &arguments, 0);
    says(&out, &["frames", "quay.maml"]);
    says(&told, &["shown, never executed:", "open('ran', 'w')"]);
    assert!(!home.join("ran").exists());

    // History has one line more, all else is as it was.
    let after = std::fs::read_to_string(&path).unwrap();
    let line = after.strip_prefix(DOCUMENT).unwrap();
    says(
        line,
        &[
            "Z: [EXECUTE] beluga ",
            " fused rec into quay.maml: ",
            " frames, SHA-256 ",
        ],
    );
    assert_eq!(line.matches('\n').count(), 1);
    assert_eq!(read(after.as_bytes(), None).findings, []);

    // The record's document is that document's, with the config that was used.
    let head = beluga_sinks::document::head_of(&std::fs::read(home.join("quay.maml")).unwrap()[..]).unwrap();
    let reading = read(&head, None);
    assert!(reading.worst() < Some(Level::Warning), "{:?}", reading.findings);
    let document = reading.document.unwrap();
    assert_eq!(document.title.as_deref(), Some("East quay"));
    assert_eq!(
        document.section("Intent").unwrap().trim(),
        "Survey the quay after winter."
    );
    assert_eq!(
        document.output_schema,
        read(DOCUMENT.as_bytes(), None).document.unwrap().output_schema
    );
    says(
        &document.history.last().unwrap().text,
        &["run by the document urn:uuid:8b0f5c3e"],
    );
    let config = document
        .code_blocks
        .iter()
        .find(|block| block.info == "toml beluga")
        .unwrap();
    says(&config.text, &["lidar_voxel_m = 0.5"]);

    // Once more from the record: the same bytes, and nothing is left beside it.
    let names = || {
        std::fs::read_dir(home)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect::<Vec<_>>()
            .len()
    };
    let before = names();
    let (out, _) = check(home, &["--json", "run", "quay.maml", "--input", "rec"], 0);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["same"], true);
    assert_eq!(found["recorded_sha256"], found["reproduced_sha256"]);
    says(line, &[found["recorded_sha256"].as_str().unwrap()]);
    assert_eq!(names(), before);

    // Of another recording the frames are others, and it is said by how much.
    check(
        home,
        &[
            "sim",
            "--scene",
            "sample",
            "--seconds",
            "0.5",
            "--seed",
            "9",
            "--out",
            "other",
        ],
        0,
    );
    let (out, _) = check(home, &["--json", "run", "quay.maml", "--input", "other"], 1);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["same"], false);
    assert!(
        found["difference"]["first"].is_u64() && found["difference"]["pose_m"].as_f64().unwrap() >= 0.0,
        "{out}"
    );
    assert_eq!(names(), before + 1);

    // Another reader's copy is run once more with his key, not with this machine's.
    check(home, &["maml", "keygen", "--key-file", "port.key"], 0);
    let to = ["--to-key-file", "port.key", "--only", "--out", "port.maml"];
    check(home, &[&["maml", "rewrap", "quay.maml"], &to[..]].concat(), 0);
    check(home, &["run", "port.maml", "--input", "rec"], 5);
    let (out, _) = check(
        home,
        &["run", "port.maml", "--input", "rec", "--key-file", "port.key"],
        0,
    );
    says(&out, &["same bytes"]);
}

#[test]
fn clocks_that_were_shifted_are_shifted_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    simulated(home);
    let shifted = [
        "replay",
        "rec",
        "--clock-offset",
        "sonar=0.05",
        "--out",
        "late.maml",
        "--view",
        "none",
    ];
    check(home, &shifted, 0);
    let (out, told) = check(home, &["run", "late.maml", "--input", "rec"], 0);
    says(&out, &["same bytes"]);
    assert!(!told.contains("otherwise"), "{told}");
    let (out, _) = check(home, &["maml", "log", "late.maml"], 0);
    let begun = out.lines().find(|line| line.contains("run.begun")).unwrap();
    let begun: Value = serde_json::from_str(begun).unwrap();
    let sensors = begun["value"]["sensors"].as_array().unwrap();
    let sonar = sensors.iter().find(|sensor| sensor["name"] == "sonar").unwrap();
    assert_eq!(sonar["mount"][6], 50_000_000);
}

#[test]
fn a_document_that_does_not_fit_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    simulated(home);
    for (from, to, code, said) in [
        (
            "execute: [\"agent://beluga\"]",
            "execute: [\"gateway://dam\"]",
            2,
            "permissions.execute names gateway://dam",
        ),
        (
            "execute: [\"agent://beluga\"]",
            "execute: []",
            2,
            "permissions.execute names nobody",
        ),
        (
            "read: [\"agent://*\"]",
            "read: [\"xwing:00\"]",
            2,
            "permissions.read names xwing:00, and the record would open for xwing:",
        ),
        (
            "read: [\"agent://*\"]",
            "read: []",
            2,
            "permissions.read names nobody",
        ),
        (
            "{\"lidar\": {\"minItems\": 1}",
            "{\"lidar\": {\"minItems\": 9}",
            2,
            "Input_Schema: /lidar: ",
        ),
        (
            "{\"lidar\": {\"minItems\": 1}",
            "{\"camera\": {}",
            2,
            "Input_Schema names `camera`",
        ),
        (
            "\"sigma_range_m\"",
            "\"colour\"",
            2,
            "Output_Schema: /points/0: \"colour\" is a required property",
        ),
        (
            "{\"required\": [\"x\", \"sigma_range_m\"]}",
            "false",
            2,
            "Output_Schema: /points/0",
        ),
        (
            "{\"lidar\": {\"minItems\": 1}",
            "{\"lidar\": {\"$ref\": \"#/properties/lidar\"}",
            1,
            "error[M0003]",
        ),
        (
            "## Code_Blocks",
            "## Content",
            2,
            "stands in Content, expected Code_Blocks",
        ),
        ("window_millis", "window_milis", 2, "window_milis"),
        ("```toml beluga", "```toml", 2, "nothing to run"),
        ("```python", "```toml beluga\n```\n```python", 2, "two blocks"),
        ("```json", "```json\n{", 1, "error[M0301]"),
    ] {
        assert!(DOCUMENT.contains(from), "{from}");
        let text = DOCUMENT.replacen(from, to, 1);
        std::fs::write(home.join("a.maml.md"), &text).unwrap();
        let arguments = [
            "run",
            "a.maml.md",
            "--input",
            "rec",
            "--out",
            "a.maml",
            "--view",
            "none",
        ];
        let (_, told) = check(home, &arguments, code);
        says(&told, &[said]);
        assert!(!home.join("a.maml").exists());
        assert_eq!(std::fs::read_to_string(home.join("a.maml.md")).unwrap(), text);
    }
}

#[test]
fn a_document_that_may_not_be_written_is_run_and_left() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    simulated(home);
    let text = DOCUMENT.replace("write: [\"agent://beluga\"]", "write: [\"agent://crew\"]");
    let text = text.replace("created_at", "encryption: \"core-512\"\ncreated_at");
    std::fs::write(home.join("a.maml.md"), &text).unwrap();
    let arguments = [
        "run",
        "a.maml.md",
        "--input",
        "rec",
        "--out",
        "a.maml",
        "--view",
        "none",
    ];
    let (_, told) = check(home, &arguments, 0);
    says(
        &told,
        &[
            "History is left as it is: permissions.write names agent://crew",
            "warning: the document names the encryption `core-512`, the record is edge-256",
        ],
    );
    assert_eq!(std::fs::read_to_string(home.join("a.maml.md")).unwrap(), text);
    assert!(home.join("a.maml").exists());
}
