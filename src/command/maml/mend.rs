//! `maml seal` and `maml recover`: what can be done about a record that has no end.

use std::path::PathBuf;

use anyhow::Context;
use beluga_sinks::maml::{KeyStore, Readers, recover, seal_late, write_private};
use clap::Args;
use serde::Serialize;

use super::read::with_exit;
use super::{Keys, To};
use crate::clock::now;
use crate::command::outputs::must_be_free;
use crate::exit::Exit;

/// Swears, in a file beside it, where an unsealed or torn record ends.
///
/// The key that signs a record never outlives the run, so the missing end cannot be written later, and the
/// record itself stays as it is. What is written says, signed by this device: this file, of these bytes, was
/// found ending there. `verify --seal` checks it. It shows later changes; that nothing was lost before, it
/// cannot show.
///
/// Example: beluga maml seal quay.maml --out quay.maml.seal
#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The record.
    record: PathBuf,
    /// The late seal [default: the record's name and .seal].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Sworn {
    record: PathBuf,
    seal: PathBuf,
}

impl Seal {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let seal = self.out.unwrap_or_else(|| {
            let mut name = self.record.clone().into_os_string();
            name.push(".seal");
            name.into()
        });
        must_be_free(&[("--out", Some(&seal))])?;
        let device = KeyStore::open_default()?.device_key()?.key;
        let text = seal_late(&self.record, &device, now().nanos()).map_err(with_exit)?;
        write_private(&seal, text.as_bytes())?;
        let people = format!(
            "late seal    {}\nnote         the record stays as it is: verify both with `beluga maml verify {} --seal {}`",
            seal.display(),
            self.record.display(),
            seal.display()
        );
        let sworn = Sworn {
            record: self.record,
            seal,
        };
        crate::command::show(json, &sworn, &people)?;
        Ok(Exit::Done)
    }
}

/// Writes what is whole of a damaged record into a new one, signed by this device, and checks it. Ends with
/// 3 if anything was lost, and says what. The new record opens for the keys that opened the source, or for those
/// that --to and its like name instead.
///
/// Example: beluga maml recover torn.maml --out whole.maml
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// The record.
    record: PathBuf,
    /// The new record.
    #[arg(long, value_name = "X.maml")]
    out: PathBuf,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Serialize)]
struct Mended {
    record: PathBuf,
    source_status: String,
    readers: Vec<String>,
    frames: u64,
    lost_frames_seen: u64,
    lost_bytes: u64,
}

/// Those who hold the keys that open the source: a passphrase alone, else all of them.
fn opened_by(keys: &Keys) -> anyhow::Result<Readers> {
    let mut unlock = keys.unlock()?;
    Ok(match unlock.passphrase.take() {
        Some(passphrase) => Readers {
            passphrase: Some(passphrase),
            ..Readers::default()
        },
        None => Readers {
            recipients: unlock.readers.iter().map(|key| key.recipient()).collect(),
            key_files: std::mem::take(&mut unlock.key_files),
            passphrase: None,
        },
    })
}

impl Recover {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[("--out", Some(&self.out))])?;
        let store = KeyStore::open_default()?;
        let (unlock, device) = (self.keys.unlock()?, store.device_key()?.key);
        let mut readers = self.to.readers()?;
        let mut note = "";
        if readers.is_empty() {
            // Who else could read it stands in no way in the record that leads back to a key.
            readers = opened_by(&self.keys)?;
            note = " (of those that could read the source others are not known by key: name them with --to)";
        }
        let names = readers.names();
        let for_whom = format!("{}{note}", names.join(", "));
        let at_nanos = now().nanos();
        let done = match recover(&self.record, &self.out, &unlock, readers, device, at_nanos) {
            Err(error @ beluga_sinks::Error::NothingSigned { .. }) => {
                crate::tell(&format!("error: {error}"));
                return Ok(Exit::Lost);
            }
            done => done.map_err(with_exit).context("nothing was recovered")?,
        };
        let frames = done.summary.counts.frames;
        let lost = match done.is_whole() {
            true => "nothing: the record was whole".to_owned(),
            false => format!(
                "{} bytes after the last signature, in them {} frames of which a beginning was read; more may be missing that never reached the disk",
                done.lost_bytes, done.lost_frames
            ),
        };
        let text = format!(
            "record       {}\nsource       {}\nreaders      {for_whom}\nframes       {frames}\nlost         {lost}",
            self.out.display(),
            done.status
        );
        let mended = Mended {
            record: self.out,
            source_status: done.status.to_string(),
            readers: names,
            frames,
            lost_frames_seen: done.lost_frames,
            lost_bytes: done.lost_bytes,
        };
        crate::command::show(json, &mended, &text)?;
        Ok(if done.is_whole() { Exit::Done } else { Exit::Lost })
    }
}
