//! Which class of CPU a run was computed on: machines of one class give the same bytes.

use beluga_fusion::Config;
use beluga_fusion::sonar::Transforms;

/// The class of a run that gives the same bytes on every CPU.
pub(crate) const PORTABLE: &str = "portable";

/// Tells which of the named instruction sets this machine has.
macro_rules! present {
    ($detected:ident: $($set:tt),*) => {
        [$(($set, std::arch::$detected!($set))),*]
    };
}

/// The class of a run with this config: [`PORTABLE`], or this machine's architecture and those of its
/// instruction sets by which code for FFTs (rustfft) is chosen while the program runs, for instance
/// `x86_64 sse4.1+avx+avx2+fma` or `aarch64 neon`.
pub(crate) fn class_of(config: &Config) -> String {
    match config.sonar.transforms {
        Transforms::Fastest => class(),
        Transforms::Portable => PORTABLE.to_owned(),
    }
}

fn class() -> String {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let sets = present!(is_x86_feature_detected: "sse4.1", "avx", "avx2", "fma", "avx512f");
    #[cfg(target_arch = "aarch64")]
    let sets = present!(is_aarch64_feature_detected: "neon");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    let sets: [(&str, bool); 0] = [];
    named(std::env::consts::ARCH, &sets)
}

fn named(architecture: &str, sets: &[(&str, bool)]) -> String {
    let present: Vec<&str> = sets
        .iter()
        .filter(|(_, there)| *there)
        .map(|(set, _)| *set)
        .collect();
    if present.is_empty() {
        architecture.to_owned()
    } else {
        format!("{architecture} {}", present.join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_names_what_is_there() {
        assert_eq!(
            named("x86_64", &[("sse4.1", true), ("avx", false), ("fma", true)]),
            "x86_64 sse4.1+fma"
        );
        assert_eq!(named("riscv64", &[]), "riscv64");
        let mut config = Config::default();
        assert!(class_of(&config).starts_with(std::env::consts::ARCH));
        config.sonar.transforms = Transforms::Portable;
        assert_eq!(class_of(&config), PORTABLE);
    }
}
