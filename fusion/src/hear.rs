//! Pings of a window: through each sonar's chain, and to their places.

use std::collections::{BTreeMap, BTreeSet};

use beluga_types::elementary::hypot;
use beluga_types::{
    ArcTable, Body, Echogram, Measurement, Medium, Payload, PointTable, Rig, SensorId, SensorKind,
    SensorSpec, SonarPing, Stamp, Transform, Water, Window,
};

use crate::config::Config;
use crate::frame::AboveWater;
use crate::place::{PingPlace, Sound};
use crate::sonar::acoustics::ray::Profile;
use crate::sonar::acoustics::{air_sound_speed_m_per_s, sound_speed_of};
use crate::sonar::{SonarChain, SonarConfig};

/// Air where nothing is stated: 20 °C, give or take ten.
const AIR_TEMPERATURE_DEG_C: f64 = 20.0;
const AIR_SIGMA_M_PER_S: f64 = 6.0;
/// A speed the sonar's head measured is good to this, in m/s.
const HEAD_SIGMA_M_PER_S: f64 = 1.0;
/// Speeds of sound in water that are believed of a head, in m/s.
const BELIEVED_M_PER_S: std::ops::RangeInclusive<f64> = 1300.0..=1800.0;
/// A head that differs this much from the stated water steers its beams elsewhere than they are taken
/// to look, or the cast is old; in m/s.
pub const ALARMING_M_PER_S: f64 = 2.0;

/// The sonars of the rig, with what each keeps from ping to ping.
pub(crate) struct Sonars {
    config: SonarConfig,
    chains: BTreeMap<SensorId, SonarChain>,
    /// Speed of sound last used, and its sigma, in m/s.
    speeds: BTreeMap<SensorId, (f64, f64)>,
    /// The water, if it is a profile that can be used.
    profile: Option<Profile>,
    waterline_m: Option<f64>,
    /// Sonars whose heads were said to differ from the stated water.
    alarmed: BTreeSet<SensorId>,
}

/// What the pings of a window gave beside points and arcs.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) echograms: Vec<Echogram>,
    pub(crate) notes: Vec<String>,
    /// Echoes that had no place.
    pub(crate) dropped: Vec<(SensorId, usize)>,
    /// Sonars of the pings whose pulse does not fit their samples.
    pub(crate) unusable: Vec<SensorId>,
}

impl Sonars {
    pub(crate) fn new(config: &Config, rig: &Rig) -> Self {
        let mut sonars = Self {
            config: SonarConfig {
                keep_echoes: config.keep_echoes || config.sonar.keep_echoes,
                ..config.sonar.clone()
            },
            chains: BTreeMap::new(),
            speeds: BTreeMap::new(),
            profile: match &rig.water {
                Water::Profile(levels) => Profile::new(levels),
                _ => None,
            },
            alarmed: BTreeSet::new(),
            waterline_m: rig.vessel.waterline_m.filter(|height| height.is_finite()),
        };
        for id in rig.ids() {
            if rig.sensor(id).is_some_and(|spec| spec.kind == SensorKind::Sonar) {
                let speed = sonars.speed(rig, id, None);
                sonars.speeds.insert(id, (speed.m_per_s, speed.sigma_m_per_s));
            }
        }
        sonars
    }

    /// What is assumed of the water, for people.
    pub(crate) fn assumptions(&self, rig: &Rig) -> Vec<String> {
        let assumed = |(id, (speed, sigma)): (&SensorId, &(f64, f64))| {
            let spec = rig.sensor(*id)?;
            self.speed(rig, *id, None).assumed.then(|| {
                format!(
                    "`{}`: speed of sound not stated, taken as {speed:.0} ± {sigma:.0} m/s unless its pings tell",
                    spec.name
                )
            })
        };
        self.speeds.iter().filter_map(assumed).collect()
    }

    /// What stood alone in the water column, for people.
    pub(crate) fn floating_notes(&self, rig: &Rig) -> Vec<String> {
        let told = |(id, chain): (&SensorId, &SonarChain)| {
            let [floating, all] = chain.floating();
            let name = &rig.sensor(*id)?.name;
            (floating > 0).then(|| {
                format!(
                    "`{name}`: {floating} of {all} soundings stand alone in the water, well nearer than the bed or wall \
                     on both sides of them (fish, bubbles, what drifts): kept, and labelled `volume` where nothing else is said of them"
                )
            })
        };
        self.chains.iter().filter_map(told).collect()
    }

    /// Speed of sound used for a sonar and its sigma, in m/s.
    pub(crate) fn speed_of(&self, sensor: SensorId) -> Option<(f64, f64)> {
        self.speeds.get(&sensor).copied()
    }

    /// Detects and places every ping of a window.
    pub(crate) fn hear(
        &mut self,
        window: &Window,
        measurements: &[Measurement],
        rig: &Rig,
        body_end_from_body: impl Fn(Stamp) -> Transform<Body, Body>,
        above_water: Option<AboveWater>,
        tables: (&mut PointTable, &mut ArcTable),
    ) -> Heard {
        let mut heard = Heard::default();
        let (points, arcs) = tables;
        for measurement in measurements {
            let (Payload::Sonar(ping), Some(spec)) = (&measurement.payload, rig.sensor(measurement.sensor))
            else {
                continue;
            };
            let id = measurement.sensor;
            let head = head_speed(ping).filter(|speed| BELIEVED_M_PER_S.contains(speed));
            let speed = self.speed(rig, id, head);
            heard.notes.extend(self.alarm(id, spec, head, &speed));
            // Where the head contradicts the cast, the water on the way may be as far from it.
            let doubt = head.map_or(0.0, |head| head - self.at_head(&speed));
            let sigma_m_per_s = match speed.assumed {
                true => speed.sigma_m_per_s,
                false => hypot(speed.sigma_m_per_s, doubt),
            };
            self.speeds.insert(id, (speed.m_per_s, sigma_m_per_s));
            let chain = self
                .chains
                .entry(id)
                .or_insert_with(|| SonarChain::new(&self.config, id));
            let echoes = chain.detect(ping, measurement.seq, measurement.stamp, speed.m_per_s);
            let place = PingPlace {
                sensor: id,
                seq: measurement.seq,
                stamp: measurement.stamp,
                window_end: window.end,
                body_from_sensor: spec.body_from_sensor(),
                body_end_from_body: &body_end_from_body,
                medium: spec.medium,
                sound: Sound {
                    speed_m_per_s: speed.m_per_s,
                    profile: self.profile.as_ref().filter(|_| spec.medium == Medium::Water),
                    steered_m_per_s: head.filter(|_| spec.flat_array && is_steered(ping)),
                    depth_m: speed.depth_m,
                },
                above_water,
            };
            let dropped = place.add(&echoes.echoes, points, arcs);
            if dropped > 0 {
                heard.dropped.push((id, dropped));
            }
            heard.echograms.extend(echoes.echogram);
            if echoes.unusable {
                heard.unusable.push(id);
            }
            heard.notes.extend(
                echoes
                    .notes
                    .into_iter()
                    .map(|note| format!("`{}`: {note}", spec.name)),
            );
        }
        heard
    }

    /// The speed of sound at a sonar's head by the stated water, in m/s.
    fn at_head(&self, speed: &Speed) -> f64 {
        match &self.profile {
            Some(profile) => profile.speed_at(speed.depth_m),
            None => speed.m_per_s,
        }
    }

    /// What to say of a head whose speed of sound is not that of the stated water; once for each sonar.
    fn alarm(
        &mut self,
        id: SensorId,
        spec: &SensorSpec,
        head_m_per_s: Option<f64>,
        speed: &Speed,
    ) -> Option<String> {
        let head = head_m_per_s.filter(|_| !speed.assumed)?;
        let stated = self.at_head(speed);
        let differs = (head - stated).abs() >= ALARMING_M_PER_S;
        let looking = match spec.flat_array {
            true => "its beams are turned to where delays along its flat array look in that water",
            false => {
                "its beams look elsewhere than they say (those of a flat array are turned, `flat_array`)"
            }
        };
        (differs && self.alarmed.insert(id)).then(|| {
            format!(
                "`{}`: its head has {head:.1} m/s, the stated water {stated:.1} m/s at {:.1} m: {looking}, and ranges \
                 are stated with that doubt; take a new cast, or correct the rig's water",
                spec.name, speed.depth_m
            )
        })
    }

    /// The rig's water decides; where it says nothing, the sonar's own head; else a stated default.
    fn speed(&self, rig: &Rig, id: SensorId, head_m_per_s: Option<f64>) -> Speed {
        let spec = rig.sensor(id);
        let down_m = spec.map_or(0.0, |spec| spec.mount.down_m);
        let depth_m = (down_m + self.waterline_m.unwrap_or(0.0)).max(0.0);
        if spec.is_some_and(|spec| spec.medium == Medium::Air) {
            return Speed {
                m_per_s: air_sound_speed_m_per_s(AIR_TEMPERATURE_DEG_C),
                sigma_m_per_s: AIR_SIGMA_M_PER_S,
                depth_m: 0.0,
                assumed: true,
            };
        }
        let water = sound_speed_of(&rig.water, depth_m);
        let (m_per_s, sigma_m_per_s, assumed) = match head_m_per_s {
            Some(head) if water.assumed => (head, HEAD_SIGMA_M_PER_S, false),
            _ => (water.m_per_s, water.sigma_m_per_s, water.assumed),
        };
        Speed {
            m_per_s,
            sigma_m_per_s,
            depth_m,
            assumed,
        }
    }
}

struct Speed {
    m_per_s: f64,
    sigma_m_per_s: f64,
    depth_m: f64,
    assumed: bool,
}

/// Whether a device steers the beams it tells of by its own speed of sound.
fn is_steered(ping: &SonarPing) -> bool {
    matches!(
        ping,
        SonarPing::Beams(_) | SonarPing::Detections(_) | SonarPing::Image(_)
    )
}

fn head_speed(ping: &SonarPing) -> Option<f64> {
    match ping {
        SonarPing::Elements(ping) => ping.sound_speed_m_per_s,
        SonarPing::Beams(ping) => ping.sound_speed_m_per_s,
        SonarPing::Profile(ping) => ping.sound_speed_m_per_s,
        SonarPing::Detections(ping) => ping.sound_speed_m_per_s,
        SonarPing::Image(ping) => ping.sound_speed_m_per_s,
    }
}
