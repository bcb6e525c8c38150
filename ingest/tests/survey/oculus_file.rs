//! A writer of small Oculus streams, for tests: byte by byte as `Oculus.h` lays out the two results of a ping.

use crate::xtf_file::Sheet;

/// What a ping of the tests has: 3 beams that are not evenly spaced, 4 ranges of 5 mm.
pub(crate) const BEAMS: usize = 3;
pub(crate) const RANGES: usize = 4;
pub(crate) const BEARINGS: [i16; BEAMS] = [-3000, -500, 3000];

/// How a ping is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) version: u16,
    pub(crate) number: u32,
    /// Seconds since the sonar was switched on, of version 2.
    pub(crate) since_s: f64,
    /// 0 to 3: bytes of a strength, less one.
    pub(crate) size: u8,
    pub(crate) gains: bool,
    pub(crate) speed: f64,
    pub(crate) bearings: [i16; BEAMS],
    pub(crate) ranges: usize,
    /// The strength at a range and beam.
    pub(crate) strength: fn(usize, usize) -> u32,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            version: 0,
            number: 100,
            since_s: 12.5,
            size: 0,
            gains: false,
            speed: 1490.0,
            bearings: BEARINGS,
            ranges: RANGES,
            strength,
        }
    }
}

/// The strength at a range and beam: every one another.
pub(crate) fn strength(range: usize, beam: usize) -> u32 {
    (10 * range + beam + 1) as u32
}

/// One message.
pub(crate) fn ping(made: &Made) -> Vec<u8> {
    let second = made.version == 2;
    let (fields, at) = if second {
        (202, [93 - 4, 97, 145, 153, 161, 190])
    } else {
        (122, [53, 61, 85, 93, 97, 110])
    };
    let [number, frequency, speed, since, size, image] = at;
    let bytes = usize::from(made.size) + 1;
    let offset = fields + 2 * BEAMS + 10;
    let row = BEAMS * bytes + if made.gains { 4 } else { 0 };
    let whole = offset + made.ranges * row;
    let mut sheet = Sheet::new(whole)
        .put(0, b"SO")
        .u16(2, 7892)
        .u16(6, 0x23)
        .u16(8, made.version)
        .u32(10, (whole - 16) as u32)
        .put(16, &[2, 1, 255, 127, if made.gains { 0x1d } else { 0x19 }])
        .f64(21, 0.02)
        .f64(29, 50.0)
        .u32(number, made.number)
        .f64(frequency, 1.2e6)
        // Temperature and pressure of a device that has no sensor for them.
        .f64(frequency + 8, 2.6e-76)
        .f64(frequency + 16, -1.4e194)
        .f64(speed, made.speed)
        .put(size, &[made.size])
        .f64(size + 1, 0.005)
        .u16(size + 9, made.ranges as u16)
        .u16(size + 11, BEAMS as u16)
        .u32(image, offset as u32)
        .u32(image + 4, (made.ranges * row) as u32)
        .u32(image + 8, whole as u32);
    sheet = if second {
        sheet.f64(since, made.since_s)
    } else {
        sheet.u32(since, 3_103_899_264)
    };
    for (beam, bearing) in made.bearings.iter().enumerate() {
        sheet = sheet.put(fields + 2 * beam, &bearing.to_le_bytes());
    }
    for range in 0..made.ranges {
        let mut at = offset + range * row;
        if made.gains {
            sheet = sheet.u32(at, 7000 + range as u32);
            at += 4;
        }
        for beam in 0..BEAMS {
            sheet = sheet.put(
                at + beam * bytes,
                &(made.strength)(range, beam).to_le_bytes()[..bytes],
            );
        }
    }
    sheet.0
}

/// A message that is passed over.
pub(crate) fn other() -> Vec<u8> {
    Sheet::new(20).put(0, b"SO").u16(6, 0xff).u32(10, 4).0
}

/// Three pings of version 1, of which the last but one is lost, and a message of another kind.
pub(crate) fn first() -> Vec<u8> {
    let of = |number| {
        ping(&Made {
            number,
            ..Made::default()
        })
    };
    [of(100), other(), of(101), of(103)].concat()
}

/// Three pings of version 2 with gains and 16 bits.
pub(crate) fn second() -> Vec<u8> {
    let of = |number, since_s| {
        ping(&Made {
            version: 2,
            number,
            since_s,
            size: 1,
            gains: true,
            ..Made::default()
        })
    };
    [of(7, 12.5), of(8, 12.5625), of(9, 12.625)].concat()
}
