//! The line of a key that says what it may not.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Error;

/// The refusal of a key of the rig at `path`, with the line of that key.
pub(super) fn with_line(error: Error, text: &str, path: &Path) -> Error {
    match error {
        Error::Bad {
            place,
            expected,
            found,
            path: bad,
        } if bad == path => {
            let place = match line(&place, text) {
                Some(line) => format!("line {line}, {place}"),
                None => place,
            };
            Error::bad(path, place, expected, found)
        }
        other => other,
    }
}

/// The line of "sensor `name`, `key`" or of "`table.key`".
fn line(place: &str, text: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let words: Vec<&str> = place.split('`').collect();
    let start = match words.as_slice() {
        ["sensor ", name, _, key, ""] => {
            let sensors = table.get_ref().get("sensor")?.get_ref().as_array()?;
            let mut tables = sensors.iter().filter_map(|sensor| sensor.get_ref().as_table());
            let named = |table: &&DeTable<'_>| {
                let found = table.get("name").and_then(|found| found.get_ref().as_str());
                found == Some(*name)
            };
            start(tables.find(named)?.get(*key)?)
        }
        ["", key, ""] => {
            let (section, key) = key.split_once('.')?;
            start(table.get_ref().get(section)?.get_ref().as_table()?.get(key)?)
        }
        _ => return None,
    };
    Some(1 + text.get(..start)?.matches('\n').count())
}

fn start(value: &Spanned<DeValue<'_>>) -> usize {
    value.span().start
}
