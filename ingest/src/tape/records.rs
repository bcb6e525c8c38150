//! The records of an MCAP file, one after the other, however damaged the file is.
//!
//! A record is an operation (one byte), a length (eight, little endian) and that many bytes. MCAP
//! format specification, version 0: <https://mcap.dev/spec>. Nothing is allocated that the file
//! itself is not long enough for.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use mcap::records::op;

use super::cdr::{Decoder, Wrong};

/// How much a chunk may unpack to: so much in any case, or so many times its own length.
const UNPACKED_BYTES: u64 = 64 << 20;
const UNPACKED_TIMES: u64 = 256;
/// The longest record that is taken into memory; what claims to be longer is no record of ours.
const MAX_RECORD_BYTES: u64 = 2 << 30;
/// The last operation that the specification knows.
const LAST_OP: u8 = op::DATA_END;
/// From a chunk's operation to the name of its compression: operation, length, two times, size, sum.
const TO_COMPRESSION: u64 = 1 + 8 + 8 + 8 + 8 + 4;
/// How compressions are named, with the length before them.
const PACKED: [&[u8]; 2] = [b"\x04\0\0\0zstd", b"\x03\0\0\0lz4"];
/// The longest of these.
const NAME: usize = 8;
/// The largest window of zstd that is unpacked, 8 MiB as a power of two: what its levels up to 19 use.
const WINDOW_LOG: u32 = 23;
/// Bytes looked through at once.
const WINDOW: usize = 64 * 1024;

/// A file of records, and the place in it.
pub(crate) struct Records<R> {
    source: BufReader<R>,
    at: u64,
    size: u64,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A record whose body is there.
    Record { op: u8, length: u64 },
    /// The beginning of a record whose body is not all there.
    Cut { op: u8 },
    /// No record.
    Nonsense,
    /// Nothing more.
    End,
}

impl<R: Read + Seek> Records<R> {
    /// From the first byte on.
    pub(crate) fn new(mut source: R) -> io::Result<Self> {
        let size = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        Ok(Self {
            source: BufReader::new(source),
            at: 0,
            size,
        })
    }

    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Goes to a place, at most the end.
    pub(crate) fn go(&mut self, at: u64) -> io::Result<()> {
        let at = at.min(self.size);
        let step = i64::try_from(at).unwrap_or(i64::MAX) - i64::try_from(self.at).unwrap_or(i64::MAX);
        self.source.seek_relative(step)?;
        self.at = at;
        Ok(())
    }

    /// The next bytes: fewer than asked for only at the end.
    pub(crate) fn take(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let count = count.min(self.size - self.at);
        let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        let read = Read::take(&mut self.source, count).read_to_end(&mut bytes)?;
        self.at += read as u64;
        if (read as u64) < count {
            self.size = self.at;
        }
        Ok(bytes)
    }

    /// What stands here; the place moves past the operation and length of a record, else stays.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let start = self.at;
        let head = self.take(9)?;
        let mut decoder = Decoder::packed(&head);
        let step = match (decoder.get::<u8>(), decoder.get::<u64>()) {
            (Err(_), _) => Step::End,
            (Ok(op), Err(_)) => Step::Cut { op },
            (Ok(op), Ok(_)) if op == 0 || (op > LAST_OP && op < 0x80) => Step::Nonsense,
            (Ok(op), Ok(length)) if length > self.size - self.at => Step::Cut { op },
            (Ok(op::SCHEMA..=op::MESSAGE_INDEX), Ok(length)) if length > MAX_RECORD_BYTES => Step::Nonsense,
            (Ok(op), Ok(length)) => return Ok(Step::Record { op, length }),
        };
        self.go(start)?;
        Ok(step)
    }

    /// Goes to the next packed chunk that begins after this place and is all there, if there is one.
    pub(crate) fn find_chunk(&mut self) -> io::Result<bool> {
        let mut from = self.at + 1;
        loop {
            self.go(from)?;
            let window = self.take(WINDOW as u64)?;
            let name = |place: usize| PACKED.into_iter().find(|name| window[place..].starts_with(name));
            for (place, name) in (0..window.len()).filter_map(|place| Some((place, name(place)?))) {
                let name_at = from + place as u64;
                if let Some(start) = name_at.checked_sub(TO_COMPRESSION)
                    && self.is_chunk(start, name.len())?
                {
                    self.go(start)?;
                    return Ok(true);
                }
            }
            if window.len() < WINDOW {
                return Ok(false);
            }
            from += (WINDOW - NAME + 1) as u64;
        }
    }

    fn is_chunk(&mut self, start: u64, name: usize) -> io::Result<bool> {
        self.go(start)?;
        let Step::Record {
            op: op::CHUNK,
            length,
        } = self.step()?
        else {
            return Ok(false);
        };
        let head = self.take(TO_COMPRESSION + 8)?;
        let mut decoder = Decoder::packed(&head);
        let before = (TO_COMPRESSION - 9) as usize + name;
        let packed = decoder.take(before).and_then(|_| decoder.get::<u64>());
        Ok(packed.is_ok_and(|packed| packed.checked_add(before as u64 + 8) == Some(length)))
    }
}

/// What a chunk holds, unpacked and checked against its sum.
pub(crate) fn unpacked(body: &[u8]) -> Result<Vec<u8>, Wrong> {
    let mut decoder = Decoder::packed(body);
    let _times: (u64, u64) = (decoder.get()?, decoder.get()?);
    let (size, sum): (u64, u32) = (decoder.get()?, decoder.get()?);
    let compression = decoder.text()?;
    let packed: u64 = decoder.get()?;
    let packed = decoder.take(usize::try_from(packed).map_err(|_| Wrong::Ends)?)?;
    if size > UNPACKED_BYTES.max((packed.len() as u64).saturating_mul(UNPACKED_TIMES)) {
        return Err(Wrong::Value(
            "a chunk of at most 64 MiB, or 256 times its packed length",
        ));
    }
    let plain = match compression {
        "" => packed.to_vec(),
        "zstd" => unzstd(packed, size).map_err(|_| Wrong::Value("bytes packed by zstd"))?,
        "lz4" => unlz4(packed, size).map_err(|_| Wrong::Value("bytes packed by LZ4"))?,
        _ => return Err(Wrong::Value("a chunk packed by zstd, by LZ4 or not at all")),
    };
    if plain.len() as u64 != size {
        return Err(Wrong::Value("a chunk of the stated size"));
    }
    if sum != 0 && crc32fast::hash(&plain) != sum {
        return Err(Wrong::Value("a chunk that agrees with its sum"));
    }
    Ok(plain)
}

fn unzstd(packed: &[u8], size: u64) -> io::Result<Vec<u8>> {
    let mut unpack = zstd::stream::read::Decoder::with_buffer(packed)?;
    unpack.window_log_max(WINDOW_LOG)?;
    let mut plain = Vec::new();
    unpack.take(size).read_to_end(&mut plain)?;
    Ok(plain)
}

/// The frame format of LZ4, whose blocks are at most 4 MiB.
fn unlz4(packed: &[u8], size: u64) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    lz4_flex::frame::FrameDecoder::new(packed)
        .take(size)
        .read_to_end(&mut plain)?;
    Ok(plain)
}

/// The records inside a chunk: operation and body each.
pub(crate) struct Inside<'a>(Decoder<'a>);

impl<'a> Inside<'a> {
    pub(crate) fn of(plain: &'a [u8]) -> Self {
        Self(Decoder::packed(plain))
    }

    fn record(&mut self) -> Result<(u8, &'a [u8]), Wrong> {
        let op = self.0.get()?;
        let length: u64 = self.0.get()?;
        let body = self.0.take(usize::try_from(length).map_err(|_| Wrong::Ends)?)?;
        Ok((op, body))
    }
}

impl<'a> Iterator for Inside<'a> {
    type Item = Result<(u8, &'a [u8]), Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.rest().is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.0 = Decoder::packed(&[]);
        }
        Some(record)
    }
}
