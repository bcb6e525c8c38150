//! What floats: echoes in the water column that nothing beside them and nothing before them supports.
//!
//! A bed, a wall or a pile is seen by a run of neighbouring beams. A fish, a bubble or a drifting branch is seen by
//! one or two, well nearer than the bed or wall on both sides of it, and is gone when the beam has moved on. Such
//! echoes are labelled, not dropped: what stands still where no beam beside sees it (a bollard off the wall) is
//! labelled as well until it has been seen in [`LASTING`] pings on end. Empirical numbers, chosen by what the
//! simulated quays hold.

use std::ops::Range;

use beluga_types::elementary::{asin, atan2};

use super::echo::Echo;

/// Echoes at fewer angles than this tell no bed from a fish.
const LEAST_ANGLES: usize = 16;

/// Neighbours are looked for within so many steps of the fan.
const NEAR_STEPS: f64 = 4.0;

/// Steepest run of range over angle of what is one surface, `dr / (r da)`: a bed at 76° of incidence.
const STEEPEST: f64 = 4.0;

/// And a step of range on top of that, as a share of the range and in metres.
const ROUGH: f64 = 0.02;
const ROUGH_M: f64 = 0.05;

/// What is seen at so many angles or more supports itself; what is seen at so many is a bed or a wall.
const SMALL_ANGLES: usize = 6;
const SURFACE_ANGLES: usize = 12;

/// A bed or wall beside is looked for within so many steps.
const BESIDE_STEPS: f64 = 12.0;

/// What is nearer than the surface by this share of its range, and this many metres, floats above it.
const ABOVE: f64 = 0.05;
const ABOVE_M: f64 = 0.5;

/// Pings in which a thing must have been seen to be taken for one that stays.
const LASTING: u32 = 12;

/// Pings of which it may be missing in between.
const MISSING: u64 = 2;
/// Of a ping with more echoes none is asked about: no fan has so many, and each is compared with those near it.
const MOST_ECHOES: usize = 8192;

/// How far it may seem to move from ping to ping: in steps of the fan, in rad (the vessel rolls), in metres and as a
/// share of the range.
const MOVES_STEPS: f64 = 2.0;
const MOVES_RAD: f64 = 0.01;
const MOVES_M: f64 = 0.1;
const MOVES: f64 = 0.01;

/// Things that are followed at once.
const MOST_THINGS: usize = 256;

/// The water column of one sonar, from ping to ping.
#[derive(Default)]
pub(crate) struct WaterColumn {
    things: Vec<Thing>,
    pings: u64,
    floating: u64,
    all: u64,
}

/// Something small that was seen above the bed.
struct Thing {
    at: Place,
    seen: u32,
    last: u64,
}

/// Where an echo comes from: angles across and along track, and range.
#[derive(Clone, Copy)]
struct Place {
    across_rad: f64,
    along_rad: f64,
    range_m: f64,
}

/// An echo of a ping, in order of its angle.
struct Seen {
    echo: usize,
    beam: u32,
    at: Place,
    /// Three sigmas of its range, in metres.
    doubt_m: f64,
}

impl WaterColumn {
    /// Says of each echo of a fan's ping whether it floats. Arcs have no place to be asked about.
    pub(crate) fn judge(&mut self, echoes: &mut [Echo], sound_speed_m_per_s: f64) {
        self.pings += 1;
        self.all += echoes.len() as u64;
        let oldest = self.pings.saturating_sub(MISSING + 1);
        self.things.retain(|thing| thing.last >= oldest);
        if echoes.len() > MOST_ECHOES {
            return;
        }
        let seen = sorted(echoes, sound_speed_m_per_s);
        let Some(step_rad) = step_rad(&seen) else {
            return;
        };
        let angles = angles(&seen, step_rad);
        for (index, one) in seen.iter().enumerate() {
            if angles[index] > SMALL_ANGLES || !is_above(&seen, &angles, index, step_rad) {
                continue;
            }
            if self.has_lasted(&one.at, step_rad) {
                continue;
            }
            echoes[one.echo].floats = true;
            self.floating += 1;
        }
    }

    /// How many echoes float, of how many.
    pub(crate) fn floating(&self) -> [u64; 2] {
        [self.floating, self.all]
    }

    /// Whether something was here in the pings before, often enough to be no passer-by.
    fn has_lasted(&mut self, at: &Place, step_rad: f64) -> bool {
        let turn = MOVES_STEPS * step_rad + MOVES_RAD;
        let way_m = MOVES_M + MOVES * at.range_m;
        let pings = self.pings;
        let is_same = |thing: &&mut Thing| {
            thing.last < pings
                && (thing.at.across_rad - at.across_rad).abs() < turn
                && (thing.at.along_rad - at.along_rad).abs() < turn
                && (thing.at.range_m - at.range_m).abs() < way_m
        };
        if let Some(thing) = self.things.iter_mut().find(is_same) {
            (thing.at, thing.last) = (*at, pings);
            thing.seen += 1;
            return thing.seen >= LASTING;
        }
        if self.things.len() < MOST_THINGS {
            self.things.push(Thing {
                at: *at,
                seen: 1,
                last: pings,
            });
        }
        false
    }
}

/// The echoes that have a place, from port to starboard.
fn sorted(echoes: &[Echo], sound_speed_m_per_s: f64) -> Vec<Seen> {
    let of = |(echo, told): (usize, &Echo)| {
        let towards = told.direction.vector();
        Seen {
            echo,
            beam: told.beam,
            at: Place {
                across_rad: atan2(-towards.y, -towards.z),
                along_rad: asin(towards.x.clamp(-1.0, 1.0)),
                range_m: 0.5 * sound_speed_m_per_s * told.two_way_time_s,
            },
            doubt_m: 1.5 * sound_speed_m_per_s * told.sigma_time_s,
        }
    };
    let points = echoes
        .iter()
        .enumerate()
        .filter(|(_, told)| told.half_angle_rad.is_none());
    let mut seen: Vec<Seen> = points.map(of).collect();
    seen.sort_by(|a, b| {
        a.at.across_rad
            .total_cmp(&b.at.across_rad)
            .then(a.echo.cmp(&b.echo))
    });
    seen
}

/// The usual step from one angle of the fan to the next; nothing for too few of them.
fn step_rad(seen: &[Seen]) -> Option<f64> {
    const LEAST_RAD: f64 = 1e-4;
    let mut steps: Vec<f64> = seen
        .windows(2)
        .map(|pair| pair[1].at.across_rad - pair[0].at.across_rad)
        .filter(|&step| step > LEAST_RAD)
        .collect();
    if steps.len() + 1 < LEAST_ANGLES {
        return None;
    }
    let middle = steps.len() / 2;
    Some(*steps.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// At how many steps of the fan the surface that each echo belongs to is seen: echoes are linked that may be one
/// surface's, and links make a surface.
fn angles(seen: &[Seen], step_rad: f64) -> Vec<usize> {
    let mut owner: Vec<usize> = (0..seen.len()).collect();
    fn root(owner: &mut [usize], mut index: usize) -> usize {
        while owner[index] != index {
            owner[index] = owner[owner[index]];
            index = owner[index];
        }
        index
    }
    for (index, one) in seen.iter().enumerate() {
        for (more, other) in seen[index + 1..].iter().enumerate() {
            if other.at.across_rad - one.at.across_rad > NEAR_STEPS * step_rad {
                break;
            }
            if is_one_surface(one, other, step_rad) {
                let [a, b] = [index, index + 1 + more].map(|index| root(&mut owner, index));
                owner[a.max(b)] = a.min(b);
            }
        }
    }
    // The steps at which each surface was met, in order of angle: a step is counted once.
    let mut counted = vec![(0usize, f64::NEG_INFINITY); seen.len()];
    for (index, one) in seen.iter().enumerate() {
        let (count, last) = &mut counted[root(&mut owner, index)];
        if one.at.across_rad - *last > 0.5 * step_rad {
            *count += 1;
            *last = one.at.across_rad;
        }
    }
    (0..seen.len())
        .map(|index| counted[root(&mut owner, index)].0)
        .collect()
}

/// Whether two echoes may come from one surface.
fn is_one_surface(one: &Seen, other: &Seen, step_rad: f64) -> bool {
    let apart_rad = other.at.across_rad - one.at.across_rad;
    let nearer_m = one.at.range_m.min(other.at.range_m);
    let steep_m =
        STEEPEST * nearer_m * apart_rad + ROUGH * nearer_m + ROUGH_M + one.doubt_m.max(other.doubt_m);
    one.beam != other.beam
        && (one.at.along_rad - other.at.along_rad).abs() <= NEAR_STEPS * step_rad
        && (one.at.range_m - other.at.range_m).abs() <= steep_m
}

/// Whether an echo is well nearer than the surface on both sides of it.
fn is_above(seen: &[Seen], angles: &[usize], index: usize, step_rad: f64) -> bool {
    let own = &seen[index].at;
    let nearest = |others: &mut dyn Iterator<Item = usize>| {
        others
            .take_while(|&other| {
                (seen[other].at.across_rad - own.across_rad).abs() <= BESIDE_STEPS * step_rad
            })
            .find(|&other| angles[other] >= SURFACE_ANGLES)
            .map(|other| seen[other].at.range_m)
    };
    // An echo of the own beam stands on either side.
    let same: Range<usize> = {
        let is_same = |other: &usize| (seen[*other].at.across_rad - own.across_rad).abs() < 0.25 * step_rad;
        let first = (0..index).rev().take_while(is_same).last().unwrap_or(index);
        first
            ..(index + 1..seen.len())
                .take_while(is_same)
                .last()
                .unwrap_or(index)
                + 1
    };
    let before = nearest(&mut (0..same.end).rev());
    let after = nearest(&mut (same.start..seen.len()));
    match (before, after) {
        (Some(before), Some(after)) => own.range_m < (1.0 - ABOVE) * before.min(after) - ABOVE_M,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
