//! Frames as clouds in `World`, with the columns a viewer colours by.

use std::path::Path;

use beluga_ingest::Error;
use beluga_ingest::tape::{CloudWriter, Column, Values};
use beluga_types::{Label, Medium, Origin, SolidarFrame};

/// Starts a file of clouds that says what its columns mean.
pub(super) fn create(path: &Path, origin: Option<&Origin>) -> Result<CloudWriter, Error> {
    let told = [
        (
            "x y z",
            "m, World, single precision: rounded by 0.03 mm at 1 km from its origin".to_owned(),
        ),
        ("level", "device unit for light, dB for sound".to_owned()),
        ("snr_db", "dB, only where has_snr is 1".to_owned()),
        (
            "sigma_range_m",
            "m, one sigma of the random error along the beam".to_owned(),
        ),
        (
            "sigma_along_m",
            "m, along the sensor's x across the beam".to_owned(),
        ),
        ("sigma_across_m", "m, along the third axis".to_owned()),
        (
            "offset_nanos",
            "ns against the cloud's stamp, the end of the frame's window".to_owned(),
        ),
        ("sensor", "place in the rig's list".to_owned()),
        ("medium", Medium::numbered()),
        ("label", Label::numbered()),
    ];
    CloudWriter::create(path, origin, &told)
}

/// One frame as one cloud.
pub(super) fn push(writer: &mut CloudWriter, frame: &SolidarFrame) -> Result<(), Error> {
    let points = &frame.points;
    let mut places = [(); 3].map(|()| Vec::with_capacity(points.len()));
    for i in 0..points.len() {
        let place = frame.point_in_world(i).vector();
        for (axis, values) in places.iter_mut().enumerate() {
            values.push(place[axis] as f32);
        }
    }
    let [x, y, z] = &places;
    let snr_db: Vec<f32> = points.snr_db.iter().map(|snr_db| snr_db.unwrap_or(0.0)).collect();
    let has_snr: Vec<u8> = points
        .snr_db
        .iter()
        .map(|snr_db| u8::from(snr_db.is_some()))
        .collect();
    let medium: Vec<u8> = points.medium.iter().map(|&medium| medium as u8).collect();
    let label: Vec<u8> = points.label.iter().map(|&label| label as u8).collect();
    let columns = [
        ("x", Values::F32(x)),
        ("y", Values::F32(y)),
        ("z", Values::F32(z)),
        ("level", Values::F32(&points.level)),
        ("snr_db", Values::F32(&snr_db)),
        ("sigma_range_m", Values::F32(&points.sigma_range_m)),
        ("sigma_along_m", Values::F32(&points.sigma_along_m)),
        ("sigma_across_m", Values::F32(&points.sigma_across_m)),
        ("offset_nanos", Values::I32(&points.offset_nanos)),
        ("sensor", Values::U16(&points.sensor)),
        ("medium", Values::U8(&medium)),
        ("label", Values::U8(&label)),
        ("has_snr", Values::U8(&has_snr)),
    ];
    writer.push(
        frame.window.end,
        &columns.map(|(name, values)| Column { name, values }),
        &frame.world_from_body,
        &frame.pose_covariance,
    )
}
