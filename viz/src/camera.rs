//! Where the 3-D view is looked at from.

use nalgebra::Vector3;

use crate::layout::Eye;
use crate::wall::Wall;

/// Points nearer to the vessel than this say where to look, metres.
pub(crate) const NEAR_M: f64 = 30.0;
/// How far from a vessel at rest it is looked at, metres.
const NEAREST_M: f64 = 12.0;
/// The longest piece of a path that is looked at as a whole, metres.
const LONGEST_M: f64 = 40.0;
/// How far behind and above a vessel without a wall one looks from, metres.
const BEHIND_M: f64 = 24.0;
const ABOVE_M: f64 = 14.0;
/// What lies on average so far below a vessel is a bed, metres.
const DEEP_M: f64 = 4.0;
/// The piece of wall that is seen at once by an eye that goes with the vessel, metres.
const FOLLOWED_M: f64 = 28.0;
/// Directions in plan, and rings of a metre about the vessel, that are told apart to know how far it
/// is clear.
const DIRECTIONS: usize = 12;
const RINGS: usize = 30;
/// It is clear up to the ring before which lies less than this share of what was seen that way; of
/// fewer points than this nothing is said.
const IN_THE_WAY: f64 = 0.05;
const FEWEST: u32 = 100;
/// The part of the clear way that an eye uses.
const CLEAR_PART: f64 = 0.8;

/// What there is to look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sight {
    /// Sum and count of the map's points near the vessel.
    seen: (Vector3<f64>, f64),
    /// Where the vessel is, and where it was when it was last well away from there.
    here: Option<Vector3<f64>>,
    before: Option<Vector3<f64>>,
    /// What stands around the vessel, above it: points by direction and distance.
    around: [[u32; RINGS]; DIRECTIONS],
}

impl Sight {
    /// A new point of the map near the vessel.
    pub(crate) fn see(&mut self, place: &Vector3<f64>) {
        self.seen = (self.seen.0 + place, self.seen.1 + 1.0);
        let Some(way) = self.here.map(|here| place - here).filter(|way| way.z > 0.0) else {
            return;
        };
        if let Some(count) = self.around[direction(&way)].get_mut(way.xy().norm() as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// How far from the vessel nothing stands that way, metres; nothing if that is far or not known.
    fn clear_m(&self, way: &Vector3<f64>) -> Option<f64> {
        let rings = &self.around[direction(way)];
        let all: u32 = rings.iter().sum();
        if all < FEWEST {
            return None;
        }
        let mut before = 0;
        let ring = rings.iter().position(|count| {
            before += count;
            f64::from(before) > IN_THE_WAY * f64::from(all)
        })?;
        Some(ring as f64)
    }

    /// The vessel is here.
    pub(crate) fn pass(&mut self, place: &Vector3<f64>) {
        self.here = Some(*place);
        let before = self.before.get_or_insert(*place);
        let gone = place - *before;
        if gone.norm() > LONGEST_M {
            *before = place - gone.normalize() * LONGEST_M;
        }
    }

    /// From the water side of the wall, above the vessel, along the stretch it came.
    pub(crate) fn of_wall(&self, wall: &Wall, passed_m: [f64; 2]) -> Option<Eye> {
        let along_m = wall.place(&self.here?).along_m;
        let length_m = (along_m - passed_m[0]).max(passed_m[1] - along_m);
        self.of_stretch(wall, passed_m, length_m.clamp(NEAREST_M, LONGEST_M))
    }

    /// As [`Self::of_wall`], of as much as an eye should see that goes with the vessel.
    pub(crate) fn along_wall(&self, wall: &Wall, passed_m: [f64; 2]) -> Option<Eye> {
        self.of_stretch(wall, passed_m, FOLLOWED_M)
    }

    fn of_stretch(&self, wall: &Wall, passed_m: [f64; 2], length_m: f64) -> Option<Eye> {
        let vessel = self.here?;
        let here = wall.place(&vessel);
        let behind = here.along_m - passed_m[0];
        let ahead = passed_m[1] - here.along_m;
        // Towards the longer part of what was passed.
        let sign = if behind >= ahead { -1.0 } else { 1.0 };
        let target = wall.point(
            here.along_m + sign * 0.36 * length_m,
            0.25 * here.off_m,
            here.level_m - 0.07 * length_m,
        );
        let off_m = here.off_m.max(4.0);
        let position = wall.point(
            here.along_m - sign * 0.16 * length_m,
            off_m + 0.46 * length_m,
            here.level_m + 0.38 * length_m,
        );
        // Between walls, in a lock, a tunnel or a room: from before the one at the vessel's back.
        let way = position - vessel;
        let clear = self
            .clear_m(&way)
            .map_or(f64::INFINITY, |clear_m| CLEAR_PART * clear_m);
        let part = (clear / way.xy().norm()).min(1.0);
        Some(eye(&(vessel + way * part), &target))
    }

    /// From above and behind the vessel, towards where it goes.
    pub(crate) fn of_vessel(&self) -> Option<Eye> {
        let here = self.here?;
        if self.seen.1 == 0.0 {
            return None;
        }
        let before = self.before.unwrap_or(here);
        let gone = here - before;
        let level = Vector3::new(gone.x, gone.y, 0.0);
        let deep_m = here.z - self.seen.0.z / self.seen.1;
        match level.try_normalize(2.0) {
            // Nothing but a bed: back over what was passed, from before the vessel.
            Some(ahead) if deep_m > DEEP_M => {
                let side = Vector3::new(-ahead.y, ahead.x, 0.0);
                let position = here + (ahead * 1.2 + side * 1.3 + Vector3::z() * 0.9) * deep_m;
                let target = here - (ahead * 0.9 + Vector3::z() * 0.8) * deep_m;
                Some(eye(&position, &target))
            }
            Some(ahead) => {
                let side = Vector3::new(-ahead.y, ahead.x, 0.0);
                let position = here - ahead * BEHIND_M + side * (0.4 * BEHIND_M) + Vector3::z() * ABOVE_M;
                Some(eye(&position, &(here + ahead * 8.0)))
            }
            None => {
                let seen = self.seen.0 / self.seen.1;
                let away = Vector3::new(here.x - seen.x, here.y - seen.y, 0.0);
                let away = away.try_normalize(0.5).unwrap_or_else(Vector3::y);
                let position = here + away * NEAREST_M + Vector3::z() * (0.6 * NEAREST_M);
                Some(eye(&position, &((here + seen) / 2.0)))
            }
        }
    }
}

/// Which of the directions in plan a way goes.
fn direction(way: &Vector3<f64>) -> usize {
    let turns = way.y.atan2(way.x) / std::f64::consts::TAU;
    (turns.rem_euclid(1.0) * DIRECTIONS as f64) as usize % DIRECTIONS
}

fn eye(position: &Vector3<f64>, target: &Vector3<f64>) -> Eye {
    let single = |place: &Vector3<f64>| [place.x as f32, place.y as f32, place.z as f32];
    Eye {
        position: single(position),
        target: single(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bed_is_looked_back_at_from_before_the_vessel() {
        let mut sight = Sight::default();
        for i in 0..100 {
            let here = Vector3::new(f64::from(i), 0.0, 0.0);
            sight.pass(&here);
            sight.see(&(here + Vector3::new(0.0, 5.0, -15.0)));
            sight.see(&(here + Vector3::new(0.0, -5.0, -15.0)));
        }
        let eye = sight.of_vessel().unwrap();
        assert!(eye.position[0] > 99.0 && eye.position[2] > 5.0, "{eye:?}");
        assert!(eye.target[0] < 99.0 && eye.target[2] < -5.0, "{eye:?}");
    }

    #[test]
    fn a_drive_is_looked_at_from_behind_and_above() {
        let mut sight = Sight::default();
        assert_eq!(sight.of_vessel(), None, "nothing was seen yet");
        for i in 0..200 {
            let here = Vector3::new(f64::from(i), 0.0, 0.0);
            sight.pass(&here);
            sight.see(&(here + Vector3::new(0.0, 10.0, 0.0)));
        }
        let eye = sight.of_vessel().unwrap();
        assert!(eye.position[0] < 199.0 && eye.position[2] > 10.0, "{eye:?}");
        assert!(eye.target[0] > 199.0, "{eye:?}");
    }

    #[test]
    fn one_at_rest_is_looked_at_from_across() {
        let mut sight = Sight::default();
        sight.pass(&Vector3::zeros());
        sight.see(&Vector3::new(0.0, 10.0, 0.0));
        let eye = sight.of_vessel().unwrap();
        assert!(
            eye.position[1] < 0.0 && eye.position[2] > 0.0 && eye.target[1] > 0.0,
            "{eye:?}"
        );
    }
}
