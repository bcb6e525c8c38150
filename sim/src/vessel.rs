//! How the vessel moves: a straight path at nearly even speed, in swell. Everything is a sum of
//! sines, so a pose is a formula of time and needs no integration.

use std::f64::consts::TAU;

use beluga_types::{Attitude, Body, Direction, Sensor, Stamp, Transform};
use nalgebra::{Vector3, Vector6};

use crate::random::{Dice, Source};
use crate::scenario::Scenario;
use crate::scene::Quay;

/// When every simulated run begins: 2026-06-01T08:00:00Z.
pub const START: Stamp = Stamp::from_nanos(1_780_300_800_000_000_000);

/// Height of the waterline above the `Body` origin at rest, in metres.
pub(crate) const WATERLINE_M: f64 = 0.3;

/// One sine of the motion.
#[derive(Clone, Copy, Debug)]
struct Wave {
    amplitude: f64,
    period_s: f64,
    phase_rad: f64,
}

/// The six motions, each a sum of two waves.
#[derive(Clone, Debug)]
pub(crate) struct Vessel {
    speed_m_per_s: f64,
    surge: [Wave; 2],
    sway: [Wave; 2],
    heave: [Wave; 2],
    roll: [Wave; 2],
    pitch: [Wave; 2],
    yaw: [Wave; 2],
}

impl Vessel {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let vessel = &scenario.vessel;
        let waves = |axis: u64, amplitude: f64, periods_s: [f64; 2]| {
            let phase = |wave: u64| TAU * Dice::new(scenario.seed, Source::Swell, axis, wave).uniform(0);
            [
                Wave {
                    amplitude,
                    period_s: periods_s[0],
                    phase_rad: phase(0),
                },
                Wave {
                    amplitude: 0.2 * amplitude,
                    period_s: periods_s[1],
                    phase_rad: phase(1),
                },
            ]
        };
        let radians = f64::to_radians;
        Self {
            speed_m_per_s: vessel.speed_m_per_s,
            surge: waves(0, 0.05 * vessel.speed_m_per_s, [9.0, 5.3]),
            sway: waves(1, vessel.sway_m, [17.0, 7.9]),
            heave: waves(2, vessel.heave_m, [6.1, 3.7]),
            roll: waves(3, radians(vessel.roll_deg), [5.0, 3.1]),
            pitch: waves(4, radians(vessel.pitch_deg), [5.7, 3.4]),
            yaw: waves(5, radians(vessel.yaw_deg), [13.0, 6.7]),
        }
    }

    /// The true pose at a moment.
    pub(crate) fn pose_at(&self, stamp: Stamp) -> Transform<Quay, Body> {
        let t = stamp.seconds_since(START);
        let attitude = Attitude {
            roll_rad: sum(&self.roll, t),
            pitch_rad: sum(&self.pitch, t),
            heading_rad: -sum(&self.yaw, t),
        };
        let place = Vector3::new(
            self.speed_m_per_s * t + sum(&self.surge, t) - sum(&self.surge, 0.0),
            sum(&self.sway, t),
            sum(&self.heave, t) - WATERLINE_M,
        );
        Transform::new(attitude.rotation(), place)
    }

    /// Height of the waterline at a moment, in metres in `Quay`.
    pub(crate) fn water_level_m(&self, _stamp: Stamp) -> f64 {
        0.0
    }

    /// How a sensor moves at a moment: rotation rate (rad/s) and velocity (m/s), both in its own
    /// axes, as the central difference over a millisecond.
    pub(crate) fn twist_of(
        &self,
        stamp: Stamp,
        body_from_sensor: &Transform<Body, Sensor>,
    ) -> [Direction<Sensor>; 2] {
        const HALF_STEP_NANOS: i64 = 500_000;
        let at = |nanos| self.pose_at(stamp.shifted_nanos(nanos)) * *body_from_sensor;
        let step: Vector6<f64> = at(-HALF_STEP_NANOS).perturbation_to(&at(HALF_STEP_NANOS)) * 1e3;
        [
            Direction::new(step[0], step[1], step[2]),
            Direction::new(step[3], step[4], step[5]),
        ]
    }
}

fn sum(waves: &[Wave; 2], t: f64) -> f64 {
    waves
        .iter()
        .map(|wave| wave.amplitude * (TAU * t / wave.period_s + wave.phase_rad).sin())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_begins_at_eight_on_the_first_of_june() {
        // Days from 1970-01-01 to 2026-06-01: 56 years with 14 leap days, and 151 days.
        let days = 56 * 365 + 14 + 151;
        assert_eq!(START.nanos(), (days * 86_400 + 8 * 3_600) * 1_000_000_000);
    }

    #[test]
    fn the_vessel_keeps_its_speed_and_swell() {
        let scenario = Scenario::demo();
        let vessel = Vessel::new(&scenario);
        let mut roll_most = 0.0f64;
        for i in 0..3_000 {
            let stamp = START.shifted_s(f64::from(i) * 0.01);
            let pose = vessel.pose_at(stamp);
            let attitude = Attitude::from_rotation(&pose.rotation());
            roll_most = roll_most.max(attitude.roll_rad.abs().to_degrees());
            let next = vessel.pose_at(stamp.shifted_s(0.01));
            let speed = (next.translation().x - pose.translation().x) / 0.01;
            assert!((speed - 0.8).abs() < 0.1, "{speed}");
            assert!((pose.translation().z + WATERLINE_M).abs() < 0.13);
        }
        assert!((1.7..2.4).contains(&roll_most), "{roll_most}");
    }

    /// The position predicted by the twist against the pose a little later.
    #[test]
    fn the_twist_carries_the_sensor_forward() {
        let vessel = Vessel::new(&Scenario::demo());
        let body_from_sensor = Transform::<Body, Sensor>::new(
            nalgebra::UnitQuaternion::from_scaled_axis(Vector3::new(-0.7, 0.1, 0.2)),
            Vector3::new(1.0, -0.5, -0.9),
        );
        let stamp = START.shifted_s(3.21);
        let [rate, velocity] = vessel.twist_of(stamp, &body_from_sensor).map(|d| d.vector());
        let dt = 0.01;
        let step = Vector6::new(rate.x, rate.y, rate.z, velocity.x, velocity.y, velocity.z) * dt;
        let predicted = (vessel.pose_at(stamp) * body_from_sensor).perturbed(&step);
        let actual = vessel.pose_at(stamp.shifted_s(dt)) * body_from_sensor;
        assert!(predicted.perturbation_to(&actual).norm() < 1e-4);
    }
}
