//! The keys of a record's segments, and how a payload is sealed under one.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_siv::siv::Aes256Siv;
use zeroize::Zeroizing;

use super::layout::{HEADER_LEN, Suite};
use super::secret::{FileKey, derive_long};

/// Bytes of a segment's commitment.
const COMMIT_LEN: usize = 32;

/// The chain of segment secrets: E₀ is the file key, each next one is derived and the last wiped,
/// so that a device seized later cannot open the segments it has closed.
pub(crate) struct Ratchet {
    secret: FileKey,
    segment: u32,
}

impl Ratchet {
    pub(crate) fn new(file_key: FileKey) -> Self {
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
        let (secret, commit) = self.next_secret(suite, file_id, salt);
        SegmentKey::new(suite, file_id, &secret, commit)
    }

    /// Key and base nonce of the next segment, as they are joined, and its commitment. Steps on.
    pub(crate) fn next_secret(
        &mut self,
        suite: Suite,
        file_id: &[u8; 16],
        salt: &[u8; 32],
    ) -> (Zeroizing<Vec<u8>>, [u8; COMMIT_LEN]) {
        let info: [&[u8]; 5] = [
            b"maml/1 segment",
            &[suite.code()],
            file_id,
            salt,
            &self.segment.to_le_bytes(),
        ];
        let length = suite.key_len() + suite.nonce_len();
        let mut secret = derive_long(&self.secret, &info, length + COMMIT_LEN);
        let commit = secret[length..]
            .try_into()
            .expect("the commitment is what is left of the secret");
        secret.truncate(length);
        self.skip();
        (secret, commit)
    }

    /// Steps on without a key.
    pub(crate) fn skip(&mut self) {
        self.secret = derive_long(&self.secret, &[b"maml/1 next"], self.secret.len());
        self.segment += 1;
    }
}

enum Cipher {
    Gcm(Box<Aes256Gcm>),
    /// Keys are expanded anew for each record, which is nothing beside its payload.
    Siv(Zeroizing<[u8; 64]>),
}

/// What seals and opens the records of one segment.
pub(crate) struct SegmentKey {
    cipher: Cipher,
    /// As long as the suite's nonces.
    base_nonce: Vec<u8>,
    commit: [u8; COMMIT_LEN],
    /// `"maml/1" || suite || file_id`, the beginning of every associated data.
    context: Vec<u8>,
}

impl SegmentKey {
    /// `secret`: key and base nonce, of the lengths the suite has.
    pub(crate) fn new(suite: Suite, file_id: &[u8; 16], secret: &[u8], commit: [u8; COMMIT_LEN]) -> Self {
        let (key, nonce) = secret.split_at(suite.key_len());
        let cipher = match suite {
            Suite::Edge256 => Cipher::Gcm(Box::new(
                Aes256Gcm::new_from_slice(key).expect("the suite's keys have 32 bytes"),
            )),
            Suite::Core512 => Cipher::Siv(Zeroizing::new(
                key.try_into().expect("the suite's keys have 64 bytes"),
            )),
        };
        Self {
            cipher,
            base_nonce: nonce.to_vec(),
            commit,
            context: [&b"maml/1"[..], &[suite.code()], file_id].concat(),
        }
    }

    /// What the SEGMENT record commits to: only one key fits.
    pub(crate) fn commit(&self) -> &[u8; COMMIT_LEN] {
        &self.commit
    }

    /// Encrypts in place; the tag is added where the suite has it.
    pub(crate) fn seal(&self, header: &[u8; HEADER_LEN], idx: u32, buffer: &mut Vec<u8>) {
        let (nonce, associated) = (self.nonce(idx), self.associated(header));
        let sealed = match &self.cipher {
            Cipher::Gcm(cipher) => {
                let nonce = nonce
                    .as_slice()
                    .try_into()
                    .expect("the suite's nonces have 12 bytes");
                cipher.encrypt_in_place(&nonce, &associated, buffer).is_ok()
            }
            Cipher::Siv(key) => Aes256Siv::new((&**key).into())
                .encrypt_in_place([&associated, &nonce], buffer)
                .is_ok(),
        };
        assert!(sealed, "a body is below the limits of both suites");
    }

    /// Decrypts in place and takes the tag off; nothing, and no plaintext, if the tag does not hold.
    pub(crate) fn open(&self, header: &[u8; HEADER_LEN], idx: u32, buffer: &mut Vec<u8>) -> Option<()> {
        let (nonce, associated) = (self.nonce(idx), self.associated(header));
        let opened = match &self.cipher {
            Cipher::Gcm(cipher) => {
                let nonce = nonce
                    .as_slice()
                    .try_into()
                    .expect("the suite's nonces have 12 bytes");
                cipher.decrypt_in_place(&nonce, &associated, buffer).is_ok()
            }
            Cipher::Siv(key) => Aes256Siv::new((&**key).into())
                .decrypt_in_place([&associated, &nonce], buffer)
                .is_ok(),
        };
        if !opened {
            buffer.clear();
        }
        opened.then_some(())
    }

    fn nonce(&self, idx: u32) -> Vec<u8> {
        let mut nonce = self.base_nonce.clone();
        let last = nonce.len() - 4;
        for (byte, of_idx) in nonce[last..].iter_mut().zip(idx.to_be_bytes()) {
            *byte ^= of_idx;
        }
        nonce
    }

    fn associated(&self, header: &[u8; HEADER_LEN]) -> Vec<u8> {
        [&self.context[..], header].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITES: [Suite; 2] = [Suite::Edge256, Suite::Core512];

    fn ratchet(suite: Suite) -> Ratchet {
        Ratchet::new(Zeroizing::new(vec![7; suite.key_len()]))
    }

    /// The key of a segment, but with E₀ wherever it stands.
    fn key(suite: Suite, segment: u32, salt: u8) -> SegmentKey {
        let mut ratchet = ratchet(suite);
        ratchet.segment = segment;
        ratchet.next_key(suite, &[1; 16], &[salt; 32])
    }

    #[test]
    fn only_the_same_segment_salt_idx_and_header_open() {
        for suite in SUITES {
            let header = [5; HEADER_LEN];
            let mut sealed = b"frame".to_vec();
            key(suite, 3, 9).seal(&header, 4, &mut sealed);
            assert_eq!(sealed.len(), 21);
            let opens = |key: SegmentKey, header: &[u8; HEADER_LEN], idx| {
                let mut buffer = sealed.clone();
                key.open(header, idx, &mut buffer).map(|()| buffer)
            };
            assert_eq!(
                opens(key(suite, 3, 9), &header, 4).as_deref(),
                Some(&b"frame"[..])
            );
            assert_eq!(opens(key(suite, 2, 9), &header, 4), None);
            assert_eq!(opens(key(suite, 3, 8), &header, 4), None);
            assert_eq!(opens(key(suite, 3, 9), &header, 5), None);
            assert_eq!(opens(key(suite, 3, 9), &[6; HEADER_LEN], 4), None);
            for short in 0..16 {
                assert_eq!(key(suite, 3, 9).open(&header, 4, &mut vec![0; short]), None);
            }
        }
    }

    #[test]
    fn the_ratchet_gives_each_segment_its_own_key() {
        for suite in SUITES {
            let mut steps = ratchet(suite);
            let first = *steps.next_key(suite, &[1; 16], &[9; 32]).commit();
            let second = *steps.next_key(suite, &[1; 16], &[9; 32]).commit();
            assert_eq!(first, *key(suite, 0, 9).commit());
            assert_ne!(second, *key(suite, 1, 9).commit(), "E₁ is not the file key");
            assert_eq!(steps.segment(), 2);
            let mut skipping = ratchet(suite);
            skipping.skip();
            assert_eq!(*skipping.next_key(suite, &[1; 16], &[9; 32]).commit(), second);
        }
    }
}
