//! The `beluga` program: one boat, one pass, one cloud.

mod audit;
#[cfg(feature = "viz")]
mod browser;
mod by_document;
mod clock;
mod cockpit;
mod command;
mod config;
mod control;
mod corrections;
mod cpu;
mod doctor;
mod document;
mod earlier;
mod exit;
mod hearing;
mod inputs;
mod keep;
mod latency;
mod loops;
mod passphrase;
mod picture;
mod pipeline;
mod report;
mod retrace;
mod secrets;
mod sensors;
mod service;
mod told;
mod validation;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;
pub(crate) use crate::told::{printable, tell};

/// Fuses LIDAR and SONAR into one cloud above and below the waterline, in which every point knows
/// how far to trust it, and keeps it in an encrypted, signed record.
#[derive(Debug, Parser)]
#[command(name = "beluga", version, max_term_width = 100)]
struct Cli {
    /// Prints the result as JSON on stdout; people's text goes to stderr.
    #[arg(long, global = true)]
    json: bool,
    /// Threads for the mathematics (default: all cores). The frames are the same for any number.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

/// What is told of warnings if `BELUGA_LOG` says nothing else. A picture without a table of its parts
/// is meant so, and what writes it only has errors to tell.
const TOLD: &str = "warn,re_log_encoding::rrd::file_sink=error";

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("BELUGA_LOG").unwrap_or_else(|_| TOLD.into()),
        )
        // Through the list of what was told, which lets no colours through.
        .with_ansi(false)
        .with_writer(|| told::Warnings)
        .init();
    secrets::keep();
    let cli = Cli::parse();
    let json = cli.json;
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let code = exit::code_of(&error);
            tell(&format!("error: {error:#}"));
            if json {
                let machine = serde_json::json!({ "error": format!("{error:#}"), "exit": code });
                let _ = command::show(true, &machine, "");
            }
            ExitCode::from(code)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<exit::Exit> {
    if let Some(threads) = cli.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()?;
    }
    cli.command.run(cli.json)
}
