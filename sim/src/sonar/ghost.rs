//! Echoes by mirrors: on its way out, its way back, or both, sound is thrown on by the water's surface, a
//! wall or the bed. Each is a ghost: heard from where its scatterer is not.
//!
//! A way by flat mirrors is the straight way to the scatterer's image, or from the sonar's: J. Allen and
//! D. Berkley, "Image method for efficiently simulating small-room acoustics", J. Acoust. Soc. Am. 65
//! (1979). Scatterers stand in coarser cells with the same energy, and what is far below the noise is
//! not followed. Where the water is layered, time passes at the mean slowness of each straight piece.

use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::mirror::{Mirror, WATER_SURFACE};
use super::paths::{
    self, Arrival, LEAST_COSINE, Law, NO_MIRROR, Paths, Posture, Reception, Round, Scatterer,
};
use crate::random::{Dice, Source};

/// What is this much below the noise, compressed, is not followed; power.
const BELOW_NOISE: f64 = 0.1;

/// All ways by mirrors between the sonar of one ping and a scatterer.
pub(super) struct Ghosts {
    mirrors: Vec<Mirror>,
    /// The way without a mirror first.
    pub(super) legs: Vec<Leg>,
    wavelength_m: f64,
    /// Speed of sound at the sonar.
    speed_m_per_s: f64,
    /// Least amplitude worth following.
    floor: f64,
}

/// Which mirrors a way meets, from the sonar on, and where the sonar's image in them is.
pub(super) struct Leg {
    pub(super) mirrors: Vec<usize>,
    pub(super) image: Posture,
}

/// One way between the sonar and a scatterer.
struct Way {
    length_m: f64,
    time_s: f64,
    nepers: f64,
    gain: Complex<f64>,
    /// Unit vector from the last mirror, or the sonar, to the scatterer, in `Quay`.
    meeting: Vector3<f64>,
    /// The scatterer's image, in `Sensor` axes.
    image: Vector3<f64>,
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

impl Ghosts {
    pub(super) fn new(paths: &Paths<'_>) -> Self {
        let sonar = paths.sonar;
        let mirrors = Mirror::all(paths.scene, &sonar.water, paths.posture.water_z);
        let count = mirrors.len();
        let facing = |i: &usize| mirrors[*i].height(&paths.posture.origin) > 0.0;
        let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
        orders.extend((0..count).filter(facing).map(|i| vec![i]));
        if sonar.multipath > 1 {
            let pairs = (0..count)
                .filter(facing)
                .flat_map(|i| (0..count).map(move |j| [i, j]));
            orders.extend(pairs.filter(|[i, j]| i != j).map(|pair| pair.to_vec()));
        }
        let legs = orders
            .into_iter()
            .map(|order| Leg {
                image: image_of(paths.posture, &mirrors, &order),
                mirrors: order,
            })
            .collect();
        let samples = sonar.pulse.duration_s * sonar.sample_rate_hz;
        Self {
            mirrors,
            legs,
            speed_m_per_s: sonar
                .refraction
                .as_ref()
                .map_or(sonar.sound_speed_m_per_s, |refraction| {
                    refraction.profile().speed_at(-paths.posture.origin.z)
                }),
            wavelength_m: sonar.sound_speed_m_per_s / sonar.pulse.centre_hz(),
            floor: (2.0 * BELOW_NOISE / samples).sqrt() * f64::from(sonar.receiver.noise),
        }
    }

    /// Keeps the echoes of a scatterer whose sound comes out by one leg, and back by any other so that
    /// together they meet a mirror, but not too many. The scatterer is given in the axes of the leg's
    /// image of the sonar.
    pub(super) fn collect(&self, paths: &mut Paths<'_>, out: usize, scatterer: &Scatterer) {
        let leg = &self.legs[out];
        let range = scatterer.point.norm();
        let leaving = scatterer.point / range;
        let lit = f64::from(paths.sonar.transmit(&leaving));
        let cosine = -leaving.dot(&scatterer.normal);
        let point = leg.image.in_quay(&scatterer.point);
        let whole = scatterer.strength * lit / range;
        let quiet = matches!(scatterer.law, Law::Any | Law::Lambert) && whole / range.max(1.0) < self.floor;
        if cosine < LEAST_COSINE
            || lit == 0.0
            || range > paths.sonar.farthest_m
            || paths.posture.is_dry(paths.scene, &point)
            || quiet
        {
            return;
        }
        let mut there = None;
        for (back, other) in self.legs.iter().enumerate() {
            let order = leg.mirrors.len() + other.mirrors.len();
            let skip = scatterer.law == Law::Any && back != out;
            if order == 0 || order > paths.sonar.multipath.into() || skip {
                continue;
            }
            let Some(moved) = self.heard(paths, other, &point, range) else {
                continue;
            };
            let there = there.get_or_insert_with(|| self.way(paths, leg, &point, scatterer.key));
            let Some(there) = there else {
                return;
            };
            let arrival = self.round(paths, [leg, other], there, &moved, &point, scatterer);
            paths.arrivals.extend(arrival);
        }
    }

    /// The reception of sound that comes back by a leg, if it is in range and heard by a beam.
    fn heard(&self, paths: &Paths<'_>, leg: &Leg, point: &Vector3<f64>, out_m: f64) -> Option<Reception> {
        let image = leg.image.in_axes(point);
        let range = image.norm();
        if range > 2.0 * paths.sonar.farthest_m - out_m {
            return None;
        }
        let moved = paths.posture.reception(&image, range, self.speed_m_per_s);
        paths.sonar.hears(&moved.from).then_some(moved)
    }

    fn round(
        &self,
        paths: &Paths<'_>,
        legs: [&Leg; 2],
        there: &Way,
        moved: &Reception,
        point: &Vector3<f64>,
        scatterer: &Scatterer,
    ) -> Option<Arrival> {
        let sonar = paths.sonar;
        let back = self.way(paths, legs[1], point, scatterer.key)?;
        let normal = legs[0].image.sensor_from_quay.transpose() * scatterer.normal;
        let cosines = [there, &back].map(|way| -way.meeting.dot(&normal));
        if cosines[1] < LEAST_COSINE {
            return None;
        }
        let middle = -(there.meeting + back.meeting).normalize().dot(&normal);
        let strength = scatterer.strength((cosines[0] * cosines[1]).sqrt(), middle);
        let leaving = there.image / there.length_m;
        let lit = f64::from(sonar.transmit(&leaving));
        let gain = there.gain * back.gain;
        let whole = strength * lit * gain.norm() / (there.length_m * back.length_m);
        let free = || {
            [legs[0], legs[1]]
                .iter()
                .all(|leg| self.is_free(paths, leg, point))
        };
        if whole < self.floor || !free() {
            return None;
        }
        let round = Round {
            leaving: 0.5 * (leaving + back.image / back.length_m),
            meeting: there.meeting,
            reception: Reception {
                range_m: moved.range_m,
                delay_s: there.time_s + back.time_s + (moved.range_m - back.length_m) / self.speed_m_per_s,
                from: moved.from,
            },
            out_m: there.length_m,
            nepers: there.nepers + back.nepers,
        };
        let gain = Complex::new(gain.re as f32, gain.im as f32);
        let speckle = scatterer.speckle * gain;
        let met = legs[0].mirrors.iter().chain(legs[1].mirrors.iter().rev());
        let mut mirrors = [NO_MIRROR; 2];
        for (place, mirror) in mirrors.iter_mut().zip(met) {
            *place = self.mirrors[*mirror].surface;
        }
        Some(Arrival {
            surface: scatterer.surface,
            order: (legs[0].mirrors.len() + legs[1].mirrors.len()) as u8,
            mirrors,
            point: point.map(|part| part as f32),
            ..paths::arrival(sonar, &round, strength * lit, speckle, &paths.posture.velocity)
        })
    }

    /// The places where a leg to a point meets its mirrors, with the cosines of incidence; nothing if it
    /// misses one.
    fn bounces(&self, paths: &Paths<'_>, leg: &Leg, point: &Vector3<f64>) -> Option<Bounces> {
        let mut from = paths.posture.origin;
        let mut bounces = Bounces {
            places: [(*point, 1.0); 2],
            count: leg.mirrors.len(),
        };
        for met in 0..leg.mirrors.len() {
            let image = leg.mirrors[met..]
                .iter()
                .rev()
                .fold(*point, |image, &mirror| self.mirrors[mirror].image(&image));
            bounces.places[met] = self.mirrors[leg.mirrors[met]].bounce(&from, &image)?;
            from = bounces.places[met].0;
        }
        Some(bounces)
    }

    fn way(&self, paths: &Paths<'_>, leg: &Leg, point: &Vector3<f64>, key: u64) -> Option<Way> {
        let bounces = self.bounces(paths, leg, point)?;
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
        for (&mirror, (_, cosine)) in leg.mirrors.iter().zip(bounces.met()) {
            let mirror = &self.mirrors[mirror];
            let (kept, scattered) = mirror.reflection(*cosine, self.wavelength_m);
            // The water's surface is another one at every ping.
            let ping = if mirror.surface == WATER_SURFACE {
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
        let image = leg.image.in_axes(point);
        Some(Way {
            length_m: image.norm(),
            time_s,
            nepers,
            gain,
            meeting: (point - from).normalize(),
            image,
        })
    }

    /// Whether nothing stands in the way of a leg.
    fn is_free(&self, paths: &Paths<'_>, leg: &Leg, point: &Vector3<f64>) -> bool {
        let Some(bounces) = self.bounces(paths, leg, point) else {
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

/// The sonar's image by the mirrors of a way, from the sonar on: a scatterer lies before it as the
/// scatterer's image lies before the sonar.
fn image_of(posture: &Posture, mirrors: &[Mirror], order: &[usize]) -> Posture {
    order.iter().fold(*posture, |posture, &mirror| Posture {
        sensor_from_quay: posture.sensor_from_quay * mirrors[mirror].turn(),
        origin: mirrors[mirror].image(&posture.origin),
        ..posture
    })
}
