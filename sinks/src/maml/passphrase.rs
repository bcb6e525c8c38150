//! Who may read: whoever knows a passphrase.

use std::fmt;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::layout::Pre;
use super::private_file::read_private;
use super::recipient::{open, seal};
use super::secret::{FileKey, Secret, derive, random};
use super::stanza::Stanza;
use crate::error::Error;

/// The word a stanza begins with.
pub(crate) const ARGON2ID: &str = "argon2id";
const LABEL: &[u8] = b"maml/1 argon2id";
const SALT_LEN: usize = 16;
/// Longest passphrase, in bytes.
const MAX_LEN: usize = 1024;

/// What one guess costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Memory, in KiB.
    m: u32,
    /// Passes over it.
    t: u32,
    /// Lanes.
    p: u32,
}

/// What is written: 64 MiB and three passes, the second choice of RFC 9106, section 4, on one lane.
const WRITTEN: Cost = Cost {
    m: 64 << 10,
    t: 3,
    p: 1,
};
/// The most that is read: a record must not ask for more of a machine than 1 GiB and ten passes.
const MOST: Cost = Cost {
    m: 1 << 20,
    t: 10,
    p: 16,
};

impl Cost {
    /// Nothing unless the word is exactly `m=…,t=…,p=…`.
    fn parse(word: &str) -> Option<Self> {
        let mut numbers = word.split(',').zip(["m=", "t=", "p="]).map(|(part, name)| {
            let digits = part.strip_prefix(name)?;
            let number: u32 = digits.parse().ok()?;
            (number.to_string() == digits).then_some(number)
        });
        let cost = Self {
            m: numbers.next()??,
            t: numbers.next()??,
            p: numbers.next()??,
        };
        (cost.to_string() == word).then_some(cost)
    }

    fn is_allowed(self) -> bool {
        let within = |value, most| (1..=most).contains(&value);
        within(self.m, MOST.m) && within(self.t, MOST.t) && within(self.p, MOST.p) && self.m >= 8 * self.p
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.m, self.t, self.p)
    }
}

/// A passphrase. Wiped when dropped.
pub struct Passphrase {
    text: Zeroizing<String>,
}

impl Passphrase {
    /// The passphrase with these letters.
    ///
    /// # Errors
    /// [`Error::Passphrase`] if there are none, or more than 1,024 bytes.
    pub fn new(text: Zeroizing<String>) -> Result<Self, Error> {
        let found = text.len();
        match found {
            1..=MAX_LEN => Ok(Self { text }),
            _ => Err(Error::Passphrase { found }),
        }
    }

    /// Reads the first line of a file that only its owner may read.
    ///
    /// # Errors
    /// [`Error::KeyMode`], [`Error::BadKey`], [`Error::Passphrase`], [`Error::Io`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = read_private(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::BadKey {
            reason: "the passphrase is not UTF-8".into(),
            path: path.to_owned(),
        })?;
        Self::new(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
    }

    pub(crate) fn wrap(&self, file_key: &FileKey, file_id: &[u8; 16]) -> Result<Stanza, Error> {
        let salt: Zeroizing<[u8; SALT_LEN]> = random()?;
        let key = self.wrapping_key(WRITTEN, file_id, &salt[..]);
        let key = key.map_err(|reason| Error::Document { reason })?;
        let mut body = salt.to_vec();
        body.extend(seal(&key, LABEL, file_id, file_key));
        Ok(Stanza::new(&[ARGON2ID, &WRITTEN.to_string()], body))
    }

    /// The file key, if this is the passphrase. `Err` if the stanza asks for too much or is none.
    pub(crate) fn unwrap(&self, stanza: &Stanza, pre: &Pre) -> Result<Option<FileKey>, String> {
        let cost = match stanza.words()[..] {
            [_, word] => Cost::parse(word),
            _ => None,
        };
        let cost = cost.ok_or("an argon2id stanza has no `m=…,t=…,p=…`")?;
        if !cost.is_allowed() {
            return Err(format!(
                "an argon2id stanza asks for {cost}, allowed is up to {MOST}"
            ));
        }
        let Some((salt, wrapped)) = stanza.body.split_at_checked(SALT_LEN) else {
            return Err("an argon2id stanza has no salt".into());
        };
        let key = self.wrapping_key(cost, &pre.file_id, salt)?;
        Ok(open(&key, LABEL, pre, wrapped))
    }

    fn wrapping_key(&self, cost: Cost, file_id: &[u8; 16], salt: &[u8]) -> Result<Secret, String> {
        let params = Params::new(cost.m, cost.t, cost.p, Some(32)).map_err(|error| error.to_string())?;
        let mut stretched: Secret = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.text.as_bytes(), salt, &mut stretched[..])
            .map_err(|error| error.to_string())?;
        Ok(derive(&stretched[..], &[LABEL, file_id, salt]))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Suite;
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).unwrap()
    }

    fn pre(suite: Suite) -> Pre {
        Pre {
            suite,
            head_len: 0,
            document_hash: [0; 32],
            file_id: [1; 16],
            hides_times: false,
        }
    }

    #[test]
    fn only_the_passphrase_opens() {
        let key = Zeroizing::new(vec![9; 64]);
        let stanza = passphrase("barnacle").wrap(&key, &[1; 16]).unwrap();
        assert_eq!(stanza.words(), ["argon2id", "m=65536,t=3,p=1"]);
        let pre = pre(Suite::Core512);
        assert_eq!(passphrase("barnacle").unwrap(&stanza, &pre), Ok(Some(key)));
        assert_eq!(passphrase("Barnacle").unwrap(&stanza, &pre), Ok(None));
        assert!(!format!("{:?}", passphrase("barnacle")).contains("barnacle"));
    }

    #[test]
    fn bombs_are_refused_before_anything_is_computed() {
        for word in [
            "m=1048577,t=1,p=1",
            "m=4294967295,t=1,p=1",
            "m=65536,t=11,p=1",
            "m=65536,t=3,p=17",
            "m=0,t=3,p=1",
            "m=7,t=1,p=1",
            "m=65536,t=0,p=1",
            "m=65536,t=3",
            "m=065536,t=3,p=1",
            "m=65536,t=3,p=1,x=1",
            "t=3,m=65536,p=1",
            "m=-1,t=3,p=1",
        ] {
            let stanza = Stanza::new(&[ARGON2ID, word], vec![0; 64]);
            assert!(
                passphrase("a").unwrap(&stanza, &pre(Suite::Edge256)).is_err(),
                "{word}"
            );
        }
        let short = Stanza::new(&[ARGON2ID, "m=8,t=1,p=1"], vec![0; 15]);
        assert!(passphrase("a").unwrap(&short, &pre(Suite::Edge256)).is_err());
        for length in [0, MAX_LEN + 1] {
            let found = Passphrase::new(Zeroizing::new("a".repeat(length)));
            assert!(matches!(found, Err(Error::Passphrase { .. })));
        }
    }
}
