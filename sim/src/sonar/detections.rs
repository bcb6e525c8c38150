//! A device that gives only what it detects: its own beams, matched filter and detector.
//!
//! Each beam is formed in two halves. The strongest echo over a threshold is timed by the
//! amplitude-weighted mean of its footprint where that is short, and by the zero crossing of the phase
//! between the halves where it is long (X. Lurton, "An Introduction to Underwater Acoustics", Springer
//! 2010, ch. 8). So its errors are those of a real unit: noise, speckle, echoes through side lobes, one
//! echo for each beam, and angles by the speed of sound it believes in.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2};
use std::ops::Range;

use beluga_types::{Detection, Detections, SonarPing};
use rustfft::num_complex::Complex;

use super::Sonar;
use super::hearing::{Echo, Shifts};
use super::paths::Arrival;
use super::receiver::Moment;
use super::waveform::Scratch;

/// Angles are given in steps of this, as in the Kongsberg raw range and angle datagram.
const ANGLE_STEP_DEG: f64 = 0.01;
/// Power falls about so with range, in powers of it: what is near does not hide the bed.
const FALL: i32 = 3;
/// An echo's footprint reaches to this part of its peak's power.
const FOOTPRINT: f32 = 0.1;
/// Speckle may interrupt a footprint for so many resolution cells.
const GAP_CELLS: f64 = 3.0;
/// The phase is asked if a footprint is longer than so many resolution cells.
const LONG_CELLS: f64 = 6.0;
/// Only phases within this are used: beyond, the other side of the beam leaks in.
const MOST_PHASE_RAD: f64 = 2.0;

/// An echo that the detector found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// In samples after the transmit centre.
    pub(super) place: f64,
    /// One sigma of the place by the detector's own reckoning, in samples.
    pub(super) sigma: f64,
    /// Amplitude of the peak.
    pub(super) amplitude: f64,
}

/// What the detector of one device is set to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detector {
    /// First sample after the blanking.
    pub(super) start: usize,
    /// Samples of a resolution cell.
    pub(super) cell: f64,
    /// Power over noise that an echo needs.
    pub(super) threshold: f32,
}

impl Sonar {
    /// The device's detections, one for each beam at most.
    pub(super) fn ping_by_detections(&self, seed: u64, ping: u64, arrivals: &[Arrival]) -> (SonarPing, i64) {
        let echoes = self.echoes(arrivals);
        let shifts = self.shifts(echoes.iter().map(|echo| f64::from(echo.doppler)));
        let moment = self.moment(seed, ping);
        let mut scratch = self.synthesis.scratch();
        let detector = self.detector();
        let detections = (0..self.beams.len())
            .filter_map(|beam| {
                let halves = self.half_beams(&echoes, &shifts, beam, &moment, &mut scratch);
                Some(self.detection(beam, &detector.find(&halves[0], &halves[1])?))
            })
            .collect();
        let transmit_along = self.beams.first().map_or(0.0, |beam| beam.transmit_width_rad[0]);
        let ping = Detections {
            detections,
            sound_speed_m_per_s: Some(self.head_sound_speed_m_per_s),
            beam_width_rad: [transmit_along, self.device.beam_width_deg.to_radians()],
        };
        let last_s = (self.samples.max(1) - 1) as f64 / self.sample_rate_hz;
        (SonarPing::Detections(ping), (last_s * 1e9).round() as i64)
    }

    fn detector(&self) -> Detector {
        let start_s = 2.0 * self.blanking_m / self.head_sound_speed_m_per_s;
        Detector {
            start: (start_s * self.sample_rate_hz).ceil() as usize,
            cell: self.sample_rate_hz / self.pulse.bandwidth_hz(),
            threshold: 10f64.powf(0.1 * self.device.detection_db) as f32,
        }
    }

    /// The starboard and the port half of a beam, with noise, as counts, compressed.
    fn half_beams(
        &self,
        echoes: &[Echo],
        shifts: &Shifts,
        beam: usize,
        moment: &Moment,
        scratch: &mut Scratch,
    ) -> [Vec<Complex<f32>>; 2] {
        let axis = self.look(self.across_rad[beam]);
        [0, 1].map(|half| {
            let pattern = |aside: f64| {
                self.receive
                    .halves
                    .as_ref()
                    .map_or_else(Complex::default, |table| table.at(aside)[half])
            };
            for (index, aside) in self.heard(echoes, axis) {
                let echo = &echoes[index];
                shifts.add(scratch, index, &echo.taps, echo.amplitude * pattern(aside));
            }
            let row = self.synthesis.finish_terms(scratch, shifts.terms);
            let gain = self
                .receiver
                .neighbour_from()
                .map(|from| pattern(self.receive.place(&from) - axis) * self.receive.along(&from));
            self.receiver.disturb(row, moment, gain.unwrap_or_default(), 0.0);
            let channel = 2 * beam as u64 + half as u64;
            self.receiver
                .add_noise(row, moment, channel, FRAC_1_SQRT_2 as f32);
            self.receiver.digitise(row, 0.5);
            match &self.matched {
                Some(matched) => matched.compress(row),
                None => row.to_vec(),
            }
        })
    }

    /// A detection as the device states it.
    fn detection(&self, beam: usize, found: &Found) -> Detection {
        let two_way_time_s = found.place / self.sample_rate_hz;
        let range_m = 0.5 * self.head_sound_speed_m_per_s * two_way_time_s;
        let absorbed_db = 40.0 * std::f64::consts::LOG10_E * self.loss.even_per_m * range_m;
        let level_db = 20.0 * found.amplitude.log10() + 40.0 * range_m.log10() + absorbed_db;
        let angle_deg = (self.across_rad[beam].to_degrees() / ANGLE_STEP_DEG).round() * ANGLE_STEP_DEG;
        // The quality factor -log10(σ/t) of X. Lurton and J.-M. Augustin, "A measurement quality factor
        // for swath bathymetry sounders", IEEE J. Ocean. Eng. 35 (2010): 1 is bad, 4 the best.
        let factor = -(found.sigma / found.place).max(1e-9).log10();
        Detection {
            two_way_time_s: f64::from(two_way_time_s as f32),
            receive_angle_rad: angle_deg.to_radians(),
            transmit_tilt_rad: 0.0,
            transmit_delay_s: 0.0,
            sector: 0,
            level_db: level_db as f32,
            quality: ((factor - 1.0) / 3.0).clamp(0.0, 1.0) as f32,
        }
    }
}

impl Detector {
    /// The strongest echo of a beam from its two halves, compressed.
    pub(super) fn find(&self, starboard: &[Complex<f32>], port: &[Complex<f32>]) -> Option<Found> {
        let whole: Vec<Complex<f32>> = starboard.iter().zip(port).map(|(a, b)| a + b).collect();
        let power: Vec<f32> = whole.iter().map(Complex::norm_sqr).collect();
        let heard = power.get(self.start..)?;
        if heard.len() < 8 {
            return None;
        }
        let mut sorted = heard.to_vec();
        let middle = sorted.len() / 2;
        let median = *sorted.select_nth_unstable_by(middle, f32::total_cmp).1;
        // The power of noise is exponential: its median is ln 2 of its mean.
        let noise = median / LN_2 as f32;
        let near_not_loud = |i: usize| f64::from(power[i]) * (i as f64).powi(FALL);
        let peak = (self.start..power.len())
            .filter(|&i| power[i] > noise * self.threshold)
            .max_by(|&a, &b| near_not_loud(a).total_cmp(&near_not_loud(b)))?;
        let footprint = self.footprint(&power, peak);
        let mean = self.weighted_mean(&whole, &footprint, noise / power[peak]);
        let long = footprint.len() as f64 > LONG_CELLS * self.cell;
        let crossing = if long {
            self.zero_crossing(starboard, port, &footprint)
        } else {
            None
        };
        let amplitude = f64::from(power[peak].sqrt());
        let [place, sigma] = match crossing {
            Some(crossing) if crossing[1] < mean[1] => crossing,
            _ => mean,
        };
        Some(Found {
            place,
            sigma,
            amplitude,
        })
    }

    /// The samples around a peak that belong to its echo.
    fn footprint(&self, power: &[f32], peak: usize) -> Range<usize> {
        let least = power[peak] * FOOTPRINT;
        let gap = (GAP_CELLS * self.cell).ceil() as usize;
        let mut end = peak + 1;
        for (i, &value) in power.iter().enumerate().skip(peak + 1) {
            if value >= least {
                end = i + 1;
            } else if i >= end + gap {
                break;
            }
        }
        let mut start = peak;
        for i in (self.start..peak).rev() {
            if power[i] >= least {
                start = i;
            } else if i + gap < start {
                break;
            }
        }
        start..end
    }

    /// Place and sigma by the amplitude-weighted mean.
    fn weighted_mean(&self, whole: &[Complex<f32>], footprint: &Range<usize>, noise: f32) -> [f64; 2] {
        let weight = |i: usize| f64::from(whole[i].norm());
        let sum: f64 = footprint.clone().map(weight).sum();
        let place = footprint.clone().map(|i| weight(i) * i as f64).sum::<f64>() / sum;
        let spread = footprint
            .clone()
            .map(|i| weight(i) * (i as f64 - place).powi(2))
            .sum::<f64>()
            / sum;
        let cells = (footprint.len() as f64 / self.cell).max(1.0);
        let by_noise = self.cell * f64::from(noise.sqrt());
        [place, (spread / cells + by_noise * by_noise).sqrt()]
    }

    /// Place and sigma by a straight line through the phase between the halves, where it is zero.
    fn zero_crossing(
        &self,
        starboard: &[Complex<f32>],
        port: &[Complex<f32>],
        footprint: &Range<usize>,
    ) -> Option<[f64; 2]> {
        let points: Vec<[f64; 3]> = footprint
            .clone()
            .map(|i| {
                let product = starboard[i] * port[i].conj();
                [i as f64, f64::from(product.arg()), f64::from(product.norm())]
            })
            .filter(|[_, phase, _]| phase.abs() < MOST_PHASE_RAD)
            .collect();
        let cells = points.len() as f64 / self.cell;
        if cells < 0.5 * LONG_CELLS {
            return None;
        }
        let mean = |value: &dyn Fn(&[f64; 3]) -> f64| {
            let sum: f64 = points.iter().map(|point| point[2] * value(point)).sum();
            sum / points.iter().map(|point| point[2]).sum::<f64>()
        };
        let (place, phase) = (mean(&|point| point[0]), mean(&|point| point[1]));
        let spread = mean(&|point| (point[0] - place).powi(2));
        let slope = mean(&|point| (point[0] - place) * (point[1] - phase)) / spread;
        let rest = mean(&|point| (point[1] - phase - slope * (point[0] - place)).powi(2));
        let crossing = place - phase / slope;
        let sigma = (rest / cells * (1.0 + (crossing - place).powi(2) / spread)).sqrt() / slope.abs();
        let inside = crossing >= footprint.start as f64 && crossing < footprint.end as f64;
        (inside && sigma.is_finite()).then_some([crossing, sigma])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Dice, Source};

    const DETECTOR: Detector = Detector {
        start: 20,
        cell: 1.25,
        threshold: 20.0,
    };

    /// Noise of power one in each half, and an echo about sample 300.
    fn halves(seed: u64, echo: impl Fn(f64, Complex<f32>) -> [Complex<f32>; 2]) -> [Vec<Complex<f32>>; 2] {
        let dice = |source| Dice::new(seed, source, 0, 0);
        let at = |half: usize| {
            (0..600u64)
                .map(|i| {
                    let [re, im] = dice(Source::SonarNoise).normal_pair(2 * i + half as u64);
                    let [u, v] = dice(Source::Scatterer).normal_pair(i);
                    let heard = echo(i as f64 - 300.0, Complex::new(u, v))[half];
                    heard + Complex::new(re, im) * 0.7
                })
                .collect()
        };
        [at(0), at(1)]
    }

    #[test]
    fn a_long_footprint_is_timed_by_phase_better_than_by_its_mean() {
        let (mut by_device, mut by_mean) = (0.0, 0.0);
        for seed in 0..40 {
            let [starboard, port] = halves(seed, |off, speckle| {
                let level = (30.0 * (-off * off / (2.0 * 40.0 * 40.0)).exp()) as f32;
                let phase = Complex::from_polar(1.0, (off / 40.0) as f32);
                [speckle * phase * level, speckle * phase.conj() * level]
            });
            let found = DETECTOR.find(&starboard, &port).unwrap();
            let whole: Vec<_> = starboard.iter().zip(&port).map(|(a, b)| a + b).collect();
            let mean = DETECTOR.weighted_mean(&whole, &(220..380), 0.0);
            by_device += (found.place - 300.0).powi(2) / 40.0;
            by_mean += (mean[0] - 300.0).powi(2) / 40.0;
        }
        println!(
            "footprint of 40 samples sigma: device {:.2} samples, mean {:.2}",
            by_device.sqrt(),
            by_mean.sqrt()
        );
        assert!(by_device.sqrt() < 2.5 && by_device < by_mean);
    }

    #[test]
    fn a_short_echo_is_timed_by_its_mean_and_noise_alone_is_none() {
        let echo = |off: f64, _| {
            let level = (60.0 * (-(off - 0.4).powi(2) / 2.0).exp()) as f32;
            [Complex::new(level, 0.0); 2]
        };
        let [starboard, port] = halves(3, echo);
        let found = DETECTOR.find(&starboard, &port).unwrap();
        assert!((found.place - 300.4).abs() < 0.2, "{}", found.place);
        let [starboard, port] = halves(3, |_, _| [Complex::default(); 2]);
        assert!(DETECTOR.find(&starboard, &port).is_none());
        assert!(
            DETECTOR.find(&starboard[..20], &port[..20]).is_none(),
            "nothing behind the blanking"
        );
    }
}
