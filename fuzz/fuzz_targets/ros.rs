//! Any bytes as a message of ROS 2: no panic, no allocation beyond the input's size class, finite points.
#![no_main]

use beluga_ingest::ros;
use beluga_types::Payload;
use libfuzzer_sys::fuzz_target;

const TYPES: [&str; 4] = [
    "sensor_msgs/msg/PointCloud2",
    "sensor_msgs/msg/Imu",
    "sensor_msgs/msg/NavSatFix",
    "nav_msgs/msg/Odometry",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, message)) = bytes.split_first() else {
        return;
    };
    let found = ros::payload(TYPES[usize::from(*first) % TYPES.len()], message);
    if let Ok(Payload::Lidar(scan)) = found {
        assert!(scan.len() <= message.len());
        let axes = [scan.x(), scan.y(), scan.z()];
        assert!(axes.iter().all(|axis| axis.iter().all(|value| value.is_finite())));
    }
});
