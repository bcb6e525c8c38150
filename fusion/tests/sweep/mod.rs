//! A lidar that turns ten times a second, alone on a vessel that floats, before whatever a test puts there.

use beluga_fusion::{Config, Fuser};
use beluga_types::elementary::{cos, sin, sin_cos};
use beluga_types::{
    Body, LidarScan, Measurement, Payload, Rig, SensorId, SensorKind, SensorSpec, SolidarFrame, Stamp,
    Transform, Vessel, Water, World,
};
use nalgebra::Vector3;

const RANGE_SIGMA_M: f64 = 0.01;

/// The lidar, where it goes, and what it meets.
pub(crate) struct Sweep {
    /// Its lasers' elevations: the lowest, and from one to the next, in degrees.
    pub(crate) elevations_deg: (f64, f64),
    pub(crate) rings: u64,
    pub(crate) columns: u64,
    /// Its azimuths in rad: the first, and how far it looks round.
    pub(crate) azimuths_rad: (f64, f64),
    pub(crate) pose_at: fn(Stamp) -> Transform<World, Body>,
    /// Range along a ray from a place, if it comes back.
    pub(crate) range_m: fn(&Vector3<f64>, &Vector3<f64>) -> Option<f64>,
}

/// Uniform in [0, 1): splitmix64 by position.
fn uniform(counter: u64) -> f64 {
    let mut bits = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// When a scan ends.
pub(crate) fn end_of(seq: u64) -> Stamp {
    Stamp::from_nanos(1_700_000_000_000_000_000 + 100_000_000 * seq as i64)
}

impl Sweep {
    fn scan(&self, seed: u64, seq: u64) -> Measurement {
        let (end, period) = (end_of(seq), 100_000_000i64);
        let mut columns = [Vec::new(), Vec::new(), Vec::new()];
        let mut offsets = Vec::new();
        for column in 0..self.columns {
            let part = column as f64 / self.columns as f64;
            let offset = (part * period as f64) as i64;
            let pose = (self.pose_at)(end.shifted_nanos(offset - period));
            let azimuth = self.azimuths_rad.0 + part * self.azimuths_rad.1;
            for ring in 0..self.rings {
                let (lowest, step) = self.elevations_deg;
                let (up, level) = sin_cos((lowest + step * ring as f64).to_radians());
                let in_body = Vector3::new(level * cos(azimuth), level * sin(azimuth), up);
                let ray = pose.rotation() * in_body;
                let Some(range) = (self.range_m)(&pose.translation(), &ray) else {
                    continue;
                };
                let number = ((seed * 1_000 + seq) * self.columns + column) * self.rings + ring;
                let noise = (0..4).map(|i| uniform(4 * number + i)).sum::<f64>() - 2.0;
                let noisy = range + RANGE_SIGMA_M * 3f64.sqrt() * noise;
                for (axis, values) in columns.iter_mut().enumerate() {
                    values.push((in_body[axis] * noisy) as f32);
                }
                offsets.push(offset as i32);
            }
        }
        let [x, y, z] = columns;
        let scan = LidarScan::new(x, y, z)
            .unwrap()
            .with_offset_nanos(offsets)
            .unwrap();
        Measurement {
            seq,
            sensor: SensorId(0),
            stamp: end.shifted_nanos(-period),
            end,
            received: end,
            payload: Payload::Lidar(scan.into()),
        }
    }

    fn fuse(&self, seed: u64, scans: u64) -> Vec<SolidarFrame> {
        let mut lidar = SensorSpec::new("lidar", SensorKind::Lidar);
        lidar.reference = true;
        let rig = Rig {
            origin: None,
            vessel: Vessel {
                waterline_m: Some(0.0),
            },
            water: Water::Unknown,
            sensors: vec![lidar],
        };
        let mut fuser = Fuser::new(Config::default(), rig).unwrap();
        let scans = (0..scans).map(|seq| self.scan(seed, seq));
        let mut frames: Vec<SolidarFrame> = scans.flat_map(|scan| fuser.push(scan)).collect();
        frames.extend(fuser.finish());
        frames
    }

    /// No pose of a run is farther off along an axis (as in a pose's covariance) than 2.5 of what is stated.
    pub(crate) fn is_honest(&self, seed: u64, scans: u64, axis: usize) {
        let frames = self.fuse(seed, scans);
        let shift = (self.pose_at)(frames[0].window.end) * frames[0].world_from_body.inverse();
        for frame in &frames {
            let truth = (self.pose_at)(frame.window.end);
            let error = (shift * frame.world_from_body).perturbation_to(&truth);
            let (off, sigma) = (error[axis].abs(), frame.pose_covariance[(axis, axis)].sqrt());
            assert!(
                off < 2.5 * sigma,
                "seed {seed}, frame {}: {off:.3} off along axis {axis}, stated sigma {sigma:.3}",
                frame.index
            );
        }
    }
}
