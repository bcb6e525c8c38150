//! `maml log`: what a record says of its run, line by line.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use beluga_sinks::arrow;
use beluga_sinks::maml::{Checkpoint, Demands, Entry, Reader, Report};
use beluga_types::Stamp;
use clap::Args;
use serde_json::{Value, json};

use super::Keys;
use super::check::{exit_of_report, hex, reported};
use super::read::with_exit;
use crate::exit::Exit;

/// Prints what a record says of its run as JSON lines in the order of the file: META, checkpoints, and
/// what the frames say was lost. Without a key: checkpoints alone. Where a record hides its times, those of
/// checkpoints are `hidden`.
///
/// Example: beluga maml log quay.maml | jq 'select(.what == "meta")'
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// The record.
    record: PathBuf,
    #[command(flatten)]
    keys: Keys,
}

impl Log {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let demands = Demands {
            checkpoints: true,
            ..Demands::default()
        };
        let report = reported(&self.record, None, &demands)?;
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let mut line = |value: Value| match writeln!(out, "{value}") {
            // Whoever read it has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            done => done.context("cannot write to stdout"),
        };
        line(beginning(&report))?;
        let hidden = report.head.as_ref().is_some_and(|head| head.hides_times);
        let mut checkpoints = report.checkpoints.iter().peekable();
        let mut read = true;
        match Reader::open(&self.record, &self.keys.unlock()?) {
            Ok(mut reader) => {
                while let Some(entry) = reader.next_entry().map_err(with_exit)? {
                    let seq = match &entry {
                        Entry::Frame(frame) => frame.seq,
                        Entry::Meta(meta) => meta.seq,
                    };
                    while let Some(checkpoint) = checkpoints.next_if(|checkpoint| checkpoint.seq < seq) {
                        line(of_checkpoint(checkpoint, hidden))?;
                    }
                    for value in of_entry(&entry)? {
                        line(value)?;
                    }
                }
            }
            Err(beluga_sinks::Error::NoKey { .. } | beluga_sinks::Error::BadHead { .. }) => read = false,
            Err(error) => return Err(with_exit(error)),
        }
        for checkpoint in checkpoints {
            line(of_checkpoint(checkpoint, hidden))?;
        }
        line(end(&report, read))?;
        Ok(exit_of_report(&report))
    }
}

/// What stands for a time that a record hides: its notes hold none.
const HIDDEN: &str = "hidden";

fn time(nanos: i64) -> String {
    Stamp::from_nanos(nanos).iso_8601()
}

fn beginning(report: &Report) -> Value {
    let head = report.head.as_ref();
    json!({
        "what": "record",
        "file_id": head.map(|head| hex(&head.file_id)),
        "suite": head.map(|head| head.suite.name()),
        "signer": head.map(|head| head.signer.to_string()),
        "trusted": report.is_trusted(),
    })
}

/// `hidden`: whether the record says no times without a key.
fn of_checkpoint(checkpoint: &Checkpoint, hidden: bool) -> Value {
    let nanos = i64::try_from(checkpoint.time_s)
        .ok()
        .and_then(|s| s.checked_mul(1_000_000_000));
    let time = match hidden {
        true => HIDDEN.to_owned(),
        false => time(nanos.unwrap_or(i64::MAX)),
    };
    json!({
        "what": "checkpoint",
        "seq": checkpoint.seq,
        "time": time,
        "leaves": checkpoint.leaves,
        "root": hex(&checkpoint.root),
    })
}

/// A META; or, of a frame, what was lost in its window.
fn of_entry(entry: &Entry) -> anyhow::Result<Vec<Value>> {
    match entry {
        Entry::Meta(meta) => Ok(vec![json!({
            "what": "meta",
            "seq": meta.seq,
            "time": time(meta.meta.time_nanos()),
            "kind": meta.meta.kind(),
            "value": meta.meta.value(),
        })]),
        Entry::Frame(recorded) => {
            let frame = arrow::decode(&recorded.bytes)?;
            let gap = |gap: &beluga_types::FrameGap| {
                json!({
                    "what": "gap",
                    "seq": recorded.seq,
                    "time": time(recorded.time_nanos),
                    "frame": frame.index,
                    "sensor": gap.sensor.0,
                    "lost": gap.lost,
                    "cause": gap.cause.name(),
                })
            };
            Ok(frame.gaps.iter().map(gap).collect())
        }
    }
}

fn end(report: &Report, read: bool) -> Value {
    json!({
        "what": "end",
        "status": report.status.to_string(),
        "frames": report.counts.frames,
        "records": report.counts.records,
        "leaves": report.signed.map(|(leaves, _)| leaves),
        "root": report.signed.map(|(_, root)| hex(&root)),
        "opened": read,
    })
}
