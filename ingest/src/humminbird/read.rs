//! One sensor of a file: its transducer, or what the unit knew of where it was.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use beluga_types::elementary::{atan, exp, tan};
use beluga_types::{
    Attitude, Beam, GapCause, Geodetic, Origin, Payload, PoseFix, Profile, SensorKind, SensorSpec, SonarPing,
    Stamp, StrengthUnit,
};
use nalgebra::Matrix6;

use super::beside;
use super::record::{self, Record, Son};
use crate::error::Error;
use crate::regular;
use crate::survey::chosen;
use crate::survey::played::{Datagrams, Played, Rows};
use crate::survey::walk::Walk;
use crate::survey::widths;

/// From one sample to the next, in seconds: 4/π over 0.108 m times 455 kHz, by which PyHum takes samples to metres
/// (`PyHum/_pyhum_read.py`: a sample is 2θ/π, θ = c/(0.108 m · 455 kHz)).
pub(super) const INTERVAL_S: f64 = 4.0 / (std::f64::consts::PI * 0.108 * 455e3);
/// The unit's Mercator map: a sphere of this radius, in metres, and what then turns the tangent of its latitude to that of
/// the Earth's ellipsoid (`PyHum/_pyhum_read.py`).
const RADIUS_M: f64 = 6_378_388.0;
const ELLIPSOID: f64 = 1.006_764_292_7;
/// What is taken for the uncertainty of a consumer's receiver and of what nothing measures: roll, pitch, heading in
/// degrees, then level place and height in metres; one sigma.
const SIGMA_DEG: [f64; 3] = [5.0, 5.0, 5.0];
const SIGMA_M: [f64; 3] = [5.0, 5.0, 1.0];

/// Which of a file's sensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The transducer.
    Sonar,
    /// Places and headings.
    Nav,
}

impl chosen::Part for Part {
    fn named(word: &str) -> Option<Self> {
        match word {
            "SON" => Some(Part::Sonar),
            "NAV" => Some(Part::Nav),
            _ => None,
        }
    }

    fn word(self) -> String {
        match self {
            Part::Sonar => "SON".into(),
            Part::Nav => "NAV".into(),
        }
    }

    fn kind(self) -> SensorKind {
        match self {
            Part::Sonar => SensorKind::Sonar,
            Part::Nav => SensorKind::Nav,
        }
    }
}

/// The rows of the sensor that a rig's entry names.
///
/// # Errors
/// If it cannot be read, or the rig's `beams` are no widths.
pub(crate) fn open(
    path: &Path,
    spec: &SensorSpec,
    origin: &Origin,
) -> Result<Played<File, Son, Reader>, Error> {
    let part = chosen::chosen(path, spec, || Ok(vec![Part::Sonar, Part::Nav]))?;
    let walk = Walk::new(regular::open(path)?, Son, 0).map_err(Error::io(path))?;
    let reader = Reader {
        part,
        named: widths::named(spec, path)?,
        origin: origin.clone(),
        began: spec.start.unwrap_or_else(|| began(path)),
        last_place: None,
    };
    Ok(Played::new(walk, reader, path.to_owned()))
}

/// When a recording began: as its description says, else 1970.
pub(super) fn began(path: &Path) -> Stamp {
    match beside::description_of(path) {
        Some(Ok(said)) => Stamp::from_nanos(i64::from(said.began_s) * 1_000_000_000),
        _ => Stamp::default(),
    }
}

/// The first place that a file gives.
pub(crate) fn first_place(path: &Path) -> Result<Option<Geodetic>, Error> {
    let mut records = super::records(regular::open(path)?, path)?;
    Ok(records.find_map(|record| place(record.ok()?.place_m)))
}

/// A place of the unit's map; nothing where there is none yet, which it says as 0, 0.
pub(super) fn place([east_m, north_m]: [i32; 2]) -> Option<Geodetic> {
    if [east_m, north_m] == [0, 0] {
        return None;
    }
    let longitude_rad = f64::from(east_m) / RADIUS_M;
    let on_sphere = 2.0 * atan(exp(f64::from(north_m) / RADIUS_M)) - std::f64::consts::FRAC_PI_2;
    let latitude_rad = atan(tan(on_sphere) * ELLIPSOID);
    let known = longitude_rad.abs() <= std::f64::consts::PI;
    known.then_some(Geodetic {
        latitude_rad,
        longitude_rad,
        height_m: 0.0,
    })
}

/// One sensor's reader.
pub(crate) struct Reader {
    part: Part,
    named: Option<Beam>,
    origin: Origin,
    began: Stamp,
    last_place: Option<[i32; 2]>,
}

impl Reader {
    fn sonar(&self, record: Record, stamp: Stamp, rows: &mut Rows) {
        let count = record.strength.len();
        let beam = self.named.map_or_else(
            || beam(record.beam),
            |named| Beam {
                direction: beam(record.beam).direction,
                ..named
            },
        );
        let profile = Profile {
            strength: record.strength.iter().map(|&value| f32::from(value)).collect(),
            unit: StrengthUnit::Amplitude,
            transmitted: true,
            first_s: 0.0,
            interval_s: INTERVAL_S,
            beam,
            steering_rad: 0.0,
            sound_speed_m_per_s: None,
            blanking_m: 0.0,
        };
        let last_nanos = (INTERVAL_S * (count - 1) as f64 * 1e9).round() as i64;
        let payload = Payload::Sonar(Arc::new(SonarPing::Profile(profile)));
        // Its number counts the pings of all transducers: a step of it is no loss.
        rows.push_long(stamp, None, payload, last_nanos);
    }

    /// A pose where the place is another than before: the unit says it with every ping.
    fn nav(&mut self, record: &Record, stamp: Stamp, rows: &mut Rows) {
        if self.last_place.replace(record.place_m) == Some(record.place_m) {
            return;
        }
        let (Some(place), Some(heading)) = (place(record.place_m), record.heading_tenths) else {
            return rows.lose(GapCause::Corrupt, 0, "no position or no heading yet, left out");
        };
        let turn = Attitude::from_degrees([0.0, 0.0, 0.1 * f64::from(heading)]).east_north_up_from_body();
        let sigmas = [SIGMA_DEG.map(f64::to_radians), SIGMA_M].concat();
        let fix = PoseFix {
            world_from_body: self.origin.world_from_body(&place, turn),
            covariance: Some(Matrix6::from_fn(|row, column| match row == column {
                true => sigmas[row] * sigmas[row],
                false => 0.0,
            })),
        };
        rows.push(stamp, Payload::Pose(fix));
    }
}

/// Where a transducer looks and how wide it is, two ways: as the maker publishes it of its down beams (60° at 83 kHz,
/// 20° at 200 kHz) and as side-scans are taken where nothing is said.
fn beam(transducer: u8) -> Beam {
    let of = |across_deg: f64, [along, across]: [f64; 2]| {
        let widths = [along.to_radians(), across.to_radians()];
        Beam::at(across_deg.to_radians(), 0.0, widths, widths)
    };
    match transducer {
        2 => of(-60.0, [1.0, 60.0]),
        3 => of(60.0, [1.0, 60.0]),
        0 => of(0.0, [60.0, 60.0]),
        _ => of(0.0, [20.0, 20.0]),
    }
}

impl Datagrams for Reader {
    fn take(&mut self, start: u64, whole: &[u8], rows: &mut Rows) {
        rows.at(start, "record");
        match record::read(whole) {
            Ok(record) => {
                let stamp = self.began.shifted_nanos(i64::from(record.millis) * 1_000_000);
                match self.part {
                    Part::Sonar => self.sonar(record, stamp, rows),
                    Part::Nav => self.nav(&record, stamp, rows),
                }
            }
            Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong),
        }
    }

    fn is_own(&self, _: &[u8]) -> Option<bool> {
        Some(true)
    }
}
