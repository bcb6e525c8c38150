//! One leg of a way by mirrors: from the sonar by at most two of them to a scatterer.

use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::ghost::Ghosts;
use super::mirror::Mirror;
use super::paths::{Paths, Posture};
use crate::random::{Dice, Source};
use crate::vessel::Elevation;

/// Which mirrors a way meets, from the sonar on, and where the sonar's image in them is.
pub(super) struct Leg {
    pub(super) mirrors: Vec<usize>,
    /// The sonar's image in the still water and all other mirrors.
    pub(super) image: Posture,
    /// Which of the mirrors is the water's surface, and how far the image moves if that rises by a metre.
    water: Option<(usize, Vector3<f64>)>,
}

/// A leg to one scatterer at one moment: the waves have lifted the water where it is met.
///
/// The surface is taken as level there. By Fermat's principle the way's length errs by the square of the
/// slope only; where the sound comes from errs by up to twice the slope.
pub(super) struct Lifted<'a> {
    pub(super) leg: &'a Leg,
    pub(super) image: Posture,
    surface: Elevation,
}

/// One way between the sonar and a scatterer.
pub(super) struct Way {
    pub(super) length_m: f64,
    pub(super) time_s: f64,
    pub(super) nepers: f64,
    pub(super) gain: Complex<f64>,
    /// Unit vector from the last mirror, or the sonar, to the scatterer, in `Quay`.
    pub(super) meeting: Vector3<f64>,
    /// The scatterer's image, in `Sensor` axes.
    pub(super) image: Vector3<f64>,
    /// How fast the waves lengthen it, in m/s.
    pub(super) lengthens_m_per_s: f64,
}

/// Where a way meets its mirrors, with the cosines of incidence: at most two.
struct Bounces {
    places: [(Vector3<f64>, f64); 2],
    count: usize,
}

impl Bounces {
    fn met(&self) -> &[(Vector3<f64>, f64)] {
        &self.places[..self.count]
    }
}

impl Leg {
    /// By these mirrors, from the sonar on.
    pub(super) fn new(posture: &Posture, mirrors: &[Mirror], order: Vec<usize>) -> Self {
        let mut water = None;
        for (place, &mirror) in order.iter().enumerate() {
            let mirror = &mirrors[mirror];
            water = if mirror.is_water() {
                Some((place, mirror.image_shift()))
            } else {
                water.map(|(place, shift)| (place, mirror.turn() * shift))
            };
        }
        Self {
            image: image_of(posture, mirrors, &order),
            mirrors: order,
            water,
        }
    }
}

/// The sonar's image by the mirrors of a way, from the sonar on: a scatterer lies before it as the
/// scatterer's image lies before the sonar.
fn image_of(posture: &Posture, mirrors: &[Mirror], order: &[usize]) -> Posture {
    order.iter().fold(*posture, |posture, &mirror| Posture {
        sensor_from_quay: posture.sensor_from_quay * mirrors[mirror].turn(),
        origin: mirrors[mirror].image(&posture.origin, 0.0),
        ..posture
    })
}

impl Ghosts {
    /// A leg as the waves make it when the sound of a scatterer goes along it: out, or back after a way out
    /// of `out_m`.
    pub(super) fn lifted<'a>(
        &self,
        paths: &Paths<'_>,
        leg: &'a Leg,
        point: &Vector3<f64>,
        out_m: Option<f64>,
    ) -> Lifted<'a> {
        let still = Lifted {
            leg,
            image: leg.image,
            surface: Elevation::default(),
        };
        let (Some(sea), Some((place, shift))) = (&paths.sonar.sea, leg.water) else {
            return still;
        };
        let Some(bounces) = self.bounces(paths, &still, point) else {
            return still;
        };
        let mut from = paths.posture.origin;
        let mut to_water_m = 0.0;
        for (at, _) in &bounces.met()[..=place] {
            to_water_m += (at - from).norm();
            from = *at;
        }
        let way_m = out_m.map_or(to_water_m, |out_m| {
            out_m + leg.image.in_axes(point).norm() - to_water_m
        });
        let t = paths.sonar.moment_s(paths.posture.ping) + way_m / self.speed_m_per_s;
        let surface = sea.surface(t, from.x, from.y);
        let image = Posture {
            origin: leg.image.origin + shift * surface.height_m,
            ..leg.image
        };
        Lifted { leg, image, surface }
    }

    /// How far back a mirror stands for a leg.
    fn back_m(&self, mirror: usize, lifted: &Lifted<'_>) -> f64 {
        if self.mirrors[mirror].is_water() {
            lifted.surface.height_m
        } else {
            0.0
        }
    }

    /// The places where a leg to a point meets its mirrors, with the cosines of incidence; nothing if it
    /// misses one.
    fn bounces(&self, paths: &Paths<'_>, lifted: &Lifted<'_>, point: &Vector3<f64>) -> Option<Bounces> {
        let leg = lifted.leg;
        let mut from = paths.posture.origin;
        let mut bounces = Bounces {
            places: [(*point, 1.0); 2],
            count: leg.mirrors.len(),
        };
        for met in 0..leg.mirrors.len() {
            let image = leg.mirrors[met..].iter().rev().fold(*point, |image, &mirror| {
                self.mirrors[mirror].image(&image, self.back_m(mirror, lifted))
            });
            let mirror = leg.mirrors[met];
            bounces.places[met] = self.mirrors[mirror].bounce(&from, &image, self.back_m(mirror, lifted))?;
            from = bounces.places[met].0;
        }
        Some(bounces)
    }

    /// The way along a leg to a scatterer; nothing if it misses a mirror.
    pub(super) fn way(
        &self,
        paths: &Paths<'_>,
        lifted: &Lifted<'_>,
        point: &Vector3<f64>,
        key: u64,
    ) -> Option<Way> {
        let bounces = self.bounces(paths, lifted, point)?;
        let mut lengthens_m_per_s = 0.0;
        let sonar = paths.sonar;
        let (mut time_s, mut nepers, mut gain) = (0.0, 0.0, Complex::new(1.0, 0.0));
        let mut from = paths.posture.origin;
        for place in bounces.met().iter().map(|bounce| bounce.0).chain([*point]) {
            let length = (place - from).norm();
            let depths = [from.z, place.z].map(|z| paths.posture.water_z - z);
            nepers += sonar.loss.along(depths, length);
            time_s += length
                * sonar
                    .refraction
                    .as_ref()
                    .map_or(1.0 / sonar.sound_speed_m_per_s, |refraction| {
                        refraction.profile().mean_slowness(depths[0], depths[1])
                    });
            if place != *point {
                from = place;
            }
        }
        for (&mirror, (_, cosine)) in lifted.leg.mirrors.iter().zip(bounces.met()) {
            let mirror = &self.mirrors[mirror];
            let (kept, scattered) = mirror.reflection(*cosine, self.wavelength_m);
            // The water's surface is another one at every ping.
            let ping = if mirror.is_water() {
                lengthens_m_per_s += 2.0 * cosine * lifted.surface.rises_m_per_s;
                paths.posture.ping + 1
            } else {
                0
            };
            let which = u64::from(mirror.surface) | ping << 32;
            let [re, im] = Dice::new(paths.seed, Source::RoughMirror, key, which)
                .normal_pair(0)
                .map(|part| f64::from(part) * std::f64::consts::FRAC_1_SQRT_2);
            gain *= kept + Complex::new(re, im) * scattered;
        }
        let image = lifted.image.in_axes(point);
        Some(Way {
            length_m: image.norm(),
            time_s,
            nepers,
            gain,
            meeting: (point - from).normalize(),
            image,
            lengthens_m_per_s,
        })
    }

    /// Whether nothing stands in the way of a leg.
    pub(super) fn is_free(&self, paths: &Paths<'_>, lifted: &Lifted<'_>, point: &Vector3<f64>) -> bool {
        let Some(bounces) = self.bounces(paths, lifted, point) else {
            return false;
        };
        let mut from = paths.posture.origin;
        bounces
            .met()
            .iter()
            .map(|bounce| bounce.0)
            .chain([*point])
            .all(|place| {
                let free = paths.scene.sees(&from, &place);
                from = place;
                free
            })
    }
}
