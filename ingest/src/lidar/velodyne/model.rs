//! The models: by which names and bytes they go, and how they fire.

use super::packet::{BLOCKS, Packet};

/// A Velodyne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// HDL-32E.
    Hdl32e,
    /// HDL-64E S2 (and S2.1).
    Hdl64eS2,
    /// HDL-64E S3.
    Hdl64eS3,
    /// Puck Hi-Res: a VLP-16 whose beams stand closer.
    PuckHiRes,
    /// VLP-16, Puck, Puck LITE: one pattern.
    Vlp16,
    /// VLP-32C, Ultra Puck.
    Vlp32c,
    /// VLS-128, Alpha Prime, before firmware 5.2.3.
    Vls128,
    /// VLS-128 from firmware 5.2.3 on, which fires slower.
    Vls128Slow,
}

impl Model {
    /// Every model.
    pub const ALL: [Model; 8] = [
        Model::Hdl32e,
        Model::Hdl64eS2,
        Model::Hdl64eS3,
        Model::PuckHiRes,
        Model::Vlp16,
        Model::Vlp32c,
        Model::Vls128,
        Model::Vls128Slow,
    ];

    /// Its name, as `model` in a rig says it.
    pub const fn name(self) -> &'static str {
        match self {
            Model::Hdl32e => "HDL-32E",
            Model::Hdl64eS2 => "HDL-64E S2",
            Model::Hdl64eS3 => "HDL-64E S3",
            Model::PuckHiRes => "Puck Hi-Res",
            Model::Vlp16 => "VLP-16",
            Model::Vlp32c => "VLP-32C",
            Model::Vls128 => "VLS-128",
            Model::Vls128Slow => "VLS-128 5.2.3",
        }
    }

    /// The model with this name, whatever its spaces, dashes, capitals, and the maker before it.
    pub fn named(name: &str) -> Option<Self> {
        let plain = |name: &str| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters.collect::<String>().to_ascii_lowercase()
        };
        let name = plain(name);
        let name = name.strip_prefix("velodyne").unwrap_or(&name);
        Some(match name {
            "puck" | "pucklite" | "vlp16lite" => Model::Vlp16,
            "vlp16hires" | "hires" => Model::PuckHiRes,
            "ultrapuck" => Model::Vlp32c,
            "alphaprime" => Model::Vls128,
            "hdl64e" | "hdl64es21" => Model::Hdl64eS2,
            _ => return Self::ALL.into_iter().find(|model| plain(model.name()) == name),
        })
    }

    /// The model of a packet's product byte; an HDL-64E has none.
    ///
    /// Source: VLP-16 User Manual 63-9243 Rev. E, table 9-2 (0x21, 0x22, 0x24, 0x28), VLS-128 User
    /// Manual 63-9483 (0xa1).
    pub fn of_product(product: u8) -> Option<Self> {
        Some(match product {
            0x21 => Model::Hdl32e,
            0x22 => Model::Vlp16,
            0x24 => Model::PuckHiRes,
            0x28 => Model::Vlp32c,
            0xa1 => Model::Vls128,
            _ => return None,
        })
    }

    /// Lasers.
    pub const fn lasers(self) -> usize {
        match self {
            Model::PuckHiRes | Model::Vlp16 => 16,
            Model::Hdl32e | Model::Vlp32c => 32,
            Model::Hdl64eS2 | Model::Hdl64eS3 => 64,
            Model::Vls128 | Model::Vls128Slow => 128,
        }
    }

    /// The unit of its distances, in metres.
    pub const fn distance_unit_m(self) -> f64 {
        match self {
            Model::Vlp32c | Model::Vls128 | Model::Vls128Slow => 0.004,
            _ => 0.002,
        }
    }

    /// Whether its packets tell return mode and product; an HDL-64E's end with a status.
    pub const fn tells_product(self) -> bool {
        !matches!(self, Model::Hdl64eS2 | Model::Hdl64eS3)
    }

    /// From a firing sequence to the next, in ns. Sources: see `super::shots`.
    pub const fn cycle_nanos(self) -> f64 {
        match self {
            Model::Hdl32e => 46_080.0,
            Model::Hdl64eS2 => 48_000.0,
            Model::Hdl64eS3 => 57_600.0,
            Model::PuckHiRes | Model::Vlp16 | Model::Vlp32c => 55_296.0,
            Model::Vls128 => 53_333.2,
            Model::Vls128Slow => 57_800.0,
        }
    }

    /// Firing sequences of a packet.
    pub const fn cycles(self, dual: bool) -> usize {
        let single = match self {
            Model::PuckHiRes | Model::Vlp16 => 2 * BLOCKS,
            Model::Hdl32e | Model::Vlp32c => BLOCKS,
            Model::Hdl64eS2 | Model::Hdl64eS3 => BLOCKS / 2,
            // Four blocks each; with both returns the last four blocks are empty.
            Model::Vls128 | Model::Vls128Slow if dual => return 1,
            Model::Vls128 | Model::Vls128Slow => BLOCKS / 4,
        };
        if dual { single / 2 } else { single }
    }

    /// From a packet to the next, in ns.
    pub fn packet_nanos(self, dual: bool) -> f64 {
        self.cycle_nanos() * self.cycles(dual) as f64
    }
}

/// Which returns a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// One of each firing.
    Single,
    /// Two of each firing, in neighbouring blocks.
    Dual,
}

impl Returns {
    /// The returns of a packet. Where its mode byte is none (old HDL-32E, every HDL-64E), blocks of
    /// one azimuth say that there are two.
    pub fn of(packet: &Packet<'_>, model: Model) -> Self {
        let twin = |block: usize| packet.azimuth(0) == packet.azimuth(block);
        let dual = match (model.tells_product(), packet.mode()) {
            (true, 0x37 | 0x38) => false,
            (true, 0x39) => true,
            (true, _) => model.lasers() != 128 && twin(1),
            (false, _) => twin(2),
        };
        if dual { Returns::Dual } else { Returns::Single }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        for (name, model) in [
            ("VLP-16", Model::Vlp16),
            ("velodyne vlp16", Model::Vlp16),
            ("Puck LITE", Model::Vlp16),
            ("puck_hi-res", Model::PuckHiRes),
            ("HDL-64E S3", Model::Hdl64eS3),
            ("hdl-64e s2.1", Model::Hdl64eS2),
            ("Alpha Prime", Model::Vls128),
        ] {
            assert_eq!(Model::named(name), Some(model), "{name}");
        }
        assert_eq!(Model::named("OS1-64"), None);
        for model in Model::ALL {
            assert_eq!(Model::named(model.name()), Some(model));
        }
    }

    #[test]
    fn packets_follow_each_other_as_the_manuals_say() {
        // Packets a second: 754 and 1508 (VLP-16), 1808 (HDL-32E), 1507 (VLP-32C), 6250 (VLS-128),
        // 3472 (HDL-64E S2), 2894 (HDL-64E S3).
        for (model, dual, rate) in [
            (Model::Vlp16, false, 753.5),
            (Model::Vlp16, true, 1507.0),
            (Model::Hdl32e, false, 1808.4),
            (Model::Vlp32c, false, 1507.0),
            (Model::Vls128, false, 6250.0),
            (Model::Vls128, true, 18_750.0),
            (Model::Vls128Slow, false, 5767.0),
            (Model::Hdl64eS2, false, 3472.2),
            (Model::Hdl64eS3, false, 2893.5),
        ] {
            let found = 1e9 / model.packet_nanos(dual);
            assert!((found / rate - 1.0).abs() < 1e-4, "{model:?} {dual}: {found}");
        }
    }
}
