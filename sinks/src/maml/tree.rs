//! The Merkle tree of RFC 6962 over all records, grown one leaf at a time.

use sha2::{Digest, Sha256};

/// A SHA-256 value.
pub(crate) type Hash = [u8; 32];

/// The right edge of a Merkle tree: enough to add leaves and to say the root.
///
/// Holds one hash per set bit of the number of leaves. RFC 6962, section 2.1: a leaf is hashed as
/// `SHA-256(0x00 || leaf)`, a node as `SHA-256(0x01 || left || right)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    /// Roots of the full subtrees, from the largest to the smallest.
    edge: Vec<Hash>,
}

impl Tree {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf made of parts that are hashed as if joined.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) {
        self.push_leaf(leaf(parts));
    }

    /// Adds a leaf of which the hash is known.
    pub(crate) fn push_leaf(&mut self, mut node: Hash) {
        // Each trailing one of the size is a full subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            let left = self
                .edge
                .pop()
                .expect("the edge holds one hash per set bit of the size");
            node = parent(&left, &node);
        }
        self.edge.push(node);
        self.size += 1;
    }

    /// The root over all leaves so far; of no leaves, SHA-256 of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut subtrees = self.edge.iter().rev();
        match subtrees.next() {
            None => Sha256::digest([]).into(),
            Some(last) => subtrees.fold(*last, |right, left| parent(left, &right)),
        }
    }
}

/// The hash of a leaf made of parts that are hashed as if joined.
pub(crate) fn leaf(parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new_with_prefix([0]);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// The audit path of a leaf (RFC 6962, section 2.1.1), from the leaf up: with it and the leaf alone the
/// root follows. `index` is below the number of leaves.
pub(crate) fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut below, beside) = match index.checked_sub(left.len()) {
        None => (path(left, index), right),
        Some(index) => (path(right, index), left),
    };
    below.push(root_of(beside));
    below
}

fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            parent(&root_of(left), &root_of(right))
        }
    }
}

/// The root that follows from a leaf's hash, its index, the number of leaves and its audit path (RFC 9162,
/// section 2.1.3.2). Nothing if the path has not the length it must have.
pub(crate) fn root_along(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let mut last = size.checked_sub(1).filter(|&last| index <= last)?;
    let (mut index, mut node) = (index, leaf);
    for beside in path {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            node = parent(beside, &node);
            // A last node without a sibling goes up as it is.
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            node = parent(&node, beside);
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn from_hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    }

    /// RFC 6962, section 2.1, word for word: split at the largest power of two below n.
    fn slow_root(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => Sha256::new_with_prefix([0]).chain_update(leaf).finalize().into(),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                parent(&slow_root(&leaves[..split]), &slow_root(&leaves[split..]))
            }
        }
    }

    #[test]
    fn published_roots() {
        // The reference tree of Certificate Transparency: eight leaves, the root after each.
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        assert_eq!(
            hex(tree.root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "the empty tree"
        );
        for (leaf, root) in leaves.iter().zip(roots) {
            tree.push(&[&from_hex(leaf)]);
            assert_eq!(hex(tree.root()), root, "after {} leaves", tree.size());
        }
    }

    #[test]
    fn every_path_leads_to_the_root_and_no_other_does() {
        let leaves: Vec<Hash> = (0u8..70).map(|i| leaf(&[&[i]])).collect();
        for size in 1..=leaves.len() {
            let leaves = &leaves[..size];
            let root = root_of(leaves);
            for index in 0..size {
                let way = path(leaves, index);
                let along = |leaf, index: usize, size: usize, way: &[Hash]| {
                    root_along(leaf, index as u64, size as u64, way)
                };
                assert_eq!(
                    along(leaves[index], index, size, &way),
                    Some(root),
                    "{index} of {size}"
                );
                assert_ne!(along([9; 32], index, size, &way), Some(root), "another leaf");
                let longer = [&way[..], &[[0; 32]]].concat();
                assert_eq!(along(leaves[index], index, size, &longer), None, "a longer path");
                if let Some(end) = way.len().checked_sub(1) {
                    assert_eq!(
                        along(leaves[index], index, size, &way[..end]),
                        None,
                        "a shorter path"
                    );
                    let other = (index + 1) % size;
                    assert_ne!(
                        along(leaves[index], other, size, &way),
                        Some(root),
                        "another place"
                    );
                }
            }
        }
        assert_eq!(root_along([0; 32], 0, 0, &[]), None);
        assert_eq!(root_along([0; 32], 5, 5, &[[0; 32]; 3]), None);
    }

    #[test]
    fn the_growing_tree_equals_the_slow_one() {
        let leaves: Vec<Vec<u8>> = (0u32..100).map(|i| vec![i as u8; (i % 7) as usize]).collect();
        let mut tree = Tree::default();
        for (i, leaf) in leaves.iter().enumerate() {
            let (head, tail) = leaf.split_at(leaf.len() / 2);
            tree.push(&[head, tail]);
            assert_eq!(tree.root(), slow_root(&leaves[..=i]));
        }
    }
}
