//! What a recording is read from, file by file: for whoever keeps account of it.

use std::fs;
use std::path::{Path, PathBuf};

use beluga_types::{SensorId, SensorKind};

use crate::find::Place;
use crate::folder::Recording;
use crate::nameplate::Nameplate;
use crate::survey::format::Survey;
use crate::{aris, ek80, kmall, kongsberg_all, lidar, oculus, ros, tape};

/// A file, or files of one folder, that a recording is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What the rig calls it: the path from the recording's folder.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Whose it is.
    pub sensors: Vec<SensorId>,
    /// The files, by name.
    pub files: Vec<PathBuf>,
}

/// What a file is to a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It says which sensors there are and where they sit.
    Rig,
    /// It holds what sensors measured.
    Data,
    /// It says what its maker says of one device.
    Calibration,
    /// It says what was lost when it was recorded.
    Gaps,
}

impl Role {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Rig => "rig",
            Role::Data => "data",
            Role::Calibration => "calibration",
            Role::Gaps => "gaps",
        }
    }
}

impl Recording {
    /// Every file that it is read from; those of a folder together.
    pub fn inputs(&self) -> Vec<Input> {
        let mut inputs: Vec<Input> = Vec::new();
        let mut add = |role, path: &Path, files: Vec<PathBuf>, sensors: &[SensorId]| {
            let name = self.name_of(path);
            match inputs
                .iter_mut()
                .find(|known| known.name == name && known.role == role)
            {
                Some(known) => known.sensors.extend(sensors),
                None => inputs.push(Input {
                    name,
                    role,
                    sensors: sensors.to_vec(),
                    files,
                }),
            }
        };
        let all: Vec<SensorId> = self.rig().ids().collect();
        if let Some(path) = self.rig_file() {
            add(Role::Rig, path, vec![path.to_owned()], &[]);
        }
        if let Some(tape) = self.tape_file() {
            add(Role::Data, tape, tape::files(tape), &all);
        }
        for (id, place) in self.rig().ids().zip(self.places()) {
            let path = path_of(place, self.folder());
            add(Role::Data, path, files_at(path), &[id]);
            if let Place::Pings {
                pulses: Some(pulses), ..
            } = place
                && !pulses.starts_with(path)
            {
                add(Role::Data, pulses, files_at(pulses), &[id]);
            }
            if let Some(calibration) = self.calibration_of(id) {
                let files = files_at(&calibration);
                add(Role::Calibration, &calibration, files, &[id]);
            }
        }
        if let Some(gaps) = self.gaps() {
            add(Role::Gaps, &gaps, vec![gaps.clone()], &[]);
        }
        inputs
    }

    /// What each sensor's device says of itself, by sensor.
    pub fn nameplates(&self) -> Vec<Nameplate> {
        let told = self.rig().ids().zip(self.places());
        let mut plates: Vec<Nameplate> = told
            .map(|(id, place)| self.nameplate(id, place).unwrap_or_default())
            .collect();
        plates.resize(self.rig().sensors.len(), Nameplate::default());
        plates
    }

    fn nameplate(&self, id: SensorId, place: &Place) -> Option<Nameplate> {
        let spec = self.rig().sensor(id)?;
        match place {
            // Of a sounder's file: attitude and position come from other makers' devices.
            Place::Survey(..) if spec.kind == SensorKind::Nav => None,
            Place::Survey(path, Survey::Kmall) => kmall::nameplate(path),
            Place::Survey(path, Survey::All) => kongsberg_all::nameplate(path),
            Place::Survey(path, Survey::Oculus) => oculus::nameplate(path),
            Place::Survey(path, Survey::Aris) => aris::nameplate(path),
            Place::Ek80(path) => ek80::nameplate(path, spec.model.as_deref()),
            Place::Bag(path) if spec.kind == SensorKind::Lidar => ros::packets::nameplate(path),
            Place::Packets(path) => {
                let calibration = self.calibration_of(id);
                let maker = spec.format.as_deref();
                maker
                    .is_none_or(|maker| maker == "ouster")
                    .then(|| lidar::ouster::nameplate(path, spec, calibration.as_deref()))?
            }
            _ => None,
        }
    }

    fn calibration_of(&self, id: SensorId) -> Option<PathBuf> {
        let named = self.rig().sensor(id)?.calibration.as_ref()?;
        Some(self.folder().join(named))
    }

    /// From the recording's folder, with `/`; the file's own name if it lies elsewhere.
    fn name_of(&self, path: &Path) -> String {
        let own = path.file_name().map(Path::new).unwrap_or(path);
        let below = path.strip_prefix(self.folder()).unwrap_or(own);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        match parts.is_empty() {
            true => ".".to_owned(),
            false => parts.join("/"),
        }
    }
}

/// The file or folder of a sensor's recording.
fn path_of<'a>(place: &'a Place, folder: &'a Path) -> &'a Path {
    match place {
        Place::Scans(path, _)
        | Place::Ek80(path)
        | Place::Survey(path, _)
        | Place::Packets(path)
        | Place::Bag(path)
        | Place::Nav(path)
        | Place::Nmea(path) => path,
        // A table of pings names files beside it.
        Place::Pings { table, .. } => table.parent().unwrap_or(folder),
        Place::Wav(files) => match files.as_slice() {
            [only] => only,
            files => files.first().and_then(|first| first.parent()).unwrap_or(folder),
        },
    }
}

/// The file itself, or all files that lie in a folder, by name. What cannot be looked into has none.
fn files_at(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_recording_is_named_once() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-data/quay");
        let recording = Recording::open(&sample).unwrap();
        let inputs = recording.inputs();
        let named = |name: &str| {
            let found: Vec<&Input> = inputs.iter().filter(|input| input.name == name).collect();
            assert_eq!(found.len(), 1, "{name} in {inputs:?}");
            found[0].clone()
        };
        assert_eq!(named("rig.toml").role, Role::Rig);
        for input in &inputs {
            assert!(!input.files.is_empty() && input.files.iter().all(|file| file.is_file()));
            assert_eq!(input.role == Role::Data, !input.sensors.is_empty(), "{input:?}");
            assert!(input.files.is_sorted());
        }
        let told: usize = inputs.iter().map(|input| input.sensors.len()).sum();
        assert!(told >= recording.rig().sensors.len());
        assert_eq!(recording.nameplates().len(), recording.rig().sensors.len());
    }
}
