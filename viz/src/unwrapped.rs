//! The wall unwrapped: chainage to the right, levels up, coloured by how well each cell is known.

use re_sdk::RecordingStream;
use re_sdk_types::archetypes::{AnnotationContext, LineStrips2D, Points2D, SegmentationImage};
use re_sdk_types::components::{Color, ImageBuffer, ImageFormat, Opacity, Radius};
use re_sdk_types::datatypes::{AnnotationInfo, ChannelDatatype, Rgba32};

use crate::Error;
use crate::cells::{CELL_M, cell_of};
use crate::colour::Rgb;
use crate::coverage::{COVERED, Coverage};

/// Edge of a cell on the picture, in pixels.
const PIXELS: usize = 2;
/// The picture is folded into rows until it is about so many times as wide as high.
const ASPECT: f64 = 2.0;
/// Pixels at most.
const MOST_PIXELS: usize = 4_000_000;
/// Cells shown around what was passed, and below and above toe and crest.
const MARGIN: i32 = 3;
/// Room under each row of a folded picture, in cells: for the chainage. Words are as large on screen
/// however much the picture shows, about this part of its height.
const ROOM: usize = 6;
const ROOM_PART: f64 = 0.07;
/// Rows that have room for words at most; of more only every second, third and so on is marked.
const MARKED_ROWS: usize = 5;
/// Chainages on the whole picture, and levels, at most.
const MOST_MARKS: f64 = 24.0;
const MOST_LEVELS: f64 = 8.0;
/// Twice the tolerance is the end of the middle class.
const MIDDLE: f64 = 2.0;

/// Classes of the picture's pixels.
const PAPER: u8 = 1;
const HATCH: u8 = 2;
const SPARSE: u8 = 3;
const GOOD: u8 = 4;
const FAIR: u8 = 5;
const POOR: u8 = 6;

const WORDS: Rgb = [190, 198, 210];
const VESSEL: Rgb = [255, 150, 60];

/// Classes, their words and colours: after M. Okabe, K. Ito, "Color universal design" (2008), dark
/// where nothing is known.
const CLASSES: [(u8, &str, Rgb); 6] = [
    (PAPER, "nothing there", [20, 24, 32]),
    (HATCH, "not seen", [96, 104, 120]),
    (SPARSE, "too few points", [64, 70, 84]),
    (GOOD, "within tolerance", [0, 158, 115]),
    (FAIR, "within twice the tolerance", [240, 200, 60]),
    (POOR, "worse", [213, 70, 30]),
];

/// Names and colours of the classes, once.
pub(crate) fn describe(stream: &RecordingStream) -> Result<(), Error> {
    let classes = CLASSES.map(|(id, words, [red, green, blue])| {
        AnnotationInfo::from((u16::from(id), words, Rgba32::from_rgb(red, green, blue)))
    });
    Ok(stream.log_static("wall/unwrapped", &AnnotationContext::new(classes))?)
}

/// Draws the wall so far, at the stream's current time; the vessel stands at `here_m`.
pub(crate) fn draw(
    stream: &RecordingStream,
    coverage: &Coverage,
    tolerance_m: f64,
    here_m: Option<f64>,
) -> Result<(), Error> {
    let Some(sheet) = Sheet::new(coverage) else {
        return Ok(());
    };
    let pixels = sheet.pixels(coverage, tolerance_m);
    let size = [sheet.width() as u32, sheet.height() as u32];
    let image = SegmentationImage::new(
        ImageBuffer::from(pixels),
        ImageFormat::segmentation(size, ChannelDatatype::U8),
    )
    .with_opacity(Opacity::from(1.0));
    stream.log("wall/unwrapped/cells", &image)?;
    sheet.words(stream)?;
    let vessel: Vec<[f32; 2]> = here_m
        .and_then(|along_m| sheet.place(along_m))
        .into_iter()
        .collect();
    let bars = LineStrips2D::new(vessel.iter().map(|&[x, y]| {
        let height = (sheet.rows() * PIXELS) as f32;
        [[x, y - height], [x, y]]
    }))
    .with_colors([colour(VESSEL)])
    .with_radii([Radius::new_ui_points(1.0)]);
    Ok(stream.log("wall/unwrapped/here", &bars)?)
}

/// Which cells lie where on the picture.
#[derive(Debug, PartialEq)]
struct Sheet {
    /// First column and row, and the column and row after the last.
    from: [i32; 2],
    to: [i32; 2],
    /// Columns side by side before the picture is folded.
    across: usize,
    /// Cells under each row.
    room: usize,
}

impl Sheet {
    fn new(coverage: &Coverage) -> Option<Self> {
        let [low_m, high_m] = coverage.passed_m()?;
        let [toe, crest] = coverage.rows()?;
        let from = [cell_of(low_m) - MARGIN, toe - MARGIN];
        let to = [cell_of(high_m) + 1 + MARGIN, crest + 1 + MARGIN];
        let columns = usize::try_from(to[0] - from[0]).ok()?;
        let rows = usize::try_from(to[1] - from[1]).ok()?;
        let folds = (columns as f64 / ASPECT / (rows + ROOM) as f64)
            .sqrt()
            .round()
            .max(1.0) as usize;
        let sheet = Self {
            from,
            to,
            across: columns.div_ceil(folds),
            room: room(rows, folds),
        };
        (sheet.width().checked_mul(sheet.height())? <= MOST_PIXELS).then_some(sheet)
    }

    fn rows(&self) -> usize {
        (self.to[1] - self.from[1]) as usize
    }

    fn folds(&self) -> usize {
        ((self.to[0] - self.from[0]) as usize).div_ceil(self.across)
    }

    fn width(&self) -> usize {
        self.across * PIXELS
    }

    fn height(&self) -> usize {
        (self.folds() * (self.rows() + self.room) - self.room) * PIXELS
    }

    /// The lower end of this chainage on the picture, in pixels.
    fn place(&self, along_m: f64) -> Option<[f32; 2]> {
        let column = along_m / CELL_M - f64::from(self.from[0]);
        let count = f64::from(self.to[0] - self.from[0]);
        (0.0..=count).contains(&column).then(|| {
            let fold = ((column / self.across as f64) as usize).min(self.folds() - 1);
            let x = column - (fold * self.across) as f64;
            let y = fold * (self.rows() + self.room) + self.rows();
            [x as f32 * PIXELS as f32, (y * PIXELS) as f32]
        })
    }

    fn pixels(&self, coverage: &Coverage, tolerance_m: f64) -> Vec<u8> {
        let mut pixels = vec![PAPER; self.width() * self.height()];
        for column in self.from[0]..self.to[0] {
            let at = (column - self.from[0]) as usize;
            let (fold, x) = (at / self.across, at % self.across);
            for row in self.from[1]..self.to[1] {
                let y = fold * (self.rows() + self.room) + (self.to[1] - 1 - row) as usize;
                let inside = row >= self.from[1] + MARGIN && row < self.to[1] - MARGIN;
                let class = class(coverage, [column, row], tolerance_m, inside);
                for dy in 0..PIXELS {
                    for dx in 0..PIXELS {
                        let (px, py) = (x * PIXELS + dx, y * PIXELS + dy);
                        let stripe = (px + py) % 4 == 0;
                        pixels[py * self.width() + px] = match class {
                            HATCH if !stripe => PAPER,
                            class => class,
                        };
                    }
                }
            }
        }
        pixels
    }

    /// Chainage under the rows, levels beside the first, where there is room for them.
    fn marks(&self) -> Vec<([f32; 2], String)> {
        let mut marks = Vec::new();
        let every = self.folds().div_ceil(MARKED_ROWS);
        let marked_rows = self.folds().div_ceil(every) as f64;
        let length_m = self.across as f64 * CELL_M;
        let step_m = step(length_m, (MOST_MARKS / marked_rows).clamp(2.0, 8.0));
        for fold in (0..self.folds()).step_by(every) {
            let from_m = (f64::from(self.from[0]) + (fold * self.across) as f64) * CELL_M;
            let first = (from_m / step_m).ceil() as i64;
            for i in first..(((from_m + length_m) / step_m).ceil() as i64) {
                let mark_m = i as f64 * step_m;
                if let Some([x, y]) = self.place(mark_m) {
                    let below = 0.5 * self.room as f32 * PIXELS as f32;
                    marks.push(([x, y + below], format!("{mark_m:.0} m")));
                }
            }
        }
        let most_levels = MOST_LEVELS / self.folds() as f64;
        if most_levels < 2.0 {
            return marks;
        }
        let [low, high] = [self.from[1], self.to[1]].map(|row| f64::from(row) * CELL_M);
        let step_m = step(high - low, most_levels);
        for i in (low / step_m).ceil() as i64..=(high / step_m).floor() as i64 {
            let level_m = i as f64 * step_m;
            let y = (high - level_m) / CELL_M * PIXELS as f64;
            marks.push(([-4.0 * PIXELS as f32, y as f32], crate::section::level(level_m)));
        }
        marks
    }

    fn words(&self, stream: &RecordingStream) -> Result<(), Error> {
        let (places, words): (Vec<_>, Vec<_>) = self.marks().into_iter().unzip();
        let labels = Points2D::new(places)
            .with_labels(words)
            .with_show_labels(true)
            .with_colors([colour(WORDS)])
            .with_radii([Radius::new_ui_points(0.1)]);
        Ok(stream.log("wall/unwrapped/words", &labels)?)
    }
}

/// Cells under each of so many rows, so that words fit there.
fn room(rows: usize, folds: usize) -> usize {
    let marked = folds.min(MARKED_ROWS) as f64;
    let all = (rows * folds) as f64;
    // The room's part of the height that it makes larger itself; one row in several is marked.
    let room = ROOM_PART * all / (1.0 - ROOM_PART * marked);
    let each = room * marked / folds as f64;
    if folds == 1 {
        ROOM
    } else {
        (each.round() as usize).max(ROOM)
    }
}

/// The smallest round step of which at most so many fit into a length.
fn step(length_m: f64, most: f64) -> f64 {
    let decades = (0..6).map(|power| 10f64.powi(power));
    let mut steps = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|step| step * decade));
    steps.find(|step| length_m / step <= most).unwrap_or(1e6)
}

fn class(coverage: &Coverage, [column, row]: [i32; 2], tolerance_m: f64, inside: bool) -> u8 {
    let Some(cell) = coverage.cells.cell(column, row) else {
        return if inside { HATCH } else { PAPER };
    };
    match cell.half_width_95_m() {
        _ if cell.points() < COVERED => SPARSE,
        Some(half) if half <= tolerance_m => GOOD,
        Some(half) if half <= MIDDLE * tolerance_m => FAIR,
        _ => POOR,
    }
}

fn colour([red, green, blue]: Rgb) -> Color {
    Color::from_rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::tests::quay;

    #[test]
    fn the_picture_shows_good_fair_and_nothing() {
        let coverage = quay();
        let sheet = Sheet::new(&coverage).unwrap();
        let pixels = sheet.pixels(&coverage, 0.06);
        let at = |along_m: f64, level_m: f64| {
            let column = (cell_of(along_m) - sheet.from[0]) as usize;
            let row = (sheet.to[1] - 1 - cell_of(level_m)) as usize;
            let x = column * PIXELS;
            (0..PIXELS)
                .map(|dx| pixels[row * PIXELS * sheet.width() + x + dx])
                .max()
                .unwrap()
        };
        assert_eq!(at(5.1, 2.1), GOOD);
        assert_eq!(at(5.1, -2.1), FAIR);
        assert!([HATCH, PAPER].contains(&at(5.1, 0.1)));
        assert_eq!(sheet.folds(), 1);
    }

    #[test]
    fn a_long_wall_is_folded_and_every_place_is_on_the_picture() {
        let sheet = Sheet {
            from: [0, 0],
            to: [3000, 50],
            across: 600,
            room: ROOM,
        };
        assert_eq!(sheet.folds(), 5);
        for along_m in [0.0, 119.0, 121.0, 599.9] {
            let [x, y] = sheet.place(along_m).unwrap();
            assert!(
                x <= sheet.width() as f32 && y <= sheet.height() as f32,
                "{along_m}"
            );
        }
        assert_eq!(sheet.place(601.0), None);
    }

    /// Words of about 50 by 16 points on a picture that is fitted into 560 by 280 points.
    #[test]
    fn words_stand_clear_of_each_other_however_long_the_wall_is() {
        for length_m in [8.0, 30.0, 66.0, 150.0, 600.0, 2_000.0] {
            let mut coverage = Coverage::default();
            for i in 0..=(length_m * 10.0) as u32 {
                for level in 0..20 {
                    let at = crate::wall::OnWall {
                        along_m: f64::from(i) * 0.1,
                        off_m: 0.0,
                        level_m: f64::from(level) * 0.5 - 6.0,
                    };
                    for _ in 0..COVERED {
                        coverage.cells.see(&at, beluga_types::Medium::Air);
                    }
                }
                coverage.pass(f64::from(i) * 0.1);
            }
            let sheet = Sheet::new(&coverage).unwrap();
            let scale = (560.0 / sheet.width() as f32).min(280.0 / sheet.height() as f32);
            let marks = sheet.marks();
            assert!(marks.len() >= 4, "{length_m} m: {marks:?}");
            for (i, (a, said)) in marks.iter().enumerate() {
                for (b, other) in &marks[i + 1..] {
                    let [across, down] = [0, 1].map(|axis| (a[axis] - b[axis]).abs() * scale);
                    assert!(
                        across > 45.0 || down > 15.0,
                        "{length_m} m: {said} is {across:.0} and {down:.0} from {other}"
                    );
                }
            }
        }
    }
}
