//! What can be sworn of a record that was not sealed when it was made.
//!
//! The key that signs checkpoints never outlives its process, so nobody can write the end that is
//! missing. What the device can do later is to say, in a file of its own, where the record ended when it
//! was found, and so to pin it: every byte of it, and the root of what is signed in it.

use std::fmt;
use std::path::Path;

use beluga_types::Stamp;
use sha2::{Digest, Sha256};

use super::hex::{hex, unhex};
use super::report::{Report, verify};
use super::sign::{DeviceKey, SignerId, late_seal_holds};
use super::stanza::{self, Stanza};
use super::status::Status;
use super::trust::Trust;
use crate::error::{Error, io_error};
use crate::regular::open_regular;

const FIRST_LINE: &str = "maml late seal 1";
/// Longest late seal that is read, in bytes; ours have about 7,600.
pub const MAX_LATE_SEAL: u64 = 1 << 16;

/// What a device swears of a record that it found without a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateSeal {
    /// The record.
    pub file_id: [u8; 16],
    /// Its status then: UNSEALED or TORN.
    pub status: String,
    /// Frames under a signature.
    pub frames: u64,
    /// Leaves of the tree that is signed, and their root.
    pub tree: (u64, [u8; 32]),
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the whole file as it was found, what no signature covers too.
    pub sha256: [u8; 32],
    /// When, by the clock of the device that swears.
    pub at: String,
    /// The device.
    pub signer: SignerId,
}

/// Swears where a record ends. The record is read and stays as it is. `now_nanos`: nanoseconds since the
/// Unix epoch. Gives the text to keep beside the record.
///
/// # Errors
/// [`Error::LateSeal`] unless the record is UNSEALED or TORN and something of it is signed, [`Error::Io`].
pub fn seal_late(record: &Path, device: &DeviceKey, now_nanos: i64) -> Result<String, Error> {
    let report = verify(record, &Trust::default(), None)?;
    let refused = |reason: String| Error::LateSeal { reason };
    if !matches!(report.status, Status::Unsealed | Status::Torn { .. }) {
        return Err(refused(format!(
            "the record is {}, expected UNSEALED or TORN",
            report.status
        )));
    }
    let (Some(head), Some((leaves, root))) = (&report.head, report.signed) else {
        return Err(refused("nothing of the record is signed".into()));
    };
    let mut text = [
        FIRST_LINE.to_owned(),
        format!("file {}", hex(&head.file_id)),
        format!("status {}", report.status),
        format!("frames {}", report.counts.frames),
        format!("leaves {leaves}"),
        format!("root {}", hex(&root)),
        format!("bytes {}", report.bytes),
        format!("sha256 {}", hex(&digest(record)?)),
        format!("at {}", Stamp::from_nanos(now_nanos).iso_8601()),
        String::new(),
    ]
    .join("\n");
    Stanza::new(&["device", "ml-dsa-65"], device.public()).write(&mut text);
    let seal = device.seal_late(text.as_bytes());
    Stanza::new(&["seal", "ml-dsa-65"], seal).write(&mut text);
    Ok(text)
}

impl LateSeal {
    /// Reads a late seal whose signature holds.
    ///
    /// # Errors
    /// [`Error::LateSeal`].
    pub fn read(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|reason| Error::LateSeal { reason })
    }

    /// Whether it speaks of this record, byte for byte.
    ///
    /// # Errors
    /// [`Error::LateSeal`] says what is different, [`Error::Io`].
    pub fn check(&self, record: &Path, report: &Report) -> Result<(), Error> {
        let refused = |reason: &str| Error::LateSeal {
            reason: reason.into(),
        };
        let id = report.head.as_ref().map(|head| head.file_id);
        if id != Some(self.file_id) {
            return Err(refused("it speaks of another record"));
        }
        if report.bytes != self.bytes || digest(record)? != self.sha256 {
            return Err(refused(
                "the record is not the one that was sealed: bytes have changed since",
            ));
        }
        match report.signed == Some(self.tree) {
            true => Ok(()),
            false => Err(refused("what is signed ends elsewhere")),
        }
    }
}

impl fmt::Display for LateSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at, signer, frames, ..
        } = self;
        write!(
            f,
            "found ending after {frames} signed frames at {at}, sworn by {signer}"
        )
    }
}

fn parse(text: &str) -> Result<LateSeal, String> {
    if text.len() as u64 > MAX_LATE_SEAL {
        return Err(format!("{} bytes, expected at most {MAX_LATE_SEAL}", text.len()));
    }
    let begin = text.find("-> device ").ok_or("there is no device")?;
    let end = text.find("-> seal ").ok_or("there is no signature")?;
    let (said, stanzas) = text.split_at(begin);
    let parsed = stanza::parse(stanzas)?;
    let [device, seal] = parsed.as_slice() else {
        return Err(format!("{} stanzas, expected device and seal", parsed.len()));
    };
    if device.words() != ["device", "ml-dsa-65"] || seal.words() != ["seal", "ml-dsa-65"] {
        return Err("the stanzas are not those of ML-DSA-65".into());
    }
    if !late_seal_holds(&device.body, &text.as_bytes()[..end], &seal.body) {
        return Err("the signature does not hold".into());
    }
    let mut lines = said.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(format!("it does not begin with `{FIRST_LINE}`"));
    }
    let mut value = |name: &'static str| {
        let line = lines.next().and_then(|line| line.strip_prefix(name));
        let value = line.and_then(|rest| rest.strip_prefix(' '));
        value.ok_or_else(|| format!("the line `{name}` is missing"))
    };
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    let bad = "not hexadecimal digits";
    Ok(LateSeal {
        file_id: unhex(value("file")?).ok_or(bad)?,
        status: value("status")?.to_owned(),
        frames: number(value("frames")?)?,
        tree: (number(value("leaves")?)?, unhex(value("root")?).ok_or(bad)?),
        bytes: number(value("bytes")?)?,
        sha256: unhex(value("sha256")?).ok_or(bad)?,
        at: value("at")?.to_owned(),
        signer: SignerId(Sha256::digest(&device.body).into()),
    })
}

fn digest(record: &Path) -> Result<[u8; 32], Error> {
    let failed = || io_error("reading a record", record);
    let mut file = open_regular(record).map_err(failed())?;
    let mut hasher = HashWriter(Sha256::new());
    std::io::copy(&mut file, &mut hasher).map_err(failed())?;
    Ok(hasher.0.finalize().into())
}

struct HashWriter(Sha256);

impl std::io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
