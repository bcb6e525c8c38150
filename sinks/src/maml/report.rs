//! Checking a record from outside.

use std::fmt;
use std::io::{BufRead, BufReader, Cursor, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::document::urn;
use super::end::{Counts, Previous};
use super::head::{Head, HeadError, Unlocked};
use super::hex::hex;
use super::layout::Suite;
use super::reader::{Entry, Reader, RecordedMeta};
use super::recipient::Unlock;
use super::scan::{Checkpoint, Found, Wanted, scan_for};
use super::secret::FileKey;
use super::sign::SignerId;
use super::status::Status;
use super::trust::Trust;
use crate::error::{Error, io_error};
use crate::frame_bytes::FrameHasher;
use crate::regular::open_regular;

/// What is known of a record.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file.
    pub path: PathBuf,
    /// Length of the file.
    pub bytes: u64,
    /// Its state.
    pub status: Status,
    /// What the head says, if it is sound.
    pub head: Option<HeadFacts>,
    /// Records, frames, segments and times under a signature.
    pub counts: Counts,
    /// Size of the tree and root of the last signature.
    pub signed: Option<(u64, [u8; 32])>,
    /// The record it continues.
    pub previous: Option<Previous>,
    /// With a key: SHA-256 over the frame bytes, see [`FrameHasher`].
    pub frame_hash: Option<[u8; 32]>,
    /// With a key: what the record says beside its frames, in order.
    pub metas: Vec<MetaFacts>,
    /// Whether the list of readers was checked, which needs a key.
    pub recipients_checked: bool,
    /// What was asked of it.
    pub demands: Demands,
    /// Of how many leaves the demanded root is the root; nothing if it is that of none.
    pub root_at: Option<u64>,
    /// Every checkpoint that holds, if they were asked for.
    pub checkpoints: Vec<Checkpoint>,
}

/// One META, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaFacts {
    /// Sequence number of its record.
    pub seq: u64,
    /// Of which kind it is.
    pub kind: String,
    /// What time it speaks of, in nanoseconds since the Unix epoch, UTC.
    pub time_nanos: i64,
    /// Bytes of its JSON.
    pub bytes: usize,
    /// How its value begins, without control characters, for people.
    pub beginning: String,
}

/// What the head of a record says.
#[derive(Clone, Debug)]
pub struct HeadFacts {
    /// The whole document.
    pub document: String,
    /// How payloads are encrypted.
    pub suite: Suite,
    /// Whether times stand in the payloads only.
    pub hides_times: bool,
    /// The file's id.
    pub file_id: [u8; 16],
    /// The device the document names. Proven by what is signed; by nothing if nothing is.
    pub signer: SignerId,
    /// Whether something is signed, by a trusted device.
    pub trusted: bool,
}

/// What is asked of a record beyond what it must be anyway.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// A root that was kept elsewhere: the record must have had it, now or when it was shorter.
    pub root: Option<[u8; 32]>,
    /// Only what a trusted device signed is taken.
    pub signed: bool,
    /// Whether to list every checkpoint in [`Report::checkpoints`].
    pub checkpoints: bool,
}

/// Checks a record: head, order, tree, every checkpoint, end, footer; and with keys also the list of
/// readers, every frame and every META. Without keys nothing secret is needed.
///
/// # Errors
/// [`Error::Io`] only: whatever the file holds is told by [`Report::status`].
pub fn verify(path: &Path, trust: &Trust, unlock: Option<&Unlock>) -> Result<Report, Error> {
    verify_for(path, trust, unlock, &Demands::default())
}

/// [`verify`] of a record of which more is asked.
///
/// # Errors
/// As [`verify`].
pub fn verify_for(
    path: &Path,
    trust: &Trust,
    unlock: Option<&Unlock>,
    demands: &Demands,
) -> Result<Report, Error> {
    let file = open_regular(path).map_err(io_error("opening a record", path))?;
    check(BufReader::new(file), path, trust, unlock, demands)
}

/// [`verify`] for a record in memory.
///
/// # Errors
/// As [`verify`].
pub fn verify_bytes(bytes: &[u8], trust: &Trust, unlock: Option<&Unlock>) -> Result<Report, Error> {
    let path = Path::new("(memory)");
    check(Cursor::new(bytes), path, trust, unlock, &Demands::default())
}

fn check<R: BufRead + Seek>(
    mut source: R,
    path: &Path,
    trust: &Trust,
    unlock: Option<&Unlock>,
    demands: &Demands,
) -> Result<Report, Error> {
    let failed = || io_error("reading a record", path);
    let mut report = Report::empty(path, demands);
    report.bytes = source.seek(SeekFrom::End(0)).map_err(failed())?;
    source.rewind().map_err(failed())?;
    let head = match Head::read(&mut source) {
        Ok(head) => head,
        Err(HeadError::Io(error)) => return Err(failed()(error)),
        Err(HeadError::Bad(reason)) => {
            report.status = Status::BadHead { reason };
            return Ok(report);
        }
    };
    source.seek(SeekFrom::Start(head.length())).map_err(failed())?;
    let mut wanted = Wanted {
        root: demands.root,
        checkpoints: demands.checkpoints.then(Vec::new),
        ..Wanted::default()
    };
    let found = scan_for(&mut source, &head, &mut wanted).map_err(failed())?;
    report.take(&head, &found, trust);
    report.root_at = wanted.root_at;
    report.checkpoints = wanted.checkpoints.unwrap_or_default();
    match unlock.map(|unlock| head.unlock(unlock)) {
        None => {}
        Some(Unlocked::NoKey) => report.status = worse(report.status, Status::NoKey),
        Some(Unlocked::Changed(reason)) => report.status = Status::BadHead { reason },
        Some(Unlocked::Open(key)) => open_frames(&mut report, source, head, key, found)?,
    }
    Ok(report)
}

/// Decrypts every frame and META: their tags and the index are checked too.
fn open_frames<R: BufRead + Seek>(
    report: &mut Report,
    source: R,
    head: Head,
    key: FileKey,
    found: Found,
) -> Result<(), Error> {
    report.recipients_checked = true;
    let mut reader = Reader::at_first_frame(source, &report.path, head, key, found)?;
    let mut hasher = FrameHasher::new();
    loop {
        match reader.next_entry() {
            Ok(Some(Entry::Frame(frame))) => hasher.update(&frame.bytes),
            Ok(Some(Entry::Meta(meta))) => report.metas.push(MetaFacts::of(&meta)),
            Ok(None) => break,
            Err(Error::Record { status, .. }) => {
                report.status = worse(std::mem::replace(&mut report.status, Status::Sealed), status);
                return Ok(());
            }
            Err(other) => return Err(other),
        }
    }
    report.frame_hash = Some(hasher.finish());
    Ok(())
}

impl MetaFacts {
    /// Characters of a value that are shown.
    const SHOWN: usize = 120;

    fn of(recorded: &RecordedMeta) -> Self {
        let value = recorded.meta.value().to_string();
        let shown = value.chars().filter(|c| !c.is_control()).take(Self::SHOWN);
        Self {
            seq: recorded.seq,
            kind: recorded.meta.kind().to_owned(),
            time_nanos: recorded.meta.time_nanos(),
            bytes: recorded.bytes,
            beginning: shown.collect(),
        }
    }
}

impl fmt::Display for MetaFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = beluga_types::Stamp::from_nanos(self.time_nanos).iso_8601();
        let more = if self.beginning.chars().count() == Self::SHOWN {
            "…"
        } else {
            ""
        };
        let Self {
            seq,
            kind,
            bytes,
            beginning,
            ..
        } = self;
        write!(f, "{seq} {kind} at {time}, {bytes} bytes: {beginning}{more}")
    }
}

/// Damage outranks a missing key, which outranks a missing end.
fn worse(known: Status, new: Status) -> Status {
    match known {
        Status::Corrupt { .. } | Status::Tamper { .. } | Status::BadHead { .. } => known,
        _ => new,
    }
}

impl Report {
    fn empty(path: &Path, demands: &Demands) -> Self {
        Self {
            path: path.to_owned(),
            bytes: 0,
            status: Status::Unsealed,
            head: None,
            counts: Counts::default(),
            signed: None,
            previous: None,
            frame_hash: None,
            metas: Vec::new(),
            recipients_checked: false,
            demands: demands.clone(),
            root_at: None,
            checkpoints: Vec::new(),
        }
    }

    fn take(&mut self, head: &Head, found: &Found, trust: &Trust) {
        self.status = found.status.clone();
        self.counts = found.counts;
        self.signed = found.signed;
        self.previous = found.previous;
        self.head = Some(HeadFacts {
            document: head.text.clone(),
            suite: head.pre.suite,
            hides_times: head.pre.hides_times,
            file_id: head.pre.file_id,
            signer: head.introduction.device,
            trusted: found.signed.is_some() && trust.holds(&head.introduction.device),
        });
    }

    /// Whether the signer is trusted.
    pub fn is_trusted(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.trusted)
    }

    /// Whether a demand is not met.
    pub fn is_refused(&self) -> bool {
        let other_root = self.demands.root.is_some() && self.root_at.is_none();
        other_root || (self.demands.signed && !self.is_trusted())
    }

    /// 0 sealed by a trusted signer, 1 sealed by an unknown one, 3 not sealed, 4 does not
    /// authenticate or is not as demanded, 5 no matching key.
    pub fn exit_code(&self) -> u8 {
        match &self.status {
            _ if self.is_refused() => 4,
            Status::Sealed if self.is_trusted() => 0,
            Status::Sealed => 1,
            Status::Unsealed | Status::Torn { .. } => 3,
            Status::Corrupt { .. } | Status::Tamper { .. } | Status::BadHead { .. } => 4,
            Status::NoKey => 5,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused = match self.is_refused() {
            true => ", and REFUSED: it is not as was demanded",
            false => "",
        };
        writeln!(f, "{}: {}{refused}", self.path.display(), self.status)?;
        let Some(head) = &self.head else {
            return write!(f, "size:       {} bytes", self.bytes);
        };
        let known = match (head.trusted, self.signed) {
            (true, _) => "trusted",
            (false, Some(_)) => "unknown: not in the list of trusted signers",
            (false, None) => "claimed: nothing is signed",
        };
        writeln!(f, "id:         {}", urn(&head.file_id))?;
        writeln!(f, "suite:      {}", head.suite.name())?;
        writeln!(f, "signer:     {} ({known})", head.signer)?;
        let readers = if self.recipients_checked {
            "checked"
        } else {
            "not checked"
        };
        writeln!(f, "recipients: {readers}")?;
        let counts = &self.counts;
        writeln!(
            f,
            "signed:     {} frames in {} records and {} segments",
            counts.frames, counts.records, counts.segments
        )?;
        if head.hides_times {
            writeln!(f, "times:      hidden")?;
        } else if let Some((first, last)) = counts.times_nanos {
            let seconds = last.abs_diff(first) as f64 * 1e-9;
            let [first, last] = [first, last].map(|nanos| beluga_types::Stamp::from_nanos(nanos).iso_8601());
            writeln!(f, "times:      {first} to {last} ({seconds:.3} s)")?;
        }
        if let Some((size, root)) = &self.signed {
            writeln!(f, "root:       {} of {size} leaves", hex(root))?;
        }
        if let Some(root) = &self.demands.root {
            let found = match self.root_at {
                Some(leaves) => format!("that of the first {leaves} leaves"),
                None => "NOT IN THIS RECORD: it was cut or written anew since".into(),
            };
            writeln!(f, "expected:   {} is {found}", hex(root))?;
        }
        if self.demands.signed && !head.trusted {
            writeln!(
                f,
                "required:   the signature of a trusted device, which is MISSING"
            )?;
        }
        if let Some(previous) = &self.previous {
            writeln!(
                f,
                "continues:  {} from root {}",
                urn(&previous.file_id),
                hex(&previous.root)
            )?;
        }
        if let Some(hash) = &self.frame_hash {
            writeln!(f, "frames:     SHA-256 {}", hex(hash))?;
        }
        for meta in &self.metas {
            writeln!(f, "meta:       {meta}")?;
        }
        write!(f, "size:       {} bytes", self.bytes)
    }
}
