//! What the public header of a LAS file says.

use crate::columns::Wrong;
use crate::table::quoted;

/// Bytes of a point by its format, without what a maker has added; LAS 1.4, tables 7 to 16.
const LENGTHS: [usize; 11] = [20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67];
/// The most points of one file: what is beyond is a tile of a country, no scan.
const MAX_POINTS: u64 = 200_000_000;
/// Bytes of a variable length record before its data.
const VLR_HEAD: usize = 54;

/// What the GPS times of the points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// Seconds of a week that the file does not name.
    Week,
    /// Standard GPS time less 1e9 s.
    Standard,
}

/// The public header, checked against the file's length.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) points: usize,
    /// Bytes of one point.
    pub(super) stride: usize,
    pub(super) format: u8,
    /// Bytes of a point that its maker has added to the format.
    pub(super) extra_bytes: u16,
    pub(super) is_packed: bool,
    pub(super) times: Times,
    /// Where the GPS time stands in a point.
    pub(super) time_at: Option<usize>,
    pub(super) scale: [f64; 3],
    pub(super) offset: [f64; 3],
    /// Least and most of each axis, as the header says; for an origin only.
    pub(super) bounds: [[f64; 2]; 3],
    size: usize,
    vlrs: usize,
    /// Where something else follows the points: waveforms or extended records.
    behind: Option<usize>,
    /// Where the points start, in bytes.
    pub(super) start: usize,
}

impl Header {
    /// The header at the start of a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if !bytes.starts_with(b"LASF") {
            let found = quoted(&String::from_utf8_lossy(&bytes[..bytes.len().min(8)]));
            return Err(Wrong::new("byte 0", "`LASF`", found));
        }
        let version = (
            bytes.get(24).copied().unwrap_or(0),
            bytes.get(25).copied().unwrap_or(0),
        );
        let size = usize::from(take(bytes, 94).map(u16::from_le_bytes)?);
        let least = if version >= (1, 4) { 375 } else { 227 };
        if version.0 != 1 || size < least || bytes.len() < size {
            let expected = format!("a header of LAS 1.0 to 1.4, at least {least} bytes");
            let found = format!(
                "version {}.{}, {size} bytes of {}",
                version.0,
                version.1,
                bytes.len()
            );
            return Err(Wrong::new("header", expected, found));
        }
        let (format, is_packed) = (bytes[104] & 0x3f, bytes[104] & 0x80 != 0);
        let stride = usize::from(take(bytes, 105).map(u16::from_le_bytes)?);
        let Some(length) = LENGTHS
            .get(usize::from(format))
            .filter(|length| stride >= **length)
        else {
            let expected = "a point format 0 to 10 with its length";
            return Err(Wrong::new(
                "header",
                expected,
                format!("format {format} of {stride} bytes"),
            ));
        };
        let extra_bytes = u16::try_from(stride - length).unwrap_or(0);
        let mut points = u64::from(take(bytes, 107).map(u32::from_le_bytes)?);
        if points == 0 && version >= (1, 4) {
            points = take(bytes, 247).map(u64::from_le_bytes)?;
        }
        if points > MAX_POINTS {
            return Err(Wrong::new(
                "header",
                format!("at most {MAX_POINTS} points"),
                format!("{points}"),
            ));
        }
        let reals = |at: usize| -> Result<[f64; 3], Wrong> {
            let real = |axis: usize| take(bytes, at + 8 * axis).map(f64::from_le_bytes);
            Ok([real(0)?, real(1)?, real(2)?])
        };
        let (scale, offset) = (reals(131)?, reals(155)?);
        if !scale.iter().chain(&offset).all(|value| value.is_finite()) || scale.contains(&0.0) {
            let found = format!("{scale:?} and {offset:?}");
            return Err(Wrong::new("header", "finite scales and offsets", found));
        }
        let bound = |at: usize| -> Result<[f64; 2], Wrong> {
            Ok([
                take(bytes, at + 8).map(f64::from_le_bytes)?,
                take(bytes, at).map(f64::from_le_bytes)?,
            ])
        };
        let start = usize::try_from(take(bytes, 96).map(u32::from_le_bytes)?).unwrap_or(usize::MAX);
        if start < size {
            return Err(Wrong::new(
                "header",
                format!("points after byte {size}"),
                format!("{start}"),
            ));
        }
        // Start of waveform data from 1.3 on, of the first extended record from 1.4 on.
        let places = [(3, 227), (4, 235)].into_iter();
        let places = places.filter(|(minor, at)| version >= (1, *minor) && size >= at + 8);
        let behind = places
            .filter_map(|(_, at)| usize::try_from(take(bytes, at).map(u64::from_le_bytes).ok()?).ok())
            .filter(|place| *place >= start)
            .min();
        let standard = take(bytes, 6).map(u16::from_le_bytes)? & 1 == 1;
        Ok(Self {
            points: points as usize,
            stride,
            format,
            extra_bytes,
            is_packed,
            times: if standard { Times::Standard } else { Times::Week },
            time_at: match format {
                0 | 2 => None,
                1 | 3 | 4 | 5 => Some(20),
                _ => Some(22),
            },
            scale,
            offset,
            bounds: [bound(179)?, bound(195)?, bound(211)?],
            size,
            vlrs: usize::try_from(take(bytes, 100).map(u32::from_le_bytes)?).unwrap_or(usize::MAX),
            behind,
            start,
        })
    }

    /// The points of a file that is not packed; where more of them are than the header counts, that
    /// is no count to trust.
    pub(super) fn body<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Wrong> {
        let length = self.points * self.stride;
        let end = self.behind.unwrap_or(bytes.len()).min(bytes.len());
        let rest = bytes.get(self.start..).unwrap_or_default();
        let room = end.saturating_sub(self.start);
        let wrong = |found: usize| {
            let expected = format!("{} points of {} bytes", self.points, self.stride);
            Wrong::new("points", expected, format!("{found} bytes"))
        };
        match rest.get(..length) {
            None => Err(wrong(rest.len())),
            Some(_) if room >= length + self.stride => Err(wrong(room)),
            Some(body) => Ok(body),
        }
    }

    /// The data of the variable length records of this user and number, as far as they are whole.
    pub(super) fn records<'a>(&self, bytes: &'a [u8], user: &str, number: u16) -> Vec<&'a [u8]> {
        let mut found = Vec::new();
        let mut rest = bytes
            .get(self.size..self.start.min(bytes.len()))
            .unwrap_or_default();
        for _ in 0..self.vlrs {
            let Some((head, after)) = rest.split_at_checked(VLR_HEAD) else {
                break;
            };
            let length = usize::from(u16::from_le_bytes([head[20], head[21]]));
            let Some((data, after)) = after.split_at_checked(length) else {
                break;
            };
            let is_user = head[2..18].split(|byte| *byte == 0).next() == Some(user.as_bytes());
            if is_user && u16::from_le_bytes([head[18], head[19]]) == number {
                found.push(data);
            }
            rest = after;
        }
        found
    }

    /// Whether a point is marked as deleted: bit 7 of its classification byte, from format 6 on
    /// bit 2 of its flags, which stand at the same place.
    pub(super) fn is_withheld(&self, byte: u8) -> bool {
        byte & if self.format < 6 { 0x80 } else { 0x04 } != 0
    }
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Wrong> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().ok_or_else(|| {
        Wrong::new(
            "header",
            format!("at least {} bytes", at + N),
            format!("{}", bytes.len()),
        )
    })
}
