//! The detector on noise of its own making.

use super::super::synthetic::Noise;
use super::*;

#[test]
fn neighbouring_samples_as_training_would_break_the_rate() {
    // The same noise, trained on neighbours: their mean strays, and the threshold with it.
    let mut noise = Noise::new(9);
    let mut smooth = [0.0f64; 2];
    let power: Vec<f32> = (0..400_000)
        .map(|_| {
            for part in &mut smooth {
                *part = 0.9 * *part + 0.436 * noise.gaussian();
            }
            (smooth[0] * smooth[0] + smooth[1] * smooth[1]) as f32
        })
        .collect();
    let count = |guard: usize, cell: usize| {
        let cfar = Cfar::new(CfarKind::Ca, 1e-3, 32, guard, cell);
        let mut levels = Levels::default();
        cfar.levels(&power, 0..power.len(), &mut levels);
        (0..power.len())
            .filter(|&i| power[i] > levels.threshold[i / cell])
            .count()
    };
    let (correlated, independent) = (count(40, 1), count(2, 20));
    assert!(correlated > 2 * independent, "{correlated} against {independent}");
}

#[test]
fn a_long_echo_does_not_hide_itself() {
    let mut noise = Noise::new(3);
    let mut power: Vec<f32> = (0..1024).map(|_| noise.exponential() as f32).collect();
    for sample in &mut power[400..520] {
        *sample += 100.0 * (0.5 + noise.exponential() as f32);
    }
    let cfar = Cfar::new(CfarKind::Soca, 1e-6, 32, 2, 1);
    let mut levels = Levels::default();
    cfar.levels(&power, 0..1024, &mut levels);
    let found = (0..1024).filter(|&i| power[i] > levels.threshold[i]).count();
    assert!((110..=120).contains(&found), "{found} of 120");
    assert!(
        (levels.noise[460] - 1.0).abs() < 0.5,
        "noise is taken from beside the echo"
    );
}

#[test]
fn silence_and_rows_too_short_to_train_have_no_echo() {
    let cfar = Cfar::new(CfarKind::Soca, 1e-6, 32, 2, 4);
    let mut levels = Levels::default();
    for power in [vec![0.0f32; 500], vec![1.0; 30], vec![1e9, 1.0], Vec::new()] {
        cfar.levels(&power, 0..power.len(), &mut levels);
        assert!(
            power
                .iter()
                .enumerate()
                .all(|(i, &p)| p <= levels.threshold[i / 4])
        );
    }
}
