//! LZF: literals and back references, nothing else.
//!
//! A control byte below 32 stands before that many literals plus one. Any other holds a length in
//! its upper three bits (7: one more byte is added; then 2 are) and, with the byte after it, how
//! far back to copy from (13 bits, plus one). Source: `lzf_d.c` and the format's description in
//! M. Lehmann, LibLZF 3.6, read for its facts.

/// The most bytes that three packed ones can stand for: a back reference of 7 + 255 + 2.
const MOST_OF_THREE: usize = 264;

/// Plain bytes that are never too many: an organised cloud of a camera in which nothing was seen.
const FREE_BYTES: usize = 64 << 20;
/// The most plain bytes of one packed one in what is larger. Clouds have less than 4, for few
/// numbers in them repeat; more is made to fill memory.
const MAX_RATIO: usize = 16;

/// The most plain bytes that so many packed ones are unpacked to.
pub(super) fn most(packed: usize) -> usize {
    packed.saturating_mul(MAX_RATIO).max(FREE_BYTES)
}

/// Whether so many packed bytes can be unpacked to so many plain ones.
pub(super) fn can_hold(packed: usize, plain: usize) -> bool {
    plain <= packed.saturating_mul(MOST_OF_THREE / 3)
}

/// The plain bytes; nothing if the packed ones are damaged or there are not exactly `plain` of them.
///
/// Memory grows with what has really been unpacked.
pub(super) fn unpack(packed: &[u8], plain: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(plain.min(packed.len().saturating_mul(4)));
    let mut rest = packed;
    while let Some((&control, after)) = rest.split_first() {
        let control = usize::from(control);
        if control < 32 {
            let (literals, after) = after.split_at_checked(control + 1)?;
            out.extend_from_slice(literals);
            rest = after;
        } else {
            let mut length = control >> 5;
            rest = after;
            if length == 7 {
                let (&more, after) = rest.split_first()?;
                length += usize::from(more);
                rest = after;
            }
            let (&low, after) = rest.split_first()?;
            rest = after;
            let back = ((control & 31) << 8 | usize::from(low)) + 1;
            let from = out.len().checked_sub(back)?;
            let length = length + 2;
            if length <= back {
                out.extend_from_within(from..from + length);
            } else {
                // The copy runs into what it writes.
                for place in from..from + length {
                    out.push(out[place]);
                }
            }
        }
        if out.len() > plain {
            return None;
        }
    }
    (out.len() == plain).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_references_are_unpacked() {
        // "abc", then 6 from 3 back, then 9 + 255 … of one byte.
        let packed = [2, b'a', b'b', b'c', 4 << 5, 2, 7 << 5, 1, 0];
        let plain = unpack(&packed, 3 + 6 + 10).unwrap();
        assert_eq!(plain, b"abcabcabccccccccccc");
        assert_eq!(unpack(&packed, 18), None, "one too many");
        assert_eq!(unpack(&packed, 20), None, "one too few");
        for end in 0..packed.len() {
            assert_eq!(unpack(&packed[..end], 19), None, "{end}");
        }
        assert_eq!(unpack(&[0, 7, 1 << 5, 1], 4), None, "before the start");
    }

    #[test]
    fn the_bound_is_what_a_full_reference_gives() {
        assert!(can_hold(3, 264) && !can_hold(3, 265));
        assert_eq!((most(9), most(8 << 20)), (64 << 20, 128 << 20));
    }
}
