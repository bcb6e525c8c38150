//! The quay wall's face: a plane of which rectangles stand out or are set back, and sections of sheet
//! piles.

use nalgebra::Vector3;

use super::builder::Builder;
use super::{Kind, WallPlane};
use crate::error::Error;
use crate::scenario::{SheetScenario, SiteScenario};

/// One wave of U-shaped sheet piles as parts of its length, and whether that point is set back: half an outer
/// flat, flank, inner flat, flank, half an outer flat.
const WAVE: [(f64, bool); 6] = [
    (0.0, false),
    (0.15, false),
    (0.35, true),
    (0.65, true),
    (0.85, false),
    (1.0, false),
];

/// The wall ends in a beam of this height, under which what is set back ends, in metres.
const CAP_M: f64 = 0.3;

/// A rectangle of the face.
struct Patch {
    along: [f64; 2],
    up: [f64; 2],
    off: f64,
}

/// The face between two ends and from its foot to its top, along the wall and up its face.
pub(super) struct Face<'a> {
    pub(super) wall: &'a WallPlane,
    pub(super) span: [f64; 2],
    pub(super) foot: f64,
    pub(super) top: f64,
}

impl Face<'_> {
    /// Adds the face. Without relief and sheet piles it is one rectangle; else the first surface
    /// begins at the foot and at the span's beginning.
    ///
    /// # Errors
    /// [`Error::Site`] if a section of sheet piles leaves the wall or meets another one or a relief.
    pub(super) fn build(&self, builder: &mut Builder, site: &SiteScenario) -> Result<(), Error> {
        let patches = self.patches(site);
        let waves: Vec<[f64; 2]> = site
            .sheet
            .iter()
            .map(|sheet| self.whole_waves(sheet))
            .collect::<Result<_, _>>()?;
        for (i, wave) in waves.iter().enumerate() {
            let meets = |other: &[f64; 2]| wave[0] < other[1] && other[0] < wave[1];
            if waves[..i].iter().any(meets) || patches.iter().any(|patch| meets(&patch.along)) {
                return Err(Error::Site {
                    part: format!("sheet piles from {} to {} m", wave[0], wave[1]),
                    problem: "they meet a relief or other sheet piles".to_owned(),
                });
            }
        }
        let edges = |ends: [f64; 2], inner: Vec<f64>| {
            let mut edges = inner;
            edges.retain(|edge| *edge > ends[0] + 1e-6 && *edge < ends[1] - 1e-6);
            edges.extend(ends);
            edges.sort_by(f64::total_cmp);
            edges.dedup_by(|a, b| (*a - *b).abs() < 1e-6);
            edges
        };
        let along = edges(
            self.span,
            patches
                .iter()
                .flat_map(|patch| patch.along)
                .chain(waves.iter().copied().flatten())
                .collect(),
        );
        let up = edges(
            [self.foot, self.top],
            patches.iter().flat_map(|patch| patch.up).collect(),
        );
        let grid = Grid {
            face: self,
            along: &along,
            up: &up,
            patches: &patches,
            waves: &waves,
        };
        grid.fronts(builder);
        grid.flanks(builder);
        for (sheet, wave) in site.sheet.iter().zip(&waves) {
            self.sheet(builder, sheet, wave);
        }
        Ok(())
    }

    fn patches(&self, site: &SiteScenario) -> Vec<Patch> {
        site.relief
            .iter()
            .flat_map(|relief| {
                relief.at_m.iter().map(|at| Patch {
                    along: [at - 0.5 * relief.width_m, at + 0.5 * relief.width_m],
                    up: if relief.off_m < 0.0 {
                        [relief.up_m[0], relief.up_m[1].min(self.top - CAP_M)]
                    } else {
                        relief.up_m
                    },
                    off: relief.off_m,
                })
            })
            .collect()
    }

    /// The middle of a section, as long as the whole waves that fit.
    fn whole_waves(&self, sheet: &SheetScenario) -> Result<[f64; 2], Error> {
        let [from, to] = sheet.along_m;
        let count = ((to - from) / sheet.pitch_m + 1e-9).floor();
        if count < 1.0 || from < self.span[0] || to > self.span[1] {
            return Err(Error::Site {
                part: format!("sheet piles from {from} to {to} m"),
                problem: format!(
                    "no wave fits, or they leave the wall from {} to {} m",
                    self.span[0], self.span[1]
                ),
            });
        }
        let rest = 0.5 * (to - from - count * sheet.pitch_m);
        Ok([from + rest, to - rest])
    }

    fn sheet(&self, builder: &mut Builder, sheet: &SheetScenario, [from, to]: &[f64; 2]) {
        let height = self.wall.up * (self.top - CAP_M - self.foot);
        let beam = self.wall.point(*from, self.top - CAP_M, 0.0);
        let width = Vector3::x() * (to - from);
        builder.rectangle(Kind::Wall, beam, width, self.wall.up * CAP_M);
        let back = self.wall.normal * sheet.depth_m;
        builder.rectangle(Kind::Wall, beam - back, width, back);
        let count = ((to - from) / sheet.pitch_m).round() as u32;
        for wave in 0..count {
            let start = from + f64::from(wave) * sheet.pitch_m;
            for pair in WAVE.windows(2) {
                let [one, two] = [pair[0], pair[1]].map(|(part, is_back)| {
                    let off = if is_back { -sheet.depth_m } else { 0.0 };
                    self.wall.point(start + part * sheet.pitch_m, self.foot, off)
                });
                builder.rectangle(Kind::Sheet, one, two - one, height);
            }
        }
    }
}

/// The face cut along all edges of its relief.
struct Grid<'a> {
    face: &'a Face<'a>,
    along: &'a [f64],
    up: &'a [f64],
    patches: &'a [Patch],
    waves: &'a [[f64; 2]],
}

impl Grid<'_> {
    /// How far a cell stands out. Later patches cover earlier ones.
    fn off(&self, column: usize, row: usize) -> f64 {
        let middle = |edges: &[f64], i: usize| 0.5 * (edges[i] + edges[i + 1]);
        let (along, up) = (middle(self.along, column), middle(self.up, row));
        let within = |[low, high]: [f64; 2], value: f64| low < value && value < high;
        let patch = self
            .patches
            .iter()
            .rev()
            .find(|patch| within(patch.along, along) && within(patch.up, up));
        patch.map_or(0.0, |patch| patch.off)
    }

    fn is_sheet(&self, column: usize) -> bool {
        let middle = 0.5 * (self.along[column] + self.along[column + 1]);
        self.waves.iter().any(|[from, to]| *from < middle && middle < *to)
    }

    /// The cells' fronts, those of a row that stand out alike in one piece.
    fn fronts(&self, builder: &mut Builder) {
        let columns = self.along.len() - 1;
        for row in 0..self.up.len() - 1 {
            let mut column = 0;
            while column < columns {
                let (off, start) = (self.off(column, row), column);
                column += 1;
                if self.is_sheet(start) {
                    continue;
                }
                while column < columns && !self.is_sheet(column) && self.off(column, row) == off {
                    column += 1;
                }
                builder.rectangle(
                    Kind::Wall,
                    self.face.wall.point(self.along[start], self.up[row], off),
                    Vector3::x() * (self.along[column] - self.along[start]),
                    self.face.wall.up * (self.up[row + 1] - self.up[row]),
                );
            }
        }
    }

    /// What joins neighbours that stand out differently; it looks to the side that stands out less.
    fn flanks(&self, builder: &mut Builder) {
        let (wall, columns, rows) = (self.face.wall, self.along.len() - 1, self.up.len() - 1);
        for row in 0..rows {
            let up = wall.up * (self.up[row + 1] - self.up[row]);
            for column in 0..columns {
                let off = self.off(column, row);
                if column + 1 < columns {
                    let next = self.off(column + 1, row);
                    let corner = wall.point(self.along[column + 1], self.up[row], off.min(next));
                    let out = wall.normal * (off - next).abs();
                    let [first, second] = if off > next { [up, out] } else { [out, up] };
                    builder.rectangle(Kind::Wall, corner, first, second);
                }
                if row + 1 < rows {
                    let next = self.off(column, row + 1);
                    let corner = wall.point(self.along[column], self.up[row + 1], off.min(next));
                    let out = wall.normal * (off - next).abs();
                    let width = Vector3::x() * (self.along[column + 1] - self.along[column]);
                    let [first, second] = if off > next { [out, width] } else { [width, out] };
                    builder.rectangle(Kind::Wall, corner, first, second);
                }
            }
        }
    }
}
