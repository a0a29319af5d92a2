//! Settings: the environment (and `.env`) becomes one struct, with one part per section.
//! All problems are reported together. Nothing else in the program reads the environment.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Every setting of the server, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens and how it is reached.
    pub server: Server,
    /// Which database, and how it is used.
    pub database: Database,
    /// Signs admin sessions, CSRF tokens and mail links (`SECRET_KEY`).
    pub secret_key: SecretString,
    /// Cross-origin requests to the API.
    pub cors: Cors,
    /// How people log in and who may open the panel.
    pub accounts: Accounts,
    /// How passwords are stored and what they must be.
    pub passwords: Passwords,
    /// Everything named `JWT_*`.
    pub jwt: Jwt,
    /// What the log looks like.
    pub log: Log,
}

/// `HOST`, `PORT`, `WORKERS`, `PUBLIC_URL`, `ALLOWED_HOSTS`, `TRUSTED_PROXIES`.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 picks a free one.
    pub port: u16,
    /// Actix workers.
    pub workers: usize,
    /// How users reach the server, without a slash at the end.
    pub public_url: url::Url,
    /// `Host` headers that are answered; `.example.com` covers subdomains, `*` all.
    pub allowed_hosts: Vec<String>,
    /// Networks whose `X-Forwarded-*` headers count.
    pub trusted_proxies: Vec<ipnet::IpNet>,
}

/// `DATABASE_URL`, `DATABASE_POOL_SIZE`, `AUTO_MIGRATE`.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which database.
    pub url: DatabaseUrl,
    /// PostgreSQL connections, or SQLite readers.
    pub pool_size: usize,
    /// Apply pending migrations at start; false means refuse to start with some pending.
    pub auto_migrate: bool,
}

/// A parsed `DATABASE_URL`.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A libpq connection URI; it may hold a password.
    Postgres(SecretString),
}

/// django-cors-headers' settings.
#[derive(Debug, Clone)]
pub struct Cors {
    /// `CORS_ALLOWED_ORIGINS`.
    pub allowed_origins: Vec<String>,
    /// `CORS_ALLOW_ALL_ORIGINS`.
    pub allow_all_origins: bool,
    /// `CORS_ALLOW_CREDENTIALS`.
    pub allow_credentials: bool,
    /// `CORS_ALLOW_HEADERS`.
    pub allow_headers: Vec<String>,
    /// `CORS_EXPOSE_HEADERS`.
    pub expose_headers: Vec<String>,
}

/// `USERNAME_FIELD`, `STAFF_MAY_VIEW`, `END_SESSIONS_ON_USER_CHANGE`.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// What a login names.
    pub username_field: UsernameField,
    /// Staff who are no superusers may look at the panel. Unset: true alone, false beside a Django.
    pub staff_may_view: Option<bool>,
    /// A password change or disabling blacklists the user's tokens.
    pub end_sessions_on_user_change: bool,
}

/// What a login names: `USERNAME_FIELD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsernameField {
    /// The username.
    Username,
    /// The e-mail address; the JSON field is called `email` too.
    Email,
    /// Either of them, in the JSON field `username`.
    UsernameOrEmail,
}

/// `PASSWORD_HASHER`, `BCRYPT_ROUNDS`, `PBKDF2_ITERATIONS`, `PASSWORD_REHASH`.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Scheme of new hashes. Unset: `bcrypt_sha256` alone, `pbkdf2_sha256` beside a Django.
    pub hasher: Option<Hasher>,
    /// bcrypt cost (4 to 31).
    pub bcrypt_rounds: u32,
    /// PBKDF2 iterations.
    pub pbkdf2_iterations: u32,
    /// Replace outdated hashes after a correct login. Unset: true alone, false beside a Django.
    pub rehash: Option<bool>,
}

/// A scheme that new passwords can be stored with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hasher {
    /// `bcrypt_sha256`: SHA-256 first, so nothing is cut at 72 bytes.
    BcryptSha256,
    /// `bcrypt`.
    Bcrypt,
    /// `argon2` (Argon2id).
    Argon2,
    /// `pbkdf2_sha256`.
    Pbkdf2Sha256,
}

/// SimpleJWT's settings, under its names.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// Secret (HS*) or private PEM; `None` means that `SECRET_KEY` signs.
    pub signing_key: Option<SecretString>,
    /// Public PEM; `None` means: derived from the signing key.
    pub verifying_key: Option<SecretString>,
    /// `HS256` …
    pub algorithm: Algorithm,
    /// Lifetime of access tokens.
    pub access_token_lifetime: Duration,
    /// Lifetime of refresh tokens.
    pub refresh_token_lifetime: Duration,
    /// Lifetime of sliding tokens.
    pub sliding_token_lifetime: Duration,
    /// How long a sliding token can be refreshed.
    pub sliding_token_refresh_lifetime: Duration,
    /// A refresh answers a new refresh token.
    pub rotate_refresh_tokens: bool,
    /// … and blacklists the old one.
    pub blacklist_after_rotation: bool,
    /// Logins write `last_login`, at most once a minute per user.
    pub update_last_login: bool,
    /// Accepted (and written) audiences; empty means none.
    pub audience: Audience,
    /// Issuer.
    pub issuer: Option<String>,
    /// Tolerated clock difference.
    pub leeway: Duration,
    /// Words before the token in the header, at least one.
    pub auth_header_types: Vec<String>,
    /// Header's name in lower case: `authorization`.
    pub auth_header_name: String,
    /// What authenticates a request, in this order.
    pub auth_token_classes: Vec<TokenClass>,
    /// Field of the user that the user id claim holds.
    pub user_id_field: UserIdField,
    /// Name of the user id claim.
    pub user_id_claim: String,
    /// Name of the token type claim, `None` leaves it out.
    pub token_type_claim: Option<String>,
    /// Name of the jti claim, `None` leaves it out.
    pub jti_claim: Option<String>,
    /// Name of the claim that holds until when a sliding token can be refreshed.
    pub sliding_token_refresh_exp_claim: String,
    /// User fields copied into tokens at the pair endpoint.
    pub extra_claims: Vec<ExtraClaim>,
    /// Inactive users cannot log in, refresh or authenticate.
    pub check_user_is_active: bool,
    /// A token dies with the password that it was made under.
    pub check_revoke_token: bool,
    /// Name of the claim for that.
    pub revoke_token_claim: String,
}

/// `JWT_AUDIENCE`: written as given (text or list), any of them is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// No audience is written or checked.
    None,
    /// One: written as a text.
    One(String),
    /// Several: written as a list.
    Many(Vec<String>),
}

/// What may authenticate a request: `JWT_AUTH_TOKEN_CLASSES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// Access tokens.
    Access,
    /// Sliding tokens.
    Sliding,
}

/// `JWT_USER_ID_FIELD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserIdField {
    /// Django's integer key, as text.
    Id,
    /// Our own random id (`latchkey_user.uuid`).
    Uuid,
    /// The username.
    Username,
    /// The e-mail address.
    Email,
}

/// A user field that may go into tokens: `JWT_EXTRA_CLAIMS` (a closed list).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtraClaim {
    /// `email`
    Email,
    /// `username`
    Username,
    /// `first_name`
    FirstName,
    /// `last_name`
    LastName,
    /// `is_staff`
    IsStaff,
    /// `is_superuser`
    IsSuperuser,
    /// `is_active`
    IsActive,
}

/// A signature algorithm that SimpleJWT knows and we support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are RFC 7518's")]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

/// `LOG_FORMAT`, `RUST_LOG`.
#[derive(Debug, Clone)]
pub struct Log {
    /// One JSON object a line instead of text for people.
    pub json: bool,
    /// tracing's filter, `info` when unset.
    pub filter: String,
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}
