//! The program as a user runs it. Every test of the program includes this one file.

#![allow(dead_code, reason = "not every test wants all of it")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program in a folder of its own, with its own keys, and no screen around it.
pub(crate) fn beluga(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beluga"));
    command.env("BELUGA_HOME", home.join("home")).current_dir(home);
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER", "CI"] {
        command.env_remove(name);
    }
    command
}

/// Runs, checks the exit code, gives stdout and stderr.
pub(crate) fn check(home: &Path, arguments: &[&str], code: i32) -> (String, String) {
    ended(beluga(home).args(arguments).output().unwrap(), code)
}

/// Runs the program while `send` speaks to its so many sensors, ends it as Ctrl-C does, and gives stdout and stderr.
pub(crate) fn listening(
    home: &Path,
    arguments: &[&str],
    sensors: usize,
    send: impl FnOnce(),
    codes: &[i32],
) -> (String, String) {
    let mut child = beluga(home)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while said.matches("listening for").count() < sensors {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended: {said}");
    }
    send();
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let rest = std::thread::spawn(move || {
        stderr.read_to_string(&mut said).unwrap();
        said
    });
    let mut output = child.wait_with_output().unwrap();
    output.stderr = rest.join().unwrap().into_bytes();
    let code = output.status.code().unwrap();
    assert!(
        codes.contains(&code),
        "{code}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    ended(output, code)
}

/// Checks the exit code of a run, gives stdout and stderr.
pub(crate) fn ended(output: Output, code: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "--- stdout\n{out}\n--- stderr\n{err}"
    );
    assert!(!err.contains("panicked"), "{err}");
    (out, err)
}

/// Checks that a text has all these words.
pub(crate) fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
}
