//! One sensor of a file: a receiver, attitudes and positions together or alone, or the speed of sound.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use beluga_types::{
    Attitude, AttitudeFix, GapCause, Geodetic, GnssFix, Origin, Payload, SensorKind, SensorSpec, SonarPing,
    SoundSpeedSample, Stamp,
};

use super::framing::All;
use super::installation::{self, Installed};
use super::{Attitudes, Content, Datagram, Position, Ranges};
use crate::error::Error;
use crate::regular;
use crate::survey::chosen;
use crate::survey::detections::{self, Raw, WATER_M_PER_S};
use crate::survey::head::Look;
use crate::survey::install;
use crate::survey::join::Joiner;
use crate::survey::number::PingNumber;
use crate::survey::played::{Datagrams, Played, Rows};
use crate::survey::walk::Walk;

/// Which of a file's sensors; numbers from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The swaths of a receiver.
    Receiver(u8),
    /// Attitude and position sensors, together or alone.
    Nav {
        attitude: Option<AttitudeSensor>,
        position: Option<u8>,
    },
    /// Speed of sound at the head.
    SoundSpeed,
}

/// An attitude sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttitudeSensor {
    /// On the network: `n`, else `A`.
    pub(crate) network: bool,
    pub(crate) number: u8,
}

impl chosen::Part for Part {
    fn word(self) -> String {
        match self {
            Part::Receiver(number) => format!("RX{number}"),
            Part::Nav { attitude, position } => {
                let attitude = attitude.map_or(String::new(), |sensor| {
                    format!("{}{}", if sensor.network { 'n' } else { 'A' }, sensor.number)
                });
                attitude + &position.map_or(String::new(), |number| format!("P{number}"))
            }
            Part::SoundSpeed => "G".into(),
        }
    }

    fn named(word: &str) -> Option<Self> {
        if word == "G" {
            return Some(Part::SoundSpeed);
        }
        if let Some(number) = word.strip_prefix("RX") {
            return Some(Part::Receiver(number.parse().ok()?));
        }
        let (attitude, position) = match word.find('P') {
            Some(at) => (&word[..at], Some(word[at + 1..].parse().ok()?)),
            None => (word, None),
        };
        let attitude = match attitude.split_at_checked(1) {
            Some((kind @ ("A" | "n"), number)) => Some(AttitudeSensor {
                network: kind == "n",
                number: number.parse().ok()?,
            }),
            None => None,
            Some(_) => return None,
        };
        (attitude.is_some() || position.is_some()).then_some(Part::Nav { attitude, position })
    }

    fn kind(self) -> SensorKind {
        match self {
            Part::Receiver(_) => SensorKind::Sonar,
            _ => SensorKind::Nav,
        }
    }
}

impl Part {
    /// Whether datagrams of this type are read for it.
    fn wants(self, kind: u8) -> bool {
        match kind {
            b'I' | b'i' => true,
            b'N' | b'R' => matches!(self, Part::Receiver(_)),
            b'A' => matches!(self, Part::Nav { attitude: Some(sensor), .. } if !sensor.network),
            b'n' => matches!(self, Part::Nav { attitude: Some(sensor), .. } if sensor.network),
            b'P' => matches!(
                self,
                Part::Nav {
                    position: Some(_),
                    ..
                }
            ),
            b'G' => self == Part::SoundSpeed,
            _ => false,
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
) -> Result<Played<File, All, Channel>, Error> {
    let part = part_of(path, spec)?;
    let mut file = regular::open(path)?;
    let order = super::order(&mut file, path)?;
    let walk = Walk::new(file, order, 0).map_err(Error::io(path))?;
    let channel = Channel {
        part,
        order,
        installed: Installed::default(),
        heads: Heads::default(),
        width_rad: [0.0; 2],
        number: PingNumber::default(),
        joiner: Joiner::new(origin.clone()),
    };
    Ok(Played::new(walk, channel, path.to_owned()))
}

fn part_of(path: &Path, spec: &SensorSpec) -> Result<Part, Error> {
    chosen::chosen(path, spec, || Ok(super::summary(path)?.parts()))
}

/// The first place that a nav sensor of the file gives.
pub(crate) fn first_place(path: &Path, spec: &SensorSpec) -> Result<Option<Geodetic>, Error> {
    let Part::Nav {
        position: Some(own), ..
    } = part_of(path, spec)?
    else {
        return Ok(None);
    };
    let datagrams = super::datagrams(regular::open(path)?, path)?;
    let mut places = datagrams.filter_map(|datagram| match datagram.ok()?.content {
        Content::Position(fix) if fix.sensor == own => Some(place(&fix)),
        _ => None,
    });
    Ok(places.next())
}

fn place(fix: &Position) -> Geodetic {
    let [lat, lon] = fix.place_deg;
    Geodetic::from_degrees(lat, lon, fix.height_m.unwrap_or(0.0))
}

/// The heads of a file by their serial numbers: as the installation numbers them, else as they come.
#[derive(Debug, Default)]
pub(super) struct Heads {
    met: Vec<u16>,
}

impl Heads {
    /// The number of a head, from 1.
    pub(super) fn number(&mut self, serial: u16, installed: &Installed) -> u8 {
        const MOST: usize = 16;
        if let Some(number) = installed.head_of(serial) {
            return number;
        }
        let known = self.met.iter().position(|met| *met == serial);
        let at = known.unwrap_or(self.met.len());
        if known.is_none() && self.met.len() < MOST {
            self.met.push(serial);
        }
        at as u8 + 1
    }
}

/// One sensor's reader.
pub(crate) struct Channel {
    part: Part,
    order: All,
    installed: Installed,
    heads: Heads,
    /// As the last runtime parameters have them; 0 before.
    width_rad: [f64; 2],
    number: PingNumber,
    joiner: Joiner,
}

impl Channel {
    fn ping(&mut self, datagram: &Datagram, ranges: &Ranges, rows: &mut Rows) {
        let number = self.heads.number(datagram.serial, &self.installed);
        if self.part != Part::Receiver(number) {
            return;
        }
        let head = self.installed.arrays.head(number, number);
        let seq = self.number.of(datagram.counter, 1, 0);
        let detected = ranges.beams.iter().filter(|beam| beam.detected);
        let unknown = detected
            .filter(|beam| usize::from(beam.sector) >= ranges.sectors.len())
            .count();
        match detections::ping(&head, ranges.sound_speed_m_per_s, self.width_rad, raw(ranges)) {
            Ok(ping) => {
                let payload = Payload::Sonar(Arc::new(SonarPing::Detections(ping.detections)));
                rows.push_long(datagram.stamp, Some(seq), payload, ping.last_offset_nanos);
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

    fn attitudes(&mut self, stamp: Stamp, attitudes: &Attitudes, rows: &mut Rows) {
        let Part::Nav {
            attitude: Some(sensor),
            position,
        } = self.part
        else {
            return;
        };
        if attitudes.sensor != sensor.number {
            return;
        }
        let mount = self.installed.arrays.attitudes.get(&sensor.number);
        let mount = mount.copied().unwrap_or_default();
        for sample in &attitudes.samples {
            let stamp = stamp.shifted_nanos(i64::from(sample.offset_ms) * 1_000_000);
            let said = Attitude::from_degrees(sample.attitude_deg).east_north_up_from_body();
            let turn = install::vessel_attitude(&said, &mount);
            match position {
                Some(_) => self.joiner.attitude(stamp, turn, sample.heave_m, rows),
                None => {
                    let fix = AttitudeFix {
                        world_from_body: turn,
                        covariance_rad2: None,
                    };
                    rows.push(stamp, Payload::Attitude(fix));
                }
            }
        }
    }

    fn position(&mut self, stamp: Stamp, fix: &Position, rows: &mut Rows) {
        let Part::Nav {
            attitude,
            position: Some(own),
        } = self.part
        else {
            return;
        };
        if fix.sensor != own {
            return;
        }
        let stamp = at(stamp, fix);
        if attitude.is_some() {
            let antenna = self.installed.arrays.positions.get(&own);
            self.joiner.set_antenna(antenna.copied().unwrap_or_default());
            return self.joiner.fix(stamp, place(fix), fix.height_m.is_some(), rows);
        }
        match fix.height_m {
            Some(_) => {
                let fix = GnssFix {
                    place: place(fix),
                    covariance_m2: None,
                };
                rows.push(stamp, Payload::Gnss(fix));
            }
            None => rows.lose(GapCause::Corrupt, 1, "a position without a height"),
        }
    }
}

/// When a position was: by the sensor's own time of day where that counts, on the day nearest to the
/// datagram's.
fn at(stamp: Stamp, fix: &Position) -> Stamp {
    const DAY_NANOS: i64 = 86_400_000_000_000;
    let Some(day_s) = fix.day_s.filter(|_| fix.own_time) else {
        return stamp;
    };
    let own = (day_s * 1e9).round() as i64;
    let off = (own - stamp.nanos()).rem_euclid(DAY_NANOS);
    let nearest = if off > DAY_NANOS / 2 { off - DAY_NANOS } else { off };
    stamp.shifted_nanos(nearest)
}

/// The detections of a ping; beams without one have none.
fn raw(ranges: &Ranges) -> impl Iterator<Item = Raw> {
    ranges
        .beams
        .iter()
        .filter(|beam| beam.detected)
        .filter_map(|beam| {
            let sector = ranges.sectors.get(usize::from(beam.sector))?;
            Some(Raw {
                look: Look {
                    tilt_rad: sector.tilt_deg.to_radians(),
                    // Positive to port in the file.
                    angle_rad: -beam.angle_deg.to_radians(),
                    two_way_time_s: f64::from(beam.two_way_time_s),
                    part: 1,
                },
                delay_s: f64::from(sector.delay_s),
                sector: u16::from(beam.sector),
                level_db: beam.level_db as f32,
                quality: detections::quality(beam.deviation),
            })
        })
}

impl Datagrams for Channel {
    fn take(&mut self, start: u64, whole: &[u8], rows: &mut Rows) {
        let kind = whole.get(5).copied().unwrap_or_default();
        if !self.part.wants(kind) {
            return;
        }
        rows.at(start, &char::from(kind).escape_default().to_string());
        let datagram = match super::read_whole(whole, self.order.big) {
            Ok(datagram) => datagram,
            Err(wrong) => return rows.lose(GapCause::Corrupt, 1, &wrong),
        };
        match &datagram.content {
            Content::Installation(text) => self.installed = installation::read(text),
            Content::Widths(widths) => self.width_rad = widths.map(f64::to_radians),
            Content::Ranges(ranges) => self.ping(&datagram, ranges, rows),
            Content::Attitudes(attitudes) | Content::NetworkAttitudes(attitudes) => {
                self.attitudes(datagram.stamp, attitudes, rows);
            }
            Content::Position(fix) => self.position(datagram.stamp, fix, rows),
            Content::SurfaceSpeeds(samples) => {
                for &(after_s, speed) in samples {
                    let stamp = datagram.stamp.shifted_nanos(i64::from(after_s) * 1_000_000_000);
                    sound_speed(stamp, speed, rows);
                }
            }
            _ => {}
        }
    }

    fn is_own(&self, head: &[u8]) -> Option<bool> {
        (head.get(4) == Some(&2)).then(|| self.part.wants(head.get(5).copied().unwrap_or_default()))
    }

    fn end(&mut self, rows: &mut Rows) {
        self.joiner.end(rows);
    }
}

fn sound_speed(stamp: Stamp, sound_speed_m_per_s: f64, rows: &mut Rows) {
    if WATER_M_PER_S.contains(&sound_speed_m_per_s) {
        let sample = SoundSpeedSample {
            sound_speed_m_per_s,
            depth_m: None,
        };
        return rows.push(stamp, Payload::SoundSpeed(sample));
    }
    let (least, most) = WATER_M_PER_S.into_inner();
    let what = format!("expected a speed of sound of {least} to {most} m/s, found {sound_speed_m_per_s}");
    rows.lose(GapCause::Corrupt, 1, &what);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::chosen::Part as _;

    #[test]
    fn words_name_parts_and_back() {
        for word in ["RX2", "A1P3", "n2P1", "A2", "P1", "G"] {
            assert_eq!(Part::named(word).unwrap().word(), word);
        }
        for wrong in ["", "RX", "X1", "A", "AP1", "A1P", "An"] {
            assert_eq!(Part::named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_positions_own_time_may_lie_beyond_midnight() {
        let day = 1_667_952_000_000_000_000i64;
        let fix = |day_s| Position {
            own_time: true,
            day_s: Some(day_s),
            ..Position::default()
        };
        let just_after = Stamp::from_nanos(day + 40_000_000);
        assert_eq!(at(just_after, &fix(86_399.9)).nanos(), day - 100_000_000);
        let just_before = Stamp::from_nanos(day - 40_000_000);
        assert_eq!(at(just_before, &fix(0.1)).nanos(), day + 100_000_000);
        assert_eq!(at(just_after, &fix(0.0)).nanos(), day);
        let other = Position {
            own_time: false,
            ..fix(5.0)
        };
        assert_eq!(at(just_after, &other), just_after);
    }
}
