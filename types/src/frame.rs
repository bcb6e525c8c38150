//! The SOLIDAR frame: what fusion says about one window of time.

use nalgebra::{DMatrix, Matrix3, Matrix6, Vector3, Vector6};

use crate::elementary::Squared;
use crate::measurement::{GapCause, SensorId};
use crate::nav::ClockState;
use crate::points::{ArcTable, PointTable};
use crate::shared::{SharedState, SharedStates};
use crate::space::{Body, Point, Sensor, Transform, World};
use crate::time::Stamp;

/// One cloud above and below the waterline for one window, with what is known of its trustworthiness.
///
/// Frame k holds what ends in (end of scan k−1, end of scan k] of the reference lidar; pose and
/// points are at the window's end. How long fusion took is not in it: it is no function of the data.
#[derive(Clone, Debug, PartialEq)]
pub struct SolidarFrame {
    /// Count of frames, from zero.
    pub index: u64,
    /// What time it covers.
    pub window: Window,
    /// What each sensor contributed, by sensor.
    pub inputs: Vec<FrameInput>,
    /// What is missing from it, by sensor and cause.
    pub gaps: Vec<FrameGap>,
    /// What was known of each sensor's clock by the window's end, by sensor; of a clock that nobody has told of,
    /// nothing.
    pub clocks: Vec<FrameClock>,
    /// The pose at the window's end.
    pub world_from_body: Transform<World, Body>,
    /// Its covariance: rotation (rad) then translation (m), right perturbation.
    pub pose_covariance: Matrix6<f64>,
    /// How well each axis of the pose was held by the data, 0 (not at all: it is predicted) to 1;
    /// rotation x y z, then translation x y z, in `Body`.
    pub localizability: [f64; 6],
    /// Rotation rate (rad/s) and velocity (m/s) at the window's end, in `Body`.
    pub twist: Vector6<f64>,
    /// What many points share, with one joint covariance.
    pub shared: SharedStates,
    /// Where the water surface was, if the vehicle is afloat.
    pub waterline: Option<Waterline>,
    /// The calibration used, by sensor.
    pub calibration: Vec<SensorCalibration>,
    /// How the pose was found and what was tested.
    pub status: FrameStatus,
    /// The points.
    pub points: PointTable,
    /// Returns whose elevation is not resolved.
    pub arcs: ArcTable,
}

impl SolidarFrame {
    /// What the pose rests on: which axes the data held, if any.
    pub fn pose_status(&self) -> PoseStatus {
        let open = self.localizability.map(|held| held < AXIS_HELD);
        match self.status.pose_source {
            PoseSource::Prediction => PoseStatus::Predicted,
            PoseSource::Nav => PoseStatus::NavAlone,
            _ if open.contains(&true) => PoseStatus::Degenerate { open },
            _ => PoseStatus::Held,
        }
    }

    /// Point `i` in `World`, in metres.
    pub fn point_in_world(&self, i: usize) -> Point<World> {
        self.world_from_body * self.points.position(i)
    }

    /// Random covariance of point `i` in `Body`, in m²: its own three sigmas turned from the
    /// beam's axes. What points share is in [`Self::jacobian`] and [`SharedStates`].
    ///
    /// The beam's axes at the window's end: range, along = the sensor's x projected across the
    /// beam, across = range × along.
    ///
    /// # Panics
    /// If `i` is not below the number of points.
    pub fn covariance(&self, i: usize) -> Matrix3<f64> {
        let axes = self.beam_axes(i);
        let table = &self.points;
        let variances = Vector3::new(
            f64::from(table.sigma_range_m[i]).squared(),
            f64::from(table.sigma_along_m[i]).squared(),
            f64::from(table.sigma_across_m[i]).squared(),
        );
        axes * Matrix3::from_diagonal(&variances) * axes.transpose()
    }

    /// How point `i` *in `World`* moves with each shared state: 3 rows, one column per state.
    ///
    /// The mean of n points has the covariance σ²/n + J Σ Jᵀ with J the mean of these.
    ///
    /// # Panics
    /// If `i` is not below the number of points.
    pub fn jacobian(&self, i: usize) -> DMatrix<f64> {
        let rotation = self.world_from_body.rotation_matrix();
        let in_body = self.points.position(i).vector();
        let sensor = SensorId(self.points.sensor[i]);
        let body_from_sensor = self.body_from_sensor(sensor);
        let beam = in_body - body_from_sensor.translation();
        let range = beam.norm().max(f64::MIN_POSITIVE);
        let mut jacobian = DMatrix::zeros(3, self.shared.states.len());
        for (column, state) in self.shared.states.iter().enumerate() {
            if state.sensor().is_some_and(|other| other != sensor) {
                continue;
            }
            let in_body = match *state {
                SharedState::PoseRotation(axis) => unit(axis).cross(&in_body),
                SharedState::PoseTranslation(axis) | SharedState::LeverArm(_, axis) => unit(axis),
                SharedState::Boresight(_, axis) => {
                    (body_from_sensor.rotation_matrix() * unit(axis)).cross(&beam)
                }
                SharedState::Latency(_) => {
                    let rate = self.twist.fixed_rows::<3>(0).into_owned();
                    let velocity = self.twist.fixed_rows::<3>(3).into_owned();
                    -(rate.cross(&in_body) + velocity)
                }
                SharedState::SoundSpeed(_) => beam / self.sound_speed_m_per_s(sensor),
                SharedState::RangeBias(_) => beam / range,
            };
            jacobian.set_column(column, &(rotation * in_body));
        }
        jacobian
    }

    /// The calibration used for a sensor.
    pub fn calibration_of(&self, sensor: SensorId) -> Option<&SensorCalibration> {
        self.calibration
            .iter()
            .find(|calibration| calibration.sensor == sensor)
    }

    /// The beam's axes of point `i` in `Body`, as columns: range, along, across.
    ///
    /// # Panics
    /// If `i` is not below the number of points.
    pub fn beam_axes(&self, i: usize) -> Matrix3<f64> {
        let body_from_sensor = self.body_from_sensor(SensorId(self.points.sensor[i]));
        let beam = self.points.position(i).vector() - body_from_sensor.translation();
        let range = beam.try_normalize(1e-9).unwrap_or_else(Vector3::x);
        let rotation = body_from_sensor.rotation_matrix();
        let across_beam = |axis: Vector3<f64>| {
            let axis = rotation * axis;
            (axis - range * range.dot(&axis)).try_normalize(1e-6)
        };
        let along = across_beam(Vector3::x())
            .or_else(|| across_beam(Vector3::y()))
            .unwrap_or_else(Vector3::y);
        Matrix3::from_columns(&[range, along, range.cross(&along)])
    }

    fn body_from_sensor(&self, sensor: SensorId) -> Transform<Body, Sensor> {
        self.calibration_of(sensor)
            .map_or_else(Transform::identity, |c| c.body_from_sensor)
    }

    fn sound_speed_m_per_s(&self, sensor: SensorId) -> f64 {
        /// Only reached if a frame names no speed for a sonar.
        const NOMINAL_M_PER_S: f64 = 1500.0;
        self.calibration_of(sensor)
            .and_then(|c| c.sound_speed_m_per_s)
            .unwrap_or(NOMINAL_M_PER_S)
    }
}

fn unit(axis: u8) -> Vector3<f64> {
    let mut vector = Vector3::zeros();
    vector[usize::from(axis.min(2))] = 1.0;
    vector
}

/// Half-open stretch of time: after `start`, up to and including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Where the window before ended.
    pub start: Stamp,
    /// Where this one ends; pose and points are at this moment.
    pub end: Stamp,
}

/// What one sensor contributed to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameInput {
    /// Which sensor.
    pub sensor: SensorId,
    /// How many payloads.
    pub measurements: u32,
    /// Points its reader dropped because they were not finite.
    pub dropped_points: u32,
}

/// What one sensor lost during a frame's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameGap {
    /// Which sensor.
    pub sensor: SensorId,
    /// How many payloads.
    pub lost: u64,
    /// Why.
    pub cause: GapCause,
}

/// What was known of one sensor's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameClock {
    /// Which sensor.
    pub sensor: SensorId,
    /// Offset, sigma and whether it is locked, as the timeline told it last.
    pub state: ClockState,
}

/// Where the water surface is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waterline {
    /// Height in `World`, in metres.
    pub z_m: f64,
    /// One sigma of it, in metres.
    pub sigma_m: f64,
}

/// How one sensor was placed when the frame was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SensorCalibration {
    /// Which sensor.
    pub sensor: SensorId,
    /// Its mount.
    pub body_from_sensor: Transform<Body, Sensor>,
    /// Added to its stamps, in nanoseconds.
    pub time_offset_nanos: i64,
    /// Mean speed of sound along its beams, in m/s; nothing for a sensor that uses light.
    pub sound_speed_m_per_s: Option<f64>,
}

/// How the pose was found, and what was tested.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameStatus {
    /// Where the pose comes from.
    pub pose_source: PoseSource,
    /// The test of the sonar against the lidar's map.
    pub sonar_registration: SonarRegistration,
}

/// Localizability from which an axis counts as held by the scan: below it the scan leaves more than
/// half of a wide prior's variance (0.1 m, 0.01 rad).
pub const AXIS_HELD: f64 = 0.5;

/// The axes of a pose in the order of its covariance, in words: rotations about, then motion along,
/// the `Body` axes.
pub const POSE_AXES: [&str; 6] = ["roll", "pitch", "heading", "forward", "sideways", "up"];

/// What a frame's pose rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoseStatus {
    /// The scan held all six axes.
    Held,
    /// The scan left axes open (a tunnel, open water, a flat wall): these are frozen to the
    /// prediction, or what navigation says.
    Degenerate {
        /// Which, in the order of [`POSE_AXES`].
        open: [bool; 6],
    },
    /// No scan held; navigation says where the body is.
    NavAlone,
    /// Nothing held: carried on from before, as uncertain as that is.
    Predicted,
}

/// Where a frame's pose comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoseSource {
    /// Lidar odometry alone.
    Odometry,
    /// Lidar odometry with navigation as a prior.
    OdometryAndNav,
    /// Navigation alone.
    Nav,
    /// Neither: carried on from before.
    Prediction,
}

impl PoseSource {
    /// Every source, in order.
    pub const ALL: [PoseSource; 4] = [
        PoseSource::Odometry,
        PoseSource::OdometryAndNav,
        PoseSource::Nav,
        PoseSource::Prediction,
    ];

    /// The word used in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            PoseSource::Odometry => "odometry",
            PoseSource::OdometryAndNav => "odometry+nav",
            PoseSource::Nav => "nav",
            PoseSource::Prediction => "prediction",
        }
    }
}

/// What came of registering the sonar submap to the lidar map.
#[derive(Clone, Debug, PartialEq)]
pub enum SonarRegistration {
    /// There was nothing new to test.
    NotTried,
    /// The test could not be made or did not hold; nothing was changed.
    Refused {
        /// Why, in a sentence for people.
        reason: String,
    },
    /// Where the lidar map wants the sonar to be. Reported, not applied to the points.
    Measured {
        /// Right perturbation of the pose that brings the sonar onto the lidar map.
        correction: Vector6<f64>,
        /// Its covariance.
        covariance: Box<Matrix6<f64>>,
        /// Sonar points that found a partner.
        matched: u32,
    },
}

impl SonarRegistration {
    /// Whether the lidar map wants the sonar elsewhere by more than the measurement's own 95 %: all six
    /// axes together against χ² of six degrees of freedom. Nothing where nothing was measured.
    pub fn is_significant(&self) -> Option<bool> {
        /// 95 % of χ² with six degrees of freedom.
        const CHI_SQUARED_6: f64 = 12.592;
        let Self::Measured {
            correction,
            covariance,
            ..
        } = self
        else {
            return None;
        };
        let information = covariance.cholesky()?.inverse();
        Some(correction.dot(&(information * correction)) > CHI_SQUARED_6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::{Label, Medium};
    use nalgebra::UnitQuaternion;

    fn frame(in_body: [f32; 3], states: Vec<SharedState>) -> SolidarFrame {
        let n = states.len();
        let world_from_body = Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.1, -0.2, 0.7)),
            Vector3::new(100.0, 200.0, 3.0),
        );
        let body_from_sensor = Transform::new(
            UnitQuaternion::from_scaled_axis(Vector3::new(0.5, 0.1, -0.3)),
            Vector3::new(1.0, -0.5, -0.8),
        );
        SolidarFrame {
            index: 0,
            window: Window {
                start: Stamp::from_nanos(0),
                end: Stamp::from_nanos(100),
            },
            inputs: Vec::new(),
            gaps: Vec::new(),
            clocks: Vec::new(),
            world_from_body,
            pose_covariance: Matrix6::identity(),
            localizability: [1.0; 6],
            twist: Vector6::new(0.01, 0.02, -0.03, 1.0, 0.1, 0.0),
            shared: SharedStates {
                states,
                covariance: vec![0.0; n * n],
            },
            waterline: None,
            calibration: vec![SensorCalibration {
                sensor: SensorId(0),
                body_from_sensor,
                time_offset_nanos: 0,
                sound_speed_m_per_s: Some(1480.0),
            }],
            status: FrameStatus {
                pose_source: PoseSource::Odometry,
                sonar_registration: SonarRegistration::NotTried,
            },
            points: PointTable {
                x: vec![in_body[0]],
                y: vec![in_body[1]],
                z: vec![in_body[2]],
                offset_nanos: vec![0],
                sensor: vec![0],
                medium: vec![Medium::Water],
                level: vec![0.0],
                snr_db: vec![None],
                sigma_range_m: vec![0.01],
                sigma_along_m: vec![0.1],
                sigma_across_m: vec![0.2],
                label: vec![Label::Unknown],
                source_seq: vec![0],
                source_index: vec![0],
            },
            arcs: ArcTable::default(),
        }
    }

    #[test]
    fn the_status_names_the_axes_that_no_scan_held() {
        let mut frame = frame([4.0, -7.0, -3.0], Vec::new());
        assert_eq!(frame.pose_status(), PoseStatus::Held);
        frame.localizability[3] = 0.1;
        let open = [false, false, false, true, false, false];
        assert_eq!(frame.pose_status(), PoseStatus::Degenerate { open });
        frame.status.pose_source = PoseSource::Nav;
        assert_eq!(frame.pose_status(), PoseStatus::NavAlone);
        frame.status.pose_source = PoseSource::Prediction;
        assert_eq!(frame.pose_status(), PoseStatus::Predicted);
    }

    #[test]
    fn covariance_is_sharp_along_the_beam() {
        let frame = frame([4.0, -7.0, -3.0], Vec::new());
        let covariance = frame.covariance(0);
        let axes = frame.beam_axes(0);
        assert!((axes.determinant() - 1.0).abs() < 1e-9, "a right-handed triad");
        for (column, sigma) in [(0, 0.01f32), (1, 0.1), (2, 0.2)] {
            let axis = axes.column(column).into_owned();
            let variance = (axis.transpose() * covariance * axis).x;
            assert!((variance - f64::from(sigma).squared()).abs() < 1e-12);
        }
        let sensor_x = frame.calibration[0].body_from_sensor.rotation_matrix() * Vector3::x();
        assert!(
            axes.column(2).dot(&sensor_x).abs() < 1e-9,
            "across has no part of the sensor's x"
        );
    }

    /// Each column against a difference quotient of the equation it stands for.
    #[test]
    fn jacobians_are_the_derivatives_of_the_georeferencing_equation() {
        let sensor = SensorId(0);
        let states: Vec<SharedState> = (0..3)
            .flat_map(|axis| {
                [
                    SharedState::PoseRotation(axis),
                    SharedState::PoseTranslation(axis),
                    SharedState::Boresight(sensor, axis),
                    SharedState::LeverArm(sensor, axis),
                ]
            })
            .chain([
                SharedState::SoundSpeed(sensor),
                SharedState::RangeBias(sensor),
                SharedState::Latency(sensor),
                SharedState::RangeBias(SensorId(9)),
            ])
            .collect();
        let frame = frame([4.0, -7.0, -3.0], states.clone());
        let analytic = frame.jacobian(0);
        let body_from_sensor = frame.calibration[0].body_from_sensor;
        let in_sensor = body_from_sensor.inverse() * frame.points.position(0);
        let range = in_sensor.vector().norm();
        let place = |state: SharedState, h: f64| -> Vector3<f64> {
            let mut pose = frame.world_from_body;
            let mut mount = body_from_sensor;
            let mut point = in_sensor;
            let step = |axis: u8, from: usize| {
                let mut step = Vector6::zeros();
                step[from + usize::from(axis)] = h;
                step
            };
            match state {
                SharedState::PoseRotation(axis) => pose = pose.perturbed(&step(axis, 0)),
                SharedState::PoseTranslation(axis) => pose = pose.perturbed(&step(axis, 3)),
                SharedState::Boresight(id, axis) if id == sensor => mount = mount.perturbed(&step(axis, 0)),
                SharedState::LeverArm(id, axis) if id == sensor => {
                    mount = Transform::new(mount.rotation(), mount.translation() + unit(axis) * h);
                }
                SharedState::SoundSpeed(_) => point = Point::from_vector(point.vector() * (1.0 + h / 1480.0)),
                SharedState::RangeBias(id) if id == sensor => {
                    point = Point::from_vector(point.vector() * (1.0 + h / range));
                }
                // The stamp is late by h: the echo was placed with a pose h seconds too new.
                SharedState::Latency(_) => pose = pose.perturbed(&(frame.twist * -h)),
                _ => {}
            }
            (pose * mount * point).vector()
        };
        for (column, &state) in states.iter().enumerate() {
            let h = 1e-6;
            let numeric = (place(state, h) - place(state, -h)) / (2.0 * h);
            let difference = (analytic.column(column) - numeric).norm();
            assert!(difference < 1e-6, "{}: {difference}", state.name());
        }
    }

    /// Three sigma on one of six axes are within 95 %, four are not.
    #[test]
    fn a_registration_is_significant_beyond_its_95_percent() {
        let measured = |metres: f64| SonarRegistration::Measured {
            correction: Vector6::new(0.0, 0.0, 0.0, metres, 0.0, 0.0),
            covariance: Box::new(Matrix6::identity() * 1e-4),
            matched: 500,
        };
        assert_eq!(measured(0.03).is_significant(), Some(false));
        assert_eq!(measured(0.04).is_significant(), Some(true));
        assert_eq!(SonarRegistration::NotTried.is_significant(), None);
    }
}
