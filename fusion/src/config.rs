//! What can be chosen about fusion. Every default stands here and nowhere else.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::graph::LoopConfig;
use crate::sonar::SonarConfig;

/// How measurements become frames. Works as it is; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Length of a window where no reference lidar sets it, in milliseconds of data time.
    pub window_millis: u32,
    /// Whether compressed pings are kept for the picture.
    pub keep_echoes: bool,
    /// One sigma of a lidar's random range error, in metres.
    pub lidar_range_sigma_m: f64,
    /// One sigma of a lidar's random pointing error (beam divergence), in degrees.
    pub lidar_beam_sigma_deg: f64,
    /// Keep one lidar point per cube of this edge in the frames, in metres; 0 keeps all.
    pub lidar_voxel_m: f64,
    /// Lidar odometry.
    pub odometry: OdometryConfig,
    /// Navigation as a prior.
    pub nav: NavConfig,
    /// How well the rig is known.
    pub calibration: CalibrationConfig,
    /// Registration of the sonar to the lidar's map.
    pub register: RegisterConfig,
    /// Pulse compression and detection.
    pub sonar: SonarConfig,
    /// Where the survey meets itself.
    pub loops: LoopConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window_millis: 100,
            keep_echoes: false,
            lidar_range_sigma_m: 0.02,
            lidar_beam_sigma_deg: 0.05,
            lidar_voxel_m: 0.0,
            odometry: OdometryConfig::default(),
            nav: NavConfig::default(),
            calibration: CalibrationConfig::default(),
            register: RegisterConfig::default(),
            sonar: SonarConfig::default(),
            loops: LoopConfig::default(),
        }
    }
}

impl Config {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// [`Error::Config`] at the first that is outside.
    pub fn check(&self) -> Result<(), Error> {
        let positive = [
            ("window_millis", f64::from(self.window_millis)),
            ("lidar_range_sigma_m", self.lidar_range_sigma_m),
            ("lidar_beam_sigma_deg", self.lidar_beam_sigma_deg),
            ("odometry.voxel_m", self.odometry.voxel_m),
            ("odometry.max_range_m", self.odometry.max_range_m),
            ("odometry.map_radius_m", self.odometry.map_radius_m),
            (
                "odometry.initial_gate_sigma_m",
                self.odometry.initial_gate_sigma_m,
            ),
            (
                "odometry.residual_correlation",
                self.odometry.residual_correlation,
            ),
            ("nav.sigma_m", self.nav.sigma_m),
            ("nav.sigma_deg", self.nav.sigma_deg),
            (
                "calibration.boresight_sigma_deg",
                self.calibration.boresight_sigma_deg,
            ),
            ("calibration.lever_sigma_m", self.calibration.lever_sigma_m),
            ("calibration.latency_sigma_ms", self.calibration.latency_sigma_ms),
            (
                "calibration.range_bias_sigma_m",
                self.calibration.range_bias_sigma_m,
            ),
            ("register.gate_m", self.register.gate_m),
        ];
        let not_negative = [
            ("lidar_voxel_m", self.lidar_voxel_m),
            ("odometry.min_range_m", self.odometry.min_range_m),
            ("odometry.drift_m_per_sqrt_m", self.odometry.drift_m_per_sqrt_m),
            (
                "odometry.drift_deg_per_sqrt_m",
                self.odometry.drift_deg_per_sqrt_m,
            ),
            ("nav.correlation_s", self.nav.correlation_s),
            ("loops.spacing_m", self.loops.spacing_m),
            ("loops.reach_m", self.loops.reach_m),
            ("loops.min_overlap", self.loops.min_overlap),
        ];
        let fail = |field, found, expected| {
            Err(Error::Config {
                field,
                found,
                expected,
            })
        };
        self.sonar.check()?;
        let counts = [
            ("odometry.wanted_points", self.odometry.wanted_points),
            ("odometry.max_iterations", self.odometry.max_iterations),
            ("register.submap_frames", self.register.submap_frames),
        ];
        for (field, found) in counts {
            if found == 0 {
                return fail(field, 0.0, "one or more");
            }
        }
        for (field, found, low, expected) in [
            ("odometry.voxel_m", self.odometry.voxel_m, 0.01, "0.01 or more"),
            ("register.gate_m", self.register.gate_m, 0.001, "0.001 or more"),
        ] {
            if found < low {
                return fail(field, found, expected);
            }
        }
        if self.lidar_voxel_m > 0.0 && self.lidar_voxel_m < 1e-3 {
            return fail(
                "lidar_voxel_m",
                self.lidar_voxel_m,
                "0 for all points, or 0.001 and more",
            );
        }
        if self.loops.spacing_m > 0.0 && self.loops.spacing_m < 1.0 {
            return fail(
                "loops.spacing_m",
                self.loops.spacing_m,
                "0 for no loops, or 1 and more",
            );
        }
        if self.loops.min_overlap > 1.0 {
            return fail("loops.min_overlap", self.loops.min_overlap, "0 to 1");
        }
        if self.odometry.max_range_m <= self.odometry.min_range_m {
            let expected = "more than odometry.min_range_m";
            return fail("odometry.max_range_m", self.odometry.max_range_m, expected);
        }
        for (field, found) in positive {
            if !(found.is_finite() && found > 0.0) {
                return fail(field, found, "a finite number above zero");
            }
        }
        for (field, found) in not_negative {
            if !(found.is_finite() && found >= 0.0) {
                return fail(field, found, "zero or a finite number above it");
            }
        }
        Ok(())
    }
}

/// Lidar odometry: scan to voxel map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OdometryConfig {
    /// Edge of a map voxel, in metres.
    pub voxel_m: f64,
    /// Points nearer than this to the lidar are the vehicle itself, in metres.
    pub min_range_m: f64,
    /// Points farther than this do not take part in the alignment, in metres.
    pub max_range_m: f64,
    /// Map voxels farther than this from the vehicle are forgotten, in metres.
    pub map_radius_m: f64,
    /// Points of a scan wanted in the alignment; sparse scans are thinned less.
    pub wanted_points: u32,
    /// Iterations at most per alignment.
    pub max_iterations: u32,
    /// One sigma of the expected motion error before anything is known, in metres.
    pub initial_gate_sigma_m: f64,
    /// How many points err together: the pose's covariance is multiplied by it.
    pub residual_correlation: f64,
    /// Drift of the map's position, one sigma in metres per square root of a metre travelled.
    pub drift_m_per_sqrt_m: f64,
    /// Drift of the map's rotation, one sigma in degrees per square root of a metre travelled.
    pub drift_deg_per_sqrt_m: f64,
}

impl Default for OdometryConfig {
    fn default() -> Self {
        Self {
            voxel_m: 1.0,
            min_range_m: 1.0,
            max_range_m: 100.0,
            map_radius_m: 120.0,
            wanted_points: 3000,
            max_iterations: 60,
            initial_gate_sigma_m: 2.0,
            residual_correlation: 10.0,
            drift_m_per_sqrt_m: 0.005,
            drift_deg_per_sqrt_m: 0.01,
        }
    }
}

/// Navigation as a prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NavConfig {
    /// One sigma of a position that states none, in metres.
    pub sigma_m: f64,
    /// One sigma of an attitude that states none, in degrees.
    pub sigma_deg: f64,
    /// How long navigation errs the same way, in seconds, until the run itself shows it: carrier
    /// multipath and alignment errors of an INS last for tens of seconds to minutes.
    pub correlation_s: f64,
    /// Longest stretch between two fixes that is interpolated, in milliseconds.
    pub max_gap_millis: u32,
}

impl Default for NavConfig {
    fn default() -> Self {
        Self {
            sigma_m: 0.05,
            sigma_deg: 0.1,
            correlation_s: 30.0,
            max_gap_millis: 500,
        }
    }
}

/// How well the rig is known: one sigma of what every point of a sensor shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    /// Mounting angles, per axis, in degrees.
    pub boresight_sigma_deg: f64,
    /// Mounting offsets, per axis, in metres.
    pub lever_sigma_m: f64,
    /// Lateness of the stamps, in milliseconds.
    pub latency_sigma_ms: f64,
    /// Range offset of a lidar, in metres.
    pub range_bias_sigma_m: f64,
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        Self {
            boresight_sigma_deg: 0.1,
            lever_sigma_m: 0.01,
            latency_sigma_ms: 1.0,
            range_bias_sigma_m: 0.01,
        }
    }
}

/// Registration of the sonar submap to the lidar's map. It is measured and reported, never applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegisterConfig {
    /// Frames from one try to the next; 0 never tries.
    pub every_frames: u32,
    /// Frames whose sonar points make the submap.
    pub submap_frames: u32,
    /// Farthest partner of a sonar point, in metres.
    pub gate_m: f64,
    /// Fewest sonar points that must have a partner.
    pub min_matches: u32,
}

impl Default for RegisterConfig {
    fn default() -> Self {
        Self {
            every_frames: 20,
            submap_frames: 100,
            gate_m: 0.5,
            min_matches: 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_would_be_bent_into_range_are_refused() {
        for bend in [
            (|config: &mut Config| config.sonar.min_snr_db = f64::NAN) as fn(&mut Config),
            |config| config.sonar.false_alarm_rate = 2.0,
            |config| config.sonar.training_cells = 1,
            |config| config.sonar.max_detections_per_beam = 0,
            |config| config.odometry.max_iterations = 0,
            |config| config.odometry.voxel_m = 1e-12,
            |config| config.lidar_voxel_m = 1e-300,
            |config| config.loops.spacing_m = 1e-3,
            |config| config.loops.min_overlap = 7.0,
            |config| config.odometry.max_range_m = config.odometry.min_range_m,
        ] {
            let mut config = Config::default();
            bend(&mut config);
            assert!(matches!(config.check(), Err(Error::Config { .. })), "{config:?}");
        }
    }

    #[test]
    fn the_default_is_in_range_and_bad_numbers_are_named() {
        Config::default().check().unwrap();
        let mut config = Config::default();
        config.odometry.voxel_m = f64::NAN;
        assert!(matches!(
            config.check(),
            Err(Error::Config {
                field: "odometry.voxel_m",
                ..
            })
        ));
    }
}
