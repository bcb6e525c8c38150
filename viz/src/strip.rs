//! The strip of the wall nobody saw: its edges in the 3-D view, and its height.

use re_sdk::RecordingStream;
use re_sdk_types::archetypes::LineStrips3D;
use re_sdk_types::components::{Color, Radius};

use crate::Error;
use crate::cells::CELL_M;
use crate::coverage::{Coverage, Edges, strip_m};
use crate::seam::quantile;
use crate::wall::Wall;

/// A strip lower than this is told in centimetres, metres.
const LOW_M: f64 = 0.15;
/// The edges are drawn this far off the face, so that no point hides them, metres.
const OFF_M: f64 = 0.12;
/// Columns to either side that an edge is smoothed over.
const SMOOTHING: usize = 3;
/// Half width of the mark's ends, metres.
const END_M: f64 = 0.3;

const EDGE: [u8; 3] = [255, 84, 160];

/// Draws the edges of what light and sound saw of the wall, with the height between.
pub(crate) fn draw(stream: &RecordingStream, wall: &Wall, coverage: &Coverage) -> Result<(), Error> {
    let edges = smoothed(&coverage.edges());
    let height_m = strip_m(&edges);
    let (mut strips, mut labels) = (Vec::new(), Vec::new());
    if let Some(height_m) = height_m {
        for piece in edges.chunk_by(|a, b| b.along_m - a.along_m < 1.5 * CELL_M) {
            let line = |level: fn(&Edges) -> f64| -> Vec<[f32; 3]> {
                piece
                    .iter()
                    .map(|edge| on(wall, edge.along_m, level(edge)))
                    .collect()
            };
            strips.push(line(|edge| edge.light_m));
            strips.push(line(|edge| edge.sound_m));
        }
        labels.resize(strips.len(), String::new());
        if let Some(mark) = edges.get(edges.len() / 2) {
            for level_m in [mark.light_m, mark.sound_m] {
                strips.push(vec![
                    on(wall, mark.along_m - END_M, level_m),
                    on(wall, mark.along_m + END_M, level_m),
                ]);
            }
            strips.push(vec![
                on(wall, mark.along_m, mark.sound_m),
                on(wall, mark.along_m, mark.light_m),
            ]);
            labels.resize(strips.len() - 1, String::new());
            labels.push(words(height_m));
        }
    }
    let edges = LineStrips3D::new(strips)
        .with_labels(labels)
        .with_show_labels(true)
        .with_colors([Color::from_rgb(EDGE[0], EDGE[1], EDGE[2])])
        .with_radii([Radius::new_ui_points(1.3)]);
    Ok(stream.log("wall/strip", &edges)?)
}

/// What is written at the strip.
pub(crate) fn words(height_m: f64) -> String {
    let centimetres = (height_m * 100.0).round();
    if centimetres <= 0.0 {
        format!("seen by both {:.0} cm", -centimetres)
    } else if height_m < LOW_M {
        format!("not observed {centimetres:.0} cm")
    } else {
        format!("not observed {height_m:.1} m")
    }
}

fn on(wall: &Wall, along_m: f64, level_m: f64) -> [f32; 3] {
    let point = wall.point(along_m, OFF_M, level_m);
    [point.x as f32, point.y as f32, point.z as f32]
}

/// Each edge as the middle one of its neighbours: a single echo makes no spike.
fn smoothed(edges: &[Edges]) -> Vec<Edges> {
    let middle = |i: usize, level: fn(&Edges) -> f64| {
        let near = &edges[i.saturating_sub(SMOOTHING)..(i + SMOOTHING + 1).min(edges.len())];
        quantile(near.iter().map(level), 0.5)
    };
    (0..edges.len())
        .map(|i| Edges {
            along_m: edges[i].along_m,
            light_m: middle(i, |edge| edge.light_m),
            sound_m: middle(i, |edge| edge.sound_m),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::tests::quay;

    #[test]
    fn the_height_of_a_known_gap_is_written() {
        let edges = smoothed(&quay().edges());
        assert_eq!(words(strip_m(&edges).unwrap()), "not observed 0.8 m");
        assert_eq!(words(0.04), "not observed 4 cm");
        assert_eq!(words(-0.3), "seen by both 30 cm");
    }

    #[test]
    fn a_spike_in_an_edge_is_smoothed_away() {
        let mut edges = quay().edges();
        edges[20].light_m = -3.0;
        assert!((smoothed(&edges)[20].light_m - 0.5).abs() < 0.02);
    }
}
