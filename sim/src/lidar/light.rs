//! Where the light of one line goes: to surfaces that scatter it, off water and glass that mirror
//! it, through panes, and into drops.

use nalgebra::Vector3;

use super::fresnel;
use crate::random::Dice;
use crate::scenario::LidarScenario;
use crate::scene::{Hit, Scene};

/// Nothing nearer than this is seen, in metres.
const NEAREST_M: f64 = 0.5;
/// Intensity of a white surface seen straight on.
pub(super) const INTENSITY_FULL: f64 = 255.0;
/// Light leaves a mirror or pane this far from it, in metres.
const SKIN_M: f64 = 1e-6;
/// Lines that one line may split into at panes.
const MOST_LINES: usize = 8;
/// Mirrors and panes that light is followed past.
const MOST_TURNS: u8 = 3;
/// Light that mirrors and panes have weakened below this part is not followed.
const LEAST_SHARE: f64 = 1e-4;
/// One sigma of the angle within which a pane throws light back into the sensor, in radians:
/// waviness of glass and the sensor's aperture.
const GLINT_RAD: f64 = 0.01;
/// What a pane's glint is in units of a white surface's echo, as far as a receiver can tell.
const GLINT_GAIN: f64 = 50.0;
/// Echo of a drop in units of a white surface's that fills the beam.
const DROP_SHARE: f64 = 0.05;
/// Draws of the dice of a ray: 0 to 7 belong to the receiver.
const SPRAY_DRAW: u64 = 8;
const RAIN_DRAW: u64 = 10;
const SLOPE_DRAW: u64 = 12;

/// What light met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Echo {
    /// Half of the light's way there and back, in metres.
    pub(super) range_m: f64,
    /// Strength without the spreading by range, 255 for a white surface seen straight on.
    pub(super) strength: f64,
    /// The surface's id; [`super::ReturnTruth::NO_SURFACE`] for a drop.
    pub(super) surface: u32,
    /// Mirrors on the way there.
    pub(super) order: u8,
    /// Where the light truly turned back, in `Quay`.
    pub(super) point: Vector3<f64>,
    /// Whether the sensor reports a place where that surface is not.
    pub(super) ghost: bool,
}

/// Air and water that light goes through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Medium<'a> {
    pub(super) scene: &'a Scene,
    pub(super) lidar: &'a LidarScenario,
    /// Height of the waterline, in metres in `Quay`.
    pub(super) water_m: f64,
}

/// Light on its way.
#[derive(Clone, Copy, Debug)]
struct Line {
    origin: Vector3<f64>,
    direction: Vector3<f64>,
    travelled_m: f64,
    /// Part that is left after passing everything on the way twice.
    share: f64,
    turns: u8,
    mirrors: u8,
}

impl Medium<'_> {
    /// All that a line of light in `Quay` meets, in no order.
    pub(super) fn echoes(
        &self,
        origin: &Vector3<f64>,
        direction: &Vector3<f64>,
        dice: &Dice,
        into: &mut Vec<Echo>,
    ) {
        let mut lines = [Line {
            origin: *origin,
            direction: *direction,
            travelled_m: 0.0,
            share: 1.0,
            turns: 0,
            mirrors: 0,
        }; MOST_LINES];
        let mut count = 1;
        while count > 0 {
            count -= 1;
            let line = lines[count];
            for next in self.follow(&line, dice, into).into_iter().flatten() {
                if count < MOST_LINES && next.turns <= MOST_TURNS && next.share > LEAST_SHARE {
                    lines[count] = next;
                    count += 1;
                }
            }
        }
    }

    /// One line to the first thing it meets, and the lines that go on from there.
    fn follow(&self, line: &Line, dice: &Dice, into: &mut Vec<Echo>) -> [Option<Line>; 2] {
        let near = if line.turns == 0 { NEAREST_M } else { SKIN_M };
        let left = self.lidar.range_m - line.travelled_m;
        let to_water = if line.direction.z < 0.0 {
            (self.water_m - line.origin.z) / line.direction.z
        } else {
            f64::INFINITY
        };
        let hit = self
            .scene
            .cast(&line.origin, &line.direction, near, left.min(to_water));
        if line.turns == 0 {
            let free = hit.map_or(left.min(to_water), |(_, hit)| hit.distance);
            self.drops(line, free, dice, into);
        }
        match hit {
            None if self.lidar.water_ghosts && to_water > 0.0 && to_water < left => {
                [self.off_water(line, to_water, dice), None]
            }
            None => [None, None],
            Some((surface, hit)) => {
                let kind = self.scene.surfaces[surface as usize].kind;
                let straight = line.direction.dot(&hit.normal).abs();
                let strength = INTENSITY_FULL * kind.reflectivity() * straight * line.share;
                let pane = kind.transmission() > 0.0;
                let glint = if pane { glint(straight) * line.share } else { 0.0 };
                into.push(echo(line, hit.distance, surface, strength + glint));
                if pane { at_pane(line, &hit) } else { [None, None] }
            }
        }
    }

    /// Light mirrored by the water. Wind tilts the mirror: slopes are normal with the variance of
    /// C. Cox, W. Munk, "Measurement of the roughness of the sea surface from photographs of the
    /// sun's glitter", J. Opt. Soc. Am. 44 (1954), half of it along each axis.
    fn off_water(&self, line: &Line, distance: f64, dice: &Dice) -> Option<Line> {
        let wind = self.lidar.wind_m_per_s;
        let normal = if wind > 0.0 {
            let sigma = (0.5 * (0.003 + 5.12e-3 * wind)).sqrt();
            let [x, y] = dice
                .normal_pair(SLOPE_DRAW)
                .map(|slope| -sigma * f64::from(slope));
            Vector3::new(x, y, 1.0).normalize()
        } else {
            Vector3::z()
        };
        let direction = mirrored(&line.direction, &normal);
        let cos = -line.direction.dot(&normal);
        if cos <= 0.0 || direction.z <= 0.0 {
            return None;
        }
        Some(line.after(distance, direction, fresnel::boundary(cos, fresnel::WATER), true))
    }

    /// Echoes of at most one drop of spray and one of rain before a distance. The chance of a rain
    /// drop per metre is the extinction by rain: every drop that takes light gives some back.
    fn drops(&self, line: &Line, free: f64, dice: &Dice, into: &mut Vec<Echo>) {
        let mut drop = |distance: f64| {
            if distance > NEAREST_M && distance < free {
                let surface = super::ReturnTruth::NO_SURFACE;
                let mut drop = echo(line, distance, surface, INTENSITY_FULL * DROP_SHARE);
                drop.ghost = true;
                into.push(drop);
            }
        };
        if self.lidar.spray > 0.0 && dice.uniform(SPRAY_DRAW) < self.lidar.spray {
            drop(-self.lidar.spray_reach_m * dice.uniform(SPRAY_DRAW + 1).ln());
        }
        let extinction = extinction_per_m(self.lidar.rain_mm_per_h);
        if extinction > 0.0 {
            drop(-dice.uniform(RAIN_DRAW).ln() / extinction);
        }
    }
}

impl Line {
    /// The line that goes on from a mirror or pane, of which this part of the power is sent on:
    /// twice, because what comes back passes it again.
    fn after(&self, distance: f64, direction: Vector3<f64>, part: f64, mirror: bool) -> Self {
        Self {
            origin: self.origin + self.direction * distance,
            direction,
            travelled_m: self.travelled_m + distance,
            share: self.share * part * part,
            turns: self.turns + 1,
            mirrors: self.mirrors + u8::from(mirror),
        }
    }
}

/// Extinction of near-infrared light by rain, in nepers of power per metre, one way:
/// 1.076 R^0.67 dB/km (ITU-R P.1814, table 2, after Carbonneau).
pub(super) fn extinction_per_m(rain_mm_per_h: f64) -> f64 {
    if rain_mm_per_h > 0.0 {
        1.076e-3 * rain_mm_per_h.powf(0.67) * std::f64::consts::LN_10 / 10.0
    } else {
        0.0
    }
}

fn echo(line: &Line, distance: f64, surface: u32, strength: f64) -> Echo {
    Echo {
        range_m: line.travelled_m + distance,
        strength,
        surface,
        order: line.mirrors,
        point: line.origin + line.direction * distance,
        ghost: line.mirrors > 0,
    }
}

/// Strength of what a pane throws straight back, if it is seen nearly straight on, beside the little
/// that its dust scatters.
fn glint(cos_incidence: f64) -> f64 {
    let cos = cos_incidence.min(1.0);
    let off = cos.acos() / GLINT_RAD;
    INTENSITY_FULL * GLINT_GAIN * fresnel::pane(cos, fresnel::GLASS) * (-0.5 * off * off).exp()
}

/// Light through a thin pane, and light mirrored by it.
fn at_pane(line: &Line, hit: &Hit) -> [Option<Line>; 2] {
    let cos = line.direction.dot(&hit.normal).abs().min(1.0);
    let part = fresnel::pane(cos, fresnel::GLASS);
    let back = mirrored(&line.direction, &hit.normal);
    [
        Some(line.after(hit.distance, line.direction, 1.0 - part, false)),
        Some(line.after(hit.distance, back, part, true)),
    ]
}

fn mirrored(direction: &Vector3<f64>, normal: &Vector3<f64>) -> Vector3<f64> {
    direction - normal * (2.0 * direction.dot(normal))
}
