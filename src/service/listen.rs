//! Connections: as many as are bounded, each given up when its head does not come, all ended in peace.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::Bounds;

/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Most fields in a head.
const MAX_FIELDS: usize = 64;
/// How long a head may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long what was begun may take when the service ends.
const LAST_PATIENCE: Duration = Duration::from_secs(15);

/// Accepts until `until`, then waits for what was begun.
pub(super) async fn run(
    bind: SocketAddr,
    router: Router,
    bounds: Bounds,
    until: impl Future<Output = ()>,
    listening: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let mut until = pin!(until);
    // Asked once before anybody is told where to come: from then on whoever ends it is heard.
    tokio::select! {
        biased;
        () = &mut until => return Ok(()),
        () = std::future::ready(()) => {}
    }
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen on {bind}"))?;
    listening(listener.local_addr().context("cannot tell the address")?);
    let places = Arc::new(Semaphore::new(bounds.connections.max(1)));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_headers(MAX_FIELDS)
        .max_buf_size(MAX_HEAD);
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = &mut until => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut until => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, or the peer has gone: others may still be served.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let connection =
            http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // Whatever a peer does wrong ends its own connection only.
            let _ = watched.await;
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(LAST_PATIENCE, graceful.shutdown()).await;
    Ok(())
}
