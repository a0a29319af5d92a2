//! The factors and recovery codes of a user, and the methods that they allow.

use secrecy::SecretString;

use super::code;
use crate::app::App;
use crate::crypto::digest::equal;
use crate::db::latchkey_second_factor::{self, Factor};
use crate::db::types::UserId;
use crate::db::{Conn, DbError, latchkey_recovery_code};
use crate::journal::authentication::{FactorKind, Method};

/// The factors and recovery codes of a user.
pub struct Enrolled {
    /// The factors, oldest first.
    pub factors: Vec<Factor>,
    /// The hashes of the recovery codes that are left.
    recovery_codes: Vec<String>,
}

impl Enrolled {
    /// Reads them. Two statements.
    pub fn find(conn: &mut Conn, user: UserId) -> Result<Self, DbError> {
        let factors = latchkey_second_factor::list_of(conn, user)?;
        let recovery_codes = latchkey_recovery_code::list_unused(conn, user)?;
        Ok(Self { factors, recovery_codes })
    }

    /// How many recovery codes are left.
    pub fn recovery_codes(&self) -> usize {
        self.recovery_codes.len()
    }

    /// The stored hash of this recovery code, if it is one of those left.
    pub(super) fn recovery_code(&self, app: &App, user: UserId, typed: &SecretString) -> Option<&str> {
        let hashes = [code::recovery_hash(app, user, typed), code::older_recovery_hash(app, user, typed)];
        let is_it = |known: &&String| hashes.iter().any(|hash| equal(known.as_bytes(), hash.as_bytes()));
        self.recovery_codes.iter().find(is_it).map(String::as_str)
    }

    /// The factors of a kind.
    pub fn of(&self, kind: FactorKind) -> impl Iterator<Item = &Factor> {
        self.factors.iter().filter(move |factor| factor.kind == kind.name())
    }

    /// The methods that can answer a challenge.
    pub fn methods(&self, app: &App) -> Vec<Method> {
        let can = |method: &Method| match method {
            // Browsers would not offer them on this site.
            Method::Factor(FactorKind::Passkey) if app.factors.passkeys.is_none() => false,
            Method::Factor(kind) => self.of(*kind).next().is_some(),
            Method::Recovery => !self.recovery_codes.is_empty(),
        };
        Method::all().filter(can).collect()
    }

    /// The passkeys in the library's format.
    pub fn passkeys(&self) -> Vec<String> {
        self.of(FactorKind::Passkey).map(|factor| factor.data.clone()).collect()
    }
}
