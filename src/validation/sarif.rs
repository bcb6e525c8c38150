//! What is said of documents in SARIF 2.1.0 (OASIS), as code hosts and editors take it.

use beluga_sinks::document::RULES;
use serde_json::{Value, json};

use super::{Checked, Outcome, Said};

/// One run over these documents.
pub(crate) fn sarif(checked: &[Checked]) -> Value {
    let rules: Value = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": { "text": rule.title },
                "help": { "text": rule.hint },
                "defaultConfiguration": { "level": rule.level.name() }
            })
        })
        .collect();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for one in checked {
        let uri = uri(&one.path);
        match &one.outcome {
            Outcome::Read(verdict) => results.extend(verdict.findings.iter().map(|said| result(said, &uri))),
            Outcome::Unread { error } => notifications.push(json!({
                "level": "error",
                "message": { "text": error },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri } } }]
            })),
        }
    }
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "beluga maml validate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "toolExecutionNotifications": notifications
            }],
            "results": results
        }]
    })
}

fn result(said: &Said, uri: &str) -> Value {
    json!({
        "ruleId": said.code,
        "ruleIndex": RULES.iter().position(|rule| rule.code == said.code),
        "level": said.level,
        "message": { "text": said.message },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri },
                "region": { "startLine": said.line.max(1), "startColumn": said.column.max(1) }
            },
            "logicalLocations": [{ "fullyQualifiedName": said.pointer }]
        }]
    })
}

/// A path as a relative reference, or a file URI where it is absolute (RFC 3986).
fn uri(path: &str) -> String {
    let mut text = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(byte.into())
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use beluga_sinks::document::read;

    #[test]
    fn places_are_from_one_and_rules_are_found_by_their_index() {
        let read_one = |path: &str, text: &[u8]| Checked {
            path: path.into(),
            outcome: Outcome::Read(Verdict::of(read(text, None))),
        };
        let missing = Checked {
            path: "/away".into(),
            outcome: Outcome::Unread { error: "gone".into() },
        };
        let checked = [
            read_one(
                "a b/ä.maml.md",
                b"---\nschema: maml-v1.0\nencryption: 2048-AES\n---\n## Intent\n",
            ),
            read_one("empty", b""),
            missing,
        ];
        let report = sarif(&checked);
        let run = &report["runs"][0];
        let results = run["results"].as_array().unwrap();
        let codes: Vec<_> = results
            .iter()
            .map(|result| result["ruleId"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["M0101", "M0111", "M0001"]);
        for result in results {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            let region = &result["locations"][0]["physicalLocation"]["region"];
            assert!(
                region["startLine"].as_u64().unwrap() >= 1 && region["startColumn"].as_u64().unwrap() >= 1
            );
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        }
        let place = &results[1]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%A4.maml.md");
        assert_eq!(
            (
                place["region"]["startLine"].as_u64(),
                place["region"]["startColumn"].as_u64()
            ),
            (Some(3), Some(13))
        );
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        let told = &run["invocations"][0]["toolExecutionNotifications"][0];
        assert_eq!(
            told["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "file:///away"
        );
    }
}
