//! What is wrong with a sensor of which nothing good has come yet: the timeline has no place for it
//! before its first payload, and who waits for that should know.

use crate::error::Fault;
use crate::source::{Loaded, Row, Source};

/// A source of which the first damage is told, unless a good row soon follows.
pub(crate) struct Early<S, T> {
    source: S,
    tell: T,
    /// Faults before anything good; nothing once all is said.
    faults: Option<u8>,
}

impl<S: Source, T: FnMut(&str)> Early<S, T> {
    pub(crate) fn new(source: S, tell: T) -> Self {
        Self {
            source,
            tell,
            faults: Some(0),
        }
    }
}

impl<S: Source, T: FnMut(&str)> Source for Early<S, T> {
    type What = S::What;

    fn next_row(&mut self) -> Option<Result<Row<S::What>, Fault>> {
        let next = self.source.next_row()?;
        match (&next, self.faults) {
            // One may be a line or a message that had begun before it was listened to.
            (Err(_), Some(0)) => self.faults = Some(1),
            (Err(fault), Some(_)) => {
                (self.tell)(&fault.detail);
                self.faults = None;
            }
            (Ok(_), _) => self.faults = None,
            (Err(_), None) => {}
        }
        Some(next)
    }

    fn load(&mut self, what: S::What) -> Loaded {
        self.source.load(what)
    }
}
