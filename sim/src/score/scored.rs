//! A number, or why there is none.

use std::fmt;

use serde::Serialize;

/// A part of a score, or the reason why a run or a site has none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scored<T> {
    /// The score.
    Scored(T),
    /// Why there is none, in a sentence for people.
    NotApplicable(String),
}

impl<T> Scored<T> {
    /// The score, or the reason why there is none.
    pub(super) fn or(value: Option<T>, reason: &str) -> Self {
        value.map_or_else(|| Self::NotApplicable(reason.to_owned()), Self::Scored)
    }

    /// The score, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Scored::Scored(value) => Some(value),
            Scored::NotApplicable(_) => None,
        }
    }
}

impl<T: fmt::Display> fmt::Display for Scored<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scored::Scored(value) => value.fmt(f),
            Scored::NotApplicable(reason) => write!(f, "not applicable: {reason}"),
        }
    }
}
