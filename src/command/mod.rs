//! The commands, one file each.

mod demo;
mod doctor;
mod eval;
mod execute;
mod export;
mod lag;
mod live;
pub(crate) mod maml;
mod outputs;
mod probe;
mod recover;
mod replay;
mod rotating;
mod run;
mod sim;
mod view;

use std::io::Write;

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use crate::exit::Exit;

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Replay(replay::Replay),
    Live(live::Fuse),
    Record(live::Record),
    Run(execute::Execute),
    Doctor(doctor::Doctor),
    Recover(recover::Recover),
    Probe(probe::Probe),
    Lag(lag::Lag),
    Sim(sim::Sim),
    Eval(eval::Eval),
    Export(export::Export),
    View(view::View),
    #[command(subcommand)]
    Maml(maml::Maml),
}

impl Command {
    /// Runs the command; `json` asks for the result as JSON on stdout.
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        match self {
            Command::Demo(command) => command.run(json),
            Command::Replay(command) => command.run(json),
            Command::Live(command) => command.run(json),
            Command::Doctor(command) => command.run(json),
            Command::Recover(command) => command.run(json),
            Command::Record(command) => command.run(json),
            Command::Run(command) => command.run(json),
            Command::Probe(command) => command.run(json),
            Command::Lag(command) => command.run(json),
            Command::Sim(command) => command.run(json),
            Command::Eval(command) => command.run(json),
            Command::Export(command) => command.run(json),
            Command::View(command) => command.run(json),
            Command::Maml(command) => command.run(json),
        }
    }
}

/// Prints a result: as JSON on stdout for machines, else as text for people.
pub(crate) fn show(json: bool, machine: &impl Serialize, people: &str) -> anyhow::Result<()> {
    let text = if json {
        crate::tell(people);
        serde_json::to_string_pretty(machine)?
    } else {
        crate::printable(people.trim_end())
    };
    match writeln!(std::io::stdout().lock(), "{text}") {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("cannot write to stdout"),
    }
}
