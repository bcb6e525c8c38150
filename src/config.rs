//! What a run can be told in a file. Works with none; the run writes what it really used into the
//! record beside its frames.

use std::path::Path;

use anyhow::Context;
use beluga_sinks::read_regular_text;
use serde::{Deserialize, Serialize};

use crate::exit::Wrong;

/// Longest file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The whole configuration. Each table belongs to one room, and its defaults stand there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Who answers for the run; kept in its record, encrypted, and not in the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operator: Option<String>,
    /// How measurements become frames.
    pub(crate) fusion: beluga_fusion::Config,
}

impl Config {
    /// The configuration in this file, or the default without one.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or holds a key that is not known.
    pub(crate) fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = read_regular_text(path, MAX_BYTES)
            .with_context(|| format!("cannot read the config {}", path.display()))
            .context(Wrong::Arguments)?;
        toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{error}\nin the config {}", path.display()))
            .context(Wrong::Arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let config = Config::default();
        assert_eq!(
            toml::from_str::<Config>(&toml::to_string(&config).unwrap()).unwrap(),
            config
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_without_end_is_not_read() {
        let refused = Config::load(Some(Path::new("/dev/zero"))).unwrap_err();
        assert!(
            format!("{refused:#}").contains("expected a regular file"),
            "{refused:#}"
        );
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = toml::from_str::<Config>("[fusion]\nwindow_milis = 50\n").unwrap_err();
        assert!(error.to_string().contains("window_milis"), "{error}");
    }
}
