//! What is known of each laser: built in, from a file, or from an HDL-64E's own stream.
//!
//! The file is the YAML that the ROS driver and VeloView write (`num_lasers`, `distance_resolution`,
//! `lasers` with `laser_id`, `rot_correction`, `vert_correction` in radians and lengths in metres);
//! source: ros-drivers/velodyne, `velodyne_pointcloud/params/`.

use std::f64::consts::{FRAC_PI_2, TAU};

use beluga_types::elementary::tan;
use serde::Deserialize;

use super::angles;
use super::model::Model;

/// The longest file that is read: 128 lasers with every field have some 60 kB.
pub(super) const MAX_FILE: u64 = 1 << 20;
/// Lengths beyond this are damage, in metres.
const MAX_CORRECTION_M: f64 = 10.0;

/// One laser.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Laser {
    /// Upward, in radians.
    pub elevation_rad: f64,
    /// Counter-clockwise seen from above, in radians: subtracted from the head's azimuth.
    pub rotation_rad: f64,
    /// Added to every distance, in metres: at 25.04 m, where there are two points of calibration.
    pub distance_m: f64,
    /// The same at 2.40 m across and 1.93 m ahead, where there are two points of calibration.
    pub near_m: Option<[f64; 2]>,
    /// How far above the head's centre it is fired, along the normal of its beam, in metres.
    pub up_m: f64,
    /// How far beside the head's centre it is fired, in metres.
    pub beside_m: f64,
    /// How far above the head's centre its beam meets the axis, in metres.
    pub rise_m: f64,
}

/// All lasers of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// One metre for so many of the packet's units.
    pub distance_unit_m: f64,
    /// In the order of their ids.
    pub lasers: Vec<Laser>,
}

impl Calibration {
    /// The manual's angles; nothing for an HDL-64E, whose units differ.
    pub fn built_in(model: Model) -> Option<Self> {
        let radius_m = angles::ring_radius_m(model);
        let laser = |(elevation, azimuth): (f64, f64)| Laser {
            elevation_rad: elevation.to_radians(),
            rotation_rad: -azimuth.to_radians(),
            rise_m: -radius_m * tan(elevation.to_radians()),
            ..Laser::default()
        };
        Some(Self {
            distance_unit_m: model.distance_unit_m(),
            lasers: angles::of(model)?.into_iter().map(laser).collect(),
        })
    }

    /// A calibration file.
    ///
    /// # Errors
    /// What was expected and what stands there.
    pub fn from_yaml(text: &str, model: Model) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| {
            let said = error.to_string();
            format!(
                "expected a Velodyne calibration (YAML), found {}",
                said.lines().next().unwrap_or_default()
            )
        })?;
        let expected = model.lasers();
        if file.lasers.len() != expected || file.num_lasers.is_some_and(|said| said != expected) {
            return Err(format!(
                "expected {expected} lasers of a {}, found {} (`num_lasers` {})",
                model.name(),
                file.lasers.len(),
                file.num_lasers.map_or("absent".into(), |said| said.to_string())
            ));
        }
        let mut lasers = vec![None; expected];
        for (place, line) in file.lasers.iter().enumerate() {
            let id = line.laser_id.unwrap_or(place);
            let laser = line.laser().map_err(|error| format!("laser {id}: {error}"))?;
            match lasers.get_mut(id) {
                Some(slot @ None) => *slot = Some(laser),
                Some(_) => return Err(format!("laser {id}: expected each once, found a second")),
                None => return Err(format!("laser {id}: expected ids below {expected}")),
            }
        }
        let distance_unit_m = file.distance_resolution.unwrap_or(model.distance_unit_m());
        if !(1e-4..=0.1).contains(&distance_unit_m) {
            return Err(format!(
                "`distance_resolution`: expected 0.0001 to 0.1 m, found {distance_unit_m}"
            ));
        }
        Ok(Self {
            distance_unit_m,
            lasers: lasers.into_iter().flatten().collect(),
        })
    }

    /// The ring of each laser: its place from the lowest up.
    pub(super) fn rings(&self) -> Vec<u16> {
        let mut order: Vec<usize> = (0..self.lasers.len()).collect();
        order.sort_by(|a, b| {
            self.lasers[*a]
                .elevation_rad
                .total_cmp(&self.lasers[*b].elevation_rad)
        });
        let mut rings = vec![0; order.len()];
        for (ring, laser) in order.into_iter().enumerate() {
            rings[laser] = ring as u16;
        }
        rings
    }
}

/// The file.
#[derive(Deserialize)]
struct File {
    num_lasers: Option<usize>,
    distance_resolution: Option<f64>,
    lasers: Vec<Line>,
}

/// One laser of the file. Intensities are corrected by no reader alike, so they stay as they are.
#[derive(Deserialize)]
struct Line {
    laser_id: Option<usize>,
    rot_correction: f64,
    vert_correction: f64,
    #[serde(default)]
    dist_correction: f64,
    two_pt_correction_available: Option<bool>,
    dist_correction_x: Option<f64>,
    dist_correction_y: Option<f64>,
    #[serde(default)]
    vert_offset_correction: f64,
    #[serde(default)]
    horiz_offset_correction: f64,
}

impl Line {
    fn laser(&self) -> Result<Laser, String> {
        let lengths = [
            self.dist_correction,
            self.dist_correction_x.unwrap_or(0.0),
            self.dist_correction_y.unwrap_or(0.0),
            self.vert_offset_correction,
            self.horiz_offset_correction,
        ];
        let lengths_m = -MAX_CORRECTION_M..=MAX_CORRECTION_M;
        if let Some(found) = lengths.iter().find(|length| !lengths_m.contains(length)) {
            return Err(format!(
                "expected a length within {MAX_CORRECTION_M} m, found {found}"
            ));
        }
        let is_upward = (-FRAC_PI_2..FRAC_PI_2).contains(&self.vert_correction);
        if !(is_upward && (-TAU..=TAU).contains(&self.rot_correction)) {
            return Err(format!(
                "expected angles in radians, found {} and {}",
                self.vert_correction, self.rot_correction
            ));
        }
        let near = self.dist_correction_x.zip(self.dist_correction_y);
        let near = near.filter(|_| self.two_pt_correction_available == Some(true));
        Ok(Laser {
            elevation_rad: self.vert_correction,
            rotation_rad: self.rot_correction,
            distance_m: self.dist_correction,
            near_m: near.map(|(x, y)| [x, y]),
            up_m: self.vert_offset_correction,
            beside_m: self.horiz_offset_correction,
            rise_m: 0.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(lasers: usize, change: impl Fn(usize) -> String) -> String {
        let lines = (0..lasers).map(|id| {
            format!(
                "- {{laser_id: {id}, rot_correction: 0.01, vert_correction: {}{}}}\n",
                0.02 * id as f64 - 0.1,
                change(id)
            )
        });
        format!(
            "num_lasers: {lasers}\ndistance_resolution: 0.002\nlasers:\n{}",
            lines.collect::<String>()
        )
    }

    #[test]
    fn a_file_is_read_in_any_order_of_lasers() {
        let text = yaml(16, |_| {
            ", dist_correction: 0.5, vert_offset_correction: 0.2".into()
        });
        let read = Calibration::from_yaml(&text, Model::Vlp16).unwrap();
        assert_eq!(read.lasers[3].elevation_rad, 0.02 * 3.0 - 0.1);
        assert_eq!((read.lasers[3].distance_m, read.lasers[3].up_m), (0.5, 0.2));
        let (head, lasers) = text.split_once("lasers:\n- ").unwrap();
        let backwards: Vec<&str> = lasers
            .trim_end()
            .split("\n- ")
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let text = format!("{head}lasers:\n- {}\n", backwards.join("\n- "));
        assert_eq!(Calibration::from_yaml(&text, Model::Vlp16).unwrap(), read);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let wrong = |text: &str| Calibration::from_yaml(text, Model::Vlp16).unwrap_err();
        let said = wrong(&yaml(32, |_| String::new()));
        assert_eq!(said, "expected 16 lasers of a VLP-16, found 32 (`num_lasers` 32)");
        let said = wrong(&yaml(16, |id| {
            if id == 2 { ", dist_correction: .nan" } else { "" }.into()
        }));
        assert_eq!(said, "laser 2: expected a length within 10 m, found NaN");
        let text = yaml(16, |_| String::new()).replace("laser_id: 5", "laser_id: 4");
        assert_eq!(wrong(&text), "laser 4: expected each once, found a second");
        let text = yaml(16, |_| String::new()).replace("vert_correction: -0.1}", "vert_correction: -15}");
        assert_eq!(
            wrong(&text),
            "laser 0: expected angles in radians, found -15 and 0.01"
        );
        let text = yaml(16, |_| String::new()).replace("0.002", "2");
        assert_eq!(
            wrong(&text),
            "`distance_resolution`: expected 0.0001 to 0.1 m, found 2"
        );
        assert!(wrong("%PDF-1.4").starts_with("expected a Velodyne calibration (YAML), found "));
    }

    #[test]
    fn two_points_are_taken_where_the_file_says_so() {
        let two = ", dist_correction: 1.2, dist_correction_x: 1.3, dist_correction_y: 1.4";
        let read = |text: &str| Calibration::from_yaml(text, Model::Vlp16).unwrap().lasers[0].near_m;
        assert_eq!(read(&yaml(16, |_| two.into())), None);
        let available = format!("{two}, two_pt_correction_available: true");
        assert_eq!(read(&yaml(16, |_| available.clone())), Some([1.3, 1.4]));
    }

    #[test]
    fn rings_are_counted_from_the_lowest() {
        let rings = Calibration::built_in(Model::Vlp16).unwrap().rings();
        assert_eq!(rings[..4], [0, 8, 1, 9]);
        assert_eq!(Calibration::built_in(Model::Hdl64eS3), None);
    }
}
