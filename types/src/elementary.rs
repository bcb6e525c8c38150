//! Elementary functions with the same bits on every machine.
//!
//! IEEE 754 fixes `+`, `-`, `*`, `/`, `sqrt`, `mul_add` and rounding to the last bit; it does not fix
//! sines and logarithms. The methods of `f64` for those call the system's libm, whose last bits differ
//! from system to system, and within one system from CPU to CPU (glibc takes other code where there is
//! FMA). What has no part in a frame may use them; everything else takes these functions, which are the
//! `libm` crate's: FreeBSD's msun as musl has it, in Rust, one code for all machines. They err by less
//! than one unit in the last place. `clippy.toml` forbids the methods.

macro_rules! elementary {
    ($($(#[$doc:meta])* $name:ident($($x:ident),+) = $of:ident;)*) => {
        $($(#[$doc])*
        #[inline]
        pub fn $name($($x: f64),+) -> f64 {
            libm::$of($($x),+)
        })*
    };
}

elementary! {
    /// Angle whose cosine is `x`, 0 to π; no number outside -1 to 1.
    acos(x) = acos;
    /// Number of at least zero whose hyperbolic cosine is `x`; no number below 1.
    acosh(x) = acosh;
    /// Angle whose sine is `x`, -π/2 to π/2; no number outside -1 to 1.
    asin(x) = asin;
    /// Number whose hyperbolic sine is `x`.
    asinh(x) = asinh;
    /// Angle whose tangent is `x`, -π/2 to π/2.
    atan(x) = atan;
    /// Angle of the point (`x`, `y`) from the axis of x, -π to π.
    atan2(y, x) = atan2;
    /// Number whose hyperbolic tangent is `x`; no finite number outside -1 to 1.
    atanh(x) = atanh;
    /// Cube root.
    cbrt(x) = cbrt;
    /// Cosine of an angle in radians.
    cos(x) = cos;
    /// Hyperbolic cosine.
    cosh(x) = cosh;
    /// e to the power `x`.
    exp(x) = exp;
    /// √(x² + y²), without overflow between.
    hypot(x, y) = hypot;
    /// Natural logarithm.
    ln(x) = log;
    /// Logarithm to the base 10.
    log10(x) = log10;
    /// Logarithm to the base 2.
    log2(x) = log2;
    /// `x` to the power `y`.
    powf(x, y) = pow;
    /// Sine of an angle in radians.
    sin(x) = sin;
    /// Hyperbolic sine.
    sinh(x) = sinh;
    /// Tangent of an angle in radians.
    tan(x) = tan;
    /// Hyperbolic tangent.
    tanh(x) = tanh;
}

/// Sine and cosine of an angle in radians, the same bits as one by one.
#[inline]
pub fn sin_cos(x: f64) -> (f64, f64) {
    libm::sincos(x)
}

/// Whole powers in a stated order of multiplications; `powi` has none.
pub trait Squared: Copy + std::ops::Mul<Output = Self> {
    /// The number times itself.
    #[inline]
    fn squared(self) -> Self {
        self * self
    }

    /// The number times its square.
    #[inline]
    fn cubed(self) -> Self {
        self * (self * self)
    }
}

impl Squared for f32 {}
impl Squared for f64 {}

#[cfg(test)]
mod tests {
    use super::*;

    /// True values, nearest double, of 60-digit arithmetic (mpmath). Where msun's is its neighbour, that
    /// stands behind it: the bits are to be these, not any as good.
    #[test]
    #[expect(
        clippy::approx_constant,
        reason = "what is checked is written out, not taken from elsewhere"
    )]
    fn each_function_has_its_bits() {
        let cases: &[(&str, f64, f64, i64)] = &[
            ("acos(0.3)", acos(0.3), 1.2661036727794992, 0),
            ("acos(-0.999)", acos(-0.999), 3.09686756642106, 0),
            ("acosh(1.5)", acosh(1.5), 0.9624236501192069, 0),
            ("asin(0.7)", asin(0.7), 0.775397496610753, 0),
            ("asin(-1e-3)", asin(-1e-3), -0.0010000001666667416, 0),
            ("asinh(-2.5)", asinh(-2.5), -1.6472311463710958, 0),
            ("atan(0.4)", atan(0.4), 0.3805063771123649, 0),
            ("atan(-30.0)", atan(-30.0), -1.5374753309166493, 0),
            ("atan2(1.0, -2.0)", atan2(1.0, -2.0), 2.677945044588987, 0),
            ("atan2(-0.1, 7.0)", atan2(-0.1, 7.0), -0.014284742587396631, 0),
            ("atanh(0.08)", atanh(0.08), 0.0801713250375897, 0),
            ("cbrt(10.0)", cbrt(10.0), 2.154434690031884, 0),
            ("cos(1.0)", cos(1.0), 0.5403023058681398, 0),
            ("cos(1e6)", cos(1e6), 0.9367521275331447, 0),
            ("cosh(2.0)", cosh(2.0), 3.7621956910836314, 0),
            ("exp(1.0)", exp(1.0), 2.718281828459045, 1),
            ("exp(-7.3)", exp(-7.3), 0.0006755387751938444, 0),
            ("hypot(0.3, 0.008)", hypot(0.3, 0.008), 0.3001066477104431, 0),
            (
                "hypot(6378137.0, 1.0)",
                hypot(6378137.0, 1.0),
                6378137.000000078,
                0,
            ),
            ("ln(10.0)", ln(10.0), 2.302585092994046, 0),
            ("ln(0.97)", ln(0.97), -0.030459207484708574, 0),
            ("log10(2.0)", log10(2.0), 0.3010299956639812, 0),
            ("log2(10.0)", log2(10.0), 3.321928094887362, 0),
            ("powf(10.0, 0.35)", powf(10.0, 0.35), 2.2387211385683394, 0),
            ("powf(35.0, 1.5)", powf(35.0, 1.5), 207.06279240848656, 0),
            ("sin(1.0)", sin(1.0), 0.8414709848078965, 0),
            ("sin(1e6)", sin(1e6), -0.34999350217129294, 0),
            ("sinh(0.5)", sinh(0.5), 0.5210953054937474, 0),
            ("tan(0.8)", tan(0.8), 1.0296385570503641, 0),
            ("tan(-1.5)", tan(-1.5), -14.101419947171719, 0),
            ("tanh(0.3)", tanh(0.3), 0.2913126124515909, -1),
        ];
        for &(name, found, nearest, off) in cases {
            let expected = nearest.to_bits().wrapping_add_signed(off);
            assert_eq!(found.to_bits(), expected, "{name}: {found:e}, true {nearest:e}");
        }
    }

    #[test]
    fn sine_and_cosine_together_are_those_alone() {
        for step in -4000..4000 {
            let x = f64::from(step) * 0.013;
            assert_eq!(sin_cos(x), (sin(x), cos(x)));
        }
    }

    #[test]
    fn squares_are_products() {
        assert_eq!(0.1.squared(), 0.1 * 0.1);
        assert_eq!(3f32.squared(), 9.0);
        assert_eq!((-2.0).cubed(), -8.0);
    }
}
