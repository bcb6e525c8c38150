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
    ArrayShading, BedScenario, BollardScenario, CastLevel, ChainScenario, DEVICES, FenderScenario, FixKind,
    FixScenario, GnssScenario, HullScenario, Hum, ImuScenario, LadderScenario, Level, LidarPreset,
    LidarScenario, NavScenario, Neighbour, ObjectClass, ObjectScenario, OutageScenario, PierScenario,
    PileScenario, PulseShading, Quantity, QuayScenario, ReliefScenario, RoomScenario, Scenario, SeaScenario,
    Seat, SheetScenario, SiteScenario, SolidScenario, SolidShape, SonarKind, SonarScenario, Sweep,
    TankScenario, TideScenario, TunnelScenario, VesselScenario, WaterScenario,
};
pub use scenario::{
    ClockFault, FaultScenario, GainFault, GrowthFault, GyroFault, InterferenceFault, LinkFault, MountFault,
    OutageFault, SilenceFault, SlipFault, SoundSpeedFault, TideFault, Window,
};
pub use scene::{Kind, Nearest, ObjectBox, Quay, Rung, Scene, Shape, Surface, WallPlane};
pub use score::{Score, Scorer};
pub use truth::{Cell, Digest, Grid, Returns, ReturnsOf, TrueMount, Truth, TruthWriter};
pub use vessel::START;
pub use world::{Measurements, World};
