//! A writer of small Humminbird recordings, for tests: byte by byte as PINGMapper's `BinaryStructure.md` lays them out.

/// Samples of a ping of the tests: more than a header has bytes.
pub(crate) const SAMPLES: usize = 200;

/// How a record is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) number: u32,
    pub(crate) millis: u32,
    pub(crate) place_m: [i32; 2],
    /// In tenths of a degree; with the flag that it holds.
    pub(crate) heading: [u16; 2],
    pub(crate) beam: u8,
    /// 67 of the 900 series, 72 of an 1100 or Helix, 152 of a Solix.
    pub(crate) header: usize,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            number: 3,
            millis: 41,
            place_m: [-12_414_199, 4_396_652],
            heading: [1, 1977],
            beam: 1,
            header: 67,
        }
    }
}

/// One record.
pub(crate) fn record(made: &Made) -> Vec<u8> {
    let mut bytes = vec![0xc0, 0xde, 0xab, 0x21];
    let mut four = |tag: u8, value: u32| {
        bytes.push(tag);
        bytes.extend(value.to_be_bytes());
    };
    four(0x80, made.number);
    four(0x81, made.millis);
    four(0x82, made.place_m[0] as u32);
    four(0x83, made.place_m[1] as u32);
    four(
        0x84,
        u32::from(made.heading[0]) << 16 | u32::from(made.heading[1]),
    );
    four(0x85, 1 << 16 | 27);
    if made.header > 67 {
        four(0x86, 0);
    }
    four(0x87, 18);
    if made.header == 152 {
        (0x88..=0x8f).for_each(|tag| four(tag, 0xa1b2_c3d4));
    }
    bytes.extend([0x50, made.beam, 0x51, 10, 0x92]);
    bytes.extend(200_000u32.to_be_bytes());
    bytes.extend([0x53, 4, 0x54, 1, 0x95, 0, 0, 0, 26, 0x56, 47, 0x57, 57]);
    if made.header == 152 {
        for tag in 0x98..=0x9f {
            bytes.push(tag);
            bytes.extend(75u32.to_be_bytes());
        }
    }
    bytes.push(0xa0);
    bytes.extend((SAMPLES as u32).to_be_bytes());
    bytes.push(0x21);
    assert_eq!(bytes.len(), made.header);
    bytes.extend((0..SAMPLES).map(|sample| sample as u8));
    bytes
}

/// Three records, of which the second is where the first was.
pub(crate) fn small() -> Vec<u8> {
    let of = |number: u32, millis, place_m| {
        record(&Made {
            number,
            millis,
            place_m,
            ..Made::default()
        })
    };
    let here = Made::default().place_m;
    [
        of(3, 41, here),
        of(9, 133, here),
        of(15, 220, [here[0] + 2, here[1] + 1]),
    ]
    .concat()
}

/// The index of records that are all as long.
pub(crate) fn index(times: &[u32]) -> Vec<u8> {
    let length = record(&Made::default()).len() as u32;
    let entry =
        |(number, millis): (u32, &u32)| [millis.to_be_bytes(), (number * length).to_be_bytes()].concat();
    (0..).zip(times).flat_map(entry).collect()
}

/// A description: fresh water, begun at 2013-10-24 23:28:44.
pub(crate) fn description() -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..4].copy_from_slice(&[0xc1, 0, 0x7b, 1]);
    bytes[20..24].copy_from_slice(&1_382_657_324u32.to_be_bytes());
    bytes[44..48].copy_from_slice(&16u32.to_be_bytes());
    bytes[48..52].copy_from_slice(&220u32.to_be_bytes());
    bytes
}
