//! Randomness that is not random, for files that tests make again byte by byte. Only in tests.

use std::cell::RefCell;

use sha2::{Digest, Sha256};

thread_local! {
    static SEED: RefCell<Option<(String, u64)>> = const { RefCell::new(None) };
}

/// Gives every byte that `work` draws on this thread from the seed: block n is SHA-256 of `seed:n`.
pub(crate) fn with_seed<T>(seed: &str, work: impl FnOnce() -> T) -> T {
    SEED.with_borrow_mut(|fixed| *fixed = Some((seed.to_owned(), 0)));
    let done = work();
    SEED.with_borrow_mut(|fixed| *fixed = None);
    done
}

/// Whether the bytes were filled.
pub(crate) fn fill(bytes: &mut [u8]) -> bool {
    SEED.with_borrow_mut(|fixed| {
        let Some((seed, block)) = fixed else {
            return false;
        };
        for chunk in bytes.chunks_mut(32) {
            let hash = Sha256::digest(format!("{seed}:{block}"));
            chunk.copy_from_slice(&hash[..chunk.len()]);
            *block += 1;
        }
        true
    })
}
