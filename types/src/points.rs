//! The columns of a frame: points, and returns whose elevation is not resolved.

use crate::error::Error;
use crate::space::{Body, Point};

/// What a point was seen through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Medium {
    /// Air.
    Air = 0,
    /// Water.
    Water = 1,
}

/// Words with their numbers, `0 air, 1 water`, as files explain them.
fn numbered<const N: usize>(words: [&str; N]) -> String {
    let numbered: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(i, word)| format!("{i} {word}"))
        .collect();
    numbered.join(", ")
}

impl Medium {
    /// Every medium's number and word, as files explain them: `0 air, 1 water`.
    pub fn numbered() -> String {
        numbered(Self::ALL.map(Self::name))
    }

    /// Every medium, in order of its number.
    pub const ALL: [Medium; 2] = [Medium::Air, Medium::Water];

    /// The word used in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Medium::Air => "air",
            Medium::Water => "water",
        }
    }
}

/// What a point is taken to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Label {
    /// Not decided.
    Unknown = 0,
    /// Something built.
    Structure = 1,
    /// The bottom.
    Bed = 2,
    /// The water surface.
    Surface = 3,
    /// A reflection in the water of something above it.
    Mirror = 4,
    /// An echo that took a detour.
    Multipath = 5,
    /// Something in the water.
    Volume = 6,
    /// Something that moves.
    Moving = 7,
    /// Not measured: carried across a strip nobody saw.
    Bridged = 8,
}

impl Label {
    /// Every label's number and word, as files explain them: `0 unknown, 1 structure, …`.
    pub fn numbered() -> String {
        numbered(Self::ALL.map(Self::name))
    }

    /// Every label, in order of its number.
    pub const ALL: [Label; 9] = [
        Label::Unknown,
        Label::Structure,
        Label::Bed,
        Label::Surface,
        Label::Mirror,
        Label::Multipath,
        Label::Volume,
        Label::Moving,
        Label::Bridged,
    ];

    /// The word used in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Label::Unknown => "unknown",
            Label::Structure => "structure",
            Label::Bed => "bed",
            Label::Surface => "surface",
            Label::Mirror => "mirror",
            Label::Multipath => "multipath",
            Label::Volume => "volume",
            Label::Moving => "moving",
            Label::Bridged => "bridged",
        }
    }
}

/// Points as columns, all of the same length, in `Body` at the window's end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointTable {
    /// Metres forward.
    pub x: Vec<f32>,
    /// Metres to port.
    pub y: Vec<f32>,
    /// Metres up.
    pub z: Vec<f32>,
    /// When it was measured, in nanoseconds against the window's end: zero or negative.
    pub offset_nanos: Vec<i32>,
    /// Place of the sensor in the rig's list.
    pub sensor: Vec<u16>,
    /// What it was seen through.
    pub medium: Vec<Medium>,
    /// Lidar: intensity in the device's unit. Sonar: echo level in dB.
    pub level: Vec<f32>,
    /// Signal to noise in dB, where the sensor's chain measures it.
    pub snr_db: Vec<Option<f32>>,
    /// One sigma of the random error along the beam, in metres.
    pub sigma_range_m: Vec<f32>,
    /// One sigma along the sensor's x projected across the beam, in metres.
    pub sigma_along_m: Vec<f32>,
    /// One sigma along the third axis, in metres.
    pub sigma_across_m: Vec<f32>,
    /// What it is taken to be.
    pub label: Vec<Label>,
    /// Sequence number of the measurement it comes from.
    pub source_seq: Vec<u64>,
    /// Its place there: index of the lidar point, or of the sonar beam.
    pub source_index: Vec<u32>,
}

impl PointTable {
    /// Number of points.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Position of point `i` in `Body`.
    ///
    /// # Panics
    /// If `i` is not below the number of points.
    pub fn position(&self, i: usize) -> Point<Body> {
        Point::new(f64::from(self.x[i]), f64::from(self.y[i]), f64::from(self.z[i]))
    }

    /// Checks that every column has the same length, and that positions and sigmas are finite.
    ///
    /// # Errors
    /// [`Error::ColumnLength`] or [`Error::NotFinite`] at the first that is wrong.
    pub fn check(&self) -> Result<(), Error> {
        let expected = self.len();
        for (column, found) in [
            ("y", self.y.len()),
            ("z", self.z.len()),
            ("offset_nanos", self.offset_nanos.len()),
            ("sensor", self.sensor.len()),
            ("medium", self.medium.len()),
            ("level", self.level.len()),
            ("snr_db", self.snr_db.len()),
            ("sigma_range_m", self.sigma_range_m.len()),
            ("sigma_along_m", self.sigma_along_m.len()),
            ("sigma_across_m", self.sigma_across_m.len()),
            ("label", self.label.len()),
            ("source_seq", self.source_seq.len()),
            ("source_index", self.source_index.len()),
        ] {
            if found != expected {
                return Err(Error::ColumnLength {
                    column,
                    found,
                    expected,
                });
            }
        }
        for (what, values) in [
            ("x", &self.x),
            ("y", &self.y),
            ("z", &self.z),
            ("level", &self.level),
            ("sigma_range_m", &self.sigma_range_m),
            ("sigma_along_m", &self.sigma_along_m),
            ("sigma_across_m", &self.sigma_across_m),
        ] {
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(Error::NotFinite { what, index });
            }
        }
        Ok(())
    }
}

/// Returns whose elevation is not resolved, as columns of the same length, in `Body` at the
/// window's end. Each lies somewhere on a circle segment: around `origin`, at `range_m`, within
/// `half_angle_rad` of `direction`, in the plane of `direction` and `plane`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArcTable {
    /// Where the sensor was, metres: one column per axis.
    pub origin: [Vec<f32>; 3],
    /// Unit vector along the beam's axis.
    pub direction: [Vec<f32>; 3],
    /// Unit vector across the beam in the plane of the unresolved angle.
    pub plane: [Vec<f32>; 3],
    /// Distance from the origin, metres.
    pub range_m: Vec<f32>,
    /// Half of the unresolved angle, rad.
    pub half_angle_rad: Vec<f32>,
    /// When it was measured, in nanoseconds against the window's end.
    pub offset_nanos: Vec<i32>,
    /// Place of the sensor in the rig's list.
    pub sensor: Vec<u16>,
    /// Echo level in dB.
    pub level: Vec<f32>,
    /// Signal to noise in dB, where the sensor's chain measures it.
    pub snr_db: Vec<Option<f32>>,
    /// One sigma of the range, metres.
    pub sigma_range_m: Vec<f32>,
    /// One sigma out of the arc's plane, metres.
    pub sigma_across_m: Vec<f32>,
    /// What it is taken to be.
    pub label: Vec<Label>,
    /// Sequence number of the ping it comes from.
    pub source_seq: Vec<u64>,
    /// Index of the beam.
    pub source_index: Vec<u32>,
}

impl ArcTable {
    /// Number of arcs.
    pub fn len(&self) -> usize {
        self.range_m.len()
    }

    /// Whether there is no arc.
    pub fn is_empty(&self) -> bool {
        self.range_m.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_a_short_column_or_a_stray_number_is_refused() {
        let mut points = PointTable {
            x: vec![1.0],
            y: vec![2.0],
            z: vec![3.0],
            offset_nanos: vec![0],
            sensor: vec![0],
            medium: vec![Medium::Water],
            level: vec![0.0],
            snr_db: vec![None],
            sigma_range_m: vec![0.01],
            sigma_along_m: vec![0.1],
            sigma_across_m: vec![0.2],
            label: vec![Label::Unknown],
            source_seq: vec![0],
            source_index: vec![0],
        };
        assert!(points.check().is_ok());
        points.sigma_along_m[0] = f32::NAN;
        assert_eq!(
            points.check(),
            Err(Error::NotFinite {
                what: "sigma_along_m",
                index: 0
            })
        );
        points.label.clear();
        assert!(matches!(
            points.check(),
            Err(Error::ColumnLength { column: "label", .. })
        ));
    }
}
