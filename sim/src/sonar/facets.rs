//! Scatterers: every surface under water is divided into cells smaller than the sonar resolves, and
//! each cell holds one scatterer at a random place with a random complex strength.
//!
//! Place and strength are a function of the surface and the cell alone. So speckle is developed
//! (many scatterers in a resolution cell, independent phases) and moves with the geometry from
//! ping to ping, as it does on a real wall.

mod cut;

use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::Sonar;
use super::ghost::Ghosts;
use super::paths::{Arrival, Law, Lobe, Paths, Posture, Scatterer};
use super::{mirror, volume};
use crate::faults::Growth;
use crate::random::{Dice, Source};
use crate::scene::{Kind, Scene, Shape, Surface, perpendicular};
use cut::{Outline, Piece};

/// Cells on a cylinder's mantle measure at most this part of its radius around it.
const CELL_PER_RADIUS: f64 = 0.5;

/// One row of cells of a surface, in `Sensor` axes.
struct Row {
    surface: u64,
    number: u64,
    start: Vector3<f64>,
    run: Vector3<f64>,
    length: f64,
    /// Size of a cell along the row and across it.
    cell: [f64; 2],
    curve: Curve,
}

/// How a row's cells leave the straight line.
enum Curve {
    Flat {
        across: Vector3<f64>,
        normal: Vector3<f64>,
        outline: Outline,
    },
    Round {
        /// Two unit vectors across the axis, and the angle of the row's middle from the first.
        axes: [Vector3<f64>; 2],
        angle: f64,
        radius: f64,
    },
}

/// Cells for echoes by mirrors are this much larger along each side; their energy is the same.
const COARSE: f64 = 3.0;

/// Everything that arrives after one ping.
pub(super) fn arrivals(sonar: &Sonar, seed: u64, scene: &Scene, posture: &Posture) -> Vec<Arrival> {
    let mut paths = Paths::new(sonar, seed, scene, posture);
    let direct = Collector {
        sonar,
        posture,
        cell_m: sonar.cell_m,
        source: Source::Scatterer,
        handedness: 1.0,
        surface: 0,
        paths: &mut paths,
        ghosts: None,
    };
    direct.scene();
    if sonar.multipath > 0 {
        let ghosts = Ghosts::new(&paths);
        for (out, leg) in ghosts.legs.iter().enumerate() {
            let collector = Collector {
                sonar,
                posture: &leg.image,
                cell_m: COARSE * sonar.cell_m,
                source: Source::CoarseScatterer,
                handedness: if leg.mirrors.len() == 1 { -1.0 } else { 1.0 },
                surface: 0,
                paths: &mut paths,
                ghosts: Some((&ghosts, out)),
            };
            collector.scene();
        }
    }
    volume::collect(&mut paths);
    paths.arrivals
}

/// Divides surfaces into cells, and follows the sound to the scatterer in each.
struct Collector<'a, 'b> {
    sonar: &'a Sonar,
    /// Where the sonar is, or its image in mirrors.
    posture: &'b Posture,
    /// Largest size of a cell.
    cell_m: f64,
    source: Source,
    /// -1 where the axes of the posture are left-handed: cross products in them point the other way.
    handedness: f64,
    /// The surface at hand.
    surface: u32,
    paths: &'b mut Paths<'a>,
    /// The mirrors on the way out.
    ghosts: Option<(&'b Ghosts, usize)>,
}

impl Collector<'_, '_> {
    fn scene(mut self) {
        let scene = self.paths.scene;
        let top_z = scene.top_z(self.posture.water_z);
        for (id, surface) in (0u32..).zip(&scene.surfaces) {
            if self.reaches(id as usize) && (surface.shape.bounds().low.z < top_z || self.sonar.in_air) {
                self.surface = id;
                self.surface(id.into(), surface);
            }
        }
    }

    fn collect(&mut self, scatterer: &Scatterer) {
        match self.ghosts {
            None => self.paths.collect(scatterer),
            Some((ghosts, out)) => ghosts.collect(self.paths, out, scatterer),
        }
    }

    fn surface(&mut self, id: u64, surface: &Surface) {
        let into = |direction: &Vector3<f64>| self.posture.sensor_from_quay * direction;
        let place = |point: &Vector3<f64>| into(&(point - self.posture.origin));
        let cell = self.cell_m;
        match surface.shape {
            Shape::Rectangle {
                corner,
                first,
                second,
                size,
            } => {
                let (first, second) = (into(&first), into(&second));
                let piece = Piece {
                    corner: place(&corner),
                    first,
                    second,
                    size,
                    normal: second.cross(&first) * self.handedness,
                    outline: Outline::Whole,
                };
                self.piece(surface.kind, id, &piece);
            }
            Shape::Cylinder {
                base,
                axis,
                length,
                radius,
            } => {
                if let Some(roughness_m) = surface.kind.glint_roughness_m() {
                    self.glint(&place(&base), &into(&axis), length, radius, roughness_m);
                }
                let one = perpendicular(&axis);
                let axes = [into(&one), into(&axis.cross(&one))];
                let base = place(&base);
                let around = std::f64::consts::TAU * radius;
                let rows = (around / cell.min(CELL_PER_RADIUS * radius)).ceil().max(8.0);
                for number in 0..rows as u64 {
                    let angle = (number as f64 + 0.5) / rows * std::f64::consts::TAU;
                    let normal = axes[0] * angle.cos() + axes[1] * angle.sin();
                    let start = base + normal * radius;
                    if start.dot(&normal) > 0.0 {
                        continue;
                    }
                    self.row(
                        surface.kind,
                        &Row {
                            surface: id,
                            number,
                            start,
                            run: into(&axis),
                            length,
                            cell: [cell, around / rows],
                            curve: Curve::Round { axes, angle, radius },
                        },
                    );
                }
            }
            Shape::Disc {
                centre,
                normal,
                radius,
            } => {
                let one = perpendicular(&normal);
                let axes = [one, normal.cross(&one), normal].map(|axis| into(&axis));
                self.disc(surface.kind, id, place(&centre), axes, radius);
            }
            Shape::Sphere { centre, radius } => self.sphere(surface.kind, id, &place(&centre), radius),
            Shape::Triangle { a, b, c } => {
                self.triangle(surface.kind, id, [a, b, c].map(|corner| place(&corner)));
            }
        }
    }

    /// The mirror-like echo of a slim cylinder: a row of equal scatterers along the line of its mantle
    /// that is nearest to the sonar, close enough to add up as a wave.
    ///
    /// Together they have the target strength a L²/2λ of a cylinder seen from its side (R. Urick,
    /// "Principles of Underwater Sound", McGraw-Hill 1983, table 9.1), less exp(-(2kσ)²) for a mantle of
    /// roughness σ (Kirchhoff's approximation; C. Eckart, J. Acoust. Soc. Am. 25 (1953)).
    fn glint(
        &mut self,
        base: &Vector3<f64>,
        axis: &Vector3<f64>,
        length: f64,
        radius: f64,
        roughness_m: f64,
    ) {
        let wavelength = self.sonar.sound_speed_m_per_s / self.sonar.pulse.centre_hz();
        let to_sonar = -(base - axis * base.dot(axis)).normalize();
        let start = base + to_sonar * radius;
        let Some([from, to]) = lit_part(&start, axis, length, self.sonar.transmit.reach) else {
            return;
        };
        let count = (length / (0.25 * wavelength)).ceil();
        let step = length / count;
        let rough = (-0.5 * (2.0 * std::f64::consts::TAU / wavelength * roughness_m).powi(2)).exp();
        let amplitude = (radius / (2.0 * wavelength)).sqrt() * step * rough;
        for i in (from / step).floor() as u64..((to / step).ceil() as u64).min(count as u64) {
            let point = start + axis * ((i as f64 + 0.5) * step);
            self.collect(&Scatterer {
                surface: self.surface,
                key: u64::from(self.surface) << 40 ^ i,
                point,
                normal: to_sonar,
                law: Law::Any,
                strength: amplitude,
                speckle: Complex::new(1.0, 0.0),
            });
        }
    }

    /// How a cell of this size answers.
    fn law(&self, kind: Kind, area: f64) -> Law {
        self.sonar
            .specular
            .then(|| glints(kind, area))
            .map_or(Law::Lambert, Law::Rough)
    }

    fn row(&mut self, kind: Kind, row: &Row) {
        let height = |u: f64| self.posture.height_of(&(row.start + row.run * u));
        let wet = self.paths.scene.has_water && !self.sonar.in_air;
        if wet && height(0.0).min(height(row.length)) > row.cell[1] {
            return;
        }
        let Some([from, to]) = lit_part(&row.start, &row.run, row.length, self.sonar.transmit.reach) else {
            return;
        };
        let foot = row.start.dot(&row.run);
        let off = (row.start - row.run * foot).norm();
        let Some([near, far]) = cut::within(foot, self.sonar.farthest_m, off, row.cell[0]) else {
            return;
        };
        let (from, to) = (from.max(near), to.min(far));
        let area = row.cell[0] * row.cell[1];
        let strength = (10f64.powf(0.1 * kind.scattering_db()) * area).sqrt();
        let first = (from / row.cell[0]).floor().max(0.0) as u64;
        let end = (to / row.cell[0]).ceil() as u64;
        let law = self.law(kind, area);
        // Two draws per cell: place and strength.
        let dice = Dice::new(self.paths.seed, self.source, row.surface, row.number);
        for cell in first..end {
            let jitter = dice.uniform_pair(2 * cell);
            let u = (cell as f64 + jitter[0]) * row.cell[0];
            if u > row.length {
                continue;
            }
            let v = (jitter[1] - 0.5) * row.cell[1];
            let (mut point, normal) = row.at(u, v);
            if !row.holds(&point) {
                continue;
            }
            if let Some(growth) = self.sonar.growth.as_ref().filter(|_| Growth::covers(kind)) {
                point += normal * growth.thickness_m(&self.posture.in_quay(&point));
            }
            let [re, im] = dice
                .normal_pair(2 * cell + 1)
                .map(|value| value * std::f32::consts::FRAC_1_SQRT_2);
            self.collect(&Scatterer {
                surface: self.surface,
                key: row.surface << 40 ^ row.number << 20 ^ cell,
                point,
                normal,
                law,
                strength,
                speckle: Complex::new(re, im),
            });
        }
    }
}

impl Row {
    /// Place and normal `u` along the row and `v` across it.
    fn at(&self, u: f64, v: f64) -> (Vector3<f64>, Vector3<f64>) {
        let on_line = self.start + self.run * u;
        match self.curve {
            Curve::Flat { across, normal, .. } => (on_line + across * v, normal),
            Curve::Round { axes, angle, radius } => {
                let outwards = |angle: f64| axes[0] * angle.cos() + axes[1] * angle.sin();
                let normal = outwards(angle + v / radius);
                (on_line + (normal - outwards(angle)) * radius, normal)
            }
        }
    }
}

/// The part of a line `start + u run`, 0 ≤ u ≤ `length`, where |x| ≤ `reach` times the distance: the
/// line's part between two cones around the x axis. May be longer than needed, never shorter.
fn lit_part(start: &Vector3<f64>, run: &Vector3<f64>, length: f64, reach: f64) -> Option<[f64; 2]> {
    /// Cells are jittered, so the edge is a little wider.
    const SLACK: f64 = 1.1;
    let limit = (SLACK * reach).min(1.0).powi(2);
    let a = run.x * run.x - limit;
    let b = start.x * run.x - limit * start.dot(run);
    let c = start.x * start.x - limit * start.norm_squared();
    let value = |u: f64| (a * u + 2.0 * b) * u + c;
    if a <= 0.0 {
        // Concave: lit somewhere only if lit at an end.
        return (value(0.0) <= 0.0 || value(length) <= 0.0).then_some([0.0, length]);
    }
    let discriminant = b * b - a * c;
    if discriminant < 0.0 {
        return None;
    }
    let root = discriminant.sqrt();
    let (from, to) = (((-b - root) / a).max(0.0), ((-b + root) / a).min(length));
    (from < to).then_some([from, to])
}

/// The glints of a rough face of a kind and an area.
fn glints(kind: Kind, area_m2: f64) -> Lobe {
    let (reflected, slope) = mirror::glints(kind);
    Lobe {
        strength: reflected * area_m2.sqrt(),
        slope,
    }
}
