//! Real captures of Ouster lidars against what other decoders made of them.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use beluga_ingest::Recording;
use beluga_types::Payload;

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use shared_data::shared_data;

/// Frames and their returns as `truth.json` beside each capture says.
#[test]
fn scans_are_those_of_the_truth() {
    let captures = [
        (
            "live/ouster-os0-128-rng15-lowdata/OS-0-128-U1_v2.3.0_1024x10.pcap",
            &[(1491, 97_299)][..],
            10,
        ),
        (
            "live/ouster-os2-128-rng19/OS-2-128-U1_v2.3.0_1024x10.pcap",
            &[(1259, 119_682)],
            10,
        ),
        (
            "live/ouster-os1-32-legacy/OS-1-32-G_v2.1.1_1024x10.pcap",
            &[(638, 27_310)],
            0,
        ),
        (
            "live/ouster-os1-128-3scans-poses/OS-1-128_v2.3.0_1024x10_lb_n3.pcap",
            &[(1795, 107_647), (1796, 107_357), (1797, 107_532)],
            30,
        ),
    ];
    for (path, truth, samples) in captures {
        let Some(path) = shared_data("scans_are_those_of_the_truth", path) else {
            return;
        };
        let recording = Recording::open(&path).unwrap();

        let (mut scans, mut imu) = (Vec::new(), 0);
        for measurement in recording.timeline().unwrap() {
            match measurement.payload {
                Payload::Lidar(scan) => scans.push((measurement.seq, scan.len())),
                Payload::Imu(_) => imu += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(scans, truth, "{}", path.display());
        assert_eq!(imu, samples, "{}", path.display());
    }
}
