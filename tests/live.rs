//! Sensors that are heard now, through the program: what was recorded replays to what was seen.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

#[path = "shared_data/mod.rs"]
mod shared_data;
mod user;

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::path::Path;
use std::process::Stdio;

use shared_data::shared_data;
use user::{beluga, check, ended, says};

/// A port that nobody listens to.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The datagrams of a capture to a port.
fn datagrams(path: &Path, port: u16) -> Vec<Vec<u8>> {
    let file = std::fs::File::open(path).unwrap();
    let datagrams = beluga_ingest::capture::datagrams(file, path).unwrap();
    let own = datagrams
        .filter_map(Result::ok)
        .filter(|one| one.destination.port() == port);
    own.map(|one| one.payload).collect()
}

/// Runs the program while `send` speaks to it, ends it as Ctrl-C does, and gives stdout and stderr.
fn heard(home: &Path, arguments: &[&str], send: impl FnOnce(&UdpSocket), codes: &[i32]) -> (String, String) {
    let mut child = beluga(home)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("listening for") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended: {said}");
    }
    send(&UdpSocket::bind("127.0.0.1:0").unwrap());
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

#[test]
fn a_tape_of_a_live_run_replays_to_the_same_frames() {
    let capture = "live/velodyne-vlp16-veloview/vlp-16-test-90deg-1-50-frames.pcap";
    let Some(capture) = shared_data("a_tape_of_a_live_run_replays_to_the_same_frames", capture) else {
        return;
    };
    let sent = datagrams(&capture, 2368);
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let home = folder.path();
    let rig = format!(
        "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nmodel = \"VLP-16\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    std::fs::write(home.join("rig.toml"), rig).unwrap();
    let arguments = [
        "--json",
        "live",
        "--rig",
        "rig.toml",
        "--record",
        "live.mcap",
        "--out",
        "live.maml",
        "--view",
        "none",
    ];
    let send = |socket: &UdpSocket| {
        for payload in &sent {
            socket.send_to(payload, ("127.0.0.1", port)).unwrap();
            std::thread::yield_now();
        }
    };
    // A busy machine may lose a datagram: what was heard is the same either way.
    let (live, said) = heard(home, &arguments, send, &[0, 3]);
    says(&said, &["Velodyne VLP-16"]);
    let live: serde_json::Value = serde_json::from_str(&live).unwrap();
    assert!(live["frames"].as_u64().unwrap() > 10, "{live}");
    let tally = &live["heard"][0]["tally"];
    assert!(
        tally["heard"].as_u64().unwrap() > 0 && tally["let_go"].as_u64() == Some(0),
        "{tally}"
    );

    let arguments = [
        "--json",
        "replay",
        "live.mcap",
        "--out",
        "again.maml",
        "--view",
        "none",
    ];
    let output = beluga(home).args(arguments).output().unwrap();
    let code = output.status.code().unwrap();
    let (again, _) = ended(output, code);
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    assert_eq!(live["frame_sha256"], again["frame_sha256"]);
    assert_eq!(live["lost"], again["lost"]);
}

#[test]
fn a_run_that_hears_nothing_says_what_to_look_at() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let home = folder.path();
    let rig =
        format!("[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = \"udp://127.0.0.1:{port}\"\n");
    std::fs::write(home.join("rig.toml"), rig).unwrap();
    let arguments = ["record", "--rig", "rig.toml", "--out", "nothing.mcap"];
    let (out, _) = heard(home, &arguments, |_| {}, &[0, 1]);
    says(&out, &["nothing came to", &port.to_string(), "tcpdump"]);
    let (_, said) = check(home, &["replay", "rig.toml"], 2);
    says(&said, &["beluga live --rig"]);
    let (_, said) = check(home, &["live", "--rig", "rig.toml", "--seconds", "0"], 2);
    says(&said, &["seconds above zero"]);
}
