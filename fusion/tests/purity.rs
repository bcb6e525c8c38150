//! Fusion has no async, clock, file, network, thread or randomness: read from its own text.

// Tests may read files and stop at what cannot be.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

use std::path::Path;

/// What must not be named in the crate's sources outside tests.
const FORBIDDEN: [&str; 14] = [
    "tokio",
    "async fn",
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "Instant",
    "SystemTime",
    "thread::spawn",
    "HashMap",
    "HashSet",
    "RandomState",
    "println!",
];

fn check(folder: &Path, found: &mut Vec<String>, files: &mut usize) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            check(&path, found, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *files += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let name = path.file_name().unwrap().to_string_lossy();
            if name == "tests.rs" || name == "synthetic.rs" {
                continue;
            }
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for word in FORBIDDEN {
                    if line.contains(word) {
                        found.push(format!("{}: {}", path.display(), line.trim()));
                    }
                }
            }
        }
    }
}

#[test]
fn fusion_has_no_async_clock_file_or_randomness() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut files) = (Vec::new(), 0);
    check(&root.join("src"), &mut found, &mut files);
    assert!(files > 20, "only {files} files were read");
    assert!(found.is_empty(), "{found:#?}");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap();
    let dependencies = dependencies.split("[dev-dependencies]").next().unwrap();
    for name in [
        "tokio",
        "rand",
        "getrandom",
        "async",
        "mio",
        "chrono",
        "time",
        "memmap2",
    ] {
        let named = dependencies
            .lines()
            .any(|line| line.split(['.', ' ', '=']).next() == Some(name));
        assert!(!named, "{name} is a dependency of fusion");
    }
}
