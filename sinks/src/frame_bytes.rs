//! A SOLIDAR frame as bytes: three Arrow IPC streams, before compression and encryption.

use sha2::{Digest, Sha256};

use crate::error::Error;

/// Largest frame a record takes, all three streams with their length prefixes, in bytes.
pub const MAX_FRAME_BYTES: usize = 1 << 28;

/// Bytes of one length prefix.
const PREFIX: usize = 4;

/// The *frame bytes*: one frame as three Arrow IPC streams.
///
/// `frame` has one row; `points` and `arcs` have one row each per point and arc. The same frame
/// gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameBytes {
    /// What is true of the whole frame, as an Arrow stream of one row.
    pub frame: Vec<u8>,
    /// The points, as an Arrow stream.
    pub points: Vec<u8>,
    /// The arcs, as an Arrow stream.
    pub arcs: Vec<u8>,
}

impl FrameBytes {
    /// Length of [`Self::to_body`], in bytes.
    pub fn body_len(&self) -> usize {
        3 * PREFIX + self.frame.len() + self.points.len() + self.arcs.len()
    }

    /// The body of a FRAME: each stream after its length as `u32`, little-endian.
    ///
    /// # Errors
    /// [`Error::FrameTooLarge`] beyond [`MAX_FRAME_BYTES`].
    pub fn to_body(&self) -> Result<Vec<u8>, Error> {
        let found = self.body_len();
        if found > MAX_FRAME_BYTES {
            return Err(Error::FrameTooLarge {
                found,
                expected: MAX_FRAME_BYTES,
            });
        }
        let mut body = Vec::with_capacity(found);
        for stream in self.streams() {
            // Cannot truncate: each stream is shorter than `MAX_FRAME_BYTES`, below 2^32.
            body.extend_from_slice(&(stream.len() as u32).to_le_bytes());
            body.extend_from_slice(stream);
        }
        Ok(body)
    }

    /// Reads what [`Self::to_body`] wrote. Nothing is allocated before its length is known to fit.
    ///
    /// # Errors
    /// [`Error::FrameBody`] if a length leads past the end or bytes are left over,
    /// [`Error::FrameTooLarge`] beyond [`MAX_FRAME_BYTES`].
    pub fn from_body(body: &[u8]) -> Result<Self, Error> {
        if body.len() > MAX_FRAME_BYTES {
            return Err(Error::FrameTooLarge {
                found: body.len(),
                expected: MAX_FRAME_BYTES,
            });
        }
        let mut rest = body;
        let mut next = |stream: &'static str| -> Result<Vec<u8>, Error> {
            let missing = |found| Error::FrameBody { stream, found };
            let (prefix, after) = rest.split_at_checked(PREFIX).ok_or(missing(rest.len()))?;
            let length = u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]) as usize;
            let (bytes, after) = after.split_at_checked(length).ok_or(missing(after.len()))?;
            rest = after;
            Ok(bytes.to_vec())
        };
        let streams = FrameBytes {
            frame: next("frame")?,
            points: next("points")?,
            arcs: next("arcs")?,
        };
        match rest.len() {
            0 => Ok(streams),
            found => Err(Error::FrameBody {
                stream: "nothing more",
                found,
            }),
        }
    }

    fn streams(&self) -> [&[u8]; 3] {
        [&self.frame, &self.points, &self.arcs]
    }
}

/// SHA-256 over the frame bytes of a run: of each frame in order, `frame`, `points`, `arcs`, joined
/// without lengths between them.
///
/// The same for a run, its replay and the record of it.
#[derive(Clone, Debug, Default)]
pub struct FrameHasher {
    hash: Sha256,
}

impl FrameHasher {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next frame.
    pub fn update(&mut self, frame: &FrameBytes) {
        for stream in frame.streams() {
            self.hash.update(stream);
        }
    }

    /// The hash of all frames added.
    pub fn finish(self) -> [u8; 32] {
        self.hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> FrameBytes {
        FrameBytes {
            frame: vec![1, 2, 3],
            points: vec![],
            arcs: vec![9; 300],
        }
    }

    #[test]
    fn a_body_leads_back_and_each_truncation_is_refused() {
        let body = sample().to_body().unwrap();
        assert_eq!(body.len(), sample().body_len());
        assert_eq!(FrameBytes::from_body(&body).unwrap(), sample());
        for end in 0..body.len() {
            assert!(FrameBytes::from_body(&body[..end]).is_err(), "cut at {end}");
        }
        let mut longer = body.clone();
        longer.push(0);
        assert!(FrameBytes::from_body(&longer).is_err());
    }

    #[test]
    fn a_length_beyond_the_body_is_refused() {
        let mut body = sample().to_body().unwrap();
        body[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(
            FrameBytes::from_body(&body),
            Err(Error::FrameBody { stream: "frame", .. })
        ));
    }

    #[test]
    fn the_hash_is_that_of_the_joined_streams() {
        let mut hasher = FrameHasher::new();
        hasher.update(&FrameBytes {
            frame: b"a".to_vec(),
            points: b"b".to_vec(),
            arcs: b"c".to_vec(),
        });
        // FIPS 180-2, appendix B.1: SHA-256("abc").
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let found: String = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected);
    }
}
