//! What a stream of measurements is made of: rows that say when, and payloads that are loaded later.

use beluga_types::{Payload, Stamp};

use crate::error::Fault;

/// A sensor's recording, row by row; payloads are loaded only when their turn comes.
pub(crate) trait Source {
    /// What a row says about its payload.
    type What;

    /// The next row in the order of the recording, nothing at its end. After a fault it goes on.
    fn next_row(&mut self) -> Option<Result<Row<Self::What>, Fault>>;

    /// The payload of a row.
    fn load(&mut self, what: Self::What) -> Loaded;
}

/// When a payload was measured, as the recording says it.
pub(crate) struct Row<T> {
    /// Where this stands, for messages.
    pub(crate) place: String,
    /// The sensor's own count, if the recording has it.
    pub(crate) seq: Option<u64>,
    pub(crate) stamp: Stamp,
    pub(crate) end: Option<Stamp>,
    pub(crate) received: Option<Stamp>,
    pub(crate) what: T,
}

/// A payload, or what was lost of it, or both.
pub(crate) struct Loaded {
    pub(crate) payload: Option<Payload>,
    /// From the payload's time zero to its end.
    pub(crate) last_offset_nanos: i64,
    /// Time zero after the row's stamp, where the payload itself tells; else the stamp's meaning does.
    pub(crate) from_stamp_nanos: Option<i64>,
    pub(crate) faults: Vec<Fault>,
}

impl Loaded {
    pub(crate) fn whole(payload: Payload, last_offset_nanos: i64) -> Self {
        Self {
            payload: Some(payload),
            last_offset_nanos,
            from_stamp_nanos: None,
            faults: Vec::new(),
        }
    }

    pub(crate) fn lost(fault: Fault) -> Self {
        Self {
            payload: None,
            last_offset_nanos: 0,
            from_stamp_nanos: None,
            faults: vec![fault],
        }
    }
}
