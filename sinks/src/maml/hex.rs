//! Bytes as hexadecimal digits, and back.

/// Two lower-case digits per byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nothing unless the text is exactly two digits for each of `N` bytes.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_lead_back() {
        assert_eq!(hex(&[0, 0xa1, 0xff]), "00a1ff");
        assert_eq!(unhex("00a1ff"), Some([0, 0xa1, 0xff]));
        for wrong in ["00a1f", "00a1fff", "00a1fg", "+0a1ff", "é0a1f"] {
            assert_eq!(unhex::<3>(wrong), None, "{wrong}");
        }
    }
}
