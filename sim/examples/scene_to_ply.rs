//! Points sampled evenly on all surfaces of a scene, as an ASCII PLY file with a colour per kind.
//!
//! `cargo run -p beluga-sim --example scene_to_ply -- s3 scene.ply [POINTS_PER_M2]`

// An example talks to people.
#![allow(clippy::print_stdout)]

use std::f64::consts::TAU;
use std::fmt::Write as _;

use beluga_sim::{Kind, Scenario, Shape, World};
use nalgebra::Vector3;

/// Points on each square metre unless told.
const DENSITY: f64 = 40.0;
/// At most so many points on one surface.
const MOST: f64 = 200_000.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(scene), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: scene_to_ply SCENE OUT.ply [POINTS_PER_M2]".into());
    };
    let density = arguments.next().map_or(Ok(DENSITY), |text| text.parse())?;
    let truth = World::new(Scenario::find(&scene)?)?.truth();
    let mut points = String::new();
    let mut count = 0u64;
    for surface in truth.scene.surfaces() {
        let [r, g, b] = colour(surface.kind);
        for [x, y, z] in sampled(&surface.shape, density) {
            writeln!(points, "{x:.3} {y:.3} {z:.3} {r} {g} {b}")?;
            count += 1;
        }
    }
    let header = format!(
        "ply\nformat ascii 1.0\ncomment {scene}\nelement vertex {count}\nproperty float x\nproperty float y\n\
         property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
    );
    std::fs::write(&out, header + &points)?;
    println!(
        "{out}: {count} points on {} surfaces, {} objects",
        truth.scene.surfaces().len(),
        truth.scene.objects().len()
    );
    Ok(())
}

fn colour(kind: Kind) -> [u8; 3] {
    match kind {
        Kind::Bed => [194, 170, 120],
        Kind::Bollard => [40, 40, 40],
        Kind::Chain => [90, 60, 40],
        Kind::Container => [40, 110, 170],
        Kind::Fender => [20, 20, 20],
        Kind::Frame => [120, 120, 130],
        Kind::Glass => [150, 220, 230],
        Kind::Hull => [160, 30, 30],
        Kind::Object => [255, 120, 0],
        Kind::Panel => [220, 220, 210],
        Kind::Pier => [130, 130, 120],
        Kind::Pile => [110, 70, 40],
        Kind::Rung => [200, 200, 0],
        Kind::Sheet => [90, 100, 80],
        Kind::Side => [170, 170, 170],
        Kind::Tunnel => [150, 140, 130],
        Kind::Wall => [150, 150, 150],
    }
}

/// The R2 sequence of M. Roberts, "The unreasonable effectiveness of quasirandom sequences" (2018): pairs
/// spread evenly over the unit square.
fn spread(count: u64) -> impl Iterator<Item = [f64; 2]> {
    const STEP: [f64; 2] = [0.754_877_666_246_692_8, 0.569_840_290_998_053_3];
    (0..count).map(|i| STEP.map(|step| (0.5 + step * i as f64).fract()))
}

fn sampled(shape: &Shape, density: f64) -> Vec<[f64; 3]> {
    let count = |area: f64| (area * density).ceil().clamp(4.0, MOST) as u64;
    let place = |point: Vector3<f64>| [point.x, point.y, point.z];
    match *shape {
        Shape::Rectangle {
            corner,
            first,
            second,
            size,
        } => spread(count(size[0] * size[1]))
            .map(|[u, v]| place(corner + first * (u * size[0]) + second * (v * size[1])))
            .collect(),
        Shape::Cylinder {
            base,
            axis,
            length,
            radius,
        } => {
            let [one, two] = across(&axis);
            spread(count(TAU * radius * length))
                .map(|[u, v]| {
                    let (sin, cos) = (TAU * u).sin_cos();
                    place(base + (one * cos + two * sin) * radius + axis * (v * length))
                })
                .collect()
        }
        Shape::Disc {
            centre,
            normal,
            radius,
        } => {
            let [one, two] = across(&normal);
            spread(count(0.5 * TAU * radius * radius))
                .map(|[u, v]| {
                    let (sin, cos) = (TAU * u).sin_cos();
                    place(centre + (one * cos + two * sin) * (radius * v.sqrt()))
                })
                .collect()
        }
        Shape::Sphere { centre, radius } => spread(count(2.0 * TAU * radius * radius))
            .map(|[u, v]| {
                let (sin, cos) = (TAU * u).sin_cos();
                let height = 2.0 * v - 1.0;
                let flat = (1.0 - height * height).sqrt();
                place(centre + Vector3::new(flat * cos, flat * sin, height) * radius)
            })
            .collect(),
        Shape::Triangle { a, b, c } => {
            let area = 0.5 * (b - a).cross(&(c - a)).norm();
            spread(count(area))
                .map(|[u, v]| {
                    let [u, v] = if u + v > 1.0 { [1.0 - u, 1.0 - v] } else { [u, v] };
                    place(a + (b - a) * u + (c - a) * v)
                })
                .collect()
        }
    }
}

/// Two unit vectors across an axis and each other.
fn across(axis: &Vector3<f64>) -> [Vector3<f64>; 2] {
    let other = if axis.x.abs() < 0.9 {
        Vector3::x()
    } else {
        Vector3::y()
    };
    let one = axis.cross(&other).normalize();
    [one, axis.cross(&one)]
}
