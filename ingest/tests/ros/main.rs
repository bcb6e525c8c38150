//! Bags of others: what plays, what is skipped, and what becomes of damage.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

mod bags;
mod corpus;
mod damage;
mod messages;
mod play;
mod python;
mod real;

#[path = "../../../tests/shared_data/mod.rs"]
mod shared_data;

use std::path::Path;

use beluga_ingest::Recording;
use beluga_types::{Measurement, Payload};

/// All that a recording gives.
fn run(path: &Path) -> Vec<Measurement> {
    Recording::open(path).unwrap().timeline().unwrap().collect()
}

fn lost(run: &[Measurement]) -> u64 {
    let lost = |measurement: &Measurement| match &measurement.payload {
        Payload::Gap(gap) => gap.lost,
        _ => 0,
    };
    run.iter().map(lost).sum()
}

fn is_gap(measurement: &Measurement) -> bool {
    matches!(measurement.payload, Payload::Gap(_))
}

/// Payloads, without gaps.
fn payloads(run: &[Measurement]) -> Vec<&Measurement> {
    run.iter().filter(|measurement| !is_gap(measurement)).collect()
}
