//! An inertial measurement unit: what its gyroscopes and accelerometers truly feel, with their
//! constant and walking biases and white noise.
//!
//! It feels the turning of the Earth and gravity as WGS 84 has it. Samples are values at their
//! stamps. Noise is stated as IEEE Std 952-1997 does, by the slopes of the Allan deviation: angle
//! (velocity) random walk `N`, with `σ(τ) = N / √τ`, and rate random walk `K`, with `σ(τ) = K √(τ/3)`.

use beluga_types::{Body, Direction, ImuSample, Sensor, Stamp, Transform};
use nalgebra::{UnitQuaternion, Vector3};

use super::walk::brownian;
use crate::random::{Dice, Source};
use crate::scenario::{ImuScenario, Scenario};
use crate::vessel::{Motion, START};

/// Rotation rate of the Earth, in rad/s (WGS 84).
pub(super) const EARTH_RAD_PER_S: f64 = 7.292_115e-5;
/// Acceleration that is called one g, in m/s².
const STANDARD_GRAVITY: f64 = 9.806_65;

/// The unit on its mount.
#[derive(Clone, Debug)]
pub(crate) struct Imu {
    seed: u64,
    rate_hz: f64,
    count: u64,
    body_from_sensor: Transform<Body, Sensor>,
    earth: Earth,
    /// Of the gyroscopes (rad/s), then the accelerometers (m/s²).
    errors: [Errors; 2],
}

/// Errors of three like axes.
#[derive(Clone, Copy, Debug)]
struct Errors {
    bias: Vector3<f64>,
    /// Per square root of a second.
    white: f64,
    /// Times a square root of a second.
    walk: f64,
}

/// What the Earth does at a place, in the axes of `Quay`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Earth {
    pub(super) rate: Vector3<f64>,
    pub(super) gravity: Vector3<f64>,
}

impl Earth {
    /// At a latitude. Gravity at the ellipsoid by Somigliana's formula with the constants of WGS 84
    /// (NIMA TR8350.2, equation 4-1), in m/s².
    pub(super) fn at(latitude_rad: f64, world_from_quay: &UnitQuaternion<f64>) -> Self {
        let (sin, cos) = latitude_rad.sin_cos();
        let gravity = 9.780_325_335_9 * (1.0 + 0.001_931_852_652_41 * sin * sin)
            / (1.0 - 0.006_694_379_990_14 * sin * sin).sqrt();
        Self {
            rate: world_from_quay.inverse() * Vector3::new(0.0, cos, sin) * EARTH_RAD_PER_S,
            gravity: Vector3::new(0.0, 0.0, -gravity),
        }
    }

    /// Rotation rate and specific force at a sensor that moves with the vessel, in its own axes.
    fn felt(&self, motion: &Motion, body_from_sensor: &Transform<Body, Sensor>) -> [Vector3<f64>; 2] {
        let quay_from_body = motion.pose().rotation();
        let [rate, change] = motion.rotation_rate();
        let arm = body_from_sensor.translation();
        let turned = quay_from_body * (change.cross(&arm) + rate.cross(&rate.cross(&arm)));
        let velocity = motion.velocity() + quay_from_body * rate.cross(&arm);
        let force = motion.acceleration() + turned + self.rate.cross(&velocity) * 2.0 - self.gravity;
        let sensor_from_body = body_from_sensor.rotation().inverse();
        let body_from_quay = quay_from_body.inverse();
        [
            sensor_from_body * (rate + body_from_quay * self.rate),
            sensor_from_body * (body_from_quay * force),
        ]
    }
}

impl Imu {
    pub(crate) fn new(
        scenario: &Scenario,
        imu: &ImuScenario,
        body_from_sensor: Transform<Body, Sensor>,
        latitude_rad: f64,
        world_from_quay: &UnitQuaternion<f64>,
    ) -> Self {
        let turned_on = |sensor: u64, sigma: f64| {
            let dice = |axis| Dice::new(scenario.seed, Source::ImuBias, sensor, 8 + axis);
            Vector3::from_fn(|axis, _| sigma * dice(axis as u64).normal(0))
        };
        const HOUR_S: f64 = 3_600.0;
        let milli_g = 1e-3 * STANDARD_GRAVITY;
        Self {
            seed: scenario.seed,
            rate_hz: imu.rate_hz,
            count: (scenario.duration_s * imu.rate_hz + 1e-9).floor() as u64 + 1,
            body_from_sensor,
            earth: Earth::at(latitude_rad, world_from_quay),
            errors: [
                Errors {
                    bias: turned_on(0, imu.gyro_bias_deg_per_h.to_radians() / HOUR_S),
                    white: imu.gyro_noise_deg_per_sqrt_h.to_radians() / HOUR_S.sqrt(),
                    walk: imu.gyro_walk_deg_per_h_per_sqrt_h.to_radians() / (HOUR_S * HOUR_S.sqrt()),
                },
                Errors {
                    bias: turned_on(1, imu.accel_bias_mg * milli_g),
                    white: imu.accel_noise_m_per_s_per_sqrt_h / HOUR_S.sqrt(),
                    walk: imu.accel_walk_mg_per_sqrt_h * milli_g / HOUR_S.sqrt(),
                },
            ],
        }
    }

    /// How many samples the run has.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// When a sample is taken.
    pub(crate) fn stamp(&self, sample: u64) -> Stamp {
        START.shifted_s(sample as f64 / self.rate_hz)
    }

    /// The sample at a moment whose true motion is given.
    pub(crate) fn sample(&self, sample: u64, motion: &Motion) -> ImuSample {
        let [rate, force] = self.earth.felt(motion, &self.body_from_sensor);
        ImuSample {
            rate_rad_per_s: Direction::from_vector(rate + self.error(0, sample)),
            specific_force_m_per_s2: Direction::from_vector(force + self.error(1, sample)),
        }
    }

    /// Error of gyroscopes (0) or accelerometers (1).
    fn error(&self, sensor: u64, sample: u64) -> Vector3<f64> {
        let Errors { bias, white, walk } = self.errors[sensor as usize];
        let (white, walk) = (white * self.rate_hz.sqrt(), walk / self.rate_hz.sqrt());
        Vector3::from_fn(|axis, _| {
            let index = 3 * sensor + axis as u64;
            let noise = Dice::new(self.seed, Source::ImuNoise, index, sample).normal(0);
            let walked = if walk > 0.0 {
                walk * brownian(&Dice::new(self.seed, Source::ImuBias, 2, index), sample)
            } else {
                0.0
            };
            bias[axis] + white * noise + walked
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vessel::Vessel;

    fn perfect(rate_hz: f64) -> ImuScenario {
        ImuScenario {
            rate_hz,
            gyro_noise_deg_per_sqrt_h: 0.0,
            gyro_bias_deg_per_h: 0.0,
            gyro_walk_deg_per_h_per_sqrt_h: 0.0,
            accel_noise_m_per_s_per_sqrt_h: 0.0,
            accel_bias_mg: 0.0,
            accel_walk_mg_per_sqrt_h: 0.0,
            ..ImuScenario::default()
        }
    }

    fn made(scenario: &Scenario, imu: &ImuScenario) -> Imu {
        let body_from_sensor = crate::rig::imu_mount(imu).body_from_sensor();
        Imu::new(scenario, imu, body_from_sensor, 0.9, &UnitQuaternion::identity())
    }

    /// Strapdown integration by the middle of two samples, with the Earth's turning and gravity.
    #[test]
    fn ten_seconds_of_perfect_samples_lead_to_the_true_pose() {
        let mut scenario = Scenario::demo();
        scenario.vessel.path = vec![[0.0, 0.0], [5.0, 0.0], [9.0, 3.0], [9.0, 8.0]];
        scenario.vessel.sea = Some(crate::scenario::SeaScenario::default());
        let vessel = Vessel::new(&scenario);
        let imu = made(&scenario, &perfect(500.0));
        let earth = imu.earth;
        let truth = |i: u64| vessel.motion_at(imu.stamp(i));
        let start = truth(0);
        let pose = start.pose() * imu.body_from_sensor;
        let (mut rotation, mut place) = (pose.rotation(), pose.translation());
        let arm = imu.body_from_sensor.translation();
        let mut velocity = start.velocity() + start.pose().rotation() * start.rotation_rate()[0].cross(&arm);
        let dt = 1.0 / 500.0;
        for i in 0..5_000 {
            let [now, next] = [i, i + 1].map(|i| imu.sample(i, &truth(i)));
            let middle = |a: Direction<Sensor>, b: Direction<Sensor>| 0.5 * (a.vector() + b.vector());
            let rate = middle(now.rate_rad_per_s, next.rate_rad_per_s) - rotation.inverse() * earth.rate;
            let turned = rotation * UnitQuaternion::from_scaled_axis(rate * dt);
            let force = 0.5
                * (rotation * now.specific_force_m_per_s2.vector()
                    + turned * next.specific_force_m_per_s2.vector());
            let acceleration = force + earth.gravity - earth.rate.cross(&velocity) * 2.0;
            place += (velocity + acceleration * (0.5 * dt)) * dt;
            velocity += acceleration * dt;
            rotation = turned;
        }
        let expected = truth(5_000).pose() * imu.body_from_sensor;
        let reached = Transform::<crate::scene::Quay, Sensor>::new(rotation, place);
        let gap = expected.perturbation_to(&reached);
        let (angle, metres) = (gap.fixed_rows::<3>(0).norm(), gap.fixed_rows::<3>(3).norm());
        println!(
            "imu: after 10 s off by {metres:.1e} m and {:.1e}°",
            angle.to_degrees()
        );
        assert!(metres < 1e-3 && angle.to_degrees() < 1e-3);
    }

    #[test]
    fn at_rest_it_feels_gravity_and_the_turning_earth() {
        let mut scenario = Scenario::demo();
        let vessel = &mut scenario.vessel;
        vessel.speed_m_per_s = 0.0;
        for amplitude in [
            &mut vessel.heave_m,
            &mut vessel.roll_deg,
            &mut vessel.pitch_deg,
            &mut vessel.yaw_deg,
            &mut vessel.sway_m,
        ] {
            *amplitude = 0.0;
        }
        let imu = Imu::new(
            &scenario,
            &perfect(100.0),
            Transform::identity(),
            45f64.to_radians(),
            &UnitQuaternion::identity(),
        );
        let sample = imu.sample(3, &Vessel::new(&scenario).motion_at(START));
        // Normal gravity at 45° is 9.806 199 m/s² (GRS 80 and WGS 84).
        let force = sample.specific_force_m_per_s2.vector();
        assert!(
            (force - Vector3::new(0.0, 0.0, 9.806_199)).norm() < 1e-5,
            "{force}"
        );
        let rate = sample.rate_rad_per_s.vector().norm();
        println!(
            "imu at rest at 45°: expected 9.806199 m/s² and 15.041 °/h, measured {:.6} and {:.3}",
            force.z,
            rate.to_degrees() * 3_600.0
        );
        assert!((rate.to_degrees() * 3_600.0 - 15.041).abs() < 1e-3, "{rate}");
    }

    /// Overlapping Allan deviation of an error over clusters of `m` samples.
    fn allan(values: &[f64], m: usize) -> f64 {
        let mut sums = vec![0.0];
        for value in values {
            sums.push(sums[sums.len() - 1] + value);
        }
        let mean = |i: usize| (sums[i + m] - sums[i]) / m as f64;
        let n = values.len() - 2 * m;
        let square: f64 = (0..n).map(|i| (mean(i + m) - mean(i)).powi(2)).sum();
        (0.5 * square / n as f64).sqrt()
    }

    #[test]
    fn the_allan_deviation_shows_the_stated_noise() {
        let mut scenario = Scenario::demo();
        scenario.duration_s = 1_000.0;
        let unit = ImuScenario {
            rate_hz: 50.0,
            gyro_noise_deg_per_sqrt_h: 0.3,
            gyro_walk_deg_per_h_per_sqrt_h: 300.0,
            ..ImuScenario::default()
        };
        let only = |white: bool| {
            let mut part = unit.clone();
            if white {
                part.gyro_walk_deg_per_h_per_sqrt_h = 0.0;
            } else {
                part.gyro_noise_deg_per_sqrt_h = 0.0;
            }
            let imu = made(&scenario, &part);
            (0..50_000).map(|i| imu.error(0, i).x).collect::<Vec<f64>>()
        };
        let (n, k) = (0.3f64.to_radians() / 60.0, 300f64.to_radians() / (3_600.0 * 60.0));
        for (name, values, m, expected) in [
            ("white, 1 s", only(true), 50, n),
            ("white, 4 s", only(true), 200, n / 2.0),
            ("walk, 4 s", only(false), 200, k * (4.0f64 / 3.0).sqrt()),
            ("walk, 16 s", only(false), 800, k * (16.0f64 / 3.0).sqrt()),
        ] {
            let found = allan(&values, m);
            println!("imu, Allan deviation of {name}: {found:.3e} rad/s, expected {expected:.3e}");
            // An error of 1/√(2 (n/m - 1)) for n/m clusters: 13 % at 16 s of 1000.
            assert!((found / expected - 1.0).abs() < 0.3);
        }
    }
}
