//! The 27 voxels that are a voxel and its neighbours, each by a number.

use super::Voxel;

/// A voxel beside another, or that itself.
pub(super) struct Beside {
    /// Its place in [`BESIDE`].
    pub(super) code: usize,
    /// From the one voxel to the other.
    pub(super) step: Voxel,
    /// The same in edges; the fourth is nothing.
    pub(super) edges: [f32; 4],
}

/// The voxel itself.
pub(super) const OWN: u8 = beside([0; 3]);

/// All of them, the last axis changing first.
pub(super) const BESIDE: [Beside; 27] = {
    let mut all = [const { Beside::at(0) }; 27];
    let mut code = 1;
    while code < 27 {
        all[code] = Beside::at(code);
        code += 1;
    }
    all
};

/// The neighbours through the three nearer faces, by the axes along which those are the lower ones
/// (bit 0 is x): the faces' own, those across edges (xy, xz, yz), the corner's; an eighth is never asked for.
pub(super) const NEARER: [[u8; 8]; 8] = {
    const THROUGH: [[i32; 3]; 7] = [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 1, 0],
        [1, 0, 1],
        [0, 1, 1],
        [1, 1, 1],
    ];
    let mut all = [[OWN; 8]; 8];
    let mut down = 0;
    while down < 8 {
        let sign = [1 - 2 * (down & 1), 1 - (down & 2), 1 - (down >> 1 & 2)];
        let mut k = 0;
        while k < 7 {
            let [x, y, z] = THROUGH[k];
            all[down as usize][k] = beside([x * sign[0], y * sign[1], z * sign[2]]);
            k += 1;
        }
        down += 1;
    }
    all
};

/// The number of the voxel a step of −1, 0 or 1 along each axis leads to.
pub(super) const fn beside([x, y, z]: Voxel) -> u8 {
    (13 + 9 * x + 3 * y + z) as u8
}

impl Beside {
    const fn at(code: usize) -> Self {
        let number = code as i32;
        let step = [number / 9 - 1, number / 3 % 3 - 1, number % 3 - 1];
        Self {
            code,
            step,
            edges: [step[0] as f32, step[1] as f32, step[2] as f32, 0.0],
        }
    }

    /// The voxel that lies so beside another.
    #[inline(always)]
    pub(super) fn of(&self, voxel: Voxel) -> Voxel {
        [0, 1, 2].map(|axis| voxel[axis].wrapping_add(self.step[axis]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_neighbour_has_its_number() {
        for (code, one) in BESIDE.iter().enumerate() {
            assert_eq!(one.code, code);
            assert_eq!(beside(one.step) as usize, code);
            assert_eq!(one.edges[..3], one.step.map(|step| step as f32));
        }
        assert_eq!(BESIDE[OWN as usize].step, [0; 3]);
    }

    #[test]
    fn the_nearer_ones_lie_through_the_nearer_faces() {
        for (down, codes) in NEARER.iter().enumerate() {
            let mut steps: Vec<Voxel> = codes[..7]
                .iter()
                .map(|&code| BESIDE[code as usize].step)
                .collect();
            for step in &steps {
                for (axis, &way) in step.iter().enumerate() {
                    let near = if down >> axis & 1 == 1 { -1 } else { 1 };
                    assert!(way == 0 || way == near, "{down:b} {step:?}");
                }
            }
            let axes: Vec<usize> = steps
                .iter()
                .map(|step| step.iter().filter(|&&way| way != 0).count())
                .collect();
            assert_eq!(axes, [1, 1, 1, 2, 2, 2, 3]);
            steps.sort_unstable();
            steps.dedup();
            assert_eq!(steps.len(), 7);
        }
    }
}
