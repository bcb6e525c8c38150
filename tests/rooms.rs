//! Which room may know which, read from the manifests.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    std::fs::read_to_string(&path).unwrap().parse().unwrap()
}

/// The names in a manifest's table of dependencies.
fn dependencies(manifest: &toml::Table, table: &str) -> BTreeSet<String> {
    manifest
        .get(table)
        .and_then(|t| t.as_table())
        .map(|t| t.keys().cloned().collect())
        .unwrap_or_default()
}

fn rooms_known_by(folder: &str) -> BTreeSet<String> {
    let manifest = manifest(folder);
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .flat_map(|table| dependencies(&manifest, table))
        .filter(|name| name.starts_with("beluga-"))
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Invariant: arrows between rooms.
#[test]
fn rooms_know_only_the_words() {
    assert_eq!(rooms_known_by("types"), set(&[]));
    for room in ["ingest", "fusion", "sinks", "viz", "sim"] {
        assert_eq!(
            rooms_known_by(room),
            set(&["beluga-types"]),
            "{room} has a new arrow"
        );
    }
    let program = [
        "beluga-types",
        "beluga-ingest",
        "beluga-fusion",
        "beluga-sinks",
        "beluga-viz",
        "beluga-sim",
    ];
    assert_eq!(rooms_known_by("."), set(&program));
}

/// Tests give the same on every machine and every day: whatever draws its cases has a fixed seed.
#[test]
fn every_drawn_case_has_a_fixed_seed() {
    let (mut found, mut drawing) = (Vec::new(), 0);
    for room in ["types", "ingest", "fusion", "sinks", "sim", "viz", "src", "tests"] {
        sources(&root().join(room), &mut found);
    }
    for (path, text) in found {
        let blocks = text.lines().filter(|line| line.trim() == "proptest! {").count();
        // In two pieces, so that this file does not hold it.
        let seeded = text.matches(concat!("rng_seed: RngSeed", "::Fixed(")).count();
        assert_eq!(seeded, blocks, "{}", path.display());
        drawing += blocks;
    }
    assert!(drawing >= 8, "only {drawing} found");
}

/// Invariant: fusion has no async, clock, file, randomness — as far as its dependencies go.
/// `fusion/clippy.toml` forbids the rest, and a test in fusion reads its sources.
#[test]
fn fusion_depends_on_nothing_that_could_wait_or_guess() {
    let known = dependencies(&manifest("fusion"), "dependencies");
    for stranger in ["tokio", "rand", "getrandom", "tracing", "tempfile", "memmap2"] {
        assert!(!known.contains(stranger), "fusion depends on {stranger}");
    }
}

/// The viewer's weight stays behind one feature of the program.
#[test]
fn the_picture_is_optional() {
    let manifest = manifest(".");
    assert!(
        manifest["dependencies"]["beluga-viz"]["optional"]
            .as_bool()
            .unwrap()
    );
    for room in ["types", "ingest", "fusion", "sinks", "sim"] {
        let heavy = dependencies(&self::manifest(room), "dependencies");
        assert!(
            !heavy.iter().any(|name| name.starts_with("re_")),
            "{room} depends on the viewer"
        );
    }
}

/// Invariant: no unbounded channel. Clippy holds it where clippy reads the file; a room with a
/// `clippy.toml` of its own does not inherit the root's, so the rule must stand in each.
#[test]
fn every_clippy_file_forbids_unbounded_channels() {
    let mut files = vec![root().join("clippy.toml")];
    for room in ["types", "ingest", "fusion", "sinks", "viz", "sim"] {
        files.push(root().join(room).join("clippy.toml"));
    }
    let present: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
    assert!(present.len() >= 2, "the root and fusion have one");
    for file in present {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(
            text.contains("std::sync::mpsc::channel"),
            "{} allows unbounded channels",
            file.display()
        );
    }
}

/// All Rust sources below a folder, with their texts.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension() == Some("rs".as_ref()) {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

fn names_none_of(folders: &[&str], words: &[&str]) {
    let mut found = Vec::new();
    for folder in folders {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 10, "the sources are where they were");
    for (path, text) in found {
        for word in words {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

/// Invariant: fusion has no async, clock, file, randomness.
#[test]
fn fusion_names_no_clock_file_or_chance() {
    let words = [
        "std::fs",
        "std::net",
        "std::time::Instant",
        "SystemTime",
        "tokio",
        "async fn",
        "thread_rng",
        "getrandom",
    ];
    names_none_of(&["fusion/src", "types/src"], &words);
}

/// Invariant: nothing binds beyond loopback unless asked. The viewer's page listens and knows no other
/// address; the sockets of live sensors listen where a rig says, and know no address at all; the service that
/// checks documents takes its address from who starts it (`tests/serve.rs`: beyond loopback only with keys).
#[test]
fn only_viewer_service_and_live_sources_listen() {
    let listening = [
        "TcpListener",
        "UdpSocket",
        "UnixListener",
        "GrpcServerSink",
        "serve_grpc",
        "serve_web",
        "axum::serve",
    ];
    let anywhere = ["0.0.0.0\"", "UNSPECIFIED", "\"[::]", "\"::"];
    let mut found = Vec::new();
    for folder in [
        "src",
        "types/src",
        "ingest/src",
        "fusion/src",
        "sinks/src",
        "viz/src",
        "sim/src",
    ] {
        sources(&root().join(folder), &mut found);
    }
    let may_listen =
        ["viz/src/viewer", "ingest/src/live/sockets.rs", "src/service"].map(|place| root().join(place));
    let mut listeners = [0; 3];
    for (path, text) in found {
        let listens = listening.iter().any(|word| text.contains(word));
        let place = may_listen.iter().position(|place| path.starts_with(place));
        match place {
            Some(place) => listeners[place] += usize::from(listens),
            None => assert!(!listens, "{} listens", path.display()),
        }
        // The command that takes the service's address names none of these either.
        let serves = place.is_some() || path.ends_with("command/maml/serve.rs");
        for word in anywhere {
            assert!(!serves || !text.contains(word), "{} names {word}", path.display());
        }
    }
    assert!(
        listeners[0] >= 2,
        "the viewer's server and its test are where they were"
    );
    assert_eq!(
        listeners[1..],
        [1, 1],
        "the sockets of sensors and of the service are where they were"
    );
}

/// The page is one page.
#[test]
fn the_page_stays_one_page() {
    let page = std::fs::read_to_string(root().join("src/pipeline.rs")).unwrap();
    let lines = page.lines().count();
    assert!(lines <= 300, "src/pipeline.rs has {lines} lines");
}
