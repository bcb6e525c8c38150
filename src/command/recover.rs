//! `beluga recover`: what a crash left of a tape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use beluga_ingest::tape;
use beluga_types::Payload;
use clap::Args;
use serde::Serialize;

use super::outputs::must_be_free;
use crate::clock;
use crate::exit::{Exit, Wrong};

/// Says what is whole of a tape that was not finished, and writes it as a finished one.
///
/// Example: beluga recover survey.mcap --out whole.mcap
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Recover {
    /// The tape; of one in parts its name or its first part. It is not changed.
    tape: PathBuf,
    /// The finished tape to write; must not exist. Without it only what is there is said.
    #[arg(long, value_name = "FILE.mcap")]
    out: Option<PathBuf>,
}

/// What there is.
#[derive(Debug, Serialize)]
struct Left {
    tape: PathBuf,
    /// Whether it was finished, and nothing is missing.
    finished: bool,
    /// Measurements by sensor, gaps not counted.
    measurements: BTreeMap<String, u64>,
    /// Payloads lost, whenever that was, and what was said of the last of it.
    lost: u64,
    last_loss: Option<String>,
    /// When the last measurement ended, ns since 1970.
    until_ns: Option<i64>,
    out: Option<PathBuf>,
}

impl Recover {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        must_be_free(&[("--out", self.out.as_deref())])?;
        let reader = tape::Row::open(&self.tape).context(Wrong::Arguments)?;
        let rig = reader.rig().clone();
        let mut left = Left {
            tape: self.tape.clone(),
            finished: reader.is_finished(),
            measurements: rig.sensors.iter().map(|spec| (spec.name.clone(), 0)).collect(),
            lost: 0,
            last_loss: None,
            until_ns: None,
            out: self.out.clone(),
        };
        let mut writer = match &self.out {
            Some(path) => Some(tape::Writer::create(path, &rig).context(Wrong::Arguments)?),
            None => None,
        };
        for measurement in reader {
            match &measurement.payload {
                Payload::Gap(gap) => {
                    left.lost = left.lost.saturating_add(gap.lost);
                    left.last_loss = Some(gap.detail.clone());
                }
                _ => {
                    let name = rig.sensor(measurement.sensor).map(|spec| spec.name.clone());
                    *left.measurements.entry(name.unwrap_or_default()).or_default() += 1;
                    left.until_ns = left.until_ns.max(Some(measurement.end.nanos()));
                }
            }
            if let Some(writer) = &mut writer {
                writer.push(&measurement)?;
            }
        }
        if let Some(writer) = writer {
            writer.finish()?;
        }
        super::show(json, &left, &left.words())?;
        Ok(if left.finished && left.lost == 0 {
            Exit::Done
        } else {
            Exit::Lost
        })
    }
}

impl Left {
    fn words(&self) -> String {
        let state = match self.finished {
            true => "finished",
            false => {
                "not finished: the program or the machine stopped; what was not yet on the disk (a second at most) is not there"
            }
        };
        let mut lines = vec![format!("tape         {}: {state}", self.tape.display())];
        lines.extend(
            self.measurements
                .iter()
                .map(|(name, count)| format!("sensor       {name}: {count}")),
        );
        lines.extend(
            self.until_ns
                .map(|until| format!("until        {} UTC", clock::utc(until))),
        );
        if let Some(last) = self.last_loss.as_ref().filter(|_| self.lost > 0) {
            lines.push(format!(
                "lost         {} payloads are told as lost on it, the last: {last}",
                self.lost
            ));
        }
        lines.extend(
            self.out
                .as_ref()
                .map(|out| format!("whole        {}", out.display())),
        );
        lines.join("\n")
    }
}
