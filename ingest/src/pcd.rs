//! PCD files, version 0.7 and before: one lidar scan each, in the lidar's own axes, metres.
//!
//! Read are `ascii`, `binary` and `binary_compressed`, organised (`HEIGHT` above 1) or not. Of the
//! fields these are used, whatever their numeric type and order; all others are skipped:
//!
//! | field (case does not matter) | meaning |
//! |---|---|
//! | `x` `y` `z` | metres, required |
//! | `intensity`, `reflectivity`, `reflectance`, `i` | strength in the device's unit; the first found |
//! | `ring`, `channel`, `line` | ring, whole numbers 0 to 65535 |
//! | `offset_nanos`, `offset_s` | nanoseconds, seconds after the scan's stamp |
//! | `t`, `time`, `timestamp`, `offset_time` and others | recognised by the numbers: see `point_times` |
//!
//! Points of which one of these numbers is not finite (an organised cloud's empty places), or with
//! |x|, |y| or |z| above 1e6 m, are left out and counted. `VIEWPOINT` is not applied. Numbers in
//! binary files are little-endian, as every known writer makes them.
//!
//! Source of the format: "The PCD (Point Cloud Data) file format", documentation of the Point
//! Cloud Library; `binary_compressed` as its `PCDWriter` writes it: two 32-bit lengths, then the
//! fields one after the other, packed by LZF.

mod body;
mod header;
mod lzf;

use std::path::Path;

use crate::cloud::Cloud;
use crate::error::Error;
use crate::ply::read_whole;

/// The largest PCD file that is read, in bytes.
const MAX_PCD_BYTES: u64 = 4 << 30;

/// Reads the scan of a PCD file; `period_nanos` is the time from scan to scan, where it is known.
///
/// # Errors
/// If the file cannot be read, is not PCD, lacks x, y or z, holds more or fewer points than its
/// header says, or has a ring or time that does not fit its type.
pub(crate) fn read(path: &Path, period_nanos: Option<i64>) -> Result<Cloud, Error> {
    cloud(&read_whole(path, MAX_PCD_BYTES)?, path, period_nanos)
}

/// The scan in the bytes of a PCD file; `path` is for messages.
pub(crate) fn cloud(bytes: &[u8], path: &Path, period_nanos: Option<i64>) -> Result<Cloud, Error> {
    parse_at(bytes, period_nanos).map_err(|wrong| Error::bad(path, wrong.place, wrong.expected, wrong.found))
}

fn parse_at(bytes: &[u8], period_nanos: Option<i64>) -> Result<Cloud, crate::columns::Wrong> {
    let header = header::Header::parse(bytes)?;
    body::cloud(&header, bytes, period_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Cloud, crate::columns::Wrong> {
        parse_at(bytes, None)
    }

    const HEADER: &str = "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z intensity ring t\nSIZE 4 4 4 4 2 4\n\
        TYPE F F F F U U\nCOUNT 1 1 1 1 1 1\nWIDTH 3\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS 3\n";

    fn points() -> [([f32; 4], u16, u32); 3] {
        [
            ([1.0, 2.0, 3.0, 0.5], 7, 0),
            ([f32::NAN, 0.0, 0.0, 0.0], 8, 10),
            ([-4.0, 5.0, -6.5, 9.0], 9, 99_000_000),
        ]
    }

    fn binary() -> Vec<u8> {
        let mut bytes = format!("{HEADER}DATA binary\n").into_bytes();
        for (reals, ring, t) in points() {
            reals.iter().for_each(|real| bytes.extend(real.to_le_bytes()));
            bytes.extend(ring.to_le_bytes());
            bytes.extend(t.to_le_bytes());
        }
        bytes
    }

    fn ascii() -> Vec<u8> {
        let mut text = format!("{HEADER}DATA ascii\n");
        for ([x, y, z, i], ring, t) in points() {
            text += &format!("{x} {y} {z} {i} {ring} {t}\n");
        }
        text.into_bytes()
    }

    /// Literals only: what any LZF reader takes.
    fn literals(plain: &[u8]) -> Vec<u8> {
        plain
            .chunks(32)
            .flat_map(|run| std::iter::once(run.len() as u8 - 1).chain(run.iter().copied()))
            .collect()
    }

    fn compressed() -> Vec<u8> {
        let mut plain = Vec::new();
        for column in 0..4 {
            points()
                .iter()
                .for_each(|(reals, ..)| plain.extend(reals[column].to_le_bytes()));
        }
        points()
            .iter()
            .for_each(|(_, ring, _)| plain.extend(ring.to_le_bytes()));
        points().iter().for_each(|(.., t)| plain.extend(t.to_le_bytes()));
        let packed = literals(&plain);
        let mut bytes = format!("{HEADER}DATA binary_compressed\n").into_bytes();
        bytes.extend((packed.len() as u32).to_le_bytes());
        bytes.extend((plain.len() as u32).to_le_bytes());
        bytes.extend(packed);
        bytes
    }

    fn refused(bytes: &[u8]) -> String {
        let wrong = parse(bytes).err().unwrap();
        format!(
            "{}: expected {}, found {}",
            wrong.place, wrong.expected, wrong.found
        )
    }

    #[test]
    fn the_three_forms_say_the_same() {
        for bytes in [ascii(), binary(), compressed()] {
            let scan = parse(&bytes).unwrap().scan;
            assert_eq!((scan.len(), scan.dropped()), (2, 1));
            assert_eq!((scan.x(), scan.z()), (&[1.0, -4.0][..], &[3.0, -6.5][..]));
            assert_eq!(scan.intensity().unwrap(), [0.5, 9.0]);
            assert_eq!(scan.ring().unwrap(), [7, 9]);
            assert_eq!(scan.offset_nanos().unwrap(), [0, 99_000_000]);
        }
    }

    #[test]
    fn a_cut_anywhere_is_refused_and_a_wrong_count_with_words() {
        for bytes in [binary(), compressed()] {
            for end in 0..bytes.len() {
                assert!(parse(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
            }
        }
        let text = ascii();
        for end in 0..text.len() - 2 {
            // The last number of a text may lose digits and still be one.
            if parse(&text[..end]).is_ok() {
                assert!(end > text.len() - 9, "{end} of {}", text.len());
            }
        }
        let with = |bytes: Vec<u8>, from: &str, to: &str| {
            let at = bytes
                .windows(from.len())
                .position(|w| w == from.as_bytes())
                .unwrap();
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        };
        let error = refused(&with(binary(), "POINTS 3", "POINTS 4"));
        assert!(error.contains("3 points, WIDTH × HEIGHT, found 4"), "{error}");
        let more = with(with(binary(), "POINTS 3", "POINTS 4"), "WIDTH 3", "WIDTH 4");
        assert!(
            refused(&more).contains("4 points of 22 bytes, found 66 bytes"),
            "{}",
            refused(&more)
        );
        let fewer = with(with(ascii(), "POINTS 3", "POINTS 2"), "WIDTH 3", "WIDTH 2");
        assert!(
            refused(&fewer).contains("2 points, found more lines"),
            "{}",
            refused(&fewer)
        );
        let huge = with(
            with(binary(), "POINTS 3", "POINTS 99999999999999"),
            "WIDTH 3",
            "WIDTH 99999999999999",
        );
        assert!(refused(&huge).contains("99999999999999 points"));
        let bomb = with(
            with(compressed(), "POINTS 3", "POINTS 90000000"),
            "WIDTH 3",
            "WIDTH 90000000",
        );
        assert!(refused(&bomb).contains("1980000000 bytes"), "{}", refused(&bomb));
    }

    #[test]
    fn what_is_packed_to_fill_memory_is_refused_and_an_empty_frame_is_not() {
        let packed = |points: usize| {
            // A zero, and the longest references one byte back.
            let plain = 12 * points;
            let references = (plain - 1) / 264;
            let mut body = vec![0, 0];
            body.extend([0xe0, 0xff, 0].repeat(references));
            body.extend([0; 2].repeat(plain - 1 - 264 * references));
            let mut bytes = format!(
                "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH {points}\nHEIGHT 1\nDATA binary_compressed\n"
            )
            .into_bytes();
            bytes.extend((body.len() as u32).to_le_bytes());
            bytes.extend((plain as u32).to_le_bytes());
            bytes.extend(body);
            bytes
        };
        assert_eq!(parse(&packed(20_000)).unwrap().scan.len(), 20_000);
        let error = refused(&packed(6_000_000));
        assert!(
            error.contains("expected at most 67108864 bytes packed in 8"),
            "{error}"
        );
        assert!(error.ends_with("found 72000000"), "{error}");
    }

    #[test]
    fn an_organised_cloud_with_padding_and_absolute_times_is_read() {
        let mut bytes =
            b"VERSION .7\nFIELDS x _ y z timestamp\nSIZE 8 1 4 2 8\nTYPE F U F I F\nCOUNT 1 3 1 1 1\n\
            WIDTH 2\nHEIGHT 1\nDATA binary\n"
                .to_vec();
        for (x, y, z, time) in [
            (1.5f64, 2.5f32, -3i16, 1_700_000_000.25f64),
            (4.0, 5.0, 6, 1_700_000_000.0),
        ] {
            bytes.extend(x.to_le_bytes());
            bytes.extend([9; 3]);
            bytes.extend(y.to_le_bytes());
            bytes.extend(z.to_le_bytes());
            bytes.extend(time.to_le_bytes());
        }
        let cloud = parse(&bytes).unwrap();
        assert_eq!(cloud.start.unwrap().nanos(), 1_700_000_000_000_000_000);
        assert_eq!(
            (cloud.scan.x(), cloud.scan.z()),
            (&[1.5, 4.0][..], &[-3.0, 6.0][..])
        );
        assert_eq!(cloud.scan.offset_nanos().unwrap(), [250_000_000, 0]);
    }

    #[test]
    fn headers_that_cannot_be_are_refused() {
        for (text, word) in [
            ("hello", "PCD"),
            (
                "VERSION 0.7\nFIELDS x y\nSIZE 4 4\nTYPE F F\nWIDTH 0\nHEIGHT 1\nDATA ascii\n",
                "`z`",
            ),
            (
                "VERSION 0.7\nFIELDS x y z\nSIZE 4 4\nTYPE F F F\nWIDTH 0\nHEIGHT 1\nDATA ascii\n",
                "3 sizes",
            ),
            (
                "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 3\nTYPE F F F\nWIDTH 0\nHEIGHT 1\nDATA ascii\n",
                "`F` of 3",
            ),
            (
                "VERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 0\nHEIGHT 1\nDATA zip\n",
                "`zip`",
            ),
            (
                "VERSION 0.7\nFIELDS x y z x\nSIZE 4 4 4 4\nTYPE F F F F\nWIDTH 0\nHEIGHT 1\nDATA ascii\n",
                "once",
            ),
        ] {
            let error = refused(text.as_bytes());
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn every_change_of_a_byte_is_survived() {
        for whole in [ascii(), binary(), compressed()] {
            for at in 0..whole.len() {
                for value in [0, b'0', b'9', b' ', b'\n', 0x7f, 0xff, whole[at] ^ 1] {
                    let mut bytes = whole.clone();
                    bytes[at] = value;
                    if let Ok(cloud) = parse(&bytes) {
                        assert!(cloud.scan.len() <= bytes.len());
                        assert!(cloud.scan.z().iter().all(|z| z.is_finite()));
                    }
                }
            }
        }
    }
}
