//! `maml trust`: whose records count as genuine on this machine.

use anyhow::{Context, anyhow};
use beluga_sinks::maml::{KeyStore, SignerId};
use clap::Args;
use serde::Serialize;

use crate::exit::{Exit, Wrong};

/// Trusts a signer from now on, or says who is trusted.
///
/// A signer is named by the SHA-256 of its public key, as `maml keygen` prints it on the machine that signs and
/// `maml verify` for a record. Ask whoever signed for it by another way than the one the record came by.
///
/// Example: beluga maml trust 5f1c… --name "crew of the Anna"
#[derive(Debug, Args)]
pub(crate) struct Pin {
    /// The signer; nobody: lists who is trusted.
    signer: Option<SignerId>,
    /// What people call it.
    #[arg(long, value_name = "NAME", requires = "signer")]
    name: Option<String>,
}

#[derive(Serialize)]
struct Trusted {
    signer: String,
    name: String,
}

impl Pin {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let store = KeyStore::open_default()?;
        if let Some(signer) = self.signer {
            if store.trust()?.holds(&signer) {
                let known = anyhow!("this signer is trusted already: {signer}");
                return Err(known.context(Wrong::Arguments));
            }
            store
                .trust_signer(signer, self.name.as_deref().unwrap_or("without a name"))
                .context("the signer was not added")?;
        }
        let listed: Vec<Trusted> = store
            .trusted()?
            .into_iter()
            .map(|(signer, name)| Trusted {
                signer: signer.to_string(),
                name,
            })
            .collect();
        let lines: Vec<String> = listed
            .iter()
            .map(|one| format!("{}  {}", one.signer, one.name))
            .collect();
        let text = match lines.is_empty() {
            true => "nobody is trusted here yet".to_owned(),
            false => lines.join("\n"),
        };
        crate::command::show(json, &listed, &text)?;
        Ok(Exit::Done)
    }
}
