//! What a browser asks: the head of a request.

use std::io::{self, ErrorKind, Read};

use super::answer::Status;

/// Longest request head, bytes.
const MOST_HEAD_BYTES: usize = 8 << 10;

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
pub(super) enum Refusal {
    Malformed,
    ForeignHost,
    Method,
    TooLong,
}

impl Refusal {
    pub(super) const fn status(self) -> Status {
        match self {
            Refusal::Malformed => Status(400, "Bad Request"),
            Refusal::ForeignHost => Status(403, "Forbidden"),
            Refusal::Method => Status(405, "Method Not Allowed"),
            Refusal::TooLong => Status(431, "Request Header Fields Too Large"),
        }
    }
}

/// The bytes up to the empty line; nothing if there are too many.
pub(super) fn read_head(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
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
pub(super) fn parse(head: &[u8]) -> Result<Request, Refusal> {
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
