//! How the shapes that are no rectangle and no mantle are cut into cells, and what is left out because
//! no ping reaches it.

use std::f64::consts::TAU;
use std::ops::Range;

use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::super::paths::Scatterer;
use super::{Collector, Curve, Row};
use crate::random::Dice;
use crate::scene::{Kind, perpendicular};

/// A sphere has at least this many bands of cells.
const LEAST_BANDS: f64 = 6.0;

/// Which part of a row's rectangle belongs to the surface.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outline {
    /// All of it.
    Whole,
    /// What lies within a radius of a place.
    Disc(Vector3<f64>, f64),
    /// What lies between three corners: each with the inward direction across the edge that begins there.
    Triangle([(Vector3<f64>, Vector3<f64>); 3]),
}

impl Outline {
    fn triangle(corners: [Vector3<f64>; 3]) -> Self {
        let [a, b, c] = corners;
        let upright = (b - a).cross(&(c - a));
        Self::Triangle([0, 1, 2].map(|i| {
            let edge = corners[(i + 1) % 3] - corners[i];
            (corners[i], upright.cross(&edge))
        }))
    }

    fn holds(&self, point: &Vector3<f64>) -> bool {
        match self {
            Outline::Whole => true,
            Outline::Disc(centre, radius) => (point - centre).norm_squared() <= radius * radius,
            Outline::Triangle(sides) => sides
                .iter()
                .all(|(corner, inward)| inward.dot(&(point - corner)) >= 0.0),
        }
    }
}

impl Row {
    /// Whether a point of the row's rectangle belongs to the surface.
    pub(super) fn holds(&self, point: &Vector3<f64>) -> bool {
        match &self.curve {
            Curve::Flat { outline, .. } => outline.holds(point),
            Curve::Round { .. } => true,
        }
    }
}

/// A flat piece in `Sensor` axes: a rectangle, of which an outline belongs to the surface.
pub(super) struct Piece {
    pub(super) corner: Vector3<f64>,
    pub(super) first: Vector3<f64>,
    pub(super) second: Vector3<f64>,
    pub(super) size: [f64; 2],
    pub(super) normal: Vector3<f64>,
    pub(super) outline: Outline,
}

impl Collector<'_, '_> {
    /// Whether a ping could hear any place within the ball around a surface: in range, and not
    /// wholly beside the narrow transmit beam. May say yes in vain, never no.
    pub(super) fn reaches(&self, surface: usize) -> bool {
        let (middle, radius) = self.paths.scene.ball(surface);
        let arm = middle - self.posture.origin;
        let distance = arm.norm();
        let aside = self.posture.sensor_from_quay.row(0).transpose().dot(&arm).abs();
        distance - radius <= self.sonar.farthest_m
            && aside - radius <= self.sonar.transmit.reach.min(1.0) * (distance + radius)
    }

    /// Rows of cells on a flat piece, those in range.
    pub(super) fn piece(&mut self, kind: Kind, surface: u64, piece: &Piece) {
        let Piece {
            corner,
            first,
            second,
            size,
            normal,
            outline,
        } = *piece;
        let cell = self.cell_m;
        let off = corner.dot(&normal);
        if off > 0.0 {
            return;
        }
        // Rows run the way that leaves the narrow transmit beam soonest.
        let along_first = first.x.abs() >= second.x.abs();
        let (run, across, length, width) = if along_first {
            (first, second, size[0], size[1])
        } else {
            (second, first, size[1], size[0])
        };
        let count = (width / cell).ceil();
        let Some([from, to]) = within(corner.dot(&across), self.sonar.farthest_m, off, cell) else {
            return;
        };
        let rows = (from / cell).floor().max(0.0) as u64..(to / cell).ceil().clamp(0.0, count) as u64;
        for number in rows {
            self.row(
                kind,
                &Row {
                    surface,
                    number: number << 1 | u64::from(along_first),
                    start: corner + across * ((number as f64 + 0.5) * cell),
                    run,
                    length,
                    cell: [cell, cell],
                    curve: Curve::Flat {
                        across,
                        normal,
                        outline,
                    },
                },
            );
        }
    }

    /// A triangle, as part of the rectangle on its first edge; corners in `Sensor` axes.
    pub(super) fn triangle(&mut self, kind: Kind, surface: u64, corners: [Vector3<f64>; 3]) {
        let [a, b, c] = corners;
        let first = (b - a).normalize();
        let normal = (b - a).cross(&(c - a)).normalize() * self.handedness;
        let second = normal.cross(&first) * self.handedness;
        let at = corners.map(|corner| (corner - a).dot(&first));
        let low = at.iter().copied().fold(0.0, f64::min);
        let high = at.iter().copied().fold(0.0, f64::max);
        self.piece(
            kind,
            surface,
            &Piece {
                corner: a + first * low,
                first,
                second,
                size: [high - low, (c - a).dot(&second)],
                normal,
                outline: Outline::triangle(corners),
            },
        );
    }

    /// A disc, as part of the square around it. `turn` takes directions of `Quay` to `Sensor` axes,
    /// and fixes the cells to the disc.
    pub(super) fn disc(
        &mut self,
        kind: Kind,
        surface: u64,
        centre: Vector3<f64>,
        axes: [Vector3<f64>; 3],
        radius: f64,
    ) {
        let [first, second, normal] = axes;
        self.piece(
            kind,
            surface,
            &Piece {
                corner: centre - (first + second) * radius,
                first,
                second,
                size: [2.0 * radius; 2],
                normal,
                outline: Outline::Disc(centre, radius),
            },
        );
    }

    /// A sphere, in bands of equal area (Archimedes) about its upward axis, each cut into cells of equal area.
    pub(super) fn sphere(&mut self, kind: Kind, surface: u64, centre: &Vector3<f64>, radius: f64) {
        let up = self.posture.sensor_from_quay.column(2).into_owned();
        let one = self.posture.sensor_from_quay * perpendicular(&Vector3::z());
        let two = up.cross(&one);
        let cell = self.cell_m.min(0.5 * radius);
        let bands = (2.0 * radius / cell).ceil().max(LEAST_BANDS);
        let cells = (TAU * radius / cell).ceil();
        let area = 2.0 * TAU * radius * radius / (bands * cells);
        let strength = (10f64.powf(0.1 * kind.scattering_db()) * area).sqrt();
        let law = self.law(kind, area);
        let ball = Ball {
            // The sonar's place, from the middle: up, and across.
            up_m: -centre.dot(&up),
            across_m: [-centre.dot(&one), -centre.dot(&two)],
            radius,
            farthest_m: self.sonar.farthest_m,
        };
        for band in ball.bands(bands) {
            let dice = Dice::new(self.paths.seed, self.source, surface, band);
            for cell in ball.cells(band, bands, cells).into_iter().flatten() {
                let jitter = dice.uniform_pair(2 * cell);
                let height = 2.0 * (band as f64 + jitter[0]) / bands - 1.0;
                let (sin, cos) = (TAU * (cell as f64 + jitter[1]) / cells).sin_cos();
                let flat = (1.0 - height * height).max(0.0).sqrt();
                let normal = (one * cos + two * sin) * flat + up * height;
                let point = centre + normal * radius;
                if point.dot(&normal) >= 0.0 {
                    continue;
                }
                let [re, im] = dice
                    .normal_pair(2 * cell + 1)
                    .map(|value| value * std::f32::consts::FRAC_1_SQRT_2);
                self.collect(&Scatterer {
                    surface: self.surface,
                    key: surface << 40 ^ band << 20 ^ cell,
                    point,
                    normal,
                    law,
                    strength,
                    speckle: Complex::new(re, im),
                });
            }
        }
    }
}

/// A sphere around the origin, of which only what a ping reaches is cut into cells: a sphere may be large.
struct Ball {
    up_m: f64,
    across_m: [f64; 2],
    radius: f64,
    farthest_m: f64,
}

impl Ball {
    /// The bands in range, of so many of equal height; one more on each side.
    fn bands(&self, bands: f64) -> Range<u64> {
        let band = |up_m: f64| 0.5 * bands * (up_m / self.radius + 1.0);
        let first = (band(self.up_m - self.farthest_m) - 1.0).clamp(0.0, bands);
        let end = (band(self.up_m + self.farthest_m) + 2.0).clamp(0.0, bands);
        first as u64..end as u64
    }

    /// The cells in range of a band that is cut into so many, in two rising pieces where they go over the
    /// beginning; one more on each side.
    fn cells(&self, band: u64, bands: f64, cells: f64) -> [Range<u64>; 2] {
        let all = [0..cells as u64, 0..0];
        let away = self.across_m[0].hypot(self.across_m[1]);
        let radius_at = |height: f64| self.radius * (1.0 - height * height).max(0.0).sqrt();
        let [low, high] = [0.0, 1.0].map(|edge| 2.0 * (band as f64 + edge) / bands - 1.0);
        let widest = if low * high < 0.0 { self.radius } else { 0.0 };
        let [one, other] = [low, high].map(radius_at);
        let (least, most) = (one.min(other), one.max(other).max(widest));
        // A circle of this radius, of all in the band, comes into range farthest around.
        let square = away * away - self.farthest_m * self.farthest_m;
        let at = square.max(0.0).sqrt().clamp(least, most);
        let cosine = (at * at + square) / (2.0 * at * away);
        if cosine > 1.0 {
            return [0..0, 0..0];
        }
        // Not a number where all directions are alike.
        if cosine.is_nan() || cosine <= -1.0 {
            return all;
        }
        let half = cosine.acos() / TAU * cells + 1.0;
        let middle = (self.across_m[1].atan2(self.across_m[0]) / TAU).rem_euclid(1.0) * cells;
        let (first, end) = ((middle - half).floor(), (middle + half).ceil());
        let index = |place: f64| place.clamp(0.0, cells) as u64;
        match (first < 0.0, end > cells) {
            _ if end - first >= cells => all,
            (true, _) => [0..index(end), index(first + cells)..index(cells)],
            (_, true) => [0..index(end - cells), index(first)..index(cells)],
            _ => [index(first)..index(end), 0..0],
        }
    }
}

/// The part of a line that is not farther than `farthest` from the origin, as way from its beginning:
/// the line begins at `start` of the origin's foot on it and passes at `off`. A cell wider, for cells are jittered.
pub(super) fn within(start: f64, farthest: f64, off: f64, cell: f64) -> Option<[f64; 2]> {
    let half = (farthest * farthest - off * off).max(0.0).sqrt() + 2.0 * cell;
    (off.abs() <= farthest + cell).then(|| [-start - half, -start + half])
}

#[cfg(test)]
mod tests {
    use beluga_types::Transform;
    use nalgebra::Matrix3;

    use super::super::{Posture, arrivals};
    use super::*;
    use crate::scenario::Scenario;
    use crate::scene::{Parts, Scene, Shape, Surface, WallPlane};
    use crate::sonar::Sonar;

    /// Sum of the squares of what arrives from shapes of the bed's material, less spreading at a range and
    /// absorption, as the mean over some seeds. The sonar looks straight down from 1 m under the water.
    fn energy(shapes: &[Shape], range: f64) -> f64 {
        const SEEDS: u64 = 200;
        let mut scenario = Scenario::demo();
        scenario.sonar.range_m = 24.0;
        scenario.sonar.rate_hz = 10.0;
        let sonar = Sonar::new(&scenario);
        let surface = |shape: &Shape| Surface {
            kind: Kind::Bed,
            shape: *shape,
        };
        let scene = Scene::new(Parts {
            surfaces: shapes.iter().map(surface).collect(),
            rungs: Vec::new(),
            objects: Vec::new(),
            wall: WallPlane {
                origin: Vector3::zeros(),
                up: Vector3::z(),
                normal: Vector3::y(),
            },
            world_from_quay: Transform::identity(),
            has_water: true,
        });
        let posture = Posture {
            sensor_from_quay: Matrix3::identity(),
            origin: Vector3::new(0.0, 0.0, -1.0),
            rate: Vector3::zeros(),
            velocity: Vector3::zeros(),
            water_z: 0.0,
            ping: 0,
        };
        let one = |seed| -> f64 {
            arrivals(&sonar, seed, &scene, &posture)
                .iter()
                .map(|arrival| f64::from(arrival.amplitude.norm_sqr()))
                .sum()
        };
        let mean = (0..SEEDS).map(one).sum::<f64>() / SEEDS as f64;
        mean * range.powi(4) * (4.0 * sonar.loss.even_per_m * range).exp()
    }

    #[test]
    fn two_triangles_sound_as_their_rectangle() {
        let at = |x: f64, y: f64| Vector3::new(x, y, -7.0);
        let plate = Shape::Rectangle {
            corner: at(-0.7, -1.0),
            first: Vector3::y(),
            second: Vector3::x(),
            size: [2.0, 1.5],
        };
        let halves = [
            Shape::Triangle {
                a: at(-0.7, -1.0),
                b: at(0.8, -1.0),
                c: at(0.8, 1.0),
            },
            Shape::Triangle {
                a: at(-0.7, -1.0),
                b: at(0.8, 1.0),
                c: at(-0.7, 1.0),
            },
        ];
        let disc = Shape::Disc {
            centre: at(0.0, 0.0),
            normal: Vector3::z(),
            radius: 1.0,
        };
        let whole = energy(&[plate], 6.0);
        assert!((energy(&halves, 6.0) / whole - 1.0).abs() < 0.03);
        // The beam is narrow: of a disc it lights the diameter, as long as the plate is wide.
        assert!((energy(&[disc], 6.0) / whole - 1.0).abs() < 0.03);
        let turned = halves.map(|half| match half {
            Shape::Triangle { a, b, c } => Shape::Triangle { a, b: c, c: b },
            other => other,
        });
        assert_eq!(energy(&turned, 6.0), 0.0, "nothing comes from the back");
    }

    /// By Lambert's law a small sphere sends back μ ∫ cos² dA = 2πr²μ/3.
    #[test]
    fn a_sphere_sounds_as_lambert_says() {
        let radius = 0.04;
        let sphere = Shape::Sphere {
            centre: Vector3::new(0.0, 0.0, -21.0),
            radius,
        };
        let expected = 10f64.powf(-2.7) * TAU * radius * radius / 3.0;
        let found = energy(&[sphere], 20.0);
        assert!(
            (found / expected - 1.0).abs() < 0.06,
            "{found} against {expected}"
        );
    }

    /// Places all over spheres of all sizes: whatever is in range is in a cell that is kept.
    #[test]
    fn of_a_large_sphere_only_what_is_in_range_is_cut() {
        let mut kept = 0;
        for (radius, up_m, across_m) in [
            (0.3, 1.0, [2.0, -3.0]),
            (4.0, -3.0, [1.0, 9.0]),
            (40.0, 41.0, [0.0, 0.0]),
            (50.0, 3.0, [-45.0, -1.0]),
            (50.0, -20.0, [-44.0, 0.5]),
            (300.0, 150.0, [-100.0, -240.0]),
            (2000.0, 0.0, [0.0, 0.0]),
        ] {
            let ball = Ball {
                up_m,
                across_m,
                radius,
                farthest_m: 20.0,
            };
            let (bands, cells) = (60.0, 200.0);
            let in_range = |height: f64, turn: f64| {
                let flat = radius * (1.0 - height * height).max(0.0).sqrt();
                let [x, y] = [flat * (TAU * turn).cos(), flat * (TAU * turn).sin()];
                let away = [x - across_m[0], y - across_m[1], radius * height - up_m];
                away.iter().map(|part| part * part).sum::<f64>() <= 20.0 * 20.0
            };
            for band in 0..60 {
                let held: Vec<u64> = ball.cells(band, bands, cells).into_iter().flatten().collect();
                assert!(held.is_sorted_by(|a, b| a < b) && held.iter().all(|cell| *cell < 200));
                for cell in 0..200 {
                    let is_held = ball.bands(bands).contains(&band) && held.contains(&cell);
                    kept += u32::from(is_held);
                    for corner in 0..9 {
                        let [i, j] = [corner / 3, corner % 3].map(|part| f64::from(part) / 2.0);
                        let height = 2.0 * (band as f64 + i) / bands - 1.0;
                        let reached = in_range(height, (cell as f64 + j) / cells);
                        assert!(is_held || !reached, "{radius} {band} {cell}");
                    }
                }
            }
        }
        // Of seven spheres the two small ones, and a little of three others.
        assert!((24_000..40_000).contains(&kept), "{kept}");
    }

    #[test]
    fn what_no_ping_reaches_is_left_out() {
        let far = Shape::Sphere {
            centre: Vector3::new(0.0, 0.0, -60.0),
            radius: 0.5,
        };
        let ahead = Shape::Sphere {
            centre: Vector3::new(10.0, 0.0, -10.0),
            radius: 0.5,
        };
        assert_eq!(energy(&[far, ahead], 1.0), 0.0);
    }
}
