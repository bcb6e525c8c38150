//! Axes, lines and boxes of a plot as SVG.

use std::fmt::Write as _;

/// A plot in its frame: from numbers to places on the picture.
pub(super) struct Chart {
    svg: String,
    width: f64,
    height: f64,
    x: [f64; 2],
    y: [f64; 2],
}

const LEFT: f64 = 66.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 42.0;

impl Chart {
    /// An empty frame for numbers from `x[0]` to `x[1]` and `y[0]` to `y[1]`, with ticks and the names
    /// of both axes.
    pub(super) fn new(size: [f64; 2], x: [f64; 2], y: [f64; 2], names: [&str; 2]) -> Self {
        let [width, height] = size;
        let mut chart = Self {
            svg: format!(
                "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n"
            ),
            width,
            height,
            x: wide(x),
            y: wide(y),
        };
        for value in ticks(chart.x) {
            let at = chart.across(value);
            chart.grid([at, TOP], [at, height - BOTTOM]);
            chart.text([at, height - BOTTOM + 16.0], "middle", &short(value));
        }
        for value in ticks(chart.y) {
            let at = chart.down(value);
            chart.grid([LEFT, at], [width - RIGHT, at]);
            chart.text([LEFT - 6.0, at + 4.0], "end", &short(value));
        }
        chart.text([0.5 * (LEFT + width - RIGHT), height - 6.0], "middle", names[0]);
        let (x, y) = (14.0, 0.5 * (TOP + height - BOTTOM));
        let _ = writeln!(
            chart.svg,
            "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 {x} {y:.1})\">{}</text>",
            names[1]
        );
        chart
    }

    /// A line through points in numbers.
    pub(super) fn line(&mut self, points: &[[f64; 2]], colour: &str, dash: &str) {
        let mut path = String::new();
        for [x, y] in points {
            let _ = write!(path, "{:.1},{:.1} ", self.across(*x), self.down(*y));
        }
        let _ = writeln!(
            self.svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" stroke-dasharray=\"{dash}\"/>",
            path.trim_end()
        );
    }

    /// The room between two lines with as many points.
    pub(super) fn band(&mut self, upper: &[[f64; 2]], lower: &[[f64; 2]], colour: &str) {
        let mut path = String::new();
        for [x, y] in upper.iter().chain(lower.iter().rev()) {
            let _ = write!(path, "{:.1},{:.1} ", self.across(*x), self.down(*y));
        }
        let _ = writeln!(
            self.svg,
            "<polygon points=\"{}\" fill=\"{colour}\" fill-opacity=\"0.22\"/>",
            path.trim_end()
        );
    }

    /// A filled box between two corners in numbers, cut to the frame.
    pub(super) fn cell(&mut self, from: [f64; 2], to: [f64; 2], colour: &str, opacity: f64) {
        let x = [from[0], to[0]].map(|x| self.across(x.clamp(self.x[0], self.x[1])));
        let y = [from[1], to[1]].map(|y| self.down(y.clamp(self.y[0], self.y[1])));
        let _ = writeln!(
            self.svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" fill-opacity=\"{opacity}\" \
             shape-rendering=\"crispEdges\"/>",
            x[0].min(x[1]),
            y[0].min(y[1]),
            (x[1] - x[0]).abs(),
            (y[1] - y[0]).abs()
        );
    }

    /// A round mark.
    pub(super) fn mark(&mut self, at: [f64; 2], colour: &str) {
        let _ = writeln!(
            self.svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.2\" fill=\"{colour}\"/>",
            self.across(at[0]),
            self.down(at[1])
        );
    }

    /// The key, in the upper right corner: colours and words.
    pub(super) fn key(&mut self, entries: &[(&str, &str)]) {
        // Room for a box and for words of a width that no letter in use exceeds on the average.
        let room = |words: &str| 30.0 + 6.7 * words.chars().count() as f64;
        let mut at = self.width - RIGHT - 4.0 - entries.iter().map(|(_, words)| room(words)).sum::<f64>();
        for (colour, words) in entries {
            let _ = writeln!(
                self.svg,
                "<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\" fill=\"{colour}\" stroke=\"#8a99a8\" \
                 stroke-width=\"0.5\"/>",
                TOP + 6.0
            );
            self.text([at + 16.0, TOP + 16.0], "start", words);
            at += room(words);
        }
    }

    /// The picture.
    pub(super) fn finish(mut self) -> String {
        let _ = writeln!(
            self.svg,
            "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"none\" stroke=\"#8a99a8\"/></svg>",
            self.width - LEFT - RIGHT,
            self.height - TOP - BOTTOM
        );
        self.svg
    }

    fn across(&self, value: f64) -> f64 {
        LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (self.width - LEFT - RIGHT)
    }

    fn down(&self, value: f64) -> f64 {
        self.height - BOTTOM - (value - self.y[0]) / (self.y[1] - self.y[0]) * (self.height - TOP - BOTTOM)
    }

    fn grid(&mut self, from: [f64; 2], to: [f64; 2]) {
        let _ = writeln!(
            self.svg,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#e2e8ed\"/>",
            from[0], from[1], to[0], to[1]
        );
    }

    fn text(&mut self, at: [f64; 2], anchor: &str, words: &str) {
        let _ = writeln!(
            self.svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{words}</text>",
            at[0], at[1]
        );
    }
}

/// The size of a picture at most this wide, and 420 high inside its frame, whose numbers have the same scale on
/// both axes, as far as neither side gets too small for its key.
pub(super) fn equal_scale(width: f64, x: [f64; 2], y: [f64; 2]) -> [f64; 2] {
    let spans = [x, y].map(|[low, high]| (high - low).max(1e-9));
    let scale = ((width - LEFT - RIGHT) / spans[0]).min(420.0 / spans[1]);
    let inside = [(scale * spans[0]).max(560.0), (scale * spans[1]).max(60.0)];
    [inside[0] + LEFT + RIGHT, inside[1] + TOP + BOTTOM]
}

/// A span that is one: numbers in order and apart.
fn wide([low, high]: [f64; 2]) -> [f64; 2] {
    if high - low > 1e-9 {
        [low, high]
    } else {
        [low - 0.5, low + 0.5]
    }
}

/// Round numbers in a span, five or so: steps of 1, 2 or 5.
fn ticks([low, high]: [f64; 2]) -> Vec<f64> {
    let rough = (high - low) / 6.0;
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * decade)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * decade);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last.min(first + 20)).map(|i| i as f64 * step).collect()
}

/// A tick's number without tail.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.replace('-', "−")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(ticks([0.0, 30.0]), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]);
        assert_eq!(ticks([-0.25, 0.25]).len(), 5);
        assert_eq!(short(-0.1), "−0.1");
        assert_eq!(short(20.0), "20");
        assert!(ticks(wide([3.0, 3.0])).len() > 2);
    }

    #[test]
    fn numbers_come_to_their_places() {
        let chart = Chart::new([282.0, 156.0], [0.0, 10.0], [-1.0, 1.0], ["x", "y"]);
        assert_eq!((chart.across(5.0), chart.down(0.0)), (166.0, 64.0));
        assert!(chart.down(1.0) < chart.down(-1.0), "up is up");
    }
}
