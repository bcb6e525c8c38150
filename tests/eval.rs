//! `beluga eval` as a user meets it.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use std::path::Path;

use beluga_types::elementary::hypot;
use serde_json::Value;
use user::{check, says};

/// A run of one seed: `NAME/`, `NAME.maml`.
fn run(home: &Path, name: &str, seed: &str) {
    let record = format!("{name}.maml");
    check(
        home,
        &[
            "sim",
            "--scene",
            "sample",
            "--seconds",
            "4",
            "--seed",
            seed,
            "--out",
            name,
        ],
        0,
    );
    check(home, &["replay", name, "--out", &record, "--view", "none"], 0);
}

/// Every number of a JSON value, with where it stands.
fn numbers(value: &Value, at: &str, found: &mut Vec<(String, f64)>) {
    match value {
        Value::Number(number) => found.push((at.to_owned(), number.as_f64().unwrap())),
        Value::Array(list) => list.iter().for_each(|value| numbers(value, at, found)),
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| numbers(value, &format!("{at}.{key}"), found)),
        _ => {}
    }
}

#[test]
fn records_are_scored_alone_and_together() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    run(home, "one", "1");
    run(home, "two", "2");

    let truth = &["--truth", "one/truth"];
    let (out, err) = check(
        home,
        &[&["--json", "eval", "one.maml", "--html", "one.html"], &truth[..]].concat(),
        0,
    );
    let score: Value = serde_json::from_str(&out).unwrap();
    let mut found = Vec::new();
    numbers(&score, "", &mut found);
    assert!(found.len() > 200 && found.iter().all(|(_, number)| number.is_finite()));
    let score = &score["score"];
    assert!(
        score["seam"]["scored"]["columns"].as_u64().unwrap() >= 1,
        "{score}"
    );
    assert!(score["bed"]["scored"]["measured"]["tvu_m"].as_f64().unwrap() < 0.5);
    assert_eq!(score["honesty"][0]["what"], "pose");
    says(&err, &["latency       not recorded", "seam", "order", "one.html"]);
    let page = std::fs::read_to_string(home.join("one.html")).unwrap();
    says(
        &page,
        &[
            "Score of one.maml",
            "IHO S-44",
            "seed 1",
            "<svg",
            "What was not scored",
        ],
    );
    // A page is never overwritten.
    check(
        home,
        &[&["eval", "one.maml", "--html", "one.html"], &truth[..]].concat(),
        2,
    );

    // The other run has the same times, and nearly the same path.
    let (_, err) = check(home, &[&["eval", "two.maml"], &truth[..]].concat(), 2);
    says(&err, &["belongs to another recording", "noise", "two.maml"]);
    let both = [
        "eval",
        "one.maml",
        "two.maml",
        "--truth",
        "one/truth",
        "--truth",
        "two/truth",
    ];
    let (out, _) = check(home, &both, 0);
    says(&out, &["one.maml", "two.maml", "Clopper-Pearson", "sonar point"]);
    let (out, _) = check(home, &[&["--json"], &both[..]].concat(), 0);
    let score: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(score["over_runs"][0]["runs"], 2);

    // The same numbers for any number of threads.
    let eval = &["eval", "one.maml", "--truth", "one/truth", "--json", "--threads"][..];
    let (one, _) = check(home, &[eval, &["1"]].concat(), 0);
    let (two, _) = check(home, &[eval, &["2"]].concat(), 0);
    assert_eq!(one, two);
    let (out, _) = check(
        home,
        &[
            "eval",
            "one.maml",
            "--align",
            "--held-out",
            "0:1",
            "--truth",
            "one/truth",
        ],
        0,
    );
    says(&out, &["aligned"]);
}

/// A record that was cut before its first checkpoint has no frame that could be read.
#[test]
fn a_record_without_frames_is_no_score() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    run(home, "one", "1");
    let bytes = std::fs::read(home.join("one.maml")).unwrap();
    std::fs::write(home.join("cut.maml"), &bytes[..30_000]).unwrap();
    let eval = ["eval", "cut.maml", "--truth", "one/truth", "--html", "cut.html"];
    let (out, err) = check(home, &eval, 3);
    says(&out, &["no frames"]);
    says(&err, &["cut.maml"]);
    assert!(!home.join("cut.html").exists());
}

#[test]
fn what_cannot_be_scored_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.3", "--out", "run"],
        0,
    );
    check(home, &["eval"], 2);
    check(home, &["eval", "run.maml"], 2);
    let (_, err) = check(home, &["eval", "run.maml", "--truth", "nowhere"], 2);
    says(&err, &["nowhere"]);
    let (_, err) = check(home, &["eval", "run.maml", "--truth", "run/truth"], 2);
    says(&err, &["run.maml"]);
    let (_, err) = check(
        home,
        &[
            "eval", "a.maml", "b.maml", "c.maml", "--truth", "x", "--truth", "y",
        ],
        2,
    );
    says(&err, &["3 records", "found 2"]);
    check(home, &["eval", "a.maml", "--truth", "x", "--held-out", "9:1"], 2);
}

#[test]
fn trajectories_of_other_tools_are_scored() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let line = |t: f64, off: f64| format!("{t} {} {off} 0 0 0 0 1\n", 2.0 * t);
    let write = |name: &str, text: String| std::fs::write(home.join(name), text).unwrap();
    write(
        "truth.tum",
        (0..50).map(|i| line(0.1 * f64::from(i), 0.0)).collect(),
    );
    write(
        "found.tum",
        (0..50).map(|i| line(0.1 * f64::from(i) + 0.004, 0.3)).collect(),
    );
    write(
        "late.tum",
        (0..50).map(|i| line(0.1 * f64::from(i) + 900.0, 0.3)).collect(),
    );
    write("ten.kitti", "1 0 0 0 0 1 0 0 0 0 1 0\n".repeat(10));

    let (out, _) = check(home, &["--json", "eval", "found.tum", "--truth", "truth.tum"], 0);
    let score: Value = serde_json::from_str(&out).unwrap();
    let rmse = score["trajectory"]["unaligned"]["rmse"].as_f64().unwrap();
    assert!((rmse - hypot(0.3, 0.008)).abs() < 1e-9, "{rmse}");
    assert!(score["trajectory"]["aligned_m"].as_f64().unwrap() < 1e-9);
    assert_eq!(score["trajectory"]["poses"], 50);

    let (_, err) = check(home, &["eval", "late.tum", "--truth", "truth.tum"], 2);
    says(&err, &["no pose", "--offset"]);
    check(
        home,
        &["eval", "late.tum", "--truth", "truth.tum", "--offset", "-900"],
        0,
    );
    let (_, err) = check(home, &["eval", "ten.kitti", "--truth", "truth.tum"], 2);
    says(&err, &["10 and 50", "--times"]);
    check(home, &["eval", "ten.kitti", "--truth", "ten.kitti"], 0);

    // Against a truth, the trajectory needs times; the true poses themselves have no error.
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.5", "--out", "run"],
        0,
    );
    let (_, err) = check(home, &["eval", "ten.kitti", "--truth", "run/truth"], 2);
    says(&err, &["--times"]);
    let poses = std::fs::read_to_string(home.join("run/truth/poses.csv")).unwrap();
    let tum = poses.lines().skip(1).map(|line| {
        let n: Vec<&str> = line.split(',').collect();
        let seconds = n[0].parse::<i64>().unwrap();
        let (whole, rest) = (seconds / 1_000_000_000, seconds % 1_000_000_000);
        format!(
            "{whole}.{rest:09} {} {} {} {} {} {} {}\n",
            n[1], n[2], n[3], n[5], n[6], n[7], n[4]
        )
    });
    write("true.tum", tum.collect());
    let (out, _) = check(home, &["--json", "eval", "true.tum", "--truth", "run/truth"], 0);
    let score: Value = serde_json::from_str(&out).unwrap();
    assert!(
        score["trajectory"]["unaligned_m"].as_f64().unwrap() < 1e-5,
        "{score}"
    );
}

#[test]
fn seeds_are_simulated_and_their_honesty_is_put_together() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let seeds = [
        "eval",
        "--scene",
        "sample",
        "--seeds",
        "2",
        "--seconds",
        "0.8",
        "--html",
        "seeds.html",
    ];
    let (out, _) = check(home, &seeds, 0);
    says(
        &out,
        &["seed 1", "seed 2", "trials inside", "lidar point", "pose"],
    );
    let page = std::fs::read_to_string(home.join("seeds.html")).unwrap();
    says(&page, &["first of 2 seeds", "Over all runs"]);
    check(home, &["eval", "--seeds", "0"], 2);
}

#[test]
fn a_paced_run_tells_its_latency() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "1", "--out", "run"],
        0,
    );
    let replay = [
        "--json", "replay", "run", "--out", "run.maml", "--view", "none", "--speed", "2",
    ];
    let (out, _) = check(home, &replay, 0);
    let report: Value = serde_json::from_str(&out).unwrap();
    let latency = &report["latency"];
    assert!(latency["p50_ms"].as_f64().unwrap() <= latency["max_ms"].as_f64().unwrap());
    std::fs::write(home.join("run.json"), out).unwrap();
    let (out, _) = check(
        home,
        &["eval", "run.maml", "--truth", "run/truth", "--report", "run.json"],
        0,
    );
    says(&out, &["latency       half of"]);
    let (_, err) = check(
        home,
        &[
            "eval",
            "run.maml",
            "--truth",
            "run/truth",
            "--report",
            "run/rig.toml",
        ],
        2,
    );
    says(&err, &["rig.toml"]);
    // What is no file would be read without end, or waited for.
    let folder = ["eval", "run.maml", "--truth", "run/truth", "--report", "run"];
    let (_, err) = check(home, &folder, 2);
    says(&err, &["expected a file, found a folder"]);
}
