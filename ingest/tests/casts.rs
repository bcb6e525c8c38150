//! Profiles of the speed of sound: real casts, and casts that a rig names.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::Path;

use beluga_ingest::{Recording, cast};
use beluga_types::Water;

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use shared_data::shared_data;

#[test]
fn casts_of_real_probes_are_read_level_by_level() {
    let Some(folder) = shared_data("casts_of_real_probes_are_read_level_by_level", "sonar/svp-casts") else {
        return;
    };
    for (name, measured, first, taken, place_deg) in [
        (
            "s20200713_071750.svp",
            207,
            (0.84, 1484.43),
            "2020-07-13T07:17:50",
            Some([54.292_833_333, 11.955_166_667]),
        ),
        (
            "s20200713_072911.svp",
            204,
            (1.49, 1484.44),
            "2020-07-13T07:29:11",
            Some([54.308_666_667, 11.947_5]),
        ),
        ("SVP-0.svp", 96, (0.03, 1448.37), "2018-10-25T15:12:46", None),
        ("SVP-0_1.svp", 55, (4.35, 1452.82), "2018-10-25T15:12:46", None),
        ("SVP.txt", 31, (0.51, 1506.583), "2018-10-25T15:12:46", None),
    ] {
        let path = folder.join(name);
        let casts = cast::read(&path).unwrap();
        let [found] = &*casts else {
            panic!("{name}: {} casts", casts.len())
        };
        // As many lines as the file has behind its three of head.
        let lines = fs::read_to_string(&path).unwrap();
        let lines = lines
            .lines()
            .skip(3)
            .filter(|line| !line.trim().is_empty())
            .count();
        assert_eq!(found.levels.len() + found.averaged, lines, "{name}");
        assert_eq!(lines, measured, "{name}");
        assert_eq!(found.levels[0], first, "{name}");
        assert!(found.levels.is_sorted_by(|a, b| a.0 < b.0), "{name}");
        assert!(found.taken.unwrap().iso_8601().starts_with(taken), "{name}");
        match (found.place_deg, place_deg) {
            (Some(found), Some(expected)) => {
                for (found, expected) in found.into_iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-8, "{name}: {found}");
                }
            }
            (found, expected) => assert_eq!(found, expected, "{name}"),
        }
    }
}

/// A rig beside one scan, whose water is this file.
fn rig(folder: &Path, cast: &str) -> Result<Water, String> {
    fs::write(folder.join("cast.svp"), cast).unwrap();
    fs::write(
        folder.join("rig.toml"),
        "[water]\nprofile = \"cast.svp\"\n[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = \"scan.bin\"\nrate_hz = 10\nstart_ns = 0\n",
    )
    .unwrap();
    fs::write(folder.join("scan.bin"), [0; 16]).unwrap();
    let recording = Recording::open(&folder.join("rig.toml"));
    recording
        .map(|recording| recording.rig().water.clone())
        .map_err(|error| error.to_string())
}

#[test]
fn a_rig_takes_one_cast_of_either_form() {
    let folder = tempfile::tempdir().unwrap();
    let section = "Section 2020-195 07:17:50 0:0:0 0:0:0\n2 1481\n1 1480\n2 1483\n";
    let head = "[SVP_VERSION_2]\ncast.svp\n";
    let expected = Water::Profile([(1.0, 1480.0), (2.0, 1482.0)].into());
    assert_eq!(rig(folder.path(), &format!("{head}{section}")).unwrap(), expected);
    assert_eq!(
        rig(folder.path(), "depth_m,sound_speed_m_per_s\n1,1480\n2,1482\n").unwrap(),
        expected
    );
    for (text, told) in [
        (format!("{head}{section}{section}"), "one cast"),
        (head.to_owned(), "at least one depth"),
        (format!("{head}1 1480\n"), "line 3"),
        (format!("{head}{section}1 15\n"), "line 7"),
    ] {
        let found = rig(folder.path(), &text).unwrap_err();
        assert!(found.contains(told) && found.contains("cast.svp"), "{found}");
    }
}
