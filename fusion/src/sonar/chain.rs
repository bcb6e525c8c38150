//! The chain of one sonar, with everything it keeps from ping to ping.

use std::collections::BTreeSet;
use std::sync::Arc;

use beluga_types::elementary::{log10, powf};
use beluga_types::{Beam, Beams, Elements, Pulse, SensorId, SonarPing, Stamp, Waveforms};
use rayon::prelude::*;

use super::across::{Fan, Placed, Strongest};
use super::beamform::Beamformer;
use super::column::WaterColumn;
use super::config::SonarConfig;
use super::detect::{self, Candidate, Row};
use super::echo::{DetectionMethod, Echo, PingEchoes, Spread, steered, two_way_width_rad};
use super::prepared::{Prepared, Worker};
use super::resolve::{MOST_ECHOES, Terms};
use super::{array, image, pair, picture, profile, sectors};

/// Why a ping without a transmission has no echoes.
pub(crate) const LISTENING: &str = "listening only: no pulse was transmitted, so there are no echoes";

/// Beams of one parallel chunk; fixed, so that the work is cut the same for any number of threads.
const CHUNK: usize = 8;

/// Filters kept at once; a sonar has a handful of pulses.
const FILTERS: usize = 16;

/// Beams of one ping at most: beyond it the table of who sees whom would take 64 MB.
pub(super) const MOST_BEAMS: usize = 4096;

/// The chain of one sonar: plans and buffers are made at the first ping that needs them.
pub(crate) struct SonarChain {
    config: SonarConfig,
    id: SensorId,
    filters: Vec<Arc<Prepared>>,
    fan: Option<Arc<Fan>>,
    former: Option<Arc<Beamformer>>,
    workers: Vec<Worker>,
    power: Vec<f32>,
    raw: Vec<f32>,
    strongest: Strongest,
    /// The last ping's echoes in samples of their beams.
    placed: Vec<Placed>,
    column: WaterColumn,
    told: BTreeSet<String>,
}

impl SonarChain {
    /// A chain for the sonar with this id.
    pub(crate) fn new(config: &SonarConfig, id: SensorId) -> Self {
        Self {
            config: config.clamped(),
            id,
            filters: Vec::new(),
            fan: None,
            former: None,
            workers: Vec::new(),
            power: Vec::new(),
            raw: Vec::new(),
            strongest: Strongest::default(),
            placed: Vec::new(),
            column: WaterColumn::default(),
            told: BTreeSet::new(),
        }
    }

    /// The echoes of one ping. What cannot be processed gives none, and a note the first time.
    pub(crate) fn detect(
        &mut self,
        ping: &SonarPing,
        seq: u64,
        stamp: Stamp,
        sound_speed_m_per_s: f64,
    ) -> PingEchoes {
        let mut result = match ping {
            SonarPing::Beams(beams) => self.detect_beams(beams, sound_speed_m_per_s),
            SonarPing::Elements(elements) => self.detect_elements(elements, sound_speed_m_per_s),
            SonarPing::Profile(ping) => profile::detect(ping, &self.config, sound_speed_m_per_s),
            SonarPing::Detections(detections) => profile::pass_through(detections, &self.config),
            SonarPing::Image(ping) => image::detect(ping, &self.config, sound_speed_m_per_s),
        };
        if matches!(
            ping,
            SonarPing::Beams(_) | SonarPing::Elements(_) | SonarPing::Detections(_)
        ) {
            self.column.judge(&mut result.echoes, sound_speed_m_per_s);
        }
        if let Some(echogram) = &mut result.echogram {
            (echogram.sensor, echogram.seq, echogram.stamp) = (self.id, seq, stamp);
        }
        if !self.config.keep_echoes {
            result.echogram = None;
        }
        result.notes.retain(|note| self.told.insert(note.clone()));
        result
    }

    /// How many echoes stood alone in the water column, of how many.
    pub(crate) fn floating(&self) -> [u64; 2] {
        self.column.floating()
    }

    /// Echoes of the sectors of one transducer together, of two elements by their phase, or of the beams
    /// that more elements make.
    fn detect_elements(&mut self, elements: &Elements, sound_speed_m_per_s: f64) -> PingEchoes {
        let Some(pulse) = &elements.pulse else {
            return refusal(LISTENING.into());
        };
        if let Some(beam) = elements.beam.filter(|_| elements.positions.is_empty()) {
            return match sectors::together(elements, beam, *pulse) {
                Ok(ping) => self.detect_beams(&ping, sound_speed_m_per_s),
                Err(wrong) => unusable(wrong.to_string()),
            };
        }
        if elements.positions.len() > 2 {
            return self.detect_array(elements, pulse, sound_speed_m_per_s);
        }
        match self.prepared(pulse, &elements.waveforms) {
            Ok(prepared) => {
                if self.workers.is_empty() {
                    self.workers.push(Worker::default());
                }
                let worker = &mut self.workers[0];
                pair::detect(elements, &prepared, worker, &self.config, sound_speed_m_per_s)
            }
            Err(refused) => unusable(refused),
        }
    }

    /// Echoes of an array: of the beams it forms.
    fn detect_array(&mut self, elements: &Elements, pulse: &Pulse, sound_speed_m_per_s: f64) -> PingEchoes {
        let former = match &self.former {
            Some(known) if known.is_for(elements, pulse, sound_speed_m_per_s) => Arc::clone(known),
            _ => match Beamformer::new(
                elements,
                pulse,
                self.config.array_window,
                sound_speed_m_per_s,
                self.config.transforms,
            ) {
                Ok(former) => Arc::clone(self.former.insert(Arc::new(former))),
                Err(unformed) => return refusal(unformed.to_string()),
            },
        };
        match former.form(elements) {
            Ok(formed) => {
                let mut found = self.detect_beams(&formed.beams, sound_speed_m_per_s);
                if let Ok(prepared) = self.prepared(pulse, &formed.beams.waveforms) {
                    array::refine(&former, &formed, &prepared, &self.placed, &mut found.echoes);
                }
                found.notes.extend(former.notes.iter().cloned());
                found
            }
            Err(wrong) => unusable(wrong.to_string()),
        }
    }

    /// The filter for this pulse and these samples, made if it is new.
    fn prepared(&mut self, pulse: &Pulse, waveforms: &Waveforms) -> Result<Arc<Prepared>, String> {
        if let Some(known) = self.filters.iter().find(|known| known.fits(pulse, waveforms)) {
            return Ok(Arc::clone(known));
        }
        let prepared = Prepared::new(pulse, waveforms, &self.config).map_err(|unfit| unfit.to_string())?;
        let prepared = Arc::new(prepared);
        if self.filters.len() >= FILTERS {
            self.filters.remove(0);
        }
        self.filters.push(Arc::clone(&prepared));
        Ok(prepared)
    }

    /// How the beams see each other; kept as long as the table stays the same.
    fn fan(&mut self, beams: &[Beam]) -> Arc<Fan> {
        match &self.fan {
            Some(fan) if fan.is_for(beams) => Arc::clone(fan),
            _ => {
                let fan = Arc::new(Fan::new(beams, self.config.neighbour_rejection_db));
                self.fan = Some(Arc::clone(&fan));
                fan
            }
        }
    }

    fn detect_beams(&mut self, ping: &Beams, sound_speed_m_per_s: f64) -> PingEchoes {
        self.placed.clear();
        let shape = ping.waveforms.shape();
        if shape.channels == 0 || shape.channels > MOST_BEAMS {
            return refusal(format!(
                "ping has {} beams, expected 1 to {MOST_BEAMS}",
                shape.channels
            ));
        }
        let prepared = match self.prepared(&ping.pulse, &ping.waveforms) {
            Ok(prepared) => prepared,
            Err(refused) => return unusable(refused),
        };
        let beams: Vec<Beam> = ping
            .beams
            .iter()
            .map(|beam| steered(beam, ping.steering_rad))
            .collect();
        let fan = self.fan(&beams);
        let samples = prepared.filter.output_samples();
        self.compress(&ping.waveforms, &prepared);
        self.strongest.update(&self.power, samples);
        let start = prepared.sample_at(&ping.waveforms, 2.0 * ping.blanking_m / sound_speed_m_per_s);
        let mut found = self.find(&ping.waveforms, &beams, &prepared, &fan, start);
        self.part_pairs(&ping.waveforms, &beams, &prepared, &fan, &mut found);
        let width = prepared.width_samples();
        self.placed = fan.place(&found, &self.power, &self.strongest, width);
        let echoes: Vec<Echo> = self
            .placed
            .iter()
            .map(|echo| {
                let mut made = echo_of(echo, &beams, &self.config);
                made.two_way_time_s = prepared.time_s(&ping.waveforms, echo.candidate.place);
                made.early_s_per_m_per_s = prepared.early_s_per_m_per_s(sound_speed_m_per_s);
                made.sigma_time_s = echo.candidate.sigma / prepared.filter.output_rate_hz();
                made
            })
            .collect();
        let echogram = self.config.keep_echoes.then(|| {
            let axis = picture::Axis {
                first_s: prepared.first_s(&ping.waveforms),
                interval_s: 1.0 / prepared.filter.output_rate_hz(),
                sound_speed_m_per_s,
            };
            picture::of_rows(&self.raw, &self.power, shape.channels, &axis, &echoes)
        });
        PingEchoes {
            echoes,
            echogram,
            notes: prepared.too_short(start).into_iter().collect(),
            ..PingEchoes::default()
        }
    }

    /// Fills `power` with the compressed power of all beams, and `raw` with that of the samples as
    /// they came if they are to be shown.
    fn compress(&mut self, waveforms: &Waveforms, prepared: &Prepared) {
        let shape = waveforms.shape();
        let samples = prepared.filter.output_samples();
        let keep = self.config.keep_echoes;
        self.power.resize(shape.channels * samples, 0.0);
        self.raw
            .resize(if keep { shape.channels * shape.samples } else { 0 }, 0.0);
        self.workers.resize_with(
            shape.channels.div_ceil(CHUNK).max(self.workers.len()),
            Worker::default,
        );
        let mut raw_chunks: Vec<&mut [f32]> = self.raw.chunks_mut(CHUNK * shape.samples.max(1)).collect();
        raw_chunks.resize_with(shape.channels.div_ceil(CHUNK), Default::default);
        self.power
            .par_chunks_mut(CHUNK * samples)
            .zip(self.workers.par_iter_mut())
            .zip(raw_chunks.into_par_iter())
            .enumerate()
            .for_each(|(chunk, ((rows, worker), raw))| {
                for (within, row) in rows.chunks_mut(samples).enumerate() {
                    waveforms.read_channel(chunk * CHUNK + within, &mut worker.channel);
                    if keep {
                        let raw = &mut raw[within * shape.samples..(within + 1) * shape.samples];
                        for (slot, [re, im]) in raw.iter_mut().zip(&worker.channel) {
                            *slot = re * re + im * im;
                        }
                    }
                    prepared.filter.power(&worker.channel, &mut worker.scratch, row);
                }
            });
    }

    /// The echoes of every beam, in samples.
    fn find(
        &mut self,
        waveforms: &Waveforms,
        beams: &[Beam],
        prepared: &Prepared,
        fan: &Fan,
        start: usize,
    ) -> Vec<Vec<Candidate>> {
        let samples = prepared.filter.output_samples();
        let trains = prepared.trains(start);
        let (config, strongest) = (&self.config, &self.strongest);
        let arc_beyond_rad = config.arc_beyond_deg.to_radians();
        let chunks: Vec<Vec<Vec<Candidate>>> = self
            .power
            .par_chunks(CHUNK * samples)
            .zip(self.workers.par_iter_mut())
            .enumerate()
            .map(|(chunk, (rows, worker))| {
                let find_one = |(within, power): (usize, &[f32])| {
                    let beam = chunk * CHUNK + within;
                    prepared.cfar.levels(power, trains.clone(), &mut worker.levels);
                    // Only what passes is ever read of it, and that is written here.
                    worker.floor.resize(samples, 0.0);
                    let cell = prepared.cfar.cell_samples();
                    for passing in worker.levels.passing() {
                        let within = passing * cell..((passing + 1) * cell).min(samples);
                        fan.floor(beam, strongest, within, &mut worker.floor);
                    }
                    let widths = two_way_width_rad(&beams[beam]);
                    let is_wide = widths.iter().any(|&width| width > arc_beyond_rad);
                    let limits = prepared.limits(config, waveforms, widths[1], is_wide);
                    let mut row = Row {
                        power,
                        levels: &worker.levels,
                        cell,
                        floor: &mut worker.floor,
                        start,
                    };
                    detect::find(&mut row, &limits)
                };
                rows.chunks(samples).enumerate().map(find_one).collect()
            })
            .collect();
        chunks.into_iter().flatten().collect()
    }

    /// Makes two of each echo that is two targets and stands alone across the beams; of many the loudest over
    /// the noise are looked at, wherever in the fan. Arcs mean their nearest point, whatever comes behind it.
    fn part_pairs(
        &mut self,
        waveforms: &Waveforms,
        beams: &[Beam],
        prepared: &Prepared,
        fan: &Fan,
        found: &mut [Vec<Candidate>],
    ) {
        let (Some(resolver), Some(worker)) = (&prepared.resolver, self.workers.first_mut()) else {
            return;
        };
        let samples = prepared.filter.output_samples();
        let terms = Terms {
            interpolation: prepared.interpolation(),
            width: prepared.width_samples(),
            min_snr: powf(10.0, 0.1 * self.config.min_snr_db),
        };
        let arc_beyond_rad = self.config.arc_beyond_deg.to_radians();
        let is_wide = |beam: &Beam| {
            two_way_width_rad(beam)
                .iter()
                .any(|&width| width > arc_beyond_rad)
        };
        let may_part = |candidate: &&Candidate| resolver.may_part(candidate, &terms);
        let mut asked: Vec<(usize, Candidate)> = found
            .iter()
            .enumerate()
            .filter(|(beam, _)| !is_wide(&beams[*beam]))
            .flat_map(|(beam, echoes)| echoes.iter().filter(may_part).map(move |echo| (beam, *echo)))
            .collect();
        asked.sort_by(|(_, one), (_, other)| other.snr().total_cmp(&one.snr()));
        let mut asked: Vec<(usize, f64)> = asked
            .iter()
            .filter(|(beam, echo)| fan.stands_alone(*beam, echo, &self.power, samples, terms.width))
            .map(|(beam, echo)| (*beam, echo.place))
            .take(MOST_ECHOES)
            .collect();
        asked.sort_by_key(|(beam, _)| *beam);
        for of_beam in asked.chunk_by(|(one, _), (other, _)| one == other) {
            let beam = of_beam[0].0;
            let is_asked = |echo: &Candidate| of_beam.iter().any(|(_, place)| *place == echo.place);
            waveforms.read_channel(beam, &mut worker.channel);
            found[beam] = resolver.parted(&worker.channel, &found[beam], &terms, is_asked);
        }
    }
}

/// A ping that cannot be processed, and why.
pub(crate) fn refusal(note: String) -> PingEchoes {
    PingEchoes {
        notes: vec![note],
        ..PingEchoes::default()
    }
}

/// A ping whose pulse does not fit its samples.
fn unusable(note: String) -> PingEchoes {
    PingEchoes {
        unusable: true,
        ..refusal(note)
    }
}

/// The echo of a placed candidate; its times are the caller's to fill in.
///
/// A target smaller than the beam may lie anywhere in it: one sigma is the two-way width / 2.355.
/// A direction from amplitudes between beams keeps a fifth of that across, more at low signal. The
/// middle of `n` independent cells of footprint keeps `1 / sqrt(n)` of it, where neighbours have
/// told that it is this beam's. Of one beam alone nothing tells where in it the echo lies.
fn echo_of(placed: &Placed, beams: &[Beam], config: &SonarConfig) -> Echo {
    let beam = &beams[placed.beam];
    let axes = super::echo::BeamAxes::of(placed.direction);
    let width = two_way_width_rad(beam);
    let spread = Spread::of(&axes, width, config.arc_beyond_deg.to_radians());
    let snr = placed.candidate.snr();
    let [along, across] = width.map(|width| width / 2.355);
    let share = if beams.len() == 1 {
        1.0
    } else if placed.between_beams {
        (0.04 + 1.0 / snr).sqrt().min(1.0)
    } else {
        placed.candidate.cells.sqrt().recip().max(0.2)
    };
    let method = if spread.half_angle_rad.is_some() {
        DetectionMethod::LeadingEdge
    } else {
        DetectionMethod::WeightedMeanTime
    };
    Echo {
        beam: placed.beam as u32,
        two_way_time_s: 0.0,
        early_s_per_m_per_s: 0.0,
        transmit_delay_s: 0.0,
        direction: beluga_types::Direction::from_vector(placed.direction),
        sigma_time_s: 0.0,
        sigma_along_rad: along,
        sigma_across_rad: across * share,
        level_db: (10.0 * log10(placed.candidate.peak.max(1e-30))) as f32,
        snr_db: Some((10.0 * log10(snr)) as f32),
        method,
        half_angle_rad: spread.half_angle_rad,
        arc_plane: beluga_types::Direction::from_vector(spread.plane),
        floats: false,
    }
}

#[cfg(test)]
mod tests;
