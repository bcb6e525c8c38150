//! `--map`: the map of an earlier survey, out of its record, and a timeline whose fixes are in that
//! survey's `World`.

use std::path::Path;

use anyhow::anyhow;
use beluga_fusion::SavedMap;
use beluga_types::{Measurement, Origin, Payload, Rig, SensorKind, Transform, World};

use crate::command::maml::{Keys, frames};
use crate::corrections::corrections;
use crate::document;
use crate::exit::{Exit, Wrong};

/// An earlier survey.
pub(crate) struct Earlier {
    pub(crate) map: SavedMap,
    origin: Option<Origin>,
    /// What the summary says of it.
    pub(crate) note: String,
}

/// What becomes of navigation's fixes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fixes {
    /// They go into the `World` of the map.
    Moved(Transform<World, World>),
    /// Nothing tells where they lie in the `World` of the map.
    Withheld,
}

impl Earlier {
    /// Makes a map of what a record's lidar saw, from corrected poses where there are corrections. The
    /// record is opened with this machine's key.
    ///
    /// # Errors
    /// If the record cannot be opened, is not authentic, or holds no points of a lidar.
    pub(crate) fn open(record: &Path, config: &beluga_fusion::Config) -> anyhow::Result<Self> {
        let keys = Keys::own();
        let corrections = corrections(record, &keys)?;
        let mut map = SavedMap::new(config);
        let mut origin = None;
        let exit = frames(record, &keys, corrections.as_ref(), |document, frame| {
            if origin.is_none() {
                origin = document::origin(document);
            }
            map.add(&frame);
            Ok(())
        })?;
        let name = record.display();
        if exit == Exit::NotAuthentic {
            return Err(anyhow!("not authentic, so no map: {name}").context(Wrong::Authenticity));
        }
        if map.is_empty() {
            return Err(anyhow!("no points of a lidar to find oneself by: {name}").context(Wrong::Arguments));
        }
        let (voxels, taken) = map.size();
        let corrected = if corrections.is_some() {
            ", poses corrected by its loops"
        } else {
            ""
        };
        let note = format!(
            "poses are in the World of the map {name} ({voxels} voxels of {taken} frames{corrected})"
        );
        Ok(Self { map, origin, note })
    }

    /// Anchors the rig where the map is anchored; says what is to be done with its fixes.
    pub(crate) fn anchor(&mut self, rig: &mut Rig) -> Fixes {
        let before = std::mem::replace(&mut rig.origin, self.origin.take());
        match (&rig.origin, before) {
            (Some(map), Some(own)) => Fixes::Moved(map.ecef_from_world().inverse() * own.ecef_from_world()),
            _ => Fixes::Withheld,
        }
    }
}

impl Fixes {
    /// A measurement as the map's survey would have made it; nothing if it cannot be.
    pub(crate) fn of(self, mut measurement: Measurement) -> Option<Measurement> {
        if let Payload::Pose(fix) = &mut measurement.payload {
            match self {
                Fixes::Moved(map_from_own) => fix.world_from_body = map_from_own * fix.world_from_body,
                Fixes::Withheld => return None,
            }
        }
        Some(measurement)
    }

    /// What the summary says of it, if the rig has navigation.
    pub(crate) fn note(self, rig: &Rig) -> Option<String> {
        let has_nav = rig.sensors.iter().any(|sensor| sensor.kind == SensorKind::Nav);
        match self {
            Fixes::Withheld if has_nav => {
                Some("navigation is not used: map or recording has no origin on the Earth".to_owned())
            }
            _ => None,
        }
    }
}
