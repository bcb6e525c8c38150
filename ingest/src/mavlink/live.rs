//! Poses as an autopilot says them.

use beluga_types::{GapCause, Geodetic, Origin, Payload, SensorSpec, Stamp};

use super::frame::{self, MavLink};
use super::message::{self, Said};
use crate::capture::Datagram;
use crate::live::frames::{Found, Frames, Garbage};
use crate::live::heard::Hears;
use crate::nmea::{Epochs, Lying};
use crate::survey::played::Rows;

/// So long an autopilot has to tell the time, once a second as it does, before the host's clock counts.
const PATIENCE_NANOS: i64 = 2_000_000_000;

/// The poses of a vehicle that is heard now.
#[derive(Debug)]
pub(crate) struct Sent {
    frames: Frames<MavLink>,
    epochs: Epochs,
    /// Of several that share the line, the first that tells how it lies.
    system: Option<u8>,
    time: Time,
    /// Whether it was told that the host's clock counts.
    is_hosts: bool,
    /// The ellipsoid's distance from the sea, in metres.
    separation_m: Option<f64>,
    garbage: Garbage,
    /// Messages before a time was known, and places without a height, since each was told.
    timeless: u64,
    without_height: u64,
}

/// What time it was at a moment of the autopilot's own count.
#[derive(Clone, Copy, Debug, Default)]
struct Time {
    /// As it says itself.
    told: Option<(u32, Stamp)>,
    /// When the host heard the first message.
    first: Option<Stamp>,
    /// By the message that came quickest.
    heard: Option<(u32, Stamp)>,
}

impl Time {
    /// A message of this moment of the count came.
    fn hear(&mut self, millis: u32, received: Stamp) {
        self.first.get_or_insert(received);
        let is_quicker = |known| received.nanos_since(at(known, millis)) < 0;
        if self.heard.is_none_or(is_quicker) {
            self.heard = Some((millis, received));
        }
    }

    /// When this moment of the count was, if that is known by now.
    fn stamp(&self, millis: u32, received: Stamp) -> Option<Stamp> {
        let is_late = self
            .first
            .is_some_and(|first| received.nanos_since(first) >= PATIENCE_NANOS);
        let known = self.told.or(self.heard.filter(|_| is_late))?;
        Some(at(known, millis))
    }
}

/// When a moment of the count was, by another. The count comes round: within half of its 49 days the
/// difference is right.
fn at((then, stamp): (u32, Stamp), millis: u32) -> Stamp {
    let since = millis.wrapping_sub(then).cast_signed();
    stamp.shifted_nanos(i64::from(since) * 1_000_000)
}

impl Sent {
    pub(crate) fn new(spec: &SensorSpec, origin: &Origin) -> Self {
        Self {
            frames: Frames::default(),
            epochs: Epochs::new(origin.clone(), spec.mount),
            system: None,
            time: Time::default(),
            is_hosts: false,
            separation_m: None,
            garbage: Garbage::default(),
            timeless: 0,
            without_height: 0,
        }
    }

    fn said(&mut self, said: Said, received: Stamp, rows: &mut Rows) -> Vec<(Stamp, Payload)> {
        match said {
            Said::Time { millis, unix_micros } => {
                self.time.hear(millis, received);
                if let Some(nanos) = unix_micros.and_then(|micros| micros.checked_mul(1000)) {
                    self.time.told = Some((millis, Stamp::from_nanos(nanos)));
                }
            }
            Said::Receiver {
                separation_m,
                sigma_m,
            } => {
                self.separation_m = separation_m.or(self.separation_m);
                if let Some([across, up]) = sigma_m {
                    self.epochs.errors([across, across, up]);
                }
            }
            Said::Lying { millis, turn } => {
                if let Some(stamp) = self.moment(millis, received, rows) {
                    return self.epochs.attitude(Lying {
                        stamp,
                        turn,
                        sigma_rad: None,
                    });
                }
            }
            Said::Place {
                millis,
                place: Some([latitude, longitude, above_sea_m]),
            } => {
                let Some(separation_m) = self.separation_m else {
                    self.without_height += 1;
                    return vec![];
                };
                if let Some(stamp) = self.moment(millis, received, rows) {
                    let height_m = above_sea_m + separation_m;
                    let place = Geodetic::from_degrees(latitude, longitude, height_m);
                    return self.epochs.place(stamp, place);
                }
            }
            Said::Place { place: None, .. } | Said::Other => {}
        }
        vec![]
    }

    /// When a message was measured, if that is known.
    fn moment(&mut self, millis: u32, received: Stamp, rows: &mut Rows) -> Option<Stamp> {
        self.time.hear(millis, received);
        let stamp = self.time.stamp(millis, received);
        self.timeless += u64::from(stamp.is_none());
        let is_hosts = stamp.is_some() && self.time.told.is_none();
        if is_hosts && !std::mem::replace(&mut self.is_hosts, true) {
            rows.note(
                "the autopilot does not tell the time (SYSTEM_TIME): its count is placed by the host's clock"
                    .into(),
            );
        }
        stamp
    }

    fn tell(&mut self, rows: &mut Rows) {
        self.garbage.tell(rows);
        rows.leave_out(&[
            (
                std::mem::take(&mut self.timeless),
                "message(s) before the autopilot has told the time (SYSTEM_TIME)",
            ),
            (
                std::mem::take(&mut self.without_height),
                "place(s) whose height over the ellipsoid is not known (GPS_RAW_INT of version 2 tells it)",
            ),
        ]);
    }
}

impl Hears for Sent {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        /// So many are told at once, while nothing better comes.
        const TOLD_EACH: u64 = 1000;
        const GARBAGE_EACH: usize = 1 << 20;
        rows.say(format!("heard at {}", heard.received.iso_8601()));
        self.frames.push(&heard.payload);
        while let Some(found) = self.frames.next() {
            let whole = match found {
                Found::Garbage(count) => {
                    self.garbage.add(count);
                    continue;
                }
                Found::Damaged(_) => {
                    rows.lose(GapCause::Corrupt, 1, "a message: expected another sum");
                    self.garbage.add(1);
                    continue;
                }
                Found::Whole(whole) => whole,
            };
            let parts = frame::parts(&whole);
            let said = match message::read(&parts) {
                Ok(said) => said,
                Err(wrong) => {
                    rows.lose(
                        GapCause::Corrupt,
                        1,
                        &format!("message {}: {wrong}", parts.number),
                    );
                    continue;
                }
            };
            if matches!(said, Said::Lying { .. } | Said::Place { .. }) {
                self.system.get_or_insert(parts.system);
            }
            if self.system.is_some_and(|system| system != parts.system) {
                continue;
            }
            for (stamp, payload) in self.said(said, heard.received, rows) {
                self.tell(rows);
                rows.push(stamp, payload);
            }
        }
        if self.timeless + self.without_height > TOLD_EACH {
            self.tell(rows);
        }
        self.garbage.tell_from(GARBAGE_EACH, rows);
        true
    }

    fn torn(&mut self, rows: &mut Rows) {
        self.garbage.add(self.frames.drop_begun());
        self.tell(rows);
    }

    fn pause(&mut self, rows: &mut Rows) {
        self.torn(rows);
        for (stamp, payload) in self.epochs.give_up() {
            rows.push(stamp, payload);
        }
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::SensorKind;

    use super::super::message::tests::{ATTITUDE_2, HEARTBEAT, PLACE, QUATERNION, RECEIVER, TIME, bytes};
    use super::*;
    use crate::live::heard::tests::played;

    /// The second at which each piece is heard, and the piece.
    fn heard(pieces: &[(i64, &str)], length: usize) -> (Vec<(Stamp, Payload)>, Vec<String>, usize) {
        let origin = Origin {
            anchor: Geodetic::from_degrees(54.1, 12.1, 38.5),
            ..Origin::default()
        };
        let mut sent = Sent::new(&SensorSpec::new("rov", SensorKind::Nav), &origin);
        let pieces: Vec<(i64, Vec<u8>)> = pieces.iter().map(|(second, hex)| (*second, bytes(hex))).collect();
        let cut = pieces
            .iter()
            .flat_map(|(second, bytes)| bytes.chunks(length).map(|piece| (*second, piece)));
        played(&mut sent, cut)
    }

    #[test]
    fn place_and_attitude_of_one_moment_are_a_pose_at_the_autopilots_time() {
        let pieces = [
            (1, TIME),
            (1, RECEIVER),
            (1, HEARTBEAT),
            (1, PLACE),
            (1, ATTITUDE_2),
            (2, QUATERNION),
        ];
        for length in [1, 7, 4096] {
            let (taken, told, _) = heard(&pieces, length);
            assert!(told.is_empty(), "{told:?}");
            let pose = taken.iter().find_map(|(stamp, payload)| match payload {
                Payload::Pose(fix) => Some((stamp, fix)),
                _ => None,
            });
            let (stamp, fix) = pose.unwrap();
            // 2026-01-01T12:00:00.5 at 100 s of the count, and 0.2 s later.
            assert_eq!(stamp.nanos(), 1_767_268_800_700_000_000);
            assert!(
                fix.world_from_body.translation().norm() < 1e-6,
                "at the anchor, on the ellipsoid"
            );
        }
    }

    #[test]
    fn an_autopilot_that_never_tells_the_time_is_placed_by_the_host() {
        let pieces = [
            (10, ATTITUDE_2),
            (11, ATTITUDE_2),
            (13, QUATERNION),
            (14, QUATERNION),
        ];
        let (taken, told, asides) = heard(&pieces, 4096);
        // The quickest was heard at 10 s, of 100.2 s of the count; these are of 100.4 s.
        let stamps: Vec<i64> = taken.iter().map(|(stamp, _)| stamp.nanos() / 1_000_000).collect();
        assert_eq!(stamps, [10_200]);
        assert_eq!(asides, 1, "{told:?}");
        assert!(
            told.iter().any(|told| told.contains("2 message(s) before")),
            "{told:?}"
        );
    }

    #[test]
    fn what_is_not_known_or_damaged_is_told_and_gives_no_pose() {
        let mut damaged = ATTITUDE_2.to_owned();
        damaged.replace_range(40..41, "f");
        let pieces = [(1, TIME), (1, PLACE), (1, damaged.as_str()), (1, "00ff00fd")];
        let (taken, told, _) = heard(&pieces, 4096);
        assert!(taken.is_empty(), "{taken:?}");
        for words in [
            "1 place(s) whose height",
            "expected another sum",
            "byte(s) of no message",
        ] {
            assert!(told.iter().any(|told| told.contains(words)), "{words}: {told:?}");
        }
    }
}
