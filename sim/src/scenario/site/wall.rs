//! What belongs to a wall. Places along the wall count from where the path begins, the way the vessel
//! goes; heights are measured up the face from the still water.

use serde::{Deserialize, Serialize};

use super::{along, stretch, within};
use crate::error::Error;

/// How far up and down things on a wall may reach, in metres.
const HIGHEST_M: f64 = 40.0;

/// Rectangles of the face that stand out of it or are set back: fender recesses, steps, berms, undercuts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReliefScenario {
    /// The middles, along the wall, in metres; -5000 to 5000.
    pub at_m: Vec<f64>,
    /// Width along the wall, in metres; 0.05 to 5000.
    pub width_m: f64,
    /// Lower and upper edge, in metres; -40 to 40. What goes beyond toe or top ends there; what is set back
    /// ends 0.3 m below the top.
    pub up_m: [f64; 2],
    /// How far the rectangle stands out of the face, in metres; -5 to 5. Negative is set back.
    pub off_m: f64,
}

impl Default for ReliefScenario {
    fn default() -> Self {
        Self {
            at_m: Vec::new(),
            width_m: 1.5,
            up_m: [-1.5, 1.5],
            off_m: -0.4,
        }
    }
}

impl ReliefScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        along("site.relief.at_m", &self.at_m)?;
        within("site.relief.width_m", self.width_m, 0.05, 5000.0, "0.05 to 5000")?;
        stretch("site.relief.up_m", self.up_m, HIGHEST_M)?;
        within("site.relief.off_m", self.off_m, -5.0, 5.0, "-5 to 5")
    }
}

/// A section of the wall made of U-shaped steel sheet piles, from toe to top.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SheetScenario {
    /// Ends along the wall, in metres; -5000 to 5000. The section is as many whole waves as fit.
    pub along_m: [f64; 2],
    /// Length of one wave, two piles wide, in metres; 0.2 to 5.
    pub pitch_m: f64,
    /// From the outer to the inner flats, in metres; 0.02 to 2.
    pub depth_m: f64,
}

impl Default for SheetScenario {
    fn default() -> Self {
        Self {
            along_m: [0.0, 12.0],
            pitch_m: 1.2,
            depth_m: 0.42,
        }
    }
}

impl SheetScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        stretch("site.sheet.along_m", self.along_m, 5000.0)?;
        within("site.sheet.pitch_m", self.pitch_m, 0.2, 5.0, "0.2 to 5")?;
        within("site.sheet.depth_m", self.depth_m, 0.02, 2.0, "0.02 to 2")
    }
}

/// A row of round steel piles before the wall, from the bed up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PileScenario {
    /// Along the wall, in metres; -5000 to 5000.
    pub at_m: Vec<f64>,
    /// From the wall at the waterline to the axis, in metres; 0 to 200.
    pub off_m: f64,
    /// Radius in metres; 0.05 to 3.
    pub radius_m: f64,
    /// Top above the still water, in metres; -20 to 20.
    pub top_m: f64,
}

impl Default for PileScenario {
    fn default() -> Self {
        Self {
            at_m: Vec::new(),
            off_m: 0.8,
            radius_m: 0.2,
            top_m: 2.4,
        }
    }
}

impl PileScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        along("site.piles.at_m", &self.at_m)?;
        within("site.piles.off_m", self.off_m, 0.0, 200.0, "0 to 200")?;
        within("site.piles.radius_m", self.radius_m, 0.05, 3.0, "0.05 to 3")?;
        within("site.piles.top_m", self.top_m, -20.0, 20.0, "-20 to 20")
    }
}

/// Rubber fenders, as blocks on the face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FenderScenario {
    /// The middles, along the wall, in metres; -5000 to 5000.
    pub at_m: Vec<f64>,
    /// Width along the wall, in metres; 0.05 to 10.
    pub width_m: f64,
    /// From the face to the front, in metres; 0.05 to 3.
    pub thick_m: f64,
    /// Lower and upper end, in metres; -40 to 40.
    pub up_m: [f64; 2],
}

impl Default for FenderScenario {
    fn default() -> Self {
        Self {
            at_m: Vec::new(),
            width_m: 0.5,
            thick_m: 0.3,
            up_m: [-1.6, 1.4],
        }
    }
}

impl FenderScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        along("site.fenders.at_m", &self.at_m)?;
        within("site.fenders.width_m", self.width_m, 0.05, 10.0, "0.05 to 10")?;
        within("site.fenders.thick_m", self.thick_m, 0.05, 3.0, "0.05 to 3")?;
        stretch("site.fenders.up_m", self.up_m, HIGHEST_M)
    }
}

/// Bollards: a stem under a wider head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BollardScenario {
    /// Along the wall, in metres; -5000 to 5000.
    pub at_m: Vec<f64>,
    /// From the wall's top edge back to the axis, in metres; 0.1 to 5.
    pub back_m: f64,
    /// Radius of the stem in metres; 0.05 to 1.
    pub radius_m: f64,
    /// Height in metres; 0.1 to 2.
    pub height_m: f64,
}

impl Default for BollardScenario {
    fn default() -> Self {
        Self {
            at_m: Vec::new(),
            back_m: 0.5,
            radius_m: 0.15,
            height_m: 0.6,
        }
    }
}

impl BollardScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        along("site.bollards.at_m", &self.at_m)?;
        within("site.bollards.back_m", self.back_m, 0.1, 5.0, "0.1 to 5")?;
        within("site.bollards.radius_m", self.radius_m, 0.05, 1.0, "0.05 to 1")?;
        within("site.bollards.height_m", self.height_m, 0.1, 2.0, "0.1 to 2")
    }
}

/// Ladders of step irons, 0.4 m wide and 0.3 m apart, from 4.35 m below the water to the top.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LadderScenario {
    /// Along the wall, in metres; -5000 to 5000.
    pub at_m: Vec<f64>,
}

impl LadderScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        along("site.ladders.at_m", &self.at_m)
    }
}

/// Chains that hang straight down before the face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainScenario {
    /// Along the wall, in metres; -5000 to 5000.
    pub at_m: Vec<f64>,
    /// From the face to the chain's middle, in metres; 0.02 to 5.
    pub off_m: f64,
    /// Lower and upper end, in metres; -40 to 40.
    pub up_m: [f64; 2],
    /// Outer length of a link, in metres; 0.05 to 1. Its width is 0.6, its bar 0.17 of that.
    pub link_m: f64,
}

impl Default for ChainScenario {
    fn default() -> Self {
        Self {
            at_m: Vec::new(),
            off_m: 0.12,
            up_m: [-3.0, 2.0],
            link_m: 0.25,
        }
    }
}

impl ChainScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        along("site.chains.at_m", &self.at_m)?;
        within("site.chains.off_m", self.off_m, 0.02, 5.0, "0.02 to 5")?;
        stretch("site.chains.up_m", self.up_m, HIGHEST_M)?;
        within("site.chains.link_m", self.link_m, 0.05, 1.0, "0.05 to 1")
    }
}
