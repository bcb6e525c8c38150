//! What the numbers say, in sentences.

use std::fmt::Write as _;

use super::{Subject, escaped, length, percent};
use crate::score::{OverRuns, Score, Scored};

/// How a verdict is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Good,
    Fair,
    Bad,
    None,
}

impl Mark {
    /// Good up to the first limit, fair up to the second.
    fn of(value: f64, good: f64, fair: f64) -> Self {
        match value {
            value if value <= good => Mark::Good,
            value if value <= fair => Mark::Fair,
            _ => Mark::Bad,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Mark::Good => "good",
            Mark::Fair => "fair",
            Mark::Bad => "bad",
            Mark::None => "none",
        }
    }
}

/// The head of the page: a sentence for each thing a surveyor asks.
pub(super) fn verdicts(score: &Score, runs: &[OverRuns]) -> String {
    let mut html = String::from("<ul class=\"verdict\">\n");
    for (name, mark, sentence) in [
        trajectory(score),
        points("Lidar", &score.lidar),
        points("Sonar", &score.sonar),
        step(score),
        completeness(score),
        bed(score),
        honesty(score, runs),
    ] {
        let _ = writeln!(
            html,
            "<li class=\"{}\"><b>{name}</b><span>{sentence}</span></li>",
            mark.class()
        );
    }
    html.push_str("</ul>\n");
    html
}

type Verdict = (&'static str, Mark, String);

fn trajectory(score: &Score) -> Verdict {
    let error = &score.trajectory;
    let (Some(unaligned), Some(aligned)) = (&error.unaligned, &error.aligned) else {
        return (
            "Trajectory",
            Mark::None,
            "no pose lies in the time of the truth".into(),
        );
    };
    let sentence = format!(
        "95 % of {} poses lie within {} of the truth as they stand, within {} once aligned; rotation {:.3}° RMSE",
        error.poses,
        length(unaligned.p95),
        length(aligned.p95),
        error.rotation_rad.to_degrees()
    );
    ("Trajectory", Mark::of(unaligned.p95, 0.05, 0.20), sentence)
}

fn points(name: &'static str, error: &crate::score::SurfaceError) -> Verdict {
    if error.points == 0 {
        return (name, Mark::None, "no point lies near a true surface".into());
    }
    let sentence = format!(
        "half of the points lie within {} of the true surface, 95 % within {}; bias {}; {} are farther than 0.5 m",
        length(error.median_m),
        length(error.p95_m),
        length(error.bias_m),
        percent(error.outlier_fraction)
    );
    (name, Mark::of(error.p95_m, 0.05, 0.10), sentence)
}

fn step(score: &Score) -> Verdict {
    match &score.seam {
        Scored::NotApplicable(reason) => ("Seam", Mark::None, escaped(reason)),
        Scored::Scored(seam) => {
            let sentence = format!(
                "sonar against lidar at the waterline: step {}, tilt {}, over {} m of wall",
                with_half(seam.step_mm, seam.step_95_mm, "mm"),
                with_half(seam.tilt_mm_per_m, seam.tilt_95_mm_per_m, "mm/m"),
                seam.columns
            );
            let most = seam.step_mm.abs() + seam.step_95_mm.unwrap_or(f64::INFINITY);
            ("Seam", Mark::of(most, 20.0, 50.0), sentence)
        }
    }
}

fn with_half(value: f64, half: Option<f64>, unit: &str) -> String {
    match half {
        Some(half) => format!("{value:+.1} ± {half:.1} {unit}"),
        None => format!("{value:+.1} {unit} (one column: no interval)"),
    }
    .replace('-', "−")
}

fn completeness(score: &Score) -> Verdict {
    let fraction = |scored: &Scored<crate::score::Completeness>| scored.value().map(|of| of.fraction);
    let (lidar, sonar) = (
        fraction(&score.lidar_completeness),
        fraction(&score.sonar_completeness),
    );
    let show = |part: Option<f64>| part.map_or_else(|| "none".to_owned(), percent);
    let least = lidar.into_iter().chain(sonar).reduce(f64::min);
    let sentence = format!(
        "of what could be seen, points cover {} (lidar) and {} (sonar)",
        show(lidar),
        show(sonar)
    );
    let mark = least.map_or(Mark::None, |least| Mark::of(1.0 - least, 0.05, 0.20));
    ("Completeness", mark, sentence)
}

fn bed(score: &Score) -> Verdict {
    let bed = match &score.bed {
        Scored::NotApplicable(reason) => return ("Bed", Mark::None, escaped(reason)),
        Scored::Scored(bed) => bed,
    };
    // What keeps it from the next stricter order.
    let lacking = bed.criteria.iter().take_while(|criteria| !criteria.met()).last();
    let why = lacking.map_or_else(String::new, |criteria| {
        let names = [
            (criteria.thu, "horizontal uncertainty"),
            (criteria.tvu, "vertical uncertainty"),
            (criteria.feature, "size of features"),
            (criteria.search, "search"),
            (criteria.coverage, "coverage"),
        ];
        let failed: Vec<&str> = names
            .iter()
            .filter(|(met, _)| !met)
            .map(|(_, name)| *name)
            .collect();
        format!("; Order {} fails by {}", criteria.order, failed.join(", "))
    });
    let sentence = match bed.order {
        Some(order) => format!("meets S-44 Order {order} with every criterion{why}"),
        None => format!("meets no order of S-44{why}"),
    };
    let mark = match bed.order {
        Some("Exclusive" | "Special") => Mark::Good,
        Some(_) => Mark::Fair,
        None => Mark::Bad,
    };
    ("Bed", mark, sentence)
}

fn honesty(score: &Score, runs: &[OverRuns]) -> Verdict {
    const NAME: &str = "Honesty";
    if runs.len() > 1 && runs.iter().any(|kind| kind.trials > 1) {
        let wrong: Vec<&str> = runs
            .iter()
            .filter(|kind| !kind.consistent)
            .map(|kind| kind.what.as_str())
            .collect();
        let count = runs.iter().map(|kind| kind.runs).max().unwrap_or(0);
        return if wrong.is_empty() {
            (
                NAME,
                Mark::Good,
                format!("over {count} runs no stated 95 % is contradicted by the truth"),
            )
        } else {
            let what = escaped(&wrong.join(", "));
            (
                NAME,
                Mark::Bad,
                format!("over {count} runs the truth contradicts the stated 95 % of: {what}"),
            )
        };
    }
    let coverage = |what: &str| {
        score
            .honesty
            .iter()
            .find(|kind| kind.what == what)
            .map(|kind| kind.coverage)
    };
    let show = |what: &str| coverage(what).map_or_else(|| "–".to_owned(), percent);
    if score.honesty.is_empty() {
        return (
            NAME,
            Mark::None,
            "the run states no uncertainty that could be checked".into(),
        );
    }
    let sentence = format!(
        "in this run the stated 95 % held the truth for {} of poses, {} of lidar and {} of sonar points, {} and {} of cell \
         averages; one run is one draw",
        show("pose"),
        show("lidar point"),
        show("sonar point"),
        show("lidar cell average"),
        show("sonar cell average")
    );
    let least = score
        .honesty
        .iter()
        .filter(|kind| !kind.what.ends_with("own error only"))
        .map(|kind| kind.coverage)
        .fold(1.0, f64::min);
    (NAME, Mark::of(1.0 - least, 0.10, 0.30), sentence)
}

/// The seam in words, under its head.
pub(super) fn seam(score: &Score) -> String {
    let seam = match &score.seam {
        Scored::NotApplicable(reason) => {
            return format!("<p class=\"quiet\">Not applicable: {}.</p>\n", escaped(reason));
        }
        Scored::Scored(seam) => seam,
    };
    let meets = match seam.step_95_mm {
        Some(half) if seam.step_mm.abs() > half => {
            "The two clouds do not meet: the step is larger than its interval."
        }
        Some(_) => "The two clouds meet within the interval.",
        None => "One column of a metre says nothing about its own scatter.",
    };
    let held_out = seam.held_out_m.map_or_else(
        || "No fit used this wall for sonar against lidar, so all of it counts.".to_owned(),
        |[from, to]| format!("Only the wall from {from} m to {to} m counts, which was held out of any fit."),
    );
    format!(
        "<p>Step at the still water <b>{}</b> (lines carried on to the water), offset of the strips <b>{}</b>, tilt \
         <b>{}</b>; {} columns of 1 m. {meets} {held_out}</p>\n<p class=\"quiet\">The intervals come from the scatter \
         between columns of this run; what moves all of a run alike is seen over several runs only.</p>\n",
        with_half(seam.step_mm, seam.step_95_mm, "mm"),
        with_half(seam.offset_mm, seam.offset_95_mm, "mm"),
        with_half(seam.tilt_mm_per_m, seam.tilt_95_mm_per_m, "mm/m"),
        seam.columns
    )
}

/// What has no number, and why.
pub(super) fn not_scored(score: &Score, subject: &Subject) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut say = |what: &str, why: String| lines.push(format!("{what}: {why}"));
    match &subject.latency {
        Some(latency) => say("Latency (scored)", latency.clone()),
        None => say(
            "Latency",
            "not recorded; frames do not carry it. Name the run's own report with --report".into(),
        ),
    }
    if score.points.arcs > 0 {
        say(
            "Arcs",
            format!(
                "{} returns whose elevation is not resolved have no place to compare",
                score.points.arcs
            ),
        );
    }
    if score.trajectory.outside > 0 {
        say(
            "Poses",
            format!("{} lie outside the time of the truth", score.trajectory.outside),
        );
    }
    if score.covariances_unusable > 0 {
        say(
            "Pose covariances",
            format!("{} blocks cannot be inverted", score.covariances_unusable),
        );
    }
    if score.points.set_aside > 0 {
        say(
            "Points set aside",
            format!(
                "{} that the run labelled mirror, multipath or bridged are in no error",
                score.points.set_aside
            ),
        );
    }
    if score.rungs_above.passed + score.rungs_below.passed == 0 {
        say("Rungs", "the vessel passed none".into());
    }
    for (what, reason) in score.not_applicable() {
        say(what, reason.to_owned());
    }
    let mut html = String::from("<ul>\n");
    for line in lines {
        let _ = writeln!(html, "<li>{}</li>", escaped(&line));
    }
    html.push_str("</ul>\n");
    html
}
