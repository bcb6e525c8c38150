//! Numbers of a datagram, one after the other, in either byte order.

/// Reads forward through a datagram's bytes and never past their end.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    big: bool,
}

/// Reads a number of this type and goes on behind it; the words of what is missing if it is cut.
macro_rules! numbers {
    ($($name:ident),*) => {$(
        pub(crate) fn $name(&mut self) -> Result<$name, String> {
            let bytes = self.array()?;
            Ok(if self.big { $name::from_be_bytes(bytes) } else { $name::from_le_bytes(bytes) })
        }
    )*};
}

impl<'a> Fields<'a> {
    /// From this byte of little-endian ones on.
    pub(crate) fn little(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            big: false,
        }
    }

    /// From this byte on, in an order that is known only at run time.
    pub(crate) fn ordered(bytes: &'a [u8], at: usize, big: bool) -> Self {
        Self { bytes, at, big }
    }

    numbers!(u8, u16, i16, u32, i32, u64, f32, f64);

    /// Where the next number starts.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Goes to a byte, which may be the end.
    pub(crate) fn go(&mut self, at: usize) -> Result<(), String> {
        if at > self.bytes.len() {
            return Err(self.cut(at));
        }
        self.at = at;
        Ok(())
    }

    /// Three numbers of single precision, none of which may be none.
    pub(crate) fn three(&mut self) -> Result<[f64; 3], String> {
        let three = [self.f32()?, self.f32()?, self.f32()?].map(f64::from);
        match three.iter().all(|number| number.is_finite()) {
            true => Ok(three),
            false => Err(format!("expected numbers, found {three:?}")),
        }
    }

    /// Goes on so many bytes.
    pub(crate) fn skip(&mut self, count: usize) -> Result<(), String> {
        self.go(self.at.saturating_add(count))
    }

    /// The next bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let from = self.at;
        self.skip(count)?;
        Ok(&self.bytes[from..self.at])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let taken = self.take(N)?;
        Ok(std::array::from_fn(|index| taken[index]))
    }

    fn cut(&self, wanted: usize) -> String {
        format!("expected {wanted} bytes or more, found {}", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_both_orders_and_none_past_the_end() {
        let bytes = [1, 2, 3, 4, 5];
        let mut little = Fields::little(&bytes, 0);
        assert_eq!((little.u16(), little.u8(), little.left()), (Ok(0x0201), Ok(3), 2));
        assert!(
            little
                .u32()
                .unwrap_err()
                .contains("expected 7 bytes or more, found 5")
        );
        assert_eq!(little.u16(), Ok(0x0504), "a number that is cut is not passed");
        let mut big = Fields::ordered(&bytes, 1, true);
        assert_eq!((big.u16(), big.u8(), big.at()), (Ok(0x0203), Ok(4), 4));
        assert!(big.take(usize::MAX).is_err());
    }
}
