//! The header of a LAS 1.4 file and the records between it and the points.

use beluga_types::Stamp;

use super::classes;
use super::point::{EXTRA, EXTRA_LEN, POINT_LEN};

/// Bytes of the header.
pub(super) const HEADER_LEN: usize = 375;
const VLR_HEADER_LEN: usize = 54;
/// The point format: GPS time, 256 classes, up to 15 returns.
const FORMAT: u8 = 6;
/// What is added to the format's number where points are packed.
const PACKED: u8 = 0x80;
/// GPS time is adjusted standard time; the reference system, if any, is WKT.
const GLOBAL_ENCODING: u16 = 1 | 1 << 4;

/// What is known of a file once all its points are written.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    pub(super) points: u64,
    /// Metres of one unit, by axis.
    pub(super) scale_m: f64,
    pub(super) offset_m: [f64; 3],
    /// Smallest and largest coordinate, by axis.
    pub(super) bounds_m: [[f64; 2]; 3],
    /// When the first frame ended: the file's date, since nothing here reads a clock.
    pub(super) first: Stamp,
}

/// A variable length record.
pub(super) struct Vlr {
    user: &'static str,
    record: u16,
    description: &'static str,
    body: Vec<u8>,
}

impl Vlr {
    /// The records of a file: its system, its extra columns, its classes, its packing.
    pub(super) fn all(wkt: Option<&str>, packing: Option<&laz::LazVlr>) -> std::io::Result<Vec<Self>> {
        let mut records = Vec::new();
        if let Some(wkt) = wkt {
            records.push(Self {
                user: "LASF_Projection",
                record: 2112,
                description: "OGC WKT",
                body: [wkt.as_bytes(), &[0]].concat(),
            });
        }
        records.push(Self {
            user: "LASF_Spec",
            record: 4,
            description: "Extra Bytes",
            body: EXTRA.iter().flat_map(|column| column.descriptor()).collect(),
        });
        records.push(Self {
            user: "LASF_Spec",
            record: 0,
            description: "Classification Lookup",
            body: classes::lookup(),
        });
        if let Some(packing) = packing {
            let mut body = Vec::new();
            packing.write_to(&mut body)?;
            records.push(Self {
                user: laz::LazVlr::USER_ID,
                record: laz::LazVlr::RECORD_ID,
                description: "LASzip",
                body,
            });
        }
        Ok(records)
    }

    fn push_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend([0; 2]);
        bytes.extend(text::<16>(self.user));
        bytes.extend(self.record.to_le_bytes());
        bytes.extend((self.body.len() as u16).to_le_bytes());
        bytes.extend(text::<32>(self.description));
        bytes.extend(&self.body);
    }
}

/// Header and records, of one length for all totals.
pub(super) fn encode(totals: &Totals, records: &[Vlr], is_packed: bool) -> Vec<u8> {
    let records_len: usize = records
        .iter()
        .map(|record| VLR_HEADER_LEN + record.body.len())
        .sum();
    let (year, day) = year_and_day(totals.first);
    let mut bytes = Vec::with_capacity(HEADER_LEN + records_len);
    bytes.extend(b"LASF");
    bytes.extend([0; 2]);
    bytes.extend(GLOBAL_ENCODING.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend([1, 4]);
    bytes.extend(text::<32>("BELUGA"));
    bytes.extend(text::<32>(concat!("BELUGA ", env!("CARGO_PKG_VERSION"))));
    bytes.extend(day.to_le_bytes());
    bytes.extend(year.to_le_bytes());
    bytes.extend((HEADER_LEN as u16).to_le_bytes());
    bytes.extend(((HEADER_LEN + records_len) as u32).to_le_bytes());
    bytes.extend((records.len() as u32).to_le_bytes());
    bytes.push(if is_packed { FORMAT | PACKED } else { FORMAT });
    bytes.extend(((POINT_LEN + EXTRA_LEN) as u16).to_le_bytes());
    // Counts in 32 bits, which formats from 6 on leave zero.
    bytes.extend([0; 4 + 5 * 4]);
    bytes.extend([totals.scale_m; 3].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend(totals.offset_m.iter().flat_map(|value| value.to_le_bytes()));
    for [low, high] in totals.bounds_m {
        bytes.extend(high.to_le_bytes());
        bytes.extend(low.to_le_bytes());
    }
    // No waveforms and no records after the points.
    bytes.extend([0; 8 + 8 + 4]);
    bytes.extend(totals.points.to_le_bytes());
    // Every point is the only return of its pulse.
    bytes.extend(totals.points.to_le_bytes());
    bytes.extend([0; 14 * 8]);
    debug_assert_eq!(bytes.len(), HEADER_LEN);
    records.iter().for_each(|record| record.push_to(&mut bytes));
    bytes
}

/// Text in a field of fixed length, filled with zeros.
pub(super) fn text<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
}

/// Year, and day of it from 1.
fn year_and_day(stamp: Stamp) -> (u16, u16) {
    const BEFORE_MONTH: [u16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let date = stamp.iso_8601();
    let part = |at: std::ops::Range<usize>| date.get(at).and_then(|digits| digits.parse::<u16>().ok());
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else {
        return (0, 0);
    };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let before = BEFORE_MONTH
        .get(usize::from(month).wrapping_sub(1))
        .copied()
        .unwrap_or(0);
    (year, before + day + u16::from(is_leap && month > 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_year_are_counted_from_one() {
        for (seconds, expected) in [
            (0, (1970, 1)),
            (1_709_251_199, (2024, 60)),
            (1_709_251_200, (2024, 61)),
            (1_735_603_200, (2024, 366)),
            (1_740_787_200, (2025, 60)),
        ] {
            assert_eq!(
                year_and_day(Stamp::from_nanos(seconds * 1_000_000_000)),
                expected,
                "{seconds}"
            );
        }
    }
}
