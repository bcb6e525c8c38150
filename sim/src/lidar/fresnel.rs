//! How much light a smooth boundary sends back: Fresnel's equations (M. Born, E. Wolf, "Principles
//! of Optics", 7th edition 1999, section 1.5), for light without polarisation.

/// Refractive index of water for near-infrared light; 1.333 in the visible, 1.327 at 905 nm.
pub(super) const WATER: f64 = 1.333;
/// Refractive index of window glass.
pub(super) const GLASS: f64 = 1.52;

/// Part of the power that air mirrors at the boundary to a medium of index `n`, 0 to 1, for light
/// whose angle to the normal has this cosine (0 to 1).
pub(super) fn boundary(cos_incidence: f64, n: f64) -> f64 {
    let [across, along] = polarised(cos_incidence, n);
    0.5 * (across + along)
}

/// Part of the power that a pane of index `n` mirrors: both faces with all their inner
/// reflections, without interference and without loss in the glass: `2R / (1 + R)` for each
/// polarisation. The rest goes through.
pub(super) fn pane(cos_incidence: f64, n: f64) -> f64 {
    let [across, along] = polarised(cos_incidence, n).map(|r| 2.0 * r / (1.0 + r));
    0.5 * (across + along)
}

/// For light polarised across the plane of incidence (s) and along it (p).
fn polarised(cos_incidence: f64, n: f64) -> [f64; 2] {
    let inside = (1.0 - (1.0 - cos_incidence * cos_incidence) / (n * n)).sqrt();
    let across = (cos_incidence - n * inside) / (cos_incidence + n * inside);
    let along = (n * cos_incidence - inside) / (n * cos_incidence + inside);
    [across * across, along * along]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_values() {
        // ((n - 1) / (n + 1))² at normal incidence; all of it at grazing.
        let straight = boundary(1.0, WATER);
        println!("fresnel, n = 1.333 straight on: expected 0.020373, measured {straight:.6}");
        assert!((straight - 0.020_373).abs() < 1e-6, "{straight}");
        assert!((boundary(0.0, WATER) - 1.0).abs() < 1e-12);
        // At Brewster's angle, atan(n), nothing polarised along is mirrored; across it is
        // ((n² - 1) / (n² + 1))².
        let brewster = GLASS.atan().cos();
        let [across, along] = polarised(brewster, GLASS);
        println!(
            "fresnel, n = 1.52 at Brewster's angle: expected 0 along, 0.1567 across, measured {along:.1e}, {across:.4}"
        );
        assert!(along < 1e-30 && (across - (1.3104f64 / 3.3104).powi(2)).abs() < 1e-12);
        // Two faces of 4.26 %: 8.2 %.
        assert!((pane(1.0, GLASS) - 0.081_68).abs() < 2e-5, "{}", pane(1.0, GLASS));
    }

    #[test]
    fn more_is_mirrored_the_flatter_the_light_comes() {
        let values: Vec<f64> = (0..=90)
            .map(|deg| boundary(f64::from(deg).to_radians().cos(), WATER))
            .collect();
        assert!(values.windows(2).all(|pair| pair[1] >= pair[0] - 1e-3));
        println!(
            "fresnel, n = 1.333: 0° {:.4}, 45° {:.4}, 80° {:.4}",
            values[0], values[45], values[80]
        );
    }
}
