//! What goes to a viewer while it is made: a bounded queue, a thread, and the gRPC server behind it.
//!
//! The server makes its sender wait while a browser does not keep up. Neither the run nor the file
//! beside it may wait for that, so the queue stands between: when it is full, the oldest that waits
//! there is left out and counted. What is not bound to a time (the layout, what stands still) is
//! left out last, since nothing later would replace it. Where the viewer is all there is, its sender
//! waits a moment first.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use re_sdk::grpc_server::GrpcServerSink;
use re_sdk::log::LogMsg;
use re_sdk::sink::{FileSink, LogSink, SinkFlushError};
use re_sdk::{MemoryLimit, ServerOptions};

use super::http;
use crate::Error;

/// Messages that wait for the server; each is at most about 2 MB.
const QUEUE: usize = 512;
/// How long a message waits for room before another is left out, where no file is held up.
const PATIENCE: Duration = Duration::from_secs(2);
/// What the server keeps for browsers that come later; beyond it the oldest goes first.
const HISTORY_BYTES: u64 = 512 << 20;

/// A live recording's way to the browser; clones are the same way. The server ends with the last.
#[derive(Clone)]
pub struct Feed(Arc<Way>);

struct Way {
    queue: Arc<Queue>,
    port: u16,
}

impl Feed {
    /// Starts the server on loopback at this port or the next free one.
    ///
    /// # Errors
    /// [`Error::Bind`] if no port is free, or the server does not start.
    pub(super) fn start(port: u16) -> Result<Self, Error> {
        let failed = |source| Error::Bind { source, port };
        // The server binds by itself: this port was free a moment ago.
        let port = http::listen(port)
            .and_then(|free| free.local_addr())
            .map_err(failed)?
            .port();
        let options = ServerOptions {
            memory_limit: MemoryLimit::from_bytes(HISTORY_BYTES),
            ..ServerOptions::default()
        };
        let server = GrpcServerSink::new("127.0.0.1", port, options)
            .map_err(|source| failed(std::io::Error::other(source)))?;
        until_it_listens(port).map_err(failed)?;
        let queue = Arc::new(Queue::default());
        let sending = queue.clone();
        thread::Builder::new()
            .name("viewer feed".into())
            .spawn(move || {
                while let Some(message) = sending.take() {
                    server.send(message);
                }
            })
            .map_err(failed)?;
        Ok(Self(Arc::new(Way { queue, port })))
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port
    }

    /// Messages left out so far because a browser did not keep up.
    pub fn left_out(&self) -> u64 {
        self.0.queue.state().left_out
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        // The thread may wait for a browser that reads no more: nobody waits for the thread.
        self.queue.close();
    }
}

fn until_it_listens(port: u16) -> std::io::Result<()> {
    const TRIES: u32 = 100;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut tried = 0;
    loop {
        match TcpStream::connect(address) {
            Ok(_) => return Ok(()),
            Err(error) if tried == TRIES => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
        tried += 1;
    }
}

/// Where a live recording goes: to the viewer, and to a file if there is one.
pub(crate) struct Fork {
    pub(crate) file: Option<FileSink>,
    pub(crate) feed: Feed,
}

impl LogSink for Fork {
    fn send(&self, message: LogMsg) {
        let queue = &self.feed.0.queue;
        match &self.file {
            Some(file) => {
                file.send(message.clone());
                queue.put(message, Duration::ZERO);
            }
            None => queue.put(message, PATIENCE),
        }
    }

    /// Waits for the file only: the viewer gets the rest when it can.
    fn flush_blocking(&self, timeout: Duration) -> Result<(), SinkFlushError> {
        match &self.file {
            Some(file) => LogSink::flush_blocking(file, timeout),
            None => Ok(()),
        }
    }

    fn defers_finalization_to_shutdown(&self) -> bool {
        self.file.is_some()
    }
}

/// Messages on their way to the server.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<LogMsg>,
    /// Since room was last waited for in vain, nobody waits again.
    stalled: bool,
    closed: bool,
    left_out: u64,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message at the end; waits for room as long as `patience` says.
    fn put(&self, message: LogMsg, patience: Duration) {
        let mut state = self.state();
        if state.waiting.len() >= QUEUE && !state.stalled {
            let full = |state: &mut State| state.waiting.len() >= QUEUE && !state.closed;
            let (waited, outcome) = self
                .changed
                .wait_timeout_while(state, patience, full)
                .unwrap_or_else(PoisonError::into_inner);
            state = waited;
            state.stalled = outcome.timed_out();
        }
        if state.waiting.len() >= QUEUE {
            let bound_to_time = state.waiting.iter().position(is_bound_to_time);
            state.waiting.remove(bound_to_time.unwrap_or(0));
            state.left_out += 1;
        }
        state.waiting.push_back(message);
        drop(state);
        self.changed.notify_all();
    }

    /// The oldest message, when there is one; nothing once the queue is closed and empty.
    fn take(&self) -> Option<LogMsg> {
        let nothing = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let mut state = self
            .changed
            .wait_while(self.state(), nothing)
            .unwrap_or_else(PoisonError::into_inner);
        let message = state.waiting.pop_front();
        state.stalled = false;
        drop(state);
        self.changed.notify_all();
        message
    }

    fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }
}

/// Whether a message is data of a moment: neither the layout nor something that stands still.
fn is_bound_to_time(message: &LogMsg) -> bool {
    match message {
        LogMsg::ArrowMsg(store, message) => {
            let schema = message.batch.schema_ref();
            store.is_recording()
                && schema.fields().iter().any(|field| {
                    field
                        .metadata()
                        .get("rerun:kind")
                        .is_some_and(|kind| kind == "index")
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use re_sdk::RecordingStreamBuilder;
    use re_sdk_types::archetypes::Scalars;

    use super::*;

    /// A message of a moment, or one that stands still.
    fn message(static_: bool, value: f64) -> LogMsg {
        let (stream, caught) = RecordingStreamBuilder::new("test")
            .enabled(true)
            .send_properties(false)
            .memory()
            .unwrap();
        stream
            .log_with_static("a", static_, &Scalars::new([value]))
            .unwrap();
        let mut logged = caught.take().into_iter();
        logged
            .find(|message| matches!(message, LogMsg::ArrowMsg(..)))
            .unwrap()
    }

    #[test]
    fn a_browser_that_does_not_read_holds_nobody_up_and_loses_the_oldest() {
        let queue = Queue::default();
        let (still, moment) = (message(true, 0.0), message(false, 1.0));
        assert!(!is_bound_to_time(&still) && is_bound_to_time(&moment));
        queue.put(still.clone(), Duration::ZERO);
        for _ in 0..QUEUE {
            queue.put(moment.clone(), Duration::ZERO);
        }
        let newest = message(false, 2.0);
        queue.put(newest.clone(), Duration::ZERO);
        assert_eq!(queue.state().left_out, 2);
        queue.close();
        let taken: Vec<LogMsg> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(taken.len(), QUEUE);
        assert_eq!(taken[0], still, "what stands still is kept");
        assert_eq!(taken[QUEUE - 1], newest, "the newest is kept");
    }

    #[test]
    fn a_queue_with_room_leaves_nothing_out() {
        let queue = Arc::new(Queue::default());
        let reading = queue.clone();
        let reader = thread::spawn(move || std::iter::from_fn(|| reading.take()).count());
        let moment = message(false, 1.0);
        for _ in 0..4 * QUEUE {
            queue.put(moment.clone(), Duration::from_secs(600));
        }
        queue.close();
        assert_eq!(reader.join().unwrap(), 4 * QUEUE);
        assert_eq!(queue.state().left_out, 0);
    }
}
