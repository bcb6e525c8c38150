//! A graph as two tables, as graph databases load them: `nodes.csv` and `edges.csv`.
//!
//! The headers are those of `neo4j-admin database import`, which `LOAD CSV WITH HEADERS` takes as names:
//! `id:ID`, `:LABEL`, `:START_ID`, `:END_ID`, `:TYPE`; `:long` is a whole number. RFC 4180 with line ends of
//! one LF; what is not known is empty. Relations are those of W3C PROV-DM (2013) and point, as there, from
//! what came later to what it came of.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::export_error::{ExportError, at};
use crate::fresh::FreshFile;

const NODES: &str = "id:ID,:LABEL,name,time,sha256,bytes:long,count:long,model,serial,firmware,detail";
const EDGES: &str = ":START_ID,:END_ID,:TYPE,count:long";

/// A thing: of a graph's nodes one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name among all nodes.
    pub id: String,
    /// What kind of thing it is.
    pub label: &'static str,
    /// What people call it.
    pub name: String,
    /// When it was, ISO 8601.
    pub time: Option<String>,
    /// SHA-256, hexadecimal.
    pub sha256: Option<String>,
    /// Length in bytes.
    pub bytes: Option<u64>,
    /// How many of what it is made of.
    pub count: Option<u64>,
    /// Maker and model.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Version of its firmware.
    pub firmware: Option<String>,
    /// What else is known, as it was said.
    pub detail: Option<String>,
}

/// How one thing came of another: a relation of PROV-DM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// An activity took it.
    Used,
    /// An activity made it.
    WasGeneratedBy,
    /// A thing was made of another.
    WasDerivedFrom,
    /// It is somebody's, or some device's.
    WasAttributedTo,
    /// Somebody was responsible for an activity.
    WasAssociatedWith,
    /// It holds the other.
    HadMember,
}

impl Relation {
    /// The word for it, as relationship types are written.
    pub const fn name(self) -> &'static str {
        match self {
            Relation::Used => "USED",
            Relation::WasGeneratedBy => "WAS_GENERATED_BY",
            Relation::WasDerivedFrom => "WAS_DERIVED_FROM",
            Relation::WasAttributedTo => "WAS_ATTRIBUTED_TO",
            Relation::WasAssociatedWith => "WAS_ASSOCIATED_WITH",
            Relation::HadMember => "HAD_MEMBER",
        }
    }
}

/// The names of the two tables in a folder.
pub fn paths(folder: &Path) -> [PathBuf; 2] {
    ["nodes.csv", "edges.csv"].map(|name| folder.join(name))
}

/// Writes a graph, holding none of it. The tables bear their names only after [`Self::finish`].
pub struct Writer {
    nodes: FreshFile,
    edges: FreshFile,
    paths: [PathBuf; 2],
    counts: [u64; 2],
}

impl Writer {
    /// Starts both tables in a folder that is there.
    ///
    /// # Errors
    /// [`ExportError::Io`] if one cannot be made, also if it exists.
    pub fn create(folder: &Path) -> Result<Self, ExportError> {
        let paths = paths(folder);
        let [nodes, edges] = [(&paths[0], NODES), (&paths[1], EDGES)].map(|(path, header)| {
            let mut file = FreshFile::create(path).map_err(at(path))?;
            writeln!(file, "{header}").map_err(at(path))?;
            Ok::<_, ExportError>(file)
        });
        Ok(Self {
            nodes: nodes?,
            edges: edges?,
            paths,
            counts: [0; 2],
        })
    }

    /// Adds a thing.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn node(&mut self, node: &Node) -> Result<(), ExportError> {
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let columns = [
            Some(node.id.clone()),
            Some(node.label.to_owned()),
            Some(node.name.clone()),
            node.time.clone(),
            node.sha256.clone(),
            number(node.bytes),
            number(node.count),
            node.model.clone(),
            node.serial.clone(),
            node.firmware.clone(),
            node.detail.clone(),
        ];
        self.counts[0] += 1;
        writeln!(self.nodes, "{}", line(&columns)).map_err(at(&self.paths[0]))
    }

    /// Adds how `from` came of `to`, both ids of nodes; `count`: of how many payloads.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn edge(
        &mut self,
        from: &str,
        relation: Relation,
        to: &str,
        count: Option<u64>,
    ) -> Result<(), ExportError> {
        let columns = [
            Some(from.to_owned()),
            Some(to.to_owned()),
            Some(relation.name().to_owned()),
            count.map(|count| count.to_string()),
        ];
        self.counts[1] += 1;
        writeln!(self.edges, "{}", line(&columns)).map_err(at(&self.paths[1]))
    }

    /// Gives both tables their names. Returns how many nodes and edges there are.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub fn finish(self) -> Result<[u64; 2], ExportError> {
        self.nodes.finish().map_err(at(&self.paths[0]))?;
        self.edges.finish().map_err(at(&self.paths[1]))?;
        Ok(self.counts)
    }
}

/// Columns as a line; those with commas, quotes or ends of lines in quotes. Other control characters, at which
/// some loaders stop, become U+FFFD; before what a spreadsheet would take for a formula stands an apostrophe.
fn line(columns: &[Option<String>]) -> String {
    let quoted = columns.iter().map(|column| {
        let is_control = |c: char| c.is_control() && !['\n', '\r', '\t'].contains(&c);
        let text = column.as_deref().unwrap_or("").replace(is_control, "\u{fffd}");
        let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            true => format!("'{text}"),
            false => text,
        };
        match text.contains(['"', ',', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_as_databases_load_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut graph = Writer::create(folder.path()).unwrap();
        let input = Node {
            id: "input:0".into(),
            label: "Input",
            name: "a \"quay\",\nsou\0th".into(),
            bytes: Some(7),
            model: Some("=1+1".into()),
            ..Node::default()
        };
        graph.node(&input).unwrap();
        graph
            .edge("frame:1", Relation::WasDerivedFrom, "input:0", Some(3))
            .unwrap();
        graph.edge("run", Relation::Used, "input:0", None).unwrap();
        let [nodes, edges] = paths(folder.path());
        assert!(!nodes.exists() && !edges.exists(), "they have no name yet");
        assert_eq!(graph.finish().unwrap(), [1, 2]);
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(
            read(&nodes),
            format!("{NODES}\ninput:0,Input,\"a \"\"quay\"\",\nsou\u{fffd}th\",,,7,,'=1+1,,,\n")
        );
        assert_eq!(
            read(&edges),
            format!("{EDGES}\nframe:1,input:0,WAS_DERIVED_FROM,3\nrun,input:0,USED,\n")
        );
        assert!(Writer::create(folder.path()).is_err(), "nothing is overwritten");
    }
}
