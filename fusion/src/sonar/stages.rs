//! The transmitted pulse as it comes out of the receiver's filter stages.
//!
//! Method: L. N. Andersen et al., "Quantitative processing of broadband data as implemented in a
//! scientific split-beam echosounder", Methods Ecol. Evol. 15 (2024): the pulse with its tapered
//! ends at the receiver's own rate, then convolved and decimated stage after stage.

use std::f64::consts::{PI, TAU};

use beluga_types::elementary::cos;
use beluga_types::{Pulse, PulseKind, Receiver, Shading};
use rustfft::num_complex::Complex;

use super::pulse::Unfit;

/// Samples of a replica behind the stages at most; real ones have some hundred.
const LONGEST: usize = 1 << 14;

/// Products in making a replica at most: a quarter of a second of work.
const MOST_PRODUCTS: f64 = (1u64 << 28) as f64;

/// Refuses what would take too long to compute, from counts alone.
///
/// # Errors
/// [`Unfit::Receiver`].
pub(crate) fn check(pulse: &Pulse, receiver: &Receiver) -> Result<(), Unfit> {
    let mut samples = pulse.duration_s * receiver.rate_hz();
    let mut products = samples;
    for stage in receiver.stages() {
        let taps = stage.coefficients.len() as f64;
        samples = (samples + taps) / f64::from(stage.decimation);
        products += taps * (samples + taps);
    }
    if samples < LONGEST as f64 && products < MOST_PRODUCTS {
        return Ok(());
    }
    Err(Unfit::Receiver { samples, products })
}

/// The pulse as transmitted, real, from its start on.
///
/// The length is a whole number of samples, from the duration in single precision as in the
/// published processing: in it a length that is a decimal number of samples loses its last one.
/// Both ends are halves of one Hann window of a whole number of samples.
pub(crate) fn transmitted(pulse: &Pulse, rate_hz: f64) -> Vec<f64> {
    let samples = (f64::from(pulse.duration_s as f32) * rate_hz).floor().max(1.0);
    let tapered = match pulse.shading {
        Shading::Rectangular => 0.0,
        Shading::Hann => 1.0,
        Shading::Tukey(fraction) => fraction.clamp(0.0, 1.0),
    };
    let ramp = 0.5 * ((pulse.duration_s * rate_hz * tapered).round() - 1.0);
    let sweep = match pulse.kind {
        PulseKind::Lfm => 0.5 * (pulse.end_hz - pulse.start_hz) / pulse.duration_s,
        PulseKind::Cw => 0.0,
    };
    let amplitude = |k: f64| {
        let from_edge = k.min(samples - k);
        if from_edge >= ramp {
            1.0
        } else {
            0.5 - 0.5 * cos(PI * from_edge / ramp)
        }
    };
    (0..samples as usize)
        .map(|k| {
            let t = k as f64 / rate_hz;
            amplitude(k as f64) * cos(TAU * (pulse.start_hz + sweep * t) * t)
        })
        .collect()
}

/// A signal behind the stages.
pub(crate) fn through(receiver: &Receiver, signal: &[f64]) -> Vec<Complex<f64>> {
    let mut signal: Vec<Complex<f64>> = signal.iter().map(|&value| value.into()).collect();
    for stage in receiver.stages() {
        let taps: Vec<_> = stage.coefficients.iter().map(complex).collect();
        let whole = signal.len() + taps.len() - 1;
        signal = (0..whole)
            .step_by(stage.decimation as usize)
            .map(|at| convolved(&signal, &taps, at))
            .collect();
    }
    signal
}

/// Autocorrelation of white noise behind the stages, at lags of 0, 1, 2 … output samples, 1 at 0.
pub(crate) fn noise_correlation(receiver: &Receiver) -> Vec<Complex<f64>> {
    let mut right = vec![Complex::new(1.0, 0.0)];
    for stage in receiver.stages() {
        let taps: Vec<_> = stage.coefficients.iter().map(complex).collect();
        let reversed: Vec<_> = taps.iter().rev().map(|tap| tap.conj()).collect();
        let of_taps: Vec<_> = (0..2 * taps.len() - 1)
            .map(|at| convolved(&taps, &reversed, at))
            .collect();
        let both: Vec<_> = right[1..]
            .iter()
            .rev()
            .map(|value| value.conj())
            .chain(right.iter().copied())
            .collect();
        let zero = right.len() - 1 + taps.len() - 1;
        right = (zero..both.len() + of_taps.len() - 1)
            .step_by(stage.decimation as usize)
            .map(|at| convolved(&both, &of_taps, at))
            .collect();
    }
    let power = right[0].re.max(f64::MIN_POSITIVE);
    right.iter().map(|value| value / power).collect()
}

fn complex(&[re, im]: &[f32; 2]) -> Complex<f64> {
    Complex::new(f64::from(re), f64::from(im))
}

/// One value of the convolution of two signals.
pub(crate) fn convolved(signal: &[Complex<f64>], taps: &[Complex<f64>], at: usize) -> Complex<f64> {
    let first = (at + 1).saturating_sub(taps.len());
    let end = (at + 1).min(signal.len());
    signal[first.min(end)..end]
        .iter()
        .zip(taps[..=at - first].iter().rev())
        .map(|(value, tap)| value * tap)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::polar::norm;
    use super::super::synthetic::Noise;
    use super::*;
    use beluga_types::FilterStage;

    fn receiver() -> Receiver {
        let mut noise = Noise::new(11);
        let mut stage = |taps, decimation| FilterStage {
            coefficients: (0..taps)
                .map(|_| [noise.gaussian() as f32, noise.gaussian() as f32])
                .collect(),
            decimation,
        };
        Receiver::new(1e6, vec![stage(7, 3), stage(5, 2)]).unwrap()
    }

    #[test]
    fn stages_are_the_sums_written_out() {
        let receiver = receiver();
        let mut noise = Noise::new(2);
        let signal: Vec<f64> = (0..40).map(|_| noise.gaussian()).collect();
        let mut slow: Vec<Complex<f64>> = signal.iter().map(|&value| value.into()).collect();
        for stage in receiver.stages() {
            let mut whole = vec![Complex::new(0.0, 0.0); slow.len() + stage.coefficients.len() - 1];
            for (i, value) in slow.iter().enumerate() {
                for (k, tap) in stage.coefficients.iter().enumerate() {
                    whole[i + k] += value * complex(tap);
                }
            }
            slow = whole.into_iter().step_by(stage.decimation as usize).collect();
        }
        let fast = through(&receiver, &signal);
        assert_eq!(fast.len(), slow.len());
        for (fast, slow) in fast.iter().zip(&slow) {
            assert!(norm(fast - slow) < 1e-12, "{fast} {slow}");
        }
    }

    #[test]
    fn noise_behind_the_stages_is_correlated_as_computed() {
        let receiver = receiver();
        let mut noise = Noise::new(3);
        let signal: Vec<f64> = (0..600_000).map(|_| noise.gaussian()).collect();
        let heard = through(&receiver, &signal);
        let counted = |lag: usize| -> Complex<f64> {
            let pairs = heard.iter().skip(lag).zip(&heard);
            pairs
                .map(|(late, early)| late * early.conj())
                .sum::<Complex<f64>>()
                / heard.len() as f64
        };
        let power = counted(0).re;
        let computed = noise_correlation(&receiver);
        for (lag, computed) in computed.iter().enumerate() {
            let counted = counted(lag) / power;
            assert!(
                norm(counted - computed) < 0.02,
                "lag {lag}: {counted}, computed {computed}"
            );
        }
    }

    #[test]
    fn a_pulse_of_whole_samples_starts_and_ends_in_its_taper() {
        let pulse = Pulse {
            kind: PulseKind::Cw,
            start_hz: 1e-3,
            end_hz: 1e-3,
            duration_s: 0.001024,
            shading: Shading::Tukey(0.25),
        };
        let sent = transmitted(&pulse, 1.5e6);
        assert_eq!(
            sent.len(),
            1535,
            "in single precision 1.024 ms are less than 1536 samples"
        );
        let ramp = 191; // Half of a Hann window of 384 samples, less one.
        assert!(sent[0] == 0.0 && sent[ramp] < 1.0 - 1e-6 && sent[ramp + 1] > 1.0 - 1e-9);
        assert!((sent[1534] - sent[1]).abs() < 1e-9);
    }

    #[test]
    fn endless_work_is_refused() {
        let pulse = |duration_s| Pulse {
            kind: PulseKind::Cw,
            start_hz: 4e4,
            end_hz: 4e4,
            duration_s,
            shading: Shading::Rectangular,
        };
        assert!(check(&pulse(1e-3), &receiver()).is_ok());
        assert!(check(&pulse(1.0), &receiver()).is_err());
    }
}
