//! Imaging sonars through the whole river: images become arcs, and the tape of them gives the same frames.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use beluga_types::elementary::{cos, sin};
use std::fs;
use std::path::Path;

use beluga_fusion::{Config, Fuser};
use beluga_ingest::{Recording, tape};
use beluga_types::{Measurement, Rig, SolidarFrame};

#[allow(dead_code, reason = "the readers' own tests use all of it")]
#[path = "../ingest/tests/survey/oculus_file.rs"]
mod oculus_file;
mod shared_data;
#[allow(dead_code, reason = "the readers' own tests use all of it")]
#[path = "../ingest/tests/survey/son_file.rs"]
mod son_file;
mod user;
#[allow(dead_code, reason = "the readers' own tests use all of it")]
#[path = "../ingest/tests/survey/xtf_file.rs"]
mod xtf_file;

use oculus_file::Made;
use shared_data::shared_data;
use user::{check, says};

fn frames(rig: &Rig, timeline: impl Iterator<Item = Measurement>) -> Vec<SolidarFrame> {
    let mut fuser = Fuser::new(Config::default(), rig.clone()).unwrap();
    let mut frames: Vec<SolidarFrame> = timeline.flat_map(|measurement| fuser.push(measurement)).collect();
    frames.extend(fuser.finish());
    frames
}

fn of_file(file: &Path) -> Vec<SolidarFrame> {
    let recording = Recording::open(file).unwrap();
    frames(recording.rig(), recording.timeline().unwrap())
}

/// A ping of 200 ranges of 5 mm: dim, with one bright echo whose rise is half done 0.61 m away, a step farther in
/// each beam.
fn wall(number: u32) -> Vec<u8> {
    fn strength(range: usize, beam: usize) -> u32 {
        let dim = 20 + (7 * range + 3 * beam) as u32 % 5;
        match range.checked_sub(121 + 10 * beam) {
            Some(0) => 60,
            Some(1) => 160,
            Some(2) => 200,
            Some(3) => 90,
            _ => dim,
        }
    }
    oculus_file::ping(&Made {
        number,
        ranges: 200,
        strength,
        ..Made::default()
    })
}

/// Three pings of a wall ahead, seen by three beams.
fn walls() -> Vec<u8> {
    [7, 8, 9].map(wall).concat()
}

#[test]
fn echoes_of_an_image_are_arcs_over_the_height_of_their_beam() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wall.raw");
    fs::write(&file, walls()).unwrap();
    let frames = of_file(&file);
    let points: usize = frames.iter().map(|frame| frame.points.len()).sum();
    assert_eq!(points, 0, "an image has no elevation, so no point");
    let mut found = 0;
    for frame in &frames {
        let arcs = &frame.arcs;
        for i in 0..arcs.range_m.len() {
            let beam = arcs.source_index[i] as usize;
            // Half of the rise from 22 to 200 is passed between the cells 121 and 122, whose middles are half a cell on.
            let range = 0.005 * (121.5 + 0.5 + 10.0 * beam as f32);
            assert!(
                (arcs.range_m[i] - range).abs() < 0.003,
                "{beam}: {} {range}",
                arcs.range_m[i]
            );
            let looks = [0, 1, 2].map(|axis| arcs.direction[axis][i]);
            let bearing = (f64::from(oculus_file::BEARINGS[beam]) * 0.01).to_radians();
            assert!(
                (f64::from(looks[0]) - cos(bearing)).abs() < 1e-4,
                "forward: {looks:?}"
            );
            assert!(
                (f64::from(looks[1]) + sin(bearing)).abs() < 1e-4,
                "starboard is -y: {looks:?}"
            );
            assert!(arcs.plane[2][i].abs() > 0.999, "the arc stands upright");
            assert!((arcs.half_angle_rad[i].to_degrees() - 10.0).abs() < 1e-3);
            assert!(arcs.sigma_across_m[i] < 0.01 && arcs.snr_db[i].is_none());
            found += 1;
        }
    }
    assert_eq!(found, 9);
}

#[test]
fn a_stream_replays_to_a_sealed_record_and_its_tape_to_the_same_frames() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::write(home.join("wall.raw"), walls()).unwrap();
    let (said, _) = check(
        home,
        &["replay", "wall.raw", "--tape", "wall.mcap", "--view", "none"],
        0,
    );
    says(&said, &["number 7892", "empirical measure", "pitch_deg = 90"]);
    check(home, &["maml", "verify", "wall.maml"], 0);
    assert_eq!(of_file(&home.join("wall.mcap")), of_file(&home.join("wall.raw")));
    let (out, _) = check(home, &["probe", "wall.raw"], 0);
    says(
        &out,
        &[
            "a stream of an Oculus imaging sonar",
            "number 7892",
            "gain 50 %",
            "format = \"oculus\"",
        ],
    );
}

#[test]
fn a_humminbird_replays_to_a_sealed_record() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    fs::write(home.join("B001.SON"), son_file::small()).unwrap();
    fs::write(home.join("R1.DAT"), son_file::description()).unwrap();
    let (said, _) = check(
        home,
        &["replay", "B001.SON", "--out", "side.maml", "--view", "none"],
        0,
    );
    says(&said, &["down: 3", "gnss: 2", "900 series", "2013-10-24"]);
    check(home, &["maml", "verify", "side.maml"], 0);
    let (out, _) = check(home, &["probe", "B001.SON"], 0);
    says(
        &out,
        &["a Humminbird recording", "model = \"NAV\"", "format = \"son\""],
    );
}

/// How many arcs a real file gives; and from its tape the same frames.
fn arcs_of_both_ways(file: &Path) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fan.mcap");
    let recording = Recording::open(file).unwrap();
    let mut writer = tape::Writer::create(&path, recording.rig()).unwrap();
    for measurement in recording.timeline().unwrap() {
        writer.push(&measurement).unwrap();
    }
    writer.finish().unwrap();
    let taped = Recording::open(&path).unwrap();
    assert!(taped.timeline().unwrap().eq(recording.timeline().unwrap()));
    let frames = of_file(file);
    assert_eq!(frames, of_file(&path));
    let arcs = frames.iter().map(|frame| frame.arcs.range_m.len()).sum();
    println!("{arcs} arcs in {} frames of {}", frames.len(), file.display());
    arcs
}

#[test]
fn real_files_go_the_same_way() {
    for (file, most) in [
        // Of 540 000 and 576 000 cells.
        ("sonar/oculus-multibeam/three_pings_8bit.raw", 5000),
        ("sonar/aris-imaging/sample.aris", 5000),
    ] {
        let Some(file) = shared_data("real_files_go_the_same_way", file) else {
            return;
        };
        let arcs = arcs_of_both_ways(&file);
        assert!((100..most).contains(&arcs), "{arcs}");
    }
}
