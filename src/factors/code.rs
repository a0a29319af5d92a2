//! Codes that people type: six digits in a mail, and recovery codes on paper. Of both an HMAC under `SECRET_KEY` is kept:
//! so few digits could be guessed from a plain hash.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::app::{App, Tx};
use crate::crypto::digest::{equal, hmac_sha256};
use crate::crypto::{keyed, random};
use crate::db::latchkey_challenge::Challenge;
use crate::db::types::UserId;
use crate::db::{DbError, latchkey_recovery_code};

/// So long a mailed code is good.
pub const MAILED_LIVES: Duration = Duration::from_mins(10);
/// So many recovery codes are made at once.
const RECOVERY_CODES: usize = 10;

/// Six digits, each number as likely as any other.
pub fn mailed() -> SecretString {
    const NUMBERS: u32 = 1_000_000;
    // What is beyond the last whole million is thrown away: folding it would favour small numbers.
    let fair = std::iter::repeat_with(|| u32::from_be_bytes(random::bytes()))
        .find(|number| *number < u32::MAX / NUMBERS * NUMBERS);
    format!("{:06}", fair.unwrap_or_default() % NUMBERS).into()
}

/// Ten codes of 50 bits, in two halves for people to read.
fn recovery() -> Vec<SecretString> {
    let code = || {
        let text = random::code(10);
        SecretString::from(format!("{}-{}", &text[..5], &text[5..]))
    };
    std::iter::repeat_with(code).take(RECOVERY_CODES).collect()
}

/// What is stored of a mailed code: it is bound to the challenge that asked for it.
pub fn mailed_hash(app: &App, token_hash: &str, code: &SecretString) -> String {
    keyed::mac(&app.config.secret_key, "latchkey mailed code", &[token_hash, &normalized(code)]).hex()
}

/// Whether this code was mailed for a challenge, and is still good.
pub fn is_mailed(app: &App, row: &Challenge, typed: &SecretString) -> bool {
    let (Some(hash), Some(until)) = (&row.code_hash, row.code_expires_at) else { return false };
    app.now() < until && equal(hash.as_bytes(), mailed_hash(app, &row.token_hash, typed).as_bytes())
}

/// What is stored of a recovery code.
pub fn recovery_hash(app: &App, user: UserId, code: &SecretString) -> String {
    keyed::mac(&app.config.secret_key, "latchkey recovery code", &[&user.to_string(), &normalized(code)]).hex()
}

/// What a version before migration 7 stored of it.
pub fn older_recovery_hash(app: &App, user: UserId, code: &SecretString) -> String {
    let message = format!("latchkey recovery code {user} {}", normalized(code));
    random::hex(&hmac_sha256(app.config.secret_key.expose_secret().as_bytes(), message.as_bytes()))
}

/// Gives a user new recovery codes in place of all earlier ones, in a transaction; they are shown once.
pub fn replace(tx: &mut Tx<'_>, user: UserId) -> Result<Vec<SecretString>, DbError> {
    let codes = recovery();
    let hashes: Vec<_> = codes.iter().map(|code| recovery_hash(tx.app, user, code)).collect();
    latchkey_recovery_code::replace(tx.conn, user, &hashes, tx.now)?;
    Ok(codes)
}

/// Spaces, hyphens and capitals do not matter.
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
