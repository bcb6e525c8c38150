//! `beluga export`: a record in another form.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::maml::{Keys, frames};
use crate::document;
use crate::exit::Exit;

/// Hands a record over in another form.
///
/// Example: beluga export quay.maml --ply quay.ply
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The record.
    record: PathBuf,
    /// All points in `World` with all columns, as binary PLY.
    #[arg(long, value_name = "FILE.ply", required = true)]
    ply: PathBuf,
    #[command(flatten)]
    keys: Keys,
}

#[derive(Serialize)]
struct Exported {
    ply: PathBuf,
    points: u64,
}

impl Export {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let mut writer = None;
        let exit = frames(&self.record, &self.keys, |document, frame| {
            let writer = match &mut writer {
                Some(writer) => writer,
                None => {
                    let origin = document::origin(document);
                    writer.insert(beluga_sinks::ply::Writer::create(&self.ply, origin.as_ref())?)
                }
            };
            writer.push(&frame)?;
            Ok(())
        })?;
        let Some(writer) = writer else {
            crate::tell(&format!(
                "no frame can be read, nothing was exported: {}",
                self.record.display()
            ));
            return Ok(if exit == Exit::Done { Exit::Findings } else { exit });
        };
        let points = writer.finish()?;
        let text = format!("ply          {} ({points} points)", self.ply.display());
        super::show(
            json,
            &Exported {
                ply: self.ply,
                points,
            },
            &text,
        )?;
        Ok(exit)
    }
}
