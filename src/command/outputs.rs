//! Files a command is asked to write: refused before anything is made, so that the next try finds
//! every name free.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use beluga_sinks::part_of;

use crate::exit::Wrong;

/// Checks the outputs of a command, each with the option that names it, and makes their folders.
///
/// # Errors
/// If two are the same file, one exists, or the folder for one cannot be made.
pub(crate) fn must_be_free(outputs: &[(&str, Option<&Path>)]) -> anyhow::Result<()> {
    let named = || {
        outputs
            .iter()
            .filter_map(|&(option, path)| path.map(|path| (option, path)))
    };
    for (index, (option, path)) in named().enumerate() {
        let twin = named().take(index).find(|(_, other)| place(other) == place(path));
        let wrong = if let Some((other, _)) = twin {
            format!(
                "{other} and {option} both name {}: name two files",
                path.display()
            )
        } else if path.symlink_metadata().is_ok() {
            format!(
                "{} exists and is never overwritten: name another with {option}",
                path.display()
            )
        } else if part_of(path).symlink_metadata().is_ok() {
            format!(
                "{} is left of an output that was cut off: remove it, or name another with {option}",
                part_of(path).display()
            )
        } else {
            continue;
        };
        return Err(anyhow!(wrong).context(Wrong::Arguments));
    }
    for (_, path) in named() {
        let folder = folder(path);
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))
            .context(Wrong::Arguments)?;
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The path with its folder's one true name.
fn place(path: &Path) -> PathBuf {
    let folder = folder(path);
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let (taken, free) = (folder.path().join("taken"), folder.path().join("free"));
        std::fs::write(&taken, b"x").unwrap();
        let said = |outputs: &[(&str, Option<&Path>)]| {
            must_be_free(outputs).map_err(|error| error.chain().map(ToString::to_string).collect::<String>())
        };
        assert_eq!(said(&[("--a", Some(&free)), ("--b", None)]), Ok(()));
        let exists = said(&[("--a", Some(&taken))]).unwrap_err();
        assert!(exists.contains("exists and is never overwritten"), "{exists}");
        std::fs::write(folder.path().join("cut.part"), b"x").unwrap();
        let cut = said(&[("--a", Some(&folder.path().join("cut")))]).unwrap_err();
        assert!(cut.contains("cut.part is left of an output"), "{cut}");
        let dotted = folder.path().join(".").join("free");
        let twins = said(&[("--a", Some(&free)), ("--b", Some(&dotted))]).unwrap_err();
        assert!(twins.contains("--a and --b both name"), "{twins}");
        assert_eq!(said(&[("--a", Some(&folder.path().join("new/free")))]), Ok(()));
        assert!(folder.path().join("new").is_dir());
        let lost = said(&[("--a", Some(&taken.join("free")))]).unwrap_err();
        assert!(lost.contains("cannot make the folder"), "{lost}");
    }
}
