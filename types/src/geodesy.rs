//! Where `World` lies on the Earth: WGS 84 ellipsoid, Earth-centred axes, local east-north-up.
//!
//! Formulas: B. Hofmann-Wellenhof, H. Lichtenegger, E. Wasle, "GNSS: Global Navigation Satellite
//! Systems", Springer 2008, section 8.2 (ellipsoidal to Cartesian), and H. Vermeille, "Direct
//! transformation from geocentric coordinates to geodetic coordinates", J. Geodesy 76 (2002), for
//! the way back, which is exact and needs no iteration.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};

use crate::elementary::{atan2, cbrt, hypot, sin_cos};
use crate::space::{Body, Point, Space, Transform, World};

/// Semi-major axis of WGS 84, in metres (EPSG:7030).
const SEMI_MAJOR_AXIS_M: f64 = 6_378_137.0;
/// Flattening of WGS 84 (EPSG:7030).
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// First eccentricity squared of WGS 84.
const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);

/// Earth-centred, Earth-fixed axes of WGS 84; metres. Never in `f32`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ecef {}

impl Space for Ecef {
    const NAME: &'static str = "Ecef";
}

/// A place by geodetic latitude and longitude on WGS 84, with its height above the ellipsoid.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Geodetic {
    /// Latitude in radians, positive north.
    pub latitude_rad: f64,
    /// Longitude in radians, positive east.
    pub longitude_rad: f64,
    /// Height above the ellipsoid, in metres.
    pub height_m: f64,
}

impl Geodetic {
    /// From degrees and metres, as files write it.
    pub fn from_degrees(latitude_deg: f64, longitude_deg: f64, height_m: f64) -> Self {
        Self {
            latitude_rad: latitude_deg.to_radians(),
            longitude_rad: longitude_deg.to_radians(),
            height_m,
        }
    }

    /// The same place in Earth-centred axes.
    pub fn ecef(&self) -> Point<Ecef> {
        let (sin_lat, cos_lat) = sin_cos(self.latitude_rad);
        let (sin_lon, cos_lon) = sin_cos(self.longitude_rad);
        let n = SEMI_MAJOR_AXIS_M / (1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat).sqrt();
        Point::new(
            (n + self.height_m) * cos_lat * cos_lon,
            (n + self.height_m) * cos_lat * sin_lon,
            (n * (1.0 - ECCENTRICITY_SQUARED) + self.height_m) * sin_lat,
        )
    }

    /// The geodetic place of a point in Earth-centred axes; valid outside the Earth's core
    /// (more than about 50 km from the centre).
    pub fn from_ecef(point: &Point<Ecef>) -> Self {
        let (x, y, z) = (point.x(), point.y(), point.z());
        let e2 = ECCENTRICITY_SQUARED;
        let e4 = e2 * e2;
        let a2 = SEMI_MAJOR_AXIS_M * SEMI_MAJOR_AXIS_M;
        // Letters as in Vermeille (2002).
        let p = (x * x + y * y) / a2;
        let q = (1.0 - e2) / a2 * z * z;
        let r = (p + q - e4) / 6.0;
        let s = e4 * p * q / (4.0 * r * r * r);
        let t = cbrt(1.0 + s + (s * (2.0 + s)).sqrt());
        let u = r * (1.0 + t + 1.0 / t);
        let v = (u * u + e4 * q).sqrt();
        let w = e2 * (u + v - q) / (2.0 * v);
        let k = (u + v + w * w).sqrt() - w;
        let d = k * hypot(x, y) / (k + e2);
        let distance = hypot(d, z);
        Self {
            latitude_rad: 2.0 * atan2(z, d + distance),
            longitude_rad: atan2(y, x),
            height_m: (k + e2 - 1.0) / k * distance,
        }
    }

    fn ecef_from_east_north_up(&self) -> UnitQuaternion<f64> {
        let (sin_lat, cos_lat) = sin_cos(self.latitude_rad);
        let (sin_lon, cos_lon) = sin_cos(self.longitude_rad);
        let east = Vector3::new(-sin_lon, cos_lon, 0.0);
        let north = Vector3::new(-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat);
        let up = Vector3::new(cos_lat * cos_lon, cos_lat * sin_lon, sin_lat);
        let rotation = Rotation3::from_matrix_unchecked(Matrix3::from_columns(&[east, north, up]));
        UnitQuaternion::from_rotation_matrix(&rotation)
    }
}

/// Where `World` is anchored, and what its heights and export coordinates mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The anchor: `World` is east-north-up there.
    pub anchor: Geodetic,
    /// EPSG code of the projected system for exports, where one is wanted.
    pub epsg: Option<u32>,
    /// Name of the vertical datum for exports; ellipsoidal where none is named.
    pub vertical_datum: Option<String>,
}

impl Origin {
    /// The motion from `World` to Earth-centred axes.
    pub fn ecef_from_world(&self) -> Transform<Ecef, World> {
        Transform::new(self.anchor.ecef_from_east_north_up(), self.anchor.ecef().vector())
    }

    /// The pose of a body at a geodetic place, turned against the east-north-up axes *of that place*.
    pub fn world_from_body(
        &self,
        place: &Geodetic,
        east_north_up_from_body: UnitQuaternion<f64>,
    ) -> Transform<World, Body> {
        let ecef_from_body = Transform::<Ecef, Body>::new(
            place.ecef_from_east_north_up() * east_north_up_from_body,
            place.ecef().vector(),
        );
        self.ecef_from_world().inverse() * ecef_from_body
    }

    /// The place of a pose, and its rotation against the east-north-up axes of that place:
    /// the way back of [`Self::world_from_body`].
    pub fn place_of(&self, world_from_body: &Transform<World, Body>) -> (Geodetic, UnitQuaternion<f64>) {
        let ecef_from_body = self.ecef_from_world() * *world_from_body;
        let place = Geodetic::from_ecef(&Point::from_vector(ecef_from_body.translation()));
        let rotation = place.ecef_from_east_north_up().inverse() * ecef_from_body.rotation();
        (place, rotation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EPSG Guidance Note 7-2 (2021), section 4.1.1, the worked example for WGS 84.
    #[test]
    fn the_published_example_in_earth_centred_axes() {
        let place = Geodetic::from_degrees(
            53.0 + 48.0 / 60.0 + 33.820 / 3600.0,
            2.0 + 7.0 / 60.0 + 46.380 / 3600.0,
            73.0,
        );
        let expected = Point::<Ecef>::new(3_771_793.968, 140_253.342, 5_124_304.349);
        assert!((place.ecef() - expected).vector().norm() < 2e-3);
        let back = Geodetic::from_ecef(&expected);
        assert!((back.latitude_rad - place.latitude_rad).abs() < 1e-9);
        assert!((back.height_m - 73.0).abs() < 2e-3);
    }

    #[test]
    fn there_and_back_everywhere() {
        for latitude in [-89.9, -45.0, 0.0, 1e-6, 30.0, 54.0, 89.9] {
            for longitude in [-179.9, 0.0, 12.0, 120.0] {
                for height_m in [-100.0, 0.0, 8_000.0] {
                    let place = Geodetic::from_degrees(latitude, longitude, height_m);
                    let back = Geodetic::from_ecef(&place.ecef());
                    assert!(
                        (back.latitude_rad - place.latitude_rad).abs() < 1e-12,
                        "{place:?}"
                    );
                    assert!(
                        (back.longitude_rad - place.longitude_rad).abs() < 1e-12,
                        "{place:?}"
                    );
                    assert!((back.height_m - height_m).abs() < 1e-6, "{place:?} {back:?}");
                }
            }
        }
    }

    #[test]
    fn world_is_east_north_up_at_the_anchor() {
        let origin = Origin {
            anchor: Geodetic::from_degrees(54.0, 12.0, 40.0),
            ..Default::default()
        };
        let north = Geodetic::from_degrees(54.0001, 12.0, 40.0);
        let world_from_body = origin.world_from_body(&north, UnitQuaternion::identity());
        let offset = world_from_body.translation();
        assert!(
            offset.x.abs() < 1e-6 && (offset.y - 11.13).abs() < 0.01 && offset.z.abs() < 1e-4,
            "{offset}"
        );
        let (place, rotation) = origin.place_of(&world_from_body);
        assert!((place.latitude_rad - north.latitude_rad).abs() < 1e-14);
        assert!(rotation.angle() < 1e-9);
    }
}
