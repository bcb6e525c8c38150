//! What `demo` and `replay` share: where the results go, the keys, the progress bar, the summary.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use beluga_fusion::sonar::Transforms;
use beluga_sinks::maml::{
    Demands, DocumentFields, KeyFile, KeyStore, Passphrase, Previous, Readers, Recipient, Suite, Writer,
    WriterOptions,
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::maml::Keys;
use crate::audit;
use crate::by_document::{self, By};
use crate::clock;
use crate::cockpit::screen::{self, Screen};
use crate::config::Config;
use crate::cpu;
use crate::document;
use crate::exit::Wrong;
use crate::latency::Watch;
use crate::picture::{Colours, Opening, Page, Picture, Subject, is_watched};

/// Where the results of a run go.
#[derive(Clone, Debug, Args)]
pub(crate) struct Results {
    /// Config file (TOML); works without one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The picture: `web` in the browser and `rrd` beside the record, `rrd` beside the record,
    /// `rrd=FILE`, or `none` [default: `web` at a terminal with a screen, else `rrd`]. With `web`
    /// the program stays after the run, until Ctrl-C, exactly if it opened a browser.
    #[arg(long)]
    view: Option<View>,
    #[command(flatten)]
    colours: Colours,
    /// The same frame bytes on every CPU: Fourier transforms are made by one code for all instead of the fastest
    /// this one has. Costs time where sonars give waveforms.
    #[arg(long)]
    portable: bool,
    /// Who may open the record, instead of this machine: a public key (`reader.xwing.pub`) made by
    /// `beluga maml keygen`; may be repeated.
    #[arg(long, value_name = "FILE")]
    recipient: Vec<PathBuf>,
    /// A key file of 32 bytes that opens the record, instead of this machine; may be repeated.
    #[arg(long, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// Asks at the terminal for a passphrase that opens the record, and nothing else does.
    #[arg(long, conflicts_with_all = ["recipient", "key_file", "passphrase_file"])]
    passphrase: bool,
    /// The passphrase is the first line of this file, mode 0600.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recipient", "key_file"])]
    passphrase_file: Option<PathBuf>,
    /// Fills the record's payloads up to a few lengths (at most 12 % longer), so that lengths tell less.
    #[arg(long)]
    pad: bool,
    /// Nobody without a key sees from the record when its frames were made. Seeking in it is slow.
    #[arg(long)]
    hide_times: bool,
    /// How the record is encrypted: `edge-256` (AES-256-GCM) or `core-512` (AEAD_AES_SIV_CMAC_512, which
    /// forgives a nonce that comes twice and costs several times as much).
    #[arg(long, default_value = "edge-256", value_parser = suite)]
    suite: Suite,
    /// The record that this one goes on from, after a restart: its id and the last root that it signed stand in the new
    /// one. It stays as it is.
    #[arg(long, value_name = "X.maml")]
    continues: Option<PathBuf>,
    /// What a document says of the run, if it runs by one.
    #[arg(skip)]
    by: Option<By>,
}

fn suite(text: &str) -> Result<Suite, String> {
    Suite::from_name(text).ok_or_else(|| format!("found `{text}`, expected `edge-256` or `core-512`"))
}

/// Whether and where a picture is made.
#[derive(Clone, Debug, PartialEq)]
enum View {
    None,
    Beside,
    At(PathBuf),
    Web,
}

impl FromStr for View {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "none" => Ok(View::None),
            None if text == "rrd" => Ok(View::Beside),
            None if text == "web" => Ok(View::Web),
            Some(("rrd", path)) if !path.is_empty() => Ok(View::At(path.into())),
            _ => Err(format!(
                "found `{text}`, expected `web`, `rrd`, `rrd=FILE` or `none`"
            )),
        }
    }
}

/// Whether a picture may be written there: another picture is replaced, nothing else.
fn may_be_drawn(path: &Path, record: &Path) -> anyhow::Result<()> {
    /// What a rerun recording begins with.
    const MAGIC: [u8; 4] = *b"RRF2";
    let is_taken = match std::fs::metadata(path) {
        Err(_) => path == record,
        Ok(found) => {
            let mut start = [0; 4];
            let read = |mut file: std::fs::File| std::io::Read::read_exact(&mut file, &mut start);
            let is_picture =
                found.is_file() && std::fs::File::open(path).and_then(read).is_ok() && start == MAGIC;
            !is_picture && (found.len() > 0 || !found.is_file())
        }
    };
    if is_taken {
        let wrong = anyhow::anyhow!(
            "{} is something else than a picture, and is not overwritten: name another with --view rrd=FILE",
            path.display()
        );
        return Err(wrong.context(Wrong::Arguments));
    }
    Ok(())
}

/// A run's sinks, made before the first measurement is read.
pub(crate) struct Opened {
    pub(crate) config: Config,
    pub(crate) record: Writer,
    pub(crate) path: PathBuf,
    pub(crate) picture: Option<Picture>,
    /// The page it is drawn on, if it is.
    pub(crate) page: Option<Page>,
    /// What the user should know of it: keys that were made.
    pub(crate) notes: Vec<String>,
}

impl Results {
    /// How measurements become frames, as the config has it.
    ///
    /// # Errors
    /// If the config cannot be read.
    pub(crate) fn fusion(&self) -> anyhow::Result<beluga_fusion::Config> {
        Ok(self.loaded()?.fusion)
    }

    fn loaded(&self) -> anyhow::Result<Config> {
        let mut config = match &self.by {
            None => Config::load(self.config.as_deref())?,
            Some(by) if self.config.is_none() => by.config.clone(),
            Some(_) => {
                let two = anyhow::anyhow!("the document holds the config: run it without --config");
                return Err(two.context(Wrong::Arguments));
            }
        };
        if self.portable {
            config.fusion.sonar.transforms = Transforms::Portable;
        }
        Ok(config)
    }

    /// What opens a record that these results are held against: what opens those of the run.
    pub(crate) fn keys(&self, identity: Vec<PathBuf>) -> Keys {
        Keys {
            identity,
            key_file: self.key_file.clone(),
            passphrase: self.passphrase,
            passphrase_file: self.passphrase_file.clone(),
        }
    }

    /// These results, as a document has the run.
    pub(crate) fn by(self, by: By) -> Self {
        Self { by: Some(by), ..self }
    }

    /// These results, without a picture unless one was asked for.
    pub(crate) fn unseen(mut self) -> Self {
        self.view.get_or_insert(View::None);
        self
    }

    /// Makes record and picture for a run of `source`. A path that was asked for must be free; a
    /// default one takes the next free name. `watch` is what the run's data are held against.
    ///
    /// # Errors
    /// If the config or a key is wrong, or a file cannot be made.
    pub(crate) fn open(
        &self,
        out: Option<&Path>,
        default: &Path,
        source: &audit::Source<'_>,
        watch: &Watch,
    ) -> anyhow::Result<Opened> {
        let (mut config, rig) = (self.loaded()?, source.rig);
        // Refused before anything is made, so that the next try finds the name free.
        beluga_fusion::Fuser::new(config.fusion.clone(), rig.clone()).context(Wrong::Arguments)?;
        let path = out.map_or_else(|| free_name(default), |out| Ok(out.to_owned()))?;
        if path.exists() {
            let taken = anyhow::anyhow!(
                "{} exists and is never overwritten: name another with --out",
                path.display()
            );
            return Err(taken.context(Wrong::Arguments));
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let created = if self.hide_times {
            clock::today()
        } else {
            clock::now()
        };
        let class = cpu::class_of(&config.fusion);
        let mut fields = document::fields(
            source.name,
            &config,
            rig,
            created,
            class.clone(),
            source.map.clone(),
        )?;
        if let Some(by) = &self.by {
            by.dress(&mut fields);
        }
        let operator = config.operator.as_deref();
        let begun = audit::begun(source, operator, &fields.config_toml, &class, clock::now())?;
        let (options, notes) = self.options(fields)?;
        let subject = Subject {
            rig,
            watch,
            colours: self.colours,
        };
        let (picture, page) = self.picture(&path, subject)?;
        config.fusion.keep_echoes = picture.is_some();
        let mut record = Writer::create(&path, options)
            .with_context(|| format!("cannot make the record {}", path.display()))?;
        record.push_meta(&begun)?;
        Ok(Opened {
            config,
            record,
            path,
            picture,
            page,
            notes,
        })
    }

    fn picture(
        &self,
        record: &Path,
        subject: Subject<'_>,
    ) -> anyhow::Result<(Option<Picture>, Option<Page>)> {
        let beside = record.with_extension("rrd");
        let view = match &self.view {
            Some(view) => view.clone(),
            // A program built without the picture goes on without it unless it was asked for.
            None if !cfg!(feature = "viz") => View::None,
            None if is_watched() => View::Web,
            None => View::Beside,
        };
        let opening = Opening {
            port: None,
            browser: true,
        };
        match &view {
            View::None => {}
            View::At(path) => may_be_drawn(path, record)?,
            View::Beside | View::Web => may_be_drawn(&beside, record)?,
        }
        match view {
            View::None => Ok((None, None)),
            View::Beside => Ok((Some(Picture::create(&beside, subject)?), None)),
            View::At(path) => Ok((Some(Picture::create(&path, subject)?), None)),
            View::Web => match Picture::on_page(&beside, subject.clone(), opening) {
                Ok((picture, page)) => Ok((Some(picture), Some(page))),
                // The run goes on without a page if it can.
                Err(error) => {
                    let picture = Picture::create(&beside, subject)?;
                    crate::tell(&format!("warning: no page for the browser: {error:#}"));
                    Ok((Some(picture), None))
                }
            },
        }
    }

    fn readers(&self) -> anyhow::Result<Readers> {
        let public = self.recipient.iter().map(|path| Recipient::load(path));
        let files = self.key_file.iter().map(|path| KeyFile::load(path));
        Ok(Readers {
            recipients: public.collect::<Result<_, _>>().context(Wrong::Arguments)?,
            key_files: files.collect::<Result<_, _>>().context(Wrong::Arguments)?,
            passphrase: match &self.passphrase_file {
                Some(path) => Some(Passphrase::load(path).context(Wrong::Arguments)?),
                None if self.passphrase => Some(crate::passphrase::chosen()?),
                None => None,
            },
        })
    }

    fn options(&self, document: DocumentFields) -> anyhow::Result<(WriterOptions, Vec<String>)> {
        let store = KeyStore::open_default()?;
        let device = store.device_key()?;
        let mut notes = Vec::new();
        if device.created {
            notes.push(format!(
                "made this device's signing key: {}",
                device.path.display()
            ));
        }
        let mut readers = self.readers()?;
        if readers.is_empty() {
            let reader = store.reader_key()?;
            if reader.created {
                notes.push(format!(
                    "made a key to read records with: {}",
                    reader.path.display()
                ));
            }
            notes.push(
                "the key that reads this record lies on this machine: who takes the machine reads it \
                 (record for somebody else with --recipient)"
                    .into(),
            );
            readers.recipients.push(reader.key.recipient());
        }
        if let Some(by) = &self.by {
            let own_id = || Some(device.key.id().to_string());
            by_document::may_read(by.permissions.as_ref(), &readers.names(), own_id).map_err(|reason| {
                anyhow::anyhow!("no record may be made: {reason}").context(Wrong::Arguments)
            })?;
        }
        let options = WriterOptions {
            document,
            suite: self.suite,
            readers,
            device: device.key,
            previous: self.continues.as_deref().map(before).transpose()?,
            padded: self.pad,
            hides_times: self.hide_times,
        };
        Ok((options, notes))
    }
}

/// What a record says of itself that another goes on from.
fn before(record: &Path) -> anyhow::Result<Previous> {
    let report = super::maml::reported(record, None, &Demands::default())?;
    let signed = report.signed.zip(report.head.as_ref());
    let Some(((_, root), head)) = signed.filter(|_| report.exit_code() != 4) else {
        let wrong = anyhow::anyhow!(
            "--continues: {} is {}, and nothing of it is signed that could be gone on from",
            record.display(),
            report.status
        );
        return Err(wrong.context(Wrong::Arguments));
    };
    Ok(Previous {
        file_id: head.file_id,
        root,
    })
}

/// Goes on showing after the run, until `stop`, exactly if a browser was opened.
pub(crate) fn keep_showing(page: Option<Page>, stop: &AtomicBool) {
    if let Some(page) = page.filter(Page::is_opened) {
        page.serve(stop);
    }
}

/// The path itself if nothing is there, else with the first free number.
pub(crate) fn free_name(path: &Path) -> anyhow::Result<PathBuf> {
    const MOST: u32 = 10_000;
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let extension = path
        .extension()
        .map(|e| format!(".{}", e.to_string_lossy()))
        .unwrap_or_default();
    std::iter::once(path.to_owned())
        .chain((2..MOST).map(|number| path.with_file_name(format!("{stem}-{number}{extension}"))))
        .find(|candidate| !candidate.exists())
        .with_context(|| {
            format!(
                "no free name like {}; clear the folder or name one",
                path.display()
            )
        })
}

/// A flag that Ctrl-C sets: the run then drains and finishes every file. A second Ctrl-C ends the
/// program at once.
///
/// # Errors
/// If the system takes no handler.
pub(crate) fn stop_on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            screen::restore();
            std::process::exit(130);
        }
        crate::tell("stopping (Ctrl-C again to end at once)");
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(stop)
}

/// A bar on stderr that counts frames, silent where stderr is no terminal; or the dashboard.
pub(crate) struct Progress {
    bar: ProgressBar,
    screen: Option<Screen>,
    pub(crate) frames: Arc<AtomicU64>,
}

impl Progress {
    /// Starts counting.
    pub(crate) fn start() -> Self {
        let frames = Arc::new(AtomicU64::new(0));
        let counted = frames.clone();
        let style = ProgressStyle::with_template("{spinner} {frames} frames in {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .with_key(
                "frames",
                move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = write!(out, "{}", counted.load(Ordering::Relaxed));
                },
            );
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            screen: None,
            frames,
        }
    }

    /// The dashboard instead, if there is one.
    pub(crate) fn on(screen: Option<Screen>) -> Self {
        if screen.is_none() {
            return Self::start();
        }
        Self {
            bar: ProgressBar::hidden(),
            screen,
            frames: Arc::default(),
        }
    }

    /// Clears the bar, or gives the terminal back.
    pub(crate) fn stop(self) {
        self.bar.finish_and_clear();
        drop(self.screen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_read() {
        assert_eq!("none".parse(), Ok(View::None));
        assert_eq!("rrd".parse(), Ok(View::Beside));
        assert_eq!("rrd=a/b.rrd".parse(), Ok(View::At("a/b.rrd".into())));
        assert!("rrd=".parse::<View>().is_err());
        assert_eq!("web".parse(), Ok(View::Web));
        assert!("web=1".parse::<View>().is_err());
    }

    #[test]
    fn a_picture_replaces_pictures_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("picture.rrd"), b"RRF2 and more").unwrap();
        std::fs::write(at("nav.csv"), b"stamp_ns,lat_deg").unwrap();
        std::fs::write(at("empty.rrd"), b"").unwrap();
        let record = at("run.maml");
        for name in ["picture.rrd", "empty.rrd", "new.rrd"] {
            assert!(may_be_drawn(&at(name), &record).is_ok(), "{name}");
        }
        for path in [at("nav.csv"), folder.path().to_owned(), record.clone()] {
            let said = format!("{:#}", may_be_drawn(&path, &record).unwrap_err());
            assert!(said.contains("not overwritten"), "{said}");
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.maml");
        assert_eq!(free_name(&path).unwrap(), path);
        std::fs::write(&path, b"x").unwrap();
        assert_eq!(free_name(&path).unwrap(), folder.path().join("demo-2.maml"));
    }
}
