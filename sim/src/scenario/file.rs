//! Scenarios as text: TOML that names only what differs from the default.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{Scenario, SonarScenario};
use crate::error::{Error, told};
use crate::plain_file;
use crate::scene::read_mesh;

/// The largest scenario or mesh file read.
const LARGEST_BYTES: u64 = 16 << 20;
/// What messages call a text that is not from a file.
const NO_FILE: &str = "the scenario";

impl Scenario {
    /// The scenario in a TOML text, with the defaults for what it does not name.
    ///
    /// # Errors
    /// [`Error::Content`] with the line if the text is no TOML, has an unknown key, or has a number
    /// outside its range.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        parse(text, Path::new(NO_FILE))
    }

    /// The scenario in a TOML file, with the meshes from the ASCII PLY files it names; files of at most 16
    /// MiB.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::TooLarge`], and as [`Self::from_toml`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut scenario = parse(&read_capped(path)?, path)?;
        for solid in &mut scenario.solid {
            if let Some(file) = &solid.file {
                let mesh = path.parent().unwrap_or(Path::new("")).join(file);
                read_mesh(solid, &read_capped(&mesh)?, &mesh)?;
            }
        }
        Ok(scenario)
    }

    /// The scenario of a name, or of a path that ends in `.toml`.
    ///
    /// # Errors
    /// As [`Self::named`] or [`Self::read`].
    pub fn find(name_or_path: &str) -> Result<Self, Error> {
        let path = Path::new(name_or_path);
        let is_file = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if is_file {
            Self::read(path)
        } else {
            Self::named(name_or_path)
        }
    }
}

/// A scenario's text; `path` is for messages.
pub(super) fn parse(text: &str, path: &Path) -> Result<Scenario, Error> {
    let content = |expected, found, line| Error::Content {
        expected,
        found,
        line,
        path: path.to_owned(),
    };
    let mut scenario: Scenario = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        content("a scenario", error.message().to_owned(), line)
    })?;
    if let Some(device) = scenario.sonar.device.take() {
        let own: toml::Table =
            toml::from_str(text).map_err(|error| content("a scenario", error.to_string(), 1))?;
        let none = toml::Table::new();
        let own = own.get("sonar").and_then(toml::Value::as_table).unwrap_or(&none);
        let folder = path.parent().unwrap_or(Path::new("."));
        scenario.sonar = SonarScenario::over_device(&device, own, folder).map_err(|error| match error {
            Error::Device { .. } => content(
                "a device",
                error.to_string(),
                key_line(text, "sonar.device", f64::NAN),
            ),
            other => other,
        })?;
    }
    match scenario.check() {
        Err(Error::Scenario { key, found, expected }) => Err(content(
            expected,
            format!("`{key}` = {}", told(found)),
            key_line(text, key, found),
        )),
        other => other.map(|()| scenario),
    }
}

/// Line of a byte, from one.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|&byte| byte == b'\n').count()
}

/// Line of a key with its tables, as `sonar.rate_hz`, whose value was refused; of the nearest table that
/// the text names if the key is left to its default.
fn key_line(text: &str, key: &str, found: f64) -> usize {
    let Ok(document) = DeTable::parse(text) else {
        return 1;
    };
    let mut place = Place::default();
    let parts: Vec<&str> = key.split('.').collect();
    place.look(document.get_ref(), &parts, found, 0);
    line_of(text, place.byte)
}

/// The best place found so far for a refused value.
#[derive(Default)]
struct Place {
    /// How many parts of the key fit, and one more if the value does.
    fits: usize,
    byte: usize,
}

impl Place {
    fn look(&mut self, table: &DeTable<'_>, parts: &[&str], found: f64, depth: usize) {
        let Some((part, rest)) = parts.split_first() else {
            return;
        };
        for (name, value) in table.iter().filter(|(name, _)| name.get_ref() == part) {
            let fits = depth + 1 + usize::from(rest.is_empty() && holds(value.get_ref(), found));
            if fits > self.fits {
                self.fits = fits;
                self.byte = name.span().start;
            }
            let tables: Vec<&DeTable<'_>> = match value.get_ref() {
                DeValue::Table(next) => vec![next],
                DeValue::Array(entries) => entries
                    .iter()
                    .filter_map(|entry| entry.get_ref().as_table())
                    .collect(),
                _ => Vec::new(),
            };
            for next in tables {
                self.look(next, rest, found, depth + 1);
            }
        }
    }
}

/// Whether a value is this number, or a list with it.
fn holds(value: &DeValue<'_>, found: f64) -> bool {
    let same = |text: &str| {
        text.replace('_', "")
            .parse::<f64>()
            .is_ok_and(|value| value == found || (value.is_nan() && found.is_nan()))
    };
    match value {
        DeValue::Integer(number) => same(number.as_str()),
        DeValue::Float(number) => same(number.as_str()),
        DeValue::Array(entries) => entries.iter().any(|entry| holds(entry.get_ref(), found)),
        _ => false,
    }
}

/// A text file, if it is no larger than a scenario may be.
pub(super) fn read_capped(path: &Path) -> Result<String, Error> {
    plain_file::read(path, LARGEST_BYTES)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::scenario::Level;

    fn refusal(text: &str) -> (String, usize) {
        match Scenario::from_toml(text).unwrap_err() {
            Error::Content {
                expected,
                found,
                line,
                ..
            } => (format!("{expected}: {found}"), line),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_text_names_only_what_differs() {
        let scenario = Scenario::from_toml("level = \"S2\"\nseed = 9\n[vessel]\nroll_deg = 5\n").unwrap();
        assert_eq!((scenario.level, scenario.seed), (Level::S2, 9));
        assert_eq!(scenario.vessel.roll_deg, 5.0);
        assert_eq!(scenario.sonar, Scenario::default().sonar);
        assert_eq!(Scenario::from_toml("").unwrap(), Scenario::default());
    }

    #[test]
    fn errors_name_line_and_key() {
        let (text, line) = refusal("seed = 1\n[sonar]\nbeems = 3\n");
        assert!(line == 3 && text.contains("beems"), "{line}: {text}");
        let (text, line) = refusal("seed = 1\n[sonar]\nbeams = \"many\"\n");
        assert!(line == 3 && text.contains("invalid type"), "{line}: {text}");
        let (text, line) = refusal("seed = 1\n\n[sonar]\nbeams = 8\nrate_hz = nan\n");
        assert!(line == 5 && text.contains("sonar.rate_hz"), "{line}: {text}");
        // The default rate is too fast for this range: the table is named.
        let (text, line) = refusal("seed = 1\n\n[sonar]\nbeams = 8\nrange_m = 150\n");
        assert!(line == 3 && text.contains("sonar.rate_hz"), "{line}: {text}");
        assert_eq!(refusal("seed = \n").1, 1);
    }

    #[test]
    fn a_file_is_found_by_its_ending() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, "duration_s = 4.0\n").unwrap();
        let found = Scenario::find(path.to_str().unwrap()).unwrap();
        assert_eq!(found.duration_s, 4.0);
        fs::write(&path, "duration_s = 4.0\nx = 1\n").unwrap();
        let error = Scenario::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("mine.toml") && error.contains("`x`"),
            "{error}"
        );
        assert!(matches!(Scenario::find("absent.toml"), Err(Error::Io { .. })));
        assert!(matches!(
            Scenario::find("absent"),
            Err(Error::UnknownScenario { .. })
        ));
        fs::write(&path, vec![b'#'; (LARGEST_BYTES + 1) as usize]).unwrap();
        assert!(matches!(Scenario::read(&path), Err(Error::TooLarge { .. })));
    }
}
