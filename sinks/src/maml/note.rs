//! A checkpoint: a signed note that says how large the tree is and what its root is.
//!
//! Forms of C2SP: signed-note, tlog-checkpoint, and the ML-DSA-44 cosignature of tlog-cosignature
//! (signature type 0x06), so that tools for transparency logs can read it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::hex::hex;
use super::sign::{FileSigner, Signers};
use super::tree::{Hash, Tree};

/// Longest note that is read, in bytes; ours have about 3,450.
pub(crate) const MAX_NOTE: usize = 8192;

/// Signature type of an ML-DSA-44 cosignature.
const SIGNATURE_TYPE: u8 = 0x06;
const LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// The note over the tree as it stands. `time_s`: seconds since the Unix epoch.
pub(crate) fn write(file_id: &[u8; 16], tree: &Tree, time_s: u64, signer: &FileSigner) -> String {
    let origin = origin(file_id);
    let root = tree.root();
    let signature = signer.sign(&message(&origin, time_s, tree.size(), &root));
    let key_id = key_id(&origin, &signer.public());
    let blob = [&key_id[..], &time_s.to_be_bytes(), &signature].concat();
    format!(
        "{origin}\n{}\n{}\n\n— {origin} {}\n",
        tree.size(),
        STANDARD.encode(root),
        STANDARD.encode(blob)
    )
}

/// A note over the tree at hand. Its signature is not checked yet.
pub(crate) struct Note {
    /// Time of the last frame before it, as the signer says, in seconds since the Unix epoch.
    pub(crate) time_s: u64,
    origin: String,
    key_id: [u8; 4],
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Note {
    /// Nothing unless the bytes are exactly a note of this file over a tree of this size and root.
    pub(crate) fn parse(note: &[u8], file_id: &[u8; 16], (size, root): (u64, Hash)) -> Option<Self> {
        if note.len() > MAX_NOTE {
            return None;
        }
        let origin = origin(file_id);
        let body = format!("{origin}\n{size}\n{}\n\n— {origin} ", STANDARD.encode(root));
        let blob = note.strip_prefix(body.as_bytes())?.strip_suffix(b"\n")?;
        let blob = STANDARD.decode(blob).ok()?;
        let (key_id, rest) = blob.split_first_chunk()?;
        let (time, signature) = rest.split_first_chunk()?;
        let time_s = u64::from_be_bytes(*time);
        Some(Self {
            message: message(&origin, time_s, size, &root),
            time_s,
            origin,
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }

    /// Whether this file's key signed it.
    pub(crate) fn is_signed_by(&self, signers: &Signers) -> bool {
        self.key_id == key_id(&self.origin, &signers.file_public)
            && signers.file_signed(&self.message, &self.signature)
    }
}

/// Size and root that a note states; nothing is checked.
pub(crate) fn stated(note: &[u8]) -> Option<(u64, Hash)> {
    let text = std::str::from_utf8(note).ok()?;
    let mut lines = text.lines().skip(1);
    let size = lines.next()?.parse().ok()?;
    let root = STANDARD.decode(lines.next()?).ok()?;
    Some((size, root.try_into().ok()?))
}

fn origin(file_id: &[u8; 16]) -> String {
    format!("beluga/{}", hex(file_id))
}

fn key_id(name: &str, public: &[u8]) -> [u8; 4] {
    let hash: Hash = Sha256::new_with_prefix(name)
        .chain_update([b'\n', SIGNATURE_TYPE])
        .chain_update(public)
        .finalize()
        .into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The `cosigned_message` structure: label, cosigner, time, log, first leaf, size, root.
fn message(origin: &str, time_s: u64, size: u64, root: &Hash) -> Vec<u8> {
    let name = [&[origin.len() as u8][..], origin.as_bytes()].concat();
    [
        &LABEL[..],
        &name,
        &time_s.to_be_bytes(),
        &name,
        &0u64.to_be_bytes(),
        &size.to_be_bytes(),
        root,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::sign::{DeviceKey, Introduction, introduce};
    use super::*;

    #[test]
    fn a_note_holds_for_its_tree_file_and_key_only() {
        let file_id = [0xab; 16];
        let signer = FileSigner::from_seed(&Zeroizing::new([2; 32]));
        let mut fence = String::new();
        for stanza in introduce(&DeviceKey::from_seed(&[1; 32]), &signer, &file_id) {
            stanza.write(&mut fence);
        }
        let signers = Introduction::parse(&fence).unwrap().certified(&file_id).unwrap();
        let holds = |note: &str, file_id, tree: &Tree| {
            Note::parse(note.as_bytes(), file_id, (tree.size(), tree.root()))
                .is_some_and(|note| note.is_signed_by(&signers))
        };
        let mut tree = Tree::default();
        tree.push(&[b"leaf"]);
        let note = write(&file_id, &tree, 1_700_000_000, &signer);
        assert!(note.starts_with("beluga/abababababababababababababababab\n1\n"));
        assert!(holds(&note, &file_id, &tree));
        assert_eq!(stated(note.as_bytes()), Some((1, tree.root())));
        assert_eq!(stated(b"beluga/ab\n1\n"), None);
        let other = FileSigner::from_seed(&Zeroizing::new([3; 32]));
        let forged = write(&file_id, &tree, 1_700_000_000, &other);
        assert!(!holds(&forged, &file_id, &tree));
        assert!(!holds(&note, &[0xac; 16], &tree));
        tree.push(&[b"leaf"]);
        assert!(!holds(&note, &file_id, &tree));
    }

    #[test]
    fn the_signed_message_is_that_of_the_specification() {
        let message = message("o", 5, 9, &[7; 32]);
        let mut expected = b"subtree/v1\n\0".to_vec();
        expected.extend([1, b'o', 0, 0, 0, 0, 0, 0, 0, 5, 1, b'o']);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        expected.extend([7; 32]);
        assert_eq!(message, expected);
    }
}
