//! The front matter: YAML within narrow limits, with the place of each key and value.

use serde_json::{Map, Value};
use serde_saphyr::{Error, MergeKeyPolicy, Options};

use super::finding::Rule;
use super::placed::{Placed, TAGGED};
use super::rules::{DUPLICATE_KEY, INDIRECT, NOT_YAML, OVER_LIMIT};

/// Deepest nesting.
pub(super) const MAX_DEPTH: usize = 16;
/// Most keys and values.
pub(super) const MAX_NODES: usize = 1000;

/// A value and where it begins: bytes from the YAML's first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: usize,
    pub(super) node: Node,
}

/// Why YAML was not taken, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    pub(super) rule: &'static Rule,
    pub(super) message: String,
    pub(super) at: usize,
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// As JSON.
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(nodes) => nodes.iter().map(Node::value).collect(),
            Kind::Map(entries) => entries
                .iter()
                .map(|entry| (entry.key.clone(), entry.node.value()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

/// Whether it is known where nodes begin: to ask each for its place costs as much as to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    Known,
    /// All begin at the first byte.
    Unknown,
}

/// Reads one mapping.
pub(super) fn parse(yaml: &str, places: Places) -> Result<Vec<Entry>, Refused> {
    let node = match (places, yaml.contains('!')) {
        (Places::Unknown, false) => node::<false>(yaml),
        // Only with this sign can there be a tag.
        _ => node::<true>(yaml),
    };
    match node.map_err(|error| refused(yaml, &error))?.kind {
        Kind::Map(entries) => Ok(entries),
        _ => Err(Refused {
            rule: &NOT_YAML,
            message: "expected a mapping of fields".into(),
            at: 0,
        }),
    }
}

fn node<const PLACED: bool>(yaml: &str) -> Result<Node, Error> {
    serde_saphyr::from_str_with_options::<Placed<PLACED>>(yaml, options()).map(Node::from)
}

fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_aliases: 0,
        max_anchors: 0,
        max_depth: MAX_DEPTH,
        max_documents: 1,
        max_events: 4 * MAX_NODES,
        max_merge_keys: 0,
        max_nodes: MAX_NODES,
        flow_nesting_limit: MAX_DEPTH,
    };
    serde_saphyr::options! {
        budget: budget,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn refused(yaml: &str, error: &Error) -> Refused {
    use serde_saphyr::budget::BudgetBreach as Breach;
    let mut at = error
        .location()
        .map_or(0, |place| byte_of(yaml, place.line(), place.column()));
    let rendered = error.render();
    let first = rendered.lines().next().unwrap_or_default();
    let mut message = first
        .rsplit_once(" at line ")
        .map_or(first, |(words, _)| words)
        .to_owned();
    let rule = match error {
        Error::DuplicateMappingKey { key, .. } => {
            message = match key {
                Some(key) => format!("the key `{key}` stands twice"),
                None => "a key stands twice".into(),
            };
            &DUPLICATE_KEY
        }
        Error::MergeKeyNotAllowed { .. } => said(&mut message, "merge keys are not read", &INDIRECT),
        Error::UnknownAnchor { .. } => said(&mut message, "aliases are not read", &INDIRECT),
        Error::Budget { breach, .. } => match breach {
            Breach::Aliases { .. } => said(&mut message, "aliases are not read", &INDIRECT),
            Breach::Anchors { .. } => said(&mut message, "anchors are not read", &INDIRECT),
            Breach::MergeKeys { .. } => said(&mut message, "merge keys are not read", &INDIRECT),
            Breach::Nodes { .. } | Breach::Events { .. } => {
                said(&mut message, &format!("more than {MAX_NODES} nodes"), &OVER_LIMIT)
            }
            Breach::Depth { .. } => said(&mut message, &too_deep(), &OVER_LIMIT),
            _ => said(&mut message, "more than a front matter may have", &OVER_LIMIT),
        },
        Error::UnsupportedTag { .. } => {
            at = tag_before(yaml, at);
            said(&mut message, TAGGED, &INDIRECT)
        }
        _ if message.contains(TAGGED) => {
            at = tag_before(yaml, at);
            said(&mut message, TAGGED, &INDIRECT)
        }
        _ if message.contains("recursion limit") => said(&mut message, &too_deep(), &OVER_LIMIT),
        _ if message.contains("non-finite") => said(&mut message, "expected a finite number", &NOT_YAML),
        _ => &NOT_YAML,
    };
    Refused { rule, message, at }
}

/// Puts our words in the place of the reader's, which speak of its settings.
fn said(message: &mut String, words: &str, rule: &'static Rule) -> &'static Rule {
    words.clone_into(message);
    rule
}

fn too_deep() -> String {
    format!("deeper than {MAX_DEPTH}")
}

/// Where the tag of the value at this byte begins.
fn tag_before(yaml: &str, value: usize) -> usize {
    let before = yaml[..value].trim_end();
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | '{');
    let begins = before.rfind(is_between).map_or(0, |at| at + 1);
    match before[begins..].starts_with('!') {
        true => begins,
        false => value,
    }
}

/// The byte of a line and column, both from 1: the reader does not know it of all that it refuses.
fn byte_of(yaml: &str, line: u64, column: u64) -> usize {
    let lines = (line.max(1) - 1) as usize;
    let begins: usize = yaml.split_inclusive('\n').take(lines).map(str::len).sum();
    let within = yaml[begins..].char_indices().nth((column.max(1) - 1) as usize);
    within.map_or(yaml.len(), |(at, _)| begins + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_refused(yaml: &str, code: &str, at: &str) {
        let refused = parse(yaml, Places::Known).unwrap_err();
        assert_eq!(parse(yaml, Places::Unknown).unwrap_err(), refused, "{yaml}");
        assert_eq!(refused.rule.code, code, "{yaml}: {}", refused.message);
        assert!(
            yaml[refused.at.min(yaml.len())..].starts_with(at),
            "{yaml}: at {}",
            refused.at
        );
    }

    #[test]
    fn keys_and_values_know_where_they_stand() {
        let yaml = "a: 1\nlist: [x, 2.5]\nmap:\n  read:\n    - \"agent://*\"\nwhen: 2025-08-28T23:30:00Z\nno: yes\nnil: ~\n";
        let entries = parse(yaml, Places::Known).unwrap();
        let values = |entries: &[Entry]| {
            entries
                .iter()
                .map(|e| (e.key.clone(), e.node.value()))
                .collect::<Vec<_>>()
        };
        assert_eq!(values(&parse(yaml, Places::Unknown).unwrap()), values(&entries));
        let value: Map<String, Value> = entries.iter().map(|e| (e.key.clone(), e.node.value())).collect();
        assert_eq!(
            Value::from(value),
            json!({"a": 1, "list": ["x", 2.5], "map": {"read": ["agent://*"]}, "when": "2025-08-28T23:30:00Z", "no": "yes", "nil": null})
        );
        assert!(yaml[entries[1].key_at..].starts_with("list"));
        let Kind::List(list) = &entries[1].node.kind else {
            panic!()
        };
        assert!(yaml[list[1].at..].starts_with("2.5"));
        let read = &entries[2].node.entries()[0];
        assert!(yaml[read.key_at..].starts_with("read"));
        let Kind::List(list) = &read.node.kind else {
            panic!()
        };
        assert!(yaml[list[0].at..].starts_with("\"agent"));
    }

    #[test]
    fn what_is_said_speaks_of_the_document() {
        for (yaml, expected) in [
            ("a: 1\na: 2\n".to_owned(), "the key `a` stands twice"),
            ("a: &x 1\n".to_owned(), "anchors are not read"),
            ("a: *x\n".to_owned(), "aliases are not read"),
            ("a: {<<: {b: 1}}\n".to_owned(), "merge keys are not read"),
            ("a: [!t 1]\n".to_owned(), TAGGED),
            (format!("a: [{}]\n", "1, ".repeat(1001)), "more than 1000 nodes"),
            (
                format!("a: {}1{}\n", "[".repeat(17), "]".repeat(17)),
                "deeper than 16",
            ),
            ("a: 1e999\n".to_owned(), "expected a finite number"),
        ] {
            assert_eq!(parse(&yaml, Places::Known).unwrap_err().message, expected);
        }
    }

    #[test]
    fn what_is_no_plain_mapping_is_refused_with_its_place() {
        check_refused("a: 1\nb: 2\na: 3\n", "M0004", "a: 3");
        check_refused("a: &x 1\n", "M0007", "");
        check_refused("a: *x\n", "M0007", "");
        check_refused("a: !!str 1\n", "M0007", "!!str");
        check_refused("a:\n  - !thing {b: 1}\n", "M0007", "!thing");
        check_refused("a: {<<: {b: 1}}\n", "M0007", "");
        check_refused("a: [1, 2\nb: 3\n", "M0002", "");
        check_refused("host: %{os}\n", "M0002", "%");
        check_refused("- a\n- b\n", "M0002", "");
        check_refused("type: \"skill\" | \"workflow\"\n", "M0002", "");
        check_refused("a: .nan\n", "M0002", "");
        check_refused(
            &format!("a: {}1{}\n", "[".repeat(17), "]".repeat(17)),
            "M0003",
            "",
        );
        check_refused(&format!("a: [{}]\n", "1, ".repeat(1001)), "M0003", "");
        check_refused(&"[".repeat(100_000), "M0003", "");
    }
}
