//! The documents that records begin with: both profiles, and back again.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;

use super::super::*;
use crate::maml::document::{DocumentFields, Made, write};
use crate::maml::layout::Suite;
use crate::maml::stanza::Stanza;

static PUBLISHED: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&published_schema()).unwrap());

fn written(fields: &DocumentFields) -> String {
    let made = Made {
        file_id: &[0xab; 16],
        suite: Suite::Edge256,
        signer: "00ff".into(),
        readers: vec!["xwing:0011".into()],
        previous: None,
        signers: &[Stanza::new(&["device"], vec![1])],
        recipients: &[Stanza::new(&["keyfile"], vec![2])],
    };
    write(fields, &made).unwrap()
}

/// Read under both profiles without a finding, and all of it is there.
fn check(fields: &DocumentFields) {
    let text = written(fields);
    for profile in [None, Some(Profile::Compact), Some(Profile::Guide)] {
        let reading = read(text.as_bytes(), profile);
        assert_eq!(reading.findings, [], "{text}");
        let document = reading.document.unwrap();
        assert_eq!(document.front_matter["encryption"], "edge-256");
        assert_eq!(document.input_schema.as_ref(), Some(&fields.input_schema));
        assert_eq!(document.output_schema.as_ref(), Some(&fields.output_schema));
        assert_eq!(document.history.len(), 1 + fields.history.len());
        let config = document
            .code_blocks
            .iter()
            .find(|block| block.info == "toml beluga")
            .unwrap();
        assert_eq!(config.section.as_deref(), Some("Code_Blocks"));
        assert_eq!(
            config.text.trim_end_matches('\n'),
            fields.config_toml.trim_end_matches('\n')
        );
        assert!(text[config.bytes.clone()].starts_with(&config.text));
        let order: Vec<_> = document
            .sections
            .iter()
            .map(|section| section.name.as_str())
            .collect();
        let expected = [
            "Intent",
            "Context",
            "Input_Schema",
            "Code_Blocks",
            "Output_Schema",
            "Content",
            "History",
            "Verification",
        ];
        assert_eq!(order, expected);
        assert!(PUBLISHED.is_valid(&document.to_json()));
    }
}

#[test]
fn a_records_document_is_of_both_profiles() {
    check(&DocumentFields::default());
    check(&DocumentFields {
        config_toml: "[fusion]\nwindow_millis = 100\nname = '''\n```\n## Intent\n'''".into(),
        input_schema: json!({"type": "object", "properties": {"a": {"type": "number"}}}),
        history: vec!["fused".into(), "looked back".into()],
        ..DocumentFields::default()
    });
}

#[test]
fn the_head_of_the_published_record_is_read_alone() {
    let record = include_bytes!("../../../tests/vectors/one_frame.maml");
    let head = head_of(&record[..]).unwrap();
    assert!(head.len() < record.len() && head.ends_with(b"binary follows -->\n"));
    for profile in [None, Some(Profile::Compact), Some(Profile::Guide)] {
        let reading = read(&head, profile);
        assert_eq!(reading.findings, []);
    }
    let all = b"---\nschema: maml-v1.0\n---\nno record";
    assert_eq!(head_of(&all[..]).unwrap(), all);
    let endless = std::io::BufReader::new(std::io::repeat(b'a'));
    assert_eq!(head_of(endless).unwrap().len(), MAX_DOCUMENT + 1);
}

/// Words of strangers, made of what means something in YAML, Markdown and HTML.
fn words() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("```"),
        Just("~~~"),
        Just("---"),
        Just("\n"),
        Just("## Intent"),
        Just("# "),
        Just(": "),
        Just("\""),
        Just("'"),
        Just("{"),
        Just("]"),
        Just("&a"),
        Just("*a"),
        Just("!x"),
        Just("%"),
        Just("<b>"),
        Just("<!--"),
        Just("- "),
        Just("1. "),
        Just("    "),
        Just("\t"),
        Just("===\n"),
        Just("> "),
        Just("| a"),
        Just("\\"),
        Just("word"),
        Just("ä"),
        Just("[a]: b"),
        Just("\u{1b}[31m"),
        Just("\u{202e}"),
        Just("maml-signers"),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_of_strangers_stay_words(title in words(), intent in words(), context in words(), line in words(), device in words()) {
        let fields = DocumentFields {
            title: format!("t{title}"),
            intent: format!("i{intent}"),
            context: format!("c{context}"),
            device: format!("d{device}"),
            config_toml: "a = 1\n".into(),
            history: vec![format!("l{line}")],
            ..DocumentFields::default()
        };
        check(&fields);
    }
}
