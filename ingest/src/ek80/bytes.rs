//! Little-endian numbers and padded text in a datagram's body.

/// The number at this byte, nothing if the body ends before.
pub(super) fn i16_at(body: &[u8], at: usize) -> Option<i16> {
    Some(i16::from_le_bytes(body.get(at..at + 2)?.try_into().ok()?))
}

/// The number at this byte, nothing if the body ends before.
pub(super) fn i32_at(body: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(body.get(at..at + 4)?.try_into().ok()?))
}

/// The number at this byte, nothing if the body ends before.
pub(super) fn f32_at(body: &[u8], at: usize) -> Option<f32> {
    Some(f32::from_le_bytes(body.get(at..at + 4)?.try_into().ok()?))
}

/// A half-precision number (IEEE 754 binary16).
pub(super) fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (u32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    // A power of two by its bits: 15 off in binary16, 127 in binary32.
    let two_to = |power_and_15: u32| f32::from_bits((power_and_15 + 112) << 23);
    sign * match exponent {
        0 => fraction / 1024.0 * two_to(1),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * two_to(exponent),
    }
}

/// Text up to the first zero byte.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_that_of_the_standard() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x3555, 0.333_251_95),
            (0x8000, -0.0),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        assert_eq!(i32_at(&[1, 0, 0, 0, 9], 0), Some(1));
        assert_eq!(i32_at(&[1, 0, 0, 0, 9], 2), None);
        assert_eq!(i16_at(&[], 5), None);
        assert_eq!(text(b"ab \0cd"), "ab");
    }
}
