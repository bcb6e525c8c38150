//! Complex numbers by length and angle, with the same bits on every machine.

use beluga_types::elementary::{atan2, hypot, sin_cos};
use rustfft::num_complex::Complex;

/// The number of this length at this angle in radians.
#[inline]
pub(crate) fn from_polar(length: f64, angle_rad: f64) -> Complex<f64> {
    let (sin, cos) = sin_cos(angle_rad);
    Complex::new(length * cos, length * sin)
}

/// Its length.
#[inline]
pub(crate) fn norm(value: Complex<f64>) -> f64 {
    hypot(value.re, value.im)
}

/// Its angle from the real axis, in radians, -π to π.
#[inline]
pub(crate) fn arg(value: Complex<f64>) -> f64 {
    atan2(value.im, value.re)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_angle_come_back() {
        for step in -31..=31 {
            let angle_rad = 0.1 * f64::from(step);
            let value = from_polar(2.5, angle_rad);
            assert!((norm(value) - 2.5).abs() < 1e-15 && (arg(value) - angle_rad).abs() < 1e-15);
        }
        assert_eq!(arg(Complex::new(0.0, 2.0)), std::f64::consts::FRAC_PI_2);
    }
}
