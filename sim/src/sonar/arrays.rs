//! Transmit and receive arrays: their patterns as functions of a direction in `Sensor` axes.

use nalgebra::Vector3;

use super::aperture::{Defocused, Halves};
use super::pattern::Pattern;
use crate::scenario::{SonarKind, SonarScenario};

/// The transmit pattern is followed to the end of its first side lobe.
const TRANSMIT_U: f64 = 3.0;
/// The receive pattern is followed until its side lobes are below -50 dB.
pub(super) const RECEIVE_U: f64 = 5.0;
/// Side lobes of an array without taper fall slowly: they are followed to about -34 dB.
const UNTAPERED_U: f64 = 16.0;
/// Half an aperture has no taper at the middle: it is followed farther.
const HALF_U: f64 = 8.0;

/// How the sound goes out: a line along track, and of some devices one across it.
#[derive(Clone, Debug)]
pub(super) struct Transmit {
    along: Pattern,
    across: Option<Across>,
    /// Beyond this sine along track nothing is transmitted.
    pub(super) reach: f64,
}

/// An aperture across track that looks along one or more axes at once.
#[derive(Clone, Debug)]
pub(super) struct Across {
    axes_rad: Vec<f64>,
    pattern: Pattern,
}

impl Across {
    pub(super) fn new(axes_rad: Vec<f64>, pattern: Pattern) -> Self {
        Self { axes_rad, pattern }
    }

    /// Amplitude towards a unit vector, summed over the axes; nothing behind an aperture.
    pub(super) fn at(&self, direction: &Vector3<f64>) -> f32 {
        self.axes_rad
            .iter()
            .map(|axis| {
                let (sin, cos) = axis.sin_cos();
                let ahead = -direction.y * sin - direction.z * cos;
                if ahead > 0.0 {
                    self.pattern.at(direction.z * sin - direction.y * cos)
                } else {
                    0.0
                }
            })
            .sum()
    }
}

impl Transmit {
    pub(super) fn new(sonar: &SonarScenario) -> Self {
        let shading = sonar.transmit_shading;
        let along_rad = sonar
            .transmit_along_deg
            .unwrap_or(sonar.beam_width_deg)
            .to_radians();
        let along = Pattern::new(shading, along_rad, TRANSMIT_U);
        let across = sonar.transmit_across_deg.map(|width| {
            Across::new(
                axes_rad(sonar),
                Pattern::new(shading, width.to_radians(), TRANSMIT_U),
            )
        });
        Self {
            reach: along.reach,
            along,
            across,
        }
    }

    /// Amplitude at the sine of the angle along track.
    pub(super) fn at(&self, sine: f64) -> f32 {
        self.along.at(sine)
    }

    /// Amplitude towards a unit vector in `Sensor` axes.
    pub(super) fn towards(&self, direction: &Vector3<f64>) -> f32 {
        let along = self.at(direction.x);
        match &self.across {
            Some(across) if along != 0.0 => along * across.at(direction),
            _ => along,
        }
    }
}

/// Axes of the transmit aperture across track, from straight down, positive to starboard.
fn axes_rad(sonar: &SonarScenario) -> Vec<f64> {
    match sonar.kind {
        SonarKind::SideScan => [-1.0, 1.0]
            .map(|side: f64| side * sonar.side_deg.to_radians())
            .to_vec(),
        _ => vec![0.0],
    }
}

/// How the sound is heard.
#[derive(Clone, Debug)]
pub(super) struct Receive {
    /// The same for all beams and elements.
    along: Option<Pattern>,
    /// A beam of the fan, or the one aperture of a profile.
    pub(super) across: Pattern,
    /// Of a fan that does not focus.
    pub(super) defocused: Option<Defocused>,
    /// Of a fan whose device detects: its beams in two halves.
    pub(super) halves: Option<Halves>,
    /// The farthest a fan's beam hears from its axis.
    pub(super) reach: f64,
    /// Whether a fan counts across track by the sine, as a flat array does, and not by the angle.
    flat: bool,
}

impl Receive {
    /// `nearest_m` is the nearest wave front that matters to an array that does not focus.
    pub(super) fn new(sonar: &SonarScenario, wavelength_m: f64, nearest_m: f64) -> Self {
        let shading = sonar.receive_shading;
        let u_most = match shading {
            crate::scenario::ArrayShading::Hann => RECEIVE_U,
            _ => UNTAPERED_U,
        };
        let width_rad = sonar.beam_width_deg.to_radians();
        let across = Pattern::new(shading, width_rad, u_most);
        let wavelengths = shading.wavelengths(width_rad);
        let defocused = (sonar.kind == SonarKind::Beams && !sonar.focused)
            .then(|| Defocused::new(shading, wavelengths, wavelength_m, nearest_m, u_most));
        let halves = (sonar.kind == SonarKind::Detections).then(|| Halves::new(shading, wavelengths, HALF_U));
        let reach = match (&defocused, &halves) {
            (Some(table), _) => table.reach,
            (None, Some(table)) => table.reach,
            (None, None) => across.reach,
        };
        Self {
            along: sonar
                .receive_along_deg
                .map(|width| Pattern::new(shading, width.to_radians(), TRANSMIT_U)),
            across,
            defocused,
            halves,
            reach,
            flat: sonar.flat_receiver,
        }
    }

    /// How much less noise from all around a beam hears than a hydrophone, in dB: of an aperture along and
    /// across track 10 log(4π / Ω) with the solid angle of its squared pattern, of one across track alone
    /// 10 log(2 / ∫ b² ds), of hydrophones nothing. R. Urick, "Principles of Underwater Sound", McGraw-Hill
    /// 1983, section 3.3.
    pub(super) fn directivity_db(&self, kind: SonarKind) -> f64 {
        let across = self.across.squared();
        let gain = match (kind, &self.along) {
            (SonarKind::Elements, _) => 1.0,
            (_, Some(along)) => 4.0 * std::f64::consts::PI / (across * along.squared()),
            (_, None) => 2.0 / across,
        };
        10.0 * gain.log10()
    }

    /// Amplitude along track for sound from a unit vector.
    pub(super) fn along(&self, from: &Vector3<f64>) -> f32 {
        self.along.as_ref().map_or(1.0, |pattern| pattern.at(from.x))
    }

    /// Where across track a fan hears sound from a unit vector: the angle, or its sine.
    pub(super) fn place(&self, from: &Vector3<f64>) -> f64 {
        if self.flat {
            -from.y
        } else {
            super::across_rad(from)
        }
    }

    /// Where across track a beam of a fan looks that is steered to an angle, by a device that believes
    /// in the speed of sound `believed` where it is `speed`: an array knows delays, not angles.
    pub(super) fn steered(&self, across_rad: f64, speed: f64, believed: f64) -> f64 {
        if self.flat {
            across_rad.sin() * speed / believed
        } else {
            across_rad
        }
    }
}
