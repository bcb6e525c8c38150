//! Beams of an array of elements: each element turned and delayed by the way sound has to it, then added.
//!
//! Delays are exact for every frequency of the band: they are turns of each element's spectrum. Grids of
//! elements are added up row by row, which for 16 by 16 of them is several times faster. A wave
//! front from near by is curved; where that matters the beams are focused in zones of range, each so
//! short that the focus is off by an eighth of a wavelength at most (B. Steinberg, "Principles of
//! Aperture and Array System Design", Wiley 1976). Of an echo from nearer than a pulse is long its ends are focused for other ranges than its middle: 0.3 dB at 0.45 m of a pulse 0.75 m long.

mod aperture;
mod grid;
mod split;

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use beluga_types::elementary::asin;
use beluga_types::{Beam, Beams, Elements, Error, Pulse, SampleValues, WaveformShape, Waveforms};
use nalgebra::Vector3;
use rayon::prelude::*;
use rustfft::Fft;
use rustfft::num_complex::Complex;

use super::config::ReplicaWindow;
use super::fft::Transforms;
use super::polar::from_polar;
use super::response::lowest_bin;
use aperture::Aperture;
pub use aperture::Unformed;
use grid::Grid;
pub(crate) use split::Split;

/// Zones of focus at most: nearer than the last one begins, its focus is kept.
const MOST_ZONES: usize = 32;

/// Beams of one table at most, and samples of all of them together (268 MB).
const MOST_BEAMS: usize = 1024;
const MOST_SAMPLES: usize = 1 << 25;

/// Bins of a turning phasor before it is computed anew.
const RESTART: usize = 64;

/// What beams an array of elements can form; made once for a layout.
pub struct Beamformer {
    positions: Arc<[beluga_types::Point<beluga_types::Sensor>]>,
    pulse: Pulse,
    sound_speed_m_per_s: f64,
    /// Elements about the middle of the array, and their weights, which add up to one.
    elements: Vec<(Vector3<f64>, f64)>,
    beams: Arc<[Beam]>,
    zones: Vec<Zone>,
    grid: Option<Grid>,
    splits: Vec<Split>,
    /// What there is to say of the layout.
    pub(crate) notes: Vec<String>,
    fft: [Arc<dyn Fft<f32>>; 2],
    bins: usize,
    /// The lowest of the bins, counted from `middle_hz`; less than zero.
    lowest: i64,
    middle_hz: f64,
    rate_hz: f64,
    samples: usize,
}

/// A ping as beams, and the elements it was formed of.
pub struct Formed {
    /// Its beams.
    pub beams: Beams,
    spectra: Vec<Vec<Complex<f32>>>,
    /// First sample of each zone.
    boundaries: Vec<usize>,
}

/// A stretch of ranges and the range its beams are focused at.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Zone {
    from_m: f64,
    focus_m: f64,
}

impl Beamformer {
    /// For the layout of this ping.
    ///
    /// # Errors
    /// [`Unformed`] if there are not three elements at places of their own, one for each channel, near
    /// enough to each other to hear one ping.
    pub fn new(
        ping: &Elements,
        pulse: &Pulse,
        window: ReplicaWindow,
        sound_speed_m_per_s: f64,
        transforms: Transforms,
    ) -> Result<Self, Unformed> {
        let shape = ping.waveforms.shape();
        let places: Vec<_> = ping.positions.iter().map(|place| place.vector()).collect();
        let aperture = Aperture::new(&places, shape.channels)?;
        let highest_hz = pulse.centre_hz() + 0.5 * pulse.bandwidth_hz();
        let wavelength_m = sound_speed_m_per_s / pulse.centre_hz();
        let rate_hz = ping.waveforms.sample_rate_hz();
        let size_m = aperture.size_m();
        let most_m = sound_speed_m_per_s * shape.samples as f64 / rate_hz;
        if size_m > most_m {
            return Err(Unformed::Large { size_m, most_m });
        }
        let most = (MOST_SAMPLES / shape.samples.max(1)).clamp(1, MOST_BEAMS);
        let (beams, notes) = aperture.table(window, wavelength_m, sound_speed_m_per_s / highest_hz, most);
        // Room for the longest delay at either end.
        let late = (size_m / sound_speed_m_per_s * rate_hz).ceil() as usize + 1;
        let bins = (shape.samples + 2 * late).next_power_of_two();
        // Behind a receiver's stages the samples hold the one band around the pulse that fits their rate.
        let (turns, middle_hz) = match ping.waveforms.receiver() {
            Some(_) => (
                pulse.centre_hz() / rate_hz,
                (pulse.centre_hz() / rate_hz).round() * rate_hz,
            ),
            None => (0.0, ping.waveforms.centre_hz()),
        };
        let elements = aperture.weighted(window);
        let split = |along| Split::new(&elements, along, wavelength_m);
        let axes: Vec<_> = aperture.axes().collect();
        let splits = axes.iter().copied().map(split).collect();
        let grid = Grid::of(&elements, &axes, &beams);
        Ok(Self {
            positions: Arc::clone(&ping.positions),
            pulse: *pulse,
            sound_speed_m_per_s,
            elements,
            grid,
            splits,
            beams: beams.into(),
            zones: zones(size_m, wavelength_m, ping.blanking_m),
            notes,
            fft: [transforms.forward(bins), transforms.inverse(bins)],
            bins,
            lowest: lowest_bin(turns, bins),
            middle_hz,
            rate_hz,
            samples: shape.samples,
        })
    }

    /// Whether it was made for a ping like this.
    pub(crate) fn is_for(&self, ping: &Elements, pulse: &Pulse, sound_speed_m_per_s: f64) -> bool {
        self.samples == ping.waveforms.shape().samples
            && self.rate_hz == ping.waveforms.sample_rate_hz()
            && self.sound_speed_m_per_s == sound_speed_m_per_s
            && self.pulse == *pulse
            && self.positions == ping.positions
    }

    /// The array parted across each of its axes.
    pub(crate) fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// What the half of the array ahead of a split hears in a beam; the rest of the beam is the other's.
    pub(crate) fn half(&self, formed: &Formed, beam: usize, split: &Split, channel: &mut Vec<[f32; 2]>) {
        let (beam, shares) = (&self.beams[beam], &split.shares);
        let far = self.steered(&formed.spectra, beam, f64::INFINITY, shares);
        let row = self.focused(far, &formed.spectra, beam, &formed.boundaries, shares);
        channel.clear();
        channel.extend(row.iter().map(|value| [value.re, value.im]));
    }

    /// The ping as beams. Beams are formed in parallel, each by itself, so their bits do not depend on
    /// the number of threads.
    ///
    /// # Errors
    /// If the samples made are none (not finite).
    pub fn form(&self, ping: &Elements) -> Result<Formed, Error> {
        let waveforms = &ping.waveforms;
        let rate_hz = self.rate_hz;
        let spectra = self.spectra(waveforms);
        let boundary = |zone: &Zone| {
            let time_s = 2.0 * zone.from_m / self.sound_speed_m_per_s - waveforms.first_sample_s();
            ((time_s * rate_hz).max(0.0) as usize).min(self.samples)
        };
        let boundaries: Vec<usize> = self.zones.iter().map(boundary).collect();
        let all = vec![1.0; self.elements.len()];
        let far = match &self.grid {
            Some(grid) => grid.spectra(&spectra, &self.elements, |sum, spectrum, later_m, weight| {
                self.add_late(sum, spectrum, later_m, weight);
            }),
            None => Vec::new(),
        };
        let row = |(number, beam): (usize, &Beam)| {
            let far = match far.get(number) {
                Some(far) => self.in_time(far.clone()),
                None => self.steered(&spectra, beam, f64::INFINITY, &all),
            };
            self.focused(far, &spectra, beam, &boundaries, &all)
        };
        let rows: Vec<Vec<Complex<f32>>> = self.beams.par_iter().enumerate().map(row).collect();
        let values = match waveforms.values().is_iq() {
            true => SampleValues::IqF32(rows.iter().flatten().map(|value| [value.re, value.im]).collect()),
            false => SampleValues::RealF32(rows.iter().flatten().map(|value| value.re).collect()),
        };
        let shape = WaveformShape {
            channels: self.beams.len(),
            samples: self.samples,
        };
        let mut formed = Waveforms::new(
            shape,
            values,
            1.0,
            rate_hz,
            waveforms.centre_hz(),
            waveforms.first_sample_s(),
        )?;
        if let Some(receiver) = waveforms.receiver() {
            formed = formed.with_receiver(Arc::clone(receiver))?;
        }
        let beams = Beams::new(
            formed,
            Arc::clone(&self.beams),
            self.pulse,
            0.0,
            ping.sound_speed_m_per_s,
            ping.blanking_m,
        )?;
        Ok(Formed {
            beams,
            spectra,
            boundaries,
        })
    }

    /// One beam, of which each element has a share, from what it hears of afar: each nearer zone fills
    /// what lies before the one behind it.
    fn focused(
        &self,
        mut row: Vec<Complex<f32>>,
        spectra: &[Vec<Complex<f32>>],
        beam: &Beam,
        boundaries: &[usize],
        shares: &[f64],
    ) -> Vec<Complex<f32>> {
        let mut end = boundaries[0];
        for (zone, &from) in self.zones.iter().zip(boundaries).skip(1) {
            if from < end {
                let focused = self.steered(spectra, beam, zone.focus_m, shares);
                row[from..end].copy_from_slice(&focused[from..end]);
            }
            end = end.min(from);
        }
        row
    }

    /// The spectrum of each element.
    fn spectra(&self, waveforms: &Waveforms) -> Vec<Vec<Complex<f32>>> {
        let transform = |channel: usize| {
            let mut samples = Vec::new();
            waveforms.read_channel(channel, &mut samples);
            let mut spectrum: Vec<_> = samples.iter().map(|&[re, im]| Complex::new(re, im)).collect();
            spectrum.resize(self.bins, Complex::default());
            self.fft[0].process(&mut spectrum);
            spectrum
        };
        (0..self.elements.len()).into_par_iter().map(transform).collect()
    }

    /// One beam focused at one range, of which each element has a share.
    fn steered(
        &self,
        spectra: &[Vec<Complex<f32>>],
        beam: &Beam,
        focus_m: f64,
        shares: &[f64],
    ) -> Vec<Complex<f32>> {
        let towards = beam.direction.vector();
        let mut sum = vec![Complex::default(); self.bins];
        for (((place, weight), share), spectrum) in self.elements.iter().zip(shares).zip(spectra) {
            if weight * share != 0.0 {
                self.add_late(
                    &mut sum,
                    spectrum,
                    later_m(place, &towards, focus_m),
                    weight * share,
                );
            }
        }
        self.in_time(sum)
    }

    /// Adds what is late by a way as if it were not.
    fn add_late(&self, sum: &mut [Complex<f32>], spectrum: &[Complex<f32>], later_m: f64, weight: f64) {
        let late_s = later_m / self.sound_speed_m_per_s;
        let bin_hz = self.rate_hz / self.bins as f64;
        let step = from_polar(1.0, TAU * bin_hz * late_s);
        // Bins stand from zero up, then from the lowest up.
        let wrap = (self.bins as i64 + self.lowest) as usize;
        for (bins, first) in [(0..wrap, 0), (wrap..self.bins, self.lowest)] {
            let sums = sum[bins.clone()].chunks_mut(RESTART);
            for (chunk, (sum, spectrum)) in sums.zip(spectrum[bins].chunks(RESTART)).enumerate() {
                let line = first + (chunk * RESTART) as i64;
                let hz = line as f64 * bin_hz + self.middle_hz;
                let mut turn = from_polar(weight, TAU * hz * late_s);
                for (slot, value) in sum.iter_mut().zip(spectrum) {
                    *slot += value * Complex::new(turn.re as f32, turn.im as f32);
                    turn *= step;
                }
            }
        }
    }

    /// A beam's spectrum as samples.
    fn in_time(&self, mut spectrum: Vec<Complex<f32>>) -> Vec<Complex<f32>> {
        self.fft[1].process(&mut spectrum);
        spectrum.truncate(self.samples);
        let share = 1.0 / self.bins as f32;
        spectrum.iter_mut().for_each(|value| *value *= share);
        spectrum
    }
}

/// How much longer sound from `focus_m` away has to an element than to the middle of the array:
/// `|R u - p| - R`, without the difference of large numbers; less than nothing for a nearer element.
fn later_m(place: &Vector3<f64>, towards: &Vector3<f64>, focus_m: f64) -> f64 {
    if focus_m.is_infinite() {
        return -place.dot(towards);
    }
    let longer = place.norm_squared() - 2.0 * focus_m * place.dot(towards);
    longer / ((focus_m * focus_m + longer).max(0.0).sqrt() + focus_m)
}

/// Zones from far to near, the first for plane waves. The curvature of a wave front bends an array of
/// length D by D²/8R, so a focus at 1/R holds for λ/2D² to either side.
fn zones(size_m: f64, wavelength_m: f64, nearest_m: f64) -> Vec<Zone> {
    let half_depth = wavelength_m / (2.0 * size_m * size_m);
    let nearest = 1.0 / nearest_m.max(0.5 * size_m);
    let count = ((0.5 * (nearest / half_depth + 1.0)).ceil() as usize).clamp(1, MOST_ZONES);
    (0..count)
        .map(|zone| Zone {
            from_m: match zone + 1 == count {
                true => 0.0,
                false => 1.0 / (half_depth * (2 * zone + 1) as f64),
            },
            focus_m: 1.0 / (half_depth * (2 * zone) as f64),
        })
        .collect()
}

/// Full width at -3 dB of a line of this length in wavelengths, as a sine, by its shading.
fn width_sine(window: ReplicaWindow, wavelengths: f64) -> f64 {
    let bins = match window {
        ReplicaWindow::Matched => 0.8859,
        ReplicaWindow::Hann => 1.4406,
        ReplicaWindow::Hamming => 1.3030,
        ReplicaWindow::Taylor => 1.1875,
    };
    (bins / wavelengths).min(2.0)
}

/// The angle of such a width, where the beam looks at this sine: a flat array is shorter from aside.
fn width_rad(width_sine: f64, sine: f64) -> f64 {
    let half = |side: f64| asin((sine + side * 0.5 * width_sine).clamp(-1.0, 1.0));
    (half(1.0) - half(-1.0)).clamp(1e-4, PI)
}

#[cfg(test)]
mod tests;
