//! Against Nebula's clouds.

use std::path::Path;

use super::shared_data::shared_data;
use super::{Kept, Played, changed, csv, json, nearest, pcd, play, points, with_rig, written};

const XT: &str = "live/hesai-xt32-nebula-ros2";
const QT: &str = "live/hesai-qt64-nebula-ros2";

fn check_cloud(played: &Played, cloud: &Path, count: u64, step: usize) {
    let nebula = pcd(cloud);
    assert_eq!(nebula.len() as u64, count);
    let distances = nearest(&nebula, step, &points(played));
    let (median, most) = (distances[distances.len() / 2], distances[distances.len() - 1]);
    println!(
        "nebula {}: median {:.3} mm, most {:.3} mm",
        cloud.display(),
        median * 1e3,
        most * 1e3
    );
    assert!(median < 0.5e-3 && most < 2e-3, "{median} {most}");
}

#[test]
fn an_xt_32_is_where_nebula_says_and_its_clock_is_not_believed() {
    let Some(folder) = shared_data("an_xt_32_is_where_nebula_says_and_its_clock_is_not_believed", XT) else {
        return;
    };
    let played = play(&folder.join("neb_xt32.pcap"));
    let said = |what: &str| {
        assert!(
            played.notes.iter().any(|note| note.contains(what)),
            "{:?}",
            played.notes
        )
    };
    said("Hesai PandarXT-32, mode 0x39: two returns");
    said("angles of `PandarXT32.csv` beside it");
    said("clock: not set: it tells 2019-07-25T03:19:29");
    assert!(played.gaps.is_empty(), "{:?}", played.gaps);
    check_cloud(&played, &folder.join("1673400678101968885.pcd"), 63_021, 200);
    // The bag is of 2023-01-11; four turns of 10 Hz and a part.
    let (first, last) = (played.scans[0].0, played.scans[played.scans.len() - 1].0);
    assert!(
        first.iso_8601().starts_with("2023-01-11T01:31:17"),
        "{}",
        first.iso_8601()
    );
    assert!((4..=5).contains(&played.scans.len()) && last.seconds_since(first) < 0.45);
    for (_, scan) in &played.scans {
        assert!(scan.offset_nanos().unwrap().is_sorted() && scan.last_offset_nanos() < 102_000_000);
    }
    let truth = json(&folder.join("truth.json"));
    let returns = truth["raw_nonzero_returns_all_packets"].as_u64().unwrap() as usize;
    let count = points(&played).len();
    assert!(
        count < returns && count > returns / 2,
        "{count} of {returns}: those that are told twice once"
    );
    for row in csv(&folder.join("nebula_pcd_first20.csv")) {
        let place = [row[0], row[1], row[2]];
        assert!(nearest(&[place], 1, &points(&played))[0] < 1e-4, "{place:?}");
    }
}

#[test]
fn a_qt_64_is_where_nebula_says_with_or_without_its_file() {
    let Some(folder) = shared_data("a_qt_64_is_where_nebula_says_with_or_without_its_file", QT) else {
        return;
    };
    let capture = folder.join("neb_qt64.pcap");
    let file = folder.join("PandarQT64.csv").display().to_string();
    let played = with_rig(&capture, &format!("calibration = {file:?}"));
    let said = |what: &str| {
        assert!(
            played.notes.iter().any(|note| note.contains(what)),
            "{:?}",
            played.notes
        )
    };
    said("Hesai PandarQT (QT64), mode 0x3b");
    said("angles of `PandarQT64.csv`");
    said("clock: not set: it tells 2017-09-06T14:31:22");
    check_cloud(&played, &folder.join("1673401196087570870.pcd"), 34_158, 200);
    // Alone it has the manual's angles, which are those of this file.
    let (_folder, alone) = written(&changed(&capture, |_, _| Kept::Once));
    let bare = play(&alone);
    assert!(
        bare.notes.iter().any(|note| note.contains("design angles")),
        "{:?}",
        bare.notes
    );
    assert_eq!(points(&bare).len(), points(&played).len());
}

#[test]
fn numbers_tell_what_is_lost_late_and_double() {
    let Some(folder) = shared_data("numbers_tell_what_is_lost_late_and_double", XT) else {
        return;
    };
    let bytes = changed(&folder.join("neb_xt32.pcap"), |index, payload| match index {
        100..=102 => Kept::Not,
        700 => Kept::Twice,
        1100 => Kept::Later,
        1200 => {
            payload[1062] = 0x77;
            Kept::Once
        }
        _ => Kept::Once,
    });
    let (_folder, path) = written(&bytes);
    let played = play(&path);
    let said: Vec<&str> = played.gaps.iter().map(|(_, _, said)| said.as_str()).collect();
    let has = |what: &str| said.iter().filter(|said| said.contains(what)).count();
    assert_eq!(has("3 packet(s) lost"), 1, "{said:?}");
    assert_eq!(has("1 packet(s) a second time, left out"), 1, "{said:?}");
    assert_eq!(has("1 packet(s) damaged, left out"), 1, "{said:?}");
    assert_eq!(played.gaps.iter().map(|(_, lost, _)| lost).sum::<u64>(), 0);
}

#[test]
fn a_protocol_that_is_not_read_is_refused_by_name() {
    let Some(folder) = shared_data("a_protocol_that_is_not_read_is_refused_by_name", XT) else {
        return;
    };
    let bytes = changed(&folder.join("neb_xt32.pcap"), |_, payload| {
        (payload[2], payload[3]) = (4, 3);
        Kept::Once
    });
    let (_folder, path) = written(&bytes);
    let said = beluga_ingest::Recording::open(&path).unwrap_err().to_string();
    assert!(said.contains("found 4.3 (AT128), which is not read"), "{said}");
}
