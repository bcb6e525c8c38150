//! What devices of real recordings say of themselves.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use beluga_ingest::{Nameplate, Recording, Role};

#[path = "../../tests/shared_data/mod.rs"]
mod shared_data;

use shared_data::shared_data;

/// The plate of the first sensor of a recording of one file.
fn first(test: &str, path: &str) -> Option<Nameplate> {
    let recording = Recording::open(&shared_data(test, path)?).unwrap();
    let inputs = recording.inputs();
    assert_eq!(
        (inputs[0].role, inputs[0].files.len()),
        (Role::Data, 1),
        "{inputs:?}"
    );
    Some(recording.nameplates().swap_remove(0))
}

#[test]
fn a_kmall_says_its_units_and_versions() {
    let path = "sonar/kongsberg-kmall/OS01_m1927233285749584930.kmall";
    let Some(plate) = first("a_kmall_says_its_units_and_versions", path) else {
        return;
    };
    assert_eq!(plate.serial.as_deref(), Some("PU 25002, TX 5001, RX 5003"));
    assert_eq!(
        plate.firmware.as_deref(),
        Some(
            "CPU 6.3.0 2025-09-26, VXW 7-23.03 SMP 64-bit Sep 10 2024, FILTER 1.3.0 250924, CBMF 1.03 24.03.5, \
             TX 1.02 Aug 14 2024, RX 3.3.0 2025-09-03"
        )
    );
}

#[test]
fn an_all_says_its_units_and_versions() {
    let path = "sonar/kongsberg-all/0077_20221109_123655_Belgica.all";
    let Some(plate) = first("an_all_says_its_units_and_versions", path) else {
        return;
    };
    assert_eq!(
        plate.serial.as_deref(),
        Some("system 2004, TX 214, RX 2004, RX 2 2031")
    );
    assert_eq!(
        plate.firmware.as_deref(),
        Some(
            "TX 1.07 Mar 8 2018, RX 1.02 Nov 12 2012, BSP 1.11 18.02.20, PU 2.6.1 210709, station SIS 4.3.2"
        )
    );
}

#[test]
fn an_ek80_says_its_transceiver_and_transducer() {
    let path = "sonar/simrad-ek80/y_m1519668699940320059.raw";
    let Some(plate) = first("an_ek80_says_its_transceiver_and_transducer", path) else {
        return;
    };
    let serial = "transceiver 253685, transducer 28332";
    assert_eq!(plate.serial.as_deref(), Some(serial));
    assert_eq!(plate.firmware.as_deref(), Some("transceiver 1.01"));
}

#[test]
fn an_ousters_metadata_says_its_number_and_firmware() {
    let path = "lidar/ouster-pcap/OS-1-128_v2.3.0_1024x10_lb_n3.pcap";
    let Some(plate) = first("an_ousters_metadata_says_its_number_and_firmware", path) else {
        return;
    };
    assert_eq!(plate.serial.as_deref(), Some("122201000998"));
    assert_eq!(plate.firmware.as_deref(), Some("v2.3.0"));
}
