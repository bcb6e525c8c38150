//! Waveforms as packets of RTP: the twin of what [`super::live`] hears.

use beluga_types::{SampleValues, Waveforms};

use super::form::{Form, Kind};
use super::rtp;

/// Bytes of samples in a packet, at most, unless one moment has more: what fits a network's 1500 beside headers.
const LONGEST: usize = 1400;
/// The payload type that descriptions give to what has none of its own (RFC 3551, section 6: dynamic, 96 to 127).
const KIND: u8 = 96;
/// The largest sample of 24 bits.
const LARGEST: f32 = 8_388_607.0;

/// Where a stream is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Which stream.
    pub(crate) stream: u32,
    /// The next packet's number.
    pub(crate) number: u64,
    /// The moment of the first sample, in samples.
    pub(crate) time: u64,
    /// There was silence before it.
    pub(crate) is_start: bool,
}

/// A packet, and how long after the waveforms' time zero its last sample is taken.
pub(crate) struct Packet {
    pub(crate) last_offset_nanos: i64,
    pub(crate) bytes: Vec<u8>,
}

/// How these waveforms are sent: counts of 16 bits as L16, whole numbers of 24 bits as L24. I and Q are a channel
/// each, one behind the other.
///
/// # Errors
/// If RTP has no such samples.
pub(crate) fn form(waveforms: &Waveforms) -> Result<Form, String> {
    let values = waveforms.values();
    let bytes = match values {
        SampleValues::RealI16(_) | SampleValues::IqI16(_) => 2,
        SampleValues::RealF32(_) | SampleValues::IqF32(_) => 3,
    };
    let form = Form {
        kind: Kind::Int { bytes, big: true },
        rate_hz: waveforms.sample_rate_hz(),
        channels: waveforms.shape().channels * if values.is_iq() { 2 } else { 1 },
    };
    if !form.is_believed() {
        return Err(format!("no stream of samples is {form}"));
    }
    let is_whole = |value: &f32| value.fract() == 0.0 && value.abs() <= LARGEST;
    let is_sent = match values {
        SampleValues::RealI16(_) | SampleValues::IqI16(_) => true,
        SampleValues::RealF32(values) => values.iter().all(is_whole),
        SampleValues::IqF32(values) => values.iter().flatten().all(is_whole),
    };
    match is_sent {
        true => Ok(form),
        false => Err("its samples are no whole numbers of 24 bits".into()),
    }
}

/// The packets of waveforms that have this form.
pub(crate) fn packets(waveforms: &Waveforms, form: &Form, place: Place) -> Vec<Packet> {
    let frame = form.frame_bytes();
    let samples = waveforms.shape().samples;
    let moments = (LONGEST / frame).max(1);
    let bytes = interleaved(waveforms, form);
    let packet = |(number, payload): (usize, &[u8])| {
        let first = number * moments;
        let last = (first + payload.len() / frame).min(samples).saturating_sub(1);
        let last_s = waveforms.first_sample_s() + last as f64 / form.rate_hz;
        Packet {
            last_offset_nanos: (last_s * 1e9).round() as i64,
            bytes: rtp::bytes(&rtp::Packet {
                kind: KIND,
                is_start: place.is_start && number == 0,
                number: (place.number + number as u64) as u16,
                time: (place.time + first as u64) as u32,
                stream: place.stream,
                payload,
            }),
        }
    };
    bytes.chunks(moments * frame).enumerate().map(packet).collect()
}

/// All channels of one moment, then of the next.
fn interleaved(waveforms: &Waveforms, form: &Form) -> Vec<u8> {
    let shape = waveforms.shape();
    let parts = form.channels / shape.channels.max(1);
    let mut bytes = Vec::with_capacity(shape.samples * form.frame_bytes());
    for sample in 0..shape.samples {
        for channel in 0..shape.channels {
            let at = channel * shape.samples + sample;
            let value = match waveforms.values() {
                SampleValues::RealI16(values) => [i32::from(values[at]), 0],
                SampleValues::IqI16(values) => values[at].map(i32::from),
                SampleValues::RealF32(values) => [values[at] as i32, 0],
                SampleValues::IqF32(values) => values[at].map(|value| value as i32),
            };
            for value in &value[..parts] {
                let width = form.frame_bytes() / form.channels;
                bytes.extend(&value.to_be_bytes()[4 - width..]);
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use beluga_types::WaveformShape;

    use super::*;

    fn waveforms(channels: usize, values: SampleValues) -> Waveforms {
        let samples = values.len() / channels;
        Waveforms::new(
            WaveformShape { channels, samples },
            values,
            0.5,
            8000.0,
            0.0,
            0.25,
        )
        .unwrap()
    }

    fn sent(waveforms: &Waveforms, number: u64, time: u64) -> (Form, Vec<Packet>) {
        let form = form(waveforms).unwrap();
        let place = Place {
            stream: 7,
            number,
            time,
            is_start: true,
        };
        let packets = packets(waveforms, &form, place);
        (form, packets)
    }

    #[test]
    fn samples_come_back_from_their_packets_and_times_follow_each_other() {
        let counts: Vec<[i16; 2]> = (0..3000).map(|n: i16| [n - 1500, 7 * n]).collect();
        let whole: Vec<f32> = (0..3000).map(|n| (n as f32 - 1000.0) * 8000.0).collect();
        let iq: Vec<[f32; 2]> = whole.iter().map(|value| [*value, -*value]).collect();
        for values in [
            SampleValues::RealI16(counts.iter().map(|pair| pair[1]).collect()),
            SampleValues::IqI16(counts),
            SampleValues::RealF32(whole.iter().map(|value| value.min(LARGEST)).collect()),
            SampleValues::IqF32(
                iq.iter()
                    .map(|pair| pair.map(|value| value.clamp(-LARGEST, LARGEST)))
                    .collect(),
            ),
        ] {
            let waveforms = waveforms(3, values.clone());
            // Both counts come round on the way.
            let (form, packets) = sent(&waveforms, 65_535, u64::from(u32::MAX) - 400);
            let (mut payload, mut moments) = (Vec::new(), 0u64);
            for (number, packet) in packets.iter().enumerate() {
                assert!(packet.bytes.len() <= LONGEST + 12);
                let found = rtp::packet(&packet.bytes).unwrap();
                assert_eq!(found.number, 65_535u16.wrapping_add(number as u16));
                assert_eq!(found.time, (u32::MAX - 400).wrapping_add(moments as u32));
                assert_eq!(found.is_start, number == 0);
                payload.extend_from_slice(found.payload);
                moments += (found.payload.len() / form.frame_bytes()) as u64;
                let last_s = 0.25 + (moments - 1) as f64 / 8000.0;
                assert_eq!(packet.last_offset_nanos, (1e9 * last_s).round() as i64);
            }
            assert_eq!(moments, 1000);
            // A channel of I, and one of Q behind it.
            let flat: Vec<f64> = match &values {
                SampleValues::RealI16(values) => values.iter().map(|value| f64::from(*value)).collect(),
                SampleValues::RealF32(values) => values.iter().map(|value| f64::from(*value)).collect(),
                SampleValues::IqI16(values) => apart(values.iter().map(|pair| pair.map(f64::from))),
                SampleValues::IqF32(values) => apart(values.iter().map(|pair| pair.map(f64::from))),
            };
            let heard: Vec<f64> = match form.rows(&payload).0 {
                SampleValues::RealI16(values) => values.iter().map(|value| f64::from(*value)).collect(),
                SampleValues::RealF32(values) => values.iter().map(|value| f64::from(*value)).collect(),
                other => panic!("{other:?}"),
            };
            assert!(heard == flat, "{form}");
        }
    }

    /// Rows of I and of Q, of three channels of a thousand samples.
    fn apart(pairs: impl Iterator<Item = [f64; 2]>) -> Vec<f64> {
        let pairs: Vec<[f64; 2]> = pairs.collect();
        let row = |channel: &[[f64; 2]], part: usize| {
            channel.iter().map(move |pair| pair[part]).collect::<Vec<_>>()
        };
        pairs
            .chunks(1000)
            .flat_map(|channel| [row(channel, 0), row(channel, 1)].concat())
            .collect()
    }

    #[test]
    fn what_rtp_cannot_say_is_refused() {
        for values in [vec![0.5; 3], vec![1e7; 3]] {
            let said = form(&waveforms(3, SampleValues::RealF32(values))).unwrap_err();
            assert!(said.contains("24 bits"), "{said}");
        }
        let many = waveforms(1025, SampleValues::RealI16(vec![0; 1025]));
        assert!(form(&many).unwrap_err().contains("L16/8000/1025"));
    }
}
