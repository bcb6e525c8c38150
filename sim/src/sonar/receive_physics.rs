//! The physics of receiving, each law by itself, measured against what is known of it.

use std::f64::consts::{PI, TAU};

use beluga_types::{Pulse, PulseKind, SampleValues, Shading, SonarPing};
use nalgebra::Vector3;
use rustfft::num_complex::Complex;

use super::bench::{channel, decibels, lobe, point, power, sonar, towards, wave, waveforms};
use super::waveform::{Synthesis, replica};
use crate::scenario::ArrayShading;

/// Range widths and side lobes of compressed sweeps against those of their windows (half-power width
/// times c/2B) and against values another program measured at -3 dB: rows are windows on the replica.
#[test]
fn sweeps_compress_to_the_known_widths() {
    let pulse = Pulse {
        kind: PulseKind::Lfm,
        start_hz: 250e3,
        end_hz: 350e3,
        duration_s: 4.096e-3,
        shading: Shading::Rectangular,
    };
    let (rate, delay, speed) = (1e6, 4e-3, 1500.0);
    let synthesis = Synthesis::new(&pulse, rate, 8_000, 1);
    let mut scratch = synthesis.scratch();
    scratch.add(&synthesis.taps(delay).unwrap(), Complex::new(1.0, 0.0));
    let row: Vec<Complex<f32>> = synthesis.finish(&mut scratch).to_vec();
    println!("window       -3 dB width mm  expected  elsewhere  side lobe dB  elsewhere  (c/2B 7.5 mm)");
    for (window, width_mm, lobe_db) in [
        (ArrayShading::Rectangular, 6.56, -13.29),
        (ArrayShading::Hann, 10.78, -31.47),
        (ArrayShading::Hamming, 9.75, -42.57),
        (ArrayShading::Taylor, 8.81, -34.64),
    ] {
        let amplitude = |late_s: f64| {
            let at = |i: usize| i as f64 / rate - delay - late_s;
            let sum: Complex<f64> = row
                .iter()
                .enumerate()
                .map(|(i, value)| {
                    let weight = window.weight((at(i) / pulse.duration_s).clamp(-0.5, 0.5));
                    let value = Complex::new(f64::from(value.re), f64::from(value.im));
                    value * replica(&pulse, at(i)).conj() * weight
                })
                .sum();
            sum.norm()
        };
        let [width_s, highest_db] = lobe(amplitude, 0.25e-6, 300);
        let found_mm = 500.0 * speed * width_s;
        let expected_mm = 7.5 * window.half_power_width();
        println!(
            "{:<12} {found_mm:14.2} {expected_mm:9.2} {width_mm:10.2} {highest_db:13.2} {lobe_db:10.2}",
            format!("{window:?}")
        );
        assert!((found_mm - expected_mm).abs() < 0.03, "{window:?}: {found_mm} mm");
        assert!((found_mm - width_mm).abs() < 0.12, "{window:?}: {found_mm} mm");
        assert!((highest_db - lobe_db).abs() < 0.3, "{window:?}: {highest_db} dB");
    }
}

/// A beam's width and side lobes, from the echoes of one point that goes round it.
#[test]
fn beams_have_the_width_and_lobes_of_their_shading() {
    println!("shading      axis    -3 dB width deg  expected  side lobe dB  expected");
    for (shading, lobe_db) in [
        ("rectangular", -13.26),
        ("hann", -31.47),
        ("hamming", -42.68),
        ("taylor", -35.2),
    ] {
        let sonar = sonar(&format!(
            "beam_width_deg = 2.0\ntransmit_shading = \"{shading}\"\nreceive_shading = \"{shading}\"\nbeams = 1\nfan_deg = 0"
        ));
        let heard = |direction: &Vector3<f64>| {
            f64::from(sonar.transmit(direction))
                * f64::from(sonar.receive.across.at(sonar.receive.place(direction)))
        };
        // The transmit pattern is followed to u = 3 only: what is beyond its first lobe is not asked.
        let across = lobe(|angle| heard(&towards(angle, 0.0)).abs(), 0.01, 1_200);
        let along = lobe(|angle| heard(&towards(0.0, angle)).abs(), 0.01, 380);
        for (axis, [width, highest]) in [("across", across), ("along", along)] {
            println!(
                "{shading:<12} {axis:<7} {width:15.3} {:9.3} {highest:13.2} {lobe_db:9.2}",
                2.0
            );
            assert!((width - 2.0).abs() < 0.01, "{shading} {axis}: {width}");
            let right = (highest - lobe_db).abs() < 0.35;
            // The highest lobe of a Hamming or Taylor window is not the first.
            assert!(
                right || (axis == "along" && highest < lobe_db),
                "{shading} {axis}: {highest}"
            );
        }
    }
}

/// Sums the elements' samples at one moment after turning each by the phase of a plane wave from a
/// direction: a beam of an array that does not focus.
fn beamformed(ping: &SonarPing, moment: usize, wavelength_m: f64, from: &Vector3<f64>) -> f64 {
    let SonarPing::Elements(elements) = ping else {
        panic!("a ping by elements");
    };
    let places = &elements.positions;
    let sum: Complex<f64> = places
        .iter()
        .enumerate()
        .map(|(i, place)| {
            let ahead = place.vector().dot(from) / wavelength_m;
            channel(ping, i)[moment] * Complex::from_polar(1.0, -TAU * ahead)
        })
        .sum();
    sum.norm() / places.len() as f64
}

const LINE: &str =
    "device = \"hydrophone-line-16\"\npulse_kind = \"cw\"\npulse_shading = \"rectangular\"\nbits = 16\n";

/// 16 elements half a wavelength apart: half-power width 6.36°, highest side lobe -13.147 dB.
#[test]
fn a_line_of_16_elements_has_its_beam() {
    let sonar = sonar(LINE);
    let wavelength_m = sonar.sound_speed_m_per_s / 100e3;
    let (ping, _) = sonar.received(1, 0, &[wave(towards(0.0, 0.0), 1e6, 10e-3, 0.02)]);
    let moment = (10e-3 * sonar.sample_rate_hz) as usize;
    let rows: Vec<Complex<f64>> = (0..16).map(|i| channel(&ping, i)[moment]).collect();
    let SonarPing::Elements(elements) = &ping else {
        panic!("a ping by elements");
    };
    let amplitude = |angle: f64| {
        let from = towards(angle, 0.0);
        let turned = rows.iter().zip(elements.positions.iter()).map(|(value, place)| {
            value * Complex::from_polar(1.0, -TAU * place.vector().dot(&from) / wavelength_m)
        });
        turned.sum::<Complex<f64>>().norm()
    };
    let [width, highest] = lobe(amplitude, 0.01, 4_000);
    // sin(8 x) / (16 sin(x / 2)) with x = π sin θ is sqrt(1/2) at 3.1794°; a coarser search of this
    // width is quoted as 6.34°.
    println!(
        "16 elements at lambda/2: -3 dB width {width:.3} deg, expected 6.359; side lobe {highest:.3} dB, expected -13.147"
    );
    assert!(
        (width - 6.359).abs() < 0.003 && (width - 6.34).abs() < 0.03,
        "{width}"
    );
    assert!((highest + 13.147).abs() < 0.01, "{highest}");
    // A plane wave from 20° is found there.
    let (ping, _) = sonar.received(1, 0, &[wave(towards(20.0, 0.0), 1e6, 10e-3, 0.02)]);
    let best = (-600..600)
        .map(|i| f64::from(i) * 0.1)
        .max_by(|a, b| {
            let at = |angle: f64| beamformed(&ping, moment, wavelength_m, &towards(angle, 0.0));
            at(*a).total_cmp(&at(*b))
        })
        .unwrap();
    assert!((best - 20.0).abs() < 0.06, "to starboard: {best}");
}

/// What an aperture loses on its axis if it takes a wave front of radius R for plane: the mean phasor
/// of D²/8λR cycles at its ends (Fresnel). At R = D²/λ it is 0.24 dB.
fn defocusing_db(weight: impl Fn(f64) -> f64, cycles_at_end: f64) -> f64 {
    let n = 20_000;
    let sum: Complex<f64> = (0..n)
        .map(|i| {
            let x = (f64::from(i) + 0.5) / f64::from(n) - 0.5;
            Complex::from_polar(weight(x), -TAU * 4.0 * cycles_at_end * x * x)
        })
        .sum();
    20.0 * (sum.norm() / f64::from(n)).log10()
}

#[test]
fn the_near_field_of_an_array_is_its_aperture_squared_over_the_wavelength() {
    let line = sonar(&format!("{LINE}elements = [1, 128]\n"));
    let wavelength_m = line.sound_speed_m_per_s / 100e3;
    let length_m = 64.0 * wavelength_m;
    let far_m = length_m * length_m / wavelength_m;
    let moment = (10e-3 * line.sample_rate_hz) as usize;
    let level = |radius_m: f64| {
        let (ping, _) = line.received(1, 0, &[wave(towards(0.0, 0.0), radius_m, 10e-3, 0.02)]);
        decibels(beamformed(&ping, moment, wavelength_m, &towards(0.0, 0.0)).powi(2))
    };
    let plane = level(1e7);
    println!("R / (D^2/lambda)  loss of a line of 128 elements dB  expected");
    for part in [4.0, 1.0, 0.5, 0.25, 0.125] {
        let found = level(part * far_m) - plane;
        let expected = defocusing_db(|_| 1.0, 0.125 / part);
        println!("{part:16} {found:34.2} {expected:9.2}");
        assert!(
            (found - expected).abs() < 0.12,
            "{part}: {found} against {expected}"
        );
    }
    // The same of a multibeam that does not focus, against one that does.
    let [flat, focused] = ["multibeam-256-unfocused", "multibeam-256"]
        .map(|name| sonar(&format!("device = \"{name}\"\nbeams = 1\nfan_deg = 0")));
    let wavelengths = ArrayShading::Hann.wavelengths(1f64.to_radians());
    let far_m = wavelengths * wavelengths * flat.sound_speed_m_per_s / 300e3;
    println!("multibeam of 1 degree: D^2/lambda {far_m:.1} m\nR m   loss without focusing dB  expected");
    for range_m in [16.0, 8.0, 4.0, 2.0] {
        let level = |sonar: &super::Sonar| {
            let (ping, _) = sonar.received(
                1,
                0,
                &[point(
                    sonar,
                    towards(0.0, 0.0) * range_m,
                    1e-3 * range_m * range_m,
                )],
            );
            decibels(power(&channel(&ping, 0)))
        };
        let found = level(&flat) - level(&focused);
        let expected = defocusing_db(|x| ArrayShading::Hann.weight(x), 0.125 * far_m / range_m);
        println!("{range_m:4} {found:26.2} {expected:9.2}");
        assert!(
            (found - expected).abs() < 0.15,
            "{range_m}: {found} against {expected}"
        );
    }
}

/// The frequency of a constant tone's echo, from the turn of its phase over the pulse.
#[test]
fn a_tone_is_shifted_by_the_doppler_shift() {
    let sonar = sonar("pulse_kind = \"cw\"\npulse_shading = \"hann\"\nbeams = 1\nfan_deg = 0\n");
    println!("closing m/s  shift Hz  expected");
    for speed in [-3.0, -0.4, 0.0, 1.0, 5.0] {
        let mut arrival = wave(towards(0.0, 0.0), 10.0, 10e-3, 0.005);
        arrival.doppler = 2.0 * speed / sonar.sound_speed_m_per_s;
        let (ping, _) = sonar.received(1, 0, &[arrival]);
        let row = channel(&ping, 0);
        let middle = (10e-3 * sonar.sample_rate_hz) as usize;
        // Between points well inside the pulse of 60 samples.
        let turn: f64 = (middle - 18..middle + 18)
            .map(|i| (row[i + 1] * row[i].conj()).arg())
            .sum();
        let found = turn / 36.0 * sonar.sample_rate_hz / TAU;
        let expected = arrival.doppler * 300e3;
        println!("{speed:11} {found:9.1} {expected:9.1}");
        assert!(
            (found - expected).abs() < 3.0,
            "{speed}: {found} against {expected}"
        );
    }
}

/// A sweep hears a Doppler shift fd as a delay of -fd T/B, and with a phase of -π fd² T/B.
#[test]
fn a_sweep_couples_doppler_into_range() {
    println!("exact  closing m/s  delay us  expected  phase rad  expected");
    for exact in [false, true] {
        let sonar = sonar(&format!(
            "beams = 1\nfan_deg = 0\nexact_doppler = {exact}\nfull_scale_db = 0"
        ));
        for speed in [-4.0, 1.0, 4.0] {
            let mut arrival = wave(towards(0.0, 0.0), 10.0, 10e-3, 0.05);
            arrival.doppler = 2.0 * speed / sonar.sound_speed_m_per_s;
            let (ping, _) = sonar.received(1, 0, &[arrival]);
            let row = channel(&ping, 0);
            let rate = sonar.sample_rate_hz;
            let matched = |late_s: f64| -> Complex<f64> {
                let at = |i: usize| i as f64 / rate - 10e-3 - late_s;
                row.iter()
                    .enumerate()
                    .map(|(i, v)| v * replica(&sonar.pulse, at(i)).conj())
                    .sum()
            };
            let best = (-4_000..4_000)
                .map(|i| f64::from(i) * 2e-8)
                .max_by(|a, b| matched(*a).norm().total_cmp(&matched(*b).norm()))
                .unwrap();
            let shift_hz = arrival.doppler * 300e3;
            let per_hz = sonar.pulse.duration_s / sonar.pulse.bandwidth_hz();
            let (expected, phase) = (-shift_hz * per_hz, matched(-shift_hz * per_hz).arg());
            let expected_phase = if exact {
                -PI * shift_hz * shift_hz * per_hz
            } else {
                0.0
            };
            println!(
                "{exact:<6} {speed:11} {:9.2} {:9.2} {phase:10.3} {expected_phase:9.3}",
                best * 1e6,
                expected * 1e6
            );
            assert!(
                (best / expected - 1.0).abs() < 0.05,
                "{speed}: {best} against {expected}"
            );
            assert!((phase - expected_phase).abs() < 0.01, "{speed}: {phase}");
        }
    }
}

#[test]
fn noise_comes_out_at_the_level_it_goes_in() {
    println!("noise in dB  out dB");
    for level in [-120.0, -105.0, -80.0] {
        let sonar = sonar(&format!(
            "noise_db = {level}\nbeams = 16\nfull_scale_db = -60\nrange_m = 20"
        ));
        let (ping, _) = sonar.received(1, 0, &[]);
        let rows: Vec<_> = (0..16).flat_map(|i| channel(&ping, i)).collect();
        let found = decibels(power(&rows) / rows.len() as f64);
        println!("{level:11} {found:7.2}");
        assert!((found - level).abs() < 0.1, "{found}");
    }
}

/// A neighbour's ping comes at its own times, at its own angle, through the beams' pattern.
#[test]
fn a_neighbour_is_heard_at_its_times_and_through_the_pattern() {
    let sonar = sonar(
        "beam_width_deg = 2.0\nbeams = 121\nrange_m = 20.0\n[sonar.neighbour]\nrate_hz = 100\nlevel_db = -60\nacross_deg = 20.0\n\
         centre_hz = 310e3\nbandwidth_hz = 10e3\npulse_s = 2e-3",
    );
    let (ping, _) = sonar.received(1, 0, &[]);
    let level = |beam: usize| decibels(power(&channel(&ping, beam)));
    let loudest = (0..121).max_by(|a, b| level(*a).total_cmp(&level(*b))).unwrap();
    assert_eq!(loudest, 80, "beams are a degree apart from -60 on");
    println!("beams aside  level dB  expected");
    for aside in [1, 2, 4] {
        let found = level(80 + aside) - level(80);
        let u = ArrayShading::Hann.wavelengths(2f64.to_radians()) * (aside as f64).to_radians();
        let expected = decibels(ArrayShading::Hann.line(u).powi(2));
        println!("{aside:11} {found:9.2} {expected:9.2}");
        assert!(
            (found - expected).abs() < 0.3,
            "{aside}: {found} against {expected}"
        );
    }
    // Transmitted 35 ms into the run, the ping hears the neighbour's 4th at 40 ms: 5 ms, and the 5th.
    let row = channel(&ping, 80);
    let heard = |from_s: f64, to_s: f64| {
        let [from, to] = [from_s, to_s].map(|t| (t * sonar.sample_rate_hz) as usize);
        power(&row[from..to]) / (to - from) as f64
    };
    let pulse = decibels(heard(4.1e-3, 5.9e-3));
    assert!((pulse + 60.0).abs() < 0.1, "{pulse} dB");
    assert!(heard(6.1e-3, 13.9e-3) < 1e-12 && heard(14.1e-3, 15.9e-3) > 0.9e-6);
}

#[test]
fn hum_leaks_saturation_and_bits_are_as_stated() {
    let humming = sonar("beams = 2\n[sonar.hum]\nfrequency_hz = 305e3\nlevel_db = -70");
    let (ping, _) = humming.received(1, 0, &[]);
    let row = channel(&ping, 1);
    assert!((decibels(power(&row) / row.len() as f64) + 70.0).abs() < 0.05);
    let turn = (row[101] * row[100].conj()).arg() / TAU * humming.sample_rate_hz;
    assert!((turn - 5e3).abs() < 20.0, "{turn} Hz above the carrier");

    // Ten degrees apart, one beam hears nothing of the next one's echo but what leaks.
    let leaking = sonar("beams = 3\nfan_deg = 20\ncrosstalk_db = -30");
    let (ping, _) = leaking.received(1, 0, &[wave(towards(0.0, 0.0), 10.0, 10e-3, 0.005)]);
    let level = |beam: usize| decibels(power(&channel(&ping, beam)));
    for beside in [0, 2] {
        assert!(
            (level(1) - level(beside) - 30.0).abs() < 0.1,
            "{}",
            level(1) - level(beside)
        );
    }

    let loud = sonar("beams = 1\nfan_deg = 0\nbits = 8");
    let (ping, _) = loud.received(1, 0, &[wave(towards(0.0, 0.0), 10.0, 10e-3, 0.1)]);
    let SampleValues::IqI16(counts) = waveforms(&ping).values() else {
        panic!("as counts");
    };
    let most = counts.iter().flatten().map(|count| count.abs()).max().unwrap();
    assert!((127..=128).contains(&most), "{most} of 8 bits");
    let at_the_stop = counts.iter().flatten().filter(|count| count.abs() >= 127).count() as u64;
    assert!(loud.receiver.clipped() > 20 && loud.receiver.clipped() <= at_the_stop);
    let quiet = sonar("beams = 1\nfan_deg = 0");
    quiet.received(1, 0, &[wave(towards(0.0, 0.0), 10.0, 10e-3, 0.005)]);
    assert_eq!(quiet.receiver.clipped(), 0);
}

/// Patterns are taken at the middle frequency. What a flat spectrum over the band would give instead.
#[test]
fn the_band_changes_the_main_lobe_little() {
    let line = |u: f64| ArrayShading::Hann.line(u).powi(2);
    let band = 48e3 / 300e3;
    let over_band = |u: f64| {
        let n = 400;
        let part = |i: i32| 1.0 + band * ((f64::from(i) + 0.5) / f64::from(n) - 0.5);
        (0..n).map(|i| line(u * part(i))).sum::<f64>() / f64::from(n)
    };
    println!("u      middle frequency dB  over 16 % band dB");
    let half = 0.5 * ArrayShading::Hann.half_power_width();
    for (u, most_db) in [(0.5 * half, 0.02), (half, 0.05), (1.2, 0.2), (2.36, 0.7)] {
        let [one, all] = [line(u), over_band(u)].map(decibels);
        println!("{u:5.2} {one:20.2} {all:18.2}");
        assert!((one - all).abs() < most_db, "{u}: {one} {all}");
    }
}
