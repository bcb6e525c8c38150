//! The principal face and the bed as maps.

use beluga_types::Medium;

use super::draw::{Chart, equal_scale};
use crate::score::bed::CELL_M as BED_M;
use crate::score::face::CELL_M as FACE_M;
use crate::score::{ORDERS, Score};

const WIDTH: f64 = 1000.0;
/// Upper ends of the steps of a mean error, in metres, and their colours; blue is behind the wall.
const STEPS: [(f64, &str); 7] = [
    (-0.10, "#1b4f8f"),
    (-0.05, "#4a8cc7"),
    (-0.02, "#a6cbe5"),
    (0.02, "#dfe9dc"),
    (0.05, "#f6c98a"),
    (0.10, "#e2893b"),
    (f64::INFINITY, "#a8450f"),
];
const STEP_WORDS: [&str; 7] = [
    "below −10",
    "−10 to −5",
    "−5 to −2",
    "±2",
    "2 to 5",
    "5 to 10",
    "above 10",
];
/// Colour of what could be seen and has no point.
const GAP: &str = "#b9b9c4";
/// Wall that is shown beyond where the sonar passed, in metres.
const BESIDE_M: f64 = 10.0;
/// Colours of the orders, then of none.
const ORDER_COLOURS: [&str; 6] = ["#1d7a57", "#5cae6b", "#c6d66b", "#f0c35a", "#e2893b", "#a8450f"];

/// Mean distance from the true face, cell by cell, and what could be seen and has no point.
pub(super) fn face(score: &Score) -> String {
    let plots = &score.plots;
    if plots.face.is_empty() {
        return "<p class=\"quiet\">No point lies on the site's principal face.</p>".to_owned();
    }
    let gap = STEPS.len();
    let mut rows: Vec<([i32; 2], usize)> = plots
        .face
        .iter()
        .map(|cell| {
            let mean = cell.sums.mean_m();
            (
                cell.place,
                STEPS
                    .iter()
                    .position(|(most, _)| mean <= *most)
                    .unwrap_or(gap - 1),
            )
        })
        .collect();
    rows.extend(plots.gaps.iter().map(|place| (*place, gap)));
    // The lidar sees wall far beyond the path; the map is of where the sonar passed.
    let passed = plots.face.iter().filter(|cell| cell.medium == Medium::Water);
    let along = passed.map(|cell| cell.place[0]);
    let margin = (BESIDE_M / FACE_M) as i32;
    if let (Some(first), Some(last)) = (along.clone().min(), along.max()) {
        rows.retain(|([along, _], _)| (first - margin..=last + margin).contains(along));
    }
    let mut colours: Vec<&str> = STEPS.iter().map(|(_, colour)| *colour).collect();
    colours.push(GAP);
    let mut key: Vec<(&str, &str)> = STEPS.iter().map(|(_, colour)| *colour).zip(STEP_WORDS).collect();
    key.push((GAP, "no point"));
    let map = drawn(
        &rows,
        FACE_M,
        &colours,
        &key,
        ["along the wall, m", "above still water, m"],
    );
    format!(
        "<p class=\"quiet\">Mean distance from the true face in cells of 0.25 m, out of the wall, in cm, with 10 m to \
         either side of where the sonar passed. Grey could be seen and has no point; white could not.</p>\n{map}"
    )
}

/// The order each cell of the bed meets by itself.
pub(super) fn bed(score: &Score) -> String {
    let cells = &score.plots.bed;
    if cells.is_empty() {
        return String::new();
    }
    let rows: Vec<([i32; 2], usize)> = cells
        .iter()
        .map(|cell| (cell.place, cell.order.unwrap_or(ORDERS.len())))
        .collect();
    let mut key: Vec<(&str, &str)> = ORDERS
        .iter()
        .zip(ORDER_COLOURS)
        .map(|(order, c)| (c, order.name))
        .collect();
    key.push((ORDER_COLOURS[5], "none"));
    let map = drawn(
        &rows,
        BED_M,
        &ORDER_COLOURS,
        &key,
        ["along the quay, m", "from the path, m"],
    );
    format!(
        "<p class=\"quiet\">Strictest order whose vertical uncertainty and feature size a cell of 0.5 m meets by itself; \
         white has fewer than five soundings.</p>\n{map}"
    )
}

/// Cells in their colours; neighbours of one colour in a row are drawn as one.
fn drawn(
    cells: &[([i32; 2], usize)],
    cell_m: f64,
    colours: &[&str],
    key: &[(&str, &str)],
    names: [&str; 2],
) -> String {
    let mut cells: Vec<([i32; 2], usize)> = cells.to_vec();
    cells.sort_by_key(|([along, up], class)| (*up, *along, *class));
    cells.dedup_by_key(|(place, _)| *place);
    let span = |axis: usize| {
        let of = cells.iter().map(|(place, _)| f64::from(place[axis]) * cell_m);
        let low = of.clone().fold(f64::INFINITY, f64::min);
        [low, of.fold(f64::NEG_INFINITY, f64::max) + cell_m]
    };
    let (x, y) = (span(0), span(1));
    // Room for the key above the cells.
    let [width, height] = equal_scale(WIDTH, x, y);
    let room = (y[1] - y[0]) * 26.0 / (height - 56.0).max(1.0);
    let mut chart = Chart::new([width, height + 26.0], x, [y[0], y[1] + room], names);
    let mut i = 0;
    while i < cells.len() {
        let ([along, up], class) = cells[i];
        let mut count = 1;
        while cells.get(i + count as usize) == Some(&([along + count, up], class)) {
            count += 1;
        }
        let from = [f64::from(along) * cell_m, f64::from(up) * cell_m];
        let to = [from[0] + f64::from(count) * cell_m, from[1] + cell_m];
        chart.cell(from, to, colours.get(class).copied().unwrap_or("#888"), 1.0);
        i += count as usize;
    }
    chart.key(key);
    chart.finish()
}
