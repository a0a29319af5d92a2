//! Codes that people type: six digits in a mail, and recovery codes on paper. Both are stored as an HMAC under
//! `SECRET_KEY`: from a plain hash, so few digits could be guessed.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::app::{App, Tx};
use crate::crypto::digest::{equal, hmac_sha256};
use crate::crypto::{keyed, random};
use crate::db::latchkey_challenge::Challenge;
use crate::db::types::UserId;
use crate::db::{DbError, latchkey_recovery_code};

/// How long a mailed code is valid.
pub const MAILED_LIVES: Duration = Duration::from_mins(10);
/// How many recovery codes a user gets.
const RECOVERY_CODES: usize = 10;

/// Generates six digits, with a uniform distribution.
pub fn mailed() -> SecretString {
    const NUMBERS: u32 = 1_000_000;
    // Numbers beyond the last whole million are rejected: the remainder would favour small numbers.
    let fair = std::iter::repeat_with(|| u32::from_be_bytes(random::bytes()))
        .find(|number| *number < u32::MAX / NUMBERS * NUMBERS);
    format!("{:06}", fair.unwrap_or_default() % NUMBERS).into()
}

/// Generates ten codes of 50 bits, in two halves for readability.
fn recovery() -> Vec<SecretString> {
    let code = || {
        let text = random::code(10);
        SecretString::from(format!("{}-{}", &text[..5], &text[5..]))
    };
    std::iter::repeat_with(code).take(RECOVERY_CODES).collect()
}

/// The stored hash of a mailed code, bound to the challenge that it was requested for.
pub fn mailed_hash(app: &App, token_hash: &str, code: &SecretString) -> String {
    keyed::mac(&app.config.secret_key, "latchkey mailed code", &[token_hash, &normalized(code)]).hex()
}

/// Whether this code was mailed for a challenge and is still valid.
pub fn is_mailed(app: &App, row: &Challenge, typed: &SecretString) -> bool {
    let (Some(hash), Some(until)) = (&row.code_hash, row.code_expires_at) else { return false };
    app.now() < until && equal(hash.as_bytes(), mailed_hash(app, &row.token_hash, typed).as_bytes())
}

/// The stored hash of a recovery code.
pub fn recovery_hash(app: &App, user: UserId, code: &SecretString) -> String {
    keyed::mac(&app.config.secret_key, "latchkey recovery code", &[&user.to_string(), &normalized(code)]).hex()
}

/// The same hash as versions before migration 7 stored it.
pub fn older_recovery_hash(app: &App, user: UserId, code: &SecretString) -> String {
    let message = format!("latchkey recovery code {user} {}", normalized(code));
    random::hex(&hmac_sha256(app.config.secret_key.expose_secret().as_bytes(), message.as_bytes()))
}

/// Replaces all recovery codes of a user, in a transaction; the new ones are shown once.
pub fn replace(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<SecretString>, DbError> {
    let codes = recovery();
    let hashes: Vec<_> = codes.iter().map(|code| recovery_hash(tx.app, user, code)).collect();
    latchkey_recovery_code::replace(tx.conn, user, &hashes, tx.now)?;
    Ok(codes)
}

/// Ignores spaces, hyphens and case.
fn normalized(code: &SecretString) -> String {
    code.expose_secret().chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailed_codes_have_six_digits() {
        for _ in 0..100 {
            let code = mailed();
            assert!(code.expose_secret().len() == 6 && code.expose_secret().bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn recovery_codes_can_be_read_from_paper() {
        let codes = recovery();
        assert_eq!(codes.len(), RECOVERY_CODES);
        for code in &codes {
            let (first, second) = code.expose_secret().split_once('-').unwrap();
            assert_eq!((first.len(), second.len()), (5, 5));
            assert!(code.expose_secret().bytes().all(|byte| !b"01loi".contains(&byte)), "{}", code.expose_secret());
        }
    }
}
