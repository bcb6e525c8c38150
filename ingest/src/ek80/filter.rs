//! `FIL1`: the receiver's filter stages.
//!
//! `i16 stage | 2 spare | 128 characters of channel id | i16 coefficients | i16 decimation |
//! complex f32 coefficients`. The first spare byte is the filter's type in newer versions.

use beluga_types::FilterStage;

use super::bytes::{f32_at, i16_at, text};

/// Bytes before the coefficients.
const HEAD: usize = 136;

/// A stage of one channel's receiver.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StageOf {
    pub(super) channel: String,
    /// Counted from 1.
    pub(super) number: i16,
    pub(super) stage: FilterStage,
}

/// Reads the body of a datagram; what is wrong with it, if it is none.
pub(super) fn read(body: &[u8]) -> Result<StageOf, String> {
    let short = || {
        format!(
            "expected {HEAD} bytes and the coefficients, found {} bytes",
            body.len()
        )
    };
    let channel = text(body.get(4..132).ok_or_else(short)?);
    let [number, taps, decimation] = [0, 132, 134].map(|at| i16_at(body, at));
    let (number, taps, decimation) = (
        number.ok_or_else(short)?,
        taps.ok_or_else(short)?,
        decimation.ok_or_else(short)?,
    );
    let coefficients = usize::try_from(taps)
        .ok()
        .and_then(|taps| {
            (0..taps)
                .map(|tap| Some([f32_at(body, HEAD + 8 * tap)?, f32_at(body, HEAD + 8 * tap + 4)?]))
                .collect()
        })
        .ok_or_else(|| {
            format!(
                "expected {taps} coefficients, found {} bytes of them",
                body.len() - HEAD
            )
        })?;
    Ok(StageOf {
        channel,
        number,
        stage: FilterStage {
            coefficients,
            decimation: u32::try_from(decimation).unwrap_or(0),
        },
    })
}
