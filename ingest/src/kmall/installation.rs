//! `#IIP`: arrays and sensors as installed, in text.
//!
//! `NAME:KEY=VALUE;KEY=VALUE,` and so on. Offsets are in metres from the vessel's reference point, X
//! forward, Y starboard, Z down; R, P, H are roll, pitch and heading in degrees, right-handed about
//! those axes: as our mounts have them.

use std::collections::BTreeMap;

use beluga_types::{Attitude, Mount};

use crate::survey::head::Array;
use crate::survey::install::Installation;

/// Offsets beyond this are damage, in metres.
const FARTHEST_M: f64 = 10_000.0;

/// Reads the text. What it does not say is not there; nothing of it is refused.
pub(super) fn read(text: &str) -> Installation {
    let mut found = Installation::default();
    for part in text.split(',').map(str::trim) {
        let Some((name, values)) = part.split_once(':') else {
            continue;
        };
        let values = Values::of(values);
        if let Some(array) = name.strip_prefix("TRAI_") {
            found.add_array(array, &values);
        } else if let Some(number) = name.strip_prefix("ATTI_").and_then(|number| number.parse().ok()) {
            if let Some(mount) = found.sensor(name, &values) {
                found.attitudes.insert(number, mount);
            }
        } else if let Some(number) = name.strip_prefix("POSI_").and_then(|number| number.parse().ok()) {
            if let Some(mount) = found.sensor(name, &values) {
                found.positions.insert(number, mount);
            }
        } else if name == "EMXI" {
            // Positive down in the file.
            found.waterline_m = values.number("SWLZ").map(|down_m| -down_m);
        }
    }
    found
}

impl Installation {
    /// `TX1` sends, `RX1` hears, `HD1` does both.
    fn add_array(&mut self, name: &str, values: &Values<'_>) {
        let Some((does, Ok(number))) = name
            .split_at_checked(2)
            .map(|(does, number)| (does, number.parse()))
        else {
            return;
        };
        let Some(mount) = values.mount() else {
            return;
        };
        let part = |prefix: &str| {
            ["X", "Y", "Z"].map(|axis| values.number(&format!("{prefix}{axis}")).unwrap_or(0.0))
        };
        if does != "RX" {
            let parts_m = ["IP", "IC", "IS"].map(part);
            self.transmitters.insert(number, Array { mount, parts_m });
        }
        if does != "TX" {
            let parts_m = [part("I"); 3];
            self.receivers.insert(number, Array { mount, parts_m });
        }
    }

    /// Where a sensor sits that is in use.
    fn sensor(&mut self, name: &str, values: &Values<'_>) -> Option<Mount> {
        let mount = values.mount()?;
        if values.number("D").is_some_and(|delay| delay != 0.0) {
            let delay = values.0.get("D").copied().unwrap_or_default();
            self.delays.insert(name.to_owned(), delay.to_owned());
        }
        Some(mount)
    }
}

/// `KEY=VALUE` pairs.
struct Values<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Values<'a> {
    fn of(text: &'a str) -> Self {
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(key, value)| (key.trim(), value.trim())).collect())
    }

    fn number(&self, key: &str) -> Option<f64> {
        let value: f64 = self.0.get(key)?.parse().ok()?;
        (value.abs() <= FARTHEST_M).then_some(value)
    }

    /// A mount, if there is a place.
    fn mount(&self) -> Option<Mount> {
        let angle = |key| self.number(key).unwrap_or(0.0);
        Some(Mount {
            forward_m: self.number("X")?,
            starboard_m: self.number("Y")?,
            down_m: self.number("Z")?,
            attitude: Attitude::from_degrees([angle("R"), angle("P"), angle("H")]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_and_sensors_are_found_in_the_text() {
        let text = "EMXV:EM2042,\nSERIALno:\nTX:5001;0.7deg,\nTRAI_TX1:N=1;X=-0.5;Y=-0.1;Z=1.7;R=0.1;P=0.9;H=178.0;\
            IPX=0.0;IPY=-0.05;IPZ=-0.01;ICZ=-0.006,TRAI_RX1:X=1;Y=2;Z=3;IX=-0.01,TRAI_HD2:X=4;Y=5;Z=6,\
            POSI_1:X=-0.1;Y=0.2;Z=-3;D=0.5,POSI_2:U=NOT_SET,ATTI_1:X=0;Y=0;Z=0;R=1;P=2;H=3;D=0.000,\
            TRAI_TXx:X=1,TRAI_RX3:X=1e9;Y=0;Z=0,EMXI:SWLZ=0.670,\n";
        let found = read(text);
        assert_eq!(found.transmitters.keys().collect::<Vec<_>>(), [&1, &2]);
        assert_eq!(found.receivers.keys().collect::<Vec<_>>(), [&1, &2]);
        let sends = found.transmitters[&1];
        assert_eq!((sends.mount.forward_m, sends.mount.down_m), (-0.5, 1.7));
        assert!((sends.mount.attitude.heading_rad.to_degrees() - 178.0).abs() < 1e-9);
        assert_eq!(sends.parts_m[0], [0.0, -0.05, -0.01]);
        assert_eq!(sends.parts_m[1], [0.0, 0.0, -0.006]);
        assert_eq!(found.receivers[&1].parts_m[2], [-0.01, 0.0, 0.0]);
        assert_eq!(found.positions[&1].starboard_m, 0.2);
        assert!((found.attitudes[&1].attitude.pitch_rad.to_degrees() - 2.0).abs() < 1e-9);
        assert_eq!(found.delays["POSI_1"], "0.5");
        assert_eq!(found.waterline_m, Some(-0.67));
        assert_eq!(read("a:b=,;;:,="), Installation::default());
    }
}
