//! Where the lasers of a lidar look.

use std::f64::consts::PI;

use crate::scenario::{LidarPreset, LidarScenario};

/// Elevations of the VLP-32C in degrees, sorted (VLP-32C User Manual, Velodyne 63-9325).
const RINGS_32_DEG: [f64; 32] = [
    -25.0, -15.639, -11.31, -8.843, -7.254, -6.148, -5.333, -4.667, -4.0, -3.667, -3.333, -3.0, -2.667,
    -2.333, -2.0, -1.667, -1.333, -1.0, -0.667, -0.333, 0.0, 0.333, 0.667, 1.0, 1.333, 1.667, 2.333, 3.333,
    4.667, 7.0, 10.333, 15.0,
];

/// Cosine and sine of each ring's elevation, from the lowest up.
pub(super) fn rings(lidar: &LidarScenario) -> Vec<[f64; 2]> {
    match lidar.preset {
        None => even(lidar.rings, lidar.lowest_deg, lidar.highest_deg),
        Some(LidarPreset::Rings16) => even(16, -15.0, 15.0),
        Some(LidarPreset::Rings32) => RINGS_32_DEG.iter().map(|&deg| cos_sin(deg)).collect(),
        Some(LidarPreset::Rings64) => even(64, -22.5, 22.5),
        Some(LidarPreset::Rings128) => even(128, -22.5, 22.5),
    }
}

fn even(rings: u16, lowest_deg: f64, highest_deg: f64) -> Vec<[f64; 2]> {
    let step = (highest_deg - lowest_deg) / f64::from(rings.max(2) - 1);
    (0..rings)
        .map(|ring| cos_sin(lowest_deg + step * f64::from(ring)))
        .collect()
}

fn cos_sin(deg: f64) -> [f64; 2] {
    let (sin, cos) = deg.to_radians().sin_cos();
    [cos, sin]
}

/// Lines of equal power that stand for one Gaussian beam, as angles (rad) across its axis: radii are
/// the quantiles of the power within a circle, `1 - exp(-2 r²/w²)` with w half of the full angle,
/// directions turn by the golden angle (H. Vogel, "A better way to construct the sunflower head",
/// Math. Biosci. 44, 1979). Their mean is zero. One line, or no divergence: the axis alone.
pub(super) fn sub_rays(lidar: &LidarScenario) -> Vec<[f64; 2]> {
    let golden_rad = PI * (3.0 - 5.0f64.sqrt());
    let half = 0.5e-3 * lidar.divergence_mrad;
    let count = if half > 0.0 { lidar.sub_rays } else { 1 };
    if count == 1 {
        return vec![[0.0; 2]];
    }
    let n = f64::from(count);
    let spread: Vec<[f64; 2]> = (0..count)
        .map(|k| {
            let within = (f64::from(k) + 0.5) / n;
            let radius = half * (-0.5 * (1.0 - within).ln()).sqrt();
            let (sin, cos) = (golden_rad * f64::from(k)).sin_cos();
            [radius * cos, radius * sin]
        })
        .collect();
    let mean = |axis: usize| spread.iter().map(|ray| ray[axis]).sum::<f64>() / n;
    let middle = [mean(0), mean(1)];
    spread
        .iter()
        .map(|ray| [ray[0] - middle[0], ray[1] - middle[1]])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_their_rings_from_the_lowest_up() {
        for (preset, count, lowest, highest) in [
            (LidarPreset::Rings16, 16, -15.0, 15.0),
            (LidarPreset::Rings32, 32, -25.0, 15.0),
            (LidarPreset::Rings64, 64, -22.5, 22.5),
            (LidarPreset::Rings128, 128, -22.5, 22.5),
        ] {
            let lidar = LidarScenario {
                preset: Some(preset),
                ..LidarScenario::default()
            };
            let deg: Vec<f64> = rings(&lidar)
                .iter()
                .map(|[_, sin]| sin.asin().to_degrees())
                .collect();
            assert_eq!(deg.len(), count);
            assert!(deg.windows(2).all(|pair| pair[0] < pair[1]));
            assert!((deg[0] - lowest).abs() < 1e-9 && (deg[count - 1] - highest).abs() < 1e-9);
        }
    }

    /// A Gaussian of 1/e² half width w has ⟨r²⟩ = w²/2.
    #[test]
    fn many_lines_have_the_width_of_the_beam() {
        let lidar = LidarScenario {
            divergence_mrad: 2.0,
            sub_rays: 64,
            ..LidarScenario::default()
        };
        let rays = sub_rays(&lidar);
        let square = rays.iter().map(|[a, b]| a * a + b * b).sum::<f64>() / 64.0;
        println!(
            "divergence: rms radius {:.3} mrad, expected {:.3}",
            1e3 * square.sqrt(),
            0.5f64.sqrt()
        );
        assert!((square / 0.5e-6 - 1.0).abs() < 0.05, "{square}");
        assert!(rays.iter().map(|ray| ray[0]).sum::<f64>().abs() < 1e-12);
        let thin = LidarScenario::default();
        assert_eq!(sub_rays(&thin), [[0.0; 2]]);
    }
}
