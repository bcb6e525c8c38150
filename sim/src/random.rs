//! Randomness without a state: every draw is a function of where it is used.
//!
//! A draw is named by (seed, source, two indices, draw number), so it does not matter which thread
//! asks first. The generator is SplitMix64 read by position: G. Steele, D. Lea, C. Flood, "Fast
//! splittable pseudorandom number generators", OOPSLA 2014; the finaliser is D. Stafford's 13th mix.

/// Increment of SplitMix64: the golden ratio in 64 bits.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a draw is for. Two sources never share a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Source {
    /// Lidar, by scan and ray: range noise, dropout, intensity noise.
    LidarRay = 1,
    /// Errors of the navigation, by sample and axis.
    NavError = 2,
    /// Scatterers on a surface, by surface and row of cells: they stay where they are for all pings.
    Scatterer = 3,
    /// Receiver noise of the sonar, by ping and beam.
    SonarNoise = 4,
    /// Phases of the swell, by axis and wave.
    Swell = 5,
    /// Phases of a neighbouring device's pings, by its ping.
    NeighbourPing = 30,
    /// Constant range errors of the lidar, by ring.
    LidarRing = 40,
    /// Firings of the lidar that are lost, by scan and column.
    LidarColumn = 41,
    /// Frequencies, phases and directions of the sea's waves, by wave.
    Sea = 42,
    /// Errors of the navigation without satellites, by sample and axis.
    NavOutage = 43,
    /// Rate of the navigation's heading drift.
    NavHeading = 44,
    /// Errors of satellite positions, by epoch and axis.
    GnssError = 45,
    /// Constant and walking biases of the inertial unit, by kind and axis.
    ImuBias = 46,
    /// White noise of the inertial unit, by axis and sample.
    ImuNoise = 47,
    /// Scatterers in the coarse cells of echoes by mirrors, by surface and row of cells.
    CoarseScatterer = 20,
    /// What a rough mirror does to phase, by scatterer and mirror; by ping where the mirror moves.
    RoughMirror = 21,
    /// What floats in the water, by ping and direction.
    Floating = 22,
    /// The bed's relief, by component and wave.
    Bed = 10,
    /// Growth on a wall, by the node of its lattice.
    Growth = 50,
    /// Jitter of a clock, by sensor and payload.
    ClockJitter = 51,
    /// What becomes of a payload on its way to the host, by sensor and payload.
    Link = 52,
    /// Which way positions drift while satellites are lost.
    OutageDrift = 53,
}

/// An endless row of draws that belongs to one use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    key: u64,
}

impl Dice {
    /// The row of draws for this seed, source and pair of indices.
    pub(crate) fn new(seed: u64, source: Source, first: u64, second: u64) -> Self {
        let mut key = mix(seed.wrapping_add(GOLDEN));
        for part in [source as u64, first, second] {
            key = mix(key ^ part.wrapping_mul(GOLDEN).wrapping_add(GOLDEN));
        }
        Self { key }
    }

    /// 64 random bits.
    pub(crate) fn bits(&self, draw: u64) -> u64 {
        mix(self.key.wrapping_add(GOLDEN.wrapping_mul(draw.wrapping_add(1))))
    }

    /// Uniform in the open interval (0, 1).
    pub(crate) fn uniform(&self, draw: u64) -> f64 {
        /// 2⁻⁵².
        const STEP: f64 = 1.0 / (1u64 << 52) as f64;
        ((self.bits(draw) >> 12) as f64 + 0.5) * STEP
    }

    /// Two uniform numbers in [0, 1), in steps of 2⁻³², from one draw.
    pub(crate) fn uniform_pair(&self, draw: u64) -> [f64; 2] {
        /// 2⁻³².
        const STEP: f64 = 1.0 / (1u64 << 32) as f64;
        let bits = self.bits(draw);
        [(bits >> 32) as f64 * STEP, (bits as u32) as f64 * STEP]
    }

    /// Two independent standard normal numbers (Box and Muller, 1958), from one 64-bit draw:
    /// 32 bits each for radius and angle, so no value lies beyond 6.8 sigma.
    pub(crate) fn normal_pair(&self, draw: u64) -> [f32; 2] {
        /// 2⁻³².
        const STEP: f32 = 1.0 / 4_294_967_296.0;
        let bits = self.bits(draw);
        let radius = (-2.0 * (((bits >> 32) as f32 + 0.5) * STEP).ln()).max(0.0).sqrt();
        let (sin, cos) = ((bits as u32 as f32) * (std::f32::consts::TAU * STEP)).sin_cos();
        [radius * cos, radius * sin]
    }

    /// One standard normal number.
    pub(crate) fn normal(&self, draw: u64) -> f64 {
        f64::from(self.normal_pair(draw)[0])
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u64 = 200_000;

    /// The published first outputs of SplitMix64 for the seeds 0 and 1234567.
    #[test]
    fn the_generator_is_splitmix64() {
        let zero = Dice { key: 0 };
        assert_eq!(zero.bits(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(zero.bits(1), 0x6E78_9E6A_A1B9_65F4);
        let other = Dice { key: 1_234_567 };
        assert_eq!(other.bits(0), 6_457_827_717_110_365_317);
        assert_eq!(other.bits(1), 3_203_168_211_198_807_973);
        assert_eq!(other.bits(2), 9_817_491_932_198_370_423);
    }

    #[test]
    fn uniform_draws_fill_the_interval_evenly() {
        let dice = Dice::new(7, Source::LidarRay, 3, 4);
        let mut counts = [0u32; 64];
        for draw in 0..DRAWS {
            let value = dice.uniform(draw);
            assert!(value > 0.0 && value < 1.0);
            counts[(value * 64.0) as usize] += 1;
        }
        let expected = DRAWS as f64 / 64.0;
        let chi_square: f64 = counts
            .iter()
            .map(|&n| (f64::from(n) - expected).powi(2) / expected)
            .sum();
        // 63 degrees of freedom: mean 63, standard deviation 11.2.
        assert!((20.0..110.0).contains(&chi_square), "{chi_square}");
    }

    #[test]
    fn normal_draws_have_the_moments_of_a_normal() {
        let dice = Dice::new(7, Source::SonarNoise, 0, 0);
        let (mut sum, mut square, mut fourth, mut cross, mut beyond) = (0.0, 0.0, 0.0, 0.0, 0u32);
        for draw in 0..DRAWS {
            let [a, b] = dice.normal_pair(draw).map(f64::from);
            sum += a + b;
            square += a * a + b * b;
            fourth += a.powi(4) + b.powi(4);
            cross += a * b;
            beyond += u32::from(a.abs() > 3.0) + u32::from(b.abs() > 3.0);
        }
        let n = 2.0 * DRAWS as f64;
        assert!((sum / n).abs() < 0.008, "mean {}", sum / n);
        assert!((square / n - 1.0).abs() < 0.01, "variance {}", square / n);
        assert!((fourth / n - 3.0).abs() < 0.08, "fourth moment {}", fourth / n);
        assert!((2.0 * cross / n).abs() < 0.012, "correlation {}", 2.0 * cross / n);
        // Two sides of 3 sigma: 2.6998e-3.
        assert!((f64::from(beyond) / n - 2.6998e-3).abs() < 4e-4, "{beyond}");
    }

    #[test]
    fn neighbouring_streams_are_not_alike() {
        for (one, two) in [
            (
                Dice::new(1, Source::LidarRay, 5, 6),
                Dice::new(1, Source::LidarRay, 5, 7),
            ),
            (
                Dice::new(1, Source::LidarRay, 5, 6),
                Dice::new(1, Source::LidarRay, 6, 5),
            ),
            (
                Dice::new(1, Source::LidarRay, 5, 6),
                Dice::new(2, Source::LidarRay, 5, 6),
            ),
            (
                Dice::new(1, Source::LidarRay, 5, 6),
                Dice::new(1, Source::NavError, 5, 6),
            ),
        ] {
            let differing: u32 = (0..1_000).map(|i| (one.bits(i) ^ two.bits(i)).count_ones()).sum();
            // 64 000 fair bits: 32 000 with standard deviation 126.
            assert!((31_200..32_800).contains(&differing), "{differing}");
        }
    }
}
