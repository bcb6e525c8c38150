//! The data packet: bytes → fields.
//!
//! Little-endian: `u8` version 0, `u16` length, `u16` time from first to last sample (0.1 µs), `u16`
//! samples, `u16` number, `u8` frame, `u8` kind, `u8` kind of time, 12 bytes, `u32` CRC-32 of what
//! follows (0 where there is none), `u64` ns of the first sample; then the samples. Sources: Livox
//! LiDAR Communication Protocol Mid-360, v1.4, section 1.2.1.3; Livox-SDK2 1.4,
//! `include/livox_lidar_def.h`; what a Mid-360 really sends, as measured in livox-mid360-core,
//! `tests/fixtures/README.md`.

use beluga_types::elementary::sin_cos;

/// Bytes before the samples.
pub const HEAD: usize = 36;
/// Where the CRC begins to count.
const CHECKED: usize = 28;

/// What a packet's samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rotation rate (rad/s) and specific force (g), six `f32`.
    Imu,
    /// Coordinates in mm, three `i32`.
    Millimetres,
    /// Coordinates in cm, three `i16`.
    Centimetres,
    /// Distance in mm, `u32`, angle from the z axis and azimuth in 0.01°, two `u16`.
    Spherical,
}

/// What the sensor's clock follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    /// Nothing: it counts from power-on.
    None,
    /// PTP (IEEE 1588) or gPTP.
    Ptp,
    /// A pulse and the sentence of a GNSS receiver.
    Gps,
    /// What the protocol does not name.
    Other(u8),
}

/// A data packet whose length is that of its samples.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    kind: Kind,
}

/// One return, in metres, and how strong it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Return {
    /// x ahead, y left, z up; (0, 0, 0) is no return.
    pub point_m: [f32; 3],
    /// 0–255.
    pub reflectivity: u8,
}

impl Kind {
    /// Bytes of a sample.
    pub const fn bytes(self) -> usize {
        match self {
            Kind::Imu => 24,
            Kind::Millimetres => 14,
            Kind::Centimetres => 8,
            Kind::Spherical => 10,
        }
    }
}

impl<'a> Packet<'a> {
    /// The fields of these bytes.
    ///
    /// # Errors
    /// What is wrong with them: length, version, a kind that is not read (by name), check sum.
    pub fn new(bytes: &'a [u8]) -> Result<Self, String> {
        if bytes.len() < HEAD {
            return Err(format!(
                "expected {HEAD} bytes and samples, found {}",
                bytes.len()
            ));
        }
        if bytes[0] != 0 {
            return Err(format!("expected version 0, found {}", bytes[0]));
        }
        let kind = match bytes[10] {
            0 => Kind::Imu,
            1 => Kind::Millimetres,
            2 => Kind::Centimetres,
            3 => Kind::Spherical,
            0x11 => {
                return Err("expected data type 0 to 3, found 0x11 (double echo), which is not read".into());
            }
            found => return Err(format!("expected data type 0 to 3, found {found:#04x}")),
        };
        let packet = Self { bytes, kind };
        let length = HEAD + kind.bytes() * packet.samples();
        if bytes.len() != length || packet.samples() == 0 {
            return Err(format!(
                "expected {length} bytes of {} samples, found {}",
                packet.samples(),
                bytes.len()
            ));
        }
        let told = packet.u32_at(24);
        if told != 0 && told != crc32fast::hash(&bytes[CHECKED..]) {
            return Err(format!("expected a CRC-32 of {told:#010x}, found another"));
        }
        Ok(packet)
    }

    /// What its samples are.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many samples.
    pub fn samples(&self) -> usize {
        usize::from(self.u16_at(5))
    }

    /// The packet's number, which begins anew behind 65535.
    pub fn number(&self) -> u16 {
        self.u16_at(7)
    }

    /// What its clock follows.
    pub fn time_source(&self) -> TimeSource {
        match self.bytes[11] {
            0 => TimeSource::None,
            1 => TimeSource::Ptp,
            2 => TimeSource::Gps,
            other => TimeSource::Other(other),
        }
    }

    /// Time of the first sample, in ns.
    pub fn nanos(&self) -> u64 {
        self.bytes[28..36].try_into().map_or(0, u64::from_le_bytes)
    }

    /// Time of a sample behind the first, in ns.
    pub fn offset_nanos(&self, sample: usize) -> i64 {
        let steps = self.samples().saturating_sub(1).max(1) as i64;
        i64::from(self.u16_at(3)) * 100 * sample as i64 / steps
    }

    /// A return; (0, 0, 0) where there is none. Not for the IMU's samples.
    pub fn at(&self, sample: usize) -> Return {
        let at = HEAD + sample * self.kind.bytes();
        let (point_m, strength) = match self.kind {
            Kind::Imu => ([0.0; 3], at),
            Kind::Millimetres => {
                let axis = |axis: usize| self.u32_at(at + 4 * axis).cast_signed() as f32 * 1e-3;
                ([axis(0), axis(1), axis(2)], at + 12)
            }
            Kind::Centimetres => {
                let axis = |axis: usize| f32::from(self.u16_at(at + 2 * axis).cast_signed()) * 1e-2;
                ([axis(0), axis(1), axis(2)], at + 6)
            }
            Kind::Spherical => {
                let angle = |at: usize| sin_cos((f64::from(self.u16_at(at)) * 1e-2).to_radians());
                let distance_m = f64::from(self.u32_at(at)) * 1e-3;
                let (from_z, azimuth) = (angle(at + 4), angle(at + 6));
                let flat = distance_m * from_z.0;
                let point = [flat * azimuth.1, flat * azimuth.0, distance_m * from_z.1];
                (point.map(|axis| axis as f32), at + 8)
            }
        };
        Return {
            point_m,
            reflectivity: self.bytes[strength],
        }
    }

    /// Rotation rate in rad/s and specific force in g; nothing if this is no IMU's packet.
    pub fn imu(&self) -> Option<[[f32; 3]; 2]> {
        let float = |place: usize| f32::from_bits(self.u32_at(HEAD + 4 * place));
        let triple = |first: usize| [float(first), float(first + 1), float(first + 2)];
        (self.kind == Kind::Imu).then(|| [triple(0), triple(3)])
    }

    fn u16_at(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn u32_at(&self, at: usize) -> u32 {
        self.bytes[at..at + 4].try_into().map_or(0, u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::packet;
    use super::*;

    #[test]
    fn each_kind_has_the_length_that_a_mid_360_sends() {
        for (kind, length) in [(1, 1380), (2, 804), (3, 996)] {
            let bytes = packet(kind, 7, 1_000, 96, |_| ([1, 2, 3], 9));
            assert_eq!(bytes.len(), length);
            let read = Packet::new(&bytes).unwrap();
            assert_eq!((read.samples(), read.number(), read.nanos()), (96, 7, 1_000));
            assert_eq!(read.offset_nanos(95), 475_000);
        }
    }

    #[test]
    fn axes_x_ahead_y_left_z_up_in_metres() {
        let of = |kind: u8, values: [i32; 3]| {
            let bytes = packet(kind, 0, 0, 2, |_| (values, 200));
            Packet::new(&bytes).unwrap().at(1)
        };
        let found = of(1, [1500, -2500, 3]);
        let close = |found: [f32; 3], expected: [f32; 3]| {
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        };
        close(found.point_m, [1.5, -2.5, 0.003]);
        assert_eq!(found.reflectivity, 200);
        close(of(2, [150, -250, 1]).point_m, [1.5, -2.5, 0.01]);
        // 10 m, 90° from the z axis: azimuth 0 is ahead, 90° to the left.
        close(of(3, [10_000, 9_000, 0]).point_m, [10.0, 0.0, 0.0]);
        close(of(3, [10_000, 9_000, 9_000]).point_m, [0.0, 10.0, 0.0]);
        close(of(3, [10_000, 0, 0]).point_m, [0.0, 0.0, 10.0]);
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        let bytes = packet(1, 0, 0, 96, |_| ([1, 2, 3], 9));
        for cut in 0..bytes.len() {
            assert!(Packet::new(&bytes[..cut]).is_err(), "{cut}");
        }
        let with = |place: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[place] = value;
            Packet::new(&bytes).map(|_| ()).unwrap_err()
        };
        assert_eq!(with(0, 5), "expected version 0, found 5");
        assert!(with(10, 0x11).contains("double echo"));
        assert!(with(24, 1).starts_with("expected a CRC-32"));
        assert_eq!(with(5, 95), "expected 1366 bytes of 95 samples, found 1380");
    }
}
