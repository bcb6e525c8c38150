//! Files of a real Simrad EK80, against what other programs read and compute from them.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::fs::File;
use std::path::Path;

use beluga_fusion::sonar::pulse::{MatchedFilter, Sampling, Scratch};
use beluga_fusion::sonar::{ReplicaWindow, Transforms};
use beluga_ingest::{Recording, ek80};
use beluga_types::elementary::Squared;
use beluga_types::{Echogram, Elements, Profile, SonarPing, Stamp};
use serde_json::Value;

mod shared_data;

use shared_data::shared_data;

const FOLDER: &str = "sonar/simrad-ek80";
const CHIRPS: &str = "y_2917763601822576513.raw";

fn pings(file: &Path, channel: &str) -> Vec<(Stamp, SonarPing)> {
    let pings = ek80::pings(File::open(file).unwrap(), file, channel).unwrap();
    pings.map(Result::unwrap).collect()
}

fn elements(ping: &SonarPing) -> &Elements {
    match ping {
        SonarPing::Elements(ping) => ping,
        other => panic!("{other:?}"),
    }
}

fn profile(ping: &SonarPing) -> &Profile {
    match ping {
        SonarPing::Profile(ping) => ping,
        other => panic!("{other:?}"),
    }
}

/// The filter of a ping as fusion makes it, without a window on the replica.
fn filter(ping: &Elements, samples: usize) -> MatchedFilter {
    let waveforms = &ping.waveforms;
    let sampling = Sampling {
        rate_hz: waveforms.sample_rate_hz(),
        centre_hz: waveforms.centre_hz(),
        iq: waveforms.values().is_iq(),
        samples,
    };
    let (receiver, pulse) = (waveforms.receiver().unwrap(), ping.pulse.unwrap());
    MatchedFilter::behind(
        receiver,
        &pulse,
        sampling,
        ReplicaWindow::Matched,
        Transforms::Fastest,
    )
    .unwrap()
}

/// A channel's samples behind the filter, at the times of the samples.
fn compressed(filter: &MatchedFilter, channel: &[[f32; 2]]) -> Vec<[f64; 2]> {
    let mut output = Vec::new();
    filter.compress(channel, &mut Scratch::default(), &mut output);
    let step = output.len() / channel.len();
    let values = output.iter().step_by(step);
    values
        .map(|value| [f64::from(value.re), f64::from(value.im)])
        .collect()
}

fn columns(file: &Path) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(file).unwrap();
    let numbers = |line: &str| line.split(',').map(|number| number.parse().unwrap()).collect();
    text.lines().skip(1).map(numbers).collect()
}

/// Length of the difference over the length of what is expected.
fn relative(found: &[[f64; 2]], expected: &[[f64; 2]]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |[re, im]: [f64; 2]| re * re + im * im;
    let error: f64 = found
        .iter()
        .zip(expected)
        .map(|(a, b)| square([a[0] - b[0], a[1] - b[1]]))
        .sum();
    (error / expected.iter().map(|&value| square(value)).sum::<f64>()).sqrt()
}

/// The replica by the filter's own answer: an impulse comes out as the conjugate replica, reversed,
/// divided by its energy. Gives the replica and that energy.
fn replica_of(ping: &Elements, length: usize) -> (Vec<[f64; 2]>, f64) {
    let samples = 4 * length;
    let filter = filter(ping, samples);
    let mut impulse = vec![[0.0; 2]; samples];
    impulse[2 * length] = [1.0, 0.0];
    let answer = compressed(&filter, &impulse);
    let energy = 1.0 / answer.iter().map(|[re, im]| re * re + im * im).sum::<f64>();
    let sample = |k: usize| answer[2 * length - k].map(|part| part * energy);
    (
        (0..length).map(|k| [sample(k)[0], -sample(k)[1]]).collect(),
        energy,
    )
}

#[test]
fn pulses_are_compressed_as_the_published_method_does() {
    let name = "pulses_are_compressed_as_the_published_method_does";
    let Some(folder) = shared_data(name, FOLDER) else {
        return;
    };
    let summary = ek80::summary(&folder.join(CHIRPS)).unwrap();
    for (index, replica, pc, length, energy) in [
        (
            0,
            "replica_ch0_es38.csv",
            "pc_ch0_es38_ping0.csv",
            41,
            13.462342639,
        ),
        (
            1,
            "replica_ch1_es200.csv",
            "pc_ch1_es200_ping0.csv",
            244,
            121.234031296,
        ),
    ] {
        let (_, ping) = &pings(&folder.join(CHIRPS), &summary.channels[index].id)[0];
        let ping = elements(ping);
        let expected: Vec<[f64; 2]> = columns(&folder.join(replica))
            .iter()
            .map(|row| [row[0], row[1]])
            .collect();
        assert_eq!(expected.len(), length);
        let (found, found_energy) = replica_of(ping, length);
        let error = relative(&found, &expected);
        println!("channel {index}: replica {error:.1e}, energy {found_energy}");
        assert!(error <= 1e-5, "{error}");
        assert!((found_energy / energy - 1.0).abs() <= 1e-5, "{found_energy}");

        let rows = columns(&folder.join(pc));
        let sectors = ping.waveforms.shape().channels;
        assert_eq!(
            (rows.len(), rows[0].len()),
            (ping.waveforms.shape().samples, 3 + 2 * sectors)
        );
        let filter = filter(ping, rows.len());
        let mut mean = vec![[0.0f64; 2]; rows.len()];
        let mut channel = Vec::new();
        for sector in 0..sectors {
            ping.waveforms.read_channel(sector, &mut channel);
            for (value, row) in channel.iter().zip(&rows) {
                let said = [row[1 + 2 * sector], row[2 + 2 * sector]];
                assert!(
                    (0..2).all(|part| (f64::from(value[part]) - said[part]).abs()
                        <= 1e-6 * said[part].abs().max(1e-6))
                );
            }
            for (sum, value) in mean.iter_mut().zip(compressed(&filter, &channel)) {
                *sum = [
                    sum[0] + value[0] / sectors as f64,
                    sum[1] + value[1] / sectors as f64,
                ];
            }
        }
        let expected: Vec<[f64; 2]> = rows
            .iter()
            .map(|row| [row[row.len() - 2], row[row.len() - 1]])
            .collect();
        let (all, far) = (
            relative(&mean, &expected),
            relative(&mean[100..], &expected[100..]),
        );
        println!("channel {index}: compressed {all:.1e} over all samples, {far:.1e} from 100 on");
        assert!(all <= 1e-4 && far <= 1e-4, "{all} {far}");
    }
}

/// Unix time of `2018-05-09T12:12:27.327976000` by the day it falls on.
fn nanos(time: &str, midnight_s: i64) -> i64 {
    let clock = time.split_once('T').unwrap().1;
    let parts: Vec<f64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    midnight_s * 1_000_000_000 + ((parts[0] * 3600.0 + parts[1] * 60.0 + parts[2]) * 1e9).round() as i64
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The first ping of a channel against the same of the reference.
fn check_first(ping: &SonarPing, expected: &Value) {
    let samples = expected["n_samples"].as_u64().unwrap() as usize;
    if let Some(first) = expected.get("power_dB_first3") {
        let strength = &profile(ping).strength;
        assert_eq!(strength.len(), samples);
        for (found, said) in strength.iter().zip(first.as_array().unwrap()) {
            assert!((f64::from(*found) - number(said)).abs() < 1e-4, "{found} {said}");
        }
        let mean = strength.iter().map(|&value| f64::from(value)).sum::<f64>() / samples as f64;
        assert!((mean - number(&expected["mean_dB"])).abs() < 1e-4);
        return;
    }
    let waveforms = &elements(ping).waveforms;
    let shape = waveforms.shape();
    assert_eq!(
        (shape.samples, shape.channels as u64),
        (samples, expected["n_beams"].as_u64().unwrap())
    );
    let mut power = 0.0;
    for sector in 0..shape.channels {
        let mut row = Vec::new();
        waveforms.read_channel(sector, &mut row);
        power += row
            .iter()
            .map(|&[re, im]| f64::from(re).squared() + f64::from(im).squared())
            .sum::<f64>();
        for (k, said) in ["r_first3_beam0", "i_first3_beam0"]
            .iter()
            .enumerate()
            .filter(|_| sector == 0)
        {
            for (value, said) in row.iter().zip(expected[said].as_array().unwrap()) {
                let (found, said) = (f64::from(value[k]), number(said));
                assert!((found - said).abs() <= 1e-12 * said.abs(), "{found} {said}");
            }
        }
    }
    assert!(
        (power / number(&expected["sum_abs2"]) - 1.0).abs() < 1e-9,
        "{power}"
    );
}

#[test]
fn five_files_hold_what_another_reader_finds() {
    let name = "five_files_hold_what_another_reader_finds";
    let Some(folder) = shared_data(name, FOLDER) else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("reference_echopype.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    // Midnight before each file, by `date -u -d`.
    for (file, midnight_s) in [
        ("EK80_-D20221108-T151353.raw", 1_667_865_600),
        ("turbeams_690049449920799324.raw", 1_682_035_200),
        (CHIRPS, 1_525_824_000),
        ("y_4585774545538022266.raw", 1_517_961_600),
        ("y_m1519668699940320059.raw", 1_569_196_800),
    ] {
        let (path, expected) = (folder.join(file), &reference[file]);
        let summary = ek80::summary(&path).unwrap();
        let counts: Value = serde_json::to_value(&summary.datagrams).unwrap();
        assert_eq!(counts, expected["datagrams"], "{file}");
        assert_eq!(summary.damaged, (0, None));
        let beams = &expected["Sonar/Beam_group1"];
        let mut times = Vec::new();
        let mut longest = 0;
        for (index, id) in beams["channels"].as_array().unwrap().iter().enumerate() {
            let id = id.as_str().unwrap();
            let channel = summary.channels.iter().find(|channel| channel.id == id).unwrap();
            let heard = pings(&path, id);
            assert_eq!(heard.len() as u64, channel.pings, "{file} {id}");
            longest = longest.max(channel.samples);
            let first = times.len();
            for (stamp, ping) in &heard {
                let (start_s, speed) = match ping {
                    SonarPing::Elements(ping) => (ping.waveforms.first_sample_s(), ping.sound_speed_m_per_s),
                    other => (profile(other).first_s, profile(other).sound_speed_m_per_s),
                };
                times.push(stamp.shifted_s(start_s).nanos());
                assert_eq!(
                    speed.unwrap(),
                    number(&expected["env"]["sound_speed_indicative"][0])
                );
            }
            // The reference has a row for each ping of any channel; this channel's may not be the first.
            let of_first = &beams["ping0"][index];
            let group = beams["ping_time_first_last"][0].as_str().unwrap();
            if of_first["n_samples"] != 0 && (times[first] - nanos(group, midnight_s)).abs() < 1_000 {
                check_first(&heard[0].1, of_first);
            }
            let pulse = match &heard[0].1 {
                SonarPing::Elements(ping) => ping.pulse,
                _ => None,
            };
            if let (Some(pulse), Some(starts)) = (pulse, beams.get("transmit_frequency_start")) {
                let stops = &beams["transmit_frequency_stop"];
                assert_eq!(
                    (pulse.start_hz, pulse.end_hz),
                    (number(&starts[index][0]), number(&stops[index][0]))
                );
                let duration_s = number(&beams["transmit_duration_nominal"][index][0]);
                assert!((pulse.duration_s - duration_s).abs() < 1e-9);
            }
        }
        assert_eq!(longest as u64, beams["dims"]["range_sample"].as_u64().unwrap());
        times.sort_unstable();
        let said = beams["ping_time_first_last"].as_array().unwrap();
        for (found, said) in [times[0], times[times.len() - 1]].iter().zip(said) {
            let said = nanos(said.as_str().unwrap(), midnight_s);
            // The reference keeps microseconds.
            assert!((found - said).abs() <= 2_000, "{file}: {found}, expected {said}");
        }
    }
}

#[test]
fn every_file_alone_shows_its_bottom() {
    let name = "every_file_alone_shows_its_bottom";
    let Some(folder) = shared_data(name, FOLDER) else {
        return;
    };
    // Ranges of the bottom, read by eye from the samples' power; pings of which it must be found.
    for (file, bottom_m, pings) in [
        (CHIRPS, 13.5..14.5, 12),
        ("EK80_-D20221108-T151353.raw", 5.4..6.0, 10),
        ("turbeams_690049449920799324.raw", 28.0..30.0, 11),
        ("y_m1519668699940320059.raw", 0.0..0.0, 0),
        ("y_4585774545538022266.raw", 0.0..0.0, 0),
    ] {
        let recording = Recording::open(&folder.join(file)).unwrap();
        let config = beluga_fusion::Config {
            keep_echoes: true,
            ..beluga_fusion::Config::default()
        };
        let mut fuser = beluga_fusion::Fuser::new(config, recording.rig().clone()).unwrap();
        let (mut frames, mut pictures) = (Vec::new(), Vec::new());
        for measurement in recording.timeline().unwrap() {
            frames.extend(fuser.push(measurement));
            pictures.extend(fuser.take_echoes());
        }
        frames.extend(fuser.finish());
        pictures.extend(fuser.take_echoes());
        let found = |picture: &&Echogram| {
            picture
                .detected
                .iter()
                .any(|(_, range_m)| bottom_m.contains(&f64::from(*range_m)))
        };
        let points: usize = frames.iter().map(|frame| frame.points.len()).sum();
        let arcs: usize = frames.iter().map(|frame| frame.arcs.len()).sum();
        println!(
            "{file}: {} pictures, {points} points, {arcs} arcs",
            pictures.len()
        );
        for picture in &pictures {
            println!("   {} {:?}", picture.sensor.0, picture.detected);
        }
        assert_eq!(pictures.iter().filter(found).count(), pings, "{file}");
    }
}
