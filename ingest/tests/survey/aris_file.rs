//! A writer of small ARIS files, for tests: byte by byte as `FileHeader.h` and `FrameHeader.h` lay them out.

use crate::xtf_file::Sheet;

/// What a frame of the tests has: ping mode 1, 48 beams, so many samples.
pub(crate) const BEAMS: usize = 48;
pub(crate) const SAMPLES: usize = 5;
/// Microseconds since 1970 of the first frame.
pub(crate) const START_US: u64 = 1_371_198_079_000_000;

/// How a frame is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) number: u32,
    pub(crate) mode: u32,
    pub(crate) speed: f32,
    pub(crate) ordered: u32,
    pub(crate) telephoto: u32,
    pub(crate) period_us: u32,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            number: 0,
            mode: 1,
            speed: 1436.0,
            ordered: 1,
            telephoto: 0,
            period_us: 14,
        }
    }
}

/// The strength of a sample and beam.
pub(crate) fn strength(sample: usize, beam: usize) -> u8 {
    (sample * BEAMS + beam) as u8
}

/// One frame, an eighth of a second after the one before.
pub(crate) fn frame(made: &Made) -> Vec<u8> {
    let beams = [0, 48, 48, 96, 96, 96, 64, 64, 64, 128, 128, 128, 128][made.mode.min(12) as usize];
    let mut sheet = Sheet::new(1024 + beams * SAMPLES)
        .u32(0, made.number)
        .put(4, &(START_US + 125_000 * u64::from(made.number)).to_le_bytes())
        .put(12, b"DDF\x05")
        .put(20, &(START_US + 1_700_000).to_le_bytes())
        .f32(52, 3.4)
        .f32(56, 0.06)
        .u32(68, 24)
        .f32(224, 9.0)
        .u32(436, made.mode)
        .u32(440, 1)
        .u32(444, 12)
        .u32(452, made.period_us)
        .u32(456, 1)
        .f32(464, made.speed)
        .u32(468, SAMPLES as u32)
        .u32(476, 4593)
        .u32(480, made.telephoto)
        .u32(484, 2)
        .u32(488, 1098)
        .u32(516, made.ordered)
        .u16(704, 2)
        .u16(706, 6);
    for sample in 0..SAMPLES {
        for beam in 0..beams {
            sheet = sheet.put(1024 + sample * beams + beam, &[strength(sample, beam)]);
        }
    }
    sheet.0
}

/// A file's header.
pub(crate) fn header() -> Vec<u8> {
    Sheet::new(1024).put(0, b"DDF\x05").0
}

/// Three frames.
pub(crate) fn small() -> Vec<u8> {
    let of = |number| {
        frame(&Made {
            number,
            ..Made::default()
        })
    };
    [header(), of(0), of(1), of(2)].concat()
}
