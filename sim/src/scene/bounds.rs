//! Boxes along the axes.

use nalgebra::Vector3;

/// Smallest box along the axes around something.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: Vector3<f64>,
    pub(crate) high: Vector3<f64>,
}

impl Bounds {
    pub(crate) fn around<const N: usize>(points: [Vector3<f64>; N]) -> Self {
        points.into_iter().fold(Self::empty(), |bounds, point| Self {
            low: bounds.low.inf(&point),
            high: bounds.high.sup(&point),
        })
    }

    pub(crate) fn empty() -> Self {
        Self {
            low: Vector3::repeat(f64::INFINITY),
            high: Vector3::repeat(f64::NEG_INFINITY),
        }
    }

    pub(crate) fn with(&self, other: &Self) -> Self {
        Self {
            low: self.low.inf(&other.low),
            high: self.high.sup(&other.high),
        }
    }

    /// Distance at which a ray enters the box, if it does before `far`.
    pub(crate) fn entry(
        &self,
        origin: &Vector3<f64>,
        inverse_direction: &Vector3<f64>,
        far: f64,
    ) -> Option<f64> {
        let (mut enter, mut leave) = (0.0f64, far);
        for axis in 0..3 {
            let inverse = inverse_direction[axis];
            let [first, last] = if inverse < 0.0 {
                [self.high[axis], self.low[axis]]
            } else {
                [self.low[axis], self.high[axis]]
            };
            // Within a face and along it this is no number, which `max` and `min` pass over.
            enter = enter.max((first - origin[axis]) * inverse);
            leave = leave.min((last - origin[axis]) * inverse);
        }
        (enter <= leave).then_some(enter)
    }

    /// Square of the distance from a point to the box; zero inside.
    pub(crate) fn distance_squared(&self, point: &Vector3<f64>) -> f64 {
        (point - point.sup(&self.low).inf(&self.high)).norm_squared()
    }

    /// Whether two boxes touch.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        (0..3).all(|axis| self.low[axis] <= other.high[axis] && other.low[axis] <= self.high[axis])
    }

    /// Middle and radius of the ball around the box.
    pub(crate) fn ball(&self) -> (Vector3<f64>, f64) {
        let middle = (self.low + self.high) * 0.5;
        (middle, (self.high - middle).norm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_within_a_face_meets_the_box() {
        let bounds = Bounds::around([Vector3::zeros(), Vector3::repeat(2.0)]);
        for x in [0.0, 2.0] {
            for way in [-1.0, 1.0] {
                for nothing in [0.0, -0.0] {
                    let direction = Vector3::new(nothing, 0.0, way);
                    let origin = Vector3::new(x, 1.0, 1.0 - 5.0 * way);
                    let inverse = direction.map(|part: f64| 1.0 / part);
                    assert_eq!(bounds.entry(&origin, &inverse, 100.0), Some(4.0));
                    let beside = origin + Vector3::x() * (x - 1.0) * 1e-9;
                    assert_eq!(bounds.entry(&beside, &inverse, 100.0), None);
                }
            }
        }
    }
}
