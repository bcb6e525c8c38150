//! A lidar and an EK80 that never saw the same place, in one rig: both are played, nothing is forced.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::path::Path;

use beluga_fusion::Fuser;
use beluga_ingest::Recording;
use beluga_types::{Payload, SonarRegistration};

mod shared_data;
mod user;

use shared_data::shared_data;
use user::{check, says};

const CHANNEL: &str = "WBT Mini 253617-8 ES38-18|200-18C";
/// Start of transmission of the file's first ping.
const START_NS: i64 = 1_525_867_947_327_977_500;

fn rig(folder: &Path, kitti: &Path, raw: &Path) -> std::path::PathBuf {
    let text = format!(
        "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nformat = \"kitti\"\nsource = {:?}\nreference = true\n\
         deskewed = true\nrate_hz = 10.0\nstart_ns = {START_NS}\n\
         [[sensor]]\nname = \"echo\"\nkind = \"sonar\"\nformat = \"ek80\"\nmodel = {CHANNEL:?}\nsource = {:?}\ndown_m = 1.5\n",
        kitti.display().to_string(),
        raw.display().to_string(),
    );
    let path = folder.join("site.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_city_and_a_sounder_at_sea_are_fused_without_force() {
    let name = "a_city_and_a_sounder_at_sea_are_fused_without_force";
    let Some(kitti) = shared_data(name, "lidar/kitti00-pair-94-95") else {
        return;
    };
    let raw = shared_data(name, "sonar/simrad-ek80/y_2917763601822576513.raw").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rig = rig(folder.path(), &kitti, &raw);

    let recording = Recording::open(&rig).unwrap();
    let mut fuser = Fuser::new(beluga_fusion::Config::default(), recording.rig().clone()).unwrap();
    let (mut scans, mut pings, mut frames) = (0, 0, Vec::new());
    for measurement in recording.timeline().unwrap() {
        match &measurement.payload {
            Payload::Lidar(_) => scans += 1,
            Payload::Sonar(_) => pings += 1,
            other => panic!("{other:?}"),
        }
        frames.extend(fuser.push(measurement));
    }
    frames.extend(fuser.finish());
    assert_eq!((scans, pings), (2, 6));
    let verdicts: Vec<_> = frames
        .iter()
        .map(|frame| &frame.status.sonar_registration)
        .filter(|verdict| **verdict != SonarRegistration::NotTried)
        .collect();
    println!("{} frames, {verdicts:?}", frames.len());
    let [SonarRegistration::Refused { reason }] = &verdicts[..] else {
        panic!("{verdicts:?}");
    };
    assert!(reason.contains("no overlap"), "{reason}");
    assert!(frames.iter().all(|frame| frame.world_from_body.is_finite()));
    assert!(
        frames.iter().any(|frame| !frame.arcs.is_empty()),
        "a beam of 18° gives arcs"
    );

    let (out, err) = check(
        folder.path(),
        &["replay", "site.toml", "--out", "both.maml", "--view", "none"],
        0,
    );
    says(
        &(out + &err),
        &["lost         nothing", "not registered: no overlap"],
    );
    check(folder.path(), &["maml", "verify", "both.maml"], 0);
}

#[test]
fn a_file_by_itself_becomes_a_record() {
    let name = "a_file_by_itself_becomes_a_record";
    let Some(raw) = shared_data(name, "sonar/simrad-ek80/turbeams_690049449920799324.raw") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let raw = raw.display().to_string();
    let (out, err) = check(
        folder.path(),
        &["replay", &raw, "--out", "one.maml", "--view", "none"],
        0,
    );
    says(
        &(out + &err),
        &["11 in water", "no rig: 5 sonar(s)", "lost         nothing"],
    );
    // A file that is none: one clear sentence, and what to do is the caller's.
    let none = folder.path().join("none.raw");
    std::fs::write(&none, b"\x10\0\0\0XML0 but not really").unwrap();
    let (_, said) = check(folder.path(), &["replay", "none.raw", "--view", "none"], 2);
    says(&said, &["expected the configuration", "none.raw"]);
}
