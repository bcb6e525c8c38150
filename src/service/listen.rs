//! Connections: as many as are bounded, idle ones sent away for new ones, each given up when its head does not
//! come, all ended in peace.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Bounds;
use super::guests::Guests;

/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Most fields in a head.
const MAX_FIELDS: usize = 64;
/// How long a head may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a new connection waits until an idle one is sent away, and until another is.
const CROWDED: Duration = Duration::from_millis(20);
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
    let most = bounds.connections.clamp(1, Semaphore::MAX_PERMITS);
    let places = Arc::new(Semaphore::new(most));
    let guests = Guests::default();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_headers(MAX_FIELDS)
        .max_buf_size(MAX_HEAD);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut until => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, or the peer has gone: others may still be served.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let place = tokio::select! {
            place = place(&places, &guests) => place,
            () = &mut until => break,
        };
        let guest = guests.came();
        let connection = http.serve_connection(TokioIo::new(stream), guest.service(router.clone()));
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // Whatever a peer does wrong ends its own connection only.
            tokio::select! {
                _ = connection.as_mut() => {}
                () = guest.is_to_leave() => {
                    if guest.has_asked() {
                        connection.as_mut().graceful_shutdown();
                        let _ = tokio::time::timeout(LAST_PATIENCE, connection).await;
                    }
                }
            }
            drop(place);
        });
    }
    drop(listener);
    guests.all_leave();
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(LAST_PATIENCE, places.acquire_many(all)).await;
    Ok(())
}

/// A place among the connections. Where there is none, those leave that are idle, the oldest first.
async fn place(places: &Arc<Semaphore>, guests: &Guests) -> Option<OwnedSemaphorePermit> {
    loop {
        let free = places.clone().acquire_owned();
        if let Ok(place) = tokio::time::timeout(CROWDED, free).await {
            return place.ok();
        }
        guests.oldest_idle_leaves();
    }
}
