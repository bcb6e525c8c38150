//! Beams of a flat grid of elements: rows first, then what the rows gave.
//!
//! A plane wave's delays are those along one axis plus those along the other. Beams that share the sine
//! along the first axis share the sums of the rows, so a beam costs a row of elements instead of all
//! (R. Mucci, "A comparison of efficient beamforming algorithms", IEEE Trans. Acoust. Speech Signal
//! Process. 32, 1984). Delays stay exact for each frequency, which those of a Fourier transform over the
//! elements are for one alone.

use beluga_types::Beam;
use nalgebra::Vector3;
use rayon::prelude::*;
use rustfft::num_complex::Complex;

/// Elements are on the grid if they lie so near to it, in metres.
const NEAR_M: f64 = 1e-6;

/// A grid of elements and the beams that share a sine along its first axis.
pub(super) struct Grid {
    /// Places along both axes.
    places: [Vec<f64>; 2],
    /// Which element stands where, row by row along the second axis.
    elements: Vec<usize>,
    groups: Vec<Group>,
}

struct Group {
    sine: f64,
    /// Beams, and their sines along the second axis.
    beams: Vec<(usize, f64)>,
}

impl Grid {
    /// If these elements fill a grid along two axes.
    pub(super) fn of(
        elements: &[(Vector3<f64>, f64)],
        axes: &[Vector3<f64>],
        beams: &[Beam],
    ) -> Option<Self> {
        let &[one, other] = axes else {
            return None;
        };
        let places = [one, other].map(|axis| distinct(elements.iter().map(|(place, _)| place.dot(&axis))));
        let [rows, columns] = [places[0].len(), places[1].len()];
        if rows * columns != elements.len() {
            return None;
        }
        let mut at = vec![usize::MAX; elements.len()];
        for (number, (place, _)) in elements.iter().enumerate() {
            let flat = one * place.dot(&one) + other * place.dot(&other);
            if (place - flat).norm() > NEAR_M {
                return None;
            }
            let [row, column] = [(0, one), (1, other)].map(|(axis, along)| {
                let value = place.dot(&along);
                places[axis]
                    .iter()
                    .position(|there| (there - value).abs() <= NEAR_M)
            });
            at[column? * rows + row?] = number;
        }
        // As many places as elements: where one holds two another is empty.
        if at.contains(&usize::MAX) {
            return None;
        }
        let mut groups: Vec<Group> = Vec::new();
        for (number, beam) in beams.iter().enumerate() {
            let towards = beam.direction.vector();
            let (sine, across) = (towards.dot(&one), towards.dot(&other));
            match groups.iter_mut().find(|group| (group.sine - sine).abs() < 1e-9) {
                Some(group) => group.beams.push((number, across)),
                None => groups.push(Group {
                    sine,
                    beams: vec![(number, across)],
                }),
            }
        }
        Some(Self {
            places,
            elements: at,
            groups,
        })
    }

    /// Spectra of all beams for plane waves; `add` adds to a sum a spectrum that is late by a way in metres,
    /// with a weight.
    pub(super) fn spectra(
        &self,
        spectra: &[Vec<Complex<f32>>],
        elements: &[(Vector3<f64>, f64)],
        add: impl Fn(&mut [Complex<f32>], &[Complex<f32>], f64, f64) + Sync,
    ) -> Vec<Vec<Complex<f32>>> {
        let bins = spectra.first().map_or(0, Vec::len);
        let silence = || vec![Complex::default(); bins];
        let of_group = |group: &Group| -> Vec<(usize, Vec<Complex<f32>>)> {
            let rows: Vec<_> = self
                .elements
                .chunks(self.places[0].len())
                .map(|row| {
                    let mut sum = silence();
                    for (&number, place) in row.iter().zip(&self.places[0]) {
                        add(
                            &mut sum,
                            &spectra[number],
                            -place * group.sine,
                            elements[number].1,
                        );
                    }
                    sum
                })
                .collect();
            let beam = |&(number, sine): &(usize, f64)| {
                let mut sum = silence();
                for (row, place) in rows.iter().zip(&self.places[1]) {
                    add(&mut sum, row, -place * sine, 1.0);
                }
                (number, sum)
            };
            group.beams.iter().map(beam).collect()
        };
        let groups: Vec<_> = self.groups.par_iter().map(of_group).collect();
        let mut all: Vec<_> = groups.into_iter().flatten().collect();
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, spectrum)| spectrum).collect()
    }
}

/// Values that differ, ascending.
fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup_by(|next, kept| (*next - *kept).abs() <= NEAR_M);
    values
}
