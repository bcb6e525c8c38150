//! Rays and points against hits worked out by hand.

use super::*;

fn floor() -> Shape {
    Shape::Rectangle {
        corner: Vector3::new(-1.0, -2.0, -5.0),
        first: Vector3::y(),
        second: Vector3::x(),
        size: [4.0, 2.0],
    }
}

fn mast() -> Shape {
    Shape::Cylinder {
        base: Vector3::new(3.0, 0.0, 0.0),
        axis: Vector3::z(),
        length: 2.0,
        radius: 0.5,
    }
}

fn lid() -> Shape {
    Shape::Disc {
        centre: Vector3::new(3.0, 0.0, 2.0),
        normal: Vector3::z(),
        radius: 0.5,
    }
}

fn ball() -> Shape {
    Shape::Sphere {
        centre: Vector3::new(0.0, 6.0, 0.0),
        radius: 2.0,
    }
}

/// In the plane x + y + z = 3, looking away from the origin.
fn facet() -> Shape {
    Shape::Triangle {
        a: Vector3::new(3.0, 0.0, 0.0),
        b: Vector3::new(0.0, 3.0, 0.0),
        c: Vector3::new(0.0, 0.0, 3.0),
    }
}

fn all() -> [Shape; 5] {
    [floor(), mast(), lid(), ball(), facet()]
}

#[test]
fn a_ray_straight_down_meets_the_floor() {
    let hit = floor()
        .hit(&Vector3::zeros(), &-Vector3::z(), 0.0, 100.0)
        .unwrap();
    assert_eq!(hit.distance, 5.0);
    assert_eq!(hit.normal, Vector3::z());
    assert!(
        floor()
            .hit(&Vector3::new(1.1, 0.0, 0.0), &-Vector3::z(), 0.0, 100.0)
            .is_none()
    );
    assert!(floor().hit(&Vector3::zeros(), &-Vector3::z(), 0.0, 4.9).is_none());
}

#[test]
fn a_ray_meets_the_near_side_of_the_mast() {
    let origin = Vector3::new(0.0, 0.0, 1.0);
    let hit = mast().hit(&origin, &Vector3::x(), 0.0, 100.0).unwrap();
    assert!((hit.distance - 2.5).abs() < 1e-12 && (hit.normal + Vector3::x()).norm() < 1e-12);
    let above = Vector3::new(0.0, 0.0, 2.1);
    assert!(mast().hit(&above, &Vector3::x(), 0.0, 100.0).is_none());
}

#[test]
fn a_ray_meets_the_lid_within_its_radius() {
    let down = |x: f64| lid().hit(&Vector3::new(x, 0.3, 5.0), &-Vector3::z(), 0.0, 100.0);
    let hit = down(3.39).unwrap();
    assert!(hit.distance == 3.0 && hit.normal == Vector3::z());
    assert_eq!(down(3.41), None);
}

#[test]
fn a_ray_meets_the_near_side_of_the_ball() {
    let hit = ball()
        .hit(&Vector3::zeros(), &(Vector3::y() * 2.0), 0.0, 100.0)
        .unwrap();
    assert_eq!(hit.distance, 2.0);
    assert_eq!(hit.normal, -Vector3::y());
    // From inside the far side; 3-4-5: at 1.2 aside the half chord is 1.6.
    let inside = ball()
        .hit(&Vector3::new(1.2, 6.0, 0.0), &Vector3::y(), 0.0, 100.0)
        .unwrap();
    assert!((inside.distance - 1.6).abs() < 1e-12);
    assert_eq!(ball().hit(&Vector3::zeros(), &Vector3::x(), 0.0, 100.0), None);
}

#[test]
fn a_ray_along_the_diagonal_meets_the_facet() {
    let hit = facet()
        .hit(&Vector3::zeros(), &Vector3::repeat(1.0), 0.0, 100.0)
        .unwrap();
    assert!((hit.distance - 1.0).abs() < 1e-12);
    assert!((hit.normal - Vector3::repeat(1.0).normalize()).norm() < 1e-12);
    assert_eq!(facet().hit(&Vector3::zeros(), &-Vector3::x(), 0.0, 100.0), None);
}

#[test]
fn the_nearest_point_is_clamped_to_the_shape() {
    let near = floor().nearest(&Vector3::new(9.0, 0.0, -4.0));
    assert_eq!(near, Vector3::new(1.0, 0.0, -5.0));
    let near = mast().nearest(&Vector3::new(3.0, 4.0, 5.0));
    assert!((near - Vector3::new(3.0, 0.5, 2.0)).norm() < 1e-12);
    let near = lid().nearest(&Vector3::new(3.0, 4.0, 5.0));
    assert!((near - Vector3::new(3.0, 0.5, 2.0)).norm() < 1e-12);
    let near = lid().nearest(&Vector3::new(3.2, 0.1, 5.0));
    assert!((near - Vector3::new(3.2, 0.1, 2.0)).norm() < 1e-12);
    assert_eq!(ball().nearest(&Vector3::zeros()), Vector3::new(0.0, 4.0, 0.0));
    let near = facet().nearest(&Vector3::repeat(5.0));
    assert!((near - Vector3::repeat(1.0)).norm() < 1e-12);
    assert_eq!(
        facet().nearest(&Vector3::new(9.0, 0.0, 0.0)),
        Vector3::new(3.0, 0.0, 0.0)
    );
}

#[test]
fn bounds_hold_every_nearest_point() {
    for shape in all() {
        let bounds = shape.bounds();
        for i in 0..50 {
            let t = f64::from(i);
            let point = Vector3::new(5.0 * t.sin(), 5.0 * (1.7 * t).cos(), 4.0 * (0.3 * t).sin());
            assert!(bounds.distance_squared(&shape.nearest(&point)) < 1e-18);
            let (middle, radius) = bounds.ball();
            assert!((shape.nearest(&point) - middle).norm() <= radius + 1e-12);
        }
    }
}

/// A ray towards the nearest point arrives there, and straight on the surface.
#[test]
fn rays_and_nearest_points_agree() {
    for shape in all() {
        for i in 0..50 {
            let t = f64::from(i);
            let point = Vector3::new(7.0 * t.sin(), 9.0 * (1.7 * t).cos(), 6.0 * (0.3 * t).sin());
            let near = shape.nearest(&point);
            let way = near - point;
            if let Some(hit) = shape.hit(&point, &way, 0.0, 1.0 + 1e-9) {
                let there = point + way * hit.distance;
                assert!((there - near).norm() < 1e-6, "{shape:?} {point}");
                assert!((hit.normal.norm() - 1.0).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn unsound_shapes_are_told() {
    for shape in all() {
        assert!(shape.is_sound(), "{shape:?}");
        let text = serde_json::to_string(&shape).unwrap();
        assert_eq!(serde_json::from_str::<Shape>(&text).unwrap(), shape);
    }
    let flat = Shape::Triangle {
        a: Vector3::zeros(),
        b: Vector3::x(),
        c: Vector3::x() * 2.0,
    };
    let nowhere = Shape::Sphere {
        centre: Vector3::new(f64::NAN, 0.0, 0.0),
        radius: 1.0,
    };
    let empty = Shape::Disc {
        centre: Vector3::zeros(),
        normal: Vector3::z(),
        radius: 0.0,
    };
    let skew = Shape::Disc {
        centre: Vector3::zeros(),
        normal: Vector3::z() * 2.0,
        radius: 1.0,
    };
    assert!([flat, nowhere, empty, skew].iter().all(|shape| !shape.is_sound()));
}
