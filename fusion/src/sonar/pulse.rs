//! Pulse compression: correlation with the transmitted pulse, block by block in frequency.

use std::sync::Arc;

use beluga_types::{Pulse, PulseKind};
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::config::ReplicaWindow;
use super::replica::Replica;

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
    sidelobe: f64,
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
            sidelobe: replica.sidelobe,
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

    /// Highest sidelobe of the compressed pulse, as power against its peak.
    pub fn sidelobe(&self) -> f64 {
        self.sidelobe
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
mod tests {
    use super::super::synthetic::Noise;
    use super::*;
    use beluga_types::Shading;

    fn lfm(start_hz: f64, end_hz: f64, duration_s: f64) -> Pulse {
        Pulse {
            kind: PulseKind::Lfm,
            start_hz,
            end_hz,
            duration_s,
            shading: Shading::Rectangular,
        }
    }

    fn sampling(rate_hz: f64, centre_hz: f64, iq: bool, samples: usize) -> Sampling {
        Sampling {
            rate_hz,
            centre_hz,
            iq,
            samples,
        }
    }

    fn compressed(filter: &MatchedFilter, channel: &[[f32; 2]]) -> Vec<Complex<f32>> {
        let mut output = Vec::new();
        filter.compress(channel, &mut Scratch::default(), &mut output);
        output
    }

    /// The slow twin: the sum over the replica at every sample, written out.
    fn correlated(
        pulse: &Pulse,
        sampling: &Sampling,
        window: ReplicaWindow,
        channel: &[[f32; 2]],
    ) -> Vec<Complex<f64>> {
        let replica = Replica::new(pulse, window, sampling.rate_hz, sampling.centre_hz);
        let half = replica.weighted.len() / 2;
        let twin = if sampling.iq { 1.0 } else { 2.0 };
        (0..channel.len())
            .map(|n| {
                let mut sum = Complex::new(0.0, 0.0);
                for (k, h) in replica.weighted.iter().enumerate() {
                    if let Some([re, im]) = (n + k).checked_sub(half).and_then(|i| channel.get(i)) {
                        sum += h.conj() * Complex::new(f64::from(*re), f64::from(*im));
                    }
                }
                sum * twin / replica.gain()
            })
            .collect()
    }

    #[test]
    fn blocks_equal_the_plain_correlation() {
        let pulse = lfm(30e3, 50e3, 1e-3);
        let mut noise = Noise::new(1);
        for (iq, rate_hz, centre_hz, samples) in [
            (false, 192e3, 0.0, 3001),
            (true, 64e3, 41e3, 1777),
            (true, 64e3, 41e3, 80),
            (false, 192e3, 0.0, 193),
        ] {
            let sampling = sampling(rate_hz, centre_hz, iq, samples);
            let channel: Vec<[f32; 2]> = (0..samples)
                .map(|_| {
                    [
                        noise.gaussian() as f32,
                        if iq { noise.gaussian() as f32 } else { 0.0 },
                    ]
                })
                .collect();
            let filter = MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann).unwrap();
            let fast = compressed(&filter, &channel);
            let slow = correlated(&pulse, &sampling, ReplicaWindow::Hann, &channel);
            assert_eq!(fast.len(), slow.len());
            for (fast, slow) in fast.iter().zip(&slow) {
                let fast = Complex::new(f64::from(fast.re), f64::from(fast.im));
                assert!((fast - slow).norm() < 2e-5, "{fast} {slow}, {samples} samples");
            }
        }
    }

    #[test]
    fn interpolated_output_meets_the_samples_between() {
        // 20 kHz of I/Q for 15 kHz of band: every second output sample is one of the plain ones.
        let pulse = lfm(92.5e3, 107.5e3, 4e-3);
        let sampling = sampling(20e3, 100e3, true, 700);
        let mut noise = Noise::new(2);
        let channel: Vec<[f32; 2]> = (0..700)
            .map(|_| [noise.gaussian() as f32, noise.gaussian() as f32])
            .collect();
        let filter = MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann).unwrap();
        assert_eq!(filter.output_samples(), 1400);
        let fast = compressed(&filter, &channel);
        let slow = correlated(&pulse, &sampling, ReplicaWindow::Hann, &channel);
        for (n, slow) in slow.iter().enumerate() {
            let fast = Complex::new(f64::from(fast[2 * n].re), f64::from(fast[2 * n].im));
            assert!((fast - slow).norm() < 2e-5, "sample {n}");
        }
    }

    /// An echo of amplitude 3 at a two-way time between samples, seen at the filter's output.
    fn echo_error_samples(iq: bool, rate_hz: f64, centre_hz: f64, pulse: &Pulse, delay_s: f64) -> (f64, f64) {
        let samples = 2000;
        let channel: Vec<[f32; 2]> = (0..samples)
            .map(|n| {
                let value =
                    super::super::synthetic::echo_at(pulse, iq, centre_hz, n as f64 / rate_hz, delay_s);
                [3.0 * value.re as f32, 3.0 * value.im as f32]
            })
            .collect();
        let filter = MatchedFilter::new(
            pulse,
            sampling(rate_hz, centre_hz, iq, samples),
            ReplicaWindow::Hann,
        )
        .unwrap();
        let power: Vec<f32> = compressed(&filter, &channel)
            .iter()
            .map(|v| v.norm_sqr())
            .collect();
        let top = (0..power.len())
            .max_by(|&a, &b| power[a].total_cmp(&power[b]))
            .unwrap();
        let peak = super::super::peak::refine(&power, top);
        let per_input = filter.output_rate_hz() / rate_hz;
        (peak.place / per_input - delay_s * rate_hz, peak.power.sqrt())
    }

    #[test]
    fn an_echo_peaks_at_its_two_way_time_with_its_amplitude() {
        for (iq, rate_hz, centre_hz, pulse) in [
            (false, 192e3, 0.0, lfm(30e3, 60e3, 2e-3)),
            (true, 100e3, 400e3, lfm(380e3, 420e3, 2e-3)),
            (true, 20e3, 100e3, lfm(92.5e3, 107.5e3, 4e-3)),
            (true, 100e3, 400e3, lfm(420e3, 380e3, 2e-3)),
        ] {
            for part in [0.0, 0.2, 0.5, 0.7] {
                let delay_s = (900.0 + part) / rate_hz;
                let (error, amplitude) = echo_error_samples(iq, rate_hz, centre_hz, &pulse, delay_s);
                assert!(
                    error.abs() < 0.03,
                    "off by {error} samples, iq {iq}, {rate_hz} Hz"
                );
                assert!((amplitude - 3.0).abs() < 0.06, "amplitude {amplitude}");
            }
        }
    }

    #[test]
    fn widths_sidelobes_and_losses_are_those_published() {
        // Sampling rate, length, band, then per window: width in mm at 1500 m/s, sidelobe, loss in dB.
        let rows = [
            (
                1e6,
                4.096e-3,
                100e3,
                [(6.56, -13.29, 0.0), (10.78, -31.47, 1.76), (8.81, -34.64, 0.93)],
            ),
            (
                500e3,
                1e-3,
                40e3,
                [(16.5, -13.59, 0.0), (27.0, -31.11, 1.76), (22.1, -30.55, 0.93)],
            ),
            (
                192e3,
                3e-3,
                60e3,
                [(10.74, -13.33, 0.0), (17.6, -31.47, 1.76), (14.7, -33.96, 0.93)],
            ),
        ];
        let windows = [ReplicaWindow::Matched, ReplicaWindow::Hann, ReplicaWindow::Taylor];
        for (rate_hz, duration_s, band_hz, expected) in rows {
            let centre_hz = if rate_hz > 200e3 { 150e3 } else { 50e3 };
            let pulse = lfm(centre_hz - 0.5 * band_hz, centre_hz + 0.5 * band_hz, duration_s);
            for (window, (width_mm, sidelobe_db, loss_db)) in windows.into_iter().zip(expected) {
                let filter =
                    MatchedFilter::new(&pulse, sampling(rate_hz, 0.0, false, 10_000), window).unwrap();
                let found_mm = filter.width_s() * 750.0 * 1000.0;
                let found_db = 10.0 * filter.sidelobe().log10();
                println!(
                    "{band_hz} Hz {window:?}: {found_mm:.2} mm, {found_db:.2} dB, {:.2} dB",
                    filter.mismatch_loss_db()
                );
                // The published widths were read off samples up to a third of a width apart.
                assert!(
                    (found_mm - width_mm).abs() < 0.035 * width_mm,
                    "{found_mm} mm, expected {width_mm}"
                );
                assert!(
                    (found_db - sidelobe_db).abs() < 0.7,
                    "{found_db} dB, expected {sidelobe_db}"
                );
                assert!((filter.mismatch_loss_db() - loss_db).abs() < 0.03);
            }
        }
    }

    #[test]
    fn what_is_no_pulse_is_refused() {
        let good = sampling(192e3, 0.0, false, 5000);
        let try_with =
            |pulse: Pulse, sampling| MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann).err();
        assert!(matches!(
            try_with(lfm(30e3, 60e3, 0.0), good),
            Some(Unfit::Pulse { .. })
        ));
        assert!(matches!(
            try_with(lfm(f64::NAN, 60e3, 1e-3), good),
            Some(Unfit::Pulse { .. })
        ));
        assert!(matches!(
            try_with(lfm(30e3, 30e3, 1e-3), good),
            Some(Unfit::Pulse { .. })
        ));
        assert!(matches!(
            try_with(lfm(30e3, 60e3, 1e9), good),
            Some(Unfit::Pulse { .. })
        ));
        assert!(matches!(
            try_with(lfm(30e3, 120e3, 1e-3), good),
            Some(Unfit::Band { .. })
        ));
        let short = sampling(192e3, 0.0, false, 100);
        assert!(matches!(
            try_with(lfm(30e3, 60e3, 1e-3), short),
            Some(Unfit::Short { .. })
        ));
        assert_eq!(try_with(lfm(30e3, 60e3, 1e-3), good), None);
    }
}
