//! The bed, what stands in the water on its own, and the places that are no quay.

use serde::{Deserialize, Serialize};

use super::{FARTHEST_M, all, within};
use crate::error::Error;

/// The bed's relief, on the slope that `[quay]` gives. Without any it is one plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BedScenario {
    /// From trough to crest of the ripples, in metres; 0 to 2.
    pub ripple_height_m: f64,
    /// From crest to crest, in metres; 0.2 to 100.
    pub ripple_length_m: f64,
    /// Direction the crests follow one another in, from the vessel's course to port, in degrees.
    pub ripple_turn_deg: f64,
    /// Standard deviation of a random relief with a power-law spectrum, in metres; 0 to 1.
    pub roughness_m: f64,
    /// Edge of the relief's cells, in metres; 0.05 to 5. Nothing shorter than four of them is in it.
    pub cell_m: f64,
    /// How far a bed with relief reaches from the wall, in metres; 1 to 200.
    pub reach_m: f64,
}

impl Default for BedScenario {
    fn default() -> Self {
        Self {
            ripple_height_m: 0.0,
            ripple_length_m: 4.0,
            ripple_turn_deg: 0.0,
            roughness_m: 0.0,
            cell_m: 0.5,
            reach_m: 30.0,
        }
    }
}

impl BedScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within(
            "site.bed.ripple_height_m",
            self.ripple_height_m,
            0.0,
            2.0,
            "0 to 2",
        )?;
        let shortest = 4.0 * self.cell_m;
        within(
            "site.bed.ripple_length_m",
            self.ripple_length_m,
            if self.ripple_height_m > 0.0 { shortest } else { 0.2 },
            100.0,
            "0.2 to 100, and four cells or more",
        )?;
        let turn = self.ripple_turn_deg;
        within("site.bed.ripple_turn_deg", turn, -360.0, 360.0, "-360 to 360")?;
        within("site.bed.roughness_m", self.roughness_m, 0.0, 1.0, "0 to 1")?;
        within("site.bed.cell_m", self.cell_m, 0.05, 5.0, "0.05 to 5")?;
        within("site.bed.reach_m", self.reach_m, 1.0, 200.0, "1 to 200")
    }
}

/// A bridge pier: a block with half-round noses, from the bed up, and the hole the current has scoured
/// around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PierScenario {
    /// Its middle: along the course and to port, in metres; -5000 to 5000.
    pub place_m: [f64; 2],
    /// Length over the noses and width, in metres; 0.2 to 50, the length not below the width.
    pub size_m: [f64; 2],
    /// Turn of its length from the vessel's course to port, in degrees; -360 to 360.
    pub turn_deg: f64,
    /// Top above the still water, in metres; -20 to 40.
    pub top_m: f64,
    /// Depth of the scour hole at the pier, in metres; 0 to 10.
    pub scour_depth_m: f64,
    /// How far from the pier the hole reaches, in metres; 0.5 to 50.
    pub scour_reach_m: f64,
}

impl Default for PierScenario {
    fn default() -> Self {
        Self {
            place_m: [12.0, 7.0],
            size_m: [6.0, 2.0],
            turn_deg: 90.0,
            top_m: 5.0,
            scour_depth_m: 1.5,
            scour_reach_m: 3.0,
        }
    }
}

impl PierScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        place("site.piers.place_m", &self.place_m)?;
        all("site.piers.size_m", &self.size_m, 0.2, 50.0, "0.2 to 50")?;
        let [length, width] = self.size_m;
        within(
            "site.piers.size_m",
            length,
            width,
            50.0,
            "a length not below the width",
        )?;
        within("site.piers.turn_deg", self.turn_deg, -360.0, 360.0, "-360 to 360")?;
        within("site.piers.top_m", self.top_m, -20.0, 40.0, "-20 to 40")?;
        within(
            "site.piers.scour_depth_m",
            self.scour_depth_m,
            0.0,
            10.0,
            "0 to 10",
        )?;
        within(
            "site.piers.scour_reach_m",
            self.scour_reach_m,
            0.5,
            50.0,
            "0.5 to 50",
        )
    }
}

/// A moored ship: a closed hull with a pointed bow, round bilges and a transom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HullScenario {
    /// Its middle: along the course and to port, in metres; -5000 to 5000.
    pub place_m: [f64; 2],
    /// Where the bow points, from the vessel's course to port, in degrees; -360 to 360.
    pub turn_deg: f64,
    /// Length in metres; 2 to 400.
    pub length_m: f64,
    /// Beam in metres; 0.5 to 60.
    pub beam_m: f64,
    /// Draught in metres; 0.1 to 20.
    pub draught_m: f64,
    /// Freeboard in metres; 0.1 to 20.
    pub freeboard_m: f64,
}

impl Default for HullScenario {
    fn default() -> Self {
        Self {
            place_m: [15.0, 8.0],
            turn_deg: 0.0,
            length_m: 18.0,
            beam_m: 5.0,
            draught_m: 2.0,
            freeboard_m: 1.5,
        }
    }
}

impl HullScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        place("site.hulls.place_m", &self.place_m)?;
        within("site.hulls.turn_deg", self.turn_deg, -360.0, 360.0, "-360 to 360")?;
        within("site.hulls.length_m", self.length_m, 2.0, 400.0, "2 to 400")?;
        within("site.hulls.beam_m", self.beam_m, 0.5, 60.0, "0.5 to 60")?;
        within("site.hulls.draught_m", self.draught_m, 0.1, 20.0, "0.1 to 20")?;
        within("site.hulls.freeboard_m", self.freeboard_m, 0.1, 20.0, "0.1 to 20")
    }
}

fn place(key: &'static str, place_m: &[f64]) -> Result<(), Error> {
    all(key, place_m, -FARTHEST_M, FARTHEST_M, "-5000 to 5000")
}

/// A rectangular tank around the path; the principal wall is the one at starboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TankScenario {
    /// Length along the path, in metres; 2 to 500.
    pub length_m: f64,
    /// Width in metres; 1 to 200. The path lies in the middle.
    pub width_m: f64,
    /// Depth of the water, in metres; 0.5 to 50.
    pub depth_m: f64,
    /// Height of the walls above the water, in metres; 0.1 to 20.
    pub freeboard_m: f64,
}

impl Default for TankScenario {
    fn default() -> Self {
        Self {
            length_m: 30.0,
            width_m: 14.0,
            depth_m: 5.0,
            freeboard_m: 3.0,
        }
    }
}

impl TankScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("site.tank.length_m", self.length_m, 2.0, 500.0, "2 to 500")?;
        within("site.tank.width_m", self.width_m, 1.0, 200.0, "1 to 200")?;
        within("site.tank.depth_m", self.depth_m, 0.5, 50.0, "0.5 to 50")?;
        within("site.tank.freeboard_m", self.freeboard_m, 0.1, 20.0, "0.1 to 20")
    }
}

/// A straight tunnel, part-flooded and open at its ends: upright sides under half an ellipse. The
/// principal wall is the side at starboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TunnelScenario {
    /// Width between the sides, in metres; 1 to 50. The path lies in the middle.
    pub width_m: f64,
    /// Depth of the water, in metres; 0.5 to 20.
    pub depth_m: f64,
    /// Height of the sides above the water, in metres; 0.1 to 20.
    pub sides_m: f64,
    /// Height of the arch above the sides, in metres; 0.1 to 20.
    pub arch_m: f64,
}

impl Default for TunnelScenario {
    fn default() -> Self {
        Self {
            width_m: 9.0,
            depth_m: 3.0,
            sides_m: 2.0,
            arch_m: 3.0,
        }
    }
}

impl TunnelScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("site.tunnel.width_m", self.width_m, 1.0, 50.0, "1 to 50")?;
        within("site.tunnel.depth_m", self.depth_m, 0.5, 20.0, "0.5 to 20")?;
        within("site.tunnel.sides_m", self.sides_m, 0.1, 20.0, "0.1 to 20")?;
        within("site.tunnel.arch_m", self.arch_m, 0.1, 20.0, "0.1 to 20")
    }
}

/// A room whose long walls are panes of glass in metal frames. The principal wall is the glass at
/// starboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomScenario {
    /// Length along the path, in metres; 2 to 200.
    pub length_m: f64,
    /// Width in metres; 1 to 100. The path lies in the middle.
    pub width_m: f64,
    /// Height of the floor, in metres; -20 to 0.
    pub floor_m: f64,
    /// Height of the ceiling, in metres; 0.5 to 30.
    pub ceiling_m: f64,
    /// Width of a pane, in metres; 0.3 to 10.
    pub pane_m: f64,
    /// Width and depth of a frame's bars, in metres; 0.01 to 0.5.
    pub frame_m: f64,
}

impl Default for RoomScenario {
    fn default() -> Self {
        Self {
            length_m: 12.0,
            width_m: 8.0,
            floor_m: -1.5,
            ceiling_m: 3.0,
            pane_m: 1.5,
            frame_m: 0.06,
        }
    }
}

impl RoomScenario {
    pub(super) fn check(&self) -> Result<(), Error> {
        within("site.room.length_m", self.length_m, 2.0, 200.0, "2 to 200")?;
        within("site.room.width_m", self.width_m, 1.0, 100.0, "1 to 100")?;
        within("site.room.floor_m", self.floor_m, -20.0, 0.0, "-20 to 0")?;
        within("site.room.ceiling_m", self.ceiling_m, 0.5, 30.0, "0.5 to 30")?;
        within("site.room.pane_m", self.pane_m, 0.3, 10.0, "0.3 to 10")?;
        within("site.room.frame_m", self.frame_m, 0.01, 0.5, "0.01 to 0.5")
    }
}
