//! The sensor's time → UTC, and what is said of it.
//!
//! A sensor counts nanoseconds from when it was switched on, or tells the time by PTP or a pulse each
//! second; which of them, its numbers say better than its settings (a PTP clock without a master
//! starts from 0, too). A count from power-on lands on the timeline by the host's clock: of the
//! first second, the packet that was under way for the shortest time fixes the offset, and no rate is
//! estimated. That needs some tens of seconds, and a capture's clock is not better than the sensor's.

use beluga_types::Stamp;

use super::metadata::{Metadata, TimeMode};
use super::packet::{Imu, Packet};
use crate::capture::Datagram;

/// No sensor has been on for ten years: a larger count tells the time.
const POWER_ON_NANOS: i64 = 10 * 365 * DAY_NANOS;
/// Clocks that differ by more than a day do not tell the same time.
const DAY_NANOS: i64 = 86_400 * 1_000_000_000;
/// TAI − UTC and what some masters are behind it, in seconds: since 2017, and until then.
const TAI_SECONDS: [i64; 2] = [37, 36];
/// How near to that a difference must be, in nanoseconds.
const NEAR_NANOS: i64 = 500_000_000;

/// How a sensor's time lands on the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock {
    /// Added to the sensor's time; 0 for a clock that tells the time.
    offset_nanos: i64,
    /// The smallest host − sensor at the start; nothing if no packet has a time.
    delay_nanos: Option<i64>,
    first_nanos: i64,
}

impl Clock {
    /// The clock of a sensor by its first datagrams of all kinds: scans take longer on their way than
    /// samples of the IMU, by some 15 ms.
    pub(super) fn of<'a>(start: impl Iterator<Item = &'a Datagram>, metadata: Option<&Metadata>) -> Self {
        Self::of_pairs(start.filter_map(|datagram| {
            let bytes = datagram.payload.as_slice();
            let scans = || {
                let packet = Packet::read(metadata?.format(), bytes).ok()?;
                packet.columns().filter(|column| column.is_valid).last()
            };
            let nanos = match Imu::read(bytes) {
                Some(imu) => imu.rotation_nanos,
                None => scans()?.time_nanos,
            };
            Some((datagram.received, nanos))
        }))
    }

    /// From pairs of the host's and the sensor's time.
    pub(super) fn of_pairs(pairs: impl Iterator<Item = (Stamp, u64)>) -> Self {
        let mut delay_nanos = None;
        let mut first_nanos = 0;
        for (received, sensor) in pairs {
            let Ok(sensor) = i64::try_from(sensor) else {
                continue;
            };
            let delay = received.nanos().saturating_sub(sensor);
            match &mut delay_nanos {
                None => (delay_nanos, first_nanos) = (Some(delay), sensor),
                Some(least) => *least = delay.min(*least),
            }
        }
        let tells_time = delay_nanos.is_none() || first_nanos >= POWER_ON_NANOS;
        Self {
            offset_nanos: if tells_time {
                0
            } else {
                delay_nanos.unwrap_or_default()
            },
            delay_nanos,
            first_nanos,
        }
    }

    /// A sensor's time on the timeline, nothing if it is beyond all time.
    pub(super) fn stamp(&self, nanos: u64) -> Option<Stamp> {
        let nanos = i64::try_from(nanos).ok()?.checked_add(self.offset_nanos)?;
        Some(Stamp::from_nanos(nanos))
    }

    /// Whether nothing has been heard that tells.
    pub(super) fn is_unset(&self) -> bool {
        self.delay_nanos.is_none()
    }

    /// Whether the sensor's time counts from power-on.
    pub(super) fn is_relative(&self) -> bool {
        self.offset_nanos != 0
    }

    /// What a user should know of it.
    pub(super) fn said(&self, name: &str, metadata: Option<&Metadata>) -> Vec<String> {
        let mode = match metadata.and_then(|metadata| metadata.time_mode) {
            Some(TimeMode::Internal) => "its own oscillator (TIME_FROM_INTERNAL_OSC)",
            Some(TimeMode::SyncPulse) => "a pulse each second (TIME_FROM_SYNC_PULSE_IN)",
            Some(TimeMode::Ptp) => "PTP (TIME_FROM_PTP_1588)",
            None => "a source that the metadata does not name",
        };
        let Some(delay) = self.delay_nanos else {
            return vec![format!("sensor `{name}`: no packet at the start has a time")];
        };
        if self.is_relative() {
            let asked = metadata.and_then(|metadata| metadata.time_mode);
            let free = match asked {
                Some(TimeMode::Ptp | TimeMode::SyncPulse) => ", and is not locked to it",
                _ => "",
            };
            return vec![format!(
                "sensor `{name}`: its clock, by {mode}, counts from power-on{free}: {:.3} s at the start, taken as {} by the capture's clock (the packet with the shortest way in the first second)",
                self.first_nanos as f64 * 1e-9,
                Stamp::from_nanos(self.first_nanos.saturating_add(self.offset_nanos)).iso_8601(),
            )];
        }
        let mut said = vec![format!(
            "sensor `{name}`: its clock, by {mode}, tells the time; the capture's clock is {:.6} s ahead of it",
            delay as f64 * 1e-9
        )];
        if delay.saturating_abs() > DAY_NANOS {
            let days = delay as f64 / DAY_NANOS as f64;
            said.push(format!(
                "sensor `{name}`: its clock and the capture's are {:.0} days apart; if the capture's is right, `time_offset_ms = {}` in the rig says so",
                days.abs(),
                delay / 1_000_000
            ));
        }
        let is_tai = |seconds: &i64| (delay.saturating_add(seconds * 1_000_000_000)).abs() < NEAR_NANOS;
        if let Some(seconds) = TAI_SECONDS.iter().find(|seconds| is_tai(seconds)) {
            said.push(format!(
                "sensor `{name}`: its clock is {seconds} s ahead: it tells TAI, not UTC, because its master does not announce the difference (`time_offset_ms = -{seconds}000` in the rig corrects it)"
            ));
        }
        said
    }
}
