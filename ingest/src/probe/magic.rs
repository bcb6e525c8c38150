//! What a file is, by its first bytes; by its name only where they say nothing.
//!
//! Sources: the formats' own specifications, each beside its line; the first bytes only.

use std::io::Read as _;
use std::path::Path;

use crate::error::Error;
use crate::humminbird;
use crate::oculus;
use crate::regular;
use crate::ros::Bag;

/// Bytes that are looked at.
const LOOKED_AT: u64 = 2048;

/// What can be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A rig file, or a folder with one.
    Rig,
    /// A recording in one file, with its own description of the sensors.
    Tape,
    /// A part of a recording, which needs a rig.
    Part,
    /// Known, and not read.
    Foreign,
    Unknown,
}

/// A file's kind.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) role: Role,
    pub(crate) words: String,
}

/// What `path` is.
pub(crate) fn of(path: &Path) -> Result<Known, Error> {
    let known = |role, words: &str| Known {
        role,
        words: words.to_owned(),
    };
    if path.is_dir() {
        return Ok(match path.join("rig.toml").is_file() {
            true => known(Role::Rig, "a folder recording"),
            false if Bag::is_at(path) => known(Role::Tape, "a folder of a bag"),
            false => known(Role::Unknown, "a folder without a rig"),
        });
    }
    let mut bytes = Vec::new();
    regular::open(path)?
        .take(LOOKED_AT)
        .read_to_end(&mut bytes)
        .map_err(Error::io(path))?;
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let found = by_bytes(&bytes).or_else(|| by_both(&bytes, &extension));
    Ok(found.map_or_else(
        || known(Role::Unknown, "nothing that is known"),
        |(role, words)| known(role, words),
    ))
}

/// Files that begin as no other does.
fn by_bytes(bytes: &[u8]) -> Option<(Role, &'static str)> {
    let begins: [(&[u8], Role, &'static str); 21] = [
        (b"\x89MCAP0\r\n", Role::Tape, "an MCAP file"),
        (b"ply\n", Role::Part, "a PLY cloud"),
        (b"ply\r\n", Role::Part, "a PLY cloud"),
        (b"# .PCD", Role::Part, "a PCD cloud"),
        (b"LASF", Role::Part, "a LAS or LAZ cloud"),
        (b"#ROSBAG", Role::Foreign, "a ROS 1 bag"),
        (b"SQLite format 3\0", Role::Tape, "an SQLite file"),
        (b"\xd4\xc3\xb2\xa1", Role::Tape, "a packet capture (pcap)"),
        (b"\xa1\xb2\xc3\xd4", Role::Tape, "a packet capture (pcap)"),
        (b"\x4d\x3c\xb2\xa1", Role::Tape, "a packet capture (pcap)"),
        (b"\xa1\xb2\x3c\x4d", Role::Tape, "a packet capture (pcap)"),
        (b"\x0a\x0d\x0d\x0a", Role::Tape, "a packet capture (pcapng)"),
        (b"ASTM-E57", Role::Foreign, "an E57 cloud"),
        (b"# vtk DataFile", Role::Foreign, "a VTK file"),
        (b"\x89HDF\r\n\x1a\n", Role::Foreign, "an HDF5 or netCDF file"),
        (b"RRF2", Role::Foreign, "a rerun recording"),
        (b"DDF\x05", Role::Tape, "an ARIS file"),
        (b"DDF", Role::Foreign, "a DIDSON file"),
        (b"PK\x03\x04", Role::Foreign, "a ZIP archive"),
        (b"\x1f\x8b", Role::Foreign, "a gzip file"),
        (b"---\nmaml_version", Role::Foreign, "a MAML record"),
    ];
    let begun = begins.iter().find(|(start, ..)| bytes.starts_with(start));
    if let Some((_, role, words)) = begun {
        return Some((*role, words));
    }
    let at = |place: usize, word: &[u8]| bytes.get(place..).is_some_and(|rest| rest.starts_with(word));
    if at(0, b"RIFF") && at(8, b"WAVE") {
        return Some((Role::Part, "a WAV file"));
    }
    // Simrad EK80 and EK60 interface specifications: length, then the datagram's type.
    if at(4, b"XML0") || at(4, b"FIL1") {
        return Some((Role::Tape, "a Simrad EK80 file"));
    }
    if at(4, b"CON0") {
        return Some((Role::Foreign, "a Simrad EK60 file"));
    }
    // Kongsberg KMALL, 410224: length, then `#` and three letters.
    if bytes.get(4) == Some(&b'#')
        && bytes
            .get(5..8)
            .is_some_and(|type_| type_.iter().all(u8::is_ascii_uppercase))
    {
        return Some((Role::Tape, "a Kongsberg KMALL file"));
    }
    // Humminbird, PINGMapper's `BinaryStructure.md`: a mark, then a tag.
    if humminbird::is_head(bytes) {
        return Some((Role::Tape, "a Humminbird recording"));
    }
    // Blueprint Oculus, `Oculus.h`: 0x4F53, then a message's number, version and length.
    if oculus::is_head(bytes) {
        return Some((Role::Tape, "a stream of an Oculus imaging sonar"));
    }
    // XTF, X42: format 123, and after a header of 1024 bytes a packet that begins 0xFACE.
    if bytes.first() == Some(&123) && at(1024, b"\xce\xfa") {
        return Some((Role::Tape, "an XTF file"));
    }
    None
}

/// Files whose first bytes could be chance: their name must agree.
fn by_both(bytes: &[u8], extension: &str) -> Option<(Role, &'static str)> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match extension {
        // Kongsberg .all, 160692: length, then the start byte 2.
        "all" | "wcd" if bytes.get(4) == Some(&2) => Some((Role::Tape, "a Kongsberg .all file")),
        "pcd" if text.lines().any(|line| line.starts_with("FIELDS ")) => Some((Role::Part, "a PCD cloud")),
        "toml" if text.contains("[[sensor]]") => Some((Role::Rig, "a rig file")),
        "csv" if text.contains("lat_deg") => Some((Role::Part, "a nav table")),
        "csv" if text.contains("start_sample") => Some((Role::Part, "a table of pings")),
        "bin" if are_points(bytes, 16) => Some((Role::Part, "a KITTI scan, by its name")),
        "xyz32" if are_points(bytes, 12) => Some((Role::Part, "an xyz32 scan, by its name")),
        _ => None,
    }
}

/// Whether these could be points of `f32` x, y, z and perhaps more: finite, and within 10 km.
fn are_points(bytes: &[u8], stride: usize) -> bool {
    let near = |value: &[u8; 4]| f32::from_le_bytes(*value).abs() <= 1e4;
    let mut points = bytes
        .chunks_exact(stride)
        .map(|point| point[..12].as_chunks::<4>().0);
    bytes.len() >= stride && points.all(|point| point.iter().all(near))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let mut xtf = vec![0; 1026];
        xtf[0] = 123;
        xtf[1024..].copy_from_slice(b"\xce\xfa");
        for (bytes, words) in [
            (&b"\x89MCAP0\r\n"[..], "MCAP"),
            (b"RIFF\0\0\0\0WAVEfmt ", "WAV"),
            (b"\x20\0\0\0XML0", "EK80"),
            (b"\x20\0\0\0CON0", "EK60"),
            (b"\x20\0\0\0#IIP", "KMALL"),
            (&xtf, "XTF"),
            (b"\xd4\xc3\xb2\xa1", "pcap"),
            (b"SO\xd4\x1e\0\0\x23\0\0\0\xf0\xc6\x02\0\0\0", "Oculus"),
            (b"---\nmaml_version: \"1.0.0\"\n", "MAML"),
        ] {
            assert!(by_bytes(bytes).unwrap().1.contains(words), "{words}");
        }
        assert_eq!(by_bytes(b"\x20\0\0\0#ip "), None);
        assert_eq!(by_bytes(b"SO\xd4\x1e\0\0\x24\0\0\0\xf0\xc6\x02\0\0\0"), None);
        assert_eq!(by_both(b"\x20\0\0\0\x02", "all").unwrap().0, Role::Tape);
        assert_eq!(by_both(b"\x20\0\0\0\x02", "dat"), None);
        assert_eq!(by_both(&[0xff; 64], "bin"), None);
        assert_eq!(by_both(&[0; 64], "bin").unwrap().0, Role::Part);
    }
}
