//! What a device is asked for, so that it speaks by itself from then on.
//!
//! Source: as in `message`.

use super::frame::Message;

/// What devices are asked for that say nothing by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Device {
    Ping1d,
    Ping360,
    S500,
}

/// The devices that a rig's `model` may name.
const DEVICES: [(&str, Device); 4] = [
    ("Ping1D", Device::Ping1d),
    ("Ping2", Device::Ping1d),
    ("Ping360", Device::Ping360),
    ("S500", Device::S500),
];

/// The names that a rig's `model` may have, of devices that are asked.
pub(crate) fn models() -> String {
    DEVICES.map(|(name, _)| name).join(", ")
}

/// The messages that make a device speak, by the `model` of a rig; nothing of another.
pub(crate) fn questions(model: Option<&str>) -> Option<Vec<Vec<u8>>> {
    let model = model?;
    let (_, device) = DEVICES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(model))?;
    let asked = match device {
        Device::Ping1d => vec![general(DEVICE), general(SPEED), continuous()],
        Device::Ping360 => vec![general(DEVICE), turning()],
        Device::S500 => vec![general(DEVICE), general(SPEED), profiles()],
    };
    Some(asked.iter().map(Message::bytes).collect())
}

/// The messages that say what a device is, and the speed of sound that it takes.
const DEVICE: u16 = 4;
const SPEED: u16 = 1203;

/// `general_request` of a message.
fn general(id: u16) -> Message {
    Message {
        id: 6,
        payload: id.to_le_bytes().to_vec(),
    }
}

/// `continuous_start` of profiles.
fn continuous() -> Message {
    Message {
        id: 1400,
        payload: 1300u16.to_le_bytes().to_vec(),
    }
}

/// `auto_transmit`: turn after turn, every step of 0.9°, at the normal gain and 740 kHz; 1200 values
/// of 888 ticks are 20 m.
fn turning() -> Message {
    let mut payload = vec![1, 1];
    for field in [32u16, 888, 740, 1200, 0, 399] {
        payload.extend(field.to_le_bytes());
    }
    payload.extend([1, 0]);
    Message { id: 2602, payload }
}

/// `set_ping_params`: profiles as long as the device finds right, ten a second, without a chirp.
fn profiles() -> Message {
    let mut payload = vec![0; 8];
    payload.extend((-1i16).to_le_bytes());
    payload.extend(100i16.to_le_bytes());
    payload.extend(0u16.to_le_bytes());
    payload.extend(1308u16.to_le_bytes());
    payload.extend([0, 0, 0, 0]);
    Message { id: 1015, payload }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping360_is_asked_as_the_protocols_python_asks_it() {
        let bytes = [
            0x42, 0x52, 0x10, 0x00, 0x2a, 0x0a, 0x00, 0x00, 0x01, 0x01, 0x20, 0x00, 0x78, 0x03, 0xe4, 0x02,
            0xb0, 0x04, 0x00, 0x00, 0x8f, 0x01, 0x01, 0x00, 0xa0, 0x03,
        ];
        let asked = questions(Some("ping360")).unwrap();
        assert_eq!(asked[1], bytes);
        assert_eq!(asked[0], [0x42, 0x52, 2, 0, 6, 0, 0, 0, 4, 0, 0xa0, 0]);
        assert_eq!(questions(Some("S500")).unwrap()[2].len(), 8 + 20 + 2);
        assert_eq!((questions(None), questions(Some("other"))), (None, None));
    }
}
