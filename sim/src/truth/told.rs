//! The truth of single returns, read back: `lidar-returns.bin` and `sonar-returns.bin` with their tables.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use beluga_types::{Point, SensorId, SolidarFrame, Stamp, Transform, World as WorldSpace};

use super::Truth;
use super::echoes::Echoes;
use super::file::{content, read_capped};
use super::returns::{HEAD, LIDAR_BYTES, SONAR_BYTES};
use super::writer::io;
use crate::error::Error;
use crate::lidar::ReturnTruth;
use crate::plain_file;
use crate::rig::{LIDAR, SONAR};
use crate::scene::Quay;
use crate::score::TrueReturn;

/// More returns than any scan or ping has: a table that tells of more is none of ours.
const MOST_OF_A_PAYLOAD: u64 = 1 << 22;

/// What the truth tells of single returns. One scan and one ping at a time are held in memory.
#[derive(Debug)]
pub struct ToldReturns {
    lidar: Option<Mutex<Told<Vec<u8>>>>,
    sonar: Option<(Mutex<Told<Echoes>>, Echoes)>,
    world_from_quay: Transform<WorldSpace, Quay>,
}

/// The returns of one sensor, and those of the payload that was asked for last.
#[derive(Debug)]
struct Told<T> {
    table: Table,
    held: Option<(u64, T)>,
}

/// Which records of a file belong to which payload.
#[derive(Debug)]
struct Table {
    payloads: BTreeMap<u64, Payload>,
    file: File,
    record_bytes: usize,
}

/// Stamp of a payload in the recording, its first record, and how many it has.
#[derive(Clone, Copy, Debug)]
struct Payload {
    stamp: Stamp,
    first: u64,
    count: u64,
}

impl Truth {
    /// What a truth's folder tells of single returns; nothing if it was made without.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read, [`Error::Content`] with the line if a table is not one
    /// of records that the file holds; of a truth that was not finished, what is whole is told.
    pub fn told_returns(&self, dir: &Path) -> Result<Option<ToldReturns>, Error> {
        let lidar = Table::open(dir, "lidar", LIDAR_BYTES)?;
        // Arrays by their elements and profiles tell of echoes without a direction: what a point of theirs
        // was made of cannot be known.
        let echoes = Echoes::of(&self.scenario);
        let sonar = match echoes {
            Some(_) => Table::open(dir, "sonar", SONAR_BYTES)?,
            None => None,
        };
        if lidar.is_none() && sonar.is_none() {
            return Ok(None);
        }
        Ok(Some(ToldReturns {
            lidar: lidar.map(|table| Mutex::new(Told { table, held: None })),
            sonar: sonar
                .zip(echoes)
                .map(|(table, echoes)| (Mutex::new(Told { table, held: None }), echoes)),
            world_from_quay: self.scene.world_from_quay,
        }))
    }
}

impl ToldReturns {
    /// What is true of a frame's point; nothing if none of the returns told of is its own, or its record
    /// cannot be read.
    ///
    /// A point of the lidar has a record of its own. One of the sonar is made of all that a beam heard at
    /// its time: it is a ghost if most of that took a detour, came by a side lobe, or was no surface.
    pub fn of(&self, frame: &SolidarFrame, point: usize) -> Option<TrueReturn> {
        let table = &frame.points;
        let (sensor, seq) = (*table.sensor.get(point)?, *table.source_seq.get(point)?);
        let index = *table.source_index.get(point)?;
        match SensorId(sensor) {
            LIDAR => self.of_light(seq, index),
            SONAR => {
                let offset = i64::from(*table.offset_nanos.get(point)?);
                let heard = frame.window.end.shifted_nanos(offset);
                let late = frame
                    .calibration_of(SONAR)
                    .map_or(0, |calibration| calibration.time_offset_nanos);
                self.of_sound(seq, index, heard.shifted_nanos(-late))
            }
            _ => None,
        }
    }

    fn of_light(&self, scan: u64, index: u32) -> Option<TrueReturn> {
        let mut told = self
            .lidar
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (_, bytes) = told.of(scan, |bytes| bytes)?;
        let from = (index as usize).checked_mul(LIDAR_BYTES)?;
        let record = bytes.get(from..from + LIDAR_BYTES)?;
        let part = |at: usize| [record[at], record[at + 1], record[at + 2], record[at + 3]];
        let [x, y, z] = [0, 4, 8].map(|at| f64::from(f32::from_le_bytes(part(at))));
        let surface = u32::from_le_bytes(part(12));
        let place = self.world_from_quay * Point::<Quay>::new(x, y, z);
        Some(TrueReturn {
            surface: (surface != ReturnTruth::NO_SURFACE).then_some(surface),
            order: record[16],
            position: Some(place.vector().into()),
            ghost: record[17] != 0,
        })
    }

    /// `heard` is when the echo came back, by the recording's clock.
    fn of_sound(&self, ping: u64, beam: u32, heard: Stamp) -> Option<TrueReturn> {
        let (told, empty) = self.sonar.as_ref()?;
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let (stamp, echoes) = told.of(ping, |bytes| empty.with(&bytes))?;
        echoes.behind(beam, heard.seconds_since(stamp))
    }
}

impl<T> Told<T> {
    /// Stamp and records of a payload.
    fn of(&mut self, seq: u64, read: impl FnOnce(Vec<u8>) -> T) -> Option<(Stamp, &T)> {
        let payload = *self.table.payloads.get(&seq)?;
        if self.held.as_ref().is_none_or(|(held, _)| *held != seq) {
            self.held = None;
            self.held = Some((seq, read(self.table.load(payload).ok()?)));
        }
        Some((payload.stamp, &self.held.as_ref()?.1))
    }
}

impl Table {
    /// The table of a sensor's returns; nothing if there is none.
    fn open(dir: &Path, sensor: &str, record_bytes: usize) -> Result<Option<Self>, Error> {
        let [table, records] = ["csv", "bin"].map(|form| dir.join(format!("{sensor}-returns.{form}")));
        if !table.exists() {
            return Ok(None);
        }
        let bytes = plain_file::length(&records)?;
        let file = File::open(&records).map_err(|source| io("reading", source, &records))?;
        Ok(Some(Self {
            payloads: payloads(&table, bytes / record_bytes as u64, Truth::is_finished(dir))?,
            file,
            record_bytes,
        }))
    }

    fn load(&mut self, payload: Payload) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; payload.count as usize * self.record_bytes];
        self.file
            .seek(SeekFrom::Start(payload.first * self.record_bytes as u64))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// The table's lines `seq,stamp_ns,first,count`, each within `records`. Where a simulation could not write to its
/// end, the disk being full, both files are cut anywhere: then what is whole counts.
fn payloads(table: &Path, records: u64, finished: bool) -> Result<BTreeMap<u64, Payload>, Error> {
    let text = read_capped(table)?;
    let lines = match text.rsplit_once('\n') {
        _ if finished => text.as_str(),
        Some((whole, _)) => whole,
        None => return Ok(BTreeMap::new()),
    };
    let head = lines.lines().next().unwrap_or_default();
    if head != HEAD {
        return Err(content(HEAD, head.chars().take(80).collect(), 1, table));
    }
    let mut payloads = BTreeMap::new();
    for (line, row) in (2..).zip(lines.lines().skip(1)) {
        match payload(row) {
            Some((seq, payload)) if payload.first.saturating_add(payload.count) <= records => {
                payloads.insert(seq, payload);
            }
            Some(_) if !finished => break,
            _ => {
                let expected = "`seq,stamp_ns,first,count` of records that the file beside it holds";
                return Err(content(expected, row.to_owned(), line, table));
            }
        }
    }
    Ok(payloads)
}

fn payload(row: &str) -> Option<(u64, Payload)> {
    let fields: Vec<&str> = row.split(',').collect();
    let [seq, stamp, first, count] = fields[..] else {
        return None;
    };
    let (first, count): (u64, u64) = (first.parse().ok()?, count.parse().ok()?);
    let stamp = Stamp::from_nanos(stamp.parse().ok()?);
    (count <= MOST_OF_A_PAYLOAD).then_some((seq.parse().ok()?, Payload { stamp, first, count }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::score::specimen::frame_at;
    use crate::truth::{ReturnsOf, TruthWriter};
    use crate::world::World;
    use beluga_types::{Medium, Payload};

    fn written(dir: &Path) -> World {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.5;
        scenario.lidar.water_ghosts = true;
        scenario.water.multipath = 1;
        let world = World::new(scenario).unwrap();
        let mut writer = TruthWriter::create(dir, &world, "test")
            .unwrap()
            .with_returns()
            .unwrap();
        for (measurement, returns) in world.measurements_with_returns(ReturnsOf::All) {
            writer.push(&measurement, &returns).unwrap();
        }
        writer.finish(None).unwrap();
        world
    }

    /// A frame at this moment with one point, of which nothing but its source matters.
    fn point_of(end: Stamp, sensor: SensorId, seq: u64, index: u32) -> SolidarFrame {
        let mut frame = frame_at(end, &Transform::identity());
        frame.points = beluga_types::PointTable {
            x: vec![0.0],
            y: vec![0.0],
            z: vec![0.0],
            offset_nanos: vec![0],
            sensor: vec![sensor.0],
            medium: vec![Medium::Air],
            level: vec![0.0],
            snr_db: vec![None],
            sigma_range_m: vec![0.01],
            sigma_along_m: vec![0.01],
            sigma_across_m: vec![0.01],
            label: vec![beluga_types::Label::Unknown],
            source_seq: vec![seq],
            source_index: vec![index],
        };
        frame
    }

    #[test]
    fn what_is_told_is_where_the_light_turned_back() {
        let folder = tempfile::tempdir().unwrap();
        let world = written(folder.path());
        let truth = Truth::read(folder.path()).unwrap();
        let told = truth.told_returns(folder.path()).unwrap().unwrap();
        let of = |sensor, seq, index| told.of(&point_of(crate::START, sensor, seq, index), 0);
        let (mut points, mut ghosts) = (0, 0);
        for measurement in world.measurements() {
            let Payload::Lidar(scan) = &measurement.payload else {
                continue;
            };
            for i in (0..scan.len()).rev().step_by(97) {
                let one = of(LIDAR, measurement.seq, i as u32).unwrap();
                points += 1;
                ghosts += u32::from(one.ghost);
                let offset = scan.offset_nanos().unwrap()[i];
                let stamp = measurement.stamp.shifted_nanos(offset.into());
                let world_from_sensor = world.pose_at(stamp) * world.mount_at(LIDAR, stamp);
                let measured = Point::new(scan.x()[i].into(), scan.y()[i].into(), scan.z()[i].into());
                let position = nalgebra::Vector3::from(one.position.unwrap());
                let apart = (world_from_sensor * measured).vector() - position;
                assert!(one.ghost || apart.norm() < 0.08, "{i}: {apart}");
                assert_eq!(one.ghost, one.order > 0);
            }
        }
        assert!(points > 80 && ghosts > 3, "{points}, {ghosts}");
        assert_eq!(of(SensorId(2), 0, 0), None);
        assert_eq!(of(LIDAR, 99, 0), None);
        assert_eq!(of(LIDAR, 0, u32::MAX), None);
    }

    /// Of every echo that was written, asked for at its own beam and time: the loud ones that no other
    /// comes near are told as what they are.
    #[test]
    fn a_ping_tells_of_its_echoes_by_beam_and_time() {
        let folder = tempfile::tempdir().unwrap();
        let world = written(folder.path());
        let truth = Truth::read(folder.path()).unwrap();
        let told = truth.told_returns(folder.path()).unwrap().unwrap();
        let (mut right, mut wrong, mut mirrored) = (0, 0, 0);
        for measurement in world.measurements() {
            let Payload::Sonar(_) = &measurement.payload else {
                continue;
            };
            let of = |beam, delay_s: f64| {
                let heard = measurement.stamp.shifted_s(delay_s);
                told.of(&point_of(heard, SONAR, measurement.seq, beam), 0)
            };
            // Long before the first echo there is none.
            assert_eq!(of(5, 1e-3), None);
            for echo in world.sonar().contributions(&world, measurement.seq, -70.0) {
                let one = of(echo.beam.into(), echo.delay_s).unwrap();
                if one.ghost == (echo.order > 0) {
                    right += 1;
                } else {
                    wrong += 1;
                }
                mirrored += u32::from(echo.order > 0);
            }
        }
        println!("{right} echoes told as they are, {wrong} outweighed by others; {mirrored} by mirrors");
        assert!(
            mirrored > 20 && right > 50 && wrong < right / 5,
            "{right} {wrong} {mirrored}"
        );
    }

    /// As a full disk leaves it: nothing that is whole is lost, and nothing that is not is told.
    #[test]
    fn a_truth_that_was_cut_tells_what_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let truth = Truth::read(folder.path()).unwrap();
        let [table, records] = ["csv", "bin"].map(|form| folder.path().join(format!("lidar-returns.{form}")));
        let (whole, bytes) = (std::fs::read(&table).unwrap(), std::fs::read(&records).unwrap());
        let told = || truth.told_returns(folder.path());
        let payloads = |told: ToldReturns| {
            let lidar = told.lidar.unwrap();
            let table = &lidar.lock().unwrap().table;
            table.payloads.len()
        };
        let all = payloads(told().unwrap().unwrap());
        let comma = whole.iter().rposition(|byte| *byte == b',').unwrap();
        std::fs::write(&table, &whole[..=comma]).unwrap();
        assert!(told().is_err(), "a finished truth has been changed");
        std::fs::remove_file(folder.path().join("manifest.json")).unwrap();
        assert_eq!(payloads(told().unwrap().unwrap()), all - 1);
        std::fs::write(&table, &whole).unwrap();
        std::fs::write(&records, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(payloads(told().unwrap().unwrap()), all - 1);
        for length in 0..=HEAD.len() {
            std::fs::write(&table, &whole[..length]).unwrap();
            assert_eq!(payloads(told().unwrap().unwrap()), 0);
        }
    }

    #[test]
    fn a_truth_without_returns_tells_nothing_and_a_wrong_table_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let truth = Truth::read(folder.path()).unwrap();
        for sensor in ["lidar", "sonar"] {
            let table = folder.path().join(format!("{sensor}-returns.csv"));
            for row in [
                "0,0,0,999999999",
                "0,0,18446744073709551615,2",
                "0,x,0,1",
                "0,0,0",
                "-1,0,0,1",
            ] {
                std::fs::write(&table, format!("seq,stamp_ns,first,count\n{row}\n")).unwrap();
                let said = truth.told_returns(folder.path()).unwrap_err().to_string();
                assert!(
                    said.contains("line 2") && said.contains(&format!("{sensor}-returns.csv")),
                    "{said}"
                );
            }
            std::fs::remove_file(&table).unwrap();
        }
        assert!(truth.told_returns(folder.path()).unwrap().is_none());
    }
}
