//! Short blocks of text inside the document's fences: `-> words`, then base64 in lines of 64.
//!
//! The shape is that of the age format (C2SP, age.md): every body ends with a line shorter than 64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Most stanzas in one fence.
pub(crate) const MAX_STANZAS: usize = 64;
/// Longest body of one stanza, in bytes.
const MAX_BODY: usize = 8192;
const COLUMNS: usize = 64;

/// One block: its words and its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stanza {
    pub(crate) words: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Stanza {
    pub(crate) fn new(words: &[&str], body: Vec<u8>) -> Self {
        Self {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            body,
        }
    }

    /// The words as slices, for matching.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    pub(crate) fn write(&self, text: &mut String) {
        text.push_str("-> ");
        text.push_str(&self.words.join(" "));
        text.push('\n');
        let body = STANDARD_NO_PAD.encode(&self.body);
        let mut rest = body.as_str();
        while rest.len() >= COLUMNS {
            let (line, after) = rest.split_at(COLUMNS);
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str(rest);
        text.push('\n');
    }
}

/// Stanzas one after the other, as they stand in a fence.
pub(crate) fn join(stanzas: &[Stanza]) -> String {
    let mut text = String::new();
    for stanza in stanzas {
        stanza.write(&mut text);
    }
    text
}

/// Reads all stanzas of a fence; only what [`Stanza::write`] writes is taken.
pub(crate) fn parse(text: &str) -> Result<Vec<Stanza>, String> {
    let mut lines = text.lines();
    let mut stanzas = Vec::new();
    while let Some(line) = lines.next() {
        let words = line
            .strip_prefix("-> ")
            .ok_or_else(|| "a stanza does not begin with `-> `".to_owned())?;
        if stanzas.len() == MAX_STANZAS {
            return Err(format!("more than {MAX_STANZAS} stanzas"));
        }
        let body = body(&mut lines)?;
        stanzas.push(Stanza::new(&words.split(' ').collect::<Vec<_>>(), body));
    }
    Ok(stanzas)
}

fn body<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Result<Vec<u8>, String> {
    let mut joined = String::new();
    loop {
        let line = lines.next().ok_or("a stanza ends before its last line")?;
        if line.len() > COLUMNS || joined.len() > MAX_BODY * 4 / 3 {
            return Err(format!(
                "a stanza has a line beyond {COLUMNS} columns or more than {MAX_BODY} bytes"
            ));
        }
        joined.push_str(line);
        if line.len() < COLUMNS {
            break;
        }
    }
    STANDARD_NO_PAD
        .decode(&joined)
        .map_err(|error| format!("a stanza's body is not base64: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_lead_back_at_every_length_around_a_line() {
        for length in [0, 1, 47, 48, 49, 96, 1168] {
            let stanzas = [
                Stanza::new(&["xwing", "draft-06", "ab"], vec![length as u8; length]),
                Stanza::new(&["keyfile"], vec![3; 80]),
            ];
            let mut text = String::new();
            for stanza in &stanzas {
                stanza.write(&mut text);
            }
            assert_eq!(parse(&text).unwrap(), stanzas);
        }
    }

    #[test]
    fn no_truncation_passes_for_the_whole_and_every_flood_is_refused() {
        let mut text = String::new();
        Stanza::new(&["a"], vec![1; 100]).write(&mut text);
        let whole = parse(&text).unwrap();
        for end in 0..text.len() - 1 {
            assert_ne!(parse(&text[..end]).ok(), Some(whole.clone()), "cut at {end}");
        }
        assert!(parse(&text.repeat(MAX_STANZAS)).is_ok());
        assert!(parse(&text.repeat(MAX_STANZAS + 1)).is_err());
        let long = format!("-> a\n{}", format!("{}\n", "A".repeat(64)).repeat(1000));
        assert!(parse(&long).is_err());
    }
}
