//! The security posture: what OWASP ASVS 5.0, RFC 8725 and RFC 9700 ask of a token server, and whether it is so under these
//! settings. Every row is computed; a row says "met" only of what the program does. The panel's settings page shows them
//! all, its first page those that press.

mod asvs;
mod authentication;
mod rfc;

use super::{Algorithm, Config, Hasher, SecretKeySource};

use secrecy::ExposeSecret;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// OWASP Application Security Verification Standard 5.0.
    Asvs,
    /// RFC 8725: JSON Web Token Best Current Practices.
    Rfc8725,
    /// RFC 9700: Best Current Practice for OAuth 2.0 Security.
    Rfc9700,
}

impl Source {
    /// All, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Asvs, Self::Rfc8725, Self::Rfc9700];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asvs => "OWASP ASVS 5.0",
            Self::Rfc8725 => "RFC 8725, JSON Web Token Best Current Practices",
            Self::Rfc9700 => "RFC 9700, Best Current Practice for OAuth 2.0 Security",
        }
    }
}

/// A requirement, and whether it is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who asks.
    pub source: Source,
    /// The number there: `9.2.3`, `3.1`.
    pub number: &'static str,
    /// What is asked, in one sentence.
    pub asks: &'static str,
    /// Whether it is so.
    pub is_met: bool,
    /// The variable that decides; `None`: it is so, or not so, whatever the settings.
    pub variable: Option<&'static str>,
    /// What is so.
    pub finding: &'static str,
    /// What would mend it, where it is not met.
    pub fix: &'static str,
    /// Whether a server on the internet should not go on like this.
    pub is_pressing: bool,
}

/// What the settings say, and the little that they do not.
pub(super) struct Facts<'a> {
    config: &'a Config,
    beside_django: bool,
}

/// Every row, in the order of the sources.
pub fn rows(config: &Config, beside_django: bool) -> Vec<Row> {
    let facts = Facts { config, beside_django };
    [asvs::rows(&facts), rfc::jwt(&facts), rfc::oauth(&facts)].concat()
}

/// The rows that a changed setting would mend and that should not wait.
pub fn pressing(config: &Config, beside_django: bool) -> Vec<Row> {
    rows(config, beside_django).into_iter().filter(|row| row.is_pressing && !row.is_met).collect()
}

/// A requirement of OWASP ASVS.
fn asks(number: &'static str, asks: &'static str) -> (Source, &'static str, &'static str) {
    (Source::Asvs, number, asks)
}

/// A row that no setting changes.
fn fixed(source: Source, number: &'static str, asks: &'static str, is_met: bool, finding: &'static str) -> Row {
    Row { source, number, asks, is_met, variable: None, finding, fix: "", is_pressing: false }
}

impl Row {
    /// What would mend it beside a setting.
    fn mended_by(self, fix: &'static str) -> Self {
        Self { fix, ..self }
    }

    fn pressing(self) -> Self {
        Self { is_pressing: true, ..self }
    }
}

/// A row that a setting decides; what is so when it is met, what when not, and what to set then.
fn by(
    variable: &'static str,
    (source, number, asks): (Source, &'static str, &'static str),
    is_met: bool,
    [met, unmet]: [&'static str; 2],
    fix: &'static str,
) -> Row {
    let (finding, fix) = if is_met { (met, "") } else { (unmet, fix) };
    Row { source, number, asks, is_met, variable: Some(variable), finding, fix, is_pressing: false }
}

impl Facts<'_> {
    fn has_https(&self) -> bool {
        self.config.server.public_url.scheme() == "https"
    }

    /// Reachable by nobody but this machine.
    fn is_local(&self) -> bool {
        self.config.server.host.is_loopback()
            && matches!(self.config.server.public_url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
    }

    fn has_audience(&self) -> bool {
        !self.config.jwt.audience.as_slice().is_empty()
    }

    fn hasher(&self) -> Hasher {
        let default = if self.beside_django { Hasher::Pbkdf2Sha256 } else { Hasher::BcryptSha256 };
        self.config.passwords.hasher.unwrap_or(default)
    }

    /// Whether stolen hashes are slow to guess.
    fn hashes_slowly(&self) -> bool {
        let passwords = &self.config.passwords;
        match self.hasher() {
            Hasher::BcryptSha256 | Hasher::Bcrypt => passwords.bcrypt_rounds >= 10,
            Hasher::Pbkdf2Sha256 => passwords.pbkdf2_iterations >= 600_000,
            Hasher::Argon2 => true,
        }
    }

    /// Whether the secrets that sign look random and are long enough for what they do (RFC 7518, 3.2).
    fn has_strong_secrets(&self) -> bool {
        let jwt = &self.config.jwt;
        let shortest = match jwt.algorithm {
            Algorithm::HS256 => 32,
            Algorithm::HS384 => 48,
            Algorithm::HS512 => 64,
            _ => 0,
        };
        let secret = self.config.secret_key.expose_secret();
        let is_made_here = self.config.secret_key_source != SecretKeySource::Setting;
        let signs = jwt.signing_key.as_ref().map_or(secret, |key| key.expose_secret());
        (is_made_here || looks_random(secret)) && (shortest == 0 || signs.len() >= shortest && looks_random(signs))
    }
}

/// Neither an example, nor what Django writes into a new project, nor a few keys pressed again and again.
fn looks_random(secret: &str) -> bool {
    let mut letters: Vec<char> = secret.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let is_example = secret.starts_with("django-insecure-") || secret.contains("0123456789abcdef");
    !is_example && letters.len() >= 10
}

#[cfg(test)]
mod tests;
