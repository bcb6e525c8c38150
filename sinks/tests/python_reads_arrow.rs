//! The exported folder, read by the tools it is made for.

use std::path::Path;
use std::process::Command;

use beluga_sinks::arrow::{ArrowFiles, encode};
use beluga_types::{
    ArcTable, FrameStatus, Label, Medium, PointTable, PoseSource, SensorId, SharedState, SharedStates,
    SolidarFrame, SonarRegistration, Stamp, Transform, Waterline, Window,
};
use nalgebra::{Matrix6, Vector6};

/// A frame whose points lie at x = 0.5, 1.5, … and alternate between air and water; every third
/// has no signal to noise ratio.
fn frame(index: u64, points: usize) -> SolidarFrame {
    let end = Stamp::from_nanos(1_760_000_000_000_000_000 + index as i64 * 100_000_000);
    SolidarFrame {
        index,
        window: Window {
            start: end.shifted_nanos(-100_000_000),
            end,
        },
        inputs: Vec::new(),
        gaps: Vec::new(),
        clocks: Vec::new(),
        world_from_body: Transform::identity(),
        pose_covariance: Matrix6::identity(),
        localizability: [1.0; 6],
        twist: Vector6::zeros(),
        shared: SharedStates {
            states: vec![SharedState::SoundSpeed(SensorId(1))],
            covariance: vec![4.0],
        },
        waterline: (index > 0).then_some(Waterline {
            z_m: 0.25,
            sigma_m: 0.02,
        }),
        calibration: Vec::new(),
        status: FrameStatus {
            pose_source: PoseSource::Odometry,
            sonar_registration: SonarRegistration::NotTried,
        },
        points: PointTable {
            x: (0..points).map(|i| i as f32 + 0.5).collect(),
            y: vec![0.0; points],
            z: vec![0.0; points],
            offset_nanos: vec![0; points],
            sensor: vec![0; points],
            medium: (0..points).map(|i| Medium::ALL[i % 2]).collect(),
            level: vec![1.0; points],
            snr_db: (0..points).map(|i| (i % 3 > 0).then_some(12.0)).collect(),
            sigma_range_m: vec![0.02; points],
            sigma_along_m: vec![0.02; points],
            sigma_across_m: vec![0.02; points],
            label: vec![Label::Structure; points],
            source_seq: vec![index; points],
            source_index: (0..points as u32).collect(),
        },
        arcs: ArcTable::default(),
    }
}

#[test]
fn python_reads_arrow() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = ArrowFiles::create(dir.path()).unwrap();
    for (index, points) in [(0, 6), (1, 10), (2, 4)] {
        files.push(&encode(&frame(index, points)).unwrap()).unwrap();
    }
    files.finish().unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reads_arrow.py");
    let Ok(output) = Command::new("python3").arg(script).arg(dir.path()).output() else {
        println!("SKIPPED python_reads_arrow: no python3");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    if let Some(package) = said.trim().strip_prefix("missing: ") {
        println!("SKIPPED python_reads_arrow: no {package}");
        return;
    }
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    // Sums of i + 0.5 over 6, 10 and 4 points are 18, 50 and 8. In water with a ratio are the odd
    // i that 3 does not divide: 1, 5 of 6; 1, 5, 7 of 10; 1 of 4.
    let expected = serde_json::json!({
        "arcs": 0,
        "frames": 3,
        "last_frame_points": 4,
        "points": 20,
        "schema": "solidar-frame v2",
        "shared_states": ["sound_speed:1"],
        "stream_points": 10,
        "sum_x": 76.0,
        "underwater_with_snr": 6,
        "waterline": [null, 0.25, 0.25],
        "x_space": "Body",
        "x_unit": "m",
    });
    assert_eq!(found, expected);
}
