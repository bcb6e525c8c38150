//! Topics and messages of one `.db3` file of a ROS 2 bag.
//!
//! The file is opened for reading only, and as one that nobody changes meanwhile, so that nothing
//! is written beside it. Where a write-ahead log lies beside it, as a recorder that was killed
//! leaves it, what stands only in that log is read too; for this SQLite itself puts an index
//! (`-shm`) there, and where it may not, the log is left unread.
//!
//! Source: the schema of `rosbag2_storage_sqlite3` (versions 1 to 4): `topics(id, name, type,
//! serialization_format, …)`, `messages(id, topic_id, timestamp, data)`, times in nanoseconds.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use beluga_types::{GapCause, Stamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, types::ValueRef};

use super::{Layout, Message, Topic};
use crate::error::{Error, Fault};
use crate::range::is_time;
use crate::regular;

/// The largest message that is taken, in bytes.
const MAX_MESSAGE_BYTES: usize = 1 << 30;
/// The most topics a bag may have.
const MAX_TOPICS: usize = 10_000;

/// Opens a bag's file.
fn open(path: &Path) -> Result<Connection, Error> {
    regular::open(path)?;
    let said = |error: rusqlite::Error| Error::bad(path, "SQLite", "a ROS 2 bag", error.to_string());
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let with_log = log.metadata().is_ok_and(|log| log.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let plain = || Connection::open_with_flags(path, flags).and_then(checked);
    let frozen = || {
        let uri = format!("file:{}?immutable=1", escaped(path));
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).and_then(checked)
    };
    let opened = match with_log {
        true => plain().or_else(|_| frozen()),
        false => frozen(),
    };
    let connection = opened.map_err(said)?;
    if !is_bag(&connection).map_err(said)? {
        let expected = "the tables `topics` and `messages` of a ROS 2 bag";
        return Err(Error::bad(path, "SQLite", expected, "other tables"));
    }
    Ok(connection)
}

/// A connection that runs no code of the file's, and has read its first page.
fn checked(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // Without this a file that is shorter than its first page says is refused as a whole; nothing
    // can be written by a connection that only reads.
    connection.pragma_update(None, "writable_schema", true)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(connection)
}

/// Whether both tables are there, and are tables: a view could do anything.
fn is_bag(connection: &Connection) -> rusqlite::Result<bool> {
    let plain = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('topics', 'messages') \
        AND sql NOT LIKE 'CREATE VIRTUAL%'";
    connection
        .query_row(plain, [], |row| row.get::<_, i64>(0))
        .map(|count| count == 2)
}

/// A path as part of a URI.
fn escaped(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .map(|byte| match plain(*byte) {
            true => char::from(*byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// The topics of a file, by name.
///
/// # Errors
/// If it cannot be read, or is no bag.
pub(super) fn topics(path: &Path) -> Result<Vec<Topic>, Error> {
    let connection = open(path)?;
    let read = || -> rusqlite::Result<Vec<Topic>> {
        let mut statement = connection.prepare(
            "SELECT name, type, serialization_format, \
             (SELECT count(*) FROM messages WHERE topic_id = topics.id) FROM topics ORDER BY name LIMIT ?1",
        )?;
        let rows = statement.query_map([MAX_TOPICS as i64], |row| {
            Ok(Topic {
                name: row.get(0)?,
                schema: row.get(1)?,
                layout: Layout::named(&row.get::<_, String>(2)?),
                messages: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
            })
        })?;
        rows.collect()
    };
    // Of a file that is cut the messages cannot all be counted; its topics stand at its beginning.
    let uncounted = || -> rusqlite::Result<Vec<Topic>> {
        let mut statement = connection
            .prepare("SELECT name, type, serialization_format FROM topics ORDER BY name LIMIT ?1")?;
        let rows = statement.query_map([MAX_TOPICS as i64], |row| {
            Ok(Topic {
                name: row.get(0)?,
                schema: row.get(1)?,
                layout: Layout::named(&row.get::<_, String>(2)?),
                messages: 0,
            })
        })?;
        rows.collect()
    };
    read()
        .or_else(|_| uncounted())
        .map_err(|error| Error::bad(path, "SQLite", "topics of a ROS 2 bag", error.to_string()))
}

/// The messages of one topic, in the order in which they were written.
pub(super) struct Messages {
    path: PathBuf,
    topic: String,
    connection: Connection,
    /// The last message that was read.
    last: i64,
    /// Messages of the topic, as far as they can be counted.
    count: u64,
    told: u64,
    /// Bytes of the file, and those that its first page says it has, if it is shorter.
    cut: Option<[u64; 2]>,
    is_done: bool,
}

impl Messages {
    /// # Errors
    /// If the file cannot be read, or is no bag.
    pub(super) fn open(path: &Path, topic: &str) -> Result<Self, Error> {
        let connection = open(path)?;
        let count = "SELECT count(*) FROM messages WHERE topic_id IN (SELECT id FROM topics WHERE name = ?1)";
        let count = connection
            .query_row(count, [topic], |row| row.get::<_, i64>(0))
            .unwrap_or(0);
        Ok(Self {
            path: path.to_owned(),
            topic: topic.to_owned(),
            connection,
            last: i64::MIN,
            count: u64::try_from(count).unwrap_or(0),
            told: 0,
            cut: cut(path)?,
            is_done: false,
        })
    }

    fn row(&mut self) -> rusqlite::Result<Option<Result<Message, String>>> {
        let mut statement = self.connection.prepare(
            "SELECT id, timestamp, data FROM messages WHERE id > ?1 \
             AND topic_id IN (SELECT id FROM topics WHERE name = ?2) ORDER BY id LIMIT 1",
        )?;
        let found = statement.query_row((self.last, &self.topic), |row| {
            let id: i64 = row.get(0)?;
            Ok((id, message(id, row.get_ref(1)?, row.get_ref(2)?)))
        });
        let found = found.optional()?;
        Ok(found.map(|(id, message)| {
            self.last = id;
            message
        }))
    }

    fn fault(&self, cause: GapCause, lost: u64, detail: &str) -> Fault {
        Fault {
            cause,
            lost,
            detail: format!("{detail}: {}", self.path.display()),
        }
    }
}

impl Iterator for Messages {
    type Item = Result<Message, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let row = self.row();
        self.told += 1;
        match row {
            Ok(Some(Ok(message))) => Some(Ok(message)),
            Ok(Some(Err(wrong))) => Some(Err(self.fault(GapCause::Corrupt, 1, &wrong))),
            Ok(None) => {
                self.is_done = true;
                let [found, stated] = self.cut?;
                let detail = format!("the file has {found} bytes, its first page says {stated}");
                Some(Err(self.fault(GapCause::Truncated, 1, &detail)))
            }
            // Behind a page that cannot be read nothing can be found: how much that is, the index
            // of the messages may still say.
            Err(error) => {
                self.is_done = true;
                let lost = (self.count + 1).saturating_sub(self.told).max(1);
                let detail = format!("after message {}: {error}", self.last.max(0));
                Some(Err(self.fault(GapCause::Corrupt, lost, &detail)))
            }
        }
    }
}

/// Bytes of a file, and those that its first page says it has, if it is shorter: SQLite takes what
/// is missing of a page as zeros.
///
/// Source: "Database File Format" of SQLite, section 1.3: page size at byte 16 (1 stands for 65536),
/// pages at 28, which count if the numbers at 24 and 92 agree.
fn cut(path: &Path) -> Result<Option<[u64; 2]>, Error> {
    let mut head = [0; 100];
    let mut file = regular::open(path)?;
    file.read_exact(&mut head).map_err(Error::io(path))?;
    let found = file.metadata().map_err(Error::io(path))?.len();
    let word = |at: usize| {
        u64::from(u32::from_be_bytes([
            head[at],
            head[at + 1],
            head[at + 2],
            head[at + 3],
        ]))
    };
    let page = match u64::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65_536,
        page => page,
    };
    let stated = page * word(28);
    Ok((word(24) == word(92) && found < stated).then_some([found, stated]))
}

fn message(id: i64, time: ValueRef<'_>, data: ValueRef<'_>) -> Result<Message, String> {
    let wrong = |expected: &str| format!("message {id}: expected {expected}");
    let received = match time {
        ValueRef::Integer(nanos) => Some(Stamp::from_nanos(nanos)).filter(|stamp| is_time(*stamp)),
        _ => None,
    };
    match data {
        ValueRef::Blob(data) if data.len() <= MAX_MESSAGE_BYTES => Ok(Message {
            place: format!("message {id}"),
            received: received.ok_or_else(|| wrong("a timestamp before the year 2200"))?,
            layout: Layout::Cdr,
            data: data.to_vec(),
        }),
        _ => Err(wrong("a blob of at most 1 GiB")),
    }
}
