//! Where the lasers of each model look, in the order of the packet.
//!
//! Sources: elevations (and azimuths) from the user manuals: VLP-16 63-9243 Rev. E, table 9-1; Puck
//! Hi-Res 63-9318, table 9-1; HDL-32E 63-9113 Rev. M, table of the firing sequence; VLP-32C 63-9325
//! Rev. C, table 9-2; VLS-128 63-9483, calibration of the Alpha Prime, as VeloView 5.1 ships it. The
//! beams of a head meet on a ring around its axis; how far from it, is the manuals' vertical
//! correction (VLP-16: 11.2 mm at 15°), for the others as `velodyne-decoder` 3.1 has it.

use super::model::Model;

/// Elevation and azimuth of a laser, in degrees; azimuths clockwise from above.
pub(super) type Angle = (f64, f64);

/// A laser's angles in degrees, nothing for models whose units differ: an HDL-64E tells its own.
pub(super) fn of(model: Model) -> Option<Vec<Angle>> {
    let straight = |elevations: &[f64]| elevations.iter().map(|elevation| (*elevation, 0.0)).collect();
    Some(match model {
        Model::Vlp16 => straight(&VLP_16_DEG),
        Model::PuckHiRes => straight(&PUCK_HI_RES_DEG),
        Model::Hdl32e => straight(&HDL_32E_DEG),
        Model::Vlp32c => VLP_32C_DEG.to_vec(),
        Model::Vls128 | Model::Vls128Slow => {
            let azimuths = VLS_128_AZIMUTHS_DEG.iter().cycle();
            VLS_128_DEG.iter().copied().zip(azimuths.copied()).collect()
        }
        Model::Hdl64eS2 | Model::Hdl64eS3 => return None,
    })
}

/// How far from the axis the beams meet, in metres.
pub(super) fn ring_radius_m(model: Model) -> f64 {
    match model {
        Model::Vlp16 | Model::PuckHiRes => 0.041_91,
        Model::Hdl32e => 0.028_95,
        Model::Vlp32c => 0.0424,
        Model::Vls128 | Model::Vls128Slow => 0.058_63,
        Model::Hdl64eS2 | Model::Hdl64eS3 => 0.0,
    }
}

const VLP_16_DEG: [f64; 16] = [
    -15.0, 1.0, -13.0, 3.0, -11.0, 5.0, -9.0, 7.0, -7.0, 9.0, -5.0, 11.0, -3.0, 13.0, -1.0, 15.0,
];

const PUCK_HI_RES_DEG: [f64; 16] = [
    -10.0, 0.667, -8.667, 2.0, -7.333, 3.333, -6.0, 4.667, -4.667, 6.0, -3.333, 7.333, -2.0, 8.667, -0.667,
    10.0,
];

const HDL_32E_DEG: [f64; 32] = [
    -30.67, -9.33, -29.33, -8.0, -28.0, -6.67, -26.67, -5.33, -25.33, -4.0, -24.0, -2.67, -22.67, -1.33,
    -21.33, 0.0, -20.0, 1.33, -18.67, 2.67, -17.33, 4.0, -16.0, 5.33, -14.67, 6.67, -13.33, 8.0, -12.0, 9.33,
    -10.67, 10.67,
];

/// The manual's azimuth offsets are added to the head's azimuth; here they are clockwise too.
const VLP_32C_DEG: [Angle; 32] = [
    (-25.0, 1.4),
    (-1.0, -4.2),
    (-1.667, 1.4),
    (-15.639, -1.4),
    (-11.31, 1.4),
    (0.0, -1.4),
    (-0.667, 4.2),
    (-8.843, -1.4),
    (-7.254, 1.4),
    (0.333, -4.2),
    (-0.333, 1.4),
    (-6.148, -1.4),
    (-5.333, 4.2),
    (1.333, -1.4),
    (0.667, 4.2),
    (-4.0, -1.4),
    (-4.667, 1.4),
    (1.667, -4.2),
    (1.0, 1.4),
    (-3.667, -4.2),
    (-3.333, 4.2),
    (3.333, -1.4),
    (2.333, 1.4),
    (-2.667, -1.4),
    (-3.0, 1.4),
    (7.0, -1.4),
    (4.667, 1.4),
    (-2.333, -4.2),
    (-2.0, 4.2),
    (15.0, -1.4),
    (10.333, 1.4),
    (-1.333, -1.4),
];

/// The azimuths of eight lasers, which repeat.
const VLS_128_AZIMUTHS_DEG: [f64; 8] = [6.354, 4.548, 2.732, 0.911, -0.911, -2.732, -4.548, -6.354];

#[allow(clippy::approx_constant, reason = "-6.28° is an angle of its own")]
const VLS_128_DEG: [f64; 128] = [
    -11.742, -1.99, 3.4, -5.29, -0.78, 4.61, -4.08, 1.31, -6.5, -1.11, 4.28, -4.41, 0.1, 6.48, -3.2, 2.19,
    -3.86, 1.53, -9.244, -1.77, 2.74, -5.95, -0.56, 4.83, -2.98, 2.41, -6.28, -0.89, 3.62, -5.07, 0.32, 7.58,
    -0.34, 5.18, -3.64, 1.75, -25.0, -2.43, 2.96, -5.73, 0.54, 9.7, -2.76, 2.63, -7.65, -1.55, 3.84, -4.85,
    3.18, -5.51, -0.12, 5.73, -4.3, 1.09, -16.042, -2.21, 4.06, -4.63, 0.76, 15.0, -3.42, 1.97, -6.85, -1.33,
    -5.62, -0.23, 5.43, -3.53, 0.98, -19.582, -2.32, 3.07, -4.74, 0.65, 11.75, -2.65, 1.86, -7.15, -1.44,
    3.95, -2.1, 3.29, -5.4, -0.01, 4.5, -4.19, 1.2, -13.565, -1.22, 4.17, -4.52, 0.87, 6.08, -3.31, 2.08,
    -6.65, 1.42, -10.346, -1.88, 3.51, -6.06, -0.67, 4.72, -3.97, 2.3, -6.39, -1.0, 4.39, -5.18, 0.21, 6.98,
    -3.09, 4.98, -3.75, 1.64, -8.352, -2.54, 2.85, -5.84, -0.45, 8.43, -2.87, 2.52, -6.17, -1.66, 3.73,
    -4.96, 0.43,
];

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_types::elementary::tan;

    #[test]
    fn each_model_has_as_many_lasers_as_it_says_and_none_twice() {
        for model in Model::ALL {
            let Some(angles) = of(model) else {
                continue;
            };
            assert_eq!(angles.len(), model.lasers(), "{model:?}");
            let mut elevations: Vec<f64> = angles.iter().map(|(elevation, _)| *elevation).collect();
            elevations.sort_by(f64::total_cmp);
            elevations.dedup();
            assert_eq!(elevations.len(), model.lasers(), "{model:?}");
        }
    }

    #[test]
    fn the_spans_are_those_of_the_data_sheets() {
        // Lowest and highest beam, and the sum of all, which a slip of a digit would change.
        for (model, lowest, highest, sum) in [
            (Model::Vlp16, -15.0, 15.0, 0.0),
            (Model::PuckHiRes, -10.0, 10.0, 0.0),
            (Model::Hdl32e, -30.67, 10.67, -320.0),
            (Model::Vlp32c, -25.0, 15.0, -62.528),
            (Model::Vls128, -25.0, 15.0, -135.693),
        ] {
            let angles = of(model).unwrap();
            let elevations = || angles.iter().map(|(elevation, _)| *elevation);
            assert_eq!(elevations().fold(f64::INFINITY, f64::min), lowest);
            assert_eq!(elevations().fold(f64::NEG_INFINITY, f64::max), highest);
            let found: f64 = elevations().sum();
            assert!((found - sum).abs() < 1e-6, "{model:?}: {found}");
        }
    }

    #[test]
    fn the_ring_gives_the_vertical_corrections_of_the_manual() {
        // VLP-16, table 9-1: 11.2 mm at -15°, 9.7 at -13°, 0.7 at -1°; Puck Hi-Res: 7.4 mm at -10°.
        for (model, elevation_deg, millimetres) in [
            (Model::Vlp16, -15.0_f64, 11.2),
            (Model::Vlp16, -13.0, 9.7),
            (Model::Vlp16, -1.0, 0.7),
            (Model::PuckHiRes, -10.0, 7.4),
        ] {
            let found = -1e3 * ring_radius_m(model) * tan(elevation_deg.to_radians());
            assert!((found - millimetres).abs() < 0.06, "{elevation_deg}: {found}");
        }
    }
}
