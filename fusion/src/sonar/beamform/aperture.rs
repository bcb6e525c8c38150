//! The shape of an array, and the beams it can form without seeing double.

use beluga_types::elementary::asin;
use beluga_types::{Beam, Direction};
use nalgebra::{Matrix3, SymmetricEigen, Vector3};

use super::super::config::ReplicaWindow;
use super::super::replica::weight_at;
use super::{width_rad, width_sine};

/// Beams from the middle out to this sine: beyond it a flat array is too short to look.
const FARTHEST_SINE: f64 = 0.9;

/// An axis along which elements stray less than this share of the longest has none.
const THIN: f64 = 0.02;

/// Why elements make no beams.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unformed {
    /// Not one finite place for each channel.
    #[error(
        "ping has {channels} elements and the rig {found} usable positions of them, expected one for each of three or more"
    )]
    Places {
        /// Channels of the ping.
        channels: usize,
        /// Finite positions.
        found: usize,
    },
    /// Elements farther from each other than sound comes within a ping.
    #[error("elements lie up to {size_m:.3} m apart, but sound comes {most_m:.3} m within a ping")]
    Large {
        /// Greatest length of the array.
        size_m: f64,
        /// The way of sound in a ping.
        most_m: f64,
    },
    /// All elements at one place.
    #[error("{found} elements lie at one place, expected an array")]
    Point {
        /// Elements.
        found: usize,
    },
}

/// Where the elements lie about their middle, along the array's own axes.
pub(super) struct Aperture {
    places: Vec<Vector3<f64>>,
    /// Unit vectors along which the array has a length, the longest first: one of a line, two of a
    /// plane. What lies out of that plane is steered exactly and gets no beams of its own.
    axes: Vec<Axis>,
}

struct Axis {
    along: Vector3<f64>,
    /// From the first element to the last, and the widest gap between two in a row.
    length_m: f64,
    gap_m: f64,
    /// Length with half a gap beyond either end.
    whole_m: f64,
}

impl Aperture {
    pub(super) fn new(positions: &[Vector3<f64>], channels: usize) -> Result<Self, Unformed> {
        let finite = |place: &&Vector3<f64>| place.iter().all(|value| value.is_finite());
        let found = positions.iter().filter(finite).count();
        if found != channels || found != positions.len() || found < 3 {
            return Err(Unformed::Places { channels, found });
        }
        let middle = positions.iter().sum::<Vector3<f64>>() / found as f64;
        let places: Vec<_> = positions.iter().map(|place| place - middle).collect();
        let spread: Matrix3<f64> = places.iter().map(|place| place * place.transpose()).sum();
        let eigen = SymmetricEigen::new(spread);
        let mut order = [0, 1, 2];
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let longest = eigen.eigenvalues[order[0]].max(0.0).sqrt();
        if longest < 1e-6 {
            return Err(Unformed::Point { found });
        }
        let mut along: Vec<Vector3<f64>> = order[..2]
            .iter()
            .filter(|&&axis| eigen.eigenvalues[axis].max(0.0).sqrt() > THIN * longest)
            .map(|&axis| eigen.eigenvectors.column(axis).into_owned())
            .collect();
        if let [first, second] = along[..] {
            // A square has no axes of its own: the sensor's are taken.
            let normal = first.cross(&second);
            let level = |axis: Vector3<f64>| (axis - normal * axis.dot(&normal)).try_normalize(0.1);
            if let Some(x) = level(Vector3::x()).or_else(|| level(Vector3::y())) {
                along = vec![x, normal.cross(&x)];
            }
        }
        let axes = along.into_iter().map(|along| Axis::new(along, &places)).collect();
        Ok(Self { places, axes })
    }

    /// Greatest length.
    pub(super) fn size_m(&self) -> f64 {
        self.axes
            .iter()
            .map(|axis| axis.length_m * axis.length_m)
            .sum::<f64>()
            .sqrt()
    }

    /// Unit vectors along which the array has a length.
    pub(super) fn axes(&self) -> impl Iterator<Item = Vector3<f64>> + '_ {
        self.axes.iter().map(|axis| axis.along)
    }

    /// Places and weights, which add up to one.
    pub(super) fn weighted(&self, window: ReplicaWindow) -> Vec<(Vector3<f64>, f64)> {
        let weight = |place: &Vector3<f64>| -> f64 {
            let along = |axis: &Axis| weight_at(window, place.dot(&axis.along) / axis.whole_m);
            self.axes.iter().map(along).product()
        };
        let sum: f64 = self.places.iter().map(weight).sum();
        self.places
            .iter()
            .map(|place| (*place, weight(place) / sum))
            .collect()
    }

    /// The beams, half a beam apart in sine and `most` of them at most, and what there is to say of them.
    pub(super) fn table(
        &self,
        window: ReplicaWindow,
        wavelength_m: f64,
        shortest_m: f64,
        most: usize,
    ) -> (Vec<Beam>, Vec<String>) {
        let mut notes: Vec<String> = Vec::new();
        let grids: Vec<(f64, Vec<f64>)> = self
            .axes
            .iter()
            .map(|axis| {
                let width = width_sine(window, axis.whole_m / wavelength_m);
                // The same from one wavelength to the side as from another one away.
                let unambiguous = 0.5 * shortest_m / axis.gap_m;
                if axis.gap_m > 0.5 * shortest_m * (1.0 + 1e-6) {
                    notes.push(format!(
                        "elements are up to {:.4} m apart, more than half of the shortest wavelength, {:.4} m: beams look \
                         {:.0}° to either side at most, and what lies beyond is heard there too (grating lobes)",
                        axis.gap_m,
                        0.5 * shortest_m,
                        asin(unambiguous.min(1.0)).to_degrees(),
                    ));
                }
                (width, grid(unambiguous.min(FARTHEST_SINE), 0.5 * width))
            })
            .collect();
        let mut beams = Vec::new();
        match (&self.axes[..], &grids[..]) {
            ([line], [(width, sines)]) => {
                let ahead = self.ahead();
                beams.extend(sines.iter().map(|&sine| {
                    let towards = line.along * sine + ahead * (1.0 - sine * sine).sqrt();
                    let narrow = width_rad(*width, sine);
                    let open = std::f64::consts::PI;
                    let x_is_resolved = line.along.x.abs() > 0.7;
                    beam(
                        towards,
                        if x_is_resolved {
                            [narrow, open]
                        } else {
                            [open, narrow]
                        },
                    )
                }));
            }
            ([one, other], [(width, sines), (other_width, other_sines)]) => {
                let ahead = self.ahead();
                for &sine in sines {
                    for &other_sine in other_sines {
                        let level = sine * sine + other_sine * other_sine;
                        if level > FARTHEST_SINE * FARTHEST_SINE {
                            continue;
                        }
                        let towards =
                            one.along * sine + other.along * other_sine + ahead * (1.0 - level).sqrt();
                        let widths = [width_rad(*width, sine), width_rad(*other_width, other_sine)];
                        beams.push(beam(towards, widths));
                    }
                }
            }
            _ => {}
        }
        if beams.len() > most {
            let step = beams.len().div_ceil(most);
            notes.push(format!(
                "an array this large makes {} beams, of which every {step}. is formed",
                beams.len()
            ));
            beams = beams.into_iter().step_by(step).collect();
        }
        (beams, notes)
    }

    /// Where the array looks: across its axes, down rather than up, else forward.
    fn ahead(&self) -> Vector3<f64> {
        let across = |axis: Vector3<f64>| {
            let rest = |rest: Vector3<f64>, one: &Axis| rest - one.along * rest.dot(&one.along);
            self.axes.iter().fold(axis, rest).try_normalize(0.1)
        };
        across(-Vector3::z())
            .or_else(|| across(Vector3::x()))
            .or_else(|| across(Vector3::y()))
            .unwrap_or(-Vector3::z())
    }
}

impl Axis {
    fn new(along: Vector3<f64>, places: &[Vector3<f64>]) -> Self {
        let mut offsets: Vec<f64> = places.iter().map(|place| place.dot(&along)).collect();
        offsets.sort_by(f64::total_cmp);
        let length_m = offsets[offsets.len() - 1] - offsets[0];
        let gap_m = offsets
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(1e-9, f64::max);
        Self {
            along,
            length_m,
            gap_m,
            whole_m: length_m + gap_m,
        }
    }
}

/// Sines from one side to the other, about so far apart, with the middle among them.
fn grid(farthest: f64, step: f64) -> Vec<f64> {
    let half = (farthest / step.max(1e-3)).floor() as i32;
    (-half..=half).map(|i| f64::from(i) * step.max(1e-3)).collect()
}

/// A receive beam; nothing is known of the transmitter's.
fn beam(towards: Vector3<f64>, receive_width_rad: [f64; 2]) -> Beam {
    Beam {
        direction: Direction::from_vector(towards),
        transmit_width_rad: [std::f64::consts::TAU; 2],
        receive_width_rad,
    }
}
