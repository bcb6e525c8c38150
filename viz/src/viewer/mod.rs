//! The viewer in the browser, served from this machine to this machine.
//!
//! One server, on 127.0.0.1 and nowhere else: for the page, the viewer's files, and the recording,
//! which may be a file or a picture while it is made.

mod board;
mod feed;
mod http;
mod site;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;

pub use feed::Feed;
pub(crate) use feed::Fork;

use self::http::Server;
use self::site::{Files, Shown};
use crate::Error;

/// Where the page is if no other port is asked for.
pub const PORT: u16 = 9090;

/// A page with the viewer in it, served until dropped.
pub struct Viewer {
    server: Server,
    notes: Vec<String>,
}

impl Viewer {
    /// A viewer of what a recorder sends through the feed, on this port of loopback; a port that is
    /// taken is left to whom it belongs, and the next free one is used.
    ///
    /// # Errors
    /// [`Error::Bind`] if no port is free, [`Error::Bundle`] if this build has no viewer in it.
    pub fn live(port: u16) -> Result<(Self, Feed), Error> {
        let feed = Feed::new();
        Ok((Self::start(Shown::Live(feed.board()), port)?, feed))
    }

    /// A viewer of a recording that is there.
    ///
    /// # Errors
    /// As [`Self::live`].
    pub fn file(recording: &Path, port: u16) -> Result<Self, Error> {
        Self::start(Shown::File(recording.to_owned()), port)
    }

    fn start(shown: Shown, port: u16) -> Result<Self, Error> {
        let failed = |source| Error::Bind { source, port };
        let files = Arc::new(Files::new(shown)?);
        let listener = http::listen(port).map_err(failed)?;
        files.compress().map_err(failed)?;
        let server = Server::start(listener, files).map_err(failed)?;
        let found = server.address().port();
        let taken = port != found && port != 0;
        let notes = taken.then(|| format!("port {port} is taken: the viewer's page is at {found}"));
        Ok(Self {
            server,
            notes: notes.into_iter().collect(),
        })
    }

    /// What to open in a browser.
    pub fn url(&self) -> String {
        let port = self.server.address().port();
        let address = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port));
        format!("http://{address}/")
    }

    /// What people should know: ports that were taken.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::board::Stay;
    use super::*;
    use crate::{Options, Recorder, specimen};

    /// Any free port, so that tests do not meet.
    const ANY: u16 = 0;

    fn ask(viewer: &Viewer, request: &str) -> String {
        let mut stream = TcpStream::connect(viewer.server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn the_page_is_served_on_loopback_with_its_policy() {
        let (viewer, _feed) = Viewer::live(ANY).unwrap();
        assert!(viewer.server.address().ip().is_loopback());
        let answer = ask(&viewer, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("connect-src 'self';"), "{answer}");
        let head = ask(&viewer, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(head.ends_with("\r\n\r\n") && answer.starts_with(&head), "{head}");
    }

    #[test]
    fn strangers_and_posts_are_refused_with_the_policy_too() {
        let (viewer, _feed) = Viewer::live(ANY).unwrap();
        for (request, status) in [
            ("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "403 Forbidden"),
            (
                "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "405 Method Not Allowed",
            ),
            ("GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n", "404 Not Found"),
            ("hello\r\n\r\n", "400 Bad Request"),
        ] {
            let answer = ask(&viewer, request);
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
            assert!(
                answer.contains("\r\nContent-Security-Policy: default-src 'none'"),
                "{answer}"
            );
        }
    }

    #[test]
    fn a_taken_port_is_left_alone_and_the_next_is_said() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let (viewer, _feed) = Viewer::live(port).unwrap();
        let page = viewer.server.address().port();
        assert!(page > port);
        assert_eq!(viewer.notes().len(), 1, "{:?}", viewer.notes());
        assert!(
            viewer.notes()[0].contains(&page.to_string()),
            "{:?}",
            viewer.notes()
        );
    }

    #[test]
    fn the_server_ends_with_the_viewer() {
        let (viewer, feed) = Viewer::live(ANY).unwrap();
        let page = viewer.server.address();
        drop(feed);
        drop(viewer);
        assert!(TcpStream::connect(page).is_err());
    }

    /// Two ask for a picture larger than what systems hold for a connection, and read one byte of it.
    #[test]
    fn browsers_that_do_not_read_hold_up_neither_the_run_nor_others() {
        let (viewer, feed) = Viewer::live(ANY).unwrap();
        let board = feed.board();
        board.put(Stay::Kept, vec![7; 32 << 20]);
        let stuck = [(); 2].map(|()| {
            let mut stream = TcpStream::connect(viewer.server.address()).unwrap();
            stream
                .write_all(b"GET /recording.rrd?from=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream
        });
        for number in 0..1000 {
            let hull = Stay::Newest("hull".into());
            board.put(hull, format!("hull {number}.").into_bytes());
        }
        let others = ask(
            &viewer,
            "GET /recording.rrd?from=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        );
        assert!(
            others.ends_with("\r\n\r\nhull 999."),
            "the newest, and nothing else"
        );
        drop(stuck);
    }

    #[test]
    fn a_live_recording_is_also_a_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.rrd");
        let (viewer, feed) = Viewer::live(ANY).unwrap();
        let rig = specimen::rig();
        let mut recorder = Recorder::live(feed, Some(&path), &rig, Options::default()).unwrap();
        recorder.frame(&specimen::frame(0)).unwrap();
        recorder.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..4], b"RRF2");
        assert!(bytes.len() > 10_000, "{} bytes", bytes.len());
        // A browser gets the same picture as it is now: one of each.
        let seen = ask(&viewer, "GET /recording.rrd HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(
            seen.contains("\r\n\r\nRRF2") && seen.len() > 5_000,
            "{} bytes",
            seen.len()
        );
        drop(viewer);
    }
}
