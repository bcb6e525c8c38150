//! Pulse compression: correlation with the transmitted pulse, block by block in frequency.

use std::ops::Range;
use std::sync::Arc;

use beluga_types::elementary::log2;
use beluga_types::{Pulse, Receiver};
use realfft::RealToComplex;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

use super::config::ReplicaWindow;
use super::fft::{PortableFft, Transforms};
pub use super::fit::{Sampling, Unfit};
use super::fit::{check, check_band};
use super::replica::Replica;
pub use super::response::Sidelobes;
use super::response::lowest_bin;
use super::stages;

/// Extra samples thrown away at a block's ends when the output is interpolated.
const INTERPOLATION_MARGIN: usize = 16;

/// A matched filter for one pulse and one way of sampling; made once, used for every ping.
///
/// Overlap-save in blocks of the length that costs least. An echo of amplitude *a* comes out as a complex
/// peak of magnitude *a* at its two-way time, because the replica is centred. The quadrature
/// replica has finite support, so block borders leave no trace and real input gives the complex
/// envelope in the same pass. Range–Doppler coupling of a swept pulse stays in the time: at 2 m/s
/// closing speed, 50 kHz over 5 ms at 200 kHz moves an echo by 4 cm. Where the closing speed is known it is
/// undone, which is where echoes get their places.
pub struct MatchedFilter {
    forward: Forward,
    inverse: Arc<dyn Fft<f32>>,
    /// Conjugate spectrum of the replica, scaled so that all that is left is to multiply.
    replica: Vec<Complex<f32>>,
    block: usize,
    /// Input samples thrown away at a block's start and end.
    skip: [usize; 2],
    /// The lowest of the block's bins, counted from zero frequency, negative below it.
    lowest: i64,
    interpolation: usize,
    sampling: Sampling,
    width_s: f64,
    sidelobes: Sidelobes,
    mismatch_loss_db: f64,
    cell: usize,
    /// Output samples at the start and the end in which the replica hangs over the recording.
    edges: [usize; 2],
    centre_after_s: f64,
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
    pub fn new(
        pulse: &Pulse,
        sampling: Sampling,
        window: ReplicaWindow,
        transforms: Transforms,
    ) -> Result<Self, Unfit> {
        check(pulse, &sampling)?;
        check_band(pulse, &sampling)?;
        let replica = Replica::new(pulse, window, sampling.rate_hz, sampling.centre_hz);
        Ok(Self::of(&replica, pulse, sampling, 0.0, transforms))
    }

    /// A filter for this pulse in samples from behind this receiver, whose rate `sampling` has.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn behind(
        receiver: &Receiver,
        pulse: &Pulse,
        sampling: Sampling,
        window: ReplicaWindow,
        transforms: Transforms,
    ) -> Result<Self, Unfit> {
        check(pulse, &sampling)?;
        if pulse.bandwidth_hz() > sampling.rate_hz {
            check_band(pulse, &sampling)?;
        }
        stages::check(pulse, receiver)?;
        let replica = Replica::received(pulse, window, receiver);
        let turns = pulse.centre_hz() / sampling.rate_hz;
        Ok(Self::of(&replica, pulse, sampling, turns, transforms))
    }

    /// The filter of a replica whose band lies around a frequency of so many sample rates.
    fn of(replica: &Replica, pulse: &Pulse, sampling: Sampling, turns: f64, transforms: Transforms) -> Self {
        let overhang = [replica.centre, replica.weighted.len() - 1 - replica.centre];
        // Power has twice the band of the samples: interpolate where it would be aliased.
        let (interpolation, margin) = match sampling.rate_hz < 2.0 * pulse.bandwidth_hz() {
            true => (2, INTERPOLATION_MARGIN),
            false => (1, 0),
        };
        let skip = overhang.map(|samples| samples + margin);
        let ends = skip[0] + skip[1];
        let block = block_length(sampling.samples, ends);
        let forward = if sampling.iq {
            Forward::Iq(transforms.forward(block))
        } else {
            Forward::Real(transforms.real_forward(block))
        };
        // A real echo is half of its complex twin.
        let twin = if sampling.iq { 1.0 } else { 2.0 };
        Self {
            forward,
            inverse: transforms.inverse(block * interpolation),
            replica: replica_spectrum(replica, block, twin),
            block,
            skip,
            lowest: lowest_bin(turns, block),
            interpolation,
            sampling,
            width_s: replica.width_s,
            sidelobes: replica.sidelobes,
            mismatch_loss_db: replica.mismatch_loss_db(),
            cell: (replica.independent_step() * interpolation).max(1),
            edges: overhang.map(|samples| samples * interpolation),
            centre_after_s: replica.centre_after_s,
        }
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

    /// Output samples for which the whole replica lies in the recording.
    pub fn whole_samples(&self) -> Range<usize> {
        let end = self.output_samples().saturating_sub(self.edges[1]);
        self.edges[0].min(end)..end
    }

    /// From an output sample's time to the centre of the pulse it speaks of, in seconds: zero for a
    /// centred replica, half of the pulse for one behind a receiver.
    pub fn centre_after_s(&self) -> f64 {
        self.centre_after_s
    }

    /// Samples of one block of the overlap-save.
    pub fn block_samples(&self) -> usize {
        self.block
    }

    /// Compresses one channel. `output` is cleared and filled with [`Self::output_samples`]; sample
    /// `i` is at the time of input sample `i` (or `i / 2` where the output is interpolated).
    pub fn compress(&self, channel: &[[f32; 2]], scratch: &mut Scratch, output: &mut Vec<Complex<f32>>) {
        output.clear();
        self.each_block(channel, scratch, |_, values| output.extend_from_slice(values));
    }

    /// The power of [`Self::compress`], without keeping its phase. What of `power` lies beyond the
    /// channel is zero.
    pub fn power(&self, channel: &[[f32; 2]], scratch: &mut Scratch, power: &mut [f32]) {
        self.magnitudes(channel, scratch, power, Complex::norm_sqr);
    }

    /// The envelope of [`Self::compress`]: magnitudes, in the unit of the samples. What of `envelope`
    /// lies beyond the channel is zero.
    pub fn envelope(&self, channel: &[[f32; 2]], scratch: &mut Scratch, envelope: &mut [f32]) {
        self.magnitudes(channel, scratch, envelope, |value| value.norm_sqr().sqrt());
    }

    #[inline(always)]
    fn magnitudes(
        &self,
        channel: &[[f32; 2]],
        scratch: &mut Scratch,
        row: &mut [f32],
        of: impl Fn(&Complex<f32>) -> f32,
    ) {
        let mut filled = 0;
        self.each_block(channel, scratch, |first, values| {
            let row = row.get_mut(first..).unwrap_or_default();
            filled = first + row.len().min(values.len());
            for (slot, value) in row.iter_mut().zip(values) {
                *slot = of(value);
            }
        });
        row[filled..].fill(0.0);
    }

    /// Hands on the output block by block, with the index of its first sample.
    #[inline(always)]
    fn each_block(
        &self,
        channel: &[[f32; 2]],
        scratch: &mut Scratch,
        mut take: impl FnMut(usize, &[Complex<f32>]),
    ) {
        scratch.fit(self);
        let samples = channel.len().min(self.sampling.samples);
        let valid = self.block - self.skip[0] - self.skip[1];
        let margin = match self.interpolation {
            1 => 0,
            times => INTERPOLATION_MARGIN * times,
        };
        let mut first = 0;
        while first < samples {
            let length = valid.min(samples - first) * self.interpolation;
            self.spectrum(channel, first, scratch);
            let inner = &mut scratch.inner[..self.inverse.get_inplace_scratch_len()];
            self.inverse.process_with_scratch(&mut scratch.output, inner);
            take(
                first * self.interpolation,
                &scratch.output[margin..margin + length],
            );
            first += valid;
        }
    }

    /// Fills `scratch.output` with the spectrum of the block whose first valid output is `first`,
    /// times the replica's.
    fn spectrum(&self, channel: &[[f32; 2]], first: usize, scratch: &mut Scratch) {
        let before = self.skip[0].saturating_sub(first);
        let start = (first + before).saturating_sub(self.skip[0]);
        let stop = (first + self.block - self.skip[0]).min(channel.len());
        let present = &channel[start.min(stop)..stop];
        let after = before + present.len();
        let Scratch {
            real,
            half,
            input,
            output,
            inner,
        } = scratch;
        let zero = Complex::new(0.0, 0.0);
        match &self.forward {
            Forward::Iq(fft) => {
                let buffer = if self.interpolation > 1 {
                    &mut *input
                } else {
                    &mut *output
                };
                buffer[..before].fill(zero);
                for (slot, &[re, im]) in buffer[before..after].iter_mut().zip(present) {
                    *slot = Complex::new(re, im);
                }
                buffer[after..].fill(zero);
                fft.process_with_scratch(buffer, &mut inner[..fft.get_inplace_scratch_len()]);
            }
            Forward::Real(fft) => {
                real[..before].fill(0.0);
                for (slot, &[re, _]) in real[before..after].iter_mut().zip(present) {
                    *slot = re;
                }
                real[after..].fill(0.0);
                fft.process_with_scratch(real, half, &mut inner[..fft.get_scratch_len()])
                    .expect("the buffers were made for this plan");
                let buffer = if self.interpolation > 1 {
                    &mut *input
                } else {
                    &mut *output
                };
                let bins = half.len();
                buffer[..bins].copy_from_slice(half);
                // The lower half is the mirror of the upper.
                for (slot, value) in buffer[bins..].iter_mut().rev().zip(&half[1..]) {
                    *slot = value.conj();
                }
            }
        }
        if self.interpolation == 1 {
            for (value, h) in output.iter_mut().zip(&self.replica) {
                *value *= h;
            }
            return;
        }
        // The band keeps together: bins below the lowest are those above it, a sample rate up.
        let first_bin = self.lowest.rem_euclid(self.block as i64) as usize;
        let shift = output.len() - self.block;
        let [below, above] = if self.lowest < 0 { [0, shift] } else { [shift, 0] };
        output.fill(zero);
        for (range, shift) in [(0..first_bin, below), (first_bin..self.block, above)] {
            let shifted = &mut output[range.start + shift..range.end + shift];
            let products = input[range.clone()].iter().zip(&self.replica[range]);
            for (slot, (x, h)) in shifted.iter_mut().zip(products) {
                *slot = x * h;
            }
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
    PortableFft::new(block, FftDirection::Forward).process(&mut spectrum);
    let scale = Complex::new(twin / block as f64, 0.0) / replica.gain();
    spectrum
        .iter()
        .map(|h| h.conj() * scale)
        .map(|h| Complex::new(h.re as f32, h.im as f32))
        .collect()
}

/// The length of block under which `samples` cost least, where `ends` of each block are thrown away.
///
/// Lengths are powers of two times up to three threes, the fastest there are; a block of n costs
/// n log n for its transforms and some for what is done to each sample besides.
fn block_length(samples: usize, ends: usize) -> usize {
    const LEAST: usize = 64;
    const BESIDES: f64 = 4.0;
    let whole = (samples + ends).max(LEAST);
    let mut lengths: Vec<usize> = [1usize, 3, 9, 27]
        .into_iter()
        .flat_map(|odd| (4..48).map(move |power| odd << power))
        .filter(|&length| length >= LEAST && length > ends && length < 4 * whole)
        .collect();
    lengths.sort_unstable();
    let cost = |length: usize| {
        let blocks = samples.max(1).div_ceil(length - ends);
        blocks as f64 * length as f64 * (log2(length as f64) + BESIDES)
    };
    lengths
        .into_iter()
        .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
        .unwrap_or(whole.next_power_of_two())
}

#[cfg(test)]
mod tests;
