//! The dominant upright face near the vessel, found in what was seen of both media.

use std::collections::BTreeMap;

use nalgebra::{Matrix3, Vector2, Vector3};

/// Edge of the cubes in which what was seen is remembered, metres.
const CUBE_M: f64 = 0.2;
/// Only what is nearer to the vessel than this can be its wall, in plan, metres.
const NEAR_M: f64 = 25.0;
/// What is nearer than this is the vessel itself, metres.
const OWN_M: f64 = 2.0;
/// A column of cubes in plan is upright if it holds this many: a metre.
const UPRIGHT_CUBES: usize = 5;
/// How far from the face a column may stand, in plan, metres.
const FACE_M: f64 = 0.3;
/// A wall is at least this long, metres, and holds this share of all that is upright.
const LENGTH_M: f64 = 4.0;
const SHARE: f64 = 0.25;
/// Pairs of columns that are tried.
const TRIALS: usize = 300;

/// A place told by the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OnWall {
    /// Chainage: metres along the wall, from where the vessel was when it was found.
    pub(crate) along_m: f64,
    /// Metres off the face along its normal, positive towards the vessel.
    pub(crate) off_m: f64,
    /// Height in `World`, metres.
    pub(crate) level_m: f64,
}

/// A plane that stands nearly upright, and its axes: a straight wall, which may lean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Wall {
    /// On the face, at chainage zero.
    origin: Vector3<f64>,
    /// Level, the way the vessel went.
    along: Vector3<f64>,
    /// Off the face, towards the vessel, of unit length.
    normal: Vector3<f64>,
}

impl Wall {
    /// Where a place of `World` lies.
    pub(crate) fn place(&self, point: &Vector3<f64>) -> OnWall {
        let from_origin = point - self.origin;
        OnWall {
            along_m: self.along.dot(&from_origin),
            off_m: self.normal.dot(&from_origin),
            level_m: point.z,
        }
    }

    /// The place in `World` at this chainage and height, so many metres off the face.
    pub(crate) fn point(&self, along_m: f64, off_m: f64, level_m: f64) -> Vector3<f64> {
        let out = self.out();
        let rise = level_m - self.origin.z;
        let lean = (off_m - self.normal.z * rise) / self.normal.dot(&out);
        self.origin + self.along * along_m + out * lean + Vector3::z() * rise
    }

    /// Level metres from the foot of the normal at chainage zero, towards the vessel: what a section
    /// across the wall measures.
    pub(crate) fn out_m(&self, point: &Vector3<f64>) -> f64 {
        self.out().dot(&(point - self.origin))
    }

    /// Off the face, towards the vessel, in `World`.
    pub(crate) fn normal(&self) -> Vector3<f64> {
        self.normal
    }

    /// The level part of the normal, of unit length.
    pub(crate) fn out(&self) -> Vector3<f64> {
        Vector3::new(self.normal.x, self.normal.y, 0.0).normalize()
    }
}

/// Remembers what was seen around the vessel, and finds the wall in it.
///
/// Columns of cubes that are a metre high and more are upright. The line in plan that most of them
/// stand on (random sample consensus: M. Fischler, R. Bolles, Comm. ACM 24 (1981), with a fixed
/// seed) gives the wall; least squares then let it lean.
#[derive(Default)]
pub(crate) struct Finder {
    /// Sum of places and their count, by cube.
    cubes: BTreeMap<[i32; 3], (Vector3<f64>, f64)>,
}

/// Cubes above each other.
struct Column {
    at: Vector2<f64>,
    cubes: f64,
}

impl Finder {
    /// Remembers a point seen from `vessel`.
    pub(crate) fn see(&mut self, vessel: &Vector3<f64>, point: &Vector3<f64>) {
        let distance = (point - vessel).xy().norm();
        if (OWN_M..NEAR_M).contains(&distance) {
            let cube = [0, 1, 2].map(|axis| (point[axis] / CUBE_M).floor() as i32);
            let (sum, count) = self.cubes.entry(cube).or_insert((Vector3::zeros(), 0.0));
            *sum += point;
            *count += 1.0;
        }
    }

    /// The wall near the vessel, if there is one; chainage zero is abeam of `vessel` and grows the
    /// way of `heading`. What lies far behind is forgotten.
    pub(crate) fn find(&mut self, vessel: &Vector3<f64>, heading: &Vector3<f64>) -> Option<Wall> {
        let near = |cube: &[i32; 3]| {
            let east = (f64::from(cube[0]) + 0.5) * CUBE_M - vessel.x;
            let north = (f64::from(cube[1]) + 0.5) * CUBE_M - vessel.y;
            east.hypot(north) < 1.5 * NEAR_M
        };
        self.cubes.retain(|cube, _| near(cube));
        let columns = self.columns();
        let (on, direction) = dominant_line(&columns)?;
        let across = Vector2::new(-direction.y, direction.x);
        let inliers: Vec<&Column> = columns
            .iter()
            .filter(|column| across.dot(&(column.at - on)).abs() < FACE_M)
            .collect();
        let weight = |columns: &mut dyn Iterator<Item = &Column>| columns.map(|c| c.cubes).sum::<f64>();
        if weight(&mut inliers.iter().copied()) < SHARE * weight(&mut columns.iter()) {
            return None;
        }
        let places = inliers.iter().map(|column| direction.dot(&(column.at - on)));
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| {
            (low.min(place), high.max(place))
        });
        if high - low < LENGTH_M {
            return None;
        }
        self.leaning(on, direction, vessel, heading)
    }

    fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<(Column, [i32; 2], f64)> = Vec::new();
        for (&[east, north, _], &(sum, count)) in &self.cubes {
            match columns.last_mut() {
                Some((column, key, points)) if *key == [east, north] => {
                    column.at += sum.xy();
                    column.cubes += 1.0;
                    *points += count;
                }
                _ => columns.push((
                    Column {
                        at: sum.xy(),
                        cubes: 1.0,
                    },
                    [east, north],
                    count,
                )),
            }
        }
        let upright = columns
            .into_iter()
            .filter(|(column, ..)| column.cubes >= UPRIGHT_CUBES as f64);
        upright
            .map(|(column, _, points)| Column {
                at: column.at / points,
                ..column
            })
            .collect()
    }

    /// The plane through the cubes near this line in plan: off = a + b along + c level.
    fn leaning(
        &self,
        on: Vector2<f64>,
        direction: Vector2<f64>,
        vessel: &Vector3<f64>,
        heading: &Vector3<f64>,
    ) -> Option<Wall> {
        let sign = if direction.dot(&heading.xy()) < 0.0 {
            -1.0
        } else {
            1.0
        };
        let along = Vector3::new(direction.x, direction.y, 0.0) * sign;
        let left = Vector3::new(-along.y, along.x, 0.0);
        let base = Vector3::new(on.x, on.y, vessel.z);
        let out = if left.dot(&(vessel - base)) < 0.0 {
            -left
        } else {
            left
        };
        let mut plane = Vector3::zeros();
        for reach_m in [2.0 * FACE_M, FACE_M, FACE_M] {
            let mut normal_matrix = Matrix3::zeros();
            let mut right = Vector3::zeros();
            for &(sum, count) in self.cubes.values() {
                let from_base = sum / count - base;
                let row = Vector3::new(1.0, along.dot(&from_base), from_base.z);
                let off = out.dot(&from_base);
                if (off - plane.dot(&row)).abs() < reach_m {
                    normal_matrix += row * row.transpose();
                    right += row * off;
                }
            }
            plane = normal_matrix.cholesky()?.solve(&right);
        }
        let normal = (out - along * plane.y - Vector3::z() * plane.z).normalize();
        let level_part = Vector3::new(normal.x, normal.y, 0.0).normalize();
        let turned = Vector3::new(-level_part.y, level_part.x, 0.0);
        let along = if turned.dot(&along) < 0.0 { -turned } else { turned };
        let face = base + out * plane.x;
        Some(Wall {
            origin: face + along * along.dot(&(vessel - face)),
            along,
            normal,
        })
    }
}

/// A place on, and the direction of, the line that most columns stand on.
fn dominant_line(columns: &[Column]) -> Option<(Vector2<f64>, Vector2<f64>)> {
    let mut chance = Chance(0x5eed);
    let mut best: Option<(f64, Vector2<f64>, Vector2<f64>)> = None;
    for _ in 0..TRIALS {
        let a = columns.get(chance.below(columns.len()))?;
        let b = columns.get(chance.below(columns.len()))?;
        let Some(direction) = (b.at - a.at).try_normalize(1.0) else {
            continue;
        };
        let across = Vector2::new(-direction.y, direction.x);
        let score: f64 = columns
            .iter()
            .filter(|column| across.dot(&(column.at - a.at)).abs() < FACE_M)
            .map(|column| column.cubes)
            .sum();
        if best.as_ref().is_none_or(|(before, ..)| score > *before) {
            best = Some((score, a.at, direction));
        }
    }
    best.map(|(_, on, direction)| (on, direction))
}

/// Numbers that look random and are the same in every run: G. Steele, D. Lea, C. Flood, "Fast
/// splittable pseudorandom number generators", OOPSLA 2014.
struct Chance(u64);

impl Chance {
    /// A number below `count`; zero if that is zero.
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % count.max(1) as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall 8 m north of the vessel that leans back by 2 %, a flat bed, and some clutter.
    fn quay(finder: &mut Finder, turn: f64) -> Vector3<f64> {
        let vessel = Vector3::new(100.0, 50.0, 0.0);
        let turned = nalgebra::Rotation3::from_axis_angle(&Vector3::z_axis(), turn);
        let mut see = |x: f64, y: f64, z: f64| {
            finder.see(&vessel, &(vessel + turned * Vector3::new(x, y, z)));
        };
        for i in 0..200 {
            for j in 0..80 {
                let (x, z) = (f64::from(i) * 0.1 - 10.0, f64::from(j) * 0.1 - 5.0);
                see(x, 8.0 + 0.02 * z, z);
            }
            for j in 0..60 {
                see(f64::from(i) * 0.1 - 10.0, 8.0 - f64::from(j) * 0.1, -5.0);
            }
        }
        for i in 0..400 {
            let i = f64::from(i);
            see(
                (i * 0.618).fract() * 20.0 - 10.0,
                (i * 0.414).fract() * 20.0 - 10.0,
                (i * 0.732).fract() * 6.0,
            );
        }
        vessel
    }

    #[test]
    fn a_leaning_wall_is_found_from_any_side() {
        for turn in [0.0, 0.7, 2.0, 3.1, 4.5] {
            let mut finder = Finder::default();
            let vessel = quay(&mut finder, turn);
            let turned = nalgebra::Rotation3::from_axis_angle(&Vector3::z_axis(), turn);
            let wall = finder.find(&vessel, &(turned * Vector3::x())).unwrap();
            let here = wall.place(&vessel);
            assert!((here.off_m - 8.0).abs() < 0.05, "{turn}: {here:?}");
            assert!(here.along_m.abs() < 0.05, "{turn}: {here:?}");
            let ahead = wall.place(&(vessel + turned * Vector3::x()));
            assert!((ahead.along_m - 1.0).abs() < 1e-3, "{turn}: {ahead:?}");
            for level in [-4.0, 0.0, 2.5] {
                let face = vessel + turned * Vector3::new(3.0, 8.0 + 0.02 * level, level);
                let off = wall.place(&face).off_m;
                assert!(off.abs() < 0.03, "{turn}, {level}: {off}");
            }
        }
    }

    #[test]
    fn places_on_the_wall_lead_back() {
        let mut finder = Finder::default();
        let vessel = quay(&mut finder, 0.4);
        let wall = finder.find(&vessel, &Vector3::x()).unwrap();
        let place = OnWall {
            along_m: 3.0,
            off_m: 0.4,
            level_m: -2.5,
        };
        let back = wall.place(&wall.point(place.along_m, place.off_m, place.level_m));
        assert!((back.along_m - 3.0).abs() < 1e-9 && (back.off_m - 0.4).abs() < 1e-9);
        assert!((back.level_m + 2.5).abs() < 1e-9);
    }

    #[test]
    fn a_flat_bed_is_no_wall() {
        let mut finder = Finder::default();
        let vessel = Vector3::zeros();
        for i in 0..100 {
            for j in 0..100 {
                finder.see(
                    &vessel,
                    &Vector3::new(f64::from(i) * 0.2 - 10.0, f64::from(j) * 0.2 - 10.0, -5.0),
                );
            }
        }
        assert_eq!(finder.find(&vessel, &Vector3::x()), None);
        assert_eq!(Finder::default().find(&vessel, &Vector3::x()), None);
    }
}
