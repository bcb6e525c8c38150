//! The terminal while the dashboard has it.

use std::io::{self, Stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};

use crate::told;

/// Whether the dashboard has it; there is one terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Held while something is drawn, so that nothing is drawn on a terminal that was given back.
static DRAWING: Mutex<()> = Mutex::new(());

/// The terminal, taken.
pub(super) struct Taken(Terminal<CrosstermBackend<Stdout>>);

impl Taken {
    /// Takes it, until [`restore`]; what people are told waits meanwhile.
    ///
    /// # Errors
    /// If the terminal refuses.
    pub(super) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                restore();
                before(info);
            }));
        });
        TAKEN.store(true, Ordering::SeqCst);
        told::hold();
        let taken = enable_raw_mode()
            .and_then(|()| execute!(io::stdout(), EnterAlternateScreen))
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        if taken.is_err() {
            restore();
        }
        taken.map(Self)
    }

    /// Draws; whether there is still a terminal to draw on.
    pub(super) fn draw(&mut self, what: impl FnOnce(&mut Frame<'_>)) -> bool {
        let Ok(_drawing) = DRAWING.lock() else {
            return false;
        };
        TAKEN.load(Ordering::SeqCst) && self.0.draw(what).is_ok()
    }
}

/// Gives the terminal back as it was, if it was taken.
pub(crate) fn restore() {
    /// Whoever draws is done within this; who panics while drawing holds it itself.
    const PATIENCE: Duration = Duration::from_millis(2);
    const TRIES: u32 = 50;
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let drawing = (0..TRIES).find_map(|_| {
        let drawing = DRAWING.try_lock();
        drawing.inspect_err(|_| thread::sleep(PATIENCE)).ok()
    });
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    drop(drawing);
    told::release();
}
