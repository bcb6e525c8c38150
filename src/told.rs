//! What people are told while the program runs: on stderr, or, while a dashboard has the terminal, in its list.
//! What was told meanwhile is on stderr once the dashboard is gone.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use beluga_types::Stamp;

use crate::clock;

/// Lines that are remembered, and the longest of them in bytes.
const MOST: usize = 200;
const MOST_BYTES: usize = 600;

/// Something that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Counted from zero.
    pub(crate) number: u64,
    pub(crate) at: Stamp,
    pub(crate) text: String,
    /// Whether it is of a light.
    #[cfg_attr(not(feature = "viz"), allow(dead_code, reason = "nobody draws"))]
    pub(crate) of_light: bool,
}

/// There is one terminal, and so one list.
static LIST: Mutex<List> = Mutex::new(List {
    lines: VecDeque::new(),
    next: 0,
    held_from: None,
});

struct List {
    lines: VecDeque<Told>,
    next: u64,
    /// The first line that is not on stderr, while that is a dashboard's.
    held_from: Option<u64>,
}

fn list() -> MutexGuard<'static, List> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says something to people. A closed stderr is no reason to stop.
pub(crate) fn tell(text: &str) {
    let text = printable(text.trim_end());
    if text.is_empty() {
        return;
    }
    let is_held = {
        let mut list = list();
        list.add(&text, false);
        list.held_from.is_some()
    };
    if !is_held {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// What a light has changed to: for the list alone.
pub(crate) fn light(text: &str) {
    list().add(&printable(text.trim_end()), true);
}

/// What was told from this number on, as far as it is remembered.
pub(crate) fn since(number: u64) -> Vec<Told> {
    let list = list();
    let new = list.lines.iter().filter(|told| told.number >= number);
    new.cloned().collect()
}

/// Nothing goes to stderr from now on.
pub(crate) fn hold() {
    let mut list = list();
    list.held_from = Some(list.next);
}

/// Stderr is free again: what was told meanwhile goes there.
pub(crate) fn release() {
    let held = {
        let mut list = list();
        let from = list.held_from.take();
        from.map(|from| {
            list.lines
                .iter()
                .filter(|told| told.number >= from)
                .cloned()
                .collect()
        })
    };
    let held: Vec<Told> = held.unwrap_or_default();
    let mut stderr = io::stderr().lock();
    for told in held {
        let _ = writeln!(stderr, "{} {}", time_of_day(told.at), told.text);
    }
}

/// `12:00:00` of a moment, UTC.
pub(crate) fn time_of_day(at: Stamp) -> String {
    let text = clock::utc(at.nanos());
    text.get(11..19).unwrap_or_default().to_owned()
}

impl List {
    fn add(&mut self, text: &str, of_light: bool) {
        if self.lines.len() == MOST {
            self.lines.pop_front();
        }
        let mut text = text.to_owned();
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        self.lines.push_back(Told {
            number: self.next,
            at: clock::now(),
            text,
            of_light,
        });
        self.next += 1;
    }
}

/// Text without what could steer a terminal: names come from files of strangers.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Where warnings of libraries go, line by line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Warnings;

impl Write for Warnings {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        tell(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_bounded_and_counts_on() {
        let mut list = List {
            lines: VecDeque::new(),
            next: 0,
            held_from: None,
        };
        for number in 0..MOST + 5 {
            list.add(&format!("{number} {}", "é".repeat(MOST_BYTES)), false);
        }
        assert_eq!((list.lines.len(), list.lines[0].number), (MOST, 5));
        assert!(list.lines.iter().all(|told| told.text.len() <= MOST_BYTES));
        assert!(list.lines[0].text.starts_with("5 é"));
    }

    #[test]
    fn what_steers_a_terminal_is_not_said() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\n");
        assert_eq!(
            time_of_day(Stamp::from_nanos(951_782_403_000_000_000)),
            "00:00:03"
        );
    }
}
