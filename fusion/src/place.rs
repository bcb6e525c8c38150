//! Two-way geometry: where an echo comes from when the sonar moves between transmit and receive.
//!
//! The transmit array fixes the angle along track, at its own pose; the receive array fixes the
//! angle across track, at its own; the path from one to the echo and on to the other is as long as
//! sound travels in the two-way time (Hare, Godin, Mayer, "Accuracy estimation of Canadian swath
//! sounding", 1995, gives the same split). A sweep's echo seems early while sonar and target close, which
//! is undone by the vessel's own motion: targets are taken to stand still. Where the water is a profile the ray bends: the beam is turned
//! to the chord of its ray, and the path is as long as that chord.

use beluga_types::elementary::asin;
use beluga_types::{
    ArcTable, Body, Direction, Label, Medium, PointTable, Sensor, SensorId, Stamp, Transform,
};
use nalgebra::{Matrix3, Vector3};

use crate::frame::{AboveWater, offset_nanos};
use crate::sonar::Echo;
use crate::sonar::acoustics::ray::Profile;

/// The ping echoes belong to, and where its sonar was.
pub(crate) struct PingPlace<'a, F> {
    pub(crate) sensor: SensorId,
    pub(crate) seq: u64,
    pub(crate) stamp: Stamp,
    pub(crate) window_end: Stamp,
    pub(crate) body_from_sensor: Transform<Body, Sensor>,
    /// From the body's axes at a moment to those at the window's end.
    pub(crate) body_end_from_body: F,
    pub(crate) medium: Medium,
    pub(crate) sound: Sound<'a>,
    pub(crate) above_water: Option<AboveWater>,
}

/// The water on the way of an echo.
#[derive(Clone, Copy)]
pub(crate) struct Sound<'a> {
    /// Where nothing finer is known, in m/s.
    pub(crate) speed_m_per_s: f64,
    /// The water, if it is a profile.
    pub(crate) profile: Option<&'a Profile>,
    /// By what speed a flat array steered its beams, in m/s; nothing for others.
    pub(crate) steered_m_per_s: Option<f64>,
    /// Depth of the sonar at rest, in metres; for where the waterline is not known.
    pub(crate) depth_m: f64,
}

impl Sound<'_> {
    /// Where a beam looks in water of this speed at the head. A flat array knows delays, not angles: the
    /// sine of an angle over the speed of sound is what it steers (and what a ray keeps from layer to
    /// layer, Snell's law). Nothing where no angle has that sine.
    fn looking(&self, direction: Direction<Sensor>, at_head_m_per_s: f64) -> Option<Direction<Sensor>> {
        let Some(steered_m_per_s) = self.steered_m_per_s else {
            return Some(direction);
        };
        scaled_sines(&direction.vector(), at_head_m_per_s / steered_m_per_s).map(Direction::from_vector)
    }
}

/// A unit vector whose parts along the plane of x and y are `scale` times as long, on the same side of it.
pub(crate) fn scaled_sines(direction: &Vector3<f64>, scale: f64) -> Option<Vector3<f64>> {
    let (x, y) = (direction.x * scale, direction.y * scale);
    let rest = 1.0 - x * x - y * y;
    (rest >= 0.0).then(|| Vector3::new(x, y, rest.sqrt().copysign(direction.z)))
}

/// A ray's straight stand-in: from where it starts to where it ends, there and back.
struct Chord {
    /// Unit vector, in the axes the beam came in.
    direction: Vector3<f64>,
    path_m: f64,
}

impl Chord {
    /// The chord of the ray that starts at `depth_m` along `beam`, a unit vector, and runs for half
    /// of `two_way_time_s`. Nothing if the ray is caught in a duct.
    fn of(
        profile: &Profile,
        beam: &Vector3<f64>,
        up: &Vector3<f64>,
        depth_m: f64,
        two_way_time_s: f64,
    ) -> Option<Self> {
        let climb = beam.dot(up).clamp(-1.0, 1.0);
        let end = profile.trace(depth_m, -asin(climb), 0.5 * two_way_time_s)?;
        // A beam straight up or down has no way to go level, and goes none.
        let level = (beam - up * climb).try_normalize(1e-9).unwrap_or_default();
        let chord = level * end.along_m - up * (end.depth_m - depth_m);
        Some(Self {
            direction: chord.try_normalize(1e-9)?,
            path_m: 2.0 * chord.norm(),
        })
    }
}

impl<F: Fn(Stamp) -> Transform<Body, Body>> PingPlace<'_, F> {
    /// Appends echoes as points, or as arcs where their elevation is open. Returns how many had
    /// no place: times or angles that no straight path fits.
    pub(crate) fn add(&self, echoes: &[Echo], points: &mut PointTable, arcs: &mut ArcTable) -> usize {
        echoes
            .iter()
            .filter(|echo| self.add_one(echo, points, arcs).is_none())
            .count()
    }

    /// The straight way that stands for an echo's, and its length there and back.
    fn way(
        &self,
        transmit: &Transform<Body, Sensor>,
        echo: &Echo,
        two_way_time_s: f64,
    ) -> Option<(Direction<Sensor>, f64)> {
        let Some(profile) = self.sound.profile else {
            let speed_m_per_s = self.sound.speed_m_per_s;
            let direction = self.sound.looking(echo.direction, speed_m_per_s)?;
            return Some((direction, speed_m_per_s * two_way_time_s));
        };
        let (up, depth_m) = match self.above_water {
            Some(water) => (water.up(), -water.height_m(&transmit.translation())),
            None => (Vector3::z(), self.sound.depth_m),
        };
        let looking = self.sound.looking(echo.direction, profile.speed_at(depth_m))?;
        let beam = transmit.rotation() * looking.vector();
        let chord = Chord::of(profile, &beam, &up, depth_m, two_way_time_s)?;
        let direction = transmit.rotation().inverse() * chord.direction;
        Some((Direction::from_vector(direction), chord.path_m))
    }

    fn add_one(&self, echo: &Echo, points: &mut PointTable, arcs: &mut ArcTable) -> Option<()> {
        let transmitted = self.stamp.shifted_s(echo.transmit_delay_s);
        let received = transmitted.shifted_s(echo.two_way_time_s);
        let transmit = (self.body_end_from_body)(transmitted) * self.body_from_sensor;
        let receive = (self.body_end_from_body)(received) * self.body_from_sensor;
        let moved = receive.translation() - transmit.translation();
        let closing_m_per_s =
            moved.dot(&(transmit.rotation() * echo.direction.vector())) / echo.two_way_time_s;
        // What this changes is too short for the receiver to have moved meanwhile.
        let two_way_time_s = echo.two_way_time_s + echo.early_s_per_m_per_s * closing_m_per_s;
        let (direction, path_m) = self.way(&transmit, echo, two_way_time_s)?;
        let found = echo_place(&transmit, &receive, &direction, path_m)?;
        let range_m = 0.5 * path_m;
        let sigma_range_m = (0.5 * self.sound.speed_m_per_s * echo.sigma_time_s) as f32;
        let offset = offset_nanos(received, self.window_end);
        let label = match self.above_water.map(|water| water.label(&found, self.medium)) {
            Some(Label::Unknown) | None if echo.floats => Label::Volume,
            label => label.unwrap_or(Label::Unknown),
        };
        let sigma_m = [echo.sigma_along_rad, echo.sigma_across_rad].map(|angle| (range_m * angle) as f32);
        let numbers = [sigma_range_m, sigma_m[0], sigma_m[1], echo.level_db];
        if !(numbers.iter().all(|value| value.is_finite()) && found.iter().all(|value| value.is_finite())) {
            return None;
        }
        if let Some(half_angle_rad) = echo.half_angle_rad {
            let origin = 0.5 * (transmit.translation() + receive.translation());
            let plane = receive * echo.arc_plane;
            // Out of the plane is across where the plane holds the along axis, and the other way round.
            let along = echo.arc_plane.vector().x.abs() > 0.5;
            push3(&mut arcs.origin, &origin);
            push3(&mut arcs.direction, &(found - origin).try_normalize(1e-9)?);
            push3(&mut arcs.plane, &plane.vector());
            arcs.range_m.push((found - origin).norm() as f32);
            arcs.half_angle_rad.push(half_angle_rad as f32);
            arcs.offset_nanos.push(offset);
            arcs.sensor.push(self.sensor.0);
            arcs.level.push(echo.level_db);
            arcs.snr_db.push(echo.snr_db);
            arcs.sigma_range_m.push(sigma_range_m);
            arcs.sigma_across_m
                .push(if along { sigma_m[1] } else { sigma_m[0] });
            arcs.label.push(label);
            arcs.source_seq.push(self.seq);
            arcs.source_index.push(echo.beam);
        } else {
            points.x.push(found.x as f32);
            points.y.push(found.y as f32);
            points.z.push(found.z as f32);
            points.offset_nanos.push(offset);
            points.sensor.push(self.sensor.0);
            points.medium.push(self.medium);
            points.level.push(echo.level_db);
            points.snr_db.push(echo.snr_db);
            points.sigma_range_m.push(sigma_range_m);
            points.sigma_along_m.push(sigma_m[0]);
            points.sigma_across_m.push(sigma_m[1]);
            points.label.push(label);
            points.source_seq.push(self.seq);
            points.source_index.push(echo.beam);
        }
        Some(())
    }
}

fn push3(columns: &mut [Vec<f32>; 3], vector: &Vector3<f64>) {
    for (column, value) in columns.iter_mut().zip(vector.iter()) {
        column.push(*value as f32);
    }
}

/// The place an echo comes from, in the space both poses lead to.
///
/// `direction` names the two angles: along track its part on the sensor's x, which the transmit
/// array keeps; across track the half-plane through x it lies in, which the receive array keeps.
/// `path_m` is the length from the transmitter to the place and on to the receiver. Newton's method
/// from the middle of both poses; nothing if no such place exists.
pub(crate) fn echo_place(
    transmit: &Transform<Body, Sensor>,
    receive: &Transform<Body, Sensor>,
    direction: &Direction<Sensor>,
    path_m: f64,
) -> Option<Vector3<f64>> {
    const MAX_STEPS: usize = 20;
    const CLOSE_M: f64 = 1e-9;
    let unit = direction.vector().try_normalize(1e-9)?;
    let (from, to) = (transmit.translation(), receive.translation());
    if !(path_m.is_finite() && path_m > (to - from).norm()) {
        return None;
    }
    let x_axis = transmit.rotation() * Vector3::x();
    // Across the half-plane through the receiver's x: a turn about x has this normal.
    let across = Vector3::new(0.0, -unit.z, unit.y).try_normalize(1e-9)?;
    let normal = receive.rotation() * across;
    let middle = (transmit.rotation() * unit + receive.rotation() * unit).try_normalize(1e-9)?;
    let mut place = 0.5 * (from + to) + middle * (0.5 * path_m);
    for _ in 0..MAX_STEPS {
        let (out, back) = (place - from, place - to);
        let (out_m, back_m) = (out.norm(), back.norm());
        if !(out_m > 0.0 && back_m > 0.0) {
            return None;
        }
        let residual = Vector3::new(
            out_m + back_m - path_m,
            out.dot(&x_axis) - unit.x * out_m,
            back.dot(&normal),
        );
        let jacobian = Matrix3::from_rows(&[
            (out / out_m + back / back_m).transpose(),
            (x_axis - out * (unit.x / out_m)).transpose(),
            normal.transpose(),
        ]);
        let step = jacobian.lu().solve(&residual)?;
        place -= step;
        if !place.iter().all(|value| value.is_finite()) {
            return None;
        }
        if step.norm() < CLOSE_M {
            return Some(place);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::{Squared, atan2, ln};
    use beluga_types::{Beam, Point};
    use nalgebra::{UnitQuaternion, Vector6};

    fn moving_sonar() -> (Transform<Body, Sensor>, Transform<Body, Sensor>) {
        let transmit = Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.3, -0.1, 0.2)),
            Vector3::new(1.0, -0.5, -0.8),
        );
        let receive = transmit.perturbed(&Vector6::new(0.01, -0.004, 0.006, 0.08, 0.01, -0.02));
        (transmit, receive)
    }

    /// Measures places as the arrays would, and finds them again.
    #[test]
    fn a_place_that_was_measured_is_found_again() {
        let (transmit, receive) = moving_sonar();
        for (along, across, range) in [
            (0.0, 0.0, 8.0),
            (0.1, 1.2, 20.0),
            (-0.2, -0.8, 3.0),
            (0.05, 1.7, 12.0),
        ] {
            let beam = Beam::at(across, along, [0.02; 2], [0.02; 2]).direction;
            let place = (transmit * Point::from_vector(beam.vector() * range)).vector();
            let in_transmit = (transmit.inverse() * Point::from_vector(place))
                .vector()
                .normalize();
            let in_receive = (receive.inverse() * Point::from_vector(place)).vector();
            let measured = Beam::at(
                atan2(-in_receive.y, -in_receive.z),
                asin(in_transmit.x),
                [0.02; 2],
                [0.02; 2],
            );
            let path = (place - transmit.translation()).norm() + (place - receive.translation()).norm();
            let found = echo_place(&transmit, &receive, &measured.direction, path).unwrap();
            assert!((found - place).norm() < 1e-8, "{found} {place}");
        }
    }

    /// Against a search over the two angles seen from the receiver, refined until it stands still.
    #[test]
    fn the_place_is_the_one_a_search_finds() {
        let (transmit, receive) = moving_sonar();
        let beam = Beam::at(0.9, 0.1, [0.02; 2], [0.02; 2]).direction;
        let path = 21.0;
        let mismatch = |place: &Vector3<f64>| {
            let in_transmit = (transmit.inverse() * Point::from_vector(*place)).vector();
            let in_receive = (receive.inverse() * Point::from_vector(*place)).vector();
            let along = asin(in_transmit.x / in_transmit.norm()) - 0.1;
            let across = atan2(-in_receive.y, -in_receive.z) - 0.9;
            let length =
                (place - transmit.translation()).norm() + (place - receive.translation()).norm() - path;
            (along * 10.0).squared() + (across * 10.0).squared() + length.squared()
        };
        let mut best = (receive * Point::from_vector(beam.vector() * 10.5)).vector();
        let mut step = 0.5;
        while step > 1e-8 {
            let around = (0..27).map(|code| {
                let cell = Vector3::new(
                    f64::from(code / 9 - 1),
                    f64::from(code / 3 % 3 - 1),
                    f64::from(code % 3 - 1),
                );
                best + cell * step
            });
            let better = around.min_by(|a, b| mismatch(a).total_cmp(&mismatch(b))).unwrap();
            if better == best {
                step *= 0.5;
            }
            best = better;
        }
        let found = echo_place(&transmit, &receive, &beam, path).unwrap();
        assert!((found - best).norm() < 1e-5, "{found} {best}");
    }

    #[test]
    fn a_sonar_at_rest_places_echoes_along_the_beam() {
        let (transmit, _) = moving_sonar();
        let beam = Beam::at(-0.4, 0.0, [0.02; 2], [0.02; 2]).direction;
        let found = echo_place(&transmit, &transmit, &beam, 14.0).unwrap();
        let expected = (transmit * Point::from_vector(beam.vector() * 7.0)).vector();
        assert!((found - expected).norm() < 1e-9);
    }

    #[test]
    fn impossible_echoes_have_no_place() {
        let (transmit, receive) = moving_sonar();
        let beam = Beam::at(0.2, 0.0, [0.02; 2], [0.02; 2]).direction;
        for path in [0.0, 0.01, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(echo_place(&transmit, &receive, &beam, path), None);
        }
        assert_eq!(
            echo_place(&transmit, &receive, &Direction::new(1.0, 0.0, 0.0), 9.0),
            None
        );
    }

    #[test]
    fn a_flat_array_looks_where_its_delays_do() {
        let sound = |steered_m_per_s| Sound {
            speed_m_per_s: 1470.0,
            profile: None,
            steered_m_per_s,
            depth_m: 1.0,
        };
        // Delays for 50° at 1500 m/s are those for 48.6531° at 1470: sin 50° · 0.98 = 0.750724.
        let beam = Beam::at(50f64.to_radians(), 0.0, [0.02; 2], [0.02; 2]);
        let looking = sound(Some(1500.0)).looking(beam.direction, 1470.0).unwrap();
        let across = asin(-looking.vector().y).to_degrees();
        assert!((across - 48.6531).abs() < 1e-4, "{across}°");
        assert!((looking.vector().norm() - 1.0).abs() < 1e-12 && looking.vector().z < 0.0);
        let other = sound(None).looking(beam.direction, 1470.0).unwrap();
        assert_eq!(other, beam.direction);
        let grazing = Beam::at(89f64.to_radians(), 0.0, [0.02; 2], [0.02; 2]);
        assert_eq!(sound(Some(1400.0)).looking(grazing.direction, 1470.0), None);
    }

    /// Sound that bends up by 17 cm in 10 m comes from 17 cm above where its beam points.
    #[test]
    fn a_level_beam_is_bent_by_the_profile() {
        let profile = Profile::new(&[(0.0, 1455.0), (5.0, 1480.0), (10.0, 1505.0)]).unwrap();
        // Up need not be the body's: here the vessel is rolled.
        let up = Vector3::new(0.0, 0.3, 1.0).normalize();
        let bent = Chord::of(&profile, &Vector3::x(), &up, 5.0, 2.0 * 10.0 / 1480.0).unwrap();
        let place = bent.direction * (0.5 * bent.path_m);
        assert!((place.dot(&up) - 0.169).abs() < 1e-3, "{place}");
        assert!((place.x - 10.0).abs() < 0.01 && place.cross(&up).x.abs() < 1e-9);
    }

    #[test]
    fn a_beam_straight_down_stays_straight_down() {
        let profile = Profile::new(&[(0.0, 1500.0), (20.0, 1490.0), (50.0, 1480.0)]).unwrap();
        let time_s = 20.0 * ln(1500.0f64 / 1490.0) / 10.0 + 30.0 * ln(1490.0f64 / 1480.0) / 10.0;
        let down = Chord::of(&profile, &-Vector3::z(), &Vector3::z(), 0.0, 2.0 * time_s).unwrap();
        assert!((down.direction + Vector3::z()).norm() < 1e-9 && (down.path_m - 100.0).abs() < 1e-6);
    }
}
