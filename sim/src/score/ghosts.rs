//! Ghosts that were kept, and good points that were rejected.
//!
//! With the truth of single returns, a ghost is what the simulator made by a detour, of a drop or of what
//! floats; of the sonar also what came by a side lobe. Without it, a ghost is a point farther than half a
//! metre from every true surface: of a return that took a detour, and came to lie near a surface by chance,
//! nothing is known then.

use beluga_types::Medium;
use serde::Serialize;

use super::Seen;
use crate::scene::{Kind, Scene};

/// A point this near to a surface is good, where nothing is known of its return.
const GOOD_M: f64 = 0.15;

/// What the truth says of the return a point was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueReturn {
    /// The surface that was met, if it is one of the scene's.
    pub surface: Option<u32>,
    /// How often the way was mirrored before it came to the surface; zero is the straight way.
    pub order: u8,
    /// Where the surface was met, in `World`, in metres; none of a sounding, which is made of all that a
    /// beam heard at once.
    pub position: Option<[f64; 3]>,
    /// Whether a point at the measured place is not of the world.
    pub ghost: bool,
}

/// Counts of points by what they are and what the run did with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ghosts {
    sides: [Counts; 2],
}

/// Ghosts and good points of one medium.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Good points that were kept.
    pub good_kept: u64,
    /// Good points that were labelled mirror or multipath.
    pub good_rejected: u64,
    /// Ghosts that were kept.
    pub ghosts_kept: u64,
    /// Ghosts that were labelled mirror or multipath.
    pub ghosts_rejected: u64,
    /// Points of which neither can be said.
    pub unsure: u64,
    /// Of all these, those whose return the truth names.
    pub known: u64,
    /// Of the ghosts that were kept, those that fall on a true surface when they are mirrored in the
    /// still water.
    pub mirrored_in_water: u64,
    /// Of the ghosts that were kept, those that fall on a true surface when they are mirrored in the
    /// principal wall.
    pub mirrored_in_wall: u64,
}

/// Ghosts kept and good points rejected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GhostScore {
    /// Seen through air.
    pub air: Counts,
    /// Seen through water.
    pub water: Counts,
    /// Part of all points whose return the truth names; of the others a ghost is what lies farther
    /// than half a metre from every surface, and good what lies within 0.15 m.
    pub known_fraction: f64,
}

impl Ghosts {
    /// Adds a point. `kept` is whether the run trusted it, `known` what the truth says of its return.
    pub(super) fn add(
        &mut self,
        scene: &Scene,
        medium: Medium,
        kept: bool,
        seen: &Seen,
        known: Option<bool>,
    ) {
        let counts = &mut self.sides[medium as usize];
        counts.known += u64::from(known.is_some());
        let ghost = known.or(match &seen.nearest {
            None => Some(true),
            Some(nearest) if nearest.signed_m.abs() <= GOOD_M => Some(false),
            Some(_) => None,
        });
        match (ghost, kept) {
            (None, _) => counts.unsure += 1,
            (Some(false), true) => counts.good_kept += 1,
            (Some(false), false) => counts.good_rejected += 1,
            (Some(true), false) => counts.ghosts_rejected += 1,
            (Some(true), true) => {
                counts.ghosts_kept += 1;
                let mut in_water = seen.place;
                in_water.z = -in_water.z;
                let in_wall = seen.place - scene.wall.normal * (2.0 * seen.on_wall[2]);
                let falls = |place| scene.nearest(&place, GOOD_M).is_some();
                counts.mirrored_in_water += u64::from(falls(in_water));
                counts.mirrored_in_wall += u64::from(seen.on_wall[2] < 0.0 && falls(in_wall));
            }
        }
    }

    /// The counts; nothing without a point.
    pub(super) fn finish(&self) -> Option<GhostScore> {
        let [air, water] = self.sides;
        let total = |c: &Counts| c.good_kept + c.good_rejected + c.ghosts_kept + c.ghosts_rejected + c.unsure;
        let points = total(&air) + total(&water);
        (points > 0).then(|| GhostScore {
            air,
            water,
            known_fraction: (air.known + water.known) as f64 / points as f64,
        })
    }
}

/// Whether a kind of surface stands in a scene.
pub(super) fn holds(scene: &Scene, kind: Kind) -> bool {
    scene.surfaces.iter().any(|surface| surface.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::score::OUTLIER_M;
    use crate::world::World;
    use nalgebra::Vector3;

    #[test]
    fn what_is_known_goes_before_what_is_guessed() {
        let truth = World::new(Scenario::sample()).unwrap().truth();
        let scene = &truth.scene;
        let seen = |off: f64, up: f64| {
            let place = scene.wall.point(4.0, up, off);
            Seen {
                nearest: scene.nearest(&place, OUTLIER_M),
                on_wall: scene.wall.coordinates(&place),
                place,
            }
        };
        let mut ghosts = Ghosts::default();
        assert_eq!(ghosts.finish(), None);
        let far = Seen {
            nearest: None,
            on_wall: [0.0, 0.0, 30.0],
            place: Vector3::new(0.0, 22.0, -90.0),
        };
        ghosts.add(scene, Medium::Air, true, &seen(0.01, 2.0), None);
        ghosts.add(scene, Medium::Air, false, &seen(0.01, 2.0), None);
        ghosts.add(scene, Medium::Air, true, &seen(0.3, 2.0), None);
        ghosts.add(scene, Medium::Air, false, &far, None);
        ghosts.add(scene, Medium::Air, true, &far, None);
        ghosts.add(scene, Medium::Water, true, &seen(0.0, 2.0), Some(true));
        let score = ghosts.finish().unwrap();
        let air = score.air;
        assert_eq!((air.good_kept, air.good_rejected, air.unsure), (1, 1, 1));
        assert_eq!(
            (air.ghosts_rejected, air.ghosts_kept, air.mirrored_in_water),
            (1, 1, 0)
        );
        assert_eq!((score.water.ghosts_kept, score.water.mirrored_in_water), (1, 1));
        assert_eq!((air.known, score.water.known), (0, 1));
        assert!((score.known_fraction - 1.0 / 6.0).abs() < 1e-12);
    }
}
