//! Whom a record is made for: the options that say so.

use std::path::PathBuf;

use anyhow::Context;
use beluga_sinks::maml::{KeyFile, Passphrase, Readers, Recipient};
use clap::Args;

use crate::exit::Wrong;
use crate::passphrase;

/// Who may read a record that is written.
#[derive(Clone, Debug, Args)]
pub(crate) struct To {
    /// Who may read it, by public key (`reader.xwing.pub`); may be repeated.
    #[arg(long, value_name = "FILE")]
    to: Vec<PathBuf>,
    /// Who may read it, by key file of 32 bytes; may be repeated.
    #[arg(long, value_name = "FILE")]
    to_key_file: Vec<PathBuf>,
    /// Asks at the terminal for a passphrase that opens it, and nothing else does.
    #[arg(long, conflicts_with_all = ["to", "to_key_file", "to_passphrase_file"])]
    to_passphrase: bool,
    /// The passphrase is the first line of this file, mode 0600.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "to_key_file"])]
    to_passphrase_file: Option<PathBuf>,
}

impl To {
    /// The readers that are named; perhaps nobody.
    pub(crate) fn readers(&self) -> anyhow::Result<Readers> {
        let public = self.to.iter().map(|path| Recipient::load(path));
        let files = self.to_key_file.iter().map(|path| KeyFile::load(path));
        Ok(Readers {
            recipients: public.collect::<Result<_, _>>().context(Wrong::Arguments)?,
            key_files: files.collect::<Result<_, _>>().context(Wrong::Arguments)?,
            passphrase: match &self.to_passphrase_file {
                Some(path) => Some(Passphrase::load(path).context(Wrong::Arguments)?),
                None if self.to_passphrase => Some(passphrase::chosen()?),
                None => None,
            },
        })
    }
}
