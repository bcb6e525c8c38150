//! A quantity with its first and second derivative by time, so that sums and products of formulas
//! bring their derivatives along (forward differentiation to second order).

use std::ops::{Add, Mul, Sub};

/// Value, rate (per second) and acceleration (per second squared) of one quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Jet {
    pub(crate) value: f64,
    pub(crate) rate: f64,
    pub(crate) acceleration: f64,
}

impl Jet {
    pub(crate) fn new(value: f64, rate: f64, acceleration: f64) -> Self {
        Self {
            value,
            rate,
            acceleration,
        }
    }

    /// What does not change.
    pub(crate) fn constant(value: f64) -> Self {
        Self::new(value, 0.0, 0.0)
    }

    /// Sine and cosine of an angle.
    pub(crate) fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.value.sin_cos();
        let square = self.rate * self.rate;
        (
            Self::new(sin, self.rate * cos, self.acceleration * cos - square * sin),
            Self::new(cos, -self.rate * sin, -self.acceleration * sin - square * cos),
        )
    }

    /// The rate as a quantity of its own. Its acceleration is not known and left at zero, so only
    /// value and rate of what is made from it mean anything.
    pub(crate) fn derivative(self) -> Self {
        Self::new(self.rate, self.acceleration, 0.0)
    }
}

impl Add for Jet {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(
            self.value + other.value,
            self.rate + other.rate,
            self.acceleration + other.acceleration,
        )
    }
}

impl Sub for Jet {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + other * -1.0
    }
}

impl Mul for Jet {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::new(
            self.value * other.value,
            self.rate * other.value + self.value * other.rate,
            self.acceleration * other.value + 2.0 * self.rate * other.rate + self.value * other.acceleration,
        )
    }
}

impl Mul<f64> for Jet {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self::new(
            self.value * factor,
            self.rate * factor,
            self.acceleration * factor,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_those_of_the_formula() {
        let formula = |t: f64| {
            let time = Jet::new(t, 1.0, 0.0);
            let (sin, cos) = (time * time * 0.3).sin_cos();
            sin * time - cos * 2.0
        };
        let (t, h) = (1.7, 1e-4);
        let [before, now, after] = [t - h, t, t + h].map(formula);
        assert!((now.rate - (after.value - before.value) / (2.0 * h)).abs() < 1e-7);
        assert!((now.acceleration - (after.rate - before.rate) / (2.0 * h)).abs() < 1e-7);
    }
}
