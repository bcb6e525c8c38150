//! A transmitting and a receiving array as one head.
//!
//! A survey multibeam has two line arrays a hand's breadth or more apart, each turned by itself on the
//! hull. A ping of ours is seen from one point with one set of axes: midway between both arrays, with
//! the axes of the receiver. Angles and times of the device are taken there, exactly for straight
//! rays; bending acts on the decimetres between the arrays only.

use beluga_types::elementary::{asin, atan2, sin};
use beluga_types::{Body, Mount, Sensor, Transform};
use nalgebra::Vector3;

/// Arrays farther apart than this are not one head, in metres.
const FARTHEST_M: f64 = 100.0;

/// An array as installed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Array {
    pub(crate) mount: Mount,
    /// Centres of its parts (port, centre, starboard), from its own, in its own axes: forward,
    /// starboard, down, in metres.
    pub(crate) parts_m: [[f64; 3]; 3],
}

/// Both arrays of a head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head {
    /// Where the head sits: what a rig says of it.
    pub(crate) mount: Mount,
    /// The transmitter's x axis, along which its elements lie, in the head's axes.
    axis: Vector3<f64>,
    /// Centres of the transmitter's parts and of the receiver, from the head.
    parts: [Vector3<f64>; 3],
    receiver: Vector3<f64>,
}

/// What a device says of one detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    /// Against the plane across the transmitter, positive towards its x.
    pub(crate) tilt_rad: f64,
    /// Against the plane along the receiver, positive to its starboard.
    pub(crate) angle_rad: f64,
    /// From transmitter to receiver.
    pub(crate) two_way_time_s: f64,
    /// Which part of the transmitter: 0, 1, 2.
    pub(crate) part: usize,
}

/// The same as seen from the head: the angles of [`Beam::at`](beluga_types::Beam::at).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) across_rad: f64,
    pub(crate) along_rad: f64,
    pub(crate) two_way_time_s: f64,
}

impl Head {
    /// One array that does both, or arrays of which nothing is known.
    pub(crate) fn single(mount: Mount) -> Self {
        Self {
            mount,
            axis: Vector3::x(),
            parts: [Vector3::zeros(); 3],
            receiver: Vector3::zeros(),
        }
    }

    /// The head of a transmitter and a receiver; nothing if they cannot be one.
    pub(crate) fn of(transmitter: &Array, receiver: &Array) -> Option<Self> {
        let body_from_transmitter = transmitter.mount.body_from_sensor();
        let body_from_receiver = receiver.mount.body_from_sensor();
        let place = |body_from_array: &Transform<Body, Sensor>, [forward, starboard, down]: [f64; 3]| {
            let part = Vector3::new(forward, -starboard, -down);
            body_from_array.translation() + body_from_array.rotation() * part
        };
        let heard = place(&body_from_receiver, receiver.parts_m[1]);
        let sent = transmitter
            .parts_m
            .map(|part| place(&body_from_transmitter, part));
        let middle = 0.5 * (heard + sent[1]);
        let turn = body_from_receiver.rotation();
        let body_from_head = Transform::<Body, Sensor>::new(turn, middle);
        let seen = |place: Vector3<f64>| turn.inverse() * (place - middle);
        let head = Self {
            mount: Mount::from_transform(&body_from_head),
            axis: turn.inverse() * (body_from_transmitter.rotation() * Vector3::x()),
            parts: sent.map(seen),
            receiver: seen(heard),
        };
        let far = head.parts.iter().chain([&head.receiver]).map(Vector3::norm);
        let near = far.fold(0.0, f64::max) < FARTHEST_M && middle.norm() < FARTHEST_M * FARTHEST_M;
        // Arrays along the same line see no point but rings.
        (near && head.axis.y.abs() < 0.7).then_some(head)
    }

    /// A detection as seen from the head, sound running straight at this speed.
    ///
    /// The transmitter sees an echo on a cone about its x, the receiver on one about its y; both
    /// cones and the path's length meet in one place below. Found by correcting what the head sees
    /// until both arrays see what they saw; nothing where they saw nothing that can be.
    pub(crate) fn see(&self, look: &Look, speed_m_per_s: f64) -> Option<Seen> {
        const STEPS: usize = 40;
        const CLOSE: f64 = 1e-10;
        let path_m = look.two_way_time_s * speed_m_per_s;
        let (along, across) = (sin(look.tilt_rad), -sin(look.angle_rad));
        let transmitter = self.parts[look.part.min(2)];
        let apart_m = (transmitter - self.receiver).norm();
        if !(path_m.is_finite() && path_m > 2.0 * apart_m) {
            return None;
        }
        let (mut sent, mut heard, mut range_m) = (along, across, 0.5 * path_m);
        for _ in 0..STEPS {
            let direction = self.direction(sent, heard)?;
            let place = direction * range_m;
            let (out, back) = (place - transmitter, place - self.receiver);
            let (out_m, back_m) = (out.norm(), back.norm());
            let miss = Vector3::new(
                along - out.dot(&self.axis) / out_m,
                across - back.y / back_m,
                0.5 * (path_m - out_m - back_m),
            );
            if miss.norm() < CLOSE {
                return Some(Seen {
                    across_rad: atan2(-direction.y, -direction.z),
                    along_rad: asin(direction.x.clamp(-1.0, 1.0)),
                    two_way_time_s: 2.0 * range_m / speed_m_per_s,
                });
            }
            sent += miss.x;
            heard += miss.y;
            range_m += miss.z;
        }
        None
    }

    /// The lower unit vector with these parts along the transmitter's x and the receiver's y.
    fn direction(&self, along_transmitter: f64, along_receiver: f64) -> Option<Vector3<f64>> {
        let (x, z) = (self.axis.x, self.axis.z);
        let squared = x * x + z * z;
        let rest = along_transmitter - self.axis.y * along_receiver;
        let down = squared * (1.0 - along_receiver * along_receiver) - rest * rest;
        let root = if down >= 0.0 { down.sqrt() } else { return None };
        let at = |root: f64| {
            let (forward, up) = ((x * rest - z * root) / squared, (z * rest + x * root) / squared);
            Vector3::new(forward, along_receiver, up)
        };
        let (one, other) = (at(root), at(-root));
        Some(if one.z < other.z { one } else { other })
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{Attitude, Beam, Point};

    use super::*;

    /// A transmitter that is turned round, as an EM 2040 may be, half a metre from the receiver.
    fn arrays() -> (Array, Array) {
        let array = |offset: [f64; 3], degrees: [f64; 3], parts_m| Array {
            mount: Mount {
                forward_m: offset[0],
                starboard_m: offset[1],
                down_m: offset[2],
                attitude: Attitude::from_degrees(degrees),
            },
            parts_m,
        };
        let parts = [[0.0, -0.05, -0.012], [0.0, 0.006, -0.006], [0.0, 0.05, -0.012]];
        (
            array([-0.5, -0.1, 1.7], [0.3, 0.9, 178.5], parts),
            array([-0.1, 0.05, 1.6], [-0.2, -0.7, 357.9], [[-0.01, 0.0, -0.006]; 3]),
        )
    }

    /// Measures a place as both arrays would, and finds it from the head.
    #[test]
    fn a_place_that_both_arrays_see_is_found_from_the_head() {
        let (transmitter, receiver) = arrays();
        let head = Head::of(&transmitter, &receiver).unwrap();
        let body_from_head = head.mount.body_from_sensor();
        let speed = 1470.0;
        for (part, place) in [[-0.6, 0.4, -6.0], [0.3, -9.0, -7.5], [-1.0, 12.0, -5.0]]
            .into_iter()
            .enumerate()
        {
            let place = Vector3::from(place);
            let from = |array: &Array, part: usize| {
                let [forward, starboard, down] = array.parts_m[part];
                let seen = array.mount.body_from_sensor().inverse() * Point::<Body>::from_vector(place);
                seen.vector() - Vector3::new(forward, -starboard, -down)
            };
            let (out, back) = (from(&transmitter, part), from(&receiver, 1));
            let look = Look {
                tilt_rad: asin(out.x / out.norm()),
                angle_rad: asin(-back.y / back.norm()),
                two_way_time_s: (out.norm() + back.norm()) / speed,
                part,
            };
            let seen = head.see(&look, speed).unwrap();
            let beam = Beam::at(seen.across_rad, seen.along_rad, [0.1; 2], [0.1; 2]);
            let range = 0.5 * seen.two_way_time_s * speed;
            let found = body_from_head * Point::from_vector(beam.direction.vector() * range);
            assert!((found.vector() - place).norm() < 1e-8, "{found:?} {place}");
        }
    }

    #[test]
    fn signs_are_ours() {
        let head = Head::single(Mount::default());
        let look = Look {
            tilt_rad: 0.1,
            angle_rad: 0.5,
            two_way_time_s: 0.01,
            part: 0,
        };
        let seen = head.see(&look, 1500.0).unwrap();
        assert!(seen.across_rad > 0.5 && seen.along_rad > 0.09);
        let beam = Beam::at(seen.across_rad, seen.along_rad, [0.1; 2], [0.1; 2]);
        let direction = beam.direction.vector();
        assert!(direction.x > 0.0, "forward");
        assert!((direction.y + sin(0.5)).abs() < 1e-9, "a cone, to starboard");
        assert!(direction.z < 0.0, "down");
    }

    #[test]
    fn what_cannot_be_is_not_seen() {
        let (transmitter, receiver) = arrays();
        let head = Head::of(&transmitter, &receiver).unwrap();
        let look = |tilt_rad, angle_rad, two_way_time_s| Look {
            tilt_rad,
            angle_rad,
            two_way_time_s,
            part: 1,
        };
        for bad in [
            look(1.0, 1.0, 0.01),
            look(0.0, 0.0, -0.01),
            look(0.0, 0.0, 1e-4),
            look(f64::NAN, 0.0, 0.01),
            look(0.0, 0.0, f64::INFINITY),
        ] {
            assert_eq!(head.see(&bad, 1500.0), None, "{bad:?}");
        }
        assert_eq!(
            Head::of(
                &transmitter,
                &Array {
                    mount: Mount {
                        attitude: Attitude::from_degrees([0.0, 0.0, 90.0]),
                        ..receiver.mount
                    },
                    ..receiver
                }
            ),
            None,
            "arrays along the same line"
        );
    }
}
