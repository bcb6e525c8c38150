//! Where the front matter begins and ends.

use super::rules::NO_FRONT_MATTER;
use super::yaml::{self, Entry, Kind, Node, Places, Refused};

/// The front matter, with places in the text.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) entries: Vec<Entry>,
    /// Where the body begins.
    pub(super) ends: usize,
}

/// Reads the front matter from the text's first line on; with places in it, or without.
pub(super) fn read(text: &str, places: Places) -> Result<Front, Refused> {
    let mut at = 0;
    let mut begins = None;
    for line in text.split_inclusive('\n') {
        let here = at;
        at += line.len();
        match (begins, line.trim_end()) {
            (None, "---") => begins = Some(at),
            (None, _) => return Err(missing(text)),
            (Some(begins), "---" | "...") => {
                return match yaml::parse(&text[begins..here], places) {
                    Ok(mut entries) => {
                        moved(&mut entries, begins);
                        Ok(Front { entries, ends: at })
                    }
                    Err(refused) => Err(Refused {
                        at: begins + refused.at,
                        ..refused
                    }),
                };
            }
            _ => {}
        }
    }
    Err(match begins {
        Some(_) => Refused {
            rule: &NO_FRONT_MATTER,
            message: "the front matter has no second line `---`".into(),
            at: 0,
        },
        None => missing(text),
    })
}

/// Says where a front matter stands instead, if one does.
fn missing(text: &str) -> Refused {
    let lines: Vec<&str> = text.lines().take(10_000).map(str::trim).collect();
    let is_field = |line: &str| line.starts_with("maml_version:") || line.starts_with("schema:");
    let instead = lines
        .windows(2)
        .position(|pair| pair[0] == "---" && is_field(pair[1]));
    let message = match instead {
        Some(line) => format!(
            "the file does not begin with `---`; a front matter begins on line {}: is this a page that shows a \
             document, not the document?",
            line + 1
        ),
        None => "the file does not begin with a line `---`".into(),
    };
    Refused {
        rule: &NO_FRONT_MATTER,
        message,
        at: 0,
    }
}

fn moved(entries: &mut [Entry], by: usize) {
    for entry in entries {
        entry.key_at += by;
        moved_node(&mut entry.node, by);
    }
}

fn moved_node(node: &mut Node, by: usize) {
    node.at += by;
    match &mut node.kind {
        Kind::Scalar(_) => {}
        Kind::List(nodes) => nodes.iter_mut().for_each(|node| moved_node(node, by)),
        Kind::Map(entries) => moved(entries, by),
    }
}

/// Where the part of a node that a pointer leads to begins; at its key, if it has one.
pub(super) fn place(node: &Node, pointer: &str) -> usize {
    let (mut node, mut at) = (node, node.at);
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        let next = match &node.kind {
            Kind::Map(entries) => {
                let entry = entries.iter().find(|entry| entry.key == name);
                entry.map(|entry| (&entry.node, entry.key_at))
            }
            Kind::List(nodes) => {
                let node = name.parse::<usize>().ok().and_then(|index| nodes.get(index));
                node.map(|node| (node, node.at))
            }
            Kind::Scalar(_) => None,
        };
        match next {
            Some(next) => (node, at) = next,
            None => break,
        }
    }
    at
}
