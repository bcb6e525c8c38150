//! What a device says of itself in its recording: serial numbers and firmware.

/// Serial numbers and firmware of a sensor's device, as its recording tells them: words for people, without
/// control characters. Nothing where the recording does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nameplate {
    /// Serial number; of a device of several parts each with its name, as `TX 5001, RX 5003`.
    pub serial: Option<String>,
    /// Version of its firmware, in the same form.
    pub firmware: Option<String>,
}

impl Nameplate {
    /// Takes what is said later: what that leaves out stays.
    pub(crate) fn take(&mut self, later: Nameplate) {
        self.serial = later.serial.or(self.serial.take());
        self.firmware = later.firmware.or(self.firmware.take());
    }
}

/// The longest text that is kept, in characters.
const LONGEST: usize = 512;

/// Parts with a name and what each says, in their order. What says nothing is left out.
pub(crate) fn parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let said = parts
        .into_iter()
        .map(|(name, said)| (name.trim(), said.trim()))
        .filter(|(_, said)| !matches!(*said, "" | "NA" | "0"))
        .map(|(name, said)| format!("{name} {}", said.split_whitespace().collect::<Vec<_>>().join(" ")));
    let said: String = said
        .collect::<Vec<_>>()
        .join(", ")
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    let said = said.trim();
    (!said.is_empty()).then(|| said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_left_out_and_long_texts_are_cut() {
        let said = parts([
            (" TX", "5001 "),
            ("RX", "NA"),
            ("CPU", ""),
            ("PU", "1.02   Aug\u{1b} 14"),
        ]);
        assert_eq!(said.as_deref(), Some("TX 5001, PU 1.02 Aug 14"));
        assert_eq!(parts([("TX", "0"), ("RX", " ")]), None);
        assert_eq!(parts([("TX", "9".repeat(5000).as_str())]).unwrap().len(), LONGEST);
    }
}
