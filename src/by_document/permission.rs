//! What a document's permissions mean here.
//!
//! - A document without `permissions` forbids nothing.
//! - With them it is run only if `execute` names this program, and its History is written only if `write` does.
//! - This program is named by `agent://beluga`, `agent://beluga/*`, `agent://beluga/<this device's signer id>`,
//!   `agent://*` and `*`.
//! - The record that a run makes opens for nobody whom `read` does not name: this program by any of these
//!   names (then whoever has a key the run is given), or keys as records name them: `xwing:<id>`,
//!   `keyfile:<id>`, `argon2id`.

use serde_json::Value;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Execute,
    Write,
}

impl Asked {
    fn name(self) -> &'static str {
        match self {
            Asked::Execute => "execute",
            Asked::Write => "write",
        }
    }
}

/// Whether it is permitted; else what to say. `own_id` gives this device's signer id and is asked only if a
/// device is named.
pub(crate) fn permitted(
    permissions: Option<&Value>,
    asked: Asked,
    own_id: impl Fn() -> Option<String>,
) -> Result<(), String> {
    let Some(permissions) = permissions else {
        return Ok(());
    };
    let names = names_in(permissions, asked.name());
    match is_named(&names, own_id) {
        true => Ok(()),
        false => Err(format!(
            "permissions.{} names {}, expected agent://beluga or this device",
            asked.name(),
            in_words(&names)
        )),
    }
}

/// Whether a record may be made that opens for these readers, as [`Readers::names`](beluga_sinks::maml::Readers::names)
/// names them; else what to say.
pub(crate) fn may_read(
    permissions: Option<&Value>,
    readers: &[String],
    own_id: impl Fn() -> Option<String>,
) -> Result<(), String> {
    let Some(permissions) = permissions else {
        return Ok(());
    };
    let names = names_in(permissions, "read");
    if is_named(&names, own_id) {
        return Ok(());
    }
    // A passphrase is named with its cost in a record, which a document need not know.
    let is_there = |reader: &String| {
        let mut names = names.iter();
        names.any(|name| name == reader || (reader == "argon2id" && name.starts_with("argon2id:")))
    };
    match readers.iter().find(|reader| !is_there(reader)) {
        None => Ok(()),
        Some(other) => Err(format!(
            "permissions.read names {}, and the record would open for {other}",
            in_words(&names)
        )),
    }
}

fn names_in<'a>(permissions: &'a Value, what: &str) -> Vec<&'a str> {
    let names = permissions.get(what).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether this program is among the names.
fn is_named(names: &[&str], own_id: impl Fn() -> Option<String>) -> bool {
    names.iter().any(|name| match *name {
        "*" | "agent://*" | "agent://beluga" | "agent://beluga/*" => true,
        name => name
            .strip_prefix("agent://beluga/")
            .is_some_and(|device| own_id().is_some_and(|own| own == device)),
    })
}

fn in_words(names: &[&str]) -> String {
    match names.is_empty() {
        true => "nobody".to_owned(),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_permitted_is_permitted() {
        let own = || Some("00ff".to_owned());
        let check = |names: Value, expected: bool| {
            let permissions = json!({ "execute": names, "write": ["agent://beluga"] });
            let said = permitted(Some(&permissions), Asked::Execute, own);
            assert_eq!(said.is_ok(), expected, "{permissions}: {said:?}");
            assert!(permitted(Some(&permissions), Asked::Write, own).is_ok());
        };
        for name in [
            "*",
            "agent://*",
            "agent://beluga",
            "agent://beluga/*",
            "agent://beluga/00ff",
        ] {
            check(json!(["gateway://other", name]), true);
        }
        for names in [
            json!([]),
            json!(["gateway://*"]),
            json!(["agent://beluga/00fe"]),
            json!(["agent://belugas"]),
            json!(["agent://beluga/"]),
            json!("agent://beluga"),
            Value::Null,
        ] {
            check(names, false);
        }
        let readers = ["xwing:0a".to_owned(), "argon2id".to_owned()];
        let read = |names: Value| may_read(Some(&json!({ "read": names })), &readers, own);
        for names in [
            json!(["agent://beluga"]),
            json!(["agent://beluga/00ff"]),
            json!(["xwing:0a", "argon2id:m=65536,t=3,p=1"]),
            json!(["argon2id", "xwing:0a", "keyfile:0b"]),
        ] {
            assert_eq!(read(names), Ok(()));
        }
        let only = read(json!(["argon2id"])).unwrap_err();
        assert!(only.ends_with("would open for xwing:0a"), "{only}");
        assert!(read(json!(["xwing:0a", "agent://crew"])).is_err());
        assert!(read(json!([])).unwrap_err().contains("read names nobody"));
        assert_eq!(may_read(None, &readers, own), Ok(()));
        assert_eq!(permitted(None, Asked::Execute, own), Ok(()));
        assert!(
            permitted(Some(&json!({})), Asked::Write, own)
                .unwrap_err()
                .contains("names nobody")
        );
        let unnamed = json!({ "execute": ["agent://beluga/00ff"] });
        assert!(permitted(Some(&unnamed), Asked::Execute, || None).is_err());
    }
}
