//! Places around the path that are no quay: tank, tunnel, room. Every face looks inwards.

use std::f64::consts::PI;

use nalgebra::Vector3;

use super::Kind;
use super::builder::{Builder, Stand};
use crate::scenario::{RoomScenario, TankScenario, TunnelScenario};

/// Flat strips of a tunnel's arch.
const ARCH_STRIPS: u32 = 24;

/// An upright rectangle; it looks to the left of the way from the first place to the second, seen
/// from above.
fn upright(builder: &mut Builder, kind: Kind, from: [f64; 2], to: [f64; 2], low: f64, high: f64) {
    let corner = Vector3::new(from[0], from[1], low);
    let along = Vector3::new(to[0], to[1], low) - corner;
    builder.rectangle(kind, corner, along, Vector3::z() * (high - low));
}

/// The four walls of a tank, the one at starboard first.
pub(super) fn tank(builder: &mut Builder, tank: &TankScenario, middle: f64, floor: f64) {
    let (half, side) = (0.5 * tank.length_m, 0.5 * tank.width_m);
    let [aft, ahead] = [middle - half, middle + half];
    let ring = [[aft, -side], [ahead, -side], [ahead, side], [aft, side]];
    for i in 0..4 {
        let kind = if i == 0 { Kind::Wall } else { Kind::Side };
        upright(builder, kind, ring[i], ring[(i + 1) % 4], floor, tank.freeboard_m);
    }
}

/// The sides of a tunnel, the one at starboard first, and its arch.
pub(super) fn tunnel(builder: &mut Builder, tunnel: &TunnelScenario, span: [f64; 2], floor: f64) {
    let side = 0.5 * tunnel.width_m;
    let [aft, ahead] = span;
    upright(
        builder,
        Kind::Wall,
        [aft, -side],
        [ahead, -side],
        floor,
        tunnel.sides_m,
    );
    upright(
        builder,
        Kind::Tunnel,
        [ahead, side],
        [aft, side],
        floor,
        tunnel.sides_m,
    );
    let along = Vector3::x() * (ahead - aft);
    let on_arch = |i: u32| {
        let (sin, cos) = (PI * f64::from(i) / f64::from(ARCH_STRIPS)).sin_cos();
        Vector3::new(aft, -side * cos, tunnel.sides_m + tunnel.arch_m * sin)
    };
    for i in 0..ARCH_STRIPS {
        let corner = on_arch(i);
        builder.rectangle(Kind::Tunnel, corner, along, on_arch(i + 1) - corner);
    }
}

/// A room's glass sides in their frames, its ends and its ceiling.
pub(super) fn room(builder: &mut Builder, room: &RoomScenario, middle: f64) {
    let (half, side) = (0.5 * room.length_m, 0.5 * room.width_m);
    let [aft, ahead] = [middle - half, middle + half];
    let (low, high) = (room.floor_m, room.ceiling_m);
    let panes = (room.length_m / room.pane_m).round().max(1.0) as u32;
    let at = |pane: u32| aft + room.length_m * f64::from(pane) / f64::from(panes);
    for pane in 0..panes {
        upright(
            builder,
            Kind::Glass,
            [at(pane), -side],
            [at(pane + 1), -side],
            low,
            high,
        );
    }
    for pane in (0..panes).rev() {
        upright(
            builder,
            Kind::Glass,
            [at(pane + 1), side],
            [at(pane), side],
            low,
            high,
        );
    }
    upright(builder, Kind::Panel, [ahead, -side], [ahead, side], low, high);
    upright(builder, Kind::Panel, [aft, side], [aft, -side], low, high);
    let corner = Vector3::new(aft, -side, high);
    let (length, width) = (Vector3::x() * room.length_m, Vector3::y() * room.width_m);
    builder.rectangle(Kind::Panel, corner, length, width);
    for wall in [-side, side] {
        frames(builder, room, wall, &(0..=panes).map(at).collect::<Vec<f64>>());
    }
}

/// Posts between the panes of one side, and a rail half-way up.
fn frames(builder: &mut Builder, room: &RoomScenario, y: f64, posts: &[f64]) {
    let (bar, height) = (room.frame_m, room.ceiling_m - room.floor_m);
    let middle = 0.5 * (room.ceiling_m + room.floor_m);
    for &x in posts {
        let stand = Stand::upright(Vector3::new(x, y, middle), 0.0);
        builder.boxed(Kind::Frame, &stand, [bar, bar, height]);
    }
    let (first, last) = (posts[0], posts[posts.len() - 1]);
    let stand = Stand::upright(Vector3::new(0.5 * (first + last), y, middle), 0.0);
    builder.boxed(Kind::Frame, &stand, [last - first, bar, bar]);
}
