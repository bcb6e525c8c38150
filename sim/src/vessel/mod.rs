//! How the vessel moves: a path at a planned speed, in swell or a sea, on a tide. A pose is a formula
//! of time with formulas for its derivatives, and needs no integration.

mod jet;
mod motion;
mod path;
mod sea;
mod spline;

use std::f64::consts::TAU;

use beluga_types::{Body, Direction, Sensor, Stamp, Transform};
use nalgebra::Vector6;

use crate::random::{Dice, Source};
use crate::scenario::{Scenario, TideScenario};
use crate::scene::Quay;
pub(crate) use jet::Jet;
pub(crate) use motion::Motion;
use path::Path;
use sea::Answer;
pub(crate) use sea::{Elevation, Sea};
use spline::Spline;

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

/// The planned path, and the motions about it.
#[derive(Clone, Debug)]
pub(crate) struct Vessel {
    path: Path,
    leeway_rad: f64,
    surge: [Wave; 2],
    sway: [Wave; 2],
    yaw: [Wave; 2],
    swell: Swell,
    tide: TideScenario,
}

/// What the water does to the vessel.
#[derive(Clone, Debug)]
enum Swell {
    /// Two waves for each motion.
    Sines {
        heave: [Wave; 2],
        roll: [Wave; 2],
        pitch: [Wave; 2],
    },
    /// A sea and the vessel's answer to it.
    Sea(Sea),
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
        let swell = match &vessel.sea {
            Some(sea) => Swell::Sea(Sea::new(sea, vessel, scenario.seed)),
            None => Swell::Sines {
                heave: waves(2, vessel.heave_m, [6.1, 3.7]),
                roll: waves(3, radians(vessel.roll_deg), [5.0, 3.1]),
                pitch: waves(4, radians(vessel.pitch_deg), [5.7, 3.4]),
            },
        };
        Self {
            path: Path::new(vessel),
            leeway_rad: radians(vessel.leeway_deg),
            surge: waves(0, 0.05 * vessel.speed_m_per_s, [9.0, 5.3]),
            sway: waves(1, vessel.sway_m, [17.0, 7.9]),
            yaw: waves(5, radians(vessel.yaw_deg), [13.0, 6.7]),
            swell,
            tide: vessel.tide.clone(),
        }
    }

    /// The true pose at a moment.
    pub(crate) fn pose_at(&self, stamp: Stamp) -> Transform<Quay, Body> {
        self.motion_at(stamp).pose()
    }

    /// The true pose at a moment with its derivatives.
    pub(crate) fn motion_at(&self, stamp: Stamp) -> Motion {
        let t = stamp.seconds_since(START);
        let planned = self.path.at(t, sum(&self.surge, t), sum(&self.surge, 0.0).value);
        let answer = match &self.swell {
            Swell::Sines { heave, roll, pitch } => Answer {
                heave: sum(heave, t),
                roll: sum(roll, t),
                pitch: sum(pitch, t),
            },
            Swell::Sea(sea) => sea.answer(t, &planned),
        };
        let (sin, cos) = planned.course.sin_cos();
        let sway = sum(&self.sway, t);
        let body = Jet::constant(WATERLINE_M);
        Motion {
            place: [
                planned.x - sway * sin,
                planned.y + sway * cos,
                answer.heave - body + self.tide_at(t),
            ],
            roll: answer.roll,
            pitch: answer.pitch,
            heading: Jet::constant(self.leeway_rad) - planned.course - sum(&self.yaw, t),
        }
    }

    /// The largest x the planned path reaches within a time, in metres in `Quay`; 0 at least.
    pub(crate) fn reach_m(&self, duration_s: f64) -> f64 {
        /// Planned places looked at.
        const PLACES: u32 = 2_000;
        match self.path {
            Path::Straight { speed_m_per_s } => speed_m_per_s * duration_s,
            Path::Curve { .. } => (0..=PLACES)
                .map(|i| duration_s * f64::from(i) / f64::from(PLACES))
                .map(|t| self.path.at(t, Jet::default(), 0.0).x.value)
                .fold(0.0, f64::max),
        }
    }

    /// Height of the waterline at a moment, in metres in `Quay`: tide without waves.
    pub(crate) fn water_level_m(&self, stamp: Stamp) -> f64 {
        self.tide_at(stamp.seconds_since(START)).value
    }

    fn tide_at(&self, t: f64) -> Jet {
        let tide = &self.tide;
        let omega = TAU / (3_600.0 * tide.period_h);
        let (wave, _) = Jet::new(omega * t + tide.phase_deg.to_radians(), omega, 0.0).sin_cos();
        let rise = tide.rise_m_per_h / 3_600.0;
        Jet::new(tide.level_m + rise * t, rise, 0.0) + wave * tide.amplitude_m
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

fn sum(waves: &[Wave; 2], t: f64) -> Jet {
    let [one, two] = waves.map(|wave| {
        let phase = Jet::new(TAU * t / wave.period_s + wave.phase_rad, TAU / wave.period_s, 0.0);
        phase.sin_cos().0 * wave.amplitude
    });
    one + two
}

/// The smallest radius of the curve through the points of a path, in metres.
pub(crate) fn tightest_m(path: &[[f64; 2]]) -> f64 {
    Spline::new(path).tightest_m()
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::Attitude;
    use nalgebra::Vector3;

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

    /// Lines along the wall, 6 m apart, there and back, round and round.
    fn racetrack() -> Scenario {
        let mut scenario = Scenario::demo();
        let mut path = vec![[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0]];
        let turn = |middle: f64, from: f64| {
            (1..4).map(move |i| {
                let (sin, cos) = (from + f64::from(i) * TAU / 8.0).sin_cos();
                [middle + 3.0 * cos, 3.0 + 3.0 * sin]
            })
        };
        path.extend(turn(30.0, -0.25 * TAU));
        path.extend([[30.0, 6.0], [20.0, 6.0], [10.0, 6.0], [0.0, 6.0]]);
        path.extend(turn(0.0, 0.25 * TAU));
        path.push([0.0, 0.0]);
        scenario.vessel.path = path;
        scenario.vessel.leeway_deg = 4.0;
        scenario.vessel.sea = Some(crate::scenario::SeaScenario::default());
        scenario.vessel.tide.amplitude_m = 0.8;
        scenario.vessel.tide.rise_m_per_h = 0.5;
        scenario
    }

    #[test]
    fn reciprocal_lines_return_to_the_start() {
        let mut scenario = racetrack();
        scenario.check().unwrap();
        let tightest = tightest_m(&scenario.vessel.path);
        println!("racetrack: tightest turn {tightest:.2} m, semicircles of 3 m");
        assert!((1.8..3.1).contains(&tightest), "{tightest}");
        scenario.vessel.sea = None;
        for amplitude in [
            &mut scenario.vessel.heave_m,
            &mut scenario.vessel.roll_deg,
            &mut scenario.vessel.pitch_deg,
            &mut scenario.vessel.yaw_deg,
            &mut scenario.vessel.sway_m,
        ] {
            *amplitude = 0.0;
        }
        scenario.vessel.tide = TideScenario::default();
        let mut vessel = Vessel::new(&scenario);
        vessel.surge = vessel.surge.map(|wave| Wave {
            amplitude: 0.0,
            ..wave
        });
        let Path::Curve { spline, .. } = &vessel.path else {
            panic!("a path of knots is a curve");
        };
        let lap_s = spline.length_m() / 0.8;
        let start = vessel.pose_at(START);
        let round = vessel.pose_at(START.shifted_s(lap_s));
        let gap = start.perturbation_to(&round).norm();
        println!("racetrack: after a lap of {lap_s:.1} s off by {gap:.1e}");
        assert!(gap < 1e-8);
        // On the way back the bow looks the other way, 4° to starboard of the course.
        let back = vessel.pose_at(START.shifted_s(0.69 * lap_s));
        let ahead = back.rotation() * Vector3::x();
        let expected = (180.0f64 - 4.0).to_radians();
        assert!((ahead.y.atan2(ahead.x) - expected).abs() < 0.02, "{ahead}");
        assert!((vessel.reach_m(lap_s) - 33.0).abs() < 0.1);
    }

    /// Formulas against differences, on a path with turns in a sea and on the straight one.
    #[test]
    fn derivatives_are_those_of_the_poses() {
        for scenario in [racetrack(), Scenario::demo()] {
            let vessel = Vessel::new(&scenario);
            let h = 1e-4;
            let mut worst = [0.0f64; 4];
            for i in 0..2_000 {
                let stamp = START.shifted_s(0.05 * f64::from(i) + 0.0123);
                let [before, now, after] = [-h, 0.0, h].map(|dt| vessel.motion_at(stamp.shifted_s(dt)));
                let velocity = (after.pose().translation() - before.pose().translation()) / (2.0 * h);
                let step = before.pose().perturbation_to(&after.pose()) / (2.0 * h);
                let [rate, change] = now.rotation_rate();
                let differences = [
                    velocity - now.velocity(),
                    (after.velocity() - before.velocity()) / (2.0 * h) - now.acceleration(),
                    Vector3::new(step[0], step[1], step[2]) - rate,
                    (after.rotation_rate()[0] - before.rotation_rate()[0]) / (2.0 * h) - change,
                ];
                for (worst, difference) in worst.iter_mut().zip(differences) {
                    *worst = worst.max(difference.norm());
                }
            }
            println!("motion against differences: {worst:?}");
            assert!(worst.iter().all(|&most| most < 5e-5), "{worst:?}");
        }
    }

    #[test]
    fn the_tide_lifts_vessel_and_waterline_alike() {
        let mut scenario = racetrack();
        scenario.vessel.tide.period_h = 1.0;
        let vessel = Vessel::new(&scenario);
        // A quarter of a period: 0.8 m of the sine, and a quarter of an hour of the ramp.
        let stamp = START.shifted_s(900.0);
        assert!((vessel.water_level_m(stamp) - 0.925).abs() < 1e-9);
        assert!((vessel.pose_at(stamp).translation().z + WATERLINE_M - 0.925).abs() < 0.3);
    }

    #[test]
    fn impossible_paths_are_refused() {
        type Change = fn(&mut crate::scenario::VesselScenario);
        let changes: [Change; 6] = [
            |vessel| vessel.path.truncate(1),
            |vessel| vessel.path[1] = [0.0, 0.01],
            |vessel| vessel.path[1] = [f64::NAN, 0.0],
            |vessel| vessel.path = vec![[0.0, 0.0], [5.0, 0.0], [0.0, 0.1]],
            |vessel| vessel.speeds_m_per_s = vec![1.0; 3],
            |vessel| vessel.speeds_m_per_s = vec![0.0; vessel.path.len()],
        ];
        for change in changes {
            let mut scenario = racetrack();
            change(&mut scenario.vessel);
            let error = scenario.check().unwrap_err().to_string();
            assert!(error.contains("vessel."), "{error}");
            println!("{error}");
        }
    }
}
