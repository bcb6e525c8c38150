//! What can stand on a tape: the kinds of messages, their topics and their schemas.
//!
//! `beluga_msgs` is our own package; its messages lose nothing. The standard messages follow the
//! definitions of ROS 2 `common_interfaces` 5.3 (sensor_msgs, nav_msgs, geometry_msgs, std_msgs),
//! `rcl_interfaces` (builtin_interfaces) and `marine_msgs` 2.1 (marine_acoustic_msgs).

use beluga_types::{Payload, SonarPing};

/// One kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Attitude,
    Beams,
    Clock,
    /// A lidar's points.
    Cloud,
    Depth,
    Detections,
    Elements,
    Gap,
    Gnss,
    /// An imaging sonar's.
    Image,
    Imu,
    /// For viewers: a pose once more, as the field's tools know it.
    Odometry,
    /// For viewers: a GNSS fix once more.
    NavSat,
    Pose,
    Profile,
    /// What a cloud does not say of its scan; stands before it.
    Scan,
    /// For viewers: a ping's magnitudes by beam.
    SonarImage,
    SoundSpeed,
    Velocity,
    /// For viewers: an IMU sample once more.
    ViewImu,
}

/// Kinds that are a measurement, or a part of one.
const OWN: [Kind; 16] = [
    Kind::Attitude,
    Kind::Beams,
    Kind::Clock,
    Kind::Cloud,
    Kind::Depth,
    Kind::Detections,
    Kind::Elements,
    Kind::Gap,
    Kind::Gnss,
    Kind::Image,
    Kind::Imu,
    Kind::Pose,
    Kind::Profile,
    Kind::Scan,
    Kind::SoundSpeed,
    Kind::Velocity,
];

impl Kind {
    /// The kind that holds a payload whole.
    pub(super) fn of(payload: &Payload) -> Option<Kind> {
        Some(match payload {
            Payload::Lidar(_) => Kind::Cloud,
            Payload::Sonar(ping) => match **ping {
                SonarPing::Elements(_) => Kind::Elements,
                SonarPing::Beams(_) => Kind::Beams,
                SonarPing::Profile(_) => Kind::Profile,
                SonarPing::Detections(_) => Kind::Detections,
                SonarPing::Image(_) => Kind::Image,
            },
            Payload::Imu(_) => Kind::Imu,
            Payload::Gnss(_) => Kind::Gnss,
            Payload::Pose(_) => Kind::Pose,
            Payload::Attitude(_) => Kind::Attitude,
            Payload::Velocity(_) => Kind::Velocity,
            Payload::Depth(_) => Kind::Depth,
            Payload::SoundSpeed(_) => Kind::SoundSpeed,
            Payload::Clock(_) => Kind::Clock,
            Payload::Gap(_) => Kind::Gap,
            _ => return None,
        })
    }

    /// The kind that is read back under this word; nothing for views and strangers.
    pub(super) fn named(word: &str) -> Option<Kind> {
        OWN.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is only a part of a measurement, which another kind completes.
    pub(super) const fn is_half(self) -> bool {
        matches!(self, Kind::Scan)
    }

    /// The last word of the topic.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Attitude => "attitude",
            Kind::Beams => "beams",
            Kind::Clock => "clock",
            Kind::Cloud => "lidar",
            Kind::Depth => "depth",
            Kind::Detections => "detections",
            Kind::Elements => "elements",
            Kind::Gap => "gap",
            Kind::Gnss => "gnss",
            Kind::Image => "image",
            Kind::Imu => "imu",
            Kind::NavSat => "navsat",
            Kind::Odometry => "odometry",
            Kind::Pose => "pose",
            Kind::Profile => "profile",
            Kind::Scan => "scan",
            Kind::SonarImage => "sonar_image",
            Kind::SoundSpeed => "sound_speed",
            Kind::Velocity => "velocity",
            Kind::ViewImu => "imu_view",
        }
    }

    /// The name of the schema.
    pub(super) const fn schema(self) -> &'static str {
        match self {
            Kind::Attitude => "beluga_msgs/msg/Attitude",
            Kind::Beams => "beluga_msgs/msg/Beams",
            Kind::Clock => "beluga_msgs/msg/Clock",
            Kind::Cloud => "sensor_msgs/msg/PointCloud2",
            Kind::Depth => "beluga_msgs/msg/Depth",
            Kind::Detections => "beluga_msgs/msg/Detections",
            Kind::Elements => "beluga_msgs/msg/Elements",
            Kind::Gap => "beluga_msgs/msg/Gap",
            Kind::Gnss => "beluga_msgs/msg/Gnss",
            Kind::Image => "beluga_msgs/msg/Image",
            Kind::Imu => "beluga_msgs/msg/Imu",
            Kind::NavSat => "sensor_msgs/msg/NavSatFix",
            Kind::Odometry => "nav_msgs/msg/Odometry",
            Kind::Pose => "beluga_msgs/msg/Pose",
            Kind::Profile => "beluga_msgs/msg/Profile",
            Kind::Scan => "beluga_msgs/msg/Scan",
            Kind::SonarImage => "marine_acoustic_msgs/msg/RawSonarImage",
            Kind::SoundSpeed => "beluga_msgs/msg/SoundSpeed",
            Kind::Velocity => "beluga_msgs/msg/Velocity",
            Kind::ViewImu => "sensor_msgs/msg/Imu",
        }
    }

    /// The full `ros2msg` text: the message, then everything it names.
    pub(super) fn text(self) -> String {
        const WAVEFORMS: (&str, &str) = ("beluga_msgs/Waveforms", include_str!("msg/Waveforms.msg"));
        const PULSE: (&str, &str) = ("beluga_msgs/Pulse", include_str!("msg/Pulse.msg"));
        const BEAM: (&str, &str) = ("beluga_msgs/Beam", include_str!("msg/Beam.msg"));
        const DETECTION: (&str, &str) = ("beluga_msgs/Detection", include_str!("msg/Detection.msg"));
        match self {
            Kind::Attitude => own(include_str!("msg/Attitude.msg"), &[]),
            Kind::Beams => own(include_str!("msg/Beams.msg"), &[WAVEFORMS, PULSE, BEAM]),
            Kind::Clock => own(include_str!("msg/Clock.msg"), &[]),
            Kind::Depth => own(include_str!("msg/Depth.msg"), &[]),
            Kind::Detections => own(include_str!("msg/Detections.msg"), &[DETECTION]),
            Kind::Elements => own(include_str!("msg/Elements.msg"), &[WAVEFORMS, PULSE, BEAM]),
            Kind::Gap => own(include_str!("msg/Gap.msg"), &[]),
            Kind::Gnss => own(include_str!("msg/Gnss.msg"), &[]),
            Kind::Image => own(include_str!("msg/Image.msg"), &[BEAM]),
            Kind::Imu => own(include_str!("msg/Imu.msg"), &[]),
            Kind::Pose => own(include_str!("msg/Pose.msg"), &[]),
            Kind::Profile => own(include_str!("msg/Profile.msg"), &[BEAM]),
            Kind::Scan => own(include_str!("msg/Scan.msg"), &[]),
            Kind::SoundSpeed => own(include_str!("msg/SoundSpeed.msg"), &[]),
            Kind::Velocity => own(include_str!("msg/Velocity.msg"), &[]),
            Kind::Cloud => standard(
                include_str!("msg/PointCloud2.msg"),
                &[("sensor_msgs/PointField", POINT_FIELD)],
            ),
            Kind::NavSat => standard(
                include_str!("msg/NavSatFix.msg"),
                &[("sensor_msgs/NavSatStatus", NAV_SAT_STATUS)],
            ),
            Kind::SonarImage => standard(
                include_str!("msg/RawSonarImage.msg"),
                &[
                    ("marine_acoustic_msgs/PingInfo", PING_INFO),
                    ("marine_acoustic_msgs/SonarImageData", SONAR_IMAGE_DATA),
                ],
            ),
            Kind::Odometry => standard(include_str!("msg/Odometry.msg"), &GEOMETRY),
            Kind::ViewImu => standard(include_str!("msg/RosImu.msg"), &GEOMETRY[4..]),
        }
    }
}

/// Topic of a sensor's messages. ROS takes only letters, digits and `_` in a name.
pub(super) fn topic(sensor: &str, kind: Kind) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '_'
        }
    };
    let sensor: String = sensor.chars().map(plain).collect();
    format!("/beluga/{sensor}/{}", kind.word())
}

const POINT_FIELD: &str = "\
uint8 INT8=1
uint8 UINT8=2
uint8 INT16=3
uint8 UINT16=4
uint8 INT32=5
uint8 UINT32=6
uint8 FLOAT32=7
uint8 FLOAT64=8
string name
uint32 offset
uint8 datatype
uint32 count
";
const NAV_SAT_STATUS: &str = "\
int8 STATUS_NO_FIX=-1
int8 STATUS_FIX=0
uint16 SERVICE_GPS=1
int8 status
uint16 service
";
const PING_INFO: &str = "\
float32 frequency
float32 sound_speed
float32[] tx_beamwidths
float32[] rx_beamwidths
";
const SONAR_IMAGE_DATA: &str = "\
bool is_bigendian
uint32 DTYPE_UINT8=0
uint32 DTYPE_UINT16=2
uint32 DTYPE_UINT32=4
uint32 DTYPE_FLOAT32=8
uint32 dtype
uint32 beam_count
uint8[] data
";
const GEOMETRY: [(&str, &str); 6] = [
    (
        "geometry_msgs/PoseWithCovariance",
        "geometry_msgs/Pose pose\nfloat64[36] covariance\n",
    ),
    (
        "geometry_msgs/TwistWithCovariance",
        "geometry_msgs/Twist twist\nfloat64[36] covariance\n",
    ),
    (
        "geometry_msgs/Pose",
        "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n",
    ),
    (
        "geometry_msgs/Twist",
        "geometry_msgs/Vector3 linear\ngeometry_msgs/Vector3 angular\n",
    ),
    (
        "geometry_msgs/Quaternion",
        "float64 x\nfloat64 y\nfloat64 z\nfloat64 w\n",
    ),
    ("geometry_msgs/Vector3", "float64 x\nfloat64 y\nfloat64 z\n"),
];

fn own(text: &str, names: &[(&str, &str)]) -> String {
    const MOMENT: (&str, &str) = ("beluga_msgs/Moment", include_str!("msg/Moment.msg"));
    joined(text, [MOMENT].iter().chain(names))
}

fn standard(text: &str, names: &[(&str, &str)]) -> String {
    const HEADER: [(&str, &str); 3] = [
        (
            "std_msgs/Header",
            "builtin_interfaces/Time stamp\nstring frame_id\n",
        ),
        ("builtin_interfaces/Time", "int32 sec\nuint32 nanosec\n"),
        ("geometry_msgs/Point", "float64 x\nfloat64 y\nfloat64 z\n"),
    ];
    let needed = if text.contains("geometry_msgs") { 3 } else { 2 };
    joined(text, HEADER[..needed].iter().chain(names))
}

fn joined<'a>(text: &str, names: impl Iterator<Item = &'a (&'a str, &'a str)>) -> String {
    let rule = "=".repeat(80);
    names.fold(text.to_owned(), |all, (name, text)| {
        format!("{all}{rule}\nMSG: {name}\n{text}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_holds_what_it_names() {
        for kind in OWN
            .into_iter()
            .chain([Kind::NavSat, Kind::Odometry, Kind::SonarImage, Kind::ViewImu])
        {
            let text = kind.text();
            for line in text.lines().filter(|line| !line.starts_with(['#', 'M', '='])) {
                let word = line.split_whitespace().next().unwrap_or_default();
                let name = word.trim_end_matches("[]");
                if name.contains('/') {
                    assert!(text.contains(&format!("\nMSG: {name}\n")), "{kind:?}: {name}");
                }
            }
        }
    }

    #[test]
    fn a_topic_is_a_name_ros_takes() {
        assert_eq!(topic("Bow fan (2)", Kind::Beams), "/beluga/Bow_fan__2_/beams");
        assert_eq!(Kind::named("beams"), Some(Kind::Beams));
        assert_eq!(Kind::named("odometry"), None, "a view is not read back");
    }
}
