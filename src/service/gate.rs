//! What is let in: bounded in number, so that memory is bounded and latency honest.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Bounds;

pub(super) struct Gate {
    requests: Arc<Semaphore>,
    records: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

/// Why a request was not let in, or not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shed {
    /// Too many at once.
    Crowded,
    /// No thread in time.
    Late,
}

impl Gate {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let of = |count: usize| Arc::new(Semaphore::new(count.max(1)));
        Self {
            requests: of(bounds.requests),
            // Records are large: one for each thread, and one that arrives meanwhile.
            records: of(bounds.jobs + 1),
            threads: of(bounds.jobs),
        }
    }

    /// A place among the requests; never waits.
    pub(super) fn request(&self) -> Result<OwnedSemaphorePermit, Shed> {
        self.requests
            .clone()
            .try_acquire_owned()
            .map_err(|_| Shed::Crowded)
    }

    /// A place among the records; never waits.
    pub(super) fn record(&self) -> Result<OwnedSemaphorePermit, Shed> {
        self.records
            .clone()
            .try_acquire_owned()
            .map_err(|_| Shed::Crowded)
    }

    /// The places of all threads, taken until they are dropped.
    #[cfg(test)]
    pub(super) fn hold_threads(&self) -> Vec<OwnedSemaphorePermit> {
        std::iter::from_fn(|| self.threads.clone().try_acquire_owned().ok()).collect()
    }

    /// Does `work` on a thread of the pool, when one is free.
    pub(super) async fn done<R: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Shed> {
        let waiting = self.threads.clone().acquire_owned();
        let Ok(Ok(thread)) = tokio::time::timeout(patience, waiting).await else {
            return Err(Shed::Late);
        };
        // The thread's place is given back when the work has ended, even if nobody waits for it any more.
        let work = move || {
            let result = work();
            drop(thread);
            result
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Shed::Late)
    }
}
