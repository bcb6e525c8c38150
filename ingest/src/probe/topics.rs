//! The topics of a bag: what each is, and whether it plays.

use std::path::{Path, PathBuf};

use beluga_types::Rig;
use serde::Serialize;

use crate::error::Error;
use crate::ros::{Bag, Fate, fates};
use crate::{rig_toml, tape};

/// A topic of a bag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TopicProbe {
    /// Its name.
    pub name: String,
    /// The name of its messages' type; empty if the bag does not say.
    pub schema: String,
    /// Messages.
    pub messages: u64,
    /// The sensor as which it plays where there is no rig.
    pub sensor: Option<String>,
    /// Why it does not.
    pub skipped: Option<&'static str>,
}

/// What is told of a bag.
pub(super) struct Told {
    pub(super) what: String,
    pub(super) topics: Vec<TopicProbe>,
    pub(super) rig: String,
    pub(super) rig_file: PathBuf,
}

/// The topics of a bag that plays without a rig, and the rig that was taken, to fill in.
pub(super) fn of(path: &Path, rig: &Rig) -> Result<Option<Told>, Error> {
    let is_tape = path.is_file() && tape::is_tape(path) && !tape::is_foreign(path);
    if is_tape || path.join("rig.toml").is_file() || !Bag::is_at(path) {
        return Ok(None);
    }
    let bag = Bag::open(path)?;
    let topics = bag.topics()?;
    let told = topics.iter().zip(fates(&topics)).map(|(topic, fate)| {
        let (sensor, skipped) = match fate {
            Fate::Plays(name, _) => (Some(name), None),
            Fate::Skipped(why) => (None, Some(why)),
        };
        TopicProbe {
            name: topic.name.clone(),
            schema: topic.schema.clone(),
            messages: topic.messages,
            sensor,
            skipped,
        }
    });
    let rig_file = match path.is_dir() {
        true => path.join("rig.toml"),
        false => path.with_file_name("site.toml"),
    };
    Ok(Some(Told {
        what: bag.words(),
        topics: told.collect(),
        rig: rig_toml::texts(&rig_file, rig)?.0,
        rig_file,
    }))
}
