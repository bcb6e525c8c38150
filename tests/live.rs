//! Sensors that are heard now, through the program: what was recorded replays to what was seen.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

#[path = "shared_data/mod.rs"]
mod shared_data;
mod user;

use std::net::UdpSocket;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};

use shared_data::shared_data;
use user::{beluga, check, ended, says};

/// A port that nobody listens to: below those that the system gives away by itself, each once in a
/// process, and others in another.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 200) as u16 * 100;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 100;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
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
    let send = || send(&UdpSocket::bind("127.0.0.1:0").unwrap());
    user::listening(home, arguments, 1, send, codes)
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
fn a_record_says_which_devices_were_heard_and_why_it_ended() {
    let name = "a_record_says_which_devices_were_heard_and_why_it_ended";
    let shared = |ending: &str| {
        shared_data(
            name,
            &format!("live/ouster-os0-128-rng15-lowdata/OS-0-128-U1_v2.3.0_1024x10.{ending}"),
        )
    };
    let (Some(metadata), Some(capture)) = (shared("json"), shared("pcap")) else {
        return;
    };
    let packets = datagrams(&capture, 7502);
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let home = folder.path();
    let rig = format!(
        "[[sensor]]\nname = \"roof\"\nkind = \"lidar\"\ncalibration = {:?}\nsource = \"udp://127.0.0.1:{port}\"\n",
        metadata.display().to_string()
    );
    std::fs::write(home.join("rig.toml"), rig).unwrap();
    let live = [
        "live",
        "--rig",
        "rig.toml",
        "--out",
        "live.maml",
        "--view",
        "none",
    ];
    let send = |socket: &UdpSocket| {
        for packet in &packets {
            socket.send_to(packet, ("127.0.0.1", port)).unwrap();
        }
    };
    heard(home, &live, send, &[0, 3]);
    let (out, _) = check(home, &["maml", "log", "live.maml"], 0);
    let said = |kind: &str| {
        let lines = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["kind"] == kind).collect::<Vec<_>>()
    };
    assert_eq!(said("run.ended")[0]["value"]["why"], "stopped");
    let devices = said("run.devices");
    assert_eq!(devices.len(), 1, "said once: {devices:?}");
    let expected = serde_json::json!([{ "name": "roof", "serial": "122150000150", "firmware": "v2.3.0" }]);
    assert_eq!(devices[0]["value"]["sensors"], expected);
    check(home, &["export", "live.maml", "--graph", "graph"], 0);
    let nodes = std::fs::read_to_string(home.join("graph/nodes.csv")).unwrap();
    let sensors: Vec<&str> = nodes.lines().filter(|line| line.contains(",Sensor,")).collect();
    assert!(
        sensors.len() == 1 && sensors[0].contains(",122150000150,v2.3.0,"),
        "{sensors:?}"
    );
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

#[test]
fn a_dashboard_is_refused_where_nobody_could_see_it() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let home = folder.path();
    let rig = format!(
        "[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"udp://127.0.0.1:{port}\"\n[origin]\nlat_deg = 54.1\nlon_deg = 12.1\nheight_m = 38.5\n"
    );
    std::fs::write(home.join("rig.toml"), rig).unwrap();
    for arguments in [
        &["live", "--rig", "rig.toml", "--tui"][..],
        &["record", "--rig", "rig.toml", "--tui"],
        &["replay", "rig.toml", "--tui"],
    ] {
        let (_, said) = check(home, arguments, 2);
        says(&said, &["--tui", "stdout is none"]);
    }
    let left = std::fs::read_dir(home).unwrap().count();
    assert_eq!(left, 1, "nothing was made but the rig");
}

/// With its sum.
fn summed(body: &str) -> String {
    let sum = body.bytes().fold(0_u8, |sum, byte| sum ^ byte);
    format!("${body}*{sum:02X}\r\n")
}

/// Positions and attitudes of a receiver whose clock is so many seconds ahead of this host's.
fn fixes(ahead_s: u64) -> Vec<String> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let of_day = |step: u64| (now.as_millis() as u64 + 1000 * ahead_s + 10 * step) % 86_400_000;
    let line = |step: u64| {
        let (seconds, millis) = (of_day(step) / 1000, of_day(step) % 1000);
        let time = format!(
            "{:02}{:02}{:02}.{millis:03}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        let fix = format!("GPGGA,{time},5406.00000,N,01206.00000,E,4,12,0.7,1.20,M,37.30,M,1.0,0001");
        let attitude = format!("PASHR,{time},10.0,T,1.00,-2.00,0.00,0.020,0.020,0.040,4,3");
        summed(&fix) + &summed(&attitude)
    };
    (0..20).map(line).collect()
}

#[test]
fn the_doctor_names_what_is_wrong_with_its_remedy() {
    let metadata = "live/ouster-os1-32-legacy/OS-1-32-G_v2.1.1_1024x10.json";
    let capture = "live/ouster-os0-128-rng15-lowdata/OS-0-128-U1_v2.3.0_1024x10.pcap";
    let shared = |path| shared_data("the_doctor_names_what_is_wrong_with_its_remedy", path);
    let (Some(metadata), Some(capture)) = (shared(metadata), shared(capture)) else {
        return;
    };
    let packets = datagrams(&capture, 7502);
    let (folder, ports) = (
        tempfile::tempdir().unwrap(),
        [free_port(), free_port(), free_port()],
    );
    let home = folder.path();
    let [nav, silent, swapped] = ports;
    let rig = format!(
        "[origin]\nlat_deg = 54.1\nlon_deg = 12.1\nheight_m = 38.5\n\
         [[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"udp://127.0.0.1:{nav}\"\n\
         [[sensor]]\nname = \"silent\"\nkind = \"lidar\"\nsource = \"udp://127.0.0.1:{silent}\"\n\
         [[sensor]]\nname = \"swapped\"\nkind = \"lidar\"\ncalibration = {:?}\nsource = \"udp://127.0.0.1:{swapped}\"\n",
        metadata.display().to_string()
    );
    std::fs::write(home.join("rig.toml"), rig).unwrap();
    let send = |socket: &UdpSocket| {
        for line in fixes(37) {
            socket.send_to(line.as_bytes(), ("127.0.0.1", nav)).unwrap();
        }
        for packet in packets.iter().take(10) {
            socket.send_to(packet, ("127.0.0.1", swapped)).unwrap();
        }
    };
    let (out, _) = heard(
        home,
        &["doctor", "--rig", "rig.toml", "--seconds", "60"],
        send,
        &[1],
    );
    for (words, verdict) in [
        (&["gnss", "a second"][..], "PASS"),
        (
            &["gnss", "ahead of the host's", "TAI", "time_offset_ms = -3"],
            "FAIL",
        ),
        (&["silent", "nothing came", "tcpdump"], "FAIL"),
        (
            &["swapped", "metadata", "expected that of the sensor that is heard"],
            "FAIL",
        ),
        (&["disk", "GB free"], ""),
        (&["processor", "core(s)"], ""),
    ] {
        let found = out
            .lines()
            .any(|line| line.starts_with(verdict) && words.iter().all(|word| line.contains(word)));
        assert!(found, "{verdict} {words:?}: {out}");
    }
    // A port that another has is no reason to listen at all.
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let rig = format!(
        "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = \"udp://{}\"\n",
        taken.local_addr().unwrap()
    );
    std::fs::write(home.join("taken.toml"), rig).unwrap();
    let (out, _) = check(home, &["doctor", "--rig", "taken.toml"], 1);
    says(&out, &["FAIL", "in use"]);
}

#[test]
fn a_tape_that_was_cut_is_recovered_to_its_last_second() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let home = folder.path();
    let rig = format!(
        "[origin]\nlat_deg = 54.1\nlon_deg = 12.1\nheight_m = 38.5\n\
         [[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    std::fs::write(home.join("rig.toml"), rig).unwrap();
    let send = |socket: &UdpSocket| {
        for line in fixes(0) {
            socket.send_to(line.as_bytes(), ("127.0.0.1", port)).unwrap();
        }
    };
    heard(
        home,
        &["record", "--rig", "rig.toml", "--out", "whole.mcap"],
        send,
        &[0],
    );
    let (out, _) = check(home, &["--json", "recover", "whole.mcap"], 0);
    let whole: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(whole["measurements"]["gnss"], 20, "{out}");
    let bytes = std::fs::read(home.join("whole.mcap")).unwrap();
    std::fs::write(home.join("cut.mcap"), &bytes[..bytes.len() - 40]).unwrap();
    let (out, _) = check(home, &["recover", "cut.mcap", "--out", "again.mcap"], 3);
    says(&out, &["not finished", "gnss: 20", "again.mcap"]);
    check(home, &["recover", "again.mcap"], 0);
    check(home, &["recover", "cut.mcap", "--out", "again.mcap"], 2);
}

/// A WAV that is piped into the program, of which nobody knows how long it will be.
#[test]
fn a_wav_is_piped_into_a_tape() {
    let folder = tempfile::tempdir().unwrap();
    let rig = folder.path().join("rig.toml");
    std::fs::write(
        &rig,
        "[[sensor]]\nname = \"hydrophone\"\nkind = \"sonar\"\nformat = \"wav\"\nsource = \"stdin\"\n",
    )
    .unwrap();
    let tape = folder.path().join("piped.mcap");
    let mut program = beluga(folder.path())
        .args(["record", "--rig"])
        .arg(&rig)
        .arg("--out")
        .arg(&tape)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\xff\xff\xff\xff".to_vec();
    bytes.extend((0..8000u16).flat_map(u16::to_le_bytes));
    std::io::Write::write_all(&mut program.stdin.take().unwrap(), &bytes).unwrap();
    // It ends with what is piped.
    ended(program.wait_with_output().unwrap(), 0);
    let recording = beluga_ingest::Recording::open(&tape).unwrap();
    let samples: usize = recording
        .timeline()
        .unwrap()
        .filter_map(|one| match one.payload {
            beluga_types::Payload::Sonar(ping) => match &*ping {
                beluga_types::SonarPing::Elements(elements) => Some(elements.waveforms.shape().samples),
                _ => None,
            },
            _ => None,
        })
        .sum();
    assert_eq!(samples, 8000);
}
