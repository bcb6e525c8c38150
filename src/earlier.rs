//! `--map`: the map of an earlier survey, out of its record.

use std::path::Path;

use anyhow::anyhow;
use beluga_fusion::SavedMap;
use beluga_types::{Measurement, Origin, Payload, Rig, SensorKind};

use crate::command::maml::{Keys, frames};
use crate::corrections::corrections;
use crate::document;
use crate::exit::{Exit, Wrong};

/// An earlier survey.
pub(crate) struct Earlier {
    pub(crate) map: SavedMap,
    /// The record's own id.
    pub(crate) id: Option<String>,
    origin: Option<Origin>,
    /// What the summary says of it.
    pub(crate) note: String,
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
        let (mut origin, mut id) = (None, None);
        let exit = frames(record, &keys, corrections.as_ref(), |document, frame| {
            if id.is_none() {
                id = document::id(document);
            }
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
        let torn = match exit {
            Exit::Done => "",
            _ => ", all that is left of a record that is not whole",
        };
        let note = format!(
            "poses are in the World of the map {name} ({voxels} voxels of {taken} frames{corrected}{torn})"
        );
        Ok(Self {
            map,
            id,
            origin,
            note,
        })
    }

    /// Anchors the rig where the map is anchored.
    ///
    /// # Errors
    /// If the rig has no lidar, which alone can know the map again.
    pub(crate) fn anchor(&mut self, rig: &mut Rig) -> anyhow::Result<()> {
        let has = |kind| rig.sensors.iter().any(|sensor| sensor.kind == kind);
        if !has(SensorKind::Lidar) {
            let wrong = anyhow!("--map: the recording has no lidar to find itself by: leave the map out");
            return Err(wrong.context(Wrong::Arguments));
        }
        if has(SensorKind::Nav) {
            self.note += "; navigation is not used";
        }
        rig.origin = self.origin.take();
        Ok(())
    }
}

/// Whether a measurement is used in a map. Navigation is not: whether its `World` is that of the map's
/// survey, and how well, nothing tells.
pub(crate) fn is_used(measurement: &Measurement) -> bool {
    !matches!(measurement.payload, Payload::Pose(_))
}
