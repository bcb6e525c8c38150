//! From a scenario to its scene.

use std::f64::consts::FRAC_PI_2;

use beluga_types::Transform;
use nalgebra::{UnitQuaternion, Vector3};

use super::builder::{Builder, Stand};
use super::fittings::Carrier;
use super::ground::Ground;
use super::relief::Face;
use super::{Kind, Parts, Scene, Shape, WallPlane, enclosure, hull, object, pier, solid};
use crate::error::Error;
use crate::scenario::{RoomScenario, Scenario, TankScenario, TunnelScenario};

/// A wall goes on this far before and behind the vessel's path.
const MARGIN_M: f64 = 40.0;
/// A flat bed reaches this far from the quay's wall.
const BED_REACH_M: f64 = 60.0;
/// How deep a quay's flat top is.
const DECK_M: f64 = 6.0;
/// A bed goes on this far behind what stands on it.
const BEHIND_M: f64 = 0.2;

/// The scene of a scenario; the vessel's path lies above x from 0 to `path_m`.
///
/// # Errors
/// [`Error::Site`] if something cannot be as it is described.
pub(crate) fn build(scenario: &Scenario, path_m: f64) -> Result<Scene, Error> {
    let site = &scenario.site;
    let mut builder = Builder::default();
    let plan = Plan {
        scenario,
        path_m,
        span: site.span_m.unwrap_or([-MARGIN_M, path_m + MARGIN_M]),
    };
    let (carrier, ground) = if let Some(tank) = &site.tank {
        plan.tank(&mut builder, tank)?
    } else if let Some(tunnel) = &site.tunnel {
        plan.tunnel(&mut builder, tunnel)?
    } else if let Some(room) = &site.room {
        plan.room(&mut builder, room)?
    } else {
        plan.quay(&mut builder)?
    };
    plan.furnish(&mut builder, &carrier, &ground);
    for solid in &scenario.solid {
        solid::add(&mut builder, solid)?;
    }
    for object in &scenario.object {
        object::add(&mut builder, object, &carrier.wall, &|x, y| ground.z(x, y));
    }
    if let Some(surface) = builder.surfaces.iter().find(|surface| !surface.shape.is_sound()) {
        return Err(Error::Site {
            part: "site".to_owned(),
            problem: format!("a surface without size: {surface:?}"),
        });
    }
    // From the quay's x axis (heading from north, clockwise) to east-north-up.
    let turn = FRAC_PI_2 - scenario.quay.heading_deg.to_radians();
    Ok(Scene::new(Parts {
        surfaces: builder.surfaces,
        rungs: builder.rungs,
        objects: builder.objects,
        wall: carrier.wall,
        world_from_quay: Transform::new(
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), turn),
            Vector3::zeros(),
        ),
        has_water: site.waterline,
    }))
}

/// Where everything goes.
struct Plan<'a> {
    scenario: &'a Scenario,
    path_m: f64,
    /// From where to where wall and bed reach along the course.
    span: [f64; 2],
}

impl Plan<'_> {
    fn ground(&self, foot: [f64; 2], fall: f64) -> Ground {
        let site = &self.scenario.site;
        Ground::new(self.scenario.seed, &site.bed, foot, fall, &site.piers)
    }

    fn quay(&self, builder: &mut Builder) -> Result<(Carrier, Ground), Error> {
        let (quay, site) = (&self.scenario.quay, &self.scenario.site);
        let (sin, cos) = quay.batter_deg.to_radians().sin_cos();
        let wall = WallPlane {
            origin: Vector3::new(0.0, -quay.distance_m, 0.0),
            up: Vector3::new(0.0, -sin, cos),
            normal: Vector3::new(0.0, cos, sin),
        };
        let carrier = Carrier {
            wall,
            top: quay.top_m / cos,
            toe: -quay.toe_m / cos,
        };
        let slope = quay.bed_slope_deg.to_radians();
        let foot = wall.point(self.span[0], carrier.toe, 0.0);
        let ground = self.ground([foot.y, foot.z], slope.tan());
        let face = Face {
            wall: &wall,
            span: self.span,
            foot: carrier.toe - ground.under() / cos,
            top: carrier.top,
        };
        face.build(builder, site)?;
        // The bed goes on under what is set back.
        let deepest = site.relief.iter().map(|relief| -relief.off_m);
        let deepest = deepest
            .chain(site.sheet.iter().map(|sheet| sheet.depth_m))
            .fold(0.0, f64::max);
        if ground.is_flat() {
            let first = Vector3::new(0.0, slope.cos(), -slope.sin());
            let behind = if deepest > 0.0 { deepest + BEHIND_M } else { 0.0 };
            let bed = Shape::Rectangle {
                corner: foot - first * behind,
                first,
                second: Vector3::x(),
                size: [BED_REACH_M + behind, self.span[1] - self.span[0]],
            };
            builder.push(Kind::Bed, bed);
        } else {
            let behind = foot.y - deepest - BEHIND_M - ground.under() * sin;
            ground.build(builder, self.span, [behind, foot.y + site.bed.reach_m])?;
        }
        if site.modules {
            carrier.modules(builder, self.path_m, MARGIN_M);
        }
        if site.deck {
            let length = self.span[1] - self.span[0];
            let edge = wall.point(self.span[0], carrier.top, 0.0);
            builder.rectangle(Kind::Side, edge, Vector3::x() * length, -Vector3::y() * DECK_M);
        }
        Ok((carrier, ground))
    }

    /// A place with an upright wall at starboard.
    fn carrier(side: f64, toe: f64, top: f64) -> Carrier {
        Carrier {
            wall: WallPlane {
                origin: Vector3::new(0.0, -side, 0.0),
                up: Vector3::z(),
                normal: Vector3::y(),
            },
            toe,
            top,
        }
    }

    fn tank(&self, builder: &mut Builder, tank: &TankScenario) -> Result<(Carrier, Ground), Error> {
        let (half, side) = (0.5 * tank.length_m, 0.5 * tank.width_m);
        let ground = self.ground([-side, -tank.depth_m], 0.0);
        let middle = 0.5 * self.path_m;
        enclosure::tank(builder, tank, middle, -tank.depth_m - ground.under());
        ground.build(builder, [middle - half, middle + half], [-side, side])?;
        Ok((Self::carrier(side, -tank.depth_m, tank.freeboard_m), ground))
    }

    fn tunnel(&self, builder: &mut Builder, tunnel: &TunnelScenario) -> Result<(Carrier, Ground), Error> {
        let side = 0.5 * tunnel.width_m;
        let ground = self.ground([-side, -tunnel.depth_m], 0.0);
        enclosure::tunnel(builder, tunnel, self.span, -tunnel.depth_m - ground.under());
        ground.build(builder, self.span, [-side, side])?;
        Ok((Self::carrier(side, -tunnel.depth_m, tunnel.sides_m), ground))
    }

    fn room(&self, builder: &mut Builder, room: &RoomScenario) -> Result<(Carrier, Ground), Error> {
        let (half, side) = (0.5 * room.length_m, 0.5 * room.width_m);
        let ground = self.ground([-side, room.floor_m], 0.0);
        let middle = 0.5 * self.path_m;
        enclosure::room(builder, room, middle);
        ground.build(builder, [middle - half, middle + half], [-side, side])?;
        Ok((Self::carrier(side, room.floor_m, room.ceiling_m), ground))
    }

    /// What stands at the wall and in the water.
    fn furnish(&self, builder: &mut Builder, carrier: &Carrier, ground: &Ground) {
        let site = &self.scenario.site;
        let ladders = builder.rungs.last().map_or(0, |rung| rung.ladder + 1);
        let places = site.ladders.iter().flat_map(|ladders| &ladders.at_m);
        for (ladder, &x) in (ladders..).zip(places) {
            carrier.ladder(builder, ladder, x);
        }
        for piles in &site.piles {
            carrier.piles(builder, piles, ground);
        }
        for fenders in &site.fenders {
            carrier.fenders(builder, fenders);
        }
        for bollards in &site.bollards {
            carrier.bollards(builder, bollards);
        }
        for chains in &site.chains {
            carrier.chains(builder, chains);
        }
        for entry in &site.piers {
            let [x, y] = entry.place_m;
            pier::add(builder, entry, ground.z(x, y) - ground.under());
        }
        for entry in &site.hulls {
            let [x, y] = entry.place_m;
            let stand = Stand::upright(Vector3::new(x, y, 0.0), entry.turn_deg);
            builder.mesh(Kind::Hull, &stand, &hull::mesh(entry));
        }
    }
}
