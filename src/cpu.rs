//! Which class of CPU a run was computed on: machines of one class give the same bytes.

/// Tells which of the named instruction sets this machine has.
macro_rules! present {
    ($detected:ident: $($set:tt),*) => {
        [$(($set, std::arch::$detected!($set))),*]
    };
}

/// This machine's class: its architecture and those of its instruction sets by which code for FFTs
/// (rustfft), matrix products (matrixmultiply) or libm is chosen while the program runs, for instance
/// `x86_64 sse4.1+avx+avx2+fma` or `aarch64 neon`; `portable` where there is none of them.
pub(crate) fn class() -> String {
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
        format!("{architecture} portable")
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
        assert_eq!(named("riscv64", &[]), "riscv64 portable");
        assert!(class().starts_with(std::env::consts::ARCH));
    }
}
