//! What sensors speak that are heard now.

use std::path::Path;

use beluga_types::{SensorKind, SensorSpec};

use super::address::Address;
use crate::error::Error;
use crate::lidar::Maker;
use crate::waves::{self, Form};

/// The longest description of a stream that is read, in bytes.
const LONGEST_SDP: u64 = 1 << 20;

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tongue {
    /// Packets of a lidar.
    Packets,
    /// Sentences of NMEA 0183.
    Nmea,
    /// Depths of an echo sounder as sentences of NMEA 0183.
    Depths,
    /// Messages of a unit of SBG Systems.
    Sbg,
    /// Groups of a POS MV.
    PosMv,
    /// Messages of an autopilot.
    MavLink,
    /// Datagrams of a Kongsberg EM.
    Kmall,
    /// Pings of an R2Sonic.
    R2Sonic,
    /// Messages of a Ping1D, Ping360 or S500.
    Ping,
    /// Messages of an Oculus.
    Oculus,
    /// Packets of samples, and what they are called if that is known.
    Rtp(Form, Option<u8>),
    /// Samples one after the other; those of a WAV if nothing is named.
    Samples(Option<Form>),
}

impl Tongue {
    /// What a sensor speaks, if that is heard and comes this way.
    ///
    /// # Errors
    /// If it is samples, and what the rig or a description says of them cannot be.
    pub(crate) fn of(
        spec: &SensorSpec,
        address: &Address,
        path: &Path,
        folder: &Path,
    ) -> Result<Option<Self>, Error> {
        let is_udp = matches!(address, Address::Udp { .. });
        let tongue = match (spec.kind, spec.format.as_deref()) {
            (SensorKind::Lidar, None) => Tongue::Packets,
            (SensorKind::Lidar | SensorKind::Nav, Some(name)) if Maker::named(name).is_some() => {
                Tongue::Packets
            }
            (SensorKind::Nav, None | Some("nmea")) => Tongue::Nmea,
            (SensorKind::Nav, Some("sbg")) => Tongue::Sbg,
            (SensorKind::Nav, Some("posmv")) => Tongue::PosMv,
            (SensorKind::Nav, Some("mavlink")) => Tongue::MavLink,
            (SensorKind::Nav | SensorKind::Sonar, Some("kmall")) | (SensorKind::Sonar, None) => Tongue::Kmall,
            (SensorKind::Sonar, Some("nmea")) => Tongue::Depths,
            (SensorKind::Sonar, Some("r2sonic")) => Tongue::R2Sonic,
            (SensorKind::Sonar, Some("ping")) => Tongue::Ping,
            (SensorKind::Sonar, Some("oculus")) => Tongue::Oculus,
            (SensorKind::Sonar, Some("rtp")) => described(spec, path, folder)?,
            (SensorKind::Sonar, Some("wav")) => Tongue::Samples(None),
            (SensorKind::Sonar, Some(word)) if Form::is_meant(word) => named(spec, word, is_udp, path)?,
            _ => return Ok(None),
        };
        let fits = match tongue {
            _ if matches!(address, Address::Oculus { .. }) => tongue == Tongue::Oculus,
            _ if matches!(address, Address::Sound(_)) => matches!(tongue, Tongue::Samples(Some(_))),
            Tongue::Packets | Tongue::Kmall | Tongue::R2Sonic | Tongue::Rtp(..) => is_udp,
            Tongue::Nmea | Tongue::Depths | Tongue::Sbg | Tongue::PosMv | Tongue::MavLink => {
                !matches!(address, Address::Ask(_))
            }
            Tongue::Samples(_) | Tongue::Oculus => !address.is_datagrams(),
            Tongue::Ping => true,
        };
        Ok(fits.then_some(tongue))
    }

    /// What a rig may say of a sensor of this kind.
    pub(crate) fn words(kind: SensorKind) -> String {
        match kind {
            SensorKind::Lidar => Maker::words(),
            SensorKind::Sonar => {
                "kmall, r2sonic, ping, nmea, oculus, rtp, wav, L24/96000/4 and the like".into()
            }
            SensorKind::Nav => format!("nmea, sbg, posmv, mavlink, kmall, {}", Maker::words()),
        }
    }
}

/// Samples that the rig names.
fn named(spec: &SensorSpec, word: &str, is_udp: bool, path: &Path) -> Result<Tongue, Error> {
    let form = Form::named(word).filter(|form| !is_udp || form.is_rtp());
    let form = form.ok_or_else(|| {
        let place = format!("`format` of sensor `{}`", spec.name);
        let expected = match is_udp {
            true => "KIND/RATE/CHANNELS of packets of RTP, KIND being L16 or L24, as in `L24/96000/4`",
            false => "KIND/RATE/CHANNELS of samples, KIND being S16LE, S16BE, S24LE, S24BE, S32LE, S32BE, F32LE, L16 or L24, as in `S16LE/96000/4`",
        };
        Error::bad(path, place, expected, format!("`{word}`"))
    })?;
    Ok(match is_udp {
        true => Tongue::Rtp(form, None),
        false => Tongue::Samples(Some(form)),
    })
}

/// Samples that a description tells, an SDP that `calibration` names.
fn described(spec: &SensorSpec, path: &Path, folder: &Path) -> Result<Tongue, Error> {
    let bad = |found: String| {
        let place = format!("`calibration` of sensor `{}`", spec.name);
        let expected = "a description (SDP) of the stream with its rate and channels; or no `rtp`, but them, in `format`: `L24/96000/4`";
        Error::bad(path, place, expected, found)
    };
    let file = spec.calibration.as_ref().ok_or_else(|| bad("none".into()))?;
    let file = folder.join(file);
    let size = std::fs::metadata(&file).map_err(Error::io(&file))?.len();
    if size > LONGEST_SDP {
        return Err(bad(format!("{size} bytes")));
    }
    let text = std::fs::read_to_string(&file).map_err(Error::io(&file))?;
    let (kind, form) = waves::form_of(&text).map_err(bad)?;
    Ok(Tongue::Rtp(form, Some(kind)))
}
