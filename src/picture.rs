//! The picture of a run, where the program was built with one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Receiver;

use beluga_types::{Echogram, Rig, SolidarFrame};
use clap::{Args, ValueEnum};

use crate::latency::Watch;
#[cfg(feature = "viz")]
pub(crate) use with_viewer::{Page, Picture, is_watched};
#[cfg(not(feature = "viz"))]
pub(crate) use without_viewer::{Page, Picture, is_watched, lacking};

/// Something to draw.
#[cfg_attr(not(feature = "viz"), expect(dead_code, reason = "sent to nobody"))]
pub(crate) enum Look {
    /// A frame.
    Frame(Arc<SolidarFrame>),
    /// A ping.
    Echo(Echogram),
}

/// What a picture is of.
#[cfg_attr(not(feature = "viz"), allow(dead_code, reason = "there is no picture"))]
#[derive(Clone)]
pub(crate) struct Subject<'a> {
    pub(crate) rig: &'a Rig,
    /// What the run's data are held against.
    pub(crate) watch: &'a Watch,
    pub(crate) colours: Colours,
}

/// What colours say.
#[cfg_attr(not(feature = "viz"), allow(dead_code, reason = "there is no picture"))]
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Colours {
    /// What the colour of the map's points says: what suits each `sensor` (light in grey by intensity, sound by
    /// `--sonar-colour`), the `medium` they were seen through, their own `sigma` (bright is certain), the `label`
    /// (structure, bed, surface), or their `age` (bright is new). What is doubtful is red.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    colour: MapColour,
    /// What the colour of the sonar's points says: echo level (bright is loud), depth (dark is deep),
    /// signal to noise (bright is clear), the point's own sigma (bright is certain), or the order of
    /// IHO S-44 whose uncertainties it keeps within (bright is Exclusive, dark is none).
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    sonar_colour: SonarColour,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum MapColour {
    #[default]
    Sensor,
    Medium,
    Sigma,
    Label,
    Age,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SonarColour {
    #[default]
    Level,
    Depth,
    Snr,
    Sigma,
    Order,
}

/// Where a page listens, and whether a browser is opened for it.
#[cfg_attr(not(feature = "viz"), expect(dead_code, reason = "there is no page"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// The page's port; the usual one if not named.
    pub(crate) port: Option<u16>,
    pub(crate) browser: bool,
}

#[cfg(feature = "viz")]
mod with_viewer {
    use std::sync::atomic::Ordering;
    use std::sync::mpsc::RecvTimeoutError;
    use std::time::{Duration, Instant};

    use beluga_viz::{Level, Options, PORT, Recorder, Viewer};

    use super::*;
    use crate::browser;
    pub(crate) use crate::browser::is_watched;
    use crate::cockpit::{Board, Stage};
    use crate::told;

    /// Draws into a rerun recording on its own thread.
    pub(crate) struct Picture {
        path: PathBuf,
        recorder: Recorder,
        watch: Watch,
        /// The first line of what was told that is not in the log yet.
        untold: u64,
    }

    /// Where nothing comes for so long it is looked all the same: all sensors may be silent.
    const QUIET: Duration = Duration::from_secs(1);

    impl Subject<'_> {
        fn options(&self) -> Options {
            Options {
                paced: self.watch.is_paced(),
                heard: self.watch.board().is_some_and(Board::is_live),
                ..self.colours.options()
            }
        }
    }

    impl Colours {
        fn options(self) -> Options {
            let sonar_colour = match self.sonar_colour {
                SonarColour::Level => beluga_viz::SonarColour::Level,
                SonarColour::Depth => beluga_viz::SonarColour::Depth,
                SonarColour::Snr => beluga_viz::SonarColour::Snr,
                SonarColour::Sigma => beluga_viz::SonarColour::Sigma,
                SonarColour::Order => beluga_viz::SonarColour::Order,
            };
            let map_colour = match self.colour {
                MapColour::Sensor => beluga_viz::MapColour::Sensor,
                MapColour::Medium => beluga_viz::MapColour::Medium,
                MapColour::Sigma => beluga_viz::MapColour::Sigma,
                MapColour::Label => beluga_viz::MapColour::Label,
                MapColour::Age => beluga_viz::MapColour::Age,
            };
            Options {
                map_colour,
                sonar_colour,
                ..Options::default()
            }
        }
    }

    impl Picture {
        /// A picture that will be written to `path`.
        ///
        /// # Errors
        /// If the file cannot be made.
        pub(crate) fn create(path: &Path, subject: Subject<'_>) -> anyhow::Result<Self> {
            Ok(Self {
                path: path.to_owned(),
                recorder: Recorder::create_with(path, subject.rig, subject.options())?,
                watch: subject.watch.clone(),
                untold: 0,
            })
        }

        /// As [`Self::create`], and on a page while it is drawn.
        ///
        /// # Errors
        /// If the file or the page cannot be made.
        pub(crate) fn on_page(
            path: &Path,
            subject: Subject<'_>,
            opening: Opening,
        ) -> anyhow::Result<(Self, Page)> {
            let (viewer, feed) = Viewer::live(port(opening))?;
            let recorder = Recorder::live(feed, Some(path), subject.rig, subject.options())?;
            let picture = Self {
                path: path.to_owned(),
                recorder,
                watch: subject.watch.clone(),
                untold: 0,
            };
            Ok((picture, Page::open(viewer, opening)))
        }

        /// Draws until the sender is gone; gives back where the picture is.
        pub(crate) fn draw(mut self, looks: Receiver<Look>) -> anyhow::Result<PathBuf> {
            loop {
                match looks.recv_timeout(QUIET) {
                    Ok(Look::Frame(frame)) => self.frame(&frame)?,
                    Ok(Look::Echo(echo)) => self.recorder.echo(&echo)?,
                    Err(RecvTimeoutError::Timeout) => self.quiet()?,
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            self.recorder.finish()?;
            Ok(self.path)
        }

        fn frame(&mut self, frame: &SolidarFrame) -> anyhow::Result<()> {
            if let Some(by) = self.watch.late(frame.window.end, Instant::now()) {
                self.recorder.late(by);
            }
            self.recorder.frame(frame)?;
            self.watch.reached(Stage::Drawn, frame.window.end);
            if let Some(board) = self.watch.board().cloned()
                && let Some(seen) = board.shown(frame.window.end)
            {
                self.recorder.instruments(&seen)?;
                self.log(&board)?;
            }
            Ok(())
        }

        fn quiet(&mut self) -> anyhow::Result<()> {
            if let Some(board) = self.watch.board().cloned().filter(Board::is_live) {
                self.recorder.instruments(&board.look())?;
                self.log(&board)?;
            }
            Ok(())
        }

        /// What was told since: of a recording only what lights say, which is of its data.
        fn log(&mut self, board: &Board) -> anyhow::Result<()> {
            for told in told::since(self.untold) {
                self.untold = told.number + 1;
                let level = if told.of_light { Level::Warn } else { Level::Info };
                if told.of_light || board.is_live() {
                    self.recorder.note(level, &told.text)?;
                }
            }
            Ok(())
        }
    }

    /// A page with the viewer on it.
    pub(crate) struct Page {
        viewer: Viewer,
        /// Whether a browser was opened for it.
        opened: bool,
    }

    impl Page {
        /// A page that shows a recording.
        ///
        /// # Errors
        /// If the page cannot be served.
        pub(crate) fn of_file(recording: &Path, opening: Opening) -> anyhow::Result<Self> {
            let viewer = Viewer::file(recording, port(opening))?;
            Ok(Self::open(viewer, opening))
        }

        /// A page that shows frames as they are drawn, and what draws them; no file is made.
        ///
        /// # Errors
        /// If the page cannot be served.
        pub(crate) fn of_frames(
            rig: &Rig,
            opening: Opening,
            colours: Colours,
        ) -> anyhow::Result<(Self, Recorder)> {
            let (viewer, feed) = Viewer::live(port(opening))?;
            let recorder = Recorder::live(feed, None, rig, colours.options())?;
            Ok((Self::open(viewer, opening), recorder))
        }

        fn open(viewer: Viewer, opening: Opening) -> Self {
            for note in viewer.notes() {
                crate::tell(note);
            }
            let url = viewer.url();
            let opened = opening.browser && browser::open(&url);
            crate::tell(&match (opening.browser, opened) {
                (_, true) => format!("look at {url} (a browser opens)"),
                (true, false) => format!("no browser found: open {url}"),
                (false, false) => format!("open {url}"),
            });
            Self { viewer, opened }
        }

        /// Whether a browser was opened for it.
        pub(crate) fn is_opened(&self) -> bool {
            self.opened
        }

        /// Where it is.
        pub(crate) fn url(&self) -> String {
            self.viewer.url()
        }

        /// Serves until `stop` is set.
        pub(crate) fn serve(self, stop: &AtomicBool) {
            const GLANCE: Duration = Duration::from_millis(100);
            if !stop.load(Ordering::Relaxed) {
                crate::tell(&format!("{} stays until Ctrl-C", self.viewer.url()));
            }
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(GLANCE);
            }
        }
    }

    fn port(opening: Opening) -> u16 {
        opening.port.unwrap_or(PORT)
    }
}

/// There is no picture in a program built without the feature `viz`.
#[cfg(not(feature = "viz"))]
mod without_viewer {
    use std::convert::Infallible;

    use super::*;

    /// Nothing is to be seen here.
    pub(crate) fn is_watched() -> bool {
        false
    }

    pub(crate) struct Picture(Infallible);

    impl Picture {
        /// # Errors
        /// Always, with what to do about it.
        pub(crate) fn create(_: &Path, _: Subject<'_>) -> anyhow::Result<Self> {
            Err(lacking())
        }

        /// # Errors
        /// Always.
        pub(crate) fn on_page(_: &Path, _: Subject<'_>, _: Opening) -> anyhow::Result<(Self, Page)> {
            Err(lacking())
        }

        pub(crate) fn draw(self, _: Receiver<Look>) -> anyhow::Result<PathBuf> {
            match self.0 {}
        }
    }

    pub(crate) struct Page(Infallible);

    impl Page {
        pub(crate) fn is_opened(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn serve(self, _: &AtomicBool) {
            match self.0 {}
        }
    }

    /// What to do about a picture that this build cannot make.
    pub(crate) fn lacking() -> anyhow::Error {
        anyhow::anyhow!(
            "this beluga was built without the feature `viz`: use --view none, or build it with `cargo build --release`"
        )
    }
}
