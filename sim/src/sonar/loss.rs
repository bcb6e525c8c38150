//! What sound loses on its way beside spreading: absorption by depth, and bubbles under a windy surface.

use std::f64::consts::{LN_10, PI};

use super::absorption;
use crate::scenario::WaterScenario;

/// Depth of even water for absorption, in metres.
const DEPTH_M: f64 = 4.0;
/// Nepers per decibel.
const NEPERS: f64 = LN_10 / 20.0;

/// Amplitude loss along straight ways, in nepers.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    /// Where the same everywhere, per metre.
    pub(super) even_per_m: f64,
    /// By depth: depth in metres, loss per metre there, and its integral from the surface.
    levels: Vec<[f64; 3]>,
    bubbles: Option<Bubbles>,
}

/// The bubble layer under a windy surface: loss falls exponentially with depth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bubbles {
    /// Amplitude loss straight through the whole layer once, in nepers.
    through: f64,
    /// Depth over which it falls to 1/e, in metres.
    depth_m: f64,
}

impl Loss {
    pub(super) fn new(water: &WaterScenario, frequency_hz: f64) -> Self {
        let per_m = |temperature: f64, salinity: f64, depth: f64| {
            absorption::db_per_m(frequency_hz, temperature, salinity, depth, water.ph) * NEPERS
        };
        let mut levels: Vec<[f64; 3]> = Vec::new();
        for level in &water.cast {
            let here = per_m(level.temperature_deg_c, level.salinity_ppt, level.depth_m);
            let sum = levels.last().map_or(here * level.depth_m, |last| {
                last[2] + 0.5 * (last[1] + here) * (level.depth_m - last[0])
            });
            levels.push([level.depth_m, here, sum]);
        }
        Self {
            even_per_m: per_m(water.temperature_deg_c, water.salinity_ppt, DEPTH_M),
            levels,
            bubbles: Bubbles::new(water.wind_m_per_s, frequency_hz),
        }
    }

    /// The same everywhere, by absorption in dB per metre.
    pub(super) fn even(absorption_db_per_m: f64) -> Self {
        Self {
            even_per_m: absorption_db_per_m * NEPERS,
            levels: Vec::new(),
            bubbles: None,
        }
    }

    /// Whether it is the same everywhere.
    pub(super) fn is_even(&self) -> bool {
        self.levels.is_empty() && self.bubbles.is_none()
    }

    /// Nepers along a straight way of a length between two depths.
    pub(super) fn along(&self, depths_m: [f64; 2], length_m: f64) -> f64 {
        let even = if self.levels.is_empty() {
            self.even_per_m * length_m
        } else {
            mean(&|depth| self.integral(depth), depths_m) * length_m
        };
        let in_bubbles = |bubbles: &Bubbles| mean(&|depth| bubbles.above(depth), depths_m) * length_m;
        even + self.bubbles.as_ref().map_or(0.0, in_bubbles)
    }

    /// The integral of the loss from the surface to a depth.
    fn integral(&self, depth_m: f64) -> f64 {
        let below = self.levels.partition_point(|level| level[0] <= depth_m);
        let Some(above) = below.checked_sub(1).map(|i| self.levels[i]) else {
            return self.levels[0][1] * depth_m;
        };
        let down = depth_m - above[0];
        let here = self.levels.get(below).map_or(above[1], |next| {
            above[1] + (next[1] - above[1]) * down / (next[0] - above[0])
        });
        above[2] + 0.5 * (above[1] + here) * down
    }

    pub(super) fn bubbles(&self) -> Option<Bubbles> {
        self.bubbles
    }
}

/// Mean of a function of depth between two depths, by its integral.
fn mean(integral: &dyn Fn(f64) -> f64, depths_m: [f64; 2]) -> f64 {
    /// So close to each other, a difference of integrals around the middle says the same.
    const CLOSE_M: f64 = 1e-4;
    let [one, other] = depths_m.map(|depth| depth.max(0.0));
    if (other - one).abs() < CLOSE_M {
        let top = (0.5 * (one + other) - CLOSE_M).max(0.0);
        return (integral(top + 2.0 * CLOSE_M) - integral(top)) / (2.0 * CLOSE_M);
    }
    (integral(other) - integral(one)) / (other - one)
}

impl Bubbles {
    /// Loss at the surface by wind speed U and frequency f in kHz, 10 log of power, of a way that comes
    /// up and goes down again at a grazing angle θ: 1.26e-3 U^1.57 f^0.85 / sin θ from U = 6 m/s, below
    /// that its value at 6 m/s times exp(1.2 (U - 6)). APL-UW High-Frequency Ocean Environmental
    /// Acoustic Models Handbook, TR 9407 (1994), part II; given for 10 to 100 kHz, taken beyond too.
    ///
    /// The layer's depth: M. Hall, "A comprehensive model of wind-generated bubbles in the ocean", J.
    /// Acoust. Soc. Am. 86 (1989): 0.4 m, and 0.115 m more for every m/s of wind above 7.5 m/s.
    fn new(wind_m_per_s: f64, frequency_hz: f64) -> Option<Self> {
        const LEAST_WIND: f64 = 6.0;
        let strong = wind_m_per_s.max(LEAST_WIND).powf(1.57);
        let weak = (1.2 * (wind_m_per_s - LEAST_WIND).min(0.0)).exp();
        let there_and_back_db = 1.26e-3 * strong * weak * (1e-3 * frequency_hz).powf(0.85);
        (wind_m_per_s > 0.0).then(|| Self {
            through: 0.5 * there_and_back_db * NEPERS,
            depth_m: 0.4 + 0.115 * (wind_m_per_s - 7.5).max(0.0),
        })
    }

    /// Nepers straight down from the surface to a depth.
    fn above(&self, depth_m: f64) -> f64 {
        self.through * (1.0 - (-depth_m / self.depth_m).exp())
    }

    /// Volume scattering strength at a depth, per metre and steradian.
    ///
    /// What bubbles take from sound they mostly swallow; the part they scatter is the ratio of the
    /// damping by radiation to all damping, δ_r/δ, some 0.1 for those that resonate at hundreds of
    /// kilohertz; H. Medwin and C. Clay, "Fundamentals of Acoustical Oceanography", Academic Press 1998,
    /// section 8.2.
    pub(super) fn scattering_per_m(&self, depth_m: f64) -> f64 {
        const SCATTERED: f64 = 0.1;
        let power_loss_per_m = 2.0 * self.through / self.depth_m * (-depth_m / self.depth_m).exp();
        SCATTERED * power_loss_per_m / (4.0 * PI)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::CastLevel;

    /// Against another implementation of the same handbook: 20 log of amplitude, at the surface.
    #[test]
    fn bubbles_take_what_the_handbook_says() {
        println!("surface bubble loss, dB: expected and measured");
        for (wind, frequency_hz, grazing_deg, expected) in [
            (6.0, 30e3, 20.0f64, 1.105_527),
            (10.0, 200e3, 30.0, 8.458_162_7),
            (4.0, 300e3, 10.0, 1.398_440_8),
        ] {
            let bubbles = Bubbles::new(wind, frequency_hz).unwrap();
            let water = WaterScenario {
                wind_m_per_s: wind,
                ..WaterScenario::default()
            };
            let loss = Loss::new(&water, frequency_hz);
            let length = 10.0 / grazing_deg.to_radians().sin();
            let nepers = 2.0 * (loss.along([10.0, 0.0], length) - loss.even_per_m * length);
            let found = nepers / NEPERS;
            println!("  {wind} m/s, {frequency_hz} Hz, {grazing_deg} deg: {expected} {found:.6}");
            assert!((found - expected).abs() < 1e-4 * expected, "{found}");
            assert!(bubbles.scattering_per_m(0.0) > bubbles.scattering_per_m(0.3));
        }
        assert!(Bubbles::new(0.0, 300e3).is_none());
    }

    /// Against a fine sum over depth.
    #[test]
    fn absorption_adds_up_along_a_cast() {
        let level = |depth_m, temperature_deg_c, salinity_ppt| CastLevel {
            depth_m,
            temperature_deg_c,
            salinity_ppt,
        };
        let water = WaterScenario {
            cast: vec![
                level(1.0, 16.0, 2.0),
                level(3.0, 12.0, 9.0),
                level(6.0, 8.0, 20.0),
            ],
            wind_m_per_s: 5.0,
            ..WaterScenario::default()
        };
        let loss = Loss::new(&water, 300e3);
        let bubbles = loss.bubbles().unwrap();
        for depths in [[0.5, 7.0], [2.0, 2.5], [8.0, 0.0], [1.0, 1.0]] {
            let n = 20_000;
            let sum: f64 = (0..n)
                .map(|i| {
                    let depth = depths[0] + (depths[1] - depths[0]) * (f64::from(i) + 0.5) / f64::from(n);
                    let step = 1e-6;
                    let at = |depth: f64| loss.integral(depth) + bubbles.above(depth);
                    (at(depth + step) - at(depth)) / step / f64::from(n)
                })
                .sum();
            let found = loss.along(depths, 7.0) / 7.0;
            println!("absorption along {depths:?} m: expected {sum:.7}, measured {found:.7} nepers per m");
            assert!((found / sum - 1.0).abs() < 1e-4, "{depths:?}: {found} and {sum}");
        }
        assert!(
            loss.along([3.0, 3.0], 1.0) < loss.along([6.0, 6.0], 1.0),
            "salt swallows"
        );
    }
}
