//! `beluga maml serve` as a program: where it listens, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use user::{check, says};

/// Invariant: nothing binds beyond loopback unless asked, and then only with keys.
#[test]
fn beyond_this_machine_it_listens_only_with_keys() {
    let folder = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let (_, told) = check(folder.path(), &["maml", "serve", "--bind", address], 2);
        says(&told, &["can be reached from other machines", "--jwks"]);
    }
    std::fs::write(folder.path().join("keys"), "{}").unwrap();
    let keys = [
        "maml",
        "serve",
        "--bind",
        "0.0.0.0:0",
        "--jwks",
        "keys",
        "--issuer",
        "i",
        "--audience",
        "a",
    ];
    let (_, told) = check(folder.path(), &keys, 2);
    says(&told, &["not a set of keys: keys"]);
    check(folder.path(), &["maml", "serve", "--jwks", "keys"], 2);
}

/// The default stands in the help, and is loopback.
#[test]
fn by_itself_it_listens_on_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = check(folder.path(), &["maml", "serve", "--help"], 0);
    says(&out, &["[default: 127.0.0.1:8787]"]);
}

#[cfg(unix)]
#[test]
fn it_ends_at_ctrl_c() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let mut child = user::beluga(folder.path())
        .args(["maml", "serve", "--bind", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    says(&line, &["http://127.0.0.1:", "until Ctrl-C"]);
    let address = line.trim_start_matches("http://").split(' ').next().unwrap();
    std::net::TcpStream::connect(address).unwrap();
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
