//! The service behind `beluga maml serve`: documents and records checked over HTTP, on this machine.
//!
//! Nothing is kept and nothing is fetched. What is asked at once is bounded in number, bytes and time, and what
//! is beyond that is refused, not queued; checking runs on as many threads as were asked for.

mod gate;
mod guests;
mod listen;
mod metrics;
mod openapi;
mod routes;
#[cfg(test)]
mod tests;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use beluga_sinks::maml::Trust;

use gate::Gate;
use metrics::Metrics;
pub(crate) use token::{Claims, Verifier};

/// What a service is made of.
pub(crate) struct Settings {
    pub(crate) bind: SocketAddr,
    pub(crate) bounds: Bounds,
    /// Who may ask; absent, anybody who reaches the address.
    pub(crate) verifier: Option<Verifier>,
    /// Which devices records are trusted of.
    pub(crate) trust: Trust,
}

/// How much is taken at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Documents and records that are checked at the same time, each on a thread.
    pub(crate) jobs: usize,
    /// Requests that are taken in at the same time; beyond it 429.
    pub(crate) requests: usize,
    /// Connections that are open at the same time; for another one the oldest that asks nothing is closed.
    pub(crate) connections: usize,
    /// Longest record, in bytes; beyond it 413.
    pub(crate) record_bytes: usize,
    /// How long a body may take to arrive (408).
    pub(crate) patience: Duration,
    /// How long a request waits for a thread (503).
    pub(crate) thread_patience: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            jobs: rayon::current_num_threads(),
            requests: 64,
            connections: 256,
            record_bytes: 64 << 20,
            patience: Duration::from_secs(10),
            thread_patience: Duration::from_secs(10),
        }
    }
}

/// What every request shares.
struct Service {
    bounds: Bounds,
    gate: Gate,
    metrics: Metrics,
    verifier: Option<Verifier>,
    trust: Trust,
    /// Set when the service ends: what comes then is refused.
    ending: AtomicBool,
}

impl Service {
    fn new(settings: Settings) -> Self {
        Self {
            gate: Gate::new(&settings.bounds),
            bounds: settings.bounds,
            metrics: Metrics::default(),
            verifier: settings.verifier,
            trust: settings.trust,
            ending: AtomicBool::new(false),
        }
    }
}

/// Serves until `until`, then answers what was begun. `listening` is told the address.
///
/// # Errors
/// If the address cannot be had or the system gives no threads.
pub(crate) fn serve<U>(settings: Settings, until: U, listening: impl FnOnce(SocketAddr)) -> anyhow::Result<()>
where
    U: Future<Output = ()> + Send,
{
    let bind = settings.bind;
    serve_at(bind, Arc::new(Service::new(settings)), until, listening)
}

fn serve_at<U>(
    bind: SocketAddr,
    service: Arc<Service>,
    until: U,
    listening: impl FnOnce(SocketAddr),
) -> anyhow::Result<()>
where
    U: Future<Output = ()> + Send,
{
    let bounds = service.bounds;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(bounds.jobs.max(1))
        .thread_name("maml serve")
        .enable_all()
        .build()
        .context("cannot start the threads of the service")?;
    runtime.block_on(async {
        let ending = service.clone();
        let until = async move {
            until.await;
            ending.ending.store(true, Ordering::SeqCst);
        };
        listen::run(bind, routes::router(service), bounds, until, listening).await
    })
}
