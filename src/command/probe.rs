//! `beluga probe`: what a file or folder is, and how it plays.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use beluga_ingest::probe::{self, PacketsProbe, SensorProbe, TopicProbe};
use beluga_sinks::maml::{self, KeyStore};
use clap::Args;
use serde::Serialize;

use crate::clock;
use crate::exit::{Exit, Wrong};
use crate::report::grouped;

/// Says what a file or folder is: sensors, counts, rates, times, losses, what is missing, and the
/// command that plays it or the rig that would.
///
/// Exit code 0: it plays. 1: something is missing or lost. 2: nothing that is known.
///
/// Example: beluga probe sample-data/quay
#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// A recording, a folder, a record, or any file.
    path: PathBuf,
}

#[derive(Serialize)]
struct Shown<'a> {
    path: &'a Path,
    command: Option<String>,
    #[serde(flatten)]
    found: &'a probe::Probe,
}

impl Probe {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        let found = match record(&self.path)? {
            Some(found) => found,
            None => probe::probe(&self.path).context(Wrong::Arguments)?,
        };
        let command = command(&self.path, &found);
        let text = text(&self.path, &found, command.as_deref());
        let shown = Shown {
            path: &self.path,
            command,
            found: &found,
        };
        super::show(json, &shown, &text)?;
        Ok(match &found {
            found if !found.recognised => Exit::Unknown,
            found if found.lost() > 0 || !found.missing.is_empty() => Exit::Findings,
            _ => Exit::Done,
        })
    }
}

const RECORD: &str = "a MAML record";

/// What is said of a MAML record: whether it is whole is for `maml verify`.
fn record(path: &Path) -> anyhow::Result<Option<probe::Probe>> {
    if !begins_as_record(path) {
        return Ok(None);
    }
    let report = maml::verify(path, &KeyStore::open_default()?.trust()?, None)
        .with_context(|| format!("cannot read {}", path.display()))
        .context(Wrong::Arguments)?;
    let verify = format!("`beluga maml verify {}`", quoted(path));
    let missing = match report.status {
        maml::Status::Sealed => Vec::new(),
        status => vec![format!("what {verify} tells: {status}")],
    };
    Ok(Some(probe::Probe {
        what: RECORD.into(),
        recognised: true,
        missing,
        notes: vec![format!("whether it is whole and whose it is, {verify} tells")],
        ..probe::Probe::default()
    }))
}

/// Whether a file begins as a record does: with the document's first key (`sinks/FORMAT.md`);
/// whether it is one, sinks say.
fn begins_as_record(path: &Path) -> bool {
    const BEGIN: &[u8; 16] = b"---\nmaml_version";
    let mut first = [0; BEGIN.len()];
    let read =
        path.is_file() && std::fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut first).is_ok());
    read && first == *BEGIN
}

fn command(path: &Path, found: &probe::Probe) -> Option<String> {
    let path = quoted(path);
    match found {
        found if found.plays => Some(format!("beluga replay {path}")),
        found if found.what == RECORD => Some(format!("beluga view {path}")),
        _ => None,
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | ':' | '=' | '@')
    };
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

fn packet_lines(text: &mut String, packets: &PacketsProbe) {
    let [all, udp] = [packets.packets, packets.datagrams].map(grouped);
    let _ = write!(text, "packets      {all}, of them {udp} whole UDP datagrams");
    for (count, what) in [
        (packets.others, "are something else"),
        (packets.incomplete, "datagrams lack a piece"),
        (packets.damaged, "are damaged or cut"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {} {what}", grouped(count));
        }
    }
    text.push('\n');
    for stream in &packets.streams {
        let what = stream.what.as_deref().unwrap_or("not known");
        let [low, high] = stream.bytes;
        let length = if low == high {
            low.to_string()
        } else {
            format!("{low} to {high}")
        };
        let rate = stream
            .rate_hz
            .map_or(String::new(), |rate| format!(", {rate:.1} a second"));
        let _ = writeln!(
            text,
            "             from {} to port {}: {what}: {} of {length} bytes{rate}",
            stream.from,
            stream.port,
            grouped(stream.datagrams)
        );
    }
}

fn text(path: &Path, found: &probe::Probe, command: Option<&str>) -> String {
    let mut text = format!("what         {}: {}\n", found.what, path.display());
    if let Some(packets) = &found.packets {
        packet_lines(&mut text, packets);
    }
    for sensor in &found.sensors {
        sensor_lines(&mut text, sensor);
    }
    for topic in &found.topics {
        topic_line(&mut text, topic);
    }
    if found.plays && found.lost() == 0 {
        text += match found.sensors.iter().all(|sensor| sensor.first_loss.is_none()) {
            true => "lost         nothing\n",
            false => "lost         nothing whole, but parts, the first of each sensor above\n",
        };
    }
    for missing in &found.missing {
        let _ = writeln!(text, "missing      {missing}");
    }
    for note in &found.notes {
        let _ = writeln!(text, "note         {note}");
    }
    if let Some(command) = command {
        let _ = writeln!(text, "play         {command}");
    }
    for recording in &found.recordings {
        let _ = writeln!(text, "play         beluga replay {}", quoted(recording));
    }
    if let (Some(rig), Some(file)) = (&found.rig, &found.rig_file) {
        let _ = writeln!(
            text,
            "rig          write this as {}, then: beluga replay {}\n\n{rig}",
            file.display(),
            quoted(match path.is_dir() {
                true => path,
                false => file,
            })
        );
    }
    if !found.recognised {
        text += "             known are folder recordings, rigs, tapes, bags (MCAP, ROS 2), captures of lidars' packets (pcap), Simrad EK80 files, survey sonars' files (.kmall, .all, XTF), \
                 streams of an Oculus, ARIS and Humminbird files, PLY, PCD, LAS/LAZ, KITTI scans, WAV, \
                 nav tables and records\n";
    }
    text
}

fn topic_line(text: &mut String, topic: &TopicProbe) {
    let schema = match topic.schema.as_str() {
        "" => "no schema",
        schema => schema,
    };
    let fate = match (&topic.sensor, topic.skipped) {
        (Some(sensor), _) => format!("plays as `{sensor}`"),
        (None, why) => format!("skipped: {}", why.unwrap_or("not read")),
    };
    let count = grouped(topic.messages);
    let _ = writeln!(
        text,
        "topic        {} ({schema}): {count} messages, {fate}",
        topic.name
    );
}

fn sensor_lines(text: &mut String, sensor: &SensorProbe) {
    let _ = write!(
        text,
        "sensor       {} ({}): {} payloads",
        sensor.name,
        sensor.kind,
        grouped(sensor.payloads)
    );
    if let Some(between) = sensor.intervals.filter(|between| between.median_s > 0.0) {
        let rate = |seconds: f64| 1.0 / seconds;
        let _ = write!(text, ", {:.2} Hz", rate(between.median_s));
        if between.low_s > 0.0 && between.high_s > 1.001 * between.low_s {
            let _ = write!(
                text,
                " ({:.2} to {:.2})",
                rate(between.high_s),
                rate(between.low_s)
            );
        }
    }
    text.push('\n');
    let mut more = |line: String| {
        let _ = writeln!(text, "             {line}");
    };
    if let Some((first, last)) = sensor.span_ns {
        let seconds = (last - first) as f64 * 1e-9;
        let offset = match sensor.time_offset_ms {
            0.0 => String::new(),
            offset => format!(", offset {offset} ms"),
        };
        more(format!(
            "{} to {} UTC, {seconds:.3} s{offset}",
            clock::utc(first),
            clock::utc(last)
        ));
    }
    for shape in &sensor.shapes {
        more(shape.clone());
    }
    if sensor.points > 0 || sensor.dropped_points > 0 {
        let dropped = match sensor.dropped_points {
            0 => String::new(),
            dropped => format!(", {} without a return or not finite", grouped(dropped)),
        };
        more(format!("{} points{dropped}", grouped(sensor.points)));
    }
    for pulse in &sensor.pulses {
        more(format!("pulse {pulse}"));
    }
    for (cause, lost) in sensor.lost.iter().filter(|(_, lost)| **lost > 0) {
        more(format!("lost {lost} {cause}"));
    }
    if let Some(first) = &sensor.first_loss {
        more(format!("first: {first}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_a_shell_takes_it() {
        assert_eq!(quoted(Path::new("a/b-1.las")), "a/b-1.las");
        assert_eq!(quoted(Path::new("my quay's")), "'my quay'\\''s'");
    }
}
