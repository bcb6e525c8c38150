//! Points as columns: `f32` metres from an origin near them.

use wide::{f32x4, i32x4};

/// Three columns of the same length.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Columns {
    pub(crate) x: Vec<f32>,
    pub(crate) y: Vec<f32>,
    pub(crate) z: Vec<f32>,
    /// How they were seen, in the same axes.
    pub(crate) sight: Sight,
}

/// Whence points were seen, and about which axis the beam swept that saw them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sight {
    pub(crate) from: [f32; 3],
    /// A unit vector: the points of one laser lie in a ring about it.
    pub(crate) spin: [f32; 3],
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            from: [0.0; 3],
            spin: [0.0, 0.0, 1.0],
        }
    }
}

impl Columns {
    pub(crate) fn len(&self) -> usize {
        self.x.len()
    }

    pub(crate) fn push(&mut self, [x, y, z]: [f32; 3]) {
        self.x.push(x);
        self.y.push(y);
        self.z.push(z);
    }

    pub(crate) fn point(&self, index: usize) -> [f32; 3] {
        [self.x[index], self.y[index], self.z[index]]
    }
}

/// The integers below four numbers, and the same as numbers again. Beyond what an `i32` holds they
/// are of no use.
#[inline(always)]
pub(crate) fn floor4(values: f32x4) -> (i32x4, f32x4) {
    let towards_zero = f32x4::from_i32x4(values.fast_trunc_int());
    let above = towards_zero.simd_gt(values) & f32x4::splat(1.0);
    let below = towards_zero - above;
    (below.fast_trunc_int(), below)
}

/// The integer below a number, without the library call that plain builds make of `floor`.
/// Saturates; a number that is not one gives zero.
pub(crate) fn floor(value: f32) -> i32 {
    let towards_zero = value as i32;
    towards_zero.wrapping_sub(i32::from(towards_zero as f32 > value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_is_floor() {
        for value in [-2.0f32, -1.5, -1.0, -0.1, -0.0, 0.0, 0.9, 1.0, 7.2, -1e6, 1e6] {
            assert_eq!(floor(value), value.floor() as i32, "{value}");
        }
        for four in [
            [-2.0f32, -1.5, -1.0, -0.1],
            [0.0, 0.9, 1.0, 7.2],
            [-1e6, 1e6, -0.0, 0.5],
        ] {
            let (integers, numbers) = floor4(f32x4::new(four));
            assert_eq!(numbers.to_array(), four.map(f32::floor));
            assert_eq!(integers.to_array(), four.map(|value| value.floor() as i32));
        }
        assert_eq!(floor(f32::NAN), 0);
        assert_eq!(floor(1e30), i32::MAX);
    }
}
