//! Makes the files of `tests/testkit` from fixed keys and fixed randomness, and holds them to what is
//! committed. With `TESTKIT_OUT=FOLDER` in the environment the test writes them there.

mod cases;
mod damage;
mod forge;
mod forgeries;

use std::fs;
use std::path::Path;

use cases::{Case, Kit, bases};

/// Longest edit that stands in the table itself, in bytes.
const INLINE: usize = 32;

/// A committed file: its name and bytes.
type Made = (String, Vec<u8>);

/// Every file of the kit, the table among them.
fn kit() -> Vec<Made> {
    let bases = bases();
    let whole = |(name, bytes): &(&'static str, Vec<u8>)| {
        let (status, frames) = match *name {
            "killed" => (cases::killed_status(bytes), 2),
            "empty" => ("SEALED".to_owned(), 0),
            _ => ("SEALED".to_owned(), 4),
        };
        Case {
            name,
            base: name,
            bytes: bytes.clone(),
            expected: (status.clone(), status),
            frames,
        }
    };
    let mut cases: Vec<Case> = bases.iter().map(whole).collect();
    let mut kit = Kit::new(&bases[0].1);
    kit.fill();
    cases.append(&mut kit.cases);

    let mut files: Vec<Made> = Vec::new();
    let mut table = HEADING.to_owned();
    for case in &cases {
        let base = &bases.iter().find(|(name, _)| *name == case.base).unwrap().1;
        let (begin, end, middle) = edit(base, &case.bytes);
        let middle = match middle.len() {
            0 => "-".to_owned(),
            1..=INLINE => crate::maml::hex::hex(middle),
            _ => {
                files.push((format!("{}.bin", case.name), middle.to_vec()));
                "@".to_owned()
            }
        };
        let (without, with) = &case.expected;
        let Case {
            name, base, frames, ..
        } = case;
        table += &format!("{name}\t{base}\t{begin}\t{end}\t{middle}\t{without}\t{with}\t{frames}\n");
    }
    files.extend(
        bases
            .into_iter()
            .map(|(name, bytes)| (format!("{name}.maml"), bytes)),
    );
    files.push(("cases.tsv".into(), table.into_bytes()));
    files
}

const HEADING: &str = "# name, base, first byte replaced, first byte kept after it, what stands there instead (hex, - nothing, @ name.bin), status without a key, status with the keys, frames given with the keys\n";

/// What of `base` is replaced, and by what.
fn edit<'a>(base: &[u8], bytes: &'a [u8]) -> (usize, usize, &'a [u8]) {
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
    let begin = same(&mut base.iter().zip(bytes));
    let kept = same(&mut base[begin..].iter().rev().zip(bytes[begin..].iter().rev()));
    (begin, base.len() - kept, &bytes[begin..bytes.len() - kept])
}

#[test]
fn the_committed_kit_is_what_is_made_here() {
    let made = kit();
    if let Some(folder) = std::env::var_os("TESTKIT_OUT") {
        for (name, bytes) in &made {
            fs::write(Path::new(&folder).join(name), bytes).unwrap();
        }
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testkit");
    for (name, bytes) in &made {
        let found = fs::read(folder.join(name)).unwrap_or_default();
        assert!(found == *bytes, "{name} is not what the generator makes");
    }
    let committed = fs::read_dir(&folder).unwrap().count();
    assert_eq!(committed, made.len(), "files of no case in {}", folder.display());
}
