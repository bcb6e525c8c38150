//! A seeded world with known truth, and the score against it.
//!
//! [`World::new`] builds the scene, vessel and sensors of a [`Scenario`]; [`World::measurements`]
//! makes what the sensors would give, in timeline order, so that everything downstream is the same
//! code as for a recording. Every sonar sample is a synthesised waveform. [`World::truth`] says
//! what is true.
//!
//! The same scenario gives the same bytes for any number of threads: every random number is a
//! function of where it is used, and nothing reads a clock.

mod error;
mod faults;
mod lidar;
mod nav;
mod plain_file;
mod random;
mod rig;
mod scenario;
mod scene;
pub mod score;
mod sonar;
mod truth;
mod vessel;
mod world;

pub use error::Error;
pub use faults::{ActingFault, Growth};
pub use scenario::{
    AbsoluteLevels, ArrayShading, BedScenario, BollardScenario, CastLevel, ChainScenario, ClockFault,
    DEVICES, FaultScenario, FenderScenario, FixKind, FixScenario, GainFault, GnssScenario, GrowthFault,
    GyroFault, HullScenario, Hum, ImuScenario, InterferenceFault, LadderScenario, Level, LidarPreset,
    LidarScenario, LinkFault, MountFault, NavScenario, Neighbour, ObjectClass, ObjectScenario, OutageFault,
    OutageScenario, PierScenario, PileScenario, PulseShading, Quantity, QuayScenario, ReliefScenario,
    RoomScenario, Scenario, SeaScenario, Seat, SheetScenario, SilenceFault, SiteScenario, SlipFault,
    SolidScenario, SolidShape, SonarKind, SonarScenario, SoundSpeedFault, Sweep, TankScenario, TideFault,
    TideScenario, TunnelScenario, VesselScenario, WaterScenario, Window,
};
pub use scene::{Kind, Nearest, ObjectBox, Quay, Rung, Scene, Shape, Surface, WallPlane};
pub use score::{Score, Scorer};
pub use truth::{Cell, Digest, Grid, Returns, ReturnsOf, ToldReturns, TrueMount, Truth, TruthWriter};
pub use vessel::START;
pub use world::{Measurements, World};
