//! How many schemas a value is held against once references are replaced by what they lead to.
//!
//! A dozen references to references make millions; so it is measured, each schema once, before it is done.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Most schemas that one value may be held against, each reference replaced by what it leads to.
const MAX_STEPS: u64 = 20_000;
/// Longest chain of schemas inside schemas and references, in schemas.
const MAX_CHAIN: usize = 200;
/// Most bases of references (`$id`) in one schema.
const MAX_BASES: usize = 16;
/// How deep the values are that a schema is held against here: a recording, its streams, their properties,
/// and one more.
const DEPTH: usize = 4;

/// What references of a schema may lead to.
#[derive(Default)]
pub(super) struct Seen<'v> {
    pub(super) may_expand: bool,
    /// Schemas that a pointer may begin at, besides the whole.
    bases: Vec<&'v Value>,
    anchors: BTreeMap<&'v str, Vec<&'v Value>>,
}

impl<'v> Seen<'v> {
    pub(super) fn note(&mut self, schema: &'v Value, map: &'v Map<String, Value>) {
        for (key, value) in map {
            match (key.as_str(), value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", _) => self.may_expand = true,
                ("unevaluatedProperties" | "unevaluatedItems", _) => self.may_expand = true,
                ("$id" | "id", Value::String(name)) => {
                    self.bases.push(schema);
                    self.anchors
                        .entry(name.trim_start_matches('#'))
                        .or_default()
                        .push(schema);
                }
                ("$anchor" | "$dynamicAnchor", Value::String(name)) => {
                    self.anchors.entry(name).or_default().push(schema);
                }
                _ => {}
            }
        }
    }
}

/// What a schema comes to where it is held against a value of some depth.
#[derive(Clone, Copy)]
struct Cost {
    /// Schemas, with repetition.
    steps: u64,
    /// The longest chain of them.
    chain: usize,
}

/// A schema with its references replaced, measured without being built.
pub(super) struct Expansion<'v> {
    whole: &'v Value,
    seen: Seen<'v>,
    /// By the schema's address and the depth that is left; nothing for one that is still being measured.
    known: BTreeMap<(usize, usize), Option<Cost>>,
}

impl<'v> Expansion<'v> {
    pub(super) fn of(whole: &'v Value, seen: Seen<'v>) -> Result<(), String> {
        if seen.bases.len() > MAX_BASES {
            return Err(format!(
                "a schema with references holds more than {MAX_BASES} ids"
            ));
        }
        let mut expansion = Self {
            whole,
            seen,
            known: BTreeMap::new(),
        };
        let cost = expansion.cost(whole, DEPTH, 0)?;
        match cost.steps > MAX_STEPS {
            true => Err(format!(
                "with its references replaced the schema holds a value against more than {MAX_STEPS} schemas"
            )),
            false => Ok(()),
        }
    }

    fn cost(&mut self, schema: &'v Value, depth: usize, chain: usize) -> Result<Cost, String> {
        let Value::Object(map) = schema else {
            return Ok(Cost { steps: 1, chain: 1 });
        };
        let too_long = || format!("references and schemas stand in each other more than {MAX_CHAIN} deep");
        let at = (std::ptr::from_ref(schema).addr(), depth);
        let cost = match self.known.get(&at) {
            Some(Some(cost)) => *cost,
            Some(None) => return Err("a reference leads back to itself".into()),
            None if chain >= MAX_CHAIN => return Err(too_long()),
            None => {
                self.known.insert(at, None);
                let cost = self.inside(map, depth, chain + 1)?;
                self.known.insert(at, Some(cost));
                cost
            }
        };
        match chain + cost.chain > MAX_CHAIN {
            true => Err(too_long()),
            false => Ok(cost),
        }
    }

    fn inside(&mut self, map: &'v Map<String, Value>, depth: usize, chain: usize) -> Result<Cost, String> {
        let (mut steps, mut longest, mut times) = (0_u64, 0, 1);
        for (key, value) in map {
            let (parts, depth): (Vec<_>, _) = match key.as_str() {
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" => (one_or_all(value), depth),
                "dependentSchemas" | "dependencies" => (named(value), depth),
                "$ref" | "$dynamicRef" | "$recursiveRef" => (self.targets(value), depth),
                "properties" | "patternProperties" => (named(value), depth - 1),
                "prefixItems"
                | "items"
                | "additionalItems"
                | "contains"
                | "additionalProperties"
                | "propertyNames" => (one_or_all(value), depth - 1),
                // What was evaluated is found out by evaluating it once more.
                "unevaluatedProperties" | "unevaluatedItems" => {
                    times = 3;
                    (one_or_all(value), depth - 1)
                }
                _ => continue,
            };
            if depth == 0 {
                continue;
            }
            for part in parts {
                let cost = self.cost(part, depth, chain)?;
                steps = steps.saturating_add(cost.steps);
                longest = longest.max(cost.chain);
            }
        }
        Ok(Cost {
            steps: steps.saturating_mul(times).saturating_add(1),
            chain: longest + 1,
        })
    }

    /// Whatever a reference may lead to. What it leads to is for the compiler to say.
    fn targets(&self, reference: &Value) -> Vec<&'v Value> {
        let Some(name) = reference.as_str().map(|text| text.trim_start_matches('#')) else {
            return Vec::new();
        };
        let name = decoded(name);
        let bases = std::iter::once(&self.whole).chain(&self.seen.bases);
        let by_pointer = bases.filter_map(|base| base.pointer(&name));
        let by_anchor = self.seen.anchors.get(name.as_str()).into_iter().flatten();
        by_pointer.chain(by_anchor.copied()).collect()
    }
}

/// The schema under a keyword, or each of a list.
fn one_or_all(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    }
}

/// The schemas that stand under names.
fn named(value: &Value) -> Vec<&Value> {
    value
        .as_object()
        .map(|map| map.values().collect())
        .unwrap_or_default()
}

/// A URI's fragment without its percent signs (RFC 3986, section 2.1).
fn decoded(fragment: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), fragment.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, behind) = match (first, byte) {
            (b'%', Some(byte)) => (byte, &after[2..]),
            _ => (first, after),
        };
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::budget::tests::check;
    use super::*;

    /// `$defs` a0, a1, ... of which each is `link` of references to the next.
    fn chained(length: usize, link: impl Fn(Value) -> Value) -> Value {
        let mut defs: Map<String, Value> = (0..length)
            .map(|i| {
                (
                    format!("a{i}"),
                    link(json!({ "$ref": format!("#/$defs/a{}", i + 1) })),
                )
            })
            .collect();
        defs.insert(format!("a{length}"), json!(true));
        json!({ "$defs": defs, "$ref": "#/$defs/a0" })
    }

    #[test]
    fn schemas_that_people_write_fit() {
        check(&json!(true), None);
        check(
            &json!({"properties": {"a": {"pattern": "^a$"}, "$ref": {"type": "string"}}}),
            None,
        );
        check(&chained(20, |next| json!({"allOf": [next]})), None);
        check(
            &json!({"$ref": "#/$defs/tree", "$defs": {"tree": {"properties": {"left": {"$ref": "#/$defs/tree"}, "right": {"$ref": "#/$defs/tree"}}}}}),
            None,
        );
        check(
            &json!({"$ref": "#name", "$defs": {"a": {"$anchor": "name", "type": "object"}}}),
            None,
        );
        check(
            &json!({"unevaluatedProperties": false, "properties": {"a": true}}),
            None,
        );
        check(&json!({"$ref": "#/$defs/missing"}), None);
    }

    #[test]
    fn what_expands_is_refused_before_it_is_expanded() {
        let four = |next: Value| json!({"anyOf": [next, next, next, next]});
        check(&chained(7, four), Some("against more than 20000 schemas"));
        check(&chained(24, four), Some("against more than 20000 schemas"));
        check(
            &chained(1000, |next| json!({"allOf": [next]})),
            Some("more than 200 deep"),
        );
        check(&json!({"$ref": "#"}), Some("leads back to itself"));
        check(
            &json!({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"oneOf": [{"$ref": "#/$defs/a"}]}}}),
            Some("leads back to itself"),
        );
        // The same by a pointer written otherwise, by an anchor, and within a schema with an id of its own.
        let percent = chained(24, four).to_string().replace("#/$defs", "#/%24defs");
        check(
            &serde_json::from_str(&percent).unwrap(),
            Some("against more than"),
        );
        let ids = json!({ "enum": vec![json!({"id": "a"}); 17] });
        check(&ids, None);
        check(
            &json!({"allOf": [ids, {"$ref": "#/$defs/a"}]}),
            Some("more than 16 ids"),
        );
        check(
            &json!({"$ref": "#a", "$defs": {"x": {"$anchor": "a", "allOf": [{"$dynamicRef": "#a"}]}}}),
            Some("leads back to itself"),
        );
        let mut inner = chained(24, four);
        inner["$id"] = "https://example.org/inner".into();
        check(
            &json!({"properties": {"lidar": inner}}),
            Some("against more than"),
        );
        let each = |depth: usize| {
            (0..depth).fold(
                json!(true),
                |inner, _| json!({"unevaluatedProperties": false, "allOf": [inner]}),
            )
        };
        check(&each(4), None);
        check(&each(12), Some("against more than"));
    }
}
