//! A disk that fails at its n-th call, for every n: the record is never sealed, and what a checkpoint
//! covered stays. A disk that is full, whatever its size: the record is sealed.

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

    fn reserve(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn release(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Holds so many bytes, and says no before it is too late.
struct SmallDisk {
    bytes: Arc<Mutex<Vec<u8>>>,
    capacity: usize,
}

impl Output for SmallDisk {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut kept = self.bytes.lock().unwrap();
        let room = self.capacity.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        if self.bytes.lock().unwrap().len() as u64 + bytes > self.capacity as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn release(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn frame(i: u8) -> FrameBytes {
    FrameBytes {
        frame: vec![i; 10],
        ..FrameBytes::default()
    }
}

fn begin(disk: Box<dyn Output>) -> Result<Writer, Error> {
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite: Suite::Edge256,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    let opening = Opening::new(&options)?;
    Writer::begin(disk, Path::new("failing"), options, opening)
}

/// Writes three frames, a second apart; how far it came before the first error.
fn record(calls: usize, bytes: &Arc<Mutex<Vec<u8>>>) -> Result<(), Error> {
    let disk = FailingDisk {
        bytes: bytes.clone(),
        calls_left: calls,
    };
    let mut writer = begin(Box::new(disk))?;
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

#[test]
fn on_a_full_disk_of_any_size_the_record_is_sealed() {
    let unlock = Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]));
    let large = |i: u8| FrameBytes {
        points: (0..30_000u32)
            .map(|k| (k.wrapping_mul(2_654_435_761) >> 13) as u8 ^ i)
            .collect(),
        ..frame(i)
    };
    let mut counts = Vec::new();
    for capacity in ((1 << 20)..(3 << 19)).step_by(7001) {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let disk = SmallDisk {
            bytes: bytes.clone(),
            capacity,
        };
        let Ok(mut writer) = begin(Box::new(disk)) else {
            assert!(capacity < (1 << 20) + 30_000, "the head alone fits");
            continue;
        };
        let pushed = (0..20u8)
            .take_while(|&i| match writer.push(&large(i), i64::from(i) * 300_000_000) {
                Ok(()) => true,
                Err(Error::DiskFull { .. }) => false,
                Err(error) => panic!("{error}"),
            })
            .count();
        if pushed < 20 {
            assert!(
                matches!(writer.push(&large(0), 0), Err(Error::DiskFull { .. })),
                "and stays full"
            );
        }
        assert_eq!(writer.finish().unwrap().counts.frames, pushed as u64);
        let bytes = bytes.lock().unwrap();
        let mut reader = Reader::from_bytes(&bytes, &unlock).unwrap();
        assert_eq!(reader.status(), &Status::Sealed);
        let frames: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        assert!(frames.len() == pushed && frames.iter().zip(0..).all(|(found, i)| found.bytes == large(i)));
        counts.push(pushed);
    }
    assert!(
        counts.is_sorted() && counts[0] < 2 && *counts.last().unwrap() > 5,
        "{counts:?}"
    );
}
