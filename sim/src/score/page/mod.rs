//! The score as one page of HTML that a surveyor can read: no script, no request, plots as inline SVG.

mod bed;
mod draw;
mod maps;
mod plots;
mod tables;
mod trust;
mod words;

use std::fmt::Write as _;

use super::{OverRuns, Score};
pub(super) use plots::Plots;

/// What a page is about, besides the score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    /// The run, as people name it.
    pub run: String,
    /// The truth.
    pub truth: String,
    /// What the world was: seed, level, length.
    pub world: String,
    /// From the moment a frame's data were complete until the frame was made, in words; nothing if it
    /// was not recorded.
    pub latency: Option<String>,
    /// What the reader must know: that frames were aligned, that the record is torn …
    pub notes: Vec<String>,
}

const STYLE: &str = "
body{font:15px/1.45 system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;color:#1c2733;background:#fff;margin:0 auto;max-width:1060px;padding:24px 28px}
h1{font-size:25px;margin:0 0 2px}h2{font-size:18px;margin:26px 0 6px;border-bottom:1px solid #cfd8e0;padding-bottom:3px}
p{margin:5px 0}.quiet{color:#5a6b7b;font-size:13px}
ul.verdict{list-style:none;padding:0;margin:12px 0}
ul.verdict li{display:flex;padding:5px 10px;margin:3px 0;border-left:5px solid #8a99a8;background:#f4f7f9}
ul.verdict li.good{border-color:#2a8c6a}ul.verdict li.fair{border-color:#d99a1c}ul.verdict li.bad{border-color:#c4472b}
ul.verdict b{flex:0 0 128px}
table{border-collapse:collapse;margin:8px 0;font-size:13.5px}
th,td{padding:3px 10px;text-align:right;border-bottom:1px solid #e2e8ed}
th{background:#f4f7f9;font-weight:600}td:first-child,th:first-child{text-align:left}
td.met{color:#1f7a5a}td.not{color:#b23a20;font-weight:600}
svg{display:block;margin:6px 0;max-width:100%;height:auto}svg text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#3d4c5a}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}svg,table{break-inside:avoid}}
";

/// The page. `runs` is honesty over several runs, if there were several.
pub fn page(score: &Score, subject: &Subject, runs: &[OverRuns]) -> String {
    let mut html = String::from("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
    let run = escaped(&subject.run);
    // Writing to a String cannot fail.
    let _ = write!(
        html,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Score of {run}</title><style>{STYLE}</style></head><body>\n\
         <h1>Score of {run}</h1>\n<p class=\"quiet\">against {} · {} · {} frames, {} points in air, {} in water</p>\n",
        escaped(&subject.truth),
        escaped(&subject.world),
        score.frames,
        score.points.air,
        score.points.water,
    );
    for note in &subject.notes {
        let _ = writeln!(html, "<p><b>Note.</b> {}</p>", escaped(note));
    }
    html.push_str(&words::verdicts(score, runs));
    section(
        &mut html,
        "Trajectory",
        &[tables::trajectory(score), plots::track(score)],
    );
    section(
        &mut html,
        "Points along the surface's normal",
        &[tables::surfaces(score), plots::histograms(score)],
    );
    section(
        &mut html,
        "Within the face, and completeness",
        &[tables::within(score), tables::completeness(score)],
    );
    section(
        &mut html,
        "The principal wall",
        &[maps::face(score), tables::walls(score)],
    );
    section(
        &mut html,
        "The seam at the waterline",
        &[words::seam(score), plots::seam(score)],
    );
    section(
        &mut html,
        "The bed against IHO S-44",
        &[bed::orders(score), maps::bed(score)],
    );
    section(
        &mut html,
        "Honesty of the stated 95 %",
        &[trust::honesty(score), trust::over_runs(runs)],
    );
    section(&mut html, "Ghosts", &[trust::ghosts(score)]);
    section(
        &mut html,
        "What was not scored, and why",
        &[words::not_scored(score, subject)],
    );
    html.push_str("</body></html>\n");
    html
}

fn section(html: &mut String, title: &str, parts: &[String]) {
    let _ = writeln!(html, "<h2>{title}</h2>");
    for part in parts {
        html.push_str(part);
    }
}

/// Text that cannot become markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}

/// A length for people: millimetres below a centimetre, centimetres below a metre.
fn length(metres: f64) -> String {
    let text = match metres.abs() {
        size if size < 0.01 => format!("{:.1} mm", 1e3 * metres),
        size if size < 1.0 => format!("{:.1} cm", 1e2 * metres),
        _ => format!("{metres:.2} m"),
    };
    text.replace('-', "−")
}

fn percent(part: f64) -> String {
    format!("{:.1} %", 100.0 * part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::score::Scorer;
    use crate::score::specimen::frame_of;
    use crate::world::World;
    use beluga_types::Medium;

    /// A page of a small hand-made run, and one of nothing: whole, without scripts, requests, or
    /// numbers that are none.
    #[test]
    fn a_page_is_whole_and_asks_for_nothing() {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 1.0;
        let truth = World::new(scenario).unwrap().truth();
        let empty = Scorer::new(truth.clone()).finish();
        let mut scorer = Scorer::new(truth.clone());
        for (stamp, pose) in truth.poses.iter().step_by(20) {
            for (medium, side) in [(Medium::Air, 1.0), (Medium::Water, -1.0)] {
                let places: Vec<_> = (0..900)
                    .map(|i| {
                        truth
                            .scene
                            .wall
                            .point(0.1 * f64::from(i % 30), side * 0.07 * f64::from(i / 30), 0.01)
                    })
                    .collect();
                scorer.add(&frame_of(&truth, *stamp, pose, &places, medium, 0.02, 0.01));
            }
        }
        let subject = Subject {
            run: "<b>&\"run\"</b>".into(),
            notes: vec!["frames were aligned".into()],
            ..Subject::default()
        };
        for score in [scorer.finish(), empty] {
            let html = page(&score, &subject, &[]);
            assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
            for absent in [
                "<script",
                "http://",
                "https://",
                "src=",
                "NaN",
                "inf ",
                "<b>&\"run",
                "javascript",
            ] {
                assert!(!html.contains(absent), "{absent}");
            }
            for tag in ["svg", "table", "ul", "g", "p"] {
                let count = |start: &str| html.matches(start).count();
                let opened = count(&format!("<{tag}>")) + count(&format!("<{tag} "));
                assert_eq!(opened, count(&format!("</{tag}>")), "{tag}");
            }
            let json = serde_json::to_value(&score).unwrap();
            assert!(json["trajectory"]["unaligned_m"].is_f64());
        }
    }
}
