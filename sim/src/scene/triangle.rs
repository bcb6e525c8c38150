//! Flat triangles: where a ray meets one, the nearest point on one, and whether two cross.

use nalgebra::Vector3;

/// Corners, counter-clockwise seen from outside.
pub(crate) type Corners = [Vector3<f64>; 3];

/// Points closer to a plane than this part of a triangle's size count as on it.
const FLAT: f64 = 1e-9;
/// Triangles are larger by this part, so that no ray slips between two of them.
const SEAM: f64 = 1e-12;

/// The outward unit normal.
pub(crate) fn normal([a, b, c]: &Corners) -> Vector3<f64> {
    (b - a).cross(&(c - a)).normalize()
}

pub(crate) fn area([a, b, c]: &Corners) -> f64 {
    0.5 * (b - a).cross(&(c - a)).norm()
}

/// Distance along the ray, in units of its direction, at which it meets the triangle from either side:
/// T. Möller, B. Trumbore, "Fast, minimum storage ray/triangle intersection", J. Graphics Tools 2 (1997).
pub(crate) fn hit([a, b, c]: &Corners, origin: &Vector3<f64>, direction: &Vector3<f64>) -> Option<f64> {
    let (first, second) = (b - a, c - a);
    let across = direction.cross(&second);
    let determinant = first.dot(&across);
    let arm = origin - a;
    let u = arm.dot(&across) / determinant;
    let side = arm.cross(&first);
    let v = direction.dot(&side) / determinant;
    // A ray in the plane gives no number, and no comparison with it holds.
    (u >= -SEAM && v >= -SEAM && u + v <= 1.0 + SEAM).then(|| second.dot(&side) / determinant)
}

/// The nearest point, by the part of the plane the point lies above: C. Ericson, "Real-Time Collision
/// Detection", Morgan Kaufmann 2005, section 5.1.5.
pub(crate) fn nearest([a, b, c]: &Corners, point: &Vector3<f64>) -> Vector3<f64> {
    let (ab, ac) = (b - a, c - a);
    let along = |arm: Vector3<f64>| (ab.dot(&arm), ac.dot(&arm));
    let (d1, d2) = along(point - a);
    if d1 <= 0.0 && d2 <= 0.0 {
        return *a;
    }
    let (d3, d4) = along(point - b);
    if d3 >= 0.0 && d4 <= d3 {
        return *b;
    }
    let (d5, d6) = along(point - c);
    if d6 >= 0.0 && d5 <= d6 {
        return *c;
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        return a + ab * (d1 / (d1 - d3));
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        return a + ac * (d2 / (d2 - d6));
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 >= d3 && d5 >= d6 {
        return b + (c - b) * ((d4 - d3) / ((d4 - d3) + (d5 - d6)));
    }
    let whole = va + vb + vc;
    a + ab * (vb / whole) + ac * (vc / whole)
}

/// Whether two triangles of a mesh meet anywhere but in the corners they share, which are given by
/// number.
pub(crate) fn cross(one: &Corners, two: &Corners, one_ids: &[u32; 3], two_ids: &[u32; 3]) -> bool {
    let shared = one_ids.iter().filter(|id| two_ids.contains(id)).count();
    if shared == 3 {
        return true;
    }
    if coplanar(one, two) {
        return overlap(one, two);
    }
    // What sticks through ends at an edge; edges that begin in a shared corner touch there only. Two
    // that share an edge and are not flat cannot meet elsewhere.
    shared < 2
        && (edges(one, one_ids, two_ids).any(|edge| pierces(&edge, two))
            || edges(two, two_ids, one_ids).any(|edge| pierces(&edge, one)))
}

/// The edges of a triangle without a corner of the other one.
fn edges<'a>(
    corners: &'a Corners,
    ids: &'a [u32; 3],
    others: &'a [u32; 3],
) -> impl Iterator<Item = [Vector3<f64>; 2]> + 'a {
    (0..3).filter_map(move |i| {
        let next = (i + 1) % 3;
        let free = !others.contains(&ids[i]) && !others.contains(&ids[next]);
        free.then(|| [corners[i], corners[next]])
    })
}

fn pierces([from, to]: &[Vector3<f64>; 2], triangle: &Corners) -> bool {
    let normal = normal(triangle);
    let size = (triangle[1] - triangle[0]).norm() + (triangle[2] - triangle[0]).norm();
    let is_on = |point: &Vector3<f64>| (point - triangle[0]).dot(&normal).abs() <= FLAT * size;
    if is_on(from) && is_on(to) {
        return overlap(triangle, &[*from, *to, *from]);
    }
    hit(triangle, from, &(to - from)).is_some_and(|part| (0.0..=1.0).contains(&part))
}

fn coplanar(one: &Corners, two: &Corners) -> bool {
    let normal = normal(one);
    let size = one
        .iter()
        .chain(two)
        .map(|point| (point - one[0]).norm())
        .fold(0.0, f64::max);
    two.iter()
        .all(|point| (point - one[0]).dot(&normal).abs() <= FLAT * size)
}

/// Whether two triangles in one plane share more than an edge: by a line that parts them, of all lines
/// along their edges (separating axes). The second may be a line there and back.
fn overlap(one: &Corners, two: &Corners) -> bool {
    let normal = normal(one);
    let parted = |from: &Vector3<f64>, to: &Vector3<f64>| {
        let across = normal.cross(&(to - from)).normalize();
        let span = |corners: &Corners| {
            let at = corners.map(|point| (point - from).dot(&across));
            (
                at.iter().copied().fold(f64::INFINITY, f64::min),
                at.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )
        };
        let ((low, high), (other_low, other_high)) = (span(one), span(two));
        let slack = FLAT * (high - low + other_high - other_low);
        high <= other_low + slack || other_high <= low + slack
    };
    let all_edges = |corners: &Corners| (0..3).any(|i| parted(&corners[i], &corners[(i + 1) % 3]));
    !all_edges(one) && !all_edges(two)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(points: [[f64; 3]; 3]) -> Corners {
        points.map(Vector3::from)
    }

    #[test]
    fn a_ray_meets_the_inside_only() {
        let triangle = at([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]);
        assert_eq!(normal(&triangle), Vector3::z());
        assert_eq!(area(&triangle), 2.0);
        let down = -Vector3::z() * 2.0;
        let cast = |x: f64, y: f64| hit(&triangle, &Vector3::new(x, y, 4.0), &down);
        assert_eq!(cast(0.5, 0.5), Some(2.0));
        assert_eq!(cast(1.01, 1.01), None);
        assert_eq!(cast(-0.01, 1.0), None);
        assert_eq!(hit(&triangle, &Vector3::new(-1.0, 0.5, 0.0), &Vector3::x()), None);
    }

    /// Against a fine raster of the triangle.
    #[test]
    fn the_nearest_point_is_the_least_far_one() {
        let triangle = at([[0.0, 0.0, 0.0], [3.0, 0.5, 1.0], [1.0, 2.0, -0.5]]);
        let [a, b, c] = triangle;
        for i in 0..60 {
            let t = f64::from(i);
            let point = Vector3::new(4.0 * t.sin(), 4.0 * (1.7 * t).cos(), 3.0 * (0.3 * t).sin());
            let mut least = f64::INFINITY;
            for u in 0..=200 {
                for v in 0..=200 - u {
                    let (u, v) = (f64::from(u) / 200.0, f64::from(v) / 200.0);
                    least = least.min((a + (b - a) * u + (c - a) * v - point).norm());
                }
            }
            let found = (nearest(&triangle, &point) - point).norm();
            assert!(found <= least + 1e-9 && found > least - 0.02, "{found} {least}");
        }
    }

    #[test]
    fn crossing_is_told_from_touching() {
        let base = at([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]);
        let ids = [0, 1, 2];
        let check = |other: [[f64; 3]; 3], other_ids: [u32; 3]| cross(&base, &at(other), &ids, &other_ids);
        let through = [[0.5, 0.5, -1.0], [0.5, 0.5, 1.0], [0.6, 3.0, 0.0]];
        assert!(check(through, [3, 4, 5]));
        let above = [[0.5, 0.5, 0.1], [0.5, 0.5, 1.0], [0.6, 3.0, 0.5]];
        assert!(!check(above, [3, 4, 5]));
        // One corner shared: first a proper neighbour, then one that goes through.
        let neighbour = [[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0], [-1.0, 1.0, 1.0]];
        assert!(!check(neighbour, [0, 3, 4]));
        let crossing = [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, -1.0]];
        assert!(check(crossing, [0, 3, 4]));
        // An edge shared: unfolded flat, folded over, and standing up.
        let flat = [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, -2.0, 0.0]];
        assert!(!check(flat, [1, 0, 3]));
        let folded = [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, 1.0, 0.0]];
        assert!(check(folded, [1, 0, 3]));
        let upright = [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, 0.5, 1.0]];
        assert!(!check(upright, [1, 0, 3]));
        // In one plane: apart, and overlapping without any shared corner.
        let apart = [[5.0, 0.0, 0.0], [6.0, 0.0, 0.0], [5.0, 1.0, 0.0]];
        assert!(!check(apart, [3, 4, 5]));
        let inside = [[0.2, 0.2, 0.0], [0.4, 0.2, 0.0], [0.2, 0.4, 0.0]];
        assert!(check(inside, [3, 4, 5]));
        assert!(check([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]], ids));
        // An edge in the plane: beside the triangle, touching its edge, and through it.
        assert!(!check(
            [[3.0, 0.0, 0.0], [3.0, 3.0, 0.0], [4.0, 0.0, 1.0]],
            [3, 4, 5]
        ));
        assert!(check(
            [[0.5, 0.0, 0.0], [1.5, 0.0, 0.0], [1.0, -1.0, 1.0]],
            [3, 4, 5]
        ));
        assert!(check(
            [[0.5, -1.0, 0.0], [0.5, 3.0, 0.0], [4.0, 0.0, 1.0]],
            [3, 4, 5]
        ));
    }
}
