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

/// What there is to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sight {
    /// Sum and count of the map's points near the vessel.
    seen: (Vector3<f64>, f64),
    /// Where the vessel is, and where it was when it was last well away from there.
    here: Option<Vector3<f64>>,
    before: Option<Vector3<f64>>,
}

impl Sight {
    /// A new point of the map near the vessel.
    pub(crate) fn see(&mut self, place: &Vector3<f64>) {
        self.seen = (self.seen.0 + place, self.seen.1 + 1.0);
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
        let here = wall.place(&self.here?);
        let behind = here.along_m - passed_m[0];
        let ahead = passed_m[1] - here.along_m;
        // Towards the longer part of what was passed.
        let sign = if behind >= ahead { -1.0 } else { 1.0 };
        let length_m = behind.max(ahead).clamp(NEAREST_M, LONGEST_M);
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
        Some(eye(&position, &target))
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
        match level.try_normalize(2.0) {
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
