//! Rigs that cannot be heard, and datagrams of nobody.

use beluga_ingest::Recording;
use beluga_ingest::live::{Live, Options};
use beluga_types::Payload;

use super::send::{Hearing, free_port, gaps};

fn refused(rig: &str) -> String {
    let hearing = Hearing::new();
    Live::open(&hearing.rig(rig), Options::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_rig_that_cannot_be_heard_is_refused_with_the_remedy() {
    let lidar = "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\n";
    let nav = "[[sensor]]\nname = \"gnss\"\nkind = \"nav\"\nsource = \"udp://127.0.0.1:1\"\n";
    for (rig, words) in [
        (lidar.to_owned(), "udp://ADDRESS:PORT"),
        (format!("{lidar}source = \"lidar/\"\n"), "a recording is played by `beluga replay`"),
        (format!("{lidar}source = \"udp://127.0.0.1:2368\"\nformat = \"ply\"\n"), "ouster"),
        (format!("{lidar}source = \"tcp://127.0.0.1:2368\"\n"), "by UDP"),
        (nav.to_owned(), "`[origin]`"),
        (format!("{lidar}source = \"udp://127.0.0.1:2368\"\naddress = \"front\"\n"), "`address` of sensor `front`"),
        ("[[sensor]]\nname = \"fan\"\nkind = \"sonar\"\nsource = \"udp://127.0.0.1:1\"\nformat = \"wav\"\n".into(), "kmall"),
        (format!("{lidar}source = \"udp://127.0.0.1:2368\"\npps = \"assert\"\n"), "`pps` of sensor `front`"),
        (format!("[origin]\nlat_deg = 54.1\nlon_deg = 12.1\nheight_m = 38.5\n{nav}format = \"sbg\"\npps = \"assert\"\n"), "ZDA or RMC"),
        // Of another host.
        (format!("{lidar}source = \"udp://192.0.2.7:2368\"\n"), "udp://192.0.2.7:2368: Cannot assign requested address"),
        (format!("{lidar}source = \"udp://192.0.2.7:2368\"\n"), "`front`"),
        (format!("{lidar}source = \"udp://239.1.2.3:2368?interface=192.0.2.7\"\n"), "No such device"),
        (format!("{lidar}source = \"udp://239.1.2.3:2368?interface=192.0.2.7\"\n"), "no network of this host leads to the group"),
    ] {
        let said = refused(&rig);
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_live_rig_is_no_recording_and_says_how_it_is_heard() {
    let hearing = Hearing::new();
    let path =
        hearing.rig("[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = \"udp://127.0.0.1:2368\"\n");
    let said = Recording::open(&path).unwrap_err().to_string();
    assert!(said.contains("beluga live"), "{said}");
}

#[test]
fn a_port_that_another_program_has_is_named() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let said = refused(&format!(
        "[[sensor]]\nname = \"front\"\nkind = \"lidar\"\nsource = \"udp://{address}\"\n"
    ));
    assert!(
        ["`front`", "in use", "ss -ulpn", &address.to_string()]
            .iter()
            .all(|words| said.contains(words)),
        "{said}"
    );
}

#[test]
fn nothing_and_garbage_end_in_words() {
    let (silent, loud) = (free_port(), free_port());
    let hearing = Hearing::new();
    let rig = format!(
        "[[sensor]]\nname = \"silent\"\nkind = \"lidar\"\nsource = \"udp://127.0.0.1:{silent}\"\n\
         [[sensor]]\nname = \"loud\"\nkind = \"lidar\"\nsource = \"udp://127.0.0.1:{loud}\"\n"
    );
    let out = hearing.hear(&rig, |sender| {
        for length in 0..200 {
            sender.send(loud, 1, &vec![length; usize::from(length) * 7]);
        }
    });
    assert!(
        out.iter().all(|one| matches!(one.payload, Payload::Gap(_))),
        "{:?}",
        gaps(&out)
    );
    let told = hearing.told();
    assert!(
        told.contains(&format!("`silent`: nothing came to udp://127.0.0.1:{silent}")),
        "{told}"
    );
    assert!(told.contains("`loud`") && told.contains("200 unknown"), "{told}");
}

/// Of a sensor of which nothing is a measurement, what was lost is on the timeline and not in words alone.
#[test]
fn what_nobody_can_read_is_counted() {
    let port = free_port();
    let hearing = Hearing::new();
    let rig = format!(
        "[[sensor]]\nname = \"r2\"\nkind = \"sonar\"\nformat = \"r2sonic\"\nsource = \"udp://127.0.0.1:{port}\"\n"
    );
    let out = hearing.hear(&rig, |sender| {
        (0..20).for_each(|count| sender.send(port, 1, &[b"BTH0".as_slice(), &[count; 100]].concat()));
    });
    let lost: u64 = gaps(&out).iter().map(|(_, lost, _)| *lost).sum();
    assert_eq!(lost, 20, "{:?}: {}", gaps(&out), hearing.told());
    assert!(
        hearing.told().contains("20 payloads are lost"),
        "{}",
        hearing.told()
    );
}
