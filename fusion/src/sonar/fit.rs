//! Whether a pulse and the samples of a ping fit each other.

use beluga_types::{Pulse, PulseKind};

/// Replicas longer than this are refused: 2^22 samples are 64 MB of plan.
const LONGEST_REPLICA: f64 = (1 << 22) as f64;

/// Why a waveform cannot be compressed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The pulse is swept over frequencies the samples cannot hold.
    #[error("pulse spans {low_hz} to {high_hz} Hz, but the samples hold {from_hz} to {to_hz} Hz")]
    Band {
        /// Lowest frequency of the pulse.
        low_hz: f64,
        /// Highest frequency of the pulse.
        high_hz: f64,
        /// Lowest frequency of the samples.
        from_hz: f64,
        /// Highest frequency of the samples.
        to_hz: f64,
    },
    /// The pulse's numbers are not those of a pulse.
    #[error("pulse from {start_hz} to {end_hz} Hz of {duration_s} s, expected finite numbers above zero")]
    Pulse {
        /// Frequency at the start.
        start_hz: f64,
        /// Frequency at the end.
        end_hz: f64,
        /// Length.
        duration_s: f64,
    },
    /// The pulse behind the receiver's stages would take too long to compute.
    #[error(
        "pulse has {samples} samples behind the receiver and takes {products} products, expected less than 16384 and 2^28"
    )]
    Receiver {
        /// Samples behind the last stage.
        samples: f64,
        /// Products of all stages.
        products: f64,
    },
    /// The ping ends before one pulse length has passed.
    #[error("ping has {found} samples, but its pulse alone has {expected}")]
    Short {
        /// Samples of the ping.
        found: usize,
        /// Samples of the pulse.
        expected: usize,
    },
}

/// How samples were taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Samples per second.
    pub rate_hz: f64,
    /// Carrier of I/Q samples; zero for real ones.
    pub centre_hz: f64,
    /// Whether they are I/Q.
    pub iq: bool,
    /// How many there are in one channel.
    pub samples: usize,
}

/// Whether there is a pulse in the numbers, and room for it in the ping.
pub(super) fn check(pulse: &Pulse, sampling: &Sampling) -> Result<(), Unfit> {
    let (start_hz, end_hz, duration_s) = (pulse.start_hz, pulse.end_hz, pulse.duration_s);
    let length = duration_s * sampling.rate_hz;
    let numbers = [start_hz, end_hz, duration_s]
        .iter()
        .all(|value| value.is_finite() && *value > 0.0);
    let swept = pulse.kind == PulseKind::Cw || start_hz != end_hz;
    if !(numbers && swept && length.is_finite() && length < LONGEST_REPLICA) {
        return Err(Unfit::Pulse {
            start_hz,
            end_hz,
            duration_s,
        });
    }
    let expected = length.ceil() as usize;
    if sampling.samples < expected.max(2) {
        return Err(Unfit::Short {
            found: sampling.samples,
            expected,
        });
    }
    Ok(())
}

/// Whether the samples hold every frequency of the pulse.
pub(super) fn check_band(pulse: &Pulse, sampling: &Sampling) -> Result<(), Unfit> {
    let half_band = 0.5 * pulse.bandwidth_hz();
    let (low_hz, high_hz) = (pulse.centre_hz() - half_band, pulse.centre_hz() + half_band);
    let (from_hz, to_hz) = if sampling.iq {
        let half = 0.5 * sampling.rate_hz;
        (sampling.centre_hz - half, sampling.centre_hz + half)
    } else {
        (0.0, 0.5 * sampling.rate_hz)
    };
    if low_hz < from_hz - 1.0 || high_hz > to_hz + 1.0 {
        return Err(Unfit::Band {
            low_hz,
            high_hz,
            from_hz,
            to_hz,
        });
    }
    Ok(())
}
