//! Where the sensors of a bag sit, as its `/tf_static` says.
//!
//! Source: `tf2_msgs/msg/TFMessage` and `geometry_msgs/msg/TransformStamped` of ROS 2 (`geometry2` 0.36,
//! `common_interfaces` 5.3); `base_link` after REP-105.

use std::collections::BTreeMap;

use beluga_types::{Mount, Transform};
use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion};

use super::{Bag, Kind, Message, Topic, header};
use crate::error::Error;
use crate::tape::cdr::{Decoder, Wrong};

/// What a vehicle calls its own axes where its odometry does not say.
const BASE: &str = "base_link";
/// Spaces that are taken from a bag.
const MOST_SPACES: usize = 10_000;
/// Spaces between two that are fixed to each other.
const MOST_STEPS: usize = 64;
/// Messages of a topic in which the name of its space is looked for.
const TRIED: usize = 5;
/// How far the length of a quaternion may be from 1: drivers write single precision and less.
const QUATERNION_SLACK: f64 = 1e-2;

/// Where sensors sit, and against which space.
pub(super) struct Mounts {
    /// The space that is `Body`.
    pub(super) body: String,
    /// Of each sensor that it is known of.
    pub(super) of: Vec<Option<Mount>>,
}

/// Where the sensors of these topics sit in the bag's own words; nothing where it says nothing of any.
///
/// `Body` is the space whose way the odometry tells, else `base_link`, else what all spaces hang on.
///
/// # Errors
/// If the bag cannot be read.
pub(super) fn of(bag: &Bag, all: &[Topic], playing: &[(&Topic, Kind)]) -> Result<Option<Mounts>, Error> {
    let spaces = Spaces::of(bag, all)?;
    if spaces.parents.is_empty() {
        return Ok(None);
    }
    let mut names = Vec::with_capacity(playing.len());
    let mut child = None;
    for (topic, kind) in playing {
        let named = named(bag, topic, *kind)?;
        child = child.or_else(|| named.child.clone());
        names.push(named.frame);
    }
    let Some(body) = spaces.body(child.as_deref(), &names) else {
        return Ok(None);
    };
    let of: Vec<_> = playing
        .iter()
        .zip(&names)
        .map(|((_, kind), name)| match kind {
            // It tells how `Body` lies, wherever what computes it sits.
            Kind::Odometry => None,
            _ => name.as_deref().and_then(|name| spaces.mount(&body, name)),
        })
        .collect();
    Ok(of.iter().any(Option::is_some).then_some(Mounts { body, of }))
}

/// Spaces that are fixed to each other.
#[derive(Default)]
struct Spaces {
    /// Of each, the one that it hangs on, and how it sits there.
    parents: BTreeMap<String, (String, Isometry3<f64>)>,
}

impl Spaces {
    fn of(bag: &Bag, topics: &[Topic]) -> Result<Self, Error> {
        let mut spaces = Self::default();
        let is_told = |topic: &&Topic| {
            let is_static = topic.name.rsplit('/').next() == Some("tf_static");
            is_static && topic.schema.replace("/msg/", "/") == "tf2_msgs/TFMessage" && topic.layout.is_some()
        };
        for topic in topics.iter().filter(is_told) {
            for message in bag.messages(&topic.name)?.filter_map(Result::ok) {
                // A message that does not hold says where nothing sits.
                let _ = spaces.take(&message);
            }
        }
        Ok(spaces)
    }

    /// Takes the transforms of a message; of a space that is told twice the last counts.
    fn take(&mut self, message: &Message) -> Result<(), Wrong> {
        /// A header without a name, a name and seven numbers.
        const LEAST: usize = 72;
        let mut decoder = message.layout.decoder(&message.data)?;
        let count = decoder.count(LEAST)?;
        for _ in 0..count.min(MOST_SPACES - self.parents.len().min(MOST_SPACES)) {
            let (_, parent) = header::read(&mut decoder, message.layout)?;
            let child = decoder.text()?;
            let place = Translation3::from(nalgebra::Vector3::from(decoder.finites::<3>()?));
            let [x, y, z, w] = decoder.finites::<4>()?;
            let turn = Quaternion::new(w, x, y, z);
            if (turn.norm() - 1.0).abs() > QUATERNION_SLACK {
                return Err(Wrong::Value("a quaternion of length 1"));
            }
            let sits = Isometry3::from_parts(place, UnitQuaternion::new_normalize(turn));
            self.parents
                .insert(plain(child).to_owned(), (plain(parent).to_owned(), sits));
        }
        Ok(())
    }

    /// What a space hangs on in the end, and how it sits there.
    fn root(&self, name: &str) -> (String, Isometry3<f64>) {
        let (mut at, mut sits) = (name.to_owned(), Isometry3::identity());
        // Spaces that hang on each other in a ring have no end.
        for _ in 0..MOST_STEPS {
            let Some((parent, step)) = self.parents.get(&at) else {
                break;
            };
            sits = step * sits;
            at.clone_from(parent);
        }
        (at, sits)
    }

    fn is_known(&self, name: &str) -> bool {
        self.parents.contains_key(name) || self.parents.values().any(|(parent, _)| parent == name)
    }

    /// The space that is `Body`.
    fn body(&self, child: Option<&str>, sensors: &[Option<String>]) -> Option<String> {
        let told = child.filter(|name| self.is_known(name));
        let base = Some(BASE).filter(|name| self.is_known(name));
        let first = || {
            let known = sensors.iter().flatten().find(|name| self.is_known(name));
            known.map(|name| self.root(name).0)
        };
        told.or(base).map(str::to_owned).or_else(first)
    }

    /// How a space sits in another, if they are fixed to each other.
    fn mount(&self, body: &str, sensor: &str) -> Option<Mount> {
        let ((root, body), (other, sensor)) = (self.root(body), self.root(sensor));
        let sits = body.inverse() * sensor;
        let is_fixed = root == other && sits.translation.vector.iter().all(|metres| metres.abs() < 1e6);
        is_fixed.then(|| Mount::from_transform(&Transform::new(sits.rotation, sits.translation.vector)))
    }
}

/// The spaces that a topic names.
struct Named {
    /// In which it measures.
    frame: Option<String>,
    /// Whose way it tells.
    child: Option<String>,
}

fn named(bag: &Bag, topic: &Topic, kind: Kind) -> Result<Named, Error> {
    for message in bag.messages(&topic.name)?.filter_map(Result::ok).take(TRIED) {
        if let Ok(named) = names(&message, kind) {
            return Ok(named);
        }
    }
    Ok(Named {
        frame: None,
        child: None,
    })
}

fn names(message: &Message, kind: Kind) -> Result<Named, Wrong> {
    let is_headless = matches!(kind, Kind::Packets(packets) if !packets.has_header());
    if is_headless {
        return Ok(Named {
            frame: None,
            child: None,
        });
    }
    let mut decoder: Decoder<'_> = message.layout.decoder(&message.data)?;
    let (_, frame) = header::read(&mut decoder, message.layout)?;
    let child = match kind {
        Kind::Odometry => Some(decoder.text()?),
        _ => None,
    };
    let own = |name: &str| Some(plain(name).to_owned()).filter(|name| !name.is_empty());
    Ok(Named {
        frame: own(frame),
        child: child.and_then(own),
    })
}

/// A space's name without the slash that ROS 1 may put before it.
fn plain(name: &str) -> &str {
    name.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::*;

    fn spaces(told: &[(&str, &str, [f64; 3], f64)]) -> Spaces {
        let parents = told.iter().map(|(parent, child, place, heading)| {
            let turn = UnitQuaternion::from_euler_angles(0.0, 0.0, -heading.to_radians());
            let sits = Isometry3::from_parts(Translation3::new(place[0], place[1], place[2]), turn);
            ((*child).to_owned(), ((*parent).to_owned(), sits))
        });
        Spaces {
            parents: parents.collect(),
        }
    }

    #[test]
    fn spaces_are_followed_up_and_down() {
        let spaces = spaces(&[
            ("base_link", "mast", [1.0, 0.0, 2.0], 90.0),
            ("mast", "lidar", [0.5, 0.0, 0.0], 0.0),
            ("base_link", "imu", [0.0, -0.2, 0.0], 0.0),
        ]);
        // The mast looks to starboard: half a metre before it is half a metre to starboard.
        let mount = spaces.mount("base_link", "lidar").unwrap();
        let found = [mount.forward_m, mount.starboard_m, mount.down_m];
        for (found, expected) in found.iter().zip([1.0, 0.5, -2.0]) {
            assert!((found - expected).abs() < 1e-12, "{mount:?}");
        }
        assert!((mount.attitude.heading_rad.to_degrees() - 90.0).abs() < 1e-9);
        // From another leaf.
        let mount = spaces.mount("imu", "lidar").unwrap();
        assert!((mount.starboard_m - 0.3).abs() < 1e-12, "{mount:?}");
        assert_eq!(spaces.mount("base_link", "elsewhere"), None);
        let sensors = [None, Some("lidar".to_owned())];
        assert_eq!(spaces.body(Some("imu"), &sensors).as_deref(), Some("imu"));
        assert_eq!(
            spaces.body(Some("unheard"), &sensors).as_deref(),
            Some("base_link")
        );
    }

    #[test]
    fn where_nothing_is_called_base_all_hang_on_the_last() {
        let spaces = spaces(&[("hull", "lidar", [0.0, 0.0, 1.0], 0.0)]);
        let body = spaces.body(None, &[None, Some("lidar".into())]).unwrap();
        assert_eq!(body, "hull");
        assert_eq!(spaces.body(None, &[Some("other".into())]), None);
    }

    #[test]
    fn a_ring_of_spaces_ends() {
        let spaces = spaces(&[("a", "b", [1.0; 3], 0.0), ("b", "a", [1.0; 3], 0.0)]);
        spaces.mount("a", "b");
        spaces.root("a");
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_survived() {
        let mut encoder = crate::tape::cdr::Encoder::new();
        encoder.count(1);
        encoder.put(0_i32);
        encoder.put(0_u32);
        encoder.text("base_link");
        encoder.text("lidar");
        [0.3, 0.0, 1.5, 0.0, 0.0, 0.0, 1.0]
            .iter()
            .for_each(|number: &f64| encoder.put(*number));
        let data = encoder.finish();
        let read = |data: &[u8]| {
            let mut spaces = Spaces::default();
            let message = Message {
                place: String::new(),
                received: beluga_types::Stamp::default(),
                layout: Layout::Cdr,
                data: data.to_vec(),
            };
            (spaces.take(&message).is_ok(), spaces.mount("base_link", "lidar"))
        };
        let (is_whole, mount) = read(&data);
        assert!(is_whole && mount.is_some_and(|mount| (mount.down_m + 1.5).abs() < 1e-12));
        for cut in 0..data.len() {
            assert_eq!(read(&data[..cut]), (false, None), "{cut}");
        }
    }
}
