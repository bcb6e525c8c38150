//! A passphrase from the terminal, never shown, and never from arguments or the environment.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};

use anyhow::{Context, anyhow, bail};
use beluga_sinks::maml::Passphrase;
use zeroize::Zeroizing;

use crate::exit::Wrong;

/// Asks for the passphrase of a record.
pub(crate) fn known() -> anyhow::Result<Passphrase> {
    ask("passphrase: ").context(Wrong::Arguments)
}

/// Asks twice for a new one.
pub(crate) fn chosen() -> anyhow::Result<Passphrase> {
    let twice = || {
        let first = read_line("new passphrase: ")?;
        let second = read_line("the same again: ")?;
        if *first != *second {
            bail!("the two passphrases are not the same");
        }
        Ok(Passphrase::new(first)?)
    };
    twice().context(Wrong::Arguments)
}

fn ask(prompt: &str) -> anyhow::Result<Passphrase> {
    Ok(Passphrase::new(read_line(prompt)?)?)
}

/// One line from the terminal, without echo.
#[cfg(unix)]
fn read_line(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let mut terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(|_| anyhow!("there is no terminal to ask for the passphrase: name a file of mode 0600"))?;
    let shown = tcgetattr(&terminal).context("cannot ask the terminal")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &hidden).context("cannot hide what is typed")?;
    let mut line = Zeroizing::new(String::with_capacity(4096));
    let read = write!(terminal, "{prompt}").and_then(|()| BufReader::new(&terminal).read_line(&mut line));
    // Whatever came of it, the terminal is to be as it was.
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &shown);
    let _ = writeln!(terminal);
    read.context("cannot read the passphrase")?;
    restored.context("cannot restore the terminal")?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(not(unix))]
fn read_line(_: &str) -> anyhow::Result<Zeroizing<String>> {
    Err(anyhow!("on this system a passphrase is read from a file only"))
}
