//! What a sonar says of itself now and then to everybody: its number, model, firmware.
//!
//! Layout: `OculusStatusMsg` in `thirdparty/Oculus/Oculus.h` of apl-ocean-engineering/liboculus.

use std::fmt;
use std::net::Ipv4Addr;

use super::framing::START;
use super::model;
use crate::nameplate::Nameplate;
use crate::survey::fields::Fields;

/// The port that status messages are sent to, by UDP, and the one where a sonar is asked, by TCP.
pub(crate) const STATUS_PORT: u16 = 52_102;
pub(crate) const TCP_PORT: u16 = 52_100;
/// The type of device that is an imaging sonar.
const IMAGING: u16 = 1;

/// A status message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) device: u32,
    part: u16,
    /// Of its two processors and its logic.
    firmware: [u32; 3],
    /// Who is connected to it; a sonar sends to one at a time.
    pub(crate) connected: Option<Ipv4Addr>,
}

/// Reads a datagram that is a status message; nothing of another.
pub(crate) fn read(bytes: &[u8]) -> Option<Status> {
    if !bytes.starts_with(&START) {
        return None;
    }
    let mut fields = Fields::little(bytes, 16);
    let device = fields.u32().ok()?;
    let (kind, part) = (fields.u16().ok()?, fields.u16().ok()?);
    fields.skip(4).ok()?;
    let mut version = || {
        let version = fields.u32().ok()?;
        fields.skip(4).ok()?;
        Some(version)
    };
    let firmware = [version()?, version()?, version()?];
    fields.skip(8).ok()?;
    let connected = fields.take(4).ok()?.first_chunk::<4>()?;
    let connected = Ipv4Addr::from(*connected);
    (kind == IMAGING).then_some(Status {
        device,
        part,
        firmware,
        connected: (!connected.is_unspecified()).then_some(connected),
    })
}

impl Status {
    /// What the sonar says of itself.
    pub(crate) fn nameplate(&self) -> Nameplate {
        let [one, other, logic] = self.versions();
        Nameplate {
            serial: Some(self.device.to_string()),
            firmware: Some(format!("{one}, {other}, logic {logic}")),
        }
    }

    fn versions(&self) -> [String; 3] {
        self.firmware
            .map(|version| format!("{}.{}.{}", version >> 24, version >> 16 & 0xff, version & 0xffff))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = model::name(self.part, None).unwrap_or("of a model that is not known");
        let [one, other, logic] = self.versions();
        write!(
            f,
            "an Oculus {model}, number {}, firmware {one}, {other}, logic {logic}",
            self.device
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_message_names_the_sonar() {
        let mut bytes = vec![0; 142];
        bytes[..2].copy_from_slice(&START);
        bytes[16..20].copy_from_slice(&7892u32.to_le_bytes());
        bytes[20..24].copy_from_slice(&[1, 0, 0x12, 4]);
        bytes[28..32].copy_from_slice(&0x0102_0003u32.to_le_bytes());
        let status = read(&bytes).unwrap();
        assert_eq!(
            status.to_string(),
            "an Oculus M1200d, number 7892, firmware 1.2.3, 0.0.0, logic 0.0.0"
        );
        let plate = status.nameplate();
        assert_eq!(plate.serial.as_deref(), Some("7892"));
        assert_eq!(plate.firmware.as_deref(), Some("1.2.3, 0.0.0, logic 0.0.0"));
        assert_eq!(status.connected, None);
        bytes[60..64].copy_from_slice(&[192, 168, 2, 9]);
        assert_eq!(
            read(&bytes).unwrap().connected,
            Some(Ipv4Addr::new(192, 168, 2, 9))
        );
        for cut in 0..64 {
            assert_eq!(read(&bytes[..cut]), None);
        }
        bytes[20] = 0;
        assert_eq!(read(&bytes), None, "another kind of device");
    }
}
