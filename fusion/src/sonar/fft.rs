//! Fourier transforms: the fastest this CPU has, or one code for all.

mod halved;
mod portable;

use std::sync::Arc;

use halved::HalvedFft;
pub(crate) use portable::PortableFft;
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftDirection, FftPlanner};
use serde::{Deserialize, Serialize};

/// Which transforms pings go through. Lengths are products of twos and threes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transforms {
    /// rustfft's, in whatever instructions this CPU has: last bits differ from one class of CPUs to another.
    #[default]
    Fastest,
    /// Ours, with the same bits on every CPU.
    Portable,
}

impl Transforms {
    pub(crate) fn forward(self, length: usize) -> Arc<dyn Fft<f32>> {
        self.complex(length, FftDirection::Forward)
    }

    pub(crate) fn inverse(self, length: usize) -> Arc<dyn Fft<f32>> {
        self.complex(length, FftDirection::Inverse)
    }

    fn complex(self, length: usize, direction: FftDirection) -> Arc<dyn Fft<f32>> {
        match self {
            Transforms::Fastest => FftPlanner::new().plan_fft(length, direction),
            Transforms::Portable => Arc::new(PortableFft::new(length, direction)),
        }
    }

    /// Of an even number of real samples.
    pub(crate) fn real_forward(self, length: usize) -> Arc<dyn RealToComplex<f32>> {
        match self {
            Transforms::Fastest => RealFftPlanner::new().plan_fft_forward(length),
            Transforms::Portable => HalvedFft::new(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustfft::num_complex::Complex;

    use super::*;

    /// Largest difference between both, against the largest line.
    fn off(one: &[Complex<f32>], other: &[Complex<f32>]) -> f32 {
        let top = one.iter().map(|line| line.norm_sqr().sqrt()).fold(0.0, f32::max);
        let off = one
            .iter()
            .zip(other)
            .map(|(one, other)| (one - other).norm_sqr().sqrt());
        off.fold(0.0, f32::max) / top
    }

    #[test]
    fn the_portable_ones_are_the_fastest_to_a_millionth_of_the_peak() {
        let [fastest, portable] = [Transforms::Fastest, Transforms::Portable];
        for length in [64_usize, 96, 144, 432, 1024, 6912, 16384] {
            let samples: Vec<f32> = (0..length)
                .map(|at| ((at * at * 37 + at * 11) % 1009) as f32 / 504.0 - 1.0)
                .collect();
            let spectra = [fastest, portable].map(|transforms| {
                let fft = transforms.real_forward(length);
                let mut lines = fft.make_output_vec();
                fft.process(&mut samples.clone(), &mut lines).unwrap();
                lines
            });
            assert!(off(&spectra[0], &spectra[1]) < 1e-6, "real, {length}");
            for direction in [FftDirection::Forward, FftDirection::Inverse] {
                let lines = [fastest, portable].map(|transforms| {
                    let mut lines: Vec<Complex<f32>> = samples
                        .iter()
                        .map(|&re| Complex::new(re, 0.5 - re * re))
                        .collect();
                    transforms.complex(length, direction).process(&mut lines);
                    lines
                });
                assert!(off(&lines[0], &lines[1]) < 1e-6, "{direction:?}, {length}");
            }
        }
    }
}
