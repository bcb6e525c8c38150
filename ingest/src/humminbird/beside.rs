//! What lies beside a `.SON` file: its index and the recording's `.DAT`.

use std::path::{Path, PathBuf};

/// The longest index and description that are read.
const LONGEST_INDEX: u64 = 64 << 20;
const LONGEST_DAT: u64 = 1 << 20;

/// What the description of a recording says (`docs/BinaryStructure.md` of PINGMapper: 900, 1100, Helix and Solix series).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// 0 fresh, 1 deep salt, 2 shallow salt.
    pub water: u8,
    /// When it began, in seconds since 1970; the time zone it does not say.
    pub began_s: u32,
    /// How many records, over all transducers.
    pub records: u32,
    /// How long, in milliseconds.
    pub millis: u32,
}

/// Reads a description.
///
/// # Errors
/// If it is none, or is cut.
pub fn description(bytes: &[u8]) -> Result<Description, String> {
    // Of ONIX the fields are others, and text.
    let number = |at: usize| -> Result<u32, String> {
        let four = bytes.get(at..).and_then(|rest| rest.first_chunk());
        four.map(|four| u32::from_be_bytes(*four))
            .ok_or_else(|| format!("expected 52 bytes or more, found {}", bytes.len()))
    };
    match bytes.first() {
        Some(0xc1 | 0xc3) if bytes.get(3) == Some(&1) => Ok(Description {
            water: bytes[1],
            began_s: number(20)?,
            records: number(44)?,
            millis: number(48)?,
        }),
        Some(first) => Err(format!(
            "expected a description of a 900, 1100, Helix or Solix (c1 or c3, and 01 at byte 3), found {first:02x}"
        )),
        None => Err("expected a description, found no byte".into()),
    }
}

/// Entries of an index: milliseconds and the place of the record in the file.
pub fn index(bytes: &[u8]) -> Vec<[u32; 2]> {
    let four = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes);
    let (entries, _) = bytes.as_chunks::<8>();
    entries
        .iter()
        .map(|entry| {
            let (halves, _) = entry.as_chunks::<4>();
            [four(&halves[0]), four(&halves[1])]
        })
        .collect()
}

/// The index beside a file, if there is one that can be read.
pub(super) fn index_of(son: &Path) -> Option<Vec<[u32; 2]>> {
    let beside = ["IDX", "idx"].map(|extension| son.with_extension(extension));
    let path = beside.into_iter().find(|path| path.is_file())?;
    read(&path, LONGEST_INDEX).map(|bytes| index(&bytes))
}

/// The description of a recording: the only `.DAT` in the file's folder, or beside the folder with its name.
pub(super) fn description_of(son: &Path) -> Option<Result<Description, String>> {
    let folder = match son.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let is_dat = |path: &PathBuf| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("dat")) && path.is_file()
    };
    let own: Vec<PathBuf> = std::fs::read_dir(&folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(is_dat)
        .collect();
    let path = match own.as_slice() {
        [only] => only.clone(),
        _ => ["DAT", "dat"]
            .map(|extension| folder.with_extension(extension))
            .into_iter()
            .find(is_dat)?,
    };
    let bytes = read(&path, LONGEST_DAT)?;
    Some(description(&bytes).map_err(|wrong| format!("{}: {wrong}", path.display())))
}

fn read(path: &Path, longest: u64) -> Option<Vec<u8>> {
    let size = std::fs::metadata(path).ok()?.len();
    (size <= longest).then(|| std::fs::read(path).ok())?
}
