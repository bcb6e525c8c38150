//! The row of a frame, taken apart.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, StringArray, StructArray};
use beluga_types::{
    ArcTable, ClockState, FrameClock, FrameGap, FrameInput, FrameStatus, GapCause, PointTable, PoseSource,
    SensorCalibration, SensorId, SharedState, SharedStates, SolidarFrame, SonarRegistration, Space, Stamp,
    Transform, Waterline, Window,
};
use nalgebra::{Matrix6, Quaternion, Unit, Vector3, Vector6};

use super::{CLOCKS, MEASURED, NOT_TRIED, REFUSED, TABLE};
use crate::arrow::Error;
use crate::arrow::columns::Reading;

/// How far a quaternion's length may be from one.
const UNIT_TOLERANCE: f64 = 1e-9;

/// The frame in this row, with no points and no arcs.
pub(in crate::arrow) fn frame(columns: &StructArray) -> Result<SolidarFrame, Error> {
    let row = Reading::new(TABLE, columns);
    if row.rows() != 1 {
        return Err(row.wrong("index", format!("{} rows", row.rows()), "one row"));
    }
    let stamp = |name| Ok::<_, Error>(Stamp::from_nanos(row.value::<Int64Type>(name)?));
    Ok(SolidarFrame {
        index: row.value::<UInt64Type>("index")?,
        window: Window {
            start: stamp("window_start_nanos")?,
            end: stamp("window_end_nanos")?,
        },
        inputs: read_inputs(&row)?,
        gaps: read_gaps(&row)?,
        clocks: read_clocks(&row)?,
        world_from_body: transform(
            &row,
            "world_from_body_wxyz",
            row.fixed_one("world_from_body_wxyz")?,
            row.fixed_one("world_from_body_m")?,
        )?,
        pose_covariance: Matrix6::from_row_slice(&row.fixed_one::<36>("pose_covariance")?),
        localizability: row.fixed_one("localizability")?,
        twist: Vector6::from(row.fixed_one::<6>("twist")?),
        shared: read_shared(&row)?,
        waterline: read_waterline(&row)?,
        calibration: read_calibration(&row)?,
        status: FrameStatus {
            pose_source: read_pose_source(&row)?,
            sonar_registration: read_registration(&row)?,
        },
        points: PointTable::default(),
        arcs: ArcTable::default(),
    })
}

fn read_inputs(row: &Reading<'_>) -> Result<Vec<FrameInput>, Error> {
    let list = row.list("inputs")?;
    let items = items(row, "inputs", &list)?;
    let sensors = items.values::<UInt16Type>("sensor")?;
    let measurements = items.values::<UInt32Type>("measurements")?;
    let dropped = items.values::<UInt32Type>("dropped_points")?;
    let inputs = sensors.into_iter().zip(measurements).zip(dropped);
    Ok(inputs
        .map(|((sensor, measurements), dropped_points)| FrameInput {
            sensor: SensorId(sensor),
            measurements,
            dropped_points,
        })
        .collect())
}

fn read_gaps(row: &Reading<'_>) -> Result<Vec<FrameGap>, Error> {
    let list = row.list("gaps")?;
    let items = items(row, "gaps", &list)?;
    let sensors = items.values::<UInt16Type>("sensor")?;
    let lost = items.values::<UInt64Type>("lost")?;
    let gaps = sensors.into_iter().zip(lost).zip(items.words("cause")?);
    gaps.map(|((sensor, lost), cause)| {
        let named = |known: &GapCause| Some(known.name()) == cause;
        let known = GapCause::ALL.into_iter().find(named);
        Ok(FrameGap {
            sensor: SensorId(sensor),
            lost,
            cause: known.ok_or_else(|| row.wrong("gaps", cause.unwrap_or("absent"), "a known cause"))?,
        })
    })
    .collect()
}

fn read_clocks(row: &Reading<'_>) -> Result<Vec<FrameClock>, Error> {
    let list = row.list(CLOCKS)?;
    let items = items(row, CLOCKS, &list)?;
    let sensors = items.values::<UInt16Type>("sensor")?;
    let offsets = items.values::<Int64Type>("offset_nanos")?;
    let sigmas = items.values::<Float64Type>("sigma_nanos")?;
    let locked = items.values::<UInt8Type>("locked")?;
    let states = sensors.into_iter().zip(offsets).zip(sigmas).zip(locked);
    let clock = |(((sensor, offset_nanos), sigma_nanos), locked)| {
        let locked = match locked {
            0 => false,
            1 => true,
            other => return Err(row.wrong(CLOCKS, other, "0 or 1 in `locked`")),
        };
        let state = ClockState {
            offset_nanos,
            sigma_nanos,
            locked,
        };
        Ok(FrameClock {
            sensor: SensorId(sensor),
            state,
        })
    };
    states.map(clock).collect()
}

fn read_shared(row: &Reading<'_>) -> Result<SharedStates, Error> {
    let names = row.list("shared_states")?;
    let names: &StringArray = names
        .as_string_opt()
        .ok_or_else(|| row.wrong("shared_states", names.data_type(), "words"))?;
    let state = |name: Option<&str>| {
        let state = name.and_then(SharedState::from_name);
        state.ok_or_else(|| row.wrong("shared_states", name.unwrap_or("absent"), "the name of a state"))
    };
    let covariance = row.list("shared_covariance")?;
    let covariance = covariance
        .as_primitive_opt::<Float64Type>()
        .ok_or_else(|| row.wrong("shared_covariance", covariance.data_type(), "numbers"))?;
    Ok(SharedStates {
        states: names.iter().map(state).collect::<Result<_, _>>()?,
        covariance: covariance.values().to_vec(),
    })
}

fn read_waterline(row: &Reading<'_>) -> Result<Option<Waterline>, Error> {
    let value = |name| Ok::<_, Error>(row.optional::<Float64Type>(name)?.into_iter().next().flatten());
    match (value("waterline_z_m")?, value("waterline_sigma_m")?) {
        (None, None) => Ok(None),
        (Some(z_m), Some(sigma_m)) => Ok(Some(Waterline { z_m, sigma_m })),
        _ => Err(row.wrong(
            "waterline_z_m",
            "half a waterline",
            "height and sigma, or neither",
        )),
    }
}

fn read_calibration(row: &Reading<'_>) -> Result<Vec<SensorCalibration>, Error> {
    let list = row.list("calibration")?;
    let items = items(row, "calibration", &list)?;
    let sensors = items.values::<UInt16Type>("sensor")?;
    let rotations = items.fixed::<4>("body_from_sensor_wxyz")?;
    let translations = items.fixed::<3>("body_from_sensor_m")?;
    let offsets = items.values::<Int64Type>("time_offset_nanos")?;
    let speeds = items.optional::<Float64Type>("sound_speed_m_per_s")?;
    let mounts = rotations.into_iter().zip(translations);
    let settings = sensors.into_iter().zip(offsets).zip(speeds).zip(mounts);
    settings
        .map(
            |(((sensor, time_offset_nanos), sound_speed_m_per_s), (wxyz, metres))| {
                let (Some(wxyz), Some(metres)) = (wxyz, metres) else {
                    return Err(row.wrong("calibration", "absent", "a mount for every sensor"));
                };
                Ok(SensorCalibration {
                    sensor: SensorId(sensor),
                    body_from_sensor: transform(row, "calibration", wxyz, metres)?,
                    time_offset_nanos,
                    sound_speed_m_per_s,
                })
            },
        )
        .collect()
}

fn read_pose_source(row: &Reading<'_>) -> Result<PoseSource, Error> {
    let word = row.words("pose_source")?.into_iter().next().flatten();
    let named = |known: &PoseSource| Some(known.name()) == word;
    let known = PoseSource::ALL.into_iter().find(named);
    known.ok_or_else(|| row.wrong("pose_source", word.unwrap_or("absent"), "a known source"))
}

fn read_registration(row: &Reading<'_>) -> Result<SonarRegistration, Error> {
    let only = |name| Ok::<_, Error>(row.words(name)?.into_iter().next().flatten());
    let wrong = |found: &str| row.wrong("sonar_registration", found, "an outcome with its own columns");
    let reason = only("sonar_registration_reason")?;
    let correction = row
        .fixed::<6>("sonar_registration_correction")?
        .into_iter()
        .next()
        .flatten();
    let covariance = row
        .fixed::<36>("sonar_registration_covariance")?
        .into_iter()
        .next()
        .flatten();
    let matched = row.optional::<UInt32Type>("sonar_registration_matched")?;
    let matched = matched.into_iter().next().flatten();
    let word = only("sonar_registration")?.unwrap_or("absent");
    match (word, reason, correction, covariance, matched) {
        (NOT_TRIED, None, None, None, None) => Ok(SonarRegistration::NotTried),
        (REFUSED, Some(reason), None, None, None) => Ok(SonarRegistration::Refused {
            reason: reason.to_owned(),
        }),
        (MEASURED, None, Some(correction), Some(covariance), Some(matched)) => {
            Ok(SonarRegistration::Measured {
                correction: Vector6::from(correction),
                covariance: Box::new(Matrix6::from_row_slice(&covariance)),
                matched,
            })
        }
        _ => Err(wrong(word)),
    }
}

fn items<'a>(row: &Reading<'_>, name: &'static str, list: &'a dyn Array) -> Result<Reading<'a>, Error> {
    let items = list.as_struct_opt();
    let items = items.ok_or_else(|| row.wrong(name, list.data_type(), "a list of rows"))?;
    Ok(Reading::new(name, items))
}

/// The transform with exactly these numbers: making the quaternion unit again would change its
/// last bits, and a frame that was read must give the bytes it was read from.
fn transform<To: Space, From: Space>(
    row: &Reading<'_>,
    column: &'static str,
    wxyz: [f64; 4],
    metres: [f64; 3],
) -> Result<Transform<To, From>, Error> {
    let quaternion = Quaternion::new(wxyz[0], wxyz[1], wxyz[2], wxyz[3]);
    let length = quaternion.norm();
    if !((length - 1.0).abs() < UNIT_TOLERANCE && wxyz[0] >= 0.0) {
        return Err(row.wrong(column, format!("{wxyz:?}"), "a unit quaternion, w not negative"));
    }
    let transform = Transform::new(Unit::new_unchecked(quaternion), Vector3::from(metres));
    if !transform.is_finite() {
        return Err(row.wrong(column, format!("{metres:?}"), "finite numbers"));
    }
    Ok(transform)
}
