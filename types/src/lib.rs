//! The words of BELUGA: what every room says and understands.
//!
//! No I/O, no clock, no threads, no algorithms. SI units and radians throughout; `f64` for poses
//! and sums, `f32` for bulk points near a local origin, `i64` nanoseconds for time.
//!
//! - [`Stamp`]: when a sensor measured.
//! - [`Transform`], [`Point`], [`Direction`]: geometry whose spaces the compiler checks.
//! - [`Measurement`]: what a sensor gave; [`LidarScan`] and [`SonarPing`] are the big ones.
//! - [`Rig`]: which sensors there are and where they sit.
//! - [`SolidarFrame`]: what fusion makes of them.
//! - [`Instruments`]: what a crew watches meanwhile.

mod cockpit;
mod echogram;
pub mod elementary;
mod error;
mod frame;
mod geodesy;
mod image;
mod leap;
mod lidar;
mod measurement;
mod mount;
mod nav;
mod points;
mod pose_sigma;
mod receiver;
mod rig;
pub mod s44;
mod shared;
mod sonar;
mod space;
mod time;
mod total;
mod waveforms;

pub use cockpit::{EdgeState, Instruments, Lamp, Light, SensorState, StageTime};
pub use echogram::Echogram;
pub use error::Error;
pub use frame::{
    AXIS_HELD, FrameClock, FrameGap, FrameInput, FrameStatus, POSE_AXES, PoseSource, PoseStatus,
    SensorCalibration, SolidarFrame, SonarRegistration, Waterline, Window,
};
pub use geodesy::{Ecef, Geodetic, Origin};
pub use image::{SonarImage, Strengths};
pub use lidar::LidarScan;
pub use measurement::{Gap, GapCause, Measurement, Payload, SensorId};
pub use mount::{Attitude, Mount};
pub use nav::{
    AttitudeFix, ClockState, DepthFix, GnssFix, ImuSample, PoseFix, SoundSpeedSample, VelocityFix,
};
pub use points::{ArcTable, Label, Medium, PointTable};
pub use pose_sigma::PoseSigma;
pub use receiver::{FilterStage, Receiver};
pub use rig::{Rig, SensorKind, SensorSpec, StampMeaning, Vessel, Water};
pub use shared::{SharedState, SharedStates};
pub use sonar::{
    Beam, Beams, Detection, Detections, Elements, Profile, Pulse, PulseKind, Shading, SonarPing, StrengthUnit,
};
pub use space::{Body, Direction, Point, Sensor, Space, Transform, World};
pub use time::Stamp;
pub use total::TotalUncertainty;
pub use waveforms::{SampleValues, WaveformShape, Waveforms};
