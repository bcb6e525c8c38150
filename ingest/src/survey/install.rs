//! What is installed where, as a file's installation datagram says it.

use std::collections::BTreeMap;

use beluga_types::{Body, Mount, Point, PoseFix, Transform, World};
use nalgebra::UnitQuaternion;

use super::head::{Array, Head};

/// Arrays and sensors of a vessel, from its reference point.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Installation {
    /// By number, from 1.
    pub(crate) transmitters: BTreeMap<u8, Array>,
    pub(crate) receivers: BTreeMap<u8, Array>,
    /// Attitude sensors, by number from 1.
    pub(crate) attitudes: BTreeMap<u8, Mount>,
    /// Position sensors, by number from 1.
    pub(crate) positions: BTreeMap<u8, Mount>,
    /// Delays of sensors that are stated and not nought, by name: as the text has them.
    pub(crate) delays: BTreeMap<String, String>,
    /// Height of the waterline above the reference point, in metres.
    pub(crate) waterline_m: Option<f64>,
}

impl Installation {
    /// The head that a transmitter and a receiver make, by their numbers from 1; what is not
    /// installed, or makes no head, stands at the reference point.
    pub(crate) fn head(&self, transmitter: u8, receiver: u8) -> Head {
        let (sent, heard) = (self.transmitters.get(&transmitter), self.receivers.get(&receiver));
        match (sent, heard) {
            (Some(sent), Some(heard)) => {
                Head::of(sent, heard).unwrap_or_else(|| Head::single(Mount::default()))
            }
            (Some(only), None) | (None, Some(only)) => Head::single(only.mount),
            (None, None) => Head::single(Mount::default()),
        }
    }

    /// Whether both arrays of a head are installed.
    pub(crate) fn has(&self, transmitter: u8, receiver: u8) -> bool {
        self.transmitters.contains_key(&transmitter) && self.receivers.contains_key(&receiver)
    }
}

/// The attitude of the vessel of what a sensor that is turned on it says.
pub(crate) fn vessel_attitude(sensor: &UnitQuaternion<f64>, mount: &Mount) -> UnitQuaternion<f64> {
    sensor * mount.attitude.rotation().inverse()
}

/// The pose of the vessel's reference point, of one where the sensor is: its place and how the
/// vessel is turned are given.
pub(crate) fn at_reference(
    world_from_body: &Transform<World, Body>,
    mount: &Mount,
) -> Transform<World, Body> {
    let lever = mount.body_from_sensor().translation();
    let reference = *world_from_body * Point::<Body>::from_vector(-lever);
    Transform::new(world_from_body.rotation(), reference.vector())
}

/// Moves a pose's place to the vessel's reference point.
pub(crate) fn moved_to_reference(fix: PoseFix, mount: &Mount) -> PoseFix {
    PoseFix {
        world_from_body: at_reference(&fix.world_from_body, mount),
        ..fix
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::Attitude;
    use nalgebra::Vector3;

    use super::*;
    use beluga_types::elementary::sin;

    #[test]
    fn a_sensor_that_is_turned_and_away_tells_of_the_reference_point() {
        let mount = Mount {
            forward_m: 2.0,
            starboard_m: 1.0,
            down_m: -3.0,
            attitude: Attitude::from_degrees([0.0, 0.0, 10.0]),
        };
        // The vessel heads north; the sensor is turned by ten degrees on it and says so.
        let said = Attitude::from_degrees([0.0, 0.0, 10.0]).east_north_up_from_body();
        let vessel = vessel_attitude(&said, &mount);
        let attitude = Attitude::from_east_north_up_from_body(&vessel);
        assert!(sin(attitude.heading_rad).abs() < 1e-12);
        let there = Transform::<World, Body>::new(vessel, Vector3::new(5.0, 6.0, 7.0));
        // North of, east of and above the reference point.
        let here = at_reference(&there, &mount).translation();
        assert!((here - Vector3::new(4.0, 4.0, 4.0)).norm() < 1e-9, "{here}");
    }
}
