//! What a run says of itself in its record: who, with what, and how it ended; as META, so encrypted and
//! signed like a frame. The kinds stand in `sinks/FORMAT.md`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use beluga_ingest::Nameplate;
use beluga_sinks::maml::Meta;
use beluga_types::{FrameGap, Rig, SensorSpec, Stamp, Water};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BEGUN: &str = "run.begun";
const GAP: &str = "run.gap";
const INPUTS: &str = "run.inputs";
const ENDED: &str = "run.ended";

/// What is fused, and by which devices it was measured.
pub(crate) struct Source<'a> {
    /// What people call it.
    pub(crate) name: &'a str,
    pub(crate) rig: &'a Rig,
    /// What devices say of themselves, by sensor; empty if nothing says so.
    pub(crate) nameplates: Vec<Nameplate>,
    /// What paths in the rig are relative to.
    pub(crate) folder: &'a Path,
    /// Id of the record in whose map the run begins.
    pub(crate) map: Option<String>,
}

/// What a run begins with. `config_toml`: the block of its document; `cpu_class`: what it is computed on.
///
/// # Errors
/// If all of it is longer than a META may be.
pub(crate) fn begun(
    source: &Source<'_>,
    operator: Option<&str>,
    config_toml: &str,
    cpu_class: &str,
    at: Stamp,
) -> Result<Meta, beluga_sinks::Error> {
    let rig = source.rig;
    let sensors = rig.sensors.iter().enumerate();
    let value = json!({
        "program": concat!("beluga ", env!("CARGO_PKG_VERSION")),
        "operator": operator,
        "source": source.name,
        "started": at.iso_8601(),
        "cpu_class": cpu_class,
        "config_sha256": sha256(config_toml.as_bytes()),
        "water": water(&rig.water),
        "map": source.map,
        "sensors": sensors.map(|(i, spec)| sensor(spec, source.nameplates.get(i), source.folder)).collect::<Vec<_>>(),
    });
    Meta::new(BEGUN, at.nanos(), value)
}

/// What a recording was read from, as `inputs::hashed` has it.
///
/// # Errors
/// If all of it is longer than a META may be.
pub(crate) fn inputs(hashed: Value, at_nanos: i64) -> Result<Meta, beluga_sinks::Error> {
    Meta::new(INPUTS, at_nanos, json!({ "inputs": hashed }))
}

/// A device as the rig and its own recording name it, and the hashes of how it sits and of its calibration.
fn sensor(spec: &SensorSpec, plate: Option<&Nameplate>, folder: &Path) -> Value {
    let calibration = spec.calibration.as_ref().map(|file| folder.join(file));
    let calibration =
        calibration.and_then(|path| crate::inputs::of_file(&path, &AtomicBool::new(false)).ok());
    let (mount, turn) = (&spec.mount, &spec.mount.attitude);
    let mount = json!([
        mount.forward_m,
        mount.starboard_m,
        mount.down_m,
        turn.roll_rad,
        turn.pitch_rad,
        turn.heading_rad,
        spec.time_offset_nanos,
    ]);
    json!({
        "name": spec.name,
        "kind": spec.kind.name(),
        "model": spec.model,
        "format": spec.format,
        "source": spec.source,
        "serial": plate.and_then(|plate| plate.serial.as_ref()),
        "firmware": plate.and_then(|plate| plate.firmware.as_ref()),
        "calibration": spec.calibration,
        "calibration_sha256": calibration.map(|(_, sha256)| sha256),
        "mount_sha256": sha256(mount.to_string().as_bytes()),
        "mount": mount,
    })
}

/// The cast a run is made with.
fn water(water: &Water) -> Value {
    match water {
        Water::Profile(levels) => {
            let mut bytes = Vec::with_capacity(levels.len() * 16);
            for (depth_m, speed_m_per_s) in levels.iter() {
                bytes.extend_from_slice(&depth_m.to_le_bytes());
                bytes.extend_from_slice(&speed_m_per_s.to_le_bytes());
            }
            json!({ "profile_levels": levels.len(), "profile_sha256": sha256(&bytes) })
        }
        Water::SoundSpeed(speed) => json!({ "sound_speed_m_per_s": speed }),
        Water::Properties {
            temperature_deg_c,
            salinity_ppt,
        } => json!({ "temperature_deg_c": temperature_deg_c, "salinity_ppt": salinity_ppt }),
        Water::Unknown => Value::Null,
    }
}

fn sha256(bytes: &[u8]) -> String {
    crate::inputs::hex(&Sha256::digest(bytes))
}

/// Counts what frames say was lost.
#[derive(Default)]
pub(crate) struct Losses {
    /// By sensor and cause.
    lost: BTreeMap<(u16, &'static str), u64>,
}

impl Losses {
    /// Takes the gaps of a frame and the end of its window; gives a META for each sensor and cause that is met for the first time, so that
    /// a record that is cut says when it began.
    ///
    /// # Errors
    /// Never for gaps of ours.
    pub(crate) fn count(
        &mut self,
        frame: u64,
        gaps: &[FrameGap],
        at_nanos: i64,
    ) -> Result<Vec<Meta>, beluga_sinks::Error> {
        let mut first = Vec::new();
        for FrameGap { sensor, lost, cause } in gaps {
            let known = self.lost.entry((sensor.0, cause.name()));
            if let std::collections::btree_map::Entry::Vacant(_) = known {
                let value =
                    json!({ "frame": frame, "sensor": sensor.0, "cause": cause.name(), "lost": lost });
                first.push(Meta::new(GAP, at_nanos, value)?);
            }
            let total = known.or_default();
            *total = total.saturating_add(*lost);
        }
        Ok(first)
    }

    /// What a run ended with. `at_nanos`: the time of its last frame.
    ///
    /// # Errors
    /// Never for gaps of ours.
    pub(crate) fn ended(
        &self,
        why: Why,
        frames: u64,
        frame_sha256: &str,
        at_nanos: i64,
    ) -> Result<Meta, beluga_sinks::Error> {
        let lost = self.lost.iter();
        let lost =
            lost.map(|((sensor, cause), lost)| json!({ "sensor": sensor, "cause": cause, "lost": lost }));
        let value = json!({
            "why": why.word(),
            "frames": frames,
            "frame_sha256": frame_sha256,
            "lost": lost.collect::<Vec<_>>(),
        });
        Meta::new(ENDED, at_nanos, value)
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The source had no more.
    SourceEnded,
    /// Somebody stopped it, or a part of it failed.
    Stopped,
    /// It has lasted as long as it was to last.
    TimeOver,
    /// There was no room for another frame.
    DiskFull,
}

impl Why {
    fn word(self) -> &'static str {
        match self {
            Why::SourceEnded => "source ended",
            Why::Stopped => "stopped",
            Why::TimeOver => "time over",
            Why::DiskFull => "disk full",
        }
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{GapCause, SensorId, SensorKind, Vessel};

    use super::*;

    #[test]
    fn what_a_run_is_made_with_is_pinned() {
        let mut rig = Rig {
            origin: None,
            vessel: Vessel { waterline_m: None },
            water: Water::Profile([(0.0, 1500.0), (5.0, 1490.0)].into()),
            sensors: vec![SensorSpec::new("roof", SensorKind::Lidar)],
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("roof.json"), "a = 1").unwrap();
        let said = |rig: &Rig, toml: &str| {
            let source = Source {
                name: "quay",
                rig,
                nameplates: vec![Nameplate {
                    serial: Some("122201000998".into()),
                    firmware: None,
                }],
                folder: folder.path(),
                map: None,
            };
            let meta = begun(
                &source,
                Some("port office"),
                toml,
                "portable",
                Stamp::from_nanos(0),
            )
            .unwrap();
            meta.value().clone()
        };
        let first = said(&rig, "a = 1");
        assert_eq!(first["operator"], "port office");
        assert_eq!(first["started"], "1970-01-01T00:00:00.000000000Z");
        // `printf 'a = 1' | sha256sum`
        let config = "b5bc1ffd90912fb18bef6e7d80909192c7a6492896320156d67fbaf104c6544a";
        assert_eq!(first["config_sha256"], config);
        assert_ne!(first["config_sha256"], said(&rig, "a = 2")["config_sha256"]);
        let roof = &first["sensors"][0];
        assert_eq!(
            (&roof["serial"], &roof["firmware"]),
            (&json!("122201000998"), &Value::Null)
        );
        assert_eq!(roof["calibration_sha256"], Value::Null);
        rig.sensors[0].calibration = Some("roof.json".into());
        assert_eq!(said(&rig, "")["sensors"][0]["calibration_sha256"], config);
        rig.sensors[0].time_offset_nanos = 1;
        let moved = said(&rig, "a = 1");
        assert_ne!(
            first["sensors"][0]["mount_sha256"],
            moved["sensors"][0]["mount_sha256"]
        );
        rig.water = Water::Profile([(0.0, 1500.0), (5.0, 1491.0)].into());
        assert_ne!(
            first["water"]["profile_sha256"],
            said(&rig, "a = 1")["water"]["profile_sha256"]
        );
    }

    #[test]
    fn a_loss_is_told_when_it_begins_and_summed_at_the_end() {
        let gap = |lost| FrameGap {
            sensor: SensorId(1),
            lost,
            cause: GapCause::Late,
        };
        let mut losses = Losses::default();
        let mut count = |gaps: &[FrameGap]| losses.count(7, gaps, 5).unwrap();
        assert!(count(&[]).is_empty());
        let first = count(&[gap(2), gap(3)]);
        assert_eq!((first.len(), &first[0].value()["lost"]), (1, &json!(2)));
        assert!(count(&[gap(2), gap(3)]).is_empty(), "told before");
        let end = losses.ended(Why::DiskFull, 3, "00", 9).unwrap();
        assert_eq!(
            end.value()["lost"],
            json!([{ "sensor": 1, "cause": "late", "lost": 10 }])
        );
        assert_eq!(
            (end.kind(), &end.value()["why"]),
            ("run.ended", &json!("disk full"))
        );
    }
}
