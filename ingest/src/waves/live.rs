//! Samples as they come: in packets of RTP, or as bytes through a connection or a pipe.

use beluga_types::GapCause;

use super::blocks::Blocks;
use super::form::Form;
use super::rtp::{self, Packet};
use super::wav::{self, Head};
use crate::capture::Datagram;
use crate::live::heard::Hears;
use crate::survey::played::Rows;

/// A packet so far ahead of the last is no loss: the sender has begun anew.
const FARTHEST: u16 = 3000;

/// A stream of RTP.
#[derive(Debug)]
pub(crate) struct Packets {
    blocks: Blocks,
    /// What its payloads are called; of the first packet, if no description says it.
    kind: Option<u8>,
    /// Which stream, the number that is expected next, and its time.
    next: Option<(u32, u16, u32)>,
    /// Packets that came after their place, since that was told.
    late: u64,
    /// Packets behind a silence are marked in this stream.
    marks_silence: bool,
}

impl Packets {
    pub(crate) fn new(form: Form, kind: Option<u8>) -> Self {
        Self {
            blocks: Blocks::new(form),
            kind,
            next: None,
            late: 0,
            marks_silence: false,
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, heard: &Datagram, rows: &mut Rows) {
        let form = self.blocks.form();
        let frame = form.frame_bytes();
        if packet.payload.is_empty() || !packet.payload.len().is_multiple_of(frame) {
            let found = packet.payload.len();
            let what = format!(
                "packet {}: expected moments of {frame} bytes ({form}), found {found} bytes: another number of channels?",
                packet.number
            );
            return rows.lose(GapCause::Corrupt, 1, &what);
        }
        let moments = (packet.payload.len() / frame) as u32;
        if let Some((stream, number, time)) = self.next {
            let ahead = packet.number.wrapping_sub(number);
            if stream != packet.stream || (FARTHEST..=u16::MAX - FARTHEST).contains(&ahead) {
                rows.lose(GapCause::Corrupt, 0, "the stream begins anew");
                self.blocks.begin_anew(rows);
            } else if ahead > u16::MAX - FARTHEST {
                self.late += 1;
                return;
            } else if ahead > 0 || packet.time != time {
                let by_time = packet.time.wrapping_sub(time);
                self.marks_silence |= packet.is_start;
                // Of a stream that marks silences the packet that is missing may be the marked one.
                match packet.is_start || (self.marks_silence && ahead > 0) {
                    true => self.silence(ahead, by_time, moments, rows),
                    false => self.missing(ahead, by_time, moments, rows),
                }
            }
        }
        self.tell_late(rows);
        let next = (packet.number.wrapping_add(1), packet.time.wrapping_add(moments));
        self.next = Some((packet.stream, next.0, next.1));
        if let Some(said) = self.blocks.take(packet.payload, heard.received, rows) {
            rows.note(said);
        }
    }

    /// Packets that did not come; how many samples, by the stream's own times where those can be.
    fn missing(&mut self, packets: u16, by_time: u32, moments: u32, rows: &mut Rows) {
        let most = (u32::from(packets) + 1).saturating_mul(moments.saturating_mul(4));
        let samples = match (packets, by_time) {
            (1.., by_time) if by_time <= most => by_time,
            (1.., _) => u32::from(packets).saturating_mul(moments),
            // None is missing, and time goes on elsewhere: samples were left out before they were sent.
            (0, by_time) if by_time < u32::MAX / 2 => by_time,
            (0, _) => 0,
        };
        self.blocks.skip(u64::from(samples), rows);
        self.tell_missing(packets, samples, rows);
    }

    /// Nothing was sent for so long, on purpose, but for packets that did not come.
    fn silence(&mut self, packets: u16, by_time: u32, moments: u32, rows: &mut Rows) {
        let silent = if by_time < u32::MAX / 2 { by_time } else { 0 };
        self.blocks.skip(u64::from(silent), rows);
        if packets > 0 {
            let most = u32::from(packets).saturating_mul(moments);
            self.tell_missing(packets, most.min(silent), rows);
        }
    }

    fn tell_missing(&mut self, packets: u16, samples: u32, rows: &mut Rows) {
        let samples = u64::from(samples);
        let what = format!("{packets} packet(s) lost, {samples} samples of each channel");
        rows.lose(GapCause::Missing, self.blocks.blocks(samples), &what);
    }

    fn tell_late(&mut self, rows: &mut Rows) {
        let count = std::mem::take(&mut self.late);
        if count > 0 {
            let what = format!("{count} packet(s) a second time, or after their place");
            rows.lose(GapCause::Late, 0, &what);
        }
    }
}

impl Hears for Packets {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        rows.say(format!("heard at {}", heard.received.iso_8601()));
        match rtp::packet(&heard.payload) {
            Ok(packet) if self.kind.is_none_or(|kind| kind == packet.kind) => {
                self.kind = Some(packet.kind);
                self.packet(&packet, heard, rows);
                true
            }
            _ => false,
        }
    }

    fn pause(&mut self, rows: &mut Rows) {
        self.tell_late(rows);
        self.blocks.flush(rows);
    }
}

/// Bytes of samples, or of a WAV.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// What samples there are, once it is known.
    blocks: Option<Blocks>,
    /// Bytes of a header, or of a moment, that are not whole.
    rest: Vec<u8>,
    /// Bytes to be passed over: of a moment of which the beginning was let go.
    pass: usize,
    /// Each connection begins with a header.
    is_wav: bool,
    /// It begins with something else; what comes is left out.
    is_other: bool,
}

impl Pipe {
    /// Of such samples; of those that a WAV's header tells, if none is named.
    pub(crate) fn new(form: Option<Form>) -> Self {
        Self {
            is_wav: form.is_none(),
            blocks: form.map(Blocks::new),
            rest: Vec::new(),
            pass: 0,
            is_other: false,
        }
    }

    /// Reads the header, once it is whole.
    fn begin(&mut self, rows: &mut Rows) {
        match wav::head(&self.rest) {
            Ok(Head::More) => {}
            Ok(Head::Form(form, at)) => {
                self.rest.drain(..at);
                self.blocks = Some(Blocks::new(form));
            }
            Err(wrong) => {
                rows.lose(GapCause::Corrupt, 1, &wrong);
                self.rest.clear();
                self.is_other = true;
            }
        }
    }
}

impl Hears for Pipe {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        if self.is_other {
            return false;
        }
        rows.say(format!("heard at {}", heard.received.iso_8601()));
        let pass = self.pass.min(heard.payload.len());
        self.pass -= pass;
        self.rest.extend(&heard.payload[pass..]);
        if self.blocks.is_none() {
            self.begin(rows);
        }
        if let Some(blocks) = &mut self.blocks {
            let whole = self.rest.len() - self.rest.len() % blocks.form().frame_bytes();
            let moments: Vec<u8> = self.rest.drain(..whole).collect();
            if let Some(said) = blocks.take(&moments, heard.received, rows) {
                rows.note(said);
            }
        }
        true
    }

    /// Bytes are counted, so that a moment is found again where it begins.
    fn missing(&mut self, bytes: u64, rows: &mut Rows) {
        let Some(blocks) = &mut self.blocks else {
            // Within a header.
            self.rest.clear();
            self.is_other = true;
            return;
        };
        let frame = blocks.form().frame_bytes() as u64;
        // Of a moment that is passed over already the rest is not missing once more.
        let passed = bytes.min(self.pass as u64);
        self.pass -= passed as usize;
        if passed == bytes {
            return;
        }
        let gone = self.rest.len() as u64 + bytes - passed;
        blocks.skip(gone.div_ceil(frame), rows);
        self.rest.clear();
        self.pass = (gone.next_multiple_of(frame) - gone) as usize;
    }

    /// A new connection begins with a whole moment, or with a header.
    fn torn(&mut self, rows: &mut Rows) {
        if let Some(blocks) = &mut self.blocks {
            blocks.begin_anew(rows);
        }
        self.rest.clear();
        self.pass = 0;
        self.is_other = false;
        if self.is_wav {
            self.blocks = None;
        }
    }

    fn pause(&mut self, rows: &mut Rows) {
        if let Some(blocks) = &mut self.blocks {
            blocks.flush(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{Payload, SampleValues, SonarPing, Stamp};

    use super::*;
    use crate::live::sockets::NOBODY;

    fn heard(bytes: &[u8]) -> Datagram {
        Datagram {
            received: Stamp::from_nanos(1_000_000_000),
            source: NOBODY,
            destination: NOBODY,
            payload: bytes.to_vec(),
        }
    }

    fn samples(rows: Rows) -> Vec<i16> {
        let values = |payload: Payload| match payload {
            Payload::Sonar(ping) => match &*ping {
                SonarPing::Elements(elements) => match elements.waveforms.values() {
                    SampleValues::RealI16(values) => values.clone(),
                    _ => vec![],
                },
                _ => vec![],
            },
            _ => vec![],
        };
        rows.taken()
            .into_iter()
            .flat_map(|(_, payload)| values(payload))
            .collect()
    }

    /// When blocks begin, in ms, and what is lost, of packets of ten samples: their numbers, times and marks.
    fn of(sent: &[(u16, u32, bool)]) -> (Vec<i64>, Vec<(GapCause, u64, String)>) {
        let mut packets = Packets::new(Form::named("L16/1000/1").unwrap(), None);
        let mut rows = Rows::default();
        for &(number, time, is_start) in sent {
            let bytes = rtp::bytes(&Packet {
                kind: 96,
                is_start,
                number,
                time,
                stream: 7,
                payload: &[1; 20],
            });
            let received = Stamp::from_nanos(i64::from(time + 10) * 1_000_000);
            let datagram = Datagram {
                received,
                ..heard(&bytes)
            };
            assert!(packets.take(&datagram, &mut rows));
        }
        packets.pause(&mut rows);
        let (mut blocks, mut lost) = (vec![], vec![]);
        while let Some(row) = rows.pop() {
            match row {
                Ok(row) => blocks.push(row.stamp.nanos() / 1_000_000),
                Err(fault) => lost.push((fault.cause, fault.lost, fault.detail)),
            }
        }
        (blocks, lost)
    }

    /// Four pings of 20 samples, one each 100.
    fn pings() -> Vec<(u16, u32, bool)> {
        (0..4u16)
            .flat_map(|ping| {
                let time = 100 * u32::from(ping);
                [(2 * ping, time, true), (2 * ping + 1, time + 10, false)]
            })
            .collect()
    }

    /// What is between pings is no loss, and a packet that does not come is one.
    #[test]
    fn a_silence_that_is_marked_is_none_and_keeps_the_time() {
        assert_eq!(of(&pings()), (vec![0, 100, 200, 300], vec![]));
        let mut half = pings();
        half.remove(5);
        let (blocks, lost) = of(&half);
        assert_eq!(blocks, [0, 100, 200, 300]);
        let [(GapCause::Missing, 1, detail)] = &lost[..] else {
            panic!("{lost:?}")
        };
        assert!(detail.contains("1 packet(s) lost, 10 samples"), "{detail}");
    }

    /// The mark goes with its packet; what comes behind has its time all the same.
    #[test]
    fn a_marked_packet_that_is_lost_or_overtaken_takes_no_time_with_it() {
        let mut lacking = pings();
        lacking.remove(4);
        let (blocks, lost) = of(&lacking);
        assert_eq!(blocks, [0, 100, 210, 300]);
        let [(GapCause::Missing, 1, detail)] = &lost[..] else {
            panic!("{lost:?}")
        };
        assert!(detail.contains("1 packet(s) lost, 10 samples"), "{detail}");
        let mut swapped = pings();
        swapped.swap(4, 5);
        let (blocks, lost) = of(&swapped);
        assert_eq!(blocks, [0, 100, 210, 300]);
        let causes: Vec<_> = lost.iter().map(|(cause, lost, _)| (*cause, *lost)).collect();
        assert_eq!(causes, [(GapCause::Missing, 1), (GapCause::Late, 0)]);
    }

    /// Two channels that count up together: moments stay whole, however much of the bytes is let go.
    #[test]
    fn what_is_let_go_does_not_mix_the_channels() {
        let bytes: Vec<u8> = (0..50u16)
            .flat_map(|moment| [moment as u8, 0, moment as u8 + 100, 0])
            .collect();
        for (first, gone, again) in [(10, 1, 0), (9, 3, 2), (8, 4, 1), (7, 10, 0), (6, 1, 1), (5, 2, 5)] {
            let mut pipe = Pipe::new(Form::named("S16LE/1000/2"));
            let mut rows = Rows::default();
            pipe.take(&heard(&bytes[..first]), &mut rows);
            pipe.missing(gone as u64, &mut rows);
            pipe.missing(again as u64, &mut rows);
            pipe.take(&heard(&bytes[first + gone + again..]), &mut rows);
            pipe.pause(&mut rows);
            let got = samples(rows);
            // The first block and the last, each a row of the one channel and one of the other.
            let before = first / 4;
            let (one, rest) = got.split_at(2 * before);
            assert!((0..before).all(|at| one[at] == at as i16 && one[before + at] == at as i16 + 100));
            let after = (first + gone + again).div_ceil(4) as i16;
            let half = rest.len() / 2;
            assert_eq!(half as i16, 50 - after, "{first} {gone} {again}");
            assert!(
                (0..half)
                    .all(|at| rest[at] == after + at as i16 && rest[half + at] == after + at as i16 + 100)
            );
        }
    }
}
