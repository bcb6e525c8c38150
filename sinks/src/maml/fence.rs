//! Fenced blocks of a Markdown document, found line by line.

use std::ops::Range;

/// One fenced block: its info string and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fence<'a> {
    pub(crate) info: &'a str,
    /// From the opening line to the end of the closing line.
    pub(crate) outer: Range<usize>,
    /// The lines between.
    pub(crate) inner: Range<usize>,
}

/// All fences of backticks that begin a line and are closed (CommonMark, 4.5).
pub(crate) fn fences(text: &str) -> Vec<Fence<'_>> {
    let mut found = Vec::new();
    let mut open: Option<(usize, Fence<'_>)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let ticks = line.bytes().take_while(|&byte| byte == b'`').count();
        let rest = line[ticks..].trim();
        match &mut open {
            Some((length, fence)) if ticks >= *length && rest.is_empty() => {
                fence.inner.end = start;
                fence.outer.end = offset;
                found.push(fence.clone());
                open = None;
            }
            Some(_) => {}
            None if ticks >= 3 => {
                let fence = Fence {
                    info: rest,
                    outer: start..offset,
                    inner: offset..offset,
                };
                open = Some((ticks, fence));
            }
            None => {}
        }
    }
    found
}

/// The one fence with this info string.
pub(crate) fn only<'a>(fences: &[Fence<'a>], info: &str) -> Result<Fence<'a>, String> {
    let mut matching = fences.iter().filter(|fence| fence.info == info);
    match (matching.next(), matching.next()) {
        (Some(fence), None) => Ok(fence.clone()),
        (None, _) => Err(format!("the document has no closed ```{info} block")),
        (Some(_), Some(_)) => Err(format!("the document has two ```{info} blocks")),
    }
}

/// Writes a fenced block, longer than any run of backticks inside it.
pub(crate) fn write(text: &mut String, info: &str, inner: &str) {
    let longest = inner.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest.max(2) + 1);
    text.push_str(&format!("{ticks}{info}\n{inner}"));
    if !inner.is_empty() && !inner.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&format!("{ticks}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_inside_a_longer_fence_is_text() {
        let mut text = String::from("before\n");
        write(&mut text, "toml beluga", "a = '''\n```maml-signers\n```\n'''");
        write(&mut text, "maml-signers", "-> x\nAA\n");
        let fences = fences(&text);
        assert_eq!(fences.len(), 2);
        let signers = only(&fences, "maml-signers").unwrap();
        assert_eq!(&text[signers.inner.clone()], "-> x\nAA\n");
        assert!(text[signers.outer].starts_with("```maml-signers\n"));
        assert!(only(&fences, "maml-recipients").is_err());
    }

    #[test]
    fn an_unclosed_or_doubled_fence_is_none() {
        assert_eq!(fences("```a\nb\n"), []);
        let twice = "```a\n```\n```a\n```\n";
        assert!(only(&fences(twice), "a").unwrap_err().contains("two"));
    }
}
