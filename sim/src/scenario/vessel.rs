//! The vessel's path and motion.

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;
use crate::vessel::tightest_m;

/// The vessel's path and motion. By default it goes straight along the quay for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VesselScenario {
    /// Points of the path, x and y in `Quay`, in metres; none, or 2 to 256, each at least 0.1 m from
    /// the one before. A smooth curve goes through them; before the first and after the last it is
    /// straight. If the last is the first, the curve is closed and goes round and round.
    pub path: Vec<[f64; 2]>,
    /// Speed at each point of the path, in m/s; none (then `speed_m_per_s` everywhere) or as many
    /// as points, 0 to 5, and no two neighbours zero. Speed changes smoothly from point to point.
    pub speeds_m_per_s: Vec<f64>,
    /// Mean speed along the path, in m/s; 0 to 5.
    pub speed_m_per_s: f64,
    /// How far the bow lies to starboard of the course, in degrees; -45 to 45.
    pub leeway_deg: f64,
    /// Amplitude of the main roll wave, in degrees; 0 to 10.
    pub roll_deg: f64,
    /// Amplitude of the main pitch wave, in degrees; 0 to 10.
    pub pitch_deg: f64,
    /// Amplitude of the slow yaw wave, in degrees; 0 to 10.
    pub yaw_deg: f64,
    /// Amplitude of the main heave wave, in metres; 0 to 1.
    pub heave_m: f64,
    /// Amplitude of the slow sway wave, in metres; 0 to 1.
    pub sway_m: f64,
    /// Natural period of heave, in seconds; 0.5 to 20. This and the next five count in a `sea`.
    pub heave_period_s: f64,
    /// Damping of heave, as a part of the critical one; 0.01 to 2.
    pub heave_damping: f64,
    /// Natural period of roll, in seconds; 0.5 to 20.
    pub roll_period_s: f64,
    /// Damping of roll, as a part of the critical one; 0.01 to 2.
    pub roll_damping: f64,
    /// Natural period of pitch, in seconds; 0.5 to 20.
    pub pitch_period_s: f64,
    /// Damping of pitch, as a part of the critical one; 0.01 to 2.
    pub pitch_damping: f64,
    /// The sea. With one, `roll_deg`, `pitch_deg` and `heave_m` are not used; yaw and sway, which
    /// are the helmsman's, stay.
    pub sea: Option<SeaScenario>,
    /// How the water's level changes.
    pub tide: TideScenario,
}

/// The sea: waves with the JONSWAP spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeaScenario {
    /// Significant height, in metres: four times the standard deviation of the water's height; 0 to 3.
    pub significant_height_m: f64,
    /// Period at the spectrum's peak, in seconds; 1 to 20.
    pub peak_period_s: f64,
    /// Enhancement of the peak; 1 (Pierson and Moskowitz) to 10.
    pub gamma: f64,
    /// Where the waves go, in degrees clockwise from the quay's x axis; -360 to 360.
    pub heading_deg: f64,
    /// One sigma of the waves' directions about it, in degrees; 0 to 90.
    pub spread_deg: f64,
    /// Waves of the sum; 1 to 512.
    pub components: u16,
}

/// The water's level against the still water of the quay: constant, ramp and sine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TideScenario {
    /// Level at the start, in metres; -5 to 5.
    pub level_m: f64,
    /// Steady rise, in metres per hour; -10 to 10.
    pub rise_m_per_h: f64,
    /// Amplitude of the sine, in metres; 0 to 5.
    pub amplitude_m: f64,
    /// Period of the sine, in hours; 0.001 to 25.
    pub period_h: f64,
    /// Phase of the sine at the start, in degrees; at 0 it rises.
    pub phase_deg: f64,
}

impl Default for SeaScenario {
    fn default() -> Self {
        Self {
            significant_height_m: 0.2,
            peak_period_s: 3.0,
            gamma: 3.3,
            heading_deg: 60.0,
            spread_deg: 0.0,
            components: 64,
        }
    }
}

impl Default for TideScenario {
    fn default() -> Self {
        Self {
            level_m: 0.0,
            rise_m_per_h: 0.0,
            amplitude_m: 0.0,
            period_h: 12.42,
            phase_deg: 0.0,
        }
    }
}

impl Default for VesselScenario {
    fn default() -> Self {
        Self {
            path: Vec::new(),
            speeds_m_per_s: Vec::new(),
            speed_m_per_s: 0.8,
            leeway_deg: 0.0,
            roll_deg: 2.0,
            pitch_deg: 1.0,
            yaw_deg: 1.5,
            heave_m: 0.1,
            sway_m: 0.15,
            heave_period_s: 2.5,
            heave_damping: 0.4,
            roll_period_s: 3.5,
            roll_damping: 0.1,
            pitch_period_s: 2.5,
            pitch_damping: 0.4,
            sea: None,
            tide: TideScenario::default(),
        }
    }
}

impl VesselScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("vessel.speed_m_per_s", self.speed_m_per_s, 0.0, 5.0, "0 to 5")?;
        within("vessel.roll_deg", self.roll_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.pitch_deg", self.pitch_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.yaw_deg", self.yaw_deg, 0.0, 10.0, "0 to 10")?;
        within("vessel.heave_m", self.heave_m, 0.0, 1.0, "0 to 1")?;
        within("vessel.sway_m", self.sway_m, 0.0, 1.0, "0 to 1")?;
        within("vessel.leeway_deg", self.leeway_deg, -45.0, 45.0, "-45 to 45")?;
        for (period, damping, keys) in [
            (
                self.heave_period_s,
                self.heave_damping,
                ["vessel.heave_period_s", "vessel.heave_damping"],
            ),
            (
                self.roll_period_s,
                self.roll_damping,
                ["vessel.roll_period_s", "vessel.roll_damping"],
            ),
            (
                self.pitch_period_s,
                self.pitch_damping,
                ["vessel.pitch_period_s", "vessel.pitch_damping"],
            ),
        ] {
            within(keys[0], period, 0.5, 20.0, "0.5 to 20")?;
            within(keys[1], damping, 0.01, 2.0, "0.01 to 2")?;
        }
        self.sea.as_ref().map_or(Ok(()), SeaScenario::check)?;
        self.tide.check()?;
        self.check_path()
    }

    fn check_path(&self) -> Result<(), Error> {
        /// No boat turns tighter, and heading is not defined at a cusp.
        const TIGHTEST_M: f64 = 0.5;
        if self.path.is_empty() {
            let given = self.speeds_m_per_s.len() as f64;
            return within(
                "vessel.speeds_m_per_s",
                given,
                0.0,
                0.0,
                "no speeds without a path",
            );
        }
        let count = self.path.len() as f64;
        within("vessel.path", count, 2.0, 256.0, "2 to 256 points")?;
        for value in self.path.iter().flatten() {
            within("vessel.path", *value, -1e4, 1e4, "coordinates within 10 km")?;
        }
        for pair in self.path.windows(2) {
            let chord = (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]);
            within(
                "vessel.path",
                chord,
                0.1,
                1e5,
                "at least 0.1 m from point to point",
            )?;
        }
        let radius = tightest_m(&self.path);
        within(
            "vessel.path",
            radius,
            TIGHTEST_M,
            f64::INFINITY,
            "turns of a radius of at least 0.5 m",
        )?;
        self.check_speeds(count)
    }

    fn check_speeds(&self, points: f64) -> Result<(), Error> {
        let key = "vessel.speeds_m_per_s";
        if self.speeds_m_per_s.is_empty() {
            let speed = self.speed_m_per_s;
            return within("vessel.speed_m_per_s", speed, 0.01, 5.0, "0.01 to 5 with a path");
        }
        let given = self.speeds_m_per_s.len() as f64;
        within(key, given, points, points, "as many speeds as points of the path")?;
        for &speed in &self.speeds_m_per_s {
            within(key, speed, 0.0, 5.0, "0 to 5")?;
        }
        for pair in self.speeds_m_per_s.windows(2) {
            let sum = pair[0] + pair[1];
            within(key, sum, 0.02, 10.0, "no two neighbours zero")?;
        }
        Ok(())
    }
}

impl SeaScenario {
    fn check(&self) -> Result<(), Error> {
        let height = self.significant_height_m;
        within("vessel.sea.significant_height_m", height, 0.0, 3.0, "0 to 3")?;
        within(
            "vessel.sea.peak_period_s",
            self.peak_period_s,
            1.0,
            20.0,
            "1 to 20",
        )?;
        within("vessel.sea.gamma", self.gamma, 1.0, 10.0, "1 to 10")?;
        within(
            "vessel.sea.heading_deg",
            self.heading_deg,
            -360.0,
            360.0,
            "-360 to 360",
        )?;
        within("vessel.sea.spread_deg", self.spread_deg, 0.0, 90.0, "0 to 90")?;
        within(
            "vessel.sea.components",
            self.components.into(),
            1.0,
            512.0,
            "1 to 512",
        )
    }
}

impl TideScenario {
    fn check(&self) -> Result<(), Error> {
        within("vessel.tide.level_m", self.level_m, -5.0, 5.0, "-5 to 5")?;
        within(
            "vessel.tide.rise_m_per_h",
            self.rise_m_per_h,
            -10.0,
            10.0,
            "-10 to 10",
        )?;
        within("vessel.tide.amplitude_m", self.amplitude_m, 0.0, 5.0, "0 to 5")?;
        within("vessel.tide.period_h", self.period_h, 0.001, 25.0, "0.001 to 25")?;
        within(
            "vessel.tide.phase_deg",
            self.phase_deg,
            -360.0,
            360.0,
            "-360 to 360",
        )
    }
}
