//! The data packet: bytes → fields.
//!
//! 1206 bytes, little-endian: 12 blocks of `u16 flag | u16 azimuth | 32 × (u16 distance, u8
//! intensity)`, `u32` time, two bytes that say return mode and product (an HDL-64E: kind and value
//! of a status). Source: VLP-16 User Manual 63-9243 Rev. E, figures 9-1 to 9-3.

/// Bytes of a data packet.
pub const LENGTH: usize = 1206;
/// Blocks of a packet.
pub const BLOCKS: usize = 12;
/// Measurements of a block.
pub const PER_BLOCK: usize = 32;
/// Bytes of a block.
const BLOCK: usize = 100;
/// Flags of the lasers 0–31, 32–63, 64–95 and 96–127.
pub const BANKS: [u16; 4] = [0xeeff, 0xddff, 0xccff, 0xbbff];
/// Azimuths are counted in hundredths of a degree.
pub const TURN: u16 = 36_000;

/// A data packet whose length is right and whose blocks begin as blocks do.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    bytes: &'a [u8; LENGTH],
}

impl<'a> Packet<'a> {
    /// The fields of these bytes.
    ///
    /// # Errors
    /// What is wrong with them: another length, or a first block that begins as none does.
    pub fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let bytes: &[u8; LENGTH] = bytes
            .try_into()
            .map_err(|_| format!("expected {LENGTH} bytes, found {}", bytes.len()))?;
        let packet = Self { bytes };
        match BANKS.contains(&packet.flag(0)) {
            true => Ok(packet),
            false => Err(format!(
                "expected a block that begins {:#06x}, found {:#06x}",
                BANKS[0],
                packet.flag(0)
            )),
        }
    }

    /// Which bank of lasers a block holds.
    pub fn flag(&self, block: usize) -> u16 {
        self.u16_at(block * BLOCK)
    }

    /// Where the head was when a block was fired, in hundredths of a degree. Units round up to a full
    /// turn, which is 0; what is beyond stays, and is damage.
    pub fn azimuth(&self, block: usize) -> u16 {
        match self.u16_at(block * BLOCK + 2) {
            TURN => 0,
            azimuth => azimuth,
        }
    }

    /// Distance (in the model's unit, 0 = no return) and intensity of a measurement; none has a return
    /// behind the packet's end.
    #[inline]
    pub fn measurement(&self, block: usize, channel: usize) -> (u16, u8) {
        let at = block * BLOCK + 4 + 3 * channel;
        match self.bytes.get(at..at + 3) {
            Some(&[low, high, intensity]) => (u16::from_le_bytes([low, high]), intensity),
            _ => (0, 0),
        }
    }

    /// Time of the packet's first firing, in µs since the hour.
    pub fn micros(&self) -> u32 {
        let [.., a, b, c, d, _, _] = self.bytes;
        u32::from_le_bytes([*a, *b, *c, *d])
    }

    /// The last byte but one: return mode, or the kind of an HDL-64E's status.
    pub fn mode(&self) -> u8 {
        self.bytes[LENGTH - 2]
    }

    /// The last byte: product, or the value of an HDL-64E's status.
    pub fn product(&self) -> u8 {
        self.bytes[LENGTH - 1]
    }

    fn u16_at(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_where_the_manual_says() {
        let mut bytes = [0; LENGTH];
        bytes[..2].copy_from_slice(&[0xff, 0xee]);
        bytes[1100..1104].copy_from_slice(&[0xff, 0xee, 0x10, 0x27]);
        bytes[1197..1206].copy_from_slice(&[0x34, 0x12, 9, 1, 2, 3, 4, 0x37, 0x22]);
        let packet = Packet::new(&bytes).unwrap();
        assert_eq!((packet.flag(0), packet.flag(11)), (0xeeff, 0xeeff));
        assert_eq!(packet.azimuth(11), 10_000);
        bytes[1102..1104].copy_from_slice(&36_000_u16.to_le_bytes());
        let packet = Packet::new(&bytes).unwrap();
        assert_eq!(packet.azimuth(11), 0, "a full turn, as real units send it");
        assert_eq!(packet.measurement(11, 31), (0x1234, 9));
        assert_eq!(packet.micros(), 0x0403_0201);
        assert_eq!((packet.mode(), packet.product()), (0x37, 0x22));
    }

    #[test]
    fn other_lengths_and_beginnings_are_refused_with_what_was_found() {
        for length in [0, 512, 1205, 1207] {
            let said = Packet::new(&vec![0; length]).unwrap_err();
            assert_eq!(said, format!("expected 1206 bytes, found {length}"));
        }
        let said = Packet::new(&[0; LENGTH]).unwrap_err();
        assert_eq!(said, "expected a block that begins 0xeeff, found 0x0000");
    }
}
