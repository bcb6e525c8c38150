//! Lines in a run of bytes.

use super::sentence::LONGEST;

/// Bytes of a line that has not ended yet.
#[derive(Debug, Default)]
pub(super) struct Split {
    rest: Vec<u8>,
    /// The line is too long, and passed over up to its end.
    overlong: bool,
}

impl Split {
    /// The lines that end with these bytes, without what surrounds them, or what is wrong with one. Lines end
    /// where the bytes do if they are whole.
    pub(super) fn take(&mut self, mut bytes: &[u8], is_whole: bool) -> Vec<Result<Vec<u8>, String>> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.add(&bytes[..end]);
            lines.extend(self.line());
            bytes = &bytes[end + 1..];
        }
        self.add(bytes);
        if is_whole {
            lines.extend(self.line());
        }
        lines
    }

    /// What comes next does not go on where this ended: a connection that broke off, or what was let go. A
    /// line that has begun is none; whether there was one.
    pub(super) fn torn(&mut self) -> bool {
        self.overlong = false;
        !std::mem::take(&mut self.rest).is_empty()
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.rest.len() + bytes.len() > LONGEST {
            self.overlong = true;
            self.rest.clear();
        }
        if !self.overlong {
            self.rest.extend(bytes);
        }
    }

    /// A line has ended; nothing if it is empty.
    fn line(&mut self) -> Option<Result<Vec<u8>, String>> {
        let line = std::mem::take(&mut self.rest);
        if std::mem::take(&mut self.overlong) {
            return Some(Err(format!("more than {LONGEST} bytes")));
        }
        let line = line.trim_ascii();
        (!line.is_empty()).then(|| Ok(line.to_vec()))
    }
}

/// What a line is called that has begun and never ended.
pub(super) const BROKEN: &str = "a line that breaks off";
