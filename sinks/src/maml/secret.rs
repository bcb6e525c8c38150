//! The file key, what is derived from it, and how a key is sealed.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as HmacKeyInit, Mac};
use sha2::{Sha256, Sha512};
use zeroize::{Zeroize, Zeroizing};

use super::layout::PRE_MACED;
use crate::error::Error;

/// Bytes a tag adds, in both suites.
pub(crate) const TAG_LEN: usize = 16;

/// 32 secret bytes, wiped when dropped.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// A file key: as many secret bytes as the suite's keys have, wiped when dropped.
pub(crate) type FileKey = Zeroizing<Vec<u8>>;

/// Does what puts secrets on the stack, and wipes the stack it has used: what other crates move or return
/// by value leaves copies in frames that are gone.
pub(crate) fn leaving_nothing<R>(work: impl FnOnce() -> R) -> R {
    /// Deeper than any of it goes: ML-DSA and ML-KEM take tens of kilobytes.
    const DEEP: usize = 1 << 17;
    #[inline(never)]
    fn wipe() {
        let mut below = [0_u8; DEEP];
        below.zeroize();
    }
    #[inline(never)]
    fn apart<R>(work: impl FnOnce() -> R) -> R {
        work()
    }
    let result = apart(work);
    wipe();
    result
}

/// So many random bytes from the operating system's generator.
pub(crate) fn random_key(length: usize) -> Result<FileKey, Error> {
    let mut bytes = Zeroizing::new(vec![0; length]);
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills an array from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    fill(bytes.as_mut())?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    #[cfg(test)]
    if super::fixed::fill(bytes) {
        return Ok(());
    }
    getrandom::fill(bytes).map_err(|source| Error::Randomness { source })
}

/// HKDF-SHA-512 (RFC 5869) without salt; `info` parts are joined.
pub(crate) fn derive<const N: usize>(input: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let mut output = Zeroizing::new([0; N]);
    Hkdf::<Sha512>::new(None, input)
        .expand_multi_info(info, output.as_mut())
        .expect("all outputs asked for here are shorter than 255 hashes");
    output
}

/// [`derive`] for a length that is not known before: at most 255 hashes.
pub(crate) fn derive_long(input: &[u8], info: &[&[u8]], length: usize) -> Zeroizing<Vec<u8>> {
    let mut output = Zeroizing::new(vec![0; length]);
    Hkdf::<Sha512>::new(None, input)
        .expand_multi_info(info, &mut output)
        .expect("all outputs asked for here are shorter than 255 hashes");
    output
}

/// AES-256-GCM under a key that is used for one message only, hence with a nonce of zeros.
pub(crate) fn seal_once(key: &Secret, aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut buffer = plain.to_vec();
    Aes256Gcm::new((&**key).into())
        .encrypt_in_place(&Nonce::default(), aad, &mut buffer)
        .expect("a few bytes are below the limit of AES-GCM");
    buffer
}

/// The inverse of [`seal_once`]; nothing if the tag does not hold.
pub(crate) fn open_once(key: &Secret, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    Aes256Gcm::new((&**key).into())
        .decrypt_in_place(&Nonce::default(), aad, &mut *buffer)
        .ok()?;
    Some(buffer)
}

/// HMAC-SHA-256 over the whole document and PRE, under a key only readers have.
pub(crate) fn header_mac(
    file_key: &FileKey,
    file_id: &[u8; 16],
    head: &[u8],
    pre: &[u8; PRE_MACED],
) -> Hmac<Sha256> {
    let key: Secret = derive(file_key, &[b"maml/1 head", file_id]);
    let mut mac =
        <Hmac<Sha256> as HmacKeyInit>::new_from_slice(&key[..]).expect("HMAC takes keys of any length");
    mac.update(head);
    mac.update(pre);
    mac
}
