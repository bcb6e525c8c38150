//! What closed loops change, in the record: written during a run and at its end, read by those who ask
//! for corrected poses. The form is that of `sinks/FORMAT.md`.

use std::path::Path;

use anyhow::anyhow;
use beluga_fusion::graph::{Closed, Correction, Corrections};
use beluga_sinks::maml::{Meta, RecordedMeta};
use beluga_types::Stamp;
use clap::Args;
use nalgebra::{Matrix6, Vector3};
use serde::{Deserialize, Serialize};

use crate::command::maml::{Keys, metas_of};

/// The kind of META.
const CORRECTIONS: &str = "corrections";
/// Local maps of one META.
const PER_META: usize = 1000;

/// Whether poses are those of the run, or those that closed loops made of them.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Poses {
    /// Leave poses as they were recorded, also where the record holds corrections of closed loops.
    #[arg(long)]
    uncorrected: bool,
}

impl Poses {
    /// The corrections of a record, unless they are not wanted or there are none; said to people.
    ///
    /// # Errors
    /// If the record cannot be opened, or its corrections do not have their form.
    pub(crate) fn of(self, record: &Path, keys: &Keys) -> anyhow::Result<Option<Corrections>> {
        if self.uncorrected {
            return Ok(None);
        }
        let corrections = corrections(record, keys)?;
        if let Some(corrections) = &corrections {
            crate::tell(&format!(
                "poses are corrected by closed loops, by {:.2} m at most (--uncorrected leaves them)",
                corrections.largest_m()
            ));
        }
        Ok(corrections)
    }
}

/// The corrections a record holds, if it holds any.
///
/// # Errors
/// If the record cannot be opened, or its corrections do not have their form.
pub(crate) fn corrections(record: &Path, keys: &Keys) -> anyhow::Result<Option<Corrections>> {
    let found = newest(&metas_of(record, keys, CORRECTIONS)?)?;
    Ok(found.filter(|corrections| !corrections.is_empty()))
}

/// One META: a part of a revision. A later revision replaces the ones before it.
#[derive(Serialize, Deserialize)]
struct Part {
    revision: u64,
    part: usize,
    parts: usize,
    /// Loops all others agree with.
    loops: usize,
    local_maps: Vec<At>,
}

/// What changes at the beginning of a local map.
#[derive(Serialize, Deserialize)]
struct At {
    time_nanos: i64,
    turn_rad: [f64; 3],
    shift_m: [f64; 3],
    /// Upper triangle, row by row.
    covariance: Vec<f64>,
}

/// What a run says of its loops, as METAs of this time.
///
/// # Errors
/// If a META would be too long, which none of [`PER_META`] local maps is.
pub(crate) fn metas(closed: &Closed, revision: u64, time_nanos: i64) -> anyhow::Result<Vec<Meta>> {
    let all = closed.corrections.as_slice();
    let parts = all.len().div_ceil(PER_META).max(1);
    let meta = |part: usize| {
        let from = (part * PER_META).min(all.len());
        let to = (from + PER_META).min(all.len());
        let part = Part {
            revision,
            part: part + 1,
            parts,
            loops: closed.loops,
            local_maps: all[from..to].iter().map(At::of).collect(),
        };
        Ok(Meta::new(CORRECTIONS, time_nanos, serde_json::to_value(part)?)?)
    };
    (0..parts).map(meta).collect()
}

/// The corrections of the last revision that is whole.
fn newest(metas: &[RecordedMeta]) -> anyhow::Result<Option<Corrections>> {
    let wrong = |seq: u64| anyhow!("record {seq} is no list of corrections");
    let mut parts: Vec<Part> = Vec::with_capacity(metas.len());
    for recorded in metas {
        let part = Part::deserialize(recorded.meta.value()).map_err(|_| wrong(recorded.seq))?;
        parts.push(part);
    }
    let seq = metas.last().map_or(0, |recorded| recorded.seq);
    parts.sort_by_key(|part| (part.revision, part.part));
    let mut revisions = parts.chunk_by(|a, b| a.revision == b.revision);
    let whole = |revision: &&[Part]| {
        let in_turn = revision.iter().enumerate().all(|(i, part)| part.part == i + 1);
        in_turn && revision.iter().all(|part| part.parts == revision.len())
    };
    let Some(revision) = revisions.rfind(whole) else {
        return Ok(None);
    };
    let all = revision.iter().flat_map(|part| &part.local_maps);
    let all = all.map(At::correction).collect::<Option<Vec<_>>>();
    all.and_then(Corrections::new).map(Some).ok_or_else(|| wrong(seq))
}

impl At {
    fn of(correction: &Correction) -> Self {
        let triangle = (0..6).flat_map(|row| (row..6).map(move |column| (row, column)));
        Self {
            time_nanos: correction.stamp.nanos(),
            turn_rad: correction.turn.map(rounded).into(),
            shift_m: correction.shift.map(rounded).into(),
            covariance: triangle
                .map(|place| rounded(correction.covariance[place]))
                .collect(),
        }
    }

    fn correction(&self) -> Option<Correction> {
        let mut triangle = self.covariance.iter();
        let mut covariance = Matrix6::zeros();
        for row in 0..6 {
            for column in row..6 {
                let value = *triangle.next()?;
                covariance[(row, column)] = value;
                covariance[(column, row)] = value;
            }
        }
        triangle.next().is_none().then_some(Correction {
            stamp: Stamp::from_nanos(self.time_nanos),
            turn: Vector3::from(self.turn_rad),
            shift: Vector3::from(self.shift_m),
            covariance,
        })
    }
}

/// Nine digits: a nanometre in a metre.
fn rounded(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn closed(local_maps: i64) -> Closed {
        let correction = |i: i64| Correction {
            stamp: Stamp::from_nanos(i * 7_000_000_001),
            turn: Vector3::new(1e-3, -2e-3, 0.05),
            shift: Vector3::new(0.4, -1.25, i as f64 / 3.0),
            covariance: Matrix6::from_fn(|row, column| {
                if row == column {
                    1e-4
                } else {
                    1e-6 * (row + column) as f64
                }
            }),
        };
        Closed {
            loops: 2,
            corrections: Corrections::new((0..local_maps).map(correction).collect()).unwrap(),
            ..Closed::default()
        }
    }

    fn recorded(metas: Vec<Meta>) -> Vec<RecordedMeta> {
        let recorded = |meta| RecordedMeta {
            meta,
            seq: 9,
            bytes: 1,
        };
        metas.into_iter().map(recorded).collect()
    }

    #[test]
    fn corrections_lead_back_through_their_metas_and_the_last_whole_revision_counts() {
        let (early, late) = (closed(3), closed(2403));
        let mut all = metas(&early, 1, 5).unwrap();
        assert_eq!(all.len(), 1);
        all.extend(metas(&late, 2, 6).unwrap());
        assert_eq!(all.len(), 4);
        let mut all = recorded(all);
        let found = newest(&all).unwrap().unwrap();
        assert_eq!(found.as_slice().len(), 2403);
        for (found, expected) in found.as_slice().iter().zip(late.corrections.as_slice()) {
            assert_eq!(found.stamp, expected.stamp);
            assert!((found.turn - expected.turn).norm() < 1e-9);
            assert!((found.shift - expected.shift).norm() < 1e-5);
            assert!((found.covariance - expected.covariance).norm() < 1e-12);
        }
        // A run that was killed before the last part was written has its revision before.
        all.pop();
        assert_eq!(newest(&all).unwrap().unwrap().as_slice().len(), 3);
        assert_eq!(newest(&[]).unwrap(), None);
        let none = recorded(metas(&Closed::default(), 1, 0).unwrap());
        assert!(newest(&none).unwrap().unwrap().is_empty());
    }

    #[test]
    fn what_is_no_list_of_corrections_is_refused_with_its_place() {
        let at = |covariance: usize| {
            let covariance = vec![0.0; covariance];
            json!({ "time_nanos": 1, "turn_rad": [0, 0, 0], "shift_m": [0, 0, 0], "covariance": covariance })
        };
        let part = |local_map| json!({ "revision": 1, "part": 1, "parts": 1, "loops": 1, "local_maps": [local_map] });
        for value in [json!({ "frames": [] }), part(at(20)), part(at(22)), part(at(21))] {
            let metas = recorded(vec![Meta::new(CORRECTIONS, 0, value.clone()).unwrap()]);
            let refused = newest(&metas).unwrap_err().to_string();
            assert!(refused.contains("record 9"), "{value}: {refused}");
        }
    }
}
