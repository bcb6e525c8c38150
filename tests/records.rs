//! Records as a user handles them: other readers, two files, proofs, what is left of a torn one.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::fs;

use serde_json::Value;

mod user;

use user::{check, says};

#[test]
fn a_record_is_handed_on_proven_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "2.5", "--out", "run"],
        0,
    );
    fs::write(home.join("who.toml"), "operator = \"port office\"\n").unwrap();
    let suite = [
        "--config", "who.toml", "--suite", "core-512", "--pad", "--out", "run.maml", "--view", "none",
    ];
    check(home, &[&["replay", "run"], &suite[..]].concat(), 0);
    let (out, _) = check(
        home,
        &[
            "maml",
            "verify",
            "run.maml",
            "--anchor",
            "root",
            "--require-signed",
        ],
        0,
    );
    says(&out, &["SEALED", "core-512"]);
    let (out, _) = check(home, &["maml", "verify", "run.maml", "--expect-root", "root"], 0);
    says(&out, &["expected:", "is that of the first"]);
    let other = "ab".repeat(32);
    let (out, _) = check(home, &["maml", "verify", "run.maml", "--expect-root", &other], 4);
    says(&out, &["NOT IN THIS RECORD"]);

    // For a stranger, by key file; and in two files and one again.
    check(home, &["maml", "keygen", "--key-file", "port.key"], 0);
    check(
        home,
        &[
            "maml",
            "rewrap",
            "run.maml",
            "--to-key-file",
            "port.key",
            "--only",
            "--out",
            "port.maml",
        ],
        0,
    );
    check(home, &["maml", "inspect", "port.maml"], 5);
    check(
        home,
        &["maml", "inspect", "port.maml", "--key-file", "port.key"],
        0,
    );
    let parts = ["--document", "port.md", "--binary", "port.bin"];
    check(home, &[&["maml", "split", "port.maml"], &parts[..]].concat(), 0);
    check(home, &[&["maml", "join", "again.maml"], &parts[..]].concat(), 0);
    let bytes = |name: &str| fs::read(home.join(name)).unwrap();
    assert!(bytes("again.maml") == bytes("port.maml"));

    // One frame, and what a run says of itself.
    check(
        home,
        &[
            "maml",
            "prove",
            "run.maml",
            "--frame",
            "3",
            "--out",
            "frame.json",
            "--reveal",
        ],
        0,
    );
    let proof = [
        "maml",
        "check-proof",
        "frame.json",
        "--document",
        "port.md",
        "--arrow",
        "tables",
    ];
    let (out, _) = check(home, &proof, 0);
    says(&out, &["trusted", "by whoever has this proof"]);
    assert!(home.join("tables/points.arrow").exists());
    let wrong = String::from_utf8(bytes("frame.json"))
        .unwrap()
        .replacen("beluga/", "belugb/", 1);
    fs::write(home.join("frame.json"), wrong).unwrap();
    check(home, &["maml", "check-proof", "frame.json"], 4);
    let (out, _) = check(home, &["maml", "log", "run.maml"], 0);
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["what"], &lines.last().unwrap()["what"]),
        (&"record".into(), &"end".into())
    );
    assert!(lines.iter().any(|line| line["what"] == "checkpoint"));
    let said = |kind: &str| lines.iter().find(|line| line["kind"] == kind).unwrap()["value"].clone();
    let begun = said("run.begun");
    assert_eq!(begun["operator"], "port office");
    assert!(begun["sensors"].as_array().unwrap().len() > 1 && begun["config_sha256"].is_string());
    let hashed = said("run.inputs");
    let input = |name: &str| {
        hashed["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|input| input["name"] == name)
    };
    let rig = input("rig.toml").unwrap();
    assert_eq!((&rig["role"], &rig["files"]), (&"rig".into(), &1.into()));
    assert_eq!(rig["bytes"], bytes("run/rig.toml").len());
    let ended = said("run.ended");
    assert_eq!(
        (&ended["why"], &ended["lost"]),
        (&"source ended".into(), &Value::Array(Vec::new()))
    );
    assert!(
        !String::from_utf8_lossy(&bytes("run.maml")).contains("port office"),
        "encrypted"
    );

    // Torn: sworn where it ends, and mended.
    let whole = bytes("run.maml");
    fs::write(home.join("torn.maml"), &whole[..whole.len() - 9000]).unwrap();
    let torn = bytes("torn.maml");
    check(home, &["maml", "verify", "torn.maml"], 3);
    check(home, &["maml", "seal", "torn.maml"], 0);
    let sealed = ["maml", "verify", "torn.maml", "--seal", "torn.maml.seal"];
    let (out, _) = check(home, &sealed, 3);
    says(&out, &["TORN", "late seal:", "(trusted)"]);
    assert!(bytes("torn.maml") == torn);
    let (out, _) = check(home, &["maml", "recover", "torn.maml", "--out", "whole.maml"], 3);
    says(&out, &["lost", "bytes after the last signature"]);
    let (out, _) = check(home, &["maml", "inspect", "whole.maml"], 0);
    says(&out, &["SEALED", "recovered", "continues"]);
    fs::write(home.join("torn.maml"), &torn[..torn.len() - 1]).unwrap();
    check(home, &sealed, 4);
    check(home, &["maml", "recover", "run.maml", "--out", "copy.maml"], 0);

    // A passphrase from a file that only its owner reads.
    fs::write(home.join("words"), "salt and rope\n").unwrap();
    let under = [
        "--passphrase-file",
        "words",
        "--out",
        "words.maml",
        "--hide-times",
        "--view",
        "none",
    ];
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| fs::set_permissions(home.join("words"), fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        check(home, &[&["replay", "run"], &under[..]].concat(), 2);
        mode(0o600);
    }
    check(home, &[&["replay", "run"], &under[..]].concat(), 0);
    check(home, &["maml", "inspect", "words.maml"], 5);
    check(
        home,
        &["maml", "inspect", "words.maml", "--passphrase-file", "words"],
        0,
    );

    // Its times are hidden, and the log says so.
    let log = |more: &[&str]| check(home, &[&["maml", "log", "words.maml"], more].concat(), 0).0;
    for out in [log(&[]), log(&["--passphrase-file", "words"])] {
        let lines = out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let checkpoints: Vec<Value> = lines.filter(|line| line["what"] == "checkpoint").collect();
        assert!(!checkpoints.is_empty() && checkpoints.iter().all(|line| line["time"] == "hidden"));
        assert!(!out.contains("1970-"), "{out}");
    }
}
