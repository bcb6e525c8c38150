//! NMEA 0183: navigation as text, from a log or from a receiver that is heard now; and depths.
//!
//! - `split`: bytes → lines; `sentence`: text → what it says; `epoch`: sentences of one moment → one pose;
//!   `depth`: an echo sounder's depths; [`crate::pps`]: the pulses that go with a receiver's sentences.
//!
//! Positions (GGA) with attitudes (PASHR), or with a heading (HDT), become poses; GST says how good
//! positions are. Times are UTC of day; the date is that of RMC or ZDA, or the day that brings the time
//! nearest to the host's. Sums are checked; what does not hold is counted.

mod depth;
mod epoch;
mod sentence;
mod split;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use beluga_types::{Attitude, ClockState, GapCause, Geodetic, Origin, Payload, SensorSpec, Stamp};
use nalgebra::Vector3;

use crate::capture::{Damage, Datagram};
use crate::error::{Error, Fault};
use crate::pps::Pulses;
use crate::regular;
use crate::source::{Loaded, Row, Source};
pub(crate) use depth::Depths;
pub(crate) use epoch::{Epochs, Lying, turn_of};
use sentence::{LONGEST, Sentence};
use split::{BROKEN, Split};

/// A day.
const DAY_NANOS: i64 = 86_400_000_000_000;

/// What a receiver says, as rows of poses, positions and attitudes.
pub(crate) struct Sentences<I> {
    pieces: I,
    path: PathBuf,
    epochs: Epochs,
    split: Split,
    /// The date that was told last, in days since 1970, and the time of day when it was.
    date: Option<(i64, i64)>,
    /// The last day that was told and not taken.
    far_date: Option<i64>,
    /// The pulses whose seconds it names.
    pulses: Option<Pulses>,
    /// What is known of the clock by them, and not yet told.
    clock: Option<ClockState>,
    /// The moment of what was given last.
    latest: Option<Stamp>,
    /// The newest position's moment, and when the host heard it: it may be given later.
    placed: Option<(Stamp, Option<Stamp>)>,
    ready: VecDeque<Result<Row<Payload>, Fault>>,
    /// Lines that do not hold, since the last row; and what is wrong with the first.
    bad: (u64, String),
    ended: bool,
}

/// A piece of what a receiver sends, and when the host heard it, if it did.
pub(crate) struct Piece {
    received: Option<Stamp>,
    bytes: Vec<u8>,
    /// Lines end where it does.
    is_whole: bool,
}

impl Piece {
    /// Of what is heard now: datagrams hold whole lines, a connection's bytes do not.
    pub(crate) fn of(datagram: Datagram, is_whole: bool) -> Self {
        Self {
            received: Some(datagram.received),
            bytes: datagram.payload,
            is_whole,
        }
    }

    /// Nothing has come for a while.
    pub(crate) fn pause() -> Self {
        Self {
            received: None,
            bytes: Vec::new(),
            is_whole: false,
        }
    }
}

/// The lines of a log. Nobody knows when they were heard.
pub(crate) fn open(path: &Path, spec: &SensorSpec, origin: &Origin) -> Result<Sentences<Lines>, Error> {
    let lines = Lines {
        file: BufReader::new(regular::open(path)?),
        path: path.to_owned(),
        failed: false,
    };
    Ok(Sentences::new(lines, path, spec, origin))
}

/// The first place that a log gives.
pub(crate) fn first_place(path: &Path) -> Result<Option<Geodetic>, Error> {
    let file = BufReader::new(regular::open(path)?);
    for line in file.split(b'\n') {
        let line = line.map_err(Error::io(path))?;
        if let Ok(Sentence::Fix {
            place: Some(place), ..
        }) = sentence::read(line.trim_ascii())
        {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Whether a file begins with a sentence that holds, within its first lines.
pub(crate) fn looks_like(path: &Path) -> bool {
    /// Receivers that are switched on begin anywhere in a line.
    const LINES: usize = 5;
    let Ok(file) = regular::open(path) else {
        return false;
    };
    let start = std::io::Read::take(file, (LINES * LONGEST) as u64);
    let mut lines = BufReader::new(start)
        .split(b'\n')
        .take(LINES)
        .map_while(Result::ok);
    lines.any(|line| line.first() == Some(&b'$') && sentence::read(line.trim_ascii()).is_ok())
}

/// Reads a file in pieces.
pub(crate) struct Lines {
    file: BufReader<File>,
    path: PathBuf,
    failed: bool,
}

impl Iterator for Lines {
    type Item = Result<Piece, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let bytes = match self.file.fill_buf() {
            Ok([]) => return None,
            Ok(bytes) => bytes.to_vec(),
            Err(said) => {
                self.failed = true;
                let fault = Fault::corrupt(&Error::io(&self.path)(said));
                return Some(Err(Damage {
                    received: None,
                    source: None,
                    port: None,
                    fault,
                }));
            }
        };
        self.file.consume(bytes.len());
        Some(Ok(Piece {
            received: None,
            bytes,
            is_whole: false,
        }))
    }
}

impl<I: Iterator<Item = Result<Piece, Damage>>> Sentences<I> {
    /// `path` is the name in messages.
    pub(crate) fn new(pieces: I, path: &Path, spec: &SensorSpec, origin: &Origin) -> Self {
        Self {
            pieces,
            path: path.to_owned(),
            epochs: Epochs::new(origin.clone(), spec.mount),
            split: Split::default(),
            date: None,
            far_date: None,
            pulses: None,
            clock: None,
            latest: None,
            placed: None,
            ready: VecDeque::new(),
            bad: (0, String::new()),
            ended: false,
        }
    }

    /// The same, of a receiver whose pulses come too.
    pub(crate) fn with_pulses(self, pulses: Option<Pulses>) -> Self {
        Self { pulses, ..self }
    }

    fn take(&mut self, piece: Piece) {
        for line in self.split.take(&piece.bytes, piece.is_whole) {
            match line.and_then(|line| sentence::read(&line)) {
                Ok(sentence) => self.sentence(sentence, piece.received),
                Err(wrong) => self.spoilt(wrong),
            }
        }
    }

    /// What comes next does not go on where this ended: a connection that broke off, or what was let
    /// go. A line that has begun is none.
    fn torn(&mut self) {
        if self.split.torn() {
            self.spoilt(BROKEN.into());
        }
    }

    fn spoilt(&mut self, wrong: String) {
        /// So many are told at once, while nothing good comes.
        const TOLD_EACH: u64 = 100;
        self.bad.0 += 1;
        if self.bad.0 == 1 {
            self.bad.1 = wrong;
        }
        if self.bad.0 >= TOLD_EACH {
            self.tell_bad();
        }
    }

    fn sentence(&mut self, sentence: Sentence, received: Option<Stamp>) {
        let mut placed = self.placed;
        let given = match sentence {
            Sentence::Fix { day_nanos, place } => match (place, self.stamp(day_nanos, received)) {
                (Some(place), Some(stamp)) => {
                    placed = Some((stamp, received));
                    self.epochs.place(stamp, place)
                }
                (None, Some(_)) => return self.lose("a position that is not known, or without a height"),
                (_, None) => return self.lose("a time of day without a date: no RMC or ZDA has come yet"),
            },
            Sentence::Attitude {
                day_nanos,
                attitude_deg,
                sigma_deg,
            } => match self.stamp(day_nanos, received) {
                Some(stamp) => self.epochs.attitude(Lying {
                    stamp,
                    turn: Attitude::from_degrees(attitude_deg).east_north_up_from_body(),
                    sigma_rad: sigma_deg.map(|sigma| Vector3::from(sigma).map(f64::to_radians)),
                }),
                None => return self.lose("a time of day without a date: no RMC or ZDA has come yet"),
            },
            Sentence::Heading(heading_deg) => self.epochs.heading(heading_deg, received),
            Sentence::Errors { sigma_m, .. } => return self.epochs.errors(sigma_m),
            Sentence::Date { days, day_nanos } => {
                return self.date(days, day_nanos, received);
            }
            Sentence::Other => return,
        };
        self.give(given, received);
        self.placed = placed;
        let pulses = self.pulses.as_mut().zip(received);
        let state = pulses.and_then(|(pulses, heard)| pulses.unnamed(heard));
        self.clock = state.or(self.clock);
    }

    /// A date that is told; one that is days from the host's is not taken where the host's is known, since all
    /// that follows would lie there.
    fn date(&mut self, days: i64, day_nanos: i64, received: Option<Stamp>) {
        let told = days.saturating_mul(DAY_NANOS).saturating_add(day_nanos);
        let off = received.map_or(0, |received| Stamp::from_nanos(told).nanos_since(received));
        if off.saturating_abs() <= DAY_NANOS {
            self.date = Some((days, day_nanos));
            self.second(Stamp::from_nanos(told), received);
        } else if self.far_date.replace(days) != Some(days) {
            self.fault(
                0,
                format!(
                    "a date {:.0} days from the host's is not taken: the host's day counts; set the clock that is wrong",
                    off as f64 / DAY_NANOS as f64
                ),
            );
        }
    }

    /// A moment that is named; a whole second is that of the pulse before.
    fn second(&mut self, named: Stamp, heard: Option<Stamp>) {
        const SECOND_NANOS: i64 = 1_000_000_000;
        let is_whole = named.nanos() % SECOND_NANOS == 0;
        let pulses = self.pulses.as_mut().filter(|_| is_whole).zip(heard);
        let state = pulses.and_then(|(pulses, heard)| pulses.named(named, heard));
        self.clock = state.or(self.clock);
    }

    fn give(&mut self, given: Vec<(Stamp, Payload)>, received: Option<Stamp>) {
        for (stamp, payload) in given {
            self.tell_bad();
            let own = self.placed.filter(|(placed, _)| *placed == stamp);
            let received = own.map_or(received, |(_, heard)| heard);
            // What is known of the clock goes just before, where nothing stands: it is never late by itself.
            let before = stamp.shifted_nanos(-1);
            let is_free = self.latest.replace(stamp).is_none_or(|latest| latest < before);
            if let Some(state) = self.clock.take_if(|_| is_free) {
                self.row(before, Payload::Clock(state), received);
            }
            self.row(stamp, payload, received);
        }
    }

    fn row(&mut self, stamp: Stamp, what: Payload, received: Option<Stamp>) {
        self.ready.push_back(Ok(Row {
            place: format!("sentence at {}", stamp.iso_8601()),
            seq: None,
            stamp,
            end: None,
            received,
            what,
        }));
    }

    fn lose(&mut self, what: &str) {
        self.fault(1, what.to_owned());
    }

    fn fault(&mut self, lost: u64, what: String) {
        self.ready.push_back(Err(Fault {
            cause: GapCause::Corrupt,
            lost,
            detail: format!("{what}: {}", self.path.display()),
        }));
    }

    fn tell_bad(&mut self) {
        let (count, first) = std::mem::take(&mut self.bad);
        if count > 0 {
            self.fault(
                0,
                format!("{count} line(s) that are no whole sentence, the first: {first}"),
            );
        }
    }

    /// A time of day on its day: the one that was told (or that before or after it, whichever is nearest
    /// to when it was told), or the one nearest to when the host heard it.
    fn stamp(&self, day_nanos: i64, received: Option<Stamp>) -> Option<Stamp> {
        let near = match (self.date, received) {
            (Some((days, told)), _) => days.checked_mul(DAY_NANOS)?.checked_add(told)?,
            (None, Some(received)) => received.nanos(),
            (None, None) => return None,
        };
        let days = near
            .checked_sub(day_nanos)?
            .checked_add(DAY_NANOS / 2)?
            .div_euclid(DAY_NANOS);
        Some(Stamp::from_nanos(
            days.checked_mul(DAY_NANOS)?.checked_add(day_nanos)?,
        ))
    }
}

impl<I: Iterator<Item = Result<Piece, Damage>>> Source for Sentences<I> {
    type What = Payload;

    fn next_row(&mut self) -> Option<Result<Row<Payload>, Fault>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(row);
            }
            match self.pieces.next() {
                Some(Ok(piece)) if piece.bytes.is_empty() => self.tell_bad(),
                Some(Ok(piece)) => self.take(piece),
                Some(Err(damage)) => {
                    self.torn();
                    return Some(Err(damage.fault));
                }
                None if self.ended => return None,
                None => {
                    self.ended = true;
                    // The last line may have no end.
                    self.take(Piece {
                        is_whole: true,
                        ..Piece::pause()
                    });
                    let given = self.epochs.give_up();
                    self.give(given, None);
                    self.tell_bad();
                }
            }
        }
    }

    fn load(&mut self, payload: Payload) -> Loaded {
        Loaded::whole(payload, 0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use beluga_types::SensorKind;

    use super::sentence::tests::summed;
    use super::*;

    fn log(lines: &[String]) -> Vec<u8> {
        lines.join("\r\n").into_bytes()
    }

    /// The rows of bytes that come in pieces of this length.
    fn rows(bytes: &[u8], piece: usize, heard: Option<Stamp>) -> (Vec<(Stamp, Payload)>, Vec<String>) {
        let pieces = bytes.chunks(piece).map(|bytes| {
            Ok(Piece {
                received: heard,
                bytes: bytes.to_vec(),
                is_whole: false,
            })
        });
        let spec = SensorSpec::new("gnss", SensorKind::Nav);
        let mut sentences = Sentences::new(pieces, Path::new("log"), &spec, &Origin::default());
        let (mut rows, mut faults) = (vec![], vec![]);
        while let Some(row) = sentences.next_row() {
            match row {
                Ok(row) => rows.push((row.stamp, row.what)),
                Err(fault) => faults.push(fault.detail),
            }
        }
        (rows, faults)
    }

    fn survey() -> Vec<String> {
        let mut lines = vec![summed("GPZDA,235959.00,31,12,2025,00,00")];
        for (time, heading) in [("235959.50", 10), ("000000.00", 12), ("000000.50", 14)] {
            lines.push(summed(&format!(
                "GPGGA,{time},5406.0,N,01206.0,E,4,12,0.7,1.2,M,37.3,M,,"
            )));
            lines.push(summed(&format!(
                "PASHR,{time},{heading}.0,T,1.0,2.0,0.0,0.02,0.02,0.04,4,3"
            )));
        }
        lines
    }

    #[test]
    fn poses_go_on_over_midnight_however_the_bytes_come() {
        let whole = rows(&log(&survey()), 4096, None);
        assert_eq!(whole.1, Vec::<String>::new());
        let times: Vec<i64> = whole.0.iter().map(|(stamp, _)| stamp.nanos()).collect();
        // 2026-01-01 is day 20454.
        let midnight = 20_454 * DAY_NANOS;
        assert_eq!(times, [midnight - 500_000_000, midnight, midnight + 500_000_000]);
        assert!(
            whole
                .0
                .iter()
                .all(|(_, payload)| matches!(payload, Payload::Pose(_)))
        );
        for piece in [1, 7, 50] {
            assert_eq!(rows(&log(&survey()), piece, None), whole);
        }
    }

    #[test]
    fn without_a_date_the_host_gives_it_and_a_log_has_none() {
        let lines = log(&survey()[1..3]);
        let (none, faults) = rows(&lines, 4096, None);
        assert!(
            none.is_empty() && faults[0].contains("without a date"),
            "{faults:?}"
        );
        let heard = Stamp::from_nanos(20_454 * DAY_NANOS + 20_000_000);
        let (poses, _) = rows(&lines, 4096, Some(heard));
        assert_eq!(
            poses[0].0.nanos(),
            20_454 * DAY_NANOS - 500_000_000,
            "just before midnight"
        );
    }

    /// The survey's own date is right, and then one sentence a month ahead comes, and again.
    #[test]
    fn a_date_far_from_the_hosts_is_told_once_and_changes_nothing() {
        let heard = Stamp::from_nanos(20_454 * DAY_NANOS + 20_000_000);
        let expected = rows(&log(&survey()), 4096, Some(heard));
        let mut lines = survey();
        for at in [1, 2] {
            lines.insert(at, summed("GPZDA,000000.00,31,01,2026,00,00"));
        }
        let (poses, faults) = rows(&log(&lines), 4096, Some(heard));
        assert_eq!(poses, expected.0);
        let far: Vec<&String> = faults
            .iter()
            .filter(|fault| fault.contains("days from the host's"))
            .collect();
        assert_eq!(far.len(), 1, "{faults:?}");
        assert!(far[0].contains("a date 30 days"), "{far:?}");
    }

    /// A receiver whose ZDA comes 0.2 s behind its pulse, and whose positions carry the time, beside a host whose clock
    /// is 7 ms behind. The pulses of some seconds do not come.
    #[test]
    fn the_second_that_is_named_goes_with_the_pulse_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("assert");
        let (shown, told) = (file.clone(), Arc::new(Mutex::new(vec![])));
        // 2026-01-01 is day 20454.
        let noon = Stamp::from_nanos(20_454 * DAY_NANOS + DAY_NANOS / 2);
        let pieces = (0..40).map(|second| {
            let pulse = noon.shifted_s(f64::from(second)).shifted_nanos(-7_000_000);
            if !(20..28).contains(&second) {
                let (whole, part) = (pulse.nanos() / 1_000_000_000, pulse.nanos() % 1_000_000_000);
                std::fs::write(&shown, format!("{whole}.{part:09}#{second}\n")).unwrap();
            }
            // No pulse has the half second before.
            let half =
                (second > 0).then(|| summed(&format!("GPZDA,1200{:02}.50,01,01,2026,00,00", second - 1)));
            let mut lines: Vec<String> = half.into_iter().collect();
            lines.extend([
                summed(&format!(
                    "GPGGA,1200{second:02}.00,5406.0,N,01206.0,E,4,12,0.7,1.2,M,37.3,M,,"
                )),
                summed(&format!("GPZDA,1200{second:02}.00,01,01,2026,00,00")),
            ]);
            Ok(Piece {
                received: Some(pulse.shifted_nanos(200_000_000)),
                bytes: log(&lines),
                is_whole: true,
            })
        });
        let spec = SensorSpec::new("gnss", SensorKind::Nav);
        let tell = told.clone();
        let pulses = Pulses::new(file, move |note| tell.lock().unwrap().push(note));
        let mut sentences =
            Sentences::new(pieces, Path::new("here"), &spec, &Origin::default()).with_pulses(Some(pulses));
        let (mut states, mut places) = (vec![], 0);
        while let Some(Ok(row)) = sentences.next_row() {
            match row.what {
                Payload::Clock(state) => {
                    let since = (row.stamp.nanos_since(noon) + 1) / 1_000_000_000;
                    states.push((since, state.locked, (state.offset_nanos + 7_000_000).abs() < 1000));
                }
                _ => {
                    places += 1;
                    let late = row.received.map(|heard| heard.nanos_since(row.stamp));
                    assert_eq!(
                        late,
                        Some(193_000_000),
                        "heard when its sentence was, not when the next was"
                    );
                }
            }
        }
        assert_eq!(places, 40, "nothing waits for a pulse");
        assert_eq!(
            states,
            [
                (2, true, true),
                (12, true, true),
                (22, false, true),
                (30, true, true)
            ]
        );
        let told = told.lock().unwrap();
        assert!(
            told.len() == 2 && told[0].contains("no pulse") && told[1].contains("again"),
            "{told:?}"
        );
    }

    #[test]
    fn what_does_not_hold_is_counted_once_before_the_next_that_does() {
        let mut lines = survey();
        lines.insert(1, "$GPGGA,torn".into());
        lines.insert(2, "x".repeat(5000));
        let (poses, faults) = rows(&log(&lines), 100, None);
        assert_eq!(poses.len(), 3);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("2 line(s)"), "{faults:?}");
    }

    #[test]
    fn every_beginning_of_a_log_is_survived() {
        let bytes = log(&survey());
        for cut in 0..bytes.len() {
            rows(&bytes[..cut], 64, None);
        }
    }

    #[test]
    fn what_does_not_hold_is_told_when_nothing_follows() {
        let piece = |bytes: &[u8]| {
            Ok(Piece {
                received: None,
                bytes: bytes.to_vec(),
                is_whole: false,
            })
        };
        let pieces = vec![piece(b"garbage\n$GPG"), Ok(Piece::pause()), piece(b"GA\n")];
        let spec = SensorSpec::new("gnss", SensorKind::Nav);
        let mut sentences = Sentences::new(pieces.into_iter(), Path::new("here"), &spec, &Origin::default());
        let told = sentences.next_row().and_then(Result::err).unwrap().detail;
        assert!(told.starts_with("1 line(s)"), "{told}");
        // The line that had begun goes on.
        let told = sentences.next_row().and_then(Result::err).unwrap().detail;
        assert!(told.starts_with("1 line(s)"), "{told}");
    }
}
