//! What is whole of a damaged record, in a new one that verifies itself.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use beluga_types::Stamp;
use serde_json::{Value, json};

use super::document::{DocumentFields, urn};
use super::end::{Counts, Previous};
use super::fence::{fences, only};
use super::head::Head;
use super::hex::hex;
use super::meta::Meta;
use super::opening::Opening;
use super::output::FileOutput;
use super::reader::{Entry, Reader};
use super::recipient::{Readers, Unlock};
use super::report::verify;
use super::scan::scan;
use super::secret::FileKey;
use super::sign::DeviceKey;
use super::status::Status;
use super::trust::Trust;
use super::writer::{Summary, Writer, WriterOptions};
use crate::error::{Error, io_error};
use crate::frame_bytes::FrameHasher;

/// Kind of the META that says where a recovered record comes from.
const KIND: &str = "recovered";

/// What came of a recovery.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// What the source was found to be.
    pub status: Status,
    /// What of the source a signature covers: all of it is in the new record.
    pub kept: Counts,
    /// Frames after the last checkpoint of which a header was read; no signature covers them.
    pub lost_frames: u64,
    /// Bytes of the source after what was kept, its end and footer not among them where it is sealed.
    pub lost_bytes: u64,
    /// The new record.
    pub summary: Summary,
}

impl Recovered {
    /// Whether nothing is missing that the source is known to have had.
    pub fn is_whole(&self) -> bool {
        self.status == Status::Sealed
    }
}

/// Writes what is whole of a record (what a signature covers and the keys open) into a new one, signed by
/// this device, in the same suite. The new record is read back and compared before this returns. The source
/// stays as it is. `now_nanos`: nanoseconds since the Unix epoch.
///
/// # Errors
/// [`Error::BadHead`], [`Error::NoKey`]; [`Error::NothingSigned`] if nothing is whole; [`Error::Record`] if
/// what was written does not read back. Then there is no new file. Otherwise as [`Writer::create`].
pub fn recover(
    source: &Path,
    target: &Path,
    unlock: &Unlock,
    readers: Readers,
    device: DeviceKey,
    now_nanos: i64,
) -> Result<Recovered, Error> {
    let mut reader = Reader::open(source, unlock)?;
    let trust = Trust::of([device.id()]);
    let previous = reader.signed().ok_or_else(|| Error::NothingSigned {
        path: source.to_owned(),
    })?;
    let length = std::fs::metadata(source)
        .map_err(io_error("reading a record", source))?
        .len();
    let options = WriterOptions {
        document: document(&reader, now_nanos),
        suite: reader.suite(),
        readers,
        device,
        previous: Some(Previous {
            file_id: reader.file_id(),
            root: previous.1,
        }),
        padded: false,
        hides_times: reader.hides_times(),
    };
    let opening = Opening::new(&options)?;
    let file_key = opening.file_key.clone();
    let output = FileOutput::create(target).map_err(io_error("making a record", target))?;
    let copied = Writer::begin(Box::new(output), target, options, opening)
        .and_then(|writer| copy(&mut reader, writer, length, now_nanos))
        .and_then(|copied| check(target, file_key, &trust, &copied).map(|()| copied));
    match copied {
        Ok(copied) => Ok(copied.recovered),
        Err(error) => {
            // The file is ours; the first error says more than a second one.
            let _ = std::fs::remove_file(target);
            Err(error)
        }
    }
}

struct Copied {
    recovered: Recovered,
    frame_hash: [u8; 32],
    frames: u64,
}

fn copy(reader: &mut Reader, mut writer: Writer, length: u64, now_nanos: i64) -> Result<Copied, Error> {
    let mut hasher = FrameHasher::new();
    let mut status = reader.status().clone();
    let (kept, lost_frames) = (reader.counts(), reader.unsigned_frames());
    let lost_bytes = match status {
        Status::Sealed => 0,
        _ => length.saturating_sub(reader.signed_end()),
    };
    writer.push_meta(&origin(reader, lost_frames, lost_bytes, now_nanos)?)?;
    let mut frames = 0;
    loop {
        match reader.next_entry() {
            Ok(Some(Entry::Frame(frame))) => {
                writer.push(&frame.bytes, frame.time_nanos)?;
                hasher.update(&frame.bytes);
                frames += 1;
            }
            Ok(Some(Entry::Meta(meta))) => writer.push_meta(&meta.meta)?,
            Ok(None) => break,
            // Signed, and yet it does not open: what came before is whole.
            Err(Error::Record { status: found, .. }) => {
                status = found;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let recovered = Recovered {
        status,
        kept,
        lost_frames: lost_frames + kept.frames - frames,
        lost_bytes,
        summary: writer.finish()?,
    };
    Ok(Copied {
        recovered,
        frame_hash: hasher.finish(),
        frames,
    })
}

/// The META that says where the frames come from.
fn origin(reader: &Reader, lost_frames: u64, lost_bytes: u64, now_nanos: i64) -> Result<Meta, Error> {
    let signed = reader.signed();
    let mut value = json!({
        "file_id": hex(&reader.file_id()),
        "status": reader.status().to_string(),
        "signer": reader.signer().to_string(),
        "leaves": signed.map(|(leaves, _)| leaves),
        "root": signed.map(|(_, root)| hex(&root)),
        "frames": reader.counts().frames,
        "lost_frames_seen": lost_frames,
        "lost_bytes": lost_bytes,
        "document": reader.document(),
    });
    Meta::new(KIND, now_nanos, value.clone()).or_else(|_| {
        // A document near its limit does not fit a META; the new one says which it was.
        value["document"] = Value::Null;
        Meta::new(KIND, now_nanos, value)
    })
}

/// A document in the words of the old one as far as a machine reads them.
fn document(reader: &Reader, now_nanos: i64) -> DocumentFields {
    let text = reader.document();
    let fences = fences(text);
    let mut schemas = fences
        .iter()
        .filter(|fence| fence.info == "json")
        .filter_map(|fence| serde_json::from_str(&text[fence.inner.clone()]).ok());
    let plain = DocumentFields::default();
    let origin = |line: &str| {
        let quoted = line.strip_prefix("origin: \"agent://beluga/")?;
        Some(quoted.strip_suffix('"')?.to_owned())
    };
    let (urn, status) = (urn(&reader.file_id()), reader.status());
    DocumentFields {
        device: text.lines().find_map(origin).unwrap_or(plain.device),
        created_nanos: now_nanos,
        title: format!("SOLIDAR frames, recovered from {urn}"),
        context: format!(
            "What is whole of {urn}, which was found {status} at {}. Its document stands in the first META.",
            Stamp::from_nanos(now_nanos).iso_8601()
        ),
        config_toml: only(&fences, "toml beluga").map_or(String::new(), |fence| text[fence.inner].to_owned()),
        input_schema: schemas.next().unwrap_or(plain.input_schema),
        output_schema: schemas.next().unwrap_or(plain.output_schema),
        history: vec![format!("recovered {} frames", reader.counts().frames)],
        intent: plain.intent,
    }
}

/// Reads the new record as everybody will, and its frames with the key it was made with.
fn check(target: &Path, file_key: FileKey, trust: &Trust, copied: &Copied) -> Result<(), Error> {
    let failed = || io_error("reading a record back", target);
    let report = verify(target, trust, None)?;
    let wrong = |status: Status| Error::Record {
        status,
        path: target.to_owned(),
    };
    if report.exit_code() != 0 {
        return Err(wrong(report.status));
    }
    let mut source = BufReader::new(File::open(target).map_err(failed())?);
    let head = Head::read(&mut source).map_err(|error| super::reader::head_error(error, target))?;
    let found = scan(&mut source, &head).map_err(failed())?;
    let mut reader = Reader::at_first_frame(source, target, head, file_key, found)?;
    let mut hasher = FrameHasher::new();
    let mut frames = 0;
    while let Some(frame) = reader.next_frame()? {
        hasher.update(&frame.bytes);
        frames += 1;
    }
    match frames == copied.frames && hasher.finish() == copied.frame_hash {
        true => Ok(()),
        false => Err(wrong(Status::Tamper { seq: 0 })),
    }
}
