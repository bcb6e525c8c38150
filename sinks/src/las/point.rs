//! One point of a LAS file: format 6, then our columns as extra bytes.

use beluga_types::{Medium, SolidarFrame};

use super::classes;
use super::header::text;

/// Bytes of a point of format 6.
pub(super) const POINT_LEN: usize = 30;
/// Bytes of our columns.
pub(super) const EXTRA_LEN: usize = 37;
/// What `snr_db` says where nothing was measured; the file declares it.
const NO_SNR_DB: f32 = -9999.0;
/// What `s44` says of a point that keeps within no order, or is no sounding.
const NO_ORDER: u8 = 0;
/// What adjusted standard GPS time leaves out, in seconds.
const ADJUSTED_S: i64 = 1_000_000_000;

/// A column that LAS has no place for.
pub(super) struct Extra {
    name: &'static str,
    kind: Kind,
    description: &'static str,
    no_data: Option<f64>,
}

/// Types of extra bytes, by their number in LAS 1.4 (table 24).
#[derive(Clone, Copy)]
enum Kind {
    U8 = 1,
    U16 = 3,
    U32 = 5,
    F32 = 9,
}

/// In the order of [`push`].
pub(super) const EXTRA: [Extra; 12] = [
    Extra::new("sigma_range_m", Kind::F32, "m, 1 sigma along the beam"),
    Extra::new("sigma_along_m", Kind::F32, "m, sensor x across the beam"),
    Extra::new("sigma_across_m", Kind::F32, "m, third axis"),
    Extra {
        no_data: Some(NO_SNR_DB as f64),
        ..Extra::new("snr_db", Kind::F32, "dB, signal to noise")
    },
    Extra::new("level", Kind::F32, "light: device unit, sound: dB"),
    Extra::new("frame", Kind::U32, "frame it belongs to"),
    Extra::new("sensor", Kind::U16, "place in the rig's list"),
    Extra::new("medium", Kind::U8, "0 air, 1 water"),
    Extra::new("label", Kind::U8, "BELUGA's label, see class"),
    Extra::new("thu_m", Kind::F32, "m, total horizontal, 95 %"),
    Extra::new("tvu_m", Kind::F32, "m, total vertical, 95 %"),
    Extra::new("s44", Kind::U8, "1 Exclusive 2 Special 3 1a/b 4 2"),
];

impl Extra {
    const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            kind,
            description,
            no_data: None,
        }
    }

    /// The 192 bytes that describe it.
    pub(super) fn descriptor(&self) -> Vec<u8> {
        const HAS_NO_DATA: u8 = 1;
        let mut bytes = vec![0, 0, self.kind as u8];
        bytes.push(if self.no_data.is_some() { HAS_NO_DATA } else { 0 });
        bytes.extend(text::<32>(self.name));
        bytes.extend([0; 4]);
        bytes.extend(self.no_data.unwrap_or(0.0).to_le_bytes());
        // Two unused fields of `no_data`, then least, greatest, scale and offset, three of each.
        bytes.extend([0; 2 * 8 + 4 * 3 * 8]);
        bytes.extend(text::<32>(self.description));
        bytes
    }
}

/// Adds point `i` of a frame, its place counted in units from the file's offset.
pub(super) fn push(rows: &mut Vec<u8>, frame: &SolidarFrame, frame_index: u32, i: usize, place: [i32; 3]) {
    let points = &frame.points;
    let (label, medium) = (points.label[i], points.medium[i]);
    rows.extend(place.iter().flat_map(|value| value.to_le_bytes()));
    rows.extend(intensity(medium, points.level[i]).to_le_bytes());
    // Return 1 of 1.
    rows.push(0x11);
    rows.push(classes::flags(label));
    rows.push(classes::class(label, medium));
    rows.push(medium as u8);
    rows.extend([0; 2]);
    rows.extend(points.sensor[i].to_le_bytes());
    let stamp = frame.window.end.shifted_nanos(points.offset_nanos[i].into());
    let (whole, nanos) = stamp.gps();
    let seconds = (whole - ADJUSTED_S) as f64 + f64::from(nanos) * 1e-9;
    rows.extend(seconds.to_le_bytes());
    let snr_db = points.snr_db[i].filter(|snr_db| snr_db.is_finite());
    for value in [
        points.sigma_range_m[i],
        points.sigma_along_m[i],
        points.sigma_across_m[i],
        snr_db.unwrap_or(NO_SNR_DB),
        points.level[i],
    ] {
        rows.extend(value.to_le_bytes());
    }
    rows.extend(frame_index.to_le_bytes());
    rows.extend(points.sensor[i].to_le_bytes());
    rows.push(medium as u8);
    rows.push(label as u8);
    let total = frame.total_uncertainty(i);
    rows.extend((total.thu_m as f32).to_le_bytes());
    rows.extend((total.tvu_m as f32).to_le_bytes());
    rows.push(
        frame
            .sounding_order(i, &total)
            .map_or(NO_ORDER, |order| order as u8),
    );
}

/// Light: the device's number, rounded. Sound: hundredths of a decibel above −200 dB. Both are held
/// at the ends of 16 bits; `level` has what was measured.
pub(super) fn intensity(medium: Medium, level: f32) -> u16 {
    let level = f64::from(level);
    // A cast of a float stops at the ends of the integer's range.
    match medium {
        Medium::Air => level.round() as u16,
        Medium::Water => ((level + 200.0) * 100.0).round() as u16,
    }
}
