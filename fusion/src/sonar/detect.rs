//! Echoes of one beam: where its compressed power stands above the noise, and when.
//!
//! A footprint that is long in range is many cells of speckle, so its highest peak means little.
//! Its time is the middle of its energy, in a window that is symmetric about that middle and wide
//! enough to hold the whole footprint: cutting at a threshold would favour the near or the far
//! side. What precision that leaves: speckle of a Gaussian footprint with one sigma `s` and cells
//! of length `d` moves its middle by `sqrt(d s / 4√π)`.

use std::f64::consts::PI;

use super::cfar::Levels;

/// Half of the window, in standard deviations of the echo's energy.
const WINDOW_SIGMAS: f64 = 2.5;

/// Half of the window a mean shift starts with, in widths of the compressed pulse.
const START_WIDTHS: f64 = 2.0;

/// Half of the longest footprint, in beam widths times range: 2.5 sigmas at 75° of incidence.
const STEEPEST: f64 = 4.0;

/// A beam's echoes with less than this share of its strongest one's energy are taken for what its
/// sidelobes see: an unshaded array has them at -13 dB.
pub(super) const WEAKEST: f64 = 0.1;

/// An echo whose energy strays no farther than this about its middle, in widths of the compressed pulse,
/// is a target smaller than that: its time is that of its peak. A pulse alone has 0.42 to 0.46.
const POINT_SPREAD: f64 = 0.5;

/// One sigma of a lone pulse's peak, in its widths over the root of twice its peak over the noise: 0.62
/// without a weight (`√3/π` over 0.886 of a cell), less with one.
pub(super) const BY_PULSE: f64 = 0.62;

/// Mean shifts per echo; most settle in five.
const SHIFTS: usize = 24;

/// One correlation cell of speckle intensity, in -3 dB widths of a Gaussian compressed pulse.
pub(super) const SPECKLE_WIDTHS: f64 = 1.5;

/// Compressed power of one beam and what it must exceed.
pub(crate) struct Row<'a> {
    /// Power, one value per output sample.
    pub(crate) power: &'a [f32],
    /// Noise and threshold, one value per cell.
    pub(crate) levels: &'a Levels,
    /// Samples of one cell.
    pub(crate) cell: usize,
    /// What a sample must exceed not to be another beam's echo seen from the side; asked for only in
    /// cells that hold something above their threshold.
    pub(crate) floor: &'a mut [f32],
    /// First sample behind the blanking.
    pub(crate) start: usize,
}

impl Row<'_> {
    /// The samples of a cell.
    fn samples(&self, cell: usize) -> std::ops::Range<usize> {
        let first = cell * self.cell;
        first..(first + self.cell).min(self.power.len())
    }
}

/// What the detector needs to know of the pulse and the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Width of the compressed pulse at -3 dB, in samples.
    pub(crate) width: f64,
    /// Its near and far sidelobes: power against the peak, with margin, and reach in samples.
    pub(crate) sidelobes: [(f32, usize); 2],
    /// Least ratio of peak to noise.
    pub(crate) min_snr: f64,
    /// Most echoes.
    pub(crate) most: usize,
    /// Two-way width of the beam across track, in rad.
    pub(crate) beam_rad: f64,
    /// Samples from the transmit centre to the row's first.
    pub(crate) first: f64,
    /// Whether only the nearest point is meant.
    pub(crate) leading_edge: bool,
}

/// One echo in samples of its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// Its time, in samples from the row's first.
    pub(crate) place: f64,
    /// One sigma of that.
    pub(crate) sigma: f64,
    /// Standard deviation of its energy over time, in samples, pulse included.
    pub(crate) spread: f64,
    /// Half of the window its middle was taken in.
    pub(crate) half_window: f64,
    /// Power times samples above the noise in that window.
    pub(crate) energy: f64,
    /// Highest power.
    pub(crate) peak: f64,
    /// Mean power of the noise.
    pub(crate) noise: f64,
    /// Independent cells of speckle in its footprint (one or more).
    pub(crate) cells: f64,
}

impl Candidate {
    /// Whether it is no longer than the pulse itself.
    pub(crate) fn is_compact(&self, width: f64) -> bool {
        self.spread < 0.75 * width
    }

    /// Highest power over the noise.
    pub(crate) fn snr(&self) -> f64 {
        self.peak / self.noise.max(f64::MIN_POSITIVE)
    }
}

/// All echoes of a row, from near to far.
pub(crate) fn find(row: &mut Row<'_>, limits: &Limits) -> Vec<Candidate> {
    shade_sidelobes(row, limits);
    let gap = (limits.width.ceil() as usize).max(1);
    // What begins where the blanking ends rose inside it: as an arc it has no edge to measure, and
    // where its middle settles there it is the end of the device's own ringing.
    let (start, edge_only) = (row.start, limits.leading_edge && row.start > 0);
    let mut candidates: Vec<Candidate> = groups(row, gap)
        .into_iter()
        .filter(|group| !(edge_only && group.start == start))
        .filter_map(|group| measure(row, group, limits))
        .filter(|candidate| candidate.place >= start as f64)
        .filter(|candidate| candidate.peak >= limits.min_snr * candidate.noise)
        .collect();
    candidates.sort_by(|a, b| b.energy.total_cmp(&a.energy).then(a.place.total_cmp(&b.place)));
    let mut kept: Vec<Candidate> = Vec::new();
    // An arc's beam sees many things at once; the strongest says nothing about the others.
    let share = if limits.leading_edge { 0.0 } else { WEAKEST };
    let least = share * candidates.first().map_or(0.0, |strongest| strongest.energy);
    for candidate in candidates
        .into_iter()
        .filter(|candidate| candidate.energy >= least)
    {
        // Pieces of one speckled footprint meet at its middle.
        let is_piece = |other: &Candidate| {
            (candidate.place - other.place).abs()
                < 0.8
                    * other
                        .half_window
                        .max(candidate.half_window.min(2.0 * limits.width))
        };
        if kept.len() < limits.most && !kept.iter().any(is_piece) {
            kept.push(candidate);
        }
    }
    kept.sort_by(|a, b| a.place.total_cmp(&b.place));
    kept
}

/// Samples above the threshold, as groups whose gaps are not longer than `gap`.
fn groups(row: &Row<'_>, gap: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for cell in row.levels.passing() {
        let threshold = row.levels.threshold[cell];
        for index in row.samples(cell) {
            let power = row.power[index];
            if power <= threshold || power <= row.floor[index] || index < row.start {
                continue;
            }
            match groups.last_mut() {
                Some(group) if index - group.end <= gap => group.end = index + 1,
                _ => groups.push(Group {
                    start: index,
                    end: index + 1,
                }),
            }
        }
    }
    groups
}

#[derive(Clone, Copy)]
struct Group {
    start: usize,
    end: usize,
}

/// Raises the floor around strong peaks to where their own sidelobes in range reach.
fn shade_sidelobes(row: &mut Row<'_>, limits: &Limits) {
    let power = row.power;
    let most = limits
        .sidelobes
        .iter()
        .fold(0.0f32, |most, (share, _)| most.max(*share));
    for cell in row.levels.holding(most) {
        let threshold = row.levels.threshold[cell];
        for index in row.samples(cell) {
            if index == 0 || index + 1 >= power.len() {
                continue;
            }
            let here = power[index];
            let is_top = here >= power[index - 1] && here > power[index + 1];
            if !is_top {
                continue;
            }
            for (share, reach) in limits.sidelobes {
                let shade = here * share;
                if shade <= threshold {
                    continue;
                }
                let range = index.saturating_sub(reach)..(index + reach + 1).min(power.len());
                for floor in &mut row.floor[range] {
                    *floor = floor.max(shade);
                }
            }
        }
    }
}

/// Time, spread and strength of one group.
fn measure(row: &Row<'_>, group: Group, limits: &Limits) -> Option<Candidate> {
    let top = (group.start..group.end).max_by(|&a, &b| row.power[a].total_cmp(&row.power[b]))?;
    let noise = f64::from(row.levels.noise[top / row.cell]);
    let peak = super::peak::refine(row.power, top).power;
    let settled = settle(row, group, noise, limits)?;
    let pulse_spread = 0.425 * limits.width;
    let footprint = (settled.variance - pulse_spread * pulse_spread).max(0.0).sqrt();
    let cell = SPECKLE_WIDTHS * limits.width;
    let point = point(row.power, &settled, limits.width);
    let place = if limits.leading_edge {
        leading_edge(row.power, group, limits.width)
    } else {
        point.unwrap_or(settled.middle)
    };
    // Noise over the window against the energy in it, speckle over the footprint, sampling.
    let half = settled.half_window;
    let window_cells = (2.0 * half / cell).max(1.0);
    let by_noise = noise * cell / settled.energy * (window_cells * half * half / 3.0).sqrt();
    let by_pulse = BY_PULSE * limits.width / (2.0 * peak / noise.max(f64::MIN_POSITIVE)).sqrt();
    // A peak is not pulled by the noise beside it, as a middle is.
    let by_noise = if point.is_some() {
        by_pulse
    } else {
        by_noise.max(by_pulse)
    };
    let by_speckle = (cell * footprint / (4.0 * PI.sqrt())).sqrt();
    let by_sampling = 0.05 * limits.width;
    let sigma = [by_noise, by_speckle, by_sampling]
        .iter()
        .map(|s| s * s)
        .sum::<f64>()
        .sqrt();
    Some(Candidate {
        place,
        sigma,
        spread: settled.variance.sqrt(),
        half_window: half,
        energy: settled.energy,
        peak,
        noise,
        cells: (2.0 * PI.sqrt() * footprint / cell).max(1.0),
    })
}

/// Where the peak of an echo lies that is no longer than the pulse; nothing for another.
fn point(power: &[f32], settled: &Settled, width: f64) -> Option<f64> {
    if settled.variance.sqrt() >= POINT_SPREAD * width {
        return None;
    }
    let low = (settled.middle - 0.5 * width).ceil().max(0.0) as usize;
    let high = ((settled.middle + 0.5 * width).floor() as usize).min(power.len() - 1);
    let top = (low..=high).max_by(|&a, &b| power[a].total_cmp(&power[b]))?;
    let place = super::peak::between(power, top).place;
    ((place - settled.middle).abs() < 0.5 * width).then_some(place)
}

struct Settled {
    middle: f64,
    variance: f64,
    half_window: f64,
    energy: f64,
}

/// Mean shift: moves a window to the middle of the energy in it and fits its length to that
/// energy's spread, until neither changes. A window on a part of a footprint grows until it holds
/// the whole, since a flat stretch has more spread than its window allows for.
fn settle(row: &Row<'_>, group: Group, noise: f64, limits: &Limits) -> Option<Settled> {
    let least = 1.25 * limits.width;
    let reach = STEEPEST * limits.beam_rad * (limits.first + group.end as f64);
    let most = reach
        .max((group.end - group.start) as f64)
        .max(6.0 * limits.width);
    let mut half_window = START_WIDTHS * limits.width;
    let mut middle = densest(row.power, group, half_window);
    let mut settled = None;
    for _ in 0..SHIFTS {
        let moments = moments(row.power, middle, half_window, noise);
        if moments.energy <= 0.0 {
            break;
        }
        let next_half = (WINDOW_SIGMAS * moments.variance.sqrt()).clamp(least, most);
        let still = (moments.middle - middle).abs() < 0.01 && (next_half - half_window).abs() < 0.05;
        middle = moments.middle.clamp(0.0, (row.power.len() - 1) as f64);
        settled = Some(Settled {
            middle,
            variance: moments.variance,
            half_window,
            energy: moments.energy,
        });
        half_window = next_half;
        if still {
            break;
        }
    }
    settled
}

/// Middle of the stretch of a group, `2 * half` long, that holds the most energy.
fn densest(power: &[f32], group: Group, half: f64) -> f64 {
    let length = ((2.0 * half).round() as usize).clamp(1, group.end - group.start);
    let mut sum: f64 = power[group.start..group.start + length]
        .iter()
        .map(|&p| f64::from(p))
        .sum();
    let (mut best, mut best_start) = (sum, group.start);
    for start in group.start + 1..=group.end - length {
        sum += f64::from(power[start + length - 1]) - f64::from(power[start - 1]);
        if sum > best {
            (best, best_start) = (sum, start);
        }
    }
    best_start as f64 + 0.5 * (length - 1) as f64
}

struct Moments {
    energy: f64,
    middle: f64,
    variance: f64,
}

/// Energy above the noise, its middle and its variance in the window `middle ± half`; samples at
/// the borders count by the part of them that lies inside.
fn moments(power: &[f32], middle: f64, half: f64, noise: f64) -> Moments {
    let (low, high) = (middle - half, middle + half);
    let first = (low - 0.5).ceil().max(0.0) as usize;
    let last = ((high + 0.5).floor().max(0.0) as usize).min(power.len() - 1);
    let (mut energy, mut first_moment, mut second_moment) = (0.0, 0.0, 0.0);
    for (index, &sample) in power.iter().enumerate().take(last + 1).skip(first) {
        let at = index as f64;
        let inside = (at + 0.5).min(high) - (at - 0.5).max(low);
        let value = (f64::from(sample) - noise) * inside.clamp(0.0, 1.0);
        let offset = at - middle;
        energy += value;
        first_moment += value * offset;
        second_moment += value * offset * offset;
    }
    if energy <= 0.0 {
        return Moments {
            energy: 0.0,
            middle,
            variance: 0.0,
        };
    }
    let shift = first_moment / energy;
    Moments {
        energy,
        middle: middle + shift.clamp(-half, half),
        variance: (second_moment / energy - shift * shift).max(0.0),
    }
}

/// Time of the first rise of a group: where it passes half of its first peak, plus half of the
/// pulse's width, so that a compact echo comes out at its centre.
fn leading_edge(power: &[f32], group: Group, width: f64) -> f64 {
    let reach = (group.start + (1.5 * width).ceil() as usize).min(power.len() - 1);
    let top = (group.start..=reach)
        .max_by(|&a, &b| power[a].total_cmp(&power[b]).then(b.cmp(&a)))
        .unwrap_or(group.start);
    let half = 0.5 * super::peak::refine(power, top).power;
    let mut before = top;
    while before > 0 && f64::from(power[before]) > half {
        before -= 1;
    }
    let (low, high) = (
        f64::from(power[before]),
        f64::from(power[(before + 1).min(power.len() - 1)]),
    );
    let fraction = if high > low {
        ((half - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.0
    };
    before as f64 + fraction + 0.5 * width
}

#[cfg(test)]
mod tests;
