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
/// If there is not exactly one block of it, it stands elsewhere than in Code_Blocks, or a key in it is not known.
pub(crate) fn config(document: &Document) -> anyhow::Result<Config> {
    let mut blocks = document.code_blocks.iter().filter(|block| block.info == BLOCK);
    match (blocks.next(), blocks.next()) {
        (Some(block), None) if is_code(block) => document::config(&block.text),
        (Some(block), None) => {
            let section = block.section.as_deref().unwrap_or("no section");
            let elsewhere =
                anyhow!("nothing to run: the block ```{BLOCK} stands in {section}, expected Code_Blocks");
            Err(elsewhere.context(Wrong::Arguments))
        }
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
    let is_foreign = |block: &&CodeBlock| is_code(block) && block.info != BLOCK;
    document.code_blocks.iter().filter(is_foreign).collect()
}

fn is_code(block: &CodeBlock) -> bool {
    block.section.as_deref() == Some("Code_Blocks")
}

/// What is to be said where a document names another encryption than the document of the record that it made.
pub(crate) fn other_encryption(document: &Document, made: &Document) -> Option<String> {
    let named = |document: &Document| {
        document
            .front_matter
            .get("encryption")?
            .as_str()
            .map(str::to_owned)
    };
    let (asked, made) = (named(document)?, named(made)?);
    (!asked.eq_ignore_ascii_case(&made)).then(|| {
        format!("the document names the encryption `{asked}`, the record is {made}: --suite decides, not the document")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use beluga_sinks::document::read;

    fn document(body: &str) -> Document {
        let text = format!("---\nschema: maml-v1.0\ncontext: a quay\n{body}");
        read(text.as_bytes(), None).document.unwrap()
    }

    #[test]
    fn only_the_block_of_code_blocks_is_acted_on() {
        let block = "```toml beluga\n[fusion]\nwindow_millis = 70\n```\n";
        let of = |section: &str| config(&document(&format!("---\n{section}\n{block}")));
        assert_eq!(of("## Code Blocks").unwrap().fusion.window_millis, 70);
        for (section, said) in [
            ("## Content", "stands in Content"),
            ("Text.", "stands in no section"),
        ] {
            let refused = format!("{:#}", of(section).unwrap_err());
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn another_encryption_than_the_one_named_is_told() {
        let of = |label: &str| document(&format!("encryption: {label}\n---\n## Intent\n"));
        let made = of("edge-256");
        assert_eq!(other_encryption(&of("EDGE-256"), &made), None);
        assert_eq!(other_encryption(&document("---\n## Intent\n"), &made), None);
        for label in ["core-512", "2048-AES"] {
            let told = other_encryption(&of(label), &made).unwrap();
            assert!(
                told.contains(label) && told.contains("the record is edge-256"),
                "{told}"
            );
        }
    }
}
