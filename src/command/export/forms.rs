//! The forms a record is handed over in, each with its writer.

use std::path::Path;

use anyhow::anyhow;
use beluga_ingest::tape::CloudWriter;
use beluga_sinks::place::Placement;
use beluga_sinks::{csv, las, ply, trajectory};
use beluga_types::{Origin, SolidarFrame};

use super::clouds;

/// One file that is being written.
pub(super) enum Form {
    Ply(Box<ply::Writer>),
    Las(Box<las::Writer>),
    Csv(Box<csv::Writer>),
    Mcap(Box<CloudWriter>),
    Trajectory(Box<trajectory::Writer>),
}

impl Form {
    /// Starts the file an option asks for.
    pub(super) fn create(
        option: &str,
        path: &Path,
        placement: &Placement,
        origin: Option<&Origin>,
    ) -> anyhow::Result<Self> {
        Ok(match option {
            "--ply" => Self::Ply(Box::new(ply::Writer::create(path, origin)?)),
            "--las" => Self::Las(Box::new(las::Writer::create(path, placement.clone(), false)?)),
            "--laz" => Self::Las(Box::new(las::Writer::create(path, placement.clone(), true)?)),
            "--csv" => Self::Csv(Box::new(csv::Writer::create(path, placement.clone())?)),
            "--mcap" => Self::Mcap(Box::new(clouds::create(path, origin)?)),
            "--tum" => Self::Trajectory(Box::new(trajectory::Writer::create(path, trajectory::Form::Tum)?)),
            "--kitti" => Self::Trajectory(Box::new(trajectory::Writer::create(
                path,
                trajectory::Form::Kitti,
            )?)),
            other => return Err(anyhow!("{other} is no form")),
        })
    }

    pub(super) fn push(&mut self, frame: &SolidarFrame) -> anyhow::Result<()> {
        match self {
            Self::Ply(writer) => writer.push(frame)?,
            Self::Las(writer) => writer.push(frame)?,
            Self::Csv(writer) => writer.push(frame)?,
            Self::Mcap(writer) => clouds::push(writer, frame)?,
            Self::Trajectory(writer) => writer.push(frame)?,
        }
        Ok(())
    }

    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Ply(writer) => drop(writer.finish()?),
            Self::Las(writer) => drop(writer.finish()?),
            Self::Csv(writer) => drop(writer.finish()?),
            Self::Mcap(writer) => drop(writer.finish()?),
            Self::Trajectory(writer) => drop(writer.finish()?),
        }
        Ok(())
    }
}
