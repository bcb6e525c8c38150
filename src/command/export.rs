//! `beluga export`: a record in other forms.

mod clouds;

use std::path::{Path, PathBuf};

use beluga_ingest::tape::CloudWriter;
use beluga_types::{Origin, SolidarFrame};
use clap::Args;
use serde::Serialize;

use super::maml::{Keys, frames};
use super::outputs::must_be_free;
use crate::document;
use crate::exit::Exit;

/// Hands a record over in another form.
///
/// Example: beluga export quay.maml --ply quay.ply
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The record.
    record: PathBuf,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    keys: Keys,
}

/// The forms; any of them, at least one.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct To {
    /// All points in `World` with all columns, as binary PLY.
    #[arg(long, value_name = "FILE.ply")]
    ply: Option<PathBuf>,
    /// Each frame as a cloud in `World` and the pose it was seen from, for Foxglove, rerun and ROS 2.
    #[arg(long, value_name = "FILE.mcap")]
    mcap: Option<PathBuf>,
}

#[derive(Serialize)]
struct Exported {
    #[serde(skip_serializing_if = "Option::is_none")]
    ply: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mcap: Option<PathBuf>,
    frames: u64,
    points: u64,
}

/// Files that were not there before: removed if they do not become whole, so that nobody takes a
/// part for all.
struct Unfinished<'a>(Vec<&'a Path>);

impl Unfinished<'_> {
    fn are_whole(mut self) {
        self.0.clear();
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        for path in &self.0 {
            if std::fs::remove_file(path).is_ok() {
                crate::tell(&format!("{} was cut and has been removed", path.display()));
            }
        }
    }
}

/// The files that are being written.
struct Out {
    ply: Option<beluga_sinks::ply::Writer>,
    mcap: Option<CloudWriter>,
    frames: u64,
    points: u64,
}

impl Export {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let To { ply, mcap } = self.to;
        let files = [("--ply", ply.as_deref()), ("--mcap", mcap.as_deref())];
        must_be_free(&files)?;
        let unfinished = Unfinished(files.into_iter().filter_map(|(_, path)| path).collect());
        let mut out = None;
        let exit = frames(&self.record, &self.keys, |document, frame| {
            let out = match &mut out {
                Some(out) => out,
                None => out.insert(Out::create(
                    ply.as_deref(),
                    mcap.as_deref(),
                    document::origin(document).as_ref(),
                )?),
            };
            out.push(&frame)
        })?;
        let Some(out) = out else {
            crate::tell(&format!(
                "no frame can be read, nothing was exported: {}",
                self.record.display()
            ));
            return Ok(if exit == Exit::Done { Exit::Findings } else { exit });
        };
        let (frames, points) = out.finish()?;
        unfinished.are_whole();
        let line = |form: &str, path: &Option<PathBuf>, count: String| {
            let path = path.as_ref()?;
            Some(format!("{form:<13}{} ({count})", path.display()))
        };
        let lines = [
            line("ply", &ply, format!("{points} points")),
            line("mcap", &mcap, format!("{frames} clouds, {points} points")),
        ];
        let text: Vec<String> = lines.into_iter().flatten().collect();
        let exported = Exported {
            ply,
            mcap,
            frames,
            points,
        };
        super::show(json, &exported, &text.join("\n"))?;
        Ok(exit)
    }
}

impl Out {
    fn create(ply: Option<&Path>, mcap: Option<&Path>, origin: Option<&Origin>) -> anyhow::Result<Self> {
        Ok(Self {
            ply: ply
                .map(|path| beluga_sinks::ply::Writer::create(path, origin))
                .transpose()?,
            mcap: mcap.map(|path| clouds::create(path, origin)).transpose()?,
            frames: 0,
            points: 0,
        })
    }

    fn push(&mut self, frame: &SolidarFrame) -> anyhow::Result<()> {
        if let Some(ply) = &mut self.ply {
            ply.push(frame)?;
        }
        if let Some(mcap) = &mut self.mcap {
            clouds::push(mcap, frame)?;
        }
        self.frames += 1;
        self.points += frame.points.len() as u64;
        Ok(())
    }

    fn finish(self) -> anyhow::Result<(u64, u64)> {
        if let Some(ply) = self.ply {
            ply.finish()?;
        }
        if let Some(mcap) = self.mcap {
            mcap.finish()?;
        }
        Ok((self.frames, self.points))
    }
}
