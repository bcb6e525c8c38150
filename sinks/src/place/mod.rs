//! Where exports put a point: in `World`, or projected into the system the rig names.
//!
//! A point is projected by itself, through Earth-centred axes, so the Earth's curvature is in it.
//! The rig's anchor is taken to be given in the datum of its EPSG code: no datum is shifted.
//! Heights stay ellipsoidal; a vertical datum needs a geoid, which nobody ships here.

mod mercator;

use beluga_types::{Ecef, Geodetic, Origin, Point, Transform, World};

use mercator::TransverseMercator;

/// An origin farther from the central meridian than this does not belong into its zone, in degrees.
const FARTHEST_DEG: f64 = 10.0;

/// Why points cannot be projected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The rig's origin lies elsewhere.
    #[error(
        "the origin lies {found_deg:.1} degrees from the central meridian of EPSG:{epsg}, expected at most {FARTHEST_DEG}"
    )]
    OutsideZone {
        /// The system asked for.
        epsg: u32,
        /// Distance in longitude found.
        found_deg: f64,
    },
    /// A system that is not known here.
    #[error(
        "EPSG:{epsg} is not known: expected UTM on WGS 84 (32601 to 32660, 32701 to 32760) or on ETRS89 (25828 to 25838)"
    )]
    Unknown {
        /// The system asked for.
        epsg: u32,
    },
}

/// Takes points of `World` to the coordinates of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    projected: Option<Projected>,
}

#[derive(Clone, Debug, PartialEq)]
struct Projected {
    ecef_from_world: Transform<Ecef, World>,
    projection: TransverseMercator,
    name: String,
    wkt: String,
}

impl Placement {
    /// `World` as it is: local east, north, up, in metres.
    pub fn world() -> Self {
        Self { projected: None }
    }

    /// Into the system the origin names; `World` as it is where it names none.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::OutsideZone`].
    pub fn of(origin: Option<&Origin>) -> Result<Self, Error> {
        let Some((origin, epsg)) = origin.and_then(|origin| Some((origin, origin.epsg?))) else {
            return Ok(Self::world());
        };
        let system = System::of(epsg).ok_or(Error::Unknown { epsg })?;
        let projection = TransverseMercator::utm(system.zone, system.is_south, system.datum.flattening());
        let away = (origin.anchor.longitude_rad - projection.central_meridian_rad()).to_degrees();
        let found_deg = ((away + 180.0).rem_euclid(360.0) - 180.0).abs();
        if found_deg.is_nan() || found_deg > FARTHEST_DEG {
            return Err(Error::OutsideZone { epsg, found_deg });
        }
        Ok(Self {
            projected: Some(Projected {
                ecef_from_world: origin.ecef_from_world(),
                projection,
                name: system.name(),
                wkt: system.wkt(),
            }),
        })
    }

    /// The coordinates of a point, in metres: east, north, up in `World`, or easting, northing,
    /// height above the ellipsoid.
    pub fn place(&self, point: &Point<World>) -> [f64; 3] {
        let Some(projected) = &self.projected else {
            return point.vector().into();
        };
        let place = Geodetic::from_ecef(&(projected.ecef_from_world * *point));
        let [easting, northing] = projected
            .projection
            .project(place.latitude_rad, place.longitude_rad);
        [easting, northing, place.height_m]
    }

    /// The system as WKT 1 (OGC 01-009, "Coordinate Transformation Services"); nothing for `World`.
    pub fn wkt(&self) -> Option<&str> {
        self.projected.as_ref().map(|projected| projected.wkt.as_str())
    }

    /// What the coordinates are, for people.
    pub fn name(&self) -> &str {
        self.projected
            .as_ref()
            .map_or("World: local east, north, up", |projected| &projected.name)
    }

    /// Names of the three coordinates, each with its unit.
    pub fn columns(&self) -> [&'static str; 3] {
        match &self.projected {
            Some(_) => ["easting_m", "northing_m", "height_m"],
            None => ["east_m", "north_m", "up_m"],
        }
    }
}

/// A UTM zone on a datum.
struct System {
    epsg: u32,
    datum: Datum,
    zone: u32,
    is_south: bool,
}

#[derive(Clone, Copy)]
enum Datum {
    Wgs84,
    Etrs89,
}

impl Datum {
    fn flattening(self) -> f64 {
        match self {
            Datum::Wgs84 => 1.0 / 298.257_223_563,
            Datum::Etrs89 => 1.0 / 298.257_222_101,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Datum::Wgs84 => "WGS 84",
            Datum::Etrs89 => "ETRS89",
        }
    }

    fn geographic_wkt(self) -> &'static str {
        match self {
            Datum::Wgs84 => concat!(
                r#"GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],"#,
                r#"AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],"#,
                r#"UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]"#
            ),
            Datum::Etrs89 => concat!(
                r#"GEOGCS["ETRS89",DATUM["European_Terrestrial_Reference_System_1989","#,
                r#"SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]],AUTHORITY["EPSG","6258"]],"#,
                r#"PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],"#,
                r#"UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4258"]]"#
            ),
        }
    }
}

impl System {
    /// Codes of the EPSG register.
    fn of(epsg: u32) -> Option<Self> {
        let (datum, zone, is_south) = match epsg {
            32_601..=32_660 => (Datum::Wgs84, epsg - 32_600, false),
            32_701..=32_760 => (Datum::Wgs84, epsg - 32_700, true),
            25_828..=25_838 => (Datum::Etrs89, epsg - 25_800, false),
            _ => return None,
        };
        Some(Self {
            epsg,
            datum,
            zone,
            is_south,
        })
    }

    fn name(&self) -> String {
        let half = if self.is_south { 'S' } else { 'N' };
        format!("{} / UTM zone {}{half}", self.datum.name(), self.zone)
    }

    fn wkt(&self) -> String {
        let geographic = self.datum.geographic_wkt();
        let meridian = 6 * i64::from(self.zone) - 183;
        let northing = if self.is_south { 10_000_000 } else { 0 };
        format!(
            concat!(
                r#"PROJCS["{}",{},PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],"#,
                r#"PARAMETER["central_meridian",{}],PARAMETER["scale_factor",0.9996],"#,
                r#"PARAMETER["false_easting",500000],PARAMETER["false_northing",{}],"#,
                r#"UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","{}"]]"#
            ),
            self.name(),
            geographic,
            meridian,
            northing,
            self.epsg
        )
    }
}

#[cfg(test)]
mod tests;
