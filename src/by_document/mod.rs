//! A run that a document describes: what it says is checked against what there is before anything is made.
//!
//! Only the block ```` ```toml beluga ```` is acted on. Other code is shown, never executed.

mod difference;
mod history;
mod outputs;
mod permission;
mod streams;
mod words;

use anyhow::anyhow;
use beluga_sinks::document::{CodeBlock, Document};

use crate::config::Config;
use crate::document;
use crate::exit::Wrong;

pub(crate) use difference::{Difference, difference};
pub(crate) use history::append;
pub(crate) use outputs::unmet as unmet_outputs;
pub(crate) use permission::{Asked, may_read, permitted};
pub(crate) use streams::unmet as unmet_inputs;
pub(crate) use words::By;

/// The block that is acted on.
pub(crate) const BLOCK: &str = "toml beluga";

/// The configuration in a document.
///
/// # Errors
/// If there is not exactly one block of it, or a key in it is not known.
pub(crate) fn config(document: &Document) -> anyhow::Result<Config> {
    let mut blocks = document.code_blocks.iter().filter(|block| block.info == BLOCK);
    match (blocks.next(), blocks.next()) {
        (Some(block), None) => document::config(&block.text),
        (None, _) => {
            Err(anyhow!("nothing to run: the document has no block ```{BLOCK}").context(Wrong::Arguments))
        }
        (Some(_), Some(_)) => {
            Err(anyhow!("the document has two blocks ```{BLOCK}").context(Wrong::Arguments))
        }
    }
}

/// Code that is not acted on, for people to read.
pub(crate) fn foreign_code(document: &Document) -> Vec<&CodeBlock> {
    let is_code = |block: &&CodeBlock| block.section.as_deref() == Some("Code_Blocks") && block.info != BLOCK;
    document.code_blocks.iter().filter(is_code).collect()
}
