//! Whatever the bytes are: read or refused, and every place is one of the file.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::super::*;

const SEEDS: [&[u8]; 6] = [
    include_bytes!("../../../tests/documents/02_compact_indented.maml.md"),
    include_bytes!("../../../tests/documents/05_guide_complete.maml.md"),
    include_bytes!("../../../tests/documents/07_guide_names.maml.md"),
    include_bytes!("../../../tests/documents/08b_schema_types.maml.md"),
    include_bytes!("../../../tests/documents/11_context_map.maml.md"),
    include_bytes!("../../../tests/documents/18_shown_in_a_page.maml.md"),
];

/// What holds of any bytes.
fn check(bytes: &[u8]) {
    let reading = read(bytes, None);
    assert_eq!(reading, read(bytes, None), "reading twice gives the same");
    assert!(reading.document.is_some() || !reading.is_valid());
    assert!(reading.findings.len() <= 401);
    for finding in &reading.findings {
        assert!(
            finding.line >= 1 && finding.column >= 1 && finding.byte <= bytes.len(),
            "{finding:?}"
        );
        if let Ok(text) = std::str::from_utf8(bytes) {
            assert_eq!(
                finding.line,
                1 + text[..finding.byte].matches('\n').count(),
                "{finding:?}"
            );
        }
    }
    for block in reading.document.iter().flat_map(|document| &document.code_blocks) {
        assert!(block.bytes.start <= block.bytes.end && block.bytes.end <= bytes.len());
    }
}

#[test]
fn every_cut_is_read_or_refused() {
    for seed in SEEDS {
        for end in 0..=seed.len() {
            check(&seed[..end]);
        }
        let whole = read(seed, None).document;
        assert!(whole.is_none() || read(&seed[..seed.len() / 8], None).document != whole);
    }
}

#[test]
fn bombs_are_refused() {
    let yaml = |inner: &str| format!("---\nschema: maml-v1.0\ncontext: {inner}\n---\n");
    let deep = "[".repeat(500_000);
    check(yaml(&deep).as_bytes());
    assert_eq!(read(yaml(&deep).as_bytes(), None).findings[0].rule.code, "M0003");
    let wide = format!("[{}]", "a, ".repeat(300_000));
    assert_eq!(read(yaml(&wide).as_bytes(), None).findings[0].rule.code, "M0003");
    let laughs = "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n";
    assert_eq!(read(laughs.as_bytes(), None).findings[0].rule.code, "M0007");
    check(format!("{}{}", yaml("a"), "> ".repeat(400_000)).as_bytes());
    check(format!("{}{}", yaml("a"), "[".repeat(800_000)).as_bytes());
    check(format!("{}{}", yaml("a"), "## x\n".repeat(200_000)).as_bytes());
    let mixed = "## x\n```\n```\n".repeat(30_000) + &"## Intent\n".repeat(40_000);
    check(format!("{}{mixed}", yaml("a")).as_bytes());
    let nested = format!(
        "{}## Input_Schema\n```json\n{}\n```\n",
        yaml("a"),
        "{\"not\":".repeat(100_000)
    );
    assert_eq!(read(nested.as_bytes(), None).findings[0].rule.code, "M0301");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_are_read_or_refused(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = SEEDS[seed].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(---\n)?[ -~\n\u{e9}\u{1f600}]{0,300}") {
        check(text.as_bytes());
    }
}
