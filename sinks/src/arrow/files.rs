//! A folder of Arrow files: for pyarrow, polars and DuckDB without BELUGA.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::UInt64Type;
use arrow_array::{Array, RecordBatch, StructArray, UInt64Array};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{Field, Schema, SchemaRef};

use super::columns::Reading;
use super::{Error, schemas, stream};
use crate::frame_bytes::FrameBytes;

/// Name of the column that leads from a point or arc to its frame.
const FRAME_INDEX: &str = "frame_index";

/// Writes a folder with every frame in Arrow form.
///
/// - `frames.arrow`, `points.arrow`, `arcs.arrow`: Arrow IPC *files*, one batch per frame. Points
///   and arcs carry a `frame_index` column before their own.
/// - `frames/000000.frame.arrows`, `….points.arrows`, `….arcs.arrows`: the streams of each frame
///   byte for byte as they were pushed, numbered in the order of pushing.
///
/// Without [`Self::finish`] the three files have no footer, and only the streams can be read.
pub struct ArrowFiles {
    folder: PathBuf,
    /// Made with the first frame, so that a source that gives none leaves the folder empty.
    tables: Option<Tables>,
    pushed: usize,
}

impl ArrowFiles {
    /// Takes a folder, making it if it is not there. Its files are made with the first frame.
    ///
    /// # Errors
    /// [`Error::NotEmpty`] if it holds anything, [`Error::Io`] if it could not be made or read.
    pub fn create(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(at(dir))?;
        if fs::read_dir(dir).map_err(at(dir))?.next().is_some() {
            return Err(Error::NotEmpty { path: dir.to_owned() });
        }
        Ok(Self {
            folder: dir.to_owned(),
            tables: None,
            pushed: 0,
        })
    }

    /// Adds one frame, as [`super::encode`] gave it.
    ///
    /// # Errors
    /// [`Error`] if the bytes are not a frame or a file cannot be written.
    pub fn push(&mut self, bytes: &FrameBytes) -> Result<(), Error> {
        let schemas = schemas();
        let frame = stream::read("frame", &bytes.frame, &schemas.frame)?;
        let points = stream::read("points", &bytes.points, &schemas.points)?;
        let arcs = stream::read("arcs", &bytes.arcs, &schemas.arcs)?;
        let index = Reading::new("frame", &frame).value::<UInt64Type>("index")?;
        let tables = match &mut self.tables {
            Some(tables) => tables,
            none => none.insert(Tables::create(&self.folder)?),
        };
        for (kind, stream) in [
            ("frame", &bytes.frame),
            ("points", &bytes.points),
            ("arcs", &bytes.arcs),
        ] {
            let path = tables.streams.join(format!("{:06}.{kind}.arrows", self.pushed));
            fs::write(&path, stream).map_err(at(&path))?;
        }
        tables.frames.write(frame, None)?;
        tables.points.write(points, Some(index))?;
        tables.arcs.write(arcs, Some(index))?;
        self.pushed += 1;
        Ok(())
    }

    /// Ends the files and says how many frames they hold. Without frames they are made, and empty.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Arrow`] if a footer cannot be written.
    pub fn finish(self) -> Result<usize, Error> {
        let tables = match self.tables {
            Some(tables) => tables,
            None => Tables::create(&self.folder)?,
        };
        for table in [tables.frames, tables.points, tables.arcs] {
            table.finish()?;
        }
        Ok(self.pushed)
    }
}

/// What stands in the folder.
struct Tables {
    streams: PathBuf,
    frames: Table,
    points: Table,
    arcs: Table,
}

impl Tables {
    fn create(folder: &Path) -> Result<Self, Error> {
        let streams = folder.join("frames");
        fs::create_dir(&streams).map_err(at(&streams))?;
        let schemas = schemas();
        Ok(Self {
            streams,
            frames: Table::create(folder.join("frames.arrow"), Arc::clone(&schemas.frame.now))?,
            points: Table::create(folder.join("points.arrow"), with_frame_index(&schemas.points.now))?,
            arcs: Table::create(folder.join("arcs.arrow"), with_frame_index(&schemas.arcs.now))?,
        })
    }
}

/// One file of batches.
struct Table {
    path: PathBuf,
    schema: SchemaRef,
    writer: FileWriter<BufWriter<File>>,
}

impl Table {
    fn create(path: PathBuf, schema: SchemaRef) -> Result<Self, Error> {
        let file = BufWriter::new(File::create_new(&path).map_err(at(&path))?);
        let writer = FileWriter::try_new_with_options(file, &schema, stream::options()?)?;
        Ok(Self { path, schema, writer })
    }

    fn write(&mut self, table: StructArray, frame_index: Option<u64>) -> Result<(), Error> {
        let rows = table.len();
        let (_, columns, _) = table.into_parts();
        let index = frame_index.map(|index| Arc::new(UInt64Array::from(vec![index; rows])) as _);
        let columns = index.into_iter().chain(columns).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        Ok(self.writer.write(&batch)?)
    }

    fn finish(self) -> Result<(), Error> {
        let mut file = self.writer.into_inner()?;
        file.flush().map_err(at(&self.path))
    }
}

fn with_frame_index(schema: &SchemaRef) -> SchemaRef {
    let index = Arc::new(Field::new(FRAME_INDEX, arrow_schema::DataType::UInt64, false));
    let fields: Vec<_> = std::iter::once(index)
        .chain(schema.fields().iter().cloned())
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Io { source, path }
}

#[cfg(test)]
mod tests {
    use arrow_ipc::reader::FileReader;

    use super::super::encode;
    use super::super::specimen::frame;
    use super::*;

    #[test]
    fn streams_are_kept_as_they_are_and_files_hold_all_rows() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = ArrowFiles::create(dir.path()).unwrap();
        let frames: Vec<_> = (3..6)
            .map(|seed| encode(&frame(seed, seed as usize, 2)).unwrap())
            .collect();
        for bytes in &frames {
            files.push(bytes).unwrap();
        }
        assert_eq!(files.finish().unwrap(), 3);
        for (i, bytes) in frames.iter().enumerate() {
            let kept = fs::read(dir.path().join(format!("frames/{i:06}.points.arrows"))).unwrap();
            assert_eq!(kept, bytes.points);
        }
        let rows = |name: &str| -> Vec<usize> {
            let file = File::open(dir.path().join(name)).unwrap();
            let batches = FileReader::try_new(file, None).unwrap();
            batches.map(|batch| batch.unwrap().num_rows()).collect()
        };
        assert_eq!(rows("frames.arrow"), [1, 1, 1]);
        assert_eq!(rows("points.arrow"), [3, 4, 5]);
        assert_eq!(rows("arcs.arrow"), [2, 2, 2]);
    }

    #[test]
    fn what_is_not_a_frame_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = ArrowFiles::create(dir.path()).unwrap();
        let mut bytes = encode(&frame(1, 2, 0)).unwrap();
        bytes.points.truncate(100);
        assert!(files.push(&bytes).is_err());
        assert_eq!(files.finish().unwrap(), 0);
        assert_eq!(fs::read_dir(dir.path().join("frames")).unwrap().count(), 0);
    }

    #[test]
    fn a_used_folder_is_refused_and_one_without_frames_can_be_used_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tables");
        drop(ArrowFiles::create(&folder).unwrap());
        let mut files = ArrowFiles::create(&folder).unwrap();
        files.push(&encode(&frame(1, 2, 0)).unwrap()).unwrap();
        drop(files);
        let kept = || fs::read(folder.join("frames/000000.frame.arrows")).unwrap();
        let before = kept();
        assert!(matches!(ArrowFiles::create(&folder), Err(Error::NotEmpty { .. })));
        assert_eq!(kept(), before);
    }
}
