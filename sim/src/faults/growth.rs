//! Growth on the wall below water: mussels that the sonar meets and the lidar never sees.

use nalgebra::Vector3;

use crate::random::{Dice, Source};
use crate::scenario::Scenario;
use crate::scene::Kind;

/// Nothing grows above this height (the water rises and falls), and all of it below the other.
const BARE_ABOVE_M: f64 = -0.3;
const FULL_BELOW_M: f64 = -0.8;
/// Patches, clumps and single shells: edge of the lattice in metres, and part of the thickness.
const OCTAVES: [[f64; 2]; 3] = [[1.5, 0.6], [0.4, 0.3], [0.06, 0.1]];

/// How thick the growth is at any place of a wall. The same for all pings, since it is a function of
/// the place and the seed alone.
#[derive(Clone, Debug)]
pub struct Growth {
    seed: u64,
    thickness_m: f64,
}

impl Growth {
    /// The growth of a scenario; nothing if nothing grows there.
    pub fn new(scenario: &Scenario) -> Option<Self> {
        let thickness_m = scenario.faults.growth.thickness_m;
        (thickness_m > 0.0).then_some(Self {
            seed: scenario.seed,
            thickness_m,
        })
    }

    /// Whether it grows on such a surface.
    pub fn covers(kind: Kind) -> bool {
        matches!(kind, Kind::Pier | Kind::Sheet | Kind::Side | Kind::Wall)
    }

    /// Thickness along the surface's normal, in metres, over a place of the bare surface in `Quay`.
    ///
    /// A sum of three value noises (K. Perlin, "An image synthesizer", SIGGRAPH 1985, with random
    /// values in place of gradients), each smooth between the nodes of its lattice; 0 to the
    /// scenario's thickness, half of it on average.
    pub fn thickness_m(&self, in_quay: &Vector3<f64>) -> f64 {
        let sunk = ((BARE_ABOVE_M - in_quay.z) / (BARE_ABOVE_M - FULL_BELOW_M)).clamp(0.0, 1.0);
        if sunk == 0.0 {
            return 0.0;
        }
        // One coordinate around corners, one down.
        let place = [in_quay.x + in_quay.y, in_quay.z];
        let noise: f64 = (0u64..)
            .zip(OCTAVES)
            .map(|(octave, [edge, part])| part * self.noise(octave, place.map(|value| value / edge)))
            .sum();
        self.thickness_m * smooth(sunk) * noise
    }

    /// Value noise on the unit lattice, 0 to 1.
    fn noise(&self, octave: u64, [s, t]: [f64; 2]) -> f64 {
        let node = [s.floor(), t.floor()];
        let [u, v] = [smooth(s - node[0]), smooth(t - node[1])];
        let value = |i: i64, j: i64| {
            let (i, j) = (node[0] as i64 + i, node[1] as i64 + j);
            Dice::new(self.seed, Source::Growth, i as u64, j as u64).uniform(octave)
        };
        let low = value(0, 0) * (1.0 - u) + value(1, 0) * u;
        let high = value(0, 1) * (1.0 - u) + value(1, 1) * u;
        low * (1.0 - v) + high * v
    }
}

/// From 0 to 1 with level ends.
fn smooth(x: f64) -> f64 {
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth() -> Growth {
        let mut scenario = Scenario::demo();
        assert!(Growth::new(&scenario).is_none());
        scenario.faults.growth.thickness_m = 0.12;
        Growth::new(&scenario).unwrap()
    }

    #[test]
    fn it_is_bare_at_the_water_and_as_thick_as_asked_below() {
        let growth = growth();
        let at = |x: f64, z: f64| growth.thickness_m(&Vector3::new(x, -8.0, z));
        let n = 20_000;
        let values: Vec<f64> = (0..n)
            .map(|i| at(f64::from(i % 200) * 0.31, -1.0 - f64::from(i / 200) * 0.06))
            .collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let most = values.iter().copied().fold(0.0, f64::max);
        let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!((mean - 0.06).abs() < 0.004, "{mean}");
        assert!(most > 0.1 && most <= 0.12, "{most}");
        assert!(values.iter().all(|value| *value >= 0.0));
        assert!((0.01..0.03).contains(&spread.sqrt()), "rough: {}", spread.sqrt());
        for x in [0.0, 3.3, 17.0] {
            assert_eq!(at(x, -0.2), 0.0);
            assert_eq!(at(x, 1.0), 0.0);
        }
    }

    /// What the sonar hears of the wall lies over the bare face by the growth that is there.
    #[test]
    fn the_sonar_hears_the_shells_and_not_the_wall() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 0.4;
        scenario.faults.growth.thickness_m = 0.12;
        let growth = Growth::new(&scenario).unwrap();
        let world = crate::world::World::new(scenario).unwrap();
        let wall = &world.scene().wall;
        let mut thickest = 0.0f64;
        let mut heard = 0;
        for echo in world.sonar().contributions(&world, 0, -110.0) {
            if !Growth::covers(world.scene().surfaces[echo.surface as usize].kind) || echo.order > 0 {
                continue;
            }
            let point = Vector3::from(echo.point).map(f64::from);
            let [along, up, off] = wall.coordinates(&point);
            let expected = growth.thickness_m(&wall.point(along, up, 0.0));
            assert!(
                (off - expected).abs() < 1e-4,
                "{off} at {along} {up}, expected {expected}"
            );
            thickest = thickest.max(off);
            heard += 1;
        }
        assert!(
            heard > 50 && thickest > 0.08,
            "{heard} echoes, up to {thickest} m"
        );
    }

    #[test]
    fn it_is_one_smooth_surface() {
        let growth = growth();
        for i in 0..2_000 {
            let place = Vector3::new(f64::from(i) * 0.013 - 5.0, -8.1, -0.25 - f64::from(i) * 0.002);
            let near = place + Vector3::new(1e-4, 0.0, 1e-4);
            let step = (growth.thickness_m(&near) - growth.thickness_m(&place)).abs();
            assert!(step < 2e-4, "{step}");
        }
    }
}
