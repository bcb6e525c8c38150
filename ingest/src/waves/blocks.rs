//! Samples in blocks, and when each block was taken: a stream counts its samples, the host's clock says
//! when they came.

use beluga_types::{GapCause, Stamp, WaveformShape, Waveforms};

use super::form::Form;
use crate::hydrophone;
use crate::survey::played::Rows;

/// Length of a block, in seconds.
const BLOCK_S: f64 = 0.1;
/// The largest block, in bytes.
const MOST_BYTES: usize = 64 << 20;
/// How early samples came at the earliest is remembered for one to two of these, in nanoseconds.
const REMEMBERED_NANOS: i64 = 10_000_000_000;
/// So long it is listened before a rate is judged, in nanoseconds, and so much it may differ: networks
/// come in bursts, clocks differ by a few parts in ten thousand.
const JUDGED_NANOS: i64 = 3_000_000_000;
const RATE_ODD: f64 = 0.02;

/// Samples on their way into blocks.
#[derive(Debug)]
pub(crate) struct Blocks {
    form: Form,
    waiting: Vec<u8>,
    /// Samples before those that wait, of each channel, since the start.
    before: u64,
    clock: Option<Clock>,
    judged: bool,
}

/// When a stream's samples are taken, by the host's clock: as the quickest of them came.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// The first arrival, and how many samples there were.
    first: (Stamp, u64),
    /// Of sample 0, by the quickest in this stretch of time and in the one before.
    zero: [Option<Stamp>; 2],
    since: Stamp,
}

impl Clock {
    fn new(received: Stamp, samples: u64) -> Self {
        Self {
            first: (received, samples),
            zero: [None, None],
            since: received,
        }
    }

    fn hear(&mut self, received: Stamp, zero: Stamp) {
        if received.nanos_since(self.since) > REMEMBERED_NANOS {
            self.zero = [None, self.zero[0]];
            self.since = received;
        }
        self.zero[0] = Some(self.zero[0].map_or(zero, |earliest| earliest.min(zero)));
    }

    /// When sample 0 was taken.
    fn zero(&self) -> Stamp {
        let [now, before] = self.zero;
        now.into_iter().chain(before).min().unwrap_or(self.since)
    }
}

impl Blocks {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            waiting: Vec::new(),
            before: 0,
            clock: None,
            judged: false,
        }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Takes whole moments that came now; gives each block that is full. What is said of a rate that
    /// is not the declared one, once.
    pub(crate) fn take(&mut self, bytes: &[u8], received: Stamp, rows: &mut Rows) -> Option<String> {
        self.waiting.extend(bytes);
        let samples = self.before + (self.waiting.len() / self.form.frame_bytes()) as u64;
        let clock = self.clock.get_or_insert_with(|| Clock::new(received, samples));
        clock.hear(received, received.shifted_nanos(-self.form.nanos(samples)));
        let block = self.block_bytes();
        while self.waiting.len() >= block {
            let rest = self.waiting.split_off(block);
            let full = std::mem::replace(&mut self.waiting, rest);
            self.give(&full, rows);
        }
        self.judge(received, samples)
    }

    /// So many samples are missing: what waits is given as it is.
    pub(crate) fn skip(&mut self, samples: u64, rows: &mut Rows) {
        self.flush(rows);
        self.before += samples;
    }

    /// Gives what waits.
    pub(crate) fn flush(&mut self, rows: &mut Rows) {
        let whole = self.waiting.len() - self.waiting.len() % self.form.frame_bytes();
        let short: Vec<u8> = self.waiting.drain(..whole).collect();
        self.waiting.clear();
        if !short.is_empty() {
            self.give(&short, rows);
        }
    }

    /// The stream begins anew: samples are counted from 0, and its clock is another.
    pub(crate) fn begin_anew(&mut self, rows: &mut Rows) {
        self.flush(rows);
        *self = Self::new(self.form);
    }

    /// How many blocks so many samples are, one at least.
    pub(crate) fn blocks(&self, samples: u64) -> u64 {
        let block = (self.block_bytes() / self.form.frame_bytes()) as u64;
        samples.div_ceil(block).max(1)
    }

    fn block_bytes(&self) -> usize {
        let frame = self.form.frame_bytes();
        let most = (MOST_BYTES / frame).max(1);
        frame * ((BLOCK_S * self.form.rate_hz) as usize).clamp(1, most)
    }

    fn give(&mut self, bytes: &[u8], rows: &mut Rows) {
        let samples = bytes.len() / self.form.frame_bytes();
        let zero = self.clock.as_ref().map(Clock::zero).unwrap_or_default();
        let stamp = zero.shifted_nanos(self.form.nanos(self.before));
        self.before += samples as u64;
        let (values, none) = self.form.rows(bytes);
        let shape = WaveformShape {
            channels: self.form.channels,
            samples,
        };
        match Waveforms::new(shape, values, 1.0, self.form.rate_hz, 0.0, 0.0) {
            Ok(waveforms) => {
                let last_nanos = waveforms.last_offset_nanos();
                rows.push_long(stamp, None, hydrophone::heard(waveforms), last_nanos);
            }
            Err(wrong) => rows.lose(GapCause::Corrupt, 1, &wrong.to_string()),
        }
        if none > 0 {
            rows.lose(
                GapCause::Corrupt,
                0,
                &format!("{none} sample(s) that are no number became 0"),
            );
        }
    }

    fn judge(&mut self, received: Stamp, samples: u64) -> Option<String> {
        let (first, counted) = self.clock?.first;
        let nanos = received.nanos_since(first);
        if self.judged || nanos < JUDGED_NANOS {
            return None;
        }
        self.judged = true;
        let found_hz = (samples - counted) as f64 / (nanos as f64 * 1e-9);
        let odd = (found_hz / self.form.rate_hz - 1.0).abs() > RATE_ODD;
        odd.then(|| {
            format!(
                "declared as {}, but {found_hz:.0} samples come a second: another rate than declared, a sender that does not keep its pace, or another number of channels; times are wrong until the rig says the right one",
                self.form
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One second at this pace, of a stream that is said to have 1000 samples a second of one channel:
    /// stamps of blocks in milliseconds, and what was said.
    fn heard(pace_hz: i64, seconds: i64) -> (Vec<i64>, Vec<String>) {
        let mut blocks = Blocks::new(Form::named("L16/1000/1").unwrap());
        let (mut rows, mut said) = (Rows::default(), vec![]);
        for packet in 1..=seconds * pace_hz / 50 {
            // Each comes when its last sample is taken, every fourth 7 ms late.
            let late = if packet % 4 == 0 { 7 } else { 0 };
            let received = Stamp::from_nanos((packet * 50_000 / pace_hz + late) * 1_000_000);
            said.extend(blocks.take(&[0; 100], received, &mut rows));
        }
        let stamps = rows
            .taken()
            .iter()
            .map(|(stamp, _)| stamp.nanos() / 1_000_000)
            .collect();
        (stamps, said)
    }

    #[test]
    fn blocks_follow_each_other_as_the_quickest_packets_have_it() {
        let (stamps, said) = heard(1000, 5);
        assert_eq!(stamps, (0..50).map(|block| 100 * block).collect::<Vec<_>>());
        assert!(said.is_empty(), "{said:?}");
    }

    #[test]
    fn another_rate_than_declared_is_said_once() {
        let (_, said) = heard(500, 8);
        assert_eq!(said.len(), 1);
        assert!(
            said[0].contains("L16/1000/1") && said[0].contains("but 50"),
            "{said:?}"
        );
    }

    #[test]
    fn what_is_missing_is_left_out_of_the_count() {
        let mut blocks = Blocks::new(Form::named("L16/1000/1").unwrap());
        let mut rows = Rows::default();
        blocks.take(&[0; 100], Stamp::from_nanos(50_000_000), &mut rows);
        blocks.skip(200, &mut rows);
        blocks.take(&[0; 200], Stamp::from_nanos(350_000_000), &mut rows);
        let found = rows.taken();
        let stamps: Vec<_> = found.iter().map(|(stamp, _)| stamp.nanos() / 1_000_000).collect();
        assert_eq!(stamps, [0, 250]);
        assert_eq!((blocks.blocks(1), blocks.blocks(250)), (1, 3));
    }
}
