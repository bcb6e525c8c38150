//! A ping as detections on the timeline.

use std::sync::Arc;

use beluga_types::elementary::log10;
use beluga_types::{GapCause, Mount, Payload, SonarPing, Stamp};

use super::packet::Ping;
use crate::survey::detections::{self, Raw};
use crate::survey::head::{Head, Look};
use crate::survey::played::Rows;

/// Puts a ping among the rows, or what is lost with it.
pub(crate) fn push(ping: &Ping, rows: &mut Rows) {
    let [seconds, nanos] = ping.time.map(i64::from);
    if nanos >= 1_000_000_000 {
        let what = format!("expected nanoseconds of a second, found {nanos}");
        return rows.lose(GapCause::Corrupt, 1, &what);
    }
    let stamp = Stamp::from_nanos(seconds * 1_000_000_000 + nanos);
    // The arrays' own axes are those of the channel.
    let head = Head::single(Mount::default());
    let speed = f64::from(ping.sound_speed_m_per_s);
    match detections::ping(&head, speed, ping.width_rad.map(f64::from), raw(ping)) {
        Ok(found) => {
            let payload = SonarPing::Detections(found.detections);
            let payload = Payload::Sonar(Arc::new(payload));
            rows.push_long(
                stamp,
                Some(u64::from(ping.number)),
                payload,
                found.last_offset_nanos,
            );
            if let Some(refused) = found.refused {
                rows.lose(GapCause::Corrupt, 0, &refused);
            }
        }
        Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong),
    }
}

/// The detections of a ping: what has a time and has passed a test.
fn raw(ping: &Ping) -> impl Iterator<Item = Raw> {
    let tilt_rad = f64::from(ping.steering_rad);
    let detected = ping
        .points
        .iter()
        .filter(|point| point.two_way_time_s != 0.0 && point.quality & 3 != 0);
    detected.map(move |point| Raw {
        look: Look {
            tilt_rad,
            angle_rad: point.angle_rad,
            two_way_time_s: point.two_way_time_s,
            part: 1,
        },
        delay_s: 0.0,
        sector: 0,
        level_db: if point.strength > 0.0 {
            (20.0 * log10(f64::from(point.strength))) as f32
        } else {
            0.0
        },
        quality: if point.quality & 3 == 3 { 1.0 } else { 0.5 },
    })
}
