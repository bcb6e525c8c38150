//! How many points the eye gets.

use std::collections::HashSet;

use nalgebra::Vector3;

/// Keeps one point per voxel, and doubles the voxel as the budget is used up, so that a whole day
/// stays within it and its first hour is no coarser than it need be.
pub(crate) struct Voxels {
    size_m: f64,
    taken: HashSet<[i32; 3]>,
    kept: usize,
    limit: usize,
    next_doubling: usize,
}

impl Voxels {
    /// One point per cube of `size_m`, and never more than `limit` points.
    pub(crate) fn new(size_m: f64, limit: usize) -> Self {
        Self {
            size_m,
            taken: HashSet::new(),
            kept: 0,
            limit,
            next_doubling: limit / 2,
        }
    }

    /// Whether this point is the first in its voxel and within the budget; it then counts as kept.
    pub(crate) fn take(&mut self, point: &Vector3<f64>) -> bool {
        if self.kept >= self.limit {
            return false;
        }
        let voxel = [0, 1, 2].map(|axis| (point[axis] / self.size_m).floor() as i32);
        if !self.taken.insert(voxel) {
            return false;
        }
        self.kept += 1;
        if self.kept >= self.next_doubling {
            self.size_m *= 2.0;
            self.taken.clear();
            self.next_doubling += (self.limit - self.next_doubling).div_ceil(2);
        }
        true
    }
}

/// At most `limit` of `count` indices, evenly spread.
pub(crate) fn spread(count: usize, limit: usize) -> impl Iterator<Item = usize> {
    let step = count.div_ceil(limit.max(1)).max(1);
    (0..count).step_by(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_point_per_voxel() {
        let mut voxels = Voxels::new(0.5, 1000);
        assert!(voxels.take(&Vector3::new(0.1, 0.1, 0.1)));
        assert!(!voxels.take(&Vector3::new(0.4, 0.4, 0.4)));
        assert!(
            voxels.take(&Vector3::new(-0.1, 0.1, 0.1)),
            "below zero is another voxel"
        );
    }

    #[test]
    fn the_budget_holds_and_reaches_far() {
        let mut voxels = Voxels::new(0.1, 1000);
        let kept: Vec<i32> = (0..1_000_000)
            .filter(|&i| voxels.take(&Vector3::new(f64::from(i) * 0.1, 0.0, 0.0)))
            .collect();
        assert_eq!(kept.len(), 1000);
        assert!(kept.last().copied().unwrap() > 2000, "{kept:?}");
    }

    #[test]
    fn spread_keeps_the_limit() {
        assert_eq!(spread(10, 100).count(), 10);
        assert_eq!(spread(0, 5).count(), 0);
        for count in [99, 100, 101, 250, 1_000_003] {
            let kept = spread(count, 100).count();
            assert!((50..=100).contains(&kept), "{kept} of {count}");
        }
    }
}
