//! A writer of small EK80 files, for tests.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(unreachable_pub, reason = "included by tests of the crate and beside it")]

/// A whole datagram; `time` is in steps of 100 ns from 1601.
pub fn datagram(kind: &[u8; 4], time: u64, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 12).to_le_bytes();
    [&length[..], kind, &time.to_le_bytes(), body, &length].concat()
}

/// Body of a `RAW3`.
pub fn raw(channel: &str, kind: u16, first: i32, count: i32, samples: &[u8]) -> Vec<u8> {
    [
        &id(channel)[..],
        &kind.to_le_bytes(),
        &[0, 0],
        &first.to_le_bytes(),
        &count.to_le_bytes(),
        samples,
    ]
    .concat()
}

/// Body of a `FIL1`.
pub fn stage(channel: &str, number: i16, decimation: i16, coefficients: &[[f32; 2]]) -> Vec<u8> {
    let taps = coefficients.len() as i16;
    let head = [
        &number.to_le_bytes()[..],
        &[0, 0],
        &id(channel),
        &taps.to_le_bytes(),
        &decimation.to_le_bytes(),
    ];
    let values = coefficients.iter().flatten().flat_map(|part| part.to_le_bytes());
    head.concat().into_iter().chain(values).collect()
}

fn id(channel: &str) -> [u8; 128] {
    let mut id = [0; 128];
    id[..channel.len()].copy_from_slice(channel.as_bytes());
    id
}

/// A file of two channels: `chirp` with `pings` complex pings of two sectors behind two stages,
/// `tone` with as many of power and angle.
pub fn file(pings: u64) -> Vec<u8> {
    let start = 131_703_415_473_279_775;
    let configuration = r#"<?xml version="1.0"?><Configuration><Header FileFormatVersion="1.23"/><Transceivers>
<Transceiver RxSampleFrequency="100000"><Channels><Channel ChannelID="chirp"><Transducer TransducerName="T1" BeamWidthAlongship="7" BeamWidthAthwartship="8"/></Channel></Channels></Transceiver>
<Transceiver><Channels><Channel ChannelID="tone"><Transducer TransducerName="T2" BeamWidthAlongship="10" BeamWidthAthwartship="10"/></Channel></Channels></Transceiver>
</Transceivers></Configuration>"#;
    let environment = r#"<Environment SoundSpeed="1481.5" Temperature="10"/>"#;
    let mut bytes = datagram(b"XML0", start, configuration.as_bytes());
    for (number, decimation) in [(1, 5), (2, 2)] {
        let coefficients: Vec<[f32; 2]> = (0..5).map(|tap| [0.2, 0.01 * tap as f32]).collect();
        bytes.extend(datagram(
            b"FIL1",
            start,
            &stage("chirp", number, decimation, &coefficients),
        ));
    }
    bytes.extend(datagram(b"XML0", start, environment.as_bytes()));
    for ping in 0..pings {
        let time = start + ping * 5_000_000;
        bytes.extend(datagram(b"NME0", time, b"$SDVLW,0.539,N,0.539,N\0\0"));
        bytes.extend(datagram(b"XML0", time, br#"<Parameter><Channel ChannelID="chirp" ChannelMode="0" FrequencyStart="11000" FrequencyEnd="15000" PulseDuration="0.001" SampleInterval="0.0001" Slope="0.1"/></Parameter>"#));
        let samples: Vec<u8> = (0..64 * 2 * 2)
            .flat_map(|index: u64| (((index * 37 + ping) % 101) as f32 * 0.01 - 0.5).to_le_bytes())
            .collect();
        bytes.extend(datagram(b"RAW3", time, &raw("chirp", 0x208, 0, 64, &samples)));
        bytes.extend(datagram(b"XML0", time, br#"<Parameter><Channel ChannelID="tone" ChannelMode="0" Frequency="38000" PulseDuration="0.000512" SampleInterval="0.000128" Slope="0"/></Parameter>"#));
        let power: Vec<u8> = (0..40i16)
            .flat_map(|index| (-9000 + index).to_le_bytes())
            .chain([0; 80])
            .collect();
        bytes.extend(datagram(b"RAW3", time, &raw("tone", 0x3, 0, 40, &power)));
    }
    bytes
}
