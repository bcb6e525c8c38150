//! Who may read, write and execute.

use serde_json::{Map, Value, json};

use super::fields::{is_uri, kind};
use super::finding::step;
use super::findings::Findings;
use super::rules::{
    FIELD_TYPE, PERMISSIONS_EMPTY, PERMISSIONS_KIND, PERMISSIONS_LACK, PERMISSIONS_NAME, PERMISSIONS_WILD,
};
use super::yaml::{Entry, Kind, Node};

const POINTER: &str = "/front_matter/permissions";
/// What may be permitted.
const KINDS: [&str; 3] = ["read", "write", "execute"];

/// The permissions, each a list.
pub(super) fn check(entries: &[Entry], at: usize, findings: &mut Findings<'_>) -> Value {
    let mut normal = Map::new();
    for entry in entries {
        let pointer = step(POINTER, &entry.key);
        if !KINDS.contains(&entry.key.as_str()) {
            let message = format!("`{}` permits nothing", entry.key);
            findings.add(&PERMISSIONS_KIND, entry.key_at, pointer.as_str(), message);
        }
        let nodes: &[Node] = match &entry.node.kind {
            Kind::List(nodes) => nodes,
            Kind::Scalar(Value::Null) => &[],
            _ => {
                let message = format!("`{}` is {}, expected a list", entry.key, kind(&entry.node));
                findings.add_of_profile(&FIELD_TYPE, entry.node.at, pointer.as_str(), message);
                std::slice::from_ref(&entry.node)
            }
        };
        for (index, node) in nodes.iter().enumerate() {
            name(&entry.key, node, format!("{pointer}/{index}"), findings);
        }
        let list: Vec<Value> = nodes.iter().map(Node::value).collect();
        normal.insert(entry.key.clone(), list.into());
    }
    if normal.get("read").is_none_or(|read| *read == json!([])) {
        findings.add(&PERMISSIONS_EMPTY, at, POINTER, "`read` names nobody".into());
    }
    if !normal.contains_key("write") {
        findings.add(&PERMISSIONS_LACK, at, POINTER, "`write` is not there".into());
    }
    normal.into()
}

fn name(key: &str, node: &Node, pointer: String, findings: &mut Findings<'_>) {
    match node.text() {
        Some(text) if is_anybody(text) => {
            if key != "read" {
                let message = format!("`{text}` may {key}");
                findings.add(&PERMISSIONS_WILD, node.at, pointer, message);
            }
        }
        Some(text) if is_uri(text) => {}
        Some(text) => findings.add(&PERMISSIONS_NAME, node.at, pointer, format!("`{text}` is no URI")),
        None => {
            let message = format!("a name is {}, expected a text", kind(node));
            findings.add_of_profile(&FIELD_TYPE, node.at, pointer, message);
        }
    }
}

/// Whether a name stands for everybody.
pub(super) fn is_anybody(name: &str) -> bool {
    matches!(name, "*" | "public" | "all" | "anyone") || name.ends_with("://*")
}
