//! The dashboard at the terminal: the same lights for a machine without a screen.
//!
//! It looks at the board four times a second on a thread of its own, so nothing waits for it. The terminal is
//! given back whatever happens: at the end, on an error, when any thread panics, at a second Ctrl-C.

mod page;
mod room;
mod terminal;
mod words;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::widgets::Paragraph;

use super::Board;
use crate::exit::Wrong;
use crate::told;
use page::Page;
use room::Room;
use terminal::Taken;
pub(crate) use terminal::restore;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// What the dashboard is of.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// Command and what it runs on.
    pub(crate) title: String,
    /// What grows on the disk.
    pub(crate) files: Vec<PathBuf>,
}

/// The dashboard. Dropping it gives the terminal back.
#[derive(Debug)]
pub(crate) struct Screen {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Refuses where nobody could see it.
///
/// # Errors
/// If stdout is no terminal.
pub(crate) fn must_be_a_terminal() -> anyhow::Result<()> {
    if io::stdout().is_terminal() {
        return Ok(());
    }
    let wrong =
        anyhow!("--tui draws on a terminal, and stdout is none: leave it out, or do not redirect stdout");
    Err(wrong.context(Wrong::Arguments))
}

impl Screen {
    /// Takes the terminal. `q` and Ctrl-C set `stop`, as Ctrl-C does without a dashboard.
    ///
    /// # Errors
    /// If the terminal cannot be taken.
    pub(crate) fn open(board: Board, about: About, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        must_be_a_terminal()?;
        let mut taken = Taken::take().context("the terminal cannot be drawn on")?;
        let over = Arc::new(AtomicBool::new(false));
        let ended = over.clone();
        let mut watched = Watched {
            room: Room::new(about.files),
            title: about.title,
            begun: Instant::now(),
            board,
        };
        let work = move || {
            while !ended.load(Ordering::Relaxed) {
                let page = watched.page(stop.load(Ordering::Relaxed));
                let is_drawn = taken.draw(|frame| {
                    let area = frame.area();
                    let lines = page.lines(area.width.into(), area.height.into());
                    frame.render_widget(Paragraph::new(lines), area);
                });
                if !is_drawn {
                    break;
                }
                hear(LOOK, &stop);
            }
        };
        let thread = thread::Builder::new().name("dashboard".into()).spawn(work);
        let thread = thread.inspect_err(|_| restore());
        Ok(Self {
            over,
            thread: Some(thread.context("cannot start the thread `dashboard`")?),
        })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // If it panicked that has been told.
            let _ = thread.join();
        }
        restore();
    }
}

/// What is looked at.
struct Watched {
    board: Board,
    title: String,
    begun: Instant,
    room: Room,
}

impl Watched {
    fn page(&mut self, stopping: bool) -> Page {
        Page {
            title: self.title.clone(),
            elapsed: self.begun.elapsed(),
            seen: self.board.look(),
            frames: self.board.frames(),
            is_live: self.board.is_live(),
            room: self.room.look(Instant::now()),
            alerts: told::since(0),
            stopping,
        }
    }
}

/// Waits so long for keys.
fn hear(wait: Duration, stop: &AtomicBool) {
    let until = Instant::now() + wait;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match event::poll(left) {
            Ok(true) => {}
            Ok(false) => return,
            // Nobody types here.
            Err(_) => return thread::sleep(left),
        }
        if let Ok(Event::Key(key)) = event::read() {
            pressed(key, stop);
        }
    }
}

fn pressed(key: KeyEvent, stop: &AtomicBool) {
    if key.kind != KeyEventKind::Press {
        return;
    }
    let is_ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    if !is_ctrl_c && !matches!(key.code, KeyCode::Char('q' | 'Q')) {
        return;
    }
    if stop.swap(true, Ordering::SeqCst) && is_ctrl_c {
        restore();
        std::process::exit(130);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_and_ctrl_c_stop_and_other_keys_do_not() {
        let check = |code: KeyCode, modifiers: KeyModifiers| {
            let stop = AtomicBool::new(false);
            pressed(KeyEvent::new(code, modifiers), &stop);
            stop.into_inner()
        };
        assert!(check(KeyCode::Char('q'), KeyModifiers::NONE));
        assert!(check(KeyCode::Char('Q'), KeyModifiers::SHIFT));
        assert!(check(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!check(KeyCode::Char('c'), KeyModifiers::NONE));
        assert!(!check(KeyCode::Esc, KeyModifiers::NONE));
    }
}
