//! The service over loopback: each answer, each refusal, and an end in peace.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::token::tests::{JWKS, claims, good};
use super::*;

const GOOD: &[u8] = include_bytes!("../../sinks/tests/documents/05_guide_complete.maml.md");
const BROKEN: &[u8] = include_bytes!("../../sinks/tests/documents/16_percent.maml.md");
const RECORD: &[u8] = include_bytes!("../../sinks/tests/vectors/one_frame.maml");

struct Running {
    address: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            bind: "127.0.0.1:0".parse().unwrap(),
            bounds: Bounds::default(),
            verifier: None,
            trust: Trust::default(),
        };
        change(&mut settings);
        Self::of(Arc::new(Service::new(settings)))
    }

    fn of(service: Arc<Service>) -> Self {
        let (tell, told) = sync_channel(1);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let until = async { drop(stopped.await) };
            let bind = "127.0.0.1:0".parse().unwrap();
            serve_at(bind, service, until, move |address| tell.send(address).unwrap())
        });
        Self {
            address: told.recv().unwrap(),
            stop,
            thread,
        }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Sends a request, gives status and body.
    fn ask(&self, head: &str, body: &[u8]) -> (u16, String) {
        let mut stream = self.connect();
        send(&mut stream, head, body);
        answer(stream)
    }

    fn post(&self, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        self.ask(&format!("POST {path} HTTP/1.1\r\nContent-Type: {kind}"), body)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.1"), b"")
    }

    fn end(self) {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap().unwrap();
    }
}

fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let length = body.len();
    write!(
        stream,
        "{head}\r\nHost: here\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
}

fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn documents_and_records_are_checked() {
    let running = Running::start(|_| {});
    let (status, body) = running.post("/v1/maml/validate", "text/markdown; charset=utf-8", GOOD);
    assert_eq!(
        (status, value(&body)),
        (200, json!({"valid": true, "profile": "guide", "findings": []}))
    );
    let (status, body) = running.post("/v1/maml/validate", "text/markdown", BROKEN);
    let verdict = value(&body);
    assert_eq!(
        (status, &verdict["valid"], &verdict["profile"]),
        (200, &json!(false), &Value::Null)
    );
    assert_eq!(verdict["findings"][0]["code"], "M0002");
    assert_eq!(
        (&verdict["findings"][0]["line"], &verdict["findings"][0]["column"]),
        (&json!(7), &json!(7))
    );
    let (_, body) = running.post("/v1/maml/validate?profile=compact", "text/markdown", GOOD);
    assert_eq!(value(&body)["valid"], false);

    // A record is judged by its document, as in a file; a line that says records follow hides nothing.
    let (_, body) = running.post("/v1/maml/validate", "text/markdown", RECORD);
    assert_eq!(value(&body)["valid"], true, "{body}");
    let marker = "\n<!-- maml-records v1: binary follows -->\n## Intent\nAgain.\n";
    let (_, body) = running.post(
        "/v1/maml/validate",
        "text/markdown",
        &[GOOD, marker.as_bytes()].concat(),
    );
    assert_eq!(value(&body)["findings"][1]["code"], "M0202", "{body}");

    let whole = json!({ "content": String::from_utf8_lossy(GOOD) }).to_string();
    assert_eq!(
        running
            .post("/validate-maml", "application/json", whole.as_bytes())
            .0,
        200
    );
    assert_eq!(running.post("/validate-maml", "text/plain", GOOD).0, 200);
    let (status, body) = running.post("/validate-maml", "text/markdown", BROKEN);
    assert_eq!(
        (status, &value(&body)["findings"][0]["code"]),
        (400, &json!("M0002"))
    );

    let (status, body) = running.post("/v1/maml/verify", "application/octet-stream", RECORD);
    assert_eq!(
        (status, &value(&body)["status"], &value(&body)["trusted"]),
        (200, &json!("SEALED"), &json!(false))
    );
    let (_, body) = running.post(
        "/v1/maml/verify",
        "application/octet-stream",
        &RECORD[..RECORD.len() - 1],
    );
    assert_ne!(value(&body)["status"], "SEALED");
    let (status, body) = running.post("/v1/maml/verify", "application/octet-stream", GOOD);
    assert_eq!(status, 200);
    assert!(
        value(&body)["status"].as_str().unwrap().starts_with("BAD-HEAD"),
        "{body}"
    );
    running.end();
}

#[test]
fn what_is_unfit_is_refused_with_its_status() {
    let running = Running::start(|settings| settings.bounds.record_bytes = 1000);
    for (expected, path, kind, body) in [
        (415, "/v1/maml/validate", "application/json", GOOD),
        (415, "/validate-maml", "image/png", GOOD),
        (415, "/v1/maml/verify", "text/markdown", RECORD),
        (413, "/v1/maml/verify", "application/octet-stream", RECORD),
        (422, "/validate-maml", "application/json", b"{\"contents\": 1}"),
        (422, "/validate-maml", "application/json", b"{"),
        (422, "/v1/maml/validate?profile=other", "text/markdown", GOOD),
        (404, "/v2/maml/validate", "text/markdown", GOOD),
        (405, "/healthz", "text/markdown", b""),
    ] {
        let (status, body) = running.post(path, kind, body);
        assert_eq!(status, expected, "{path} {kind}: {body}");
        assert!(status == 405 || value(&body)["error"].is_string(), "{body}");
    }
    // A length that is stated is believed before a byte is read, one that is not is counted.
    let mut stream = running.connect();
    stream.write_all(b"POST /v1/maml/validate HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: text/markdown\r\nContent-Length: 2000000\r\n\r\n").unwrap();
    assert_eq!(answer(stream).0, 413);
    let mut stream = running.connect();
    write!(stream, "POST /v1/maml/verify HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n", "a".repeat(1001)).unwrap();
    assert_eq!(answer(stream).0, 413);
    let (_, text) = running.get("/metrics");
    for line in [
        "beluga_maml_requests_total{path=\"/v1/maml/verify\",status=\"413\"} 2",
        "beluga_maml_requests_total{path=\"other\",status=\"404\"} 1",
        "beluga_maml_documents_total{valid=\"true\"} 0",
        "beluga_maml_requests_open 1",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is missing in {text}"
        );
    }
    running.end();
}

/// One request holds the only place while its body is on its way.
#[test]
fn beyond_the_bound_requests_are_refused_and_health_is_still_told() {
    let running = Running::start(|settings| settings.bounds.requests = 1);
    let mut slow = running.connect();
    let length = GOOD.len();
    write!(slow, "POST /v1/maml/validate HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: text/markdown\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n").unwrap();
    // The service asks for the body when the request has its place.
    let mut asked = [0; 25];
    slow.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (status, body) = running.post("/v1/maml/validate", "text/markdown", GOOD);
    assert_eq!((status, value(&body)["error"].is_string()), (429, true));
    assert_eq!(running.get("/healthz"), (200, "{\"status\":\"ok\"}".into()));
    slow.write_all(GOOD).unwrap();
    assert_eq!(answer(slow).0, 200);
    assert_eq!(running.post("/v1/maml/validate", "text/markdown", GOOD).0, 200);
    running.end();
}

/// All threads are busy for good: who waits longer than is waited is told so, and to come again.
#[test]
fn a_request_that_gets_no_thread_in_time_is_refused() {
    let service = Arc::new(Service::new(Settings {
        bind: "127.0.0.1:0".parse().unwrap(),
        bounds: Bounds {
            jobs: 2,
            thread_patience: Duration::from_millis(1),
            ..Bounds::default()
        },
        verifier: None,
        trust: Trust::default(),
    }));
    let held = service.gate.hold_threads();
    assert_eq!(held.len(), 2);
    let running = Running::of(service);
    for (path, kind, body) in [
        ("/v1/maml/validate", "text/markdown", GOOD),
        ("/validate-maml", "text/plain", GOOD),
        ("/v1/maml/verify", "application/octet-stream", RECORD),
    ] {
        let mut stream = running.connect();
        send(
            &mut stream,
            &format!("POST {path} HTTP/1.1\r\nContent-Type: {kind}"),
            body,
        );
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 503 ") && text.contains("\r\nretry-after: 1\r\n"),
            "{text}"
        );
        assert!(text.contains("no thread was free in time"), "{text}");
    }
    assert_eq!(running.get("/healthz").0, 200);
    drop(held);
    // With a place free, none is waited for.
    assert_eq!(running.post("/v1/maml/validate", "text/markdown", GOOD).0, 200);
    let (_, text) = running.get("/metrics");
    let line = "beluga_maml_requests_total{path=\"/v1/maml/verify\",status=\"503\"} 1";
    assert!(text.lines().any(|found| found == line), "{text}");
    running.end();
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let running = Running::start(|settings| settings.bounds.patience = Duration::from_millis(1));
    let mut stream = running.connect();
    stream.write_all(b"POST /v1/maml/validate HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: text/markdown\r\nContent-Length: 10\r\n\r\n").unwrap();
    assert_eq!(answer(stream).0, 408);
    running.end();
}

/// What was begun is answered after the end was asked for; then the address is free.
#[test]
fn the_end_is_in_peace() {
    let running = Running::start(|_| {});
    let mut slow = running.connect();
    let length = GOOD.len();
    write!(slow, "POST /v1/maml/validate HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: text/markdown\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n").unwrap();
    let mut asked = [0; 25];
    slow.read_exact(&mut asked).unwrap();
    running.stop.send(()).unwrap();
    slow.write_all(GOOD).unwrap();
    assert_eq!(answer(slow).0, 200);
    running.thread.join().unwrap().unwrap();
    assert!(TcpStream::connect(running.address).is_err());
}

#[test]
fn with_keys_only_bearers_of_good_tokens_are_answered() {
    let running = Running::start(|settings| settings.verifier = Some(Verifier::new(JWKS, claims()).unwrap()));
    let far = 4_000_000_000;
    let ask = |token: &str| {
        let head = format!(
            "POST /v1/maml/validate HTTP/1.1\r\nContent-Type: text/markdown\r\nAuthorization: Bearer {token}"
        );
        running.ask(&head, GOOD).0
    };
    assert_eq!(ask(&good(far)), 200);
    assert_eq!(ask(&good(1)), 401);
    assert_eq!(ask("a.b.c"), 401);
    assert_eq!(running.post("/v1/maml/validate", "text/markdown", GOOD).0, 401);
    assert_eq!(running.get("/metrics").0, 401);
    assert_eq!(running.get("/healthz").0, 200);
    running.end();
}

#[test]
fn the_interface_is_described() {
    let running = Running::start(|_| {});
    let (status, body) = running.get("/openapi.json");
    let described = value(&body);
    assert_eq!((status, &described["openapi"]), (200, &json!("3.1.0")));
    for path in &metrics::PATHS[..metrics::PATHS.len() - 1] {
        assert!(described["paths"][path].is_object(), "{path}");
    }
    for (path, method, status) in [
        ("/v1/maml/validate", "post", "422"),
        ("/metrics", "get", "401"),
        ("/metrics", "get", "429"),
        ("/openapi.json", "get", "401"),
        ("/openapi.json", "get", "429"),
    ] {
        let answer = &described["paths"][path][method]["responses"][status];
        assert!(answer.is_object(), "{path}: {status}");
    }
    running.end();
}

/// Many documents from many connections: each gets its own answer.
#[test]
fn answers_belong_to_their_requests() {
    let running = Running::start(|_| {});
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let running = &running;
            scope.spawn(move || {
                for round in 0..20 {
                    let is_good = (worker + round) % 2 == 0;
                    let body = if is_good { GOOD } else { BROKEN };
                    let (status, text) = running.post("/v1/maml/validate", "text/markdown", body);
                    assert_eq!((status, value(&text)["valid"].as_bool()), (200, Some(is_good)));
                }
            });
        }
    });
    running.end();
}

/// As many connections as are taken, none of which asks anything: somebody who does is answered, and only for him one
/// has to go. Were they left to their time, all would have gone by then.
#[test]
fn idle_connections_keep_nobody_out() {
    let running = Running::start(|settings| settings.bounds.connections = 4);
    let idle: Vec<TcpStream> = (0..4).map(|_| running.connect()).collect();
    let healthy = |mut stream: &TcpStream| {
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"status\":\"ok\"}") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    };
    healthy(&idle[3]);
    assert_eq!(running.get("/healthz").0, 200);
    // The one that came first is closed.
    assert_eq!((&idle[0]).read(&mut [0]).unwrap_or(0), 0);
    healthy(&idle[3]);
    running.end();
}
