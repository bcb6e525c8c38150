//! The transverse Mercator projection.
//!
//! Series of Krüger to the sixth order in the third flattening: C. F. F. Karney, "Transverse
//! Mercator with an accuracy of a few nanometers", J. Geodesy 85 (2011), equations 7 to 14 and 35,
//! whose letters are kept. Within 4,000 km of the central meridian the error is below a micrometre.

use beluga_types::elementary::{Squared, asinh, atan2, atanh, cosh, hypot, sin_cos, sinh, tan};

/// α₁ to α₆, each a polynomial in n from n¹ to n⁶ (equation 35).
const ALPHA: [[f64; 6]; 6] = [
    [
        1.0 / 2.0,
        -2.0 / 3.0,
        5.0 / 16.0,
        41.0 / 180.0,
        -127.0 / 288.0,
        7891.0 / 37_800.0,
    ],
    [
        0.0,
        13.0 / 48.0,
        -3.0 / 5.0,
        557.0 / 1440.0,
        281.0 / 630.0,
        -1_983_433.0 / 1_935_360.0,
    ],
    [
        0.0,
        0.0,
        61.0 / 240.0,
        -103.0 / 140.0,
        15_061.0 / 26_880.0,
        167_603.0 / 181_440.0,
    ],
    [
        0.0,
        0.0,
        0.0,
        49_561.0 / 161_280.0,
        -179.0 / 168.0,
        6_601_661.0 / 7_257_600.0,
    ],
    [
        0.0,
        0.0,
        0.0,
        0.0,
        34_729.0 / 80_640.0,
        -3_418_889.0 / 1_995_840.0,
    ],
    [0.0, 0.0, 0.0, 0.0, 0.0, 212_378_941.0 / 319_334_400.0],
];

/// A projection onto a plane, in metres.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TransverseMercator {
    central_meridian_rad: f64,
    false_easting_m: f64,
    false_northing_m: f64,
    /// Scale on the central meridian times the rectifying radius, in metres.
    scaled_radius_m: f64,
    eccentricity: f64,
    alpha: [f64; 6],
}

impl TransverseMercator {
    /// Zone 1 to 60 of UTM on an ellipsoid of this flattening and the semi-major axis 6,378,137 m.
    pub(super) fn utm(zone: u32, is_south: bool, flattening: f64) -> Self {
        const SEMI_MAJOR_AXIS_M: f64 = 6_378_137.0;
        const SCALE: f64 = 0.9996;
        let n = flattening / (2.0 - flattening);
        let n2 = n * n;
        let radius_m = SEMI_MAJOR_AXIS_M / (1.0 + n) * (1.0 + n2 / 4.0 + n2 * n2 / 64.0 + n2.cubed() / 256.0);
        Self {
            central_meridian_rad: (6.0 * f64::from(zone) - 183.0).to_radians(),
            false_easting_m: 500_000.0,
            false_northing_m: if is_south { 10_000_000.0 } else { 0.0 },
            scaled_radius_m: SCALE * radius_m,
            eccentricity: (flattening * (2.0 - flattening)).sqrt(),
            alpha: ALPHA.map(|row| row.iter().rev().fold(0.0, |sum, c| (sum + c) * n)),
        }
    }

    pub(super) fn central_meridian_rad(&self) -> f64 {
        self.central_meridian_rad
    }

    /// Easting and northing of a place, in metres.
    pub(super) fn project(&self, latitude_rad: f64, longitude_rad: f64) -> [f64; 2] {
        let (sin_lambda, cos_lambda) = sin_cos(longitude_rad - self.central_meridian_rad);
        let tau = tan(latitude_rad);
        let sigma = sinh(self.eccentricity * atanh(self.eccentricity * tau / hypot(tau, 1.0)));
        let tau_conformal = tau * hypot(sigma, 1.0) - sigma * hypot(tau, 1.0);
        let xi = atan2(tau_conformal, cos_lambda);
        let eta = asinh(sin_lambda / hypot(tau_conformal, cos_lambda));
        let (mut northing, mut easting) = (xi, eta);
        for (alpha, j) in self.alpha.iter().zip(1u8..) {
            let twice_j = 2.0 * f64::from(j);
            let (sin, cos) = sin_cos(twice_j * xi);
            northing += alpha * sin * cosh(twice_j * eta);
            easting += alpha * cos * sinh(twice_j * eta);
        }
        [
            self.false_easting_m + self.scaled_radius_m * easting,
            self.false_northing_m + self.scaled_radius_m * northing,
        ]
    }
}
