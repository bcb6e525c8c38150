//! The sections: which there are, and what stands in those that have a form.

use std::ops::Range;

use serde_json::Value;

use super::body::{Body, Part};
use super::budget::Budget;
use super::finding::step;
use super::findings::Findings;
use super::history::{self, Happened};
use super::json;
use super::plain::is_plain;
use super::profile::Profile;
use super::rules::{
    FENCE_OPEN, NO_SCHEMA, NO_SECTIONS, NOT_JSON, SCHEMA_PLACE, SCHEMA_TWICE, SECTION_MISSING, SECTION_NAME,
    SECTION_TWICE, STANZAS,
};
use super::schema;
use crate::maml::stanza;

/// Sections with a meaning.
pub(super) const KNOWN: [&str; 8] = [
    "Intent",
    "Context",
    "Content",
    "Code_Blocks",
    "Input_Schema",
    "Output_Schema",
    "History",
    "Verification",
];

/// A section by its meaning.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named<'a> {
    /// As the guide writes it; a section of no known meaning as it is written.
    pub(super) name: &'a str,
    pub(super) part: &'a Part,
}

/// What sections with a form hold.
#[derive(Debug, Default)]
pub(super) struct Formed {
    pub(super) input_schema: Option<Value>,
    pub(super) output_schema: Option<Value>,
    pub(super) history: Vec<Happened>,
}

/// Names the sections.
pub(super) fn named<'a>(
    body: &'a Body,
    profile: Profile,
    is_api: bool,
    findings: &mut Findings<'_>,
) -> Vec<Named<'a>> {
    let mut all: Vec<Named<'a>> = Vec::new();
    let mut seen = [false; KNOWN.len()];
    for part in &body.parts {
        let known = KNOWN
            .into_iter()
            .position(|known| same_name(known, &part.heading));
        let name = known.map_or(part.heading.as_str(), |known| KNOWN[known]);
        let pointer = step("/sections", name);
        if known.is_some_and(|known| std::mem::replace(&mut seen[known], true)) {
            findings.add(&SECTION_TWICE, part.at, pointer, format!("`{name}` stands twice"));
            continue;
        }
        if name != part.heading {
            let message = format!("`{}` is read as `{name}`", part.heading);
            findings.add(&SECTION_NAME, part.at, pointer, message);
        }
        all.push(Named { name, part });
    }
    if all.is_empty() {
        findings.add(&NO_SECTIONS, 0, "/sections", "no heading of level 2".into());
    }
    let wanted: &[&str] = match (profile, is_api) {
        (Profile::Compact, _) => &[],
        (Profile::Guide, false) => &["Intent", "Context"],
        (Profile::Guide, true) => &["Intent", "Context", "Input_Schema"],
    };
    for name in wanted {
        if !all.iter().any(|section| section.name == *name) {
            let message = format!("the {} profile wants `## {name}`", profile.name());
            findings.add_of_profile(&SECTION_MISSING, 0, "/sections", message);
        }
    }
    all
}

/// `Code Blocks`, `code-blocks` and `Code_Blocks` are the same.
fn same_name(known: &str, heading: &str) -> bool {
    fn kept(text: &str) -> impl Iterator<Item = char> {
        let is_kept = |c: &char| !matches!(c, ' ' | '_' | '-' | ':');
        text.chars().filter(is_kept).map(|c| c.to_ascii_lowercase())
    }
    kept(known).eq(kept(heading))
}

/// Reads what has a form.
pub(super) fn formed(
    text: &str,
    body: &Body,
    sections: &[Named<'_>],
    budget: &mut Budget,
    findings: &mut Findings<'_>,
) -> Formed {
    for fence in &body.fences {
        if !fence.is_closed {
            let message = format!("the block ```{} is not closed", fence.info);
            findings.add(&FENCE_OPEN, fence.at, "", message);
        } else if matches!(fence.info.as_str(), "maml-signers" | "maml-recipients")
            && let Err(reason) = stanza::parse(&text[fence.inner.clone()])
        {
            findings.add(&STANZAS, fence.at, "", format!("{}: {reason}", fence.info));
        }
    }
    let mut formed = Formed::default();
    for section in sections {
        let part = &section.part.body;
        match section.name {
            "Input_Schema" => formed.input_schema = schema_in(text, body, section, budget, findings),
            "Output_Schema" => formed.output_schema = schema_in(text, body, section, budget, findings),
            "History" => formed.history = history::check(&text[part.clone()], part.start, findings),
            _ => {}
        }
    }
    formed
}

fn schema_in(
    text: &str,
    body: &Body,
    section: &Named<'_>,
    budget: &mut Budget,
    findings: &mut Findings<'_>,
) -> Option<Value> {
    let part = section.part.body.clone();
    let pointer = format!("/{}", section.name.to_lowercase());
    let mut blocks = body
        .fences
        .iter()
        .filter(|fence| part.contains(&fence.at) && is_json(&fence.info) && fence.is_closed);
    let block = blocks.next();
    for other in blocks {
        let message = format!(
            "`{}` holds another block of JSON, which is not read",
            section.name
        );
        findings.add(&SCHEMA_TWICE, other.at, pointer.as_str(), message);
    }
    let range: Range<usize> = match block {
        Some(fence) => fence.inner.clone(),
        None if text[part.clone()].trim_start().starts_with('{') => {
            let message = "JSON without a block".to_owned();
            findings.add(&SCHEMA_PLACE, section.part.at, pointer.as_str(), message);
            part
        }
        None => {
            let message = format!("`{}` holds no JSON", section.name);
            findings.add(&NO_SCHEMA, section.part.at, pointer, message);
            return None;
        }
    };
    let json_text = &text[range.clone()];
    match json::parse(json_text) {
        Ok(written) => {
            let place = |inner: &str| range.start + json::offset(json_text, inner);
            meant(&written, &pointer, place, budget, findings)
        }
        Err((message, at)) => {
            findings.add(&NOT_JSON, range.start + at, pointer, message);
            None
        }
    }
}

fn is_json(info: &str) -> bool {
    let word = info.split([' ', ',', '{']).next().unwrap_or_default();
    matches!(
        word.to_ascii_lowercase().as_str(),
        "json" | "json-schema" | "jsonschema" | ""
    )
}

/// The schema that is meant by what is written, if it is one.
pub(super) fn meant(
    written: &Value,
    pointer: &str,
    place: impl Fn(&str) -> usize,
    budget: &mut Budget,
    findings: &mut Findings<'_>,
) -> Option<Value> {
    if let Err(change) = budget.has_room(written) {
        findings.add(change.rule, place(""), pointer, change.message);
        return None;
    }
    let (meant, changes) = schema::normal(written);
    let is_bare = changes.iter().any(|change| change.pointer.is_empty());
    for change in changes {
        // To seek a place is to read the schema up to there.
        let at = match findings.only_counts(change.rule) {
            true => 0,
            false => place(&change.pointer),
        };
        findings.add(
            change.rule,
            at,
            format!("{pointer}{}", change.pointer),
            change.message,
        );
    }
    let compiled = budget.take(&meant).and_then(|()| match is_plain(&meant) {
        true => Ok(()),
        false => schema::compile(&meant).map(drop),
    });
    match compiled {
        Ok(()) => Some(meant),
        Err(change) => {
            let inner = match is_bare {
                true => change.pointer.strip_prefix("/properties").unwrap_or_default(),
                false => &change.pointer,
            };
            findings.add(
                change.rule,
                place(inner),
                format!("{pointer}{inner}"),
                change.message,
            );
            None
        }
    }
}
