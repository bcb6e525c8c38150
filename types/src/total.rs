//! A point's whole uncertainty, as surveys state it: at 95 %, horizontal and vertical.

use nalgebra::{DMatrix, Matrix3};

use crate::elementary::hypot;
use crate::frame::SolidarFrame;
use crate::points::Medium;
use crate::s44::SoundingOrder;

/// Two sides of a normal distribution at 95 %, and the radius of a round one in two dimensions: IHO
/// S-44, edition 6, and Hydrographic manuals beside it (1.96 and 2.45).
const VERTICAL: f64 = 1.96;
const HORIZONTAL: f64 = 2.45;

/// Total uncertainty of one point at 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TotalUncertainty {
    /// Total horizontal uncertainty, in metres: 2.45 σ of the worse horizontal direction. That is the
    /// 95 % circle where both are alike, and on the safe side where they are not.
    pub thu_m: f64,
    /// Total vertical uncertainty, in metres: 1.96 σ.
    pub tvu_m: f64,
}

impl SolidarFrame {
    /// Covariance of point `i` in `World`, in m²: its own random part, turned, and what it shares with
    /// others, JΣJᵀ.
    ///
    /// # Panics
    /// If `i` is not below the number of points.
    pub fn total_covariance(&self, i: usize) -> Matrix3<f64> {
        let rotation = self.world_from_body.rotation_matrix();
        let own = rotation * self.covariance(i) * rotation.transpose();
        let states = self.shared.states.len();
        if self.shared.covariance.len() != states * states {
            return own;
        }
        let jacobian = self.jacobian(i);
        let shared = DMatrix::from_row_slice(states, states, &self.shared.covariance);
        let moved = &jacobian * shared * jacobian.transpose();
        own + Matrix3::from_fn(|row, column| moved[(row, column)])
    }

    /// Total uncertainty of point `i`.
    ///
    /// # Panics
    /// If `i` is not below the number of points.
    pub fn total_uncertainty(&self, i: usize) -> TotalUncertainty {
        let covariance = self.total_covariance(i);
        let (x, y, both) = (covariance[(0, 0)], covariance[(1, 1)], covariance[(0, 1)]);
        // The larger eigenvalue of the horizontal two by two.
        let worse = 0.5 * (x + y) + hypot(0.5 * (x - y), both);
        TotalUncertainty {
            thu_m: HORIZONTAL * worse.max(0.0).sqrt(),
            tvu_m: VERTICAL * covariance[(2, 2)].max(0.0).sqrt(),
        }
    }

    /// The order whose uncertainties point `i` keeps within, if it was seen through water and it is
    /// known how deep it lies. `total` is its [`Self::total_uncertainty`].
    ///
    /// # Panics
    /// If `i` is not below the number of points.
    pub fn sounding_order(&self, i: usize, total: &TotalUncertainty) -> Option<SoundingOrder> {
        let waterline = self.waterline?;
        if self.points.medium[i] != Medium::Water {
            return None;
        }
        let depth_m = waterline.z_m - self.point_in_world(i).z();
        SoundingOrder::of(depth_m, total.thu_m, total.tvu_m)
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix6, UnitQuaternion, Vector3, Vector6};

    use super::*;
    use crate::frame::{FrameStatus, PoseSource, SensorCalibration, SonarRegistration, Waterline, Window};
    use crate::measurement::SensorId;
    use crate::points::{ArcTable, Label, PointTable};
    use crate::shared::{SharedState, SharedStates};
    use crate::space::Transform;
    use crate::time::Stamp;

    /// One sounding 8 m straight below the body's origin, which lies in the waterline and heads west;
    /// 3 cm along its beam, 10 cm along track and 20 cm across.
    fn frame(states: Vec<SharedState>, covariance: Vec<f64>) -> SolidarFrame {
        let end = Stamp::from_nanos(0);
        let west = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), std::f64::consts::PI);
        SolidarFrame {
            index: 0,
            window: Window { start: end, end },
            inputs: Vec::new(),
            gaps: Vec::new(),
            clocks: Vec::new(),
            world_from_body: Transform::new(west, Vector3::new(5.0, 6.0, 1.0)),
            pose_covariance: Matrix6::zeros(),
            localizability: [1.0; 6],
            twist: Vector6::zeros(),
            shared: SharedStates { states, covariance },
            waterline: Some(Waterline {
                z_m: 1.0,
                sigma_m: 0.01,
            }),
            calibration: vec![SensorCalibration {
                sensor: SensorId(0),
                body_from_sensor: Transform::identity(),
                time_offset_nanos: 0,
                sound_speed_m_per_s: Some(1500.0),
            }],
            status: FrameStatus {
                pose_source: PoseSource::Nav,
                sonar_registration: SonarRegistration::NotTried,
            },
            points: PointTable {
                x: vec![0.0],
                y: vec![0.0],
                z: vec![-8.0],
                offset_nanos: vec![0],
                sensor: vec![0],
                medium: vec![Medium::Water],
                level: vec![0.0],
                snr_db: vec![None],
                sigma_range_m: vec![0.03],
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
    fn own_and_shared_errors_add_up_as_hand_calculation_has_them() {
        let alone = frame(Vec::new(), Vec::new());
        let total = alone.total_uncertainty(0);
        assert!((total.thu_m - 2.45 * 0.2).abs() < 1e-6 && (total.tvu_m - 1.96 * 0.03).abs() < 1e-6);
        assert_eq!(alone.sounding_order(0, &total), Some(SoundingOrder::Exclusive));

        // Roll 0.5° moves it across by 8 m × 0.0087; sound speed 5 m/s in 1500 down by 8 m / 300; the
        // pose up by 4 cm.
        let roll = 0.5_f64.to_radians();
        let states = vec![
            SharedState::PoseRotation(0),
            SharedState::SoundSpeed(SensorId(0)),
            SharedState::PoseTranslation(2),
        ];
        let mut covariance = vec![0.0; 9];
        (covariance[0], covariance[4], covariance[8]) = (roll * roll, 25.0, 0.04 * 0.04);
        let shared = frame(states, covariance);
        let total = shared.total_uncertainty(0);
        let across = hypot(0.2, 8.0 * roll);
        let down = hypot(hypot(0.03, 8.0 * 5.0 / 1500.0), 0.04);
        assert!((total.thu_m - 2.45 * across).abs() < 1e-6, "{total:?}");
        assert!((total.tvu_m - 1.96 * down).abs() < 1e-6, "{total:?}");
        assert_eq!(shared.sounding_order(0, &total), Some(SoundingOrder::Exclusive));
        let deep = TotalUncertainty { tvu_m: 0.2, ..total };
        assert_eq!(shared.sounding_order(0, &deep), Some(SoundingOrder::Special));

        let mut dry = shared;
        dry.waterline = None;
        assert_eq!(dry.sounding_order(0, &total), None);
    }

    #[test]
    fn the_worse_horizontal_direction_counts_however_it_lies() {
        for heading in [0.0, 0.4, 1.2, 2.9] {
            let mut turned = frame(Vec::new(), Vec::new());
            let axis = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), heading);
            turned.world_from_body = Transform::new(axis, Vector3::zeros());
            let total = turned.total_uncertainty(0);
            assert!((total.thu_m - 2.45 * 0.2).abs() < 1e-6, "{heading}: {total:?}");
        }
    }
}
