//! The tape, read by other people's programs: the packages `mcap` and `rosbags` for Python.

use std::path::Path;
use std::process::Command;

use beluga_ingest::tape::{CloudWriter, Column, Values};
use beluga_types::elementary::{Squared, powf};
use beluga_types::{Beam, Measurement, Payload, SonarPing, Stamp, StrengthUnit, Strengths, Transform};
use nalgebra::Matrix6;

use crate::specimens::{Seeded, rig};
use crate::taped;

/// Runs the script; nothing if Python or a package is missing.
fn script(test: &str, arguments: &[&Path]) -> Option<serde_json::Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tape/reads_tape.py");
    let Ok(output) = Command::new("python3").arg(script).args(arguments).output() else {
        println!("SKIPPED {test}: no python3");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    if let Some(package) = said.trim().strip_prefix("missing: ") {
        println!("SKIPPED {test}: no {package}");
        return None;
    }
    Some(serde_json::from_str(&said).unwrap())
}

fn magnitude([i, q]: [f32; 2]) -> f32 {
    (f64::from(i).squared() + f64::from(q).squared()).sqrt() as f32
}

fn linear(db: f32) -> f32 {
    powf(10.0, f64::from(db) / 20.0) as f32
}

/// What a viewer is to see of a ping that has samples by beam: by sample and beam its magnitude.
fn image(measurement: &Measurement) -> Option<serde_json::Value> {
    let Payload::Sonar(ping) = &measurement.payload else {
        return None;
    };
    let (beams, steering_rad, columns): (&[Beam], f64, Vec<Vec<u32>>) = match &**ping {
        SonarPing::Beams(ping) => {
            let channels = 0..ping.waveforms.shape().channels;
            let columns = channels.map(|channel| {
                let mut row = Vec::new();
                ping.waveforms.read_channel(channel, &mut row);
                row.iter().map(|&sample| magnitude(sample).to_bits()).collect()
            });
            (&ping.beams, ping.steering_rad, columns.collect())
        }
        SonarPing::Profile(ping) => {
            let linear = |db: &f32| match ping.unit {
                StrengthUnit::Amplitude => *db,
                StrengthUnit::Decibel => linear(*db),
            };
            let column = ping.strength.iter().map(linear).map(f32::to_bits).collect();
            (std::slice::from_ref(&ping.beam), ping.steering_rad, vec![column])
        }
        SonarPing::Image(ping) => {
            let columns = (0..ping.shape().channels).map(|beam| {
                let cells = beam * ping.shape().samples..(beam + 1) * ping.shape().samples;
                let mut row = Vec::new();
                ping.read_row(beam, &mut row);
                match (ping.unit, ping.strengths()) {
                    (StrengthUnit::Decibel, _) => row.iter().map(|db| linear(*db).to_bits()).collect(),
                    (_, Strengths::U8(values)) => values[cells].iter().map(|&value| value.into()).collect(),
                    (_, Strengths::U16(values)) => values[cells].iter().map(|&value| value.into()).collect(),
                    (_, Strengths::U32(values)) => values[cells].to_vec(),
                }
            });
            (ping.beams(), 0.0, columns.collect())
        }
        _ => return None,
    };
    let rows: Vec<Vec<u32>> = (0..columns.first().map_or(0, Vec::len))
        .map(|sample| columns.iter().map(|column| column[sample]).collect())
        .collect();
    let angles: Vec<u32> = beams
        .iter()
        .map(|beam| ((beam.across_rad() + steering_rad) as f32).to_bits())
        .collect();
    Some(serde_json::json!({ "rows": rows, "angles": angles }))
}

/// Every message is deserialised by the schema that stands on the tape, and says what was taped.
#[test]
fn python_reads_every_message() {
    let folder = tempfile::tempdir().unwrap();
    let run = Seeded(21).run(14 * 12);
    let (path, _) = taped(folder.path(), &rig(), &run);
    let Some(found) = script("python_reads_every_message", &[&path]) else {
        return;
    };
    let count = |kind: fn(&Payload) -> bool| run.iter().filter(|m| kind(&m.payload)).count();
    let clouds = count(|payload| matches!(payload, Payload::Lidar(_)));
    let viewed = count(|payload| matches!(payload, Payload::Imu(_) | Payload::Gnss(_) | Payload::Pose(_)));
    let images: Vec<_> = run.iter().filter_map(image).collect();
    assert!(images.len() > 5);
    assert_eq!(found["images"], serde_json::Value::Array(images.clone()));
    assert_eq!(found["messages"], run.len() + clouds + viewed + images.len());
    let schemas = found["schemas"].as_array().unwrap();
    assert_eq!(schemas.len(), 20, "{schemas:?}");

    // Times and counts of every measurement, in order.
    let moments: Vec<serde_json::Value> = run
        .iter()
        .map(|m| serde_json::json!([m.seq, m.stamp.nanos(), m.end.nanos(), m.received.nanos()]))
        .collect();
    assert_eq!(found["moments"], serde_json::Value::Array(moments));
    // Every coordinate of every cloud, and every sample of every waveform, by their bits.
    let mut points = Vec::new();
    for measurement in &run {
        if let Payload::Lidar(scan) = &measurement.payload {
            for i in 0..scan.len() {
                points.push(serde_json::json!([
                    scan.x()[i].to_bits(),
                    scan.y()[i].to_bits(),
                    scan.z()[i].to_bits(),
                    scan.intensity().map(|column| column[i].to_bits()),
                    scan.ring().map(|column| column[i]),
                    scan.offset_nanos().map(|column| column[i]),
                ]));
            }
        }
    }
    assert!(points.len() > 50);
    assert_eq!(found["points"], serde_json::Value::Array(points));
    let poses: Vec<serde_json::Value> = run
        .iter()
        .filter_map(|m| match &m.payload {
            Payload::Pose(fix) => {
                let t = fix.world_from_body.translation();
                let q = fix.world_from_body.rotation();
                let bits = [q.w, q.i, q.j, q.k, t.x, t.y, t.z].map(f64::to_bits);
                Some(serde_json::json!(bits))
            }
            _ => None,
        })
        .collect();
    assert_eq!(found["poses"], serde_json::Value::Array(poses));
    assert!(
        found["attachments"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == "rig.toml")
    );
}

#[test]
fn python_reads_clouds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clouds.mcap");
    let mut writer = CloudWriter::create(&path, None, &[("label", "0 unknown".to_owned())]).unwrap();
    for step in 0..3i64 {
        let x: Vec<f32> = (0..4).map(|i| i as f32 + 0.5).collect();
        let (y, medium) = (vec![step as f32; 4], [0u8, 1, 0, 1]);
        let column = |name, values| Column { name, values };
        writer
            .push(
                Stamp::from_nanos(1_700_000_000_000_000_000 + step),
                &[
                    column("x", Values::F32(&x)),
                    column("y", Values::F32(&y)),
                    column("z", Values::F32(&y)),
                    column("medium", Values::U8(&medium)),
                ],
                &Transform::identity(),
                &Matrix6::identity(),
            )
            .unwrap();
    }
    assert_eq!(writer.finish().unwrap(), 3);
    let Some(found) = script("python_reads_clouds", &[&path]) else {
        return;
    };
    assert_eq!(found["messages"], 6);
    assert_eq!(found["points"].as_array().unwrap().len(), 12);
    assert_eq!(found["points"][1][0], 1.5f32.to_bits());
    assert_eq!(found["points"][8][1], 2.0f32.to_bits());
    assert_eq!(found["attachments"], serde_json::json!([]));
}
