//! The file key, what is derived from it, and how a record's payload is sealed.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as HmacKeyInit, Mac};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::layout::{HEADER_LEN, PRE_MACED, Suite};
use crate::error::Error;

/// Bytes an AES-GCM tag adds.
pub(crate) const TAG_LEN: usize = 16;

/// 32 secret bytes, wiped when dropped.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// Fills an array from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).map_err(|source| Error::Randomness { source })?;
    Ok(bytes)
}

/// HKDF-SHA-512 (RFC 5869) without salt; `info` parts are joined.
pub(crate) fn derive<const N: usize>(input: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    let mut output = Zeroizing::new([0; N]);
    Hkdf::<Sha512>::new(None, input)
        .expand_multi_info(info, output.as_mut())
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
    file_key: &Secret,
    file_id: &[u8; 16],
    head: &[u8],
    pre: &[u8; PRE_MACED],
) -> Hmac<Sha256> {
    let key: Secret = derive(&file_key[..], &[b"maml/1 head", file_id]);
    let mut mac =
        <Hmac<Sha256> as HmacKeyInit>::new_from_slice(&key[..]).expect("HMAC takes keys of any length");
    mac.update(head);
    mac.update(pre);
    mac
}

/// The chain of segment secrets: E₀ is the file key, each next one is derived and the last wiped,
/// so that a device seized later cannot open the segments it has closed.
pub(crate) struct Ratchet {
    secret: Secret,
    segment: u32,
}

impl Ratchet {
    pub(crate) fn new(file_key: Secret) -> Self {
        Self {
            secret: file_key,
            segment: 0,
        }
    }

    /// The segment whose key comes next.
    pub(crate) fn segment(&self) -> u32 {
        self.segment
    }

    /// Derives the key of the next segment and steps on.
    pub(crate) fn next_key(&mut self, suite: Suite, file_id: &[u8; 16], salt: &[u8; 32]) -> SegmentKey {
        let key = SegmentKey::derive(&self.secret, suite, file_id, salt, self.segment);
        self.skip();
        key
    }

    /// Steps on without a key.
    pub(crate) fn skip(&mut self) {
        self.secret = derive(&self.secret[..], &[b"maml/1 next"]);
        self.segment += 1;
    }
}

/// What seals and opens the records of one segment.
pub(crate) struct SegmentKey {
    cipher: Aes256Gcm,
    base_nonce: [u8; 12],
    commit: [u8; 32],
    /// `"maml/1" || suite || file_id`, the beginning of every associated data.
    context: Vec<u8>,
}

impl SegmentKey {
    fn derive(secret: &Secret, suite: Suite, file_id: &[u8; 16], salt: &[u8; 32], segment: u32) -> Self {
        let info: [&[u8]; 5] = [
            b"maml/1 segment",
            &[suite.code()],
            file_id,
            salt,
            &segment.to_le_bytes(),
        ];
        let okm: Zeroizing<[u8; 76]> = derive(&secret[..], &info);
        let (key, rest) = okm.split_at(32);
        let (nonce, commit) = rest.split_at(12);
        Self {
            cipher: Aes256Gcm::new_from_slice(key).expect("32 bytes are a key"),
            base_nonce: nonce.try_into().expect("12 bytes were split off"),
            commit: commit.try_into().expect("32 bytes are left of 76"),
            context: [&b"maml/1"[..], &[suite.code()], file_id].concat(),
        }
    }

    /// What the SEGMENT record commits to: only one key fits.
    pub(crate) fn commit(&self) -> &[u8; 32] {
        &self.commit
    }

    /// Encrypts in place and appends the tag.
    pub(crate) fn seal(&self, header: &[u8; HEADER_LEN], idx: u32, buffer: &mut Vec<u8>) {
        self.cipher
            .encrypt_in_place(&self.nonce(idx), &self.associated(header), buffer)
            .expect("a body is below the limit of AES-GCM");
    }

    /// Decrypts in place and takes the tag off; nothing, and no plaintext, if the tag does not hold.
    pub(crate) fn open(&self, header: &[u8; HEADER_LEN], idx: u32, buffer: &mut Vec<u8>) -> Option<()> {
        let opened = self
            .cipher
            .decrypt_in_place(&self.nonce(idx), &self.associated(header), buffer);
        if opened.is_err() {
            buffer.clear();
        }
        opened.ok()
    }

    fn nonce(&self, idx: u32) -> aes_gcm::aead::Nonce<Aes256Gcm> {
        let mut nonce = self.base_nonce;
        for (byte, of_idx) in nonce[8..].iter_mut().zip(idx.to_be_bytes()) {
            *byte ^= of_idx;
        }
        nonce.into()
    }

    fn associated(&self, header: &[u8; HEADER_LEN]) -> Vec<u8> {
        [&self.context[..], header].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(segment: u32, salt: u8) -> SegmentKey {
        SegmentKey::derive(
            &Zeroizing::new([7; 32]),
            Suite::Edge256,
            &[1; 16],
            &[salt; 32],
            segment,
        )
    }

    #[test]
    fn only_the_same_segment_salt_idx_and_header_open() {
        let header = [5; HEADER_LEN];
        let mut sealed = b"frame".to_vec();
        key(3, 9).seal(&header, 4, &mut sealed);
        let opens = |key: SegmentKey, header: &[u8; HEADER_LEN], idx| {
            let mut buffer = sealed.clone();
            key.open(header, idx, &mut buffer).map(|()| buffer)
        };
        assert_eq!(opens(key(3, 9), &header, 4).as_deref(), Some(&b"frame"[..]));
        assert_eq!(opens(key(2, 9), &header, 4), None);
        assert_eq!(opens(key(3, 8), &header, 4), None);
        assert_eq!(opens(key(3, 9), &header, 5), None);
        assert_eq!(opens(key(3, 9), &[6; HEADER_LEN], 4), None);
    }

    #[test]
    fn the_ratchet_gives_each_segment_its_own_key() {
        let mut ratchet = Ratchet::new(Zeroizing::new([7; 32]));
        let first = *ratchet.next_key(Suite::Edge256, &[1; 16], &[9; 32]).commit();
        let second = *ratchet.next_key(Suite::Edge256, &[1; 16], &[9; 32]).commit();
        assert_eq!(first, *key(0, 9).commit());
        assert_ne!(second, *key(1, 9).commit(), "E₁ is not the file key");
        assert_eq!(ratchet.segment(), 2);
        let mut skipping = Ratchet::new(Zeroizing::new([7; 32]));
        skipping.skip();
        assert_eq!(
            *skipping.next_key(Suite::Edge256, &[1; 16], &[9; 32]).commit(),
            second
        );
    }
}
