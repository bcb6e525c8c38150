//! History: one line for each thing that was done to a document, appended and never changed.

use super::findings::Findings;
use super::rules::{HISTORY, HISTORY_ORDER};
use super::time;

/// What can have been done.
pub(super) const EVENTS: [&str; 5] = ["CREATE", "VALIDATE", "EXECUTE", "REFLECT", "ERROR"];

/// A line of History.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// As it is written.
    pub time: String,
    /// `CREATE`, `VALIDATE`, `EXECUTE`, `REFLECT` or `ERROR`.
    pub event: String,
    /// What was done.
    pub text: String,
}

/// The lines of a section that begins at this byte of the text.
pub(super) fn check(section: &str, begins: usize, findings: &mut Findings<'_>) -> Vec<Happened> {
    let (mut all, mut last, mut at) = (Vec::new(), i64::MIN, begins);
    for line in section.split_inclusive('\n') {
        let here = at;
        at += line.len();
        let is_new = !line.starts_with([' ', '\t']);
        let pointer = format!("/sections/History/{}", all.len());
        match (entry(line.trim_end()), is_new) {
            _ if line.trim().is_empty() => {}
            (Some((nanos, happened)), true) => {
                if nanos < last {
                    let message = format!("{} is earlier than the line before it", happened.time);
                    findings.add(&HISTORY_ORDER, here, pointer, message);
                }
                last = nanos;
                all.push(happened);
            }
            // A long line goes on below, indented.
            (None, false) if !all.is_empty() => {}
            _ => {
                let message = format!("`{}` does not begin with a time and what was done", line.trim());
                findings.add(&HISTORY, here, pointer, message);
            }
        }
    }
    all
}

/// `- <time>: [EVENT] text`.
fn entry(line: &str) -> Option<(i64, Happened)> {
    let rest = line.strip_prefix("- ")?.trim_start();
    let (time, rest) = rest.split_once(": [")?;
    let (event, text) = rest.split_once(']')?;
    let nanos = time::nanos(time)?;
    EVENTS.contains(&event).then(|| {
        let happened = Happened {
            time: time.to_owned(),
            event: event.to_owned(),
            text: text.trim().to_owned(),
        };
        (nanos, happened)
    })
}
