//! The picture as it is now, for browsers that come and go and read as fast as they can.
//!
//! What is true only now replaces what was there before, so that what is kept does not grow with the
//! run: whoever comes gets the picture as it is, whoever is slow gets the newest of it. Only what is
//! bound to a moment (numbers over time, the log) is a history, and that one is bounded too.
//!
//! A browser asks for what has come since it asked last, when it has drawn what it got: nothing that
//! has been overtaken waits for it anywhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most that is kept of what is bound to a moment, bytes as sent: beyond it the oldest goes.
const MOST_MOMENT_BYTES: usize = 32 << 20;
/// Parts a browser gets at once at most: many more than are replaced all the time, so that each has
/// its turn.
pub(super) const MOST_PARTS: usize = 1024;

/// How long something is part of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// Always.
    Kept,
    /// Until there is something else under this name.
    Newest(String),
    /// As a part of the layout of this name, until another layout is complete.
    Layout(String),
    /// The last part of the layout of this name: it takes the place of all others.
    LayoutEnd {
        layout: String,
        /// The part for whoever has none yet: it lets the layout be looked at.
        opening: Vec<u8>,
    },
    /// As part of a history.
    Moment,
}

/// What is to be seen.
#[derive(Default)]
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// In the order in which it came.
    parts: BTreeMap<u64, Part>,
    /// Where the newest of each name stands.
    newest: HashMap<String, u64>,
    next: u64,
    moment_bytes: usize,
    ended: bool,
}

struct Part {
    stay: Stay,
    bytes: Arc<[u8]>,
}

impl State {
    fn put(&mut self, stay: Stay, bytes: Arc<[u8]>) {
        let at = self.next;
        self.next += 1;
        match &stay {
            Stay::Newest(name) => {
                if let Some(before) = self.newest.insert(name.clone(), at) {
                    self.parts.remove(&before);
                }
            }
            Stay::LayoutEnd { layout, .. } => self.parts.retain(|_, part| match &part.stay {
                Stay::Layout(other) | Stay::LayoutEnd { layout: other, .. } => other == layout,
                _ => true,
            }),
            Stay::Moment => self.moment_bytes += bytes.len(),
            Stay::Kept | Stay::Layout(_) => {}
        }
        self.parts.insert(at, Part { stay, bytes });
        if self.moment_bytes > MOST_MOMENT_BYTES {
            self.forget_moments();
        }
    }

    /// The layout that is whole, as whoever has none yet gets it: before all else, since a viewer that
    /// has something to show makes itself a layout.
    fn opening(&self, bytes: &mut Vec<u8>) {
        let whole = self.parts.values().rev().find_map(|part| match &part.stay {
            Stay::LayoutEnd { layout, opening } => Some((layout, opening)),
            _ => None,
        });
        if let Some((whole, opening)) = whole {
            let is_of_it = |part: &&Part| part.stay == Stay::Layout(whole.clone());
            let parts = self.parts.values().filter(is_of_it);
            parts.for_each(|part| bytes.extend_from_slice(&part.bytes));
            bytes.extend_from_slice(opening);
        }
    }

    /// Drops an eighth of the history, so that it is seldom searched for what is oldest.
    fn forget_moments(&mut self) {
        let (bytes, wanted) = (&mut self.moment_bytes, MOST_MOMENT_BYTES / 8 * 7);
        self.parts.retain(|_, part| {
            let goes = part.stay == Stay::Moment && *bytes > wanted;
            if goes {
                *bytes -= part.bytes.len();
            }
            !goes
        });
    }
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a part; never waits for a browser.
    pub(super) fn put(&self, stay: Stay, bytes: impl Into<Arc<[u8]>>) {
        self.state().put(stay, bytes.into());
        self.changed.notify_all();
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// What has come since the part `from`, oldest first, in at most so many parts; waits for
    /// something as long as `patience` says.
    pub(super) fn since(&self, from: u64, most_parts: usize, patience: Duration) -> News {
        let nothing = |state: &mut State| state.parts.range(from..).next().is_none() && !state.ended;
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), patience, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        let (mut bytes, mut next, mut parts) = (Vec::new(), from, 0);
        if from == 0 {
            state.opening(&mut bytes);
        }
        for (&at, part) in state.parts.range(from..).take(most_parts) {
            bytes.extend_from_slice(&part.bytes);
            next = at + 1;
            parts += 1;
        }
        let more = state.parts.range(next..).next().is_some();
        let then = match (more, state.ended) {
            (true, _) => Then::More,
            (false, false) => Then::Wait,
            (false, true) => Then::End,
        };
        News {
            bytes,
            parts,
            next,
            then,
        }
    }

    /// Bytes of what is now, and of what is a history.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> [usize; 2] {
        let state = self.state();
        let all: usize = state.parts.values().map(|part| part.bytes.len()).sum();
        [all - state.moment_bytes, state.moment_bytes]
    }

    /// Bytes of what is now, of names that begin so.
    #[cfg(test)]
    pub(super) fn bytes_below(&self, start: &str) -> usize {
        let state = self.state();
        let below = state.parts.values().filter(|part| match &part.stay {
            Stay::Newest(name) => name.starts_with(start),
            _ => false,
        });
        below.map(|part| part.bytes.len()).sum()
    }
}

/// What a browser is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    /// The parts, as they stand in a recording after its head, and how many they are.
    pub(super) bytes: Vec<u8>,
    pub(super) parts: usize,
    /// Where to go on from, and when.
    pub(super) next: u64,
    pub(super) then: Then,
}

/// What is there after some parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// More, at once.
    More,
    /// Nothing yet.
    Wait,
    /// Nothing will ever come.
    End,
}

impl Then {
    /// The word the page knows it by.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Then::More => "more",
            Then::Wait => "wait",
            Then::End => "end",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(name: &str) -> Stay {
        Stay::Newest(name.into())
    }

    /// All there is, each part ended by a stop.
    fn all(board: &Board) -> String {
        String::from_utf8(board.since(0, usize::MAX, Duration::ZERO).bytes).unwrap()
    }

    #[test]
    fn a_slow_browser_gets_the_newest_and_nothing_grows() {
        let board = Board::default();
        board.put(Stay::Kept, *b"who.");
        let first = board.since(0, MOST_PARTS, Duration::ZERO);
        assert_eq!((&first.bytes[..], first.then), (&b"who."[..], Then::Wait));
        for i in 0..10_000 {
            board.put(newest("fan"), format!("fan {i}.").into_bytes());
            board.put(newest("hull"), format!("hull {i}.").into_bytes());
        }
        assert_eq!(board.state().parts.len(), 3);
        let rest = board.since(first.next, MOST_PARTS, Duration::ZERO);
        assert_eq!(rest.bytes, *b"fan 9999.hull 9999.");
        assert_eq!(all(&board), "who.fan 9999.hull 9999.");
        let nothing = board.since(rest.next, MOST_PARTS, Duration::ZERO);
        assert_eq!(
            (nothing.parts, nothing.next, nothing.then),
            (0, rest.next, Then::Wait)
        );
    }

    #[test]
    fn a_layout_takes_the_place_of_the_one_before_when_it_is_whole() {
        let board = Board::default();
        for name in ["a", "b", "c"] {
            board.put(Stay::Layout(name.into()), format!("{name} 1.").into_bytes());
            board.put(Stay::Layout(name.into()), format!("{name} 2.").into_bytes());
            if name != "c" {
                board.put(end(name), format!("show {name}.").into_bytes());
            }
        }
        let first = board.since(0, 1, Duration::ZERO);
        assert_eq!(first.bytes, *b"b 1.b 2.open b.b 1.");
        let rest = board.since(first.next, MOST_PARTS, Duration::ZERO);
        assert_eq!(rest.bytes, *b"b 2.show b.c 1.c 2.");
    }

    #[test]
    fn whoever_comes_late_gets_the_layout_before_all_else_and_looks_at_it() {
        let board = Board::default();
        assert_eq!(all(&board), "");
        board.put(Stay::Layout("a".into()), *b"a.");
        board.put(newest("hull"), *b"hull 1.");
        assert_eq!(all(&board), "a.hull 1.", "not whole yet");
        board.put(end("a"), *b"show a.");
        board.put(newest("hull"), *b"hull 2.");
        assert_eq!(all(&board), "a.open a.a.show a.hull 2.");
    }

    fn end(name: &str) -> Stay {
        Stay::LayoutEnd {
            layout: name.into(),
            opening: format!("open {name}.").into_bytes(),
        }
    }

    #[test]
    fn a_history_is_bounded_and_loses_its_oldest() {
        let board = Board::default();
        board.put(newest("tile"), vec![7; 1000]);
        let moment = vec![0u8; MOST_MOMENT_BYTES / 100];
        for _ in 0..1000 {
            board.put(Stay::Moment, moment.clone());
            let [now, history] = board.sizes();
            assert!(now == 1000 && history <= MOST_MOMENT_BYTES, "{now} and {history}");
        }
        board.put(Stay::Moment, *b"last");
        let seen = board.since(0, usize::MAX, Duration::ZERO).bytes;
        assert_eq!(seen[..1000], [7; 1000], "what stands still is kept");
        assert!(
            seen.ends_with(b"last") && seen.len() > MOST_MOMENT_BYTES / 4 * 3,
            "{}",
            seen.len()
        );
    }

    #[test]
    fn one_that_asks_while_it_is_made_misses_no_moment_and_learns_of_the_end() {
        let board = Arc::new(Board::default());
        let asking = board.clone();
        let asks = std::thread::spawn(move || {
            let (mut bytes, mut from) = (0, 0);
            loop {
                let news = asking.since(from, MOST_PARTS, Duration::from_secs(60));
                bytes += news.bytes.len();
                from = news.next;
                if news.then == Then::End {
                    return bytes;
                }
            }
        });
        for _ in 0..1000 {
            board.put(Stay::Moment, *b"x");
        }
        board.end();
        assert_eq!(asks.join().unwrap(), 1000);
    }
}
