//! The readable half of a record: a Markdown document with YAML front matter.
//!
//! Front matter and sections satisfy both profiles of MAML found in use, the compact one and that of
//! the language guide.

use std::ops::Range;

use beluga_types::Stamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::escape::{device_name, plain, prose, quoted, without_controls};
use super::fence;
use super::hex::hex;
use super::layout::{MARKER, MAX_HEAD, Suite};
use super::stanza::{self, Stanza};
use crate::error::Error;

/// What a record's document says, in the caller's words.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentFields {
    /// Which device records, as it appears in `agent://beluga/<device>`.
    pub device: String,
    /// When the record begins, in nanoseconds since the Unix epoch, UTC.
    pub created_nanos: i64,
    /// One line.
    pub title: String,
    /// What the record is for.
    pub intent: String,
    /// Where it comes from: site, recording, vessel.
    pub context: String,
    /// The configuration really used, as TOML.
    pub config_toml: String,
    /// JSON Schema (2020-12) of what was fused.
    pub input_schema: Value,
    /// JSON Schema (2020-12) of what the record holds.
    pub output_schema: Value,
    /// Further lines of the History section, without their dates.
    pub history: Vec<String>,
}

impl Default for DocumentFields {
    fn default() -> Self {
        Self {
            device: "unnamed".into(),
            created_nanos: 0,
            title: "SOLIDAR frames".into(),
            intent: "Keep every fused frame of this run, encrypted and signed, so that it can be checked."
                .into(),
            context: "One cloud above and below the waterline, from LIDAR and SONAR.".into(),
            config_toml: String::new(),
            input_schema: json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": { "recording": { "type": "string" } },
                "required": ["recording"]
            }),
            output_schema: json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": "SolidarFrame",
                "description": "Three Arrow IPC streams per frame; units and spaces stand in their metadata",
                "type": "object",
                "properties": {
                    "frame": { "type": "array", "minItems": 1, "maxItems": 1, "items": { "type": "object" } },
                    "points": { "type": "array", "items": { "type": "object" } },
                    "arcs": { "type": "array", "items": { "type": "object" } }
                },
                "required": ["frame", "points", "arcs"]
            }),
            history: Vec::new(),
        }
    }
}

/// What the writer adds to the caller's words.
pub(crate) struct Made<'a> {
    pub(crate) file_id: &'a [u8; 16],
    pub(crate) suite: Suite,
    pub(crate) signer: String,
    pub(crate) readers: Vec<String>,
    pub(crate) previous: Option<String>,
    pub(crate) signers: &'a [Stanza],
    pub(crate) recipients: &'a [Stanza],
}

/// The whole HEAD, marker line included.
///
/// # Errors
/// [`Error::Document`] if it exceeds 1 MiB.
pub(crate) fn write(fields: &DocumentFields, made: &Made<'_>) -> Result<String, Error> {
    let mut text = front_matter(fields, made);
    text.push_str(&format!("\n# {}\n", plain(&fields.title)));
    section(&mut text, "Intent", &prose(&fields.intent));
    let mut context = prose(&fields.context);
    if let Some(previous) = &made.previous {
        context.push_str(&format!("\nContinues {previous}.\n"));
    }
    section(&mut text, "Context", &context);
    section(&mut text, "Input_Schema", &schema(&fields.input_schema));
    let mut code = String::new();
    fence::write(&mut code, "toml beluga", &without_controls(&fields.config_toml));
    section(&mut text, "Code_Blocks", &code);
    section(&mut text, "Output_Schema", &schema(&fields.output_schema));
    section(
        &mut text,
        "Content",
        "Frames follow this document as encrypted binary records.\n",
    );
    section(&mut text, "History", &history(fields));
    let mut fences = "Who signs, and who may read.\n\n".to_owned();
    fence::write(&mut fences, "maml-signers", &stanza::join(made.signers));
    fences.push('\n');
    fence::write(&mut fences, "maml-recipients", &stanza::join(made.recipients));
    section(&mut text, "Verification", &fences);
    text.push('\n');
    text.push_str(MARKER);
    // Prose is escaped and JSON keeps strings on one line, so this can only stand in the TOML.
    if text.split_inclusive('\n').filter(|&line| line == MARKER).count() != 1 {
        return Err(Error::Document {
            reason: "the configuration holds the line that ends a document".into(),
        });
    }
    if text.len() > MAX_HEAD {
        return Err(Error::Document {
            reason: format!("{} bytes, expected at most {MAX_HEAD}", text.len()),
        });
    }
    Ok(text)
}

/// What signatures cover: SHA-256 of the document without its `maml-recipients` fence, so that
/// readers can be added without touching a record.
pub(crate) fn hash(text: &str, recipients: &Range<usize>) -> [u8; 32] {
    Sha256::new_with_prefix(&text[..recipients.start])
        .chain_update(&text[recipients.end..])
        .finalize()
        .into()
}

fn front_matter(fields: &DocumentFields, made: &Made<'_>) -> String {
    let origin = format!("agent://beluga/{}", device_name(&fields.device));
    let list = |items: &[String]| {
        items
            .iter()
            .map(|item| quoted(item))
            .collect::<Vec<_>>()
            .join(", ")
    };
    [
        "---".to_owned(),
        "maml_version: \"1.0.0\"".into(),
        format!("id: {}", quoted(&urn(made.file_id))),
        "type: \"dataset\"".into(),
        format!("origin: {}", quoted(&origin)),
        format!(
            "created_at: {}",
            quoted(&Stamp::from_nanos(fields.created_nanos).iso_8601())
        ),
        "permissions:".into(),
        format!("  read: [{}]", list(&made.readers)),
        format!("  write: [{}]", quoted(&origin)),
        "  execute: []".into(),
        "requires: {}".into(),
        "verification:".into(),
        "  method: \"ml-dsa\"".into(),
        format!("  key_id: {}", quoted(&made.signer)),
        "schema: \"maml-v1.0\"".into(),
        format!("context: {}", quoted(&fields.title)),
        format!("encryption: {}", quoted(made.suite.name())),
        "---\n".into(),
    ]
    .join("\n")
}

fn section(text: &mut String, name: &str, body: &str) {
    text.push_str(&format!("\n## {name}\n\n{body}"));
    if !body.ends_with('\n') {
        text.push('\n');
    }
}

fn schema(value: &Value) -> String {
    let mut text = String::new();
    fence::write(&mut text, "json", &format!("{value:#}"));
    text
}

fn history(fields: &DocumentFields) -> String {
    let time = Stamp::from_nanos(fields.created_nanos).iso_8601();
    let mut text = format!("- {time}: [CREATE] recording begun\n");
    for line in &fields.history {
        text.push_str(&format!("- {time}: [EXECUTE] {}\n", plain(line)));
    }
    text
}

/// `urn:uuid:` of a file.
pub(crate) fn urn(file_id: &[u8; 16]) -> String {
    let hex = hex(file_id);
    format!(
        "urn:uuid:{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::fence::{fences, only};
    use super::*;

    fn written(fields: &DocumentFields) -> String {
        let made = Made {
            file_id: &[0xab; 16],
            suite: Suite::Edge256,
            signer: "00ff".into(),
            readers: vec!["xwing:1".into()],
            previous: None,
            signers: &[Stanza::new(&["device"], vec![1])],
            recipients: &[Stanza::new(&["keyfile"], vec![2])],
        };
        write(fields, &made).unwrap()
    }

    #[test]
    fn both_profiles_are_satisfied() {
        let text = written(&DocumentFields::default());
        let yaml = text
            .strip_prefix("---\n")
            .unwrap()
            .split_once("\n---\n")
            .unwrap()
            .0;
        let fields: BTreeMap<String, Value> = serde_saphyr::from_str(yaml).unwrap();
        let required = [
            "maml_version",
            "id",
            "type",
            "origin",
            "created_at",
            "permissions",
            "requires",
            "verification",
            "schema",
            "context",
            "encryption",
        ];
        for field in required {
            assert!(fields.contains_key(field), "{field}");
        }
        assert_eq!(fields["id"], "urn:uuid:abababab-abab-abab-abab-abababababab");
        assert_eq!(fields["encryption"], "edge-256");
        assert_eq!(fields["permissions"]["execute"], json!([]));
        for name in [
            "Intent",
            "Context",
            "Input_Schema",
            "Code_Blocks",
            "Output_Schema",
            "History",
        ] {
            assert_eq!(text.matches(&format!("\n## {name}\n")).count(), 1, "{name}");
        }
        for fence in fences(&text).iter().filter(|fence| fence.info == "json") {
            let schema: Value = serde_json::from_str(&text[fence.inner.clone()]).unwrap();
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        }
    }

    #[test]
    fn hostile_words_stay_words() {
        let hostile = "```maml-signers\n-> device\n```\n## Intent\n---\n<script>\u{1b}[31m\"\n<!-- maml-records v1: binary follows -->";
        let text = written(&DocumentFields {
            device: hostile.into(),
            title: hostile.into(),
            intent: hostile.into(),
            context: hostile.into(),
            config_toml: format!("a = '''\n{hostile}'''"),
            history: vec![hostile.into()],
            ..DocumentFields::default()
        });
        assert!(!text.contains('\u{1b}'));
        let fences = fences(&text);
        assert_eq!(
            &text[only(&fences, "maml-signers").unwrap().inner],
            "-> device\nAQ\n"
        );
        only(&fences, "toml beluga").unwrap();
        let yaml = text
            .strip_prefix("---\n")
            .unwrap()
            .split_once("\n---\n")
            .unwrap()
            .0;
        let fields: BTreeMap<String, Value> = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(fields["schema"], "maml-v1.0");
        assert_eq!(text.matches("\n&lt;script>").count(), 2, "escaped in prose");
        assert_eq!(
            text.matches("\n<script>").count(),
            1,
            "as it is in the fence of the configuration"
        );
    }

    #[test]
    fn a_document_beyond_its_limit_is_refused() {
        let fields = DocumentFields {
            context: "a".repeat(MAX_HEAD),
            ..DocumentFields::default()
        };
        let made = Made {
            file_id: &[0; 16],
            suite: Suite::Edge256,
            signer: String::new(),
            readers: vec![],
            previous: None,
            signers: &[],
            recipients: &[],
        };
        assert!(matches!(write(&fields, &made), Err(Error::Document { .. })));
    }
}
