//! Recordings of real devices, where they are at hand.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use beluga_ingest::{
    Recording, kitti, ply,
    wav::{Samples, WavFile},
};
use beluga_types::elementary::Squared;
use beluga_types::{Payload, SonarPing};

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use shared_data::shared_data;

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

fn check_wav(folder: &Path, channels: usize, rate_hz: f64, frames: u64) -> Vec<i16> {
    let mut wav = WavFile::open(&files(folder, "wav")[0]).unwrap();
    assert_eq!((wav.channels(), wav.sample_rate_hz()), (channels, rate_hz));
    assert_eq!((wav.frames(), wav.stated_frames()), (frames, frames));
    match wav.read(0, frames).unwrap() {
        Samples::I16(values) => values,
        Samples::F32(_) => panic!("16-bit samples"),
    }
}

#[test]
fn a_hydrophone_recording_with_a_strange_chunk() {
    let Some(folder) = shared_data(
        "a_hydrophone_recording_with_a_strange_chunk",
        "sonar/hydrophone-wav",
    ) else {
        return;
    };
    let values = check_wav(&folder, 1, 48e3, 1_443_840);
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
    let square = |value: &i16| (f64::from(*value) - mean).squared();
    let std = (values.iter().map(square).sum::<f64>() / values.len() as f64).sqrt();
    assert!(
        (mean + 93.872).abs() < 5e-4 && (std - 20.757).abs() < 5e-4,
        "{mean} {std}"
    );

    let work = tempfile::tempdir().unwrap();
    let source = files(&folder, "wav")[0].display().to_string();
    let rig = format!("[[sensor]]\nname = \"ear\"\nkind = \"sonar\"\nsource = {source:?}\nstart_ns = 0\n");
    std::fs::write(work.path().join("site.toml"), rig).unwrap();
    let blocks: Vec<_> = Recording::open(&work.path().join("site.toml"))
        .unwrap()
        .timeline()
        .unwrap()
        .collect();
    let mut samples = 0;
    for block in &blocks {
        match &block.payload {
            Payload::Sonar(ping) => match &**ping {
                SonarPing::Elements(ping) => samples += ping.waveforms.shape().samples,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((blocks.len(), samples), (31, 1_443_840));
    assert_eq!(blocks[30].stamp.nanos(), 30_000_000_000);
}

#[test]
fn an_ultrasound_array_in_air() {
    let Some(folder) = shared_data("an_ultrasound_array_in_air", "sonar/air-ultrasound-array") else {
        return;
    };
    let values = check_wav(&folder, 5, 192e3, 387_424);
    assert_eq!(values.len(), 5 * 387_424);
}

#[test]
fn two_scans_as_ply() {
    let Some(folder) = shared_data("two_scans_as_ply", "lidar/small-gicp-pair") else {
        return;
    };
    let sizes = ["source.ply", "target.ply"].map(|name| {
        let scan = ply::read(&folder.join(name)).unwrap();
        assert_eq!(scan.intensity().unwrap().len(), scan.len());
        assert!(scan.x().iter().all(|x| x.abs() < 300.0));
        scan.len() + scan.dropped() as usize
    });
    assert_eq!(sizes, [69_792, 69_088]);
}

#[test]
fn a_folder_of_kitti_scans() {
    let Some(folder) = shared_data("a_folder_of_kitti_scans", "lidar/kitti00-pair-94-95") else {
        return;
    };
    let recording = Recording::open(&folder).unwrap();
    assert!(recording.rig().sensors[0].deskewed);
    let expected: Vec<_> = files(&folder, "bin")
        .iter()
        .map(|path| path.metadata().unwrap().len() / 16)
        .collect();
    let mut found = Vec::new();
    for measurement in recording.timeline().unwrap() {
        match measurement.payload {
            Payload::Lidar(scan) => found.push(scan.len() as u64 + u64::from(scan.dropped())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(found, expected);
    assert!(
        found.iter().all(|points| (120_000..130_000).contains(points)),
        "{found:?}"
    );
}

#[test]
fn a_city_drive_becomes_a_folder_recording() {
    let Some(folder) = shared_data(
        "a_city_drive_becomes_a_folder_recording",
        "lidar/kitti-raw-city-124",
    ) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let destination = root.path().join("city");
    assert_eq!(kitti::convert(&folder, &destination).unwrap(), 124);
    let expected: u64 = files(&folder, "xyz32")
        .iter()
        .map(|path| path.metadata().unwrap().len() / 12)
        .sum();
    let source: Vec<_> = Recording::open(&folder).unwrap().timeline().unwrap().collect();
    let found: Vec<_> = Recording::open(&destination)
        .unwrap()
        .timeline()
        .unwrap()
        .collect();
    assert_eq!(found, source, "scan by scan, point by point");
    let points = |measurement: &beluga_types::Measurement| match &measurement.payload {
        Payload::Lidar(scan) => scan.len() as u64 + u64::from(scan.dropped()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (found.len(), found.iter().map(points).sum::<u64>()),
        (124, expected)
    );
    assert_eq!(found[123].stamp.nanos(), 12_300_000_000);
}

/// The points of a lidar file by the default rig, as (points, dropped), with the scan.
fn one_scan(path: &Path) -> (beluga_types::Measurement, Vec<String>) {
    let recording = Recording::open(path).unwrap();
    let mut timeline = recording.timeline().unwrap();
    let first = timeline.next().unwrap();
    assert!(timeline.next().is_none());
    (first, recording.notes().to_vec())
}

fn cloud(measurement: &beluga_types::Measurement) -> &beluga_types::LidarScan {
    match &measurement.payload {
        Payload::Lidar(scan) => scan,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_survey_as_las_laz_and_copc() {
    let Some(folder) = shared_data("one_survey_as_las_laz_and_copc", "lidar/las-laspy") else {
        return;
    };
    let sorted = |name: &str| {
        let (measurement, notes) = one_scan(&folder.join(name));
        let scan = cloud(&measurement);
        assert_eq!((scan.len(), scan.dropped()), (1065, 0), "{name}");
        assert!(notes.iter().any(|note| note.contains("637301")), "{notes:?}");
        let code = notes.iter().any(|note| note.contains("EPSG:2991"));
        assert_eq!(code, name.contains("copc"), "{notes:?}");
        // COPC has another order, and its system says metres across and US survey feet up.
        let up = if name.contains("copc") {
            3937.0 / 1200.0
        } else {
            1.0
        };
        let at = |column: &[f32], i: usize, unit: f64| (f64::from(column[i]) * unit * 1e3).round() as i64;
        let mut points: Vec<_> = (0..scan.len())
            .map(|i| [at(scan.x(), i, 1.0), at(scan.y(), i, 1.0), at(scan.z(), i, up)])
            .collect();
        points.sort_unstable();
        points
    };
    let las = sorted("simple.las");
    assert_eq!(las, sorted("simple.laz"));
    let copc = sorted("simple.copc.laz");
    let near = |(a, b): (&[i64; 3], &[i64; 3])| (0..3).all(|axis| (a[axis] - b[axis]).abs() <= 1);
    assert!(
        las.iter().zip(&copc).filter(|pair| near(*pair)).count() > 1000,
        "{:?} {:?}",
        las[0],
        copc[0]
    );

    let (measurement, notes) = one_scan(&folder.join("autzen_trim.laz"));
    assert_eq!(cloud(&measurement).len(), 110_000);
    assert!(notes.iter().any(|note| note.contains("0.3048")), "{notes:?}");
    let (measurement, _) = one_scan(&folder.join("extrabytes.las"));
    assert_eq!(cloud(&measurement).len(), 1065);
}

#[test]
fn a_real_scan_says_the_same_as_pcd() {
    let Some(folder) = shared_data("a_real_scan_says_the_same_as_pcd", "lidar/small-gicp-pair") else {
        return;
    };
    let scan = ply::read(&folder.join("source.ply")).unwrap();
    let work = tempfile::tempdir().unwrap();
    let mut bytes = format!(
        "VERSION 0.7\nFIELDS x y z intensity\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\nWIDTH {0}\nHEIGHT 1\nPOINTS {0}\nDATA binary\n",
        scan.len()
    )
    .into_bytes();
    for i in 0..scan.len() {
        for column in [scan.x(), scan.y(), scan.z(), scan.intensity().unwrap()] {
            bytes.extend(column[i].to_le_bytes());
        }
    }
    std::fs::write(work.path().join("0.pcd"), bytes).unwrap();
    let (measurement, _) = one_scan(work.path());
    assert_eq!(*cloud(&measurement), scan.with_dropped(0));
}

#[test]
fn clouds_of_two_devices_as_pcd() {
    for (folder, points, sums, ringed) in [
        (
            "velodyne-vlp16-nebula-ros2/1673400472138016708.pcd",
            14_831,
            [-15_976.413_811_8, 5_498.528_462_8, 5_695.354_016_5],
            true,
        ),
        (
            "hesai-xt32-nebula-ros2/1673400678101968885.pcd",
            63_021,
            [-7_759.419_453_6, -36_914.170_287_1, 11_134.659_301_5],
            false,
        ),
    ] {
        let Some(path) = shared_data("clouds_of_two_devices_as_pcd", &format!("live/{folder}")) else {
            return;
        };
        let (measurement, _) = one_scan(&path);
        let scan = cloud(&measurement);
        assert_eq!((scan.len(), scan.dropped()), (points, 0), "{folder}");
        for (column, expected) in [scan.x(), scan.y(), scan.z()].into_iter().zip(sums) {
            let sum: f64 = column.iter().map(|value| f64::from(*value)).sum();
            assert!((sum - expected).abs() < 1e-6, "{folder}: {sum}");
        }
        let table = std::fs::read_to_string(path.with_file_name("nebula_pcd_first20.csv")).unwrap();
        for (i, line) in table.lines().skip(1).enumerate() {
            let truth: Vec<f32> = line.split(',').map(|word| word.parse().unwrap()).collect();
            let found = [scan.x()[i], scan.y()[i], scan.z()[i]];
            assert!(
                (0..3).all(|axis| (found[axis] - truth[axis]).abs() <= 6e-7),
                "{line}: {found:?}"
            );
        }
        // Its `time_stamp` counts from the start of a packet, not of the scan: it is no offset.
        assert_eq!((scan.offset_nanos(), scan.ring().is_some()), (None, ringed));
    }
}
