//! Lengths that tell little: payloads filled up to a few sizes.

/// The length to fill up to, at most 12 % more: only the first few binary digits of a length remain.
///
/// Padmé, from Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
/// PURBs", PoPETs 2019(4): of a length with exponent E, the last E − (⌊log₂ E⌋ + 1) digits become zero,
/// rounding up.
pub(crate) fn bucket(length: usize) -> usize {
    let Some(exponent) = length.checked_ilog2().filter(|&exponent| exponent > 0) else {
        return length;
    };
    let kept = exponent.ilog2() + 1;
    let rest = (1usize << exponent.saturating_sub(kept)) - 1;
    length.saturating_add(rest) & !rest
}

/// Magic number of a zstd frame that decoders pass over (RFC 8878, section 3.1.2).
const SKIPPABLE: [u8; 4] = 0x184d_2a50u32.to_le_bytes();
/// Bytes of a frame that holds nothing.
const SKIPPABLE_LEN: usize = 8;

/// Fills a plaintext that ends with a zstd frame, so that its length is that of a bucket and at most `limit`.
/// Left as it is where it does not fit.
pub(crate) fn fill(plain: &mut Vec<u8>, limit: usize) {
    let target = bucket(plain.len() + SKIPPABLE_LEN).min(limit);
    let Some(zeros) = target.checked_sub(plain.len() + SKIPPABLE_LEN) else {
        return;
    };
    plain.extend_from_slice(&SKIPPABLE);
    plain.extend_from_slice(&(zeros as u32).to_le_bytes());
    plain.resize(target, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_few_not_below_and_not_far_above() {
        for (length, expected) in [
            (0, 0),
            (1, 1),
            (2, 2),
            (9, 10),
            (100, 104),
            (1000, 1024),
            (1025, 1088),
        ] {
            assert_eq!(bucket(length), expected, "{length}");
        }
        let mut sizes = std::collections::BTreeSet::new();
        for length in 1..200_000 {
            let found = bucket(length);
            assert!(
                found >= length && found as f64 <= length as f64 * 1.12 + 1.0,
                "{length}: {found}"
            );
            assert_eq!(bucket(found), found, "a bucket stays");
            sizes.insert(found);
        }
        assert!(sizes.len() < 300, "{}", sizes.len());
    }

    #[test]
    fn what_is_filled_up_has_the_length_of_a_bucket() {
        for length in [1, 7, 100, 1000, 1017] {
            let mut plain = vec![1; length];
            fill(&mut plain, 1 << 20);
            assert_eq!(plain.len(), bucket(plain.len()));
            assert!(plain.len() >= length + SKIPPABLE_LEN && plain[..length].iter().all(|&byte| byte == 1));
            assert_eq!(plain[length..length + 4], SKIPPABLE);
        }
        let mut full = vec![1; 100];
        fill(&mut full, 104);
        assert_eq!(full.len(), 100);
    }
}
