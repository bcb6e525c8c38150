//! False alarms of every detector behind every matched filter, beside what was designed.
//!
//! `false_alarms [CELLS]` counts over ten million independent cells where no number is given.

#![allow(clippy::print_stdout, reason = "a program, not the room")]

mod counting;

use counting::{Counted, WINDOWS, compressed, white};

const RATES: [f64; 2] = [1e-3, 1e-4];

fn told(noise: &str, counted: &[Counted]) {
    for one in counted {
        println!(
            "{noise:<20} {:<5} {:>9} {:>10.3e} {:>7.3} {:>11} {:>10}",
            format!("{:?}", one.kind),
            one.designed,
            one.alarms as f64 / one.tested as f64,
            one.ratio(),
            one.cells,
            one.alarms,
        );
    }
}

fn main() -> Result<(), std::num::ParseIntError> {
    let cells = match std::env::args().nth(1) {
        Some(word) => word.parse()?,
        None => 10_000_000,
    };
    println!("noise                kind   designed    counted   ratio       cells     alarms");
    // Fewer samples to a cell: four times the cells, or chance alone would move the least rate by 3 %.
    told("white", &white(&RATES, 4 * cells, 1));
    for window in WINDOWS {
        told(
            &format!("behind {window:?}"),
            &compressed(window, &RATES, cells, 2),
        );
    }
    Ok(())
}
