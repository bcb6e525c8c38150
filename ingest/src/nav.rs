//! `nav.csv`: position, attitude, or both, of the vehicle, with sigmas.
//!
//! The quaternion turns `Body` into the local east-north-up at the fix. East, north and up sigmas
//! become the translation part of a pose's covariance turned into `Body`; roll, pitch and heading
//! sigmas are its rotation part about `Body` x, y and z.

use std::path::Path;

use beluga_types::{AttitudeFix, Geodetic, GnssFix, Origin, Payload, PoseFix, Stamp};
use nalgebra::{Matrix3, Matrix6, Quaternion, UnitQuaternion, Vector3};

use crate::error::{Error, Fault};
use crate::exact::{degrees, number};
use crate::source::{Loaded, Row, Source};
use crate::table::{Line, Table};

const REQUIRED: [&str; 8] = [
    "stamp_ns", "lat_deg", "lon_deg", "height_m", "qw", "qx", "qy", "qz",
];
const SIGMAS: [&str; 6] = [
    "sigma_east_m",
    "sigma_north_m",
    "sigma_up_m",
    "sigma_roll_deg",
    "sigma_pitch_deg",
    "sigma_heading_deg",
];
const OPTIONAL: [&str; 8] = [
    SIGMAS[0],
    SIGMAS[1],
    SIGMAS[2],
    SIGMAS[3],
    SIGMAS[4],
    SIGMAS[5],
    "received_ns",
    "seq",
];
/// How far a quaternion's length may be from 1; files round to a few digits.
const QUATERNION_SLACK: f64 = 1e-2;

/// The fixes of one nav sensor.
pub(crate) struct Fixes {
    table: Table,
    origin: Origin,
}

/// The header line of a table as it is written.
pub(crate) fn header() -> String {
    let columns: Vec<&str> = REQUIRED.into_iter().chain(OPTIONAL).collect();
    format!("{}\n", columns.join(","))
}

impl Fixes {
    /// The fixes of a table, placed in the `World` of this origin.
    pub(crate) fn open(path: &Path, origin: Origin) -> Result<Self, Error> {
        let table = Table::open(path, &REQUIRED, &OPTIONAL)?;
        Ok(Self { table, origin })
    }

    fn row(&self, line: &Line) -> Result<Row<Payload>, Error> {
        Ok(Row {
            place: line.place(),
            seq: line.integer("seq")?,
            stamp: line.required_stamp("stamp_ns")?,
            end: None,
            received: line.stamp("received_ns")?,
            what: self.payload(line)?,
        })
    }

    fn payload(&self, line: &Line) -> Result<Payload, Error> {
        let metres = three(line, [SIGMAS[0], SIGMAS[1], SIGMAS[2]])?;
        let radians =
            three(line, [SIGMAS[3], SIGMAS[4], SIGMAS[5]])?.map(|sigmas| sigmas.map(f64::to_radians));
        let variances = |sigmas: Vector3<f64>| Matrix3::from_diagonal(&sigmas.map(|sigma| sigma * sigma));
        match (place(line)?, attitude(line)?) {
            (Some(place), Some(east_north_up_from_body)) => {
                let covariance = metres.zip(radians).map(|(metres, radians)| {
                    let turn = east_north_up_from_body.to_rotation_matrix().into_inner();
                    let mut covariance = Matrix6::zeros();
                    covariance
                        .fixed_view_mut::<3, 3>(0, 0)
                        .copy_from(&variances(radians));
                    let translation = turn.transpose() * variances(metres) * turn;
                    covariance.fixed_view_mut::<3, 3>(3, 3).copy_from(&translation);
                    covariance
                });
                Ok(Payload::Pose(PoseFix {
                    world_from_body: self.origin.world_from_body(&place, east_north_up_from_body),
                    covariance,
                }))
            }
            (Some(place), None) => Ok(Payload::Gnss(GnssFix {
                place,
                covariance_m2: metres.map(variances),
            })),
            (None, Some(world_from_body)) => Ok(Payload::Attitude(AttitudeFix {
                world_from_body,
                covariance_rad2: radians.map(variances),
            })),
            (None, None) => Err(line.refuse("a position, an attitude, or both", "neither")),
        }
    }
}

impl Source for Fixes {
    type What = Payload;

    fn next_row(&mut self) -> Option<Result<Row<Payload>, Fault>> {
        let row = match self.table.next_line()? {
            Ok(line) => self.row(&line),
            Err(error) => Err(error),
        };
        Some(row.map_err(|error| Fault::corrupt(&error)))
    }

    fn load(&mut self, payload: Payload) -> Loaded {
        Loaded::whole(payload, 0)
    }
}

/// The first place in a table, where `World` is anchored if the rig names no origin.
pub(crate) fn first_place(path: &Path) -> Result<Option<Geodetic>, Error> {
    let mut table = Table::open(path, &REQUIRED, &OPTIONAL)?;
    while let Some(line) = table.next_line() {
        if let Ok(Some(place)) = line.and_then(|line| place(&line)) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// A fix as a line of the table; nothing if the table has no place for such a payload.
///
/// Of a covariance the sigmas along east, north, up and about `Body` x, y, z are written.
pub(crate) fn line(
    stamp: Stamp,
    received: Stamp,
    seq: u64,
    payload: &Payload,
    origin: Option<&Origin>,
) -> Option<String> {
    let (place, rotation, metres, radians) = match payload {
        Payload::Pose(fix) => {
            let (place, rotation) = origin?.place_of(&fix.world_from_body);
            let parts = fix.covariance.map(|covariance| {
                let turn = rotation.to_rotation_matrix().into_inner();
                let translation = covariance.fixed_view::<3, 3>(3, 3).into_owned();
                let sigmas =
                    |matrix: Matrix3<f64>| matrix.diagonal().map(|variance| variance.max(0.0).sqrt());
                (
                    sigmas(turn * translation * turn.transpose()),
                    sigmas(covariance.fixed_view::<3, 3>(0, 0).into_owned()),
                )
            });
            let (metres, radians) = parts.unzip();
            (Some(place), Some(rotation), metres, radians)
        }
        Payload::Gnss(fix) => {
            let sigmas = fix
                .covariance_m2
                .map(|covariance| covariance.diagonal().map(|v| v.max(0.0).sqrt()));
            (Some(fix.place), None, sigmas, None)
        }
        Payload::Attitude(fix) => {
            let sigmas = fix
                .covariance_rad2
                .map(|covariance| covariance.diagonal().map(|v| v.max(0.0).sqrt()));
            (None, Some(fix.world_from_body), None, sigmas)
        }
        _ => return None,
    };
    let some = |values: Option<Vec<f64>>, count: usize| match values {
        Some(values) => values.into_iter().map(number).collect::<Vec<_>>().join(","),
        None => ",".repeat(count - 1),
    };
    let place = place.map(|p| vec![degrees(p.latitude_rad), degrees(p.longitude_rad), p.height_m]);
    let rotation = rotation.map(|q| vec![q.w, q.i, q.j, q.k]);
    let metres = metres.map(|sigmas| sigmas.iter().copied().collect());
    let radians = radians.map(|sigmas| sigmas.iter().map(|&sigma| degrees(sigma)).collect());
    Some(format!(
        "{},{},{},{},{},{},{seq}\n",
        stamp.nanos(),
        some(place, 3),
        some(rotation, 4),
        some(metres, 3),
        some(radians, 3),
        received.nanos()
    ))
}

fn place(line: &Line) -> Result<Option<Geodetic>, Error> {
    let Some([lat, lon, height]) = all(line, ["lat_deg", "lon_deg", "height_m"])? else {
        return Ok(None);
    };
    if lat.abs() > 90.0 || lon.abs() > 360.0 || height.abs() > 1e6 {
        let found = format!("{lat}, {lon}, {height}");
        return Err(line.refuse(
            "±90° in `lat_deg`, ±360° in `lon_deg`, ±1000 km in `height_m`",
            found,
        ));
    }
    Ok(Some(Geodetic::from_degrees(lat, lon, height)))
}

fn attitude(line: &Line) -> Result<Option<UnitQuaternion<f64>>, Error> {
    let Some([w, x, y, z]) = all(line, ["qw", "qx", "qy", "qz"])? else {
        return Ok(None);
    };
    let quaternion = Quaternion::new(w, x, y, z);
    let length = quaternion.norm();
    if length.is_nan() || (length - 1.0).abs() > QUATERNION_SLACK {
        return Err(line.refuse(
            "a quaternion of length 1 in `qw,qx,qy,qz`",
            format!("length {length}"),
        ));
    }
    Ok(Some(UnitQuaternion::new_normalize(quaternion)))
}

/// All of these columns, or none of them.
fn all<const N: usize>(line: &Line, columns: [&str; N]) -> Result<Option<[f64; N]>, Error> {
    let mut numbers = [0.0; N];
    let mut found = 0;
    for (number, column) in numbers.iter_mut().zip(columns) {
        if let Some(value) = line.number(column)? {
            *number = value;
            found += 1;
        }
    }
    match found {
        0 => Ok(None),
        found if found == N => Ok(Some(numbers)),
        found => Err(line.refuse(
            format!("all or none of `{}`", columns.join(",")),
            format!("{found} of {N}"),
        )),
    }
}

/// Three sigmas; nothing if one is absent.
fn three(line: &Line, columns: [&str; 3]) -> Result<Option<Vector3<f64>>, Error> {
    let [first, second, third] = columns;
    let sigmas = [line.sigma(first)?, line.sigma(second)?, line.sigma(third)?];
    Ok(match sigmas {
        [Some(first), Some(second), Some(third)] => Some(Vector3::new(first, second, third)),
        _ => None,
    })
}
