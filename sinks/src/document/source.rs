//! A document's text and where each byte of it stands in the file.

use std::borrow::Cow;
use std::cell::OnceCell;

/// Text that may have been moved to the left, and its places in the file.
#[derive(Debug)]
pub(super) struct Source<'a> {
    file: &'a str,
    /// Without byte order mark and the indentation of its first line.
    pub(super) text: Cow<'a, str>,
    /// Bytes before `text` in the file.
    skipped: usize,
    /// Where each line begins, in `text` and in the file; made when first asked for.
    lines: OnceCell<Vec<(usize, usize)>>,
    indent: usize,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
    /// From 0.
    pub(super) byte: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        let mut rest = file.strip_prefix('\u{feff}').unwrap_or(file);
        while let Some((line, after)) = rest.split_once('\n')
            && line.trim().is_empty()
        {
            rest = after;
        }
        let indent = rest.len() - rest.trim_start_matches(' ').len();
        Self {
            file,
            text: match indent {
                0 => rest.into(),
                _ => rest
                    .split_inclusive('\n')
                    .map(|line| &line[removed(line, indent)..])
                    .collect(),
            },
            skipped: file.len() - rest.len(),
            lines: OnceCell::new(),
            indent,
        }
    }

    /// Whether the document begins elsewhere than at the file's first byte.
    pub(super) fn is_displaced(&self) -> bool {
        self.skipped > 0 || self.indent > 0
    }

    /// Where a byte of `text` stands in the file.
    pub(super) fn place(&self, offset: usize) -> Place {
        let lines = self.lines.get_or_init(|| self.lines());
        let at = lines
            .partition_point(|&(start, _)| start <= offset)
            .saturating_sub(1);
        let (start, begins) = lines.get(at).copied().unwrap_or_default();
        let mut byte = (begins + offset.saturating_sub(start)).min(self.file.len());
        while !self.file.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &self.file[..byte];
        let line_begins = before.rfind('\n').map_or(0, |newline| newline + 1);
        let skipped_lines = self.file[..self.skipped].bytes().filter(|&b| b == b'\n').count();
        Place {
            line: skipped_lines + at + 1,
            column: before[line_begins..].chars().count() + 1,
            byte,
        }
    }

    /// Also the empty one behind a newline at the end: what is missing there stands in it.
    fn lines(&self) -> Vec<(usize, usize)> {
        let (mut start, mut begins) = (0, self.skipped);
        let mut lines = Vec::new();
        for line in self.file[self.skipped..].split('\n') {
            let removed = removed(line, self.indent);
            lines.push((start, begins + removed));
            start += line.len() - removed + 1;
            begins += line.len() + 1;
        }
        lines
    }
}

/// How much of the indentation this line has.
fn removed(line: &str, indent: usize) -> usize {
    line.bytes().take(indent).take_while(|&byte| byte == b' ').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, word: &str, expected: (usize, usize)) {
        let source = Source::new(file);
        let offset = source.text.find(word).unwrap();
        let place = source.place(offset);
        assert_eq!((place.line, place.column), expected, "{word} of {file:?}");
        assert!(file[place.byte..].starts_with(word));
    }

    #[test]
    fn places_are_those_of_the_file() {
        check("---\na: 1\n", "---", (1, 1));
        check("---\na: 1\n", "1", (2, 4));
        check("\u{feff}\n\n---\nä: b\n", "b", (4, 4));
        check("  ---\n  a: 1\n  deep:\n    - x\n", "x", (4, 7));
        check("  ---\nless: y\n\n  z", "y", (2, 7));
        check("  ---\nless: y\n\n  z", "z", (4, 3));
        check("---\r\na: 1\r\n", "1", (2, 4));
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        for (file, line, column, byte) in [
            ("ab\nc", 2, 2, 4),
            ("ab\nc\n", 3, 1, 5),
            ("\n", 2, 1, 1),
            ("\u{feff} \n\n", 3, 1, 6),
            ("", 1, 1, 0),
        ] {
            let end = Place { line, column, byte };
            assert_eq!(Source::new(file).place(100), end, "{file:?}");
        }
    }
}
