//! Files of survey and imaging sonars: small ones written here, real ones against reference decoders, damaged ones.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod all;
mod all_file;
mod aris;
mod aris_file;
mod kmall;
mod kmall_file;
mod oculus;
mod oculus_file;
#[path = "../../../tests/shared_data/mod.rs"]
mod shared_data;
mod son;
mod son_file;
mod tools;
mod xtf;
mod xtf_file;
