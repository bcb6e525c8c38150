//! The viewer in the browser, served from this machine to this machine.
//!
//! Two servers, both on 127.0.0.1 and nowhere else: ours for the page and the viewer's files
//! (HTTP), and the viewer's own for what is logged while it is made (gRPC).

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

/// Where the servers listen on loopback. A port that is taken is left to whom it belongs: the next
/// free one is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The page.
    pub page: u16,
    /// What is logged while it is made.
    pub feed: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            page: 9090,
            feed: 9876,
        }
    }
}

/// A page with the viewer in it, served until dropped.
pub struct Viewer {
    server: Server,
    /// Keeps the other server alive.
    feed: Option<Feed>,
    notes: Vec<String>,
}

impl Viewer {
    /// A viewer of what a recorder sends through the feed.
    ///
    /// # Errors
    /// [`Error::Bind`] if no port is free, [`Error::Bundle`] if this build has no viewer in it.
    pub fn live(ports: Ports) -> Result<(Self, Feed), Error> {
        let feed = Feed::start(ports.feed)?;
        let mut viewer = Self::start(Shown::Live(feed.port()), ports.page)?;
        viewer.note_port("feed", ports.feed, feed.port());
        viewer.feed = Some(feed.clone());
        Ok((viewer, feed))
    }

    /// A viewer of a recording that is there.
    ///
    /// # Errors
    /// As [`Self::live`].
    pub fn file(recording: &Path, ports: Ports) -> Result<Self, Error> {
        Self::start(Shown::File(recording.to_owned()), ports.page)
    }

    fn start(shown: Shown, port: u16) -> Result<Self, Error> {
        let failed = |source| Error::Bind { source, port };
        let files = Arc::new(Files::new(shown)?);
        let listener = http::listen(port).map_err(failed)?;
        files.compress().map_err(failed)?;
        let server = Server::start(listener, files).map_err(failed)?;
        let found = server.address().port();
        let mut viewer = Self {
            server,
            feed: None,
            notes: Vec::new(),
        };
        viewer.note_port("page", port, found);
        Ok(viewer)
    }

    fn note_port(&mut self, what: &str, asked: u16, found: u16) {
        if asked != found && asked != 0 {
            self.notes.push(format!(
                "port {asked} is taken: the viewer's {what} is at {found}"
            ));
        }
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

    use super::*;
    use crate::{Options, Recorder, specimen};

    /// Any free ports, so that tests do not meet.
    const ANY: Ports = Ports { page: 0, feed: 0 };

    fn ask(viewer: &Viewer, request: &str) -> String {
        let mut stream = TcpStream::connect(viewer.server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn the_page_is_served_on_loopback_with_its_policy() {
        let (viewer, feed) = Viewer::live(ANY).unwrap();
        assert!(viewer.server.address().ip().is_loopback());
        let answer = ask(&viewer, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let expected = format!("connect-src 'self' http://127.0.0.1:{};", feed.port());
        assert!(answer.contains(&expected), "{answer}");
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
        let ports = Ports {
            page: port,
            feed: port,
        };
        let (viewer, feed) = Viewer::live(ports).unwrap();
        let page = viewer.server.address().port();
        assert!(page > port && feed.port() > port && page != feed.port());
        assert_eq!(viewer.notes().len(), 2, "{:?}", viewer.notes());
        assert!(
            viewer.notes()[0].contains(&page.to_string()),
            "{:?}",
            viewer.notes()
        );
    }

    #[test]
    fn the_servers_end_with_the_viewer() {
        let (viewer, feed) = Viewer::live(ANY).unwrap();
        let page = viewer.server.address();
        drop(feed);
        drop(viewer);
        assert!(TcpStream::connect(page).is_err());
    }

    #[test]
    fn a_live_recording_is_also_a_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.rrd");
        let (viewer, feed) = Viewer::live(ANY).unwrap();
        let rig = specimen::rig();
        let mut recorder = Recorder::live(&feed, Some(&path), &rig, Options::default()).unwrap();
        recorder.frame(&specimen::frame(0)).unwrap();
        recorder.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..4], b"RRF2");
        assert!(bytes.len() > 10_000, "{} bytes", bytes.len());
        assert_eq!(feed.left_out(), 0);
        drop(viewer);
    }
}
