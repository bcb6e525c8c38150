//! The header of a WAV file that is piped: what its samples are. How long they are it cannot know, and
//! is not asked.
//!
//! Source: IBM and Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", 1991; of
//! `WAVE_FORMAT_EXTENSIBLE` (0xFFFE) the first two bytes of the sub-format are the format.

use super::form::{Form, Kind};
use crate::survey::fields::Fields;

/// Longer than this no header is, in bytes: what some programs write before the samples.
const LONGEST: usize = 1 << 16;

/// What a header says.
pub(crate) enum Head {
    /// What samples there are, and where they begin.
    Form(Form, usize),
    /// It has not come as a whole.
    More,
}

/// Reads a header from the bytes that have come.
///
/// # Errors
/// If it is none, or samples are of another kind.
pub(crate) fn head(bytes: &[u8]) -> Result<Head, String> {
    let start = &bytes[..bytes.len().min(12)];
    if !b"RIFF".starts_with(&start[..start.len().min(4)])
        || !b"WAVE".starts_with(start.get(8..).unwrap_or_default())
    {
        return Err("expected a WAV's header (RIFF, WAVE), found another start".into());
    }
    let (mut at, mut form) = (12, None);
    while let Some(chunk) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]) as usize;
        let body = at + 8;
        match (&chunk[..4], form) {
            (b"data", Some(form)) => return Ok(Head::Form(form, body)),
            (b"data", None) => return Err("expected a `fmt ` chunk before the samples, found none".into()),
            (b"fmt ", _) => match bytes.get(body..body.saturating_add(length)) {
                Some(chunk) => form = Some(of(chunk)?),
                None => break,
            },
            _ => {}
        }
        // Chunks begin at even places.
        at = body.saturating_add(length).saturating_add(length % 2);
        if at > LONGEST {
            break;
        }
    }
    match at > LONGEST || bytes.len() > LONGEST {
        true => Err(format!(
            "expected samples within {LONGEST} bytes of the start, found none"
        )),
        false => Ok(Head::More),
    }
}

fn of(chunk: &[u8]) -> Result<Form, String> {
    let mut fields = Fields::little(chunk, 0);
    let (mut format, channels, rate) = (fields.u16()?, fields.u16()?, fields.u32()?);
    fields.skip(6)?;
    let bits = fields.u16()?;
    if format == 0xfffe {
        fields.skip(8)?;
        format = fields.u16()?;
    }
    let kind = match (format, bits) {
        (1, 16 | 24 | 32) => Kind::Int {
            bytes: usize::from(bits / 8),
            big: false,
        },
        (3, 32) => Kind::Float,
        _ => {
            return Err(format!(
                "expected integers of 16, 24, 32 bits or floats of 32, found format {format}, {bits} bits"
            ));
        }
    };
    let form = Form {
        kind,
        rate_hz: f64::from(rate),
        channels: usize::from(channels),
    };
    let wrong = || format!("expected a rate and channels, found {rate} Hz and {channels}");
    form.is_believed().then_some(form).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `sox -t wav -c 2 -r 96000 -b 24 -` begins: sizes stand for "unknown".
    fn header() -> Vec<u8> {
        let mut bytes = b"RIFF\x44\xf0\xff\x7fWAVEfmt \x28\0\0\0\xfe\xff\x02\0".to_vec();
        bytes.extend(96_000u32.to_le_bytes());
        bytes.extend(576_000u32.to_le_bytes());
        bytes.extend([6, 0, 24, 0, 22, 0, 24, 0, 3, 0, 0, 0, 1, 0]);
        bytes.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
        bytes.extend(b"LIST\x03\0\0\0abc\0data\0\xf0\xff\x7f");
        bytes
    }

    #[test]
    fn a_header_without_a_length_tells_what_samples_follow() {
        let bytes = header();
        let Ok(Head::Form(form, at)) = head(&bytes) else {
            panic!("no header");
        };
        assert_eq!((form, at), (Form::named("S24LE/96000/2").unwrap(), bytes.len()));
        for cut in 0..bytes.len() {
            assert!(matches!(head(&bytes[..cut]), Ok(Head::More)), "{cut}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        assert!(head(b"RIFX").is_err() && head(b"RIFF\0\0\0\0AVI ").is_err());
        let mut eight = header();
        eight[34] = 8;
        assert!(head(&eight).is_err());
        // A chunk that never ends.
        let mut long = header()[..12].to_vec();
        long.extend(b"junk\xff\xff\xff\x7f");
        assert!(head(&long).is_err());
    }
}
