//! The front matter, field by field: what the profile wants, and each as it is meant.

use serde_json::{Map, Value, json};

use super::finding::step;
use super::findings::Findings;
use super::permissions;
use super::profile::{FIELDS, Field, Holds, Profile, SCHEMA_NAMES, SUITES, VERSIONS, is_no_cipher};
use super::rules::{
    CREATED_AT, ENCRYPTION, FIELD_MISSING, FIELD_TYPE, FIELD_UNKNOWN, ID, MIRROR, NO_SUCH_CIPHER, ORIGIN,
    PLACEHOLDER, SCHEMA_NAME, SIGNATURE_WORDS, VERSION,
};
use super::time;
use super::yaml::{Entry, Kind, Node};

/// The fields as they are meant: texts are texts, lists are lists.
pub(super) fn check(front: &[Entry], profile: Profile, findings: &mut Findings<'_>) -> Map<String, Value> {
    let mut normal = Map::new();
    let has_placeholders = front.iter().any(|entry| has_placeholder(&entry.node));
    for entry in front {
        let value = match Field::named(&entry.key) {
            Some(field) => one(field, entry, findings),
            None => {
                let (pointer, message) = (
                    pointer(entry),
                    format!("`{}` is a field of no profile", entry.key),
                );
                findings.add(&FIELD_UNKNOWN, entry.key_at, pointer, message);
                entry.node.value()
            }
        };
        if has_placeholders {
            placeholders(&entry.node, &pointer(entry), findings);
        }
        normal.insert(entry.key.clone(), value);
    }
    for field in FIELDS.iter().filter(|field| field.required_by(profile)) {
        if !normal.contains_key(field.name) {
            let message = format!("the {} profile wants `{}`", profile.name(), field.name);
            findings.add_of_profile(&FIELD_MISSING, 0, "/front_matter", message);
        }
    }
    normal
}

fn pointer(entry: &Entry) -> String {
    step("/front_matter", &entry.key)
}

fn one(field: &Field, entry: &Entry, findings: &mut Findings<'_>) -> Value {
    let (value, wanted) = match (field.holds, &entry.node.kind) {
        (Holds::Text | Holds::Time, Kind::Scalar(Value::String(text))) => {
            text_of(field, text, entry, findings);
            return text.as_str().into();
        }
        (Holds::Text | Holds::Time, Kind::Scalar(Value::Number(number))) => {
            (number.to_string().into(), "a text")
        }
        (Holds::Text | Holds::Time, Kind::Scalar(Value::Bool(flag))) => (flag.to_string().into(), "a text"),
        (Holds::Text | Holds::Time, _) => (entry.node.value(), "a text"),
        (Holds::Flag, Kind::Scalar(Value::Bool(_))) | (Holds::Number, Kind::Scalar(Value::Number(_))) => {
            return entry.node.value();
        }
        (Holds::Flag, _) => (entry.node.value(), "true or false"),
        (Holds::Number, _) => (entry.node.value(), "a number"),
        (Holds::Permissions, Kind::Map(entries)) => {
            return permissions::check(entries, entry.key_at, findings);
        }
        (Holds::Map | Holds::Requires, Kind::Map(entries)) => {
            signature_words(entry, entries, findings);
            return entry.node.value();
        }
        (Holds::Requires, Kind::List(_)) => (json!({ "libs": entry.node.value() }), "a map"),
        (Holds::Requires, Kind::Scalar(Value::Null)) => (json!({}), "a map"),
        (Holds::Map | Holds::Permissions | Holds::Requires, _) => (entry.node.value(), "a map"),
        (Holds::Schema | Holds::Anything, _) => {
            signature_words(entry, entry.node.entries(), findings);
            return entry.node.value();
        }
    };
    let message = format!("`{}` is {}, expected {wanted}", field.name, kind(&entry.node));
    findings.add_of_profile(&FIELD_TYPE, entry.node.at, pointer(entry), message);
    if let Value::String(text) = &value {
        text_of(field, text, entry, findings);
    }
    value
}

/// What a node is, in words.
pub(super) fn kind(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Scalar(Value::Null) => "empty",
        Kind::Scalar(Value::Bool(_)) => "true or false",
        Kind::Scalar(Value::Number(_)) => "a number",
        Kind::Scalar(_) => "a text",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
    }
}

fn text_of(field: &Field, text: &str, entry: &Entry, findings: &mut Findings<'_>) {
    let mut say = |rule, message| findings.add(rule, entry.node.at, pointer(entry), message);
    match field.name {
        "id" if !is_uuid_urn(text) => say(&ID, format!("`{text}` is no urn:uuid")),
        "origin" if !is_uri(text) => say(&ORIGIN, format!("`{text}` is no URI")),
        "maml_version" if !VERSIONS.contains(&text) => say(&VERSION, format!("version `{text}` is unknown")),
        "schema" if !SCHEMA_NAMES.contains(&text) => {
            say(&SCHEMA_NAME, format!("`{text}` is no schema known here"))
        }
        "mu_validation_file" => say(&MIRROR, format!("`{text}` is named as a receipt")),
        "encryption" if is_no_cipher(text) => {
            say(
                &NO_SUCH_CIPHER,
                format!("`{text}` is not an encryption algorithm"),
            );
        }
        "encryption" if !SUITES.contains(&text.to_ascii_lowercase().as_str()) => {
            say(&ENCRYPTION, format!("`{text}` names no suite"));
        }
        _ if field.holds == Holds::Time && time::nanos(text).is_none() => {
            say(
                &CREATED_AT,
                format!("`{text}` is no time of ISO 8601 with its zone"),
            );
        }
        _ => {}
    }
}

/// The name of a signature scheme where a signature could be thought to stand.
fn signature_words(entry: &Entry, inner: &[Entry], findings: &mut Findings<'_>) {
    let own = Some(&entry.node).filter(|_| matches!(entry.key.as_str(), "security" | "signature"));
    let inner = inner.iter().filter(|e| e.key == "signature").map(|e| &e.node);
    for (node, text) in own
        .into_iter()
        .chain(inner)
        .filter_map(|node| Some((node, node.text()?)))
    {
        let message = format!("`{text}` is a name");
        findings.add(&SIGNATURE_WORDS, node.at, pointer(entry), message);
    }
}

/// `[YOUR_…]` and `<YOUR_…>`, as templates have them.
fn placeholders(node: &Node, pointer: &str, findings: &mut Findings<'_>) {
    match &node.kind {
        Kind::Scalar(Value::String(text)) if is_placeholder(text) => {
            findings.add(
                &PLACEHOLDER,
                node.at,
                pointer,
                format!("`{text}` is a placeholder"),
            );
        }
        Kind::Scalar(_) => {}
        Kind::List(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                placeholders(node, &format!("{pointer}/{index}"), findings);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                placeholders(&entry.node, &step(pointer, &entry.key), findings);
            }
        }
    }
}

fn has_placeholder(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(Value::String(text)) => is_placeholder(text),
        Kind::Scalar(_) => false,
        Kind::List(nodes) => nodes.iter().any(has_placeholder),
        Kind::Map(entries) => entries.iter().any(|entry| has_placeholder(&entry.node)),
    }
}

fn is_placeholder(text: &str) -> bool {
    if !text.contains(['[', '<', '{']) {
        return false;
    }
    let upper = text.to_ascii_uppercase();
    upper.contains("[YOUR") || upper.contains("<YOUR") || upper.contains("{YOUR")
}

/// `urn:uuid:` and the form of RFC 9562.
fn is_uuid_urn(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else {
        return false;
    };
    let lengths = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = uuid.split('-').collect();
    groups.len() == lengths.len()
        && groups
            .iter()
            .zip(lengths)
            .all(|(group, length)| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A scheme, a colon, and something without blanks (RFC 3986, as far as it matters here).
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.trim_start_matches('/').is_empty()
        && !rest.contains(char::is_whitespace)
}
