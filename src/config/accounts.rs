//! How users log in, who may open the panel, and how passwords are stored.

use super::parse;
use super::reader::Reader;

/// `STAFF_MAY_VIEW`, `END_SESSIONS_ON_USER_CHANGE`, `LOGIN_THROTTLE`.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Staff who are not superusers may look at the panel. Unset: true, or false beside Django.
    pub staff_may_view: Option<bool>,
    /// Changing a password or deactivating a user blacklists the user's tokens.
    pub end_sessions_on_user_change: bool,
    /// Password guessing and requests for mail are slowed down.
    pub login_throttle: bool,
}

/// `PASSWORD_RULES`, `PASSWORD_HASHER`, `BCRYPT_ROUNDS`, `PBKDF2_ITERATIONS`, `PASSWORD_REHASH`.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// What a new password must be.
    pub rules: PasswordRules,
    /// Scheme of new hashes. Unset: `bcrypt_sha256`, or `pbkdf2_sha256` beside Django.
    pub hasher: Option<Hasher>,
    /// bcrypt cost (4 to 31).
    pub bcrypt_rounds: u32,
    /// PBKDF2 iterations.
    pub pbkdf2_iterations: u32,
    /// Replace outdated hashes after a successful login. Unset: true, or false beside Django.
    pub rehash: Option<bool>,
}

/// What a new password must be: `PASSWORD_RULES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum PasswordRules {
    /// NIST SP 800-63B-4, section 3.1.1.2.
    Nist,
    /// Django's four validators.
    Django,
    /// Anything that is not empty.
    None,
}

/// A scheme in which new passwords can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Hasher {
    /// `bcrypt_sha256`: SHA-256 first, so that nothing is cut at 72 bytes.
    BcryptSha256,
    /// `bcrypt`.
    Bcrypt,
    /// `argon2` (Argon2id).
    Argon2,
    /// `pbkdf2_sha256`.
    Pbkdf2Sha256,
}

impl Accounts {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            staff_may_view: reader.optional("STAFF_MAY_VIEW", parse::boolean),
            end_sessions_on_user_change: reader.read("END_SESSIONS_ON_USER_CHANGE", parse::boolean),
            login_throttle: reader.read("LOGIN_THROTTLE", parse::boolean),
        }
    }
}

impl Passwords {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let passwords = Self {
            rules: reader.read("PASSWORD_RULES", parse::variant),
            hasher: reader.optional("PASSWORD_HASHER", parse::variant),
            bcrypt_rounds: reader.read("BCRYPT_ROUNDS", parse::number(4..=31)),
            // The upper limit costs half a minute per login; more is a typing error.
            pbkdf2_iterations: reader.read("PBKDF2_ITERATIONS", parse::number(1..=100_000_000)),
            rehash: reader.optional("PASSWORD_REHASH", parse::boolean),
        };
        if passwords.bcrypt_rounds < 10 {
            reader
                .warnings
                .push("BCRYPT_ROUNDS below 10 makes stolen hashes quick to guess; 12 is the default".to_owned());
        }
        if passwords.pbkdf2_iterations < 600_000 {
            reader.warnings.push(
                "PBKDF2_ITERATIONS below 600000 makes stolen hashes quick to guess; 1000000 is the default".to_owned(),
            );
        }
        passwords
    }
}
