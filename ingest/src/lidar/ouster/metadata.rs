//! What a sensor says of itself: the metadata JSON of every firmware.
//!
//! Two shapes: flat (firmware 1.13 to 2.5, or as the SDK wrote them) and in sections (`sensor_info`,
//! `config_params`, `lidar_data_format`, `beam_intrinsics` …, firmware 3 on). A key is looked for in
//! its section, then at the top. What old firmware does not say has the value that it had then.
//!
//! Facts from Ouster's public SDK 1.0 (`ouster_core/src/{metadata,sensor_info}.cpp`, BSD-3).

use std::io::Read as _;
use std::path::Path;

use nalgebra::Matrix4;
use serde_json::Value;

use super::packet::{Format, Header, Misfit, Packet};
use super::profile::Profile;
use crate::error::Error;
use crate::regular;

/// The longest metadata file that is read, in bytes; the largest known ones have 20 kB.
const MAX_BYTES: u64 = 4 << 20;
/// The most columns of a scan: 4096 in the fastest mode there is.
const MAX_COLUMNS: u64 = 4096;
/// Columns of a packet where nothing is said.
const USUAL_COLUMNS: u64 = 16;
/// How far beams are from the lidar's origin, in mm; more is damage.
const MAX_OFFSET_MM: f64 = 1000.0;

/// From which clock the times of columns come (`timestamp_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeMode {
    /// The sensor's own oscillator, from when it was switched on.
    Internal,
    /// A pulse each second, with the second from an NMEA sentence.
    SyncPulse,
    /// PTP (IEEE 1588).
    Ptp,
}

/// What a sensor says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Product line, as `OS-1-128`; empty where old firmware does not say.
    pub product: String,
    /// Serial number, if it says one.
    pub serial: Option<u64>,
    /// Number of the last start of measurement, if it says one.
    pub initialisation: Option<u32>,
    /// Firmware, as `v2.3.0`; empty where it is not said.
    pub firmware: String,
    /// Scans per second, if it says them.
    pub rate_hz: Option<f64>,
    /// From which clock times come, if it says that.
    pub time_mode: Option<TimeMode>,
    /// Ports of lidar and IMU packets, if it says them.
    pub ports: [Option<u16>; 2],
    /// Columns of a scan.
    pub columns: usize,
    /// First and last column that are measured; from the first on around to the last.
    pub window: [usize; 2],
    /// How far each row is shifted to put columns of an image above each other; in columns.
    pub pixel_shift: Vec<i32>,
    /// Elevation of each row's beam, in degrees.
    pub altitude_deg: Vec<f64>,
    /// Azimuth of each row's beam from the encoder's angle, in degrees, clockwise.
    pub azimuth_deg: Vec<f64>,
    /// From the origin of the beams to the lidar's, in mm.
    pub lidar_from_beam: Matrix4<f64>,
    /// From the lidar's axes to the sensor's, in mm.
    pub sensor_from_lidar: Matrix4<f64>,
    /// From the IMU's axes to the sensor's, in mm.
    pub sensor_from_imu: Matrix4<f64>,
    format: Format,
}

impl Metadata {
    /// Reads metadata.
    ///
    /// # Errors
    /// If the file cannot be read, is no metadata, or names a profile that is not known.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        regular::open(path)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(Error::io(path))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::bad(path, "size", "at most 4 MiB", "more"));
        }
        Self::read(&bytes).map_err(|wrong| Error::bad(path, wrong.key, wrong.expected, wrong.found))
    }

    /// Metadata from the text of its file.
    ///
    /// # Errors
    /// What is wrong, with the key.
    pub fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let root: Value =
            serde_json::from_slice(bytes).map_err(|error| Wrong::new("text", "JSON", error.to_string()))?;
        let said = Said { root: &root };
        let altitude_deg = said.angles("beam_altitude_angles")?;
        let azimuth_deg = said.angles("beam_azimuth_angles")?;
        let rows = altitude_deg.len();
        if azimuth_deg.len() != rows {
            let found = format!("{} and {rows}", azimuth_deg.len());
            return Err(Wrong::new(
                "beam_azimuth_angles",
                "as many as of beam_altitude_angles",
                found,
            ));
        }
        let (mode_columns, mode_rate) = mode(&said)?;
        let columns = said.whole("columns_per_frame", 1..=MAX_COLUMNS)?.or(mode_columns);
        let columns = columns
            .ok_or_else(|| Wrong::new("columns_per_frame", "a number, or `lidar_mode`", "neither".into()))?;
        let stated = said.whole("pixels_per_column", 1..=MAX_COLUMNS)?;
        if stated.is_some_and(|stated| stated != rows as u64) {
            let found = format!("{} and {rows} angles", stated.unwrap_or_default());
            return Err(Wrong::new(
                "pixels_per_column",
                "as many as of beam_altitude_angles",
                found,
            ));
        }
        let product = said.text("prod_line").unwrap_or_default().to_owned();
        let sensor_from_lidar = said.matrix("lidar_to_sensor_transform")?;
        Ok(Self {
            serial: said.text("prod_sn").and_then(|serial| serial.parse().ok()),
            initialisation: said
                .whole("initialization_id", 0..=0x00ff_ffff)?
                .and_then(|id| u32::try_from(id).ok()),
            firmware: said
                .text("build_rev")
                .or(said.text("image_rev"))
                .unwrap_or_default()
                .to_owned(),
            rate_hz: said
                .number("fps")
                .filter(|rate| (0.1..=1000.0).contains(rate))
                .or(mode_rate),
            time_mode: said.text("timestamp_mode").and_then(time_mode),
            ports: [said.port("udp_port_lidar"), said.port("udp_port_imu")],
            columns: columns as usize,
            window: said.window(columns as usize)?,
            pixel_shift: said.shifts(rows, columns as usize),
            lidar_from_beam: said.lidar_from_beam(&product)?,
            sensor_from_lidar: sensor_from_lidar.unwrap_or_else(usual_sensor_from_lidar),
            sensor_from_imu: said
                .matrix("imu_to_sensor_transform")?
                .unwrap_or_else(Matrix4::identity),
            format: said.format(rows)?,
            product,
            altitude_deg,
            azimuth_deg,
        })
    }

    /// How its lidar packets are laid out.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Columns of a scan that are measured.
    pub fn window_columns(&self) -> usize {
        let [first, last] = self.window;
        (last + self.columns - first) % self.columns + 1
    }

    /// Whether a column is in the window.
    pub fn is_in_window(&self, column: usize) -> bool {
        let [first, last] = self.window;
        column < self.columns
            && match first <= last {
                true => (first..=last).contains(&column),
                false => column >= first || column <= last,
            }
    }

    /// Whether a packet is of the sensor that this is the metadata of.
    ///
    /// # Errors
    /// Both serial numbers if it is not.
    pub fn fits(&self, packet: &Packet<'_>) -> Result<(), Misfit> {
        match (self.serial, packet.serial()) {
            // Sensors in the making have no number yet.
            (Some(said), Some(heard)) if said != heard && heard != 0 => Err(Misfit {
                said: format!("serial number {said} ({})", self.product),
                heard: format!("serial number {heard}"),
            }),
            _ => Ok(()),
        }
    }

    /// Whether a bare packet can be this sensor's, by layout and serial number.
    pub(super) fn may_send(&self, bytes: &[u8]) -> bool {
        Packet::read(&self.format, bytes).is_ok_and(|packet| self.fits(&packet).is_ok())
    }

    /// Model, firmware and profile, in words.
    pub(super) fn said(&self) -> String {
        let or = |text: &str, other: &str| {
            if text.is_empty() {
                other.to_owned()
            } else {
                text.to_owned()
            }
        };
        let mut words = format!(
            "Ouster {}, {}{}, {}, {} × {} columns",
            or(&self.product, "of a model that the metadata does not name"),
            self.serial
                .map_or(String::new(), |serial| format!("serial number {serial}, ")),
            or(&self.firmware, "unknown firmware"),
            self.format.profile().name(),
            self.altitude_deg.len(),
            self.columns,
        );
        if let Some(rate) = self.rate_hz {
            words += &format!(" at {rate} Hz");
        }
        if self.window_columns() < self.columns {
            words += &format!(", of which {} to {} are measured", self.window[0], self.window[1]);
        }
        words
    }
}

/// What is wrong with metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Of which key.
    pub key: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Wrong {
    fn new(key: &str, expected: &str, found: String) -> Self {
        Self {
            key: key.to_owned(),
            expected: expected.to_owned(),
            found,
        }
    }
}

/// The keys of a file of any shape.
struct Said<'a> {
    root: &'a Value,
}

impl<'a> Said<'a> {
    /// The sections a key may stand in, most telling first.
    const SECTIONS: [&'static str; 8] = [
        "sensor_info",
        "config_params",
        "lidar_data_format",
        "data_format",
        "beam_intrinsics",
        "lidar_intrinsics",
        "imu_intrinsics",
        "imu_data_format",
    ];

    fn value(&self, key: &str) -> Option<&'a Value> {
        let inside = Self::SECTIONS
            .iter()
            .filter_map(|section| self.root.get(section)?.get(key));
        let mut found = inside.chain(self.root.get(key));
        found.find(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.value(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.value(key)?.as_f64()
    }

    fn port(&self, key: &str) -> Option<u16> {
        u16::try_from(self.value(key)?.as_u64()?).ok()
    }

    /// A whole number in a range; nothing if it is not said.
    fn whole(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Wrong> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match value.as_u64().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let expected = format!("{} to {}", range.start(), range.end());
                Err(Wrong::new(key, &expected, short(value)))
            }
        }
    }

    /// The angle of each row.
    fn angles(&self, key: &str) -> Result<Vec<f64>, Wrong> {
        let wrong = |found| Wrong::new(key, "an angle for each row, -180 to 180", found);
        let value = self.value(key).ok_or_else(|| wrong("none".into()))?;
        let values = value.as_array().ok_or_else(|| wrong(short(value)))?;
        if values.iter().any(Value::is_array) {
            return Err(wrong(
                "one for each pixel: a flash lidar, which is not read".into(),
            ));
        }
        if values.is_empty() || values.len() as u64 > MAX_COLUMNS {
            return Err(wrong(format!("{} of them", values.len())));
        }
        values
            .iter()
            .map(|value| {
                let angle = value.as_f64().filter(|angle| angle.abs() <= 180.0);
                angle.ok_or_else(|| wrong(short(value)))
            })
            .collect()
    }

    /// A transform of four rows of four, one behind the other or each by itself.
    fn matrix(&self, key: &str) -> Result<Option<Matrix4<f64>>, Wrong> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let wrong = || Wrong::new(key, "a rotation and metres below 100, 16 numbers", short(value));
        let values = value.as_array().ok_or_else(wrong)?;
        let flat: Vec<f64> = values
            .iter()
            .flat_map(|value| match value.as_array() {
                Some(row) => row.iter().map(Value::as_f64).collect::<Vec<_>>(),
                None => vec![value.as_f64()],
            })
            .take(17)
            .map(|value| value.unwrap_or(f64::NAN))
            .collect();
        if flat.len() != 16 {
            return Err(wrong());
        }
        let matrix = Matrix4::from_row_slice(&flat);
        let rotation = matrix.fixed_view::<3, 3>(0, 0).into_owned();
        let turned = (rotation * rotation.transpose() - nalgebra::Matrix3::identity()).amax();
        let far = matrix.fixed_view::<3, 1>(0, 3).amax();
        // A rotation, or nothing can be said of ranges; also refuses what is not finite.
        if turned < 1e-3 && far < 1e5 {
            Ok(Some(matrix))
        } else {
            Err(wrong())
        }
    }

    fn lidar_from_beam(&self, product: &str) -> Result<Matrix4<f64>, Wrong> {
        if let Some(matrix) = self.matrix("beam_to_lidar_transform")? {
            return Ok(matrix);
        }
        let key = "lidar_origin_to_beam_origin_mm";
        let offset = match self.value(key) {
            Some(value) => value
                .as_f64()
                .filter(|offset| offset.abs() <= MAX_OFFSET_MM)
                .ok_or_else(|| Wrong::new(key, "-1000 to 1000", short(value)))?,
            None => usual_offset_mm(product),
        };
        let mut matrix = Matrix4::identity();
        matrix[(0, 3)] = offset;
        Ok(matrix)
    }

    fn window(&self, columns: usize) -> Result<[usize; 2], Wrong> {
        let Some(value) = self.value("column_window") else {
            return Ok([0, columns - 1]);
        };
        let ends = value
            .as_array()
            .map(|ends| ends.iter().filter_map(Value::as_u64).collect::<Vec<_>>());
        match ends.as_deref() {
            Some(&[first, last]) if first < columns as u64 && last < columns as u64 => {
                Ok([first as usize, last as usize])
            }
            _ => {
                let expected = format!("two columns, 0 to {}", columns - 1);
                Err(Wrong::new("column_window", &expected, short(value)))
            }
        }
    }

    /// For images alone; what is missing or strange is none.
    fn shifts(&self, rows: usize, columns: usize) -> Vec<i32> {
        let said = self.value("pixel_shift_by_row").and_then(Value::as_array);
        let of = |row: usize| {
            let shift = said?.get(row)?.as_i64()?;
            i32::try_from(shift)
                .ok()
                .filter(|shift| shift.unsigned_abs() as usize <= columns)
        };
        (0..rows).map(|row| of(row).unwrap_or(0)).collect()
    }

    fn format(&self, rows: usize) -> Result<Format, Wrong> {
        let key = "udp_profile_lidar";
        let name = self.text(key).unwrap_or("LEGACY");
        let known = format!("one of {}", Profile::names());
        let profile = Profile::named(name).ok_or_else(|| Wrong::new(key, &known, format!("`{name}`")))?;
        let header = match self.text("header_type") {
            _ if profile.is_legacy() => Header::Legacy,
            Some("FUSA") => Header::Fusa,
            Some("STANDARD") => Header::Standard,
            Some(other) => {
                return Err(Wrong::new(
                    "header_type",
                    "STANDARD or FUSA",
                    format!("`{other}`"),
                ));
            }
            None if profile.is_fusa() => Header::Fusa,
            None => Header::Standard,
        };
        let columns = self
            .whole("columns_per_packet", 1..=MAX_COLUMNS)?
            .unwrap_or(USUAL_COLUMNS);
        Format::new(profile, header, rows, columns as usize).ok_or_else(|| {
            let expected = "columns that fit into a datagram";
            Wrong::new("columns_per_packet", expected, format!("{columns}"))
        })
    }
}

/// Columns and rate of `lidar_mode`, as `1024x10`.
fn mode(said: &Said<'_>) -> Result<(Option<u64>, Option<f64>), Wrong> {
    let Some(mode) = said.text("lidar_mode") else {
        return Ok((None, None));
    };
    let wrong = || Wrong::new("lidar_mode", "columns and rate, as 1024x10", format!("`{mode}`"));
    let (columns, rate) = mode.split_once('x').ok_or_else(wrong)?;
    let columns = columns
        .parse()
        .ok()
        .filter(|columns| (1..=MAX_COLUMNS).contains(columns));
    let rate = rate.parse().ok().filter(|rate| (0.1..=1000.0).contains(rate));
    match (columns, rate) {
        (Some(columns), Some(rate)) => Ok((Some(columns), Some(rate))),
        _ => Err(wrong()),
    }
}

fn time_mode(word: &str) -> Option<TimeMode> {
    match word {
        "TIME_FROM_INTERNAL_OSC" => Some(TimeMode::Internal),
        "TIME_FROM_SYNC_PULSE_IN" => Some(TimeMode::SyncPulse),
        "TIME_FROM_PTP_1588" => Some(TimeMode::Ptp),
        _ => None,
    }
}

/// Where beams start, in mm from the lidar's origin, of sensors that do not say it.
fn usual_offset_mm(product: &str) -> f64 {
    match product {
        line if line.starts_with("OS-0-") => 27.67,
        line if line.starts_with("OS-1-") => 15.806,
        line if line.starts_with("OS-2-") => 13.762,
        _ => 12.163,
    }
}

/// The lidar looks back along the sensor's x, 36.18 mm above its origin.
fn usual_sensor_from_lidar() -> Matrix4<f64> {
    let mut matrix = Matrix4::from_diagonal(&nalgebra::Vector4::new(-1.0, -1.0, 1.0, 1.0));
    matrix[(2, 3)] = 36.18;
    matrix
}

/// A value, short enough for a message.
fn short(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
