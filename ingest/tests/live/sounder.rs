//! A Kongsberg EM's own file and an R2Sonic's pings, sent datagram by datagram: pings and poses are
//! those of the file.

use beluga_ingest::Recording;
use beluga_types::{Measurement, Payload};

use super::send::{Hearing, free_port, gaps};
use super::shared_data::shared_data;

/// The longest part: below what UDP's datagrams hold.
const LONGEST: usize = 60_000;

/// As a sounder sends a long datagram: head, number of parts, number of this part, a piece, the length
/// once more.
fn parts(datagram: &[u8]) -> Vec<Vec<u8>> {
    if datagram.len() <= LONGEST {
        return vec![datagram.to_vec()];
    }
    let (head, body) = (&datagram[4..20], &datagram[24..datagram.len() - 4]);
    let pieces: Vec<&[u8]> = body.chunks(LONGEST).collect();
    let part = |(number, piece): (u16, &&[u8])| {
        let length = u32::to_le_bytes(28 + piece.len() as u32);
        let count = u16::to_le_bytes(pieces.len() as u16);
        let number = u16::to_le_bytes(number);
        [&length, head, &count, &number, piece, &length].concat()
    };
    (1..).zip(&pieces).map(part).collect()
}

const ORIGIN: &str = "[origin]\nlat_deg = 51.4\nlon_deg = 3.1\nheight_m = 40.0\n";

/// Payloads, and their times from the first; what is learned of clocks on the way is none of the file's.
fn of_kind(measurements: &[Measurement], sensor: u16) -> Vec<(i64, Payload)> {
    let own: Vec<_> = measurements
        .iter()
        .filter(|one| one.sensor.0 == sensor && !matches!(one.payload, Payload::Gap(_) | Payload::Clock(_)))
        .collect();
    let first = own.first().map(|one| one.stamp).unwrap_or_default();
    own.iter()
        .map(|one| (one.stamp.nanos_since(first), one.payload.clone()))
        .collect()
}

#[test]
fn a_sounder_is_heard_as_its_file_is_read() {
    let Some(folder) = shared_data("a_sounder_is_heard_as_its_file_is_read", "sonar/kongsberg-kmall") else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "kmall"));
    files.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    assert!(!files.is_empty());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let sensors = |source: &str| {
            format!(
                "{ORIGIN}[[sensor]]\nname = \"em\"\nkind = \"sonar\"\nformat = \"kmall\"\nmodel = \"RX1\"\nsource = {source:?}\n\
                 [[sensor]]\nname = \"ins\"\nkind = \"nav\"\nformat = \"kmall\"\nmodel = \"SKM1\"\nsource = {source:?}\n"
            )
        };
        let hearing = Hearing::new();
        let path = hearing.rig(&sensors(&file.display().to_string()));
        let recording = Recording::open(&path).unwrap();
        let of_file: Vec<_> = recording.timeline().unwrap().collect();
        let port = free_port();
        let out = hearing.hear(&sensors(&format!("udp://127.0.0.1:{port}")), |sender| {
            let mut rest = bytes.as_slice();
            while let Some(length) = rest
                .first_chunk()
                .map(|length| u32::from_le_bytes(*length) as usize)
            {
                let (datagram, behind) = rest.split_at(length);
                parts(datagram).iter().for_each(|part| sender.send(port, 2, part));
                rest = behind;
            }
        });
        for sensor in [0, 1] {
            let (heard, expected) = (of_kind(&out, sensor), of_kind(&of_file, sensor));
            assert!(!expected.is_empty());
            assert_eq!(
                heard.len(),
                expected.len(),
                "{}: {:?}",
                file.display(),
                gaps(&out)
            );
            assert!(
                heard == expected,
                "{}: sensor {sensor} says something else",
                file.display()
            );
        }
        let serials = recording.nameplates();
        assert!(serials[0].serial.is_some(), "{}", file.display());
        assert_eq!(hearing.nameplates(), serials);
        assert!(
            hearing.told().contains("placed by when the host heard"),
            "{}",
            hearing.told()
        );
    }
}

/// The pings of an R2Sonic inside an XTF file: name and length, most significant byte first.
fn bth0(file: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (file, Vec::new());
    while let Some(at) = rest.windows(4).position(|name| name == b"BTH0") {
        let length = u32::from_be_bytes(*rest[at + 4..].first_chunk().unwrap()) as usize;
        found.push(&rest[at..at + length]);
        rest = &rest[at + length..];
    }
    found
}

#[test]
fn an_r2sonic_is_heard_as_its_pings_in_a_file_are_read() {
    let test = "an_r2sonic_is_heard_as_its_pings_in_a_file_are_read";
    let Some(file) = shared_data(test, "sonar/xtf-multibeam-r2sonic/r2testing_0001.xtf") else {
        return;
    };
    let bytes = std::fs::read(&file).unwrap();
    let pings = bth0(&bytes);
    assert_eq!(pings.len(), 923);
    let hearing = Hearing::new();
    let sensor = "[[sensor]]\nname = \"r2\"\nkind = \"sonar\"\n";
    let path = hearing.rig(&format!(
        "{sensor}format = \"xtf\"\nmodel = \"R2SONIC\"\nsource = {:?}\n",
        file.display().to_string()
    ));
    let of_file: Vec<_> = Recording::open(&path).unwrap().timeline().unwrap().collect();
    let port = free_port();
    let live = format!("{sensor}format = \"r2sonic\"\nsource = \"udp://127.0.0.1:{port}\"\n");
    let out = hearing.hear(&live, |sender| {
        sender.send(port, 1, b"no ping");
        sender.send(port, 1, b"TRU0 and more, which is passed over");
        sender.send(port, 1, &pings[0][..1000]);
        pings.iter().for_each(|ping| sender.send(port, 1, ping));
    });
    assert!(of_kind(&out, 0) == of_kind(&of_file, 0), "{:?}", gaps(&out));
    assert_eq!(of_kind(&out, 0).len(), 923);
    // One was cut, and one was nothing.
    let gaps = gaps(&out);
    let told = |words: &str, count: u64| {
        let own = gaps.iter().filter(|(_, _, detail)| detail.contains(words));
        own.map(|(_, lost, _)| lost).collect::<Vec<_>>() == [&count]
    };
    assert!(told("expected 1864 bytes, found 1000", 1), "{gaps:?}");
    assert!(told("1 datagram(s) of something else", 0), "{gaps:?}");
    assert!(
        hearing.told().contains("`r2`: clock: tells 2015-07-08T23:52"),
        "{}",
        hearing.told()
    );
}
