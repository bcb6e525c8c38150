//! Echoes by mirrors: on its way out, its way back, or both, sound is thrown on by the water's surface, a
//! wall or the bed. Each is a ghost: heard from where its scatterer is not.
//!
//! A way by flat mirrors is the straight way to the scatterer's image, or from the sonar's: J. Allen and
//! D. Berkley, "Image method for efficiently simulating small-room acoustics", J. Acoust. Soc. Am. 65
//! (1979). Scatterers stand in coarser cells with the same energy, and what is far below the noise is
//! not followed. Where the water is layered, time passes at the mean slowness of each straight piece. The
//! water's surface stands where the waves of the sea have lifted it.

use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::leg::{Leg, Lifted, Way};
use super::mirror::Mirror;
use super::paths::{self, Arrival, LEAST_COSINE, Law, NO_MIRROR, Paths, Reception, Round, Scatterer};

/// What is this much below the noise, compressed, is not followed; power.
const BELOW_NOISE: f64 = 0.1;

/// All ways by mirrors between the sonar of one ping and a scatterer.
pub(super) struct Ghosts {
    pub(super) mirrors: Vec<Mirror>,
    /// The way without a mirror first.
    pub(super) legs: Vec<Leg>,
    pub(super) wavelength_m: f64,
    /// Speed of sound at the sonar.
    pub(super) speed_m_per_s: f64,
    /// Least amplitude worth following.
    floor: f64,
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
            .map(|order| Leg::new(paths.posture, &mirrors, order))
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
            let other = self.lifted(paths, other, &point, Some(range));
            let Some(moved) = self.heard(paths, &other, &point, range) else {
                continue;
            };
            let there = there.get_or_insert_with(|| {
                let lifted = self.lifted(paths, leg, &point, None);
                let way = self.way(paths, &lifted, &point, scatterer.key)?;
                Some((lifted, way))
            });
            let Some((lifted, there)) = there else {
                return;
            };
            let arrival = self.round(paths, [lifted, &other], there, &moved, &point, scatterer);
            paths.arrivals.extend(arrival);
        }
    }

    /// The reception of sound that comes back by a leg, if it is in range and heard by a beam.
    fn heard(
        &self,
        paths: &Paths<'_>,
        leg: &Lifted<'_>,
        point: &Vector3<f64>,
        out_m: f64,
    ) -> Option<Reception> {
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
        legs: [&Lifted<'_>; 2],
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
        let met = legs[0].leg.mirrors.iter().chain(legs[1].leg.mirrors.iter().rev());
        let mut mirrors = [NO_MIRROR; 2];
        for (place, mirror) in mirrors.iter_mut().zip(met) {
            *place = self.mirrors[*mirror].surface;
        }
        let arrival = paths::arrival(sonar, &round, strength * lit, speckle, &paths.posture.velocity);
        // Waves that rise make the way longer and the tone lower.
        let lengthens_m_per_s = there.lengthens_m_per_s + back.lengthens_m_per_s;
        Some(Arrival {
            doppler: arrival.doppler - lengthens_m_per_s / sonar.sound_speed_m_per_s,
            surface: scatterer.surface,
            order: (legs[0].leg.mirrors.len() + legs[1].leg.mirrors.len()) as u8,
            mirrors,
            point: point.map(|part| part as f32),
            ..arrival
        })
    }
}
