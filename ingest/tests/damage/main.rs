//! Bad recordings: what leaves nothing to read ends with one clear message; damage inside a stream
//! is a counted gap, and the run goes on.

#![allow(clippy::unwrap_used)]

mod folder;
mod pings;
mod ranges;
mod scans;
