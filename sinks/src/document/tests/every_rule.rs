//! Every rule is broken once, and alone breaks nothing else.

use super::super::*;

/// A document of the guide's profile without a finding.
const WHOLE: &str = "---
maml_version: \"1.0.0\"
id: \"urn:uuid:8b0f5c3e-61f4-4f0e-8a27-2f4f0f2a9d10\"
type: \"workflow\"
origin: \"agent://crew\"
permissions:
  read: [\"agent://*\"]
  write: [\"agent://crew\"]
created_at: \"2026-04-11T06:00:00Z\"
---
# Title

## Intent
Why.

## Context
Where.

## Input_Schema
```json
{\"type\": \"object\"}
```

## History
- 2026-04-11T06:00:00Z: [CREATE] written
- 2026-04-11T06:20:00Z: [ERROR] and a line
  that goes on
";

fn codes(text: &str) -> Vec<&'static str> {
    let mut codes: Vec<_> = read(text.as_bytes(), None)
        .findings
        .iter()
        .map(|f| f.rule.code)
        .collect();
    codes.dedup();
    codes
}

/// One change of [`WHOLE`], and what is said then.
const BROKEN: &[(&str, &str, &str)] = &[
    ("---\nmaml", "maml", "M0001"),
    ("type: \"workflow\"", "type: \"a\" | \"b\"", "M0002"),
    ("origin:", "id: \"twice\"\norigin:", "M0004"),
    ("---\nmaml", "\n---\nmaml", "M0005"),
    ("\"workflow\"", "&anchor workflow", "M0007"),
    ("\"workflow\"", "!!str workflow", "M0007"),
    ("Why.", "Wh\u{202e}y.", "M0008"),
    ("origin: \"agent://crew\"\n", "", "M0101"),
    ("type: \"workflow\"", "type: 7", "M0102"),
    ("write: [\"agent://crew\"]", "write: \"agent://crew\"", "M0102"),
    ("8b0f5c3e", "8b0g5c3e", "M0103"),
    ("origin: \"agent://crew\"", "origin: \"crew\"", "M0104"),
    ("\"2026-04-11T06:00:00Z\"", "\"last week\"", "M0105"),
    ("\"1.0.0\"", "\"9.9\"", "M0106"),
    ("type: \"workflow\"", "type: \"[YOUR_TYPE]\"", "M0107"),
    (
        "type: \"workflow\"",
        "type: \"workflow\"\nschema: mars_v1",
        "M0108",
    ),
    (
        "type: \"workflow\"",
        "type: \"workflow\"\nreputation: 12",
        "M0109",
    ),
    (
        "type: \"workflow\"",
        "type: \"workflow\"\nencryption: aes-256",
        "M0110",
    ),
    (
        "type: \"workflow\"",
        "type: \"workflow\"\nencryption: 2048-AES",
        "M0111",
    ),
    (
        "type: \"workflow\"",
        "type: \"workflow\"\nencryption: AES-512",
        "M0111",
    ),
    ("## Intent\n", "### Intent\n", "M0201"),
    ("## Context", "## Intent\nAgain.\n\n## Context", "M0202"),
    ("## History", "```python\nx = 1\n", "M0203"),
    ("## Input_Schema", "## input schema", "M0204"),
    ("{\"type\": \"object\"}", "{\"type\": object}", "M0301"),
    (
        "{\"type\": \"object\"}",
        "{\"type\": \"object\", \"type\": \"object\"}",
        "M0301",
    ),
    ("```json\n{\"type\": \"object\"}\n```", "an object", "M0302"),
    ("{\"type\": \"object\"}", "{\"type\": \"float\"}", "M0303"),
    (
        "{\"type\": \"object\"}",
        "{\"type\": \"string\", \"format\": \"datetime\"}",
        "M0304",
    ),
    (
        "{\"type\": \"object\"}",
        "{\"depth\": {\"type\": \"number\"}}",
        "M0305",
    ),
    ("{\"type\": \"object\"}", "{\"type\": \"tensor\"}", "M0306"),
    (
        "{\"type\": \"object\"}",
        "{\"$ref\": \"https://example.org/s\"}",
        "M0307",
    ),
    (
        "```json\n{\"type\": \"object\"}\n```",
        "{\"type\": \"object\"}",
        "M0308",
    ),
    (
        "```json\n{\"type\": \"object\"}\n```",
        "```json\n{\"type\": \"object\"}\n```\n\n```json\n{\n```",
        "M0309",
    ),
    ("read: [\"agent://*\"]", "read: []", "M0401"),
    ("write: [\"agent://crew\"]", "write: [\"agent://*\"]", "M0402"),
    ("write: [\"agent://crew\"]", "write: [\"crew\"]", "M0403"),
    ("created_at", "  delete: []\ncreated_at", "M0404"),
    ("  write: [\"agent://crew\"]\n", "", "M0405"),
    (
        "type: \"workflow\"",
        "type: \"workflow\"\nsecurity: CRYSTALS-Dilithium",
        "M0501",
    ),
    ("## History", "```maml-signers\nnone\n```\n\n## History", "M0502"),
    (
        "type: \"workflow\"",
        "type: \"workflow\"\nmu_validation_file: a.mu",
        "M0503",
    ),
    (
        "- 2026-04-11T06:20:00Z: [ERROR]",
        "- [2026-04-11T06:20:00Z] [ERROR]",
        "M0601",
    ),
    ("[CREATE]", "[CREATED]", "M0601"),
    ("06:20", "05:20", "M0602"),
];

#[test]
fn each_rule_is_broken_alone() {
    assert_eq!(codes(WHOLE), <[&str; 0]>::default());
    for (whole, broken, code) in BROKEN {
        assert!(WHOLE.contains(whole), "{whole}");
        let text = WHOLE.replacen(whole, broken, 1);
        assert_eq!(codes(&text), [*code], "{text}");
    }
}

#[test]
fn what_cannot_be_broken_by_one_change_is_broken_here() {
    assert_eq!(codes(&format!("{WHOLE}{}", "a".repeat(MAX_DOCUMENT))), ["M0003"]);
    for schema in [
        format!("{{\"pattern\": \"{}\"}}", "a".repeat(9000)),
        format!("{{\"enum\": [1{}]}}", ", 1".repeat(10_000)),
        "{\"$ref\": \"#\"}".to_owned(),
    ] {
        let text = WHOLE.replace("{\"type\": \"object\"}", &schema);
        assert_eq!(codes(&text), ["M0003"], "{schema:.40}");
    }
    assert_eq!(read(b"---\na: \xff\n---\n", None).findings[0].rule.code, "M0006");
    assert_eq!(
        codes("---\nschema: maml-v1.0\ncontext: a\n---\nText.\n"),
        ["M0205"]
    );
    let many = format!("{WHOLE}{}", "no form\n".repeat(1000));
    let reading = read(many.as_bytes(), None);
    assert_eq!(reading.findings.len(), 201);
    let last = reading.findings.last().unwrap();
    assert_eq!(
        (last.rule.code, last.message.as_str()),
        ("M0009", "800 more findings")
    );
    // However much else there is, an error is seen.
    let worse = many.replace("## Context", "## Intent\nAgain.\n\n## Context");
    assert!(!read(worse.as_bytes(), None).is_valid());
}

#[test]
fn every_rule_is_broken_somewhere_and_stands_on_the_page() {
    let elsewhere = ["M0003", "M0006", "M0009", "M0205"];
    let page = include_str!("../../../DOCUMENT.md");
    let mut earlier = "";
    for rule in RULES {
        let code = rule.code;
        assert!(earlier < code, "{code} is in order and stands once");
        earlier = code;
        assert!(
            elsewhere.contains(&code) || BROKEN.iter().any(|b| b.2 == code),
            "{code} is broken by no test"
        );
        let row = format!("| {code} | {} | {} |", rule.level.name(), rule.title);
        assert!(page.contains(&row), "DOCUMENT.md lacks: {row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| M0")).count();
    assert_eq!(rows, RULES.len(), "rows of DOCUMENT.md");
}

#[test]
fn api_documents_want_an_input_schema() {
    let api = WHOLE.replace("\"workflow\"", "\"api\"");
    assert_eq!(codes(&api), <[&str; 0]>::default());
    assert_eq!(
        codes(&api.replace("## Input_Schema", "### Input_Schema")),
        ["M0201"]
    );
}

#[test]
fn line_ends_of_another_system_change_nothing() {
    let other = WHOLE.replace('\n', "\r\n");
    assert_eq!(codes(&other), <[&str; 0]>::default());
    let (here, there) = (read(WHOLE.as_bytes(), None), read(other.as_bytes(), None));
    let (here, there) = (here.document.unwrap(), there.document.unwrap());
    assert_eq!(here.front_matter, there.front_matter);
    assert_eq!(here.history, there.history);
    assert_eq!(here.input_schema, there.input_schema);
}
