//! What `--portable` leaves in a record, and what running it once more says.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use beluga_sinks::document::{head_of, read};
use serde_json::Value;
use user::{check, says};

#[test]
fn a_portable_record_says_so_and_runs_once_more_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let sim = ["sim", "--scene", "sample", "--seconds", "0.5", "--out", "rec"];
    check(home, &sim, 0);
    let replay = |out: &str, more: &[&str]| {
        let arguments = ["--json", "replay", "rec", "--out", out, "--view", "none"];
        let (out, _) = check(home, &[&arguments, more].concat(), 0);
        let report: Value = serde_json::from_str(&out).unwrap();
        report["frame_sha256"].as_str().unwrap().to_owned()
    };
    let portable = replay("portable.maml", &["--portable"]);
    let fastest = replay("fastest.maml", &[]);
    assert_ne!(portable, fastest, "other transforms round otherwise");

    // The document holds the choice, and nothing of this machine.
    let head = head_of(&std::fs::read(home.join("portable.maml")).unwrap()[..]).unwrap();
    let document = read(&head, None).document.unwrap();
    let config = document
        .code_blocks
        .iter()
        .find(|block| block.info == "toml beluga");
    let text = &config.unwrap().text;
    says(text, &["transforms = \"portable\"", "cpu_class = \"portable\""]);
    assert!(!text.contains(std::env::consts::ARCH));
    let (out, _) = check(home, &["--json", "maml", "inspect", "portable.maml"], 0);
    let inspected: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(inspected["cpu_class"], "portable");

    // Without being asked, once more the same transforms.
    let (out, _) = check(home, &["run", "portable.maml", "--input", "rec"], 0);
    says(
        &out,
        &[
            "same bytes",
            &portable,
            "portable runs: the CPU makes no difference",
        ],
    );

    // Of a record that is not portable, a portable run differs in last bits only, which is no fault.
    let (out, _) = check(
        home,
        &["--json", "run", "fastest.maml", "--input", "rec", "--portable"],
        1,
    );
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["this_cpu_class"], "portable");
    assert_eq!(found["reproduced_sha256"], portable.as_str());
    let [metres, radians, points] =
        ["pose_m", "pose_rad", "point_m"].map(|key| found["difference"][key].as_f64().unwrap());
    assert!(metres < 1e-6 && radians < 1e-6 && points < 1e-3, "{out}");

    // Bytes that differ where none may are called a fault.
    let other = [
        "sim",
        "--scene",
        "sample",
        "--seconds",
        "0.5",
        "--seed",
        "9",
        "--out",
        "other",
    ];
    check(home, &other, 0);
    let (out, _) = check(home, &["run", "portable.maml", "--input", "other"], 1);
    says(&out, &["other bytes", "it is a fault of beluga"]);
}
