//! The exported LAS and LAZ, read by the library most scripts use.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::path::Path;
use std::process::Command;

use beluga_sinks::las;
use beluga_sinks::place::Placement;
use beluga_types::{
    ArcTable, FrameStatus, Geodetic, Label, Medium, Origin, PointTable, PoseSource, SharedStates,
    SolidarFrame, SonarRegistration, Stamp, Transform, Waterline, Window,
};
use nalgebra::{Matrix6, Vector6};

/// Three points at 0.5, 1.5 and 2.5 m east of the origin: a wall in air, the same in water, and one
/// nobody measured.
fn frame() -> SolidarFrame {
    let end = Stamp::from_nanos(1_760_000_000_500_000_000);
    let column = |value: f32| vec![value; 3];
    SolidarFrame {
        index: 7,
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
            states: Vec::new(),
            covariance: Vec::new(),
        },
        waterline: Some(Waterline {
            z_m: 8.0,
            sigma_m: 0.0,
        }),
        calibration: Vec::new(),
        status: FrameStatus {
            pose_source: PoseSource::Odometry,
            sonar_registration: SonarRegistration::NotTried,
        },
        points: PointTable {
            x: vec![0.5, 1.5, 2.5],
            y: column(0.0),
            z: column(0.0),
            offset_nanos: vec![-250_000_000; 3],
            sensor: vec![0, 1, 1],
            medium: vec![Medium::Air, Medium::Water, Medium::Water],
            level: vec![17.0, -20.0, -20.0],
            snr_db: vec![None, Some(12.0), None],
            sigma_range_m: column(0.01),
            sigma_along_m: column(0.02),
            sigma_across_m: column(0.03),
            label: vec![Label::Structure, Label::Structure, Label::Bridged],
            source_seq: vec![1; 3],
            source_index: vec![0, 1, 2],
        },
        arcs: ArcTable::default(),
    }
}

fn read(name: &str, placement: Placement, is_packed: bool) -> Option<serde_json::Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut writer = las::Writer::create(&path, placement, is_packed).unwrap();
    writer.push(&frame()).unwrap();
    writer.finish().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reads_las.py");
    let Ok(output) = Command::new("python3").arg(script).arg(&path).output() else {
        println!("SKIPPED python_reads_las: no python3");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    if let Some(package) = said.trim().strip_prefix("missing: ") {
        println!("SKIPPED python_reads_las: no {package}");
        return None;
    }
    Some(serde_json::from_str(&said).unwrap())
}

#[test]
fn python_reads_las() {
    for (name, is_packed) in [("cloud.las", false), ("cloud.laz", true)] {
        let Some(found) = read(name, Placement::world(), is_packed) else {
            return;
        };
        // 1,760,000,000.25 s UTC is 1,444,035,218.25 s of GPS time, less 10⁹.
        let expected = serde_json::json!({
            "bounds": [0.5, 2.5],
            "class_43": "structure in w",
            "classification": [6, 43, 72],
            "date": "2025-10-09",
            "extra": [
                "sigma_range_m", "sigma_along_m", "sigma_across_m", "snr_db", "level", "frame", "sensor",
                "medium", "label", "thu_m", "tvu_m", "s44",
            ],
            "format": 6,
            "gps_time": 444_035_218.25,
            "intensity": [17, 18_000, 18_000],
            "is_adjusted_gps_time": true,
            "is_wkt": true,
            "medium": [0, 1, 1],
            "points": 3,
            "s44": [0, 1, 1],
            "sigma_across_m": 0.03,
            "snr_db": [-9999.0, 12.0, -9999.0],
            "snr_no_data": -9999.0,
            "synthetic": [0, 0, 1],
            "thu_m": 0.049,
            "tvu_m": 0.0588,
            "version": "1.4",
            "wkt": [],
            "x": [0.5, 1.5, 2.5],
        });
        assert_eq!(found, expected, "{name}");
    }
    let origin = Origin {
        anchor: Geodetic::from_degrees(54.17, 12.1, 37.5),
        epsg: Some(32_633),
        vertical_datum: None,
    };
    let placement = Placement::of(Some(&origin)).unwrap();
    let found = read("utm.laz", placement.clone(), true).unwrap();
    assert_eq!(found["wkt"][0], placement.wkt().unwrap());
    let easting = found["x"][0].as_f64().unwrap();
    assert!((easting - 310_707.573).abs() < 0.002, "{easting}");
}
