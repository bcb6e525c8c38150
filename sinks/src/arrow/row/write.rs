//! The row of a frame, put together.

use std::sync::Arc;

use arrow_array::{
    Float64Array, Int64Array, ListArray, RecordBatch, StringArray, UInt8Array, UInt16Array, UInt32Array,
    UInt64Array,
};
use beluga_types::{
    FrameClock, FrameGap, FrameInput, SensorCalibration, SharedState, SolidarFrame, SonarRegistration, Stamp,
    Waterline,
};
use nalgebra::Matrix6;

use super::{CLOCKS, MEASURED, NOT_TRIED, REFUSED, TABLE};
use crate::arrow::Error;
use crate::arrow::columns::{Columns, Meaning, PLAIN, fixed, fixed_optional, one_list, unit, unit_in};

/// Unit of a covariance of rotation and translation.
const POSE_UNIT: &str = "rad, then m";

/// The frame's own columns, in one row.
pub(in crate::arrow) fn batch(frame: &SolidarFrame) -> Result<RecordBatch, Error> {
    let mut columns = Columns::default();
    columns.push("index", PLAIN, UInt64Array::from(vec![frame.index]));
    let time = unit("ns since 1970-01-01 UTC");
    let stamp = |stamp: Stamp| Int64Array::from(vec![stamp.nanos()]);
    columns.push("window_start_nanos", time, stamp(frame.window.start));
    columns.push("window_end_nanos", time, stamp(frame.window.end));
    columns.push("inputs", PLAIN, inputs(&frame.inputs)?);
    columns.push("gaps", PLAIN, gaps(&frame.gaps)?);
    push_pose(&mut columns, frame)?;
    let names = frame.shared.states.iter().map(SharedState::name);
    let names = Arc::new(StringArray::from_iter_values(names));
    columns.push(
        "shared_states",
        PLAIN,
        one_list(names, frame.shared.states.len())?,
    );
    let covariance = Arc::new(Float64Array::from(frame.shared.covariance.clone()));
    let covariance = one_list(covariance, frame.shared.covariance.len())?;
    columns.push("shared_covariance", unit("of the states, row-major"), covariance);
    let waterline =
        |value: fn(&Waterline) -> f64| Float64Array::from(vec![frame.waterline.as_ref().map(value)]);
    columns.push_optional("waterline_z_m", unit_in("m", "World"), waterline(|line| line.z_m));
    columns.push_optional("waterline_sigma_m", unit("m"), waterline(|line| line.sigma_m));
    columns.push("calibration", PLAIN, calibration(&frame.calibration)?);
    let source = frame.status.pose_source.name();
    columns.push("pose_source", PLAIN, StringArray::from(vec![source]));
    push_registration(&mut columns, &frame.status.sonar_registration)?;
    columns.push(CLOCKS, PLAIN, clocks(&frame.clocks)?);
    columns.into_batch(TABLE)
}

fn push_pose(columns: &mut Columns, frame: &SolidarFrame) -> Result<(), Error> {
    let pose = &frame.world_from_body;
    let rotation = unit_in("unit quaternion w x y z", "World from Body");
    columns.push("world_from_body_wxyz", rotation, fixed(&[pose.wxyz()])?);
    let translation = fixed(&[pose.translation().into()])?;
    columns.push("world_from_body_m", unit_in("m", "World"), translation);
    let covariance = fixed(&[row_major(&frame.pose_covariance)])?;
    columns.push("pose_covariance", unit_in(POSE_UNIT, "Body"), covariance);
    let localizability = fixed(&[frame.localizability])?;
    columns.push("localizability", unit_in("0 to 1", "Body"), localizability);
    columns.push(
        "twist",
        unit_in("rad/s, then m/s", "Body"),
        fixed(&[frame.twist.into()])?,
    );
    Ok(())
}

fn push_registration(columns: &mut Columns, registration: &SonarRegistration) -> Result<(), Error> {
    let (word, reason, measured) = match registration {
        SonarRegistration::NotTried => (NOT_TRIED, None, None),
        SonarRegistration::Refused { reason } => (REFUSED, Some(reason.as_str()), None),
        SonarRegistration::Measured {
            correction,
            covariance,
            matched,
        } => (MEASURED, None, Some((correction, covariance, *matched))),
    };
    columns.push("sonar_registration", PLAIN, StringArray::from(vec![word]));
    let reason = StringArray::from(vec![reason]);
    columns.push_optional("sonar_registration_reason", PLAIN, reason);
    let correction = fixed_optional(measured.map(|(correction, _, _)| (*correction).into()))?;
    columns.push_optional(
        "sonar_registration_correction",
        unit_in(POSE_UNIT, "Body"),
        correction,
    );
    let covariance = fixed_optional(measured.map(|(_, covariance, _)| row_major(covariance)))?;
    columns.push_optional(
        "sonar_registration_covariance",
        unit_in(POSE_UNIT, "Body"),
        covariance,
    );
    let matched = UInt32Array::from(vec![measured.map(|(_, _, matched)| matched)]);
    columns.push_optional("sonar_registration_matched", PLAIN, matched);
    Ok(())
}

fn inputs(inputs: &[FrameInput]) -> Result<ListArray, Error> {
    let mut columns = Columns::default();
    let sensors = inputs.iter().map(|input| input.sensor.0);
    columns.push("sensor", PLAIN, UInt16Array::from_iter_values(sensors));
    let measurements = inputs.iter().map(|input| input.measurements);
    columns.push("measurements", PLAIN, UInt32Array::from_iter_values(measurements));
    let dropped = inputs.iter().map(|input| input.dropped_points);
    columns.push("dropped_points", PLAIN, UInt32Array::from_iter_values(dropped));
    columns.into_list()
}

fn gaps(gaps: &[FrameGap]) -> Result<ListArray, Error> {
    let mut columns = Columns::default();
    let sensors = gaps.iter().map(|gap| gap.sensor.0);
    columns.push("sensor", PLAIN, UInt16Array::from_iter_values(sensors));
    let lost = gaps.iter().map(|gap| gap.lost);
    columns.push("lost", PLAIN, UInt64Array::from_iter_values(lost));
    let causes = gaps.iter().map(|gap| gap.cause.name());
    columns.push("cause", PLAIN, StringArray::from_iter_values(causes));
    columns.into_list()
}

fn clocks(clocks: &[FrameClock]) -> Result<ListArray, Error> {
    let mut columns = Columns::default();
    let sensors = clocks.iter().map(|clock| clock.sensor.0);
    columns.push("sensor", PLAIN, UInt16Array::from_iter_values(sensors));
    let offsets = clocks.iter().map(|clock| clock.state.offset_nanos);
    let offsets = Int64Array::from_iter_values(offsets);
    columns.push("offset_nanos", unit("ns, host minus sensor"), offsets);
    let sigmas = clocks.iter().map(|clock| clock.state.sigma_nanos);
    columns.push("sigma_nanos", unit("ns"), Float64Array::from_iter_values(sigmas));
    let locked = clocks.iter().map(|clock| u8::from(clock.state.locked));
    let words = Meaning {
        values: "0 free, 1 follows a reference",
        ..PLAIN
    };
    columns.push("locked", words, UInt8Array::from_iter_values(locked));
    columns.into_list()
}

fn calibration(sensors: &[SensorCalibration]) -> Result<ListArray, Error> {
    let mut columns = Columns::default();
    let ids = sensors.iter().map(|sensor| sensor.sensor.0);
    columns.push("sensor", PLAIN, UInt16Array::from_iter_values(ids));
    let rotations: Vec<[f64; 4]> = sensors.iter().map(|s| s.body_from_sensor.wxyz()).collect();
    let rotation = unit_in("unit quaternion w x y z", "Body from Sensor");
    columns.push("body_from_sensor_wxyz", rotation, fixed(&rotations)?);
    let translations: Vec<[f64; 3]> = sensors
        .iter()
        .map(|s| s.body_from_sensor.translation().into())
        .collect();
    columns.push("body_from_sensor_m", unit_in("m", "Body"), fixed(&translations)?);
    let offsets = sensors.iter().map(|sensor| sensor.time_offset_nanos);
    columns.push(
        "time_offset_nanos",
        unit("ns"),
        Int64Array::from_iter_values(offsets),
    );
    let speeds: Float64Array = sensors.iter().map(|sensor| sensor.sound_speed_m_per_s).collect();
    columns.push_optional("sound_speed_m_per_s", unit("m/s"), speeds);
    columns.into_list()
}

fn row_major(matrix: &Matrix6<f64>) -> [f64; 36] {
    std::array::from_fn(|i| matrix[(i / 6, i % 6)])
}
