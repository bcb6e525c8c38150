//! Measurements, written as a folder and read back, are the same measurements.

#![allow(clippy::unwrap_used)]

use std::f64::consts::FRAC_PI_4;
use std::path::Path;
use std::sync::Arc;

use beluga_ingest::folder::Writer;
use beluga_ingest::{Error, Recording};
use beluga_types::{
    AttitudeFix, Beam, Beams, DepthFix, Elements, Gap, GapCause, Geodetic, GnssFix, LidarScan, Measurement,
    Origin, Payload, PoseFix, Pulse, PulseKind, Rig, SampleValues, SensorId, SensorKind, SensorSpec, Shading,
    SonarPing, Stamp, StampMeaning, Transform, Vessel, Water, WaveformShape, Waveforms,
};
use nalgebra::{Matrix3, Matrix6, UnitQuaternion, Vector3};

const T0: i64 = 1_700_000_000_000_000_000;

fn rig() -> Rig {
    let beam = |across| Beam::at(across, 0.0, [0.02, 2.0], [0.4, 0.02]);
    let mut front = SensorSpec::new("front", SensorKind::Lidar);
    front.reference = true;
    front.model = Some("spinning".into());
    front.mount.forward_m = 1.25;
    front.mount.attitude.pitch_rad = -0.1;
    front.corrected = vec!["mount".into()];
    let mut fan = SensorSpec::new("fan", SensorKind::Sonar);
    let mut ins = SensorSpec::new("ins", SensorKind::Nav);
    ins.pps = Some("/sys/class/pps/pps0/assert".into());
    // Angles that degrees in a file hold to the last bit.
    fan.beams = Some([beam(-FRAC_PI_4), beam(0.25)].into());
    Rig {
        origin: Some(Origin {
            anchor: Geodetic::from_degrees(54.1, 12.1, 38.5),
            epsg: Some(25833),
            vertical_datum: Some("DHHN2016".into()),
        }),
        vessel: Vessel {
            waterline_m: Some(0.35),
        },
        water: Water::Profile(vec![(0.0, 1480.0), (5.5, 1475.25)].into()),
        sensors: vec![
            front,
            SensorSpec::new("rear", SensorKind::Lidar),
            fan,
            SensorSpec::new("ears", SensorKind::Sonar),
            ins,
        ],
    }
}

fn measurement(sensor: u16, seq: u64, stamp: i64, end: i64, payload: Payload) -> Measurement {
    Measurement {
        seq,
        sensor: SensorId(sensor),
        stamp: Stamp::from_nanos(T0 + stamp),
        end: Stamp::from_nanos(T0 + end),
        received: Stamp::from_nanos(T0 + end + 777),
        payload,
    }
}

fn scan(seq: u64) -> Payload {
    let value = seq as f32;
    let scan = LidarScan::new(vec![value, 1.0], vec![2.0, -3.5], vec![0.1, 1e6]).unwrap();
    let scan = scan
        .with_intensity(vec![7.0, 0.25])
        .unwrap()
        .with_ring(vec![3, 63])
        .unwrap();
    Payload::Lidar(Arc::new(
        scan.with_offset_nanos(vec![0, 90]).unwrap().with_dropped(2),
    ))
}

fn fan_ping(rig: &Rig, seq: u64) -> Payload {
    let counts = |index: i16| [index - 3, seq as i16 * 100 + index];
    let values = SampleValues::IqI16((0..8).map(counts).collect());
    let shape = WaveformShape {
        channels: 2,
        samples: 4,
    };
    let waveforms = Waveforms::new(shape, values, 0.001, 20_000.5, 200e3, -0.000_3).unwrap();
    let pulse = Pulse {
        kind: PulseKind::Lfm,
        start_hz: 195e3,
        end_hz: 205e3,
        duration_s: 0.000_7,
        shading: Shading::Tukey(0.1),
    };
    let beams = rig.sensors[2].beams.clone().unwrap();
    let ping = Beams::new(waveforms, beams, pulse, 0.123 * seq as f64, Some(1481.2), 0.5).unwrap();
    Payload::Sonar(Arc::new(SonarPing::Beams(ping)))
}

fn ears(seq: u64) -> Payload {
    let values = SampleValues::RealF32((0..6).map(|index| index as f32 * 0.1 + seq as f32).collect());
    let shape = WaveformShape {
        channels: 3,
        samples: 2,
    };
    Payload::Sonar(Arc::new(SonarPing::Elements(Elements {
        waveforms: Waveforms::new(shape, values, 1.0, 48e3, 0.0, 0.0).unwrap(),
        positions: Arc::from([]),
        beam: None,
        pulse: None,
        sound_speed_m_per_s: None,
        blanking_m: 0.0,
    })))
}

fn pose() -> Payload {
    let rotation = UnitQuaternion::from_euler_angles(0.02, -0.03, 1.4);
    let turn = rotation.to_rotation_matrix().into_inner();
    let mut covariance = Matrix6::from_diagonal(&[1e-6, 4e-6, 9e-6, 0.0, 0.0, 0.0].into());
    let metres = Matrix3::from_diagonal(&Vector3::new(0.04, 0.09, 0.25));
    covariance
        .fixed_view_mut::<3, 3>(3, 3)
        .copy_from(&(turn.transpose() * metres * turn));
    Payload::Pose(PoseFix {
        world_from_body: Transform::new(rotation, Vector3::new(3.0, -4.0, 1.5)),
        covariance: Some(covariance),
    })
}

/// A run with every payload that a folder holds, in timeline order.
fn run(rig: &Rig) -> Vec<Measurement> {
    let gnss = Payload::Gnss(GnssFix {
        place: Geodetic::from_degrees(54.100_01, 12.100_02, 39.25),
        covariance_m2: Some(Matrix3::from_diagonal(&Vector3::new(1.0, 4.0, 0.25))),
    });
    let attitude = Payload::Attitude(AttitudeFix {
        world_from_body: UnitQuaternion::from_euler_angles(0.1, 0.2, -2.9),
        covariance_rad2: None,
    });
    let lost = Payload::Gap(Gap {
        lost: 2,
        cause: GapCause::Overflow,
        detail: "the queue, at 3".into(),
    });
    // The last of four samples at 20000.5 Hz that start 0.3 ms before the stamp.
    let fan_end = ((-0.000_3 + 3.0 / 20_000.5f64).max(0.0) * 1e9).round() as i64;
    let mut run = vec![
        measurement(0, 10, 0, 90, scan(10)),
        measurement(4, 0, 100, 100, pose()),
        measurement(1, 4, 50, 140, scan(4)),
        measurement(4, 1, 200, 200, gnss),
        measurement(4, 2, 300, 300, attitude),
        measurement(2, 7, 1_000_000, 1_000_000 + fan_end, fan_ping(rig, 7)),
        measurement(3, 0, 1_000_000, 1_020_833, ears(0)),
        measurement(2, 8, 2_000_000, 2_000_000, lost),
        measurement(2, 10, 3_000_000, 3_000_000 + fan_end, fan_ping(rig, 10)),
        measurement(3, 1, 4_000_000, 4_020_833, ears(1)),
        measurement(0, 11, 100_000_000, 100_000_090, scan(11)),
        measurement(1, 5, 100_000_050, 200_000_000, scan(5)),
    ];
    run.sort_by_key(Measurement::order);
    run
}

fn write(folder: &Path, rig: &Rig, run: &[Measurement]) {
    let mut writer = Writer::create(folder, rig).unwrap();
    for measurement in run {
        writer.push(measurement).unwrap();
    }
    writer.finish().unwrap();
}

fn check_same(found: &[Measurement], expected: &[Measurement]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        match (&found.payload, &expected.payload) {
            (Payload::Pose(a), Payload::Pose(b)) => {
                let step = a.world_from_body.perturbation_to(&b.world_from_body);
                assert!(
                    step.fixed_rows::<3>(0).norm() < 1e-9 && step.fixed_rows::<3>(3).norm() < 1e-6,
                    "{step}"
                );
                // East at the fix is turned against east at the origin by the Earth's curvature,
                // 1e-6 rad in these 5 m, and a file holds only the sigmas along the former.
                assert!((a.covariance.unwrap() - b.covariance.unwrap()).norm() < 1e-6);
                let times = |m: &Measurement| (m.order(), m.stamp, m.received);
                assert_eq!(times(found), times(expected));
            }
            (Payload::Attitude(a), Payload::Attitude(b)) => {
                assert!(a.world_from_body.angle_to(&b.world_from_body) < 1e-9);
                assert_eq!(a.covariance_rad2, b.covariance_rad2);
            }
            _ => assert_eq!(found, expected),
        }
    }
}

#[test]
fn measurements_to_folder_to_measurements_to_folder() {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (root.path().join("first"), root.path().join("second"));
    let rig = rig();
    write(&first, &rig, &run(&rig));
    let recording = Recording::open(&first).unwrap();
    // Its scans reach as far as single precision does.
    let notes = recording.notes();
    let are_far = notes.iter().all(|note| note.contains("local origin"));
    assert!(notes.len() == 2 && are_far, "{notes:?}");
    let found: Vec<_> = recording.timeline().unwrap().collect();
    check_same(&found, &run(&rig));
    write(&second, recording.rig(), &found);
    let again = Recording::open(&second).unwrap();
    assert_eq!(again.rig(), recording.rig());
    check_same(&again.timeline().unwrap().collect::<Vec<_>>(), &found);
}

#[test]
fn the_rig_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rig.toml");
    let mut expected = rig();
    expected.sensors[0].time_offset_nanos = -12_500_000;
    expected.sensors[0].stamp = StampMeaning::End;
    expected.sensors[1].rate_hz = Some(9.97);
    expected.sensors[1].start = Some(Stamp::from_nanos(T0));
    expected.sensors[3].deskewed = true;
    expected.sensors[3].source = Some("../elsewhere".into());
    for water in [
        Water::Unknown,
        Water::SoundSpeed(1490.5),
        expected.water.clone(),
        Water::Properties {
            temperature_deg_c: 12.5,
            salinity_ppt: 8.0,
        },
    ] {
        expected.water = water;
        beluga_ingest::rig_toml::write(&path, &expected).unwrap();
        assert_eq!(beluga_ingest::rig_toml::read(&path).unwrap(), expected);
    }
}

#[test]
fn what_a_folder_has_no_place_for_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let rig = rig();
    let mut writer = Writer::create(&root.path().join("new"), &rig).unwrap();
    let depth = Payload::Depth(DepthFix {
        depth_m: 1.0,
        sigma_m: 0.1,
    });
    let refused = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert!(
        refused(writer.push(&measurement(4, 0, 0, 0, depth)))
            .starts_with("a depth of sensor `ins` has no place")
    );
    assert!(
        refused(writer.push(&measurement(2, 0, 0, 0, scan(0))))
            .starts_with("a scan of sensor `fan` has no place")
    );
    assert!(refused(writer.push(&measurement(9, 0, 0, 0, scan(0)))).contains("which the rig lacks"));
    assert!(matches!(
        Writer::create(root.path(), &rig),
        Err(Error::Exists { .. })
    ));
    let mut bad = rig;
    bad.sensors[0].name = "../front".into();
    assert!(matches!(
        Writer::create(&root.path().join("bad"), &bad),
        Err(Error::Unsupported { .. })
    ));
}
