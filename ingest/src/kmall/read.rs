//! One sensor of a file: the swaths of a receiver, an attitude sensor, a position sensor, or the
//! speed of sound at the transducer.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use beluga_types::elementary::Squared;
use beluga_types::{
    Attitude, AttitudeFix, GapCause, Geodetic, GnssFix, Mount, Origin, Payload, PoseFix, SensorKind,
    SensorSpec, SonarPing, SoundSpeedSample, Stamp,
};
use nalgebra::{Matrix3, Matrix6, Vector3};

use super::framing::Kmall;
use super::mrz::{Kind, Swath};
use super::sensors::{Motion, Position};
use super::{Content, Reader, installation};
use crate::error::Error;
use crate::regular;
use crate::survey::chosen;
use crate::survey::detections::{self, Raw, WATER_M_PER_S};
use crate::survey::head::Look;
use crate::survey::install::{self, Installation};
use crate::survey::join::Joiner;
use crate::survey::number::PingNumber;
use crate::survey::played::{Datagrams, Played, Rows};
use crate::survey::walk::Walk;

/// Which of a file's sensors; numbers from 0, as in datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The swaths of a receiver.
    Receiver(u8),
    /// An attitude sensor.
    Motion(u8),
    /// An attitude sensor that does not say where it is, with a position sensor.
    Joined { motion: u8, position: u16 },
    /// A position sensor.
    Position(u16),
    /// The same, of a file that has its positions in the older form only.
    OldPosition(u16),
    /// Speed of sound at the transducer.
    SoundSpeed,
}

impl chosen::Part for Part {
    fn word(self) -> String {
        match self {
            Part::Receiver(number) => format!("RX{}", u16::from(number) + 1),
            Part::Motion(number) => format!("SKM{}", u16::from(number) + 1),
            Part::Joined { motion, position } => {
                Part::Motion(motion).word() + &Part::Position(position).word()
            }
            Part::Position(number) => format!("SPO{}", u32::from(number) + 1),
            Part::OldPosition(number) => format!("CPO{}", u32::from(number) + 1),
            Part::SoundSpeed => "SVT".into(),
        }
    }

    fn named(word: &str) -> Option<Self> {
        if word == "SVT" {
            return Some(Part::SoundSpeed);
        }
        if let Some(at) = word.find("SPO").filter(|at| *at > 0) {
            return match (Part::named(&word[..at])?, Part::named(&word[at..])?) {
                (Part::Motion(motion), Part::Position(position)) => Some(Part::Joined { motion, position }),
                _ => None,
            };
        }
        let (kind, number) = word.split_at_checked(if word.starts_with("RX") { 2 } else { 3 })?;
        let number: u16 = number.parse::<u16>().ok()?.checked_sub(1)?;
        let small = u8::try_from(number);
        match kind {
            "RX" => Some(Part::Receiver(small.ok()?)),
            "SKM" => Some(Part::Motion(small.ok()?)),
            "SPO" => Some(Part::Position(number)),
            "CPO" => Some(Part::OldPosition(number)),
            _ => None,
        }
    }

    fn kind(self) -> SensorKind {
        match self {
            Part::Receiver(_) => SensorKind::Sonar,
            _ => SensorKind::Nav,
        }
    }
}

impl Part {
    /// The datagrams it is made of.
    fn datagrams(self) -> &'static [&'static [u8]] {
        match self {
            Part::Receiver(_) => &[b"MRZ"],
            Part::Motion(_) => &[b"SKM"],
            Part::Joined { .. } => &[b"SKM", b"SPO"],
            Part::Position(_) => &[b"SPO"],
            Part::OldPosition(_) => &[b"CPO"],
            Part::SoundSpeed => &[b"SVT"],
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
) -> Result<Played<File, Kmall, Channel>, Error> {
    let part = part_of(path, spec)?;
    let walk = Walk::new(regular::open(path)?, Kmall, 0).map_err(Error::io(path))?;
    Ok(Played::new(
        walk,
        Channel::new(part, origin.clone()),
        path.to_owned(),
    ))
}

fn part_of(path: &Path, spec: &SensorSpec) -> Result<Part, Error> {
    chosen::chosen(path, spec, || Ok(super::summary(path)?.parts()))
}

/// The first place that a nav sensor of the file gives.
pub(crate) fn first_place(path: &Path, spec: &SensorSpec) -> Result<Option<Geodetic>, Error> {
    let part = part_of(path, spec)?;
    let contents = super::contents(regular::open(path)?, path)?;
    let mut places = contents.filter_map(|content| place(part, &content.ok()?.1));
    Ok(places.next())
}

/// A place in degrees and metres, if it has a height.
fn geodetic([lat, lon]: [f64; 2], height_m: Option<f32>) -> Option<Geodetic> {
    Some(Geodetic::from_degrees(lat, lon, f64::from(height_m?)))
}

fn place(part: Part, content: &Content) -> Option<Geodetic> {
    match (part, content) {
        (Part::Motion(own), Content::Motions(motions)) if motions.sensor == own => {
            let sample = motions.samples.iter().find(|sample| sample.has_place())?;
            geodetic(sample.place_deg, Some(sample.height_m))
        }
        (Part::Position(own) | Part::Joined { position: own, .. }, Content::Position(fix))
        | (Part::OldPosition(own), Content::OldPosition(fix))
            if fix.sensor == own && fix.is_known() =>
        {
            geodetic(fix.place_deg, fix.height_m)
        }
        _ => None,
    }
}

/// One sensor's reader.
pub(crate) struct Channel {
    part: Part,
    origin: Origin,
    reader: Reader,
    installation: Installation,
    number: PingNumber,
    joiner: Joiner,
}

impl Channel {
    pub(super) fn new(part: Part, origin: Origin) -> Self {
        Self {
            part,
            joiner: Joiner::new(origin.clone()),
            origin,
            reader: Reader::default(),
            installation: Installation::default(),
            number: PingNumber::default(),
        }
    }

    /// Whether the datagram of this type is read for this sensor.
    fn wants(&self, kind: &[u8]) -> bool {
        kind == b"IIP" || self.part.datagrams().contains(&kind)
    }

    fn swath(&mut self, stamp: Stamp, swath: &Swath, rows: &mut Rows) {
        let number = self
            .number
            .of(swath.counter, u16::from(swath.swaths), u16::from(swath.swath));
        let (transmitter, receiver) = (swath.transmitter, swath.receiver);
        let head = self
            .installation
            .head(transmitter.saturating_add(1), receiver.saturating_add(1));
        let sound_speed = f64::from(swath.sound_speed_m_per_s);
        let width = swath.width_deg.map(|width| f64::from(width).to_radians());
        let unknown = swath
            .soundings
            .iter()
            .filter(|sounding| sounding.kind != Kind::Rejected && sector(swath, sounding.sector).is_none());
        let unknown = unknown.count();
        match detections::ping(&head, sound_speed, width, raw(swath)) {
            Ok(ping) => {
                let payload = Payload::Sonar(Arc::new(SonarPing::Detections(ping.detections)));
                rows.push_long(stamp, Some(number), payload, ping.last_offset_nanos);
                if let Some(refused) = ping.refused {
                    rows.lose(GapCause::Corrupt, 0, &refused);
                }
            }
            Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong),
        }
        if unknown > 0 {
            let what = format!("{unknown} detection(s) left out: they are of sectors that the ping has not");
            rows.lose(GapCause::Corrupt, 0, &what);
        }
    }

    fn motion(&mut self, mount: &Mount, sample: &Motion, rows: &mut Rows) {
        if !sample.has_attitude() {
            return rows.lose(GapCause::Corrupt, 1, "an attitude that its sensor calls invalid");
        }
        let attitude = Attitude::from_degrees(sample.attitude_deg.map(f64::from));
        let turn = install::vessel_attitude(&attitude.east_north_up_from_body(), mount);
        if let Part::Joined { .. } = self.part {
            // Positive down in the file.
            let heave_m = Some(-f64::from(sample.heave_m)).filter(|heave| heave.is_finite());
            let heave_m = heave_m.unwrap_or(0.0);
            return self.joiner.attitude(sample.stamp, turn, heave_m, rows);
        }
        let attitude_variance = variances(sample.attitude_sigma_deg.map(|sigma| sigma.to_radians()));
        if !sample.has_place() {
            let fix = AttitudeFix {
                world_from_body: turn,
                covariance_rad2: attitude_variance,
            };
            return rows.push(sample.stamp, Payload::Attitude(fix));
        }
        let [north, east, up] = sample.place_sigma_m;
        let covariance = variances([east, north, up])
            .zip(attitude_variance)
            .map(|(place, attitude)| {
                let turn = turn.to_rotation_matrix().into_inner();
                let mut covariance = Matrix6::zeros();
                covariance.fixed_view_mut::<3, 3>(0, 0).copy_from(&attitude);
                let place = turn.transpose() * place * turn;
                covariance.fixed_view_mut::<3, 3>(3, 3).copy_from(&place);
                covariance
            });
        let [lat, lon] = sample.place_deg;
        let there = Geodetic::from_degrees(lat, lon, f64::from(sample.height_m));
        let fix = PoseFix {
            world_from_body: self.origin.world_from_body(&there, turn),
            covariance,
        };
        rows.push(
            sample.stamp,
            Payload::Pose(install::moved_to_reference(fix, mount)),
        );
    }

    fn take_content(&mut self, stamp: Stamp, content: Content, rows: &mut Rows) {
        match (self.part, content) {
            (_, Content::Installation(text)) => self.installation = installation::read(&text),
            (Part::Receiver(own), Content::Swath(swath)) if swath.receiver == own => {
                self.swath(stamp, &swath, rows);
            }
            (Part::Motion(own) | Part::Joined { motion: own, .. }, Content::Motions(motions))
                if motions.sensor == own =>
            {
                let mount = self.installation.attitudes.get(&own.saturating_add(1));
                let mount = mount.copied().unwrap_or_default();
                for sample in &motions.samples {
                    self.motion(&mount, sample, rows);
                }
            }
            (Part::Joined { position: own, .. }, Content::Position(fix))
                if fix.sensor == own && fix.is_known() =>
            {
                // The sounder has moved it to the reference point already.
                if let Some(place) = geodetic(fix.place_deg, fix.height_m) {
                    self.joiner.fix(fix.stamp.unwrap_or(stamp), place, true, rows);
                }
            }
            (Part::Joined { position: own, .. } | Part::Position(own), Content::Position(fix))
            | (Part::OldPosition(own), Content::OldPosition(fix))
                if fix.sensor == own =>
            {
                position(stamp, &fix, rows);
            }
            (Part::SoundSpeed, Content::SoundSpeeds(samples)) => {
                for sample in samples {
                    sound_speed(sample.stamp, sample.sound_speed_m_per_s, rows);
                }
            }
            _ => {}
        }
    }
}

/// The covariance of three independent sigmas, if all are known.
fn variances(sigmas: [f32; 3]) -> Option<Matrix3<f64>> {
    let known = sigmas.iter().all(|sigma| sigma.is_finite() && *sigma > 0.0);
    known.then(|| Matrix3::from_diagonal(&Vector3::from(sigmas.map(|sigma| f64::from(sigma).squared()))))
}

fn sector(swath: &Swath, number: u8) -> Option<&super::Sector> {
    swath.sectors.iter().find(|sector| sector.number == number)
}

/// The detections of a swath. Rejected ones are none: their places only fill the beam.
fn raw(swath: &Swath) -> impl Iterator<Item = Raw> {
    let detected = swath
        .soundings
        .iter()
        .filter(|sounding| sounding.kind != Kind::Rejected);
    detected.filter_map(|sounding| {
        let sector = sector(swath, sounding.sector)?;
        Some(Raw {
            look: Look {
                tilt_rad: f64::from(sector.tilt_deg).to_radians(),
                // Positive to port in the file.
                angle_rad: -f64::from(sounding.angle_deg).to_radians(),
                two_way_time_s: f64::from(sounding.two_way_time_s),
                part: usize::from(sector.part),
            },
            delay_s: f64::from(sector.delay_s),
            sector: u16::from(sounding.sector),
            level_db: sounding.level_db,
            quality: detections::quality(0.01 * f64::from(sounding.quality_percent)),
        })
    })
}

fn position(stamp: Stamp, fix: &Position, rows: &mut Rows) {
    match fix.height_m.filter(|_| fix.is_known()) {
        Some(height) => {
            let [lat, lon] = fix.place_deg;
            let payload = Payload::Gnss(GnssFix {
                place: Geodetic::from_degrees(lat, lon, f64::from(height)),
                covariance_m2: None,
            });
            rows.push(fix.stamp.unwrap_or(stamp), payload);
        }
        None => rows.lose(
            GapCause::Corrupt,
            1,
            "a position that is not known, or without a height",
        ),
    }
}

fn sound_speed(stamp: Stamp, speed: f32, rows: &mut Rows) {
    let sound_speed_m_per_s = f64::from(speed);
    if WATER_M_PER_S.contains(&sound_speed_m_per_s) {
        let sample = SoundSpeedSample {
            sound_speed_m_per_s,
            depth_m: None,
        };
        return rows.push(stamp, Payload::SoundSpeed(sample));
    }
    let (least, most) = WATER_M_PER_S.into_inner();
    let what = format!("expected a speed of sound of {least} to {most} m/s, found {speed}");
    rows.lose(GapCause::Corrupt, 1, &what);
}

impl Datagrams for Channel {
    fn take(&mut self, start: u64, whole: &[u8], rows: &mut Rows) {
        let kind = whole.get(5..8).unwrap_or_default();
        if !self.wants(kind) {
            return;
        }
        rows.at(start, &String::from_utf8_lossy(&whole[4..8]));
        let given = self.reader.read(whole);
        if let Some(lost) = given.lost {
            rows.lose(GapCause::Missing, 1, &lost);
        }
        match given.content {
            Ok(content) => self.take_content(given.stamp, content, rows),
            Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong),
        }
    }

    fn is_own(&self, head: &[u8]) -> Option<bool> {
        let kind = head.get(4..8).filter(|kind| kind[0] == b'#')?;
        Some(self.wants(&kind[1..]))
    }

    fn end(&mut self, rows: &mut Rows) {
        if let Some(lost) = self.reader.end() {
            rows.lose(GapCause::Truncated, 1, &lost);
        }
        self.joiner.end(rows);
    }
}
