//! Whatever comes to a port: readers count it and go on.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use beluga_types::{Origin, Payload, SensorKind, SensorSpec, SonarPing, Stamp};

use super::heard::Hears;
use super::sockets::NOBODY;
use crate::capture::Datagram;
use crate::survey::played::Rows;
use crate::waves::{Form, Packets, Pipe};
use crate::{mavlink, nmea, oculus, ping, posmv, r2sonic, sbg};

/// A fresh reader of each format.
fn readers() -> Vec<Box<dyn Hears>> {
    let spec = SensorSpec::new("any", SensorKind::Sonar);
    let form = |word| Form::named(word).unwrap();
    vec![
        Box::new(ping::Sent::new(&spec)),
        Box::new(oculus::Sent::new(None)),
        Box::new(r2sonic::Sent),
        Box::new(sbg::Sent::new(&spec, &Origin::default())),
        Box::new(nmea::Depths::new(&spec, false)),
        Box::new(mavlink::Sent::new(&spec, &Origin::default())),
        Box::new(posmv::Sent::new(&spec, &Origin::default())),
        Box::new(Packets::new(form("L24/96000/4"), None)),
        Box::new(Packets::new(form("L16/8000/1"), Some(96))),
        Box::new(Pipe::new(Some(form("F32LE/8000/3")))),
        Box::new(Pipe::new(None)),
    ]
}

/// What messages begin with, so that more than their first byte is read.
const STARTS: [&[u8]; 11] = [
    b"BR\x22\0\x14\x05\0\0",
    b"BR\x14\0\xfc\x08\0\0",
    b"SO\0\0\0\0\x23\0\0\0\x80\0\0\0\0\0",
    b"\xff\x5a\x06\0\x20\0",
    b"$GRP\x01\0\x84\0",
    b"$SDDPT,",
    b"\xfd\x1c\0\0\0\x01\x01\x1e\0\0",
    b"BTH0\0\0\0\x40\0\0\0\0H0\0\x20",
    &[0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7],
    b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\0\0\0\0\x02\0\x10\0data\0\0\0\0",
    b"",
];

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(STARTS.to_vec());
    (start, prop::collection::vec(any::<u8>(), 0..300))
        .prop_map(|(start, rest)| [start, rest.as_slice()].concat())
}

/// What comes, or how much of it does not.
#[derive(Clone, Debug)]
enum Step {
    Heard(Vec<u8>),
    Torn,
    Missing(u64),
    Pause,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => piece().prop_map(Step::Heard),
        1 => Just(Step::Torn),
        1 => (0u64..2000).prop_map(Step::Missing),
        1 => Just(Step::Pause),
    ]
}

/// Whether numbers of a payload that came out are such.
fn is_finite(payload: &Payload) -> bool {
    match payload {
        Payload::Sonar(ping) => match &**ping {
            SonarPing::Profile(profile) => {
                profile.strength.iter().all(|value| value.is_finite())
                    && profile.first_s.is_finite()
                    && profile.interval_s > 0.0
            }
            SonarPing::Detections(found) => found
                .detections
                .iter()
                .all(|one| one.two_way_time_s.is_finite() && one.receive_angle_rad.is_finite()),
            SonarPing::Image(image) => image.first_s.is_finite() && image.interval_s > 0.0,
            _ => true,
        },
        _ => true,
    }
}

proptest! {
    #![proptest_config(Config { rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::with_cases(200) })]

    #[test]
    fn no_reader_fails_whatever_comes(steps in prop::collection::vec(step(), 0..30)) {
        for mut reader in readers() {
            let mut rows = Rows::default();
            for (at, step) in (1i64..).zip(&steps) {
                match step {
                    Step::Heard(bytes) => {
                        let heard = Datagram {
                            received: Stamp::from_nanos(at * 1_000_000_000),
                            source: NOBODY,
                            destination: NOBODY,
                            payload: bytes.clone(),
                        };
                        reader.take(&heard, &mut rows);
                    }
                    Step::Torn => reader.torn(&mut rows),
                    Step::Missing(bytes) => reader.missing(*bytes, &mut rows),
                    Step::Pause => reader.pause(&mut rows),
                }
            }
            reader.pause(&mut rows);
            for (_, payload) in rows.taken() {
                prop_assert!(is_finite(&payload));
            }
        }
    }
}
