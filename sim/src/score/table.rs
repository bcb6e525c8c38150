//! The score as a table for people.

use std::fmt;

use super::{Completeness, RungScore, Score, Scored, SurfaceError};

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.trajectory;
        writeln!(
            f,
            "trajectory    {:>9} poses   RMSE {} unaligned, {} aligned (SE(3)), rotation {:.3}°",
            path.poses,
            length(path.unaligned_m),
            length(path.aligned_m),
            path.rotation_rad.to_degrees()
        )?;
        let points = &self.points;
        writeln!(
            f,
            "points        {:>9} in air, {} in water, {} set aside, {} arcs",
            points.air, points.water, points.set_aside, points.arcs
        )?;
        surface(f, "lidar", &self.lidar)?;
        let [along, across] = self.sonar_beam_deg;
        surface(f, &format!("sonar {along:.0}°×{across:.0}°"), &self.sonar)?;
        surface(f, "  on the wall", &self.sonar_wall)?;
        surface(f, "  on the bed", &self.sonar_bed)?;
        rungs(f, "rungs above", &self.rungs_above)?;
        rungs(f, "rungs below", &self.rungs_below)?;
        let cover = &self.coverage;
        let percent = cover
            .fraction
            .map_or_else(|| "-".to_owned(), |fraction| format!("{:.1} %", 100.0 * fraction));
        write!(
            f,
            "coverage      {:>9} of {} ensonified wall cells of 0.20 m have 5 soundings: {percent}",
            cover.covered, cover.ensonified
        )?;
        for line in [
            of("seam", &self.seam, |seam| {
                let half = |half: Option<f64>| half.map_or_else(String::new, |half| format!(" ± {half:.1}"));
                format!(
                    "step {:+.1}{} mm, tilt {:+.1}{} mm/m over {} m",
                    seam.step_mm,
                    half(seam.step_95_mm),
                    seam.tilt_mm_per_m,
                    half(seam.tilt_95_mm_per_m),
                    seam.columns
                )
            }),
            of("lidar cells", &self.lidar_completeness, complete),
            of("sonar cells", &self.sonar_completeness, complete),
            of("features", &self.features, |features| {
                let median = |median: Option<f64>| median.map_or_else(|| "-".to_owned(), length);
                format!(
                    "median error of fenders' sides {}, of piles' axes {}",
                    median(features.fender_side_median_m),
                    median(features.pile_median_m)
                )
            }),
            of("bed (S-44)", &self.bed, |bed| {
                format!(
                    "order {}: THU {}, TVU {}, feature {}, search {:.0} %, coverage {:.0} %",
                    bed.order.unwrap_or("none"),
                    length(bed.measured.thu_m),
                    length(bed.measured.tvu_m),
                    length(bed.measured.feature_m),
                    100.0 * bed.measured.search,
                    100.0 * bed.measured.coverage
                )
            }),
            of("ghosts kept", &self.ghosts, |ghosts| {
                format!(
                    "{} in air, {} in water; good points rejected {} and {}",
                    ghosts.air.ghosts_kept,
                    ghosts.water.ghosts_kept,
                    ghosts.air.good_rejected,
                    ghosts.water.good_rejected
                )
            }),
        ] {
            write!(f, "\n{line}")?;
        }
        for kind in &self.honesty {
            write!(
                f,
                "\n95 % of       {:<27} held the truth for {:>5.1} % of {}",
                kind.what,
                100.0 * kind.coverage,
                kind.samples
            )?;
        }
        Ok(())
    }
}

/// A line of a part that may not apply.
fn of<T>(name: &str, scored: &Scored<T>, words: impl Fn(&T) -> String) -> String {
    match scored {
        Scored::Scored(value) => format!("{name:<13} {}", words(value)),
        Scored::NotApplicable(reason) => format!("{name:<13} not applicable: {reason}"),
    }
}

fn complete(of: &Completeness) -> String {
    format!(
        "{:.1} % of {} that could be seen have points, chamfer {}",
        100.0 * of.fraction,
        of.cells,
        of.chamfer_m.map_or_else(|| "-".to_owned(), length)
    )
}

fn surface(f: &mut fmt::Formatter<'_>, name: &str, error: &SurfaceError) -> fmt::Result {
    writeln!(
        f,
        "{name:<13} {:>9} points  median {}, 95 % {}, bias {}, outliers {:.2} %",
        error.points,
        length(error.median_m),
        length(error.p95_m),
        length(error.bias_m),
        100.0 * error.outlier_fraction
    )
}

fn rungs(f: &mut fmt::Formatter<'_>, name: &str, score: &RungScore) -> fmt::Result {
    let optional = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), length);
    writeln!(
        f,
        "{name:<13} {:>9} of {} within 5 cm, {} found, median {}, worst {}",
        score.recovered,
        score.passed,
        score.found,
        optional(score.median_m),
        optional(score.worst_m)
    )?;
    if score.rungs.iter().all(|rung| rung.error_m == rung.alone_m) {
        return Ok(());
    }
    writeln!(
        f,
        "  each alone  {:>9} of {} within 5 cm, worst {}",
        score.recovered_alone,
        score.passed,
        optional(score.worst_alone_m)
    )
}

fn length(metres: f64) -> String {
    if metres.abs() < 1.0 {
        format!("{:.1} cm", 100.0 * metres)
    } else {
        format!("{metres:.2} m")
    }
}
