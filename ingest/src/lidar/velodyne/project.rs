//! From distance and azimuth to a point: x forward (azimuth 0), y left, z up, metres.
//!
//! Azimuths count clockwise seen from above. Source: HDL-64E S3 User Manual 63-HDL64ES3 Rev. J,
//! appendix on coordinates, whose y is our x and whose x is our -y; the two points of calibration
//! stand at 25.04 m and at 2.40 m (across) and 1.93 m (ahead).

use beluga_types::elementary::sin_cos;

use super::calibration::{Calibration, Laser};
use super::shots::Aim;

/// Where the two points of a calibration stand, in metres.
const FAR_M: f64 = 25.04;
const NEAR_ACROSS_M: f64 = 2.40;
const NEAR_AHEAD_M: f64 = 1.93;

/// What a packet's aims share: computed once for each packet.
pub(super) struct Aimed {
    /// Of each aim, what changes with the head's rate and what a laser needs that has no more than
    /// angles: side by side, since every point asks for all of it.
    beams: Vec<Beam>,
    /// Of each aim, the rest.
    lasers: Vec<Fixed>,
    distance_unit_m: f64,
    /// Whether any laser needs more than its angles.
    corrected: bool,
}

/// One aim as it is now.
#[derive(Clone, Copy)]
struct Beam {
    /// Sine and cosine of the angle between the block's azimuth and the beam.
    turned: (f64, f64),
    elevation: (f64, f64),
    rise_m: f64,
    ring: u16,
}

/// What does not change of a laser.
#[derive(Clone, Copy)]
struct Fixed {
    laser: Laser,
    rotation: (f64, f64),
    after_s: f64,
}

impl Aimed {
    pub(super) fn new(calibration: &Calibration, aims: &[Aim]) -> Self {
        let rings = calibration.rings();
        let fixed = |aim: &Aim| {
            let laser = calibration.lasers[usize::from(aim.laser)];
            Fixed {
                laser,
                rotation: sin_cos(-laser.rotation_rad),
                after_s: aim.after_s,
            }
        };
        let beam = |aim: &Aim| {
            let laser = calibration.lasers[usize::from(aim.laser)];
            Beam {
                turned: (0.0, 1.0),
                elevation: sin_cos(laser.elevation_rad),
                rise_m: laser.rise_m,
                ring: rings[usize::from(aim.laser)],
            }
        };
        let plain = |laser: &Laser| {
            laser.distance_m == 0.0 && laser.near_m.is_none() && laser.up_m == 0.0 && laser.beside_m == 0.0
        };
        let mut aimed = Self {
            beams: aims.iter().map(beam).collect(),
            lasers: aims.iter().map(fixed).collect(),
            distance_unit_m: calibration.distance_unit_m,
            corrected: !calibration.lasers.iter().all(plain),
        };
        aimed.turn(0.0);
        aimed
    }

    /// How far the head turns from a block's azimuth to each firing, at this rate.
    pub(super) fn turn(&mut self, rate_rad_per_s: f64) {
        for (beam, fixed) in self.beams.iter_mut().zip(&self.lasers) {
            // At most 0.02 rad, so that the next terms are below 1e-11.
            let angle = rate_rad_per_s * fixed.after_s;
            let square = angle * angle;
            let (sin, cos) = (
                angle * (1.0 - square / 6.0 * (1.0 - square / 20.0)),
                1.0 - square / 2.0 * (1.0 - square / 12.0),
            );
            let (rotation_sin, rotation_cos) = fixed.rotation;
            beam.turned = (
                sin * rotation_cos + cos * rotation_sin,
                cos * rotation_cos - sin * rotation_sin,
            );
        }
    }

    /// The ring of an aim's laser, from below.
    #[inline]
    pub(super) fn ring(&self, aim: u8) -> u16 {
        self.beams[usize::from(aim)].ring
    }

    /// The point of one measurement; `azimuth` is sine and cosine of the block's.
    #[inline]
    pub(super) fn point(&self, aim: u8, azimuth: (f64, f64), distance: u16) -> [f32; 3] {
        let beam = &self.beams[usize::from(aim)];
        let turned = beam.turned;
        let sin = azimuth.0 * turned.1 + azimuth.1 * turned.0;
        let cos = azimuth.1 * turned.1 - azimuth.0 * turned.0;
        let distance_m = f64::from(distance) * self.distance_unit_m;
        if self.corrected {
            return corrected(beam, &self.lasers[usize::from(aim)].laser, (sin, cos), distance_m);
        }
        let flat = distance_m * beam.elevation.1;
        let z = distance_m * beam.elevation.0 + beam.rise_m;
        [(flat * cos) as f32, (-flat * sin) as f32, z as f32]
    }
}

/// With all corrections of an HDL-64E.
fn corrected(beam: &Beam, laser: &Laser, (sin, cos): (f64, f64), distance_m: f64) -> [f32; 3] {
    let (elevation_sin, elevation_cos) = beam.elevation;
    let flat = |distance_m: f64| distance_m * elevation_cos - laser.up_m * elevation_sin;
    let across = |flat: f64| flat * sin - laser.beside_m * cos;
    let ahead = |flat: f64| flat * cos + laser.beside_m * sin;
    let far_m = distance_m + laser.distance_m;
    let (mut across_m, mut ahead_m) = (far_m, far_m);
    if let Some([near_across, near_ahead]) = laser.near_m {
        let line = |near: f64, at: f64, near_at: f64| {
            distance_m + near + (laser.distance_m - near) * (at - near_at) / (FAR_M - near_at)
        };
        let flat = flat(far_m);
        across_m = line(near_across, across(flat).abs(), NEAR_ACROSS_M);
        ahead_m = line(near_ahead, ahead(flat).abs(), NEAR_AHEAD_M);
    }
    let z = ahead_m * elevation_sin + laser.up_m * elevation_cos + laser.rise_m;
    [
        ahead(flat(ahead_m)) as f32,
        -across(flat(across_m)) as f32,
        z as f32,
    ]
}

#[cfg(test)]
mod tests {
    use super::super::model::{Model, Returns};
    use super::super::shots::Shots;
    use super::*;
    use beluga_types::elementary::{cos, sin, tan};

    fn aimed(calibration: &Calibration, model: Model) -> Aimed {
        Aimed::new(calibration, &Shots::new(model, Returns::Single).aims)
    }

    fn close(found: [f32; 3], expected: [f64; 3]) {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((f64::from(found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn azimuth_0_is_ahead_90_to_the_right_and_up_is_up() {
        let calibration = Calibration::built_in(Model::Vlp16).unwrap();
        let aimed = aimed(&calibration, Model::Vlp16);
        // Laser 15 looks 15° up, laser 0 15° down; 5000 × 2 mm.
        let (up, flat) = (
            10.0 * sin(15f64.to_radians()) - 0.0112,
            10.0 * cos(15f64.to_radians()),
        );
        let at = |laser: u8, azimuth_deg: f64| aimed.point(laser, sin_cos(azimuth_deg.to_radians()), 5000);
        let near = |found: [f32; 3], expected: [f64; 3]| {
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((f64::from(found) - expected).abs() < 1e-4, "{found} {expected}");
            }
        };
        near(at(15, 0.0), [flat, 0.0, up]);
        near(at(15, 90.0), [0.0, -flat, up]);
        near(at(15, 180.0), [-flat, 0.0, up]);
        near(at(0, 270.0), [0.0, flat, -up]);
    }

    #[test]
    fn a_laser_that_looks_clockwise_of_the_head_is_to_its_right() {
        // VLP-32C, laser 0: elevation -25°, azimuth offset +1.4° (manual, table 9-2).
        let calibration = Calibration::built_in(Model::Vlp32c).unwrap();
        let [x, y, _] = aimed(&calibration, Model::Vlp32c).point(0, (0.0, 1.0), 2500);
        assert!(x > 0.0 && (f64::from(-y / x) - tan(1.4f64.to_radians())).abs() < 1e-6);
    }

    #[test]
    fn the_head_turns_between_the_block_s_azimuth_and_the_firing() {
        let calibration = Calibration::built_in(Model::Vlp16).unwrap();
        let mut aimed = aimed(&calibration, Model::Vlp16);
        let rate = 20.0 * std::f64::consts::TAU;
        aimed.turn(rate);
        // Second sequence of the block, laser 14 (-1°): 55.296 + 14 × 2.304 µs later.
        let angle = rate * (55.296e-6 + 14.0 * 2.304e-6);
        let flat = 10.0 * cos(1f64.to_radians());
        let z = -10.0 * sin(1f64.to_radians()) + 0.041_91 * tan(1f64.to_radians());
        close(
            aimed.point(30, (0.0, 1.0), 5000),
            [flat * cos(angle), -flat * sin(angle), z],
        );
    }

    #[test]
    fn two_points_of_calibration_meet_the_stated_distances() {
        let laser = Laser {
            distance_m: 1.2,
            near_m: Some([1.3, 1.4]),
            ..Laser::default()
        };
        let calibration = Calibration {
            distance_unit_m: 0.002,
            lasers: vec![laser; 64],
        };
        let aimed = aimed(&calibration, Model::Hdl64eS2);
        // Ahead: 23.84 + 1.2 m is the far point, 0.73 + 1.2 m the near one.
        close(aimed.point(0, (0.0, 1.0), 11_920), [25.04, 0.0, 0.0]);
        close(aimed.point(0, (0.0, 1.0), 365), [0.73 + 1.4, 0.0, 0.0]);
        // To the right: 1.2 + 1.2 m.
        close(aimed.point(0, (1.0, 0.0), 600), [0.0, -(1.2 + 1.3), 0.0]);
    }

    #[test]
    fn a_laser_fired_beside_and_above_the_centre() {
        let laser = Laser {
            up_m: 0.2,
            beside_m: 0.03,
            ..Laser::default()
        };
        let calibration = Calibration {
            distance_unit_m: 0.002,
            lasers: vec![laser; 64],
        };
        let aimed = aimed(&calibration, Model::Hdl64eS2);
        close(aimed.point(0, (0.0, 1.0), 5000), [10.0, 0.03, 0.2]);
        close(aimed.point(0, (1.0, 0.0), 5000), [0.03, -10.0, 0.2]);
    }
}
