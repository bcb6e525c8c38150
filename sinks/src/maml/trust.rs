//! Whom to believe.

use std::collections::BTreeSet;

use super::sign::SignerId;

/// The signers whose records count as genuine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    signers: BTreeSet<SignerId>,
}

impl Trust {
    /// Trusts these.
    pub fn of(signers: impl IntoIterator<Item = SignerId>) -> Self {
        Self {
            signers: signers.into_iter().collect(),
        }
    }

    /// Trusts one more.
    pub fn add(&mut self, signer: SignerId) {
        self.signers.insert(signer);
    }

    /// Whether this signer is trusted.
    pub fn holds(&self, signer: &SignerId) -> bool {
        self.signers.contains(signer)
    }
}

impl FromIterator<SignerId> for Trust {
    fn from_iter<I: IntoIterator<Item = SignerId>>(signers: I) -> Self {
        Self::of(signers)
    }
}
