//! The line above everything: what a surveyor asks before anything else.

use std::fmt::Write as _;

use beluga_types::{PoseSource, Rig, SensorKind, SolidarFrame, Water};
use re_sdk::RecordingStream;
use re_sdk_types::archetypes::TextDocument;

use crate::cells::CELL_M;
use crate::coverage::COVERED;
use crate::face::Face;
use crate::pace::Pace;
use crate::{Error, section};

/// Where it goes.
pub(crate) const ENTITY: &str = "header";

/// Writes the line again as things change.
pub(crate) struct Header {
    datum: String,
    water: &'static str,
    names: Vec<String>,
    has_sonar: bool,
    /// Whether anything on board could tell a pose.
    has_pose: bool,
    tolerance_m: f64,
    pace: Pace,
}

impl Header {
    pub(crate) fn new(rig: &Rig, tolerance_m: f64) -> Self {
        Self {
            datum: datum(rig),
            water: water(&rig.water),
            names: rig.sensors.iter().map(|sensor| sensor.name.clone()).collect(),
            has_sonar: rig.sensors.iter().any(|sensor| sensor.kind == SensorKind::Sonar),
            has_pose: rig.sensors.iter().any(|sensor| sensor.kind != SensorKind::Sonar),
            tolerance_m,
            pace: Pace::new(1.0, 2.0),
        }
    }

    /// Writes the line if it is due, at the stream's current time.
    pub(crate) fn frame(
        &mut self,
        stream: &RecordingStream,
        frame: &SolidarFrame,
        face: Option<&Face>,
    ) -> Result<(), Error> {
        if !self.pace.due(frame.window.end) {
            return Ok(());
        }
        let mut facts = vec![
            format!("**Datum** {}", self.datum),
            format!("**Nav** {}", self.nav(frame)),
        ];
        if self.has_sonar {
            facts.push(format!("**Sound speed** {}", self.sound_speed(frame)));
        }
        facts.push(format!("**Clock** {}", self.clock(frame)));
        let mut text = facts.join(" &nbsp;·&nbsp; ");
        if let Some(face) = face {
            let _ = write!(text, "\n\n{}", self.wall(face));
        }
        Ok(stream.log(ENTITY, &TextDocument::from_markdown(text))?)
    }

    fn nav(&self, frame: &SolidarFrame) -> String {
        if !self.has_pose {
            return "none: taken as at rest, no path".into();
        }
        let sigma = frame.pose_sigma();
        let source = match frame.status.pose_source {
            PoseSource::Odometry => "lidar alone",
            PoseSource::OdometryAndNav => "lidar and nav",
            PoseSource::Nav => "nav alone",
            PoseSource::Prediction => "**lost: predicted**",
        };
        format!(
            "{source}, 1σ {:.1} cm, {:.2}°",
            sigma.horizontal_m.hypot(sigma.vertical_m) * 100.0,
            sigma.rotation_rad.to_degrees()
        )
    }

    fn sound_speed(&self, frame: &SolidarFrame) -> String {
        let speeds = frame.calibration.iter().filter_map(|calibration| {
            let speed = calibration.sound_speed_m_per_s?;
            Some(format!("{speed:.1} m/s"))
        });
        let mut speeds: Vec<String> = speeds.collect();
        speeds.dedup();
        if speeds.is_empty() {
            return "not known".into();
        }
        format!("{} ({})", speeds.join(", "), self.water)
    }

    fn clock(&self, frame: &SolidarFrame) -> String {
        let shifted = frame.calibration.iter().filter(|c| c.time_offset_nanos != 0);
        let shifts: Vec<String> = shifted
            .map(|calibration| {
                let name = self.names.get(usize::from(calibration.sensor.0));
                let millis = calibration.time_offset_nanos as f64 / 1e6;
                format!("{} {millis:+.3} ms", name.map_or("?", String::as_str))
            })
            .collect();
        if shifts.is_empty() {
            "as recorded, nothing shifted".into()
        } else {
            format!("as recorded, {}", shifts.join(", "))
        }
    }

    fn wall(&self, face: &Face) -> String {
        let Some(shares) = face.shares() else {
            return "**Wall** none found near the vessel".into();
        };
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let [toe, crest] = shares.levels_m;
        let mut text = format!(
            "**Covered** {} of the wall from toe {toe:+.1} m to crest {crest:+.1} m (cells of {CELL_M} m with {COVERED} points) &nbsp;·&nbsp; \
             **In tolerance** {} of those (95 % ≤ {:.0} cm)",
            percent(shares.covered),
            percent(shares.in_tolerance),
            self.tolerance_m * 100.0,
        );
        if let Some(seam) = face.seam() {
            let words = section::words(seam);
            let rest = words.strip_prefix("seam ").unwrap_or(&words);
            let _ = write!(text, " &nbsp;·&nbsp; **Seam** {rest}");
        }
        text
    }
}

fn datum(rig: &Rig) -> String {
    match &rig.origin {
        None => "none: local axes of the first measurement".into(),
        Some(origin) => {
            let anchor = origin.anchor;
            let heights = origin.vertical_datum.as_deref().unwrap_or("ellipsoidal heights");
            format!(
                "WGS 84, ENU at {:.5}°, {:.5}°, {heights}",
                anchor.latitude_rad.to_degrees(),
                anchor.longitude_rad.to_degrees()
            )
        }
    }
}

fn water(water: &Water) -> &'static str {
    match water {
        Water::Unknown => "assumed, or the device's",
        Water::SoundSpeed(_) => "from the rig",
        Water::Profile(_) => "mean of the rig's profile",
        Water::Properties { .. } => "from temperature and salinity",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specimen;

    /// A sounder alone never loses what it never had, and knows nothing of a pose to the millimetre.
    #[test]
    fn a_rig_that_tells_no_pose_claims_none() {
        let mut rig = specimen::rig();
        let frame = specimen::frame(0);
        let said = Header::new(&rig, 0.05).nav(&frame);
        assert!(said.contains("1σ"), "{said}");
        rig.sensors.retain(|sensor| sensor.kind == SensorKind::Sonar);
        let said = Header::new(&rig, 0.05).nav(&frame);
        assert!(said.starts_with("none") && !said.contains('σ'), "{said}");
    }
}
