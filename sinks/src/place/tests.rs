use super::*;
use beluga_types::elementary::Squared;

/// Values of PROJ 9.5.1 (`+proj=utm`, by pyproj 3.7.2), to a hundredth of a millimetre.
#[test]
fn places_project_as_proj_projects_them() {
    for (epsg, latitude_deg, longitude_deg, easting, northing) in [
        (32_633, 54.17, 12.1, 310_707.073_73, 6_006_321.538_91),
        (32_633, 54.17, 17.1, 637_082.942_77, 6_004_473.363_80),
        (25_832, 53.5438, 9.9661, 564_016.882_61, 5_933_200.687_91),
        (32_756, -33.8568, 151.2153, 334_900.569_65, 6_252_288.752_89),
        (32_601, 0.0, -179.5, 221_723.683_17, 0.0),
        (25_833, 69.65, 18.96, 653_597.494_95, 7_731_821.942_85),
        (32_760, -78.5, 178.0, 522_255.269_81, 1_285_638.841_48),
    ] {
        let origin = Origin {
            anchor: Geodetic::from_degrees(latitude_deg, longitude_deg, 37.5),
            epsg: Some(epsg),
            vertical_datum: None,
        };
        let found = Placement::of(Some(&origin)).unwrap().place(&Point::origin());
        let expected = [easting, northing, 37.5];
        for axis in 0..3 {
            let error = (found[axis] - expected[axis]).abs();
            assert!(error < 5e-5, "EPSG:{epsg} axis {axis}: {error} m");
        }
    }
}

/// A point 3 km north of the anchor and at its level lies above the ellipsoid by north²/2R.
#[test]
fn the_earth_curves_away_under_world() {
    let origin = Origin {
        anchor: Geodetic::from_degrees(54.17, 15.0, 0.0),
        epsg: Some(32_633),
        vertical_datum: None,
    };
    let placement = Placement::of(Some(&origin)).unwrap();
    let [_, north_before, _] = placement.place(&Point::origin());
    let [east, north, height] = placement.place(&Point::new(0.0, 3000.0, 0.0));
    assert!((east - 500_000.0).abs() < 1e-6, "{east}");
    assert!((north - north_before - 3000.0 * 0.9996).abs() < 2e-3);
    assert!(
        (height - 3000.0f64.squared() / (2.0 * 6.385e6)).abs() < 2e-3,
        "{height}"
    );
}

#[test]
fn what_cannot_be_projected_is_refused_by_name() {
    let at = |epsg, longitude_deg| {
        Placement::of(Some(&Origin {
            anchor: Geodetic::from_degrees(54.0, longitude_deg, 0.0),
            epsg,
            vertical_datum: None,
        }))
    };
    assert_eq!(at(Some(31_467), 9.0), Err(Error::Unknown { epsg: 31_467 }));
    assert!(matches!(
        at(Some(32_633), 40.0),
        Err(Error::OutsideZone { epsg: 32_633, .. })
    ));
    assert!(at(Some(32_601), 179.9).is_ok(), "across the date line");
    let world = at(None, 9.0).unwrap();
    assert_eq!((world.wkt(), world.columns()[0]), (None, "east_m"));
    assert_eq!(world, Placement::of(None).unwrap());
    let wkt = at(Some(25_833), 12.0).unwrap();
    let wkt = wkt.wkt().unwrap();
    assert!(wkt.ends_with(r#"AUTHORITY["EPSG","25833"]]"#) && wkt.contains(r#""central_meridian",15]"#));
    assert_eq!(wkt.matches('[').count(), wkt.matches(']').count());
}
