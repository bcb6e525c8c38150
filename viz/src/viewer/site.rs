//! What the browser may ask for: our page, the viewer bundled in its crate, one recording.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use re_web_viewer_server::WebViewerData;

use super::board::{Board, MOST_PARTS};
use super::feed;
use super::http::{Answer, Body, Request, Site, Status};
use crate::Error;

const OK: Status = Status(200, "OK");
const NOT_FOUND: Status = Status(404, "Not Found");
/// Where the recording stands on the site: a file, or one that is being made.
const RECORDING: &str = "/recording.rrd";
/// The viewer's files bear their version in their path, so that a browser may keep them.
const KEPT: &str = "private, max-age=604800, immutable";
const NOT_KEPT: &str = "no-store";
/// How long a browser that has all there is waits for more before it asks again.
const NEWS_PATIENCE: Duration = Duration::from_secs(5);
/// Of a picture while it is made: how many parts these are, where to go on from, and when.
const PARTS: &str = "Beluga-Parts";
const NEXT: &str = "Beluga-Next";
const THEN: &str = "Beluga-Then";

/// What the page opens.
pub(super) enum Shown {
    /// A picture while it is made.
    Live(Arc<Board>),
    /// A recording.
    File(PathBuf),
}

/// The table of all paths.
pub(super) struct Files {
    shown: Shown,
    /// The page, naming what it opens.
    page: String,
    /// Where the viewer's own files stand.
    folder: String,
    viewer: WebViewerData,
    /// Script and machine code of the viewer, compressed; made in the background.
    script_gzip: OnceLock<Vec<u8>>,
    code_gzip: OnceLock<Vec<u8>>,
    everywhere: Vec<(&'static str, String)>,
}

impl Files {
    /// # Errors
    /// [`Error::Bundle`] if the program was built without the viewer's files.
    pub(super) fn new(shown: Shown) -> Result<Self, Error> {
        let viewer = WebViewerData::load(None).map_err(|source| Error::Bundle(Box::new(source)))?;
        let folder = format!("/viewer-{}", re_sdk::build_info().version);
        let page = include_str!("../../web/index.html")
            .replace("{{viewer}}", &folder)
            .replace("{{recording}}", RECORDING)
            .replace(
                "{{made}}",
                if matches!(shown, Shown::Live(_)) {
                    "now"
                } else {
                    "before"
                },
            );
        Ok(Self {
            shown,
            page,
            folder,
            viewer,
            script_gzip: OnceLock::new(),
            code_gzip: OnceLock::new(),
            everywhere: fields(),
        })
    }

    /// Compresses the viewer in a thread of its own. Until that is done it is sent as it is, which
    /// loopback does not mind; a tunnel does.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn compress(self: &Arc<Self>) -> io::Result<()> {
        let files = self.clone();
        let compressing = thread::Builder::new().name("viewer gzip".into());
        compressing.spawn(move || {
            for (bytes, place) in [
                (files.viewer.viewer_js(), &files.script_gzip),
                (files.viewer.viewer_wasm(), &files.code_gzip),
            ] {
                if let Ok(gzip) = gzip(bytes) {
                    let _ = place.set(gzip);
                }
            }
        })?;
        Ok(())
    }

    fn viewer_file(&self, name: &str, request: &Request) -> Option<Answer<'_>> {
        let (kind, bytes, gzip) = match name {
            "/re_viewer.js" => (
                "text/javascript; charset=utf-8",
                self.viewer.viewer_js(),
                &self.script_gzip,
            ),
            "/re_viewer_bg.wasm" => ("application/wasm", self.viewer.viewer_wasm(), &self.code_gzip),
            _ => return None,
        };
        let mut answer = found(kind, KEPT, bytes);
        answer.fields.push(("Vary", "Accept-Encoding".into()));
        if let Some(gzip) = gzip.get().filter(|_| request.takes_gzip) {
            answer.fields.push(("Content-Encoding", "gzip".into()));
            answer.body = Body::Bytes(Cow::Borrowed(gzip));
        }
        Some(answer)
    }
}

impl Site for Files {
    fn answer(&self, request: &Request) -> Answer<'_> {
        let path = request.path.as_str();
        match path {
            "/" => found("text/html; charset=utf-8", NOT_KEPT, self.page.as_bytes()),
            "/page.css" => {
                let style = include_str!("../../web/page.css");
                found("text/css; charset=utf-8", NOT_KEPT, style.as_bytes())
            }
            "/page.js" => {
                let script = include_str!("../../web/page.js");
                found("text/javascript; charset=utf-8", NOT_KEPT, script.as_bytes())
            }
            "/favicon.ico" => found("image/x-icon", KEPT, self.viewer.favicon()),
            RECORDING => match &self.shown {
                Shown::File(file) => recording(file),
                Shown::Live(board) => live(board, request.from),
            },
            _ => path
                .strip_prefix(self.folder.as_str())
                .and_then(|name| self.viewer_file(name, request))
                .unwrap_or_else(|| Answer::plain(NOT_FOUND)),
        }
    }

    fn fields(&self) -> &[(&'static str, String)] {
        &self.everywhere
    }
}

/// The fields of every answer. The policy lets the page ask this server and nobody else: the viewer
/// by itself would ask hosts on the internet. Content Security Policy Level 3, W3C.
fn fields() -> Vec<(&'static str, String)> {
    const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    vec![
        ("Content-Security-Policy", POLICY.into()),
        ("X-Content-Type-Options", "nosniff".into()),
        ("Referrer-Policy", "no-referrer".into()),
        ("Cross-Origin-Opener-Policy", "same-origin".into()),
        ("Cross-Origin-Resource-Policy", "same-origin".into()),
        // A browser may look names up before anything is asked of them.
        ("X-DNS-Prefetch-Control", "off".into()),
    ]
}

fn found<'a>(kind: &str, keep: &str, bytes: &'a [u8]) -> Answer<'a> {
    Answer {
        status: OK,
        fields: vec![("Content-Type", kind.into()), ("Cache-Control", keep.into())],
        body: Body::Bytes(Cow::Borrowed(bytes)),
    }
}

/// The picture as it is, as a recording; or what has come `from` there on.
fn live(board: &Board, from: Option<u64>) -> Answer<'static> {
    let (mut bytes, news) = match from {
        None => (feed::head(), board.since(0, usize::MAX, Duration::ZERO)),
        Some(0) => (feed::head(), board.since(0, MOST_PARTS, Duration::ZERO)),
        Some(from) => (Vec::new(), board.since(from, MOST_PARTS, NEWS_PATIENCE)),
    };
    bytes.extend_from_slice(&news.bytes);
    let mut answer = found("application/octet-stream", NOT_KEPT, b"");
    answer.fields.extend([
        (PARTS, news.parts.to_string()),
        (NEXT, news.next.to_string()),
        (THEN, news.then.name().into()),
    ]);
    answer.body = Body::Bytes(Cow::Owned(bytes));
    answer
}

/// The recording as long as it is now.
fn recording(path: &Path) -> Answer<'static> {
    let opened = File::open(path).and_then(|file| file.metadata().map(|data| (file, data.len())));
    match opened {
        Ok((file, len)) => Answer {
            body: Body::File(file, len),
            ..found("application/octet-stream", NOT_KEPT, b"")
        },
        Err(_) => Answer::plain(NOT_FOUND),
    }
}

/// RFC 1952. Quick rather than small: it is made anew by every run.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::viewer::board::Stay;

    fn ask<'a>(files: &'a Files, path: &str) -> Answer<'a> {
        files.answer(&Request {
            head_only: false,
            path: path.split('?').next().unwrap().into(),
            from: path.split_once("?from=").map(|(_, from)| from.parse().unwrap()),
            takes_gzip: true,
        })
    }

    fn body(answer: Answer<'_>) -> Vec<u8> {
        match answer.body {
            Body::Bytes(bytes) => bytes.into_owned(),
            Body::File(mut file, _) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).unwrap();
                bytes
            }
        }
    }

    fn live_one() -> Shown {
        Shown::Live(Arc::default())
    }

    fn field<'a>(answer: &'a Answer<'_>, name: &str) -> Option<&'a str> {
        let mut found = answer.fields.iter().filter(|(field, _)| *field == name);
        found.next().map(|(_, value)| value.as_str())
    }

    #[test]
    fn the_page_names_only_paths_of_this_site() {
        let files = Files::new(live_one()).unwrap();
        let page = String::from_utf8(body(ask(&files, "/"))).unwrap();
        assert!(page.contains("data-recording=\"/recording.rrd\""), "{page}");
        let named: Vec<&str> = ["href=\"", "src=\"", "data-wasm=\""]
            .iter()
            .flat_map(|attribute| page.split(attribute).skip(1))
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(named.len(), 5, "{named:?}");
        for path in named {
            assert_eq!(ask(&files, path).status, OK, "{path}");
        }
        assert!(!page.contains("{{"), "{page}");
    }

    #[test]
    fn the_table_is_all_there_is() {
        let files = Files::new(live_one()).unwrap();
        for path in [
            "/index.html",
            "/sw.js",
            "/../Cargo.toml",
            "/viewer-0.36.3/../../etc/passwd",
            "/%2e%2e/etc/passwd",
            "//etc/passwd",
            "/viewer-0.36.3",
            "/viewer-0.36.3/",
            "/viewer-0.36.3/index.html",
        ] {
            assert_eq!(ask(&files, path).status, NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn a_recording_is_sent_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rrd");
        let files = Files::new(Shown::File(path.clone())).unwrap();
        assert_eq!(ask(&files, RECORDING).status, NOT_FOUND);
        std::fs::write(&path, b"RRF2 and more").unwrap();
        let answer = ask(&files, RECORDING);
        assert_eq!(field(&answer, "Cache-Control"), Some("no-store"));
        assert_eq!(body(answer), b"RRF2 and more");
    }

    #[test]
    fn a_picture_being_made_is_sent_piece_by_piece() {
        let board: Arc<Board> = Arc::default();
        let files = Files::new(Shown::Live(board.clone())).unwrap();
        board.put(Stay::Kept, *b"first");
        let first = ask(&files, "/recording.rrd?from=0");
        assert_eq!(
            (field(&first, NEXT), field(&first, THEN)),
            (Some("1"), Some("wait"))
        );
        let bytes = body(first);
        assert!(
            bytes.starts_with(b"RRF2") && bytes.ends_with(b"first"),
            "{bytes:?}"
        );
        board.put(Stay::Kept, *b" last");
        board.end();
        let second = ask(&files, "/recording.rrd?from=1");
        assert_eq!(
            (field(&second, NEXT), field(&second, THEN)),
            (Some("2"), Some("end"))
        );
        assert_eq!(body(second), b" last");
        let whole = body(ask(&files, RECORDING));
        assert!(
            whole.starts_with(b"RRF2") && whole.ends_with(b"first last"),
            "{whole:?}"
        );
    }

    #[test]
    fn the_policy_names_this_machine_only() {
        let policy = fields()[0].1.clone();
        assert!(policy.contains("connect-src 'self';"), "{policy}");
        for word in ["unsafe-inline", "'unsafe-eval'", "http", "*", "rerun.io"] {
            assert!(!policy.contains(word), "{word} in {policy}");
        }
    }

    #[test]
    fn what_is_compressed_is_the_bundled_script() {
        let files = Files::new(live_one()).unwrap();
        let path = format!("{}/re_viewer.js", files.folder);
        let plain = ask(&files, &path);
        assert_eq!(field(&plain, "Content-Encoding"), None);
        files
            .script_gzip
            .set(gzip(files.viewer.viewer_js()).unwrap())
            .unwrap();
        let answer = ask(&files, &path);
        assert_eq!(field(&answer, "Content-Encoding"), Some("gzip"));
        assert_eq!(field(&answer, "Vary"), Some("Accept-Encoding"));
        let compressed = body(answer);
        let mut again = Vec::new();
        flate2::read::GzDecoder::new(&compressed[..])
            .read_to_end(&mut again)
            .unwrap();
        assert!(compressed.len() * 2 < again.len());
        assert_eq!(again, body(plain));
    }

    #[test]
    fn the_machine_code_is_of_its_type() {
        let files = Files::new(live_one()).unwrap();
        let answer = ask(&files, &format!("{}/re_viewer_bg.wasm", files.folder));
        assert_eq!(field(&answer, "Content-Type"), Some("application/wasm"));
        assert_eq!(&body(answer)[..4], b"\0asm");
    }
}
