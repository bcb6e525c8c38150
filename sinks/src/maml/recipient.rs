//! Who may read: the file key, wrapped for each reader.

use std::fmt;

use x_wing::{
    CIPHERTEXT_SIZE, Ciphertext, Decapsulate, DecapsulationKey, Decapsulator, ENCAPSULATION_KEY_SIZE,
    EncapsulationKey, KeyExport,
};
use zeroize::Zeroizing;

use super::layout::Pre;
use super::passphrase::{ARGON2ID, Passphrase};
use super::secret::{FileKey, Secret, TAG_LEN, derive, leaving_nothing, open_once, random, seal_once};
use super::stanza::{self, Stanza};
use crate::error::Error;

const SALT_LEN: usize = 32;
/// Which text of X-Wing the crate follows; a later one may differ, so each stanza names it.
const XWING_DRAFT: &str = "draft-06";

/// A short public name of a reader's key, 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientId(String);

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn short(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The secret half of an X-Wing key pair (X25519 + ML-KEM-768). Wiped when dropped.
pub struct ReaderKey {
    // On the heap: what is moved leaves a copy where it was.
    key: Box<DecapsulationKey>,
}

impl ReaderKey {
    /// The key that grows from 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        leaving_nothing(|| Self {
            key: Box::new((*seed).into()),
        })
    }

    /// A new key.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the operating system gives none.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::from_seed(&*random()?))
    }

    /// The public half.
    pub fn recipient(&self) -> Recipient {
        Recipient {
            key: Box::new(self.key.encapsulation_key().clone()),
        }
    }

    pub(crate) fn seed(&self) -> Secret {
        Zeroizing::new(*self.key.as_bytes())
    }

    fn unwrap(&self, body: &[u8], pre: &Pre) -> Option<FileKey> {
        let (enc, wrapped) = body.split_at_checked(CIPHERTEXT_SIZE)?;
        let shared = Zeroizing::new(<[u8; 32]>::from(
            self.key.decapsulate(&Ciphertext::try_from(enc).ok()?),
        ));
        let key = xwing_key(&shared, &pre.file_id, enc);
        open(&key, b"maml/1 xwing", pre, wrapped)
    }
}

/// The public half of an X-Wing key pair: whoever holds the other half may read.
#[derive(Clone)]
pub struct Recipient {
    key: Box<EncapsulationKey>,
}

impl Recipient {
    /// From the 1,216 bytes of a public key.
    ///
    /// # Errors
    /// [`Error::RecipientKey`] if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        EncapsulationKey::try_from(bytes)
            .map(|key| Self { key: Box::new(key) })
            .map_err(|_| Error::RecipientKey {
                found: bytes.len(),
                expected: ENCAPSULATION_KEY_SIZE,
            })
    }

    /// The 1,216 bytes of the public key.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.key.to_bytes().to_vec()
    }

    /// Its short name.
    pub fn id(&self) -> RecipientId {
        RecipientId(short(&derive::<8>(&self.to_bytes(), &[b"maml/1 xwing id"])[..]))
    }

    fn wrap(&self, file_key: &FileKey, file_id: &[u8; 16]) -> Result<Stanza, Error> {
        let randomness: Zeroizing<[u8; 64]> = random()?;
        let (enc, shared) = self.key.encapsulate_deterministic((&*randomness).into());
        let shared = Zeroizing::new(<[u8; 32]>::from(shared));
        let mut body = enc.to_vec();
        let key = xwing_key(&shared, file_id, &enc);
        body.extend(seal(&key, b"maml/1 xwing", file_id, file_key));
        Ok(Stanza::new(&["xwing", XWING_DRAFT, &self.id().0], body))
    }
}

fn xwing_key(shared: &Secret, file_id: &[u8; 16], enc: &[u8]) -> Secret {
    derive(&shared[..], &[b"maml/1 xwing", file_id, enc])
}

/// A key of 32 random bytes kept in a file of its own. Wiped when dropped.
pub struct KeyFile {
    key: Box<Secret>,
}

impl KeyFile {
    /// The key with these bytes, which must be random.
    pub fn from_bytes(key: &[u8; 32]) -> Self {
        let mut own = Box::new(Secret::default());
        own.copy_from_slice(key);
        Self { key: own }
    }

    /// A new key.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the operating system gives none.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self {
            key: Box::new(random()?),
        })
    }

    /// Its short name, which tells nothing of the key.
    pub fn id(&self) -> RecipientId {
        RecipientId(short(&derive::<8>(&self.key[..], &[b"maml/1 keyfile id"])[..]))
    }

    pub(crate) fn bytes(&self) -> &Secret {
        &self.key
    }

    fn wrap(&self, file_key: &FileKey, file_id: &[u8; 16]) -> Result<Stanza, Error> {
        let salt: Zeroizing<[u8; SALT_LEN]> = random()?;
        let mut body = salt.to_vec();
        let key = self.wrapping_key(file_id, &salt[..]);
        body.extend(seal(&key, b"maml/1 keyfile", file_id, file_key));
        Ok(Stanza::new(&["keyfile", &self.id().0], body))
    }

    fn unwrap(&self, body: &[u8], pre: &Pre) -> Option<FileKey> {
        let (salt, wrapped) = body.split_at_checked(SALT_LEN)?;
        let key = self.wrapping_key(&pre.file_id, salt);
        open(&key, b"maml/1 keyfile", pre, wrapped)
    }

    fn wrapping_key(&self, file_id: &[u8; 16], salt: &[u8]) -> Secret {
        derive(&self.key[..], &[b"maml/1 keyfile", file_id, salt])
    }
}

pub(crate) fn seal(key: &Secret, label: &[u8], file_id: &[u8; 16], file_key: &FileKey) -> Vec<u8> {
    seal_once(key, &[label, file_id].concat(), file_key)
}

pub(crate) fn open(key: &Secret, label: &[u8], pre: &Pre, wrapped: &[u8]) -> Option<FileKey> {
    // Checked before decrypting, so that no other length is ever tried.
    if wrapped.len() != pre.suite.key_len() + TAG_LEN {
        return None;
    }
    open_once(key, &[label, &pre.file_id].concat(), wrapped)
}

/// Who may read a record. One of the lists must have an entry, or there is a passphrase, which then
/// stands alone: the weakest way in is the only one.
#[derive(Debug, Default)]
pub struct Readers {
    /// By public key.
    pub recipients: Vec<Recipient>,
    /// By key file.
    pub key_files: Vec<KeyFile>,
    /// By passphrase.
    pub passphrase: Option<Passphrase>,
}

impl Readers {
    /// Whoever has this key file.
    pub fn with_key_file(key: KeyFile) -> Self {
        Self {
            key_files: vec![key],
            ..Self::default()
        }
    }

    /// Whoever knows this passphrase.
    pub fn with_passphrase(passphrase: Passphrase) -> Self {
        Self {
            passphrase: Some(passphrase),
            ..Self::default()
        }
    }

    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.number() == 0
    }

    /// How documents name them: `xwing:<id>`, `keyfile:<id>`, `argon2id`.
    pub fn names(&self) -> Vec<String> {
        let public = self.recipients.iter().map(|key| format!("xwing:{}", key.id()));
        let files = self.key_files.iter().map(|key| format!("keyfile:{}", key.id()));
        let passphrase = self.passphrase.iter().map(|_| "argon2id".to_owned());
        public.chain(files).chain(passphrase).collect()
    }

    pub(crate) fn number(&self) -> usize {
        self.recipients.len() + self.key_files.len() + usize::from(self.passphrase.is_some())
    }
}

/// The `maml-recipients` stanzas for all readers.
pub(crate) fn wrap_all(
    file_key: &FileKey,
    file_id: &[u8; 16],
    readers: &Readers,
) -> Result<Vec<Stanza>, Error> {
    let by_public_key = readers.recipients.iter();
    let for_readers = by_public_key.map(|recipient| recipient.wrap(file_key, file_id));
    let for_files = readers.key_files.iter().map(|key| key.wrap(file_key, file_id));
    let for_passphrase = readers
        .passphrase
        .iter()
        .map(|words| words.wrap(file_key, file_id));
    for_readers.chain(for_files).chain(for_passphrase).collect()
}

/// Refuses a passphrase beside other readers.
pub(crate) fn check_alone(stanzas: &[Stanza]) -> Result<(), String> {
    let is_passphrase = |stanza: &Stanza| stanza.words.first().is_some_and(|word| word == ARGON2ID);
    match stanzas.len() > 1 && stanzas.iter().any(is_passphrase) {
        true => Err("a passphrase stands beside other readers, expected it alone".into()),
        false => Ok(()),
    }
}

/// `xwing:<id>`, `keyfile:<id>` or `argon2id:<cost>`, as the front matter lists who may read.
pub(crate) fn listed(stanza: &Stanza) -> String {
    let words = stanza.words();
    format!("{}:{}", words.first().unwrap_or(&""), words.last().unwrap_or(&""))
}

impl fmt::Debug for ReaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReaderKey({})", self.recipient().id())
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.id())
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFile({})", self.id())
    }
}

/// The keys somebody has to open records with.
#[derive(Debug, Default)]
pub struct Unlock {
    /// Reader keys (X-Wing).
    pub readers: Vec<ReaderKey>,
    /// Raw key files.
    pub key_files: Vec<KeyFile>,
    /// What somebody knows by heart.
    pub passphrase: Option<Passphrase>,
}

impl Unlock {
    /// Opens with one reader key.
    pub fn with_reader(key: ReaderKey) -> Self {
        Self {
            readers: vec![key],
            ..Self::default()
        }
    }

    /// Opens with one key file.
    pub fn with_key_file(key: KeyFile) -> Self {
        Self {
            key_files: vec![key],
            ..Self::default()
        }
    }

    /// Opens with a passphrase.
    pub fn with_passphrase(passphrase: Passphrase) -> Self {
        Self {
            passphrase: Some(passphrase),
            ..Self::default()
        }
    }

    /// The file key, from the first stanza one of the keys opens. `Err` if the fence is damaged.
    pub(crate) fn file_key(&self, fence: &str, pre: &Pre) -> Result<Option<FileKey>, String> {
        let stanzas = stanza::parse(fence)?;
        check_alone(&stanzas)?;
        if let ([stanza], Some(passphrase)) = (stanzas.as_slice(), &self.passphrase)
            && stanza.words.first().is_some_and(|word| word == ARGON2ID)
        {
            return passphrase.unwrap(stanza, pre);
        }
        Ok(stanzas.iter().find_map(|stanza| match stanza.words()[..] {
            ["xwing", XWING_DRAFT, id] => self
                .readers
                .iter()
                .filter(|key| key.recipient().id().0 == id)
                .find_map(|key| key.unwrap(&stanza.body, pre)),
            ["keyfile", id] => self
                .key_files
                .iter()
                .filter(|key| key.id().0 == id)
                .find_map(|key| key.unwrap(&stanza.body, pre)),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(readers: &Readers) -> String {
        stanza::join(&wrap_all(&Zeroizing::new(vec![9; 32]), &[1; 16], readers).unwrap())
    }

    fn pre(file_id: u8) -> Pre {
        Pre {
            suite: crate::maml::Suite::Edge256,
            head_len: 0,
            document_hash: [0; 32],
            file_id: [file_id; 16],
            hides_times: false,
        }
    }

    #[test]
    fn each_reader_opens_and_nobody_else() {
        let reader = ReaderKey::from_seed(&[1; 32]);
        let fence = fence(&Readers {
            recipients: vec![reader.recipient()],
            key_files: vec![KeyFile::from_bytes(&[2; 32])],
            ..Readers::default()
        });
        let opened = |unlock: Unlock, file_id| {
            let key = unlock.file_key(&fence, &pre(file_id)).unwrap();
            key.map(|key| key.to_vec())
        };
        assert_eq!(opened(Unlock::with_reader(reader), 1), Some(vec![9; 32]));
        assert_eq!(
            opened(Unlock::with_key_file(KeyFile::from_bytes(&[2; 32])), 1),
            Some(vec![9; 32])
        );
        assert_eq!(
            opened(Unlock::with_reader(ReaderKey::from_seed(&[3; 32])), 1),
            None
        );
        assert_eq!(
            opened(Unlock::with_key_file(KeyFile::from_bytes(&[3; 32])), 1),
            None
        );
        assert_eq!(
            opened(Unlock::with_key_file(KeyFile::from_bytes(&[2; 32])), 2),
            None,
            "another file"
        );
        assert_eq!(opened(Unlock::default(), 1), None);
    }

    #[test]
    fn a_public_key_leads_back() {
        let recipient = ReaderKey::from_seed(&[1; 32]).recipient();
        assert_eq!(
            Recipient::from_bytes(&recipient.to_bytes()).unwrap().id(),
            recipient.id()
        );
        assert!(Recipient::from_bytes(&[0; 7]).is_err());
    }

    #[test]
    fn the_same_key_never_wraps_the_same_way_twice() {
        let wrapped = || fence(&Readers::with_key_file(KeyFile::from_bytes(&[2; 32])));
        assert_ne!(wrapped(), wrapped());
    }
}
