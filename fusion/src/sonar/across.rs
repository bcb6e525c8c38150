//! What neighbouring beams say about an echo: whose it is, and where between them it lies.

use std::ops::Range;

use beluga_types::Beam;
use beluga_types::elementary::{ln, powf};
use nalgebra::Vector3;

use super::detect::Candidate;
use super::echo::BeamAxes;
use super::peak::vertex;

/// Beams nearer than this, in receive widths, share their footprint and may both be right.
const SHARED_WIDTHS: f64 = 0.75;

/// Margin above the pattern of an unshaded array, as power (3 dB).
const PATTERN_MARGIN: f64 = 2.0;

/// Further margin for an echo of a single cell of speckle, as a multiple of the pattern's power.
const SPECKLE_MARGIN: f64 = 1.0;

/// Neighbours are looked for within so many receive widths.
const NEIGHBOUR_WIDTHS: f64 = 1.6;

/// Power of the beams two to three widths away from a target that stands alone, against its own.
const ALONE: f64 = 0.15;

/// Least bend of the levels of three beams over one small target, in nepers of power for beams one
/// width apart: 0.7 of a Gaussian beam's `8 ln 2`. A wall bends less, but for its speckle.
const LEAST_BEND: f64 = 0.7 * 5.545;

/// How the beams of a table see each other's targets; made once per table.
pub(crate) struct Fan {
    beams: Vec<Beam>,
    axes: Vec<BeamAxes>,
    /// Row-major: share of a target's power in beam `column` that beam `row` must exceed.
    leak: Vec<f32>,
    /// The largest share there is.
    rejection: f32,
    /// Nearest beams to either side across track.
    sides: Vec<[Option<usize>; 2]>,
}

/// At each sample, the strongest power over all beams and the beam that has it.
#[derive(Default)]
pub(crate) struct Strongest {
    power: Vec<f32>,
    beam: Vec<u32>,
}

/// An echo's direction and what became of it among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    /// Index of the beam.
    pub(crate) beam: usize,
    /// The echo.
    pub(crate) candidate: Candidate,
    /// Unit vector.
    pub(crate) direction: Vector3<f64>,
    /// Whether the direction comes from amplitudes between beams rather than from one beam's axis.
    pub(crate) between_beams: bool,
}

impl Fan {
    /// For this table; `rejection_db` is how much weaker than its neighbour an echo may be.
    pub(crate) fn new(beams: &[Beam], rejection_db: f64) -> Self {
        let axes: Vec<_> = beams
            .iter()
            .map(|beam| BeamAxes::of(beam.direction.vector()))
            .collect();
        let rejection = powf(10.0, -0.1 * rejection_db);
        let count = beams.len();
        let mut leak = vec![0.0f32; count * count];
        let mut sides = vec![[None; 2]; count];
        for (row, sides) in sides.iter_mut().enumerate() {
            let mut nearest = [f64::INFINITY; 2];
            for column in 0..count {
                let widths = beams[column].receive_width_rad;
                let [along, across] = axes[column].offsets(&axes[row].direction);
                let apart =
                    [along / widths[0], across / widths[1]].map(|x| if x.is_finite() { x } else { 0.0 });
                if column == row {
                    continue;
                }
                leak[row * count + column] = leak_between(apart, rejection) as f32;
                let side = usize::from(apart[1] < 0.0);
                let distance = apart[1].abs();
                let beside = apart[0].abs() < 0.5 && distance > 1e-6 && distance < NEIGHBOUR_WIDTHS;
                if beside && distance < nearest[side] {
                    nearest[side] = distance;
                    sides[side] = Some(column);
                }
            }
        }
        Self {
            beams: beams.to_vec(),
            axes,
            rejection: leak.iter().copied().fold(0.0, f32::max),
            leak,
            sides,
        }
    }

    /// Whether it was made for this table.
    pub(crate) fn is_for(&self, beams: &[Beam]) -> bool {
        self.beams == beams
    }

    /// What a beam's samples must exceed not to be the strongest beam's echo from the side, for these
    /// `samples`.
    pub(crate) fn floor(&self, beam: usize, strongest: &Strongest, samples: Range<usize>, floor: &mut [f32]) {
        let row = &self.leak[beam * self.axes.len()..(beam + 1) * self.axes.len()];
        let strongest = strongest.power[samples.clone()]
            .iter()
            .zip(&strongest.beam[samples.clone()]);
        for (slot, (&power, &other)) in floor[samples].iter_mut().zip(strongest) {
            *slot = power * row[other as usize];
        }
    }

    /// Gives every echo its direction, and leaves one of those that neighbouring beams make of one
    /// small target. `rows` holds the power of all beams, of which `strongest` was made; `width` is that
    /// of the compressed pulse in samples.
    pub(crate) fn place(
        &self,
        found: &[Vec<Candidate>],
        rows: &[f32],
        strongest: &Strongest,
        width: f64,
    ) -> Vec<Placed> {
        let samples = strongest.power.len();
        let power =
            |beam: usize, place: f64| window_power(&rows[beam * samples..(beam + 1) * samples], place, width);
        let mut placed: Vec<Placed> = Vec::new();
        let mut taken: Vec<(usize, f64)> = Vec::new();
        for (beam, candidates) in found.iter().enumerate() {
            for candidate in candidates {
                let mut echo = Placed {
                    beam,
                    candidate: *candidate,
                    direction: self.axes[beam].direction,
                    between_beams: false,
                };
                let target = if candidate.is_compact(width) {
                    self.lone_target(beam, candidate, &power)
                } else {
                    None
                };
                if let Some(across_rad) = target {
                    echo.direction = self.axes[beam].turned(0.0, across_rad);
                    echo.between_beams = true;
                    taken.push((beam, candidate.place));
                }
                placed.push(echo);
            }
        }
        placed.retain(|echo| {
            if self.is_seen_from_the_side(echo, rows, strongest) {
                return false;
            }
            let is_shadow = |&(owner, place): &(usize, f64)| {
                owner != echo.beam
                    && self.sides[owner].contains(&Some(echo.beam))
                    && (place - echo.candidate.place).abs() < 0.6 * width
                    && echo.candidate.is_compact(width)
            };
            echo.between_beams || !taken.iter().any(is_shadow)
        });
        placed
    }

    /// Whether another beam is so much stronger over the same time that the echo is likely that
    /// beam's, seen through a flank or sidelobe. The fewer cells of speckle the means are taken
    /// over, the wider the margin.
    fn is_seen_from_the_side(&self, echo: &Placed, rows: &[f32], strongest: &Strongest) -> bool {
        let samples = strongest.power.len();
        let mean = |beam: usize| mean_power(&rows[beam * samples..(beam + 1) * samples], &echo.candidate);
        let own = mean(echo.beam);
        let leaks = &self.leak[echo.beam * self.axes.len()..(echo.beam + 1) * self.axes.len()];
        let margin = 1.0 + SPECKLE_MARGIN / echo.candidate.cells.sqrt();
        // No beam's mean is above that of the strongest of each sample: most echoes need no closer look.
        let most = f64::from(self.rejection) * margin * mean_power(&strongest.power, &echo.candidate);
        if own >= most * (1.0 + 1e-6) {
            return false;
        }
        leaks
            .iter()
            .enumerate()
            .any(|(other, &leak)| leak > 0.0 && own < f64::from(leak) * margin * mean(other))
    }

    /// Whether beams two to three widths aside hold nothing like a beam's echo about its time: what is small, and no
    /// part of a bed or a wall, which moves by two of its footprints in range over two beams. At a fan's ends
    /// nothing tells; one beam by itself has none to ask. `width` is that of the compressed pulse in samples.
    pub(crate) fn stands_alone(
        &self,
        beam: usize,
        candidate: &Candidate,
        rows: &[f32],
        samples: usize,
        width: f64,
    ) -> bool {
        if self.beams.len() == 1 {
            return true;
        }
        let beyond = [0, 1].map(|side| self.sides[beam][side].and_then(|beside| self.sides[beside][side]));
        let [Some(one), Some(other)] = beyond else {
            return false;
        };
        let length = 2.0 * (5.0 * candidate.spread + 2.0 * width);
        let most = ALONE * candidate.peak + 2.0 * candidate.noise;
        [one, other].into_iter().all(|far| {
            window_power(&rows[far * samples..(far + 1) * samples], candidate.place, length) < most
        })
    }

    /// Angle across the beam of a target that is strongest in this beam and that beams farther away
    /// do not see: the top of the parabola through the levels of three beams, in dB.
    fn lone_target(
        &self,
        beam: usize,
        candidate: &Candidate,
        power: &impl Fn(usize, f64) -> f64,
    ) -> Option<f64> {
        let [Some(one), Some(other)] = self.sides[beam] else {
            return None;
        };
        let place = candidate.place;
        let least = candidate.noise.max(f64::MIN_POSITIVE);
        let here = power(beam, place).max(least);
        let beyond = [self.sides[one][0], self.sides[other][1]];
        let alone = beyond
            .iter()
            .flatten()
            .all(|&far| power(far, place) < ALONE * here + 2.0 * least);
        if !alone {
            return None;
        }
        let level = |beam: usize| ln(power(beam, place).max(least));
        let angle = |neighbour: usize| self.axes[beam].offsets(&self.axes[neighbour].direction)[1];
        let [low, middle, high] = [level(other), ln(here), level(one)];
        let step_widths = 0.5 * (angle(one) - angle(other)).abs() / self.beams[beam].receive_width_rad[1];
        if 2.0 * middle - low - high < LEAST_BEND * step_widths * step_widths {
            return None;
        }
        let (step, _) = vertex(low, middle, high)?;
        // Steps to either side may differ a little; at most half a step is asked of them.
        Some(step.abs() * if step >= 0.0 { angle(one) } else { angle(other) })
    }
}

impl Strongest {
    /// Over the rows of all beams, `samples` each.
    pub(crate) fn update(&mut self, rows: &[f32], samples: usize) {
        self.power.clear();
        self.power.resize(samples, 0.0);
        self.beam.clear();
        self.beam.resize(samples, 0);
        for (beam, row) in rows.chunks_exact(samples.max(1)).enumerate() {
            for ((&power, top), owner) in row.iter().zip(&mut self.power).zip(&mut self.beam) {
                // Chosen without a branch, which would be guessed wrong where beams are alike.
                let is_stronger = power > *top;
                *top = if is_stronger { power } else { *top };
                *owner = if is_stronger { beam as u32 } else { *owner };
            }
        }
    }
}

/// Share of a target's power in one beam below which another beam, so many receive widths away
/// along and across, may be seeing the same target through its flank or a sidelobe. The envelope of
/// an unshaded array's pattern, `1 / (0.886 π x)`, is the worst that is met in the field.
fn leak_between(apart_widths: [f64; 2], rejection: f64) -> f64 {
    let farthest = apart_widths[0].abs().max(apart_widths[1].abs());
    if farthest < SHARED_WIDTHS {
        return 0.0;
    }
    let envelope = apart_widths
        .iter()
        .map(|x| 1.0 / (0.886 * std::f64::consts::PI * x.abs()).max(1.0))
        .product::<f64>();
    (envelope * envelope * PATTERN_MARGIN).min(rejection)
}

/// Mean power over an echo's window.
fn mean_power(row: &[f32], candidate: &Candidate) -> f64 {
    let low = (candidate.place - candidate.half_window).round().max(0.0) as usize;
    let high = ((candidate.place + candidate.half_window).round().max(0.0) as usize + 1).min(row.len());
    let window = &row[low.min(high)..high];
    window.iter().map(|&power| f64::from(power)).sum::<f64>() / window.len().max(1) as f64
}

/// Highest power within half a width of a place.
fn window_power(row: &[f32], place: f64, width: f64) -> f64 {
    let low = (place - 0.5 * width).round().max(0.0) as usize;
    let high = ((place + 0.5 * width).round().max(0.0) as usize + 1).min(row.len());
    row[low.min(high)..high]
        .iter()
        .fold(0.0f32, |top, &power| top.max(power))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fan() -> Fan {
        let beams: Vec<Beam> = (0..12)
            .map(|i| Beam::at(f64::from(i) * 0.0175, 0.0, [0.0175, 2.0], [0.3, 0.0175]))
            .collect();
        Fan::new(&beams, 12.0)
    }

    #[test]
    fn the_nearest_beams_stand_to_either_side() {
        let fan = fan();
        for beam in 1..11 {
            let mut sides: Vec<_> = fan.sides[beam].iter().flatten().copied().collect();
            sides.sort_unstable();
            assert_eq!(sides, [beam - 1, beam + 1]);
            assert_eq!(
                fan.sides[fan.sides[beam][0].unwrap()][1],
                Some(beam),
                "sides are each other's"
            );
        }
        assert_eq!(fan.sides[0].iter().flatten().count(), 1);
    }

    #[test]
    fn what_leaks_falls_with_distance_and_never_exceeds_the_rejection() {
        let rejection = powf(10.0, -1.2);
        assert_eq!(
            leak_between([0.0, 0.5], rejection),
            0.0,
            "a shared footprint belongs to both"
        );
        assert_eq!(leak_between([0.0, 1.0], rejection), rejection);
        // First sidelobe of an unshaded array: -13.3 dB; far out the pattern is lower.
        assert!(leak_between([0.0, 10.0], rejection) < 0.003);
        assert!(leak_between([0.0, -10.0], rejection) == leak_between([0.0, 10.0], rejection));
    }

    #[test]
    fn the_strongest_beam_of_each_sample_sets_the_floor_of_the_others() {
        let mut strongest = Strongest::default();
        let mut rows = vec![1.0f32; 12 * 4];
        rows[5 * 4 + 2] = 1000.0;
        strongest.update(&rows, 4);
        let mut floor = [0.0f32; 4];
        let fan = fan();
        fan.floor(6, &strongest, 0..4, &mut floor);
        assert!((floor[2] - 63.1).abs() < 0.1, "{floor:?}");
        fan.floor(5, &strongest, 2..4, &mut floor);
        assert_eq!(floor[2], 0.0, "no floor of its own making");
    }
}
