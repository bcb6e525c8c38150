//! Who signs: the device's ML-DSA-65 key, the file's own ML-DSA-44 key, and the certificate between them.

use std::fmt;

use ml_dsa::{
    EncodedVerifyingKey, KeyInit, Keypair, MlDsa44, MlDsa65, MlDsaParams, Signature, SigningKey, VerifyingKey,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::secret::{Secret, leaving_nothing, random};
use super::stanza::{self, Stanza};
use crate::error::Error;

/// FIPS 204 context of a device's signature over a file's key.
const CERTIFICATE_CONTEXT: &[u8] = b"maml/1 certificate";
/// FIPS 204 context of a device's signature over the end of a file.
const SEAL_CONTEXT: &[u8] = b"maml/1 end";
/// FIPS 204 context of a device's signature over where it found a file to end.
const LATE_SEAL_CONTEXT: &[u8] = b"maml/1 late seal";
/// Length of an ML-DSA-65 signature, in bytes (FIPS 204, table 2).
pub(crate) const SEAL_LEN: usize = 3309;

/// A signer's name: SHA-256 of its ML-DSA-65 public key. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerId(pub [u8; 32]);

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for SignerId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::SignerId {
            found: text.chars().take(80).collect(),
        };
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(refused());
        }
        let mut id = [0; 32];
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| refused())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
        }
        Ok(SignerId(id))
    }
}

/// The key that says which device made a record. ML-DSA-65 (FIPS 204), wiped when dropped.
pub struct DeviceKey {
    key: Box<SigningKey<MlDsa65>>,
}

impl DeviceKey {
    /// The key that grows from 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        leaving_nothing(|| Self {
            key: Box::new(SigningKey::new(seed.into())),
        })
    }

    /// A new key.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the operating system gives none.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::from_seed(&*random()?))
    }

    /// Its public name.
    pub fn id(&self) -> SignerId {
        SignerId(Sha256::digest(self.public()).into())
    }

    pub(crate) fn seed(&self) -> Secret {
        Zeroizing::new(self.key.to_seed().into())
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        self.key.verifying_key().encode().to_vec()
    }

    pub(crate) fn seal_late(&self, message: &[u8]) -> Vec<u8> {
        sign(&self.key, message, LATE_SEAL_CONTEXT)
    }

    pub(crate) fn seal(&self, message: &[u8]) -> Vec<u8> {
        sign(&self.key, message, SEAL_CONTEXT)
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({})", self.id())
    }
}

/// The key that signs one file's checkpoints. Never stored.
pub(crate) struct FileSigner {
    key: SigningKey<MlDsa44>,
}

impl FileSigner {
    pub(crate) fn from_seed(seed: &Secret) -> Self {
        Self {
            key: SigningKey::new((&**seed).into()),
        }
    }

    pub(crate) fn public(&self) -> Vec<u8> {
        self.key.verifying_key().encode().to_vec()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        sign(&self.key, message, b"")
    }
}

/// The stanzas of a `maml-signers` fence.
pub(crate) fn introduce(device: &DeviceKey, file: &FileSigner, file_id: &[u8; 16]) -> [Stanza; 3] {
    let certified = certified(file_id, &file.public());
    let certificate = sign(&device.key, &certified, CERTIFICATE_CONTEXT);
    [
        Stanza::new(&["device", "ml-dsa-65"], device.public()),
        Stanza::new(&["file", "ml-dsa-44"], file.public()),
        Stanza::new(&["certificate", "ml-dsa-65"], certificate),
    ]
}

/// A `maml-signers` fence as it stands. Its certificate is not checked yet.
pub(crate) struct Introduction {
    /// The device it names.
    pub(crate) device: SignerId,
    device_public: Vec<u8>,
    file_public: Vec<u8>,
    certificate: Vec<u8>,
}

impl Introduction {
    pub(crate) fn parse(fence: &str) -> Result<Self, String> {
        let stanzas = stanza::parse(fence)?;
        let [device, file, certificate] = stanzas.as_slice() else {
            let found = stanzas.len();
            return Err(format!(
                "{found} signer stanzas, expected device, file, certificate"
            ));
        };
        let named = device.words() == ["device", "ml-dsa-65"]
            && file.words() == ["file", "ml-dsa-44"]
            && certificate.words() == ["certificate", "ml-dsa-65"];
        if !named {
            return Err("the signer stanzas are not those of ML-DSA-65 and ML-DSA-44".into());
        }
        Ok(Self {
            device: SignerId(Sha256::digest(&device.body).into()),
            device_public: device.body.clone(),
            file_public: file.body.clone(),
            certificate: certificate.body.clone(),
        })
    }

    /// The keys, if the certificate holds for this file.
    pub(crate) fn certified(&self, file_id: &[u8; 16]) -> Option<Signers> {
        let signers = Signers {
            device_key: verifying_key(&self.device_public)?,
            file_key: verifying_key(&self.file_public)?,
            file_public: self.file_public.clone(),
        };
        let certified = certified(file_id, &self.file_public);
        let context = CERTIFICATE_CONTEXT;
        holds(&signers.device_key, &certified, context, &self.certificate).then_some(signers)
    }
}

/// The public keys of a record, after their certificate was checked.
pub(crate) struct Signers {
    device_key: Box<VerifyingKey<MlDsa65>>,
    file_key: Box<VerifyingKey<MlDsa44>>,
    pub(crate) file_public: Vec<u8>,
}

impl Signers {
    pub(crate) fn file_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        holds(&self.file_key, message, b"", signature)
    }

    pub(crate) fn device_sealed(&self, message: &[u8], signature: &[u8]) -> bool {
        holds(&self.device_key, message, SEAL_CONTEXT, signature)
    }
}

/// Whether the device with this public key signed where a file was found to end.
pub(crate) fn late_seal_holds(public: &[u8], message: &[u8], seal: &[u8]) -> bool {
    verifying_key::<MlDsa65>(public).is_some_and(|key| holds(&key, message, LATE_SEAL_CONTEXT, seal))
}

fn certified(file_id: &[u8; 16], file_public: &[u8]) -> Vec<u8> {
    [&file_id[..], file_public].concat()
}

fn sign<P: MlDsaParams>(key: &SigningKey<P>, message: &[u8], context: &[u8]) -> Vec<u8> {
    key.expanded_key()
        .sign_deterministic(message, context)
        .expect("contexts here are short, and rejection sampling ends")
        .encode()
        .to_vec()
}

fn verifying_key<P: MlDsaParams>(bytes: &[u8]) -> Option<Box<VerifyingKey<P>>> {
    let encoded = EncodedVerifyingKey::<P>::try_from(bytes).ok()?;
    Some(Box::new(VerifyingKey::decode(&encoded)))
}

fn holds<P: MlDsaParams>(key: &VerifyingKey<P>, message: &[u8], context: &[u8], signature: &[u8]) -> bool {
    Signature::<P>::try_from(signature)
        .is_ok_and(|signature| key.verify_with_context(message, context, &signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(file_id: &[u8; 16]) -> (DeviceKey, FileSigner, String) {
        let device = DeviceKey::from_seed(&[1; 32]);
        let file = FileSigner::from_seed(&Zeroizing::new([2; 32]));
        let mut text = String::new();
        for stanza in introduce(&device, &file, file_id) {
            stanza.write(&mut text);
        }
        (device, file, text)
    }

    #[test]
    fn a_certificate_holds_for_its_file_only() {
        let (device, file, text) = fence(&[3; 16]);
        let introduction = Introduction::parse(&text).unwrap();
        assert_eq!(introduction.device, device.id());
        assert!(introduction.certified(&[4; 16]).is_none());
        let signers = introduction.certified(&[3; 16]).unwrap();
        assert!(signers.file_signed(b"root", &file.sign(b"root")));
        assert!(!signers.file_signed(b"toor", &file.sign(b"root")));
        let seal = device.seal(b"end");
        assert_eq!(seal.len(), SEAL_LEN);
        assert!(signers.device_sealed(b"end", &seal));
        assert!(!signers.device_sealed(b"end", &seal[1..]));
    }

    #[test]
    fn a_certificate_is_no_seal() {
        let (device, file, text) = fence(&[3; 16]);
        let signers = Introduction::parse(&text).unwrap().certified(&[3; 16]).unwrap();
        let message = certified(&[3; 16], &file.public());
        let certificate = sign(&device.key, &message, CERTIFICATE_CONTEXT);
        assert!(!signers.device_sealed(&message, &certificate));
    }

    #[test]
    fn a_name_leads_back() {
        let id = DeviceKey::from_seed(&[1; 32]).id();
        assert_eq!(id.to_string().parse::<SignerId>().unwrap(), id);
        for wrong in ["", "ab", &"g".repeat(64), &"é".repeat(32)] {
            assert!(wrong.parse::<SignerId>().is_err());
        }
    }
}
