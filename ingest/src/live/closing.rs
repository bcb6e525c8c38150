//! When sensors are no longer heard, and why.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use tokio::sync::watch;

use super::LOOK;

/// Why sensors are no longer heard that had more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Somebody asked for it.
    Asked,
    /// It has lasted as long as it was to last.
    TimeOver,
}

/// When sensors are no longer heard: also while the run is behind and asks for nothing.
pub(super) struct Closing {
    pub(super) why: Arc<OnceLock<Closed>>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) gone: Arc<AtomicBool>,
    pub(super) until: Option<Instant>,
}

impl Closing {
    pub(super) fn wait(self, closer: &watch::Sender<bool>) {
        while !self.gone.load(Ordering::Relaxed) {
            let is_over = self.until.is_some_and(|until| Instant::now() >= until);
            let closed = match self.stop.load(Ordering::Relaxed) {
                true => Some(Closed::Asked),
                false => is_over.then_some(Closed::TimeOver),
            };
            if let Some(closed) = closed {
                self.why.get_or_init(|| closed);
                break;
            }
            thread::sleep(LOOK);
        }
        closer.send_replace(true);
    }
}
