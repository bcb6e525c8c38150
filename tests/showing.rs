//! When a run shows itself, how long it stays, and what `view` says of wrong files.

#![cfg(all(feature = "viz", unix))]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

mod user;

use user::{beluga, ended, says};

/// What a run said in all, if it ended with this code.
fn check(home: &Path, arguments: &[&str], code: i32) -> String {
    let (out, err) = user::check(home, arguments, code);
    out + &err
}

/// A program that stays until Ctrl-C.
struct Staying {
    program: Child,
    said: BufReader<ChildStderr>,
    text: String,
}

impl Staying {
    /// Starts it and reads what it says until it says that it stays, or ends.
    fn start(command: &mut Command) -> Self {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = piped.spawn().unwrap();
        let mut said = BufReader::new(program.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("stays until Ctrl-C") && said.read_line(&mut text).unwrap() > 0 {}
        Self { program, said, text }
    }

    /// That it stays, having said these words.
    fn stays(&mut self, words: &[&str]) {
        assert!(
            self.text.contains("stays until Ctrl-C"),
            "ended early: {}",
            self.text
        );
        says(&self.text, words);
        assert!(self.program.try_wait().unwrap().is_none(), "it stays");
    }

    /// Ends it as Ctrl-C would, with this exit code.
    fn interrupt(mut self, code: i32) {
        let pid = self.program.id().to_string();
        let killed = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(killed.success());
        self.said.read_to_string(&mut self.text).unwrap();
        let mut output = self.program.wait_with_output().unwrap();
        output.stderr = self.text.into_bytes();
        ended(output, code);
    }
}

/// A recording and its record.
fn replayed(home: &Path) {
    let sim = ["sim", "--scene", "sample", "--seconds", "0.5", "--out", "run"];
    check(home, &sim, 0);
    let replay = ["replay", "run", "--out", "run.maml"];
    let said = check(home, &replay, 0);
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
    let said = check(home, &web, 0);
    says(
        &said,
        &["no browser found: open http://127.0.0.1:", "beluga view web.rrd"],
    );
    assert!(!said.contains("stays until"), "{said}");
    assert!(home.join("web.rrd").metadata().unwrap().len() > 10_000);

    // A build server may have a screen; it is no person.
    let web = ["replay", "run", "--out", "ci.maml", "--view", "web"];
    let mut command = beluga(home);
    command.args(web).env("CI", "true").env("BROWSER", "true");
    let (_, said) = ended(command.output().unwrap(), 0);
    says(&said, &["no browser found: open http://127.0.0.1:"]);
}

#[test]
fn where_a_browser_opens_the_page_stays_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    replayed(home);
    let mut command = beluga(home);
    command.args(["replay", "run", "--out", "web.maml", "--view", "web"]);
    let mut page = Staying::start(command.env("BROWSER", "echo"));
    page.stays(&["look at http://127.0.0.1:", "a browser opens"]);
    page.interrupt(0);
}

#[test]
fn a_record_and_a_picture_are_served_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    replayed(home);
    for file in ["run.maml", "run.rrd"] {
        let mut page = Staying::start(beluga(home).args(["view", file, "--no-browser"]));
        page.stays(&["open http://127.0.0.1:"]);
        page.interrupt(0);
    }
}

#[test]
fn what_cannot_be_shown_is_told_with_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    replayed(home);
    let view = |file: &str, code: i32, words: &[&str]| {
        let said = check(home, &["view", file], code);
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

    let stranger = beluga(home)
        .args(["view", "run.maml"])
        .env("BELUGA_HOME", home.join("stranger"))
        .output()
        .unwrap();
    says(&ended(stranger, 5).1, &["no key opens the record", "--identity"]);

    // A record whose frames were changed shows none that does not authenticate.
    let mut bytes = std::fs::read(home.join("run.maml")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(home.join("bent.maml"), &bytes).unwrap();
    Staying::start(beluga(home).args(["view", "bent.maml", "--no-browser"])).interrupt(4);
}
