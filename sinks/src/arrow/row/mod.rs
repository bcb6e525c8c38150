//! The one row of a frame: everything but its points and arcs.

mod read;
mod write;

use beluga_types::{
    ArcTable, FrameStatus, PointTable, PoseSource, SharedStates, SolidarFrame, SonarRegistration, Stamp,
    Transform, Window,
};
use nalgebra::{Matrix6, Vector6};

pub(super) use read::frame;
pub(super) use write::batch;

use super::Error;

/// The table's name.
const TABLE: &str = "frame";
/// The column that tables of the first version do not have.
pub(super) const CLOCKS: &str = "clocks";
/// Words of [`SonarRegistration`]'s variants.
const NOT_TRIED: &str = "not tried";
const REFUSED: &str = "refused";
const MEASURED: &str = "measured";

/// Checks what the columns alone cannot say: every number finite, the shared covariance as large
/// as its states ask.
pub(super) fn check(frame: &SolidarFrame) -> Result<(), Error> {
    let wrong = |column, found: String, expected| Err(Error::content(TABLE, column, found, expected));
    let states = frame.shared.states.len();
    if Some(frame.shared.covariance.len()) != states.checked_mul(states) {
        let found = format!("{} numbers for {states} states", frame.shared.covariance.len());
        return wrong("shared_covariance", found, "the square of the number of states");
    }
    if !frame.world_from_body.is_finite() {
        return wrong("world_from_body_wxyz", "not finite".into(), "finite numbers");
    }
    let waterline = frame.waterline.iter().flat_map(|line| [line.z_m, line.sigma_m]);
    let calibration = frame.calibration.iter().flat_map(|sensor| {
        let place = sensor.body_from_sensor;
        let numbers: Vec<f64> = place
            .wxyz()
            .into_iter()
            .chain(<[f64; 3]>::from(place.translation()))
            .collect();
        numbers.into_iter().chain(sensor.sound_speed_m_per_s)
    });
    let registration: Vec<f64> = match &frame.status.sonar_registration {
        SonarRegistration::Measured {
            correction,
            covariance,
            ..
        } => correction.iter().chain(covariance.iter()).copied().collect(),
        _ => Vec::new(),
    };
    let clocks = frame.clocks.iter().map(|clock| clock.state.sigma_nanos);
    let groups: [(&str, Vec<f64>); 8] = [
        ("pose_covariance", frame.pose_covariance.iter().copied().collect()),
        ("localizability", frame.localizability.to_vec()),
        ("twist", frame.twist.iter().copied().collect()),
        ("shared_covariance", frame.shared.covariance.clone()),
        ("waterline_z_m", waterline.collect()),
        ("calibration", calibration.collect()),
        ("sonar_registration_correction", registration),
        (CLOCKS, clocks.collect()),
    ];
    for (column, numbers) in groups {
        if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
            return wrong(column, number.to_string(), "finite numbers");
        }
    }
    Ok(())
}

/// A frame that says nothing.
pub(super) fn empty_frame() -> SolidarFrame {
    SolidarFrame {
        index: 0,
        window: Window {
            start: Stamp::default(),
            end: Stamp::default(),
        },
        inputs: Vec::new(),
        gaps: Vec::new(),
        clocks: Vec::new(),
        world_from_body: Transform::identity(),
        pose_covariance: Matrix6::zeros(),
        localizability: [0.0; 6],
        twist: Vector6::zeros(),
        shared: SharedStates::default(),
        waterline: None,
        calibration: Vec::new(),
        status: FrameStatus {
            pose_source: PoseSource::Prediction,
            sonar_registration: SonarRegistration::NotTried,
        },
        points: PointTable::default(),
        arcs: ArcTable::default(),
    }
}
