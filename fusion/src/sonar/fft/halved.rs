//! The transform of real samples by a complex one of half the length.

use std::sync::Arc;

use realfft::{FftError, RealToComplex};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection};

use super::portable::{PortableFft, root};

/// The spectrum of real samples from zero up, whose even samples are taken for real and odd ones for imaginary:
/// then `X(k) = (Z(k) + Z*(N/2-k))/2 - i/2 (Z(k) - Z*(N/2-k)) exp(-2πi k/N)`.
pub(crate) struct HalvedFft {
    length: usize,
    fft: PortableFft<f32>,
    /// Half of the roots up to a quarter of a turn.
    turns: Vec<Complex<f32>>,
}

impl HalvedFft {
    /// For an even number of samples.
    ///
    /// # Panics
    /// If half of the length is not a product of twos and threes.
    pub(crate) fn new(length: usize) -> Arc<Self> {
        let half = length / 2;
        let turns = (0..=half / 2).map(|line| root::<f32>(line, length, FftDirection::Forward) * 0.5);
        Arc::new(Self {
            length,
            fft: PortableFft::new(half, FftDirection::Forward),
            turns: turns.collect(),
        })
    }

    /// The spectrum of the samples from that of the complex ones, in place.
    fn unfold(&self, lines: &mut [Complex<f32>]) {
        let half = self.length / 2;
        let first = lines[0];
        lines[0] = Complex::new(first.re + first.im, 0.0);
        lines[half] = Complex::new(first.re - first.im, 0.0);
        for (line, turn) in self.turns.iter().enumerate().skip(1) {
            let (one, other) = (lines[line], lines[half - line].conj());
            let (even, odd) = ((one + other) * 0.5, one - other);
            let odd = Complex::new(odd.im, -odd.re) * turn;
            lines[line] = even + odd;
            lines[half - line] = (even - odd).conj();
        }
    }
}

impl RealToComplex<f32> for HalvedFft {
    fn process(&self, input: &mut [f32], output: &mut [Complex<f32>]) -> Result<(), FftError> {
        self.process_with_scratch(input, output, &mut self.make_scratch_vec())
    }

    fn process_with_scratch(
        &self,
        input: &mut [f32],
        output: &mut [Complex<f32>],
        scratch: &mut [Complex<f32>],
    ) -> Result<(), FftError> {
        let half = self.length / 2;
        if input.len() != self.length {
            return Err(FftError::InputBuffer(self.length, input.len()));
        }
        if output.len() != half + 1 {
            return Err(FftError::OutputBuffer(half + 1, output.len()));
        }
        if scratch.len() < half {
            return Err(FftError::ScratchBuffer(half, scratch.len()));
        }
        let (pairs, _) = input.as_chunks::<2>();
        for (slot, &[even, odd]) in output.iter_mut().zip(pairs) {
            *slot = Complex::new(even, odd);
        }
        self.fft.process_with_scratch(&mut output[..half], scratch);
        self.unfold(output);
        Ok(())
    }

    fn get_scratch_len(&self) -> usize {
        self.length / 2
    }

    fn len(&self) -> usize {
        self.length
    }

    fn make_input_vec(&self) -> Vec<f32> {
        vec![0.0; self.length]
    }

    fn make_output_vec(&self) -> Vec<Complex<f32>> {
        vec![Complex::default(); self.complex_len()]
    }

    fn make_scratch_vec(&self) -> Vec<Complex<f32>> {
        vec![Complex::default(); self.get_scratch_len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_half_of_the_complex_spectrum() {
        for length in [2_usize, 4, 6, 8, 12, 16, 18, 36, 64, 96, 216] {
            let samples: Vec<f32> = (0..length)
                .map(|at| ((at * at * 37 + at * 11) % 101) as f32 / 50.0 - 1.0)
                .collect();
            let mut whole: Vec<Complex<f32>> = samples.iter().map(|&value| value.into()).collect();
            PortableFft::new(length, FftDirection::Forward).process(&mut whole);
            let fft = HalvedFft::new(length);
            let mut found = fft.make_output_vec();
            fft.process(&mut samples.clone(), &mut found).unwrap();
            for (line, found) in found.iter().enumerate() {
                let off = found - whole[line];
                assert!(
                    off.re.abs().max(off.im.abs()) < 3e-5,
                    "{length} line {line}: {off}"
                );
            }
        }
    }

    #[test]
    fn buffers_of_other_lengths_are_refused() {
        let fft = HalvedFft::new(16);
        let (mut input, mut output) = (fft.make_input_vec(), fft.make_output_vec());
        assert!(fft.process(&mut input[1..], &mut output).is_err());
        assert!(fft.process(&mut input, &mut output[1..]).is_err());
        assert!(
            fft.process_with_scratch(&mut input, &mut output, &mut [])
                .is_err()
        );
        assert!(fft.process(&mut input, &mut output).is_ok());
    }
}
