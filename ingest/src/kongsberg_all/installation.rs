//! `I` and `i`: arrays and sensors as installed, in text.
//!
//! `KEY=VALUE,` after two bytes of the second head's number. Offsets are in metres from the vessel's
//! reference point, X forward, Y starboard, Z down; angles in degrees, right-handed about them.

use std::collections::BTreeMap;

use beluga_types::{Attitude, Mount};

use crate::survey::head::Array;
use crate::survey::install::Installation;

/// Offsets beyond this are damage, in metres.
const FARTHEST_M: f64 = 10_000.0;

/// What is installed, and the serial numbers of the receivers, first and second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Installed {
    pub(crate) arrays: Installation,
    pub(crate) serials: [Option<u16>; 2],
}

impl Installed {
    /// The number of the head with a serial number, from 1, if the text names it.
    pub(crate) fn head_of(&self, serial: u16) -> Option<u8> {
        let own = self.serials.iter().position(|own| *own == Some(serial))?;
        Some(own as u8 + 1)
    }
}

/// Reads the text. What it does not say is not there; nothing of it is refused.
pub(super) fn read(text: &str) -> Installed {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let values = Values(pairs.map(|(key, value)| (key.trim(), value.trim())).collect());
    let mut arrays = Installation {
        waterline_m: values.number("WLZ").map(|down_m| -down_m),
        ..Installation::default()
    };
    // Which transducer is what: transmitter and receiver of the first head, then of the second.
    let heads: &[[u8; 2]] = match values.0.get("STC").copied() {
        Some("0") => &[[1, 2]],
        Some("2") => &[[1, 1], [2, 2]],
        Some("3") => &[[1, 2], [1, 3]],
        Some("4") => &[[0, 2], [1, 3]],
        _ => &[[1, 1]],
    };
    for (number, &[transmitter, receiver]) in (1..).zip(heads) {
        let array = |transducer: u8| {
            let names = ["X", "Y", "Z", "R", "P", "H"].map(|axis| format!("S{transducer}{axis}"));
            values.mount(&names).map(|mount| Array {
                mount,
                ..Array::default()
            })
        };
        if let (Some(sends), Some(hears)) = (array(transmitter), array(receiver)) {
            arrays.transmitters.insert(number, sends);
            arrays.receivers.insert(number, hears);
        }
    }
    for (number, sensor) in [(1, "MS"), (2, "NS")] {
        let names = ["X", "Y", "Z", "R", "P", "G"].map(|axis| format!("{sensor}{axis}"));
        arrays
            .attitudes
            .extend(values.mount(&names).map(|mount| (number, mount)));
        arrays.delay(&values, &format!("{sensor}D"));
    }
    for number in 1..=3u8 {
        let names = ["X", "Y", "Z", "R", "P", "G"].map(|axis| format!("P{number}{axis}"));
        arrays
            .positions
            .extend(values.mount(&names).map(|mount| (number, mount)));
        arrays.delay(&values, &format!("P{number}D"));
    }
    let serial = |key| values.0.get(key)?.parse().ok();
    Installed {
        arrays,
        serials: [serial("R1S").or_else(|| serial("SMH")), serial("R2S")],
    }
}

impl Installation {
    fn delay(&mut self, values: &Values<'_>, key: &str) {
        if let Some(delay) = values.number(key).filter(|delay| *delay != 0.0) {
            self.delays.insert(key.to_owned(), delay.to_string());
        }
    }
}

/// `KEY=VALUE` pairs.
struct Values<'a>(BTreeMap<&'a str, &'a str>);

impl Values<'_> {
    fn number(&self, key: &str) -> Option<f64> {
        let value: f64 = self.0.get(key)?.parse().ok()?;
        (value.abs() <= FARTHEST_M).then_some(value)
    }

    /// A mount of the values of X, Y, Z, roll, pitch and heading, if there is a place.
    fn mount(&self, [x, y, z, roll, pitch, heading]: &[String; 6]) -> Option<Mount> {
        let angle = |key: &str| self.number(key).unwrap_or(0.0);
        Some(Mount {
            forward_m: self.number(x)?,
            starboard_m: self.number(y)?,
            down_m: self.number(z)?,
            attitude: Attitude::from_degrees([angle(roll), angle(pitch), angle(heading)]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_made_of_the_transducers_that_the_system_has() {
        let text = |system: &str| {
            format!(
                "WLZ=-4.9,SMH=2004,STC={system},S0X=9,S0Y=0,S0Z=0,S1X=0.4,S1Y=0.1,S1Z=0.5,S1H=180.5,S1P=-1.7,S1R=-0.8,\
                S2X=0.2,S2Y=-0.4,S2Z=0.3,S2R=35.5,S3X=0.2,S3Y=0.4,S3Z=0.3,S3R=-34.1,R1S=2004,R2S=2031,\
                P1X=-7.9,P1Y=0.9,P1Z=-6,P1D=0.000,MSX=0,MSY=0,MSZ=0,MSR=-0.15,MSP=-0.2,MSG=-0.23,MSD=12,NSX=x,\0"
            )
        };
        let found = read(&text("3"));
        assert_eq!(found.arrays.transmitters[&1], found.arrays.transmitters[&2]);
        assert!((found.arrays.receivers[&2].mount.attitude.roll_rad.to_degrees() + 34.1).abs() < 1e-9);
        assert_eq!(
            (found.head_of(2004), found.head_of(2031), found.head_of(7)),
            (Some(1), Some(2), None)
        );
        assert_eq!(found.arrays.waterline_m, Some(4.9));
        assert_eq!(found.arrays.attitudes.len(), 1);
        assert!((found.arrays.attitudes[&1].attitude.heading_rad.to_degrees() + 0.23).abs() < 1e-9);
        assert_eq!(found.arrays.positions[&1].down_m, -6.0);
        assert_eq!(found.arrays.delays.keys().collect::<Vec<_>>(), ["MSD"]);
        let places = |system| {
            let arrays = read(&text(system)).arrays;
            let of = |arrays: BTreeMap<u8, Array>| {
                arrays
                    .values()
                    .map(|array| array.mount.forward_m)
                    .collect::<Vec<_>>()
            };
            (of(arrays.transmitters), of(arrays.receivers))
        };
        assert_eq!(places("0"), (vec![0.4], vec![0.2]));
        assert_eq!(places("1"), (vec![0.4], vec![0.4]));
        assert_eq!(places("2"), (vec![0.4, 0.2], vec![0.4, 0.2]));
        assert_eq!(places("4"), (vec![9.0, 0.4], vec![0.2, 0.2]));
        assert_eq!(read("=,,a"), Installed::default());
    }
}
