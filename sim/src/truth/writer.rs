//! A truth on its way to the disk: what is known beforehand first, then the returns as they are made,
//! and at the end the manifest of everything. So a run that stops half-way leaves a truth that is read.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use beluga_types::Measurement;

use super::returns::{Returns, ReturnsOut};
use super::{Digest, Truth, cells, file, manifest, poses, poses_of, tables};
use crate::error::Error;
use crate::world::World;

/// Writes the truth of a world into a folder.
///
/// A truth without [`finish`](Self::finish) lacks its manifest, so that nothing says which recording
/// it belongs to, and its returns may end inside a record.
pub struct TruthWriter {
    dir: PathBuf,
    returns: Option<ReturnsOut>,
    name: String,
    seed: u64,
}

impl TruthWriter {
    /// Writes all that is known before the first measurement. `name` is what the scenario is called.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be written.
    pub fn create(dir: &Path, world: &World, name: &str) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|source| io("making a folder", source, dir))?;
        let truth = Truth::without_poses(world);
        let grids = cells::of(world, &truth);
        file::write(dir, &truth, &grids)?;
        poses::write(dir, poses_of(world))?;
        tables::write(dir, world)?;
        for grid in &grids {
            grid.write(dir)?;
        }
        Ok(Self {
            dir: dir.to_owned(),
            returns: None,
            name: name.to_owned(),
            seed: world.scenario().seed,
        })
    }

    /// With what is true of each return.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be made.
    pub fn with_returns(mut self) -> Result<Self, Error> {
        self.returns = Some(ReturnsOut::create(&self.dir)?);
        Ok(self)
    }

    /// Adds what is true of a measurement's returns.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn push(&mut self, measurement: &Measurement, returns: &Returns) -> Result<(), Error> {
        match &mut self.returns {
            Some(out) => out.push(measurement, returns),
            None => Ok(()),
        }
    }

    /// Ends the truth with its manifest: the SHA-256 of every file of the recording, if there is one, and of
    /// the truth. Gives that of the recording.
    ///
    /// # Errors
    /// [`Error::Io`] if something cannot be written, or the recording cannot be read.
    pub fn finish(self, recording: Option<&Path>) -> Result<Option<Digest>, Error> {
        if let Some(returns) = self.returns {
            returns.finish()?;
        }
        manifest::write(&self.dir, recording, &self.name, self.seed)
    }
}

/// A file that grows.
pub(super) struct Out {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Out {
    pub(super) fn create(path: PathBuf) -> Result<Self, Error> {
        let file = File::create(&path).map_err(|source| io("writing", source, &path))?;
        let file = BufWriter::new(file);
        Ok(Self { path, file })
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| io("writing", source, &self.path))
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        let written = self.file.flush();
        written.map_err(|source| io("writing", source, &self.path))
    }
}

pub(super) fn io(doing: &'static str, source: std::io::Error, path: &Path) -> Error {
    Error::Io {
        doing,
        source,
        path: path.to_owned(),
    }
}
