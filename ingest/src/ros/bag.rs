//! A bag: one file, or a folder of files that its `metadata.yaml` lists.
//!
//! Source: `rosbag2` metadata of versions 4 to 9 (`rosbag2_bagfile_information`).

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use beluga_types::GapCause;

use super::{Message, Topic, mcap, packed, sqlite};
use crate::error::{Error, Fault};
use crate::regular;
use serde::Deserialize;

/// The largest `metadata.yaml` that is read, in bytes.
const MAX_METADATA_BYTES: u64 = 16 << 20;
/// How an SQLite file begins.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";
const METADATA: &str = "metadata.yaml";

/// The files of a bag, in order.
#[derive(Clone, Debug)]
pub(crate) struct Bag {
    files: Vec<(PathBuf, Storage)>,
    /// Whether each message is packed by itself.
    is_packed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    Mcap,
    Sqlite,
}

impl Storage {
    /// How a file is written, by its first bytes.
    fn of(path: &Path) -> Result<Option<Self>, Error> {
        let mut first = Vec::new();
        regular::open(path)?
            .take(SQLITE.len() as u64)
            .read_to_end(&mut first)
            .map_err(Error::io(path))?;
        Ok(match first {
            first if first.starts_with(::mcap::MAGIC) => Some(Storage::Mcap),
            first if first == SQLITE => Some(Storage::Sqlite),
            _ => None,
        })
    }
}

#[derive(Deserialize)]
struct Metadata {
    rosbag2_bagfile_information: Information,
}

#[derive(Deserialize)]
struct Information {
    #[serde(default)]
    relative_file_paths: Vec<String>,
    #[serde(default)]
    compression_mode: String,
    #[serde(default)]
    compression_format: String,
}

impl Bag {
    /// Whether this is meant as a bag: a file that begins as one, or a folder with a bag's metadata.
    pub(crate) fn is_at(path: &Path) -> bool {
        match path.is_dir() {
            true => fs::read_to_string(path.join(METADATA))
                .is_ok_and(|text| text.contains("rosbag2_bagfile_information")),
            false => path.is_file() && Storage::of(path).is_ok_and(|storage| storage.is_some()),
        }
    }

    /// Opens a file or a folder.
    ///
    /// # Errors
    /// If there is none, if its metadata cannot be read, or if it names a file that is not there,
    /// lies elsewhere or is packed as a whole.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let (files, is_packed) = match path.is_dir() {
            true => listed(path)?,
            false => (vec![path.to_owned()], false),
        };
        let with_storage = |file: PathBuf| {
            let storage = Storage::of(&file)?.ok_or_else(|| {
                let expected = "a bag as MCAP or SQLite (one that is packed as a whole is unpacked first)";
                Error::bad(&file, "first bytes", expected, "others")
            })?;
            Ok((file, storage))
        };
        Ok(Self {
            files: files
                .into_iter()
                .map(with_storage)
                .collect::<Result<_, Error>>()?,
            is_packed,
        })
    }

    /// What it is, in words.
    pub(crate) fn words(&self) -> String {
        let storage = match self.files.first() {
            Some((_, Storage::Sqlite)) => "a ROS 2 bag (SQLite)",
            _ => "a bag (MCAP)",
        };
        match self.files.len() {
            1 => storage.to_owned(),
            count => format!("{storage} of {count} files"),
        }
    }

    /// Its first file: what lies beside a folder's files lies in the folder.
    pub(super) fn first(&self) -> Option<&Path> {
        self.files.first().map(|(file, _)| file.as_path())
    }

    /// The topics, by name.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn topics(&self) -> Result<Vec<Topic>, Error> {
        let mut topics: BTreeMap<String, Topic> = BTreeMap::new();
        for (file, storage) in &self.files {
            let found = match storage {
                Storage::Mcap => mcap::topics(file)?,
                Storage::Sqlite => sqlite::topics(file)?,
            };
            for topic in found {
                match topics.get_mut(&topic.name) {
                    Some(known) => known.messages = known.messages.saturating_add(topic.messages),
                    None => {
                        topics.insert(topic.name.clone(), topic);
                    }
                }
            }
        }
        Ok(topics.into_values().collect())
    }

    /// The messages of a topic, file after file.
    ///
    /// # Errors
    /// If the first file cannot be read.
    pub(crate) fn messages(&self, topic: &str) -> Result<Messages, Error> {
        let mut rest = self.files.clone().into_iter();
        let open = match rest.next() {
            Some((file, storage)) => Some(open(&file, storage, topic)?),
            None => None,
        };
        Ok(Messages {
            topic: topic.to_owned(),
            rest,
            open,
            is_packed: self.is_packed,
        })
    }
}

/// The files that a folder's metadata lists, and whether each message in them is packed by itself.
fn listed(folder: &Path) -> Result<(Vec<PathBuf>, bool), Error> {
    let path = folder.join(METADATA);
    let mut text = String::new();
    regular::open(&path)?
        .take(MAX_METADATA_BYTES)
        .read_to_string(&mut text)
        .map_err(Error::io(&path))?;
    let metadata: Metadata = serde_saphyr::from_str(&text).map_err(|error| {
        let said = error.to_string();
        let first = said.lines().next().unwrap_or_default().to_owned();
        Error::bad(&path, "metadata", "the metadata of a ROS 2 bag", first)
    })?;
    let information = metadata.rosbag2_bagfile_information;
    let is_packed = packing(&path, &information)?;
    let inside = |name: &String| {
        let name = Path::new(name);
        let is_inside = name
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        match is_inside && name.file_name().is_some() {
            true => Ok(folder.join(name)),
            false => {
                let found = crate::table::quoted(&name.display().to_string());
                Err(Error::bad(
                    &path,
                    "`relative_file_paths`",
                    "files in the folder",
                    found,
                ))
            }
        }
    };
    let files: Vec<PathBuf> = information
        .relative_file_paths
        .iter()
        .map(inside)
        .collect::<Result<_, _>>()?;
    if files.is_empty() {
        return Err(Error::Empty {
            expected: "the names of a bag's files in `relative_file_paths`".into(),
            path,
        });
    }
    Ok((files, is_packed))
}

/// Whether each message is packed by itself.
///
/// # Errors
/// If whole files are, or by another way than zstd.
fn packing(path: &Path, information: &Information) -> Result<bool, Error> {
    let (mode, format) = (
        information.compression_mode.to_lowercase(),
        information.compression_format.to_lowercase(),
    );
    match (mode.as_str(), format.as_str()) {
        ("" | "none", _) => Ok(false),
        ("message", "zstd") => Ok(true),
        ("file", _) => Err(Error::bad(
            path,
            "`compression_mode`",
            "files that are not packed as a whole: `zstd -d --rm *.zstd`, then take `.zstd` off `relative_file_paths` and write `compression_mode: \"\"`",
            "`file`",
        )),
        _ => {
            let found = format!("`{mode}` by `{format}`");
            Err(Error::bad(
                path,
                "`compression_mode`",
                "none, or `message` by `zstd`",
                found,
            ))
        }
    }
}

/// Messages of a topic of a bag.
pub(crate) struct Messages {
    topic: String,
    rest: std::vec::IntoIter<(PathBuf, Storage)>,
    open: Option<Open>,
    is_packed: bool,
}

impl Messages {
    /// What of a message is packed by itself, unpacked.
    fn unpacked(&self, message: Message) -> Result<Message, Fault> {
        if !self.is_packed {
            return Ok(message);
        }
        match packed::unpack(&message.data) {
            Ok(data) => Ok(Message { data, ..message }),
            Err(wrong) => Err(Fault {
                cause: GapCause::Corrupt,
                lost: 1,
                detail: format!("{}: {wrong}", message.place),
            }),
        }
    }
}

enum Open {
    Mcap(Box<mcap::Messages>),
    Sqlite(sqlite::Messages),
}

fn open(file: &Path, storage: Storage, topic: &str) -> Result<Open, Error> {
    Ok(match storage {
        Storage::Mcap => Open::Mcap(Box::new(mcap::Messages::open(file, topic)?)),
        Storage::Sqlite => Open::Sqlite(sqlite::Messages::open(file, topic)?),
    })
}

impl Iterator for Messages {
    type Item = Result<Message, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let message = match self.open.as_mut()? {
                Open::Mcap(messages) => messages.next(),
                Open::Sqlite(messages) => messages.next(),
            };
            if let Some(message) = message {
                return Some(message.and_then(|message| self.unpacked(message)));
            }
            let (file, storage) = self.rest.next()?;
            match open(&file, storage, &self.topic) {
                Ok(next) => self.open = Some(next),
                // How many are in it, nobody says.
                Err(error) => return Some(Err(Fault::unread(&error))),
            }
        }
    }
}
