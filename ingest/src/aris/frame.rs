//! One frame: a header of 1024 bytes, of which the fields that are used are read, and its samples.
//!
//! Offsets: `type-definitions/C/FrameHeader.h` of SoundMetrics/aris-file-sdk.

use crate::survey::detections::WATER_M_PER_S;
use crate::survey::fields::Fields;
use crate::survey::walk::Framing;

/// Bytes of the file's header, and of each frame's.
pub(super) const HEADER: usize = 1024;
/// What a file begins with, and what stands in each frame's header.
pub(super) const MARK: [u8; 4] = *b"DDF\x05";
/// Where in a frame's header the mark stands, and the fields that tell its length.
const MARK_AT: usize = 12;
const PING_MODE: usize = 436;
const SAMPLES: usize = 468;
/// Samples of a beam at most; devices have up to 4096.
const MOST_SAMPLES: u32 = 16_384;

/// One image and what its header says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Its number in the file, from 0.
    pub number: u32,
    /// When the host recorded it, in microseconds since 1970.
    pub recorded_us: u64,
    /// The sonar's own time, in microseconds since 1970.
    pub sonar_us: u64,
    /// Which beams are formed and sent how, 1 to 12.
    pub ping_mode: u32,
    /// The higher of the sonar's two frequencies.
    pub high: bool,
    /// Gain of the receiver, in dB.
    pub gain_db: u32,
    /// Length of the pulse, in microseconds.
    pub pulse_us: u32,
    /// From one sample to the next, in microseconds.
    pub period_us: u32,
    /// From the transmission to the first sample, in microseconds.
    pub delay_us: u32,
    /// Whether it transmitted.
    pub transmitted: bool,
    /// Of the water, from its temperature, depth and salinity, in m/s.
    pub sound_speed_m_per_s: f32,
    /// Of the water, in °C.
    pub water_deg_c: f32,
    /// 0 fresh, 15 brackish, 35 salt.
    pub salinity: u32,
    /// Start and length of the window as the header states them, in metres; not used: they differ from its timing.
    pub window_m: [f32; 2],
    /// Whether the telephoto lens is in front.
    pub telephoto: bool,
    /// 0 an ARIS 1800, 1 a 3000, 2 a 1200.
    pub system: u32,
    /// The number on its housing.
    pub serial: u32,
    /// Version of its program: major, minor.
    pub version: [u16; 2],
    /// Of each beam.
    pub samples: usize,
    /// How many.
    pub beams: usize,
    /// Echo strengths, 0 to 255 for 0 to 80 dB: beam after beam, each from near to far.
    pub strengths: Vec<u8>,
}

/// Beams of a ping mode (`common-code/FrameFuncs.c`).
fn beams_of(ping_mode: u32) -> Option<usize> {
    match ping_mode {
        1 | 2 => Some(48),
        3..=5 => Some(96),
        6..=8 => Some(64),
        9..=12 => Some(128),
        _ => None,
    }
}

/// A file's frames.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Aris;

impl Framing for Aris {
    const HEAD: usize = SAMPLES + 4;
    const TAIL: usize = 0;
    const OPEN: bool = true;

    fn length(&self, head: &[u8]) -> Option<u64> {
        let field = |at: usize| {
            head.get(at..at + 4)?
                .first_chunk()
                .map(|four| u32::from_le_bytes(*four))
        };
        if !head.get(MARK_AT..)?.starts_with(&MARK) {
            return None;
        }
        let beams = beams_of(field(PING_MODE)?)? as u64;
        let samples = field(SAMPLES).filter(|samples| (1..=MOST_SAMPLES).contains(samples))?;
        Some(HEADER as u64 + beams * u64::from(samples))
    }

    fn closes(&self, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn holds(&self, _: &[u8]) -> bool {
        true
    }
}

/// Reads a whole frame.
///
/// # Errors
/// If it is cut, or holds what cannot be.
pub(super) fn read(whole: &[u8]) -> Result<Frame, String> {
    let at = |place: usize| Fields::little(whole, place);
    let ping_mode = at(PING_MODE).u32()?;
    let beams =
        beams_of(ping_mode).ok_or_else(|| format!("expected a ping mode of 1 to 12, found {ping_mode}"))?;
    let samples = at(SAMPLES).u32()? as usize;
    let sound_speed_m_per_s = at(464).f32()?;
    if !WATER_M_PER_S.contains(&f64::from(sound_speed_m_per_s)) {
        let (least, most) = WATER_M_PER_S.into_inner();
        return Err(format!(
            "expected a speed of sound of {least} to {most} m/s, found {sound_speed_m_per_s}"
        ));
    }
    let period_us = at(452).u32()?;
    if !(1..=1000).contains(&period_us) {
        return Err(format!(
            "expected 1 to 1000 µs from sample to sample, found {period_us}"
        ));
    }
    let delay_us = at(476).u32()?;
    if delay_us > 1_000_000 {
        return Err(format!(
            "expected samples within a second of the transmission, found {delay_us} µs"
        ));
    }
    if at(516).u32()? == 0 {
        return Err("expected samples in the order of beams, found them as the sonar sends them: files that ARIScope \
                    records are in order"
            .into());
    }
    let image = at(HEADER).take(beams * samples)?;
    // Sent from its right-most beam to the left, sample after sample.
    let beam = |beam: usize| image.iter().skip(beam).step_by(beams).copied();
    Ok(Frame {
        number: at(0).u32()?,
        recorded_us: micros(at(4))?,
        sonar_us: micros(at(20))?,
        ping_mode,
        high: at(440).u32()? == 1,
        gain_db: at(68).u32()?,
        pulse_us: at(444).u32()?,
        period_us,
        delay_us,
        transmitted: at(456).u32()? != 0,
        sound_speed_m_per_s,
        water_deg_c: at(224).f32()?,
        salinity: at(520).u32()?,
        window_m: [at(52).f32()?, at(56).f32()?],
        telephoto: at(480).u32()? == 1,
        system: at(484).u32()?,
        serial: at(488).u32()?,
        version: [at(704).u16()?, at(706).u16()?],
        samples,
        beams,
        strengths: (0..beams).flat_map(beam).collect(),
    })
}

fn micros(mut fields: Fields<'_>) -> Result<u64, String> {
    let (low, high) = (fields.u32()?, fields.u32()?);
    Ok(u64::from(high) << 32 | u64::from(low))
}
