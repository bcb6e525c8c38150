//! The formats of survey and imaging sonars by their names, and what each does.

use std::path::Path;

use beluga_types::{Geodetic, Origin, Rig, SensorSpec};

use super::played::Ready;
use crate::aris;
use crate::error::{Error, Fault};
use crate::humminbird;
use crate::kmall;
use crate::kongsberg_all;
use crate::oculus;
use crate::source::{Loaded, Row, Source};
use crate::xtf;

/// A survey or imaging sonar's kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survey {
    /// Kongsberg `.kmall`, `.kmwcd`.
    Kmall,
    /// Kongsberg `.all`, `.wcd`.
    All,
    /// XTF.
    Xtf,
    /// Blueprint Oculus.
    Oculus,
    /// Sound Metrics ARIS.
    Aris,
    /// Humminbird `.SON`.
    Son,
}

/// The rows of a sensor of any of them.
pub(crate) type Sensor = Box<dyn Source<What = Ready> + Send>;

impl Survey {
    const ALL: [Survey; 6] = [
        Survey::Kmall,
        Survey::All,
        Survey::Xtf,
        Survey::Oculus,
        Survey::Aris,
        Survey::Son,
    ];

    /// The word of it in a rig.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Survey::Kmall => "kmall",
            Survey::All => "all",
            Survey::Xtf => "xtf",
            Survey::Oculus => "oculus",
            Survey::Aris => "aris",
            Survey::Son => "son",
        }
    }

    /// The words of all, for messages.
    pub(crate) fn words() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The format that a rig names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == word)
    }

    /// The format that a file begins as.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        Self::ALL.into_iter().find(|format| match format {
            Survey::Kmall => kmall::looks_like(path),
            Survey::All => kongsberg_all::looks_like(path),
            Survey::Xtf => xtf::looks_like(path),
            Survey::Oculus => oculus::looks_like(path),
            Survey::Aris => aris::looks_like(path),
            Survey::Son => humminbird::looks_like(path),
        })
    }

    /// The rig that a file makes by itself.
    pub(crate) fn rig(self, path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
        match self {
            Survey::Kmall => kmall::rig(path, notes),
            Survey::All => kongsberg_all::rig(path, notes),
            Survey::Xtf => xtf::rig(path, notes),
            Survey::Oculus => oculus::rig(path, notes),
            Survey::Aris => aris::rig(path, notes),
            Survey::Son => humminbird::rig(path, notes),
        }
    }

    /// Whether it is an imaging sonar's: then files say where beams look, and a rig may how wide they are.
    pub(crate) fn is_imaging(self) -> bool {
        matches!(self, Survey::Oculus | Survey::Aris | Survey::Son)
    }

    /// The rows of one sensor of a file.
    pub(crate) fn open(self, path: &Path, spec: &SensorSpec, origin: &Origin) -> Result<Sensor, Error> {
        if spec.beams.is_some() && !self.is_imaging() {
            let place = format!("`beams` of sensor `{}`", spec.name);
            let expected = "none: the file says itself how wide its beams are";
            return Err(Error::bad(path, place, expected, "a table of beams"));
        }
        Ok(match self {
            Survey::Kmall => Box::new(kmall::open(path, spec, origin)?),
            Survey::All => Box::new(kongsberg_all::open(path, spec, origin)?),
            Survey::Xtf => Box::new(xtf::open(path, spec, origin)?),
            Survey::Oculus => Box::new(oculus::open(path, spec)?),
            Survey::Aris => Box::new(aris::open(path, spec)?),
            Survey::Son => Box::new(humminbird::open(path, spec, origin)?),
        })
    }

    /// The first place on the Earth that a sensor of a file gives.
    pub(crate) fn first_place(self, path: &Path, spec: &SensorSpec) -> Result<Option<Geodetic>, Error> {
        match self {
            Survey::Kmall => kmall::first_place(path, spec),
            Survey::All => kongsberg_all::first_place(path, spec),
            Survey::Xtf => xtf::first_place(path, spec),
            Survey::Oculus | Survey::Aris => Ok(None),
            Survey::Son => humminbird::first_place(path),
        }
    }
}

impl Source for Sensor {
    type What = Ready;

    fn next_row(&mut self) -> Option<Result<Row<Ready>, Fault>> {
        (**self).next_row()
    }

    fn load(&mut self, ready: Ready) -> Loaded {
        (**self).load(ready)
    }
}
