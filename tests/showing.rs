//! When a run shows itself, how long it stays, and what `view` says of wrong files.

#![cfg(all(feature = "viz", unix))]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program with no screen and no terminal around it.
fn beluga(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beluga"));
    command.env("BELUGA_HOME", home.join("home")).current_dir(home);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER", "CI"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Checks the exit code and gives stdout and stderr as one text.
fn check(output: Output, code: i32) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}

/// Ends a program that stays, as Ctrl-C would.
fn interrupt(program: &Child) {
    let pid = program.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// A recording and its record.
fn replayed(home: &Path) {
    let sim = ["sim", "--scene", "sample", "--seconds", "0.5", "--out", "run"];
    check(beluga(home, &sim).output().unwrap(), 0);
    let replay = ["replay", "run", "--out", "run.maml"];
    let said = check(beluga(home, &replay).output().unwrap(), 0);
    // Nobody sits here: no page, no waiting, a picture for later.
    says(&said, &["look", "beluga view run.rrd"]);
    assert!(!said.contains("http://"), "{said}");
}

#[test]
fn where_there_is_no_browser_a_run_says_where_to_look_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    replayed(home);
    let web = ["replay", "run", "--out", "web.maml", "--view", "web"];
    let said = check(beluga(home, &web).output().unwrap(), 0);
    says(
        &said,
        &["no browser found: open http://127.0.0.1:", "beluga view web.rrd"],
    );
    assert!(!said.contains("stays until"), "{said}");
    assert!(home.join("web.rrd").metadata().unwrap().len() > 10_000);

    // A build server may have a screen; it is no person.
    let web = ["replay", "run", "--out", "ci.maml", "--view", "web"];
    let mut command = beluga(home, &web);
    command.env("CI", "true").env("BROWSER", "true");
    let said = check(command.output().unwrap(), 0);
    says(&said, &["no browser found: open http://127.0.0.1:"]);
}

#[test]
fn where_a_browser_opens_the_page_stays_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    replayed(home);
    let mut program = beluga(home, &["replay", "run", "--out", "web.maml", "--view", "web"])
        .env("BROWSER", "echo")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(program.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("stays until Ctrl-C") {
        assert!(said.read_line(&mut text).unwrap() > 0, "ended early: {text}");
    }
    says(&text, &["look at http://127.0.0.1:", "a browser opens"]);
    assert!(program.try_wait().unwrap().is_none(), "it stays");
    interrupt(&program);
    said.read_to_string(&mut text).unwrap();
    check(program.wait_with_output().unwrap(), 0);
}

#[test]
fn a_record_and_a_picture_are_served_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    replayed(home);
    for file in ["run.maml", "run.rrd"] {
        let mut program = beluga(home, &["view", file, "--no-browser"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(program.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("stays until Ctrl-C") {
            assert!(said.read_line(&mut text).unwrap() > 0, "ended early: {text}");
        }
        says(&text, &["open http://127.0.0.1:"]);
        interrupt(&program);
        said.read_to_string(&mut text).unwrap();
        check(program.wait_with_output().unwrap(), 0);
    }
}

#[test]
fn what_cannot_be_shown_is_told_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    replayed(home);
    let view = |file: &str, code: i32, words: &[&str]| {
        let said = check(beluga(home, &["view", file]).output().unwrap(), code);
        says(&said, words);
        assert!(!said.contains("http://"), "no page for nothing: {said}");
    };
    view("absent.maml", 2, &["absent.maml", "cannot read"]);
    std::fs::write(home.join("cloud.ply"), b"ply\nformat").unwrap();
    view("cloud.ply", 2, &["neither a record", "cloud.ply", "`ply"]);
    std::fs::write(home.join("text.rrd"), b"hello").unwrap();
    view("text.rrd", 2, &["RRF2", "text.rrd", "`hell`"]);
    std::fs::write(home.join("text.maml"), b"hello").unwrap();
    view("text.maml", 4, &["text.maml"]);

    let stranger = beluga(home, &["view", "run.maml"])
        .env("BELUGA_HOME", home.join("stranger"))
        .output()
        .unwrap();
    says(&check(stranger, 5), &["no key opens the record", "--identity"]);

    // A record whose frames were changed shows none that does not authenticate.
    let mut bytes = std::fs::read(home.join("run.maml")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(home.join("bent.maml"), &bytes).unwrap();
    let mut program = beluga(home, &["view", "bent.maml", "--no-browser"])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(program.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("stays until Ctrl-C") && said.read_line(&mut text).unwrap() > 0 {}
    interrupt(&program);
    said.read_to_string(&mut text).unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(4), "{text}");
}
