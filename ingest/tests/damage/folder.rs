//! A small recording to be damaged, and what a run of it tells.

use std::fs;
use std::path::{Path, PathBuf};

use beluga_ingest::{Recording, ply};
use beluga_types::{LidarScan, Measurement, Payload, SonarPing};
use tempfile::TempDir;

pub(crate) const RIG: &str = "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\n";

/// A folder with ten scans, a second apart, each one point, whose x is its number.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("rig.toml", RIG);
        fs::create_dir(folder.path("lidar")).unwrap();
        let mut times = String::from("file,stamp_ns\n");
        for number in 0..10 {
            let scan = LidarScan::new(vec![number as f32], vec![0.0], vec![0.0]).unwrap();
            ply::write(&folder.path(&format!("lidar/{number}.ply")), &scan).unwrap();
            times += &format!("{number}.ply,{}\n", number * 1_000_000_000u64);
        }
        folder.write("lidar/times.csv", &times);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn refused(&self) -> String {
        match Recording::open(self.0.path()).and_then(|recording| recording.timeline()) {
            Ok(_) => panic!("it opened"),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) fn run(&self) -> Vec<Measurement> {
        run(self.0.path())
    }
}

pub(crate) fn run(path: &Path) -> Vec<Measurement> {
    let run: Vec<_> = Recording::open(path).unwrap().timeline().unwrap().collect();
    assert!(run.is_sorted_by_key(Measurement::order));
    run
}

/// The x of each scan, or the cause and count of each gap, in order.
pub(crate) fn told(run: &[Measurement]) -> Vec<String> {
    run.iter()
        .map(|measurement| match &measurement.payload {
            Payload::Lidar(scan) => format!("{}", scan.x()[0]),
            Payload::Gap(gap) => format!("{} {}", gap.cause.name(), gap.lost),
            Payload::Sonar(ping) => match &**ping {
                SonarPing::Elements(ping) => {
                    format!("{}x{}", measurement.seq, ping.waveforms.shape().samples)
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect()
}
