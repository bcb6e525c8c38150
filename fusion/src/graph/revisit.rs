//! Where the newest local map may have been before, and whether it really lies there.

use super::edge::Edge;
use super::lay::lay;
use super::{Loops, Place};

/// Fewest points of a local map that is compared with others.
const MIN_POINTS: usize = 500;
/// A loop joins local maps that are at least so many apart.
const APART: usize = 4;
/// Loops tried per local map.
const MAX_TRIED: usize = 3;
/// Likeness from which a place is tried.
const LEAST_LIKENESS: f64 = 0.5;
/// Farthest a map is looked for from where it should lie, in metres.
const MAX_REACH_M: f64 = 6.0;

impl Loops {
    /// Lays the newest local map on the nearest old ones it may meet.
    pub(super) fn look_back(&mut self) {
        let Some((newest, old)) = self.places.split_last() else {
            return;
        };
        let to = old.len();
        if newest.map.len() < MIN_POINTS || to < APART {
            return;
        }
        let mut near: Vec<(f64, usize)> = Vec::new();
        for (from, place) in old.iter().enumerate().take(to + 1 - APART) {
            let away = between_m(newest, place);
            let allowed = self.config.reach_m + 3.0 * self.drift.spread(&self.places, from, to).1;
            let alike = place.map.len() >= MIN_POINTS && place.map.likeness(&newest.map) >= LEAST_LIKENESS;
            if away <= allowed && alike && !self.is_remembered(from, to) {
                near.push((away, from));
            }
        }
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut found = Vec::new();
        for &(_, from) in near.iter().take(MAX_TRIED) {
            self.tried += 1;
            found.extend(self.try_loop(from, to));
        }
        self.loops.extend(found);
    }

    /// Whether the odometry's own map still held the earlier place when the later one was seen: since it
    /// was there the body never went farther away than that map reaches. Then the scans were laid on the
    /// very points of that time, one by one, and are better placed than one local map on another.
    fn is_remembered(&self, from: usize, to: usize) -> bool {
        let place = &self.places[from];
        let between = &self.places[from..=to];
        between
            .iter()
            .all(|later| between_m(place, later) <= self.drift.memory_m)
    }

    fn try_loop(&self, from: usize, to: usize) -> Option<Edge> {
        let (old, new) = (&self.places[from], &self.places[to]);
        let guess = old.world_from_body.inverse() * new.world_from_body;
        let (turn, place) = self.drift.spread(&self.places, from, to);
        let reach_m = (3.0 * place).clamp(1.0, MAX_REACH_M);
        let laid = lay(&new.map, &old.map, &guess, reach_m, self.config.min_overlap).ok()?;
        let off = guess.perturbation_to(&laid.on_from_laid);
        let is_near = off.fixed_rows::<3>(0).norm() <= 4.0 * turn + 0.02
            && off.fixed_rows::<3>(3).norm() <= 4.0 * place + 0.2;
        is_near.then_some(Edge {
            from,
            to,
            from_body_to: laid.on_from_laid,
            covariance: laid.covariance + self.drift.within(old) + self.drift.within(new),
        })
    }
}

fn between_m(a: &Place, b: &Place) -> f64 {
    (a.world_from_body.translation() - b.world_from_body.translation()).norm()
}

#[cfg(test)]
mod tests {
    use super::super::local_map::LocalMap;
    use super::super::place::Leg;
    use super::*;
    use crate::config::Config;
    use beluga_types::{Rig, Stamp, Transform, Vessel, Water};
    use nalgebra::{Matrix6, UnitQuaternion, Vector3};

    /// Places along a line, at these metres.
    fn survey(metres: &[f64]) -> Loops {
        let mut config = Config::default();
        config.odometry.map_radius_m = 50.0;
        let rig = Rig {
            origin: None,
            vessel: Vessel::default(),
            water: Water::Unknown,
            sensors: Vec::new(),
        };
        let mut loops = Loops::new(&config, &rig).unwrap();
        let place = |(i, &x): (usize, &f64)| Place {
            stamp: Stamp::from_nanos(i as i64),
            world_from_body: Transform::new(UnitQuaternion::identity(), Vector3::new(x, 0.0, 0.0)),
            covariance: Matrix6::identity(),
            is_tied: false,
            map: LocalMap::of(&[], 0.4),
            leg: Leg {
                way_m: 8.0,
                time_s: 8.0,
                held: [1.0; 6],
            },
        };
        loops.places = metres.iter().enumerate().map(place).collect();
        loops
    }

    #[test]
    fn a_place_is_remembered_until_the_map_has_been_left() {
        let near = survey(&[0.0, 20.0, 49.0, 20.0, 1.0]);
        assert!(near.is_remembered(0, 4));
        let far = survey(&[0.0, 20.0, 51.0, 20.0, 1.0]);
        assert!(!far.is_remembered(0, 4) && far.is_remembered(1, 3));
    }
}
