//! The tables of a recording: CSV with a header, read line by line, every refusal with its place.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use beluga_types::Stamp;
use csv::StringRecord;

use crate::error::Error;
use crate::range::is_time;
use crate::regular;

/// The longest line of a table that is read, in bytes. What is longer is not a table.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// The longest text that is quoted in a message, in characters.
const MAX_QUOTED: usize = 60;

/// Where the lines come from.
type Lines = Box<dyn BufRead + Send>;

/// A CSV file whose header has been checked; one line is held at a time.
pub(crate) struct Table {
    layout: Arc<Layout>,
    reader: Lines,
    line: u64,
}

struct Layout {
    path: PathBuf,
    columns: Vec<String>,
}

/// One line of a table.
pub(crate) struct Line {
    layout: Arc<Layout>,
    number: u64,
    record: StringRecord,
}

impl Table {
    /// Opens a table. Every `required` column must be there; any other must be `optional`.
    pub(crate) fn open(
        path: &Path,
        required: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Self, Error> {
        let reader = BufReader::new(regular::open(path)?);
        Self::over(Box::new(reader), path, required, optional)
    }

    /// As [`Self::open`], over a text that came with a recording; `path` names it in messages.
    pub(crate) fn of_text(
        text: String,
        path: &Path,
        required: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Self, Error> {
        Self::over(Box::new(Cursor::new(text)), path, required, optional)
    }

    fn over(
        mut reader: Lines,
        path: &Path,
        required: &[&'static str],
        optional: &[&'static str],
    ) -> Result<Self, Error> {
        let mut line = 0;
        let header = loop {
            line += 1;
            match next_record(&mut *reader, path, line)? {
                Some(record) if record.is_empty() => {}
                Some(record) => break record,
                None => {
                    return Err(Error::Empty {
                        expected: format!("a table with the columns {}", required.join(",")),
                        path: path.to_owned(),
                    });
                }
            }
        };
        let columns: Vec<String> = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').to_owned())
            .collect();
        check_header(path, line, &columns, required, optional)?;
        let layout = Arc::new(Layout {
            path: path.to_owned(),
            columns,
        });
        Ok(Self { layout, reader, line })
    }

    /// The next line that is not empty, nothing at the end. After an error the table goes on with
    /// the line after it.
    pub(crate) fn next_line(&mut self) -> Option<Result<Line, Error>> {
        loop {
            self.line += 1;
            let path = &self.layout.path;
            let record = match next_record(&mut *self.reader, path, self.line).transpose()? {
                Ok(record) if record.is_empty() => continue,
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            let expected = self.layout.columns.len();
            if record.len() != expected {
                return Some(Err(Error::bad(
                    path,
                    format!("line {}", self.line),
                    format!("{expected} fields"),
                    format!("{}", record.len()),
                )));
            }
            return Some(Ok(Line {
                layout: Arc::clone(&self.layout),
                number: self.line,
                record,
            }));
        }
    }
}

fn check_header(
    path: &Path,
    line: u64,
    columns: &[String],
    required: &[&'static str],
    optional: &[&'static str],
) -> Result<(), Error> {
    let place = format!("line {line}");
    for (index, name) in columns.iter().enumerate() {
        if !required.iter().chain(optional).any(|known| known == name) {
            let known: Vec<&str> = required.iter().chain(optional).copied().collect();
            let expected = format!("columns out of {}", known.join(","));
            return Err(Error::bad(path, place, expected, quoted(name)));
        }
        if columns[..index].contains(name) {
            return Err(Error::bad(
                path,
                place,
                "each column once",
                format!("{} twice", quoted(name)),
            ));
        }
    }
    match required
        .iter()
        .find(|name| !columns.iter().any(|column| column == *name))
    {
        Some(missing) => {
            let found = quoted(&columns.join(","));
            Err(Error::bad(path, place, format!("a column `{missing}`"), found))
        }
        None => Ok(()),
    }
}

/// Reads one line and splits it; an empty record for an empty line or a comment, nothing at the end.
fn next_record(reader: &mut dyn BufRead, path: &Path, line: u64) -> Result<Option<StringRecord>, Error> {
    let mut bytes = Vec::new();
    let read = Read::take(&mut *reader, MAX_LINE_BYTES)
        .read_until(b'\n', &mut bytes)
        .map_err(Error::io(path))?;
    if read == 0 {
        return Ok(None);
    }
    let place = || format!("line {line}");
    if bytes.len() as u64 == MAX_LINE_BYTES && bytes.last() != Some(&b'\n') {
        skip_line(reader).map_err(Error::io(path))?;
        let found = format!("more than {MAX_LINE_BYTES}");
        return Err(Error::bad(path, place(), "a line of less than 64 kB", found));
    }
    if bytes.first() == Some(&b'#') {
        return Ok(Some(StringRecord::new()));
    }
    let mut record = StringRecord::new();
    let found = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .buffer_capacity(bytes.len().max(16))
        .from_reader(bytes.as_slice())
        .read_record(&mut record);
    match found {
        Ok(true) => Ok(Some(record)),
        Ok(false) => Ok(Some(StringRecord::new())),
        Err(error) => Err(Error::bad(
            path,
            place(),
            "comma-separated UTF-8 text",
            quoted(&error.to_string()),
        )),
    }
}

fn skip_line(reader: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                reader.consume(end + 1);
                return Ok(());
            }
            None => {
                let all = buffer.len();
                reader.consume(all);
            }
        }
    }
}

/// A piece of a file as it may stand in a message.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{}`", short.escape_debug())
}

impl Line {
    /// Where this line stands, for messages.
    pub(crate) fn place(&self) -> String {
        format!("line {}", self.number)
    }

    /// A refusal of this line.
    pub(crate) fn refuse(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        Error::bad(&self.layout.path, self.place(), expected, found)
    }

    /// The text of a column; nothing if it is empty or the table lacks the column.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        let index = self.layout.columns.iter().position(|name| name == column)?;
        self.record.get(index).filter(|text| !text.is_empty())
    }

    /// The text of a column that must not be empty.
    pub(crate) fn required_text(&self, column: &str) -> Result<&str, Error> {
        self.text(column)
            .ok_or_else(|| self.refuse(format!("a value in `{column}`"), "none"))
    }

    /// An integer in a column, if it is not empty.
    pub(crate) fn integer<T: FromStr>(&self, column: &str) -> Result<Option<T>, Error> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|_| self.refuse(format!("an integer in `{column}`"), quoted(text)))
        };
        self.text(column).map(parse).transpose()
    }

    /// An integer in a column that must not be empty.
    pub(crate) fn required_integer<T: FromStr>(&self, column: &str) -> Result<T, Error> {
        self.integer(column)?
            .ok_or_else(|| self.refuse(format!("an integer in `{column}`"), "none"))
    }

    /// A time in nanoseconds in a column, if it is not empty; years after 2200 are refused.
    pub(crate) fn stamp(&self, column: &str) -> Result<Option<Stamp>, Error> {
        match self.integer(column)?.map(Stamp::from_nanos) {
            Some(stamp) if !is_time(stamp) => {
                let expected = format!("nanoseconds of a time before the year 2200 in `{column}`");
                Err(self.refuse(expected, format!("{}", stamp.nanos())))
            }
            stamp => Ok(stamp),
        }
    }

    /// A time in a column that must not be empty.
    pub(crate) fn required_stamp(&self, column: &str) -> Result<Stamp, Error> {
        self.stamp(column)?
            .ok_or_else(|| self.refuse(format!("an integer in `{column}`"), "none"))
    }

    /// A finite number in a column, if it is not empty.
    pub(crate) fn number(&self, column: &str) -> Result<Option<f64>, Error> {
        let parse = |text: &str| match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.refuse(format!("a finite number in `{column}`"), quoted(text))),
        };
        self.text(column).map(parse).transpose()
    }

    /// A finite number in a column that must not be empty.
    pub(crate) fn required_number(&self, column: &str) -> Result<f64, Error> {
        self.number(column)?
            .ok_or_else(|| self.refuse(format!("a finite number in `{column}`"), "none"))
    }

    /// A finite number not below zero in a column, if it is not empty.
    pub(crate) fn sigma(&self, column: &str) -> Result<Option<f64>, Error> {
        match self.number(column)? {
            Some(number) if number < 0.0 => {
                Err(self.refuse(format!("zero or more in `{column}`"), format!("{number}")))
            }
            number => Ok(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &[u8]) -> Result<Table, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Table::open(file.path(), &["file", "stamp_ns"], &["end_ns"])
    }

    #[test]
    fn columns_come_in_any_order_and_empty_is_absent() {
        let mut table =
            open(b"# made by hand\n\xef\xbb\xbfstamp_ns,file,end_ns\r\n\n5,\"a,b.ply\" ,\r\n").unwrap();
        let line = table.next_line().unwrap().unwrap();
        assert_eq!(line.required_integer::<i64>("stamp_ns").unwrap(), 5);
        assert_eq!(line.required_text("file").unwrap(), "a,b.ply");
        assert_eq!(line.integer::<i64>("end_ns").unwrap(), None);
        assert_eq!(line.place(), "line 4");
        assert!(table.next_line().is_none());
    }

    #[test]
    fn unknown_missing_and_double_columns_are_refused() {
        for (header, expected) in [
            (
                "file,stamp_ns,colour",
                "line 1: expected columns out of file,stamp_ns,end_ns, found `colour`",
            ),
            ("file", "line 1: expected a column `stamp_ns`, found `file`"),
            (
                "file,stamp_ns,file",
                "line 1: expected each column once, found `file` twice",
            ),
            (
                "",
                "expected a table with the columns file,stamp_ns, found nothing",
            ),
        ] {
            let error = open(header.as_bytes()).err().unwrap().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_bad_line_is_refused_and_the_next_is_read() {
        let long = "x".repeat(70_000);
        let text = format!("file,stamp_ns\na,b,c\n{long}\na,x\nb,inf\nc,7\n");
        let mut table = open(text.as_bytes()).unwrap();
        assert!(table.next_line().unwrap().is_err(), "three fields");
        assert!(table.next_line().unwrap().is_err(), "too long");
        let line = table.next_line().unwrap().unwrap();
        let error = line.required_integer::<i64>("stamp_ns").unwrap_err().to_string();
        assert!(
            error.starts_with("line 4: expected an integer in `stamp_ns`, found `x`"),
            "{error}"
        );
        let line = table.next_line().unwrap().unwrap();
        assert!(line.required_number("stamp_ns").is_err(), "not finite");
        assert_eq!(
            table
                .next_line()
                .unwrap()
                .unwrap()
                .required_integer::<i64>("stamp_ns")
                .unwrap(),
            7
        );
    }
}
