//! Confidential information of this court's orders (form CLETS-001; Cal. Rules of Court, rule 1.51): encrypted here before it
//! enters the ledger, readable here alone, and put beyond reach by destroying its key.

mod office;
mod desk;
mod vault;
mod recovery_code;
#[cfg(test)]
mod vault_examples;

pub(crate) use desk::Confidential;
pub(crate) use office::Office;
use recovery_code::RecoveryCode;
use vault::{Vault, VaultFailed};
