//! Serial numbers and versions in the text of `I`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Content;
use crate::nameplate::{Nameplate, parts};
use crate::regular;
use crate::survey::walk::Walk;

/// Datagrams that are looked at: the installation stands at the beginning.
const LOOK: usize = 1000;

const SERIALS: [(&str, &str); 5] = [
    ("SMH", "system"),
    ("TXS", "TX"),
    ("T2S", "TX 2"),
    ("R1S", "RX"),
    ("R2S", "RX 2"),
];
/// Transmitter, receiver, beamformer, processing unit and the operator's station.
const VERSIONS: [(&str, &str); 5] = [
    ("TSV", "TX"),
    ("RSV", "RX"),
    ("BSV", "BSP"),
    ("PSV", "PU"),
    ("OSV", "station"),
];

/// What the sounder of a file says of itself.
pub(crate) fn nameplate(path: &Path) -> Option<Nameplate> {
    let mut input = regular::open(path).ok()?;
    let order = super::order(&mut input, path).ok()?;
    let mut walk = Walk::new(input, order, 0).ok()?;
    for _ in 0..LOOK {
        if walk.next()?.is_ok()
            && let Ok(datagram) = super::read_whole(walk.bytes(), order.big)
            && let Content::Installation(text) = datagram.content
        {
            return Some(read(&text));
        }
    }
    None
}

fn read(text: &str) -> Nameplate {
    let values: BTreeMap<&str, &str> = text.split(',').filter_map(|pair| pair.split_once('=')).collect();
    let named = |keys: [(&'static str, &'static str); 5]| {
        let found = keys.into_iter();
        parts(found.filter_map(|(key, name)| Some((name, *values.get(key)?))))
    };
    Nameplate {
        serial: named(SERIALS),
        firmware: named(VERSIONS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_versions_are_found() {
        let found =
            read("WLZ=-4.9,SMH=2004,TXS=214,R1S=2004,R2S=0,TSV=1.07   Mar  8 2018 ,PSV=2.6.1 210709,\0");
        assert_eq!(found.serial.as_deref(), Some("system 2004, TX 214, RX 2004"));
        assert_eq!(
            found.firmware.as_deref(),
            Some("TX 1.07 Mar 8 2018, PU 2.6.1 210709")
        );
        assert_eq!(read("=,,a"), Nameplate::default());
    }
}
