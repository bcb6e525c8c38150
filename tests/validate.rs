//! `beluga maml validate` as a user meets it: files, folders, formats, exit codes.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use user::{check, says};

fn document(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sinks/tests/documents");
    std::fs::read(folder.join(name)).unwrap()
}

#[test]
fn files_and_folders_are_checked_and_the_exit_code_tells() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    std::fs::create_dir_all(home.join("all/deep")).unwrap();
    for (to, from) in [
        ("good.maml.md", "05_guide_complete.maml.md"),
        ("all/compact.maml.md", "03_compact.maml.md"),
        ("all/deep/broken.maml.md", "16_percent.maml.md"),
        ("all/guide.MAML.ml", "13_fields_of_2026.maml.md"),
    ] {
        std::fs::write(home.join(to), document(from)).unwrap();
    }
    let (out, _) = check(home, &["maml", "validate", "good.maml.md"], 0);
    assert_eq!(out, "");
    // Warnings are findings only with --strict, and what a profile wants when it is asked for.
    check(home, &["maml", "validate", "all/compact.maml.md"], 0);
    check(home, &["maml", "validate", "all/compact.maml.md", "--strict"], 1);
    check(
        home,
        &["maml", "validate", "all/compact.maml.md", "--profile", "compact"],
        0,
    );
    check(
        home,
        &["maml", "validate", "all/compact.maml.md", "--profile", "guide"],
        1,
    );

    let (out, told) = check(home, &["maml", "validate", "good.maml.md", "all"], 1);
    says(
        &out,
        &[
            "all/compact.maml.md:3:13: warning[M0111]: ",
            "(/front_matter/encryption)",
            "    hint: ",
        ],
    );
    says(&out, &["all/deep/broken.maml.md:7:7: error[M0002]: "]);
    says(&told, &["4 documents, 3 valid, 1 of them with warnings"]);
    let (one, _) = check(
        home,
        &["maml", "validate", "good.maml.md", "all", "--jobs", "1"],
        1,
    );
    let (many, _) = check(
        home,
        &["maml", "validate", "good.maml.md", "all", "--jobs", "7"],
        1,
    );
    assert_eq!(one, out);
    assert_eq!(many, out);

    let (out, _) = check(
        home,
        &[
            "maml",
            "validate",
            "missing.maml.md",
            "good.maml.md",
            "--format",
            "json",
        ],
        2,
    );
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert!(
        listed[0]["error"].as_str().unwrap().contains("cannot read"),
        "{out}"
    );
    assert_eq!(listed[1]["valid"], true);
    assert_eq!(listed[1]["profile"], "guide");

    let (out, _) = check(home, &["maml", "validate", "all", "--format", "sarif"], 1);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["version"], "2.1.0");
    assert_eq!(report["runs"][0]["results"].as_array().unwrap().len(), 7);
    check(home, &["maml", "validate"], 2);
}

#[test]
fn of_a_record_the_document_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("sinks/tests/vectors/one_frame.maml");
    let bytes = std::fs::read(record).unwrap();
    std::fs::write(folder.path().join("a.maml"), &bytes).unwrap();
    // What follows the document is not looked at, if it begins as records do; else it is more of the document.
    let magic = 9;
    let marker = b"binary follows -->\n";
    let ends = bytes
        .windows(marker.len())
        .position(|window| window == marker)
        .unwrap()
        + marker.len();
    let mut cut = bytes[..ends + magic].to_vec();
    cut.resize(cut.len() + 3_000_000, 0xff);
    std::fs::write(folder.path().join("b.maml"), cut).unwrap();
    let (out, told) = check(folder.path(), &["maml", "validate", ".", "--strict"], 0);
    assert_eq!(out, "");
    says(&told, &["2 documents, 2 valid"]);
    let more = [&bytes[..ends], b"## Intent\nAgain.\n"].concat();
    std::fs::write(folder.path().join("c.maml"), more).unwrap();
    let (out, _) = check(folder.path(), &["maml", "validate", "c.maml"], 1);
    says(&out, &["error[M0202]: `Intent` stands twice"]);
}

#[test]
fn a_document_comes_in_by_the_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_beluga"))
        .args(["--json", "maml", "validate", "--stdin"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&document("17_or.maml.md"))
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let listed: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(listed[0]["path"], "stdin");
    assert_eq!(listed[0]["findings"][0]["code"], "M0002");
    assert_eq!(listed[0]["findings"][0]["line"], 4);
}

#[test]
fn the_schema_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["maml", "schema"][..], &["--json", "maml", "schema"]] {
        let (out, _) = check(folder.path(), arguments, 0);
        let schema: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}
