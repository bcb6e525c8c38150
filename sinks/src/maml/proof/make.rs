//! Making the proof of one frame out of a record.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::Path;

use zeroize::Zeroizing;

use super::super::end;
use super::super::head::{Head, Unlocked};
use super::super::layout::{FLAG_CONTINUES, Kind};
use super::super::note;
use super::super::reader::head_error;
use super::super::recipient::Unlock;
use super::super::record::{self, Next, Record};
use super::super::scan::scan;
use super::super::tree::{self, Hash};
use super::{Leaf, Proof, secret_of};
use crate::error::{Error, io_error};
use crate::regular::open_regular;

/// The proof of frame `frame`, counted from 0, by the last signature the record has. With `reveal`, keys
/// that open the record, it brings the key of the frame's segment: whoever has the proof can read that
/// frame, and whatever else of the segment (at most 1 s) he has the bytes of.
///
/// Memory: the frame, and 32 bytes per record of the file.
///
/// # Errors
/// [`Error::BadHead`], [`Error::NoFrame`] if the signed part has fewer frames, [`Error::NoKey`] with
/// `reveal`, [`Error::Io`].
pub fn prove(path: &Path, frame: u64, reveal: Option<&Unlock>) -> Result<Proof, Error> {
    let failed = || io_error("reading a record", path);
    let file = open_regular(path).map_err(io_error("opening a record", path))?;
    let mut source = BufReader::new(file);
    let head = Head::read(&mut source).map_err(|error| head_error(error, path))?;
    let found = scan(&mut source, &head).map_err(failed())?;
    source.seek(SeekFrom::Start(head.length())).map_err(failed())?;
    let walked = walk(&mut source, &head, found.bytes, frame).map_err(failed())?;
    let no_frame = || Error::NoFrame {
        wanted: frame,
        found: found.counts.frames,
        path: path.to_owned(),
    };
    let Walked {
        mut leaves,
        records,
        note,
    } = walked;
    let ((size, _), note) = found.signed.zip(note).ok_or_else(no_frame)?;
    if records.len() < 2 {
        return Err(no_frame());
    }
    leaves.truncate(size as usize);
    let segment_secret = match reveal {
        None => None,
        Some(unlock) => Some(revealed(&head, unlock, &records[0], path)?),
    };
    Ok(Proof {
        suite: head.pre.suite,
        file_id: head.pre.file_id,
        document_hash: head.pre.document_hash,
        hides_times: head.pre.hides_times,
        signers: head.signers_fence().to_owned(),
        recipients: head.recipients.clone(),
        note,
        head_path: tree::path(&leaves, 0),
        records: records
            .into_iter()
            .map(|record| Leaf {
                path: tree::path(&leaves, record.header.seq as usize + 1),
                bytes: [&record.header_bytes[..], &record.body].concat(),
            })
            .collect(),
        segment_secret,
    })
}

/// What a second pass over the signed part found.
struct Walked {
    leaves: Vec<Hash>,
    /// The SEGMENT and all parts of the frame.
    records: Vec<Record>,
    /// The last note.
    note: Option<Vec<u8>>,
}

fn walk(source: &mut BufReader<File>, head: &Head, bytes: u64, frame: u64) -> std::io::Result<Walked> {
    let mut walked = Walked {
        leaves: vec![tree::leaf(&[&head.pre.leaf()])],
        records: Vec::new(),
        note: None,
    };
    let (mut offset, mut frames) = (0, 0);
    while let Next::Record(record) = record::read(source)? {
        if offset >= bytes {
            // Only END follows what is signed, and its note covers all of it.
            let end = end::parse(&record.body).filter(|_| record.header.kind == Kind::End);
            let covers =
                |note: &[u8]| note::stated(note).is_some_and(|(size, _)| size == walked.leaves.len() as u64);
            if let Some(end) = end.filter(|end| covers(end.note)) {
                walked.note = Some(end.note.to_vec());
            }
            break;
        }
        offset += record.length();
        walked
            .leaves
            .push(tree::leaf(&[&record.header_bytes, &record.body]));
        match record.header.kind {
            Kind::Checkpoint => walked.note = Some(record.body),
            Kind::Segment if frames <= frame => walked.records = vec![record],
            Kind::Frame => {
                let is_last = record.header.flags & FLAG_CONTINUES == 0;
                if frames == frame {
                    walked.records.push(record);
                }
                frames += u64::from(is_last);
            }
            _ => {}
        }
    }
    Ok(walked)
}

fn revealed(
    head: &Head,
    unlock: &Unlock,
    segment: &Record,
    path: &Path,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bad = |reason: String| Error::BadHead {
        reason,
        path: path.to_owned(),
    };
    let file_key = match head.unlock(unlock) {
        Unlocked::Open(key) => key,
        Unlocked::NoKey => {
            return Err(Error::NoKey {
                path: path.to_owned(),
            });
        }
        Unlocked::Changed(reason) => return Err(bad(reason)),
    };
    let (salt, rest) = segment
        .body
        .split_first_chunk::<32>()
        .ok_or_else(|| bad("a SEGMENT has no salt".into()))?;
    let pre = &head.pre;
    let (secret, commit) = secret_of(file_key, segment.header.segment, pre.suite, &pre.file_id, salt);
    match rest[..32] == commit {
        true => Ok(secret),
        false => Err(bad("a SEGMENT commits to another key".into())),
    }
}
