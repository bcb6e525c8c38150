//! Keys on this machine: made on first use, kept in files only their owner may read.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::recipient::{KeyFile, ReaderKey, Recipient};
use super::secret::Secret;
use super::sign::{DeviceKey, SignerId};
use super::trust::Trust;
use crate::error::{Error, io_error};

const DEVICE: (&str, &str) = ("device.mldsa65", "BELUGA-DEVICE-MLDSA65-SEED-1");
const READER: (&str, &str) = ("reader.xwing", "BELUGA-READER-XWING-SEED-1");
const PUBLIC: (&str, &str) = ("reader.xwing.pub", "BELUGA-READER-XWING-PUBLIC-1");
const TRUSTED: &str = "trusted";
/// Largest key file that is read, in bytes.
const MAX_KEY_TEXT: u64 = 4096;
/// Largest list of trusted signers, in bytes.
const MAX_TRUSTED: u64 = 1 << 20;

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

    /// This device's signing key. A new one is trusted here at once.
    ///
    /// # Errors
    /// [`Error::KeyMode`], [`Error::BadKey`], [`Error::Randomness`], [`Error::Io`].
    pub fn device_key(&self) -> Result<Kept<DeviceKey>, Error> {
        let kept = self.kept(DEVICE, DeviceKey::from_seed, || {
            DeviceKey::generate().map(|key| key.seed())
        })?;
        if kept.created {
            self.trust_signer(kept.key.id(), "this device")?;
        }
        Ok(kept)
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
            fs::write(&public, text).map_err(io_error("writing the public key", &public))?;
        }
        Ok(kept)
    }

    /// The signers this machine trusts.
    ///
    /// # Errors
    /// [`Error::SignerId`] if a line does not begin with one, [`Error::Io`].
    pub fn trust(&self) -> Result<Trust, Error> {
        let path = self.folder.join(TRUSTED);
        let text = match File::open(&path) {
            Ok(file) => read_capped(file, MAX_TRUSTED, &path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Trust::default()),
            Err(error) => return Err(io_error("opening the list of trusted signers", &path)(error)),
        };
        let text = String::from_utf8_lossy(&text);
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| line.split_whitespace().next().unwrap_or_default().parse())
            .collect()
    }

    /// Adds a signer to the trusted ones. `name` is for people: one line.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn trust_signer(&self, signer: SignerId, name: &str) -> Result<(), Error> {
        let path = self.folder.join(TRUSTED);
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        private(&mut options);
        let name: String = name
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        options
            .open(&path)
            .and_then(|mut file| writeln!(file, "{signer} {name}").and_then(|()| file.sync_all()))
            .map_err(io_error("writing the list of trusted signers", &path))
    }

    fn kept<K>(
        &self,
        (name, label): (&str, &str),
        from_seed: impl Fn(&[u8; 32]) -> K,
        make: impl Fn() -> Result<Secret, Error>,
    ) -> Result<Kept<K>, Error> {
        let path = self.folder.join(name);
        let created = !path.exists();
        if created {
            let text = Zeroizing::new(format!("{label} {}\n", STANDARD.encode(&make()?[..])));
            write_new(&path, text.as_bytes())?;
        }
        let seed = read_seed(&path, label)?;
        Ok(Kept {
            key: from_seed(&seed),
            path,
            created,
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
        write_new(path, &key.bytes()[..])?;
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
        let file = File::open(path).map_err(io_error("opening a public key", path))?;
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
        Ok(Self::from_seed(&*read_seed(path, READER.1)?))
    }
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

fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let file = File::open(path).map_err(io_error("opening a key", path))?;
    let metadata = file.metadata().map_err(io_error("reading a key", path))?;
    require_private(&metadata, path, "0600")?;
    read_capped(file, MAX_KEY_TEXT, path)
}

fn read_capped(file: File, limit: u64, path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    // With this capacity the vector never moves, so no copy of a secret stays behind.
    let length = file
        .metadata()
        .map_or(limit, |metadata| metadata.len())
        .min(limit);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1));
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error("reading a key", path))?;
    if bytes.len() as u64 > limit {
        return Err(Error::BadKey {
            reason: format!("more than {limit} bytes"),
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(io_error("making a key", path))
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn require_private(metadata: &fs::Metadata, path: &Path, expected: &'static str) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let found = metadata.permissions().mode() & 0o777;
    if found & 0o077 == 0 {
        return Ok(());
    }
    Err(Error::KeyMode {
        found,
        expected,
        path: path.to_owned(),
    })
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn require_private(_: &fs::Metadata, _: &Path, _: &'static str) -> Result<(), Error> {
    Ok(())
}
