//! What a pixel holds: a table of fields for each profile.
//!
//! Facts from Ouster's public SDK 1.0 (`ouster_core/src/parsing.cpp`, `data_format.cpp`, BSD-3) and
//! the sensor's manual, chapter on the lidar data format.

/// A number in a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Range of the first (strongest) return, in mm; 0 is none.
    Range,
    /// Flags of the first return.
    Flags,
    /// Calibrated reflectivity of the first return, 0 to 255.
    Reflectivity,
    /// Photons of the first return.
    Signal,
    /// Range of the second return, in mm; 0 is none.
    Range2,
    /// Flags of the second return.
    Flags2,
    /// Calibrated reflectivity of the second return, 0 to 255.
    Reflectivity2,
    /// Photons of the second return.
    Signal2,
    /// Sunlight, in photons.
    NearIr,
    /// Blockage of the window, 0 to 255.
    Window,
}

/// Where a field lies in a pixel. None crosses a word of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    word: usize,
    shift: u32,
    mask: u32,
    /// The wire leaves out as many low bits.
    upshift: u32,
}

impl Place {
    const fn new(first_bit: u32, bits: u32, upshift: u32) -> Self {
        Self {
            word: (first_bit / 32) as usize,
            shift: first_bit % 32,
            mask: u32::MAX >> (32 - bits),
            upshift,
        }
    }

    /// The field of a pixel, 0 if the pixel is too short for it.
    #[inline]
    pub fn of(self, pixel: &[u8]) -> u32 {
        let bytes = pixel.get(self.word * 4..).and_then(<[u8]>::first_chunk::<4>);
        let word = bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
        ((word >> self.shift) & self.mask) << self.upshift
    }

    /// Writes the field of a pixel, as far as its bits go; one that is too short for it stays as it is.
    pub(super) fn put(self, pixel: &mut [u8], value: u32) {
        if let Some(bytes) = pixel
            .get_mut(self.word * 4..)
            .and_then(<[u8]>::first_chunk_mut::<4>)
        {
            let others = u32::from_le_bytes(*bytes) & !(self.mask << self.shift);
            let own = ((value >> self.upshift) & self.mask) << self.shift;
            *bytes = (others | own).to_le_bytes();
        }
    }
}

type Table = &'static [(Field, Place)];

const fn at(field: Field, first_bit: u32, bits: u32) -> (Field, Place) {
    (field, Place::new(first_bit, bits, 0))
}

const fn coarse(field: Field, first_bit: u32, bits: u32, upshift: u32) -> (Field, Place) {
    (field, Place::new(first_bit, bits, upshift))
}

const LEGACY: Table = &[
    at(Field::Range, 0, 20),
    at(Field::Flags, 28, 4),
    at(Field::Reflectivity, 32, 8),
    at(Field::Signal, 48, 16),
    at(Field::NearIr, 64, 16),
];

const SINGLE: Table = &[
    at(Field::Range, 0, 19),
    at(Field::Flags, 19, 5),
    at(Field::Reflectivity, 32, 8),
    at(Field::Signal, 48, 16),
    at(Field::NearIr, 64, 16),
    at(Field::Window, 88, 8),
];

const DUAL: Table = &[
    at(Field::Range, 0, 19),
    at(Field::Flags, 19, 5),
    at(Field::Reflectivity, 24, 8),
    at(Field::Range2, 32, 19),
    at(Field::Flags2, 51, 5),
    at(Field::Reflectivity2, 56, 8),
    at(Field::Signal, 64, 16),
    at(Field::Signal2, 80, 16),
    at(Field::NearIr, 96, 16),
    at(Field::Window, 120, 8),
];

/// As [`DUAL`], with a fifth word that is not described.
const FIVE_WORDS: Table = &[
    at(Field::Range, 0, 19),
    at(Field::Flags, 19, 5),
    at(Field::Reflectivity, 24, 8),
    at(Field::Range2, 32, 19),
    at(Field::Flags2, 51, 5),
    at(Field::Reflectivity2, 56, 8),
    at(Field::Signal, 64, 16),
    at(Field::Signal2, 80, 16),
    at(Field::NearIr, 96, 16),
];

const LOW: Table = &[
    coarse(Field::Range, 0, 15, 3),
    at(Field::Flags, 15, 1),
    at(Field::Reflectivity, 16, 8),
    coarse(Field::NearIr, 24, 8, 4),
];

const LOW_DUAL: Table = &[
    coarse(Field::Range, 0, 15, 3),
    at(Field::Flags, 15, 1),
    at(Field::Reflectivity, 16, 8),
    coarse(Field::NearIr, 24, 8, 4),
    coarse(Field::Range2, 32, 15, 3),
    at(Field::Flags2, 47, 1),
    at(Field::Reflectivity2, 48, 8),
    at(Field::Window, 56, 8),
];

/// How a pixel is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
    pixel_bytes: usize,
    table: Table,
}

impl Profile {
    /// Every profile that is known.
    pub const ALL: [Profile; 7] = [
        Profile::new("LEGACY", 12, LEGACY),
        Profile::new("RNG19_RFL8_SIG16_NIR16", 12, SINGLE),
        Profile::new("RNG19_RFL8_SIG16_NIR16_DUAL", 16, DUAL),
        Profile::new("RNG15_RFL8_NIR8", 4, LOW),
        Profile::new("RNG15_RFL8_NIR8_DUAL", 8, LOW_DUAL),
        Profile::new("FIVE_WORD_PIXEL", 20, FIVE_WORDS),
        Profile::new("FUSA_RNG15_RFL8_NIR8_DUAL", 8, LOW_DUAL),
    ];

    const fn new(name: &'static str, pixel_bytes: usize, table: Table) -> Self {
        Self {
            name,
            pixel_bytes,
            table,
        }
    }

    /// The profile with this name in the metadata, if it is known.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// The names of all that are known, for messages.
    pub fn names() -> String {
        Self::ALL.map(|profile| profile.name).join(", ")
    }

    /// Its name in the metadata.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Bytes of a pixel.
    pub fn pixel_bytes(self) -> usize {
        self.pixel_bytes
    }

    /// Whether packets are those of firmware before 2.2: no header, and each column has its own.
    pub fn is_legacy(self) -> bool {
        self.name == "LEGACY"
    }

    /// Whether packets have the header of functional safety where the metadata does not say.
    pub fn is_fusa(self) -> bool {
        self.name.starts_with("FUSA")
    }

    /// Where a field lies, nothing if a pixel has none.
    pub fn place(self, field: Field) -> Option<Place> {
        let found = self.table.iter().find(|(known, _)| *known == field);
        found.map(|(_, place)| *place)
    }

    /// The fields of a pixel.
    pub fn fields(self) -> impl Iterator<Item = (Field, Place)> {
        self.table.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_crosses_a_word_or_the_pixel() {
        for profile in Profile::ALL {
            for (field, place) in profile.fields() {
                assert!(
                    place.word * 4 + 4 <= profile.pixel_bytes(),
                    "{} {field:?}",
                    profile.name
                );
                let bits = place.mask.count_ones();
                assert!(place.shift + bits <= 32, "{} {field:?}", profile.name);
            }
        }
    }

    #[test]
    fn fields_stand_where_the_table_says() {
        // Range 0x7fff without its low three bits, flag, reflectivity 0x21, sunlight 0x43.
        let pixel = [0xff, 0xff, 0x21, 0x43];
        let low = Profile::named("RNG15_RFL8_NIR8").unwrap();
        let of = |field| low.place(field).unwrap().of(&pixel);
        assert_eq!(of(Field::Range), 0x7fff * 8);
        assert_eq!(of(Field::Flags), 1);
        assert_eq!(of(Field::Reflectivity), 0x21);
        assert_eq!(of(Field::NearIr), 0x430);
        assert_eq!(low.place(Field::Range2), None);

        let mut pixel = [0; 16];
        pixel[0..4].copy_from_slice(&0x12_f8_ff_ff_u32.to_le_bytes());
        pixel[4..8].copy_from_slice(&0x34_08_00_01_u32.to_le_bytes());
        pixel[8..12].copy_from_slice(&0xbbbb_aaaa_u32.to_le_bytes());
        let dual = Profile::named("RNG19_RFL8_SIG16_NIR16_DUAL").unwrap();
        let of = |field| dual.place(field).unwrap().of(&pixel);
        assert_eq!((of(Field::Range), of(Field::Flags)), (0xffff, 0x1f));
        assert_eq!((of(Field::Reflectivity), of(Field::Reflectivity2)), (0x12, 0x34));
        assert_eq!((of(Field::Range2), of(Field::Flags2)), (1, 1));
        assert_eq!((of(Field::Signal), of(Field::Signal2)), (0xaaaa, 0xbbbb));
    }

    #[test]
    fn what_is_put_is_found_and_nothing_beside_it_changes() {
        for profile in Profile::ALL {
            for (field, place) in profile.fields() {
                let mut pixel = vec![0xa5; profile.pixel_bytes()];
                let before: Vec<u32> = profile.fields().map(|(_, place)| place.of(&pixel)).collect();
                let value = (0x1234_5678 & place.mask) << place.upshift;
                place.put(&mut pixel, value);
                for ((other, place), before) in profile.fields().zip(before) {
                    let expected = if other == field { value } else { before };
                    assert_eq!(place.of(&pixel), expected, "{} {field:?} {other:?}", profile.name);
                }
                place.put(&mut [0; 3], value);
            }
        }
    }

    #[test]
    fn a_pixel_that_is_too_short_has_nothing() {
        let dual = Profile::named("FIVE_WORD_PIXEL").unwrap();
        assert_eq!(dual.place(Field::NearIr).unwrap().of(&[0xff; 14]), 0);
    }
}
