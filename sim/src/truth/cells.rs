//! The true surface in cells of 0.2 m: of the wall's face looked at from the water, and of the bed looked at
//! from above; and which of them a sensor could see.

use std::path::Path;

use beluga_types::{SensorKind, Stamp};
use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::Truth;
use super::file::content;
use super::writer::{Out, io};
use crate::error::Error;
use crate::faults::Growth;
use crate::scene::{Kind, Scene};
use crate::score::Look;
use crate::vessel::START;
use crate::world::World;

/// Edge of a cell, in metres.
const CELL_M: f64 = 0.20;
/// The most cells of a grid; a site that is larger has larger gaps at its ends.
const MOST_CELLS: usize = 4_000_000;
/// The wall is looked at from here, and the ray goes on as far behind its face, in metres.
const OFF_WALL_M: f64 = 1.5;
/// The deepest bed, in metres below the still water.
const DEEPEST_M: f64 = 60.0;
/// Seconds between the places from which the lidar is asked what it could see.
const LIDAR_EVERY_S: f64 = 1.0;
/// Bytes of a cell.
const CELL_BYTES: usize = 13;
/// A transmit plane that nearly holds the row of cells meets all or none of them; such rows are left out.
const LEAST_SLOPE: f64 = 0.05;

/// A plane rectangle in `Quay`, in cells, and the true surface over each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// `wall` or `bed`; its cells are in the file `NAME-cells.bin`.
    pub name: String,
    /// The corner of the first cell, in `Quay`, metres.
    pub origin: [f64; 3],
    /// Unit vector from one cell of a row to the next.
    pub along: [f64; 3],
    /// Unit vector from one row to the next.
    pub up: [f64; 3],
    /// Unit vector along which heights are measured, from the plane.
    pub normal: [f64; 3],
    /// Edge of a cell, in metres.
    pub cell_m: f64,
    /// Cells of a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// Row by row.
    #[serde(skip)]
    pub cells: Vec<Cell>,
}

/// The true surface at the middle of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// The surface's id and its height over the grid's plane, in metres; nothing if there is none.
    pub surface: Option<(u32, f32)>,
    /// Thickness of what grows on it, along the grid's normal, in metres.
    pub growth_m: f32,
    /// Whether the lidar could see it.
    pub by_lidar: bool,
    /// Whether it lay in the main lobe of the sonar at a ping.
    pub by_sonar: bool,
}

/// Both grids of a world.
pub(super) fn of(world: &World, truth: &Truth) -> Vec<Grid> {
    let mut grids: Vec<Grid> = [wall(world), bed(world)].into_iter().flatten().collect();
    for grid in &mut grids {
        let normals = grid.fill(world.scene(), truth.growth().as_ref());
        grid.hear(world, truth, &normals);
        grid.light(world);
    }
    grids
}

/// Low and high corner of all surfaces of a kind.
fn bounds(scene: &Scene, kind: Kind) -> Option<[Vector3<f64>; 2]> {
    scene
        .surfaces
        .iter()
        .filter(|surface| surface.kind == kind)
        .map(|surface| surface.shape.bounds())
        .map(|bounds| [bounds.low, bounds.high])
        .reduce(|[low, high], [one, other]| [low.inf(&one), high.sup(&other)])
}

/// Where the vessel is during the run, with the sonar's range around it, in `Quay`.
fn reach(world: &World) -> [Vector3<f64>; 2] {
    let range = world.scenario().sonar.range_m;
    let count = world.scenario().duration_s.ceil() as u64;
    let places = (0..=count).map(|t| world.vessel().pose_at(START.shifted_s(t as f64)).translation());
    let (mut low, mut high) = (Vector3::repeat(f64::MAX), Vector3::repeat(f64::MIN));
    for place in places {
        (low, high) = (low.inf(&place), high.sup(&place));
    }
    [low.add_scalar(-range), high.add_scalar(range)]
}

fn wall(world: &World) -> Option<Grid> {
    let [low, high] = bounds(world.scene(), Kind::Wall)?;
    let [from, to] = reach(world);
    let plane = &world.scene().wall;
    let [x0, x1] = [low.x.max(from.x), high.x.min(to.x)];
    let [toe, top] = [low.z, high.z].map(|z| z / plane.up.z);
    let origin = plane.point(x0, toe, 0.0);
    Grid::new(
        "wall",
        origin,
        [Vector3::x(), plane.up, plane.normal],
        [x1 - x0, top - toe],
    )
}

fn bed(world: &World) -> Option<Grid> {
    let [low, high] = bounds(world.scene(), Kind::Bed)?;
    let [from, to] = reach(world);
    let (low, high) = (low.sup(&from), high.inf(&to));
    let origin = Vector3::new(low.x, low.y, 0.0);
    let axes = [Vector3::x(), Vector3::y(), Vector3::z()];
    Grid::new("bed", origin, axes, [high.x - low.x, high.y - low.y])
}

impl Grid {
    fn new(name: &str, origin: Vector3<f64>, axes: [Vector3<f64>; 3], size_m: [f64; 2]) -> Option<Self> {
        let [columns, rows] = size_m.map(|size| (size.max(0.0) / CELL_M).floor() as usize);
        let columns = columns.min(MOST_CELLS / rows.max(1));
        let [along, up, normal] = axes.map(Into::into);
        (columns > 0 && rows > 0).then(|| Self {
            name: name.to_owned(),
            origin: origin.into(),
            along,
            up,
            normal,
            cell_m: CELL_M,
            columns,
            rows,
            cells: vec![Cell::default(); columns * rows],
        })
    }

    /// The middle of a cell on the plane, in `Quay`.
    pub fn middle(&self, column: usize, row: usize) -> Vector3<f64> {
        let [u, v] = [column, row].map(|index| (index as f64 + 0.5) * self.cell_m);
        Vector3::from(self.origin) + Vector3::from(self.along) * u + Vector3::from(self.up) * v
    }

    /// The true place of a cell, in `Quay`.
    fn place(&self, column: usize, row: usize) -> Option<Vector3<f64>> {
        let (_, height) = self.cells[row * self.columns + column].surface?;
        Some(self.middle(column, row) + Vector3::from(self.normal) * f64::from(height))
    }

    /// Finds the surface of each cell; gives the surfaces' normals.
    fn fill(&mut self, scene: &Scene, growth: Option<&Growth>) -> Vec<Vector3<f64>> {
        let normal = Vector3::from(self.normal);
        // The wall from before its face, the bed from the water's surface.
        let [from, far] = if normal.z > 0.9 {
            [0.0, DEEPEST_M]
        } else {
            [OFF_WALL_M, 2.0 * OFF_WALL_M]
        };
        let mut normals = vec![normal; self.cells.len()];
        for row in 0..self.rows {
            for column in 0..self.columns {
                let start = self.middle(column, row) + normal * from;
                let Some((surface, hit)) = scene.cast(&start, &-normal, 0.0, far) else {
                    continue;
                };
                let index = row * self.columns + column;
                let cell = &mut self.cells[index];
                cell.surface = Some((surface, (from - hit.distance) as f32));
                normals[index] = hit.normal * hit.normal.dot(&normal).signum();
                if let Some(growth) = growth
                    && Growth::covers(scene.surfaces[surface as usize].kind)
                {
                    let place = start - normal * hit.distance;
                    cell.growth_m = growth.thickness_m(&place) as f32;
                }
            }
        }
        normals
    }

    /// Marks the cells below water that a ping meets: in the main lobe of a beam, in range, not hidden,
    /// less than 75° from their normal, which is the score's own rule.
    fn hear(&mut self, world: &World, truth: &Truth, normals: &[Vector3<f64>]) {
        let quay_from_world = truth.scene.world_from_quay.inverse();
        for stamp in crate::sonar::ping_stamps(&truth.scenario) {
            let Some(mount) = truth.body_from_sensor(SensorKind::Sonar, stamp) else {
                return;
            };
            let look = Look::new(truth, quay_from_world * world.pose_at(stamp) * mount);
            for row in 0..self.rows {
                self.hear_row(&look, row, normals);
            }
        }
    }

    fn hear_row(&mut self, look: &Look<'_>, row: usize, normals: &[Vector3<f64>]) {
        let along = Vector3::from(self.along);
        let ahead = look.ahead();
        let slope = along.dot(&ahead);
        if slope.abs() < LEAST_SLOPE {
            return;
        }
        // The transmit plane meets the row where its cells truly are, which is found in two steps.
        let column_of = |place: &Vector3<f64>| -> f64 {
            let shift = (look.origin - place).dot(&ahead) / slope;
            let u = (place - Vector3::from(self.origin)).dot(&along) + shift;
            u / self.cell_m
        };
        let guess = column_of(&self.middle(0, row)).clamp(0.0, self.columns as f64 - 1.0) as usize;
        let near = self.place(guess, row).unwrap_or_else(|| self.middle(guess, row));
        let crossing = column_of(&near);
        let reach = look.half_width_rad() * 2.0 * (near - look.origin).norm() / self.cell_m + 1.0;
        let first = (crossing - reach).floor().max(0.0);
        let last = (crossing + reach).ceil().min(self.columns as f64 - 1.0);
        if first > last {
            return;
        }
        for column in first as usize..=last as usize {
            let index = row * self.columns + column;
            let Some(place) = self.place(column, row) else {
                continue;
            };
            let heard = || place.z < 0.0 && look.meets_facing(&place, &normals[index]);
            if !self.cells[index].by_sonar && heard() {
                self.cells[index].by_sonar = true;
            }
        }
    }

    /// Marks the cells above the still water that a turn of the lidar meets: within its rings and its
    /// range, not hidden. Turns are asked once a second.
    fn light(&mut self, world: &World) {
        let lidar = &world.scenario().lidar;
        let steps = (world.scenario().duration_s / LIDAR_EVERY_S).floor() as u64;
        for step in 0..=steps {
            let stamp: Stamp = START.shifted_s(step as f64 * LIDAR_EVERY_S);
            let mount = world.mount_at(crate::rig::LIDAR, stamp);
            let quay_from_sensor = world.vessel().pose_at(stamp) * mount;
            let origin = quay_from_sensor.translation();
            let to_sensor = quay_from_sensor.rotation_matrix().transpose();
            for index in 0..self.cells.len() {
                if self.cells[index].by_lidar {
                    continue;
                }
                let Some(place) = self.place(index % self.columns, index / self.columns) else {
                    continue;
                };
                let way = to_sensor * (place - origin);
                let range = way.norm();
                let elevation_deg = (way.z / range).asin().to_degrees();
                self.cells[index].by_lidar = place.z > 0.0
                    && range <= lidar.range_m
                    && (lidar.lowest_deg..=lidar.highest_deg).contains(&elevation_deg)
                    && world.scene().sees(&origin, &place);
            }
        }
    }

    fn file(&self) -> String {
        format!("{}-cells.bin", self.name)
    }

    /// Writes the cells, row by row.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Error> {
        let mut out = Out::create(dir.join(self.file()))?;
        for cell in &self.cells {
            out.push(&cell.record())?;
        }
        out.finish()
    }

    /// Reads the cells of a grid that a truth's folder lists.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::Content`] if it has not as many bytes as the
    /// grid has cells.
    pub(super) fn read(mut self, dir: &Path) -> Result<Self, Error> {
        let path = dir.join(self.file());
        let cells = self
            .columns
            .checked_mul(self.rows)
            .filter(|cells| *cells <= MOST_CELLS);
        let expected = cells.map(|cells| (cells * CELL_BYTES) as u64);
        let found = std::fs::metadata(&path)
            .map_err(|source| io("reading", source, &path))?
            .len();
        if expected != Some(found) {
            let found = format!("{found} bytes for {} rows of {}", self.rows, self.columns);
            return Err(content("13 bytes for each cell", found, 0, &path));
        }
        let bytes = std::fs::read(&path).map_err(|source| io("reading", source, &path))?;
        self.cells = bytes.chunks_exact(CELL_BYTES).map(Cell::of_record).collect();
        Ok(self)
    }
}

impl Cell {
    /// No surface.
    const NONE: u32 = u32::MAX;

    /// `surface` u32, `height_m` f32, `growth_m` f32, `seen` u8 (1 lidar, 2 sonar); little-endian.
    fn record(&self) -> [u8; CELL_BYTES] {
        let (surface, height) = self.surface.unwrap_or((Self::NONE, 0.0));
        let mut record = [0; CELL_BYTES];
        record[0..4].copy_from_slice(&surface.to_le_bytes());
        record[4..8].copy_from_slice(&height.to_le_bytes());
        record[8..12].copy_from_slice(&self.growth_m.to_le_bytes());
        record[12] = u8::from(self.by_lidar) | u8::from(self.by_sonar) << 1;
        record
    }

    fn of_record(record: &[u8]) -> Self {
        let word = |at: usize| [record[at], record[at + 1], record[at + 2], record[at + 3]];
        let surface = u32::from_le_bytes(word(0));
        let height = f32::from_le_bytes(word(4));
        Self {
            surface: (surface != Self::NONE).then_some((surface, height)),
            growth_m: f32::from_le_bytes(word(8)),
            by_lidar: record[12] & 1 != 0,
            by_sonar: record[12] & 2 != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn grids(growth_m: f64) -> (World, Vec<Grid>) {
        let mut scenario = Scenario::sample();
        scenario.duration_s = 1.5;
        scenario.faults.growth.thickness_m = growth_m;
        let world = World::new(scenario).unwrap();
        let truth = world.truth();
        let grids = of(&world, &truth);
        (world, grids)
    }

    #[test]
    fn cells_lie_on_the_surface_they_name() {
        let (world, grids) = grids(0.0);
        assert_eq!(
            grids.iter().map(|grid| grid.name.as_str()).collect::<Vec<_>>(),
            ["wall", "bed"]
        );
        for grid in &grids {
            let mut known = 0;
            for index in (0..grid.cells.len()).step_by(7) {
                let Some((surface, _)) = grid.cells[index].surface else {
                    continue;
                };
                known += 1;
                let place = grid.place(index % grid.columns, index / grid.columns).unwrap();
                let shape = &world.scene().surfaces[surface as usize].shape;
                let off = (shape.nearest(&place) - place).norm();
                assert!(off < 1e-4, "{}: {off}", grid.name);
            }
            assert!(known * 7 > grid.cells.len() * 9 / 10, "{}: {known}", grid.name);
        }
    }

    #[test]
    fn each_sensor_sees_its_side_of_the_water() {
        let (_, grids) = grids(0.0);
        let seen = |grid: &Grid, by: fn(&Cell) -> bool| -> Vec<f64> {
            (0..grid.cells.len())
                .filter(|&index| by(&grid.cells[index]))
                .map(|index| grid.place(index % grid.columns, index / grid.columns).unwrap().z)
                .collect()
        };
        let [wall, bed] = [&grids[0], &grids[1]];
        let (lit, heard) = (seen(wall, |cell| cell.by_lidar), seen(wall, |cell| cell.by_sonar));
        assert!(lit.len() > 500 && lit.iter().all(|z| *z > 0.0), "{}", lit.len());
        assert!(
            heard.len() > 100 && heard.iter().all(|z| *z < 0.0),
            "{}",
            heard.len()
        );
        assert!(seen(bed, |cell| cell.by_lidar).is_empty());
        let heard = seen(bed, |cell| cell.by_sonar).len();
        assert!((200..5_000).contains(&heard), "{heard}");
    }

    #[test]
    fn growth_is_on_the_wall_below_water_alone() {
        let (_, grids) = grids(0.1);
        let grown = |grid: &Grid| grid.cells.iter().filter(|cell| cell.growth_m > 0.0).count();
        assert!(grown(&grids[0]) > 1_000);
        assert_eq!(grown(&grids[1]), 0);
    }

    #[test]
    fn a_grid_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (_, grids) = grids(0.1);
        for grid in grids {
            grid.write(folder.path()).unwrap();
            let bare = Grid {
                cells: Vec::new(),
                ..grid.clone()
            };
            assert_eq!(bare.clone().read(folder.path()).unwrap(), grid);
            let path = folder.path().join(grid.file());
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[1..]).unwrap();
            assert!(bare.read(folder.path()).is_err());
        }
    }
}
