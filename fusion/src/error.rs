//! What can be wrong before the first measurement. Bad data is never an error: it is counted.

/// Why a [`crate::Fuser`] could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number of the configuration lies outside its range.
    #[error("config `{field}` is {found}, expected {expected}")]
    Config {
        /// The field, as the configuration file spells it.
        field: &'static str,
        /// Its value.
        found: f64,
        /// The valid range, in words.
        expected: &'static str,
    },
    /// The rig contradicts itself.
    #[error(transparent)]
    Rig(#[from] beluga_types::Error),
}
