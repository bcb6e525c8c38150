//! The named scenarios: one file per level, from `sim/scenes/`, and the two of the first quay.

use super::Scenario;
use crate::error::Error;

/// A level: its two names, its file's name and its text.
struct Named {
    names: [&'static str; 2],
    file: &'static str,
    text: &'static str,
}

macro_rules! scene {
    ($level:literal, $name:literal, $file:literal) => {
        Named {
            names: [$level, $name],
            file: $file,
            text: include_str!(concat!("../../scenes/", $file)),
        }
    };
}

const LEVELS: [Named; 7] = [
    scene!("s0", "tank", "s0-tank.toml"),
    scene!("s1", "harbour", "s1-quay.toml"),
    scene!("s2", "swell", "s2-swell.toml"),
    scene!("s3", "pier", "s3-pier.toml"),
    scene!("s4", "tunnel", "s4-tunnel.toml"),
    scene!("s5", "storm", "s5-storm.toml"),
    scene!("s6", "glass", "s6-glass.toml"),
];

impl Scenario {
    /// Names [`Self::named`] knows, for messages.
    pub const NAMES: &'static str = "`quay`, `sample`, `s0` or `tank`, `s1` or `harbour`, `s2` or `swell`, \
                                     `s3` or `pier`, `s4` or `tunnel`, `s5` or `storm`, `s6` or `glass`";

    /// The first names of the levels.
    pub fn levels() -> impl Iterator<Item = &'static str> {
        LEVELS.iter().map(|level| level.names[0])
    }

    /// The scenario with this name.
    ///
    /// # Errors
    /// [`Error::UnknownScenario`] for any name but those of [`Self::NAMES`].
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "quay" => return Ok(Self::demo()),
            "sample" => return Ok(Self::sample()),
            _ => {}
        }
        match LEVELS.iter().find(|level| level.names.contains(&name)) {
            Some(level) => super::file::parse(level.text, level.file.as_ref()),
            None => Err(Error::UnknownScenario {
                expected: Self::NAMES,
                found: name.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn every_level_has_a_world() {
        for (number, level) in Scenario::levels().enumerate() {
            let scenario = Scenario::named(level).unwrap();
            assert_eq!(format!("{:?}", scenario.level), format!("S{number}"));
            assert_eq!(Scenario::named(LEVELS[number].names[1]).unwrap(), scenario);
            assert!(Scenario::NAMES.contains(&format!("`{level}`")));
            World::new(scenario).unwrap_or_else(|error| panic!("{level}: {error}"));
        }
    }
}
