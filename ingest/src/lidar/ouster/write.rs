//! Packets and metadata as a sensor sends them: the twin of what reads them here.
//!
//! Of all profiles the two with ranges of 19 bits lose least: steps of 1 mm, so that a range is wrong by half of
//! it at the most, 0.29 mm (one sigma, evenly spread), where the noise of a good lidar is 5 to 15. Strength goes
//! as reflectivity, a byte. One return of each pixel makes `RNG19_RFL8_SIG16_NIR16`, two its `DUAL`.

use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

use beluga_types::LidarScan;
use beluga_types::elementary::{atan2, hypot};
use serde_json::json;

use super::packet::{Format, Header};
use super::profile::{Field, Place, Profile};

/// Columns of a packet.
const COLUMNS: usize = 16;
/// Rows that sensors have; a lidar with fewer is given rows that never see anything.
const ROWS: [usize; 4] = [16, 32, 64, 128];
/// Bytes before the columns, and behind them.
const HEAD: usize = 32;
/// Bytes of a column before its pixels.
const COLUMN_HEAD: usize = 12;
/// The type of a lidar packet.
const SCANS: u16 = 1;
/// The longest range that 19 bits hold, in mm.
const MOST_MM: f64 = 524_287.0;
/// A firing's time may be rounded to its nanosecond.
const ROUNDED_NANOS: i64 = 1;

/// Where the beams of a spinning lidar look, as its scans tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learner {
    /// Firings of a turn, from the time between them.
    columns: Option<usize>,
    period_nanos: i64,
    rows: BTreeMap<u16, Row>,
    dual: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    count: f64,
    altitude_rad: f64,
    /// Of the first return: others are told from there, so that no turn is in their mean.
    first_rad: Option<f64>,
    from_first_rad: f64,
}

impl Learner {
    /// A lidar whose turn takes so long.
    pub(crate) fn new(period_nanos: i64) -> Self {
        Self {
            period_nanos,
            ..Self::default()
        }
    }

    /// Learns from a scan.
    ///
    /// # Errors
    /// If it has no rings or times, or is none of a lidar that turns evenly.
    pub(crate) fn take(&mut self, scan: &LidarScan) -> Result<(), String> {
        let (Some(rings), Some(offsets)) = (scan.ring(), scan.offset_nanos()) else {
            return Err("expected a scan with ring and time of each return, found none".into());
        };
        let steps = offsets
            .windows(2)
            .map(|pair| i64::from(pair[1]) - i64::from(pair[0]));
        if let (None, Some(step)) = (self.columns, steps.filter(|step| *step > 0).min()) {
            self.columns = Some((self.period_nanos as f64 / step as f64).round() as usize);
        }
        let Some(columns) = self.columns else {
            return Ok(());
        };
        let mut last = None;
        for point in 0..scan.len() {
            let [x, y, z] = [scan.x(), scan.y(), scan.z()].map(|axis| f64::from(axis[point]));
            let column = column(offsets[point], columns, self.period_nanos)?;
            self.dual |= last.replace((column, rings[point])) == Some((column, rings[point]));
            let row = self.rows.entry(rings[point]).or_default();
            let azimuth_rad = -TAU * column as f64 / columns as f64 - atan2(y, x);
            let first_rad = *row.first_rad.get_or_insert(azimuth_rad);
            row.count += 1.0;
            row.altitude_rad += atan2(z, hypot(x, y));
            row.from_first_rad += turned(azimuth_rad - first_rad);
        }
        Ok(())
    }

    /// What sends such scans.
    ///
    /// # Errors
    /// If nothing has been seen, or more than a sensor has.
    pub(crate) fn encoder(&self) -> Result<Encoder, String> {
        let highest = self
            .rows
            .keys()
            .next_back()
            .map_or(0, |row| usize::from(*row) + 1);
        let rows = ROWS.into_iter().find(|rows| (1..=*rows).contains(&highest));
        let rows = rows.ok_or_else(|| format!("expected 1 to 128 rings, found {highest}"))?;
        let name = match self.dual {
            true => "RNG19_RFL8_SIG16_NIR16_DUAL",
            false => "RNG19_RFL8_SIG16_NIR16",
        };
        let columns = self.columns.unwrap_or_default();
        let format = Profile::named(name)
            .and_then(|profile| Format::new(profile, Header::Standard, rows, COLUMNS))
            .filter(|_| (COLUMNS..=4096).contains(&columns))
            .ok_or_else(|| format!("expected {COLUMNS} to 4096 firings of a turn, found {columns}"))?;
        let mean = |row: u16| self.rows.get(&row).copied().unwrap_or_default();
        let rows = 0..rows as u16;
        Ok(Encoder {
            altitude_deg: rows
                .clone()
                .map(|row| (mean(row).altitude_rad / mean(row).count.max(1.0)).to_degrees())
                .collect(),
            azimuth_deg: rows
                .map(|row| {
                    let Row {
                        count,
                        first_rad,
                        from_first_rad,
                        ..
                    } = mean(row);
                    turned(first_rad.unwrap_or_default() + from_first_rad / count.max(1.0)).to_degrees()
                })
                .collect(),
            known: self.rows.keys().copied().collect(),
            columns,
            period_nanos: self.period_nanos,
            format,
        })
    }
}

/// Within half a turn.
fn turned(rad: f64) -> f64 {
    (rad + PI).rem_euclid(TAU) - PI
}

/// Which firing of a turn this was.
fn column(offset_nanos: i32, columns: usize, period_nanos: i64) -> Result<usize, String> {
    let column = (f64::from(offset_nanos) * columns as f64 / period_nanos as f64).round();
    let expected = (column * period_nanos as f64 / columns as f64).round() as i64;
    if !(0.0..columns as f64).contains(&column) || (expected - i64::from(offset_nanos)).abs() > ROUNDED_NANOS
    {
        return Err(format!(
            "expected {columns} firings evenly over {period_nanos} ns, found one at {offset_nanos} ns"
        ));
    }
    Ok(column as usize)
}

/// Makes the packets of one lidar.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    altitude_deg: Vec<f64>,
    azimuth_deg: Vec<f64>,
    known: std::collections::BTreeSet<u16>,
    columns: usize,
    period_nanos: i64,
    format: Format,
}

/// A packet, and when after the scan's stamp its last column fired.
pub(crate) struct Written {
    pub(crate) last_offset_nanos: i64,
    pub(crate) bytes: Vec<u8>,
}

/// A scan's packets, and how many of its returns have no place in them.
pub(crate) struct WrittenScan {
    pub(crate) packets: Vec<Written>,
    pub(crate) left_out: u64,
}

/// The sensor's own numbers of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) frame: u16,
    /// Of the last start of measurement, 24 bits.
    pub(crate) initialisation: u32,
}

impl Encoder {
    /// The sensor's serial number.
    const SERIAL: u64 = 640_010;

    /// Packets of a turn.
    pub(crate) fn packets_per_scan(&self) -> usize {
        self.columns.div_ceil(COLUMNS)
    }

    /// What the sensor says of itself, as the metadata file holds it.
    pub(crate) fn metadata(&self, initialisation: u32) -> String {
        let rate_hz = 1e9 / self.period_nanos as f64;
        let identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
        let rows = self.altitude_deg.len();
        let said = json!({
            "prod_line": format!("OS-1-{rows}"),
            "prod_sn": Self::SERIAL.to_string(),
            "build_rev": "v2.5.0",
            "initialization_id": initialisation,
            "timestamp_mode": "TIME_FROM_PTP_1588",
            "lidar_mode": format!("{}x{rate_hz}", self.columns),
            "beam_altitude_angles": self.altitude_deg,
            "beam_azimuth_angles": self.azimuth_deg,
            "lidar_origin_to_beam_origin_mm": 0,
            "lidar_to_sensor_transform": identity,
            "imu_to_sensor_transform": identity,
            "data_format": {
                "udp_profile_lidar": self.format.profile().name(),
                "columns_per_packet": COLUMNS,
                "columns_per_frame": self.columns,
                "pixels_per_column": rows,
                "column_window": [0, self.columns - 1],
                "pixel_shift_by_row": vec![0; rows],
                "fps": rate_hz,
            },
        });
        said.to_string()
    }

    /// The packets of a scan; `time` gives the sensor's time of a firing that many nanoseconds after the stamp.
    ///
    /// # Errors
    /// If the scan is none of this lidar.
    pub(crate) fn packets(
        &self,
        scan: &LidarScan,
        numbers: Numbers,
        time: impl Fn(i64) -> u64,
    ) -> Result<WrittenScan, String> {
        let offset =
            |column: usize| (column as f64 * self.period_nanos as f64 / self.columns as f64).round() as i64;
        let mut packets: Vec<Written> = (0..self.packets_per_scan())
            .map(|packet| Written {
                last_offset_nanos: offset(((packet + 1) * COLUMNS).min(self.columns) - 1),
                bytes: self.empty(packet, numbers, |column| time(offset(column))),
            })
            .collect();
        let left_out = self.fill(scan, &mut packets)?;
        Ok(WrittenScan { packets, left_out })
    }

    /// A packet without returns. Columns beyond the last were not measured.
    fn empty(&self, packet: usize, numbers: Numbers, time: impl Fn(usize) -> u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.format.packet_bytes());
        bytes.extend(SCANS.to_le_bytes());
        bytes.extend(numbers.frame.to_le_bytes());
        bytes.extend(&numbers.initialisation.to_le_bytes()[..3]);
        bytes.extend(&Self::SERIAL.to_le_bytes()[..5]);
        bytes.resize(HEAD, 0);
        let pixels = self.column_bytes() - COLUMN_HEAD;
        for column in packet * COLUMNS..(packet + 1) * COLUMNS {
            let is_measured = column < self.columns;
            let nanos = if is_measured { time(column) } else { 0 };
            bytes.extend(nanos.to_le_bytes());
            bytes.extend((column as u16).to_le_bytes());
            bytes.extend(u16::from(is_measured).to_le_bytes());
            bytes.resize(bytes.len() + pixels, 0);
        }
        bytes.resize(bytes.len() + HEAD, 0);
        bytes
    }

    fn column_bytes(&self) -> usize {
        COLUMN_HEAD + self.format.rows() * self.format.profile().pixel_bytes()
    }

    /// Puts a scan's returns into its packets.
    fn fill(&self, scan: &LidarScan, packets: &mut [Written]) -> Result<u64, String> {
        let (Some(rings), Some(offsets)) = (scan.ring(), scan.offset_nanos()) else {
            return Err("expected a scan with ring and time of each return, found none".into());
        };
        let profile = self.format.profile();
        let pair = |range, strength| Some([profile.place(range)?, profile.place(strength)?]);
        let first = pair(Field::Range, Field::Reflectivity);
        let returns: Vec<[Place; 2]> = first
            .into_iter()
            .chain(pair(Field::Range2, Field::Reflectivity2))
            .collect();
        let (mut left_out, mut last, mut nth) = (0, None, 0);
        for point in 0..scan.len() {
            let column = column(offsets[point], self.columns, self.period_nanos)?;
            let place = (column, rings[point]);
            nth = if last.replace(place) == Some(place) {
                nth + 1
            } else {
                0
            };
            let [x, y, z] = [scan.x(), scan.y(), scan.z()].map(|axis| f64::from(axis[point]));
            let range_mm = (1e3 * hypot(hypot(x, y), z)).round();
            let known = self.known.contains(&rings[point]) && (1.0..=MOST_MM).contains(&range_mm);
            let Some([range, strength]) = returns.get(nth).filter(|_| known) else {
                left_out += 1;
                continue;
            };
            let reflectivity = scan
                .intensity()
                .map_or(0.0, |all| all[point].round().clamp(0.0, 255.0));
            let start = HEAD + (column % COLUMNS) * self.column_bytes() + COLUMN_HEAD;
            let start = start + usize::from(rings[point]) * profile.pixel_bytes();
            let pixel = &mut packets[column / COLUMNS].bytes[start..start + profile.pixel_bytes()];
            range.put(pixel, range_mm as u32);
            strength.put(pixel, reflectivity as u32);
        }
        Ok(left_out)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use beluga_types::elementary::sin_cos;
    use beluga_types::{Payload, Stamp};

    use super::super::assembly::Scans;
    use super::super::clock::Clock;
    use super::super::metadata::Metadata;
    use super::super::packet::looks_like_scans;
    use super::*;
    use crate::capture::Datagram;
    use crate::lidar::{Device, Made};

    const PERIOD_NANOS: i64 = 100_000_000;

    /// Returns of some pixels of a lidar that turns clockwise from its left, one or two each.
    fn scan(columns: usize, rings: u16, returns: usize) -> LidarScan {
        let (mut xyz, mut strength, mut ring, mut offset) =
            ([vec![], vec![], vec![]], vec![], vec![], vec![]);
        for column in (0..columns).filter(|column| column % 7 != 3) {
            let turn = column as f64 / columns as f64;
            for row in (0..rings).filter(|row| (usize::from(*row) + column) % 3 != 0) {
                for nth in 0..returns {
                    let range_m = 2.0 + 0.0137 * (column + 31 * usize::from(row)) as f64 + 3.0 * nth as f64;
                    let (sin, cos) = sin_cos(PI / 2.0 - TAU * turn);
                    let (up, flat) = sin_cos((-22.5 + 3.0 * f64::from(row)).to_radians());
                    let point = [flat * cos, flat * sin, up].map(|part| (range_m * part) as f32);
                    xyz.iter_mut()
                        .zip(point)
                        .for_each(|(axis, value)| axis.push(value));
                    strength.push((column % 256) as f32);
                    ring.push(row);
                    offset.push((turn * PERIOD_NANOS as f64).round() as i32);
                }
            }
        }
        let [x, y, z] = xyz;
        let scan = LidarScan::new(x, y, z).unwrap().with_intensity(strength).unwrap();
        scan.with_ring(ring).unwrap().with_offset_nanos(offset).unwrap()
    }

    fn heard(encoder: &Encoder, scans: &[(u16, LidarScan)]) -> Vec<(u64, i64, LidarScan)> {
        let metadata = Metadata::read(encoder.metadata(7).as_bytes()).unwrap();
        let mut device = Scans::new(metadata, Clock::default());
        let mut made = Made::default();
        let begin = 1_790_000_000_000_000_000_u64;
        for (frame, scan) in scans {
            let start = begin + u64::from(*frame) * PERIOD_NANOS as u64;
            let numbers = Numbers {
                frame: *frame,
                initialisation: 7,
            };
            let written = encoder
                .packets(scan, numbers, |after| start + after as u64)
                .unwrap();
            assert_eq!(written.left_out, 0);
            for packet in written.packets {
                assert!(looks_like_scans(&packet.bytes), "{}", packet.bytes.len());
                let datagram = Datagram {
                    received: Stamp::from_nanos((start + packet.last_offset_nanos as u64) as i64),
                    source: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
                    destination: SocketAddr::from((Ipv4Addr::LOCALHOST, 2)),
                    payload: packet.bytes,
                };
                device.push(&datagram, &mut made);
            }
        }
        let counts = device.finish(&mut made);
        assert_eq!(counts, crate::lidar::PacketCounts::default());
        let given = made.ready.into_iter().map(|ready| {
            let measured = ready.unwrap();
            let Payload::Lidar(scan) = measured.payload else {
                panic!("no scan")
            };
            assert_eq!(measured.packets, crate::lidar::PacketCounts::default());
            let after = measured.stamp.nanos() - begin as i64;
            (measured.seq.unwrap(), after, (*scan).clone())
        });
        given.collect()
    }

    #[test]
    fn what_is_written_is_read_back_within_half_a_millimetre() {
        // The second has a last packet that is not full, the third fewer rings than a sensor has rows.
        for (columns, rings, returns) in [(1024, 64, 1), (360, 32, 2), (512, 12, 1)] {
            let scan = scan(columns, rings, returns);
            let mut learner = Learner::new(PERIOD_NANOS);
            learner.take(&scan).unwrap();
            let encoder = learner.encoder().unwrap();
            let found = heard(&encoder, &[(9, scan.clone()), (10, scan.clone())]);
            assert_eq!(found.len(), 2);
            for (nth, (seq, after, read)) in found.iter().enumerate() {
                assert_eq!((*seq, *after), (9 + nth as u64, (9 + nth as i64) * PERIOD_NANOS));
                assert_eq!(read.ring(), scan.ring());
                assert_eq!(read.offset_nanos(), scan.offset_nanos());
                assert_eq!(read.intensity(), scan.intensity());
                let miss_m = (0..scan.len()).map(|i| {
                    let [x, y, z] = [(read.x(), scan.x()), (read.y(), scan.y()), (read.z(), scan.z())]
                        .map(|(read, given)| f64::from(read[i] - given[i]));
                    hypot(hypot(x, y), z)
                });
                let most_m = miss_m.fold(0.0, f64::max);
                assert!((1e-4..0.55e-3).contains(&most_m), "{most_m}");
            }
        }
    }

    #[test]
    fn what_is_no_turning_lidar_is_refused_and_what_has_no_place_is_counted() {
        let mut learner = Learner::new(PERIOD_NANOS);
        assert!(learner.encoder().is_err());
        let bare = LidarScan::new(vec![1.0], vec![0.0], vec![0.0]).unwrap();
        assert!(learner.take(&bare).unwrap_err().contains("ring and time"));
        let uneven = LidarScan::new(vec![1.0; 3], vec![0.0; 3], vec![0.0; 3]).unwrap();
        let uneven = uneven.with_ring(vec![0; 3]).unwrap();
        let uneven = uneven.with_offset_nanos(vec![0, 100_000, 250_000]).unwrap();
        assert!(learner.take(&uneven).unwrap_err().contains("evenly"));

        let mut learner = Learner::new(PERIOD_NANOS);
        learner.take(&scan(512, 12, 1)).unwrap();
        let encoder = learner.encoder().unwrap();
        let far = LidarScan::new(vec![600.0, 5.0], vec![0.0; 2], vec![0.0; 2]).unwrap();
        let far = far
            .with_ring(vec![0, 13])
            .unwrap()
            .with_offset_nanos(vec![0, 0])
            .unwrap();
        let numbers = Numbers {
            frame: 0,
            initialisation: 0,
        };
        let written = encoder.packets(&far, numbers, |after| after as u64).unwrap();
        assert_eq!(
            written.left_out, 2,
            "one too far, one of a ring that was never seen"
        );
    }
}
