//! The fixed-size parts of a record: PRE, the header of each record, FOOT. See `FORMAT.md`.

use super::cursor::Cursor;

/// Line that ends the document; the bytes after it are PRE.
pub(crate) const MARKER: &str = "<!-- maml-records v1: binary follows -->\n";
/// First bytes of PRE; any change of line ends or text encoding destroys them.
pub(crate) const MAGIC: [u8; 9] = *b"\x89MAML\r\n\x1a\n";
/// The only container version there is.
pub(crate) const VERSION: u8 = 1;
/// Longest document, in bytes.
pub(crate) const MAX_HEAD: usize = 1 << 20;
/// Longest body a writer makes, in bytes.
pub(crate) const MAX_BODY: usize = 16 << 20;
/// Length of PRE, in bytes.
pub(crate) const PRE_LEN: usize = 100;
/// Length of PRE before its MAC.
pub(crate) const PRE_MACED: usize = 68;
/// Length of a record's header.
pub(crate) const HEADER_LEN: usize = 40;
/// Length of FOOT.
pub(crate) const FOOT_LEN: usize = 40;
/// Flag of PRE: times stand in the payloads only.
const HIDES_TIMES: u8 = 1;
/// Flag: the payload is compressed with zstd.
pub(crate) const FLAG_ZSTD: u8 = 1;
/// Flag: the frame goes on in the next record.
pub(crate) const FLAG_CONTINUES: u8 = 2;

const SYNC: [u8; 4] = [0xb5, b'R', b'M', b'L'];
const HEADER_VERSION: u8 = 1;
const FOOT_MAGIC: [u8; 8] = *b"MAMLEND1";

/// How payloads are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suite {
    /// AES-256-GCM under keys of 32 bytes: 256-bit strength, fast.
    #[default]
    Edge256,
    /// AEAD_AES_SIV_CMAC_512 (RFC 5297) under keys of 64 bytes: 256-bit strength; a nonce that comes
    /// twice tells no more than that a payload did. Several times slower.
    Core512,
}

impl Suite {
    /// The name a document gives it.
    pub fn name(self) -> &'static str {
        match self {
            Suite::Edge256 => "edge-256",
            Suite::Core512 => "core-512",
        }
    }

    /// The suite a document gives this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Suite::Edge256, Suite::Core512]
            .into_iter()
            .find(|suite| suite.name() == name)
    }

    /// Bytes of a segment's key, and of the file key.
    pub(crate) fn key_len(self) -> usize {
        match self {
            Suite::Edge256 => 32,
            Suite::Core512 => 64,
        }
    }

    /// Bytes of a nonce.
    pub(crate) fn nonce_len(self) -> usize {
        match self {
            Suite::Edge256 => 12,
            Suite::Core512 => 16,
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Suite::Edge256 => 1,
            Suite::Core512 => 2,
        }
    }

    pub(crate) fn from_code(code: u8) -> Result<Self, String> {
        match code {
            1 => Ok(Suite::Edge256),
            2 => Ok(Suite::Core512),
            other => Err(format!(
                "suite {other} is unknown, expected 1 (edge-256) or 2 (core-512)"
            )),
        }
    }
}

/// PRE: what stands between the document and the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pre {
    pub(crate) suite: Suite,
    pub(crate) head_len: u32,
    pub(crate) document_hash: [u8; 32],
    pub(crate) file_id: [u8; 16],
    /// Whether headers, notes, END and INDEX have zeros where times belong.
    pub(crate) hides_times: bool,
}

impl Pre {
    /// The bytes under the header MAC.
    pub(crate) fn encode(&self) -> [u8; PRE_MACED] {
        let mut bytes = [0; PRE_MACED];
        bytes[..9].copy_from_slice(&MAGIC);
        bytes[9] = VERSION;
        bytes[10] = self.suite.code();
        bytes[11] = self.flags();
        bytes[16..20].copy_from_slice(&self.head_len.to_le_bytes());
        bytes[20..52].copy_from_slice(&self.document_hash);
        bytes[52..68].copy_from_slice(&self.file_id);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; PRE_MACED]) -> Result<Self, String> {
        if bytes[..9] != MAGIC {
            return Err("the bytes after the document are not those of a record".into());
        }
        if bytes[9] != VERSION {
            return Err(format!(
                "container version {} is unknown, expected {VERSION}",
                bytes[9]
            ));
        }
        let suite = Suite::from_code(bytes[10])?;
        if bytes[11] > HIDES_TIMES || bytes[12..16] != [0; 4] {
            return Err("flags are set that this version does not know".into());
        }
        let mut cursor = Cursor::new(&bytes[16..]);
        let fields = (cursor.u32(), cursor.array(), cursor.array());
        let (Some(head_len), Some(document_hash), Some(file_id)) = fields else {
            return Err("PRE is too short".into());
        };
        Ok(Pre {
            suite,
            head_len,
            document_hash,
            file_id,
            hides_times: bytes[11] == HIDES_TIMES,
        })
    }

    fn flags(&self) -> u8 {
        if self.hides_times { HIDES_TIMES } else { 0 }
    }

    /// Time of a frame and its three streams, out of what its header says and its payload.
    pub(crate) fn timed<'a>(&self, time_nanos: i64, body: &'a [u8]) -> Option<(i64, &'a [u8])> {
        if !self.hides_times {
            return Some((time_nanos, body));
        }
        let (time, body) = body.split_first_chunk()?;
        Some((i64::from_le_bytes(*time), body))
    }

    /// Leaf 0 of the tree: binds every root to this file and document.
    pub(crate) fn leaf(&self) -> Vec<u8> {
        let mut leaf = vec![VERSION, self.suite.code(), self.flags()];
        leaf.extend_from_slice(&self.file_id);
        leaf.extend_from_slice(&self.document_hash);
        leaf
    }
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Segment,
    Frame,
    Meta,
    Checkpoint,
    Index,
    End,
    /// 0x80 and above: somebody's own, skipped.
    Private(u8),
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Kind::Segment => 1,
            Kind::Frame => 2,
            Kind::Meta => 3,
            Kind::Checkpoint => 4,
            Kind::Index => 5,
            Kind::End => 14,
            Kind::Private(code) => code,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Kind::Segment,
            2 => Kind::Frame,
            3 => Kind::Meta,
            4 => Kind::Checkpoint,
            5 => Kind::Index,
            14 => Kind::End,
            0x80.. => Kind::Private(code),
            _ => return None,
        })
    }

    pub(crate) fn is_encrypted(self) -> bool {
        matches!(self, Kind::Frame | Kind::Meta | Kind::Index)
    }

    fn allowed_flags(self) -> u8 {
        match self {
            Kind::Frame => FLAG_ZSTD | FLAG_CONTINUES,
            Kind::Meta | Kind::Index => FLAG_ZSTD,
            Kind::Private(_) => 0xff,
            Kind::Segment | Kind::Checkpoint | Kind::End => 0,
        }
    }
}

/// The 40 bytes before each body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    pub(crate) body_len: u32,
    pub(crate) segment: u32,
    pub(crate) seq: u64,
    pub(crate) time_nanos: i64,
    pub(crate) idx: u32,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&SYNC);
        bytes[4] = self.kind.code();
        bytes[5] = self.flags;
        bytes[6] = HEADER_VERSION;
        bytes[8..12].copy_from_slice(&self.body_len.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.segment.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.time_nanos.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.idx.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..36]);
        bytes[36..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Nothing if the bytes are no header of this version or ask for more than [`MAX_BODY`].
    pub(crate) fn decode(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let mut cursor = Cursor::new(&bytes[8..]);
        let header = Header {
            kind: Kind::from_code(bytes[4])?,
            flags: bytes[5],
            body_len: cursor.u32()?,
            segment: cursor.u32()?,
            seq: cursor.u64()?,
            time_nanos: cursor.i64()?,
            idx: cursor.u32()?,
        };
        let sound = cursor.u32()? == crc32c::crc32c(&bytes[..36])
            && bytes[..4] == SYNC
            && bytes[6] == HEADER_VERSION
            && bytes[7] == 0
            && header.flags & !header.kind.allowed_flags() == 0
            && header.body_len as usize <= MAX_BODY;
        sound.then_some(header)
    }
}

/// FOOT: where to look first. A hint; what it says is checked against the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foot {
    pub(crate) index_offset: u64,
    pub(crate) end_offset: u64,
    pub(crate) body_total: u64,
}

impl Foot {
    pub(crate) fn encode(&self) -> [u8; FOOT_LEN] {
        let mut bytes = [0; FOOT_LEN];
        bytes[..8].copy_from_slice(&self.index_offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.end_offset.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.body_total.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..24]);
        bytes[24..28].copy_from_slice(&crc.to_le_bytes());
        bytes[32..].copy_from_slice(&FOOT_MAGIC);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            kind: Kind::Frame,
            flags: FLAG_ZSTD,
            body_len: 1234,
            segment: 7,
            seq: 99,
            time_nanos: -5,
            idx: 3,
        }
    }

    #[test]
    fn a_header_leads_back_and_no_flipped_bit_is_taken() {
        let bytes = header().encode();
        assert_eq!(Header::decode(&bytes), Some(header()));
        for bit in 0..8 * HEADER_LEN {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_giant_body_and_an_unknown_kind_are_refused() {
        let mut giant = header();
        giant.body_len = MAX_BODY as u32 + 1;
        assert_eq!(Header::decode(&giant.encode()), None);
        let mut bytes = header().encode();
        bytes[4] = 6;
        let crc = crc32c::crc32c(&bytes[..36]);
        bytes[36..].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Header::decode(&bytes), None);
    }

    #[test]
    fn versions_suites_and_flags_from_the_future_are_refused() {
        let pre = Pre {
            suite: Suite::Edge256,
            head_len: 77,
            document_hash: [1; 32],
            file_id: [2; 16],
            hides_times: false,
        };
        let bytes = pre.encode();
        assert_eq!(Pre::decode(&bytes), Ok(pre.clone()));
        let suite = Suite::Core512;
        let core = Pre {
            suite,
            hides_times: true,
            ..pre
        };
        assert_eq!(Pre::decode(&core.encode()), Ok(core));
        for (at, value, word) in [
            (9, 2, "version 2"),
            (10, 9, "suite 9"),
            (11, 2, "flags"),
            (12, 1, "flags"),
        ] {
            let mut other = bytes;
            other[at] = value;
            let reason = Pre::decode(&other).unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
    }
}
