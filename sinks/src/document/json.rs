//! JSON in a block: no key twice, and where a part of it stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads one value. Gives what is wrong and the byte it is at.
pub(super) fn parse(text: &str) -> Result<Value, (String, usize)> {
    serde_json::from_str::<Unique>(text)
        .map(|unique| unique.0)
        .map_err(|error| {
            let line = text.split_inclusive('\n').take(error.line().saturating_sub(1));
            let at = line.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
            let said = error.to_string();
            let message = said
                .rsplit_once(" at line ")
                .map_or(said.as_str(), |(message, _)| message);
            (message.to_owned(), at.min(text.len()))
        })
}

/// Where the value a pointer (RFC 6901) leads to begins in `text`, which [`parse`] took; at its key, if it
/// has one.
pub(super) fn offset(text: &str, pointer: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut begins) = (0, 0);
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        match child(text, skip_blank(bytes, at), &name) {
            Some((key, value)) => (begins, at) = (key, value),
            None => break,
        }
    }
    skip_blank(bytes, begins)
}

/// Where a member's key, or an item, and its value begin.
fn child(text: &str, at: usize, name: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_map = *bytes.get(at)? == b'{';
    let (mut at, mut index) = (at + 1, 0_usize);
    loop {
        at = skip_blank(bytes, at);
        let key_at = at;
        if is_map {
            let after = skip_value(bytes, at);
            let key: String = serde_json::from_str(text.get(at..after)?).ok()?;
            at = skip_blank(bytes, skip_blank(bytes, after) + 1);
            if key == name {
                return Some((key_at, at));
            }
        } else if name == index.to_string() {
            return Some((key_at, at));
        }
        at = skip_blank(bytes, skip_value(bytes, at));
        match bytes.get(at)? {
            b',' => at += 1,
            _ => return None,
        }
        index += 1;
    }
}

fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The byte behind a value.
fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    let (mut depth, mut in_text) = (0_usize, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b',' | b'}' | b']' | b':' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
        if depth == 0 && !in_text && matches!(byte, b'"' | b'}' | b']') {
            return at;
        }
    }
    at.min(bytes.len())
}

/// A value in which no object has a key twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any).map(Unique)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::from)
            .ok_or_else(|| E::custom("expected a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = access.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Unique(value))) = access.next_entry::<String, _>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            map.insert(key, value);
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_its_key() {
        let text = " {\"a\": [1, {\"b/~\": \"x, ] \\\" }\", \"c\": {\"d\": true}}], \"e\": -2.5e3}";
        for (pointer, expected) in [
            ("", "{\"a\""),
            ("/a", "\"a\""),
            ("/a/0", "1,"),
            ("/a/1", "{\"b/~"),
            ("/a/1/b~1~0", "\"b/~"),
            ("/a/1/c/d", "\"d\""),
            ("/e", "\"e\""),
        ] {
            let at = offset(text, pointer);
            assert!(text[at..].starts_with(expected), "{pointer}: {}", &text[at..]);
        }
        // What is not there is sought no further than where it would be.
        assert!(text[offset(text, "/a/7/x")..].starts_with("\"a\""));
        assert_eq!(offset("", "/a"), 0);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_byte() {
        let (message, at) = parse("{\n  \"a\": 1,\n  \"a\": 2}").unwrap_err();
        assert!(message.contains("`a` stands twice"), "{message}");
        assert!(at > 12, "{at}");
        let (message, at) = parse("{\"a\": float}").unwrap_err();
        assert!(!message.contains("line"), "{message}");
        assert_eq!(at, 7, "the byte that does not fit: {message}");
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse("1e999").is_err());
    }
}
