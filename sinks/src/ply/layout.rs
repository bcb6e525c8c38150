//! How a PLY file looks: its header, its columns, and one vertex.

use beluga_types::{Label, Medium, Origin, SolidarFrame};
use nalgebra::Matrix3;

/// The columns of a vertex: PLY type, name, and for a comment its unit and meaning.
pub(super) const COLUMNS: [(&str, &str, &str); 25] = [
    ("double", "x", "m, World east"),
    ("double", "y", "m, World north"),
    ("double", "z", "m, World up"),
    ("uint", "frame_index", "frame it belongs to"),
    ("int", "stamp_high", "ns since 1970-01-01 UTC, upper 32 bits"),
    ("uint", "stamp_low", "its lower 32 bits"),
    ("int", "offset_nanos", "ns against the end of the frame's window"),
    ("ushort", "sensor", "place in the rig's list"),
    ("uchar", "medium", ""),
    ("float", "level", "device unit for light, dB for sound"),
    ("float", "snr_db", "dB, only where has_snr is 1"),
    ("uchar", "has_snr", "whether snr_db was measured"),
    ("float", "sigma_range_m", "m, one sigma along the beam"),
    (
        "float",
        "sigma_along_m",
        "m, along the sensor's x across the beam",
    ),
    ("float", "sigma_across_m", "m, along the third axis"),
    ("uchar", "label", ""),
    (
        "uint",
        "source_seq_low",
        "sequence number of the scan or ping, lower 32 bits",
    ),
    ("uint", "source_seq_high", "its upper 32 bits"),
    ("uint", "source_index", "point of the scan, or beam of the ping"),
    ("float", "cov_xx", "m2, random covariance in World"),
    ("float", "cov_xy", "m2"),
    ("float", "cov_xz", "m2"),
    ("float", "cov_yy", "m2"),
    ("float", "cov_yz", "m2"),
    ("float", "cov_zz", "m2"),
];

/// Bytes of one vertex.
pub(super) const ROW_BYTES: usize = 105;

/// One vertex, in the order of [`COLUMNS`].
pub(super) fn push_row(
    rows: &mut Vec<u8>,
    frame: &SolidarFrame,
    frame_index: u32,
    i: usize,
    covariance: &Matrix3<f64>,
) {
    let points = &frame.points;
    let place = frame.point_in_world(i).vector();
    for axis in 0..3 {
        rows.extend(place[axis].to_le_bytes());
    }
    rows.extend(frame_index.to_le_bytes());
    let offset_nanos = points.offset_nanos[i];
    let stamp = frame.window.end.shifted_nanos(offset_nanos.into()).nanos();
    rows.extend(((stamp >> 32) as i32).to_le_bytes());
    rows.extend((stamp as u32).to_le_bytes());
    rows.extend(offset_nanos.to_le_bytes());
    rows.extend(points.sensor[i].to_le_bytes());
    rows.push(points.medium[i] as u8);
    rows.extend(points.level[i].to_le_bytes());
    let snr_db = points.snr_db[i].filter(|snr_db| snr_db.is_finite());
    rows.extend(snr_db.unwrap_or(0.0).to_le_bytes());
    rows.push(u8::from(snr_db.is_some()));
    rows.extend(points.sigma_range_m[i].to_le_bytes());
    rows.extend(points.sigma_along_m[i].to_le_bytes());
    rows.extend(points.sigma_across_m[i].to_le_bytes());
    rows.push(points.label[i] as u8);
    let seq = points.source_seq[i];
    rows.extend((seq as u32).to_le_bytes());
    rows.extend(((seq >> 32) as u32).to_le_bytes());
    rows.extend(points.source_index[i].to_le_bytes());
    for (row, column) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)] {
        rows.extend(nearest_f32(covariance[(row, column)]).to_le_bytes());
    }
}

/// The finite `f32` nearest to a number, which may lie beyond all of them.
fn nearest_f32(number: f64) -> f32 {
    (number as f32).clamp(f32::MIN, f32::MAX)
}

/// The header, of the same length for every count.
pub(super) fn header(vertices: u64, origin: Option<&Origin>) -> String {
    let mut lines = vec![
        "ply".to_owned(),
        "format binary_little_endian 1.0".to_owned(),
        "comment BELUGA, points in World: local east-north-up, metres".to_owned(),
        origin_comment(origin),
        format!("comment medium: {}", Medium::numbered()),
        format!("comment label: {}", Label::numbered()),
    ];
    for (_, name, meaning) in COLUMNS.into_iter().filter(|(_, _, meaning)| !meaning.is_empty()) {
        lines.push(format!("comment {name}: {meaning}"));
    }
    // The count grows when the file is finished; this line shrinks by as much.
    let digits = vertices.to_string();
    lines.push(format!(
        "comment {}",
        ".".repeat(u32::MAX.to_string().len() + 1 - digits.len())
    ));
    lines.push(format!("element vertex {digits}"));
    lines.extend(COLUMNS.map(|(kind, name, _)| format!("property {kind} {name}")));
    lines.push("end_header\n".to_owned());
    lines.join("\n")
}

fn origin_comment(origin: Option<&Origin>) -> String {
    let Some(origin) = origin else {
        return "comment origin: none, World is the vehicle's own space at its first measurement".to_owned();
    };
    let anchor = &origin.anchor;
    format!(
        "comment origin: latitude {:.9} deg, longitude {:.9} deg, height {:.4} m above the ellipsoid, datum WGS 84",
        anchor.latitude_rad.to_degrees(),
        anchor.longitude_rad.to_degrees(),
        anchor.height_m
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_one_length_for_every_count() {
        let lengths = [0, 9, 10, 12_345, u64::from(u32::MAX)].map(|count| header(count, None).len());
        assert!(lengths.iter().all(|&length| length == lengths[0]), "{lengths:?}");
    }

    #[test]
    fn a_float_is_the_nearest_and_finite() {
        assert_eq!((nearest_f32(1e300), nearest_f32(-1e39)), (f32::MAX, f32::MIN));
        assert_eq!(nearest_f32(0.1), 0.1);
    }
}
