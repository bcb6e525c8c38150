//! Echoes of an array's beams, placed by the phase between the array's halves.

use beluga_types::Direction;
use beluga_types::elementary::hypot;
use nalgebra::Vector3;
use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::across::Placed;
use super::beamform::{Beamformer, Formed, Split};
use super::detect::Candidate;
use super::echo::{DetectionMethod, Echo};
use super::phase::{Crossing, phase_over, zero_crossing};
use super::prepared::{Prepared, Worker};

/// Phases beyond this are not used: near half a turn they mean either side of the beam.
const MOST_PHASE_RAD: f64 = 2.5;

/// Along a footprint that is long in range the phase turns by this much at least.
const LEAST_TURN_RAD: f64 = 2.0;

/// A zero is not met better than this, in widths of the compressed pulse: the speckle of one width has one
/// phase, wherever in it its strongest part lies. Empirical, from beds in simulated waveforms.
const CROSSING_WIDTHS: f64 = 0.6;

/// Gives each echo of an array's beams the bearing that the phase between halves tells, where that tells
/// more than the beam: for compact echoes the phase over the echo, for a long oblique footprint the time
/// at which the phase passes zero, which is when the beam's axis was met. Beams are worked on in parallel,
/// each by itself.
pub(crate) fn refine(
    former: &Beamformer,
    formed: &Formed,
    prepared: &Prepared,
    placed: &[Placed],
    echoes: &mut [Echo],
) {
    let looked = Looked {
        former,
        formed,
        prepared,
    };
    let same_beam: Vec<&[Placed]> = placed.chunk_by(|a, b| a.beam == b.beam).collect();
    let found: Vec<Vec<Echo>> = {
        let mut rest = &*echoes;
        let runs: Vec<(&[Placed], &[Echo])> = same_beam
            .iter()
            .map(|placed| {
                let (run, behind) = rest.split_at(placed.len());
                rest = behind;
                (*placed, run)
            })
            .collect();
        runs.par_iter()
            .map(|(placed, echoes)| looked.of_beam(placed, echoes))
            .collect()
    };
    for (slot, echo) in echoes.iter_mut().zip(found.into_iter().flatten()) {
        *slot = echo;
    }
}

fn compressed(prepared: &Prepared, worker: &mut Worker) -> Vec<Complex<f32>> {
    let mut row = Vec::new();
    prepared
        .filter
        .compress(&worker.channel, &mut worker.scratch, &mut row);
    row
}

/// What is known of a beam.
struct Looked<'a> {
    former: &'a Beamformer,
    formed: &'a Formed,
    prepared: &'a Prepared,
}

impl Looked<'_> {
    /// The echoes of one beam.
    fn of_beam(&self, placed: &[Placed], echoes: &[Echo]) -> Vec<Echo> {
        let (mut worker, beam) = (Worker::default(), placed[0].beam);
        let waveforms = &self.formed.beams.waveforms;
        waveforms.read_channel(beam, &mut worker.channel);
        let whole = compressed(self.prepared, &mut worker);
        let mut echoes = echoes.to_vec();
        for split in self.former.splits() {
            self.former.half(self.formed, beam, split, &mut worker.channel);
            let ahead = compressed(self.prepared, &mut worker);
            // Beams are linear: the other half is the rest.
            let behind = whole.iter().zip(&ahead);
            let behind = behind.map(|(whole, ahead)| whole - ahead).collect();
            let halves = [ahead, behind];
            for (placed, echo) in placed.iter().zip(&mut echoes) {
                self.look(&halves, split, placed, echo);
            }
        }
        echoes
    }

    /// What one split tells of one echo.
    fn look(&self, halves: &[Vec<Complex<f32>>; 2], split: &Split, placed: &Placed, echo: &mut Echo) {
        let candidate = &placed.candidate;
        let is_arc = echo.half_angle_rad.is_some();
        if !is_arc && !candidate.is_compact(self.prepared.width_samples()) {
            let crossing = zero_crossing(halves, candidate, LEAST_TURN_RAD).map(|crossing| Crossing {
                sigma: hypot(crossing.sigma, CROSSING_WIDTHS * self.prepared.width_samples()),
                ..crossing
            });
            if let Some(crossing) = crossing.filter(|crossing| crossing.sigma < candidate.sigma) {
                self.at_crossing(&crossing, split, echo);
                return;
            }
        }
        // Half of an array has half of its ratio of signal to noise. Of an arc only its nearest point is
        // meant, not what comes behind it.
        let window = Candidate {
            noise: 2.0 * candidate.noise,
            half_window: match is_arc {
                true => self.prepared.width_samples(),
                false => candidate.half_window,
            },
            ..*candidate
        };
        let phase = phase_over(halves, &window);
        let is_clear = phase.angle_rad.abs() < MOST_PHASE_RAD;
        let Some(beside) = split.beside(phase.angle_rad).filter(|_| is_clear) else {
            return;
        };
        // The echo's direction may have come from between beams; the phase counts from the beam's own.
        let own = self.formed.beams.beams[placed.beam].direction.vector();
        let sine = own.dot(&split.along) + beside.sine;
        let cosine = (1.0 - sine * sine).max(1e-4).sqrt();
        let sigma_rad = (phase.sigma_rad * beside.per_phase / cosine).max(LEAST_SIGMA_RAD);
        let slot = sigma_slot(split, echo);
        if sigma_rad >= *slot {
            return;
        }
        *slot = sigma_rad;
        if let Some(direction) = self.with_sine(&echo.direction.vector(), split, sine) {
            echo.direction = Direction::from_vector(direction);
            if !is_arc {
                echo.method = DetectionMethod::Phase;
            }
        }
    }

    /// The beam's own axis, at the time it was met.
    fn at_crossing(&self, crossing: &Crossing, split: &Split, echo: &mut Echo) {
        echo.two_way_time_s = self.prepared.time_s(&self.formed.beams.waveforms, crossing.place);
        echo.sigma_time_s = crossing.sigma / self.prepared.filter.output_rate_hz();
        *sigma_slot(split, echo) = LEAST_SIGMA_RAD;
        echo.method = DetectionMethod::Phase;
    }

    /// The direction with another sine along one of the array's axes and the same along the other.
    fn with_sine(&self, direction: &Vector3<f64>, split: &Split, sine: f64) -> Option<Vector3<f64>> {
        let (mut level, mut rest) = (Vector3::zeros(), *direction);
        for other in self.former.splits() {
            let along = direction.dot(&other.along);
            rest -= other.along * along;
            level += other.along * if other.along == split.along { sine } else { along };
        }
        let up = 1.0 - level.norm_squared();
        (up > 0.0).then_some(level + rest.try_normalize(1e-9)? * up.sqrt())
    }
}

/// A bearing is not stated better than this: elements are not placed, nor phases matched, more exactly.
const LEAST_SIGMA_RAD: f64 = 5e-4;

/// The sigma of an echo's direction that a split tells: along for an axis about `Sensor` x.
fn sigma_slot<'a>(split: &Split, echo: &'a mut Echo) -> &'a mut f64 {
    match split.along.x.abs() > 0.7 {
        true => &mut echo.sigma_along_rad,
        false => &mut echo.sigma_across_rad,
    }
}

#[cfg(test)]
mod tests;
