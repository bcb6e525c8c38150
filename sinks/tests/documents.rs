//! Documents of the shapes that are found in the wild, each with what is said of it.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::path::{Path, PathBuf};

use beluga_sinks::document::{Level, Profile, Reading, published_schema, read};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.maml.md"))).unwrap()
}

/// What is said, as `code line:column`, without notes.
fn said(reading: &Reading) -> Vec<String> {
    let heavy = reading
        .findings
        .iter()
        .filter(|finding| finding.level > Level::Note);
    heavy
        .map(|f| format!("{} {}:{}", f.rule.code, f.line, f.column))
        .collect()
}

/// Accepted, in this profile, with exactly these findings.
fn check(name: &str, profile: Profile, expected: &[&str]) {
    let reading = read(&bytes(name), None);
    assert_eq!(said(&reading), expected, "{name}: {:#?}", reading.findings);
    assert!(reading.is_valid(), "{name}");
    assert_eq!(reading.document.unwrap().profile, profile, "{name}");
}

/// Refused, with this code at this place.
fn check_malformed(name: &str, expected: &str) {
    let reading = read(&bytes(name), None);
    assert_eq!(said(&reading), [expected], "{name}: {:#?}", reading.findings);
    assert!(reading.document.is_none() && !reading.is_valid(), "{name}");
}

#[test]
fn bare_json_schemas_are_read() {
    check("01_bare_json", Profile::Guide, &[]);
    let document = read(&bytes("01_bare_json"), None).document.unwrap();
    assert_eq!(
        document.input_schema.unwrap()["properties"]["recording"]["type"],
        "string"
    );
}

#[test]
fn the_compact_profile_is_read_as_it_is_meant() {
    let input = ["M0111 3:13", "M0305 9:1", "M0303 10:43", "M0304 11:35"];
    check(
        "03_compact",
        Profile::Compact,
        &[&input[..], &["M0305 21:1", "M0303 22:58"]].concat(),
    );
    check(
        "04_compact_without_output",
        Profile::Compact,
        &["M0111 3:13", "M0305 9:1", "M0303 10:16", "M0304 11:33"],
    );
    let document = read(&bytes("03_compact"), None).document.unwrap();
    let input = document.input_schema.unwrap();
    assert_eq!(input["properties"]["ranges_m"]["items"]["type"], "number");
    assert_eq!(input["properties"]["pinged_at"]["format"], "date-time");
    assert_eq!(document.code_blocks[1].info, "python");
    assert!(
        read(&bytes("04_compact_without_output"), None)
            .document
            .unwrap()
            .output_schema
            .is_none()
    );
}

#[test]
fn an_indented_document_is_the_same_with_its_own_places() {
    let expected = [
        "M0111 3:15",
        "M0305 9:3",
        "M0303 10:48",
        "M0304 11:39",
        "M0305 21:3",
        "M0303 21:22",
    ];
    check("02_compact_indented", Profile::Compact, &expected);
}

#[test]
fn the_guide_profile_is_read_whole() {
    check("05_guide_complete", Profile::Guide, &[]);
    check("13_fields_of_2026", Profile::Guide, &[]);
    let document = read(&bytes("05_guide_complete"), None).document.unwrap();
    assert_eq!(document.title.as_deref(), Some("Spillway"));
    assert_eq!(document.history.len(), 2);
    assert_eq!(document.history[1].event, "VALIDATE");
}

#[test]
fn what_the_guide_wants_and_lacks_is_found() {
    check(
        "06_guide_lacks",
        Profile::Guide,
        &["M0101 1:1", "M0101 1:1", "M0101 1:1", "M0102 6:3"],
    );
    let names = [
        "M0201 1:1",
        "M0103 3:5",
        "M0104 5:9",
        "M0102 7:9",
        "M0403 7:9",
        "M0102 8:10",
        "M0403 8:10",
        "M0102 9:12",
        "M0403 9:12",
    ];
    check("07_guide_names", Profile::Guide, &names);
    let document = read(&bytes("07_guide_names"), None).document.unwrap();
    assert_eq!(document.front_matter["permissions"]["read"][0], "office");
    let document = read(&bytes("06_guide_lacks"), None).document.unwrap();
    assert_eq!(document.front_matter["requires"]["libs"][1], "scipy>=1.14");
    check("12_id_no_uuid", Profile::Guide, &["M0103 3:5"]);
}

#[test]
fn schemas_in_the_front_matter_and_numbers_for_texts_are_read() {
    let expected = [
        "M0102 3:10",
        "M0102 7:3",
        "M0303 9:3",
        "M0305 9:3",
        "M0303 11:3",
        "M0305 11:3",
    ];
    check("08a_version_number", Profile::Compact, &expected);
    check("08b_schema_types", Profile::Compact, &expected);
    let document = read(&bytes("08b_schema_types"), None).document.unwrap();
    assert_eq!(document.front_matter["version"], "1.1");
    assert_eq!(
        document.input_schema.unwrap()["properties"]["swath_deg"]["type"],
        "number"
    );
    assert_eq!(
        document.output_schema.unwrap()["properties"]["beams"]["type"],
        "integer"
    );
}

#[test]
fn other_names_of_schema_and_encryption_are_found() {
    check("09_dunes_schema", Profile::Compact, &[]);
    check(
        "10_foreign_schema",
        Profile::Compact,
        &["M0108 2:9", "M0110 4:13", "M0305 8:1", "M0303 8:39"],
    );
    check(
        "11_context_map",
        Profile::Compact,
        &["M0102 4:3", "M0110 6:13", "M0302 8:1", "M0302 12:1"],
    );
}

#[test]
fn what_is_no_document_is_refused_with_its_place() {
    check_malformed("14_one_line", "M0001 2:1");
    check_malformed("15_unclosed_list", "M0002 7:7");
    check_malformed("16_percent", "M0002 7:7");
    check_malformed("17_or", "M0002 4:15");
    check_malformed("18_shown_in_a_page", "M0001 1:1");
    let page = read(&bytes("18_shown_in_a_page"), None);
    assert!(
        page.findings[0].message.contains("begins on line 11"),
        "{}",
        page.findings[0].message
    );
}

/// What a profile that is asked for wants is an error where it is missing.
#[test]
fn a_profile_that_is_asked_for_is_wanted() {
    for (name, compact, guide) in [
        ("03_compact", true, false),
        ("05_guide_complete", false, true),
        ("06_guide_lacks", false, false),
        ("13_fields_of_2026", false, true),
    ] {
        for (profile, expected) in [(Profile::Compact, compact), (Profile::Guide, guide)] {
            let reading = read(&bytes(name), Some(profile));
            assert_eq!(
                reading.is_valid(),
                expected,
                "{name} as {}: {:?}",
                profile.name(),
                said(&reading)
            );
        }
    }
}

/// Whole folder: nothing was forgotten above, and the published schema agrees with what was read.
#[test]
fn normal_forms_are_those_of_the_published_schema() {
    let schema = jsonschema::validator_for(&published_schema()).unwrap();
    let mut accepted = 0;
    let mut names: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    assert_eq!(names.len(), 19, "one of each row, two of row 8");
    for path in names {
        let text = std::fs::read(&path).unwrap();
        for asked in [Profile::Compact, Profile::Guide] {
            let reading = read(&text, Some(asked));
            let Some(document) = &reading.document else {
                continue;
            };
            let about_profile = ["M0101", "M0102", "M0201"];
            let lacks = reading
                .findings
                .iter()
                .any(|f| about_profile.contains(&f.rule.code));
            let is_valid = schema.is_valid(&document.to_json());
            // A number where a text is meant is read as the text; only what cannot be is left as it is.
            assert!(
                is_valid || lacks,
                "{}: {:?}",
                path.display(),
                schema.validate(&document.to_json())
            );
            let missing = reading
                .findings
                .iter()
                .any(|f| matches!(f.rule.code, "M0101" | "M0201"));
            assert!(!(is_valid && missing), "{} as {}", path.display(), asked.name());
            accepted += usize::from(is_valid);
        }
    }
    assert!(accepted >= 9, "{accepted}");
}

/// The seeds of the fuzz target `document`, each cut everywhere and each byte in turn made another.
#[test]
fn the_seeds_of_the_fuzz_target_are_read_or_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/document");
    let mut seeds: Vec<_> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 6);
    let mut runs = 0;
    for seed in seeds {
        let whole = std::fs::read(&seed).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] = b"-:`#\"{[\n \xff"[at % 10];
            for bytes in [&whole[..at], &changed] {
                let reading = read(bytes, None);
                assert!(
                    reading.document.is_some() || !reading.is_valid(),
                    "{} at {at}",
                    seed.display()
                );
                assert!(
                    reading
                        .findings
                        .iter()
                        .all(|f| f.line >= 1 && f.column >= 1 && f.byte <= bytes.len())
                );
                runs += 1;
            }
        }
    }
    assert!(runs > 4000, "{runs}");
}
