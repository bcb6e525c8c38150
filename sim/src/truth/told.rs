//! The truth of single returns of the lidar, read back: `lidar-returns.bin` and its table.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use beluga_types::{Point, SensorId, Transform, World as WorldSpace};

use super::Truth;
use super::file::{content, read_capped};
use super::returns::LIDAR_BYTES;
use super::writer::io;
use crate::error::Error;
use crate::lidar::ReturnTruth;
use crate::rig::LIDAR;
use crate::scene::Quay;
use crate::score::TrueReturn;

/// More returns than any scan has: a table that tells of more is none of ours.
const MOST_OF_A_SCAN: u64 = 1 << 22;

/// What the truth tells of the lidar's returns. One scan at a time is held in memory.
#[derive(Debug)]
pub struct ToldReturns {
    /// First record and count of each scan, by its sequence number.
    scans: BTreeMap<u64, [u64; 2]>,
    world_from_quay: Transform<WorldSpace, Quay>,
    records: Mutex<Records>,
}

/// The records of the scan that was asked for last.
#[derive(Debug)]
struct Records {
    file: File,
    scan: Option<u64>,
    bytes: Vec<u8>,
}

impl Truth {
    /// What a truth's folder tells of single returns of the lidar; nothing if it was made without.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read, [`Error::Content`] with the line if the table is not one
    /// of records that the file holds.
    pub fn told_returns(&self, dir: &Path) -> Result<Option<ToldReturns>, Error> {
        let [table, records] = ["csv", "bin"].map(|form| dir.join(format!("lidar-returns.{form}")));
        if !table.exists() {
            return Ok(None);
        }
        let file = File::open(&records).map_err(|source| io("reading", source, &records))?;
        let bytes = file
            .metadata()
            .map_err(|source| io("reading", source, &records))?
            .len();
        Ok(Some(ToldReturns {
            scans: scans(&table, bytes / LIDAR_BYTES as u64)?,
            world_from_quay: self.scene.world_from_quay,
            records: Mutex::new(Records {
                file,
                scan: None,
                bytes: Vec::new(),
            }),
        }))
    }
}

/// The table's lines `seq,stamp_ns,first,count`, each within `records`.
fn scans(table: &Path, records: u64) -> Result<BTreeMap<u64, [u64; 2]>, Error> {
    let text = read_capped(table)?;
    let mut scans = BTreeMap::new();
    for (line, row) in (2..).zip(text.lines().skip(1)) {
        let fields: Option<Vec<u64>> = row.split(',').map(|field| field.parse().ok()).collect();
        let entry = match fields.as_deref() {
            Some(&[seq, _, first, count]) if count <= MOST_OF_A_SCAN => first
                .checked_add(count)
                .is_some_and(|end| end <= records)
                .then_some((seq, [first, count])),
            _ => None,
        };
        let Some((seq, span)) = entry else {
            let expected = "`seq,stamp_ns,first,count` of records that the file beside it holds";
            return Err(content(expected, row.to_owned(), line, table));
        };
        scans.insert(seq, span);
    }
    Ok(scans)
}

impl ToldReturns {
    /// What is true of a point, by its sensor, its scan and its place in the scan; nothing if it is no
    /// point of the lidar's, or its record cannot be read.
    pub fn of(&self, sensor: SensorId, scan: u64, index: u32) -> Option<TrueReturn> {
        if sensor != LIDAR {
            return None;
        }
        let span = self.scans.get(&scan)?;
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.scan != Some(scan) {
            records.load(scan, span).ok()?;
        }
        let from = index as usize * LIDAR_BYTES;
        let record = records.bytes.get(from..from + LIDAR_BYTES)?;
        let part = |at: usize| [record[at], record[at + 1], record[at + 2], record[at + 3]];
        let [x, y, z] = [0, 4, 8].map(|at| f64::from(f32::from_le_bytes(part(at))));
        let surface = u32::from_le_bytes(part(12));
        Some(TrueReturn {
            surface: (surface != ReturnTruth::NO_SURFACE).then_some(surface),
            order: record[16],
            position: (self.world_from_quay * Point::<Quay>::new(x, y, z))
                .vector()
                .into(),
            ghost: record[17] != 0,
        })
    }
}

impl Records {
    fn load(&mut self, scan: u64, &[first, count]: &[u64; 2]) -> std::io::Result<()> {
        self.scan = None;
        self.bytes.resize(count as usize * LIDAR_BYTES, 0);
        self.file.seek(SeekFrom::Start(first * LIDAR_BYTES as u64))?;
        self.file.read_exact(&mut self.bytes)?;
        self.scan = Some(scan);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::truth::{ReturnsOf, TruthWriter};
    use crate::world::World;
    use beluga_types::{Payload, SensorId};

    fn written(dir: &Path) -> World {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.5;
        scenario.lidar.water_ghosts = true;
        let world = World::new(scenario).unwrap();
        let mut writer = TruthWriter::create(dir, &world, "test")
            .unwrap()
            .with_returns()
            .unwrap();
        for (measurement, returns) in world.measurements_with_returns(ReturnsOf::Lidar) {
            writer.push(&measurement, &returns).unwrap();
        }
        writer.finish(None).unwrap();
        world
    }

    #[test]
    fn what_is_told_is_where_the_light_turned_back() {
        let folder = tempfile::tempdir().unwrap();
        let world = written(folder.path());
        let truth = Truth::read(folder.path()).unwrap();
        let told = truth.told_returns(folder.path()).unwrap().unwrap();
        let (mut points, mut ghosts) = (0, 0);
        for measurement in world.measurements() {
            let Payload::Lidar(scan) = &measurement.payload else {
                continue;
            };
            for i in (0..scan.len()).rev().step_by(97) {
                let one = told.of(LIDAR, measurement.seq, i as u32).unwrap();
                points += 1;
                ghosts += u32::from(one.ghost);
                let offset = scan.offset_nanos().unwrap()[i];
                let stamp = measurement.stamp.shifted_nanos(offset.into());
                let world_from_sensor = world.pose_at(stamp) * world.mount_at(LIDAR, stamp);
                let measured = Point::new(scan.x()[i].into(), scan.y()[i].into(), scan.z()[i].into());
                let apart = (world_from_sensor * measured).vector() - nalgebra::Vector3::from(one.position);
                assert!(one.ghost || apart.norm() < 0.08, "{i}: {apart}");
                assert_eq!(one.ghost, one.order > 0);
            }
        }
        assert!(points > 80 && ghosts > 3, "{points}, {ghosts}");
        assert_eq!(told.of(SensorId(1), 0, 0), None);
        assert_eq!(told.of(LIDAR, 99, 0), None);
        assert_eq!(told.of(LIDAR, 0, u32::MAX), None);
    }

    #[test]
    fn a_truth_without_returns_tells_nothing_and_a_wrong_table_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let truth = Truth::read(folder.path()).unwrap();
        let table = folder.path().join("lidar-returns.csv");
        std::fs::write(&table, "seq,stamp_ns,first,count\n0,0,0,999999999\n").unwrap();
        let said = truth.told_returns(folder.path()).unwrap_err().to_string();
        assert!(
            said.contains("line 2") && said.contains("lidar-returns.csv"),
            "{said}"
        );
        std::fs::remove_file(&table).unwrap();
        assert!(truth.told_returns(folder.path()).unwrap().is_none());
    }
}
