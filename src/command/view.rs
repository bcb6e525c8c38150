//! `beluga view`: a record or a picture in the browser.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use super::maml::Keys;
use crate::exit::{Exit, Wrong};
use crate::picture::Colours;

/// Shows a record (.maml) or a picture (.rrd) in the browser, until Ctrl-C.
///
/// Example: beluga view quay.maml
#[derive(Debug, Args)]
pub(crate) struct View {
    /// A record, opened with this machine's key unless another is named, or a picture as `--view
    /// rrd` makes it.
    file: PathBuf,
    /// Port of the page on this machine; a taken one is left alone and the next free one is told
    /// (default: 9090).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Serves the page without opening a browser.
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    colours: Colours,
    #[command(flatten)]
    keys: Keys,
}

/// What a file to look at is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Picture,
    Record,
}

impl Kind {
    /// # Errors
    /// If it is neither, with what was found.
    fn of(path: &Path) -> anyhow::Result<Self> {
        const PICTURE: &[u8] = b"RRF2";
        let mut first = Vec::new();
        File::open(path)
            .and_then(|file| file.take(PICTURE.len() as u64).read_to_end(&mut first))
            .with_context(|| format!("cannot read {}", path.display()))?;
        let named = |extension: &str| {
            path.extension()
                .is_some_and(|found| found.eq_ignore_ascii_case(extension))
        };
        if first == PICTURE {
            Ok(Kind::Picture)
        } else if named("maml") {
            Ok(Kind::Record)
        } else {
            let picture = String::from_utf8_lossy(PICTURE);
            Err(anyhow!(
                "neither a record (.maml) nor a picture (.rrd, which begins with {picture}): {} begins with `{}`; \
                 make one with `beluga replay RECORDING`",
                path.display(),
                first.escape_ascii(),
            ))
        }
    }
}

impl View {
    pub(crate) fn run(self, json: bool) -> anyhow::Result<Exit> {
        match Kind::of(&self.file).context(Wrong::Arguments)? {
            Kind::Picture => self.picture(json),
            Kind::Record => self.record(json),
        }
    }
}

#[cfg(feature = "viz")]
mod with_viewer {
    use std::sync::atomic::Ordering;

    use serde::Serialize;

    use super::*;
    use crate::cockpit::Board;
    use crate::command::maml::frames;
    use crate::command::run::stop_on_ctrl_c;
    use crate::document;
    use crate::picture::{Opening, Page};

    /// What is shown where.
    #[derive(Serialize)]
    struct Showing {
        page: String,
        /// Frames of a record.
        frames: Option<u64>,
    }

    impl View {
        fn opening(&self) -> Opening {
            Opening {
                port: self.port,
                browser: !self.no_browser,
            }
        }

        pub(super) fn picture(&self, json: bool) -> anyhow::Result<Exit> {
            let stop = stop_on_ctrl_c()?;
            let page = Page::of_file(&self.file, self.opening())?;
            tell_machines(json, &page, None)?;
            page.serve(&stop);
            Ok(Exit::Done)
        }

        /// Frame by frame into the viewer's memory; nothing of what was sealed is written anywhere.
        pub(super) fn record(&self, json: bool) -> anyhow::Result<Exit> {
            let stop = stop_on_ctrl_c()?;
            let mut shown = None;
            let mut count = 0;
            let exit = frames(&self.file, &self.keys, None, |document, frame| {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                if shown.is_none() {
                    let rig = document::rig(document).context("the record does not describe its rig")?;
                    let (page, recorder) = Page::of_frames(&rig, self.opening(), self.colours)?;
                    shown = Some((page, recorder, Board::of_recording(&rig)));
                }
                if let Some((_, recorder, board)) = &mut shown {
                    board.recorded(&frame);
                    recorder.frame(&frame)?;
                    if let Some(seen) = board.shown(frame.window.end) {
                        recorder.instruments(&seen)?;
                    }
                    count += 1;
                }
                Ok(())
            })?;
            let Some((page, recorder, _)) = shown else {
                if stop.load(Ordering::Relaxed) {
                    return Ok(exit);
                }
                let name = self.file.display();
                crate::tell(&format!("no frame can be read, nothing is to be seen: {name}"));
                return Ok(if exit == Exit::Done { Exit::Findings } else { exit });
            };
            recorder.finish()?;
            tell_machines(json, &page, Some(count))?;
            page.serve(&stop);
            Ok(exit)
        }
    }

    fn tell_machines(json: bool, page: &Page, frames: Option<u64>) -> anyhow::Result<()> {
        let page = page.url();
        if json {
            crate::command::show(true, &Showing { page, frames }, "")?;
        }
        Ok(())
    }
}

/// There is no viewer in a program built without the feature `viz`.
#[cfg(not(feature = "viz"))]
impl View {
    fn picture(&self, _: bool) -> anyhow::Result<Exit> {
        Err(crate::picture::lacking())
    }

    fn record(&self, _: bool) -> anyhow::Result<Exit> {
        Err(crate::picture::lacking())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            Kind::of(&path).map_err(|error| error.to_string())
        };
        assert_eq!(check("a.rrd", b"RRF2\0\0"), Ok(Kind::Picture));
        assert_eq!(check("a", b"RRF2"), Ok(Kind::Picture));
        assert_eq!(check("a.maml", b"---\n"), Ok(Kind::Record));
        assert_eq!(check("A.MAML", b""), Ok(Kind::Record));
        for (name, bytes) in [("b.rrd", &b"ply\n"[..]), ("c.ply", b"ply\n"), ("d", b"")] {
            let said = check(name, bytes).unwrap_err();
            assert!(said.contains(name) && said.contains(".maml"), "{said}");
        }
        assert!(Kind::of(&folder.path().join("absent")).is_err());
    }
}
