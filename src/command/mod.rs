//! The commands, one file each.

mod demo;
mod eval;
mod export;
mod maml;
mod replay;
mod run;
mod sim;

use std::io::Write;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use crate::exit::Exit;

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulates a quay, fuses it, seals the record, and scores it against the truth.
    Demo(demo::Demo),
    /// Fuses a recording into a sealed record: the main job.
    Replay(replay::Replay),
    /// Writes a simulated recording with its truth.
    Sim(sim::Sim),
    /// Scores a record against the truth of its simulation.
    Eval(eval::Eval),
    /// Hands a record over in another form.
    Export(export::Export),
    /// Keys and records.
    #[command(subcommand)]
    Maml(maml::Maml),
}

impl Command {
    /// Runs the command; `json` asks for the result as JSON on stdout.
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        match self {
            Command::Demo(command) => command.run(json),
            Command::Replay(command) => command.run(json),
            Command::Sim(command) => command.run(json),
            Command::Eval(command) => command.run(json),
            Command::Export(command) => command.run(json),
            Command::Maml(command) => command.run(json),
        }
    }
}

/// Prints a result: as JSON on stdout for machines, else as text for people.
fn show(json: bool, machine: &impl Serialize, people: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    if json {
        crate::tell(people);
        serde_json::to_writer_pretty(&mut stdout, machine)?;
        writeln!(stdout).context("cannot write to stdout")
    } else {
        writeln!(stdout, "{}", people.trim_end()).context("cannot write to stdout")
    }
}
