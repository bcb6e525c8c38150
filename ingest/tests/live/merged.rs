//! Several sensors, and networks that lose, repeat and mix: all is counted, to the packet.

use beluga_types::{GapCause, Measurement, Payload};

use super::send::{Hearing, datagrams, free_port, gaps};
use super::shared_data::shared_data;

const CAPTURE: &str = "live/velodyne-vlp16-veloview/vlp-16-test-90deg-1-50-frames.pcap";

/// A small generator, so that a storm is the same each time.
struct Lots(u64);

impl Lots {
    fn draw(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// The first number before a word.
fn count_before(text: &str, word: &str) -> u64 {
    let found = text.split(", ").chain(text.split(": ")).find_map(|part| {
        let (before, _) = part.split_once(word)?;
        before.split_whitespace().next_back()?.parse().ok()
    });
    found.unwrap_or(0)
}

#[test]
fn in_a_storm_every_packet_is_counted() {
    let Some(file) = shared_data("in_a_storm_every_packet_is_counted", CAPTURE) else {
        return;
    };
    let sent = datagrams(&file, 2368);
    let (mut lots, mut storm) = (Lots(7), Vec::<Vec<u8>>::new());
    let (mut lost, mut twice, mut garbage) = (0, 0, 0);
    for (number, payload) in sent.iter().enumerate() {
        // The first and the last stay, so that what lies between can be counted by the sensor's own times.
        let is_end = number < 10 || number + 10 > sent.len();
        match lots.draw(100) {
            0 if !is_end => lost += 1,
            1 | 2 if !is_end => {
                storm.extend([payload.clone(), payload.clone()]);
                twice += 1;
            }
            3 if !is_end => {
                storm.push(payload.clone());
                storm.push((0..lots.draw(1500)).map(|byte| byte as u8).collect());
                garbage += 1;
            }
            4 if !is_end && !storm.is_empty() => {
                // Overtaken by the one before.
                let last = storm.len() - 1;
                storm.insert(last, payload.clone());
            }
            _ => storm.push(payload.clone()),
        }
    }
    let port = free_port();
    let rig = format!(
        "[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\nmodel = \"VLP-16\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    let hearing = Hearing::new();
    let out = hearing.hear(&rig, |sender| {
        storm.iter().for_each(|payload| sender.send(port, 1, payload));
    });
    let scans = out
        .iter()
        .filter(|one| matches!(one.payload, Payload::Lidar(_)))
        .count();
    assert_eq!(scans, 52, "the map stays usable");
    let gaps = gaps(&out);
    let total = |word: &str| {
        gaps.iter()
            .map(|(_, _, detail)| count_before(detail, word))
            .sum::<u64>()
    };
    let found = total(" packet(s) told as lost before");
    assert_eq!(total(" packet(s) lost"), lost + found, "{gaps:?}");
    assert_eq!(total(" packet(s) a second time"), twice, "{gaps:?}");
    assert_eq!(total(" packet(s) of something else"), garbage, "{gaps:?}");
    assert!(lost > 5 && twice > 10 && garbage > 5);
}

#[test]
fn two_lidars_on_one_port_are_told_apart_or_refused() {
    let Some(file) = shared_data("two_lidars_on_one_port_are_told_apart_or_refused", CAPTURE) else {
        return;
    };
    let sent: Vec<_> = datagrams(&file, 2368).into_iter().take(200).collect();
    let port = free_port();
    let sensor = |name: &str, address: &str| {
        format!(
            "[[sensor]]\nname = \"{name}\"\nkind = \"lidar\"\nmodel = \"VLP-16\"\naddress = \"{address}\"\nsource = \"udp://127.0.0.1:{port}\"\n"
        )
    };
    let hearing = Hearing::new();
    let rig = sensor("here", "127.0.0.1") + &sensor("elsewhere", "192.0.2.9");
    let out = hearing.hear(&rig, |sender| {
        sent.iter().for_each(|payload| sender.send(port, 2, payload))
    });
    assert!(
        out.iter()
            .any(|one| one.sensor.0 == 0 && matches!(one.payload, Payload::Lidar(_)))
    );
    let is_foreign = |one: &Measurement| one.sensor.0 == 1 && !matches!(one.payload, Payload::Gap(_));
    assert!(!out.iter().any(is_foreign), "nothing comes from the other");
    assert!(hearing.told().contains("`elsewhere`"), "{}", hearing.told());
}

#[test]
fn a_run_that_is_slower_than_its_sensor_loses_at_the_edge_and_says_so() {
    let Some(file) = shared_data("a_run_that_is_slower", CAPTURE) else {
        return;
    };
    let sent = datagrams(&file, 2368);
    let port = free_port();
    let mut hearing = Hearing::new();
    // Sixty packets are what may wait, and eight scans behind them, of fifty; nobody reads before all have
    // been sent.
    hearing.options.edge_bytes = 60 * 1400;
    let rig = format!(
        "[[sensor]]\nname = \"lidar\"\nkind = \"lidar\"\nmodel = \"VLP-16\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    let (out, heard) = hearing.hear_late(&rig, |sender| {
        sent.iter().for_each(|payload| sender.send(port, 1, payload));
    });
    let tally = heard[0].tally;
    assert_eq!(tally.heard, sent.len() as u64);
    assert!(tally.let_go > 0);
    let gaps = gaps(&out);
    let told: u64 = gaps
        .iter()
        .filter(|(cause, ..)| *cause == GapCause::Overflow)
        .map(|(_, _, detail)| count_before(detail, " datagram(s) let go"))
        .sum();
    assert_eq!(told, tally.let_go, "{gaps:?}");
}
