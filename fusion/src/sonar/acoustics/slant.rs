//! Slant range and ground range of a side-scan over a level bed.

/// Distance over the ground of an echo at `slant_m` from a sonar `height_m` above a level bed: `√(R² - h²)`.
/// Nothing for an echo nearer than the bed, which comes from the water, and for what is no length.
pub fn ground_range_m(slant_m: f64, height_m: f64) -> Option<f64> {
    let lengths = slant_m.is_finite() && height_m.is_finite() && height_m >= 0.0;
    (lengths && slant_m >= height_m).then(|| ((slant_m - height_m) * (slant_m + height_m)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ground_ranges_are_those_published() {
        for (slant_m, height_m, ground_m) in [
            (30.0, 4.71, 29.627958),
            (12.5, 5.0, 11.456439),
            (5.0, 4.9, 0.994987),
        ] {
            let found = ground_range_m(slant_m, height_m).unwrap();
            assert!((found - ground_m).abs() < 1e-6, "{found}, published {ground_m}");
        }
    }

    #[test]
    fn the_water_column_has_no_ground() {
        assert_eq!(ground_range_m(4.0, 4.9), None);
        assert_eq!(ground_range_m(f64::NAN, 4.9), None);
        assert_eq!(ground_range_m(5.0, -1.0), None);
        assert_eq!(ground_range_m(4.9, 4.9), Some(0.0));
    }
}
