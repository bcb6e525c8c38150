//! The bed's orders of survey as a table.

use std::fmt::Write as _;

use super::tables::{because, table};
use super::{escaped, length};
use crate::score::{Criteria, ORDERS, Order, Score};

/// What was measured and what each order asks, criterion by criterion.
pub(super) fn orders(score: &Score) -> String {
    let Some(bed) = score.bed.value() else {
        return because(&score.bed);
    };
    let measured = &bed.measured;
    let word = |met: bool| if met { "met" } else { "not met" }.to_owned();
    let limits = |order: &Order| {
        let part = |part: f64| format!("{:.0} %", 100.0 * part);
        [
            length(order.thu_m(measured.depth_m)),
            length(order.tvu_m(measured.depth_m)),
            order
                .feature_m(measured.depth_m)
                .map_or_else(|| "–".to_owned(), length),
            order.search.map_or_else(|| "–".to_owned(), part),
            part(order.coverage),
        ]
    };
    let mut rows = vec![vec![
        "<b>measured</b>".to_owned(),
        length(measured.thu_m),
        length(measured.tvu_m),
        length(measured.feature_m),
        format!("{:.0} %", (100.0 * measured.search).floor()),
        format!("{:.0} %", (100.0 * measured.coverage).floor()),
        String::new(),
    ]];
    for (order, criteria) in ORDERS.iter().zip(&bed.criteria) {
        let Criteria {
            thu,
            tvu,
            feature,
            search,
            searched,
            coverage,
            ..
        } = *criteria;
        let mut row = vec![format!("Order {}", order.name)];
        let met = [thu, tvu, feature, search, coverage];
        let mut limits = limits(order);
        if !search {
            limits[3] += &format!(" (has {:.0} %)", (100.0 * searched).floor());
        }
        row.extend(limits.into_iter().zip(met).map(|(limit, met)| {
            if met {
                limit
            } else {
                format!("<b style=\"color:#b23a20\">{limit}</b>")
            }
        }));
        row.push(word(criteria.met()));
        rows.push(row);
    }
    let mut html = format!(
        "<p>{} soundings, depth {} to {}, {} cells of 0.5 m inside what the sonar could see. \
         Limits that are not met are red. Horizontal: {}. A feature is detected if three by three soundings fall on it \
         and no beam is wider; an order's search counts only cells where its own feature is.</p>\n",
        bed.soundings,
        length(bed.depth_m[0]),
        length(bed.depth_m[1]),
        bed.cells,
        escaped(bed.thu_from),
    );
    html += &table(
        &[
            "S-44 edition 6, at 95 %",
            "THU",
            "TVU",
            "feature",
            "search",
            "coverage",
            "all criteria",
        ],
        &rows,
    );
    let cells: Vec<String> = bed
        .cells_in_order
        .iter()
        .map(|(order, cells)| format!("{order} {cells}"))
        .collect();
    let _ = writeln!(
        html,
        "<p class=\"quiet\">Cells by the strictest order of their own vertical uncertainty and feature: {}.</p>",
        cells.join(", ")
    );
    html
}
