//! Poses as a unit says them.

use beluga_types::{GapCause, Origin, Payload, SensorSpec, Stamp};

use super::frame::{self, Ecom};
use super::message::{self, Said};
use crate::capture::Datagram;
use crate::live::frames::{Found, Frames};
use crate::live::heard::Hears;
use crate::nmea::{Epochs, Lying};
use crate::survey::played::Rows;

/// The class of measurements.
const MEASUREMENTS: u8 = 0;

/// The poses of a unit that is heard now.
#[derive(Debug)]
pub(crate) struct Sent {
    frames: Frames<Ecom>,
    epochs: Epochs,
    /// A moment of the unit's own count, and what time it was.
    time: Option<(u32, Stamp)>,
    /// Bytes of no message, messages before a time was told, and those of a filter that has not settled,
    /// since each was told.
    garbage: usize,
    timeless: u64,
    unknown: u64,
    /// When the place was that came last, and those that came once more since that was told.
    last_place: Option<Stamp>,
    twice: u64,
}

impl Sent {
    pub(crate) fn new(spec: &SensorSpec, origin: &Origin) -> Self {
        Self {
            frames: Frames::default(),
            epochs: Epochs::new(origin.clone(), spec.mount),
            time: None,
            garbage: 0,
            timeless: 0,
            unknown: 0,
            last_place: None,
            twice: 0,
        }
    }

    /// When this moment of the unit's count was.
    fn stamp(&mut self, micros: u32) -> Option<Stamp> {
        let Some((then, stamp)) = self.time else {
            self.timeless += 1;
            return None;
        };
        // The count comes round: within half of its 71 minutes the difference is right.
        let since = micros.wrapping_sub(then).cast_signed();
        Some(stamp.shifted_nanos(i64::from(since) * 1000))
    }

    fn said(&mut self, said: Said) -> Vec<(Stamp, Payload)> {
        match said {
            Said::Time {
                micros,
                stamp: Some(stamp),
            } => self.time = Some((micros, stamp)),
            Said::Lying {
                micros,
                lying: Some((turn, sigma_rad)),
            } => {
                if let Some(stamp) = self.stamp(micros) {
                    return self.epochs.attitude(Lying {
                        stamp,
                        turn,
                        sigma_rad: Some(sigma_rad),
                    });
                }
            }
            Said::Place {
                micros,
                place: Some((place, sigma_m)),
            } => {
                if let Some(stamp) = self.stamp(micros) {
                    if self.last_place.replace(stamp) == Some(stamp) {
                        self.twice += 1;
                        return vec![];
                    }
                    self.epochs.errors(sigma_m.into());
                    return self.epochs.place(stamp, place);
                }
            }
            Said::Time { stamp: None, .. }
            | Said::Lying { lying: None, .. }
            | Said::Place { place: None, .. } => {
                self.unknown += 1;
            }
            Said::Other => {}
        }
        vec![]
    }

    fn tell(&mut self, rows: &mut Rows) {
        rows.leave_out(&[
            (
                std::mem::take(&mut self.garbage) as u64,
                "byte(s) of no message left out",
            ),
            (
                std::mem::take(&mut self.timeless),
                "message(s) before the unit has told the time (UTC_TIME)",
            ),
            (
                std::mem::take(&mut self.unknown),
                "message(s) of a unit that does not know its time, attitude or place yet",
            ),
            (
                std::mem::take(&mut self.twice),
                "place(s) a second time, left out",
            ),
        ]);
    }
}

impl Hears for Sent {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        /// So many are told at once, while nothing better comes.
        const TOLD_EACH: u64 = 1000;
        rows.say(format!("heard at {}", heard.received.iso_8601()));
        self.frames.push(&heard.payload);
        while let Some(found) = self.frames.next() {
            let whole = match found {
                Found::Garbage(count) => {
                    self.garbage += count;
                    continue;
                }
                Found::Damaged(head) => {
                    let what = format!("message {}: expected another sum", frame::kind(&head).0);
                    rows.lose(GapCause::Corrupt, 1, &what);
                    continue;
                }
                Found::Whole(whole) => whole,
            };
            let (number, class) = frame::kind(&whole);
            if class != MEASUREMENTS {
                continue;
            }
            match message::read(number, frame::payload(&whole)) {
                Ok(said) => {
                    for (stamp, payload) in self.said(said) {
                        self.tell(rows);
                        rows.push(stamp, payload);
                    }
                }
                Err(wrong) => rows.lose(GapCause::Corrupt, 1, &format!("message {number}: {wrong}")),
            }
        }
        if self.timeless + self.unknown + self.twice + self.garbage as u64 / 100 > TOLD_EACH {
            self.tell(rows);
        }
        true
    }

    fn torn(&mut self, rows: &mut Rows) {
        self.garbage += self.frames.drop_begun();
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
    use beluga_types::{Geodetic, SensorKind};

    use super::super::frame::framed;
    use super::*;
    use crate::live::heard::tests::played;

    /// Status of a filter that knows all.
    const KNOWN: u32 = 0xf4;

    fn floats(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// 2026-01-01T12:00:00.5, with the leap seconds known.
    fn time(micros: u32) -> Vec<u8> {
        let mut payload = [micros.to_le_bytes().as_slice(), &(2u16 << 6).to_le_bytes()].concat();
        payload.extend(2026u16.to_le_bytes());
        payload.extend([1, 1, 12, 0, 0]);
        payload.extend(500_000_000u32.to_le_bytes());
        payload.extend([0; 16]);
        framed(2, &payload)
    }

    fn euler(micros: u32, status: u32) -> Vec<u8> {
        let mut payload = micros.to_le_bytes().to_vec();
        payload.extend(floats(&[0.1, -0.2, 1.0, 0.001, 0.002, 0.003]));
        payload.extend(status.to_le_bytes());
        payload.extend([0; 8]);
        framed(6, &payload)
    }

    fn place(micros: u32) -> Vec<u8> {
        let mut payload = micros.to_le_bytes().to_vec();
        payload.extend(floats(&[0.0; 6]));
        payload.extend(
            [54.1, 12.1, 1.2]
                .iter()
                .flat_map(|number: &f64| number.to_le_bytes()),
        );
        payload.extend(floats(&[37.3, 0.02, 0.03, 0.04]));
        payload.extend(KNOWN.to_le_bytes());
        framed(8, &payload)
    }

    fn heard(pieces: &[Vec<u8>], length: usize) -> (Vec<(Stamp, Payload)>, usize) {
        let origin = Origin {
            anchor: Geodetic::from_degrees(54.1, 12.1, 38.5),
            ..Origin::default()
        };
        let mut sent = Sent::new(&SensorSpec::new("ins", SensorKind::Nav), &origin);
        let bytes = pieces.concat();
        let (taken, told, _) = played(&mut sent, bytes.chunks(length).map(|piece| (0, piece)));
        (taken, told.len())
    }

    #[test]
    fn place_and_attitude_of_one_moment_are_a_pose_at_the_units_time() {
        let noon = 1_767_268_800_500_000_000;
        // The count comes round between the time and the pose.
        let pieces = [
            time(u32::MAX - 99_999),
            euler(100_000, KNOWN),
            place(100_000),
            euler(300_000, KNOWN),
        ];
        for length in [1, 7, 4096] {
            let (taken, lost) = heard(&pieces, length);
            let pose = taken.iter().find_map(|(stamp, payload)| match payload {
                Payload::Pose(fix) => Some((stamp, fix)),
                _ => None,
            });
            let (stamp, fix) = pose.unwrap();
            assert_eq!((stamp.nanos(), lost), (noon + 200_000_000, 0));
            assert!(
                fix.world_from_body.translation().norm() < 1e-6,
                "at the anchor, on the ellipsoid"
            );
            let expected = beluga_types::Attitude {
                roll_rad: f64::from(0.1f32),
                pitch_rad: f64::from(-0.2f32),
                heading_rad: 1.0,
            };
            let turn = fix.world_from_body.rotation();
            assert!(turn.angle_to(&expected.east_north_up_from_body()) < 1e-9);
            let sigma = fix.covariance.unwrap().diagonal().map(f64::sqrt);
            assert!(
                (sigma[0] - 0.001).abs() < 1e-6 && (sigma.fixed_rows::<3>(3).norm() - 0.0539).abs() < 1e-3
            );
        }
    }

    #[test]
    fn a_pose_of_before_the_time_was_told_is_earlier() {
        let pieces = [
            time(300_000),
            euler(200_000, KNOWN),
            place(200_000),
            euler(400_000, KNOWN),
        ];
        let (taken, _) = heard(&pieces, 4096);
        let pose = taken
            .iter()
            .find(|(_, payload)| matches!(payload, Payload::Pose(_)));
        assert_eq!(pose.unwrap().0.nanos(), 1_767_268_800_400_000_000);
    }

    #[test]
    fn a_quaternion_says_the_same_as_its_angles() {
        let turn = nalgebra::UnitQuaternion::from_euler_angles(0.1, -0.2, 1.0);
        let mut payload = 100_000u32.to_le_bytes().to_vec();
        let [w, x, y, z] = [turn.w, turn.i, turn.j, turn.k].map(|number: f64| number as f32);
        payload.extend(floats(&[w, x, y, z, 0.001, 0.002, 0.003]));
        payload.extend(KNOWN.to_le_bytes());
        let by_angles = message::read(6, frame::payload(&euler(100_000, KNOWN))).unwrap();
        let by_turn = message::read(7, &payload).unwrap();
        let (
            Said::Lying {
                lying: Some((one, _)),
                ..
            },
            Said::Lying {
                lying: Some((other, _)),
                ..
            },
        ) = (by_angles, by_turn)
        else {
            panic!("no attitudes");
        };
        assert!(one.angle_to(&other) < 1e-6);
        assert!(message::read(7, &[0; 36]).unwrap_err().contains("length 1"));
    }

    #[test]
    fn what_is_not_known_or_damaged_is_counted_and_gives_no_pose() {
        // Before any time; a filter that has not settled; a changed byte; nothing at all.
        let mut damaged = euler(2, KNOWN);
        damaged[20] ^= 4;
        let (taken, lost) = heard(
            &[
                euler(1, KNOWN),
                time(5),
                euler(2, 0x12),
                damaged,
                b"noise".to_vec(),
            ],
            4096,
        );
        assert!(taken.is_empty() && lost >= 4, "{taken:?} {lost}");
        for whole in [time(1), euler(1, KNOWN), place(1)] {
            let (number, _) = frame::kind(&whole);
            let payload = frame::payload(&whole);
            (0..payload.len().min(32)).for_each(|cut| drop(message::read(number, &payload[..cut])));
        }
        let nan = floats(&[f32::NAN; 10]);
        assert!(message::read(6, &nan).is_err());
    }
}
