//! END: what the device swears the file holds.

use super::cursor::Cursor;
use super::layout::{HEADER_LEN, Pre};
use super::note::MAX_NOTE;
use super::sign::SEAL_LEN;
use super::tree::Tree;

/// The file a record continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its id.
    pub file_id: [u8; 16],
    /// Its last signed root.
    pub root: [u8; 32],
}

/// How much a record holds, counted over whole frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records of every type, END not among them.
    pub records: u64,
    /// Frames.
    pub frames: u64,
    /// Segments.
    pub segments: u32,
    /// Earliest and latest frame time, in nanoseconds since the Unix epoch; nothing without frames.
    pub times_nanos: Option<(i64, i64)>,
}

impl Counts {
    pub(crate) fn add_frame(&mut self, time_nanos: i64) {
        self.frames += 1;
        self.times_nanos = Some(match self.times_nanos {
            None => (time_nanos, time_nanos),
            Some((first, last)) => (first.min(time_nanos), last.max(time_nanos)),
        });
    }
}

/// The body of END before its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) counts: Counts,
    pub(crate) index_offset: u64,
    pub(crate) tree_size: u64,
    pub(crate) root: [u8; 32],
    pub(crate) previous: Option<Previous>,
}

const FIELDS_LEN: usize = 8 + 8 + 4 + 4 + 8 + 8 + 8 + 8 + 32 + 16 + 32;

impl End {
    pub(crate) fn new(counts: Counts, index_offset: u64, tree: &Tree, previous: Option<Previous>) -> Self {
        Self {
            counts,
            index_offset,
            tree_size: tree.size(),
            root: tree.root(),
            previous,
        }
    }

    pub(crate) fn encode(&self) -> [u8; FIELDS_LEN] {
        let (first, last) = self.counts.times_nanos.unwrap_or((0, 0));
        let previous = self.previous.unwrap_or(Previous {
            file_id: [0; 16],
            root: [0; 32],
        });
        let fields: [&[u8]; 11] = [
            &self.counts.records.to_le_bytes(),
            &self.counts.frames.to_le_bytes(),
            &self.counts.segments.to_le_bytes(),
            &[0; 4],
            &first.to_le_bytes(),
            &last.to_le_bytes(),
            &self.index_offset.to_le_bytes(),
            &self.tree_size.to_le_bytes(),
            &self.root,
            &previous.file_id,
            &previous.root,
        ];
        fields
            .concat()
            .try_into()
            .expect("the fields have their stated lengths")
    }

    fn decode(fields: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(fields);
        let (records, frames, segments) = (cursor.u64()?, cursor.u64()?, cursor.u32()?);
        if cursor.u32()? != 0 {
            return None;
        }
        let times = (cursor.i64()?, cursor.i64()?);
        let end = End {
            counts: Counts {
                records,
                frames,
                segments,
                times_nanos: (frames > 0).then_some(times),
            },
            index_offset: cursor.u64()?,
            tree_size: cursor.u64()?,
            root: cursor.array()?,
            previous: Some(Previous {
                file_id: cursor.array()?,
                root: cursor.array()?,
            }),
        };
        let without = end.previous.is_some_and(|previous| previous.file_id == [0; 16]);
        Some(if without {
            End {
                previous: None,
                ..end
            }
        } else {
            end
        })
    }

    /// Length of the whole body with a note of this length.
    pub(crate) fn body_len(note_len: usize) -> usize {
        FIELDS_LEN + 4 + note_len + SEAL_LEN
    }
}

/// What the device signs: the file, the header of END, and its body up to the signature.
pub(crate) fn sealed_message(pre: &Pre, header: &[u8; HEADER_LEN], unsigned_body: &[u8]) -> Vec<u8> {
    [&pre.leaf()[..], header, unsigned_body].concat()
}

/// END's body in its parts.
pub(crate) struct EndBody<'a> {
    pub(crate) end: End,
    pub(crate) note: &'a [u8],
    pub(crate) unsigned: &'a [u8],
    pub(crate) seal: &'a [u8],
}

/// Nothing if the lengths do not fit.
pub(crate) fn parse(body: &[u8]) -> Option<EndBody<'_>> {
    let mut cursor = Cursor::new(body);
    let fields = cursor.bytes(FIELDS_LEN)?;
    let note_len = cursor.u32()? as usize;
    if note_len > MAX_NOTE || body.len() != End::body_len(note_len) {
        return None;
    }
    Some(EndBody {
        end: End::decode(fields)?,
        note: cursor.bytes(note_len)?,
        unsigned: &body[..FIELDS_LEN + 4 + note_len],
        seal: cursor.bytes(SEAL_LEN)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_leads_back_and_every_truncation_is_refused() {
        let mut counts = Counts {
            records: 9,
            segments: 2,
            ..Counts::default()
        };
        counts.add_frame(7);
        counts.add_frame(-3);
        let previous = Some(Previous {
            file_id: [1; 16],
            root: [2; 32],
        });
        let end = End::new(counts, 55, &Tree::default(), previous);
        let mut body = end.encode().to_vec();
        body.extend(3u32.to_le_bytes());
        body.extend(b"abc");
        body.extend([8; SEAL_LEN]);
        let parsed = parse(&body).unwrap();
        assert_eq!(parsed.end, end);
        assert_eq!(parsed.end.counts.times_nanos, Some((-3, 7)));
        assert_eq!(parsed.note, b"abc");
        for cut in 0..body.len() {
            assert!(parse(&body[..cut]).is_none(), "cut at {cut}");
        }
    }
}
