//! The rig as part of a tape: the texts a folder would hold, and what they cannot say exactly.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use beluga_types::Rig;

use super::cdr::{Decoder, Encoder, Wrong};
use super::echoes;
use crate::error::Error;
use crate::rig_toml::{self, Beside};

/// The attachment that holds the rig; without it a file is no tape.
pub(super) const RIG: &str = "rig.toml";

/// Something attached to a tape.
pub(super) struct Attached {
    pub(super) name: String,
    pub(super) media_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// What of a rig is attached to a tape.
pub(super) fn attachments(path: &Path, rig: &Rig) -> Result<Vec<Attached>, Error> {
    let (text, tables) = rig_toml::texts(&path.join(RIG), rig)?;
    let attached = |name, media_type, bytes| Attached {
        name,
        media_type,
        bytes,
    };
    let mut all: Vec<_> = tables
        .into_iter()
        .map(|(name, text)| attached(name, "text/csv", text.into_bytes()))
        .collect();
    for spec in &rig.sensors {
        if let Some(beams) = &spec.beams {
            let mut encoder = Encoder::new();
            echoes::put_beams(&mut encoder, beams);
            all.push(attached(
                exact_beams(&spec.name),
                "application/cdr",
                encoder.finish(),
            ));
        }
    }
    all.push(attached(RIG.to_owned(), "application/toml", text.into_bytes()));
    Ok(all)
}

/// The rig among the attachments of a tape; nothing if there is none.
pub(super) fn rig(path: &Path, attached: BTreeMap<String, Vec<u8>>) -> Result<Option<Rig>, Error> {
    let inside = path.join(RIG);
    let bad = |name: &str, wrong: Wrong| {
        Error::bad(
            path,
            format!("attachment `{name}`"),
            "a beam table",
            wrong.to_string(),
        )
    };
    let mut texts = BTreeMap::new();
    let mut exact = BTreeMap::new();
    for (name, bytes) in attached {
        match String::from_utf8(bytes) {
            Ok(text) if !name.ends_with(EXACT) => {
                texts.insert(name, text);
            }
            Ok(text) => {
                exact.insert(name, text.into_bytes());
            }
            Err(error) => {
                exact.insert(name, error.into_bytes());
            }
        }
    }
    let Some(text) = texts.get(RIG) else {
        return Ok(None);
    };
    let mut rig = rig_toml::read_text(&inside, text, Beside::Texts(&texts, path))?;
    for spec in &mut rig.sensors {
        let name = exact_beams(&spec.name);
        if let (Some(beams), Some(bytes)) = (&mut spec.beams, exact.get(&name)) {
            let mut decoder = Decoder::message(bytes).map_err(|wrong| bad(&name, wrong))?;
            let found = echoes::beams(&mut decoder).map_err(|wrong| bad(&name, wrong))?;
            if found.len() != beams.len() {
                return Err(bad(
                    &name,
                    Wrong::Value("as many beams as in the table of the rig"),
                ));
            }
            *beams = Arc::from(found);
        }
    }
    Ok(Some(rig))
}

const EXACT: &str = ".beams.cdr";

/// Angles in degrees lose the last bit of a direction; so the directions are kept too.
fn exact_beams(sensor: &str) -> String {
    format!("{sensor}{EXACT}")
}
