//! What stands at a site.

mod free;
mod structure;
mod wall;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::within;
use crate::error::Error;
pub(crate) use free::MOST_FACES;
pub use free::{ObjectClass, ObjectScenario, Seat, SolidScenario, SolidShape};
pub use structure::{BedScenario, HullScenario, PierScenario, RoomScenario, TankScenario, TunnelScenario};
pub use wall::{
    BollardScenario, ChainScenario, FenderScenario, LadderScenario, PileScenario, ReliefScenario,
    SheetScenario,
};

/// The most entries a list of a site may have.
const MOST: usize = 2000;
/// How far from the origin a thing may stand, in metres.
pub(crate) const FARTHEST_M: f64 = 5000.0;

/// What stands at a site. Without anything it is the quay of `[quay]` with a ladder, two fenders, a
/// pile, a bollard and a container every 10 m.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteScenario {
    /// Whether there is water, with its surface at height zero.
    pub waterline: bool,
    /// Whether the quay has its modules of ladder, fenders, pile, bollard and container.
    pub modules: bool,
    /// Nothing may stand closer than this to the vessel's path, in metres; 0 to 10.
    pub clearance_m: f64,
    /// From where to where wall, bed and tunnel reach along the path, in metres; -5000 to 5000. By
    /// default 40 m before and behind the path.
    pub span_m: Option<[f64; 2]>,
    /// Whether the quay has a flat top, 6 m deep.
    pub deck: bool,
    /// The bed's relief.
    pub bed: BedScenario,
    /// A tank instead of the quay.
    pub tank: Option<TankScenario>,
    /// A tunnel instead of the quay.
    pub tunnel: Option<TunnelScenario>,
    /// A room of glass instead of the quay.
    pub room: Option<RoomScenario>,
    /// Recesses, steps, berms and undercuts of the quay wall.
    pub relief: Vec<ReliefScenario>,
    /// Sections of the quay wall that are steel sheet piles.
    pub sheet: Vec<SheetScenario>,
    /// Piles before the wall.
    pub piles: Vec<PileScenario>,
    /// Fenders on the wall.
    pub fenders: Vec<FenderScenario>,
    /// Bollards on the wall's top.
    pub bollards: Vec<BollardScenario>,
    /// Ladders on the wall.
    pub ladders: Vec<LadderScenario>,
    /// Chains that hang down the wall.
    pub chains: Vec<ChainScenario>,
    /// Bridge piers in the water.
    pub piers: Vec<PierScenario>,
    /// Moored ships.
    pub hulls: Vec<HullScenario>,
}

impl Default for SiteScenario {
    fn default() -> Self {
        Self {
            waterline: true,
            modules: true,
            clearance_m: 0.5,
            span_m: None,
            deck: false,
            bed: BedScenario::default(),
            tank: None,
            tunnel: None,
            room: None,
            relief: Vec::new(),
            sheet: Vec::new(),
            piles: Vec::new(),
            fenders: Vec::new(),
            bollards: Vec::new(),
            ladders: Vec::new(),
            chains: Vec::new(),
            piers: Vec::new(),
            hulls: Vec::new(),
        }
    }
}

impl SiteScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("site.clearance_m", self.clearance_m, 0.0, 10.0, "0 to 10")?;
        if let Some(span_m) = self.span_m {
            stretch("site.span_m", span_m, FARTHEST_M)?;
        }
        self.bed.check()?;
        self.tank.iter().try_for_each(TankScenario::check)?;
        self.tunnel.iter().try_for_each(TunnelScenario::check)?;
        self.room.iter().try_for_each(RoomScenario::check)?;
        let bases = [self.tank.is_some(), self.tunnel.is_some(), self.room.is_some()];
        let others = bases.into_iter().filter(|&base| base).count();
        if others > 1 {
            return Err(refused("site", "only one of `tank`, `tunnel` and `room` can be"));
        }
        if others == 1 && !(self.relief.is_empty() && self.sheet.is_empty()) {
            return Err(refused("site", "`relief` and `sheet` belong to a quay wall"));
        }
        every(&self.relief, "site.relief", ReliefScenario::check)?;
        every(&self.sheet, "site.sheet", SheetScenario::check)?;
        every(&self.piles, "site.piles", PileScenario::check)?;
        every(&self.fenders, "site.fenders", FenderScenario::check)?;
        every(&self.bollards, "site.bollards", BollardScenario::check)?;
        every(&self.ladders, "site.ladders", LadderScenario::check)?;
        every(&self.chains, "site.chains", ChainScenario::check)?;
        every(&self.piers, "site.piers", PierScenario::check)?;
        every(&self.hulls, "site.hulls", HullScenario::check)
    }
}

/// Checks the entries of a list, and that there are not too many.
pub(super) fn every<T>(
    entries: &[T],
    list: &'static str,
    check: impl Fn(&T) -> Result<(), Error>,
) -> Result<(), Error> {
    within(
        list,
        entries.len() as f64,
        0.0,
        MOST as f64,
        "at most 2000 entries",
    )?;
    entries.iter().try_for_each(check)
}

/// Checks that no two objects have the same name.
pub(super) fn check_names(objects: &[ObjectScenario]) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    match objects.iter().find(|object| !names.insert(&object.id)) {
        Some(object) => Err(refused(
            &format!("object `{}`", object.id),
            "another object has the same `id`",
        )),
        None => Ok(()),
    }
}

/// Checks every number of a list.
fn all(key: &'static str, values: &[f64], low: f64, high: f64, expected: &'static str) -> Result<(), Error> {
    every(values, key, |&value| within(key, value, low, high, expected))
}

/// Checks places along the wall.
fn along(key: &'static str, at_m: &[f64]) -> Result<(), Error> {
    all(key, at_m, -FARTHEST_M, FARTHEST_M, "-5000 to 5000")
}

/// Checks two ends, the lower first.
fn stretch(key: &'static str, [low, high]: [f64; 2], most: f64) -> Result<(), Error> {
    within(key, low, -most, most, "two ends within the site, the lower first")?;
    within(
        key,
        high,
        low + 0.01,
        most,
        "two ends within the site, the lower first",
    )
}

fn refused(part: &str, problem: &str) -> Error {
    Error::Site {
        part: part.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::scenario::Scenario;

    #[test]
    fn a_site_is_described_in_text() {
        let text = r#"
            [site]
            modules = false
            span_m = [-10.0, 40.0]
            [site.bed]
            ripple_height_m = 0.1
            [[site.relief]]
            at_m = [3.0, 9.0]
            width_m = 1.2
            up_m = [-2.0, 1.0]
            off_m = -0.4
            [[site.piles]]
            at_m = [1.0, 4.0]
            [[solid]]
            id = "block"
            kind = "pier"
            shape = "box"
            place_m = [5.0, -3.0, -6.0]
            size_m = [1.0, 1.0, 1.0]
            [[object]]
            id = "tyre-1"
            class = "tyre"
            place_m = [4.0, -3.0]
        "#;
        let scenario = Scenario::from_toml(text).unwrap();
        assert_eq!(scenario.site.relief[0].at_m, [3.0, 9.0]);
        assert_eq!(scenario.site.piles[0].radius_m, 0.2);
        assert_eq!(scenario.solid[0].id, "block");
        let again = toml::to_string(&scenario).unwrap();
        assert_eq!(Scenario::from_toml(&again).unwrap(), scenario);
        let json = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
    }

    /// What stands in lists is found by its value.
    #[test]
    fn the_entry_that_is_wrong_is_named_by_its_line() {
        let text = "[[site.piles]]\nat_m = [1]\nradius_m = 0.3\n\n[[site.piles]]\nat_m = [2]\nradius_m = 9\n";
        match Scenario::from_toml(text).unwrap_err() {
            Error::Content { found, line, .. } => {
                assert!(
                    line == 7 && found.contains("site.piles.radius_m"),
                    "{line}: {found}"
                );
            }
            other => panic!("{other}"),
        }
        let text = "[site.tank]\nlength_m = 20\n[site.room]\n";
        let error = Scenario::from_toml(text).unwrap_err().to_string();
        assert!(error.contains("only one of"), "{error}");
        let twice = "[[object]]\nid = \"a\"\nclass = \"cube\"\nplace_m = [1, 2]\n".repeat(2);
        let error = Scenario::from_toml(&twice).unwrap_err().to_string();
        assert!(error.contains("`a`") && error.contains("same `id`"), "{error}");
        let text = "[[site.chains]]\nat_m = [inf]\n";
        let error = Scenario::from_toml(text).unwrap_err().to_string();
        assert!(
            error.contains("site.chains.at_m") && error.contains("line 2"),
            "{error}"
        );
    }
}
