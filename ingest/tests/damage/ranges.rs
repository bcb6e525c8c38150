//! Numbers that are well formed and absurd, and files that are none.

use std::fs;

use beluga_ingest::Recording;
use beluga_types::{Measurement, Payload};

use crate::folder::{Folder, told};
use crate::pings::{relined, sonar};

fn details(run: &[Measurement]) -> Vec<&str> {
    run.iter()
        .filter_map(|measurement| match &measurement.payload {
            Payload::Gap(gap) => Some(gap.detail.as_str()),
            _ => None,
        })
        .collect()
}

fn change(folder: &Folder, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(folder.path(name)).unwrap();
    assert!(text.contains(from), "{text}");
    folder.write(name, &text.replace(from, to));
}

#[test]
fn a_scan_that_lasts_for_ever_or_lies_at_the_end_of_time() {
    let last = i64::MAX;
    for (line, expected) in [
        (
            format!("1.ply,1000000000,{last}\n"),
            "line 3: expected nanoseconds of a time before the year 2200 in `end_ns`",
        ),
        (
            "1.ply,1000000000,61000000001\n".into(),
            "times.csv line 3: it ends more than 60 s after it starts: ",
        ),
        (
            format!("1.ply,{last},\n"),
            "line 3: expected nanoseconds of a time before the year 2200 in `stamp_ns`",
        ),
    ] {
        let folder = Folder::new();
        folder.write(
            "lidar/times.csv",
            &format!("file,stamp_ns,end_ns\n0.ply,0,60000000000\n{line}2.ply,2000000000,\n"),
        );
        let run = folder.run();
        let mut told = told(&run);
        told.sort();
        assert_eq!(told, ["0", "2", "corrupt 1"]);
        assert!(details(&run)[0].starts_with(expected), "{:?}", details(&run));
        assert!(details(&run)[0].contains("lidar"), "{:?}", details(&run));
    }
}

#[test]
fn a_ping_far_from_its_transmission_or_too_long_is_lost() {
    let folder = sonar("1 0;2 0;3 0");
    let path = "sonar/fan.pings.csv";
    change(&folder, path, "blanking_m\n", "blanking_m,first_sample_s\n");
    relined(&folder, |lines| {
        let first = ["60", "1e18", "-60.5"];
        let longer = |(line, first): (&String, &str)| format!("{line},{first}");
        lines.iter().zip(first).map(longer).collect()
    });
    let run = folder.run();
    assert_eq!(told(&run), ["1x10", "corrupt 1", "corrupt 1"]);
    let expected = "line 3: expected within ±60 s in `first_sample_s`, found 1000000000000000000: ";
    assert!(details(&run)[0].starts_with(expected), "{:?}", details(&run));

    let folder = sonar("1 0;2 10;3 20");
    change(&folder, path, "a.wav,20,10", "a.wav,20,6001");
    let run = folder.run();
    assert_eq!(told(&run), ["1x10", "2x10", "corrupt 1"]);
    let expected = "line 4: expected at most 60 s at 100 Hz in `samples`, found 6001: ";
    assert!(details(&run)[0].starts_with(expected), "{:?}", details(&run));
}

#[test]
fn a_ping_that_reaches_into_the_next_is_lost() {
    let folder = sonar("1 0;2 10;3 20");
    change(&folder, "sonar/fan.pings.csv", ",10,,,,", ",30,,,,");
    let run = folder.run();
    assert_eq!(told(&run), ["corrupt 1", "corrupt 1", "3x20", "truncated 0"]);
    let expected = "line 2: expected at most 10 in `samples`, where the next line's begin, found 30: ";
    assert!(details(&run)[0].starts_with(expected), "{:?}", details(&run));
}

#[test]
fn a_sample_rate_that_no_sonar_has() {
    let folder = sonar("1 0;2 10");
    let mut wav = fs::read(folder.path("sonar/a.wav")).unwrap();
    let rate = wav
        .windows(4)
        .position(|bytes| bytes == 100u32.to_le_bytes())
        .unwrap();
    wav[rate..rate + 8].copy_from_slice(&[1, 0, 0, 0, 4, 0, 0, 0]);
    fs::write(folder.path("sonar/a.wav"), wav).unwrap();
    let error = folder.refused();
    assert!(
        error.contains("expected 8 to 32-bit samples at 100 Hz to 1 GHz"),
        "{error}"
    );
    folder.write(
        "pulses.csv",
        "pulse_id,kind,start_hz,end_hz,duration_ms,shading,centre_hz,sample_rate_hz\na,none,,,,,,1e-300\n",
    );
    let error = folder.refused();
    assert!(
        error.starts_with("line 2: expected 100 to 1000000000 in `sample_rate_hz`"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_device_is_no_file() {
    let folder = sonar("1 0;2 10");
    let endless = |name: &str| {
        let _ = fs::remove_file(folder.path(name));
        std::os::unix::fs::symlink("/dev/zero", folder.path(name)).unwrap();
    };
    let device = "kind: expected a regular file, found a pipe or a device: ";
    endless("sonar/a.wav");
    assert!(folder.refused().contains(device), "{}", folder.refused());
    endless("other.toml");
    let error = Recording::open(&folder.path("other.toml"))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with(device), "{error}");
    for (rig, file) in [
        ("kind = \"sonar\"\nbeams = \"none.csv\"\n", "none.csv"),
        ("kind = \"nav\"\n", "nav.csv"),
        ("kind = \"lidar\"\n", "lidar/3.ply"),
        ("kind = \"lidar\"\nformat = \"kitti\"\n", "lidar/3.ply"),
    ] {
        folder.write("rig.toml", &format!("[[sensor]]\nname = \"a\"\n{rig}"));
        folder.write("lidar/times.csv", "file,stamp_ns\n3.ply,5\n");
        endless(file);
        let error = folder.refused();
        assert!(error.contains("expected a regular file"), "{file}: {error}");
    }
}

#[test]
fn points_beyond_a_thousand_kilometres_are_left_out_and_counted() {
    let header = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
    let text = format!("{header}1 2 3\n0 -1.1e6 0\n1e6 0 0\n");
    let scan = beluga_ingest::ply::parse(text.as_bytes(), "a.ply".as_ref()).unwrap();
    assert_eq!((scan.x(), scan.dropped()), (&[1.0, 1e6][..], 1));
}
