//! Spaces, and transforms between them that read as equations.
//!
//! ```
//! use beluga_types::{Body, Point, Sensor, Transform, World};
//! # let world_from_body = Transform::<World, Body>::identity();
//! # let body_from_sensor = Transform::<Body, Sensor>::identity();
//! # let point_in_sensor = Point::<Sensor>::new(1.0, 0.0, 0.0);
//! let point_in_world: Point<World> = world_from_body * body_from_sensor * point_in_sensor;
//! ```
//!
//! The same line with two factors exchanged does not compile:
//!
//! ```compile_fail,E0277
//! use beluga_types::{Body, Point, Sensor, Transform, World};
//! # let world_from_body = Transform::<World, Body>::identity();
//! # let body_from_sensor = Transform::<Body, Sensor>::identity();
//! # let point_in_sensor = Point::<Sensor>::new(1.0, 0.0, 0.0);
//! let point_in_world: Point<World> = body_from_sensor * world_from_body * point_in_sensor;
//! ```
//!
//! Nor does one with a space left out:
//!
//! ```compile_fail,E0277
//! use beluga_types::{Body, Point, Sensor, Transform, World};
//! # let world_from_body = Transform::<World, Body>::identity();
//! # let body_from_sensor = Transform::<Body, Sensor>::identity();
//! # let point_in_sensor = Point::<Sensor>::new(1.0, 0.0, 0.0);
//! let point_in_world: Point<World> = world_from_body * point_in_sensor;
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, Mul, Sub};

use nalgebra::{Matrix3, Quaternion, UnitQuaternion, Vector3, Vector6};

/// A coordinate system. The type is only a name; there are no values of it.
pub trait Space: Copy + fmt::Debug + Send + Sync + 'static {
    /// How the space is called in messages and file metadata.
    const NAME: &'static str;
}

/// Local east-north-up, anchored at the rig's origin; metres, ellipsoidal heights.
///
/// Without an origin it is the body's space at the first measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum World {}

/// The vehicle: x forward, y left (port), z up (REP-103); metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body {}

/// The device's own axes, as its reader documents them; metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sensor {}

impl Space for World {
    const NAME: &'static str = "World";
}
impl Space for Body {
    const NAME: &'static str = "Body";
}
impl Space for Sensor {
    const NAME: &'static str = "Sensor";
}

/// A place in the space `S`, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<S> {
    coordinates: Vector3<f64>,
    space: PhantomData<fn() -> S>,
}

/// A displacement or direction in the space `S`; translation does not move it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Direction<S> {
    components: Vector3<f64>,
    space: PhantomData<fn() -> S>,
}

impl<S: Space> Point<S> {
    /// The place at these coordinates, in metres.
    pub fn new(x: f64, y: f64, z: f64) -> Self {
        Self::from_vector(Vector3::new(x, y, z))
    }

    /// The place whose coordinates are this vector's components.
    pub fn from_vector(coordinates: Vector3<f64>) -> Self {
        Self {
            coordinates,
            space: PhantomData,
        }
    }

    /// The space's own origin.
    pub fn origin() -> Self {
        Self::from_vector(Vector3::zeros())
    }

    /// The coordinates as a plain vector, for arithmetic the types do not cover.
    pub fn vector(&self) -> Vector3<f64> {
        self.coordinates
    }

    /// First coordinate, in metres.
    pub fn x(&self) -> f64 {
        self.coordinates.x
    }

    /// Second coordinate, in metres.
    pub fn y(&self) -> f64 {
        self.coordinates.y
    }

    /// Third coordinate, in metres.
    pub fn z(&self) -> f64 {
        self.coordinates.z
    }
}

impl<S: Space> Direction<S> {
    /// The displacement with these components.
    pub fn new(x: f64, y: f64, z: f64) -> Self {
        Self::from_vector(Vector3::new(x, y, z))
    }

    /// The displacement with this vector's components.
    pub fn from_vector(components: Vector3<f64>) -> Self {
        Self {
            components,
            space: PhantomData,
        }
    }

    /// The components as a plain vector.
    pub fn vector(&self) -> Vector3<f64> {
        self.components
    }
}

impl<S: Space> Sub for Point<S> {
    type Output = Direction<S>;
    fn sub(self, other: Self) -> Direction<S> {
        Direction::from_vector(self.coordinates - other.coordinates)
    }
}

impl<S: Space> Add<Direction<S>> for Point<S> {
    type Output = Point<S>;
    fn add(self, step: Direction<S>) -> Point<S> {
        Point::from_vector(self.coordinates + step.components)
    }
}

/// A rigid motion that takes coordinates in `From` to coordinates in `To`: the `T_to_from` of the papers.
///
/// The rotation is a unit quaternion and is made unit again at every product, so a chain of any
/// length stays a rotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform<To, From> {
    rotation: UnitQuaternion<f64>,
    translation: Vector3<f64>,
    spaces: PhantomData<fn(From) -> To>,
}

impl<To: Space, From: Space> Transform<To, From> {
    /// The motion that turns by `rotation`, then moves by `translation` metres.
    pub fn new(rotation: UnitQuaternion<f64>, translation: Vector3<f64>) -> Self {
        Self {
            rotation,
            translation,
            spaces: PhantomData,
        }
    }

    /// The motion that leaves coordinates as they are.
    pub fn identity() -> Self {
        Self::new(UnitQuaternion::identity(), Vector3::zeros())
    }

    /// From a Hamilton quaternion `w x y z` (made unit) and a translation in metres.
    ///
    /// Nothing if any number is not finite or the quaternion is shorter than 1e-9.
    pub fn from_wxyz(wxyz: [f64; 4], translation: [f64; 3]) -> Option<Self> {
        let quaternion = Quaternion::new(wxyz[0], wxyz[1], wxyz[2], wxyz[3]);
        let rotation = UnitQuaternion::try_new(quaternion, 1e-9)?;
        let transform = Self::new(rotation, Vector3::from(translation));
        transform.is_finite().then_some(transform)
    }

    /// The rotation as a Hamilton quaternion `w x y z`, w never negative.
    pub fn wxyz(&self) -> [f64; 4] {
        let q = self.rotation.quaternion();
        let sign = if q.w < 0.0 { -1.0 } else { 1.0 };
        [q.w * sign, q.i * sign, q.j * sign, q.k * sign]
    }

    /// The rotation part.
    pub fn rotation(&self) -> UnitQuaternion<f64> {
        self.rotation
    }

    /// The rotation part as a 3×3 matrix.
    pub fn rotation_matrix(&self) -> Matrix3<f64> {
        self.rotation.to_rotation_matrix().into_inner()
    }

    /// The translation part, in metres: where `From`'s origin lies in `To`.
    pub fn translation(&self) -> Vector3<f64> {
        self.translation
    }

    /// The motion back.
    #[must_use]
    pub fn inverse(&self) -> Transform<From, To> {
        let rotation = self.rotation.inverse();
        Transform::new(rotation, -(rotation * self.translation))
    }

    /// Moved by a small right perturbation `[rotation (rad); translation (m)]`, both in `From`:
    /// `R exp(θ)`, `t + R ρ`. This is the perturbation every pose covariance speaks of.
    #[must_use]
    pub fn perturbed(&self, step: &Vector6<f64>) -> Self {
        let theta = Vector3::new(step[0], step[1], step[2]);
        let rho = Vector3::new(step[3], step[4], step[5]);
        let rotation = renormalized(self.rotation * UnitQuaternion::from_scaled_axis(theta));
        Self::new(rotation, self.translation + self.rotation * rho)
    }

    /// The right perturbation that takes this motion to `other`: the inverse of [`Self::perturbed`].
    pub fn perturbation_to(&self, other: &Self) -> Vector6<f64> {
        let theta = (self.rotation.inverse() * other.rotation).scaled_axis();
        let rho = self.rotation.inverse() * (other.translation - self.translation);
        Vector6::new(theta.x, theta.y, theta.z, rho.x, rho.y, rho.z)
    }

    /// Between this motion (`0`) and `other` (`1`), along the shortest rotation and a straight
    /// line; other fractions extrapolate.
    #[must_use]
    pub fn interpolated(&self, other: &Self, fraction: f64) -> Self {
        let theta = (self.rotation.inverse() * other.rotation).scaled_axis();
        let rotation = renormalized(self.rotation * UnitQuaternion::from_scaled_axis(theta * fraction));
        Self::new(
            rotation,
            self.translation + (other.translation - self.translation) * fraction,
        )
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.rotation
            .coords
            .iter()
            .chain(self.translation.iter())
            .all(|value| value.is_finite())
    }
}

fn renormalized(rotation: UnitQuaternion<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::new_normalize(rotation.into_inner())
}

impl<A: Space, B: Space, C: Space> Mul<Transform<B, C>> for Transform<A, B> {
    type Output = Transform<A, C>;
    fn mul(self, right: Transform<B, C>) -> Transform<A, C> {
        Transform::new(
            renormalized(self.rotation * right.rotation),
            self.translation + self.rotation * right.translation,
        )
    }
}

impl<To: Space, From: Space> Mul<Point<From>> for Transform<To, From> {
    type Output = Point<To>;
    fn mul(self, point: Point<From>) -> Point<To> {
        Point::from_vector(self.rotation * point.coordinates + self.translation)
    }
}

impl<To: Space, From: Space> Mul<Direction<From>> for Transform<To, From> {
    type Output = Direction<To>;
    fn mul(self, direction: Direction<From>) -> Direction<To> {
        Direction::from_vector(self.rotation * direction.components)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::FRAC_PI_2;

    fn quarter_turn_about_z() -> Transform<World, Body> {
        Transform::new(
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), FRAC_PI_2),
            Vector3::new(10.0, 20.0, 30.0),
        )
    }

    #[test]
    fn a_transform_takes_from_coordinates_to_to_coordinates() {
        let world_from_body = quarter_turn_about_z();
        let ahead_in_world = world_from_body * Point::<Body>::new(1.0, 0.0, 0.0);
        assert!((ahead_in_world - Point::new(10.0, 21.0, 30.0)).vector().norm() < 1e-12);
        let direction = world_from_body * Direction::<Body>::new(1.0, 0.0, 0.0);
        assert!((direction.vector() - Vector3::y()).norm() < 1e-12);
    }

    #[test]
    fn the_inverse_leads_back() {
        let world_from_body = quarter_turn_about_z();
        let point = Point::<Body>::new(1.0, -2.0, 3.0);
        let back = world_from_body.inverse() * (world_from_body * point);
        assert!((back - point).vector().norm() < 1e-12);
    }

    #[test]
    fn perturbation_is_right_sided_rotation_first() {
        let world_from_body = quarter_turn_about_z();
        let forward = world_from_body.perturbed(&Vector6::new(0.0, 0.0, 0.0, 1.0, 0.0, 0.0));
        assert!(
            (forward.translation() - Vector3::new(10.0, 21.0, 30.0)).norm() < 1e-12,
            "ρ is in Body"
        );
        let step = Vector6::new(0.1, -0.2, 0.3, 1.0, 2.0, -3.0);
        let back = world_from_body.perturbation_to(&world_from_body.perturbed(&step));
        assert!((back - step).norm() < 1e-12);
    }

    #[test]
    fn a_long_chain_stays_a_rotation() {
        let step = Transform::<Body, Body>::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.01, 0.02, -0.03)),
            Vector3::new(0.1, 0.0, 0.0),
        );
        let mut chain = Transform::<World, Body>::identity();
        for _ in 0..100_000 {
            chain = chain * step;
        }
        let rotation = chain.rotation_matrix();
        assert!((rotation.transpose() * rotation - Matrix3::identity()).norm() < 1e-12);
        assert!(chain.is_finite());
    }

    #[test]
    fn quaternions_are_hamilton_w_first() {
        let transform =
            Transform::<World, Body>::from_wxyz([0.5f64.sqrt(), 0.0, 0.0, 0.5f64.sqrt()], [0.0; 3]).unwrap();
        let left = transform * Point::<Body>::new(1.0, 0.0, 0.0);
        assert!(
            (left - Point::new(0.0, 1.0, 0.0)).vector().norm() < 1e-12,
            "+z turns x to y"
        );
        assert!(Transform::<World, Body>::from_wxyz([0.0; 4], [0.0; 3]).is_none());
        assert!(Transform::<World, Body>::from_wxyz([1.0, 0.0, 0.0, f64::NAN], [0.0; 3]).is_none());
    }

    #[test]
    fn interpolation_hits_both_ends_and_the_middle() {
        let from = Transform::<World, Body>::identity();
        let to = quarter_turn_about_z();
        assert!(from.perturbation_to(&from.interpolated(&to, 0.0)).norm() < 1e-12);
        assert!(to.perturbation_to(&from.interpolated(&to, 1.0)).norm() < 1e-12);
        let middle = from.interpolated(&to, 0.5);
        assert!((middle.rotation().angle() - FRAC_PI_2 / 2.0).abs() < 1e-12);
        assert!((middle.translation() - Vector3::new(5.0, 10.0, 15.0)).norm() < 1e-12);
    }
}
