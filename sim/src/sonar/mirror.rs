//! Mirrors: flat faces that throw sound on, and how much of it.

use std::f64::consts::TAU;

use nalgebra::{Matrix3, Vector3};
use rustfft::num_complex::Complex;

use crate::scenario::WaterScenario;
use crate::scene::{Kind, Scene, Shape};

/// The water's surface among surfaces; [`Scene`]'s own are counted from zero.
pub(crate) const WATER_SURFACE: u32 = u32::MAX - 1;
/// Smaller faces are no mirrors, in square metres.
const LEAST_AREA_M2: f64 = 10.0;
/// No more mirrors than this: the largest.
const MOST: usize = 6;

/// A flat face that throws sound on.
#[derive(Clone, Debug)]
pub(super) struct Mirror {
    /// Its place in the scene's list, or [`WATER_SURFACE`].
    pub(super) surface: u32,
    /// A point on it, in `Quay`.
    corner: Vector3<f64>,
    /// Unit vector towards the water.
    normal: Vector3<f64>,
    /// Edges and their lengths; the water's surface has none.
    patch: Option<([Vector3<f64>; 2], [f64; 2])>,
    medium: Medium,
    roughness_m: f64,
    /// What is higher in `Quay` is dry.
    top_z: f64,
}

/// What is behind a mirror, as a fluid.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Medium {
    Air,
    Dense {
        /// Density over the water's.
        density: f64,
        /// Speed of sound over the water's.
        speed: f64,
        /// Imaginary part of the wave number over its real part.
        loss: f64,
    },
}

impl Medium {
    /// What throws sound on at this kind of surface, and its roughness in metres. Sand from the APL-UW
    /// handbook TR 9407 (1994), part IV, table 2; concrete, steel and rubber as fluids with their
    /// density and compressional speed.
    fn of(kind: Kind) -> (Self, f64) {
        let dense = |density, speed, loss| Self::Dense { density, speed, loss };
        match kind {
            Kind::Bed => (dense(1.845, 1.178, 0.016), 4e-3),
            Kind::Container | Kind::Pile => (dense(7.8, 3.9, 0.001), 0.5e-3),
            Kind::Fender => (dense(1.1, 1.0, 0.05), 2e-3),
            _ => (dense(2.4, 2.4, 0.01), 1.5e-3),
        }
    }

    /// Rayleigh's reflection coefficient of pressure by the cosine of incidence; L. Brekhovskikh and
    /// Yu. Lysanov, "Fundamentals of Ocean Acoustics", Springer 2003, section 3.1.
    fn reflection(self, cosine: f64) -> Complex<f64> {
        match self {
            Self::Air => Complex::new(-1.0, 0.0),
            Self::Dense { density, speed, loss } => {
                let index = Complex::new(1.0, loss) / speed;
                let within = (index * index - (1.0 - cosine * cosine)).sqrt();
                let outside = Complex::new(density * cosine, 0.0);
                (outside - within) / (outside + within)
            }
        }
    }
}

/// What a kind of surface reflects of an amplitude at normal incidence, and the standard deviation of the
/// slope of its smooth parts in one direction: sand between ripples, and fouled structures.
pub(super) fn glints(kind: Kind) -> (f64, f64) {
    let slope = if kind == Kind::Bed { 0.2 } else { 0.15 };
    (Medium::of(kind).0.reflection(1.0).norm(), slope)
}

impl Mirror {
    /// The mirrors of a scene: the water's surface and the largest flat faces below it.
    pub(super) fn all(scene: &Scene, water: &WaterScenario, water_z: f64) -> Vec<Self> {
        let top_z = scene.top_z(water_z);
        let mut faces: Vec<(f64, Self)> = (0u32..)
            .zip(&scene.surfaces)
            .filter_map(|(id, surface)| {
                let Shape::Rectangle {
                    corner,
                    first,
                    second,
                    size,
                } = surface.shape
                else {
                    return None;
                };
                let (medium, roughness_m) = Medium::of(surface.kind);
                let low = surface.shape.bounds().low.z;
                (low < top_z && size[0] * size[1] >= LEAST_AREA_M2).then(|| {
                    let mirror = Self {
                        surface: id,
                        corner,
                        normal: second.cross(&first),
                        patch: Some(([first, second], size)),
                        medium,
                        roughness_m,
                        top_z,
                    };
                    (size[0] * size[1], mirror)
                })
            })
            .collect();
        faces.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.surface.cmp(&b.1.surface)));
        let top = Self {
            surface: WATER_SURFACE,
            corner: Vector3::z() * water_z,
            normal: -Vector3::z(),
            patch: None,
            medium: Medium::Air,
            roughness_m: surface_roughness_m(water),
            top_z: f64::INFINITY,
        };
        scene
            .has_water
            .then_some(top)
            .into_iter()
            .chain(faces.into_iter().take(MOST - 1).map(|(_, mirror)| mirror))
            .collect()
    }

    /// The image of a point in the mirror moved back by `back_m` along its normal.
    pub(super) fn image(&self, point: &Vector3<f64>, back_m: f64) -> Vector3<f64> {
        point - self.normal * (2.0 * (self.height(point) + back_m))
    }

    /// Whether it is the water's surface.
    pub(super) fn is_water(&self) -> bool {
        self.surface == WATER_SURFACE
    }

    /// How far an image moves if the mirror moves back by one metre.
    pub(super) fn image_shift(&self) -> Vector3<f64> {
        self.normal * -2.0
    }

    /// The mirroring as a matrix for directions.
    pub(super) fn turn(&self) -> Matrix3<f64> {
        Matrix3::identity() - self.normal * self.normal.transpose() * 2.0
    }

    /// How far a point is before the mirror.
    pub(super) fn height(&self, point: &Vector3<f64>) -> f64 {
        (point - self.corner).dot(&self.normal)
    }

    /// Where the straight way from a point before the mirror to one behind it meets it, moved back by `back_m`,
    /// and the cosine of incidence there; nothing if that is beside the mirror or above the water.
    pub(super) fn bounce(
        &self,
        from: &Vector3<f64>,
        to_image: &Vector3<f64>,
        back_m: f64,
    ) -> Option<(Vector3<f64>, f64)> {
        /// A little before the mirror, so that it does not stand in its own way.
        const OFF_M: f64 = 1e-6;
        let (before, behind) = (self.height(from) + back_m, self.height(to_image) + back_m);
        if before <= 0.0 || behind >= 0.0 {
            return None;
        }
        let way = to_image - from;
        let place = from + way * (before / (before - behind)) + self.normal * OFF_M;
        let arm = place - self.corner;
        let inside = self.patch.is_none_or(|(edges, size)| {
            edges
                .iter()
                .zip(size)
                .all(|(edge, length)| (0.0..=length).contains(&arm.dot(edge)))
        });
        let cosine = (before - behind) / way.norm();
        (inside && place.z < self.top_z).then_some((place, cosine))
    }

    /// Reflection at a cosine of incidence: the part that keeps its phase, and the standard deviation of
    /// the part that roughness scatters around the same direction with a phase of its own.
    ///
    /// Kirchhoff's approximation for a normal distribution of heights σ: the mean field falls by
    /// exp(-2 (k σ cos)²), with the angle of incidence from the normal (C. Eckart, J. Acoust. Soc. Am.
    /// 25 (1953)); the power that leaves it goes on unphased. That it fans out is not followed: what one
    /// scatterer's echo loses to other directions its neighbours' echoes bring.
    pub(super) fn reflection(&self, cosine: f64, wavelength_m: f64) -> (Complex<f64>, f64) {
        let whole = self.medium.reflection(cosine);
        let phase = TAU / wavelength_m * self.roughness_m * cosine;
        let kept = (-2.0 * phase * phase).exp();
        (whole * kept, whole.norm() * (1.0 - kept * kept).max(0.0).sqrt())
    }
}

/// Standard deviation of the surface's height: as stated, else of a fully grown sea, 0.0053 U², of the
/// APL-UW handbook TR 9407 (1994), part II.
fn surface_roughness_m(water: &WaterScenario) -> f64 {
    let grown = 0.0053 * water.wind_m_per_s * water.wind_m_per_s;
    water.surface_roughness_m.unwrap_or(grown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against another implementation: density 1200 and speed 1600 behind 1000 and 1500, and sand
    /// beyond its critical angle.
    #[test]
    fn reflection_is_rayleighs() {
        println!("reflection coefficient: expected and measured");
        let clay = Medium::Dense {
            density: 1.2,
            speed: 1600.0 / 1500.0,
            loss: 0.0,
        };
        let known: [(f64, f64, f64); 4] = [
            (0.0f64, 0.122_807_017_543_859_6, 0.0),
            (30.0, 0.134_366_031_035_248_7, 0.0),
            (60.0, 0.251_257_558_932_891_1, 0.0),
            (80.0, -0.353_663_751_320_539_8, -0.935_372_626_818_790_1),
        ];
        for (angle_deg, re, im) in known {
            let found = clay.reflection(angle_deg.to_radians().cos());
            println!("  {angle_deg} deg: {re} {im} {found:.9}");
            // Total reflection's phase has the other sign with the other sign of time.
            assert!((found.re - re).abs() < 1e-12 && (found.im.abs() - im.abs()).abs() < 1e-12);
        }
        assert_eq!(Medium::Air.reflection(0.3), Complex::new(-1.0, 0.0));
    }

    #[test]
    fn roughness_takes_phase_and_keeps_power() {
        let rough = Mirror {
            surface: WATER_SURFACE,
            corner: Vector3::zeros(),
            normal: -Vector3::z(),
            patch: None,
            medium: Medium::Air,
            roughness_m: 2e-3,
            top_z: f64::INFINITY,
        };
        for cosine in [0.05, 0.3, 0.9] {
            let (kept, scattered) = rough.reflection(cosine, 5e-3);
            let expected = (-2.0 * (TAU / 5e-3 * 2e-3 * cosine).powi(2)).exp();
            let power = kept.norm_sqr() + scattered * scattered;
            println!(
                "rough mirror: expected {:.12} and power 1, measured {:.12}, {power:.12}",
                -expected, kept.re
            );
            assert!((kept.re + expected).abs() < 1e-12);
            assert!((kept.norm_sqr() + scattered * scattered - 1.0).abs() < 1e-12);
        }
        let from = Vector3::new(0.0, 0.0, -1.0);
        let (place, cosine) = rough.bounce(&from, &Vector3::new(8.0, 0.0, 5.0), 0.0).unwrap();
        assert!((place - Vector3::new(8.0 / 6.0, 0.0, 0.0)).norm() < 1e-5);
        assert!((cosine - 0.6).abs() < 1e-12);
        assert_eq!(rough.image(&from, 0.0), Vector3::new(0.0, 0.0, 1.0));
        assert!(rough.bounce(&from, &Vector3::new(8.0, 0.0, -5.0), 0.0).is_none());
        // Half a metre higher.
        assert_eq!(rough.image(&from, 0.5), Vector3::new(0.0, 0.0, 2.0));
        assert_eq!(
            rough.image(&from, 0.0) + rough.image_shift() * 0.5,
            Vector3::new(0.0, 0.0, 2.0)
        );
        let (place, _) = rough.bounce(&from, &Vector3::new(8.0, 0.0, 5.0), 0.5).unwrap();
        assert!((place - Vector3::new(2.0, 0.0, 0.5)).norm() < 1e-5);
    }
}
