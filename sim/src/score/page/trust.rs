//! Honesty and ghosts as tables.

use super::tables::{because, table};
use super::{escaped, percent};
use crate::score::{Counts, OverRuns, Score};

pub(super) fn honesty(score: &Score) -> String {
    if score.honesty.is_empty() {
        return "<p class=\"quiet\">The run states no uncertainty that could be checked.</p>\n".to_owned();
    }
    let rows: Vec<Vec<String>> = score
        .honesty
        .iter()
        .map(|kind| {
            vec![
                escaped(&kind.what),
                kind.samples.to_string(),
                percent(kind.coverage),
                format!("{:.2}", kind.mean_squared),
                kind.freedom.to_string(),
                kind.trial
                    .map_or("–", |inside| if inside { "inside" } else { "outside" })
                    .to_owned(),
            ]
        })
        .collect();
    let table = table(
        &[
            "Stated 95 % of",
            "intervals",
            "truth inside",
            "mean squared error over sigma",
            "honest is",
            "the one trial",
        ],
        &rows,
    );
    format!(
        "{table}<p class=\"quiet\">The intervals of one run share its errors, so this is one draw: \
         only several runs can say whether 95 % is true.</p>\n"
    )
}

pub(super) fn over_runs(runs: &[OverRuns]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|kind| {
            let half = kind
                .coverage_95
                .map_or_else(String::new, |half| format!(" ± {:.1}", 100.0 * half));
            let [low, high] = kind.hit_probability;
            vec![
                escaped(&kind.what),
                kind.runs.to_string(),
                format!("{:.1}{half} %", 100.0 * kind.coverage),
                percent(kind.least),
                format!("{} of {}", kind.hits, kind.trials),
                format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high),
                if kind.consistent {
                    "yes"
                } else {
                    "<b style=\"color:#b23a20\">no</b>"
                }
                .to_owned(),
            ]
        })
        .collect();
    table(
        &[
            "Over all runs",
            "runs",
            "mean of truth inside",
            "least",
            "trials inside",
            "95 % (Clopper–Pearson)",
            "95 % possible",
        ],
        &rows,
    )
}

pub(super) fn ghosts(score: &Score) -> String {
    let Some(ghosts) = score.ghosts.value() else {
        return because(&score.ghosts);
    };
    let row = |name: &str, c: &Counts| {
        let mut row = vec![name.to_owned()];
        row.extend(
            [
                c.good_kept,
                c.good_rejected,
                c.ghosts_kept,
                c.ghosts_rejected,
                c.mirrored_in_water,
                c.mirrored_in_wall,
                c.unsure,
            ]
            .map(|count| count.to_string()),
        );
        row
    };
    let table = table(
        &[
            "Points",
            "good, kept",
            "good, rejected",
            "ghosts kept",
            "ghosts rejected",
            "kept, mirror of the water",
            "kept, mirror of the wall",
            "unsure",
        ],
        &[row("in air", &ghosts.air), row("in water", &ghosts.water)],
    );
    let how = if ghosts.known_fraction > 0.0 {
        format!(
            "The truth names the return of {} of the points. ",
            percent(ghosts.known_fraction)
        )
    } else {
        "The truth does not name single returns here. ".to_owned()
    };
    format!(
        "{table}<p class=\"quiet\">{how}Otherwise a ghost is a point farther than 0.5 m from every true surface, \
         good is one within 0.15 m.</p>\n"
    )
}
