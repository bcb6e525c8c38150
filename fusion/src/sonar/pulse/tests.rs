use super::super::polar::{from_polar, norm};
use super::super::synthetic::Noise;
use super::blocks::block_length;
use super::*;
use beluga_types::elementary::{cos, log10, sin};
use beluga_types::{PulseKind, Shading};

fn lfm(start_hz: f64, end_hz: f64, duration_s: f64) -> Pulse {
    Pulse {
        kind: PulseKind::Lfm,
        start_hz,
        end_hz,
        duration_s,
        shading: Shading::Rectangular,
    }
}

fn sampling(rate_hz: f64, centre_hz: f64, iq: bool, samples: usize) -> Sampling {
    Sampling {
        rate_hz,
        centre_hz,
        iq,
        samples,
    }
}

fn compressed(filter: &MatchedFilter, channel: &[[f32; 2]]) -> Vec<Complex<f32>> {
    let mut output = Vec::new();
    filter.compress(channel, &mut Scratch::default(), &mut output);
    output
}

/// The slow twin: the sum over the replica at every sample, written out.
fn correlated(
    pulse: &Pulse,
    sampling: &Sampling,
    window: ReplicaWindow,
    channel: &[[f32; 2]],
) -> Vec<Complex<f64>> {
    let replica = Replica::new(pulse, window, sampling.rate_hz, sampling.centre_hz);
    let half = replica.weighted.len() / 2;
    let twin = if sampling.iq { 1.0 } else { 2.0 };
    (0..channel.len())
        .map(|n| {
            let mut sum = Complex::new(0.0, 0.0);
            for (k, h) in replica.weighted.iter().enumerate() {
                if let Some([re, im]) = (n + k).checked_sub(half).and_then(|i| channel.get(i)) {
                    sum += h.conj() * Complex::new(f64::from(*re), f64::from(*im));
                }
            }
            sum * twin / replica.gain()
        })
        .collect()
}

#[test]
fn blocks_equal_the_plain_correlation() {
    let pulse = lfm(30e3, 50e3, 1e-3);
    let mut noise = Noise::new(1);
    // 20 kHz of band: one sample of so many is enough.
    for (iq, rate_hz, centre_hz, samples, needed) in [
        (false, 192e3, 0.0, 3001, 2),
        (true, 64e3, 41e3, 1777, 1),
        (true, 64e3, 41e3, 80, 1),
        (false, 192e3, 0.0, 193, 2),
        (false, 500e3, 0.0, 5003, 8),
        (true, 500e3, 41e3, 5002, 8),
        (true, 1e6, 41e3, 3001, 16),
        (true, 9e6, 41e3, 9007, 16),
    ] {
        let sampling = sampling(rate_hz, centre_hz, iq, samples);
        let channel: Vec<[f32; 2]> = (0..samples)
            .map(|_| {
                [
                    noise.gaussian() as f32,
                    if iq { noise.gaussian() as f32 } else { 0.0 },
                ]
            })
            .collect();
        let slow = correlated(&pulse, &sampling, ReplicaWindow::Hann, &channel);
        let (window, transforms) = (ReplicaWindow::Hann, Transforms::Fastest);
        let filters = [
            MatchedFilter::new(&pulse, sampling, window, transforms).unwrap(),
            MatchedFilter::at_every_sample(&pulse, sampling, window, transforms).unwrap(),
        ];
        for (filter, step) in filters.iter().zip([needed, 1]) {
            assert_eq!(filter.output_rate_hz(), rate_hz / step as f64);
            let fast = compressed(filter, &channel);
            assert_eq!(fast.len(), samples.div_ceil(step));
            for (fast, slow) in fast.iter().zip(slow.iter().step_by(step)) {
                let fast = Complex::new(f64::from(fast.re), f64::from(fast.im));
                assert!(
                    norm(fast - slow) < 2e-5,
                    "{fast} {slow}, {samples} samples, one of {step}"
                );
            }
        }
    }
}

#[test]
fn power_and_envelope_are_those_of_the_phasors() {
    let pulse = lfm(92.5e3, 107.5e3, 4e-3);
    for (rate_hz, samples) in [(20e3, 700), (100e3, 4500)] {
        let mut noise = Noise::new(3);
        let channel: Vec<[f32; 2]> = (0..samples)
            .map(|_| [noise.gaussian() as f32, noise.gaussian() as f32])
            .collect();
        let filter = MatchedFilter::new(
            &pulse,
            sampling(rate_hz, 100e3, true, samples),
            ReplicaWindow::Hann,
            Transforms::Fastest,
        )
        .unwrap();
        let phasors = compressed(&filter, &channel);
        assert_eq!(phasors.len(), filter.output_samples());
        let (mut power, mut envelope) = (vec![9.0; phasors.len() + 3], vec![9.0; phasors.len()]);
        filter.power(&channel, &mut Scratch::default(), &mut power);
        filter.envelope(&channel, &mut Scratch::default(), &mut envelope);
        for ((value, &power), &envelope) in phasors.iter().zip(&power).zip(&envelope) {
            assert_eq!(power, value.norm_sqr());
            assert_eq!(envelope, value.norm_sqr().sqrt());
        }
        assert_eq!(
            power[phasors.len()..],
            [0.0; 3],
            "what lies beyond the ping is silent"
        );
    }
}

#[test]
fn blocks_are_no_longer_than_they_need_be() {
    // Two blocks for the long ping; the least length for the shortest.
    for step in [1, 4, 16] {
        assert_eq!(block_length(65_536, 4_096, step), 36_864);
        assert!(block_length(2_900, 100, step) <= 4096);
        assert_eq!(block_length(2, 1, step), 64);
        for (samples, ends) in [
            (4_096, 200),
            (3_601, 200),
            (1_000_000, 9_999),
            (5, 4_000),
            (5, 4_090),
        ] {
            let block = block_length(samples, ends, step);
            assert!(block >= ends + step && block.is_multiple_of(16), "{block}");
        }
    }
}

#[test]
fn a_constant_frequency_keeps_every_sample() {
    let pulse = Pulse {
        kind: PulseKind::Cw,
        ..lfm(40e3, 40e3, 1e-3)
    };
    let sampling = sampling(200e3, 0.0, false, 3000);
    let filter = MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann, Transforms::Fastest).unwrap();
    assert_eq!(filter.output_samples(), 3000);
}

#[test]
fn interpolated_output_meets_the_samples_between() {
    // 20 kHz of I/Q for 15 kHz of band: every second output sample is one of the plain ones.
    let pulse = lfm(92.5e3, 107.5e3, 4e-3);
    let sampling = sampling(20e3, 100e3, true, 700);
    let mut noise = Noise::new(2);
    let channel: Vec<[f32; 2]> = (0..700)
        .map(|_| [noise.gaussian() as f32, noise.gaussian() as f32])
        .collect();
    let filter = MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann, Transforms::Fastest).unwrap();
    assert_eq!(filter.output_samples(), 1400);
    let fast = compressed(&filter, &channel);
    let slow = correlated(&pulse, &sampling, ReplicaWindow::Hann, &channel);
    for (n, slow) in slow.iter().enumerate() {
        let fast = Complex::new(f64::from(fast[2 * n].re), f64::from(fast[2 * n].im));
        assert!(norm(fast - slow) < 2e-5, "sample {n}");
    }
}

/// An echo of amplitude 3 at a two-way time between samples, seen at the filter's output.
fn echo_error_samples(iq: bool, rate_hz: f64, centre_hz: f64, pulse: &Pulse, delay_s: f64) -> (f64, f64) {
    let samples = 2000;
    let channel: Vec<[f32; 2]> = (0..samples)
        .map(|n| {
            let value = super::super::synthetic::echo_at(pulse, iq, centre_hz, n as f64 / rate_hz, delay_s);
            [3.0 * value.re as f32, 3.0 * value.im as f32]
        })
        .collect();
    let filter = MatchedFilter::new(
        pulse,
        sampling(rate_hz, centre_hz, iq, samples),
        ReplicaWindow::Hann,
        Transforms::Fastest,
    )
    .unwrap();
    let power: Vec<f32> = compressed(&filter, &channel)
        .iter()
        .map(|v| v.norm_sqr())
        .collect();
    let top = (0..power.len())
        .max_by(|&a, &b| power[a].total_cmp(&power[b]))
        .unwrap();
    let peak = super::super::peak::refine(&power, top);
    let per_input = filter.output_rate_hz() / rate_hz;
    (peak.place / per_input - delay_s * rate_hz, peak.power.sqrt())
}

#[test]
fn an_echo_peaks_at_its_two_way_time_with_its_amplitude() {
    for (iq, rate_hz, centre_hz, pulse) in [
        (false, 192e3, 0.0, lfm(30e3, 60e3, 2e-3)),
        (true, 100e3, 400e3, lfm(380e3, 420e3, 2e-3)),
        (true, 20e3, 100e3, lfm(92.5e3, 107.5e3, 4e-3)),
        (true, 100e3, 400e3, lfm(420e3, 380e3, 2e-3)),
    ] {
        for part in [0.0, 0.2, 0.5, 0.7] {
            let delay_s = (900.0 + part) / rate_hz;
            let (error, amplitude) = echo_error_samples(iq, rate_hz, centre_hz, &pulse, delay_s);
            assert!(
                error.abs() < 0.03,
                "off by {error} samples, iq {iq}, {rate_hz} Hz"
            );
            assert!((amplitude - 3.0).abs() < 0.06, "amplitude {amplitude}");
        }
    }
}

/// Width in mm at 1500 m/s, highest sidelobe in dB, and the loss in dB where it is published, of one
/// window.
type Published = (f64, f64, Option<f64>);

#[test]
fn widths_sidelobes_and_losses_are_those_published() {
    // Sampling rate, length, band, then per window.
    let rows: [(f64, f64, f64, [Published; 4]); 3] = [
        (
            1e6,
            4.096e-3,
            100e3,
            [
                (6.56, -13.29, Some(0.0)),
                (10.78, -31.47, Some(1.76)),
                (9.75, -42.57, Some(1.35)),
                (8.81, -34.64, Some(0.93)),
            ],
        ),
        (
            500e3,
            1e-3,
            40e3,
            [
                (16.5, -13.59, None),
                (27.0, -31.11, None),
                (24.4, -34.54, None),
                (22.1, -30.55, None),
            ],
        ),
        (
            192e3,
            3e-3,
            60e3,
            [
                (10.74, -13.33, None),
                (17.6, -31.47, None),
                (16.1, -42.13, None),
                (14.7, -33.96, None),
            ],
        ),
    ];
    let windows = [
        ReplicaWindow::Matched,
        ReplicaWindow::Hann,
        ReplicaWindow::Hamming,
        ReplicaWindow::Taylor,
    ];
    for (rate_hz, duration_s, band_hz, expected) in rows {
        let centre_hz = if rate_hz > 200e3 { 150e3 } else { 50e3 };
        let pulse = lfm(centre_hz - 0.5 * band_hz, centre_hz + 0.5 * band_hz, duration_s);
        for (window, (width_mm, sidelobe_db, loss_db)) in windows.into_iter().zip(expected) {
            let filter = MatchedFilter::new(
                &pulse,
                sampling(rate_hz, 0.0, false, 10_000),
                window,
                Transforms::Fastest,
            )
            .unwrap();
            let found_mm = filter.width_s() * 750.0 * 1000.0;
            let found_db = 10.0 * log10(filter.sidelobes().near);
            println!(
                "{band_hz} Hz {window:?}: {found_mm:.2} mm, {found_db:.2} dB, {:.2} dB",
                filter.mismatch_loss_db()
            );
            // The published widths were counted in steps of an eighth of a sample.
            let step_mm = 750.0 * 1000.0 / (8.0 * rate_hz);
            assert!(
                (found_mm - width_mm).abs() < step_mm + 0.05,
                "{found_mm} mm, expected {width_mm}"
            );
            // Published of a sweep one sample shorter: at low time-bandwidth the pedestal of a window's
            // ends tells (`response.rs` has the sweep as published, to 0.01 dB).
            assert!(
                (found_db - sidelobe_db).abs() < 1.0,
                "{found_db} dB, expected {sidelobe_db}"
            );
            let loss_db = loss_db.unwrap_or(filter.mismatch_loss_db());
            assert!((filter.mismatch_loss_db() - loss_db).abs() < 0.006);
        }
    }
}

#[test]
fn what_is_no_pulse_is_refused() {
    let good = sampling(192e3, 0.0, false, 5000);
    let try_with = |pulse: Pulse, sampling| {
        MatchedFilter::new(&pulse, sampling, ReplicaWindow::Hann, Transforms::Fastest).err()
    };
    assert!(matches!(
        try_with(lfm(30e3, 60e3, 0.0), good),
        Some(Unfit::Pulse { .. })
    ));
    assert!(matches!(
        try_with(lfm(f64::NAN, 60e3, 1e-3), good),
        Some(Unfit::Pulse { .. })
    ));
    assert!(matches!(
        try_with(lfm(30e3, 30e3, 1e-3), good),
        Some(Unfit::Pulse { .. })
    ));
    assert!(matches!(
        try_with(lfm(30e3, 60e3, 1e9), good),
        Some(Unfit::Pulse { .. })
    ));
    assert!(matches!(
        try_with(lfm(30e3, 120e3, 1e-3), good),
        Some(Unfit::Band { .. })
    ));
    let short = sampling(192e3, 0.0, false, 100);
    assert!(matches!(
        try_with(lfm(30e3, 60e3, 1e-3), short),
        Some(Unfit::Short { .. })
    ));
    assert_eq!(try_with(lfm(30e3, 60e3, 1e-3), good), None);
}

/// Two complex band-pass filters around 44 kHz, from 1 MHz to 31.25 kHz: the pulse's 20 kHz lie
/// across a multiple of half of that rate.
fn receiver() -> Receiver {
    let stage = |taps: i32, rate_hz: f64, half_band_hz: f64, decimation| {
        let coefficients = (0..taps).map(|tap| {
            let t = f64::from(tap - taps / 2) / rate_hz;
            let x = std::f64::consts::TAU * half_band_hz * t;
            let sinc = if x == 0.0 { 1.0 } else { sin(x) / x };
            let hann = 0.5 + 0.5 * cos(std::f64::consts::TAU * f64::from(tap - taps / 2) / f64::from(taps));
            let value = from_polar(
                2.0 * half_band_hz / rate_hz * sinc * hann,
                std::f64::consts::TAU * 44e3 * t,
            );
            [value.re as f32, value.im as f32]
        });
        beluga_types::FilterStage {
            coefficients: coefficients.collect(),
            decimation,
        }
    };
    Receiver::new(1e6, vec![stage(61, 1e6, 60e3, 4), stage(101, 250e3, 13e3, 8)]).unwrap()
}

#[test]
fn an_echo_behind_a_receiver_peaks_at_its_two_way_time_with_its_amplitude() {
    let receiver = receiver();
    let pulse = Pulse {
        shading: Shading::Tukey(0.2),
        ..lfm(34e3, 54e3, 1e-3)
    };
    let sent = stages::transmitted(&pulse, receiver.rate_hz());
    for delay in [6000usize, 6005, 6013, 6021, 6030] {
        let mut signal = vec![0.0; delay];
        signal.extend(sent.iter().map(|value| 3.0 * value));
        signal.resize(16_000, 0.0);
        let heard = stages::through(&receiver, &signal);
        let channel: Vec<[f32; 2]> = heard[..500].iter().map(|v| [v.re as f32, v.im as f32]).collect();
        for window in [ReplicaWindow::Matched, ReplicaWindow::Hann] {
            let sampling = sampling(receiver.output_rate_hz(), 0.0, true, channel.len());
            let filter =
                MatchedFilter::behind(&receiver, &pulse, sampling, window, Transforms::Fastest).unwrap();
            assert_eq!(filter.output_samples(), 1000);
            assert_eq!(filter.centre_after_s(), 0.5e-3);
            let power: Vec<f32> = compressed(&filter, &channel)
                .iter()
                .map(|v| v.norm_sqr())
                .collect();
            let top = (0..power.len())
                .max_by(|&a, &b| power[a].total_cmp(&power[b]))
                .unwrap();
            let peak = super::super::peak::refine(&power, top);
            let off_s = peak.place / filter.output_rate_hz() - delay as f64 * 1e-6;
            assert!(off_s.abs() < 1e-6, "{delay} µs, {window:?}: off by {off_s} s");
            assert!(
                (peak.power.sqrt() - 3.0).abs() < 0.1,
                "amplitude {}",
                peak.power.sqrt()
            );
        }
    }
}

#[test]
fn blocks_behind_a_receiver_equal_the_plain_correlation() {
    let receiver = receiver();
    let pulse = lfm(34e3, 54e3, 1e-3);
    let replica = Replica::received(&pulse, ReplicaWindow::Hann, &receiver);
    let mut noise = Noise::new(6);
    let channel: Vec<[f32; 2]> = (0..700)
        .map(|_| [noise.gaussian() as f32, noise.gaussian() as f32])
        .collect();
    let sampling = sampling(receiver.output_rate_hz(), 0.0, true, channel.len());
    let filter = MatchedFilter::behind(
        &receiver,
        &pulse,
        sampling,
        ReplicaWindow::Hann,
        Transforms::Fastest,
    )
    .unwrap();
    let fast = compressed(&filter, &channel);
    for n in 0..channel.len() {
        let pairs = replica.weighted.iter().zip(&channel[n..]);
        let sum: Complex<f64> = pairs
            .map(|(h, [re, im])| h.conj() * Complex::new(f64::from(*re), f64::from(*im)))
            .sum();
        let slow = sum / replica.gain();
        let fast = Complex::new(f64::from(fast[2 * n].re), f64::from(fast[2 * n].im));
        assert!(norm(fast - slow) < 2e-5, "sample {n}: {fast} {slow}");
    }
    assert_eq!(filter.whole_samples().start, 0);
    assert_eq!(filter.whole_samples().end, 2 * (700 - replica.weighted.len() + 1));
}
