//! Sensors that are heard now: captures and recordings sent as real datagrams on loopback, against
//! what the readers of files make of the same bytes.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bad_input;
mod lidars;
mod merged;
mod navigation;
mod oculus;
mod pings;
mod port;
mod send;
mod sounder;
mod waves;

#[path = "../capture_file/mod.rs"]
mod capture_file;
#[path = "../packets/write.rs"]
#[allow(dead_code, reason = "of its packets one maker's are taken")]
mod write;

#[path = "../survey/oculus_file.rs"]
#[allow(dead_code, reason = "the reader's own tests use all of it")]
mod oculus_file;
#[path = "../survey/xtf_file.rs"]
#[allow(dead_code, reason = "of its writers one is used")]
mod xtf_file;

#[path = "../../../tests/shared_data/mod.rs"]
mod shared_data;
