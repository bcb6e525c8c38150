//! What sensors' threads tell people: notes, at once; and what devices say of themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beluga_types::SensorId;

use crate::nameplate::Nameplate;

/// Where what people should know goes: told at once, and kept. Clones share what they keep.
#[derive(Clone)]
pub(crate) struct Telling {
    tell: Arc<dyn Fn(&str) + Send + Sync>,
    told: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    notes: Vec<String>,
    /// By sensor.
    nameplates: Vec<Nameplate>,
}

impl Telling {
    /// For so many sensors.
    pub(crate) fn new(tell: Arc<dyn Fn(&str) + Send + Sync>, sensors: usize) -> Self {
        let told = Told {
            notes: Vec::new(),
            nameplates: vec![Nameplate::default(); sensors],
        };
        Self {
            tell,
            told: Arc::new(Mutex::new(told)),
        }
    }

    pub(crate) fn tell(&self, note: String) {
        (self.tell)(&note);
        self.told().notes.push(note);
    }

    /// A device says what it is. What it leaves out stays as it was said before; another serial number
    /// than before is told.
    pub(crate) fn device(&self, sensor: SensorId, name: &str, said: Nameplate) {
        let mut told = self.told();
        let Some(known) = told.nameplates.get_mut(usize::from(sensor.0)) else {
            return;
        };
        let before = known.clone();
        known.take(said);
        let now = known.serial.clone();
        drop(told);
        if let (Some(before), Some(now)) = (before.serial, now)
            && before != now
        {
            self.tell(format!(
                "sensor `{name}`: another device speaks now: its serial number is {now}, and was {before}"
            ));
        }
    }

    /// What was told so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.told().notes.clone()
    }

    /// What devices have said of themselves so far, by sensor.
    pub(crate) fn nameplates(&self) -> Vec<Nameplate> {
        self.told().nameplates.clone()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_devices_say_is_kept_and_another_device_is_told() {
        let telling = Telling::new(Arc::new(|_| {}), 2);
        let said = |serial: Option<&str>, firmware: Option<&str>| Nameplate {
            serial: serial.map(str::to_owned),
            firmware: firmware.map(str::to_owned),
        };
        telling.device(SensorId(1), "fan", said(None, Some("1.2")));
        telling.device(SensorId(1), "fan", said(Some("7892"), None));
        telling.device(SensorId(1), "fan", said(Some("7892"), None));
        assert_eq!(
            telling.nameplates(),
            [Nameplate::default(), said(Some("7892"), Some("1.2"))]
        );
        assert_eq!(telling.notes(), [""; 0]);
        telling.device(SensorId(1), "fan", said(Some("7893"), None));
        assert_eq!(
            telling.notes(),
            ["sensor `fan`: another device speaks now: its serial number is 7893, and was 7892"]
        );
        telling.device(SensorId(2), "none", said(Some("1"), None));
        assert_eq!(telling.nameplates().len(), 2);
    }
}
