//! The `beluga` program.

fn main() {}
