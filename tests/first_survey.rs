//! `docs/first-survey.md` keeps its word: its rig is a rig, and every command on it runs.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::fs;
use std::path::Path;

mod user;

use user::check;

/// The blocks of the page in this language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    page.split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn every_command_on_the_page_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/first-survey.md")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let quay = home.path().join("quay");
    for folder in ["", "lidar", "sonar"] {
        copy(&root.join("sample-data/quay").join(folder), &quay.join(folder));
    }
    fs::remove_file(quay.join("rig.toml")).unwrap();
    let mut ran = 0;
    for line in blocks(&page, "sh").iter().flat_map(|block| block.lines()) {
        let (command, comment) = line.split_once('#').unwrap_or((line, ""));
        let words: Vec<&str> = command.split_ascii_whitespace().collect();
        let Some(("beluga", arguments)) = words.split_first().map(|(first, rest)| (*first, rest)) else {
            panic!("not a command of ours: {line}");
        };
        // The first look finds that the rig is missing; then it is written.
        if ran == 1 {
            let rig = blocks(&page, "toml");
            fs::write(quay.join("rig.toml"), &rig[0]).unwrap();
        }
        let expected = if ran == 0 { 1 } else { 0 };
        println!("{line} ({comment})");
        check(home.path(), arguments, expected);
        if arguments == ["maml", "keygen"] {
            let public = home.path().join("home/keys/reader.xwing.pub");
            fs::copy(public, home.path().join("reader.xwing.pub")).unwrap();
        }
        ran += 1;
    }
    assert!(ran >= 7, "{ran} commands");
    assert!(home.path().join("quay.ply").metadata().unwrap().len() > 100_000);
}
