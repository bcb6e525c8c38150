//! A small HTTP/1.1 server on loopback: GET and HEAD, one answer per connection.
//!
//! A request whose `Host` is not a name of this machine's loopback is refused, so that a page from
//! elsewhere whose name was pointed here reads nothing (DNS rebinding). Message syntax: RFC 9112;
//! meaning of methods, fields and statuses: RFC 9110.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Connections served at the same time; a browser opens six to one host.
const MOST_CONNECTIONS: usize = 32;
/// Longest request head, bytes.
const MOST_HEAD_BYTES: usize = 8 << 10;
/// How long a request may take to arrive.
const READ_PATIENCE: Duration = Duration::from_secs(10);
/// How long a browser may take none of what it asked for.
const WRITE_PATIENCE: Duration = Duration::from_secs(300);
/// Ports tried, from the one asked for upwards.
const PORTS_TRIED: u16 = 100;

/// What was asked, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// HEAD: the answer without its body.
    pub(crate) head_only: bool,
    /// The path without its query, as it was sent.
    pub(crate) path: String,
    /// The number that the query `from=` names.
    pub(crate) from: Option<u64>,
    /// Whether the answer may be compressed by gzip.
    pub(crate) takes_gzip: bool,
}

/// Why a request gets no answer of the site's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    ForeignHost,
    Method,
    TooLong,
}

impl Refusal {
    const fn status(self) -> Status {
        match self {
            Refusal::Malformed => Status(400, "Bad Request"),
            Refusal::ForeignHost => Status(403, "Forbidden"),
            Refusal::Method => Status(405, "Method Not Allowed"),
            Refusal::TooLong => Status(431, "Request Header Fields Too Large"),
        }
    }
}

/// A status code and its reason phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u16, pub(crate) &'static str);

/// What is sent back.
pub(crate) struct Answer<'a> {
    pub(crate) status: Status,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: Body<'a>,
}

/// The body of an answer.
pub(crate) enum Body<'a> {
    Bytes(Cow<'a, [u8]>),
    /// A file, and how many of its bytes.
    File(File, u64),
}

impl Body<'_> {
    fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, len) => *len,
        }
    }
}

impl Answer<'_> {
    /// An answer of one line of text.
    pub(crate) fn plain(status: Status) -> Self {
        Self {
            status,
            fields: vec![("Content-Type", "text/plain; charset=utf-8".into())],
            body: Body::Bytes(Cow::Owned(format!("{}\n", status.1).into_bytes())),
        }
    }
}

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
        Ok(request) => send(
            &mut stream,
            site.answer(&request),
            site.fields(),
            request.head_only,
        )?,
        Err(refusal) => {
            let mut answer = Answer::plain(refusal.status());
            if refusal == Refusal::Method {
                answer.fields.push(("Allow", "GET, HEAD".into()));
            }
            send(&mut stream, answer, site.fields(), false)?;
        }
    }
    stream.shutdown(Shutdown::Write)
}

/// The bytes up to the empty line; nothing if there are too many.
fn read_head(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(1024);
    let mut piece = [0; 1024];
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        // The end may lie across two pieces.
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&piece[..count]);
        if let Some(end) = head[from..].windows(4).position(|four| four == b"\r\n\r\n") {
            head.truncate(from + end);
            return Ok((head.len() <= MOST_HEAD_BYTES).then_some(head));
        }
        if head.len() > MOST_HEAD_BYTES {
            return Ok(None);
        }
    }
}

/// A request's head, without the empty line that ends it.
fn parse(head: &[u8]) -> Result<Request, Refusal> {
    let head = std::str::from_utf8(head).map_err(|_| Refusal::Malformed)?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::Malformed);
    };
    let mut hosts = Vec::new();
    let mut takes_gzip = false;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Refusal::Malformed)?;
        if name.eq_ignore_ascii_case("host") {
            hosts.push(value.trim());
        } else if name.eq_ignore_ascii_case("accept-encoding") {
            takes_gzip |= accepts_gzip(value);
        }
    }
    match hosts[..] {
        [host] if is_loopback(host) => {}
        [_] => return Err(Refusal::ForeignHost),
        _ => return Err(Refusal::Malformed),
    }
    let head_only = match method {
        "GET" => false,
        "HEAD" => true,
        _ => return Err(Refusal::Method),
    };
    if !target.starts_with('/') {
        return Err(Refusal::Malformed);
    }
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let from = query.split('&').find_map(|pair| pair.strip_prefix("from="));
    Ok(Request {
        head_only,
        path: path.to_owned(),
        from: from.and_then(|number| number.parse().ok()),
        takes_gzip,
    })
}

/// Whether a `Host` names loopback; at any port, since the page may be looked at through a tunnel.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "[::1]") || name.eq_ignore_ascii_case("localhost")
}

/// RFC 9110, 12.5.3: a coding with weight zero is refused.
fn accepts_gzip(value: &str) -> bool {
    value.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts
            .filter_map(|part| part.strip_prefix("q="))
            .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0));
        named && !refused
    })
}

fn send(
    stream: &mut impl Write,
    answer: Answer<'_>,
    everywhere: &[(&'static str, String)],
    head_only: bool,
) -> io::Result<()> {
    let Status(code, reason) = answer.status;
    let mut head = format!("HTTP/1.1 {code} {reason}\r\n");
    for (name, value) in everywhere.iter().chain(&answer.fields) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        answer.body.len()
    ));
    stream.write_all(head.as_bytes())?;
    if !head_only {
        match answer.body {
            Body::Bytes(bytes) => stream.write_all(&bytes)?,
            Body::File(file, len) => {
                io::copy(&mut file.take(len), stream)?;
            }
        }
    }
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str) -> Result<Request, Refusal> {
        parse(head.replace('\n', "\r\n").as_bytes())
    }

    #[test]
    fn a_request_is_read() {
        let request =
            check("GET /a/b?c=d HTTP/1.1\nHost: 127.0.0.1:9090\nAccept-Encoding: br, GZIP;q=0.5").unwrap();
        assert_eq!(
            request,
            Request {
                head_only: false,
                path: "/a/b".into(),
                from: None,
                takes_gzip: true
            }
        );
        let request = check("HEAD / HTTP/1.1\nhost: localhost\naccept-encoding: gzip;q=0, br").unwrap();
        assert!(request.head_only && !request.takes_gzip);
        for (query, from) in [
            ("from=12", Some(12)),
            ("a&from=0&b=1", Some(0)),
            ("from=x", None),
            ("", None),
        ] {
            let request = check(&format!("GET /a?{query}#c HTTP/1.1\nHost: localhost")).unwrap();
            assert_eq!((request.path.as_str(), request.from), ("/a", from), "{query}");
        }
    }

    #[test]
    fn only_loopback_is_a_host() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:9090",
            "localhost:1",
            "LocalHost",
            "[::1]:9090",
            "[::1]",
        ] {
            assert!(check(&format!("GET / HTTP/1.1\nHost: {host}")).is_ok(), "{host}");
        }
        for host in [
            "example.org",
            "example.org:9090",
            "127.0.0.1.example.org",
            "127.0.0.1:9090.example.org",
            "localhost.example.org:80",
            "0.0.0.0:9090",
            "",
        ] {
            let found = check(&format!("GET / HTTP/1.1\nHost: {host}"));
            assert_eq!(found, Err(Refusal::ForeignHost), "{host}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for head in [
            "",
            "GET /",
            "GET / HTTP/2",
            "GET  / HTTP/1.1",
            "GET / HTTP/1.1 more",
            "GET / HTTP/1.1",
            "GET / HTTP/1.1\nHost: localhost\nHost: localhost",
            "GET / HTTP/1.1\nHost: localhost\nno colon",
            "GET http://localhost/ HTTP/1.1\nHost: localhost",
        ] {
            assert_eq!(check(head), Err(Refusal::Malformed), "{head}");
        }
        let posted = check("POST / HTTP/1.1\nHost: localhost");
        assert_eq!(posted, Err(Refusal::Method));
    }

    #[test]
    fn a_head_ends_at_the_empty_line_however_it_arrives() {
        /// Gives one byte at a time.
        struct Drip<'a>(&'a [u8]);
        impl Read for Drip<'_> {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let Some((first, rest)) = self.0.split_first() else {
                    return Ok(0);
                };
                out[0] = *first;
                self.0 = rest;
                Ok(1)
            }
        }
        let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore";
        for read in [
            read_head(&mut Drip(bytes)).unwrap(),
            read_head(&mut &bytes[..]).unwrap(),
        ] {
            assert_eq!(read.unwrap(), b"GET / HTTP/1.1\r\nHost: a");
        }
        assert!(read_head(&mut Drip(b"GET / HTTP/1.1\r\n")).is_err());
        assert!(read_head(&mut io::repeat(b'a')).unwrap().is_none());
    }
}
