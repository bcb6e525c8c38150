//! The header of an RTP packet.
//!
//! Source: RFC 3550, section 5.1; of the marker RFC 3551, section 4.1: it stands at the first packet behind a silence
//! in which nothing was sent.

use crate::survey::fields::Fields;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    /// What its payload is, by the stream's description.
    pub(crate) kind: u8,
    /// Nothing was sent before it, on purpose.
    pub(crate) is_start: bool,
    pub(crate) number: u16,
    /// The moment of its first sample, in samples from anywhere.
    pub(crate) time: u32,
    /// Which stream.
    pub(crate) stream: u32,
    pub(crate) payload: &'a [u8],
}

/// Reads a packet.
///
/// # Errors
/// If it is none of version 2, or cut.
pub(crate) fn packet(bytes: &[u8]) -> Result<Packet<'_>, String> {
    let mut fields = Fields::ordered(bytes, 0, true);
    let (first, kind) = (fields.u8()?, fields.u8()?);
    if first >> 6 != 2 {
        return Err(format!(
            "expected a packet of RTP, version 2, found {}",
            first >> 6
        ));
    }
    let (number, time, stream) = (fields.u16()?, fields.u32()?, fields.u32()?);
    fields.skip(4 * usize::from(first & 0x0f))?;
    if first & 0x10 != 0 {
        fields.skip(2)?;
        let words = fields.u16()?;
        fields.skip(4 * usize::from(words))?;
    }
    let mut length = fields.left();
    if first & 0x20 != 0 {
        let padding = usize::from(bytes.last().copied().unwrap_or_default());
        length = length
            .checked_sub(padding)
            .ok_or_else(|| format!("expected padding within {length} bytes, found {padding}"))?;
    }
    Ok(Packet {
        kind: kind & 0x7f,
        is_start: kind & 0x80 != 0,
        number,
        time,
        stream,
        payload: fields.take(length)?,
    })
}

/// Writes a packet, without anything that may be left out.
pub(super) fn bytes(packet: &Packet<'_>) -> Vec<u8> {
    let marked = u8::from(packet.is_start) << 7;
    let mut bytes = vec![0x80, marked | packet.kind];
    bytes.extend(packet.number.to_be_bytes());
    bytes.extend(packet.time.to_be_bytes());
    bytes.extend(packet.stream.to_be_bytes());
    bytes.extend(packet.payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_with_all_that_may_stand_in_them() {
        let plain = [0x80, 0xe0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 7, 8];
        let found = packet(&plain).unwrap();
        assert_eq!((found.kind, found.number, found.time), (96, 0x102, 0x304));
        assert!(found.is_start);
        assert_eq!(bytes(&found), plain);
        assert_eq!((found.stream, found.payload), (0x506, &[7, 8][..]));
        // One contributor, an extension of one word, two bytes of padding.
        let mut full = vec![0xb1];
        full.extend(&plain[1..12]);
        full.extend([9, 9, 9, 9, 0xbe, 0xde, 0, 1, 1, 1, 1, 1, 7, 8, 0, 2]);
        assert_eq!(packet(&full).unwrap(), found);
        for cut in 0..12 {
            assert!(packet(&plain[..cut]).is_err());
        }
        (0..full.len()).for_each(|cut| drop(packet(&full[..cut])));
        assert!(packet(&[0x40; 20]).unwrap_err().contains("version 2"));
    }
}
