//! MAML documents: read tolerantly, reported on strictly.
//!
//! A document is Markdown below a front matter in YAML. Two profiles of it are in use ([`Profile`]); both are
//! read, and what is written otherwise than it is meant is read as it is meant and reported. Nothing in a
//! document is executed or fetched. `DOCUMENT.md` has the profiles, the limits and every rule.
//!
//! [`read`] is the page: source, front matter, fields, body, sections, schemas.

mod body;
mod budget;
mod expansion;
mod fields;
mod finding;
mod findings;
mod front;
mod head;
mod history;
mod json;
mod permissions;
mod placed;
mod plain;
mod profile;
mod published;
mod rules;
mod schema;
mod sections;
mod source;
#[cfg(test)]
mod tests;
mod time;
mod violations;
mod yaml;

use std::ops::Range;

use serde_json::{Map, Value, json};

pub use finding::{Finding, Level, Rule};
pub use head::{head_of, is_head_of_record};
pub use history::Happened;
pub use profile::Profile;
pub use published::published_schema;
pub use rules::RULES;
pub use violations::{violations, violations_of_form};

use budget::Budget;
use findings::Findings;
use rules::{CONTROL, DISPLACED, NOT_UTF8, OVER_LIMIT, SCHEMA_PLACE};
use sections::Formed;
use source::Source;
use yaml::{Entry, Places};

/// Longest document, in bytes.
pub const MAX_DOCUMENT: usize = crate::maml::layout::MAX_HEAD;

/// A document as it is meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// How it is written.
    pub profile: Profile,
    /// The front matter: texts are texts, lists are lists.
    pub front_matter: Map<String, Value>,
    /// The first heading of level 1.
    pub title: Option<String>,
    /// In the order of the file.
    pub sections: Vec<Section>,
    /// All fenced blocks, in the order of the file.
    pub code_blocks: Vec<CodeBlock>,
    /// A JSON Schema that compiles.
    pub input_schema: Option<Value>,
    /// A JSON Schema that compiles.
    pub output_schema: Option<Value>,
    /// What was done to it.
    pub history: Vec<Happened>,
}

/// A heading of level 2 and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As the guide writes it, if it is one of the guide's.
    pub name: String,
    /// Markdown.
    pub text: String,
    /// Bytes of the file that `text` is made of.
    pub bytes: Range<usize>,
}

/// A fenced block. It is shown, never executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBlock {
    /// The words behind its backticks.
    pub info: String,
    /// The lines between.
    pub text: String,
    /// Bytes of the file that `text` is made of.
    pub bytes: Range<usize>,
    /// The section it stands in.
    pub section: Option<String>,
}

/// What came of reading a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Absent if it is malformed.
    pub document: Option<Document>,
    /// In the order of the file.
    pub findings: Vec<Finding>,
}

impl Reading {
    /// Whether there is a document, and no finding that is an error.
    pub fn is_valid(&self) -> bool {
        self.worst() < Some(Level::Error)
    }

    /// The heaviest finding.
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}

/// Reads a document.
///
/// With a profile asked for, what that profile wants and the document lacks is an error; else the document's
/// own profile is recognised, and what it lacks is a warning. The result depends on the bytes alone.
pub fn read(bytes: &[u8], asked: Option<Profile>) -> Reading {
    let text = match std::str::from_utf8(bytes) {
        _ if bytes.len() > MAX_DOCUMENT => {
            let message = format!("{} bytes, expected at most {MAX_DOCUMENT}", bytes.len());
            return refused("", &OVER_LIMIT, message);
        }
        Ok(text) => text,
        Err(error) => {
            let whole = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let message = format!("byte {:#04x} is no UTF-8", bytes[whole.len()]);
            return refused(whole, &NOT_UTF8, message);
        }
    };
    let source = Source::new(text);
    // Where nothing is to be said, no place is needed.
    let quick = read_source(&source, asked, Places::Unknown);
    match quick.findings.is_empty() {
        true => quick,
        false => read_source(&source, asked, Places::Known),
    }
}

fn read_source(source: &Source<'_>, asked: Option<Profile>, places: Places) -> Reading {
    let mut findings = Findings::new(source, asked);
    let document = front::read(&source.text, places)
        .map_err(|refused| findings.add(refused.rule, refused.at, "", refused.message))
        .ok()
        .map(|front| whole(source, front, asked, &mut findings));
    Reading {
        document,
        findings: findings.finish(),
    }
}

/// What is said at the end of what could be read.
fn refused(text: &str, rule: &'static Rule, message: String) -> Reading {
    let source = Source::new(text);
    let mut findings = Findings::new(&source, None);
    findings.add(rule, source.text.len(), "", message);
    Reading {
        document: None,
        findings: findings.finish(),
    }
}

fn whole(
    source: &Source<'_>,
    front: front::Front,
    asked: Option<Profile>,
    findings: &mut Findings<'_>,
) -> Document {
    if source.is_displaced() {
        findings.add(
            &DISPLACED,
            0,
            "",
            "the front matter begins elsewhere than at the first byte".into(),
        );
    }
    controls(&source.text, findings);
    let text = &*source.text;
    let profile = asked.unwrap_or_else(|| Profile::of(&front.entries));
    let front_matter = fields::check(&front.entries, profile, findings);
    let body = body::parse(text, front.ends);
    let is_api = front_matter.get("type").is_some_and(|kind| kind == "api");
    let named = sections::named(&body, profile, is_api, findings);
    let mut budget = Budget::default();
    let formed = sections::formed(text, &body, &named, &mut budget, findings);
    let section_at = |at: usize| {
        let before = named.partition_point(|section| section.part.body.start <= at);
        let section = named.get(before.checked_sub(1)?)?;
        section.part.body.contains(&at).then_some(section.name)
    };
    let place = |range: &Range<usize>| source.place(range.start).byte..source.place(range.end).byte;
    let Formed {
        input_schema,
        output_schema,
        history,
    } = formed;
    Document {
        input_schema: input_schema
            .or_else(|| schema_in_front("input_schema", &front.entries, &mut budget, findings)),
        output_schema: output_schema
            .or_else(|| schema_in_front("output_schema", &front.entries, &mut budget, findings)),
        history,
        profile,
        front_matter,
        sections: named
            .iter()
            .map(|section| Section {
                name: section.name.to_owned(),
                text: text[section.part.body.clone()].to_owned(),
                bytes: place(&section.part.body),
            })
            .collect(),
        code_blocks: body
            .fences
            .iter()
            .map(|fence| CodeBlock {
                info: fence.info.clone(),
                text: text[fence.inner.clone()].to_owned(),
                bytes: place(&fence.inner),
                section: section_at(fence.at).map(str::to_owned),
            })
            .collect(),
        title: body.title.clone(),
    }
}

fn controls(text: &str, findings: &mut Findings<'_>) {
    // Most documents are printable ASCII, which is seen by their bytes alone.
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        return;
    }
    let strange =
        |&(_, c): &(usize, char)| crate::maml::escape::is_unprintable(c) && !matches!(c, '\n' | '\r' | '\t');
    for (at, c) in text.char_indices().filter(strange) {
        findings.add(&CONTROL, at, "", format!("U+{:04X}", u32::from(c)));
    }
}

/// A schema among the fields.
fn schema_in_front(
    name: &str,
    front: &[Entry],
    budget: &mut Budget,
    findings: &mut Findings<'_>,
) -> Option<Value> {
    let entry = front.iter().find(|entry| entry.key == name)?;
    let pointer = format!("/{name}");
    let message = format!("`{name}` stands in the front matter");
    findings.add(&SCHEMA_PLACE, entry.key_at, pointer.as_str(), message);
    let place = |inner: &str| front::place(&entry.node, inner);
    sections::meant(&entry.node.value(), &pointer, place, budget, findings)
}

impl Document {
    /// The text of a section.
    pub fn section(&self, name: &str) -> Option<&str> {
        let found = self.sections.iter().find(|section| section.name == name)?;
        Some(&found.text)
    }

    /// The normal form: what [`published_schema`] describes.
    pub fn to_json(&self) -> Value {
        let mut form = json!({
            "profile": self.profile.name(),
            "front_matter": self.front_matter,
            "sections": self.sections.iter().map(|s| (s.name.clone(), s.text.trim().into())).collect::<Map<_, _>>(),
            "code_blocks": self.code_blocks.iter().map(|b| json!({ "info": b.info, "text": b.text })).collect::<Value>(),
            "history": self.history.iter().map(|h| json!({ "time": h.time, "event": h.event, "text": h.text })).collect::<Value>(),
        });
        let optional = [
            ("title", self.title.clone().map(Value::from)),
            ("input_schema", self.input_schema.clone()),
            ("output_schema", self.output_schema.clone()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                form[name] = value;
            }
        }
        form
    }
}
