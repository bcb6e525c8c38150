//! What a surface belongs to, and how its material answers light and sound.

use serde::{Deserialize, Serialize};

/// What a surface belongs to; it decides how the surface answers light and sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The bottom, or a floor.
    Bed,
    /// A bollard on the quay.
    Bollard,
    /// A chain of steel links.
    Chain,
    /// A box on the quay.
    Container,
    /// A rubber fender on the wall.
    Fender,
    /// A metal frame that holds panes.
    Frame,
    /// A pane of clear glass.
    Glass,
    /// The hull of a moored ship.
    Hull,
    /// Something that does not belong there and can be taken away.
    Object,
    /// A panel of a building: a ceiling, a partition, a deck.
    Panel,
    /// The pier of a bridge.
    Pier,
    /// A steel pile before the wall.
    Pile,
    /// A step iron of a ladder.
    Rung,
    /// A wall of steel sheet piles.
    Sheet,
    /// Another wall than the principal one.
    Side,
    /// The lining of a tunnel.
    Tunnel,
    /// The principal wall's face.
    Wall,
}

impl Kind {
    /// Lambert's coefficient for sound, in dB: backscattering strength at normal incidence. The
    /// bed's is Mackenzie's -27 dB (J. Acoust. Soc. Am. 33 (1961)); the others are plausible for fouled
    /// structures.
    pub fn scattering_db(self) -> f64 {
        match self {
            Kind::Glass => -45.0,
            Kind::Panel => -30.0,
            Kind::Bed => -27.0,
            Kind::Wall | Kind::Container | Kind::Bollard | Kind::Pier | Kind::Side | Kind::Tunnel => -22.0,
            Kind::Fender | Kind::Hull | Kind::Object | Kind::Sheet => -20.0,
            Kind::Frame => -18.0,
            Kind::Pile => -15.0,
            Kind::Chain | Kind::Rung => -6.0,
        }
    }

    /// Roughness (standard deviation) of a cylinder's mantle smooth enough to mirror sound, in metres.
    pub fn glint_roughness_m(self) -> Option<f64> {
        match self {
            Kind::Rung => Some(0.6e-3),
            _ => None,
        }
    }

    /// Part of the sound's amplitude that a flat face mirrors at normal incidence, 0 to 1:
    /// (Z₂ - Z₁) / (Z₂ + Z₁) of the impedances of material and medium (L. Kinsler et al.,
    /// "Fundamentals of Acoustics", Wiley 2000, section 6.2), lowered for growth and unevenness. In water, but
    /// for what stands in rooms: glass, frames and panels, which in air mirror nearly everything.
    ///
    /// Against water's 1.5 MRayl: sand 3 to 3.5, concrete 8, steel 46, glass 13 MRayl.
    pub fn reflection(self) -> f64 {
        match self {
            Kind::Fender | Kind::Object => 0.15,
            Kind::Bed => 0.35,
            Kind::Chain | Kind::Rung | Kind::Bollard => 0.5,
            Kind::Container => 0.6,
            Kind::Wall | Kind::Pier | Kind::Side | Kind::Tunnel => 0.65,
            Kind::Hull | Kind::Pile | Kind::Sheet => 0.85,
            Kind::Panel => 0.95,
            Kind::Frame | Kind::Glass => 0.99,
        }
    }

    /// Part of the light that is scattered back, 0 to 1.
    pub fn reflectivity(self) -> f64 {
        match self {
            Kind::Glass => 0.01,
            Kind::Fender => 0.08,
            Kind::Hull => 0.15,
            Kind::Chain | Kind::Pile | Kind::Sheet => 0.25,
            Kind::Bollard | Kind::Object => 0.3,
            Kind::Tunnel => 0.35,
            Kind::Bed | Kind::Pier | Kind::Side | Kind::Wall => 0.4,
            Kind::Frame | Kind::Rung => 0.55,
            Kind::Container => 0.6,
            Kind::Panel => 0.7,
        }
    }

    /// Part of the light that goes straight through at normal incidence, 0 to 1. For glass of index
    /// 1.5, each of the two faces mirrors ((n - 1) / (n + 1))² = 4 % (E. Hecht, "Optics", section 4.6).
    pub fn transmission(self) -> f64 {
        match self {
            Kind::Glass => 0.92,
            _ => 0.0,
        }
    }
}
