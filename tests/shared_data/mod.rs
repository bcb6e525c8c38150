//! Finds the real recordings that stand beside a checkout, where there are any.
//!
//! Every test of every room that wants them includes this one file.

use std::path::{Path, PathBuf};

/// The file or folder `path` of the shared data, or nothing (said on the test's output) where a
/// checkout stands alone.
#[allow(clippy::print_stdout, reason = "a test that could not run says so")]
pub(crate) fn shared_data(test: &str, path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .take(3)
        .map(|folder| folder.join("shared/data").join(path))
        .find(|candidate| candidate.exists());
    if found.is_none() {
        println!("SKIPPED {test}: no shared data");
    }
    found
}
