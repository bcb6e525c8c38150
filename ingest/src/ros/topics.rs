//! Which topics of a bag play, and as what.

use std::collections::BTreeSet;
use std::path::Path;

use beluga_types::{Geodetic, Rig, SensorKind, SensorSpec, Vessel, Water};

use super::nav::{self, Fix};
use super::packets::{self, Packets};
use super::{Bag, Topic, header, mounts};
use crate::error::Error;

/// Topics that are named where nothing plays.
const MAX_NAMED: usize = 20;

/// What the messages of a topic are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Cloud,
    Packets(Packets),
    Odometry,
    NavSat,
    Imu,
}

impl Kind {
    /// What a topic gives; nothing if it is not read.
    pub(crate) fn of(topic: &Topic) -> Option<Self> {
        topic.layout?;
        // ROS 2 writes `package/msg/Type`, ROS 1 `package/Type`.
        let schema = topic.schema.replace("/msg/", "/");
        Some(match schema.as_str() {
            "sensor_msgs/PointCloud2" => Kind::Cloud,
            "sensor_msgs/Imu" => Kind::Imu,
            "sensor_msgs/NavSatFix" => Kind::NavSat,
            "nav_msgs/Odometry" => Kind::Odometry,
            other => Kind::Packets(Packets::of(other)?),
        })
    }

    /// Whether a sensor of this kind can give it. A lidar's packets may also hold its IMU.
    fn fits(self, kind: SensorKind) -> bool {
        match self {
            Kind::Cloud => kind == SensorKind::Lidar,
            Kind::Packets(_) => kind != SensorKind::Sonar,
            Kind::Odometry | Kind::NavSat | Kind::Imu => kind == SensorKind::Nav,
        }
    }
}

/// What is done with a topic of a bag that has no rig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It plays, as a sensor of this name.
    Plays(String, Kind),
    /// It does not, and why.
    Skipped(&'static str),
}

/// What is done with each topic of a bag that has no rig.
///
/// A lidar's packets and the clouds that a driver made of them are the same scans, so packets play
/// only where there are no clouds. Poses are each in a world of their own, and fixes of a receiver
/// in the Earth's: of all of them the first topic of poses plays, else the first of fixes.
pub(crate) fn fates(topics: &[Topic]) -> Vec<Fate> {
    let kinds: Vec<Option<Kind>> = topics
        .iter()
        .map(|topic| Kind::of(topic).filter(|_| topic.messages > 0))
        .collect();
    let has_clouds = kinds.contains(&Some(Kind::Cloud));
    let first = |kind| kinds.iter().position(|found| *found == Some(kind));
    let place = first(Kind::Odometry).or_else(|| first(Kind::NavSat));
    let mut names = BTreeSet::new();
    let mut fate = |index: usize, topic: &Topic| {
        let Some(kind) = kinds[index] else {
            return Fate::Skipped(match (topic.layout, Kind::of(topic)) {
                (_, Some(_)) => "no messages",
                (None, _) => "its encoding is not read",
                (Some(_), None) => "its type is not read",
            });
        };
        match kind {
            Kind::Packets(_) if has_clouds => Fate::Skipped("the clouds of the bag play instead"),
            Kind::Odometry | Kind::NavSat if place != Some(index) => {
                Fate::Skipped("another topic says where the vehicle is")
            }
            kind => Fate::Plays(name(&topic.name, &mut names), kind),
        }
    };
    topics
        .iter()
        .enumerate()
        .map(|(index, topic)| fate(index, topic))
        .collect()
}

/// A sensor's name by its topic.
fn name(topic: &str, names: &mut BTreeSet<String>) -> String {
    let plain = topic.trim_matches('/').replace('/', "_");
    let plain = if plain.is_empty() {
        "topic".to_owned()
    } else {
        plain
    };
    let numbered = (2..).map(|number| format!("{plain}_{number}"));
    let name = std::iter::once(plain.clone())
        .chain(numbered)
        .find(|name| !names.contains(name))
        .unwrap_or(plain);
    names.insert(name.clone());
    name
}

/// The rig of a bag that has none.
///
/// # Errors
/// If it cannot be read, or none of its topics plays.
pub(crate) fn rig(path: &Path, notes: &mut Vec<String>) -> Result<Rig, Error> {
    let bag = Bag::open(path)?;
    let topics = bag.topics()?;
    let file = path.file_name().filter(|_| path.is_file());
    let source = file.map_or(".".to_owned(), |name| name.to_string_lossy().into_owned());
    let (mut sensors, mut playing, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_none = |topic: &str, form| match packets::are_scans(&bag, path, topic, form) {
        Ok(()) => false,
        Err(error) => {
            wrong.push(format!("not played: {topic} ({error})"));
            true
        }
    };
    for (topic, fate) in topics.iter().zip(fates(&topics)) {
        match fate {
            Fate::Plays(_, Kind::Packets(form)) if is_none(&topic.name, form) => {}
            Fate::Plays(name, kind) => {
                playing.push((topic, kind));
                let of = match kind {
                    Kind::Cloud | Kind::Packets(_) => SensorKind::Lidar,
                    _ => SensorKind::Nav,
                };
                sensors.push(SensorSpec {
                    source: Some(source.clone()),
                    format: Some(FORMAT.to_owned()),
                    topic: Some(topic.name.clone()),
                    ..SensorSpec::new(name, of)
                });
            }
            Fate::Skipped(why) => notes.push(format!("not played: {} ({why})", words(topic))),
        }
    }
    if sensors.is_empty() {
        let why = wrong.first().map_or(String::new(), |first| format!("; {first}"));
        let what = format!("a bag of which no topic plays ({}){why}", listed(&topics));
        return Err(Error::Unsupported {
            what,
            path: path.to_owned(),
        });
    }
    notes.append(&mut wrong);
    let sit = mount(&bag, &topics, &playing, &mut sensors)?;
    notes.push(format!(
        "no rig: {} sensor(s) taken from the topics, {sit}; `beluga probe` prints a rig to fill in",
        sensors.len()
    ));
    let rig = Rig {
        origin: None,
        vessel: Vessel::default(),
        water: Water::Unknown,
        sensors,
    };
    rig.checked().map_err(|misfit| Error::Rig {
        misfit,
        path: path.to_owned(),
    })
}

/// Puts sensors where the bag says that they sit; says so.
fn mount(
    bag: &Bag,
    topics: &[Topic],
    playing: &[(&Topic, Kind)],
    sensors: &mut [SensorSpec],
) -> Result<String, Error> {
    let Some(mounts) = mounts::of(bag, topics, playing)? else {
        return Ok("all at the Body origin".to_owned());
    };
    let mut at_origin = Vec::new();
    for ((spec, (_, kind)), mount) in sensors.iter_mut().zip(playing).zip(mounts.of) {
        match mount {
            Some(mount) => spec.mount = mount,
            None if *kind == Kind::Odometry => {}
            None => at_origin.push(format!("`{}`", spec.name)),
        }
    }
    let sit = format!("where `/tf_static` has them (Body is `{}`)", mounts.body);
    Ok(match at_origin.is_empty() {
        true => sit,
        false => format!("{sit}, but {} at the Body origin", at_origin.join(", ")),
    })
}

/// The word for a bag in `format` of a rig.
pub(crate) const FORMAT: &str = "bag";
/// Other words for it.
pub(crate) const FORMATS: [&str; 3] = [FORMAT, "mcap", "db3"];

/// The topic of a sensor: the one its rig names, or the only one that it could be.
///
/// # Errors
/// If there is no such topic, or there are several.
pub(crate) fn choose(bag: &Bag, path: &Path, spec: &SensorSpec) -> Result<(String, Kind), Error> {
    let topics = bag.topics()?;
    let place = format!("sensor `{}`, `topic`", spec.name);
    if let Some(name) = &spec.topic {
        let found = topics.iter().find(|topic| topic.name == *name);
        let kind = found.and_then(Kind::of).filter(|kind| kind.fits(spec.kind));
        return match (found, kind) {
            (Some(topic), Some(kind)) => Ok((topic.name.clone(), kind)),
            (Some(topic), None) => {
                let expected = format!("a topic that a {} can give", spec.kind.name());
                Err(Error::bad(path, place, expected, words(topic)))
            }
            (None, _) => Err(Error::bad(
                path,
                place,
                format!("a topic `{name}`"),
                listed(&topics),
            )),
        };
    }
    let mut fitting = topics
        .iter()
        .filter_map(|topic| Some((topic, Kind::of(topic).filter(|kind| kind.fits(spec.kind))?)));
    match (fitting.next(), fitting.next()) {
        (Some((topic, kind)), None) => Ok((topic.name.clone(), kind)),
        _ => {
            let expected = format!("one topic that a {} can give, or its name", spec.kind.name());
            Err(Error::bad(path, place, expected, listed(&topics)))
        }
    }
}

/// The first place on the Earth that a topic of fixes gives.
///
/// # Errors
/// If the bag cannot be read.
pub(crate) fn first_place(bag: &Bag, topic: &str) -> Result<Option<Geodetic>, Error> {
    let mut places = bag.messages(topic)?.filter_map(Result::ok).filter_map(|message| {
        let mut decoder = message.layout.decoder(&message.data).ok()?;
        header::stamp(&mut decoder, message.layout).ok()?;
        match nav::nav_sat_fix(&mut decoder).ok()? {
            Fix::There(fix) => Some(fix.place),
            Fix::Absent(_) => None,
        }
    });
    Ok(places.next())
}

/// A topic in words.
pub(crate) fn words(topic: &Topic) -> String {
    let schema = match topic.schema.as_str() {
        "" => "no schema",
        schema => schema,
    };
    format!("{} ({schema}, {} messages)", topic.name, topic.messages)
}

fn listed(topics: &[Topic]) -> String {
    let all: Vec<String> = topics.iter().map(words).collect();
    match all.len() {
        0 => "no topics are in it".to_owned(),
        count if count > MAX_NAMED => {
            format!("{}, and {} more", all[..MAX_NAMED].join(", "), count - MAX_NAMED)
        }
        _ => all.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::*;

    fn topic(name: &str, schema: &str, messages: u64) -> Topic {
        Topic {
            name: name.to_owned(),
            schema: schema.to_owned(),
            layout: Some(Layout::Cdr),
            messages,
        }
    }

    fn fate(topics: &[Topic]) -> Vec<String> {
        fates(topics)
            .into_iter()
            .map(|fate| match fate {
                Fate::Plays(name, _) => name,
                Fate::Skipped(_) => "-".to_owned(),
            })
            .collect()
    }

    #[test]
    fn clouds_play_before_packets_and_one_topic_says_where_the_vehicle_is() {
        let cloud = "sensor_msgs/msg/PointCloud2";
        let packets = topic("/velodyne_packets", "velodyne_msgs/msg/VelodyneScan", 4);
        let all = [
            topic("/a/points", cloud, 3),
            topic("/a_points", "sensor_msgs/PointCloud2", 3),
            topic("/empty", cloud, 0),
            topic("/fix", "sensor_msgs/msg/NavSatFix", 9),
            topic("/imu", "sensor_msgs/msg/Imu", 9),
            topic("/odom", "nav_msgs/msg/Odometry", 9),
            topic("/tf", "tf2_msgs/msg/TFMessage", 9),
            packets.clone(),
        ];
        let expected = ["a_points", "a_points_2", "-", "-", "imu", "odom", "-", "-"];
        assert_eq!(fate(&all), expected);
        assert_eq!(fate(&[packets]), ["velodyne_packets"]);
        assert_eq!(fate(&[all[3].clone()]), ["fix"]);
        let strange = Topic {
            layout: None,
            ..all[0].clone()
        };
        assert_eq!(fates(&[strange]), [Fate::Skipped("its encoding is not read")]);
    }
}
