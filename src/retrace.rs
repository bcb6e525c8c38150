//! Casts that a record's soundings are traced through anew, for those who hand it over.

use std::path::{Path, PathBuf};

use anyhow::Context;
use beluga_fusion::{Retrace, Retraced};
use beluga_ingest::cast::{self, Cast};
use beluga_types::SolidarFrame;
use clap::Args;

use crate::document;
use crate::exit::Wrong;

/// Which casts, if any.
#[derive(Debug, Args)]
pub(crate) struct Casts {
    /// Trace the soundings anew through these casts (CSV or CARIS SVP): each frame through the one
    /// taken nearest to it in time. May be given more than once.
    #[arg(long = "profile", value_name = "CAST")]
    profiles: Vec<PathBuf>,
}

/// What is to be traced anew, and what came of it so far.
pub(crate) struct Anew {
    casts: Vec<Cast>,
    retrace: Option<Retrace>,
    done: Retraced,
}

impl Casts {
    /// The casts, said to people; nothing if none is asked for.
    ///
    /// # Errors
    /// If one cannot be read, or one of several does not say when it was taken.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Anew>> {
        let mut casts = Vec::new();
        for path in &self.profiles {
            let found = cast::read(path).context(Wrong::Arguments)?;
            for cast in &found {
                crate::tell(&told(path, cast));
            }
            casts.extend(found);
        }
        if casts.is_empty() {
            return Ok(None);
        }
        if casts.len() > 1 && casts.iter().any(|cast| cast.taken.is_none()) {
            let without = "of several casts each must say when it was taken, as CARIS SVP does";
            return Err(anyhow::anyhow!(without).context(Wrong::Arguments));
        }
        Ok(Some(Anew {
            casts,
            retrace: None,
            done: Retraced::default(),
        }))
    }
}

impl Anew {
    /// Traces a frame of the record with this document.
    ///
    /// # Errors
    /// If the document does not say what the soundings were placed through, or a cast is none of water.
    pub(crate) fn apply(&mut self, document: &str, frame: &mut SolidarFrame) -> anyhow::Result<()> {
        let retrace = match &self.retrace {
            Some(retrace) => retrace,
            None => self.retrace.insert(retrace(document, &self.casts)?),
        };
        self.done = self.done.and(retrace.apply(frame));
        Ok(())
    }

    /// What came of it, for people.
    pub(crate) fn told(&self) -> String {
        let Retraced {
            moved,
            left,
            largest_m,
        } = self.done;
        let left = match left {
            0 => String::new(),
            left => format!("; {left} stay where they were: no ray of the old water leads there"),
        };
        format!("{moved} soundings traced anew, moved by {largest_m:.3} m at most{left}")
    }
}

fn retrace(document: &str, casts: &[Cast]) -> anyhow::Result<Retrace> {
    let rig = document::rig(document)
        .context("the record's document does not describe its rig: its soundings cannot be traced anew")?;
    if !document::says_water(document) {
        let unsaid = "the record's document does not say what water its soundings were placed through (a \
                      profile may be too long for it): they cannot be traced anew; replay the recording \
                      with another `[water] profile`";
        return Err(anyhow::anyhow!(unsaid));
    }
    let casts: Vec<_> = casts.iter().map(|cast| (cast.taken, &*cast.levels)).collect();
    Retrace::new(&rig, &casts)
        .context("a cast of water has 1300 to 1800 m/s at every depth")
        .context(Wrong::Arguments)
}

/// A cast, for people.
fn told(path: &Path, cast: &Cast) -> String {
    let depths = match (cast.levels.first(), cast.levels.last()) {
        (Some((top, _)), Some((bottom, _))) => format!("{top} to {bottom} m"),
        _ => String::new(),
    };
    let taken = match cast.taken {
        Some(taken) => format!("of {}", taken.iso_8601()),
        None => "of unknown time".to_owned(),
    };
    format!(
        "cast {taken}: {} levels, {depths}: {}",
        cast.levels.len(),
        path.display()
    )
}
