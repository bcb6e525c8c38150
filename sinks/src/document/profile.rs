//! The two ways of writing a document that are in use, field by field.

use super::yaml::Entry;

/// A way of writing documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `schema`, `context`, `encryption`, `oauth2`, then schemas and code.
    Compact,
    /// The language guide 1.0.0 with the fields of 2026: an id, an origin, permissions, and sections that
    /// say what for.
    Guide,
}

impl Profile {
    /// As the command line and reports name it.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Compact => "compact",
            Profile::Guide => "guide",
        }
    }

    /// What a front matter looks like: two of the guide's own fields make it that profile.
    pub(super) fn of(front: &[Entry]) -> Self {
        let own = FIELDS
            .iter()
            .filter(|field| field.required_by(Profile::Guide) && front.iter().any(|e| e.key == field.name));
        match own.count() {
            0 | 1 => Profile::Compact,
            _ => Profile::Guide,
        }
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Time,
    Flag,
    Number,
    Map,
    /// A map; a bare list stands for its `libs`.
    Requires,
    /// A map of who may do what.
    Permissions,
    /// A JSON Schema.
    Schema,
    Anything,
}

/// A field of the front matter.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    required_by: Option<Profile>,
}

impl Field {
    pub(super) fn named(name: &str) -> Option<&'static Field> {
        FIELDS.iter().find(|field| field.name == name)
    }

    pub(super) fn required_by(&self, profile: Profile) -> bool {
        self.required_by == Some(profile)
    }
}

const fn field(name: &'static str, holds: Holds, required_by: Option<Profile>) -> Field {
    Field {
        name,
        holds,
        required_by,
    }
}

/// All fields that are known.
pub(super) static FIELDS: &[Field] = &[
    field("maml_version", Holds::Text, Some(Profile::Guide)),
    field("id", Holds::Text, Some(Profile::Guide)),
    field("type", Holds::Text, Some(Profile::Guide)),
    field("origin", Holds::Text, Some(Profile::Guide)),
    field("permissions", Holds::Permissions, Some(Profile::Guide)),
    field("created_at", Holds::Time, Some(Profile::Guide)),
    field("requires", Holds::Requires, None),
    field("verification", Holds::Map, None),
    field("quantum_security_flag", Holds::Flag, None),
    field("timeout_seconds", Holds::Number, None),
    field("memory_hint", Holds::Anything, None),
    field("loop_compatible", Holds::Flag, None),
    field("schema", Holds::Text, Some(Profile::Compact)),
    field("context", Holds::Text, Some(Profile::Compact)),
    field("encryption", Holds::Text, None),
    field("oauth2", Holds::Text, None),
    field("title", Holds::Text, None),
    field("description", Holds::Text, None),
    field("author", Holds::Text, None),
    field("version", Holds::Text, None),
    field("security", Holds::Anything, None),
    field("signature", Holds::Anything, None),
    field("timestamp", Holds::Time, None),
    field("last_updated", Holds::Time, None),
    field("sync", Holds::Anything, None),
    field("parameters", Holds::Map, None),
    field("mu_validation_file", Holds::Text, None),
    field("dp_metadata", Holds::Anything, None),
    field("input_schema", Holds::Schema, None),
    field("output_schema", Holds::Schema, None),
];

/// Versions of the language that were seen.
pub(super) const VERSIONS: [&str; 5] = ["0.1.0", "1.0.0", "2.0", "2.0.0", "2.1"];
/// Names of the schema that were seen and mean this language.
pub(super) const SCHEMA_NAMES: [&str; 4] = ["maml-v1.0", "maml-1.0", "maml_v1", "dunes.maml.v1"];
/// Labels that name how something is encrypted.
pub(super) const SUITES: [&str; 6] = [
    "edge-256",
    "core-512",
    "aes-256-gcm",
    "aead_aes_siv_cmac_512",
    "aead_aes_256_gcm",
    "none",
];

/// Whether a label speaks of AES with a key that AES does not have.
pub(super) fn is_no_cipher(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    label.contains("aes")
        && label
            .split(|c: char| !c.is_ascii_digit())
            .any(|digits| matches!(digits, "512" | "1024" | "2048" | "4096"))
        && !SUITES.contains(&label.as_str())
}
