//! What another reader of bags finds in the same files: the package `rosbags` for Python.

use std::path::Path;
use std::process::Command;

use beluga_types::Payload;

use crate::bags::{USUAL, db3, mcap, metadata, survey};
use crate::messages::Form;
use crate::run;

#[test]
fn rosbags_reads_the_same_numbers() {
    for storage in ["mcap", "sqlite3"] {
        let folder = tempfile::tempdir().unwrap();
        let all = survey(Form::Little, 4);
        let name = if storage == "mcap" { "x.mcap" } else { "x.db3" };
        match storage {
            "mcap" => mcap(folder.path(), name, USUAL, "cdr", &all),
            _ => db3(folder.path(), name, &all),
        };
        metadata(folder.path(), storage, &[name], &all);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ros/reads_bag.py");
        let Ok(output) = Command::new("python3")
            .arg(script)
            .arg(folder.path().join(name))
            .output()
        else {
            println!("SKIPPED rosbags_reads_the_same_numbers: no python3");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        if let Some(package) = said.trim().strip_prefix("missing: ") {
            println!("SKIPPED rosbags_reads_the_same_numbers: no {package}");
            return;
        }
        let mut ours = Vec::new();
        for measurement in run(folder.path()) {
            let (stamp, received) = (measurement.stamp.nanos(), measurement.received.nanos());
            let numbers: Vec<f64> = match &measurement.payload {
                Payload::Lidar(scan) => (0..scan.len())
                    .flat_map(|i| {
                        let ring = f64::from(scan.ring().unwrap()[i]);
                        let offset = f64::from(scan.offset_nanos().unwrap()[i]);
                        [scan.x()[i], scan.y()[i], scan.z()[i]]
                            .map(f64::from)
                            .into_iter()
                            .chain([ring, offset])
                    })
                    .collect(),
                Payload::Imu(sample) => {
                    let (rate, force) = (
                        sample.rate_rad_per_s.vector(),
                        sample.specific_force_m_per_s2.vector(),
                    );
                    rate.iter().chain(force.iter()).copied().collect()
                }
                Payload::Pose(fix) => fix.world_from_body.translation().iter().copied().collect(),
                other => panic!("{other:?}"),
            };
            ours.push(serde_json::json!([stamp, received, numbers]));
        }
        let mut theirs: Vec<serde_json::Value> = serde_json::from_str(&said).unwrap();
        let key = |value: &serde_json::Value| value.to_string();
        ours.sort_by_key(key);
        theirs.sort_by_key(key);
        assert_eq!(ours.len(), 12);
        assert_eq!(ours, theirs, "{storage}");
    }
}
