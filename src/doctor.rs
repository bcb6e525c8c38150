//! Is the boat ready: what a few seconds of listening say of each sensor, the disk and the processor,
//! each with the remedy.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use beluga_fusion::Fuser;
use beluga_ingest::live::{Heard, Live};
use beluga_types::{ClockState, GapCause, Measurement, Payload, Rig, SensorSpec, Stamp};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use crate::cockpit::light::{CLOCK_ODD_S, CLOCK_WRONG_S, RATE_ODD};

/// Hours of room on the disk that a survey needs at least, and that it is comfortable with.
const HOURS: (f64, f64) = (1.0, 8.0);
/// Parts of all cores that fusing may take: above the second it does not keep up with what comes beside.
const CPU: (f64, f64) = (0.5, 0.8);

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Verdict {
    Pass,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// A sensor's name, `disk`, `processor` or `system`.
    pub(crate) of: String,
    pub(crate) verdict: Verdict,
    /// What was found, and what to do about it.
    pub(crate) said: String,
}

/// All that was looked at.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) findings: Vec<Finding>,
}

/// What one sensor gave.
#[derive(Clone, Debug, Default)]
struct Given {
    payloads: u64,
    first: Option<Stamp>,
    last: Option<Stamp>,
    /// How long after its end the quickest payload was heard, in nanoseconds.
    quickest_nanos: Option<i64>,
    /// What was last learned of its clock.
    clock: Option<ClockState>,
    gaps: BTreeMap<GapCause, (u64, u64, String)>,
}

impl Given {
    fn take(&mut self, measurement: &Measurement) {
        if let Payload::Gap(gap) = &measurement.payload {
            let new = || (0, 0, gap.detail.clone());
            let (count, lost, _) = self.gaps.entry(gap.cause).or_insert_with(new);
            *count += 1;
            *lost = lost.saturating_add(gap.lost);
            return;
        }
        if let Payload::Clock(state) = measurement.payload {
            self.clock = Some(state);
            return;
        }
        self.payloads += 1;
        self.first = self.first.or(Some(measurement.end));
        self.last = self.last.max(Some(measurement.end));
        let late = measurement.received.nanos_since(measurement.end);
        self.quickest_nanos = Some(self.quickest_nanos.map_or(late, |quickest| quickest.min(late)));
    }

    /// Payloads a second, by their own times.
    fn rate_hz(&self) -> Option<f64> {
        let seconds = self.last?.seconds_since(self.first?);
        (seconds > 0.0).then(|| (self.payloads - 1) as f64 / seconds)
    }
}

/// Listens until `live` ends, and fuses what comes, so that the processor is asked too. `room` is the
/// folder where a record would lie.
///
/// # Errors
/// If the rig cannot be fused.
pub(crate) fn examine(
    live: Live,
    fusion: beluga_fusion::Config,
    listened: Duration,
    room: &Path,
) -> anyhow::Result<Findings> {
    let (rig, heard, notes) = (live.rig().clone(), live.heard(), live.notes());
    let mut fuser = Fuser::new(fusion, rig.clone())?;
    let mut given = vec![Given::default(); rig.sensors.len()];
    let before_s = processor_s();
    for measurement in live {
        if let Some(given) = given.get_mut(usize::from(measurement.sensor.0)) {
            given.take(&measurement);
        }
        fuser.push(measurement);
    }
    let busy_s = processor_s() - before_s;
    let (heard, notes) = (heard(), notes());
    let mut found = Findings::default();
    for ((spec, given), heard) in rig.sensors.iter().zip(&given).zip(&heard) {
        found.sensor(spec, given, heard, &notes);
    }
    found.system(&rig, &notes);
    found.processor(busy_s, listened);
    let bytes: u64 = heard.iter().map(|one| one.tally.bytes).sum();
    let free = rustix::fs::statvfs(room).map(|room| room.f_bavail.saturating_mul(room.f_frsize));
    found.disk(
        bytes as f64 / listened.as_secs_f64(),
        free.map_err(|said| said.to_string()),
    );
    Ok(found)
}

/// Seconds of processor time that this program has taken.
fn processor_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

impl Findings {
    /// The worst of all.
    pub(crate) fn verdict(&self) -> Verdict {
        self.findings
            .iter()
            .map(|finding| finding.verdict)
            .max()
            .unwrap_or(Verdict::Pass)
    }

    /// One thing.
    pub(crate) fn add(&mut self, of: &str, verdict: Verdict, said: impl Into<String>) {
        self.findings.push(Finding {
            of: of.to_owned(),
            verdict,
            said: said.into(),
        });
    }

    fn sensor(&mut self, spec: &SensorSpec, given: &Given, heard: &Heard, notes: &[String]) {
        let name = spec.name.as_str();
        let word = format!("`{name}`");
        let own: Vec<&String> = notes.iter().filter(|note| note.contains(&word)).collect();
        if given.payloads == 0 {
            let unread = given.gaps.values().next().map(|(_, _, first)| first.clone());
            let said = match unread.or(own.last().map(|note| (*note).clone())) {
                Some(said) => said,
                None => format!(
                    "{} datagrams came to {}, and nothing of them can be read",
                    heard.tally.heard, heard.address
                ),
            };
            return self.add(name, Verdict::Fail, said);
        }
        let rate = given.rate_hz();
        let told = rate.map_or_else(String::new, |rate| format!(", {rate:.2} a second"));
        let said = format!(
            "{} measurements of {} datagrams at {}{told}",
            given.payloads, heard.tally.heard, heard.address
        );
        match (rate, spec.rate_hz) {
            (Some(rate), Some(stated)) if (rate / stated - 1.0).abs() > RATE_ODD => {
                self.add(
                    name,
                    Verdict::Warn,
                    format!("{said}: the rig says {stated} (`rate_hz`)"),
                );
            }
            _ => self.add(name, Verdict::Pass, said),
        }
        let is_placed = |note: &String| note.contains("clock: not set") || note.contains("placed by when");
        if !own.iter().any(|note| is_placed(note)) {
            self.clock(name, given);
        }
        // Of a clock that is not set the reader has said what becomes of it.
        for note in own
            .iter()
            .filter(|note| note.contains("clock: not set") || note.contains("placed by when"))
        {
            self.add(name, Verdict::Warn, (*note).clone());
        }
        for note in own.iter().filter(|note| note.contains(": its clock ")) {
            self.add(name, Verdict::Fail, (*note).clone());
        }
        for note in own.iter().filter(|note| note.contains(": PPS: ")) {
            self.add(name, Verdict::Warn, (*note).clone());
        }
        for (cause, (count, lost, first)) in &given.gaps {
            let verdict = if *lost > 0 || *cause == GapCause::Overflow {
                Verdict::Fail
            } else {
                Verdict::Warn
            };
            let said = format!(
                "{lost} measurements lost, {count} told ({}), the first: {first}",
                cause.name()
            );
            self.add(name, verdict, said);
        }
    }

    fn clock(&mut self, name: &str, given: &Given) {
        if let Some(clock) = given.clock.filter(|clock| clock.locked) {
            return self.locked(name, clock);
        }
        let Some(late_s) = given.quickest_nanos.map(|nanos| nanos as f64 * 1e-9) else {
            return;
        };
        let way = if late_s < 0.0 { "ahead of" } else { "behind" };
        let sigma = given.clock.map_or_else(String::new, |clock| {
            format!(
                " (± {:.1} ms beside the shortest way there)",
                1e-6 * clock.sigma_nanos
            )
        });
        let said = format!(
            "clock {:.3} s {way} the host's at the quickest{sigma}",
            late_s.abs()
        );
        let cause = given
            .last
            .and_then(|last| beluga_ingest::clock_cause(last, last.shifted_s(late_s)));
        let cause = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
        let remedy = format!(
            "{said}{cause}: set it (PTP, PPS, NTP), or `time_offset_ms = {:.0}` in the rig",
            late_s * 1e3
        );
        match late_s.abs() {
            off if off > CLOCK_WRONG_S => self.add(name, Verdict::Fail, remedy),
            off if off > CLOCK_ODD_S => self.add(name, Verdict::Warn, remedy),
            _ => self.add(name, Verdict::Pass, said),
        }
    }

    /// A clock that follows a reference: what is off beside it is the host's.
    fn locked(&mut self, name: &str, clock: ClockState) {
        let (off_s, sigma_s) = (1e-9 * clock.offset_nanos as f64, 1e-9 * clock.sigma_nanos);
        let way = if off_s < 0.0 { "behind" } else { "ahead of" };
        let said = format!(
            "clock locked to its pulse (PPS): the host's is {:.6} s {way} it ± {sigma_s:.6} s",
            off_s.abs()
        );
        let remedy = format!("{said}: set the host's (NTP; chrony takes the pulse itself, `refclock PPS`)");
        match off_s.abs() {
            off if off > CLOCK_WRONG_S => self.add(name, Verdict::Fail, remedy),
            off if off > CLOCK_ODD_S => self.add(name, Verdict::Warn, remedy),
            _ => self.add(name, Verdict::Pass, said),
        }
    }

    /// What was said of no sensor.
    fn system(&mut self, rig: &Rig, notes: &[String]) {
        let named = |note: &String| {
            rig.sensors
                .iter()
                .any(|spec| note.contains(&format!("`{}`", spec.name)))
        };
        for note in notes.iter().filter(|note| !named(note)) {
            self.add("system", Verdict::Warn, note.clone());
        }
    }

    fn processor(&mut self, busy_s: f64, listened: Duration) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let part = busy_s / listened.as_secs_f64() / cores as f64;
        let said = format!("fusing takes {:.0} % of {cores} core(s)", 100.0 * part);
        match part {
            part if part > CPU.1 => self.add(
                "processor",
                Verdict::Fail,
                format!("{said}: it will not keep up; `beluga record` keeps all of it, to be fused later"),
            ),
            part if part > CPU.0 => self.add(
                "processor",
                Verdict::Warn,
                format!("{said}: little is left for a picture (`--view none`)"),
            ),
            _ => self.add("processor", Verdict::Pass, said),
        }
    }

    fn disk(&mut self, bytes_per_s: f64, free: Result<u64, String>) {
        let free = match free {
            Ok(free) => free as f64,
            Err(said) => return self.add("disk", Verdict::Fail, format!("cannot be asked: {said}")),
        };
        // A tape holds points for packets, a record frames for both: about three times what is sent.
        let hours = free / (3.0 * bytes_per_s).max(1.0) / 3600.0;
        let said = format!(
            "{:.1} GB free, about {} h of record and tape at {:.1} MB/s of sensors",
            free * 1e-9,
            if hours < 1000.0 {
                format!("{hours:.1}")
            } else {
                "1000 or more".into()
            },
            bytes_per_s * 1e-6
        );
        match hours {
            hours if hours < HOURS.0 || free < 1e9 => self.add(
                "disk",
                Verdict::Fail,
                format!("{said}: make room, or write elsewhere"),
            ),
            hours if hours < HOURS.1 => self.add("disk", Verdict::Warn, said),
            _ => self.add("disk", Verdict::Pass, said),
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let verdict = match finding.verdict {
                Verdict::Pass => "PASS",
                Verdict::Warn => "WARN",
                Verdict::Fail => "FAIL",
            };
            writeln!(f, "{verdict}  {:<12} {}", finding.of, finding.said)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use beluga_ingest::live::Tally;
    use beluga_types::{DepthFix, Gap, SensorId, SensorKind};

    use super::*;

    fn measurement(end_millis: i64, late_millis: i64, payload: Payload) -> Measurement {
        let end = Stamp::from_nanos(1_790_000_000_000_000_000 + end_millis * 1_000_000);
        Measurement {
            seq: 0,
            sensor: SensorId(0),
            stamp: end,
            end,
            received: end.shifted_nanos(late_millis * 1_000_000),
            payload,
        }
    }

    fn depth() -> Payload {
        Payload::Depth(DepthFix {
            depth_m: 1.0,
            sigma_m: 0.1,
        })
    }

    fn findings(rate_hz: Option<f64>, late_millis: i64, gap: Option<Gap>) -> Findings {
        told(rate_hz, late_millis, gap, &[])
    }

    fn told(rate_hz: Option<f64>, late_millis: i64, gap: Option<Gap>, notes: &[String]) -> Findings {
        let mut given = Given::default();
        (0..11).for_each(|step| given.take(&measurement(100 * step, late_millis, depth())));
        let clock = Payload::Clock(ClockState {
            offset_nanos: late_millis * 1_000_000,
            sigma_nanos: 3e5,
            locked: false,
        });
        given.take(&measurement(1000, late_millis, clock));
        gap.into_iter()
            .for_each(|gap| given.take(&measurement(0, 0, Payload::Gap(gap))));
        let spec = SensorSpec {
            rate_hz,
            ..SensorSpec::new("gnss", SensorKind::Nav)
        };
        let heard = Heard {
            name: "gnss".into(),
            address: "udp://127.0.0.1:1".into(),
            tally: Tally::default(),
        };
        let mut found = Findings::default();
        found.sensor(&spec, &given, &heard, notes);
        found
    }

    #[test]
    fn a_sensor_that_is_well_passes() {
        let found = findings(Some(10.0), 20, None);
        assert_eq!(found.verdict(), Verdict::Pass, "{found}");
        assert!(found.to_string().contains("10.00 a second"), "{found}");
        assert!(
            found.to_string().contains("11 measurements"),
            "a clock's state is none: {found}"
        );
        assert!(found.to_string().contains("± 0.3 ms"), "{found}");
    }

    /// What is found of a sensor whose clock is locked, and the host's so far ahead.
    fn locked(ahead_millis: i64) -> Findings {
        let mut given = Given::default();
        (0..11).for_each(|step| given.take(&measurement(100 * step, 80, depth())));
        let state = ClockState {
            offset_nanos: ahead_millis * 1_000_000,
            sigma_nanos: 12e3,
            locked: true,
        };
        given.take(&measurement(1000, 80, Payload::Clock(state)));
        let mut found = Findings::default();
        found.clock("gnss", &given);
        found
    }

    #[test]
    fn of_a_locked_clock_the_hosts_is_judged() {
        let found = locked(4);
        assert_eq!(found.verdict(), Verdict::Pass, "{found}");
        let said = found.to_string();
        assert!(
            said.contains("locked") && said.contains("0.004000 s ahead of it ± 0.000012 s"),
            "{said}"
        );
        let found = locked(-400);
        assert_eq!(found.verdict(), Verdict::Warn, "{found}");
        assert!(
            found.to_string().contains("behind") && found.to_string().contains("refclock PPS"),
            "{found}"
        );
        assert_eq!(locked(37_000).verdict(), Verdict::Fail);
    }

    #[test]
    fn pulses_that_do_not_come_are_told_with_the_remedy() {
        let note =
            "sensor `gnss`: PPS: /sys/class/pps/pps0/assert: no pulse: has the receiver a fix".to_owned();
        let found = told(Some(10.0), 20, None, &[note]);
        assert_eq!(found.verdict(), Verdict::Warn, "{found}");
        assert!(found.to_string().contains("no pulse"), "{found}");
    }

    #[test]
    fn a_clock_that_steps_fails() {
        let note = "sensor `gnss`: its clock went on by 1.000 s beside the host's at noon".to_owned();
        let found = told(Some(10.0), 20, None, &[note]);
        assert_eq!(found.verdict(), Verdict::Fail, "{found}");
        assert!(found.to_string().contains("went on by 1.000 s"), "{found}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_remedy() {
        let gap = Gap {
            lost: 2,
            cause: GapCause::Missing,
            detail: "seq jumps".into(),
        };
        for (found, verdict, words) in [
            (findings(Some(20.0), 20, None), Verdict::Warn, "`rate_hz`"),
            (findings(None, -37_000, None), Verdict::Fail, "TAI"),
            (
                findings(None, -37_000, None),
                Verdict::Fail,
                "time_offset_ms = -37000",
            ),
            (
                findings(None, 20, Some(gap)),
                Verdict::Fail,
                "2 measurements lost",
            ),
        ] {
            assert_eq!(found.verdict(), verdict, "{found}");
            assert!(found.to_string().contains(words), "{words}: {found}");
        }
    }

    #[test]
    fn room_and_time_are_measured_against_what_comes() {
        let mut found = Findings::default();
        found.disk(10e6, Ok(2_000_000_000_000));
        found.processor(1.0, Duration::from_secs(10));
        assert_eq!(found.verdict(), Verdict::Pass, "{found}");
        found.disk(10e6, Ok(50_000_000_000));
        assert_eq!(found.verdict(), Verdict::Fail, "half an hour: {found}");
        let mut found = Findings::default();
        found.processor(1e3, Duration::from_secs(1));
        assert!(found.to_string().contains("beluga record"), "{found}");
    }
}
