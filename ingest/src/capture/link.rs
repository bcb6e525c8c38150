//! The link layer: from a packet to the bytes of its IP packet.
//!
//! Source: the list of link types at tcpdump.org; IEEE 802.3 and 802.1Q for Ethernet.

use pcap_parser::Linktype;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// Ethernet types of a tag of four bytes: 802.1Q, 802.1ad, and QinQ as it was before.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// Tags one behind the other that are looked through.
const MAX_TAGS: usize = 4;
/// Raw IP as systems number it by themselves.
const RAW_OF_SYSTEMS: [i32; 2] = [12, 14];

/// The IP packet in a packet of this link, nothing if it holds none.
pub(super) fn ip_of(link: Linktype, bytes: &[u8]) -> Option<&[u8]> {
    match link {
        Linktype::ETHERNET => behind_type(bytes, 12),
        Linktype::LINUX_SLL => behind_type(bytes, 14),
        Linktype::LINUX_SLL2 => {
            let kind = u16::from_be_bytes(*bytes.first_chunk()?);
            is_ip(kind).then(|| bytes.get(20..)).flatten()
        }
        // Address family in the byte order of who captured; its numbers for IPv6 differ by system.
        Linktype::NULL => {
            let family: [u8; 4] = *bytes.first_chunk()?;
            let family = u32::from_le_bytes(family).min(u32::from_be_bytes(family));
            matches!(family, 2 | 10 | 24 | 28 | 30).then(|| &bytes[4..])
        }
        Linktype::LOOP => {
            let family = u32::from_be_bytes(*bytes.first_chunk()?);
            matches!(family, 2 | 10 | 24 | 28 | 30).then(|| &bytes[4..])
        }
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 => Some(bytes),
        Linktype(other) => RAW_OF_SYSTEMS.contains(&other).then_some(bytes),
    }
}

/// What is behind the type at `at`, and behind tags.
fn behind_type(bytes: &[u8], mut at: usize) -> Option<&[u8]> {
    for _ in 0..=MAX_TAGS {
        let kind = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
        if is_ip(kind) {
            return bytes.get(at + 2..);
        }
        if !TAGS.contains(&kind) {
            return None;
        }
        at += 4;
    }
    None
}

fn is_ip(kind: u16) -> bool {
    kind == IPV4 || kind == IPV6
}
