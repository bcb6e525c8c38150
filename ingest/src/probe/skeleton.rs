//! A rig for files that have none: what can be known is filled in, the rest is said.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::folder::Recording;
use crate::rig_toml::{self, Beside};
use crate::scans::{ScanFormat, files};

/// Folders in a folder that are looked into.
const MOST_FOLDERS: usize = 64;

/// Files that could be a recording.
pub(super) struct Bare {
    /// Where the rig belongs.
    folder: PathBuf,
    file_name: &'static str,
    parts: Vec<Part>,
    /// The only beam table there.
    beams: Option<String>,
}

struct Part {
    kind: Kind,
    /// From the rig's folder.
    source: String,
    files: usize,
    /// Whether times are there.
    timed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scans(ScanFormat),
    Wav,
    Pings,
    Nav,
}

/// What lies in `path` or directly under it.
pub(super) fn of(path: &Path) -> Result<Bare, Error> {
    let is_dir = path.is_dir();
    let folder = match is_dir {
        true => path.to_owned(),
        false => path.parent().unwrap_or(Path::new(".")).to_owned(),
    };
    let mut parts = Vec::new();
    if is_dir {
        look(path, ".", &mut parts);
        let mut under: Vec<PathBuf> = fs::read_dir(path)
            .map_err(Error::io(path))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_dir())
            .collect();
        under.sort();
        for folder in under.iter().take(MOST_FOLDERS) {
            if let Some(name) = folder.file_name().and_then(|name| name.to_str()) {
                look(folder, name, &mut parts);
            }
        }
    } else if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
        parts.extend(one(path, name));
    }
    let beams: Vec<String> = files(&folder, "csv")
        .unwrap_or_default()
        .iter()
        .filter_map(|table| Some(table.file_name()?.to_str()?.to_owned()))
        .filter(|name| name.ends_with("beams.csv"))
        .collect();
    Ok(Bare {
        beams: Some(beams)
            .filter(|beams| beams.len() == 1)
            .and_then(|mut beams| beams.pop()),
        folder,
        file_name: if is_dir { "rig.toml" } else { "site.toml" },
        parts,
    })
}

fn look(folder: &Path, name: &str, parts: &mut Vec<Part>) {
    let at = |file: &str| match name {
        "." => file.to_owned(),
        folder => format!("{folder}/{file}"),
    };
    let scans = ScanFormat::ALL
        .into_iter()
        .find_map(|format| Some((format, format.files(folder).ok()?)));
    if let Some((format, files)) = scans {
        parts.push(Part {
            kind: Kind::Scans(format),
            source: name.to_owned(),
            files: files.len(),
            timed: folder.join("times.csv").is_file(),
        });
    }
    let tables = files(folder, "csv").unwrap_or_default();
    let names = || tables.iter().filter_map(|table| table.file_name()?.to_str());
    let pings: Vec<&str> = names().filter(|name| name.ends_with(".pings.csv")).collect();
    for table in &pings {
        parts.push(Part {
            kind: Kind::Pings,
            source: at(table),
            files: 1,
            timed: true,
        });
    }
    if let (true, Ok(files)) = (pings.is_empty(), files(folder, "wav")) {
        parts.push(Part {
            kind: Kind::Wav,
            source: name.to_owned(),
            files: files.len(),
            timed: false,
        });
    }
    if names().any(|name| name == "nav.csv") {
        parts.push(Part {
            kind: Kind::Nav,
            source: at("nav.csv"),
            files: 1,
            timed: true,
        });
    }
}

fn one(path: &Path, name: &str) -> Option<Part> {
    let kind = match ScanFormat::ALL.into_iter().find(|format| format.is_at(path)) {
        Some(format) => Kind::Scans(format),
        None if name.to_ascii_lowercase().ends_with(".wav") => Kind::Wav,
        None if name.ends_with(".pings.csv") => Kind::Pings,
        None if name.ends_with(".csv") => Kind::Nav,
        None => return None,
    };
    Some(Part {
        kind,
        source: name.to_owned(),
        files: 1,
        timed: matches!(kind, Kind::Pings | Kind::Nav),
    })
}

impl Bare {
    /// Leaves out what cannot be read even with a rig; says why.
    pub(super) fn keep_what_opens(&mut self) -> Vec<String> {
        let (mut good, mut errors) = (Vec::new(), Vec::new());
        for part in std::mem::take(&mut self.parts) {
            self.parts = vec![part];
            match self.opens() {
                Ok(()) => good.append(&mut self.parts),
                Err(error) => errors.push(error.to_string()),
            }
        }
        self.parts = good;
        errors
    }

    /// Whether the rig makes it play.
    fn opens(&self) -> Result<(), Error> {
        let rig = rig_toml::read_text(&self.file(), &self.rig(), Beside::Folder(&self.folder))?;
        Recording::of(self.folder.clone(), rig, Vec::new())?.timeline()?;
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// What lies there.
    pub(super) fn words(&self) -> String {
        let words: Vec<String> = self.parts.iter().map(Part::words).collect();
        words.join(", ")
    }

    /// Where the rig belongs.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(self.file_name)
    }

    /// What else than a rig is missing.
    pub(super) fn missing(&self) -> Vec<String> {
        let has = |kind: fn(Kind) -> bool| self.parts.iter().any(|part| kind(part.kind));
        let untimed = self.parts.iter().filter(|part| !part.timed);
        let mut missing: Vec<String> = untimed.map(Part::missing).collect();
        if has(|kind| kind == Kind::Wav) {
            missing.push(
                "which samples are which ping (`<name>.pings.csv`), and what was transmitted (`pulses.csv`): without them \
                 the sonar only listens"
                    .to_owned(),
            );
        }
        if !has(|kind| kind == Kind::Nav) {
            missing.push("navigation (`nav.csv`), if the cloud is to have a place on the Earth".to_owned());
        }
        missing
    }

    /// The rig, ready to paste.
    pub(super) fn rig(&self) -> String {
        let mut text =
            String::from("# Made by `beluga probe`. Lines with # are for you to measure and fill in.\n");
        let sonar = self
            .parts
            .iter()
            .any(|part| matches!(part.kind, Kind::Wav | Kind::Pings));
        if sonar {
            text += "[vessel]\n# waterline_m = 0.3       # height of the waterline above the Body origin\n\n";
            text += "[water]\nsound_speed_m_per_s = 1480.0   # measure it: 1 % of it is 1 % of every range\n";
        }
        let mut counts = [0; 3];
        for part in &self.parts {
            part.write(&mut text, &mut counts, self.beams.as_deref());
        }
        text
    }
}

impl Part {
    fn words(&self) -> String {
        match self.kind {
            Kind::Scans(format) => format!("{} {} scans in `{}`", self.files, format.name(), self.source),
            Kind::Wav => format!("{} WAV files in `{}`", self.files, self.source),
            Kind::Pings => format!("the pings `{}`", self.source),
            Kind::Nav => format!("the nav table `{}`", self.source),
        }
    }

    fn missing(&self) -> String {
        match self.kind {
            Kind::Scans(_) => format!(
                "when each scan of `{}` was: `times.csv` beside it, or its `rate_hz` and `start_ns` in the rig",
                self.source
            ),
            _ => format!(
                "when the sound of `{}` starts: `start_ns` in the rig",
                self.source
            ),
        }
    }

    fn write(&self, text: &mut String, counts: &mut [u32; 3], beams: Option<&str>) {
        let (place, kind) = match self.kind {
            Kind::Scans(_) => (0, "lidar"),
            Kind::Wav | Kind::Pings => (1, "sonar"),
            Kind::Nav => (2, "nav"),
        };
        counts[place] += 1;
        let number = match counts[place] {
            1 => String::new(),
            number => format!("-{number}"),
        };
        // Names of files are of strangers: escaped as TOML wants it.
        let source = toml::Value::String(self.source.clone());
        let _ = write!(
            text,
            "\n[[sensor]]\nname = \"{kind}{number}\"\nkind = \"{kind}\"\nsource = {source}\n"
        );
        match self.kind {
            Kind::Scans(format) => {
                let _ = writeln!(text, "format = \"{}\"", format.name());
                if !self.timed {
                    *text += "rate_hz = 10.0            # scans in a second\n";
                    *text += "start_ns = 0              # time of the first scan, ns since 1970 UTC\n";
                }
            }
            Kind::Wav => *text += "start_ns = 0              # time of the first sample, ns since 1970 UTC\n",
            Kind::Pings => match beams {
                Some(name) => {
                    let _ = writeln!(text, "beams = {}", toml::Value::String(name.to_owned()));
                }
                None => *text += "# beams = \"sonar.beams.csv\"   # where each channel looks\n",
            },
            Kind::Nav => {}
        }
        if self.kind != Kind::Nav {
            *text += "# from the Body origin to the sensor, metres and degrees\n\
                forward_m = 0.0\nstarboard_m = 0.0\ndown_m = 0.0\nroll_deg = 0.0\npitch_deg = 0.0\nheading_deg = 0.0\n";
        }
    }
}
