//! Casts that a record's soundings are traced through anew, for those who hand it over.

use std::path::{Path, PathBuf};

use anyhow::Context;
use beluga_fusion::{ALARMING_M_PER_S, Retrace, Retraced};
use beluga_ingest::cast::{self, Cast};
use beluga_types::{Geodetic, Medium, Origin, SolidarFrame, Stamp};
use clap::Args;

use crate::document;
use crate::exit::Wrong;

/// So far below its end a cast goes for the water there, in metres.
const CARRIED_ON_M: f64 = 1.0;

/// Which casts, if any.
#[derive(Debug, Args)]
pub(crate) struct Casts {
    /// Trace the soundings anew through these casts (CSV or CARIS SVP): each frame through the one
    /// taken nearest to it in time. May be given more than once.
    #[arg(long = "profile", value_name = "CAST")]
    profiles: Vec<PathBuf>,
}

/// What is to be traced anew, and what came of it so far.
pub(crate) struct Anew {
    casts: Vec<Cast>,
    retrace: Option<Retrace>,
    done: Retraced,
    /// Depth of the deepest sounding, in metres.
    deepest_m: f64,
}

impl Casts {
    /// The casts, said to people; nothing if none is asked for.
    ///
    /// # Errors
    /// If one cannot be read, or one of several does not say when it was taken.
    pub(crate) fn read(&self) -> anyhow::Result<Option<Anew>> {
        let mut casts = Vec::new();
        for path in &self.profiles {
            let found = cast::read(path).context(Wrong::Arguments)?;
            for cast in &found {
                crate::tell(&told(path, cast));
            }
            casts.extend(found);
        }
        if casts.is_empty() {
            return Ok(None);
        }
        if casts.len() > 1 && casts.iter().any(|cast| cast.taken.is_none()) {
            let without = "of several casts each must say when it was taken, as CARIS SVP does";
            return Err(anyhow::anyhow!(without).context(Wrong::Arguments));
        }
        Ok(Some(Anew {
            casts,
            retrace: None,
            done: Retraced::default(),
            deepest_m: 0.0,
        }))
    }
}

impl Anew {
    /// Traces a frame of the record with this document.
    ///
    /// # Errors
    /// If the document does not say what the soundings were placed through, or a cast is none of water.
    pub(crate) fn apply(&mut self, document: &str, frame: &mut SolidarFrame) -> anyhow::Result<()> {
        let retrace = match &self.retrace {
            Some(retrace) => retrace,
            None => {
                let origin = document::origin(document);
                for cast in &self.casts {
                    if let Some(far) = far(cast, origin.as_ref(), frame.window.end) {
                        crate::tell(&format!("warning: {far}"));
                    }
                }
                self.retrace.insert(retrace(document, &self.casts)?)
            }
        };
        let deepest_m = deepest_m(frame);
        self.deepest_m = self.deepest_m.max(deepest_m);
        self.done = self.done.and(retrace.apply(frame));
        Ok(())
    }

    /// What came of it, for people, a line each.
    pub(crate) fn told(&self) -> Vec<String> {
        let Retraced {
            moved,
            left,
            largest_m,
            at_head_m_per_s,
        } = self.done;
        if moved + left == 0 {
            return vec!["no soundings in water: nothing was traced anew".to_owned()];
        }
        let left = match left {
            0 => String::new(),
            left => format!("; {left} stay where they were: no ray of the old water leads there"),
        };
        let mut lines = vec![format!(
            "{moved} soundings traced anew, moved by {largest_m:.3} m at most, their sigmas as they were{left}"
        )];
        if at_head_m_per_s >= ALARMING_M_PER_S {
            lines.push(format!(
                "warning: at the sonar the cast has {at_head_m_per_s:.1} m/s more or less than the water that was taken; \
                 beams that were steered by a speed measured there look elsewhere by that, which is not corrected"
            ));
        }
        let reach_m = self.casts.iter().filter_map(|cast| cast.levels.last());
        let reach_m = reach_m.map(|(depth_m, _)| *depth_m).fold(f64::INFINITY, f64::min);
        if self.deepest_m > reach_m + CARRIED_ON_M {
            lines.push(format!(
                "warning: soundings lie down to {:.1} m, a cast ends at {reach_m:.1} m and is carried on from there with its last speed",
                self.deepest_m
            ));
        }
        lines
    }
}

/// Why a cast may not be of this survey's water: taken far away, or long before or after.
fn far(cast: &Cast, origin: Option<&Origin>, at: Stamp) -> Option<String> {
    const FAR_M: f64 = 20e3;
    const LONG_S: f64 = 86_400.0;
    let mut far = Vec::new();
    if let (Some(origin), Some([latitude, longitude])) = (origin, cast.place_deg) {
        let there = Geodetic::from_degrees(latitude, longitude, 0.0);
        let away_m = (there.ecef().vector() - origin.anchor.ecef().vector()).norm();
        if away_m > FAR_M {
            far.push(format!("{:.0} km from here", 1e-3 * away_m));
        }
    }
    if let Some(taken) = cast.taken {
        let apart_s = at.seconds_since(taken).abs();
        if apart_s > LONG_S {
            far.push(format!("{:.0} days from this survey", apart_s / 86_400.0));
        }
    }
    (!far.is_empty()).then(|| format!("the cast was taken {}", far.join(" and ")))
}

/// Depth of the deepest sounding of a frame, in metres; 0 where the water is not known.
fn deepest_m(frame: &SolidarFrame) -> f64 {
    let Some(waterline) = &frame.waterline else {
        return 0.0;
    };
    let sounding = |i: &usize| frame.points.medium[*i] == Medium::Water;
    (0..frame.points.len())
        .filter(sounding)
        .map(|i| waterline.z_m - frame.point_in_world(i).z())
        .fold(0.0, f64::max)
}

fn retrace(document: &str, casts: &[Cast]) -> anyhow::Result<Retrace> {
    let rig = document::rig(document)
        .context("the record's document does not describe its rig: its soundings cannot be traced anew")?;
    if !document::says_water(document) {
        let unsaid = "the record's document does not say what water its soundings were placed through (a \
                      profile may be too long for it): they cannot be traced anew; replay the recording \
                      with another `[water] profile`";
        return Err(anyhow::anyhow!(unsaid));
    }
    let casts: Vec<_> = casts.iter().map(|cast| (cast.taken, &*cast.levels)).collect();
    Retrace::new(&rig, &casts)
        .context("a cast of water has 1300 to 1800 m/s at every depth")
        .context(Wrong::Arguments)
}

/// A cast, for people.
fn told(path: &Path, cast: &Cast) -> String {
    let depths = match (cast.levels.first(), cast.levels.last()) {
        (Some((top, _)), Some((bottom, _))) => format!("{top} to {bottom} m"),
        _ => String::new(),
    };
    let taken = match cast.taken {
        Some(taken) => format!("of {}", taken.iso_8601()),
        None => "of unknown time".to_owned(),
    };
    format!(
        "cast {taken}: {} levels, {depths}: {}",
        cast.levels.len(),
        path.display()
    )
}
