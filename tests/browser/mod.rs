//! A headless Chromium that tells what a page asks for, over its DevTools pipe.
//!
//! The pipe is Chromium's file descriptors 3 (in) and 4 (out), messages are JSON ended by a zero
//! byte; a shell turns its own input and output into them. Protocol:
//! <https://chromedevtools.github.io/devtools-protocol/>.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long the picture may take, software rendering on a busy machine included.
const PATIENCE: Duration = Duration::from_secs(240);
/// How long the page is watched after its picture stands: some requests come late.
const AFTERWARDS: Duration = Duration::from_secs(6);

/// Software rendering, nothing of the browser's own on the network, and no name but loopback's.
const FLAGS: &str = "--headless=new --no-sandbox --disable-quic --no-first-run --disable-sync \
    --disable-background-networking --disable-component-update --disable-dev-shm-usage \
    --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader --ignore-gpu-blocklist \
    --window-size=1200,800 --remote-debugging-pipe";
const RESOLVER: &str = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1";

/// The Chromium of this machine.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

/// What was seen of a page.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Every address it asked for, workers included.
    pub(crate) requests: Vec<String>,
    /// Bytes that came of the recording.
    pub(crate) received: u64,
    /// How long the picture took, from the page being opened.
    pub(crate) drawn_after: Duration,
    /// Size of the last picture of the page, as PNG.
    pub(crate) picture_bytes: usize,
    /// Exceptions of its scripts.
    pub(crate) page_errors: Vec<String>,
}

pub(crate) struct Browser {
    program: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    last_id: u64,
    /// The page's session.
    session: Option<String>,
    /// Requests of the recording.
    recordings: Vec<Value>,
    /// A part of the recording's address.
    recording: String,
    seen: Seen,
}

impl Browser {
    pub(crate) fn start(chromium: &Path, profile: &Path) -> io::Result<Self> {
        let run = format!("exec \"$0\" {FLAGS} \"$@\" about:blank 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1");
        let mut program = Command::new("sh")
            .args(["-c", &run])
            .arg(chromium)
            .arg(RESOLVER)
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (sender, output) = sync_channel(1024);
        let (Some(input), Some(said)) = (program.stdin.take(), program.stdout.take()) else {
            return Err(io::Error::other("no pipe"));
        };
        std::thread::spawn(move || {
            for message in BufReader::new(said).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else {
                    continue;
                };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            program,
            input,
            output,
            last_id: 0,
            session: None,
            recordings: Vec::new(),
            recording: String::new(),
            seen: Seen::default(),
        })
    }

    /// Opens `url`, waits until the viewer has drawn what `recording` names, and watches on a little.
    pub(crate) fn look(mut self, url: &str, recording: &str) -> io::Result<Seen> {
        self.recording = recording.to_owned();
        let page = self.call("Target.createTarget", json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", attach)?;
        self.session = session["sessionId"].as_str().map(str::to_owned);
        // Workers too.
        let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": false, "flatten": true });
        self.call("Target.setAutoAttach", attach)?;
        for domain in ["Network.enable", "Runtime.enable", "Page.enable"] {
            self.call(domain, json!({}))?;
        }
        self.call("Page.navigate", json!({ "url": url }))?;
        let began = Instant::now();
        while !self.has_drawn()? {
            if began.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("no picture: {:#?}", self.seen)));
            }
            self.watch(Duration::from_secs(1))?;
        }
        self.seen.drawn_after = began.elapsed();
        self.watch(AFTERWARDS)?;
        self.take_picture()?;
        Ok(std::mem::take(&mut self.seen))
    }

    /// Whether the page says it has started, the recording comes, and the picture is none of one colour.
    fn has_drawn(&mut self) -> io::Result<bool> {
        let expression = "document.getElementById('message')?.textContent === ''";
        let said = self.call("Runtime.evaluate", json!({ "expression": expression }))?;
        if said["result"]["value"] != json!(true) || self.seen.received == 0 {
            return Ok(false);
        }
        self.take_picture()?;
        Ok(self.seen.picture_bytes > 60_000)
    }

    fn take_picture(&mut self) -> io::Result<()> {
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" }))?;
        // In base64.
        self.seen.picture_bytes = picture["data"].as_str().map_or(0, |text| text.len() / 4 * 3);
        Ok(())
    }

    /// Takes in what the browser tells, for so long.
    fn watch(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self.output.recv_timeout(left) {
                Ok(message) => self.note(&message),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the browser ended")),
            }
        }
        Ok(())
    }

    /// Asks the browser for something and gives its result.
    fn call(&mut self, method: &str, parameters: Value) -> io::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(message.to_string().as_bytes())?;
        self.input.write_all(&[0])?;
        self.input.flush()?;
        loop {
            let said = self.output.recv_timeout(PATIENCE).map_err(io::Error::other)?;
            if said["id"] == json!(id) {
                return match said.get("error") {
                    Some(error) => Err(io::Error::other(format!("{method}: {error}"))),
                    None => Ok(said["result"].clone()),
                };
            }
            self.note(&said);
        }
    }

    fn note(&mut self, event: &Value) {
        let about = &event["params"];
        match event["method"].as_str() {
            Some("Target.attachedToTarget") => {
                // What a worker asks is told in its own session.
                let enable = json!({ "id": 0, "method": "Network.enable", "sessionId": about["sessionId"] });
                let _ = self.input.write_all(enable.to_string().as_bytes());
                let _ = self.input.write_all(&[0]);
            }
            Some("Network.requestWillBeSent") => {
                let url = about["request"]["url"].as_str().unwrap_or_default();
                if url.contains(&self.recording) {
                    self.recordings.push(about["requestId"].clone());
                }
                // Inline data may be long, and asks nobody.
                self.seen.requests.push(url.chars().take(120).collect());
            }
            Some("Network.dataReceived") if self.recordings.contains(&about["requestId"]) => {
                self.seen.received += about["dataLength"].as_u64().unwrap_or(0);
            }
            Some("Runtime.exceptionThrown") => {
                self.seen.page_errors.push(about["exceptionDetails"].to_string());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
