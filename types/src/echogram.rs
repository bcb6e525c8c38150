//! One ping as a picture: for people who look, never for what is computed from it.

use crate::measurement::SensorId;
use crate::time::Stamp;
use crate::waveforms::WaveformShape;

/// Echo levels of one ping before and after pulse compression, and where detections were made.
///
/// Row-major, one row per beam, bins from near to far; bin `i` lies at
/// `first_range_m + i * range_step_m`.
#[derive(Clone, Debug, PartialEq)]
pub struct Echogram {
    /// Which sonar.
    pub sensor: SensorId,
    /// The ping's time zero.
    pub stamp: Stamp,
    /// Its sequence number.
    pub seq: u64,
    /// Beams and range bins.
    pub shape: WaveformShape,
    /// Range of the first bin, in metres.
    pub first_range_m: f64,
    /// Metres from one bin to the next.
    pub range_step_m: f64,
    /// Level as received, in dB; as long as the shape, or empty if the device gives no waveform.
    pub raw_db: Vec<f32>,
    /// Level after pulse compression, in dB; as long as the shape.
    pub compressed_db: Vec<f32>,
    /// Where each beam looks across track, in rad, positive to starboard, if the ping itself says so;
    /// else empty: the rig may know.
    pub across_rad: Vec<f64>,
    /// Detections: beam and range in metres.
    pub detected: Vec<(u32, f32)>,
}
