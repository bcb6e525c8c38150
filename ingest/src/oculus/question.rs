//! What a sonar is asked for, so that it pings: one message, again when it is silent.
//!
//! Layout: `OculusSimpleFireMessage` in `thirdparty/Oculus/Oculus.h` of apl-ocean-engineering/liboculus.

use super::framing::START;

/// Ways to ask, by the `model` of a rig: mode (1 low frequency and wide, 2 high and narrow) and range in metres.
const MODELS: [(&str, u8, f64); 2] = [("Oculus", 1, 20.0), ("Oculus HF", 2, 5.0)];
/// The number of the message, and the bytes behind its head.
const FIRE: u16 = 0x15;
const BODY: u32 = 37;
/// Range in metres, the short result, gain that the sonar helps with; 8 bits, no gains.
const FLAGS: u8 = 0x19;
/// Up to ten pings a second, the network as fast as it is, no gamma.
const RATE: u8 = 0;
const NETWORK: u8 = 0xff;
const GAMMA: u8 = 0xff;
const GAIN_PERCENT: f64 = 50.0;

/// The message that makes a sonar ping; nothing of another `model`, or none.
pub(crate) fn questions(model: Option<&str>) -> Option<Vec<Vec<u8>>> {
    let model = model?;
    let (_, mode, range_m) = MODELS
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(model))?;
    let mut bytes = START.to_vec();
    for field in [0, 0, FIRE, 0] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(BODY.to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend([*mode, RATE, NETWORK, GAMMA, FLAGS]);
    // The speed of sound the sonar finds itself, of fresh water.
    for number in [*range_m, GAIN_PERCENT, 0.0, 0.0] {
        bytes.extend(number.to_le_bytes());
    }
    Some(vec![bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sonar_is_asked_in_its_own_layout() {
        let asked = questions(Some("oculus hf")).unwrap();
        let [fire] = asked.as_slice() else {
            panic!("{asked:?}");
        };
        assert_eq!(fire.len(), 16 + 37);
        assert_eq!(
            fire[..16],
            [0x53, 0x4f, 0, 0, 0, 0, 0x15, 0, 0, 0, 37, 0, 0, 0, 0, 0]
        );
        assert_eq!(fire[16..21], [2, 0, 0xff, 0xff, 0x19]);
        assert_eq!(fire[21..29], 5f64.to_le_bytes());
        assert_eq!((questions(None), questions(Some("Oculus M1200d"))), (None, None));
    }
}
