//! Two targets nearer to each other than the compressed pulse can show.
//!
//! A pair whose echoes run into each other has one peak, two, or three, by the phase between both. What the
//! matched filter without a weight gives of it is known but for two places and two complex amplitudes: those
//! are fitted by least squares ([`fit`]), and the echo is a pair where one target leaves more than noise and two
//! leave no more (relaxation of closely spaced echoes; J. Li and P. Stoica, "Efficient mixed-spectrum
//! estimation with applications to target feature extraction", IEEE Trans. Signal Process. 44 (1996)). A
//! footprint of one or two cells of speckle is a pair as well: only what stands alone across the beams is asked,
//! and each of a pair states the doubt that a footprint of its length would have.

mod fit;

use std::f64::consts::PI;

use beluga_types::{Pulse, PulseKind};
use rustfft::num_complex::Complex;

use super::detect::{BY_PULSE, Candidate, SPECKLE_WIDTHS, WEAKEST};
use super::fit::Sampling;
use super::polar::from_polar;
use super::replica::pulse_at;
use fit::{Answer, Heard};

/// Least length times band of a pulse whose answer is that of its sweep.
const LEAST_TURNS: f64 = 8.0;

/// Longest replica that is correlated with an echo sample by sample.
const LONGEST: f64 = 65_536.0;

/// Pairs nearer than the first, in cells of c/2B, are not told apart; those farther than the second are seen
/// without.
const APART_CELLS: [f64; 2] = [0.75, 7.0];

/// Least peak over the noise: 18 dB. Below it noise makes one target look like two.
const LEAST_SNR: f64 = 63.0;

/// Least peak of the weaker over the noise: 14 dB, which noise alone passes once in 10^10 cells.
const LEAST_WEAK_SNR: f64 = 25.0;

/// What is left is noise if it nowhere exceeds the noise by this: one cell in 3000 does.
const NOISE_PEAK: f64 = 8.0;

/// Pulses are sent and heard as stated to this share of their peak's power (-15 dB).
const MODEL: f64 = 0.03;

/// Step of the first search, in cells.
const GRID_CELLS: f64 = 0.25;

/// Echoes of one ping that are looked at: each costs up to a fifth of a millisecond, and a live multibeam has none to lose.
pub(crate) const MOST_ECHOES: usize = 8;

/// What the matched filter without a weight makes of a target.
pub(crate) struct Resolver {
    /// Conjugate samples of the pulse around its middle, over their energy.
    replica: Vec<Complex<f32>>,
    centre: usize,
    answer: Answer,
    /// Input samples of one cell of c/2B.
    cell: f64,
    /// Input samples from one output to the next.
    step: usize,
    /// Turn of the pulse's middle frequency from one input sample to the next.
    turn_rad: f64,
}

/// In what an echo's places and widths are counted, and what is asked of it.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// Samples of the echo's row for each of the channel.
    pub(crate) interpolation: f64,
    /// Width of the compressed pulse in samples of the row.
    pub(crate) width: f64,
    /// Least ratio of peak to noise.
    pub(crate) min_snr: f64,
}

/// What an echo is.
enum Seen {
    One,
    Two([Candidate; 2]),
    Other,
}

impl Resolver {
    /// For a sweep that is sampled as it came; nothing for other pulses.
    pub(crate) fn new(pulse: &Pulse, sampling: &Sampling) -> Option<Self> {
        let band_hz = pulse.bandwidth_hz();
        let length = pulse.duration_s * sampling.rate_hz;
        let is_sweep = pulse.kind == PulseKind::Lfm && pulse.duration_s * band_hz >= LEAST_TURNS;
        if !is_sweep || length >= LONGEST {
            return None;
        }
        let half = (0.5 * length).floor() as i64;
        let carrier_hz = if sampling.iq { sampling.centre_hz } else { 0.0 };
        let samples: Vec<_> = (-half..=half)
            .map(|k| pulse_at(pulse, carrier_hz, k as f64 / sampling.rate_hz))
            .collect();
        let energy: f64 = samples.iter().map(|sample| sample.norm_sqr()).sum();
        // A real echo is half of its complex twin.
        let scale = if sampling.iq { 1.0 } else { 2.0 } / energy;
        let replica = samples
            .iter()
            .map(|sample| sample.conj() * scale)
            .map(|sample| Complex::new(sample.re as f32, sample.im as f32))
            .collect();
        let cell = sampling.rate_hz / band_hz;
        Some(Self {
            replica,
            centre: half as usize,
            answer: Answer::of(pulse, cell),
            cell,
            step: ((0.5 * cell) as usize).max(1),
            turn_rad: 2.0 * PI * (pulse.centre_hz() - carrier_hz) / sampling.rate_hz,
        })
    }

    /// Whether an echo is short and loud enough to be looked at.
    pub(crate) fn may_part(&self, echo: &Candidate, terms: &Terms) -> bool {
        let spread = echo.spread / terms.interpolation;
        spread <= 0.55 * APART_CELLS[1] * self.cell && echo.peak >= LEAST_SNR * echo.noise
    }

    /// The echoes of a channel from near to far, pairs of those that are asked for as two.
    pub(crate) fn parted(
        &self,
        channel: &[[f32; 2]],
        echoes: &[Candidate],
        terms: &Terms,
        is_asked: impl Fn(&Candidate) -> bool,
    ) -> Vec<Candidate> {
        let mut parted: Vec<Candidate> = Vec::with_capacity(echoes.len() + 1);
        for echo in echoes {
            let pair = if is_asked(echo) {
                self.pair(channel, echo, terms)
            } else {
                None
            };
            // Echoes that were two before may each be seen as both.
            let is_new = |one: &Candidate| {
                parted
                    .iter()
                    .all(|other| (other.place - one.place).abs() > 0.4 * terms.width)
            };
            match pair {
                Some(pair) => {
                    let new: Vec<Candidate> = pair.into_iter().filter(is_new).collect();
                    parted.extend(new);
                }
                None if is_new(echo) => parted.push(*echo),
                None => {}
            }
        }
        parted.sort_by(|a, b| a.place.total_cmp(&b.place));
        parted
    }

    /// The two targets that an echo of a channel is, nearer first, if it is two.
    fn pair(&self, channel: &[[f32; 2]], echo: &Candidate, terms: &Terms) -> Option<[Candidate; 2]> {
        let farthest = APART_CELLS[1] * self.cell;
        // Of two targets of which one is ten times as strong the weak one lies three spreads from the middle. What
        // was found as two already lies farther off.
        let near = (3.2 * echo.spread / terms.interpolation + self.cell).min(farthest);
        [near, farthest]
            .into_iter()
            .map(|reach| self.within(reach, channel, echo, terms))
            .find(|seen| !matches!(seen, Seen::Other))
            .and_then(|seen| match seen {
                Seen::Two(pair) => Some(pair),
                Seen::One | Seen::Other => None,
            })
    }

    /// What an echo is within so many input samples of its middle.
    fn within(&self, reach: f64, channel: &[[f32; 2]], echo: &Candidate, terms: &Terms) -> Seen {
        let [nearest, farthest] = APART_CELLS.map(|cells| cells * self.cell);
        let middle = echo.place / terms.interpolation;
        let Some(heard) = self.listen(channel, middle, reach + 2.0 * self.cell) else {
            return Seen::Other;
        };
        let half = (reach / (GRID_CELLS * self.cell)).ceil() as i32;
        let grid: Vec<f64> = (-half..=half)
            .map(|step| f64::from(step) * GRID_CELLS * self.cell)
            .collect();
        let is_noise = |left: f64, strongest: f64| left <= (NOISE_PEAK * echo.noise).max(MODEL * strongest);
        let one = heard.one(&self.answer, &grid);
        if is_noise(heard.left(&self.answer, &one), one.powers()[0]) {
            return Seen::One;
        }
        let Some(two) = heard.two(&self.answer, &grid, nearest) else {
            return Seen::Other;
        };
        let powers = two.powers();
        let (weak, strong) = (powers[0].min(powers[1]), powers[0].max(powers[1]));
        let apart = two.places[1] - two.places[0];
        let is_pair = weak >= WEAKEST * strong
            && weak >= terms.min_snr.max(LEAST_WEAK_SNR) * echo.noise
            && (nearest..=farthest).contains(&apart)
            && is_noise(heard.left(&self.answer, &two), strong);
        if !is_pair {
            return Seen::Other;
        }
        let apart = apart * terms.interpolation;
        Seen::Two([0, 1].map(|which| {
            let place = echo.place + two.places[which] * terms.interpolation;
            one_of_two(echo, place, powers[which], apart, terms.width)
        }))
    }

    /// The filter's output within `reach` input samples of a place; nothing where the channel ends before.
    fn listen(&self, channel: &[[f32; 2]], middle: f64, reach: f64) -> Option<Heard> {
        let first = (middle - reach).floor() - self.centre as f64;
        let count = (2.0 * reach / self.step as f64).ceil() as usize + 1;
        let end = first + ((count - 1) * self.step + self.replica.len()) as f64;
        if first < 0.0 || end > channel.len() as f64 {
            return None;
        }
        let output = |number: usize| {
            let start = first as usize + number * self.step;
            let pairs = channel[start..].iter().zip(&self.replica);
            let sum: Complex<f32> = pairs.map(|(&[re, im], h)| Complex::new(re, im) * h).sum();
            let place = (start + self.centre) as f64 - middle;
            let sum = Complex::new(f64::from(sum.re), f64::from(sum.im));
            (place, sum * from_polar(1.0, -self.turn_rad * place))
        };
        let (places, values) = (0..count).map(output).unzip();
        Some(Heard { places, values })
    }
}

/// One of a pair `apart` samples from the other.
fn one_of_two(echo: &Candidate, place: f64, power: f64, apart: f64, width: f64) -> Candidate {
    let by_pulse = BY_PULSE * width / (2.0 * power / echo.noise.max(f64::MIN_POSITIVE)).sqrt();
    // The nearer the other, the more a shift of one is taken up by it.
    let by_other = by_pulse * (width / apart).max(1.0);
    let by_speckle = (SPECKLE_WIDTHS * width * 0.5 * apart / (4.0 * PI.sqrt())).sqrt();
    let by_sampling = 0.05 * width;
    let sigma = [by_other, by_speckle, by_sampling];
    Candidate {
        place,
        sigma: sigma.iter().map(|sigma| sigma * sigma).sum::<f64>().sqrt(),
        spread: 0.425 * width,
        half_window: 1.25 * width,
        energy: power * width,
        peak: power,
        noise: echo.noise,
        cells: 1.0,
    }
}

#[cfg(test)]
mod tests;
