//! The navigation.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;

/// The navigation: an inertial system with its stated error; an inertial unit and a satellite
/// receiver as sensors of their own where they are given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NavScenario {
    /// Whether there is no navigation at all.
    pub withheld: bool,
    /// Poses per second; 1 to 200.
    pub rate_hz: f64,
    /// Time over which errors change, in seconds; 0.1 to 1000.
    pub correlation_s: f64,
    /// One sigma of the slow position error, horizontally, in metres.
    pub horizontal_m: f64,
    /// One sigma of the slow position error, upwards, in metres.
    pub up_m: f64,
    /// One sigma of the slow error of roll and pitch, in degrees.
    pub roll_pitch_deg: f64,
    /// One sigma of the slow error of heading, in degrees.
    pub heading_deg: f64,
    /// One sigma of the white position error, in metres.
    pub white_m: f64,
    /// One sigma of the white attitude error, in degrees.
    pub white_deg: f64,
    /// One sigma of a constant rate at which heading drifts from the start on, in degrees per hour;
    /// 0 to 100. The stated covariance grows with it.
    pub heading_drift_deg_per_h: f64,
    /// One sigma of the velocity error with which an outage begins, in m/s; 0 to 1.
    pub outage_velocity_m_per_s: f64,
    /// Random walk of that velocity, in m/s per square root of a second; 0 to 1.
    pub outage_walk_m_per_s_per_sqrt_s: f64,
    /// Time in which the error of an outage decays after it, in seconds; 0.1 to 100.
    pub recovery_s: f64,
    /// The raw inertial unit, `imu` in the rig. A folder recording has no place for it; a tape has.
    pub imu: Option<ImuScenario>,
    /// The satellite receiver, `gnss` in the rig.
    pub gnss: Option<GnssScenario>,
    /// When and where satellites are bad or gone.
    pub outage: Vec<OutageScenario>,
}

/// A time, a place, or a place at a time where satellite positions are worse than fixed. Where
/// several hold, the worst counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutageScenario {
    /// What is left. Only an `outage` lets the inertial poses drift.
    pub kind: FixKind,
    /// From when, in seconds after the start; 0 to 3600.
    pub from_s: f64,
    /// Until when, in seconds after the start; `from_s` to 3600.
    pub to_s: f64,
    /// Lowest and highest corner of a box in `Quay` in which the antenna (of the poses, the `Body`
    /// origin) must be, in metres; everywhere without one.
    pub bounds_m: Option<[[f64; 3]; 2]>,
}

/// What a satellite receiver can say, from best to worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FixKind {
    /// Carrier phases with whole ambiguities.
    #[default]
    Fixed,
    /// Carrier phases with ambiguities not yet whole.
    Float,
    /// Code alone.
    Single,
    /// Nothing.
    Outage,
}

/// A satellite receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GnssScenario {
    /// Positions per second; 0.1 to 50.
    pub rate_hz: f64,
    /// The antenna forward, starboard and down of the `Body` origin, in metres; -100 to 100.
    pub antenna_m: [f64; 3],
    /// Time over which the slow half of the error's variance changes, in seconds; 0.1 to 1000.
    pub correlation_s: f64,
    /// With whole ambiguities.
    pub fixed: FixScenario,
    /// With ambiguities not whole.
    pub float: FixScenario,
    /// By code.
    pub single: FixScenario,
}

/// Error of one kind of satellite position: what it is, and what the receiver says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FixScenario {
    /// One sigma east and north each, in metres; 0 to 100.
    pub horizontal_m: f64,
    /// One sigma upwards, in metres; 0 to 100.
    pub up_m: f64,
    /// The same as the receiver states it; the true one without it.
    pub stated_horizontal_m: Option<f64>,
    /// The same as the receiver states it; the true one without it.
    pub stated_up_m: Option<f64>,
}

/// A raw inertial unit; the defaults are those of a good MEMS unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImuScenario {
    /// Samples per second; 1 to 1000.
    pub rate_hz: f64,
    /// The unit forward, starboard and down of the `Body` origin, in metres; -100 to 100.
    pub place_m: [f64; 3],
    /// Its roll, pitch and heading against the vessel, in degrees; -360 to 360.
    pub attitude_deg: [f64; 3],
    /// Angle random walk, in degrees per square root of an hour; 0 to 100.
    pub gyro_noise_deg_per_sqrt_h: f64,
    /// One sigma of the gyroscopes' constant bias, in degrees per hour; 0 to 10 000.
    pub gyro_bias_deg_per_h: f64,
    /// Rate random walk, in degrees per hour per square root of an hour; 0 to 10 000.
    pub gyro_walk_deg_per_h_per_sqrt_h: f64,
    /// Velocity random walk, in m/s per square root of an hour; 0 to 100.
    pub accel_noise_m_per_s_per_sqrt_h: f64,
    /// One sigma of the accelerometers' constant bias, in thousandths of 9.80665 m/s²; 0 to 1000.
    pub accel_bias_mg: f64,
    /// Random walk of that bias, in the same unit per square root of an hour; 0 to 1000.
    pub accel_walk_mg_per_sqrt_h: f64,
}

impl FixScenario {
    /// One sigma horizontally and upwards, as the receiver states it.
    pub(crate) fn stated_m(&self) -> [f64; 2] {
        [
            self.stated_horizontal_m.unwrap_or(self.horizontal_m),
            self.stated_up_m.unwrap_or(self.up_m),
        ]
    }
}

impl Default for OutageScenario {
    fn default() -> Self {
        Self {
            kind: FixKind::Outage,
            from_s: 0.0,
            to_s: 3600.0,
            bounds_m: None,
        }
    }
}

impl Default for FixScenario {
    fn default() -> Self {
        Self {
            horizontal_m: 0.010,
            up_m: 0.018,
            stated_horizontal_m: None,
            stated_up_m: None,
        }
    }
}

impl Default for GnssScenario {
    fn default() -> Self {
        let fix = |horizontal_m, up_m| FixScenario {
            horizontal_m,
            up_m,
            ..FixScenario::default()
        };
        Self {
            rate_hz: 5.0,
            antenna_m: [-0.4, 0.0, -2.6],
            correlation_s: 30.0,
            fixed: FixScenario::default(),
            float: fix(0.25, 0.4),
            single: fix(1.5, 2.5),
        }
    }
}

impl Default for ImuScenario {
    fn default() -> Self {
        Self {
            rate_hz: 100.0,
            place_m: [0.2, -0.1, -0.4],
            attitude_deg: [0.0; 3],
            gyro_noise_deg_per_sqrt_h: 0.15,
            gyro_bias_deg_per_h: 10.0,
            gyro_walk_deg_per_h_per_sqrt_h: 5.0,
            accel_noise_m_per_s_per_sqrt_h: 0.03,
            accel_bias_mg: 1.0,
            accel_walk_mg_per_sqrt_h: 0.1,
        }
    }
}

impl Default for NavScenario {
    fn default() -> Self {
        Self {
            withheld: false,
            rate_hz: 50.0,
            correlation_s: 20.0,
            horizontal_m: 0.010,
            up_m: 0.012,
            roll_pitch_deg: 0.02,
            heading_deg: 0.05,
            white_m: 0.005,
            white_deg: 0.005,
            heading_drift_deg_per_h: 0.0,
            outage_velocity_m_per_s: 0.02,
            outage_walk_m_per_s_per_sqrt_s: 0.002,
            recovery_s: 2.0,
            imu: None,
            gnss: None,
            outage: Vec::new(),
        }
    }
}

impl NavScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("nav.rate_hz", self.rate_hz, 1.0, 200.0, "1 to 200")?;
        within(
            "nav.correlation_s",
            self.correlation_s,
            0.1,
            1000.0,
            "0.1 to 1000",
        )?;
        within("nav.horizontal_m", self.horizontal_m, 0.0, 10.0, "0 to 10")?;
        within("nav.up_m", self.up_m, 0.0, 10.0, "0 to 10")?;
        within("nav.roll_pitch_deg", self.roll_pitch_deg, 0.0, 10.0, "0 to 10")?;
        within("nav.heading_deg", self.heading_deg, 0.0, 10.0, "0 to 10")?;
        within("nav.white_m", self.white_m, 0.0, 10.0, "0 to 10")?;
        within("nav.white_deg", self.white_deg, 0.0, 10.0, "0 to 10")?;
        within(
            "nav.heading_drift_deg_per_h",
            self.heading_drift_deg_per_h,
            0.0,
            100.0,
            "0 to 100",
        )?;
        let [velocity, walk] = [self.outage_velocity_m_per_s, self.outage_walk_m_per_s_per_sqrt_s];
        within("nav.outage_velocity_m_per_s", velocity, 0.0, 1.0, "0 to 1")?;
        within("nav.outage_walk_m_per_s_per_sqrt_s", walk, 0.0, 1.0, "0 to 1")?;
        within("nav.recovery_s", self.recovery_s, 0.1, 100.0, "0.1 to 100")?;
        self.imu.as_ref().map_or(Ok(()), ImuScenario::check)?;
        self.gnss.as_ref().map_or(Ok(()), GnssScenario::check)?;
        within("nav.outage", self.outage.len() as f64, 0.0, 256.0, "at most 256")?;
        self.outage.iter().try_for_each(OutageScenario::check)
    }
}

impl OutageScenario {
    fn check(&self) -> Result<(), Error> {
        within("nav.outage.from_s", self.from_s, 0.0, 3600.0, "0 to 3600")?;
        within(
            "nav.outage.to_s",
            self.to_s,
            self.from_s,
            3600.0,
            "from_s to 3600",
        )?;
        let [low, high] = self.bounds_m.unwrap_or_default();
        for (low, high) in low.into_iter().zip(high) {
            within("nav.outage.bounds_m", low, -1e5, 1e5, "within 100 km")?;
            within("nav.outage.bounds_m", high, low, 1e5, "the higher corner second")?;
        }
        Ok(())
    }
}

impl GnssScenario {
    fn check(&self) -> Result<(), Error> {
        within("nav.gnss.rate_hz", self.rate_hz, 0.1, 50.0, "0.1 to 50")?;
        for arm in self.antenna_m {
            within("nav.gnss.antenna_m", arm, -100.0, 100.0, "-100 to 100")?;
        }
        within(
            "nav.gnss.correlation_s",
            self.correlation_s,
            0.1,
            1000.0,
            "0.1 to 1000",
        )?;
        for (key, fix) in [
            ("nav.gnss.fixed", &self.fixed),
            ("nav.gnss.float", &self.float),
            ("nav.gnss.single", &self.single),
        ] {
            let [horizontal, up] = fix.stated_m();
            for sigma in [fix.horizontal_m, fix.up_m, horizontal, up] {
                within(key, sigma, 0.0, 100.0, "sigmas of 0 to 100")?;
            }
        }
        Ok(())
    }
}

impl ImuScenario {
    fn check(&self) -> Result<(), Error> {
        within("nav.imu.rate_hz", self.rate_hz, 1.0, 1000.0, "1 to 1000")?;
        for arm in self.place_m {
            within("nav.imu.place_m", arm, -100.0, 100.0, "-100 to 100")?;
        }
        for angle in self.attitude_deg {
            within("nav.imu.attitude_deg", angle, -360.0, 360.0, "-360 to 360")?;
        }
        for (key, value, most, expected) in [
            (
                "nav.imu.gyro_noise_deg_per_sqrt_h",
                self.gyro_noise_deg_per_sqrt_h,
                100.0,
                "0 to 100",
            ),
            (
                "nav.imu.gyro_bias_deg_per_h",
                self.gyro_bias_deg_per_h,
                1e4,
                "0 to 10000",
            ),
            (
                "nav.imu.gyro_walk_deg_per_h_per_sqrt_h",
                self.gyro_walk_deg_per_h_per_sqrt_h,
                1e4,
                "0 to 10000",
            ),
            (
                "nav.imu.accel_noise_m_per_s_per_sqrt_h",
                self.accel_noise_m_per_s_per_sqrt_h,
                100.0,
                "0 to 100",
            ),
            ("nav.imu.accel_bias_mg", self.accel_bias_mg, 1e3, "0 to 1000"),
            (
                "nav.imu.accel_walk_mg_per_sqrt_h",
                self.accel_walk_mg_per_sqrt_h,
                1e3,
                "0 to 1000",
            ),
        ] {
            within(key, value, 0.0, most, expected)?;
        }
        Ok(())
    }
}
