//! What sensors say only while they are heard, for the record: which devices they are, and why it ended.

use beluga_ingest::Nameplate;
use beluga_ingest::live::{Closed, Live};
use beluga_sinks::maml::Meta;
use serde_json::json;

use crate::audit::Why;

const DEVICES: &str = "run.devices";

/// What a source says only while it is heard, or after.
pub(crate) struct Hearing {
    names: Vec<String>,
    devices: Box<dyn Fn() -> Vec<Nameplate> + Send>,
    closed: Box<dyn Fn() -> Option<Closed> + Send>,
    /// What devices had said of themselves when that was last kept.
    kept: Vec<Nameplate>,
}

impl Hearing {
    /// Of a recording: all of it is known when it is opened.
    pub(crate) fn nothing() -> Self {
        Self {
            names: Vec::new(),
            devices: Box::new(Vec::new),
            closed: Box::new(|| None),
            kept: Vec::new(),
        }
    }

    /// Of sensors that are heard now.
    pub(crate) fn of(live: &Live) -> Self {
        let sensors = &live.rig().sensors;
        Self {
            names: sensors.iter().map(|spec| spec.name.clone()).collect(),
            devices: Box::new(live.nameplates()),
            closed: Box::new(live.closed()),
            kept: vec![Nameplate::default(); sensors.len()],
        }
    }

    /// What devices say of themselves, if that is more than what was kept of it before.
    ///
    /// # Errors
    /// If all of it is longer than a META may be.
    pub(crate) fn devices(&mut self, at_nanos: i64) -> Result<Option<Meta>, beluga_sinks::Error> {
        let said = (self.devices)();
        if said == self.kept {
            return Ok(None);
        }
        let sensors = self.names.iter().zip(&said);
        let sensors = sensors
            .map(|(name, plate)| json!({ "name": name, "serial": plate.serial, "firmware": plate.firmware }));
        let value = json!({ "sensors": sensors.collect::<Vec<_>>() });
        self.kept = said;
        Meta::new(DEVICES, at_nanos, value).map(Some)
    }

    /// Why a run ended that nothing else has ended.
    pub(crate) fn why(&self) -> Why {
        match (self.closed)() {
            None => Why::SourceEnded,
            Some(Closed::Asked) => Why::Stopped,
            Some(Closed::TimeOver) => Why::TimeOver,
        }
    }
}
