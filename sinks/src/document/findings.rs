//! The findings of one document, as they are gathered.

use super::finding::{Finding, Level, Rule};
use super::profile::Profile;
use super::rules::TOO_MANY;
use super::source::Source;

/// Most findings that are listed: errors, and others.
const MAX_LISTED: usize = 200;

pub(super) struct Findings<'a> {
    source: &'a Source<'a>,
    /// The profile that was asked for: what it wants is then wanted.
    asked: Option<Profile>,
    listed: Vec<Finding>,
    errors: usize,
    unlisted: usize,
}

impl<'a> Findings<'a> {
    pub(super) fn new(source: &'a Source<'a>, asked: Option<Profile>) -> Self {
        Self {
            source,
            asked,
            listed: Vec::new(),
            errors: 0,
            unlisted: 0,
        }
    }

    /// What breaks `rule` at this byte of the text.
    pub(super) fn add(
        &mut self,
        rule: &'static Rule,
        at: usize,
        pointer: impl Into<String>,
        message: String,
    ) {
        self.put(rule, rule.level, at, pointer.into(), message);
    }

    /// Whether another finding of this rule would only be counted: then its place need not be sought.
    pub(super) fn only_counts(&self, rule: &'static Rule) -> bool {
        let of_its_kind = match rule.level == Level::Error {
            true => self.errors,
            false => self.listed.len() - self.errors,
        };
        of_its_kind == MAX_LISTED
    }

    /// As [`Findings::add`], and an error where the profile was asked for.
    pub(super) fn add_of_profile(
        &mut self,
        rule: &'static Rule,
        at: usize,
        pointer: impl Into<String>,
        message: String,
    ) {
        let level = match self.asked {
            Some(_) => Level::Error,
            None => rule.level,
        };
        self.put(rule, level, at, pointer.into(), message);
    }

    fn put(&mut self, rule: &'static Rule, level: Level, at: usize, pointer: String, message: String) {
        let is_error = level == Level::Error;
        let of_its_kind = match is_error {
            true => self.errors,
            false => self.listed.len() - self.errors,
        };
        if of_its_kind == MAX_LISTED {
            self.unlisted += 1;
            return;
        }
        self.errors += usize::from(is_error);
        let place = self.source.place(at);
        self.listed.push(Finding {
            rule,
            level,
            message: bounded(message),
            pointer: bounded(pointer),
            line: place.line,
            column: place.column,
            byte: place.byte,
        });
    }

    /// All, in the order of the file.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.listed
            .sort_by(|a, b| (a.byte, a.rule.code, &a.pointer).cmp(&(b.byte, b.rule.code, &b.pointer)));
        if self.unlisted > 0 {
            let place = self.source.place(0);
            self.listed.push(Finding {
                rule: &TOO_MANY,
                level: TOO_MANY.level,
                message: format!("{} more findings", self.unlisted),
                pointer: String::new(),
                line: place.line,
                column: place.column,
                byte: place.byte,
            });
        }
        self.listed
    }
}

/// Strangers' words inside a message are kept short.
pub(super) fn bounded(mut text: String) -> String {
    const MAX: usize = 300;
    if let Some((end, _)) = text.char_indices().nth(MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}
