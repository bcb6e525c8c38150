//! Poses as a POS MV says them.

use beluga_types::{GapCause, Origin, Payload, SensorSpec, Stamp};
use nalgebra::Vector3;

use super::frame::{self, PosMv};
use super::message::{self, OfWeek, Said, WEEK_S};
use crate::capture::Datagram;
use crate::live::frames::{Found, Frames, Garbage};
use crate::live::heard::Hears;
use crate::nmea::{Epochs, Lying};
use crate::survey::played::Rows;

/// 1980-01-06, when GPS's weeks began, in seconds of Unix time.
const EPOCH_S: i64 = 315_964_800;

/// The poses of a unit that is heard now.
#[derive(Debug)]
pub(crate) struct Sent {
    frames: Frames<PosMv>,
    epochs: Epochs,
    /// The week, and seconds of it when that was told.
    week: Option<(u32, f64)>,
    /// One sigma of roll, pitch and heading.
    sigma_rad: Option<Vector3<f64>>,
    garbage: Garbage,
    left_out: LeftOut,
}

/// Groups that give no pose, since that was told.
#[derive(Debug, Default)]
struct LeftOut {
    timeless: u64,
    unsure: u64,
    unknown: u64,
}

impl Sent {
    pub(crate) fn new(spec: &SensorSpec, origin: &Origin) -> Self {
        Self {
            frames: Frames::default(),
            epochs: Epochs::new(origin.clone(), spec.mount),
            week: None,
            sigma_rad: None,
            garbage: Garbage::default(),
            left_out: LeftOut::default(),
        }
    }

    /// When this was, if the week is known: it may be another by now than when that was told.
    fn stamp(&self, time: OfWeek) -> Option<Stamp> {
        let (week, then_s) = self.week?;
        let since_weeks = ((then_s - time.seconds) / WEEK_S).round() as i64;
        let whole_s = (i64::from(week) + since_weeks) * WEEK_S as i64 + time.seconds.trunc() as i64;
        match time.is_utc {
            true => {
                let nanos = (time.seconds.fract() * 1e9).round() as i64;
                let unix_s = EPOCH_S + whole_s;
                Some(Stamp::from_nanos(unix_s * 1_000_000_000 + nanos))
            }
            false => Stamp::from_gps(whole_s, time.seconds.fract()),
        }
    }

    /// What a whole group gives.
    fn group(&mut self, number: u16, whole: &[u8]) -> Result<Vec<(Stamp, Payload)>, String> {
        let (times, data) = frame::parts(whole).ok_or("expected times, found the end")?;
        match message::read(number, data)? {
            Said::Lies(Some((turn, place))) => {
                let Some(stamp) = message::time(times)?.and_then(|time| self.stamp(time)) else {
                    self.left_out.timeless += 1;
                    return Ok(vec![]);
                };
                if self.sigma_rad.is_none() {
                    self.left_out.unsure += 1;
                    return Ok(vec![]);
                }
                let mut given = self.epochs.place(stamp, place);
                given.extend(self.epochs.attitude(Lying {
                    stamp,
                    turn,
                    sigma_rad: self.sigma_rad,
                }));
                return Ok(given);
            }
            Said::Sigma(Some(sigma)) => {
                self.epochs.errors(sigma.place_m.into());
                self.sigma_rad = Some(sigma.attitude_rad);
            }
            Said::Week(Some(week)) => {
                self.week = message::time(times)?.map(|time| (week, time.seconds));
            }
            Said::Lies(None) | Said::Sigma(None) | Said::Week(None) => self.left_out.unknown += 1,
            Said::Other => {}
        }
        Ok(vec![])
    }

    fn tell(&mut self, rows: &mut Rows) {
        self.garbage.tell(rows);
        let LeftOut {
            timeless,
            unsure,
            unknown,
        } = std::mem::take(&mut self.left_out);
        rows.leave_out(&[
            (
                timeless,
                "pose(s) before the unit has told the week (group 3) and UTC or GPS time",
            ),
            (
                unsure,
                "pose(s) before the unit has told how good they are (group 2)",
            ),
            (
                unknown,
                "group(s) of a unit that does not know its place, attitude or week yet",
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
            match found {
                Found::Garbage(count) => self.garbage.add(count),
                Found::Damaged(head) => {
                    let number = frame::group(&head).map_or("?".into(), |number| number.to_string());
                    let what = format!("group {number}: expected another sum");
                    rows.lose(GapCause::Corrupt, 1, &what);
                }
                Found::Whole(whole) => {
                    let Some(number) = frame::group(&whole) else {
                        continue;
                    };
                    match self.group(number, &whole) {
                        Ok(given) => {
                            for (stamp, payload) in given {
                                self.tell(rows);
                                rows.push(stamp, payload);
                            }
                        }
                        Err(wrong) => rows.lose(GapCause::Corrupt, 1, &format!("group {number}: {wrong}")),
                    }
                }
            }
        }
        let LeftOut {
            timeless,
            unsure,
            unknown,
        } = self.left_out;
        if timeless + unsure + unknown > TOLD_EACH {
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
    use beluga_types::{Attitude, Geodetic, SensorKind};

    use super::super::frame::tests::framed;
    use super::*;
    use crate::live::heard::tests::played;

    const GPS: u8 = 1;
    const UTC: u8 = 2;

    /// A group with both times and what stands behind them.
    fn group(number: u16, kinds: u8, seconds: f64, data: &[u8]) -> Vec<u8> {
        let mut content = [seconds, 12.5, 0.0]
            .iter()
            .flat_map(|number: &f64| number.to_le_bytes())
            .collect::<Vec<u8>>();
        content.extend([kinds, 1]);
        content.extend(data);
        framed(*b"$GRP", number, &content)
    }

    fn lies(kinds: u8, seconds: f64, height_m: f64, alignment: u8) -> Vec<u8> {
        let mut data = vec![];
        let mut doubles =
            |numbers: &[f64]| data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        doubles(&[54.1, 12.1, height_m]);
        // Velocity north, east, down.
        data.extend([0; 12]);
        let mut doubles =
            |numbers: &[f64]| data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        doubles(&[3.0, -2.0, 90.0, 0.0]);
        data.extend([0; 8 + 24]);
        data.push(alignment);
        group(1, kinds, seconds, &data)
    }

    fn sigma() -> Vec<u8> {
        let floats = [
            0.02_f32, 0.03, 0.05, 0.0, 0.0, 0.0, 0.02, 0.02, 0.05, 0.0, 0.0, 0.0,
        ];
        let data: Vec<u8> = floats.iter().flat_map(|number| number.to_le_bytes()).collect();
        group(2, UTC, 0.0, &data)
    }

    /// Two channels.
    fn week(kinds: u8, seconds: f64, week: u32) -> Vec<u8> {
        let mut data = vec![4, 2];
        data.extend(40u16.to_le_bytes());
        data.extend([0; 40 + 14]);
        data.extend(week.to_le_bytes());
        data.extend([0; 8 + 4 + 4 + 2 + 4]);
        group(3, kinds, seconds, &data)
    }

    fn heard(pieces: &[Vec<u8>], length: usize) -> (Vec<(Stamp, Payload)>, Vec<String>) {
        let origin = Origin {
            anchor: Geodetic::from_degrees(54.1, 12.1, 38.5),
            ..Origin::default()
        };
        let mut sent = Sent::new(&SensorSpec::new("pos", SensorKind::Nav), &origin);
        let bytes = pieces.concat();
        let (taken, told, _) = played(&mut sent, bytes.chunks(length).map(|piece| (0, piece)));
        (taken, told)
    }

    #[test]
    fn a_group_is_a_pose_at_its_own_time_with_the_units_own_sigmas() {
        // Week 2399 begins on 2025-12-28; its 4th day at noon is 2025-12-31T12:00:00.25.
        let of_week = 3.0 * 86_400.0 + 43_200.25;
        let noon = 1_767_182_400_250_000_000;
        let answers = framed(*b"$MSG", 20, &[0; 84]);
        for (kinds, ahead_s) in [(UTC, 0.0), (GPS, 18.0), (UTC << 4, 0.0)] {
            let time = of_week + ahead_s;
            let mut pieces = [
                week(kinds, time - 0.5, 2399),
                answers.clone(),
                sigma(),
                lies(kinds, time, 38.5, 0),
            ];
            if kinds == UTC << 4 {
                // Time 1 is the unit's own: time 2 counts.
                for (piece, seconds) in [(0, time - 0.5), (3, time)] {
                    let piece = &mut pieces[piece];
                    let kept = piece.len() - 4;
                    let mut content = piece[8..kept].to_vec();
                    content[..8].copy_from_slice(&7.0_f64.to_le_bytes());
                    content[8..16].copy_from_slice(&seconds.to_le_bytes());
                    let number = u16::from_le_bytes([piece[4], piece[5]]);
                    *piece = framed(*b"$GRP", number, &content);
                }
            }
            for length in [1, 7, 4096] {
                let (taken, told) = heard(&pieces, length);
                let [(stamp, Payload::Pose(fix))] = &taken[..] else {
                    panic!("{taken:?} {told:?}");
                };
                assert_eq!((stamp.nanos(), told.len()), (noon, 0), "{told:?}");
                assert!(fix.world_from_body.translation().norm() < 1e-6, "at the anchor");
                let expected = Attitude::from_degrees([3.0, -2.0, 90.0]).east_north_up_from_body();
                assert!(fix.world_from_body.rotation().angle_to(&expected) < 1e-12);
                let sigma = fix.covariance.unwrap().diagonal().map(f64::sqrt);
                // East, north, up.
                for (found, expected) in sigma.fixed_rows::<3>(3).iter().zip([0.03, 0.02, 0.05]) {
                    assert!((found - expected).abs() < 1e-3, "{sigma}");
                }
                assert!((sigma[2] - 0.05_f64.to_radians()).abs() < 1e-6, "{sigma}");
            }
        }
    }

    #[test]
    fn a_week_that_begins_before_it_is_told_is_the_next() {
        let end = 604_799.9;
        let pieces = [week(UTC, end, 2398), sigma(), lies(UTC, 0.1, 38.5, 1)];
        let (taken, _) = heard(&pieces, 4096);
        // 2025-12-28T00:00:00.1
        assert_eq!(taken[0].0.nanos(), 1_766_880_000_100_000_000);
    }

    #[test]
    fn what_is_not_known_or_damaged_is_told_and_gives_no_pose() {
        let mut damaged = lies(UTC, 1.0, 38.5, 0);
        damaged[40] ^= 4;
        let pieces = [
            lies(UTC, 0.5, 38.5, 0),
            week(UTC, 0.6, 2399),
            lies(UTC, 0.7, 38.5, 0),
            week(UTC, 0.8, 0),
            sigma(),
            lies(UTC, 0.9, 38.5, 7),
            lies(UTC, 0.95, f64::NAN, 0),
            lies(0, 0.97, 38.5, 0),
            lies(UTC, 1e6, 38.5, 0),
            damaged,
            b"noise".to_vec(),
        ];
        let (taken, told) = heard(&pieces, 4096);
        assert!(taken.is_empty(), "{taken:?}");
        for words in [
            "2 pose(s) before the unit has told the week (group 3)",
            "1 pose(s) before the unit has told how good they are (group 2)",
            "3 group(s) of a unit that does not know",
            "group 1: expected seconds of a week",
            "group 1: expected another sum",
            "byte(s) of no message",
        ] {
            assert!(told.iter().any(|told| told.contains(words)), "{words}: {told:?}");
        }
        for whole in [lies(UTC, 0.5, 38.5, 0), sigma(), week(UTC, 1.0, 2399)] {
            let (times, data) = frame::parts(&whole).unwrap();
            let number = frame::group(&whole).unwrap();
            (0..times.len()).for_each(|cut| drop(message::time(&times[..cut])));
            (0..data.len()).for_each(|cut| drop(message::read(number, &data[..cut])));
        }
    }
}
