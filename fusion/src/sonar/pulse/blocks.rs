//! The filter block by block: overlap-save, at the rate that the output needs.

use std::sync::Arc;

use beluga_types::elementary::log2;
use beluga_types::{Pulse, PulseKind};
use realfft::RealToComplex;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

use super::super::fft::{PortableFft, Transforms};
use super::super::fit::Sampling;
use super::super::replica::Replica;
use super::super::response::lowest_bin;

/// Extra samples thrown away at a block's ends when the output is interpolated.
const INTERPOLATION_MARGIN: usize = 16;

/// At most so many samples become one.
const MOST_DECIMATED: usize = 16;

const ZERO: Complex<f32> = Complex::new(0.0, 0.0);

/// How many samples of the output there are for those of the input; one of both numbers is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// Output samples for each of the input.
    pub(super) interpolation: usize,
    /// Input samples for each of the output.
    pub(super) decimation: usize,
}

impl Rates {
    /// What the pulse's band needs: power has twice the band of the samples and would be aliased below two for each of one
    /// over the bandwidth. What leaves samples of a sweep out keeps two and a half, by which a peak loses half a dB at most
    /// between two of them. The peak of a constant frequency is a corner, and would lose two.
    pub(super) fn needed(pulse: &Pulse, sampling: &Sampling) -> Self {
        let per_band = sampling.rate_hz / pulse.bandwidth_hz();
        let is_enough = |step: usize| pulse.kind == PulseKind::Lfm && per_band / step as f64 >= 2.5;
        let doubled = |step: &usize| Some(2 * step).filter(|&step| step <= MOST_DECIMATED && is_enough(step));
        Self {
            // Real samples hold no band wider than half their rate.
            interpolation: if per_band < 2.0 && sampling.iq { 2 } else { 1 },
            decimation: std::iter::successors(Some(1), doubled).last().unwrap_or(1),
        }
    }

    /// The same without leaving out any sample.
    pub(super) fn of_every_sample(self) -> Self {
        Self {
            decimation: 1,
            ..self
        }
    }

    /// Samples of the output up to so many of the input.
    pub(super) fn outputs(self, samples: usize) -> usize {
        (samples * self.interpolation).div_ceil(self.decimation)
    }

    /// Samples of the output in a second.
    pub(super) fn output_hz(self, rate_hz: f64) -> f64 {
        rate_hz * self.interpolation as f64 / self.decimation as f64
    }
}

/// The transforms of one filter and what lies between them.
pub(super) struct Blocks {
    forward: Forward,
    inverse: Arc<dyn Fft<f32>>,
    /// Conjugate spectrum of the replica, scaled so that all that is left is to multiply.
    replica: Vec<Complex<f32>>,
    /// Its conjugate below zero frequency, the nearest first: by what a real spectrum's mirror is multiplied.
    mirror: Vec<Complex<f32>>,
    pub(super) length: usize,
    /// Input samples thrown away at a block's start and end.
    skip: [usize; 2],
    /// The lowest of the block's bins, counted from zero frequency, negative below it.
    lowest: i64,
    rates: Rates,
    samples: usize,
}

enum Forward {
    Real(Arc<dyn RealToComplex<f32>>),
    Iq(Arc<dyn Fft<f32>>),
}

/// Memory of one worker, kept from ping to ping.
#[derive(Default)]
pub struct Scratch {
    real: Vec<f32>,
    input: Vec<Complex<f32>>,
    output: Vec<Complex<f32>>,
    mirrored: Vec<Complex<f32>>,
    inner: Vec<Complex<f32>>,
}

impl Blocks {
    /// For a replica whose band lies around a frequency of so many sample rates.
    pub(super) fn new(
        replica: &Replica,
        sampling: &Sampling,
        rates: Rates,
        turns: f64,
        transforms: Transforms,
    ) -> Self {
        let margin = if rates.interpolation > 1 {
            INTERPOLATION_MARGIN
        } else {
            0
        };
        let skip =
            [replica.centre, replica.weighted.len() - 1 - replica.centre].map(|samples| samples + margin);
        let length = block_length(sampling.samples, skip[0] + skip[1], rates.decimation);
        let forward = match sampling.iq {
            true => Forward::Iq(transforms.forward(length)),
            false => Forward::Real(transforms.real_forward(length)),
        };
        // A real echo is half of its complex twin.
        let spectrum = replica_spectrum(replica, length, if sampling.iq { 1.0 } else { 2.0 });
        let below = spectrum[length / 2 + 1..].iter().rev().map(Complex::conj);
        Self {
            forward,
            inverse: transforms.inverse(length * rates.interpolation / rates.decimation),
            mirror: std::iter::once(ZERO).chain(below).collect(),
            replica: spectrum,
            length,
            skip,
            lowest: lowest_bin(turns, length),
            rates,
            samples: sampling.samples,
        }
    }

    /// Hands on the output block by block, with the index of its first sample.
    #[inline(always)]
    pub(super) fn each(
        &self,
        channel: &[[f32; 2]],
        scratch: &mut Scratch,
        mut take: impl FnMut(usize, &[Complex<f32>]),
    ) {
        scratch.fit(self);
        let samples = channel.len().min(self.samples);
        let valid = self.length - self.skip[0] - self.skip[1];
        let valid = valid - valid % self.rates.decimation;
        let margin = match self.rates.interpolation {
            1 => 0,
            times => INTERPOLATION_MARGIN * times,
        };
        let mut first = 0;
        while first < samples {
            let count = self.rates.outputs(valid.min(samples - first));
            self.transform(channel, first, scratch);
            self.weigh(scratch);
            let inner = &mut scratch.inner[..self.inverse.get_inplace_scratch_len()];
            self.inverse.process_with_scratch(&mut scratch.output, inner);
            take(self.rates.outputs(first), &scratch.output[margin..margin + count]);
            first += valid;
        }
    }

    /// Fills `scratch.input` with the spectrum of the block whose first valid output is that of `first`: of real
    /// samples up to half their rate.
    fn transform(&self, channel: &[[f32; 2]], first: usize, scratch: &mut Scratch) {
        let before = self.skip[0].saturating_sub(first);
        let start = (first + before).saturating_sub(self.skip[0]);
        let stop = (first + self.length - self.skip[0]).min(channel.len());
        let present = &channel[start.min(stop)..stop];
        let after = before + present.len();
        let Scratch {
            real, input, inner, ..
        } = scratch;
        match &self.forward {
            Forward::Iq(fft) => {
                input[..before].fill(ZERO);
                for (slot, &[re, im]) in input[before..after].iter_mut().zip(present) {
                    *slot = Complex::new(re, im);
                }
                input[after..].fill(ZERO);
                fft.process_with_scratch(input, &mut inner[..fft.get_inplace_scratch_len()]);
            }
            Forward::Real(fft) => {
                real[..before].fill(0.0);
                for (slot, &[re, _]) in real[before..after].iter_mut().zip(present) {
                    *slot = re;
                }
                real[after..].fill(0.0);
                fft.process_with_scratch(real, input, &mut inner[..fft.get_scratch_len()])
                    .expect("the buffers were made for this plan");
            }
        }
    }

    /// Fills `scratch.output` with the spectrum times the replica's, as long as the output needs it.
    fn weigh(&self, scratch: &mut Scratch) {
        let Scratch {
            input,
            output,
            mirrored,
            ..
        } = scratch;
        if self.rates.interpolation > 1 {
            self.spread(input, output);
            return;
        }
        fold(input, &self.replica, output);
        if let Forward::Real(_) = self.forward {
            // What lies below zero frequency is the mirror of what lies above.
            fold(&input[..self.mirror.len()], &self.mirror, mirrored);
            output[0] += mirrored[0].conj();
            for (slot, value) in output[1..].iter_mut().rev().zip(&mirrored[1..]) {
                *slot += value.conj();
            }
        }
    }

    /// The band keeps together in a spectrum of twice the rate: bins below the lowest are those above it, a sample
    /// rate up.
    fn spread(&self, input: &[Complex<f32>], output: &mut [Complex<f32>]) {
        let first_bin = self.lowest.rem_euclid(self.length as i64) as usize;
        let shift = output.len() - self.length;
        let [below, above] = if self.lowest < 0 { [0, shift] } else { [shift, 0] };
        output.fill(ZERO);
        for (range, shift) in [(0..first_bin, below), (first_bin..self.length, above)] {
            let shifted = &mut output[range.start + shift..range.end + shift];
            let products = input[range.clone()].iter().zip(&self.replica[range]);
            for (slot, (x, h)) in shifted.iter_mut().zip(products) {
                *slot = x * h;
            }
        }
    }
}

/// A spectrum times weights, as that of every so-many-th of its samples.
fn fold(spectrum: &[Complex<f32>], weights: &[Complex<f32>], folded: &mut [Complex<f32>]) {
    let length = folded.len();
    let products = |at: usize| spectrum[at..].iter().zip(&weights[at..]).map(|(x, h)| x * h);
    let covered = spectrum.len().min(length);
    for (slot, product) in folded.iter_mut().zip(products(0)) {
        *slot = product;
    }
    folded[covered..].fill(ZERO);
    for at in (length..spectrum.len()).step_by(length) {
        for (slot, product) in folded.iter_mut().zip(products(at)) {
            *slot += product;
        }
    }
}

impl Scratch {
    fn fit(&mut self, blocks: &Blocks) {
        let length = blocks.length;
        let (real, bins, needed) = match &blocks.forward {
            Forward::Real(fft) => (length, length / 2 + 1, fft.get_scratch_len()),
            Forward::Iq(fft) => (0, length, fft.get_inplace_scratch_len()),
        };
        let outputs = blocks.rates.outputs(length);
        self.real.resize(real, 0.0);
        self.input.resize(bins, ZERO);
        self.output.resize(outputs, ZERO);
        self.mirrored.resize(outputs.min(blocks.mirror.len()), ZERO);
        let inner = needed.max(blocks.inverse.get_inplace_scratch_len());
        if self.inner.len() < inner {
            self.inner.resize(inner, ZERO);
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

/// The length of block under which `samples` cost least, where `ends` of each block are thrown away and what is left
/// gives whole steps of the output.
///
/// Lengths are powers of two times up to three threes, the fastest there are; a block of n costs
/// n log n for its transforms and some for what is done to each sample besides.
pub(super) fn block_length(samples: usize, ends: usize, step: usize) -> usize {
    const LEAST: usize = 64;
    const BESIDES: f64 = 4.0;
    let whole = (samples + ends + step).max(LEAST);
    let mut lengths: Vec<usize> = [1usize, 3, 9, 27]
        .into_iter()
        .flat_map(|odd| (4..48).map(move |power| odd << power))
        .filter(|&length| length >= LEAST && length >= ends + step && length < 4 * whole)
        .collect();
    lengths.sort_unstable();
    let cost = |length: usize| {
        let blocks = samples.max(1).div_ceil((length - ends) / step * step);
        blocks as f64 * length as f64 * (log2(length as f64) + BESIDES)
    };
    lengths
        .into_iter()
        .min_by(|&a, &b| cost(a).total_cmp(&cost(b)))
        .unwrap_or(whole.next_power_of_two())
}
