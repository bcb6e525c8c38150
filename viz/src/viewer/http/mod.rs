//! A small HTTP/1.1 server on loopback: GET and HEAD, one answer per connection.
//!
//! A request whose `Host` is not a name of this machine's loopback is refused, so that a page from
//! elsewhere whose name was pointed here reads nothing (DNS rebinding). Message syntax: RFC 9112;
//! meaning of methods, fields and statuses: RFC 9110.

mod answer;
mod request;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) use answer::{Answer, Body, Status};
pub(crate) use request::Request;
use request::{Refusal, parse, read_head};

/// Connections served at the same time; a browser opens six to one host.
const MOST_CONNECTIONS: usize = 32;
/// How long a request may take to arrive.
const READ_PATIENCE: Duration = Duration::from_secs(10);
/// How long a browser may take none of what it asked for.
const WRITE_PATIENCE: Duration = Duration::from_secs(300);
/// Ports tried, from the one asked for upwards.
const PORTS_TRIED: u16 = 100;

/// What a server serves.
pub(crate) trait Site: Send + Sync + 'static {
    /// The answer to a request.
    fn answer(&self, request: &Request) -> Answer<'_>;
    /// Fields that every answer carries, refusals included.
    fn fields(&self) -> &[(&'static str, String)];
}

/// Listens on loopback at this port or the next free one above it.
///
/// # Errors
/// What the system said of the last port tried.
pub(crate) fn listen(port: u16) -> io::Result<TcpListener> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for port in port..=port.saturating_add(PORTS_TRIED - 1) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `site` to whoever connects.
    ///
    /// # Errors
    /// If the system gives no thread, or does not say where it listens.
    pub(crate) fn start(listener: TcpListener, site: Arc<dyn Site>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let seen = ended.clone();
        let accepting = thread::Builder::new()
            .name("viewer http".into())
            .spawn(move || accept(&listener, &site, &seen))?;
        Ok(Self {
            address,
            ended,
            accepting: Some(accepting),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // A connection of our own wakes the thread that waits for one.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, site: &Arc<dyn Site>, ended: &AtomicBool) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        if ended.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of file handles, most likely: some are given back as connections end.
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        let place = Place::take(&open);
        if open.load(Ordering::SeqCst) > MOST_CONNECTIONS {
            continue;
        }
        let site = site.clone();
        let serving = thread::Builder::new().name("viewer page".into());
        let _ = serving.spawn(move || {
            let _place = place;
            // Whoever went away needs no answer.
            let _ = serve(stream, site.as_ref());
        });
    }
}

/// One of the connections that may be open.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(open.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn serve(mut stream: TcpStream, site: &dyn Site) -> io::Result<()> {
    stream.set_read_timeout(Some(READ_PATIENCE))?;
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    stream.set_nodelay(true)?;
    let request = match read_head(&mut stream)? {
        Some(head) => parse(&head),
        None => Err(Refusal::TooLong),
    };
    match request {
        Ok(request) => site
            .answer(&request)
            .send(&mut stream, site.fields(), request.head_only)?,
        Err(refusal) => {
            let mut answer = Answer::plain(refusal.status());
            if refusal == Refusal::Method {
                answer.fields.push(("Allow", "GET, HEAD".into()));
            }
            answer.send(&mut stream, site.fields(), false)?;
        }
    }
    stream.shutdown(Shutdown::Write)
}
