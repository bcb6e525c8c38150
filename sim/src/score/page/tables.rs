//! The score's numbers as tables.

use std::fmt::Write as _;

use super::{escaped, length, percent};
use crate::scene::Kind;
use crate::score::{Completeness, RungScore, Score, Scored, Spread, Stretch, SurfaceError, WallClasses};

/// A table from its head and rows; cells are markup already.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = String::from("<table><tr>");
    for name in head {
        let _ = write!(html, "<th>{name}</th>");
    }
    html.push_str("</tr>\n");
    for row in rows {
        html.push_str("<tr>");
        for cell in row {
            match cell.as_str() {
                "met" => html.push_str("<td class=\"met\">met</td>"),
                "not met" => html.push_str("<td class=\"not\">not met</td>"),
                cell => {
                    let _ = write!(html, "<td>{cell}</td>");
                }
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n");
    html
}

pub(super) fn because<T>(scored: &Scored<T>) -> String {
    match scored {
        Scored::Scored(_) => String::new(),
        Scored::NotApplicable(reason) => {
            format!("<p class=\"quiet\">Not applicable: {}.</p>\n", escaped(reason))
        }
    }
}

pub(super) fn trajectory(score: &Score) -> String {
    let error = &score.trajectory;
    let (Some(unaligned), Some(aligned)) = (&error.unaligned, &error.aligned) else {
        return String::new();
    };
    let spread = |name: &str, of: &Spread, show: &dyn Fn(f64) -> String| {
        let mut row = vec![name.to_owned()];
        row.extend([of.rmse, of.median, of.p95, of.max].map(show));
        row
    };
    let degrees = |radians: f64| format!("{:.3}°", radians.to_degrees()).replace('-', "−");
    let mut rows = vec![
        spread("position, as it stands", unaligned, &length),
        spread("position, aligned (ATE, SE(3))", aligned, &length),
    ];
    for relative in &error.relative {
        let over = match relative.stretch {
            Stretch::Poses(count) => format!("{count} pose{}", if count == 1 { "" } else { "s" }),
            Stretch::Seconds(seconds) => format!("{seconds} s"),
            Stretch::Metres(metres) => format!("{metres} m"),
        };
        let name = format!("relative (RPE) over {over}, {} stretches", relative.stretches);
        rows.push(spread(&name, &relative.translation_m, &length));
        rows.push(spread("&nbsp;&nbsp;rotation", &relative.rotation_rad, &degrees));
    }
    let mut html = table(&["Trajectory", "RMSE", "median", "95 %", "largest"], &rows);
    if let (Some(position), Some(rotation)) = (&error.position_axes_m, &error.rotation_axes_rad) {
        let axes = ["forward", "to port", "up"].iter().zip(position).zip(rotation);
        let rows: Vec<Vec<String>> = axes
            .map(|((name, position), rotation)| {
                vec![
                    (*name).to_owned(),
                    length(position.mean),
                    length(position.rmse),
                    degrees(rotation.mean),
                    degrees(rotation.rmse),
                ]
            })
            .collect();
        html += &table(
            &[
                "Axis of the body",
                "position, mean",
                "RMSE",
                "rotation about it, mean",
                "RMSE",
            ],
            &rows,
        );
    }
    html
}

pub(super) fn surfaces(score: &Score) -> String {
    let row = |name: String, error: &SurfaceError| {
        vec![
            name,
            error.points.to_string(),
            length(error.median_m),
            length(error.p95_m),
            length(error.bias_m),
            percent(error.outlier_fraction),
        ]
    };
    let mut rows = vec![
        row("<b>lidar</b>".into(), &score.lidar),
        row("<b>sonar</b>".into(), &score.sonar),
    ];
    for part in score.surfaces.iter().filter(|part| part.kind.is_some()) {
        let kind = part.kind.map_or_else(String::new, name_of);
        let name = format!(
            "&nbsp;&nbsp;{}, {}, on {kind}",
            part.medium.name(),
            part.label.name()
        );
        rows.push(row(name, &part.error));
    }
    table(
        &[
            "Distance along the normal",
            "points",
            "median",
            "95 %",
            "bias",
            "farther than 0.5 m",
        ],
        &rows,
    )
}

fn name_of(kind: Kind) -> String {
    format!("{kind:?}").to_lowercase()
}

pub(super) fn within(score: &Score) -> String {
    let optional = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), length);
    let rungs = |name: &str, rungs: &RungScore| {
        vec![
            name.to_owned(),
            format!("{} of {}", rungs.found, rungs.passed),
            optional(rungs.median_m),
            optional(rungs.worst_m),
        ]
    };
    let mut rows = Vec::new();
    if score.rungs_above.passed + score.rungs_below.passed > 0 {
        rows.push(rungs("centres of rungs above water", &score.rungs_above));
        rows.push(rungs("centres of rungs below water", &score.rungs_below));
    }
    if let Some(features) = score.features.value() {
        let worst = |errors: &mut dyn Iterator<Item = f64>| errors.reduce(f64::max);
        let sides = || features.fenders.iter().filter_map(|fender| fender.sides_m);
        let axes = || features.piles.iter().filter_map(|pile| pile.axis_m);
        let largest = worst(&mut sides().flatten().map(f64::abs));
        rows.push(vec![
            "sides of fenders along the wall".into(),
            format!("{} of {}", 2 * sides().count(), 2 * features.fenders.len()),
            optional(features.fender_side_median_m),
            optional(largest),
        ]);
        let largest = worst(&mut axes().map(|[x, y]| x.hypot(y)));
        rows.push(vec![
            "axes of piles".into(),
            format!("{} of {}", axes().count(), features.piles.len()),
            optional(features.pile_median_m),
            optional(largest),
        ]);
    }
    let mut html = because(&score.features);
    if !rows.is_empty() {
        html += &table(&["Within the face", "found", "median error", "largest"], &rows);
    }
    html
}

pub(super) fn completeness(score: &Score) -> String {
    let mut html = String::new();
    let mut rows = Vec::new();
    let sides: [(&str, &Scored<Completeness>); 2] = [
        ("lidar", &score.lidar_completeness),
        ("sonar", &score.sonar_completeness),
    ];
    for (name, scored) in sides {
        html += &because(scored);
        let Some(of) = scored.value() else {
            continue;
        };
        rows.push(vec![
            format!("<b>{name}</b>"),
            of.cells.to_string(),
            percent(of.fraction),
            of.found_to_true_m.map_or_else(|| "–".to_owned(), length),
            length(of.true_to_found_m),
            of.chamfer_m.map_or_else(|| "–".to_owned(), length),
        ]);
        for kind in &of.kinds {
            rows.push(vec![
                format!("&nbsp;&nbsp;{}", name_of(kind.kind)),
                kind.cells.to_string(),
                percent(kind.complete as f64 / kind.cells as f64),
                String::new(),
                length(kind.true_to_found_m),
                String::new(),
            ]);
        }
    }
    if !rows.is_empty() {
        html += &table(
            &[
                "Of what could be seen",
                "cells of 0.2 m",
                "with points",
                "found → true",
                "true → found",
                "chamfer",
            ],
            &rows,
        );
    }
    html
}

pub(super) fn walls(score: &Score) -> String {
    let mut rows = Vec::new();
    let sides: [(&str, &Scored<WallClasses>); 2] =
        [("above", &score.wall_above), ("below", &score.wall_below)];
    for (side, scored) in sides {
        let Some(classes) = scored.value() else {
            continue;
        };
        for (what, counts, at_95) in [
            ("single points", &classes.points_in_class, classes.point_95_m),
            ("means of cells", &classes.means_in_class, classes.mean_95_m),
        ] {
            let mut row = vec![format!("{side} water, {what}"), classes.cells.to_string()];
            row.extend(
                counts
                    .iter()
                    .map(|count| percent(*count as f64 / classes.cells.max(1) as f64)),
            );
            row.push(length(at_95));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    table(
        &[
            "Error at 95 %",
            "cells",
            "2 cm or better",
            "to 5 cm",
            "to 10 cm",
            "worse",
            "of 95 % of cells, at most",
        ],
        &rows,
    )
}
