//! A record handed over in every form, and read back where the program can.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod user;

use beluga_types::elementary::Squared;
use serde_json::Value;
use user::{check, says};

#[test]
fn a_record_is_handed_over_in_every_form_and_its_trajectories_lead_back() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.6", "--out", "run"],
        0,
    );
    check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 0);
    let all = [
        "--json",
        "export",
        "run.maml",
        "--las",
        "run.las",
        "--laz",
        "run.laz",
        "--csv",
        "run.csv",
        "--tum",
        "run.tum",
        "--kitti",
        "run.kitti",
        "--ply",
        "run.ply",
    ];
    let (out, _) = check(home, &all, 0);
    let told: Value = serde_json::from_str(&out).unwrap();
    let (frames, points) = (told["frames"].as_u64().unwrap(), told["points"].as_u64().unwrap());
    assert!(frames > 3 && points > 1000, "{told}");
    assert_eq!(told["coordinates"], "ETRS89 / UTM zone 33N");
    assert_eq!(told["laz"], "run.laz");

    let read = |name: &str| std::fs::read(home.join(name)).unwrap();
    let count_of = |bytes: &[u8]| u64::from_le_bytes(bytes[247..255].try_into().unwrap());
    assert_eq!(
        (count_of(&read("run.las")), count_of(&read("run.laz"))),
        (points, points)
    );
    assert!(read("run.laz").len() < read("run.las").len());
    let csv = String::from_utf8(read("run.csv")).unwrap();
    assert_eq!(csv.lines().count() as u64, points + 1);
    assert!(csv.starts_with("stamp_ns,frame,sensor,medium,label,easting_m,northing_m,height_m,"));
    // The site lies at 54.17° north and 12.10° east, 38 m above the ellipsoid.
    let first: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    let number = |at: usize| first[at].parse::<f64>().unwrap();
    assert!(
        (number(5) - 310_707.0).abs() < 150.0 && (number(6) - 6_006_322.0).abs() < 150.0,
        "{first:?}"
    );

    // The trajectories: as good against the truth as the record, and one the other.
    let score = |arguments: &[&str]| -> Value {
        let (out, _) = check(home, &[&["--json", "eval"], arguments].concat(), 0);
        serde_json::from_str::<Value>(&out).unwrap()["trajectory"].clone()
    };
    let tum = score(&["run.tum", "--truth", "run/truth"]);
    assert!(tum["unaligned_m"].as_f64().unwrap() < 0.2, "{tum}");
    let kitti = score(&["run.kitti", "--times", "run.times.txt", "--truth", "run.tum"]);
    assert_eq!(kitti["poses"].as_u64(), Some(frames));
    assert!(kitti["unaligned_m"].as_f64().unwrap() < 1e-5 && kitti["rotation_rad"].as_f64().unwrap() < 1e-6);

    let (out, _) = check(home, &["export", "run.maml", "--csv", "world.csv", "--local"], 0);
    says(&out, &["World: local east, north, up"]);
    assert!(
        String::from_utf8(read("world.csv"))
            .unwrap()
            .contains(",east_m,north_m,up_m,")
    );
    // What is there is not overwritten, and nothing is begun then.
    let (_, err) = check(
        home,
        &["export", "run.maml", "--tum", "new.tum", "--kitti", "run.kitti"],
        2,
    );
    says(&err, &["run.kitti", "never overwritten"]);
    assert!(!home.join("new.tum").exists());
}

#[test]
fn a_system_that_is_not_known_is_refused_by_name_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.2", "--out", "run"],
        0,
    );
    let rig = home.join("run/rig.toml");
    let text = std::fs::read_to_string(&rig).unwrap();
    assert!(text.contains("epsg = 25833"));
    std::fs::write(&rig, text.replace("epsg = 25833", "epsg = 31468")).unwrap();
    check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 0);
    let (_, err) = check(home, &["export", "run.maml", "--las", "run.las"], 2);
    says(&err, &["EPSG:31468", "25828", "--local"]);
    assert!(!home.join("run.las").exists() && !home.join("run.las.part").exists());
    check(home, &["export", "run.maml", "--las", "run.las", "--local"], 0);
    check(home, &["export", "run.maml", "--tum", "run.tum"], 0);
}

/// Stamp and place of every point in water.
fn soundings(csv: &std::path::Path) -> Vec<(String, [f64; 3])> {
    let text = std::fs::read_to_string(csv).unwrap();
    let columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let (stamp, medium) = (column("stamp_ns"), column("medium"));
    let place = ["east_m", "north_m", "up_m"].map(column);
    let rows = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>());
    rows.filter(|row| row[medium] == "water")
        .map(|row| (row[stamp].to_owned(), place.map(|at| row[at].parse().unwrap())))
        .collect()
}

#[test]
fn soundings_are_traced_anew_through_a_later_cast() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    check(
        home,
        &["sim", "--scene", "sample", "--seconds", "0.6", "--out", "run"],
        0,
    );
    check(home, &["replay", "run", "--out", "run.maml", "--view", "none"], 0);
    let section = |day: u32, speed: f64| {
        format!(
            "Section 2026-{day:03} 00:00:00 0:0:0 0:0:0\n0.0 {speed}\n30.0 {}\n",
            speed + 12.0
        )
    };
    let cast = format!("[SVP_VERSION_2]\ncast.svp\n{}", section(1, 1488.0));
    std::fs::write(home.join("cast.svp"), &cast).unwrap();
    let export = |out: &str, more: &[&str], code: i32| {
        let arguments = ["export", "run.maml", "--local", "--csv", out];
        check(home, &[&arguments[..], more].concat(), code).1
    };
    export("old.csv", &[], 0);
    let told = export("new.csv", &["--profile", "cast.svp"], 0);
    says(
        &told,
        &["cast of 2026-01-01", "2 levels", "soundings traced anew"],
    );

    // As if the cast had been there from the beginning.
    let rig = home.join("run/rig.toml");
    let text = std::fs::read_to_string(&rig).unwrap();
    std::fs::write(home.join("run/cast.svp"), &cast).unwrap();
    let said = "sound_speed_m_per_s = 1476.0";
    assert!(text.contains(said));
    std::fs::write(&rig, text.replacen(said, "profile = \"cast.svp\"", 1)).unwrap();
    check(
        home,
        &["replay", "run", "--out", "later.maml", "--view", "none"],
        0,
    );
    let arguments = ["export", "later.maml", "--local", "--csv", "later.csv"];
    check(home, &arguments, 0);
    let [old, new, later] = ["old.csv", "new.csv", "later.csv"].map(|name| soundings(&home.join(name)));
    assert!(new.len() == old.len() && new.len() > 100, "{}", new.len());
    let apart = |a: &[(String, [f64; 3])]| {
        let near = |(stamp, place): &(String, [f64; 3])| {
            let same = later.iter().filter(|(other, _)| other == stamp);
            let away = same.map(|(_, other)| {
                let square = |axis: usize| (other[axis] - place[axis]).squared();
                (0..3).map(square).sum::<f64>().sqrt()
            });
            away.fold(f64::INFINITY, f64::min)
        };
        let mut apart: Vec<f64> = a.iter().map(near).filter(|apart| apart.is_finite()).collect();
        apart.sort_by(f64::total_cmp);
        apart[apart.len() * 9 / 10]
    };
    let (before, after) = (apart(&old), apart(&new));
    println!("90 % of soundings within {before:.4} m before, {after:.4} m after");
    assert!(before > 0.03 && after < 0.003, "{before} {after}");

    // Casts without a time cannot be told apart, and what is no cast is refused.
    std::fs::write(home.join("own.csv"), "depth_m,sound_speed_m_per_s\n0,1480\n").unwrap();
    let told = export("x.csv", &["--profile", "cast.svp", "--profile", "own.csv"], 2);
    says(&told, &["each must say when it was taken"]);
    std::fs::write(home.join("bad.svp"), cast.replace("30.0 1500", "30.0 15")).unwrap();
    let told = export("x.csv", &["--profile", "bad.svp"], 2);
    says(&told, &["bad.svp", "line 5"]);
    assert!(!home.join("x.csv").exists());
}
