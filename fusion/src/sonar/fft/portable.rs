//! A Fourier transform whose bits are the same on every CPU.
//!
//! The autosort of Stockham (W. T. Cochran et al., "What is the fast Fourier transform?", Proc. IEEE 55,
//! 1967) in passes of 4, 3 and 2, out of place from one buffer to another. All it does to numbers are sums
//! and products in a written order, and its roots of unity are ours. Vector registers change nothing of that:
//! a compiler may compute several numbers at once, but none otherwise.

use beluga_types::elementary::sin_cos;
use rustfft::num_complex::Complex;
use rustfft::{Direction, Fft, FftDirection, FftNum, Length};

/// The transform of one length in one direction, without a scale.
pub(crate) struct PortableFft<T> {
    length: usize,
    direction: FftDirection,
    passes: Vec<Pass<T>>,
    /// √3/2, with the direction's sign.
    sixth: T,
}

/// One pass: `groups` butterflies, each over `stride` numbers side by side.
struct Pass<T> {
    radix: Radix,
    groups: usize,
    stride: usize,
    /// Of each group the turns of its second and later outputs.
    turns: Vec<Complex<T>>,
}

#[derive(Clone, Copy)]
enum Radix {
    Two = 2,
    Three = 3,
    Four = 4,
}

/// The root of unity `exp(-2πi index/length)`, or its conjugate for the inverse.
pub(super) fn root<T: FftNum>(index: usize, length: usize, direction: FftDirection) -> Complex<T> {
    let (sin, cos) = sin_cos(std::f64::consts::TAU * index as f64 / length as f64);
    let sin = match direction {
        FftDirection::Forward => -sin,
        FftDirection::Inverse => sin,
    };
    let [re, im] = [cos, sin].map(|value| T::from_f64(value).expect("a float is made of a double"));
    Complex::new(re, im)
}

impl<T: FftNum> PortableFft<T> {
    /// # Panics
    /// If the length is not a product of twos and threes.
    pub(crate) fn new(length: usize, direction: FftDirection) -> Self {
        let mut passes = Vec::new();
        let (mut left, mut stride) = (length.max(1), 1);
        while left > 1 {
            let radix = match left {
                _ if left.is_multiple_of(4) => Radix::Four,
                _ if left.is_multiple_of(3) => Radix::Three,
                _ => Radix::Two,
            };
            let legs = radix as usize;
            assert!(
                left.is_multiple_of(legs),
                "a transform of {length}, expected twos and threes"
            );
            let groups = left / legs;
            let turns = (0..groups).flat_map(|group| (1..legs).map(move |leg| group * leg));
            passes.push(Pass {
                radix,
                groups,
                stride,
                turns: turns.map(|index| root(index, left, direction)).collect(),
            });
            left = groups;
            stride *= legs;
        }
        Self {
            length,
            direction,
            passes,
            sixth: root::<T>(1, 3, direction).im,
        }
    }

    /// From one buffer to the other and back, pass by pass; whether the result stands in `other`.
    fn run(&self, buffer: &mut [Complex<T>], other: &mut [Complex<T>]) -> bool {
        let (mut from, mut to) = (buffer, other);
        for pass in &self.passes {
            match pass.radix {
                Radix::Two => pass.twos(from, to),
                Radix::Three => pass.threes(from, to, self.sixth),
                Radix::Four if self.direction == FftDirection::Forward => pass.fours(from, to, back),
                Radix::Four => pass.fours(from, to, ahead),
            }
            std::mem::swap(&mut from, &mut to);
        }
        self.passes.len() % 2 == 1
    }
}

/// A quarter of a turn back: times -i.
#[inline(always)]
fn back<T: FftNum>(value: Complex<T>) -> Complex<T> {
    Complex::new(value.im, -value.re)
}

/// A quarter of a turn ahead: times i.
#[inline(always)]
fn ahead<T: FftNum>(value: Complex<T>) -> Complex<T> {
    Complex::new(-value.im, value.re)
}

impl<T: FftNum> Pass<T> {
    fn twos(&self, from: &[Complex<T>], to: &mut [Complex<T>]) {
        self.each(from, to, |[a, b], &[turn]| [a + b, (a - b) * turn]);
    }

    fn threes(&self, from: &[Complex<T>], to: &mut [Complex<T>], sixth: T) {
        let half = T::from_f64(0.5).expect("a float is made of a double");
        self.each(from, to, |[a, b, c], &[first, second]| {
            let (sum, difference) = (b + c, b - c);
            let middle = a - sum.scale(half);
            // i times the difference, times the sine of a third of a turn.
            let aside = ahead(difference).scale(sixth);
            [a + sum, (middle + aside) * first, (middle - aside) * second]
        });
    }

    fn fours(&self, from: &[Complex<T>], to: &mut [Complex<T>], quarter: impl Fn(Complex<T>) -> Complex<T>) {
        self.each(from, to, |[a, b, c, d], &[first, second, third]| {
            let (even, odd) = (a + c, b + d);
            let (rest, aside) = (a - c, quarter(b - d));
            [
                even + odd,
                (rest + aside) * first,
                (even - odd) * second,
                (rest - aside) * third,
            ]
        });
    }

    /// Every butterfly of the pass: of each group `LEGS` rows of `from`, a `LEGS`th of it apart, to as many
    /// neighbouring rows of `to`.
    #[inline(always)]
    fn each<const LEGS: usize, const TURNS: usize>(
        &self,
        from: &[Complex<T>],
        to: &mut [Complex<T>],
        butterfly: impl Fn([Complex<T>; LEGS], &[Complex<T>; TURNS]) -> [Complex<T>; LEGS],
    ) {
        // Short rows of known length become straight code.
        match self.stride {
            1 => self.each_of::<LEGS, TURNS>(1, from, to, butterfly),
            4 => self.each_of::<LEGS, TURNS>(4, from, to, butterfly),
            stride => self.each_of::<LEGS, TURNS>(stride, from, to, butterfly),
        }
    }

    #[inline(always)]
    fn each_of<const LEGS: usize, const TURNS: usize>(
        &self,
        stride: usize,
        from: &[Complex<T>],
        to: &mut [Complex<T>],
        butterfly: impl Fn([Complex<T>; LEGS], &[Complex<T>; TURNS]) -> [Complex<T>; LEGS],
    ) {
        let apart = self.groups * stride;
        let rows_from: [&[Complex<T>]; LEGS] =
            std::array::from_fn(|leg| &from[leg * apart..(leg + 1) * apart]);
        let (turns, _) = self.turns.as_chunks::<TURNS>();
        for (group, (rows_to, turns)) in to.chunks_exact_mut(LEGS * stride).zip(turns).enumerate() {
            let at = group * stride;
            let rows_from = rows_from.map(|row| &row[at..at + stride]);
            for place in 0..stride {
                let outputs = butterfly(rows_from.map(|row| row[place]), turns);
                for (leg, output) in outputs.into_iter().enumerate() {
                    rows_to[leg * stride + place] = output;
                }
            }
        }
    }
}

impl<T: FftNum> Fft<T> for PortableFft<T> {
    fn process_with_scratch(&self, buffer: &mut [Complex<T>], scratch: &mut [Complex<T>]) {
        let scratch = &mut scratch[..self.length];
        for buffer in buffer.chunks_exact_mut(self.length) {
            if self.run(buffer, scratch) {
                buffer.copy_from_slice(scratch);
            }
        }
    }

    fn process_outofplace_with_scratch(
        &self,
        input: &mut [Complex<T>],
        output: &mut [Complex<T>],
        _scratch: &mut [Complex<T>],
    ) {
        let buffers = input.chunks_exact_mut(self.length);
        for (input, output) in buffers.zip(output.chunks_exact_mut(self.length)) {
            if !self.run(input, output) {
                output.copy_from_slice(input);
            }
        }
    }

    fn process_immutable_with_scratch(
        &self,
        input: &[Complex<T>],
        output: &mut [Complex<T>],
        scratch: &mut [Complex<T>],
    ) {
        output.copy_from_slice(input);
        self.process_with_scratch(output, scratch);
    }

    fn get_inplace_scratch_len(&self) -> usize {
        self.length
    }

    fn get_outofplace_scratch_len(&self) -> usize {
        0
    }

    fn get_immutable_scratch_len(&self) -> usize {
        self.length
    }
}

impl<T> Length for PortableFft<T> {
    fn len(&self) -> usize {
        self.length
    }
}

impl<T> Direction for PortableFft<T> {
    fn fft_direction(&self) -> FftDirection {
        self.direction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum as it is defined.
    fn plain(samples: &[Complex<f64>], direction: FftDirection) -> Vec<Complex<f64>> {
        let length = samples.len();
        let term = |line: usize, at: usize| samples[at] * root::<f64>(line * at % length, length, direction);
        (0..length)
            .map(|line| (0..length).map(|at| term(line, at)).sum())
            .collect()
    }

    fn noise(length: usize) -> Vec<Complex<f64>> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        };
        (0..length).map(|_| Complex::new(next(), next())).collect()
    }

    #[test]
    fn it_is_the_sum_it_stands_for_either_way() {
        for length in [
            1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 27, 32, 36, 48, 64, 96, 108, 128, 144, 216, 432,
        ] {
            for direction in [FftDirection::Forward, FftDirection::Inverse] {
                let samples = noise(length);
                let mut found = samples.clone();
                PortableFft::new(length, direction).process(&mut found);
                for (line, (found, slow)) in found.iter().zip(plain(&samples, direction)).enumerate() {
                    let off = found - slow;
                    assert!(
                        off.re.abs().max(off.im.abs()) < 1e-12,
                        "{length} {direction:?} line {line}: {off}"
                    );
                }
            }
        }
    }

    #[test]
    fn all_three_ways_to_ask_give_the_same_bits() {
        let fft = PortableFft::<f64>::new(48, FftDirection::Forward);
        let samples = noise(96);
        let mut in_place = samples.clone();
        fft.process(&mut in_place);
        let mut scratch = vec![Complex::default(); 48];
        let [mut beside, mut kept] = [samples.clone(), samples.clone()];
        fft.process_outofplace_with_scratch(&mut samples.clone(), &mut beside, &mut []);
        assert_eq!(beside, in_place);
        for (input, output) in samples.chunks(48).zip(kept.chunks_mut(48)) {
            fft.process_immutable_with_scratch(input, output, &mut scratch);
        }
        assert_eq!(kept, in_place);
    }
}
