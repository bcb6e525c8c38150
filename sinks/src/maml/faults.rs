//! A disk that fails at its n-th call, for every n: the record is never sealed, and what a checkpoint
//! covered stays.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::document::DocumentFields;
use super::layout::Suite;
use super::opening::Opening;
use super::output::Output;
use super::reader::Reader;
use super::recipient::{KeyFile, Readers, Unlock};
use super::sign::DeviceKey;
use super::status::Status;
use super::writer::{Writer, WriterOptions};
use crate::error::Error;
use crate::frame_bytes::FrameBytes;

/// Keeps bytes until its calls are used up; the last write is cut in half.
struct FailingDisk {
    bytes: Arc<Mutex<Vec<u8>>>,
    calls_left: usize,
}

impl FailingDisk {
    fn call(&mut self) -> io::Result<()> {
        self.calls_left = self.calls_left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

impl Output for FailingDisk {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let called = self.call();
        let kept = if called.is_ok() {
            bytes.len()
        } else {
            bytes.len() / 2
        };
        self.bytes.lock().unwrap().extend_from_slice(&bytes[..kept]);
        called
    }

    fn sync(&mut self) -> io::Result<()> {
        self.call()
    }
}

fn frame(i: u8) -> FrameBytes {
    FrameBytes {
        frame: vec![i; 10],
        ..FrameBytes::default()
    }
}

/// Writes three frames, a second apart; how far it came before the first error.
fn record(calls: usize, bytes: &Arc<Mutex<Vec<u8>>>) -> Result<(), Error> {
    let disk = FailingDisk {
        bytes: bytes.clone(),
        calls_left: calls,
    };
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite: Suite::Edge256,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
    };
    let opening = Opening::new(&options)?;
    let mut writer = Writer::begin(Box::new(disk), Path::new("failing"), options, opening)?;
    for i in 0..3u8 {
        if let Err(error) = writer.push(&frame(i), i64::from(i) * 1_000_000_000) {
            assert!(matches!(error, Error::Io { .. }), "{error}");
            let again = writer.push(&frame(i), 0);
            assert!(matches!(again, Err(Error::WriterFailed { .. })));
            assert!(matches!(writer.finish(), Err(Error::WriterFailed { .. })));
            return Err(error);
        }
    }
    writer.finish().map(|_| ())
}

#[test]
fn a_disk_that_fails_at_any_call_leaves_an_unsealed_prefix() {
    let unlock = Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]));
    let mut most = 0;
    for calls in 0..100 {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let written = record(calls, &bytes);
        let bytes = bytes.lock().unwrap();
        let Ok(mut reader) = Reader::from_bytes(&bytes, &unlock) else {
            assert!(written.is_err());
            continue;
        };
        let frames: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        assert!(frames.iter().zip(0..).all(|(found, i)| found.bytes == frame(i)));
        assert!(frames.len() >= most, "what was durable stays");
        most = frames.len();
        if written.is_ok() {
            assert_eq!((reader.status(), frames.len()), (&Status::Sealed, 3));
            return;
        }
        // The last call brings a complete file to disk: only then it may read as sealed.
        let complete = bytes.ends_with(b"MAMLEND1");
        assert_eq!(
            reader.status() == &Status::Sealed,
            complete,
            "after {calls} calls"
        );
    }
    panic!("three frames took more than 100 calls");
}
