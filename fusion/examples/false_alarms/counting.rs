//! False alarms of the detector, counted on noise that holds nothing else.

use beluga_fusion::sonar::cfar::{Cfar, Levels};
use beluga_fusion::sonar::pulse::{MatchedFilter, Sampling, Scratch};
use beluga_fusion::sonar::{CfarKind, ReplicaWindow, Transforms};
use beluga_types::elementary::{ln, sin_cos};
use beluga_types::{Pulse, PulseKind, Shading};

/// All kinds of detector.
pub(crate) const KINDS: [CfarKind; 4] = [CfarKind::Ca, CfarKind::Goca, CfarKind::Os, CfarKind::Soca];
/// All weights on the replica.
pub(crate) const WINDOWS: [ReplicaWindow; 4] = [
    ReplicaWindow::Matched,
    ReplicaWindow::Hann,
    ReplicaWindow::Hamming,
    ReplicaWindow::Taylor,
];
/// Independent training cells, and those on either side that guard.
const TRAINING: usize = 32;
const GUARD: usize = 2;
/// Samples of one row of noise.
const ROW: usize = 1 << 15;

/// Alarms of one kind of detector at one designed rate.
pub(crate) struct Counted {
    pub(crate) kind: CfarKind,
    pub(crate) designed: f64,
    /// Samples in which the detector found something, of those tested.
    pub(crate) alarms: u64,
    pub(crate) tested: u64,
    /// Independent cells among them.
    pub(crate) cells: u64,
}

impl Counted {
    /// Alarms over those designed.
    pub(crate) fn ratio(&self) -> f64 {
        self.alarms as f64 / (self.tested as f64 * self.designed)
    }
}

/// Every kind at every rate on independent cells, at least `cells` of them.
pub(crate) fn white(rates: &[f64], cells: u64, seed: u64) -> Vec<Counted> {
    let mut bench = Bench::new(rates, 1);
    let mut chance = Chance(seed);
    let mut power = vec![0.0f32; ROW];
    while bench.counted[0].cells < cells {
        power.fill_with(|| chance.exponential() as f32);
        bench.count(&power, 0..ROW);
    }
    bench.counted
}

/// Every kind at every rate behind the matched filter of a swept pulse.
pub(crate) fn compressed(window: ReplicaWindow, rates: &[f64], cells: u64, seed: u64) -> Vec<Counted> {
    let pulse = Pulse {
        kind: PulseKind::Lfm,
        start_hz: 380e3,
        end_hz: 420e3,
        duration_s: 1e-3,
        shading: Shading::Rectangular,
    };
    let sampling = Sampling {
        rate_hz: 100e3,
        centre_hz: 400e3,
        iq: true,
        samples: ROW,
    };
    let filter = MatchedFilter::new(&pulse, sampling, window, Transforms::Fastest)
        .expect("the pulse fits its samples");
    let mut bench = Bench::new(rates, filter.cell_samples());
    let mut chance = Chance(seed);
    let (mut scratch, mut output) = (Scratch::default(), Vec::new());
    let (mut channel, mut power) = (vec![[0.0f32; 2]; ROW], Vec::new());
    while bench.counted[0].cells < cells {
        channel.fill_with(|| chance.gaussian_pair());
        filter.compress(&channel, &mut scratch, &mut output);
        power.clear();
        power.extend(output.iter().map(|value| value.norm_sqr()));
        bench.count(&power, filter.whole_samples());
    }
    bench.counted
}

struct Bench {
    detectors: Vec<Cfar>,
    counted: Vec<Counted>,
    levels: Levels,
}

impl Bench {
    fn new(rates: &[f64], cell: usize) -> Self {
        let cases: Vec<(CfarKind, f64)> = KINDS
            .iter()
            .flat_map(|&kind| rates.iter().map(move |&rate| (kind, rate)))
            .collect();
        let detector = |&(kind, rate): &(CfarKind, f64)| Cfar::new(kind, rate, TRAINING, GUARD, cell);
        let nothing = |&(kind, designed): &(CfarKind, f64)| Counted {
            kind,
            designed,
            alarms: 0,
            tested: 0,
            cells: 0,
        };
        Self {
            detectors: cases.iter().map(detector).collect(),
            counted: cases.iter().map(nothing).collect(),
            levels: Levels::default(),
        }
    }

    fn count(&mut self, power: &[f32], whole: std::ops::Range<usize>) {
        for (cfar, counted) in self.detectors.iter().zip(&mut self.counted) {
            cfar.levels(power, whole.clone(), &mut self.levels);
            let cell = cfar.cell_samples();
            let is_alarm = |index: &usize| power[*index] > self.levels.threshold[*index / cell];
            counted.alarms += whole.clone().filter(is_alarm).count() as u64;
            counted.tested += whole.len() as u64;
            counted.cells += (whole.len() / cell) as u64;
        }
    }
}

/// A counter turned into numbers: SplitMix64.
struct Chance(u64);

impl Chance {
    /// Uniform in (0, 1).
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + 1e-17
    }

    fn exponential(&mut self) -> f64 {
        -ln(self.uniform())
    }

    /// Two independent normal numbers, by the polar form.
    fn gaussian_pair(&mut self) -> [f32; 2] {
        let length = (2.0 * self.exponential()).sqrt();
        let (sin, cos) = sin_cos(std::f64::consts::TAU * self.uniform());
        [(length * cos) as f32, (length * sin) as f32]
    }
}
