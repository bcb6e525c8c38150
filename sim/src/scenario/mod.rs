//! What to simulate: every number of a world that may be chosen.

mod absolute;
mod device;
mod disturbance;
mod faults;
mod file;
mod levels;
mod lidar;
mod nav;
mod possible;
mod quay;
mod site;
mod size;
mod sonar;
mod vessel;
mod water;

use serde::{Deserialize, Serialize};

use crate::error::Error;
pub use absolute::AbsoluteLevels;
pub use device::{ArrayShading, DEVICES, PulseShading, Quantity, SonarKind, Sweep};
pub use disturbance::{Hum, Neighbour};
pub use faults::{
    ClockFault, FaultScenario, GainFault, GrowthFault, GyroFault, InterferenceFault, LinkFault, MountFault,
    OutageFault, SilenceFault, SlipFault, SoundSpeedFault, TideFault, Window,
};
pub use lidar::{LidarPreset, LidarScenario};
pub use nav::{FixKind, FixScenario, GnssScenario, ImuScenario, NavScenario, OutageScenario};
pub use quay::QuayScenario;
pub(crate) use site::MOST_FACES;
pub use site::{
    BedScenario, BollardScenario, ChainScenario, FenderScenario, HullScenario, LadderScenario, ObjectClass,
    ObjectScenario, PierScenario, PileScenario, ReliefScenario, RoomScenario, Seat, SheetScenario,
    SiteScenario, SolidScenario, SolidShape, TankScenario, TunnelScenario,
};
pub use sonar::SonarScenario;
pub use vessel::{SeaScenario, TideScenario, VesselScenario};
pub use water::{CastLevel, WaterScenario};

/// A world to be made. Same scenario, same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Seed of all randomness.
    pub seed: u64,
    /// How hard the world is.
    pub level: Level,
    /// Length of the run, in seconds; more than 0, at most 3600.
    pub duration_s: f64,
    /// The water.
    pub water: WaterScenario,
    /// Quay wall and bed.
    pub quay: QuayScenario,
    /// The vessel's path and motion.
    pub vessel: VesselScenario,
    /// The spinning lidar.
    pub lidar: LidarScenario,
    /// The sonar.
    pub sonar: SonarScenario,
    /// The navigation.
    pub nav: NavScenario,
    /// What is wrong in this world.
    pub faults: FaultScenario,
    /// What stands at the site.
    pub site: SiteScenario,
    /// Solids of one's own.
    pub solid: Vec<SolidScenario>,
    /// Objects that do not belong there.
    pub object: Vec<ObjectScenario>,
}

/// How hard the world is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// A tank: flat walls, nothing moves that should not.
    S0,
    /// A quay in swell, everything in order.
    #[default]
    S1,
    /// A quay in stronger swell, with a badly mounted sonar.
    S2,
    /// A pier with scour, a moored hull, and ghosts.
    S3,
    /// A tunnel without satellites: long, and alike everywhere.
    S4,
    /// Everything goes wrong.
    S5,
    /// A glass room in air, with ultrasound.
    S6,
}

impl Scenario {
    /// Half a minute along a quay: 32 × 720 lidar, 256 beams of 1° × 1° at 15 Hz. The fan ends at
    /// the horizon, as crews set it to keep the surface out of it: the wall's highest part under water
    /// is seen by nobody.
    pub fn demo() -> Self {
        let mut scenario = Self::default();
        scenario.sonar.mount_roll_deg = -30.0;
        scenario
    }

    /// Six seconds of the same, small enough to lie in a repository.
    pub fn sample() -> Self {
        let mut scenario = Self {
            duration_s: 6.0,
            ..Self::default()
        };
        scenario.lidar.rings = 16;
        scenario.lidar.columns = 512;
        scenario.sonar.beams = 64;
        scenario.sonar.beam_width_deg = 2.0;
        scenario.sonar.rate_hz = 5.0;
        scenario.sonar.bandwidth_hz = 16e3;
        scenario.sonar.sample_rate_hz = 20e3;
        scenario.sonar.pulse_s = 2e-3;
        scenario
    }

    /// Checks every number against its range.
    ///
    /// # Errors
    /// [`Error::Scenario`] at the first number outside its range.
    pub fn check(&self) -> Result<(), Error> {
        within("duration_s", self.duration_s, 0.1, 3600.0, "0.1 to 3600")?;
        self.water.check()?;
        self.quay.check()?;
        self.vessel.check()?;
        self.lidar.check()?;
        self.sonar.check(&self.water)?;
        self.nav.check()?;
        self.faults.check()?;
        self.site.check()?;
        site::every(&self.solid, "solid", SolidScenario::check)?;
        site::every(&self.object, "object", ObjectScenario::check)?;
        site::check_names(&self.object)
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            level: Level::S1,
            duration_s: 30.0,
            water: WaterScenario::default(),
            quay: QuayScenario::default(),
            vessel: VesselScenario::default(),
            lidar: LidarScenario::default(),
            sonar: SonarScenario::default(),
            nav: NavScenario::default(),
            faults: FaultScenario::default(),
            site: SiteScenario::default(),
            solid: Vec::new(),
            object: Vec::new(),
        }
    }
}

/// Refuses what is not a number too: no comparison with it holds.
fn within(key: &'static str, found: f64, low: f64, high: f64, expected: &'static str) -> Result<(), Error> {
    if found >= low && found <= high {
        Ok(())
    } else {
        Err(Error::Scenario { key, found, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_scenarios_are_in_range() {
        for name in ["quay", "sample"] {
            Scenario::named(name).unwrap().check().unwrap();
        }
        let error = Scenario::named("lake").unwrap_err().to_string();
        assert!(error.contains("`quay`") && error.contains("`lake`"), "{error}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(serde_json::from_str::<Scenario>(r#"{"seed": 3}"#).is_ok());
        let error = serde_json::from_str::<Scenario>(r#"{"sonar": {"beems": 3}}"#).unwrap_err();
        assert!(error.to_string().contains("beems"), "{error}");
    }

    #[test]
    fn a_scenario_survives_its_file_form() {
        let mut scenario = Scenario::sample();
        scenario.seed = u64::MAX;
        scenario.nav.withheld = true;
        let text = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&text).unwrap(), scenario);
    }

    #[test]
    fn numbers_outside_their_range_are_named() {
        let mut scenario = Scenario::demo();
        scenario.sonar.rate_hz = f64::NAN;
        let error = scenario.check().unwrap_err().to_string();
        assert!(error.contains("sonar.rate_hz"), "{error}");
        scenario = Scenario::demo();
        scenario.sonar.range_m = 100.0;
        assert!(scenario.check().is_err(), "15 Hz is too fast for 100 m");
    }
}
