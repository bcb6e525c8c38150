//! The `beluga` program: one boat, one pass, one cloud.

mod command;
mod config;
mod control;
mod document;
mod exit;
mod picture;
mod pipeline;
mod report;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;

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

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("BELUGA_LOG").unwrap_or_else(|_| "warn".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            tell(&format!("error: {error:#}"));
            ExitCode::from(exit::code_of(&error))
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

/// Says something to people, on stderr. A closed stderr is no reason to stop.
fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end());
}
