//! How a sensor is truly mounted and what the rig states of it, as `truth.json` holds them.

use std::path::Path;

use beluga_types::{Attitude, Mount, SensorKind, Stamp};
use serde::{Deserialize, Serialize};

use super::TrueMount;
use super::file::content;
use crate::error::Error;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MountEntry {
    name: String,
    kind: String,
    /// Where it truly is.
    #[serde(rename = "true")]
    real: PlaceEntry,
    /// What the recording's rig states.
    stated: PlaceEntry,
    /// When it slips, and where it is from then on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    slipped: Option<SlippedEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlippedEntry {
    at_ns: i64,
    to: PlaceEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceEntry {
    forward_m: f64,
    starboard_m: f64,
    down_m: f64,
    roll_deg: f64,
    pitch_deg: f64,
    heading_deg: f64,
}

impl MountEntry {
    pub(super) fn of(mounted: &TrueMount) -> Self {
        let slipped = mounted.slipped.as_ref().map(|(at, mount)| SlippedEntry {
            at_ns: at.nanos(),
            to: PlaceEntry::of(mount),
        });
        Self {
            name: mounted.name.clone(),
            kind: mounted.kind.name().to_owned(),
            real: PlaceEntry::of(&mounted.mount),
            stated: PlaceEntry::of(&mounted.stated),
            slipped,
        }
    }

    pub(super) fn mount(&self, path: &Path) -> Result<TrueMount, Error> {
        let kind = [SensorKind::Lidar, SensorKind::Sonar, SensorKind::Nav]
            .into_iter()
            .find(|kind| kind.name() == self.kind)
            .ok_or_else(|| content("kind `lidar`, `sonar` or `nav`", self.kind.clone(), 0, path))?;
        let slipped = self.slipped.as_ref();
        let places = [
            Some(&self.real),
            Some(&self.stated),
            slipped.map(|slipped| &slipped.to),
        ];
        if let Some(far) = places.into_iter().flatten().find(|place| !place.is_near()) {
            let found = serde_json::to_string(far).unwrap_or_default();
            return Err(content("a mount within 100 m and 360 degrees", found, 0, path));
        }
        Ok(TrueMount {
            name: self.name.clone(),
            kind,
            mount: self.real.mount(),
            stated: self.stated.mount(),
            slipped: slipped.map(|slipped| (Stamp::from_nanos(slipped.at_ns), slipped.to.mount())),
        })
    }
}

impl PlaceEntry {
    fn of(mount: &Mount) -> Self {
        Self {
            forward_m: mount.forward_m,
            starboard_m: mount.starboard_m,
            down_m: mount.down_m,
            roll_deg: mount.attitude.roll_rad.to_degrees(),
            pitch_deg: mount.attitude.pitch_rad.to_degrees(),
            heading_deg: mount.attitude.heading_rad.to_degrees(),
        }
    }

    fn is_near(&self) -> bool {
        let place = [self.forward_m, self.starboard_m, self.down_m];
        let angles = [self.roll_deg, self.pitch_deg, self.heading_deg];
        place.iter().all(|part| part.abs() <= 100.0) && angles.iter().all(|angle| angle.abs() <= 360.0)
    }

    fn mount(&self) -> Mount {
        Mount {
            forward_m: self.forward_m,
            starboard_m: self.starboard_m,
            down_m: self.down_m,
            attitude: Attitude::from_degrees([self.roll_deg, self.pitch_deg, self.heading_deg]),
        }
    }
}
