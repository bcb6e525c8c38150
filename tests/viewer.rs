//! The picture in a real browser: it appears, and no request leaves the machine.
//!
//! Needs Chromium (`chromium`, `chromium-browser` or `google-chrome`); prints SKIPPED without it.

#![cfg(all(feature = "viz", unix))]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod browser;
mod user;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use browser::{Browser, Seen};
use user::beluga;

/// A page that `beluga view` serves until dropped.
struct Served {
    program: Child,
    url: String,
}

impl Served {
    fn start(home: &Path, file: &str) -> Self {
        let mut program = beluga(home)
            .args(["view", file, "--no-browser"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(program.stderr.take().unwrap());
        let url = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("open ").map(str::to_owned))
            .expect("the page's address is told");
        Self { program, url }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Opens a page and checks that the picture came, all of it from this machine; says what was seen.
fn check(chromium: &Path, home: &Path, file: &str, recording: &str) -> String {
    let served = Served::start(home, file);
    let Seen {
        requests,
        received,
        drawn_after,
        picture_bytes,
        page_errors,
    } = Browser::start(chromium, &home.join("profile"))
        .unwrap()
        .look(&served.url, recording)
        .unwrap();
    for request in &requests {
        let from_here = ["http://127.0.0.1:", "data:", "blob:http://127.0.0.1:"];
        assert!(
            from_here.iter().any(|start| request.starts_with(start)),
            "a request left this machine: {request}"
        );
    }
    for asked in ["/page.js", "/re_viewer.js", "/re_viewer_bg.wasm", recording] {
        assert!(
            requests.iter().any(|request| request.contains(asked)),
            "{asked} of {requests:#?}"
        );
    }
    assert!(page_errors.is_empty(), "{page_errors:#?}");
    assert!(received > 100_000, "{received} bytes of recording");
    // A page of one colour is a few kilobytes.
    assert!(picture_bytes > 60_000, "{picture_bytes} bytes of picture");
    let took_s = drawn_after.as_secs_f64();
    format!("{file}: drawn after {took_s:.0} s, asked for {requests:#?}")
}

#[test]
fn the_picture_appears_and_no_request_leaves_the_machine() {
    let Some(chromium) = browser::find() else {
        println!("SKIPPED: Chromium is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    for arguments in [
        &["sim", "--scene", "sample", "--seconds", "3", "--out", "run"][..],
        &["replay", "run", "--out", "run.maml", "--view", "rrd"],
    ] {
        assert!(beluga(home).args(arguments).output().unwrap().status.success());
    }
    for file in ["run.rrd", "run.maml"] {
        println!("{}", check(&chromium, home, file, "/recording.rrd"));
    }
}
