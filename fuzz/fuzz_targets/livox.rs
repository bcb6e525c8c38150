//! Any bytes as datagrams of a lidar, from seeds of a Livox: no panic, no more returns than bytes hold.
#![no_main]

#[path = "../split.rs"]
mod split;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| split::play(bytes));
