//! What came of what, as a record tells it: files, sensors, the run, its frames, and what is made of them.
//!
//! ```text
//!  Product ─WAS_DERIVED_FROM─► Frame ─WAS_DERIVED_FROM─► Sensor ─WAS_DERIVED_FROM─► Input
//!                              Frame ─WAS_GENERATED_BY─► Run ─USED─► Input, Water, Record (its map)
//!  Record ─HAD_MEMBER─► Segment ─HAD_MEMBER─► Frame      Run ─WAS_ASSOCIATED_WITH─► Operator
//!  Record ─WAS_ATTRIBUTED_TO─► Device                    Record ─WAS_DERIVED_FROM─► Record (before it)
//! ```

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use beluga_sinks::FrameHasher;
use beluga_sinks::graph::{Node, Relation, Writer};
use beluga_sinks::maml::{Entry, RecordedFrame, RecordedMeta, Report};
use beluga_types::{SolidarFrame, Stamp};
use serde_json::{Value, json};

use crate::inputs::{hex, of_file};

/// The graph of one record, written as it is read.
pub(super) struct Provenance {
    graph: Writer,
    /// The record's id, which is part of every other but the device's.
    file_id: String,
    /// Nodes that are written.
    known: BTreeSet<String>,
    /// What the run said at its beginning, and at its end.
    run: Option<(Value, Value)>,
    /// Its sensors as it said them, with what their devices said later: written last.
    sensors: Vec<Value>,
    products: Vec<String>,
}

impl Provenance {
    /// Starts with the record itself. `products`: names of the files that are made of all its frames.
    ///
    /// # Errors
    /// If a table cannot be written, or the record has no head.
    pub(super) fn create(folder: &Path, report: &Report, products: Vec<String>) -> anyhow::Result<Self> {
        let head = report.head.as_ref().context("the record has no head")?;
        let file_id = hex(&head.file_id);
        let mut graph = Self {
            graph: Writer::create(folder)?,
            known: BTreeSet::new(),
            run: None,
            sensors: Vec::new(),
            products,
            file_id,
        };
        let record = graph.record();
        let root = report
            .signed
            .map(|(leaves, root)| json!({ "leaves": leaves, "root": hex(&root) }));
        let detail =
            json!({ "status": report.status.to_string(), "suite": head.suite.name(), "signed": root });
        let name = report.path.file_name().unwrap_or_default().to_string_lossy();
        graph.node(Node {
            id: record.clone(),
            label: "Record",
            name: name.into_owned(),
            bytes: Some(report.bytes),
            count: Some(report.counts.frames),
            detail: Some(detail.to_string()),
            ..Node::default()
        })?;
        let device = format!("device:{}", head.signer);
        graph.named(&device, "Device", &head.signer.to_string())?;
        graph.edge(&record, Relation::WasAttributedTo, &device, None)?;
        if let Some(previous) = &report.previous {
            graph.record_before(&hex(&previous.file_id))?;
        }
        Ok(graph)
    }

    /// Takes what the record holds next; of a frame also what it says.
    ///
    /// # Errors
    /// If a table cannot be written.
    pub(super) fn push(&mut self, entry: &Entry, frame: Option<&SolidarFrame>) -> anyhow::Result<()> {
        match (entry, frame) {
            (Entry::Frame(recorded), Some(frame)) => self.frame(recorded, frame),
            (Entry::Frame(_), None) => Ok(()),
            (Entry::Meta(meta), _) => self.meta(meta),
        }
    }

    /// Adds what was made, `files` in the order of the products that were named, and ends both tables.
    /// Returns how many nodes and edges there are.
    ///
    /// # Errors
    /// If a table cannot be written, or a product not be read.
    pub(super) fn finish(mut self, files: &[&Path], detail: &Value) -> anyhow::Result<[u64; 2]> {
        for (name, file) in self.products.clone().iter().zip(files) {
            let read = of_file(file, &AtomicBool::new(false));
            let (bytes, sha256) = read.with_context(|| format!("cannot read {}", file.display()))?;
            self.node(Node {
                id: self.product(name),
                label: "Product",
                name: name.clone(),
                sha256: Some(sha256),
                bytes: Some(bytes),
                detail: Some(detail.to_string()),
                ..Node::default()
            })?;
        }
        for (index, sensor) in (0..).zip(std::mem::take(&mut self.sensors)) {
            self.sensor_node(index, &sensor)?;
        }
        if let Some((begun, ended)) = self.run.take() {
            let detail = json!({
                "cpu_class": begun["cpu_class"],
                "config_sha256": begun["config_sha256"],
                "source": begun["source"],
                "why": ended["why"],
                "lost": ended["lost"],
            });
            self.node(Node {
                id: self.run_id(),
                label: "Run",
                name: text(&begun["program"]).unwrap_or_default(),
                time: text(&begun["started"]),
                sha256: text(&ended["frame_sha256"]),
                count: ended["frames"].as_u64(),
                detail: Some(detail.to_string()),
                ..Node::default()
            })?;
        }
        Ok(self.graph.finish()?)
    }

    fn frame(&mut self, recorded: &RecordedFrame, frame: &SolidarFrame) -> anyhow::Result<()> {
        let id = format!("frame:{}:{}", self.file_id, frame.index);
        let mut hasher = FrameHasher::new();
        hasher.update(&recorded.bytes);
        let lost: u64 = frame.gaps.iter().map(|gap| gap.lost).sum();
        self.node(Node {
            id: id.clone(),
            label: "Frame",
            name: frame.index.to_string(),
            time: Some(Stamp::from_nanos(recorded.time_nanos).iso_8601()),
            sha256: Some(hex(&hasher.finish())),
            count: Some(frame.points.len() as u64),
            detail: Some(json!({ "seq": recorded.seq, "lost": lost }).to_string()),
            ..Node::default()
        })?;
        let segment = format!("segment:{}:{}", self.file_id, recorded.segment);
        if self.named(&segment, "Segment", &recorded.segment.to_string())? {
            let record = self.record();
            self.edge(&record, Relation::HadMember, &segment, None)?;
        }
        self.edge(&segment, Relation::HadMember, &id, None)?;
        if self.run.is_some() {
            let run = self.run_id();
            self.edge(&id, Relation::WasGeneratedBy, &run, None)?;
        }
        for input in frame.inputs.iter().filter(|input| input.measurements > 0) {
            let sensor = self.sensor(u64::from(input.sensor.0));
            self.named(&sensor, "Sensor", &input.sensor.0.to_string())?;
            let count = Some(u64::from(input.measurements));
            self.edge(&id, Relation::WasDerivedFrom, &sensor, count)?;
        }
        for product in self.products.clone() {
            let product = self.product(&product);
            self.edge(&product, Relation::WasDerivedFrom, &id, None)?;
        }
        Ok(())
    }

    fn meta(&mut self, recorded: &RecordedMeta) -> anyhow::Result<()> {
        let value = recorded.meta.value();
        match recorded.meta.kind() {
            "run.begun" if self.run.is_none() => self.begun(value),
            "run.devices" => {
                self.devices(value);
                Ok(())
            }
            "run.inputs" => {
                let inputs = value["inputs"].as_array();
                inputs
                    .into_iter()
                    .flatten()
                    .try_for_each(|input| self.input(input))
            }
            "run.ended" => {
                if let Some((_, ended)) = &mut self.run {
                    ended.clone_from(value);
                }
                Ok(())
            }
            "recovered" => match text(&value["file_id"]) {
                Some(file_id) => self.record_before(&file_id),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn begun(&mut self, begun: &Value) -> anyhow::Result<()> {
        self.run = Some((begun.clone(), Value::Null));
        let (record, run) = (self.record(), self.run_id());
        self.edge(&record, Relation::WasGeneratedBy, &run, None)?;
        if let Some(operator) = text(&begun["operator"]) {
            let id = format!("operator:{operator}");
            self.named(&id, "Operator", &operator)?;
            self.edge(&run, Relation::WasAssociatedWith, &id, None)?;
        }
        if let Some(map) = text(&begun["map"]) {
            let id = format!("record:{map}");
            self.named(&id, "Record", &map)?;
            self.edge(&run, Relation::Used, &id, None)?;
        }
        if begun["water"].is_object() {
            let id = format!("water:{}", self.file_id);
            self.node(Node {
                id: id.clone(),
                label: "Water",
                name: "speed of sound".into(),
                sha256: text(&begun["water"]["profile_sha256"]),
                count: begun["water"]["profile_levels"].as_u64(),
                detail: Some(begun["water"].to_string()),
                ..Node::default()
            })?;
            self.edge(&run, Relation::Used, &id, None)?;
        }
        self.sensors = begun["sensors"].as_array().cloned().unwrap_or_default();
        for (index, sensor) in (0..).zip(self.sensors.clone()) {
            self.known.insert(self.sensor(index));
            if let Some(name) = text(&sensor["calibration"]) {
                let sha256 = &sensor["calibration_sha256"];
                self.input(
                    &json!({ "name": name, "role": "calibration", "sensors": [index], "sha256": sha256 }),
                )?;
            }
        }
        Ok(())
    }

    /// What devices said of themselves while they were heard.
    fn devices(&mut self, said: &Value) {
        let said = said["sensors"].as_array().into_iter().flatten();
        for (sensor, said) in self.sensors.iter_mut().zip(said) {
            for word in ["serial", "firmware"] {
                if said[word].is_string() {
                    sensor[word] = said[word].clone();
                }
            }
        }
    }

    fn sensor_node(&mut self, index: u64, sensor: &Value) -> anyhow::Result<()> {
        let detail = json!({ "kind": sensor["kind"], "mount_sha256": sensor["mount_sha256"] });
        self.node(Node {
            id: self.sensor(index),
            label: "Sensor",
            name: text(&sensor["name"]).unwrap_or_default(),
            model: text(&sensor["model"]),
            serial: text(&sensor["serial"]),
            firmware: text(&sensor["firmware"]),
            detail: Some(detail.to_string()),
            ..Node::default()
        })
    }

    fn input(&mut self, input: &Value) -> anyhow::Result<()> {
        let Some(name) = text(&input["name"]) else {
            return Ok(());
        };
        let id = format!("input:{}:{name}", self.file_id);
        if !self.known.contains(&id) {
            self.node(Node {
                id: id.clone(),
                label: "Input",
                name,
                sha256: text(&input["sha256"]),
                bytes: input["bytes"].as_u64(),
                count: input["files"].as_u64(),
                detail: Some(json!({ "role": input["role"] }).to_string()),
                ..Node::default()
            })?;
            if self.run.is_some() {
                let run = self.run_id();
                self.edge(&run, Relation::Used, &id, None)?;
            }
            let sensors = input["sensors"].as_array().into_iter().flatten();
            for sensor in sensors.filter_map(Value::as_u64) {
                let sensor = self.sensor(sensor);
                self.edge(&sensor, Relation::WasDerivedFrom, &id, None)?;
            }
        }
        Ok(())
    }

    fn record_before(&mut self, file_id: &str) -> anyhow::Result<()> {
        let (record, before) = (self.record(), format!("record:{file_id}"));
        if self.named(&before, "Record", file_id)? {
            self.edge(&record, Relation::WasDerivedFrom, &before, None)?;
        }
        Ok(())
    }

    /// A node of which only the name is known, unless it is written; whether it was not.
    fn named(&mut self, id: &str, label: &'static str, name: &str) -> anyhow::Result<bool> {
        let is_new = !self.known.contains(id);
        if is_new {
            self.node(Node {
                id: id.to_owned(),
                label,
                name: name.to_owned(),
                ..Node::default()
            })?;
        }
        Ok(is_new)
    }

    fn node(&mut self, node: Node) -> anyhow::Result<()> {
        self.graph.node(&node)?;
        // Frames come once, and there may be many.
        if node.label != "Frame" {
            self.known.insert(node.id);
        }
        Ok(())
    }

    fn edge(&mut self, from: &str, relation: Relation, to: &str, count: Option<u64>) -> anyhow::Result<()> {
        Ok(self.graph.edge(from, relation, to, count)?)
    }

    fn record(&self) -> String {
        format!("record:{}", self.file_id)
    }

    fn run_id(&self) -> String {
        format!("run:{}", self.file_id)
    }

    fn sensor(&self, index: u64) -> String {
        format!("sensor:{}:{index}", self.file_id)
    }

    fn product(&self, name: &str) -> String {
        format!("product:{}:{name}", self.file_id)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
