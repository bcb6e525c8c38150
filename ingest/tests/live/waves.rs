//! Waveforms by RTP, TCP and as a WAV without an end: the samples that were sent.

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::Ordering;

use beluga_ingest::live::Live;
use beluga_types::{GapCause, Measurement, Payload, SampleValues, SonarPing};

use super::send::{Hearing, free_port, gaps};

const SENSOR: &str = "[[sensor]]\nname = \"hydrophones\"\nkind = \"sonar\"\n";
/// A packet's moments, as 96 kHz of four channels of three bytes fit a network's 1500.
const MOMENTS: usize = 115;

/// Channel and moment as one sample, different everywhere.
fn sample(channel: usize, moment: usize) -> i32 {
    channel as i32 * 1_000_000 + moment as i32 - 2_000_000
}

/// A packet of L24, as RFC 3550 and RFC 3190 have it.
fn packet(number: usize, channels: usize) -> Vec<u8> {
    let mut bytes = vec![0x80, 96];
    // Both counts begin just before they come round.
    bytes.extend(65_530u16.wrapping_add(number as u16).to_be_bytes());
    bytes.extend(
        (u32::MAX - 100)
            .wrapping_add((number * MOMENTS) as u32)
            .to_be_bytes(),
    );
    bytes.extend(7u32.to_be_bytes());
    for moment in number * MOMENTS..(number + 1) * MOMENTS {
        for channel in 0..channels {
            bytes.extend(&sample(channel, moment).to_be_bytes()[1..]);
        }
    }
    bytes
}

/// Rows of samples of each channel, block after block.
fn blocks(measurements: &[Measurement]) -> Vec<(&Measurement, Vec<Vec<i32>>)> {
    fn block(one: &Measurement) -> Option<(&Measurement, Vec<Vec<i32>>)> {
        let Measurement {
            payload: Payload::Sonar(ping),
            ..
        } = one
        else {
            return None;
        };
        let SonarPing::Elements(elements) = &**ping else {
            return None;
        };
        let values: Vec<i32> = match elements.waveforms.values() {
            SampleValues::RealF32(values) => values.iter().map(|value| *value as i32).collect(),
            SampleValues::RealI16(values) => values.iter().map(|value| i32::from(*value)).collect(),
            _ => return None,
        };
        let rows = values
            .chunks(elements.waveforms.shape().samples)
            .map(<[i32]>::to_vec);
        Some((one, rows.collect()))
    }
    measurements.iter().filter_map(block).collect()
}

/// All samples of one channel.
fn channel(blocks: &[(&Measurement, Vec<Vec<i32>>)], channel: usize) -> Vec<i32> {
    blocks
        .iter()
        .flat_map(|(_, rows)| rows[channel].clone())
        .collect()
}

#[test]
fn packets_of_samples_come_out_and_what_is_lost_is_counted() {
    let (hearing, port) = (Hearing::new(), free_port());
    let rig = format!("{SENSOR}format = \"L24/96000/4\"\nsource = \"udp://127.0.0.1:{port}\"\n");
    let out = hearing.hear(&rig, |sender| {
        for number in 0..200 {
            match number {
                // Lost; sent twice; another number of channels; no packet at all.
                60 | 61 | 150 => {}
                20 => (0..2).for_each(|_| sender.send(port, 1, &packet(number, 4))),
                100 => {
                    sender.send(port, 1, &packet(number, 3));
                    sender.send(port, 1, &packet(number, 4));
                }
                110 => {
                    sender.send(port, 1, b"no packet");
                    sender.send(port, 1, &packet(number, 4));
                }
                _ => sender.send(port, 1, &packet(number, 4)),
            }
        }
    });
    let found = blocks(&out);
    let kept = |moment: &usize| ![60, 61, 150].contains(&(moment / MOMENTS));
    for number in 0..4 {
        let expected: Vec<i32> = (0..200 * MOMENTS)
            .filter(kept)
            .map(|moment| sample(number, moment))
            .collect();
        assert_eq!(channel(&found, number), expected, "channel {number}");
    }
    let gaps = gaps(&out);
    let missing: Vec<_> = gaps
        .iter()
        .filter(|(cause, ..)| *cause == GapCause::Missing)
        .collect();
    assert!(
        missing.len() == 2
            && missing[0].2.contains("2 packet(s) lost, 230 samples")
            && missing[1].2.contains("1 packet(s) lost, 115 samples"),
        "{gaps:?}"
    );
    for words in [
        "1 packet(s) a second time",
        "another number of channels?",
        "1 datagram(s) of something else",
    ] {
        assert!(
            gaps.iter().any(|(_, _, detail)| detail.contains(words)),
            "{words}: {gaps:?}"
        );
    }
}

#[test]
fn a_description_names_the_packets() {
    let (hearing, port) = (Hearing::new(), free_port());
    let text = "v=0\nm=audio 5004 RTP/AVP 96\na=rtpmap:96 L24/96000/4\n";
    std::fs::write(hearing.folder.path().join("array.sdp"), text).unwrap();
    let rig = format!(
        "{SENSOR}format = \"rtp\"\ncalibration = \"array.sdp\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    let out = hearing.hear(&rig, |sender| {
        let mut other = packet(3, 4);
        other[1] = 97;
        for packet in [packet(0, 4), other, packet(1, 4)] {
            sender.send(port, 1, &packet);
        }
    });
    assert_eq!(channel(&blocks(&out), 2).len(), 2 * MOMENTS, "{:?}", gaps(&out));
}

/// Two connections of one server; the second is cut within a moment, and each in pieces of 7 bytes.
fn by_tcp(format: &str, head: &[u8], bytes: &[u8]) -> Vec<Measurement> {
    let hearing = Hearing::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let rig = format!(
        "{SENSOR}format = \"{format}\"\nsource = \"tcp://{}\"\n",
        server.local_addr().unwrap()
    );
    let live = Live::open(&hearing.rig(&rig), hearing.options.clone()).unwrap();
    let stop = hearing.options.stop.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for bytes in [bytes, &bytes[..bytes.len() - 1]] {
                let (mut connection, _) = server.accept().unwrap();
                for piece in [head, bytes].concat().chunks(7) {
                    connection.write_all(piece).unwrap();
                }
            }
            drop(server.accept().unwrap());
            stop.store(true, Ordering::Relaxed);
        });
        live.collect()
    })
}

#[test]
fn raw_samples_and_a_wav_without_an_end_come_out_by_tcp() {
    let moments = 300;
    let bytes: Vec<u8> = (0..moments)
        .flat_map(|moment| [0, 1].map(|channel: i16| (moment as i16 - 1000 * channel).to_le_bytes()))
        .flatten()
        .collect();
    let mut wav = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x02\0".to_vec();
    wav.extend(1000u32.to_le_bytes());
    wav.extend(4000u32.to_le_bytes());
    wav.extend(b"\x04\0\x10\0data\0\0\0\0");
    for (format, head) in [("S16LE/1000/2", &b""[..]), ("wav", &wav)] {
        let out = by_tcp(format, head, &bytes);
        let found = blocks(&out);
        for (number, less) in [(0, 0), (1, 1000)] {
            // Of the second connection the last moment is cut. Both came in an instant, so that their blocks
            // lie among each other.
            let expected = (0..moments).chain(0..moments - 1).map(|moment| moment - less);
            let (mut got, mut expected) = (channel(&found, number), expected.collect::<Vec<i32>>());
            got.sort_unstable();
            expected.sort_unstable();
            assert_eq!(got, expected, "{format} {:?}", gaps(&out));
            for (_, rows) in &found {
                assert!(rows[number].windows(2).all(|two| two[1] == two[0] + 1));
            }
        }
    }
}

#[test]
fn samples_that_cannot_be_are_refused_with_the_remedy() {
    for (lines, words) in [
        (
            "format = \"L24\"\nsource = \"udp://127.0.0.1:1\"",
            "as in `L24/96000/4`",
        ),
        (
            "format = \"S16LE/96000/4\"\nsource = \"udp://127.0.0.1:1\"",
            "KIND being L16 or L24",
        ),
        (
            "format = \"S16LE/96000\"\nsource = \"udp://127.0.0.1:1\"",
            "KIND being L16 or L24",
        ),
        ("format = \"S16LE/0/1\"\nsource = \"stdin\"", "F32LE"),
        (
            "format = \"rtp\"\nsource = \"udp://127.0.0.1:1\"",
            "a description (SDP)",
        ),
        ("format = \"wav\"\nsource = \"udp://127.0.0.1:1\"", "heard live"),
        ("format = \"wav\"\nsource = \"sound://default\"", "heard live"),
        (
            "format = \"S24LE\"\nsource = \"sound://default\"",
            "as in `S16LE/96000/4`",
        ),
        #[cfg(not(feature = "sound-card"))]
        (
            "format = \"S16LE/48000/2\"\nsource = \"sound://default\"",
            "cargo build --features sound-card",
        ),
    ] {
        let hearing = Hearing::new();
        let live = Live::open(
            &hearing.rig(&format!("{SENSOR}{lines}\n")),
            hearing.options.clone(),
        );
        let said = live.unwrap_err().to_string();
        assert!(
            said.contains(words) && said.contains("`hydrophones`"),
            "{words}: {said}"
        );
    }
}
