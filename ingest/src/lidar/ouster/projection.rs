//! From ranges to coordinates in the sensor's axes: x forward (away from the connector), y left, z up.
//!
//! The sensor's manual, section on coordinates ("lidar range to XYZ"), with the beams' origin as in
//! Ouster's public SDK 1.0 (`ouster_core/src/xyzlut.cpp`, BSD-3): for column m of W, θ = 2π(1 − m/W),
//! α the row's azimuth (clockwise, so its sign turns), φ its altitude, r the range, b the vector
//! from the beams' origin to the lidar's and n its length,
//!
//! ```text
//! x = (r − n) cos(θ − α) cos φ + b_x cos θ
//! y = (r − n) sin(θ − α) cos φ + b_x sin θ
//! z = (r − n) sin φ + b_z
//! ```
//!
//! and then `lidar_to_sensor_transform`. Computed in double precision, given in single, in metres.

use beluga_types::elementary::{cos, hypot, sin};
use nalgebra::{Matrix3, Vector3};

use super::metadata::Metadata;

/// The directions of a sensor's beams.
#[derive(Clone, Debug)]
pub struct Projection {
    /// Of each row, at θ = 0: x, y, z of the beam.
    rows: Vec<Vector3<f64>>,
    /// Of each column: cos θ and sin θ.
    columns: Vec<[f64; 2]>,
    /// From the origin of the beams to the lidar's along x and z, and as the crow flies, in mm.
    beam_mm: [f64; 3],
    rotation: Matrix3<f64>,
    translation_mm: Vector3<f64>,
}

/// One column's beams.
#[derive(Clone, Copy, Debug)]
pub struct ColumnBeams<'a> {
    rows: &'a [Vector3<f64>],
    /// What turns a row's beam at θ = 0 into the sensor's axes.
    turn: Matrix3<f64>,
    /// Where the beams of this column start, in the sensor's axes, in mm.
    start_mm: Vector3<f64>,
    length_mm: f64,
}

impl Projection {
    /// The beams of a sensor.
    pub fn new(metadata: &Metadata) -> Self {
        let degrees = metadata.altitude_deg.iter().zip(&metadata.azimuth_deg);
        let rows = degrees
            .map(|(altitude, azimuth)| {
                let (phi, alpha) = (altitude.to_radians(), -azimuth.to_radians());
                Vector3::new(cos(alpha) * cos(phi), sin(alpha) * cos(phi), sin(phi))
            })
            .collect();
        let columns = (0..metadata.columns)
            .map(|column| {
                let theta = std::f64::consts::TAU * (1.0 - column as f64 / metadata.columns as f64);
                [cos(theta), sin(theta)]
            })
            .collect();
        let beam = &metadata.lidar_from_beam;
        let (along, up) = (beam[(0, 3)], beam[(2, 3)]);
        // The length keeps the sign of x where there is no z, as published.
        let length = if up == 0.0 { along } else { hypot(along, up) };
        Self {
            rows,
            columns,
            beam_mm: [along, up, length],
            rotation: metadata.sensor_from_lidar.fixed_view::<3, 3>(0, 0).into_owned(),
            translation_mm: metadata.sensor_from_lidar.fixed_view::<3, 1>(0, 3).into_owned(),
        }
    }

    /// The beams of a column, nothing if there is no such column.
    pub fn column(&self, column: usize) -> Option<ColumnBeams<'_>> {
        let &[cos, sin] = self.columns.get(column)?;
        let encoder = Matrix3::new(cos, -sin, 0.0, sin, cos, 0.0, 0.0, 0.0, 1.0);
        let [along, up, length_mm] = self.beam_mm;
        Some(ColumnBeams {
            rows: &self.rows,
            turn: self.rotation * encoder,
            start_mm: self.rotation * Vector3::new(along * cos, along * sin, up) + self.translation_mm,
            length_mm,
        })
    }
}

impl ColumnBeams<'_> {
    /// The point at a range along a row's beam, in metres; nothing if there is no such row.
    #[inline]
    pub fn point(&self, row: usize, range_mm: u32) -> Option<[f32; 3]> {
        let beam = self.rows.get(row)?;
        let along = f64::from(range_mm) - self.length_mm;
        let point = self.turn * beam * along + self.start_mm;
        Some([point.x, point.y, point.z].map(|mm| (mm * 1e-3) as f32))
    }
}
