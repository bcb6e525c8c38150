//! One record off a stream.

use std::io::{self, Read};

use super::layout::{HEADER_LEN, Header};

/// A record whose header is sound. Its body is not yet authenticated.
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) header_bytes: [u8; HEADER_LEN],
    pub(crate) body: Vec<u8>,
}

impl Record {
    /// Bytes it takes in the file.
    pub(crate) fn length(&self) -> u64 {
        (HEADER_LEN + self.body.len()) as u64
    }
}

/// What the next bytes of a stream are.
pub(crate) enum Next {
    Record(Record),
    /// The stream ends here, between records.
    Nothing,
    /// The stream ends inside a record, or nothing but zeros follow, as after a power cut.
    Torn {
        /// Bytes that follow.
        bytes: u64,
    },
    /// The bytes are no header.
    Corrupt,
}

pub(crate) fn read(source: &mut impl Read) -> io::Result<Next> {
    let mut header_bytes = [0; HEADER_LEN];
    let found = fill(source, &mut header_bytes)?;
    if found == 0 {
        return Ok(Next::Nothing);
    }
    if found < HEADER_LEN {
        return Ok(Next::Torn { bytes: found as u64 });
    }
    let Some(header) = Header::decode(&header_bytes) else {
        return not_a_header(source, &header_bytes);
    };
    // The header caps this length; the buffer grows only as bytes really come.
    let wanted = u64::from(header.body_len);
    let mut body = Vec::with_capacity((wanted as usize).min(1 << 16));
    source.take(wanted).read_to_end(&mut body)?;
    let record = Record {
        header,
        header_bytes,
        body,
    };
    if (record.body.len() as u64) < wanted {
        return Ok(Next::Torn {
            bytes: record.length(),
        });
    }
    Ok(Next::Record(record))
}

fn not_a_header(source: &mut impl Read, header: &[u8; HEADER_LEN]) -> io::Result<Next> {
    let mut bytes = HEADER_LEN as u64;
    let mut chunk = [0; 4096];
    let mut zeros = header.iter().all(|&byte| byte == 0);
    while zeros {
        match fill(source, &mut chunk)? {
            0 => return Ok(Next::Torn { bytes }),
            found => {
                bytes += found as u64;
                zeros = chunk[..found].iter().all(|&byte| byte == 0);
            }
        }
    }
    Ok(Next::Corrupt)
}

/// Reads until the buffer is full or the stream ends; how many bytes came.
pub(crate) fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
