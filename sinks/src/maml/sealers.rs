//! Threads that seal records, beside the one that compresses and writes them.
//!
//! Record k goes to thread k mod n and comes back from there, so that records leave in the order they came
//! in, and their bytes do not depend on n.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::layout::{HEADER_LEN, Suite};
use super::segment::SegmentKey;
use super::tree::{Hash, leaf};

/// Threads for `core-512`: at 20 frames of 5 MB a second its two passes take a quarter of a core, and a
/// burst of large frames twice that. `edge-256` is as fast as handing over would be.
const CORE_THREADS: usize = 2;
/// Records each thread may hold.
const EACH: usize = 2;

/// A record whose payload is compressed and not yet encrypted.
pub(crate) struct Job {
    pub(crate) key: Arc<SegmentKey>,
    pub(crate) header: [u8; HEADER_LEN],
    pub(crate) idx: u32,
    pub(crate) body: Vec<u8>,
}

/// A record as it stands in the file, and its leaf of the tree.
pub(crate) struct Sealed {
    pub(crate) record: Vec<u8>,
    pub(crate) leaf: Hash,
}

impl Job {
    fn seal(mut self) -> Sealed {
        self.key.seal(&self.header, self.idx, &mut self.body);
        let record = [&self.header[..], &self.body].concat();
        Sealed {
            leaf: leaf(&[&record]),
            record,
        }
    }
}

/// Seals records in order. Without threads of its own: at once.
pub(crate) struct Sealers {
    threads: Vec<Sealer>,
    /// The thread that gets the next record.
    next: usize,
    waiting: VecDeque<Waiting>,
}

/// A record that was handed in and not yet taken back.
enum Waiting {
    Here(Sealed),
    At(usize),
}

struct Sealer {
    jobs: SyncSender<Job>,
    sealed: Receiver<Sealed>,
    thread: JoinHandle<()>,
}

impl Sealers {
    /// As many threads as a suite needs to keep up.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn of(suite: Suite) -> io::Result<Self> {
        Self::with_threads(match suite {
            Suite::Edge256 => 0,
            Suite::Core512 => CORE_THREADS,
        })
    }

    fn with_threads(threads: usize) -> io::Result<Self> {
        Ok(Self {
            threads: (0..threads).map(|_| Sealer::start()).collect::<Result<_, _>>()?,
            next: 0,
            waiting: VecDeque::new(),
        })
    }

    /// Hands a record in, after which some are taken back until there is [room](Self::has_room) again.
    ///
    /// # Errors
    /// If the thread that would seal it is gone.
    pub(crate) fn push(&mut self, job: Job) -> io::Result<()> {
        let Some(sealer) = self.threads.get(self.next) else {
            self.waiting.push_back(Waiting::Here(job.seal()));
            return Ok(());
        };
        sealer.jobs.send(job).map_err(gone)?;
        self.waiting.push_back(Waiting::At(self.next));
        self.next = (self.next + 1) % self.threads.len();
        Ok(())
    }

    /// Whether another record may be handed in before one is taken back. Never without threads.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < self.threads.len() * EACH
    }

    /// The record that was handed in first, waited for; nothing if all were taken back.
    ///
    /// # Errors
    /// If the thread that has it is gone.
    pub(crate) fn take(&mut self) -> io::Result<Option<Sealed>> {
        match self.waiting.pop_front() {
            None => Ok(None),
            Some(Waiting::Here(sealed)) => Ok(Some(sealed)),
            Some(Waiting::At(thread)) => self.threads[thread].sealed.recv().map(Some).map_err(gone),
        }
    }
}

impl Sealer {
    fn start() -> io::Result<Self> {
        // All that a thread may hold has room in both queues: nobody ever waits for somebody who waits.
        let (jobs, to_seal) = sync_channel::<Job>(EACH);
        let (done, sealed) = sync_channel(EACH);
        let seal = move || {
            for job in to_seal {
                if done.send(job.seal()).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("record seal".into()).spawn(seal)?;
        Ok(Self { jobs, sealed, thread })
    }
}

impl Drop for Sealers {
    /// Keys are wiped before the record is said to be closed: no thread outlives it.
    fn drop(&mut self) {
        for Sealer { jobs, sealed, thread } in self.threads.drain(..) {
            drop((jobs, sealed));
            // One that failed has nothing left to wipe.
            let _ = thread.join();
        }
    }
}

fn gone<E>(_: E) -> io::Error {
    io::Error::other("a thread that seals records is gone")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: u32 = 50;

    fn job(key: &Arc<SegmentKey>, idx: u32) -> Job {
        // Long and short ones in turn: a thread that hurried ahead would show.
        let length = if idx.is_multiple_of(3) { 40_000 } else { 10 };
        Job {
            key: key.clone(),
            header: [idx as u8; HEADER_LEN],
            idx,
            body: vec![idx as u8; length],
        }
    }

    #[test]
    fn records_leave_in_order_and_are_the_same_for_any_number_of_threads() {
        for suite in [Suite::Edge256, Suite::Core512] {
            let secret = vec![7; suite.key_len() + suite.nonce_len()];
            let key = Arc::new(SegmentKey::new(suite, &[1; 16], &secret, [2; 32]));
            let sealed = |threads: usize| {
                let mut sealers = Sealers::with_threads(threads).unwrap();
                let mut records = Vec::new();
                for idx in 0..HEADERS {
                    while !sealers.has_room()
                        && let Some(sealed) = sealers.take().unwrap()
                    {
                        records.push((sealed.leaf, sealed.record));
                    }
                    sealers.push(job(&key, idx)).unwrap();
                }
                while let Some(sealed) = sealers.take().unwrap() {
                    records.push((sealed.leaf, sealed.record));
                }
                records
            };
            let plain: Vec<(Hash, Vec<u8>)> = (0..HEADERS)
                .map(|idx| job(&key, idx).seal())
                .map(|sealed| (sealed.leaf, sealed.record))
                .collect();
            for threads in [0, 1, 2, 5] {
                assert!(sealed(threads) == plain, "{suite:?}, {threads} threads");
            }
        }
    }

    #[test]
    fn what_is_not_taken_back_keeps_nobody_waiting() {
        let key = Arc::new(SegmentKey::new(Suite::Core512, &[1; 16], &[7; 80], [2; 32]));
        let mut sealers = Sealers::with_threads(2).unwrap();
        for idx in 0..4 {
            assert!(sealers.has_room());
            sealers.push(job(&key, idx)).unwrap();
        }
        assert!(!sealers.has_room(), "two records for each thread");
        drop(sealers);
        assert_eq!(Arc::strong_count(&key), 1, "no thread holds the key any more");
    }
}
