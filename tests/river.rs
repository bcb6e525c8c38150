//! The river end to end, through the rooms' doors: simulator, folder recording, timeline, fusion,
//! sealed record, tables, cloud.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::BTreeMap;
use std::path::Path;

use beluga_fusion::Fuser;
use beluga_ingest::{Recording, folder};
use beluga_sim::{Scenario, Scorer, Truth, World};
use beluga_sinks::maml::{
    DeviceKey, DocumentFields, KeyFile, Reader, Readers, Status, Suite, Trust, Unlock, Writer, WriterOptions,
    verify,
};
use beluga_sinks::{FrameHasher, arrow};
use beluga_types::{Measurement, Medium, Payload, Rig, SolidarFrame};

/// A world of a second and a half: small, but every echo is a synthesised waveform.
fn small_world() -> World {
    let mut scenario = Scenario::sample();
    scenario.duration_s = 1.5;
    World::new(scenario).unwrap()
}

fn fuse(rig: &Rig, timeline: impl Iterator<Item = Measurement>) -> Vec<SolidarFrame> {
    let mut fuser = Fuser::new(beluga_fusion::Config::default(), rig.clone()).unwrap();
    let mut frames: Vec<SolidarFrame> = timeline.flat_map(|measurement| fuser.push(measurement)).collect();
    frames.extend(fuser.finish());
    frames
}

/// The same as it is heard from sensors: told of each moment when it has passed.
fn fuse_told(rig: &Rig, timeline: impl Iterator<Item = Measurement>) -> Vec<SolidarFrame> {
    let mut fuser = Fuser::new(beluga_fusion::Config::default(), rig.clone()).unwrap();
    let mut frames = Vec::new();
    let mut timeline = timeline.peekable();
    while let Some(measurement) = timeline.next() {
        let end = measurement.end;
        frames.extend(fuser.push(measurement));
        if timeline.peek().is_none_or(|next| next.end > end) {
            frames.extend(fuser.pass(end));
        }
    }
    frames.extend(fuser.finish());
    frames
}

#[test]
fn frames_that_are_told_to_be_whole_are_the_same() {
    let world = small_world();
    let plain = hash(&fuse(world.rig(), world.measurements()));
    assert_eq!(plain, hash(&fuse_told(world.rig(), world.measurements())));
}

fn hash(frames: &[SolidarFrame]) -> [u8; 32] {
    let mut hasher = FrameHasher::new();
    for frame in frames {
        hasher.update(&arrow::encode(frame).unwrap());
    }
    hasher.finish()
}

fn recorded(folder: &Path, world: &World) {
    let mut writer = folder::Writer::create(folder, world.rig()).unwrap();
    for measurement in world.measurements() {
        writer.push(&measurement).unwrap();
    }
    writer.finish().unwrap();
}

/// Invariant: counted in = counted out + counted lost, per sensor.
#[test]
fn counted_in_is_counted_out_plus_lost() {
    let folder = tempfile::tempdir().unwrap();
    let world = small_world();
    recorded(&folder.path().join("run"), &world);
    // One scan is damaged: it must come back as a counted loss, nothing else may go missing.
    let scans = std::fs::read_dir(folder.path().join("run/lidar")).unwrap();
    let mut scans: Vec<_> = scans
        .map(|entry| entry.unwrap().path())
        .filter(|p| p.extension() == Some("ply".as_ref()))
        .collect();
    scans.sort();
    std::fs::write(&scans[scans.len() / 2], b"ply\nformat binary_little_endian 1.0\n").unwrap();

    let mut made = BTreeMap::new();
    for measurement in world.measurements() {
        *made.entry(measurement.sensor).or_insert(0u64) += 1;
    }
    let recording = Recording::open(&folder.path().join("run")).unwrap();
    let frames = fuse(recording.rig(), recording.timeline().unwrap());
    let mut came = BTreeMap::new();
    let mut lost = 0;
    for frame in &frames {
        for input in &frame.inputs {
            *came.entry(input.sensor).or_insert(0u64) += u64::from(input.measurements);
        }
        for gap in &frame.gaps {
            *came.entry(gap.sensor).or_insert(0) += gap.lost;
            lost += gap.lost;
        }
    }
    assert_eq!(lost, 1, "the damaged scan");
    assert_eq!(came, made);
}

/// Invariant: same timeline, one thread and many, same bytes.
#[test]
fn the_same_timeline_gives_the_same_bytes_for_any_number_of_threads() {
    let world = small_world();
    let timeline: Vec<Measurement> = world.measurements().collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| hash(&fuse(world.rig(), timeline.iter().cloned())))
    };
    let once = run(1);
    assert_eq!(once, run(1), "twice with one thread");
    assert_eq!(once, run(2), "with two");
    assert_eq!(once, run(8), "with eight");
}

/// A folder recording played twice, sealed, opened: the same frames all the way.
#[test]
fn a_recording_becomes_a_sealed_record_that_gives_back_its_frames() {
    let folder = tempfile::tempdir().unwrap();
    recorded(&folder.path().join("run"), &small_world());
    let recording = Recording::open(&folder.path().join("run")).unwrap();
    let frames = fuse(recording.rig(), recording.timeline().unwrap());
    let again = fuse(recording.rig(), recording.timeline().unwrap());
    assert_eq!(hash(&frames), hash(&again));
    for medium in Medium::ALL {
        let points: usize = frames
            .iter()
            .map(|frame| frame.points.medium.iter().filter(|&&m| m == medium).count())
            .sum();
        assert!(points > 100, "{points} points in {}", medium.name());
    }

    let path = folder.path().join("run.maml");
    let device = DeviceKey::generate().unwrap();
    let trust = Trust::of([device.id()]);
    let secret = [7; 32];
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite: Suite::Edge256,
        readers: Readers::with_key_file(KeyFile::from_bytes(&secret)),
        device,
        previous: None,
        padded: false,
        hides_times: false,
    };
    let mut writer = Writer::create(&path, options).unwrap();
    for frame in &frames {
        writer
            .push(&arrow::encode(frame).unwrap(), frame.window.end.nanos())
            .unwrap();
    }
    writer.finish().unwrap();

    let unlock = Unlock::with_key_file(KeyFile::from_bytes(&secret));
    let report = verify(&path, &trust, Some(&unlock)).unwrap();
    assert_eq!((report.exit_code(), report.frame_hash), (0, Some(hash(&frames))));
    let mut reader = Reader::open(&path, &unlock).unwrap();
    let mut opened = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        opened.push(arrow::decode(&frame.bytes).unwrap());
    }
    assert_eq!(*reader.status(), Status::Sealed);
    assert!(opened == frames, "a frame changed on its way through the record");

    let ply = folder.path().join("run.ply");
    let mut export = beluga_sinks::ply::Writer::create(&ply, recording.rig().origin.as_ref()).unwrap();
    for frame in &opened {
        export.push(frame).unwrap();
    }
    let points: usize = frames.iter().map(|frame| frame.points.len()).sum();
    assert_eq!(export.finish().unwrap(), points as u64);
}

/// The demo's sensors along one ladder: what the whole demo keeps to, a fifth of it keeps to.
#[test]
fn the_demo_keeps_its_limits() {
    let mut scenario = Scenario::demo();
    scenario.duration_s = 6.0;
    let world = World::new(scenario).unwrap();
    let mut scorer = Scorer::new(world.truth());
    for frame in fuse(world.rig(), world.measurements()) {
        scorer.add(&frame);
    }
    let score = scorer.finish();
    assert!(score.trajectory.unaligned_m <= 0.10, "{score}");
    assert!(score.lidar.median_m <= 0.02, "{score}");
    assert!(
        score.sonar.median_m <= 0.03 && score.sonar.p95_m <= 0.08,
        "{score}"
    );
    // In six seconds a navigation's slow error of about 1 cm does not average out.
    assert!(score.sonar.bias_m.abs() <= 0.02, "{score}");
    let (above, below) = (&score.rungs_above, &score.rungs_below);
    assert_eq!(
        (above.passed, below.passed),
        (9, 12),
        "one ladder; what is above the fan nobody saw"
    );
    assert_eq!((above.recovered, below.recovered), (9, 12), "{score}");
    assert!(score.coverage.fraction.unwrap() >= 0.9, "{score}");
}

/// Every point of a frame knows its uncertainty; no uncertainty, no point.
#[test]
fn no_point_is_without_its_uncertainty() {
    let world = small_world();
    for frame in fuse(world.rig(), world.measurements()) {
        frame.points.check().unwrap();
        for i in 0..frame.points.len() {
            let sigmas = [
                &frame.points.sigma_range_m,
                &frame.points.sigma_along_m,
                &frame.points.sigma_across_m,
            ];
            assert!(
                sigmas.iter().all(|sigma| sigma[i] > 0.0),
                "frame {} point {i}",
                frame.index
            );
        }
        let n = frame.shared.states.len();
        assert_eq!(frame.shared.covariance.len(), n * n);
        assert!(frame.world_from_body.is_finite());
    }
}

/// Fusion takes whatever comes: nothing at all, gaps only, a sensor the rig does not have.
#[test]
fn fusion_cannot_fail() {
    let world = small_world();
    assert!(fuse(world.rig(), std::iter::empty()).is_empty());
    let stranger = world.measurements().take(50).map(|mut measurement| {
        measurement.sensor = beluga_types::SensorId(77);
        measurement
    });
    for frame in fuse(world.rig(), stranger) {
        assert!(frame.world_from_body.is_finite());
    }
    let gaps = world.measurements().map(|mut measurement| {
        measurement.payload = Payload::Gap(beluga_types::Gap {
            lost: 1,
            cause: beluga_types::GapCause::Corrupt,
            detail: "test".into(),
        });
        measurement
    });
    let lost: u64 = fuse(world.rig(), gaps)
        .iter()
        .flat_map(|frame| &frame.gaps)
        .map(|gap| gap.lost)
        .sum();
    assert_eq!(lost, world.measurements().count() as u64);
}

/// The recording that comes with the repository is whole, small, and gives both halves of the cloud.
#[test]
fn the_sample_recording_replays_without_loss() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/quay");
    let recording = Recording::open(&folder).unwrap();
    let frames = fuse(recording.rig(), recording.timeline().unwrap());
    assert!((60..=62).contains(&frames.len()), "{} frames", frames.len());
    assert!(frames.iter().all(|frame| frame.gaps.is_empty()));
    let mut scorer = Scorer::new(Truth::read(&folder.join("truth")).unwrap());
    for frame in &frames {
        scorer.add(frame);
    }
    let score = scorer.finish();
    assert!(score.trajectory.unaligned_m <= 0.10, "{:?}", score.trajectory);
    assert!(score.lidar.median_m <= 0.02, "{:?}", score.lidar);
    assert!(
        score.points.water > 1_500 && score.sonar.median_m <= 0.03,
        "{:?}",
        score.sonar
    );
    // Beams of 2°, and a navigation whose slow error of about 1 cm moves everything together.
    assert!(score.sonar.bias_m.abs() <= 0.02, "{:?}", score.sonar);
}
