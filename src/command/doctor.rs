//! `beluga doctor`: is the boat ready.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use beluga_ingest::live::{Live, Options};
use clap::Args;

use super::live::seconds;
use super::run::stop_on_ctrl_c;
use crate::config::Config;
use crate::doctor::{Findings, Verdict, examine};
use crate::exit::Exit;

/// Listens to the sensors of a rig for some seconds and says of each whether it is found, how often it
/// speaks, what its clock is and what is lost; of the disk how long it lasts; of the processor whether it
/// keeps up. Everything that is not as it should be has its remedy. Ends with 1 if something fails.
///
/// Example: beluga doctor --rig rig.toml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Doctor {
    /// The rig, as for `beluga live`.
    #[arg(long, value_name = "RIG.toml")]
    rig: PathBuf,
    /// For how long.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    seconds: Duration,
    /// Config file (TOML), as for `beluga live`.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Doctor {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let config = Config::load(self.config.as_deref())?;
        let options = Options {
            // Whatever their clocks say, all are listened to.
            far: Duration::MAX,
            look: Duration::from_secs(1).min(self.seconds / 4),
            length: Some(self.seconds),
            stop: stop_on_ctrl_c()?,
            tell: Arc::new(|_| {}),
            ..Options::default()
        };
        let found = match Live::open(&self.rig, options) {
            Ok(live) => {
                crate::tell(&format!("listening for {:.0} s", self.seconds.as_secs_f64()));
                examine(live, config.fusion, self.seconds, Path::new("."))?
            }
            Err(error) => {
                let mut found = Findings::default();
                found.add("rig", Verdict::Fail, error.to_string());
                found
            }
        };
        super::show(json, &found, &found.to_string())?;
        Ok(match found.verdict() {
            Verdict::Fail => Exit::Findings,
            Verdict::Pass | Verdict::Warn => Exit::Done,
        })
    }
}
