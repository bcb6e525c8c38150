//! The models, and when their blocks start.
//!
//! Sources: user manuals of each model, appendix on absolute time and firing times, a firing is
//! at the packet's time + start of its block + the channel's own (`firing`). A QT128's blocks start as a Pandar128's do (its manual's figure of the two
//! sequences; what public readers take differs by up to 111 µs).

/// A Hesai.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Model {
    /// Pandar40P.
    Pandar40P,
    /// Pandar64.
    Pandar64,
    /// QT128 (QT128C2X), protocol 3.2.
    Qt128,
    /// PandarQT, QT64, protocol 3.1.
    Qt64,
    /// PandarXT-32, protocol 6.1.
    Xt32,
}

impl Model {
    /// Every model.
    pub const ALL: [Model; 5] = [
        Model::Pandar40P,
        Model::Pandar64,
        Model::Qt128,
        Model::Qt64,
        Model::Xt32,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Model::Pandar40P => "Pandar40P",
            Model::Pandar64 => "Pandar64",
            Model::Qt128 => "QT128",
            Model::Qt64 => "PandarQT (QT64)",
            Model::Xt32 => "PandarXT-32",
        }
    }

    /// Lasers.
    pub const fn lasers(self) -> usize {
        match self {
            Model::Pandar40P => 40,
            Model::Pandar64 | Model::Qt64 => 64,
            Model::Qt128 => 128,
            Model::Xt32 => 32,
        }
    }

    /// Blocks of a packet.
    pub const fn blocks(self) -> usize {
        match self {
            Model::Pandar40P => 10,
            Model::Pandar64 => 6,
            Model::Qt128 => 2,
            Model::Qt64 => 4,
            Model::Xt32 => 8,
        }
    }

    /// From a firing sequence to the next, in ns.
    pub const fn cycle_nanos(self) -> i64 {
        match self {
            Model::Pandar40P | Model::Pandar64 => 55_560,
            Model::Qt128 => 111_110,
            Model::Qt64 => 166_667,
            Model::Xt32 => 50_000,
        }
    }

    /// When a block starts (Pandar40P and 64: ends), in ns after the packet's time. With two returns
    /// neighbouring blocks hold one sequence.
    pub const fn block_nanos(self, block: usize, returns: usize) -> i64 {
        let last = match self {
            Model::Pandar40P => -28_580,
            Model::Pandar64 => -42_580,
            Model::Qt128 => 9_000,
            // The packet's time is that of its first sequence.
            Model::Qt64 => return 25_710 + self.cycle_nanos() * (block / returns) as i64,
            Model::Xt32 => 5_632,
        };
        last - self.cycle_nanos() * ((self.blocks() - 1 - block) / returns) as i64
    }

    /// Whether a block holds the first of two sequences that fire different channels.
    pub const fn is_first_sequence(self, block: usize, returns: usize, told: bool) -> bool {
        match (self, returns) {
            (Model::Qt128, 1) => block == 0,
            (Model::Qt128, _) => told,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_start_when_the_manuals_say() {
        for (model, block, returns, micros) in [
            (Model::Xt32, 7, 1, 5.632),
            (Model::Xt32, 0, 1, 5.632 - 350.0),
            (Model::Xt32, 7, 2, 5.632),
            (Model::Xt32, 6, 2, 5.632),
            (Model::Xt32, 0, 2, 5.632 - 150.0),
            (Model::Pandar40P, 9, 2, -28.58),
            (Model::Pandar40P, 7, 2, -28.58 - 55.56),
            (Model::Pandar40P, 0, 1, -28.58 - 9.0 * 55.56),
            (Model::Pandar64, 5, 1, -42.58),
            (Model::Qt64, 0, 1, 25.71),
            (Model::Qt64, 3, 1, 25.71 + 500.001),
            (Model::Qt64, 1, 2, 25.71),
            (Model::Qt128, 1, 1, 9.0),
            (Model::Qt128, 0, 1, 9.0 - 111.11),
            (Model::Qt128, 0, 2, 9.0),
        ] {
            let found = model.block_nanos(block, returns) as f64 * 1e-3;
            assert!(
                (found - micros).abs() < 1e-6,
                "{model:?} {block} {returns}: {found}"
            );
        }
    }
}
