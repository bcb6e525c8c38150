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

    // What never ends is not read to its end.
    #[cfg(unix)]
    {
        check(
            home,
            &["maml", "verify", "run.maml", "--expect-root", "/dev/zero"],
            2,
        );
        check(home, &["maml", "verify", "run.maml", "--seal", "/dev/zero"], 2);
        check(home, &["maml", "check-proof", "/dev/zero"], 2);
    }

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

    // Its times are hidden, and a proof and the log say so.
    let words = ["--passphrase-file", "words", "--out", "hidden.json"];
    let (out, _) = check(
        home,
        &[&["maml", "prove", "words.maml", "--frame", "1"], &words[..]].concat(),
        0,
    );
    assert!(!out.contains("1970-"), "{out}");
    let (out, _) = check(home, &["maml", "check-proof", "hidden.json"], 0);
    says(&out, &["signed at:  a time that the record hides"]);
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

#[test]
fn who_signed_is_trusted_when_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (crew, client) = (folder.path().join("crew"), folder.path().join("client"));
    fs::create_dir(&crew).unwrap();
    fs::create_dir(&client).unwrap();
    check(
        &crew,
        &["sim", "--scene", "sample", "--seconds", "0.5", "--out", "run"],
        0,
    );
    let (out, _) = check(&crew, &["--json", "maml", "keygen"], 0);
    let made: Value = serde_json::from_str(&out).unwrap();
    let signer = made[0]["signer"].as_str().unwrap();
    check(
        &crew,
        &["replay", "run", "--out", "run.maml", "--view", "none"],
        0,
    );
    fs::copy(crew.join("run.maml"), client.join("run.maml")).unwrap();

    // The client knows nobody yet; trusts him once; and from then on.
    check(&client, &["maml", "verify", "run.maml"], 1);
    let (out, _) = check(&client, &["maml", "verify", "run.maml", "--require-signed"], 4);
    says(&out, &["REFUSED", "MISSING"]);
    check(
        &client,
        &[
            "maml",
            "verify",
            "run.maml",
            "--trust",
            signer,
            "--require-signed",
        ],
        0,
    );
    let (out, _) = check(
        &client,
        &["--json", "maml", "verify", "run.maml", "--require-signed"],
        4,
    );
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&told["demands_met"], &told["exit_code"]),
        (&false.into(), &4.into())
    );
    let (out, _) = check(&client, &["maml", "trust"], 0);
    assert!(!out.contains(signer), "{out}");
    check(
        &client,
        &["maml", "trust", signer, "--name", "crew of the Anna"],
        0,
    );
    let (out, _) = check(&client, &["maml", "trust"], 0);
    says(&out, &[signer, "crew of the Anna"]);
    check(&client, &["maml", "trust", signer], 2);
    check(&client, &["maml", "trust", "5f1c"], 2);
    let (out, _) = check(&client, &["maml", "verify", "run.maml"], 0);
    // People read days, not nanoseconds.
    says(&out, &["(trusted)", "times:      20", "Z to 20"]);
}

#[test]
fn a_run_goes_on_from_the_record_before_it_and_what_is_mended_stays_closed() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "2.5", "--out", "run"],
        0,
    );
    check(home, &["maml", "keygen", "--key-file", "port.key"], 0);
    let first = [
        "replay",
        "run",
        "--out",
        "one.maml",
        "--view",
        "none",
        "--key-file",
        "port.key",
    ];
    check(home, &first, 0);
    let whole = fs::read(home.join("one.maml")).unwrap();
    fs::write(home.join("one.maml"), &whole[..whole.len() - 9000]).unwrap();
    check(home, &first, 2);
    let again = [
        "replay",
        "run",
        "--out",
        "two.maml",
        "--view",
        "none",
        "--continues",
        "one.maml",
    ];
    check(home, &again, 0);
    let told = |name: &str, code: i32| -> Value {
        let (out, _) = check(home, &["--json", "maml", "verify", name], code);
        serde_json::from_str(&out).unwrap()
    };
    let (one, two) = (told("one.maml", 3), told("two.maml", 0));
    assert_eq!(two["continues"], serde_json::json!([one["id"], one["root"]]));
    fs::write(home.join("none.maml"), "nothing").unwrap();
    let none = [
        "replay",
        "run",
        "--out",
        "three.maml",
        "--view",
        "none",
        "--continues",
        "none.maml",
    ];
    check(home, &none, 2);

    // Who opened it opens what is left of it, and nobody else.
    let mend = ["maml", "recover", "one.maml", "--out", "mended.maml"];
    check(home, &mend, 5);
    let (out, _) = check(home, &[&mend[..], &["--key-file", "port.key"]].concat(), 3);
    says(&out, &["readers      keyfile:", "--to"]);
    check(
        home,
        &["maml", "inspect", "mended.maml", "--key-file", "port.key"],
        0,
    );
    check(home, &["maml", "inspect", "mended.maml"], 5);
}
