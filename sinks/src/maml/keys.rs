//! Keys on this machine: made on first use, kept in files only their owner may read.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::private_file::{
    MAX_KEY_TEXT, make_private_folder, private, read_capped, read_private, replace, require_private,
    write_new,
};
use super::recipient::{KeyFile, ReaderKey, Recipient};
use super::secret::{Secret, leaving_nothing};
use super::sign::{DeviceKey, SignerId};
use super::trust::Trust;
use crate::error::{Error, io_error};
use crate::regular::open_regular;

const DEVICE: (&str, &str) = ("device.mldsa65", "BELUGA-DEVICE-MLDSA65-SEED-1");
const READER: (&str, &str) = ("reader.xwing", "BELUGA-READER-XWING-SEED-1");
const PUBLIC: (&str, &str) = ("reader.xwing.pub", "BELUGA-READER-XWING-PUBLIC-1");
const TRUSTED: &str = "trusted";
/// Largest list of trusted signers, in bytes.
const MAX_TRUSTED: u64 = 1 << 20;
/// Length of 32 bytes in base64.
const SEED_BASE64: usize = 44;

/// A key, where it is kept, and whether it was made just now (people should be told).
#[derive(Debug)]
pub struct Kept<K> {
    /// The key.
    pub key: K,
    /// Its file.
    pub path: PathBuf,
    /// Made by this call.
    pub created: bool,
}

/// A folder of keys, mode 0700: the device's signing key, a reader's key, the trusted signers.
#[derive(Debug)]
pub struct KeyStore {
    folder: PathBuf,
}

impl KeyStore {
    /// Where keys belong: `$BELUGA_HOME/keys`, else `$XDG_CONFIG_HOME/beluga/keys`, else
    /// `$HOME/.config/beluga/keys`. `variable` looks up the environment. Nothing if none is set.
    pub fn locate(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let folder = |name: &str, inside: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(|value| Path::new(&value).join(inside))
        };
        folder("BELUGA_HOME", "keys")
            .or_else(|| folder("XDG_CONFIG_HOME", "beluga/keys"))
            .or_else(|| folder("HOME", ".config/beluga/keys"))
    }

    /// The store where [`Self::locate`] finds it in this process's environment.
    ///
    /// # Errors
    /// [`Error::NoHome`] if no variable is set, else as [`Self::open`].
    pub fn open_default() -> Result<Self, Error> {
        Self::open(&Self::locate(|name| std::env::var_os(name)).ok_or(Error::NoHome)?)
    }

    /// The store in this folder, which is made with mode 0700 if it does not exist.
    ///
    /// # Errors
    /// [`Error::KeyMode`] if others may enter the folder, [`Error::Io`].
    pub fn open(folder: &Path) -> Result<Self, Error> {
        make_private_folder(folder).map_err(io_error("making the folder of keys", folder))?;
        let metadata = fs::metadata(folder).map_err(io_error("reading the folder of keys", folder))?;
        require_private(&metadata, folder, "0700")?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// This device's signing key. Whenever it is asked for, it is trusted here from then on.
    ///
    /// # Errors
    /// [`Error::KeyMode`], [`Error::BadKey`], [`Error::Randomness`], [`Error::Io`].
    pub fn device_key(&self) -> Result<Kept<DeviceKey>, Error> {
        let kept = self.kept(DEVICE, DeviceKey::from_seed, || {
            DeviceKey::generate().map(|key| key.seed())
        })?;
        if !self.names(kept.key.id())? {
            self.trust_signer(kept.key.id(), "this device")?;
        }
        Ok(kept)
    }

    /// Whether a reader key was made here already; [`Self::reader_key`] would make one.
    pub fn has_reader_key(&self) -> bool {
        self.folder.join(READER.0).exists()
    }

    /// This machine's reader key; its public half is written beside it as `reader.xwing.pub`.
    ///
    /// # Errors
    /// As [`Self::device_key`].
    pub fn reader_key(&self) -> Result<Kept<ReaderKey>, Error> {
        let kept = self.kept(READER, ReaderKey::from_seed, || {
            ReaderKey::generate().map(|key| key.seed())
        })?;
        let public = self.folder.join(PUBLIC.0);
        if kept.created || !public.exists() {
            let text = format!(
                "{} {}\n",
                PUBLIC.1,
                STANDARD.encode(kept.key.recipient().to_bytes())
            );
            replace(&public, text.as_bytes()).map_err(io_error("writing the public key", &public))?;
        }
        Ok(kept)
    }

    /// The signers this machine trusts.
    ///
    /// # Errors
    /// [`Error::SignerId`] if a line does not begin with one, [`Error::Io`].
    pub fn trust(&self) -> Result<Trust, Error> {
        let text = self.trusted_text()?;
        trusted_lines(&text)
            .map(|line| line.split_whitespace().next().unwrap_or_default().parse())
            .collect()
    }

    /// The same with what people call them, in the order in which they were added.
    ///
    /// # Errors
    /// As [`Self::trust`].
    pub fn trusted(&self) -> Result<Vec<(SignerId, String)>, Error> {
        let text = self.trusted_text()?;
        let of = |line: &str| {
            let (signer, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
            Ok((signer.parse()?, name))
        };
        trusted_lines(&text).map(of).collect()
    }

    /// Whether the list has this signer, whatever else is wrong with it.
    fn names(&self, signer: SignerId) -> Result<bool, Error> {
        let name = signer.to_string();
        let text = self.trusted_text()?;
        Ok(trusted_lines(&text).any(|line| {
            let found = line.split_whitespace().next();
            found.is_some_and(|found| found.eq_ignore_ascii_case(&name))
        }))
    }

    /// The list of trusted signers; empty if there is none.
    fn trusted_text(&self) -> Result<String, Error> {
        let path = self.folder.join(TRUSTED);
        match open_regular(&path) {
            Ok(file) => {
                let text = read_capped(file, MAX_TRUSTED, &path)?;
                Ok(String::from_utf8_lossy(&text).into_owned())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(io_error("opening the list of trusted signers", &path)(error)),
        }
    }

    /// Adds a signer to the trusted ones. `name` is for people: one line.
    ///
    /// # Errors
    /// [`Error::BadKey`] if the list is longer than 1 MiB, [`Error::Io`].
    pub fn trust_signer(&self, signer: SignerId, name: &str) -> Result<(), Error> {
        let text = self.trusted_text()?;
        let begin = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let path = self.folder.join(TRUSTED);
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        private(&mut options);
        let name: String = name
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        // One call, so that lines of several processes never mix.
        let line = format!("{begin}{signer} {name}\n");
        options
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(io_error("writing the list of trusted signers", &path))
    }

    fn kept<K>(
        &self,
        (name, label): (&str, &str),
        from_seed: impl Fn(&[u8; 32]) -> K,
        make: impl Fn() -> Result<Secret, Error>,
    ) -> Result<Kept<K>, Error> {
        let path = self.folder.join(name);
        leaving_nothing(|| {
            let created = !path.exists() && made_first(&path, &seed_text(label, &make()?))?;
            let key = from_seed(&*read_seed(&path, label)?);
            Ok(Kept { key, path, created })
        })
    }
}

impl KeyFile {
    /// Makes a key file of 32 random bytes, mode 0600, where none exists.
    ///
    /// # Errors
    /// [`Error::Io`] if something exists there, [`Error::Randomness`].
    pub fn create(path: &Path) -> Result<Self, Error> {
        let key = Self::generate()?;
        write_new(path, &key.bytes()[..]).map_err(io_error("making a key", path))?;
        Ok(key)
    }

    /// Reads a key file of exactly 32 bytes.
    ///
    /// # Errors
    /// [`Error::KeyMode`] unless only its owner may read it, [`Error::BadKey`], [`Error::Io`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = read_private(path)?;
        let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| Error::BadKey {
            reason: format!("found {} bytes, expected 32", bytes.len()),
            path: path.to_owned(),
        })?;
        Ok(Self::from_bytes(key))
    }
}

impl Recipient {
    /// Reads a public key as [`KeyStore::reader_key`] writes it.
    ///
    /// # Errors
    /// [`Error::BadKey`], [`Error::Io`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = open_regular(path).map_err(io_error("opening a public key", path))?;
        let text = read_capped(file, MAX_KEY_TEXT, path)?;
        Self::from_bytes(&labelled(&text, PUBLIC.1, path)?)
    }
}

impl ReaderKey {
    /// Reads a secret reader key as [`KeyStore::reader_key`] writes it.
    ///
    /// # Errors
    /// [`Error::KeyMode`], [`Error::BadKey`], [`Error::Io`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        leaving_nothing(|| Ok(Self::from_seed(&*read_seed(path, READER.1)?)))
    }
}

fn trusted_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Makes a file of a key. False if another process was first: then its key is the one.
fn made_first(path: &Path, text: &str) -> Result<bool, Error> {
    match write_new(path, text.as_bytes()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io_error("making a key", path)(error)),
    }
}

/// `label`, a space and the seed in base64. No copy of the seed outlives it.
fn seed_text(label: &str, seed: &Secret) -> Zeroizing<String> {
    let mut base64 = Zeroizing::new([0; SEED_BASE64]);
    STANDARD
        .encode_slice(&seed[..], &mut base64[..])
        .expect("base64 of 32 bytes has 44");
    let base64 = std::str::from_utf8(&base64[..]).expect("base64 is ASCII");
    // With this capacity the text never moves.
    let mut text = Zeroizing::new(String::with_capacity(label.len() + SEED_BASE64 + 2));
    for part in [label, " ", base64, "\n"] {
        text.push_str(part);
    }
    text
}

fn read_seed(path: &Path, label: &str) -> Result<Secret, Error> {
    let seed = labelled(&read_private(path)?, label, path)?;
    let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_| Error::BadKey {
        reason: format!("found {} bytes of key, expected 32", seed.len()),
        path: path.to_owned(),
    })?;
    Ok(Zeroizing::new(seed))
}

/// The base64 after `label` on the only line.
fn labelled(text: &[u8], label: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim_end().strip_prefix(label)?.strip_prefix(' '))
        .and_then(|body| STANDARD.decode(body).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| Error::BadKey {
            reason: format!("expected one line `{label} <base64>`"),
            path: path.to_owned(),
        })
}
