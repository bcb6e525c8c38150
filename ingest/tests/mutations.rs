//! Whatever the bytes of a recording are: it opens or is refused, its run ends, nothing panics.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use beluga_ingest::{Recording, ply};
use beluga_types::{LidarScan, Measurement, Payload, SonarPing};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const FILES: [&str; 9] = [
    "rig.toml",
    "fan.beams.csv",
    "profile.csv",
    "nav.csv",
    "pulses.csv",
    "lidar/times.csv",
    "lidar/1.ply",
    "sonar/fan.pings.csv",
    "sonar/a.wav",
];

/// A small recording with one file of every kind.
fn write(folder: &Path) {
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    fs::create_dir_all(folder.join("lidar")).unwrap();
    fs::create_dir_all(folder.join("sonar")).unwrap();
    put(
        "rig.toml",
        "[origin]\nlat_deg = 54.1\nlon_deg = 12.1\nheight_m = 38.5\n[water]\nprofile = \"profile.csv\"\n\
        [[sensor]]\nname = \"front\"\nkind = \"lidar\"\nreference = true\npitch_deg = 1.5\n\
        [[sensor]]\nname = \"fan\"\nkind = \"sonar\"\nbeams = \"fan.beams.csv\"\ntime_offset_ms = -3\n\
        [[sensor]]\nname = \"ins\"\nkind = \"nav\"\nstamp = \"end\"\n",
    );
    put("profile.csv", "depth_m,sound_speed_m_per_s\n0,1480\n5,1475\n");
    put(
        "fan.beams.csv",
        "beam,across_deg,along_deg,transmit_along_deg,transmit_across_deg,receive_along_deg,receive_across_deg\n0,-30,0,1,120,20,1\n",
    );
    put(
        "nav.csv",
        "stamp_ns,lat_deg,lon_deg,height_m,qw,qx,qy,qz\n1000,54.1,12.1,40,1,0,0,0\n2000,54.1,12.1,40,,,,\n",
    );
    put(
        "pulses.csv",
        "pulse_id,kind,start_hz,end_hz,duration_ms,shading,centre_hz\nchirp,lfm,195e3,205e3,0.7,tukey:0.1,200e3\n",
    );
    put("lidar/times.csv", "file,stamp_ns\n1.ply,1000\n2.ply,2000\n");
    put(
        "sonar/fan.pings.csv",
        "seq,transmit_ns,received_ns,file,start_sample,samples,pulse_id,steering_deg,sound_speed_m_per_s,blanking_m\n\
        7,1000,2000,a.wav,0,2,chirp,3.5,1480,0.5\n8,3000,4000,a.wav,2,2,chirp,,,\n",
    );
    let scan = LidarScan::new(vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]).unwrap();
    let scan = scan
        .with_ring(vec![1, 2])
        .unwrap()
        .with_offset_nanos(vec![0, 50])
        .unwrap();
    ply::write(&folder.join("lidar/1.ply"), &scan).unwrap();
    put(
        "lidar/2.ply",
        "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n1 2 3\n",
    );
    let mut wav =
        b"RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x80\xbb\0\0\0\xee\x02\0\x04\0\x10\0data\x10\0\0\0"
            .to_vec();
    wav.extend([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0]);
    fs::write(folder.join("sonar/a.wav"), wav).unwrap();
}

/// Reads all there is; gives how many payloads came, gaps aside.
fn read(folder: &Path) -> Option<usize> {
    let run: Vec<_> = Recording::open(folder)
        .ok()?
        .timeline()
        .ok()?
        .take(1000)
        .collect();
    assert!(run.len() < 1000, "{} measurements out of a few lines", run.len());
    assert!(run.is_sorted_by_key(Measurement::order));
    for measurement in &run {
        assert!(measurement.stamp <= measurement.end);
        if let Payload::Pose(fix) = &measurement.payload {
            assert!(fix.world_from_body.is_finite());
        }
        if let Payload::Sonar(ping) = &measurement.payload {
            assert!(matches!(&**ping, SonarPing::Beams(_) | SonarPing::Elements(_)));
        }
    }
    Some(
        run.iter()
            .filter(|measurement| !matches!(measurement.payload, Payload::Gap(_)))
            .count(),
    )
}

#[test]
fn unhurt_it_reads() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    assert_eq!(read(folder.path()), Some(6));
}

#[test]
fn every_truncation_of_every_file_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    for file in FILES {
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        for end in 0..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            read(folder.path());
        }
        fs::write(&path, whole).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_change_of_a_file_is_survived(
        file in 0..FILES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let path = folder.path().join(FILES[file]);
        let mut bytes = fs::read(&path).unwrap();
        for (place, value, kind) in changes {
            let place = place.index(bytes.len().max(1));
            match kind {
                _ if bytes.is_empty() => bytes.push(value),
                0 => bytes[place] = value,
                // A digit among digits makes numbers that are only just wrong.
                1 => bytes[place] = b'0' + value % 10,
                _ => bytes.insert(place, value),
            }
        }
        fs::write(&path, bytes).unwrap();
        read(folder.path());
    }
}
