//! What is true of each return: `lidar-returns.bin` and `sonar-returns.bin`, with a table beside each
//! that says which records belong to which payload.

use std::path::Path;

use beluga_types::Measurement;

use super::writer::Out;
use crate::error::Error;
use crate::lidar::ReturnTruth;
use crate::sonar::{Contribution, VOLUME};
use crate::world::World;

/// Echoes of the sonar are kept down to this much above the receiver's noise of a sample, in dB; pulse
/// compression lifts an echo by the pulse's time-bandwidth product, so that fainter ones are no soundings.
const ABOVE_NOISE_DB: f64 = 6.0;

/// What is true of one payload's returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Returns {
    /// Nothing is told.
    #[default]
    None,
    /// One for each point of the scan, in its order.
    Lidar(Vec<u8>),
    /// The louder echoes of a ping, by beam and delay.
    Sonar(Vec<u8>),
}

/// First line of a table.
pub(super) const HEAD: &str = "seq,stamp_ns,first,count";
/// Bytes of a record.
pub(super) const LIDAR_BYTES: usize = 20;
pub(super) const SONAR_BYTES: usize = 32;

/// Of which returns the truth is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReturnsOf {
    /// Of none.
    #[default]
    None,
    /// Of those of the lidar, which costs nothing.
    Lidar,
    /// Of those of the sonar too, which follows all of its sound twice.
    All,
}

impl Returns {
    /// The truth of a scan's returns.
    pub(crate) fn of_scan(returns: &[ReturnTruth]) -> Self {
        Self::Lidar(returns.iter().flat_map(lidar_record).collect())
    }

    /// The truth of a ping's echoes.
    pub(crate) fn of_ping(world: &World, ping: u64) -> Self {
        let threshold_db = world.sonar().noise_db() + ABOVE_NOISE_DB;
        let echoes = world.sonar().contributions(world, ping, threshold_db as f32);
        Self::Sonar(echoes.iter().flat_map(sonar_record).collect())
    }

    /// How many returns it tells of.
    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Lidar(bytes) => bytes.len() / LIDAR_BYTES,
            Self::Sonar(bytes) => bytes.len() / SONAR_BYTES,
        }
    }

    /// Whether it tells of none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `point` 3 × f32, `surface` u32, `order` u8, `ghost` u8, two zeros.
fn lidar_record(found: &ReturnTruth) -> [u8; LIDAR_BYTES] {
    let mut record = [0; LIDAR_BYTES];
    put_point(&mut record, 0, &found.point_in_quay);
    record[12..16].copy_from_slice(&found.surface.to_le_bytes());
    record[16] = found.order;
    record[17] = u8::from(found.ghost);
    record
}

/// `delay` f64, `point` 3 × f32, `level` f32, `surface` u32, `beam` u16, `order` u8, `ghost` u8.
fn sonar_record(found: &Contribution) -> [u8; SONAR_BYTES] {
    let mut record = [0; SONAR_BYTES];
    record[0..8].copy_from_slice(&found.delay_s.to_le_bytes());
    put_point(&mut record, 8, &found.point);
    record[20..24].copy_from_slice(&found.level_db.to_le_bytes());
    record[24..28].copy_from_slice(&found.surface.to_le_bytes());
    record[28..30].copy_from_slice(&found.beam.to_le_bytes());
    record[30] = found.order;
    record[31] = u8::from(found.order > 0 || found.surface == VOLUME);
    record
}

fn put_point(record: &mut [u8], at: usize, point: &[f32; 3]) {
    for (axis, value) in point.iter().enumerate() {
        let from = at + 4 * axis;
        record[from..from + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// Both files of returns, with their tables.
pub(super) struct ReturnsOut {
    lidar: Records,
    sonar: Records,
}

impl ReturnsOut {
    pub(super) fn create(dir: &Path) -> Result<Self, Error> {
        Ok(Self {
            lidar: Records::create(dir, "lidar")?,
            sonar: Records::create(dir, "sonar")?,
        })
    }

    pub(super) fn push(&mut self, measurement: &Measurement, returns: &Returns) -> Result<(), Error> {
        match returns {
            Returns::None => Ok(()),
            Returns::Lidar(bytes) => self.lidar.push(measurement, bytes, returns.len()),
            Returns::Sonar(bytes) => self.sonar.push(measurement, bytes, returns.len()),
        }
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        self.lidar.finish()?;
        self.sonar.finish()
    }
}

/// Records of one sensor, payload after payload.
struct Records {
    bytes: Out,
    table: Out,
    count: u64,
}

impl Records {
    fn create(dir: &Path, sensor: &str) -> Result<Self, Error> {
        let mut table = Out::create(dir.join(format!("{sensor}-returns.csv")))?;
        table.push(format!("{HEAD}\n").as_bytes())?;
        Ok(Self {
            bytes: Out::create(dir.join(format!("{sensor}-returns.bin")))?,
            table,
            count: 0,
        })
    }

    fn push(&mut self, measurement: &Measurement, bytes: &[u8], count: usize) -> Result<(), Error> {
        self.bytes.push(bytes)?;
        let (seq, stamp, first) = (measurement.seq, measurement.stamp.nanos(), self.count);
        self.table
            .push(format!("{seq},{stamp},{first},{count}\n").as_bytes())?;
        self.count += count as u64;
        Ok(())
    }

    fn finish(self) -> Result<(), Error> {
        self.bytes.finish()?;
        self.table.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use beluga_types::Payload;

    #[test]
    fn records_are_laid_out_as_written_down() {
        let lidar = ReturnTruth {
            surface: 0x0102_0304,
            order: 2,
            point_in_quay: [1.0, -2.0, 0.5],
            ghost: true,
        };
        let record = lidar_record(&lidar);
        assert_eq!(record[4..8], (-2.0f32).to_le_bytes());
        assert_eq!(record[12..], [4, 3, 2, 1, 2, 1, 0, 0]);
        let sonar = Contribution {
            beam: 300,
            delay_s: 0.0125,
            surface: 7,
            order: 1,
            mirrors: [3, u32::MAX],
            point: [1.0, -2.0, 0.5],
            level_db: -61.0,
        };
        let record = sonar_record(&sonar);
        assert_eq!(record[..8], 0.0125f64.to_le_bytes());
        assert_eq!(record[16..20], 0.5f32.to_le_bytes());
        assert_eq!(record[20..24], (-61.0f32).to_le_bytes());
        assert_eq!(record[24..], [7, 0, 0, 0, 44, 1, 1, 1]);
        let floating = Contribution {
            surface: VOLUME,
            order: 0,
            ..sonar
        };
        assert_eq!(sonar_record(&floating)[30..], [0, 1], "no surface stands there");
    }

    #[test]
    fn a_scan_has_a_return_for_each_point_and_a_ping_has_echoes() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.5;
        let world = World::new(scenario).unwrap();
        let (mut scans, mut pings) = (0, 0);
        for (measurement, returns) in world.measurements_with_returns(ReturnsOf::All) {
            match &measurement.payload {
                Payload::Lidar(scan) => {
                    scans += 1;
                    assert_eq!(returns.len(), scan.len());
                }
                Payload::Sonar(_) => {
                    pings += 1;
                    assert!(returns.len() > 50, "{}", returns.len());
                }
                _ => assert!(returns.is_empty()),
            }
        }
        assert!(scans > 2 && pings > 1);
    }
}
