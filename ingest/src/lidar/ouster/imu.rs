//! IMU packets → samples.

use beluga_types::{Direction, ImuSample, Payload, Sensor};
use nalgebra::{Matrix3, Vector3};

use super::clock::Clock;
use super::metadata::Metadata;
use super::packet::Imu;
use crate::capture::Datagram;
use crate::lidar::{Device, Made, Measured, PacketCounts};

/// Standard gravity, in m/s² (CGPM 1901).
const STANDARD_GRAVITY: f64 = 9.806_65;

/// The samples of a sensor's IMU, turned into the sensor's axes.
pub(super) struct Samples {
    clock: Clock,
    sensor_from_imu: Matrix3<f64>,
    packets: PacketCounts,
}

impl Samples {
    pub(super) fn new(metadata: Option<Metadata>, clock: Clock) -> Self {
        let sensor_from_imu = metadata.map_or_else(Matrix3::identity, |metadata| {
            metadata.sensor_from_imu.fixed_view::<3, 3>(0, 0).into_owned()
        });
        Self {
            clock,
            sensor_from_imu,
            packets: PacketCounts::default(),
        }
    }

    fn axes(&self, values: [f32; 3], unit: f64) -> Option<Direction<Sensor>> {
        let [x, y, z] = values.map(|value| f64::from(value) * unit);
        let turned = self.sensor_from_imu * Vector3::new(x, y, z);
        (turned.iter().all(|value| value.is_finite())).then(|| Direction::new(turned.x, turned.y, turned.z))
    }
}

impl Device for Samples {
    fn push(&mut self, datagram: &Datagram, made: &mut Made) {
        let Some(imu) = Imu::read(&datagram.payload) else {
            self.packets.foreign += 1;
            return;
        };
        let rate = self.axes(imu.rotation_deg_per_s, 1_f64.to_radians());
        let force = self.axes(imu.acceleration_g, STANDARD_GRAVITY);
        let (Some(stamp), Some(rate), Some(force)) = (self.clock.stamp(imu.rotation_nanos), rate, force)
        else {
            self.packets.corrupt += 1;
            return;
        };
        made.give(Measured {
            seq: None,
            stamp,
            end: stamp,
            received: datagram.received,
            payload: Payload::Imu(ImuSample {
                rate_rad_per_s: rate,
                specific_force_m_per_s2: force,
            }),
            completeness: None,
            packets: std::mem::take(&mut self.packets),
        });
    }

    fn finish(&mut self, _: &mut Made) -> PacketCounts {
        std::mem::take(&mut self.packets)
    }
}
