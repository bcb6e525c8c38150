//! What a sensor gave, on its way to the timeline.

use std::sync::Arc;

use crate::lidar::LidarScan;
use crate::nav::{
    AttitudeFix, ClockState, DepthFix, GnssFix, ImuSample, PoseFix, SoundSpeedSample, VelocityFix,
};
use crate::sonar::SonarPing;
use crate::time::Stamp;

/// A sensor's place in the rig's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SensorId(pub u16);

/// One payload of one sensor, with its times.
///
/// The timeline is sorted by (`end`, `sensor`, `seq`): a payload counts when it is complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The sensor's own count; gaps in it are losses.
    pub seq: u64,
    /// Which sensor of the rig.
    pub sensor: SensorId,
    /// The sensor's time zero of this payload.
    pub stamp: Stamp,
    /// When the payload was complete: `stamp` plus its last offset.
    pub end: Stamp,
    /// When the host heard it.
    pub received: Stamp,
    /// What was measured.
    pub payload: Payload,
}

impl Measurement {
    /// The key by which the timeline is sorted.
    pub fn order(&self) -> (Stamp, SensorId, u64) {
        (self.end, self.sensor, self.seq)
    }
}

/// What was measured. Bulk payloads are shared, so that passing one on copies nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "a pose is 0.4 kB; a queue of them is small, a box for each is not free"
)]
pub enum Payload {
    /// A lidar's one sweep.
    Lidar(Arc<LidarScan>),
    /// A sonar's one transmission.
    Sonar(Arc<SonarPing>),
    /// Rotation rate and acceleration.
    Imu(ImuSample),
    /// Position without attitude.
    Gnss(GnssFix),
    /// Position and attitude.
    Pose(PoseFix),
    /// Attitude without position.
    Attitude(AttitudeFix),
    /// Velocity through water or over ground.
    Velocity(VelocityFix),
    /// Depth below the water surface.
    Depth(DepthFix),
    /// Speed of sound at a probe.
    SoundSpeed(SoundSpeedSample),
    /// State of the sensor's clock.
    Clock(ClockState),
    /// Something that should be here and is not.
    Gap(Gap),
}

/// Something that should be on the timeline and is not: counted, never silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many payloads were lost.
    pub lost: u64,
    /// Why.
    pub cause: GapCause,
    /// Where and what exactly, for the log (file and line, sequence numbers).
    pub detail: String,
}

/// Why a payload is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GapCause {
    /// It was there and could not be read.
    Corrupt,
    /// It came after the timeline had passed its time.
    Late,
    /// The sensor's count jumped.
    Missing,
    /// The queue at the live edge was full.
    Overflow,
    /// The recording ends inside it.
    Truncated,
}

impl GapCause {
    /// Every cause, in order.
    pub const ALL: [GapCause; 5] = [
        GapCause::Corrupt,
        GapCause::Late,
        GapCause::Missing,
        GapCause::Overflow,
        GapCause::Truncated,
    ];

    /// The word used in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            GapCause::Corrupt => "corrupt",
            GapCause::Late => "late",
            GapCause::Missing => "missing",
            GapCause::Overflow => "overflow",
            GapCause::Truncated => "truncated",
        }
    }
}
