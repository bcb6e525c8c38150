//! What a recording may say: outside these ranges a number is damage, not data.

use std::ops::RangeInclusive;

use beluga_types::Stamp;

/// The longest scan or ping, from its stamp to its end, in seconds.
pub(crate) const MAX_PAYLOAD_S: f64 = 60.0;
/// As [`MAX_PAYLOAD_S`], in nanoseconds.
pub(crate) const MAX_PAYLOAD_NANOS: i64 = 60_000_000_000;
/// How far a ping's first sample may be from its transmit centre, in seconds.
pub(crate) const MAX_FIRST_SAMPLE_S: f64 = 60.0;
/// Samples per second of a sonar: from hydrophones for the lowest calls to raw transducers.
pub(crate) const SAMPLE_RATES_HZ: RangeInclusive<f64> = 1e2..=1e9;
/// The last time there is: the year 2200. Clocks that count from a time of their own may start
/// anywhere, so the first lies as long before 1970.
pub(crate) const MAX_STAMP_NANOS: i64 = 7_258_118_400_000_000_000;
/// How far points may be from a lidar along each axis, in metres.
pub(crate) const MAX_COORDINATE_M: f32 = 1e6;

/// Whether a recording may hold this time.
pub(crate) fn is_time(stamp: Stamp) -> bool {
    (-MAX_STAMP_NANOS..=MAX_STAMP_NANOS).contains(&stamp.nanos())
}
