//! Power that is cut while a record is written: what was written after the last sync is on the disk in any
//! subset, the rest is zeros, garbage or not there. What a checkpoint covered before that sync stays, nothing
//! else comes out, and only the whole record reads as sealed.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::document::DocumentFields;
use super::layout::Suite;
use super::meta::Meta;
use super::opening::Opening;
use super::output::Output;
use super::reader::Reader;
use super::recipient::{KeyFile, Readers, Unlock};
use super::sign::DeviceKey;
use super::status::Status;
use super::writer::{Writer, WriterOptions};
use crate::frame_bytes::FrameBytes;

const FRAMES: u8 = 7;

enum Call {
    Write(Vec<u8>),
    Sync,
}

/// Keeps what it is asked to do, in order.
struct Journal(Arc<Mutex<Vec<Call>>>);

impl Output for Journal {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().push(Call::Write(bytes.to_vec()));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().push(Call::Sync);
        Ok(())
    }

    fn reserve(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn release(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn frame(i: u8) -> FrameBytes {
    FrameBytes {
        frame: vec![i; 20],
        ..FrameBytes::default()
    }
}

/// Three frames to a second, and a META.
fn recorded(suite: Suite) -> Vec<Call> {
    let options = WriterOptions {
        document: DocumentFields::default(),
        suite,
        readers: Readers::with_key_file(KeyFile::from_bytes(&[2; 32])),
        device: DeviceKey::from_seed(&[1; 32]),
        previous: None,
        padded: false,
        hides_times: false,
    };
    let calls = Arc::new(Mutex::new(Vec::new()));
    let opening = Opening::new(&options).unwrap();
    let journal = Box::new(Journal(calls.clone()));
    let mut writer = Writer::begin(journal, Path::new("journal"), options, opening).unwrap();
    for i in 0..FRAMES {
        writer.push(&frame(i), i64::from(i) * 334_000_000).unwrap();
        if i == 4 {
            writer
                .push_meta(&Meta::new("test", 0, json!(1)).unwrap())
                .unwrap();
        }
    }
    writer.finish().unwrap();
    Arc::into_inner(calls).unwrap().into_inner().unwrap()
}

/// What was lost of a write, and what stands there.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Zeros,
    Garbage,
    /// As zeros, but nothing behind the last write that is there.
    Shorter,
}

fn image(durable: &[u8], later: &[&Vec<u8>], kept: u32, lost: Lost) -> Vec<u8> {
    let mut image = durable.to_vec();
    for (i, bytes) in later.iter().enumerate() {
        if kept >> i & 1 == 1 {
            image.extend_from_slice(bytes);
            continue;
        }
        match lost {
            Lost::Shorter if kept >> i == 0 => break,
            Lost::Zeros | Lost::Shorter => image.resize(image.len() + bytes.len(), 0),
            Lost::Garbage => image.extend((0..bytes.len()).map(|k| (k * 151 + i) as u8)),
        }
    }
    image
}

/// Frames that come out, in order; nothing if the head is not there.
fn frames(image: &[u8]) -> Option<(usize, Status)> {
    let unlock = Unlock::with_key_file(KeyFile::from_bytes(&[2; 32]));
    let mut reader = Reader::from_bytes(image, &unlock).ok()?;
    let found: Vec<FrameBytes> = reader
        .by_ref()
        .map_while(Result::ok)
        .map(|frame| frame.bytes)
        .collect();
    assert!(
        found.iter().zip(0..).all(|(bytes, i)| *bytes == frame(i)),
        "a wrong frame"
    );
    Some((found.len(), reader.status().clone()))
}

#[test]
fn whatever_of_the_last_writes_is_on_the_disk_what_was_durable_stays() {
    let mut images = 0;
    for suite in [Suite::Edge256, Suite::Core512] {
        let calls = recorded(suite);
        let writes = |calls: &[Call]| -> Vec<u8> {
            let bytes = calls.iter().flat_map(|call| match call {
                Call::Write(bytes) => bytes.as_slice(),
                Call::Sync => &[],
            });
            bytes.copied().collect()
        };
        let whole = writes(&calls);
        for cut in 0..=calls.len() {
            let before = &calls[..cut];
            let synced = before
                .iter()
                .rposition(|call| matches!(call, Call::Sync))
                .map_or(0, |at| at + 1);
            let durable = writes(&before[..synced]);
            let least = frames(&durable).map_or(0, |(frames, _)| frames);
            let later: Vec<&Vec<u8>> = before[synced..]
                .iter()
                .filter_map(|call| match call {
                    Call::Write(bytes) => Some(bytes),
                    Call::Sync => None,
                })
                .collect();
            for kept in 0..1 << later.len() {
                for lost in [Lost::Zeros, Lost::Garbage, Lost::Shorter] {
                    let image = image(&durable, &later, kept, lost);
                    images += 1;
                    let Some((found, status)) = frames(&image) else {
                        assert_eq!(synced, 0, "{suite:?}, cut at {cut}, kept {kept:b}, {lost:?}");
                        continue;
                    };
                    assert!(
                        found >= least,
                        "{suite:?}, cut at {cut}, kept {kept:b}, {lost:?}: {found} of {least}"
                    );
                    assert_eq!(
                        status == Status::Sealed,
                        image == whole,
                        "{suite:?}, cut at {cut}, {status}"
                    );
                }
            }
        }
        assert_eq!(frames(&whole), Some((usize::from(FRAMES), Status::Sealed)));
    }
    println!("power cut: {images} images of disks");
    assert!(images > 500, "{images}");
}
