//! Whether the step irons of the ladders are found, and how far off.
//!
//! The truth is used only as a search window. Of the points that stand off the wall's face where a
//! step iron could be, the centroid is taken. Lidar points count alike. Sonar beams overlap, so within
//! a ping soundings count by echo power; pings count alike if they are within 20 dB of the loudest, since
//! how loud a rough step iron is from one ping to the next is mostly speckle and says little about
//! where it is. Above the water every step iron stands for itself. Below, where speckle moves the
//! centroid of one by centimetres, those of a ladder are taken to stand in one line ([`ladder`]); what
//! each gives by itself is in the score beside it.
//! The centroid is of the side that is seen, so up to a radius (17.5 mm) of the distance off the wall
//! is not the run's fault; it is not taken away.

use std::collections::BTreeMap;

use beluga_types::Medium;
use nalgebra::Vector3;
use serde::Serialize;

use super::{ladder, lobe};
use crate::truth::Truth;

/// How far off the wall's face points are taken for a step iron, in metres.
const OFF_M: [f64; 2] = [0.05, 0.30];
/// Half the window up the face: half the distance from one step iron to the next.
const UP_M: f64 = 0.15;
/// Half the window along the wall.
const ALONG_M: f64 = 0.35;
/// A step iron with fewer points is not found.
const LEAST_POINTS: u64 = 5;
/// From a step iron's centre to clear of its side, in metres.
const SIDE_M: f64 = 0.03;
/// A step iron found within this distance of its true centre is recovered.
const RECOVERED_M: f64 = 0.05;

/// Pings whose power on a step iron is a smaller part of the loudest one's do not count: -20 dB.
const FAINTEST: f64 = 0.01;

/// How a step iron was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RungError {
    /// Which ladder.
    pub ladder: u32,
    /// Height of its true centre above the still water, in metres.
    pub height_m: f64,
    /// Points in its window.
    pub points: u64,
    /// Found minus true, along the wall, up its face and off it, in metres; nothing if it was not found.
    pub error_m: Option<[f64; 3]>,
    /// The same from its own points alone; differs only below the water, and only along the wall.
    pub alone_m: Option<[f64; 3]>,
}

/// How the step irons on one side of the waterline were found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RungScore {
    /// Step irons the vessel passed; below the water, of these, those whose window the sonar's main
    /// lobe (-3 dB) met from end to end. What lies above its fan, nobody saw.
    pub passed: u64,
    /// Of these, found at all.
    pub found: u64,
    /// Of these, with the centre within 5 cm of the true one, in space.
    pub recovered: u64,
    /// Within 5 cm if each is found from its own points alone.
    pub recovered_alone: u64,
    /// Median over all that were found of the distance from the true centre, in metres.
    pub median_m: Option<f64>,
    /// The largest of these distances.
    pub worst_m: Option<f64>,
    /// The largest if each is found from its own points alone.
    pub worst_alone_m: Option<f64>,
    /// Each one.
    pub rungs: Vec<RungError>,
}

/// Sums over the points in each window.
#[derive(Clone, Debug)]
pub(super) struct Gates {
    gates: Vec<Gate>,
    /// Width of the sonar's beam along the wall, where it stands nearest to it, in metres.
    beam_m: f64,
}

#[derive(Clone, Debug)]
struct Gate {
    ladder: u32,
    height_m: f64,
    /// The true centre: along the wall, up its face, off it.
    centre: [f64; 3],
    medium: Medium,
    points: u64,
    /// Sums for each scan or ping.
    sources: BTreeMap<u64, Sum>,
}

/// A weighted sum of places.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    weight: f64,
    place: [f64; 3],
}

impl Sum {
    fn add(&mut self, weight: f64, place: &[f64; 3]) {
        self.weight += weight;
        for (sum, value) in self.place.iter_mut().zip(place) {
            *sum += weight * value;
        }
    }

    fn mean(&self) -> [f64; 3] {
        self.place.map(|sum| sum / self.weight)
    }
}

impl Gates {
    /// Windows for the step irons that the sonar passed: those between its first and last place, and
    /// below the water those that it could see.
    pub(super) fn new(truth: &Truth) -> Self {
        let places = truth.ping_poses();
        let along = || places.iter().map(|pose| pose.translation().x);
        let (first, last) = (
            along().fold(f64::INFINITY, f64::min),
            along().fold(f64::NEG_INFINITY, f64::max),
        );
        let looks = lobe::looks(truth);
        let wall = &truth.scene.wall;
        let seen = |gate: &Gate| {
            // On the side that faces the sonar: the iron hides its own centre.
            let [along, up, off] = gate.centre;
            [up - UP_M, up, up + UP_M].into_iter().all(|up| {
                let side = wall.point(along, up, off + SIDE_M);
                looks.iter().any(|look| look.meets(&side))
            })
        };
        let scenario = &truth.scenario;
        Self {
            beam_m: scenario.sonar.beam_width_deg.to_radians() * scenario.quay.distance_m,
            gates: truth
                .rungs()
                .iter()
                .map(|rung| Gate {
                    ladder: rung.ladder,
                    height_m: rung.centre[2],
                    centre: truth.scene.wall.coordinates(&Vector3::from(rung.centre)),
                    medium: if rung.below_water {
                        Medium::Water
                    } else {
                        Medium::Air
                    },
                    points: 0,
                    sources: BTreeMap::new(),
                })
                .filter(|gate| gate.centre[0] >= first && gate.centre[0] <= last)
                .filter(|gate| gate.medium == Medium::Air || seen(gate))
                .collect(),
        }
    }

    /// Adds a point of a scan or ping, given along the wall, up its face and off it.
    pub(super) fn add(&mut self, medium: Medium, source_seq: u64, on_wall: &[f64; 3], level: f32) {
        if !(on_wall[2] >= OFF_M[0] && on_wall[2] <= OFF_M[1]) {
            return;
        }
        let hit = self.gates.iter_mut().find(|gate| {
            gate.medium == medium
                && (on_wall[0] - gate.centre[0]).abs() <= ALONG_M
                && (on_wall[1] - gate.centre[1]).abs() < UP_M
        });
        if let Some(gate) = hit {
            let weight = match medium {
                Medium::Air => 1.0,
                Medium::Water => 10f64.powf(0.1 * f64::from(level).clamp(-300.0, 300.0)),
            };
            gate.points += 1;
            gate.sources.entry(source_seq).or_default().add(weight, on_wall);
        }
    }

    /// The score above the water, and below.
    pub(super) fn finish(&self) -> [RungScore; 2] {
        [Medium::Air, Medium::Water].map(|medium| {
            let gates: Vec<&Gate> = self.gates.iter().filter(|gate| gate.medium == medium).collect();
            let alone: Vec<Option<[f64; 3]>> = gates.iter().map(|gate| gate.place()).collect();
            let mut places = alone.clone();
            if medium == Medium::Water {
                self.straighten(&gates, &mut places);
            }
            let error = |gate: &Gate, place: [f64; 3]| [0, 1, 2].map(|axis| place[axis] - gate.centre[axis]);
            let rungs = gates
                .iter()
                .zip(places)
                .zip(alone)
                .map(|((gate, place), alone)| RungError {
                    ladder: gate.ladder,
                    height_m: gate.height_m,
                    points: gate.points,
                    error_m: place.map(|place| error(gate, place)),
                    alone_m: alone.map(|place| error(gate, place)),
                });
            RungScore::of(rungs.collect())
        })
    }

    /// Moves the places of each ladder's step irons onto its line.
    fn straighten(&self, gates: &[&Gate], places: &mut [Option<[f64; 3]>]) {
        let mut ladders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (i, gate) in gates.iter().enumerate().filter(|(i, _)| places[*i].is_some()) {
            ladders.entry(gate.ladder).or_default().push(i);
        }
        for members in ladders.values() {
            let irons: Vec<[f64; 2]> = members
                .iter()
                .filter_map(|&i| places[i].map(|[along, up, _]| [up, along]))
                .collect();
            for (&i, along) in members.iter().zip(ladder::straightened(&irons, self.beam_m)) {
                if let Some(place) = &mut places[i] {
                    place[0] = along;
                }
            }
        }
    }
}

impl RungScore {
    fn of(rungs: Vec<RungError>) -> Self {
        let distances = |error: fn(&RungError) -> Option<[f64; 3]>| -> Vec<f64> {
            let found = rungs.iter().filter_map(error);
            let mut distances: Vec<f64> = found.map(|error| Vector3::from(error).norm()).collect();
            distances.sort_by(f64::total_cmp);
            distances
        };
        let near = |distances: &[f64]| distances.partition_point(|distance| *distance <= RECOVERED_M) as u64;
        let (together, alone) = (distances(|rung| rung.error_m), distances(|rung| rung.alone_m));
        Self {
            passed: rungs.len() as u64,
            found: together.len() as u64,
            recovered: near(&together),
            recovered_alone: near(&alone),
            median_m: together.get(together.len() / 2).copied(),
            worst_m: together.last().copied(),
            worst_alone_m: alone.last().copied(),
            rungs,
        }
    }
}

impl Gate {
    /// The centroid of what was seen of it; nothing if that is too little.
    fn place(&self) -> Option<[f64; 3]> {
        let mut sum = Sum::default();
        let loudest = self
            .sources
            .values()
            .map(|source| source.weight)
            .fold(0.0, f64::max);
        for source in self.sources.values() {
            match self.medium {
                Medium::Air => sum.add(source.weight, &source.mean()),
                Medium::Water if source.weight >= FAINTEST * loudest => sum.add(1.0, &source.mean()),
                Medium::Water => {}
            }
        }
        (self.points >= LEAST_POINTS && sum.weight > 0.0).then(|| sum.mean())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::world::World;

    #[test]
    fn a_centroid_is_compared_with_the_true_centre() {
        let truth = World::new(Scenario::sample()).unwrap().truth();
        let mut gates = Gates::new(&truth);
        let below: Vec<[f64; 3]> = gates
            .gates
            .iter()
            .filter(|gate| gate.medium == Medium::Water)
            .map(|gate| gate.centre)
            .collect();
        assert_eq!(below.len(), 15, "one ladder is passed");
        // Two strong echoes 2 cm too high, and weaker ones elsewhere that do not move the centroid.
        for side in [-0.1, 0.1] {
            gates.add(
                Medium::Water,
                3,
                &[below[0][0] + side, below[0][1] + 0.02, below[0][2]],
                -20.0,
            );
            gates.add(
                Medium::Water,
                3,
                &[below[0][0] + side, below[0][1] - 0.10, below[0][2]],
                -80.0,
            );
            gates.add(
                Medium::Water,
                3,
                &[below[0][0] + side, below[0][1] + 0.10, below[0][2]],
                -80.0,
            );
        }
        // On the wall's face, or seen through air: not this step iron.
        gates.add(Medium::Water, 3, &[below[1][0], below[1][1], 0.0], -10.0);
        gates.add(Medium::Air, 3, &below[1], 100.0);
        let [above, below] = gates.finish();
        assert_eq!(
            (above.found, below.passed, below.found, below.recovered),
            (0, 15, 1, 1)
        );
        let error = below.rungs.iter().find_map(|rung| rung.error_m).unwrap();
        assert!(
            error[0].abs() < 1e-9 && (error[1] - 0.02).abs() < 1e-5 && error[2].abs() < 1e-9,
            "{error:?}"
        );
        assert!((below.median_m.unwrap() - 0.02).abs() < 1e-5);
    }

    /// Step irons whose own centroids scatter by 5.5 cm to either side are recovered by their line.
    #[test]
    fn below_the_water_a_ladder_is_one_line() {
        let truth = World::new(Scenario::sample()).unwrap().truth();
        let mut gates = Gates::new(&truth);
        let centres: Vec<(Medium, [f64; 3])> = gates
            .gates
            .iter()
            .map(|gate| (gate.medium, gate.centre))
            .collect();
        for (i, (medium, [along, up, off])) in centres.into_iter().enumerate() {
            let aside = if i % 2 == 0 { 0.055 } else { -0.055 };
            for ping in 0..5 {
                gates.add(medium, ping, &[along + aside, up, off], -20.0);
            }
        }
        let [above, below] = gates.finish();
        assert_eq!((above.found, above.recovered, above.recovered_alone), (9, 0, 0));
        assert_eq!((below.found, below.recovered, below.recovered_alone), (15, 15, 0));
        assert!(below.worst_m.unwrap() < 0.01, "{below:?}");
    }
}
