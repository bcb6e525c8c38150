//! Messages as a driver would write them, byte by byte.

use beluga_types::elementary::{cos, sin};

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Little,
    Big,
    Ros1,
}

/// A message while it is written.
pub(crate) struct Writer {
    form: Form,
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(form: Form) -> Self {
        let bytes = match form {
            Form::Little => vec![0, 1, 0, 0],
            Form::Big => vec![0, 0, 0, 0],
            Form::Ros1 => Vec::new(),
        };
        Self { form, bytes }
    }

    fn put<const N: usize>(&mut self, little: [u8; N]) {
        if self.form != Form::Ros1 {
            while !(self.bytes.len() - 4).is_multiple_of(N) {
                self.bytes.push(0);
            }
        }
        let mut bytes = little;
        if self.form == Form::Big {
            bytes.reverse();
        }
        self.bytes.extend(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.put([value]);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.put(value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.put(value.to_le_bytes());
    }

    pub(crate) fn f64s(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.put(value.to_le_bytes()));
    }

    pub(crate) fn text(&mut self, text: &str) {
        let zero = usize::from(self.form != Form::Ros1);
        self.u32((text.len() + zero) as u32);
        self.bytes.extend(text.as_bytes());
        self.bytes.extend(vec![0; zero]);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    pub(crate) fn header(&mut self, nanos: i64, frame: &str) {
        if self.form == Form::Ros1 {
            self.u32(77);
        }
        self.u32((nanos / 1_000_000_000) as u32);
        self.u32((nanos % 1_000_000_000) as u32);
        self.text(frame);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// A cloud of x, y, z, intensity (f32), ring (u16) and t (u32, ns), of so many points: the point i
/// is at (i + 1, step, 2), 1 ms after the one before.
pub(crate) fn cloud(form: Form, stamp: i64, points: usize, step: f32) -> Vec<u8> {
    let mut writer = Writer::new(form);
    writer.header(stamp, "os_lidar");
    writer.u32(1);
    writer.u32(points as u32);
    writer.u32(6);
    for (name, offset, code) in [
        ("x", 0, 7),
        ("y", 4, 7),
        ("z", 8, 7),
        ("intensity", 16, 7),
        ("t", 20, 6),
        ("ring", 24, 4),
    ] {
        writer.text(name);
        writer.u32(offset);
        writer.u8(code);
        writer.u32(1);
    }
    writer.u8(0);
    writer.u32(32);
    writer.u32(32 * points as u32);
    writer.u32(32 * points as u32);
    for i in 0..points {
        let mut point = [0xee; 32];
        for (at, value) in [(0, i as f32 + 1.0), (4, step), (8, 2.0), (16, 5.0)] {
            point[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        point[20..24].copy_from_slice(&(i as u32 * 1_000_000).to_le_bytes());
        point[24..26].copy_from_slice(&(i as u16 % 4).to_le_bytes());
        writer.raw(&point);
    }
    writer.u8(1);
    writer.finish()
}

pub(crate) fn imu(form: Form, stamp: i64, rate: f64) -> Vec<u8> {
    let mut writer = Writer::new(form);
    writer.header(stamp, "imu");
    writer.f64s(&[0.0, 0.0, 0.0, 1.0]);
    writer.f64s(&[-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    writer.f64s(&[rate, 0.2, 0.3]);
    writer.f64s(&[0.0; 9]);
    writer.f64s(&[0.0, 0.1, 9.81]);
    writer.f64s(&[0.0; 9]);
    writer.finish()
}

pub(crate) fn fix(form: Form, stamp: i64, status: i8, latitude: f64) -> Vec<u8> {
    let mut writer = Writer::new(form);
    writer.header(stamp, "gps");
    writer.u8(status as u8);
    writer.u16(1);
    writer.f64s(&[latitude, 12.0, 40.0]);
    writer.f64s(&[1.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 9.0]);
    writer.u8(2);
    writer.finish()
}

/// How a space sits in another: metres, and a turn about z in degrees to the left.
pub(crate) fn sits(form: Form, told: &[(&str, &str, [f64; 3], f64)]) -> Vec<u8> {
    let mut writer = Writer::new(form);
    writer.u32(told.len() as u32);
    for (parent, child, place, left_deg) in told {
        writer.header(0, parent);
        writer.text(child);
        writer.f64s(place);
        let half = left_deg.to_radians() / 2.0;
        writer.f64s(&[0.0, 0.0, sin(half), cos(half)]);
    }
    writer.finish()
}

/// A pose that looks north (a quarter turn to the left from east), with the variances 1 to 6.
pub(crate) fn odometry(form: Form, stamp: i64, x: f64) -> Vec<u8> {
    let mut writer = Writer::new(form);
    let half = std::f64::consts::FRAC_PI_4;
    writer.header(stamp, "odom");
    writer.text("base_link");
    writer.f64s(&[x, 20.0, -3.0]);
    writer.f64s(&[0.0, 0.0, sin(half), cos(half)]);
    let mut covariance = [0.0; 36];
    (0..6).for_each(|i| covariance[7 * i] = (i + 1) as f64);
    writer.f64s(&covariance);
    writer.f64s(&[0.0; 6]);
    writer.f64s(&[0.0; 36]);
    writer.finish()
}
