//! A proof as JSON, so that any tool can check it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::super::hex::{hex, unhex};
use super::super::layout::{HEADER_LEN, MAX_BODY, Suite, VERSION};
use super::super::note::MAX_NOTE;
use super::super::tree::Hash;
use super::{Leaf, Proof};
use crate::error::Error;
use crate::frame_bytes::MAX_FRAME_BYTES;

/// Version of the form below.
const PROOF_VERSION: u64 = 1;
/// Longest audit path: that of 2⁶⁴ leaves.
const MAX_PATH: usize = 64;
/// Most records: a SEGMENT and the parts of the largest frame.
const MAX_RECORDS: usize = 2 + MAX_FRAME_BYTES / (MAX_BODY - 64);
/// Longest fence.
const MAX_FENCE: usize = 1 << 20;
/// Longest proof that is read, in bytes: the largest frame in base64, and what stands around it.
pub const MAX_PROOF_BYTES: u64 = (MAX_FRAME_BYTES as u64) / 3 * 4 + (8 << 20);

impl Proof {
    /// The proof as one JSON object, keys in order of name.
    pub fn to_json(&self) -> String {
        let path = |path: &[Hash]| -> Value { path.iter().map(|hash| hex(hash)).collect() };
        let mut object = Map::new();
        object.insert("maml_proof".into(), PROOF_VERSION.into());
        object.insert("container".into(), VERSION.into());
        object.insert("suite".into(), self.suite.name().into());
        if self.hides_times {
            object.insert("hides_times".into(), true.into());
        }
        object.insert("file_id".into(), hex(&self.file_id).into());
        object.insert("document_sha256".into(), hex(&self.document_hash).into());
        object.insert("signers".into(), self.signers.as_str().into());
        object.insert("recipients".into(), self.recipients.as_str().into());
        object.insert("note".into(), String::from_utf8_lossy(&self.note).into());
        object.insert("head_path".into(), path(&self.head_path));
        let records = self.records.iter();
        let records =
            records.map(|leaf| json!({ "record": STANDARD.encode(&leaf.bytes), "path": path(&leaf.path) }));
        object.insert("records".into(), records.collect());
        if let Some(secret) = &self.segment_secret {
            object.insert("segment_key".into(), STANDARD.encode(secret).into());
        }
        format!("{:#}\n", Value::Object(object))
    }

    /// Reads what [`Self::to_json`] writes. Nothing is checked but the form.
    ///
    /// # Errors
    /// [`Error::Proof`].
    pub fn from_json(text: &str) -> Result<Self, Error> {
        read(text).map_err(|reason| Error::Proof { reason })
    }
}

fn read(text: &str) -> Result<Proof, String> {
    if text.len() as u64 > MAX_PROOF_BYTES {
        return Err(format!(
            "{} bytes, expected at most {MAX_PROOF_BYTES}",
            text.len()
        ));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let version = value["maml_proof"].as_u64();
    if version != Some(PROOF_VERSION) || value["container"].as_u64() != Some(u64::from(VERSION)) {
        return Err(format!(
            "not a proof of version {PROOF_VERSION} over container {VERSION}"
        ));
    }
    let word = |name: &str, limit: usize| {
        let word = value[name].as_str().filter(|word| word.len() <= limit);
        word.ok_or_else(|| format!("`{name}` is missing or longer than {limit} bytes"))
    };
    let suite = word("suite", 64)?;
    let suite = Suite::from_name(suite).ok_or("the suite is unknown")?;
    let segment_secret = match value.get("segment_key") {
        None => None,
        Some(key) => Some(segment_secret(key, suite)?),
    };
    Ok(Proof {
        suite,
        hides_times: value["hides_times"] == true,
        file_id: unhex(word("file_id", 32)?).ok_or("`file_id` has not 32 hexadecimal digits")?,
        document_hash: unhex(word("document_sha256", 64)?)
            .ok_or("`document_sha256` has not 64 hexadecimal digits")?,
        signers: word("signers", MAX_FENCE)?.to_owned(),
        recipients: word("recipients", MAX_FENCE)?.to_owned(),
        note: word("note", MAX_NOTE)?.as_bytes().to_vec(),
        head_path: path(&value["head_path"])?,
        records: records(&value["records"])?,
        segment_secret,
    })
}

fn segment_secret(key: &Value, suite: Suite) -> Result<Zeroizing<Vec<u8>>, String> {
    let secret = key.as_str().and_then(|key| STANDARD.decode(key).ok());
    secret
        .map(Zeroizing::new)
        .filter(|secret| secret.len() == suite.key_len() + suite.nonce_len())
        .ok_or_else(|| "`segment_key` is not key and base nonce of the suite".into())
}

fn path(value: &Value) -> Result<Vec<Hash>, String> {
    let hashes = value.as_array().filter(|hashes| hashes.len() <= MAX_PATH);
    hashes
        .and_then(|hashes| hashes.iter().map(|hash| unhex(hash.as_str()?)).collect())
        .ok_or_else(|| format!("a path is not a list of at most {MAX_PATH} hashes"))
}

fn records(value: &Value) -> Result<Vec<Leaf>, String> {
    let records = value.as_array().filter(|records| records.len() <= MAX_RECORDS);
    let records = records.ok_or_else(|| format!("`records` is not a list of at most {MAX_RECORDS}"))?;
    let leaf = |record: &Value| {
        let text = record["record"].as_str().ok_or("a record is missing")?;
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| format!("a record is not base64: {error}"))?;
        if bytes.len() > HEADER_LEN + MAX_BODY {
            return Err("a record is longer than any".to_owned());
        }
        Ok(Leaf {
            path: path(&record["path"])?,
            bytes,
        })
    };
    records.iter().map(leaf).collect()
}
