//! One sensor of a file: a channel of samples, an R2Sonic's pings, or navigation.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use beluga_types::{
    Attitude, AttitudeFix, Beam, GapCause, Geodetic, Origin, Payload, PoseFix, Profile, SensorKind,
    SensorSpec, StrengthUnit,
};

use super::framing::{Header, Xtf};
use super::packets::{Samples, SonarPing};
use super::{ATTITUDE, Content, POSITION, R2SONIC, SONAR};
use crate::error::Error;
use crate::r2sonic;
use crate::range::MAX_PAYLOAD_S;
use crate::regular;
use crate::survey::chosen;
use crate::survey::detections::WATER_M_PER_S;
use crate::survey::install;
use crate::survey::join::Joiner;
use crate::survey::played::{Datagrams, Played, Rows};

/// Speed of sound by which samples are taken to times where the file has none, in m/s.
const SPEED_M_PER_S: f64 = 1500.0;
/// What is taken of a side-scan's beam where the file says nothing: width along, tilt below the
/// horizontal and width across, in degrees.
const BEAM_DEG: [f64; 3] = [1.0, 30.0, 60.0];

/// Which of a file's sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A channel of samples, from 0.
    Channel(u16),
    /// The pings of an R2Sonic.
    R2Sonic,
    /// Positions and attitudes of packets of their own.
    Nav,
    /// What the pings themselves say of where the sonar is.
    Pings,
}

impl chosen::Part for Part {
    fn word(self) -> String {
        match self {
            Part::Channel(number) => format!("CH{}", u32::from(number) + 1),
            Part::R2Sonic => "R2SONIC".into(),
            Part::Nav => "NAV".into(),
            Part::Pings => "PING".into(),
        }
    }

    fn named(word: &str) -> Option<Self> {
        match word {
            "R2SONIC" => Some(Part::R2Sonic),
            "NAV" => Some(Part::Nav),
            "PING" => Some(Part::Pings),
            _ => Some(Part::Channel(
                word.strip_prefix("CH")?.parse::<u16>().ok()?.checked_sub(1)?,
            )),
        }
    }

    fn kind(self) -> SensorKind {
        match self {
            Part::Channel(_) | Part::R2Sonic => SensorKind::Sonar,
            Part::Nav | Part::Pings => SensorKind::Nav,
        }
    }
}

impl Part {
    /// Whether packets of this type are read for it.
    fn wants(self, kind: u8) -> bool {
        match self {
            Part::Channel(_) | Part::Pings => kind == SONAR,
            Part::R2Sonic => R2SONIC.contains(&kind),
            Part::Nav => kind == ATTITUDE || kind == POSITION,
        }
    }
}

/// The rows of the sensor that a rig's entry names, or of the only one of its kind.
///
/// # Errors
/// If this is no such file, or has no such sensor.
pub(crate) fn open(
    path: &Path,
    spec: &SensorSpec,
    origin: &Origin,
) -> Result<Played<File, Xtf, Reader>, Error> {
    let part = part_of(path, spec)?;
    let (header, walk) = super::walk(regular::open(path)?, path)?;
    let mut joiner = Joiner::new(origin.clone());
    joiner.set_antenna(header.antenna);
    let reader = Reader {
        part,
        header,
        origin: origin.clone(),
        joiner,
    };
    Ok(Played::new(walk, reader, path.to_owned()))
}

fn part_of(path: &Path, spec: &SensorSpec) -> Result<Part, Error> {
    chosen::chosen(path, spec, || Ok(super::summary(path)?.parts()))
}

/// The first place that a nav sensor of the file gives.
pub(crate) fn first_place(path: &Path, spec: &SensorSpec) -> Result<Option<Geodetic>, Error> {
    let part = part_of(path, spec)?;
    let (header, contents) = super::contents(regular::open(path)?, path)?;
    if !header.in_degrees {
        return Ok(None);
    }
    let mut places = contents.filter_map(|content| match (part, content.ok()?) {
        (Part::Nav, Content::Position(fix)) => place(fix.place, fix.height_m),
        (Part::Pings, Content::Sonar(ping)) => place(ping.place, -f64::from(ping.depth_m)),
        _ => None,
    });
    Ok(places.next())
}

/// A place of y and x in degrees; nothing where there is none yet, which files say as 0, 0.
pub(super) fn place([y, x]: [f64; 2], height_m: f64) -> Option<Geodetic> {
    let known = y.abs() <= 90.0 && x.abs() <= 180.0 && [y, x] != [0.0, 0.0];
    (known && height_m.abs() < 1e5).then(|| Geodetic::from_degrees(y, x, height_m))
}

/// The speed of sound that a file means, in m/s: some have half of it, for ranges of one way.
pub(super) fn speed_of_sound(said: f32) -> Option<f64> {
    let said = f64::from(said);
    [said, 2.0 * said]
        .into_iter()
        .find(|speed| WATER_M_PER_S.contains(speed))
}

/// Width along, tilt below the horizontal and width across of a side-scan's beam, in degrees: as the
/// file states them, or as they are taken to be.
pub(super) fn beam_deg(stated: [f32; 3]) -> [f64; 3] {
    let of = |index: usize, most: f64| {
        let value = f64::from(stated[index]);
        if value > 0.0 && value <= most {
            value
        } else {
            BEAM_DEG[index]
        }
    };
    [of(0, 180.0), of(1, 90.0), of(2, 180.0)]
}

/// One sensor's reader.
pub(crate) struct Reader {
    part: Part,
    header: Header,
    origin: Origin,
    joiner: Joiner,
}

impl Reader {
    fn samples(&self, ping: &SonarPing, samples: &Samples, rows: &mut Rows) {
        match self.profile(ping, samples) {
            Ok((profile, end_s)) => {
                let payload = Payload::Sonar(Arc::new(beluga_types::SonarPing::Profile(profile)));
                let end_nanos = (end_s * 1e9).round() as i64;
                rows.push_long(ping.stamp, Some(u64::from(ping.number)), payload, end_nanos);
            }
            Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong),
        }
    }

    /// Strength over time of one channel, and when it ends.
    fn profile(&self, ping: &SonarPing, samples: &Samples) -> Result<(Profile, f64), String> {
        let speed = speed_of_sound(ping.sound_speed);
        let count = samples.strength.len();
        let length_s = 2.0 * f64::from(samples.slant_range_m) / speed.unwrap_or(SPEED_M_PER_S);
        let first_s = f64::from(samples.delay_s);
        if count == 0 || !(length_s > 0.0 && first_s >= 0.0 && first_s + length_s <= MAX_PAYLOAD_S) {
            let range = samples.slant_range_m;
            return Err(format!(
                "expected samples over a range above 0 m, found {count} over {range} m"
            ));
        }
        if !samples.strength.iter().all(|value| value.is_finite()) {
            return Err("expected samples that are numbers, found some that are none".into());
        }
        let channel = &self.header.channels[usize::from(samples.channel)];
        let [along, tilt, across] = beam_deg(channel.beam_deg).map(f64::to_radians);
        let from_nadir = std::f64::consts::FRAC_PI_2 - tilt;
        let side = if channel.kind == 1 {
            -from_nadir
        } else {
            from_nadir
        };
        let interval_s = length_s / count as f64;
        let profile = Profile {
            strength: samples.strength.clone(),
            unit: StrengthUnit::Amplitude,
            transmitted: true,
            first_s,
            interval_s,
            beam: Beam::at(side, 0.0, [along, across], [along, across]),
            steering_rad: 0.0,
            sound_speed_m_per_s: speed,
            blanking_m: 0.0,
        };
        Ok((profile, first_s + interval_s * (count - 1) as f64))
    }

    /// Where a ping says that the sonar is.
    fn pose(&self, ping: &SonarPing, rows: &mut Rows) {
        let angles = ping.attitude_deg;
        if !self.header.in_degrees || !angles.iter().all(|angle| angle.abs() <= 360.0) {
            return rows.lose(GapCause::Corrupt, 1, "a position or an attitude that cannot be");
        }
        let turn = Attitude::from_degrees(angles.map(f64::from)).east_north_up_from_body();
        match place(ping.place, -f64::from(ping.depth_m)) {
            Some(place) => {
                let fix = PoseFix {
                    world_from_body: self.origin.world_from_body(&place, turn),
                    covariance: None,
                };
                rows.push(ping.stamp, Payload::Pose(fix));
            }
            // Before the first fix files say 0, 0; heading and altitude are then 0 too.
            None => rows.lose(GapCause::Corrupt, 0, "no position yet (0, 0), left out"),
        }
    }

    fn nav(&mut self, content: &Content, rows: &mut Rows) {
        match content {
            Content::Attitude(said) => {
                if !said.attitude_deg.iter().all(|angle| angle.abs() <= 360.0) || !said.heave_m.is_finite() {
                    return rows.lose(GapCause::Corrupt, 1, "an attitude that cannot be");
                }
                let turn = Attitude::from_degrees(said.attitude_deg.map(f64::from)).east_north_up_from_body();
                let turn = install::vessel_attitude(&turn, &self.header.motion);
                if self.header.in_degrees {
                    return self
                        .joiner
                        .attitude(said.stamp, turn, f64::from(said.heave_m), rows);
                }
                let fix = AttitudeFix {
                    world_from_body: turn,
                    covariance_rad2: None,
                };
                rows.push(said.stamp, Payload::Attitude(fix));
            }
            Content::Position(fix) if self.header.in_degrees => match place(fix.place, fix.height_m) {
                Some(place) => self.joiner.fix(fix.stamp, place, true, rows),
                None => rows.lose(GapCause::Corrupt, 0, "no position yet (0, 0), left out"),
            },
            _ => {}
        }
    }
}

impl Datagrams for Reader {
    fn take(&mut self, start: u64, whole: &[u8], rows: &mut Rows) {
        let kind = whole.get(2).copied().unwrap_or_default();
        if !self.part.wants(kind) {
            return;
        }
        rows.at(start, &format!("type {kind}"));
        let content = match super::read_whole(whole, &self.header) {
            Ok(content) => content,
            Err(wrong) => return rows.lose(GapCause::Corrupt, 1, &wrong),
        };
        match (self.part, &content) {
            (Part::Channel(own), Content::Sonar(ping)) => {
                for samples in ping.channels.iter().filter(|samples| samples.channel == own) {
                    self.samples(ping, samples, rows);
                }
            }
            (Part::Pings, Content::Sonar(ping)) => self.pose(ping, rows),
            (Part::R2Sonic, Content::R2Sonic(ping)) => r2sonic::push(ping, rows),
            (Part::Nav, content) => self.nav(content, rows),
            _ => {}
        }
    }

    fn is_own(&self, head: &[u8]) -> Option<bool> {
        let [0xce, 0xfa, kind, ..] = head else {
            return None;
        };
        Some(self.part.wants(*kind))
    }

    fn end(&mut self, rows: &mut Rows) {
        self.joiner.end(rows);
    }
}
