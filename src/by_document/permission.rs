//! What a document's permissions mean here.
//!
//! - A document without `permissions` forbids nothing.
//! - With them it is run only if `execute` names this program, and its History is written only if `write` does.
//! - This program is named by `agent://beluga`, `agent://beluga/*`, `agent://beluga/<this device's signer id>`,
//!   `agent://*` and `*`.
//! - `read` is not enforced here: who may read a record is who holds one of its keys.

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
    let names = permissions.get(asked.name()).and_then(Value::as_array);
    let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    let is_named = names.iter().any(|name| match *name {
        "*" | "agent://*" | "agent://beluga" | "agent://beluga/*" => true,
        name => name
            .strip_prefix("agent://beluga/")
            .is_some_and(|device| own_id().is_some_and(|own| own == device)),
    });
    let found = match names.is_empty() {
        true => "nobody".to_owned(),
        false => names.join(", "),
    };
    match is_named {
        true => Ok(()),
        false => Err(format!(
            "permissions.{} names {found}, expected agent://beluga or this device",
            asked.name()
        )),
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
