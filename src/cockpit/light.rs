//! A sensor's light: of all that is wrong with it the worst, with its reason and what to do.

use beluga_types::{EdgeState, GapCause, Lamp, Light, SensorState};

/// A clock farther from the host's is wrong, in seconds; above the second it is worth a look. Sounders and
/// lidars are late by their own length, a tenth of a second.
pub(crate) const CLOCK_WRONG_S: f64 = 1.0;
pub(crate) const CLOCK_ODD_S: f64 = 0.3;
/// A rate that differs from what is expected by more than this part.
pub(crate) const RATE_ODD: f64 = 0.1;
/// Silent is who says nothing for so many of its periods, and for so many seconds.
const SILENT_PERIODS: f64 = 5.0;
const SILENT_S: f64 = 3.0;
/// Who has no rate yet is given so many seconds.
const SILENT_UNKNOWN_S: f64 = 30.0;
/// So long a sensor is waited for in the beginning, in seconds: live ones are looked at for the first four.
const BEGINNING_S: f64 = 8.0;
/// Of what should have come, a greater part lost is bad.
const LOSS_BAD: f64 = 0.05;
/// A queue fuller than this says that the run falls behind.
const QUEUE_FULL: f64 = 0.5;

/// What helps a run that is slower than its sensors.
const SLOWER: &str = "let it do less (`--view none`), or keep all by `beluga record` and fuse it later";

/// After how many seconds a sensor of this rate counts as silent.
pub(crate) fn silent_after_s(expected_hz: Option<f64>) -> f64 {
    match expected_hz {
        Some(hz) if hz > 0.0 => SILENT_S.max(SILENT_PERIODS / hz),
        _ => SILENT_UNKNOWN_S,
    }
}

/// The light of a sensor. Where several things are wrong the worst counts, and of equally bad ones the one that
/// explains the others.
pub(crate) fn lamp(state: &SensorState) -> Lamp {
    if state.measurements == 0 {
        return before_the_first(state);
    }
    let found = [
        silence(state),
        behind(state),
        clock(state),
        losses(state),
        rate(state),
    ];
    let worst = found
        .into_iter()
        .flatten()
        .reduce(|worst, next| if next.light > worst.light { next } else { worst });
    worst.unwrap_or(Lamp {
        light: Light::Green,
        reason: String::new(),
        remedy: String::new(),
    })
}

fn shine(light: Light, reason: String, remedy: impl Into<String>) -> Lamp {
    Lamp {
        light,
        reason,
        remedy: remedy.into(),
    }
}

fn before_the_first(state: &SensorState) -> Lamp {
    let is_early = state.watched_s < BEGINNING_S;
    match &state.edge {
        Some(edge) if edge.datagrams == 0 => match is_early {
            true => shine(Light::Grey, "listening".into(), ""),
            false => shine(
                Light::Red,
                format!("nothing has come in {:.0} s", state.watched_s),
                "its power and cable, the address and port it sends to, a firewall",
            ),
        },
        Some(edge) => match (&state.last_loss, is_early) {
            (Some(said), _) => shine(
                Light::Red,
                format!("nothing of it can be used: {said}"),
                "its clock, and `model` and `format` in the rig",
            ),
            (None, true) => shine(Light::Grey, "looking at what comes".into(), ""),
            (None, false) => shine(
                Light::Red,
                format!("{} datagrams, and nothing of them can be read", edge.datagrams),
                "is it this sensor that sends there; `model` and `format` in the rig",
            ),
        },
        None if is_early => shine(Light::Grey, "has not spoken yet".into(), ""),
        None => shine(
            Light::Amber,
            format!("nothing of it in the first {:.0} s", state.watched_s),
            "`beluga probe` says what the recording holds",
        ),
    }
}

/// It said something once, and does no more.
fn silence(state: &SensorState) -> Option<Lamp> {
    let age_s = state
        .age_s
        .filter(|age_s| *age_s > silent_after_s(state.expected_hz))?;
    let reason = format!("silent for {age_s:.0} s");
    Some(match &state.edge {
        None => shine(Light::Red, reason, "the recording has nothing of it here"),
        Some(edge) if edge.fill > QUEUE_FULL => {
            shine(Light::Red, format!("the run is {age_s:.0} s behind it"), SLOWER)
        }
        Some(edge) if edge.age_s.is_some_and(|heard_s| heard_s < age_s / 2.0) => shine(
            Light::Red,
            format!("{reason}, though datagrams come"),
            match &state.last_loss {
                Some(said) => said.as_str(),
                None => "is it this sensor that sends them; the alerts say more",
            },
        ),
        Some(_) => shine(Light::Red, reason, "its power, its cable, its network"),
    })
}

/// The run does not keep up with it.
fn behind(state: &SensorState) -> Option<Lamp> {
    let edge: &EdgeState = state.edge.as_ref()?;
    if state.lost_lately.contains_key(&GapCause::Overflow) {
        let lost = edge.let_go + edge.lost_before;
        let said = state.last_loss.as_deref().unwrap_or_default();
        // The system's own buffer is made larger by a setting, which its loss names.
        let remedy = match edge.let_go {
            0 if said.contains("sysctl") => said,
            _ => SLOWER,
        };
        let reason = format!("{lost} datagrams lost so far: the run is slower than it");
        return Some(shine(Light::Red, reason, remedy));
    }
    (edge.fill > QUEUE_FULL).then(|| {
        let reason = format!(
            "its queue is {:.0} % full: the run falls behind",
            100.0 * edge.fill
        );
        shine(Light::Amber, reason, SLOWER)
    })
}

fn clock(state: &SensorState) -> Option<Lamp> {
    let off_s = state.clock?.offset_nanos as f64 * 1e-9;
    let light = match off_s.abs() {
        off if off > CLOCK_WRONG_S => Light::Red,
        off if off > CLOCK_ODD_S => Light::Amber,
        _ => return None,
    };
    let way = if off_s < 0.0 { "ahead of" } else { "behind" };
    Some(shine(
        light,
        format!("its clock is {:.3} s {way} the host's", off_s.abs()),
        format!(
            "set it (PTP, PPS, NTP), or `time_offset_ms = {:.0}` in the rig",
            off_s * 1e3
        ),
    ))
}

/// Lost in the last ten seconds; what is lost at the edge has been told.
fn losses(state: &SensorState) -> Option<Lamp> {
    let lately = state.lost_lately.iter();
    let (cause, lost) = lately.max_by_key(|(_, lost)| **lost)?;
    let (what, remedy) = match cause {
        GapCause::Missing => ("missing on the way here", "its cable, the switch, Wi-Fi between"),
        GapCause::Corrupt => ("could not be read", "the alerts say why"),
        GapCause::Late => ("came too late", "its network and clock, or a longer `--lateness`"),
        GapCause::Truncated => ("cut off by the end of a file", "what is there is used"),
        // The edge of a recording that was made live.
        _ => (
            "lost at the edge when it was recorded",
            "record with less beside it",
        ),
    };
    if *lost == 0 {
        // A clock that was set loses nothing, and says what happened.
        let said = state.last_loss.as_deref().filter(|_| *cause == GapCause::Corrupt);
        let reason = match said {
            Some(said) => said
                .trim_start_matches(&format!("sensor `{}`: ", state.name))
                .into(),
            None => format!("parts {what} in the last 10 s"),
        };
        return Some(shine(Light::Amber, reason, remedy));
    }
    let came = 10.0 * state.rate_hz.unwrap_or_default();
    let light = match *lost as f64 > LOSS_BAD * (came + *lost as f64) {
        true => Light::Red,
        false => Light::Amber,
    };
    Some(shine(light, format!("{lost} {what} in the last 10 s"), remedy))
}

fn rate(state: &SensorState) -> Option<Lamp> {
    let (now, expected) = (state.rate_hz?, state.expected_hz?);
    let is_odd = (now / expected - 1.0).abs() > RATE_ODD;
    is_odd.then(|| {
        shine(
            Light::Amber,
            format!("{} a second, expected {}", short(now), short(expected)),
            "its settings; else `rate_hz` in the rig",
        )
    })
}

/// A rate with as many digits as matter.
pub(crate) fn short(rate_hz: f64) -> String {
    match rate_hz {
        rate if rate >= 99.95 => format!("{rate:.0}"),
        rate if rate >= 9.995 => format!("{rate:.1}"),
        rate => format!("{rate:.2}"),
    }
}

#[cfg(test)]
mod tests;
