//! An echo sounder that tells depths as text: DPT and DBT.
//!
//! `$--DPT,metres below the transducer,offset,greatest range*sum` and `$--DBT,feet,f,metres,M,fathoms,F*sum`
//! (NMEA 0183 version 4.11). They tell no time: the moment at which the host heard them counts.

use beluga_types::{Detection, Detections, GapCause, Payload, SensorSpec, SonarPing};
use std::f64::consts::{PI, SQRT_2};
use std::sync::Arc;

use super::sentence::checked;
use super::split::{BROKEN, Split};
use crate::capture::Datagram;
use crate::live::heard::Hears;
use crate::survey::played::Rows;

/// The speed of sound by which sounders turn times into depths unless they are told another, in m/s.
const SPEED_M_PER_S: f64 = 1500.0;
/// The deepest sea, in metres.
const DEEPEST_M: f64 = 11_500.0;
/// The full width of a beam, one way at -3 dB, where the rig names none: of a usual transducer for 200 kHz.
const WIDTH_DEG: f64 = 12.0;

/// Which sentence tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Dpt,
    Dbt,
}

/// The depths of a sounder that is heard now.
#[derive(Debug)]
pub(crate) struct Depths {
    /// Datagrams hold whole lines, a connection's bytes do not.
    is_whole: bool,
    split: Split,
    /// The sentence that came first: sounders tell one depth in several.
    kind: Option<Kind>,
    width_rad: [f64; 2],
    /// Lines that do not hold since that was told, and what is wrong with the first.
    bad: (u64, String),
    /// Depths that the sounder does not know, since that was told.
    unknown: u64,
}

impl Depths {
    pub(crate) fn new(spec: &SensorSpec, is_whole: bool) -> Self {
        let named = spec.beams.as_ref().and_then(|beams| beams.first());
        let usual = [WIDTH_DEG * PI / 180.0; 2];
        Self {
            is_whole,
            split: Split::default(),
            kind: None,
            width_rad: named.map_or(usual, |beam| beam.receive_width_rad),
            bad: (0, String::new()),
            unknown: 0,
        }
    }

    fn line(&mut self, line: &[u8], heard: &Datagram, rows: &mut Rows) {
        match read(line) {
            Ok(None) => {}
            Ok(Some((kind, _))) if *self.kind.get_or_insert(kind) != kind => {}
            Ok(Some((_, None))) => self.unknown += 1,
            Ok(Some((_, Some(depth_m)))) => {
                self.tell(rows);
                let ping = SonarPing::Detections(self.ping(depth_m));
                rows.push(heard.received, Payload::Sonar(Arc::new(ping)));
            }
            Err(wrong) => self.spoilt(wrong),
        }
    }

    /// One beam straight down. Widths are one way, of sending and of hearing alike; a detection's is that of both
    /// together, narrower by the root of two.
    fn ping(&self, depth_m: f64) -> Detections {
        Detections {
            detections: vec![Detection {
                two_way_time_s: 2.0 * depth_m / SPEED_M_PER_S,
                receive_angle_rad: 0.0,
                transmit_tilt_rad: 0.0,
                transmit_delay_s: 0.0,
                sector: 0,
                level_db: 0.0,
                quality: 1.0,
            }],
            sound_speed_m_per_s: None,
            beam_width_rad: self.width_rad.map(|width| width / SQRT_2),
        }
    }

    fn spoilt(&mut self, wrong: String) {
        self.bad.0 += 1;
        if self.bad.0 == 1 {
            self.bad.1 = wrong;
        }
    }

    fn tell(&mut self, rows: &mut Rows) {
        let (bad, first) = std::mem::take(&mut self.bad);
        if bad > 0 {
            let what = format!("{bad} line(s) that are no whole sentence, the first: {first}");
            rows.lose(GapCause::Corrupt, 0, &what);
        }
        let unknown = std::mem::take(&mut self.unknown);
        if unknown > 0 {
            let what = format!("{unknown} depth(s) that the sounder does not know: it sees no bed");
            rows.lose(GapCause::Missing, unknown, &what);
        }
    }
}

impl Hears for Depths {
    fn take(&mut self, heard: &Datagram, rows: &mut Rows) -> bool {
        /// So many are told at once, while nothing better comes.
        const TOLD_EACH: u64 = 100;
        rows.say(format!("heard at {}", heard.received.iso_8601()));
        for line in self.split.take(&heard.payload, self.is_whole) {
            match line {
                Ok(line) => self.line(&line, heard, rows),
                Err(wrong) => self.spoilt(wrong),
            }
        }
        if self.bad.0 + self.unknown >= TOLD_EACH {
            self.tell(rows);
        }
        true
    }

    fn torn(&mut self, rows: &mut Rows) {
        if self.split.torn() {
            self.spoilt(BROKEN.into());
        }
        self.tell(rows);
    }

    fn pause(&mut self, rows: &mut Rows) {
        self.torn(rows);
    }
}

/// The depth below the transducer in metres that a sentence tells; nothing of another sentence.
///
/// # Errors
/// What is wrong with it.
fn read(line: &[u8]) -> Result<Option<(Kind, Option<f64>)>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "no text".to_owned())?;
    if !text.starts_with(['$', '!']) {
        return Err("no sentence of NMEA 0183".into());
    }
    let fields: Vec<&str> = checked(text, &text[1..])?.split(',').collect();
    let (kind, at) = match fields.first().and_then(|name| name.get(2..)) {
        Some("DPT") => (Kind::Dpt, 1),
        Some("DBT") => (Kind::Dbt, 3),
        _ => return Ok(None),
    };
    if kind == Kind::Dbt && fields.get(4) != Some(&"M") {
        return Ok(Some((kind, None)));
    }
    let depth = match fields.get(at) {
        None | Some(&"") => None,
        Some(text) => Some(text.parse::<f64>().map_err(|_| {
            let found = text.escape_debug();
            format!("expected metres, found `{found}`")
        })?),
    };
    match depth {
        Some(depth) if !(0.0..=DEEPEST_M).contains(&depth) => {
            Err(format!("expected a depth of 0 to {DEEPEST_M} m, found {depth}"))
        }
        // Sounders that see no bed say so.
        depth => Ok(Some((kind, depth.filter(|depth| *depth > 0.0)))),
    }
}

#[cfg(test)]
mod tests {
    use beluga_types::{SensorKind, Stamp};

    use super::super::sentence::tests::summed;
    use super::*;
    use crate::live::heard::tests::played;

    fn heard(pieces: &[&[u8]], is_whole: bool) -> (Vec<(i64, f64)>, Vec<String>) {
        let mut depths = Depths::new(&SensorSpec::new("down", SensorKind::Sonar), is_whole);
        let (taken, told, _) = played(&mut depths, (1..).zip(pieces.iter().copied()));
        let depth_m = |payload: &Payload| match payload {
            Payload::Sonar(ping) => match &**ping {
                SonarPing::Detections(ping) => ping.detections[0].two_way_time_s * 1500.0 / 2.0,
                _ => panic!("no detections"),
            },
            _ => panic!("no ping"),
        };
        let at = |(stamp, payload): &(Stamp, Payload)| (stamp.nanos() / 1_000_000_000, depth_m(payload));
        (taken.iter().map(at).collect(), told)
    }

    #[test]
    fn depths_are_below_the_transducer_at_the_moment_they_are_heard() {
        let dpt = summed("SDDPT,7.62,0.3,100.0") + "\r\n";
        let dbt = summed("SDDBT,25.0,f,7.62,M,4.2,F") + "\r\n";
        let (taken, told) = heard(&[dpt.as_bytes(), b"", dpt.as_bytes()], true);
        assert_eq!((taken.len(), taken[1].0, told.len()), (2, 3, 0), "{told:?}");
        assert!((taken[0].1 - 7.62).abs() < 1e-12);
        let (taken, _) = heard(&[dbt.as_bytes()], true);
        assert!((taken[0].1 - 7.62).abs() < 1e-12);
        // One depth in two sentences is one depth; a connection cuts where it likes.
        let both = dbt + &dpt + &summed("GPVTG,1,T,,M,2,N,3,K") + "\r\n" + &dpt;
        for length in [1, 5, 4096] {
            let pieces: Vec<&[u8]> = both.as_bytes().chunks(length).collect();
            let (taken, told) = heard(&pieces, false);
            assert_eq!((taken.len(), told.len()), (1, 0), "{told:?}");
        }
    }

    #[test]
    fn what_is_no_depth_is_told() {
        let dpt = summed("SDDPT,5.0,,");
        let lines = [
            summed("SDDPT,,,"),
            summed("SDDPT,0.0,,"),
            summed("SDDPT,-3.0,,"),
            summed("SDDPT,NaN,,"),
            summed("SDDPT,x,,"),
            dpt.replace("5.0", "6.0"),
            "noise".to_owned(),
            "$SDDPT,5".to_owned(),
        ];
        let pieces: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let (taken, told) = heard(&pieces, true);
        assert_eq!(taken, []);
        assert!(told.iter().any(|told| told.contains("2 depth(s)")), "{told:?}");
        assert!(
            told.iter().any(|told| told.contains("6 line(s)")
                && told.contains("expected a depth of 0 to 11500 m, found -3")),
            "{told:?}"
        );
    }
}
