//! `beluga sim` as a user runs it: faults, the truth that belongs to a recording, a disk that is full.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod user;

use std::path::Path;

use beluga_ingest::Recording;
use beluga_sim::{Scenario, Truth, World};
use beluga_types::{GapCause, Measurement, Payload};
use user::{beluga, check, ended, says};

/// Runs `sim` on two seconds of the sample; gives what it says as JSON.
fn sim(home: &Path, rest: &[&str]) -> serde_json::Value {
    let sample = ["--json", "sim", "--scene", "sample", "--seconds", "2"];
    let (out, _) = check(home, &[&sample, rest].concat(), 0);
    serde_json::from_str(&out).unwrap()
}

fn timeline(path: &Path) -> Vec<Measurement> {
    Recording::open(path).unwrap().timeline().unwrap().collect()
}

/// A fault storm: the same bytes for one thread and two, and the same timeline straight from the
/// simulator, from a folder and from a tape.
#[test]
fn a_storm_is_the_same_each_time_and_whichever_way_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let faults = "storm,silence:lidar=0.5s..0.9s,gnss-outage=0.5s..1s";
    let [one, two] =
        ["1", "2"].map(|threads| sim(home, &["--threads", threads, "--fault", faults, "--out", threads]));
    assert_eq!(one["sha256"], two["sha256"]);
    assert_eq!(one["sha256"].as_str().unwrap().len(), 64);
    assert!(one["faults"].as_array().unwrap().len() > 20);
    let tape = sim(home, &["--fault", faults, "--out", "run.mcap"]);
    assert_ne!(tape["sha256"], one["sha256"]);
    for threads in ["1", "2"] {
        let again = format!("{threads}.mcap");
        let again = sim(home, &["--threads", threads, "--fault", faults, "--out", &again]);
        assert_eq!(again["sha256"], tape["sha256"], "{threads} threads");
    }
    Truth::verify(&home.join("1/truth")).unwrap();
    Truth::verify_recording(&home.join("2/truth"), &home.join("1")).unwrap();
    Truth::verify_recording(&home.join("run.truth"), &home.join("run.mcap")).unwrap();

    let mut scenario = Scenario::sample();
    scenario.duration_s = 2.0;
    scenario.faults.set(faults).unwrap();
    let straight: Vec<Measurement> = World::new(scenario).unwrap().measurements().collect();
    assert_eq!(timeline(&home.join("run.mcap")), straight);
    // A folder writes numbers in digits; what is there, when, and what is lost is the same.
    let shape = |measurements: &[Measurement]| -> Vec<_> {
        let gap = |payload: &Payload| match payload {
            Payload::Gap(gap) => Some((gap.cause, gap.lost)),
            _ => None,
        };
        measurements
            .iter()
            .map(|m| (m.order(), m.stamp, m.received, gap(&m.payload)))
            .collect()
    };
    assert_eq!(shape(&timeline(&home.join("1"))), shape(&straight));

    let (out, _) = check(home, &["replay", "1", "--out", "run.maml", "--view", "none"], 3);
    says(&out, &["lidar missing"]);
}

#[test]
fn truth_of_another_recording_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    sim(home, &["--out", "one"]);
    sim(home, &["--seed", "2", "--out", "two"]);
    check(home, &["replay", "one", "--out", "run.maml", "--view", "none"], 0);
    let eval = |truth, recording, code| {
        check(
            home,
            &["eval", "run.maml", "--truth", truth, "--recording", recording],
            code,
        )
    };
    eval("one/truth", "one", 0);
    let (_, err) = eval("two/truth", "one", 2);
    says(
        &err,
        &[
            "not what this truth was written with",
            "expected",
            "found",
            "one/",
        ],
    );
    // One changed byte is enough, and is named.
    let nav = home.join("one/nav.csv");
    let mut bytes = std::fs::read(&nav).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&nav, bytes).unwrap();
    let (_, err) = eval("one/truth", "one", 2);
    says(&err, &["SHA-256", "one/nav.csv"]);
    // A truth of the version before.
    let path = home.join("two/truth/truth.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replacen("\"beluga_truth\": 2", "\"beluga_truth\": 1", 1),
    )
    .unwrap();
    let (_, err) = eval("two/truth", "two", 2);
    says(&err, &["version 2", "version 1, which is not read any more"]);
    // A truth that was edited, and one that was not finished.
    let path = home.join("one/truth/waterline.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "\n").unwrap();
    let alone = ["eval", "run.maml", "--truth", "one/truth"];
    let (_, err) = check(home, &alone, 2);
    says(&err, &["not what this truth was written with", "waterline.csv"]);
    std::fs::remove_file(home.join("one/truth/manifest.json")).unwrap();
    let (_, err) = check(home, &alone, 0);
    says(&err, &["was not finished"]);
}

#[test]
fn what_is_no_fault_is_told_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let sim = |fault| {
        let arguments = ["sim", "--scene", "sample", "--fault", fault, "--out", "run"];
        check(folder.path(), &arguments, 2).1
    };
    says(
        &sim("mount-rol=1"),
        &["`mount-rol`", "mount-roll[:SENSOR]", "storm"],
    );
    says(&sim("mount-roll=1kg"), &["`1kg`", "NUMBERdeg"]);
    says(&sim("loss:radar=1%"), &["`radar`", "lidar, sonar, nav"]);
    says(&sim("growth=3m"), &["`growth` is 3", "0.0 to 0.5"]);
    assert!(!folder.path().join("run").exists());
}

/// A disk that takes no more than a file's first part: a clean end, and what was written is read.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_and_leaves_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    for out in ["run", "run.mcap"] {
        let program = beluga(home).get_program().to_owned();
        let mut shell = std::process::Command::new("sh");
        // 1 MiB for a file; a program that ignores the signal is told "file too large".
        let limited = "ulimit -f $((1048576 / $1)); trap '' XFSZ; shift; exec \"$@\"";
        shell.args(["-c", limited, "sh", block_bytes()]).arg(program);
        shell.args(["sim", "--scene", "sample", "--seconds", "4", "--out", out]);
        shell.env("BELUGA_HOME", home.join("home")).current_dir(home);
        let (_, err) = ended(shell.output().unwrap(), 1);
        says(&err, &["the simulation ended after", out]);
        let read = timeline(&home.join(out));
        let whole = read.iter().filter(|m| !matches!(m.payload, Payload::Gap(_)));
        says(&err, &[&format!(" {} of them can be read from", whole.count())]);
        let pings = read
            .iter()
            .filter(|m| matches!(m.payload, Payload::Sonar(_)))
            .count();
        assert!(pings > 1, "{out}: {pings} pings");
        for measurement in &read {
            if let Payload::Gap(gap) = &measurement.payload {
                assert!(
                    matches!(gap.cause, GapCause::Truncated | GapCause::Corrupt),
                    "{gap:?}"
                );
            }
        }
    }
    // Nothing says that the truth belongs to it.
    let truth = Truth::read(&home.join("run/truth")).unwrap();
    assert!(truth.told_returns(&home.join("run/truth")).is_ok());
    assert!(Truth::verify_recording(&home.join("run/truth"), &home.join("run")).is_err());
}

/// Scenarios, devices and meshes that are a pipe or a folder, which would be waited for without end.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let pipe = home.join("pipe.toml");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    std::fs::create_dir(home.join("folder.toml")).unwrap();
    let mesh = "[[solid]]\nid = \"m\"\nkind = \"wall\"\nshape = \"mesh\"\nplace_m = [5, -6, -2]\nfile = \"pipe.toml\"\n";
    std::fs::write(home.join("mesh.toml"), mesh).unwrap();
    std::fs::write(home.join("device.toml"), "[sonar]\ndevice = \"pipe.toml\"\n").unwrap();
    for (scene, found) in [
        ("pipe.toml", "a pipe"),
        ("folder.toml", "a folder"),
        ("mesh.toml", "a pipe"),
        ("device.toml", "a pipe"),
    ] {
        let (_, err) = check(home, &["sim", "--scene", scene, "--out", "run"], 2);
        says(&err, &["expected a file", found]);
    }
    // A cause is told once.
    let (_, err) = check(home, &["sim", "--scene", "absent.toml", "--out", "run"], 2);
    assert_eq!(err.matches("No such file").count(), 1, "{err}");
}

/// What a shell counts files in: `dash` takes 512 bytes, `bash` 1024.
#[cfg(target_os = "linux")]
fn block_bytes() -> &'static str {
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    let bash = shell.to_string_lossy().contains("bash");
    if bash { "1024" } else { "512" }
}
