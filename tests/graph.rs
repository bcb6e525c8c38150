//! Where frames came from, as tables that graph databases load.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use user::{check, says};

/// The rows of a table by the names in its header.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    assert!(
        !quoted && row.is_empty() && field.is_empty(),
        "a table ends with a line"
    );
    let header: Vec<String> = rows.remove(0);
    rows.into_iter()
        .map(|row| {
            assert_eq!(row.len(), header.len());
            header.iter().cloned().zip(row).collect()
        })
        .collect()
}

/// What `sha256sum` says of a file, if there is one.
fn sha256sum(path: &Path) -> Option<String> {
    let output = Command::new("sha256sum").arg(path).output().ok()?;
    let said = String::from_utf8(output.stdout).unwrap();
    Some(said.split_whitespace().next()?.to_owned())
}

#[test]
fn every_product_leads_back_to_the_files_it_came_of() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let made = ["sim", "--scene", "sample", "--seconds", "1.2", "--out", "run"];
    check(home, &made, 0);
    fs::write(
        home.join("who.toml"),
        "operator = \"port office, \\\"south\\\"\"\n",
    )
    .unwrap();
    let replay = [
        "replay", "run", "--config", "who.toml", "--out", "run.maml", "--view", "none",
    ];
    check(home, &replay, 0);
    let export = [
        "--json", "export", "run.maml", "--csv", "run.csv", "--tum", "run.tum", "--graph", "graph",
    ];
    let (out, _) = check(home, &export, 0);
    let told: Value = serde_json::from_str(&out).unwrap();
    let nodes = rows(&home.join("graph/nodes.csv"));
    let edges = rows(&home.join("graph/edges.csv"));
    assert_eq!(told["graph_rows"], serde_json::json!([nodes.len(), edges.len()]));

    // No id twice, no edge into nothing.
    let by_id: BTreeMap<&str, &BTreeMap<String, String>> =
        nodes.iter().map(|node| (node["id:ID"].as_str(), node)).collect();
    assert_eq!(by_id.len(), nodes.len());
    for edge in &edges {
        assert!(by_id.contains_key(edge[":START_ID"].as_str()), "{edge:?}");
        assert!(by_id.contains_key(edge[":END_ID"].as_str()), "{edge:?}");
    }

    // What each says is so.
    let labelled = |label: &str| -> Vec<_> { nodes.iter().filter(|node| node[":LABEL"] == label).collect() };
    let frames = told["frames"].as_u64().unwrap();
    assert_eq!(labelled("Frame").len() as u64, frames);
    let points: u64 = labelled("Frame")
        .iter()
        .map(|frame| frame["count:long"].parse::<u64>().unwrap())
        .sum();
    assert_eq!(points, told["points"].as_u64().unwrap());
    assert_eq!(labelled("Operator")[0]["name"], "port office, \"south\"");
    assert_eq!(labelled("Run")[0]["count:long"], frames.to_string());
    for product in labelled("Product") {
        let path = home.join(&product["name"]);
        assert_eq!(
            product["bytes:long"],
            fs::metadata(&path).unwrap().len().to_string()
        );
        if let Some(sha256) = sha256sum(&path) {
            assert_eq!(product["sha256"], sha256);
        }
    }
    let rig = labelled("Input")
        .into_iter()
        .find(|input| input["name"] == "rig.toml")
        .unwrap();
    if let Some(sha256) = sha256sum(&home.join("run/rig.toml")) {
        assert_eq!(rig["sha256"], sha256);
    }
    assert!(labelled("Input").iter().all(|input| input["sha256"].len() == 64));

    // From each product along what it was derived from.
    for product in labelled("Product") {
        let (mut found, mut next) = (BTreeSet::new(), vec![product["id:ID"].clone()]);
        while let Some(id) = next.pop() {
            let derived = edges
                .iter()
                .filter(|edge| edge[":TYPE"] == "WAS_DERIVED_FROM" && edge[":START_ID"] == id);
            next.extend(
                derived
                    .map(|edge| edge[":END_ID"].clone())
                    .filter(|id| found.insert(id.clone())),
            );
        }
        let of = |label: &str| {
            found
                .iter()
                .filter(|id| by_id[id.as_str()][":LABEL"] == label)
                .count()
        };
        assert_eq!(of("Frame") as u64, frames, "{}", product["name"]);
        assert!(of("Sensor") >= 3 && of("Input") >= 3, "{found:?}");
    }

    // Alone, and not over what is there.
    let (out, _) = check(home, &["export", "run.maml", "--graph", "alone"], 0);
    says(&out, &["graph", "nodes", "edges"]);
    let alone = rows(&home.join("alone/nodes.csv"));
    assert_eq!(alone.len(), nodes.len() - 2, "without the two products");
    let (_, error) = check(home, &["export", "run.maml", "--graph", "alone"], 2);
    says(&error, &["nodes.csv exists and is never overwritten"]);
}
