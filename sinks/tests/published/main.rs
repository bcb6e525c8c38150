//! Published check values of what the record is built from. Each test prints how many it ran.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, not only tests"
)]

use std::fs;

use serde_json::Value;

mod ciphers;
mod kems;
#[path = "../../../tests/shared_data/mod.rs"]
mod shared_data;
mod signatures;

use shared_data::shared_data;

fn vectors(test: &str, path: &str) -> Option<Value> {
    let path = shared_data(test, &format!("vectors/{path}"))?;
    Some(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len() / 2)
        .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// Each test with its group.
fn cases(file: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = file["testGroups"].as_array().unwrap().iter();
    groups.flat_map(|group| {
        group["tests"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |test| (group, test))
    })
}
