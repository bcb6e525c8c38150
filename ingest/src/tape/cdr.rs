//! Common Data Representation, XCDR version 1: written little endian, as ROS 2 does; read in both
//! orders of bytes. Without alignment it is also how ROS 1 writes, and how the records of MCAP are.
//!
//! Every number lies at a multiple of its own size (at most 8), counted from the end of the
//! four-byte encapsulation header. A string is its length with the closing zero, then its bytes; a
//! sequence its count, then its elements. OMG, "DDS-XTypes" 1.3 (formal/20-02-04), section 7.4.1.

use std::fmt;

/// Encapsulation header: `CDR_LE`, no options.
const ENCAPSULATION: [u8; 4] = [0, 1, 0, 0];
/// The same for big endian.
const BIG_ENDIAN: [u8; 2] = [0, 0];

/// Writes one message.
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

/// Reads one message, or (never aligned) the plain fields of a record.
pub(crate) struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    aligned: bool,
    big_endian: bool,
}

/// Why bytes are not the message they should be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wrong {
    /// The bytes end inside the message.
    Ends,
    /// The values do not fit each other.
    Misfit(beluga_types::Error),
    /// A value that may not be; what was expected.
    Value(&'static str),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Ends => f.write_str("it ends inside its message"),
            Wrong::Misfit(misfit) => misfit.fmt(f),
            Wrong::Value(expected) => write!(f, "expected {expected}"),
        }
    }
}

impl From<beluga_types::Error> for Wrong {
    fn from(misfit: beluga_types::Error) -> Self {
        Wrong::Misfit(misfit)
    }
}

/// A number of fixed size.
pub(crate) trait Number: Copy + Default {
    /// Bytes of it, and what it is aligned to.
    const SIZE: usize;
    /// Writes it over exactly `SIZE` bytes, little endian.
    fn put(self, bytes: &mut [u8]);
    /// Reads it from exactly `SIZE` bytes, little endian.
    fn get(bytes: &[u8]) -> Self;
    /// Reads it from exactly `SIZE` bytes, big endian.
    fn get_big(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl Number for $kind {
            const SIZE: usize = size_of::<$kind>();
            fn put(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$kind>()];
                own.copy_from_slice(bytes);
                Self::from_le_bytes(own)
            }
            fn get_big(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$kind>()];
                own.copy_from_slice(bytes);
                Self::from_be_bytes(own)
            }
        }
    )*};
}

numbers!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            bytes: ENCAPSULATION.to_vec(),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn align(&mut self, size: usize) {
        let body = self.bytes.len() - ENCAPSULATION.len();
        self.bytes
            .resize(ENCAPSULATION.len() + body.next_multiple_of(size), 0);
    }

    /// One number.
    pub(crate) fn put<T: Number>(&mut self, value: T) {
        self.array(&[value]);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.put(u8::from(value));
    }

    /// A flag whether there is a value, and the value or zero.
    pub(crate) fn optional(&mut self, value: Option<f64>) {
        self.flag(value.is_some());
        self.put(value.unwrap_or_default());
    }

    /// Numbers whose count both sides know. None of them leave no trace, not even alignment.
    pub(crate) fn array<T: Number>(&mut self, values: &[T]) {
        if values.is_empty() {
            return;
        }
        self.align(T::SIZE);
        let start = self.bytes.len();
        self.bytes.resize(start + values.len() * T::SIZE, 0);
        for (value, bytes) in values.iter().zip(self.bytes[start..].chunks_exact_mut(T::SIZE)) {
            value.put(bytes);
        }
    }

    /// How many elements follow. Beyond 32 bits there is no count; nothing in memory comes near.
    pub(crate) fn count(&mut self, count: usize) {
        self.put(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// A counted sequence of numbers.
    pub(crate) fn sequence<T: Number>(&mut self, values: &[T]) {
        self.count(values.len());
        self.array(values);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len() + 1);
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
    }

    /// A counted sequence of bytes that `fill` appends.
    pub(crate) fn bytes(&mut self, count: usize, fill: impl FnOnce(&mut [u8])) {
        self.count(count);
        let start = self.bytes.len();
        self.bytes.resize(start + count, 0);
        fill(&mut self.bytes[start..]);
    }
}

impl<'a> Decoder<'a> {
    /// Of a message with its encapsulation header.
    pub(crate) fn message(bytes: &'a [u8]) -> Result<Self, Wrong> {
        match bytes.split_at_checked(ENCAPSULATION.len()) {
            Some((head, body)) if [BIG_ENDIAN, [0, 1]].iter().any(|order| head.starts_with(order)) => {
                Ok(Self {
                    bytes: body,
                    at: 0,
                    aligned: true,
                    big_endian: head.starts_with(&BIG_ENDIAN),
                })
            }
            Some(_) => Err(Wrong::Value("plain CDR of version 1")),
            None => Err(Wrong::Ends),
        }
    }

    /// Of fields that follow each other without alignment, as in the records of a tape.
    pub(crate) fn packed(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            aligned: false,
            big_endian: false,
        }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next bytes as they are.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Wrong> {
        let end = self.at.checked_add(count).ok_or(Wrong::Ends)?;
        let taken = self.bytes.get(self.at..end).ok_or(Wrong::Ends)?;
        self.at = end;
        Ok(taken)
    }

    /// One number.
    pub(crate) fn get<T: Number>(&mut self) -> Result<T, Wrong> {
        self.align(T::SIZE);
        self.take(T::SIZE).map(self.reader())
    }

    fn reader<T: Number>(&self) -> fn(&[u8]) -> T {
        match self.big_endian {
            true => T::get_big,
            false => T::get,
        }
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Wrong> {
        match self.get::<u8>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Wrong::Value("a flag of 0 or 1")),
        }
    }

    /// A finite number.
    pub(crate) fn finite(&mut self) -> Result<f64, Wrong> {
        let value: f64 = self.get()?;
        if value.is_finite() {
            Ok(value)
        } else {
            Err(Wrong::Value("a finite number"))
        }
    }

    /// A flag whether there is a value, and a finite value.
    pub(crate) fn optional(&mut self) -> Result<Option<f64>, Wrong> {
        let there = self.flag()?;
        let value = self.finite()?;
        Ok(there.then_some(value))
    }

    /// Finite numbers whose count both sides know.
    pub(crate) fn finites<const N: usize>(&mut self) -> Result<[f64; N], Wrong> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.finite()?;
        }
        Ok(values)
    }

    /// How many elements of at least `size` bytes follow: never more than there are bytes for.
    pub(crate) fn count(&mut self, size: usize) -> Result<usize, Wrong> {
        let count = self.get::<u32>()? as usize;
        if count > self.rest().len() / size.max(1) {
            return Err(Wrong::Ends);
        }
        Ok(count)
    }

    /// A counted sequence of numbers.
    pub(crate) fn sequence<T: Number>(&mut self) -> Result<Vec<T>, Wrong> {
        let count = self.count(T::SIZE)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        self.align(T::SIZE);
        let bytes = self.take(count.saturating_mul(T::SIZE))?;
        Ok(bytes.chunks_exact(T::SIZE).map(self.reader()).collect())
    }

    /// A counted sequence of bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Wrong> {
        let count = self.count(1)?;
        self.take(count)
    }

    /// Text: in messages with a closing zero, in records without.
    pub(crate) fn text(&mut self) -> Result<&'a str, Wrong> {
        let bytes = match (self.bytes()?, self.aligned) {
            ([text @ .., 0], true) => text,
            ([], true) => return Err(Wrong::Value("text with its closing zero")),
            (text, false) => text,
            _ => return Err(Wrong::Value("text with its closing zero")),
        };
        std::str::from_utf8(bytes).map_err(|_| Wrong::Value("UTF-8 text"))
    }

    fn align(&mut self, size: usize) {
        if self.aligned {
            self.at = self.at.next_multiple_of(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hand-made: a flag, then a number of eight bytes, which begins at 8 and not at 1.
    #[test]
    fn numbers_lie_at_multiples_of_their_size() {
        let mut encoder = Encoder::new();
        encoder.flag(true);
        encoder.put(1.0f64);
        encoder.put(-2i16);
        encoder.text("ab");
        let bytes = encoder.finish();
        let expected = [
            &[0, 1, 0, 0][..],
            &[1, 0, 0, 0, 0, 0, 0, 0],
            &1.0f64.to_le_bytes(),
            &[0xfe, 0xff, 0, 0],
            &[3, 0, 0, 0, b'a', b'b', 0],
        ];
        assert_eq!(bytes, expected.concat());
        let mut decoder = Decoder::message(&bytes).unwrap();
        assert_eq!(decoder.flag(), Ok(true));
        assert_eq!(decoder.finite(), Ok(1.0));
        assert_eq!(decoder.get::<i16>(), Ok(-2));
        assert_eq!(decoder.text(), Ok("ab"));
        assert!(decoder.rest().is_empty());
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_anything_is_allocated() {
        let mut encoder = Encoder::new();
        encoder.put(u32::MAX);
        encoder.put(0u64);
        let bytes = encoder.finish();
        let mut decoder = Decoder::message(&bytes).unwrap();
        assert_eq!(decoder.sequence::<f64>(), Err(Wrong::Ends));
        for cut in 0..bytes.len() {
            if let Ok(mut decoder) = Decoder::message(&bytes[..cut]) {
                assert!(decoder.get::<u32>().and(decoder.get::<u64>()).is_err());
            }
        }
    }

    #[test]
    fn no_elements_leave_no_trace() {
        let mut encoder = Encoder::new();
        encoder.sequence::<f64>(&[]);
        encoder.put(7u8);
        let bytes = encoder.finish();
        assert_eq!(bytes, [0, 1, 0, 0, 0, 0, 0, 0, 7]);
        let mut decoder = Decoder::message(&bytes).unwrap();
        assert_eq!(decoder.sequence::<f64>(), Ok(Vec::new()));
        assert_eq!(decoder.get::<u8>(), Ok(7));
    }
}
