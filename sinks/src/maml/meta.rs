//! META: what a record says beside its frames, as small typed JSON.

use serde_json::{Map, Value};

use crate::error::Error;

/// Longest META, in bytes of JSON. Whoever has more to say writes several.
pub const MAX_META_BYTES: usize = 1 << 20;
/// Longest kind, in bytes.
const MAX_KIND: usize = 64;

/// Something that is no frame and is kept like one: encrypted, in the tree, under the signatures.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    kind: String,
    time_nanos: i64,
    value: Value,
}

impl Meta {
    /// What is said, of which kind, and of what time (nanoseconds since the Unix epoch, UTC).
    ///
    /// # Errors
    /// [`Error::Meta`] if the kind is not 1 to 64 of `a-z 0-9 . _ -`, or all of it is longer than
    /// [`MAX_META_BYTES`] as JSON.
    pub fn new(kind: &str, time_nanos: i64, value: Value) -> Result<Self, Error> {
        if !is_kind(kind) {
            return Err(Error::Meta {
                reason: format!("kind {kind:?}, expected 1 to {MAX_KIND} of a-z 0-9 . _ -"),
            });
        }
        let meta = Self {
            kind: kind.to_owned(),
            time_nanos,
            value,
        };
        let found = meta.to_payload().len();
        if found > MAX_META_BYTES {
            return Err(Error::Meta {
                reason: format!("`{kind}` has {found} bytes, expected at most {MAX_META_BYTES}"),
            });
        }
        Ok(meta)
    }

    /// Of which kind it is.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What time it speaks of, in nanoseconds since the Unix epoch, UTC.
    pub fn time_nanos(&self) -> i64 {
        self.time_nanos
    }

    /// What it says.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// One JSON object with the members `kind`, `time_nanos` and `value`; members in order of name.
    pub(crate) fn to_payload(&self) -> Vec<u8> {
        let mut object = Map::new();
        object.insert("kind".into(), self.kind.as_str().into());
        object.insert("time_nanos".into(), self.time_nanos.into());
        object.insert("value".into(), self.value.clone());
        Value::Object(object).to_string().into_bytes()
    }

    /// Nothing if the bytes are not what [`Self::to_payload`] makes.
    pub(crate) fn from_payload(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_META_BYTES {
            return None;
        }
        let Value::Object(mut object) = serde_json::from_slice(bytes).ok()? else {
            return None;
        };
        let meta = Self {
            value: object.remove("value")?,
            time_nanos: object.remove("time_nanos")?.as_i64()?,
            kind: object.remove("kind")?.as_str()?.to_owned(),
        };
        (object.is_empty() && is_kind(&meta.kind)).then_some(meta)
    }
}

fn is_kind(kind: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    (1..=MAX_KIND).contains(&kind.len()) && kind.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_meta_leads_back_and_every_cut_of_it_is_refused() {
        let value = json!({ "b": [1, 0.5, null], "a": "\u{1b}[31m" });
        let meta = Meta::new("audit.opened", -5, value).unwrap();
        let payload = meta.to_payload();
        assert!(payload.starts_with(br#"{"kind":"audit.opened","time_nanos":-5,"value":{"a":"#));
        assert_eq!(Meta::from_payload(&payload), Some(meta));
        for end in 0..payload.len() {
            assert_eq!(Meta::from_payload(&payload[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn what_is_no_meta_is_refused() {
        for payload in [
            r#"[]"#,
            r#"{"kind":"a","time_nanos":1}"#,
            r#"{"kind":"A","time_nanos":1,"value":0}"#,
            r#"{"kind":"","time_nanos":1,"value":0}"#,
            r#"{"kind":"a","time_nanos":1.5,"value":0}"#,
            r#"{"kind":"a","time_nanos":1,"value":0,"more":0}"#,
        ] {
            assert_eq!(Meta::from_payload(payload.as_bytes()), None, "{payload}");
        }
        for kind in ["", "Upper", "two words", &"a".repeat(65)] {
            assert!(
                matches!(Meta::new(kind, 0, json!(1)), Err(Error::Meta { .. })),
                "{kind}"
            );
        }
        let long = json!("a".repeat(MAX_META_BYTES));
        assert!(matches!(Meta::new("a", 0, long), Err(Error::Meta { .. })));
    }
}
