//! A curve through points: the cubic spline over chord length, asked by arc length.
//!
//! The curve's second derivative is continuous, so its curvature is (C. de Boor, "A Practical Guide
//! to Splines", Springer 1978, chapter IV). Its ends are straight (natural), so it goes on straight
//! beyond them; a curve whose last point is its first is closed and goes round.

use nalgebra::Vector2;

/// Pieces of a segment in the table of arc length.
const PIECES: usize = 16;
/// Passes of Gauss and Seidel over the spline's equations. Each at least halves the error, because
/// the diagonal is twice the rest of its row.
const PASSES: usize = 80;
/// Steps of Newton from arc length to parameter; the error squares with each.
const NEWTON_STEPS: usize = 5;
/// Nodes and weights of Gauss and Legendre on [-1, 1], five points (Abramowitz and Stegun 25.4.30).
const GAUSS: [[f64; 2]; 5] = [
    [0.0, 0.568_888_888_888_888_9],
    [-0.538_469_310_105_683_1, 0.478_628_670_499_366_47],
    [0.538_469_310_105_683_1, 0.478_628_670_499_366_47],
    [-0.906_179_845_938_664, 0.236_926_885_056_189_08],
    [0.906_179_845_938_664, 0.236_926_885_056_189_08],
];

/// A curve in the plane, in metres.
#[derive(Clone, Debug)]
pub(super) struct Spline {
    knots: Vec<Vector2<f64>>,
    /// Second derivatives by the parameter at the knots.
    bends: Vec<Vector2<f64>>,
    /// Chord lengths.
    chords: Vec<f64>,
    /// Arc length at the beginning of each piece, and at the end of the last.
    lengths: Vec<f64>,
    closed: bool,
}

/// A place on the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) point: Vector2<f64>,
    /// Unit vector ahead.
    pub(super) ahead: Vector2<f64>,
    /// Curvature, positive to the left, in 1/m.
    pub(super) curvature: f64,
    /// Its change along the way, in 1/m².
    pub(super) change: f64,
}

impl Spline {
    /// The curve through at least two knots, no two neighbours the same.
    pub(super) fn new(knots: &[[f64; 2]]) -> Self {
        let knots: Vec<Vector2<f64>> = knots.iter().map(|&knot| Vector2::from(knot)).collect();
        let chords: Vec<f64> = knots.windows(2).map(|pair| (pair[1] - pair[0]).norm()).collect();
        let closed = knots.len() > 3 && knots.first() == knots.last();
        let mut spline = Self {
            bends: bends(&knots, &chords, closed),
            knots,
            chords,
            lengths: vec![0.0],
            closed,
        };
        let mut length = 0.0;
        for segment in 0..spline.chords.len() {
            let step = spline.chords[segment] / PIECES as f64;
            for piece in 0..PIECES {
                let from = step * piece as f64;
                length += spline.length_between(segment, from, from + step);
                spline.lengths.push(length);
            }
        }
        spline
    }

    /// Whole length, in metres.
    pub(super) fn length_m(&self) -> f64 {
        self.lengths[self.lengths.len() - 1]
    }

    /// Arc length at each knot.
    pub(super) fn knot_lengths(&self) -> Vec<f64> {
        self.lengths.iter().copied().step_by(PIECES).collect()
    }

    /// The place after an arc length; before the beginning and after the end too.
    pub(super) fn at(&self, length: f64) -> Place {
        let whole = self.length_m();
        let inside = if self.closed {
            length.rem_euclid(whole)
        } else {
            length.clamp(0.0, whole)
        };
        let after = self.lengths.partition_point(|&start| start <= inside);
        let piece = after.clamp(1, self.lengths.len() - 1) - 1;
        let (segment, start) = (piece / PIECES, self.lengths[piece]);
        let step = self.chords[segment] / PIECES as f64;
        let from = step * (piece % PIECES) as f64;
        let mut u = from + step * (inside - start) / (self.lengths[piece + 1] - start);
        for _ in 0..NEWTON_STEPS {
            let missing = inside - start - self.length_between(segment, from, u);
            u += missing / self.derivatives(segment, u)[1].norm();
        }
        let mut place = self.place(segment, u);
        place.point += place.ahead * if self.closed { 0.0 } else { length - inside };
        if length != inside && !self.closed {
            place.curvature = 0.0;
            place.change = 0.0;
        }
        place
    }

    /// The smallest radius of curvature, in metres, as seen at sixteen places of each segment; none where the
    /// curve turns back on the spot.
    pub(super) fn tightest_m(&self) -> f64 {
        /// Cosine of the largest turn from one of the places to the next.
        const LARGEST_TURN: f64 = 0.5;
        let places: Vec<Place> = self.lengths.iter().map(|&length| self.at(length)).collect();
        let goes_on = |pair: &[Place]| pair[0].ahead.dot(&pair[1].ahead) > LARGEST_TURN;
        if !places.windows(2).all(goes_on) {
            return 0.0;
        }
        let bends = places.iter().map(|place| place.curvature.abs());
        1.0 / bends.fold(0.0, f64::max)
    }

    fn place(&self, segment: usize, u: f64) -> Place {
        let [point, first, second, third] = self.derivatives(segment, u);
        let speed = first.norm();
        let cube = speed * speed * speed;
        let curvature = first.perp(&second) / cube;
        let by_u = first.perp(&third) / cube - 3.0 * curvature * first.dot(&second) / (speed * speed);
        Place {
            point,
            ahead: first / speed,
            curvature,
            change: by_u / speed,
        }
    }

    /// Point and derivatives by the parameter `u`, from 0 to the segment's chord length.
    fn derivatives(&self, segment: usize, u: f64) -> [Vector2<f64>; 4] {
        let h = self.chords[segment];
        let (from, to) = (self.knots[segment], self.knots[segment + 1]);
        let (bend, next) = (self.bends[segment], self.bends[segment + 1]);
        let third = (next - bend) / h;
        let slope = (to - from) / h - (bend * 2.0 + next) * (h / 6.0);
        [
            from + (slope + (bend * 0.5 + third * (u / 6.0)) * u) * u,
            slope + (bend + third * (0.5 * u)) * u,
            bend + third * u,
            third,
        ]
    }

    fn length_between(&self, segment: usize, from: f64, to: f64) -> f64 {
        let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
        GAUSS
            .iter()
            .map(|[node, weight]| half * weight * self.derivatives(segment, middle + half * node)[1].norm())
            .sum()
    }
}

/// Second derivatives at the knots, by Gauss and Seidel.
fn bends(knots: &[Vector2<f64>], chords: &[f64], closed: bool) -> Vec<Vector2<f64>> {
    let last = chords.len();
    let slope = |segment: usize| (knots[segment + 1] - knots[segment]) / chords[segment];
    let mut bends = vec![Vector2::zeros(); knots.len()];
    for _ in 0..PASSES {
        for knot in usize::from(!closed)..last {
            let before = if knot == 0 { last - 1 } else { knot - 1 };
            let (h, next) = (chords[before], chords[knot]);
            let right = (slope(knot) - slope(before)) * 6.0;
            let others = bends[before] * h + bends[knot + 1] * next;
            bends[knot] = (right - others) / (2.0 * (h + next));
        }
        if closed {
            bends[last] = bends[0];
        }
    }
    bends
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn circle(knots: usize, radius: f64) -> Vec<[f64; 2]> {
        let mut points: Vec<[f64; 2]> = (0..knots)
            .map(|i| {
                let (sin, cos) = (TAU * i as f64 / knots as f64).sin_cos();
                [radius * cos, radius * sin]
            })
            .collect();
        points.push(points[0]);
        points
    }

    #[test]
    fn the_curve_passes_its_knots_and_goes_on_straight() {
        let knots = [[0.0, 0.0], [10.0, 1.0], [18.0, -2.0], [25.0, 4.0]];
        let spline = Spline::new(&knots);
        for (knot, length) in knots.iter().zip(spline.knot_lengths()) {
            let place = spline.at(length);
            let off = (place.point - Vector2::from(*knot)).norm();
            println!("curve through {knot:?}: expected 0, measured {off:.1e} m off");
            assert!(off < 1e-9, "{knot:?}");
        }
        let end = spline.at(spline.length_m());
        let beyond = spline.at(spline.length_m() + 3.0);
        assert!((beyond.point - end.point - end.ahead * 3.0).norm() < 1e-9);
        assert!(end.curvature.abs() < 1e-12 && beyond.ahead == end.ahead);
    }

    #[test]
    fn arc_length_is_the_way_gone_and_curvature_has_no_jump() {
        let spline = Spline::new(&[[0.0, 0.0], [10.0, 1.0], [18.0, -2.0], [25.0, 4.0]]);
        let step = 1e-3;
        let mut length = 0.5;
        let mut most = 0.0f64;
        while length < spline.length_m() - 0.5 {
            let (here, next) = (spline.at(length), spline.at(length + step));
            assert!(((next.point - here.point).norm() / step - 1.0).abs() < 1e-6);
            let turned = here.ahead.perp(&next.ahead) / step;
            assert!((turned - 0.5 * (here.curvature + next.curvature)).abs() < 1e-6);
            most = most.max((next.curvature - here.curvature).abs());
            length += 0.01;
        }
        println!("greatest jump of curvature in 1 mm: expected 0, measured {most:.1e} 1/m");
        assert!(most < 1e-3, "curvature is continuous: {most}");
        assert!(spline.tightest_m() > 2.0, "{}", spline.tightest_m());
    }

    #[test]
    fn a_closed_curve_through_a_circle_is_nearly_one() {
        let spline = Spline::new(&circle(24, 5.0));
        println!(
            "circle of 5 m: length {:.4} m, expected {:.4}",
            spline.length_m(),
            5.0 * TAU
        );
        assert!((spline.length_m() / (5.0 * TAU) - 1.0).abs() < 1e-4);
        for i in 0..100 {
            let place = spline.at(f64::from(i) * 0.7 - 20.0);
            assert!((place.point.norm() - 5.0).abs() < 1e-3);
            assert!((place.curvature - 0.2).abs() < 2e-3, "{}", place.curvature);
        }
        let start = spline.at(0.0);
        let round = spline.at(spline.length_m());
        assert!((start.point - round.point).norm() < 1e-9 && (start.ahead - round.ahead).norm() < 1e-9);
    }

    #[test]
    fn a_curve_that_turns_on_the_spot_has_no_radius() {
        // To and fro on one line: without a direction at the turns, and with none between two places.
        let twice = [[0.0, 0.0], [0.11, 0.0], [0.0, 0.0], [0.11, 0.0], [0.0, 0.0]];
        assert_eq!(Spline::new(&twice).tightest_m(), 0.0);
        assert_eq!(
            Spline::new(&[[0.0, 0.0], [10.0, 0.0], [0.0, 0.0]]).tightest_m(),
            0.0
        );
        let straight = Spline::new(&[[0.0, 0.0], [10.0, 0.0]]).tightest_m();
        assert_eq!(straight, f64::INFINITY);
    }
}
