//! Pulse compression: correlation with the transmitted pulse, block by block in frequency.

use std::sync::Arc;

use beluga_types::{Pulse, PulseKind};
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::config::ReplicaWindow;
use super::replica::Replica;
pub use super::replica::Sidelobes;

/// Replicas longer than this are refused: 2^22 samples are 64 MB of plan.
const LONGEST_REPLICA: f64 = (1 << 22) as f64;

/// Extra samples thrown away at a block's ends when the output is interpolated.
const INTERPOLATION_MARGIN: usize = 16;

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

/// A matched filter for one pulse and one way of sampling; made once, used for every ping.
///
/// Overlap-save in blocks of about four replicas. An echo of amplitude *a* comes out as a complex
/// peak of magnitude *a* at its two-way time, because the replica is centred. The quadrature
/// replica has finite support, so block borders leave no trace and real input gives the complex
/// envelope in the same pass. Range–Doppler coupling of a swept pulse is not corrected: at 2 m/s
/// closing speed, 50 kHz over 5 ms at 200 kHz moves an echo by 4 cm.
pub struct MatchedFilter {
    forward: Forward,
    inverse: Arc<dyn Fft<f32>>,
    /// Conjugate spectrum of the replica, scaled so that all that is left is to multiply.
    replica: Vec<Complex<f32>>,
    block: usize,
    skip: usize,
    interpolation: usize,
    sampling: Sampling,
    width_s: f64,
    sidelobes: Sidelobes,
    mismatch_loss_db: f64,
    cell: usize,
    edge: usize,
}

enum Forward {
    Real(Arc<dyn RealToComplex<f32>>),
    Iq(Arc<dyn Fft<f32>>),
}

/// Memory of one worker, kept from ping to ping.
#[derive(Default)]
pub struct Scratch {
    real: Vec<f32>,
    half: Vec<Complex<f32>>,
    input: Vec<Complex<f32>>,
    output: Vec<Complex<f32>>,
    inner: Vec<Complex<f32>>,
}

impl MatchedFilter {
    /// A filter for this pulse.
    ///
    /// # Errors
    /// [`Unfit`] if there is no pulse in the numbers, the samples cannot hold it, or the ping is
    /// shorter than it.
    pub fn new(pulse: &Pulse, sampling: Sampling, window: ReplicaWindow) -> Result<Self, Unfit> {
        check(pulse, &sampling)?;
        let replica = Replica::new(pulse, window, sampling.rate_hz, sampling.centre_hz);
        let half = replica.weighted.len() / 2;
        // Power has twice the band of the samples: interpolate where it would be aliased.
        let interpolation = if sampling.rate_hz < 2.0 * pulse.bandwidth_hz() {
            2
        } else {
            1
        };
        let skip = half
            + if interpolation > 1 {
                INTERPOLATION_MARGIN
            } else {
                0
            };
        let whole = sampling.samples + 2 * skip;
        let block = smooth_length((4 * (2 * skip + 1)).max(256).min(whole));
        let mut planner = FftPlanner::new();
        let forward = if sampling.iq {
            Forward::Iq(planner.plan_fft_forward(block))
        } else {
            Forward::Real(RealFftPlanner::new().plan_fft_forward(block))
        };
        // A real echo is half of its complex twin.
        let twin = if sampling.iq { 1.0 } else { 2.0 };
        let spectrum = replica_spectrum(&replica, block, twin);
        let cell = (replica.independent_step() * interpolation).max(1);
        Ok(Self {
            forward,
            inverse: planner.plan_fft_inverse(block * interpolation),
            replica: spectrum,
            block,
            skip,
            interpolation,
            sampling,
            width_s: replica.width_s,
            sidelobes: replica.sidelobes,
            mismatch_loss_db: replica.mismatch_loss_db(),
            cell,
            edge: half * interpolation,
        })
    }

    /// Samples of the output: those of the input, or twice as many where power would be aliased.
    pub fn output_samples(&self) -> usize {
        self.sampling.samples * self.interpolation
    }

    /// Output samples per second.
    pub fn output_rate_hz(&self) -> f64 {
        self.sampling.rate_hz * self.interpolation as f64
    }

    /// Full width of the compressed pulse at -3 dB, in seconds of two-way time.
    pub fn width_s(&self) -> f64 {
        self.width_s
    }

    /// Sidelobes of the compressed pulse in range.
    pub fn sidelobes(&self) -> Sidelobes {
        self.sidelobes
    }

    /// Signal to noise given away by the window, in dB.
    pub fn mismatch_loss_db(&self) -> f64 {
        self.mismatch_loss_db
    }

    /// Output samples from one cell of noise to the next independent one.
    pub fn cell_samples(&self) -> usize {
        self.cell
    }

    /// Output samples at either end in which the replica hangs over the recording.
    pub fn edge_samples(&self) -> usize {
        self.edge
    }

    /// Compresses one channel. `output` is cleared and filled with [`Self::output_samples`]; sample
    /// `i` is at the time of input sample `i` (or `i / 2` where the output is interpolated).
    pub fn compress(&self, channel: &[[f32; 2]], scratch: &mut Scratch, output: &mut Vec<Complex<f32>>) {
        scratch.fit(self);
        output.clear();
        let samples = channel.len().min(self.sampling.samples);
        let valid = self.block - 2 * self.skip;
        let mut first = 0;
        while first < samples {
            let take = valid.min(samples - first);
            self.transform(channel, first, scratch);
            let inner = &mut scratch.inner[..self.inverse.get_inplace_scratch_len()];
            self.inverse.process_with_scratch(&mut scratch.output, inner);
            let from = if self.interpolation > 1 {
                INTERPOLATION_MARGIN * self.interpolation
            } else {
                0
            };
            output.extend_from_slice(&scratch.output[from..from + take * self.interpolation]);
            first += take;
        }
    }

    /// Spectrum of the block whose first valid output is `first`, times the replica's.
    fn transform(&self, channel: &[[f32; 2]], first: usize, scratch: &mut Scratch) {
        let Scratch {
            real,
            half,
            input,
            output,
            inner,
        } = scratch;
        let before = self.skip.saturating_sub(first);
        let start = (first + before).saturating_sub(self.skip);
        let stop = (first + self.block - self.skip).min(channel.len());
        let present = &channel[start.min(stop)..stop];
        match &self.forward {
            Forward::Iq(fft) => {
                input.fill(Complex::new(0.0, 0.0));
                for (slot, &[re, im]) in input[before..].iter_mut().zip(present) {
                    *slot = Complex::new(re, im);
                }
                fft.process_with_scratch(input, &mut inner[..fft.get_inplace_scratch_len()]);
            }
            Forward::Real(fft) => {
                real.fill(0.0);
                for (slot, &[re, _]) in real[before..].iter_mut().zip(present) {
                    *slot = re;
                }
                fft.process_with_scratch(real, half, &mut inner[..fft.get_scratch_len()])
                    .expect("the buffers were made for this plan");
                let bins = half.len();
                input[..bins].copy_from_slice(half);
                for bin in bins..self.block {
                    input[bin] = half[self.block - bin].conj();
                }
            }
        }
        let upper = self.block.div_ceil(2);
        let shift = output.len() - self.block;
        output.fill(Complex::new(0.0, 0.0));
        for (bin, (x, h)) in input.iter().zip(&self.replica).enumerate() {
            let place = if bin < upper { bin } else { bin + shift };
            output[place] = x * h;
        }
    }
}

impl Scratch {
    fn fit(&mut self, filter: &MatchedFilter) {
        let zero = Complex::new(0.0, 0.0);
        let needed = match &filter.forward {
            Forward::Real(fft) => {
                self.real.resize(filter.block, 0.0);
                self.half.resize(filter.block / 2 + 1, zero);
                fft.get_scratch_len()
            }
            Forward::Iq(fft) => fft.get_inplace_scratch_len(),
        };
        self.input.resize(filter.block, zero);
        self.output.resize(filter.block * filter.interpolation, zero);
        let inner = needed.max(filter.inverse.get_inplace_scratch_len());
        if self.inner.len() < inner {
            self.inner.resize(inner, zero);
        }
    }
}

/// `conj(H)` of the replica that starts with the block, scaled by its gain and the length of the
/// transforms.
fn replica_spectrum(replica: &Replica, block: usize, twin: f64) -> Vec<Complex<f32>> {
    let mut spectrum = vec![Complex::new(0.0f64, 0.0); block];
    spectrum[..replica.weighted.len()].copy_from_slice(&replica.weighted);
    FftPlanner::<f64>::new()
        .plan_fft_forward(block)
        .process(&mut spectrum);
    let scale = Complex::new(twin / block as f64, 0.0) / replica.gain();
    spectrum
        .iter()
        .map(|h| h.conj() * scale)
        .map(|h| Complex::new(h.re as f32, h.im as f32))
        .collect()
}

/// The smallest even length of at least `least` with no prime factor above five.
fn smooth_length(least: usize) -> usize {
    (least.max(2)..)
        .find(|&length| {
            let mut rest = length;
            for prime in [2, 3, 5] {
                while rest % prime == 0 {
                    rest /= prime;
                }
            }
            rest == 1 && length % 2 == 0
        })
        .expect("there is always a larger power of two")
}

fn check(pulse: &Pulse, sampling: &Sampling) -> Result<(), Unfit> {
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

#[cfg(test)]
mod tests;
