//! Whether somebody can look, and opening a browser for them.

use std::ffi::OsString;
use std::io::IsTerminal;

/// What the decision is made of, so that it can be tried without a desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Surroundings {
    /// Whether people's text goes to a terminal.
    terminal: bool,
    /// Whether a build server says it is one.
    ci: bool,
    /// Whether there is a screen, or a program that stands for a browser.
    screen: bool,
}

impl Surroundings {
    fn here() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value: OsString| !value.is_empty());
        Self {
            terminal: std::io::stderr().is_terminal() && std::io::stdout().is_terminal(),
            ci: set("CI"),
            screen: cfg!(any(target_os = "macos", windows))
                || set("DISPLAY")
                || set("WAYLAND_DISPLAY")
                || set("WSL_DISTRO_NAME")
                || set("BROWSER"),
        }
    }

    fn has_browser(self) -> bool {
        self.screen && !self.ci
    }

    fn is_watched(self) -> bool {
        self.has_browser() && self.terminal
    }
}

/// Whether a person sits here with a browser: then a run shows itself unasked.
pub(crate) fn is_watched() -> bool {
    Surroundings::here().is_watched()
}

/// Opens `url` in a browser; `false` if there is none. The browser runs beside us.
pub(crate) fn open(url: &str) -> bool {
    // Without a screen only a text browser would be found, and it would take the terminal.
    Surroundings::here().has_browser() && webbrowser::open(url).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_shows_itself_only_to_somebody_at_a_terminal_with_a_screen() {
        for (terminal, ci, screen, browser, watched) in [
            (true, false, true, true, true),
            (false, false, true, true, false),
            (true, false, false, false, false),
            (true, true, true, false, false),
            (false, true, false, false, false),
        ] {
            let around = Surroundings { terminal, ci, screen };
            assert_eq!(around.has_browser(), browser, "{around:?}");
            assert_eq!(around.is_watched(), watched, "{around:?}");
        }
    }
}
