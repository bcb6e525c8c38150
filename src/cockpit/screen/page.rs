//! What stands on the dashboard, for any size of terminal.

use std::time::Duration;

use beluga_types::elementary::hypot;
use beluga_types::{Instruments, Lamp, Light, POSE_AXES, PoseStatus, SensorState};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::room::Left;
use super::words::{age, cut, wrapped};
use crate::cockpit::Frames;
use crate::cockpit::light::short;
use crate::told::{Told, time_of_day};

/// From this width on every column is shown.
const WIDE: usize = 80;
/// What stands below a sensor is set in.
const INDENT: usize = 7;
/// Rows that a reason may take, and that alerts have at least.
const REASON_ROWS: usize = 2;
const ALERT_ROWS: usize = 2;

/// All that is shown.
pub(super) struct Page {
    pub(super) title: String,
    pub(super) elapsed: Duration,
    pub(super) seen: Instruments,
    pub(super) frames: Frames,
    pub(super) is_live: bool,
    pub(super) room: Option<Left>,
    pub(super) alerts: Vec<Told>,
    pub(super) stopping: bool,
}

impl Page {
    /// In rows of this width, at most so many.
    pub(super) fn lines(&self, width: usize, height: usize) -> Vec<Line<'static>> {
        let run = self.run(width);
        // Title, heads of the columns, and the last row.
        let most = height.saturating_sub(3 + run.len() + ALERT_ROWS);
        let mut lines = vec![self.title(width), heads(width)];
        lines.extend(self.sensors(width, most));
        lines.extend(run);
        let left = height.saturating_sub(lines.len() + 1);
        let mut alerts = self.alerts(width, left);
        alerts.resize(left, Line::default());
        lines.extend(alerts);
        lines.truncate(height.saturating_sub(1));
        lines.push(self.last());
        lines
    }

    fn title(&self, width: usize) -> Line<'static> {
        let seconds = self.elapsed.as_secs();
        let clock = format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        let room = width.saturating_sub(clock.len() + 3);
        let title = cut(&self.title, room);
        let text = format!(" {title:<room$} {clock} ");
        Line::styled(text, Style::new().add_modifier(Modifier::REVERSED))
    }

    /// All sensors in the order of the rig, with reasons; where there is no room for that the worst first.
    fn sensors(&self, width: usize, most: usize) -> Vec<Line<'static>> {
        let rows = |(state, lamp): &(SensorState, Lamp)| {
            let mut rows = vec![sensor(state, lamp, width)];
            rows.extend(below(state, lamp, width));
            rows
        };
        let all: Vec<_> = self.seen.sensors.iter().flat_map(rows).collect();
        if all.len() <= most {
            return all;
        }
        let mut worst: Vec<_> = self.seen.sensors.iter().collect();
        worst.sort_by_key(|(_, lamp)| std::cmp::Reverse(lamp.light));
        let mut lines = Vec::new();
        let mut worst = worst.into_iter().peekable();
        while let Some(next) = worst.next_if(|next| {
            // A row for those that are left out.
            lines.len() + rows(next).len() < most
        }) {
            lines.extend(rows(next));
        }
        let left: Vec<Light> = worst.map(|(_, lamp)| lamp.light).collect();
        let count = |light: &Light| left.iter().filter(|one| *one == light).count();
        let kinds = Light::ALL.iter().rev().filter(|light| count(light) > 0);
        let kinds: Vec<String> = kinds
            .map(|light| format!("{} {}", count(light), light.word()))
            .collect();
        lines.push(Line::styled(format!("  and {}", kinds.join(", ")), faint()));
        lines
    }

    fn run(&self, width: usize) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let frames = &self.frames;
        if let Some((status, sigma)) = &frames.pose {
            let rate = frames
                .rate_hz
                .map_or_else(String::new, |rate| format!(", {}/s", short(rate)));
            let mut text = format!(
                "frames {}{rate} · {}, 1σ {:.1} cm {:.2}°",
                frames.count,
                pose(status),
                100.0 * hypot(sigma.horizontal_m, sigma.vertical_m),
                sigma.rotation_rad.to_degrees()
            );
            if width >= WIDE {
                text += &format!(" · {} points, {} arcs", frames.points, frames.arcs);
            }
            let is_lost = matches!(status, PoseStatus::Predicted);
            lines.push(Line::styled(
                text,
                if is_lost { of(Light::Red) } else { Style::new() },
            ));
            lines.push(Line::raw(self.latency(width)));
        }
        if let Some(room) = &self.room {
            lines.push(disk(room));
        }
        lines
    }

    /// Half and 99 % of each stage; where there is little room those since the data were complete.
    fn latency(&self, width: usize) -> String {
        let stages = self.seen.stages.iter().rev();
        let stage = |stage: &beluga_types::StageTime| {
            format!("{} {:.0}/{:.0}", stage.name, stage.p50_ms, stage.p99_ms)
        };
        let mut kept: Vec<String> = Vec::new();
        for next in stages.map(stage) {
            let length: usize = kept.iter().map(|one| one.chars().count() + 3).sum();
            if 22 + length + next.len() > width {
                break;
            }
            kept.insert(0, next);
        }
        match kept.is_empty() {
            true => "latency: as fast as it goes, none".into(),
            false => format!("latency ms half/99 %: {}", kept.join(" · ")),
        }
    }

    /// The newest, each in one row.
    fn alerts(&self, width: usize, rows: usize) -> Vec<Line<'static>> {
        let newest = self.alerts.len().saturating_sub(rows);
        let alerts = self.alerts[newest..].iter().map(|told| {
            let text = told.text.replace(['\n', '\t'], " ");
            let line = format!("{} {text}", time_of_day(told.at));
            Line::styled(cut(&line, width), faint())
        });
        alerts.collect()
    }

    fn last(&self) -> Line<'static> {
        let text = match (self.stopping, self.is_live) {
            (true, _) => " stopping: every file is being finished (Ctrl-C again ends at once) ",
            (false, true) => " q stops: sensors are let go, every file is finished ",
            (false, false) => " q stops: what came until then is kept ",
        };
        Line::styled(text, Style::new().add_modifier(Modifier::REVERSED))
    }
}

fn of(light: Light) -> Style {
    match light {
        Light::Green => Style::new().fg(Color::Green),
        Light::Grey => Style::new().fg(Color::DarkGray),
        Light::Amber => Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
        Light::Red => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
    }
}

fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn heads(width: usize) -> Line<'static> {
    let text = match width >= WIDE {
        true => row(
            "",
            "sensor",
            &["kind", "Hz", "expected", "lost", "seen", "clock", "queue"],
            true,
        ),
        false => row("", "sensor", &["Hz", "lost", "seen", "queue"], false),
    };
    Line::styled(text, faint())
}

/// Columns of one width each, to the right; all but the first two.
fn row(light: &str, name: &str, columns: &[&str], is_wide: bool) -> String {
    const NARROW: [usize; 4] = [8, 8, 8, 7];
    const BROAD: [usize; 7] = [7, 8, 9, 8, 8, 17, 7];
    let widths: &[usize] = if is_wide { &BROAD } else { &NARROW };
    let mut text = format!("{light:<INDENT$}{:<13}", cut(name, 12));
    for (column, width) in columns.iter().zip(widths) {
        text += &format!("{column:>width$}");
    }
    text
}

fn sensor(state: &SensorState, lamp: &Lamp, width: usize) -> Line<'static> {
    let hz = |rate: Option<f64>| rate.map_or("-".into(), short);
    let lost = state.lost_total().to_string();
    let seen = state.age_s.map_or("-".into(), age);
    let queue = state
        .edge
        .map_or("-".into(), |edge| format!("{:.0} %", 100.0 * edge.fill));
    let clock = state.clock.map_or("-".into(), |clock| {
        let (off, sigma) = (clock.offset_nanos as f64 * 1e-6, clock.sigma_nanos * 1e-6);
        let lock = if clock.locked { " PPS" } else { "" };
        format!("{off:+.1}±{sigma:.1} ms{lock}")
    });
    let (now, expected) = (hz(state.rate_hz), hz(state.expected_hz));
    let kind = state.kind.name();
    let text = match width >= WIDE {
        true => row(
            "",
            &state.name,
            &[kind, &now, &expected, &lost, &seen, &clock, &queue],
            true,
        ),
        false => row("", &state.name, &[&now, &lost, &seen, &queue], false),
    };
    let light = format!(
        "{:<INDENT$}",
        format!("{} {}", lamp.light.mark(), lamp.light.word())
    );
    let rest: String = text.chars().skip(INDENT).collect();
    Line::from(vec![Span::styled(light, of(lamp.light)), Span::raw(rest)])
}

/// The reason and the remedy, or what was lost before.
fn below(state: &SensorState, lamp: &Lamp, width: usize) -> Vec<Line<'static>> {
    let room = width.saturating_sub(INDENT);
    let lost = state.lost.iter().filter(|(_, count)| **count > 0);
    let lost: Vec<String> = lost
        .map(|(cause, count)| format!("{count} {}", cause.name()))
        .collect();
    let (text, style) = match lamp.light {
        Light::Amber | Light::Red => (lamp.words(), of(lamp.light)),
        Light::Grey => (lamp.words(), of(Light::Grey)),
        Light::Green if !lost.is_empty() => (format!("lost so far: {}", lost.join(", ")), faint()),
        Light::Green => return Vec::new(),
    };
    let rows = wrapped(&text, room, REASON_ROWS).into_iter();
    rows.map(|text| Line::styled(format!("{:INDENT$}{text}", ""), style))
        .collect()
}

fn pose(status: &PoseStatus) -> String {
    match status {
        PoseStatus::Held => "pose held".into(),
        PoseStatus::Degenerate { open } => {
            let axes = POSE_AXES.iter().zip(open).filter(|(_, open)| **open);
            let axes: Vec<&str> = axes.map(|(axis, _)| *axis).collect();
            format!("pose open in {}", axes.join(", "))
        }
        PoseStatus::NavAlone => "pose by nav alone".into(),
        PoseStatus::Predicted => "POSE LOST: predicted".into(),
    }
}

fn disk(room: &Left) -> Line<'static> {
    /// Fewer hours are worth a look, and bad.
    const HOURS: (f64, f64) = (8.0, 1.0);
    let free = format!("disk {:.1} GB free", room.free as f64 * 1e-9);
    let Some(hours) = room.hours() else {
        return Line::raw(free);
    };
    let pace = room.bytes_per_s.unwrap_or_default() * 3600e-9;
    let (light, hours) = match hours {
        hours if hours < HOURS.1 => (Light::Red, format!("{:.0} min", 60.0 * hours)),
        hours if hours < HOURS.0 => (Light::Amber, format!("{hours:.1} h")),
        hours if hours < 1000.0 => (Light::Green, format!("{hours:.0} h")),
        _ => (Light::Green, "1000 h or more".into()),
    };
    let style = if light == Light::Green {
        Style::new()
    } else {
        of(light)
    };
    Line::styled(format!("{free}, {hours} left at {pace:.1} GB/h"), style)
}

#[cfg(test)]
mod tests;
