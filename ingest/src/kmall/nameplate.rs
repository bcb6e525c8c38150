//! Serial numbers and versions in the text of `#IIP`.
//!
//! Lines `NAME:VALUE` between `VERSIONS:` and `VERSIONS-END`, and between `SERIALno:` and `SERIALno-END`;
//! the processing unit's own number is `SN=`.

use std::path::Path;

use super::framing::{self, Kmall};
use super::{Content, Reader};
use crate::nameplate::{Nameplate, parts};
use crate::regular;
use crate::survey::walk::Walk;

/// Datagrams that are looked at: the installation stands at the beginning.
const LOOK: usize = 1000;

/// What the sounder of a file says of itself.
pub(crate) fn nameplate(path: &Path) -> Option<Nameplate> {
    let mut walk = Walk::new(regular::open(path).ok()?, Kmall, 0).ok()?;
    let mut reader = Reader::default();
    for _ in 0..LOOK {
        if walk.next()?.is_ok()
            && let Ok(Content::Installation(text)) = reader.read(walk.bytes()).content
        {
            return Some(read(&text));
        }
    }
    None
}

/// What a datagram says of the sounder that sends it, if it is an `#IIP`.
pub(super) fn said(whole: &[u8]) -> Option<Nameplate> {
    let is_installation = framing::header(whole).is_ok_and(|header| header.kind == *b"IIP");
    let content = is_installation.then(|| Reader::default().read(whole).content);
    match content?.ok()? {
        Content::Installation(text) => Some(read(&text)),
        _ => None,
    }
}

fn read(text: &str) -> Nameplate {
    let unit = text
        .lines()
        .find_map(|line| line.strip_prefix("SN="))
        .map(|number| ("PU", number.trim_end_matches([',', ' '])));
    // Behind a serial number stands the width of the array.
    let arrays = section(text, "SERIALno").map(|(name, said)| (name, said.split(';').next().unwrap_or("")));
    Nameplate {
        serial: parts(unit.into_iter().chain(arrays)),
        firmware: parts(section(text, "VERSIONS")),
    }
}

/// Names and values of a section.
fn section<'a>(text: &'a str, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let (begins, ends) = (format!("{name}:"), format!("{name}-END"));
    let inside = text
        .split_once(&begins)
        .and_then(|(_, rest)| Some(rest.split_once(&ends)?.0));
    let lines = inside.unwrap_or("").split([',', '\n']);
    lines.filter_map(|line| line.split_once(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_arrays_and_versions_are_found() {
        let text = "OSCV:Empty,EMXV:EM2042,\nPU_0,\nSN=25002,\nVERSIONS:,\nCPU:6.3.0 2025-09-26,\nTX:1.02   Aug 14 2024 ,\n\
            TX_V2:NA,\nVERSIONS-END,\nSERIALno:\nTX:5001;0.7deg,\nRX:5003,\nSERIALno-END,\nDCL:2.0.3,\n";
        let found = read(text);
        assert_eq!(found.serial.as_deref(), Some("PU 25002, TX 5001, RX 5003"));
        assert_eq!(
            found.firmware.as_deref(),
            Some("CPU 6.3.0 2025-09-26, TX 1.02 Aug 14 2024")
        );
        assert_eq!(read("EMXV:EM2042,\nVERSIONS:,\nCPU:1,"), Nameplate::default());
    }
}
