//! Profiles as they come, from a network or a serial port.

use std::f64::consts::PI;
use std::sync::Arc;

use beluga_types::{Beam, GapCause, Payload, Profile, SensorSpec, SonarPing, StrengthUnit};

use super::frame::{self, Message, Ping};
use super::message::{self, Look, Said, Stretch};
use crate::capture::Datagram;
use crate::live::frames::{Found, Frames, Garbage};
use crate::live::heard::Hears;
use crate::range::MAX_PAYLOAD_S;
use crate::survey::detections::WATER_M_PER_S;
use crate::survey::played::Rows;

/// The speed of sound that devices take unless they are told another, in m/s.
const SPEED_M_PER_S: f64 = 1500.0;
/// Widths of beams along and across where a rig names none (`beams`), as their maker publishes them: of
/// a Ping1D, a Ping2, a Ping360 (the wide side is along the axis it turns about). An S500 is narrower
/// than a Ping1D, whose width is taken.
const PING1D_DEG: [f64; 2] = [30.0, 30.0];
const PING2_DEG: [f64; 2] = [25.0, 25.0];
const PING360_DEG: [f64; 2] = [25.0, 2.0];
/// Echoes nearer than this are the device's own ringing, in metres: the least range that the maker
/// states of a Ping1D and of a Ping360.
const SOUNDER_BLANKING_M: f64 = 0.3;
const PING360_BLANKING_M: f64 = 0.75;

/// The profiles of a device that is heard now.
#[derive(Debug)]
pub(crate) struct Sent {
    frames: Frames<Ping>,
    speed_m_per_s: f64,
    /// Where a sounder looks, and how a turning head looks where it says 0.
    beams: [Beam; 2],
    /// Bytes that are no message, since that was told.
    garbage: Garbage,
}

impl Sent {
    pub(crate) fn new(spec: &SensorSpec) -> Self {
        let named = spec.beams.as_ref().and_then(|beams| beams.first().copied());
        let is_two = spec
            .model
            .as_deref()
            .is_some_and(|model| model.eq_ignore_ascii_case("Ping2"));
        let sounder = if is_two { PING2_DEG } else { PING1D_DEG };
        let beams = [sounder, PING360_DEG].map(|deg| {
            let width = deg.map(|deg| deg * PI / 180.0);
            named.unwrap_or_else(|| Beam::at(0.0, 0.0, width, width))
        });
        Self {
            frames: Frames::default(),
            speed_m_per_s: SPEED_M_PER_S,
            beams,
            garbage: Garbage::default(),
        }
    }

    fn said(&mut self, said: Said, heard: &Datagram, rows: &mut Rows) {
        let (number, profile) = match said {
            Said::Profile(stretch) => (Some(u64::from(stretch.number)), self.stretch(stretch)),
            Said::Head(look) => (None, Ok(self.look(look))),
            Said::SoundSpeed(speed) => {
                if WATER_M_PER_S.contains(&speed) {
                    self.speed_m_per_s = speed;
                }
                return;
            }
            Said::Device(said) => {
                rows.device(said);
                return;
            }
            Said::Other => return,
        };
        let profile = profile.and_then(|profile| {
            let last_s = profile.first_s + profile.interval_s * profile.strength.len().max(1) as f64;
            match profile.strength.is_empty() || last_s > MAX_PAYLOAD_S {
                true => Err(format!(
                    "expected values over {MAX_PAYLOAD_S} s at the most, found {} over {last_s} s",
                    profile.strength.len()
                )),
                false => Ok((profile, (last_s * 1e9).round() as i64)),
            }
        });
        match profile {
            Ok((profile, last_nanos)) => {
                // Devices have no clock: the profile is taken to be sent when its last echo has come.
                let stamp = heard.received.shifted_nanos(-last_nanos);
                let payload = Payload::Sonar(Arc::new(SonarPing::Profile(profile)));
                rows.push_long(stamp, number, payload, last_nanos);
            }
            Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong),
        }
    }

    /// A stretch in metres: times by the speed that the device takes.
    fn stretch(&self, stretch: Stretch) -> Result<Profile, String> {
        if stretch.strength.is_empty() || stretch.length_m <= 0.0 {
            let (count, length) = (stretch.strength.len(), stretch.length_m);
            return Err(format!(
                "expected values over a length, found {count} over {length} m"
            ));
        }
        let time = |range_m: f64| 2.0 * range_m / self.speed_m_per_s;
        Ok(Profile {
            first_s: time(stretch.start_m),
            interval_s: time(stretch.length_m) / stretch.strength.len() as f64,
            unit: match stretch.in_decibels {
                true => StrengthUnit::Decibel,
                false => StrengthUnit::Amplitude,
            },
            strength: stretch.strength,
            transmitted: true,
            beam: self.beams[0],
            steering_rad: 0.0,
            sound_speed_m_per_s: None,
            blanking_m: SOUNDER_BLANKING_M,
        })
    }

    fn look(&self, look: Look) -> Profile {
        Profile {
            strength: look.strength,
            unit: StrengthUnit::Amplitude,
            transmitted: true,
            first_s: 0.0,
            interval_s: look.interval_s,
            beam: self.beams[1],
            steering_rad: look.angle_rad,
            sound_speed_m_per_s: None,
            blanking_m: PING360_BLANKING_M,
        }
    }
}

impl Hears for Sent {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        /// So many are told at once, while no message comes.
        const TOLD_EACH: usize = 1 << 16;
        rows.say(format!("heard at {}", heard.received.iso_8601()));
        self.frames.push(&heard.payload);
        while let Some(found) = self.frames.next() {
            match found {
                Found::Garbage(count) => self.garbage.add(count),
                Found::Damaged(head) => {
                    let what = format!("message {}: expected another sum", frame::id(&head));
                    rows.lose(GapCause::Corrupt, 1, &what);
                }
                Found::Whole(whole) => {
                    let message = Message::of(&whole);
                    self.garbage.tell(rows);
                    match message::read(&message) {
                        Ok(said) => self.said(said, heard, rows),
                        Err(wrong) => {
                            let what = format!("message {}: {wrong}", message.id);
                            rows.lose(GapCause::Corrupt, 1, &what);
                        }
                    }
                }
            }
        }
        self.garbage.tell_from(TOLD_EACH, rows);
        true
    }

    fn torn(&mut self, rows: &mut Rows) {
        self.garbage.add(self.frames.drop_begun());
        self.garbage.tell(rows);
    }

    fn pause(&mut self, rows: &mut Rows) {
        self.torn(rows);
    }
}
