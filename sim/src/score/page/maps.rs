//! The principal face and the bed as maps.

use super::draw::{Chart, equal_scale_height};
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
    "below −10 cm",
    "−10 to −5",
    "−5 to −2",
    "±2",
    "2 to 5",
    "5 to 10",
    "above 10 cm",
];
/// Colours of the orders, then of none.
const ORDER_COLOURS: [&str; 6] = ["#1d7a57", "#5cae6b", "#c6d66b", "#f0c35a", "#e2893b", "#a8450f"];

/// Mean distance from the true face, cell by cell; what has no point stays white.
pub(super) fn face(score: &Score) -> String {
    let cells = &score.plots.face;
    if cells.is_empty() {
        return "<p class=\"quiet\">No point lies on the site's principal face.</p>".to_owned();
    }
    let rows: Vec<([i32; 2], usize)> = cells
        .iter()
        .map(|cell| {
            let mean = cell.sums.mean_m();
            (
                cell.place,
                STEPS.iter().position(|(most, _)| mean <= *most).unwrap_or(6),
            )
        })
        .collect();
    let colours = STEPS.map(|(_, colour)| colour);
    let key: Vec<(&str, &str)> = colours.iter().copied().zip(STEP_WORDS).collect();
    let names = ["along the wall, m", "above still water, m"];
    let map = drawn(&rows, FACE_M, &colours, &key, names);
    format!(
        "<p class=\"quiet\">Mean distance from the true face in cells of 0.25 m; white has no point.</p>\n{map}"
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
    let height = equal_scale_height(WIDTH, x, y) + 26.0;
    let room = (y[1] - y[0]) * 26.0 / (height - 82.0).max(1.0);
    let mut chart = Chart::new([WIDTH, height], x, [y[0], y[1] + room], names);
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
