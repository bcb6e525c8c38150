//! The Markdown below the front matter: sections by headings of level 2, and fenced blocks.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A heading of level 2 and what stands below it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// As it is written.
    pub(super) heading: String,
    pub(super) at: usize,
    /// Up to the next heading of level 1 or 2.
    pub(super) body: Range<usize>,
}

/// A fenced block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fence {
    /// The words behind its backticks.
    pub(super) info: String,
    pub(super) at: usize,
    /// The lines between.
    pub(super) inner: Range<usize>,
    pub(super) is_closed: bool,
    /// Not inside a list or a quotation.
    pub(super) is_top: bool,
}

/// What a body consists of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Body {
    /// The first heading of level 1.
    pub(super) title: Option<String>,
    pub(super) parts: Vec<Part>,
    pub(super) fences: Vec<Fence>,
}

/// Reads `text` from byte `begins` on.
pub(super) fn parse(text: &str, begins: usize) -> Body {
    let mut body = Body::default();
    let mut heading: Option<(HeadingLevel, String)> = None;
    let mut depth = 0_usize;
    let events = Parser::new_ext(&text[begins..], Options::empty()).into_offset_iter();
    for (event, range) in events {
        let range = range.start + begins..range.end + begins;
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::List(_)) => depth += 1,
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_)) => depth -= 1,
            Event::Start(Tag::Heading { level, .. }) if depth == 0 && level <= HeadingLevel::H2 => {
                if let Some(part) = body.parts.last_mut().filter(|part| part.body.end == text.len()) {
                    part.body.end = range.start;
                }
                heading = Some((level, String::new()));
            }
            Event::Text(word) | Event::Code(word) => {
                if let Some((_, words)) = &mut heading {
                    words.push_str(&word);
                }
            }
            Event::End(TagEnd::Heading(_)) => match heading.take() {
                Some((HeadingLevel::H2, words)) => body.parts.push(Part {
                    heading: words.trim().to_owned(),
                    at: range.start,
                    body: range.end..text.len(),
                }),
                Some((_, words)) if body.title.is_none() => body.title = Some(words),
                _ => {}
            },
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let (inner, is_closed) = inside(text, range.clone());
                body.fences.push(Fence {
                    info: info.trim().to_owned(),
                    at: range.start,
                    inner,
                    is_closed,
                    is_top: depth == 0,
                });
            }
            _ => {}
        }
    }
    body
}

/// The lines between a block's fences, and whether the second is there (CommonMark 4.5).
fn inside(text: &str, block: Range<usize>) -> (Range<usize>, bool) {
    let lines = &text[block.clone()];
    let Some(first) = lines.find('\n') else {
        return (block.end..block.end, false);
    };
    let begins = block.start + first + 1;
    let marker = lines.trim_start().bytes().next().unwrap_or(b'`');
    let marks = |line: &str| line.trim().bytes().take_while(|&byte| byte == marker).count();
    let rest = lines[first + 1..].trim_end_matches(['\n', '\r']);
    let last = rest.rfind('\n').map_or(0, |newline| newline + 1);
    let line = rest[last..].trim_start_matches(['>', ' ']).trim();
    let closes = !line.is_empty() && marks(line) == line.len() && line.len() >= marks(lines).max(3);
    match closes {
        true => (begins..begins + last, true),
        false => (begins..block.end, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_blocks_stand_where_they_are() {
        let text = "---\n# Title\n\n## Intent\nDo *it*.\n\n## Code_Blocks\n### one\n```python\n## no heading\nx = 1\n```\n\n- a\n  ```json\n  {}\n  ```\n\n# After\n````md\n```\n````\n";
        let body = parse(text, 4);
        assert_eq!(body.title.as_deref(), Some("Title"));
        let names: Vec<_> = body.parts.iter().map(|part| part.heading.as_str()).collect();
        assert_eq!(names, ["Intent", "Code_Blocks"]);
        assert_eq!(text[body.parts[0].body.clone()].trim(), "Do *it*.");
        assert!(text[body.parts[0].at..].starts_with("## Intent"));
        assert!(text[body.parts[1].body.clone()].trim_end().ends_with("```"));
        let fences: Vec<_> = body
            .fences
            .iter()
            .map(|f| {
                (
                    f.info.as_str(),
                    text[f.inner.clone()].trim(),
                    f.is_closed,
                    f.is_top,
                )
            })
            .collect();
        assert_eq!(
            fences,
            [
                ("python", "## no heading\nx = 1", true, true),
                ("json", "{}", true, false),
                ("md", "```", true, true)
            ]
        );
    }

    #[test]
    fn a_block_that_is_not_closed_is_said() {
        for (text, closed) in [
            ("```a\nx\n", false),
            ("```a", false),
            ("```a\n", false),
            ("```a\n```", true),
            ("````a\n```\n", false),
            ("~~~a\n```\n", false),
            ("~~~a\n~~~~\n\n", true),
            ("```a\r\nx\r\n```\r\n", true),
            ("> ```a\n> x\n> ```\n", true),
        ] {
            assert_eq!(parse(text, 0).fences[0].is_closed, closed, "{text:?}");
        }
    }
}
