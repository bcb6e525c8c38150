//! What a label is called in LAS.

use beluga_types::{Label, Medium};

/// Bit of "made by another technique than direct observation" in a point's classification flags.
pub(super) const SYNTHETIC: u8 = 1;
/// Bit of "not to be used".
pub(super) const WITHHELD: u8 = 4;

/// The class of a point. 1 and 6 are ASPRS's (LAS 1.4 R15, table 17); 40, 41 and 43 are those of
/// its "Topo-Bathy Lidar Domain Profile" (2013); from 68 on, where users may define their own, 64
/// and the label's number.
pub(super) fn class(label: Label, medium: Medium) -> u8 {
    match (label, medium) {
        (Label::Unknown, _) => 1,
        (Label::Structure, Medium::Air) => 6,
        (Label::Structure, Medium::Water) => 43,
        (Label::Bed, _) => 40,
        (Label::Surface, _) => 41,
        (Label::Mirror | Label::Multipath | Label::Volume | Label::Moving | Label::Bridged, _) => {
            64 + label as u8
        }
    }
}

/// Classification flags: what nobody measured is synthetic, what is not where it seems is withheld.
pub(super) fn flags(label: Label) -> u8 {
    match label {
        Label::Bridged => SYNTHETIC,
        Label::Mirror | Label::Multipath => WITHHELD,
        _ => 0,
    }
}

/// The body of a Classification Lookup: 256 entries of a class and 15 characters.
pub(super) fn lookup() -> Vec<u8> {
    let named = |number: u8| match number {
        1 => "unknown",
        6 => "structure",
        40 => "bed",
        41 => "water surface",
        43 => "structure in w",
        _ => Label::ALL
            .into_iter()
            .find(|&label| class(label, Medium::Air) == number)
            .map_or("", Label::name),
    };
    let mut body = Vec::with_capacity(256 * 16);
    for number in 0..=u8::MAX {
        let mut entry = [0; 16];
        entry[0] = number;
        let name = named(number).as_bytes();
        entry[1..=name.len()].copy_from_slice(name);
        body.extend(entry);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_apart_and_explained_in_the_file() {
        let lookup = lookup();
        assert_eq!(lookup.len(), 4096);
        let mut seen = std::collections::BTreeSet::new();
        for label in Label::ALL {
            for medium in Medium::ALL {
                let number = usize::from(class(label, medium));
                seen.insert(number);
                assert_ne!(lookup[16 * number + 1], 0, "{label:?}");
            }
        }
        assert_eq!(
            seen.into_iter().collect::<Vec<_>>(),
            [1, 6, 40, 41, 43, 68, 69, 70, 71, 72]
        );
    }
}
