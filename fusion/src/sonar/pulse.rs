//! Pulse compression: correlation with the transmitted pulse, block by block in frequency.

use std::ops::Range;

use beluga_types::{Pulse, Receiver};
use rustfft::num_complex::Complex;

use super::config::ReplicaWindow;
use super::fft::Transforms;
pub use super::fit::{Sampling, Unfit};
use super::fit::{check, check_band};
use super::replica::Replica;
pub use super::response::Sidelobes;
use super::stages;
pub use blocks::Scratch;
use blocks::{Blocks, Rates};

mod blocks;

/// A matched filter for one pulse and one way of sampling; made once, used for every ping.
///
/// Overlap-save in blocks of the length that costs least. An echo of amplitude *a* comes out as a complex
/// peak of magnitude *a* at its two-way time, because the replica is centred. The quadrature
/// replica has finite support, so block borders leave no trace and real input gives the complex
/// envelope in the same pass. Range–Doppler coupling of a swept pulse stays in the time: at 2 m/s
/// closing speed, 50 kHz over 5 ms at 200 kHz moves an echo by 4 cm. Where the closing speed is known it is
/// undone, which is where echoes get their places.
///
/// The output has the rate that its band needs: of samples of a sweep taken much faster every second, fourth, … is
/// computed, by folding the spectrum (each is what it is among all), and where power would be aliased there are
/// twice as many.
pub struct MatchedFilter {
    blocks: Blocks,
    rates: Rates,
    sampling: Sampling,
    width_s: f64,
    sidelobes: Sidelobes,
    mismatch_loss_db: f64,
    cell: usize,
    /// Output samples at the start and the end in which the replica hangs over the recording.
    edges: [usize; 2],
    centre_after_s: f64,
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
        let rates = Rates::needed(pulse, &sampling);
        Self::centred(pulse, sampling, window, transforms, rates)
    }

    /// As [`Self::new`], of which every sample is computed.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn at_every_sample(
        pulse: &Pulse,
        sampling: Sampling,
        window: ReplicaWindow,
        transforms: Transforms,
    ) -> Result<Self, Unfit> {
        let rates = Rates::needed(pulse, &sampling).of_every_sample();
        Self::centred(pulse, sampling, window, transforms, rates)
    }

    fn centred(
        pulse: &Pulse,
        sampling: Sampling,
        window: ReplicaWindow,
        transforms: Transforms,
        rates: Rates,
    ) -> Result<Self, Unfit> {
        check(pulse, &sampling)?;
        check_band(pulse, &sampling)?;
        let replica = Replica::new(pulse, window, sampling.rate_hz, sampling.centre_hz);
        let blocks = Blocks::new(&replica, &sampling, rates, 0.0, transforms);
        Ok(Self::of(&replica, blocks, sampling, rates))
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
        let rates = Rates::needed(pulse, &sampling);
        let blocks = Blocks::new(&replica, &sampling, rates, turns, transforms);
        Ok(Self::of(&replica, blocks, sampling, rates))
    }

    fn of(replica: &Replica, blocks: Blocks, sampling: Sampling, rates: Rates) -> Self {
        let overhang = [replica.centre, replica.weighted.len() - 1 - replica.centre];
        Self {
            blocks,
            rates,
            sampling,
            width_s: replica.width_s,
            sidelobes: replica.sidelobes,
            mismatch_loss_db: replica.mismatch_loss_db(),
            cell: rates.outputs(replica.independent_step()).max(1),
            edges: overhang.map(|samples| rates.outputs(samples)),
            centre_after_s: replica.centre_after_s,
        }
    }

    /// Samples of the output: those of the input, twice as many where power would be aliased, or a part of them
    /// where they come faster than the pulse's band needs.
    pub fn output_samples(&self) -> usize {
        self.rates.outputs(self.sampling.samples)
    }

    /// Output samples per second.
    pub fn output_rate_hz(&self) -> f64 {
        self.rates.output_hz(self.sampling.rate_hz)
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
        self.blocks.length
    }

    /// Compresses one channel. `output` is cleared and filled with [`Self::output_samples`]; sample
    /// `i` is at the time of input sample `i` (or `i / 2`, `2 i`, `4 i`, …, by [`Self::output_rate_hz`]).
    pub fn compress(&self, channel: &[[f32; 2]], scratch: &mut Scratch, output: &mut Vec<Complex<f32>>) {
        output.clear();
        self.blocks
            .each(channel, scratch, |_, values| output.extend_from_slice(values));
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
        self.blocks.each(channel, scratch, |first, values| {
            let row = row.get_mut(first..).unwrap_or_default();
            filled = first + row.len().min(values.len());
            for (slot, value) in row.iter_mut().zip(values) {
                *slot = of(value);
            }
        });
        row[filled..].fill(0.0);
    }
}

#[cfg(test)]
mod tests;
