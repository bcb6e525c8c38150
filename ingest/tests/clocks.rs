//! The line below what hosts heard of real lidars, against another program's fit of the same captures.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use std::fs::File;

use beluga_ingest::capture;
use beluga_ingest::host_clock::line_below;
use shared_data::shared_data;

/// `clock_truth.json` beside the captures: host − sensor of the first packet (s), skew (ppm), and the median of what
/// lies above the line (µs).
#[test]
fn offset_and_skew_of_real_lidars_are_those_of_another_fit() {
    let name = "offset_and_skew_of_real_lidars_are_those_of_another_fit";
    let Some(folder) = shared_data(name, "live") else {
        return;
    };
    for (file, count, offset_s, ppm, median_us) in [
        (
            "velodyne-vlp16-veloview/vlp-16-test-90deg-1-50-frames.pcap",
            1902,
            1_415_067_830.576_865,
            -4.801,
            626.6,
        ),
        (
            "velodyne-vlp16-nebula-ros2/neb_vlp16.pcap",
            603,
            1_673_400_331.183_191,
            4.2,
            2.3,
        ),
    ] {
        let path = folder.join(file);
        let packets: Vec<(i64, i64)> = capture::datagrams(File::open(&path).unwrap(), &path)
            .unwrap()
            .filter_map(Result::ok)
            .filter(|datagram| datagram.payload.len() == 1206)
            .map(|datagram| {
                let micros = u32::from_le_bytes(datagram.payload[1200..1204].try_into().unwrap());
                (i64::from(micros) * 1000, datagram.received.nanos())
            })
            .collect();
        assert_eq!(packets.len(), count, "{file}");
        let (first, heard) = packets[0];
        let points: Vec<(f64, f64)> = packets
            .iter()
            .map(|(sensor, host)| ((sensor - first) as f64, (host - sensor - (heard - first)) as f64))
            .collect();
        let (height, slope) = line_below(&points).unwrap();
        let offset = (heard - first) as f64 * 1e-9;
        let mut above: Vec<f64> = points.iter().map(|(x, y)| y - height - slope * x).collect();
        above.sort_by(f64::total_cmp);
        let median = 1e-3 * above[above.len() / 2];
        println!(
            "{file}: {offset:.6} s, {:.3} ppm, median {median:.1} µs",
            1e6 * slope
        );
        assert!((1e6 * slope - ppm).abs() < 0.05 * ppm.abs(), "{file}: {slope:e}");
        assert!((offset - offset_s).abs() < 2e-6, "{file}: {offset:.6}");
        assert!(height <= 0.0 && above[0] > -1.0, "{file}: below all");
        assert!(
            (median - median_us).abs() < 0.05 * median_us + 0.5,
            "{file}: {median}"
        );
    }
}
