//! Other people's words inside a document: they stay words.

/// A double-quoted YAML scalar: JSON strings are those, once nothing unprintable is in them.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::String(one_line(text)).to_string()
}

/// Letters that need no escape in a URI.
pub(super) fn device_name(text: &str) -> String {
    let kept = |c: char| {
        if c.is_ascii_alphanumeric() || "-._".contains(c) {
            c
        } else {
            '-'
        }
    };
    text.chars().map(kept).collect()
}

/// Whether a character shows nothing, or something other than what stands there.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if is_unprintable(c) { ' ' } else { c })
        .collect()
}

/// Lines kept, control and direction characters taken out.
pub(super) fn without_controls(text: &str) -> String {
    text.chars()
        .filter(|&c| c == '\n' || c == '\t' || !is_unprintable(c))
        .collect()
}

/// One line of text that no renderer takes for markup.
pub(super) fn plain(text: &str) -> String {
    let escaped = one_line(text).replace('&', "&amp;").replace('<', "&lt;");
    let trimmed = escaped.trim();
    // A numbered item can hold a fence: its point is what makes it one.
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    if trimmed.starts_with(['`', '~', '#', '-', '=', '>', '+', '*', '|', '_', '[']) {
        format!("\\{trimmed}")
    } else if digits > 0 && trimmed[digits..].starts_with(['.', ')']) {
        format!("{}\\{}", &trimmed[..digits], &trimmed[digits..])
    } else {
        trimmed.to_owned()
    }
}

/// Each line as [`plain`].
pub(super) fn prose(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}
