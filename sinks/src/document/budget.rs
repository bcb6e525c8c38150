//! What the schemas of a document may cost together, counted before any of them is compiled or evaluated.
//!
//! A pattern compiles to many times its length, and a reference is expanded wherever it stands: of both, a
//! document of a megabyte can hold more than a machine has time or memory for.

use serde_json::Value;

use super::expansion::{Expansion, Seen};
use super::rules::OVER_LIMIT;
use super::schema::Change;

/// Most values in the schemas of a document, keys not counted.
const MAX_VALUES: usize = 10_000;
/// Most patterns in them.
const MAX_PATTERNS: usize = 64;
/// Longest that these are together, in bytes.
const MAX_PATTERN_BYTES: usize = 8 << 10;
/// What is left.
#[derive(Debug)]
pub(super) struct Budget {
    values: usize,
    patterns: usize,
    pattern_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            values: MAX_VALUES,
            patterns: MAX_PATTERNS,
            pattern_bytes: MAX_PATTERN_BYTES,
        }
    }
}

impl Budget {
    /// Whether so many values may be taken. Costs no memory.
    ///
    /// # Errors
    /// If there are more than are left.
    pub(super) fn has_room(&self, written: &Value) -> Result<(), Change> {
        fn taken(value: &Value, left: usize) -> Option<usize> {
            let left = left.checked_sub(1)?;
            match value {
                Value::Object(map) => map.values().try_fold(left, |left, inner| taken(inner, left)),
                Value::Array(list) => list.iter().try_fold(left, |left, inner| taken(inner, left)),
                _ => Some(left),
            }
        }
        taken(written, self.values)
            .map(drop)
            .ok_or_else(|| over(too_many()))
    }

    /// Takes what a schema costs.
    ///
    /// # Errors
    /// What there is too much of.
    pub(super) fn take(&mut self, schema: &Value) -> Result<(), Change> {
        let mut seen = Seen::default();
        self.count(schema, &mut seen).map_err(over)?;
        match seen.may_expand {
            true => Expansion::of(schema, seen).map_err(over),
            false => Ok(()),
        }
    }

    /// All values and patterns; notes what references may lead to.
    fn count<'v>(&mut self, value: &'v Value, seen: &mut Seen<'v>) -> Result<(), String> {
        self.values = self.values.checked_sub(1).ok_or_else(too_many)?;
        match value {
            Value::Object(map) => {
                seen.note(value, map);
                for (key, inner) in map {
                    match (key.as_str(), inner) {
                        ("pattern", Value::String(pattern)) => self.pattern(pattern)?,
                        ("patternProperties", Value::Object(patterns)) => {
                            patterns.keys().try_for_each(|pattern| self.pattern(pattern))?;
                        }
                        _ => {}
                    }
                    self.count(inner, seen)?;
                }
                Ok(())
            }
            Value::Array(list) => list.iter().try_for_each(|inner| self.count(inner, seen)),
            _ => Ok(()),
        }
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        let too_many = || format!("the schemas hold more than {MAX_PATTERNS} patterns");
        let too_long = || format!("the patterns of the schemas have more than {MAX_PATTERN_BYTES} bytes");
        self.patterns = self.patterns.checked_sub(1).ok_or_else(too_many)?;
        let left = self.pattern_bytes.checked_sub(pattern.len());
        self.pattern_bytes = left.ok_or_else(too_long)?;
        Ok(())
    }
}

fn too_many() -> String {
    format!("the schemas hold more than {MAX_VALUES} values")
}

fn over(message: String) -> Change {
    Change {
        rule: &OVER_LIMIT,
        pointer: String::new(),
        message,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Map, json};

    use super::*;

    /// Whether a schema is taken, or refused in these words.
    pub(in super::super) fn check(schema: &Value, expected: Option<&str>) {
        let taken = Budget::default().take(schema).map_err(|change| change.message);
        match (taken, expected) {
            (Ok(()), None) => {}
            (Err(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
            (taken, expected) => panic!("{taken:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn values_and_patterns_are_counted_over_all_schemas() {
        let names = |count: usize| -> Map<String, Value> {
            (0..count).map(|i| (format!("a{i}"), json!(true))).collect()
        };
        check(
            &json!({ "patternProperties": names(65) }),
            Some("more than 64 patterns"),
        );
        check(
            &json!({"pattern": "a".repeat(8193)}),
            Some("more than 8192 bytes"),
        );
        check(
            &json!({ "enum": vec![1; 10_000] }),
            Some("more than 10000 values"),
        );
        let fresh = Budget::default();
        assert!(fresh.has_room(&json!({ "enum": vec![1; 9_998] })).is_ok());
        assert!(fresh.has_room(&json!({ "enum": vec![1; 9_999] })).is_err());
        // What one schema leaves is what the next may take.
        for (schema, expected) in [
            (json!({ "patternProperties": names(40) }), "more than 64 patterns"),
            (json!({"pattern": "a".repeat(5000)}), "more than 8192 bytes"),
            (json!({ "enum": vec![1; 6000] }), "more than 10000 values"),
        ] {
            let mut budget = Budget::default();
            budget.take(&schema).unwrap();
            let refused = budget.take(&schema).unwrap_err();
            assert!(refused.message.contains(expected), "{}", refused.message);
        }
    }
}
