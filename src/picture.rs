//! The picture of a run, where the program was built with one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use beluga_types::{Echogram, Rig, SolidarFrame};

/// Something to draw.
#[cfg_attr(not(feature = "viz"), expect(dead_code, reason = "sent to nobody"))]
pub(crate) enum Look {
    /// A frame.
    Frame(Arc<SolidarFrame>),
    /// A ping.
    Echo(Echogram),
}

/// Draws into a rerun recording on its own thread.
#[cfg(feature = "viz")]
pub(crate) struct Picture {
    path: PathBuf,
    recorder: beluga_viz::Recorder,
}

#[cfg(feature = "viz")]
impl Picture {
    /// A picture that will be written to `path`.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub(crate) fn create(path: &Path, rig: &Rig) -> anyhow::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            recorder: beluga_viz::Recorder::create(path, rig)?,
        })
    }

    /// Draws until the sender is gone; gives back where the picture is.
    pub(crate) fn draw(mut self, looks: Receiver<Look>) -> anyhow::Result<PathBuf> {
        for look in looks {
            match look {
                Look::Frame(frame) => self.recorder.frame(&frame)?,
                Look::Echo(echo) => self.recorder.echo(&echo)?,
            }
        }
        self.recorder.finish()?;
        Ok(self.path)
    }
}

/// There is no picture in a program built without the feature `viz`.
#[cfg(not(feature = "viz"))]
pub(crate) struct Picture(std::convert::Infallible);

#[cfg(not(feature = "viz"))]
impl Picture {
    /// # Errors
    /// Always, with what to do about it.
    pub(crate) fn create(_: &Path, _: &Rig) -> anyhow::Result<Self> {
        anyhow::bail!("this beluga was built without the feature `viz`: use --view none, or build with it")
    }

    pub(crate) fn draw(self, _: Receiver<Look>) -> anyhow::Result<PathBuf> {
        match self.0 {}
    }
}
