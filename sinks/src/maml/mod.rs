//! The MAML record: a readable document, then frames, encrypted, signed, and sealed.
//!
//! The layout stands in `FORMAT.md`. [`Writer`] writes a record, [`Reader`] gives back its frames
//! and its [`Meta`],
//! [`verify`] says what a file is without any secret, [`KeyStore`] keeps the keys of this machine.

mod codec;
mod cursor;
pub(crate) mod document;
mod end;
pub(crate) mod escape;
#[cfg(test)]
mod faults;
mod fence;
#[cfg(test)]
mod fixed;
mod head;
mod hex;
mod index;
mod keys;
mod late_seal;
pub(crate) mod layout;
mod meta;
mod note;
mod opening;
mod output;
mod padding;
mod passphrase;
#[cfg(test)]
mod power_cut;
mod private_file;
mod proof;
mod reader;
mod recipient;
mod record;
mod recover;
mod report;
mod rewrap;
mod scan;
mod sealers;
mod secret;
mod segment;
mod sign;
mod split;
pub(crate) mod stanza;
mod status;
mod tree;
mod trust;
mod writer;

pub use document::DocumentFields;
pub use end::{Counts, Previous};
pub use keys::{Kept, KeyStore};
pub use late_seal::{LateSeal, MAX_LATE_SEAL, seal_late};
pub use layout::Suite;
pub use meta::{MAX_META_BYTES, Meta};
pub use passphrase::Passphrase;
pub use private_file::write_private;
pub use proof::{MAX_PROOF_BYTES, Proof, Proven, prove};
pub use reader::{Entry, Reader, RecordedFrame, RecordedMeta};
pub use recipient::{KeyFile, ReaderKey, Readers, Recipient, RecipientId, Unlock};
pub use recover::{Recovered, recover};
pub use report::{Demands, HeadFacts, MetaFacts, Report, verify, verify_bytes, verify_for};
pub use rewrap::{Rewrapped, rewrap};
pub use scan::Checkpoint;
pub use sign::{DeviceKey, SignerId};
pub use split::{join, split};
pub use status::Status;
pub use trust::Trust;
pub use writer::{Summary, Writer, WriterOptions};
