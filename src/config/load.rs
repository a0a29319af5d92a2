//! `Config`: every setting of the server, read through the sections and checked. Where the values come from is in `environment`.

use secrecy::SecretString;

use super::accounts::{Accounts, Passwords};
use super::cookie::RefreshCookie;
use super::cors::Cors;
use super::database::{Database, DatabaseUrl};
use super::effective::{Effective, ValueSource};
use super::introspection::IntrospectionClient;
use super::jwt::Jwt;
use super::key::{self, SecretKeySource};
use super::log::Log;
use super::mail::Mail;
use super::reader::{Get, Problems, Reader};
use super::second_factor::SecondFactor;
use super::server::Server;
use super::sessions::Sessions;
use super::user_table::UserTableSettings;
use super::vocabulary::UserIdField;

/// Every setting of the server, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens and how it is reached.
    pub server: Server,
    /// Which database, and how it is used.
    pub database: Database,
    /// Signs admin sessions, CSRF tokens and mail links (`SECRET_KEY`).
    pub secret_key: SecretString,
    /// Where that comes from.
    pub secret_key_source: SecretKeySource,
    /// Cross-origin requests to the API.
    pub cors: Cors,
    /// Where users are stored, and what a login names.
    pub user_table: UserTableSettings,
    /// Who may open the panel, and what ends sessions.
    pub accounts: Accounts,
    /// How passwords are stored and what they must be.
    pub passwords: Passwords,
    /// Everything named `JWT_*`.
    pub jwt: Jwt,
    /// How long sessions live.
    pub sessions: Sessions,
    /// Who besides superusers may introspect tokens.
    pub introspection_client: Option<IntrospectionClient>,
    /// The cookie with the refresh token, if clients may ask for one.
    pub cookie: Option<RefreshCookie>,
    /// Who needs a second factor, and how.
    pub second_factor: SecondFactor,
    /// Where mail goes, and how it names the site.
    pub mail: Mail,
    /// What the log looks like.
    pub log: Log,
    /// What works but deserves a look; one sentence each.
    pub warnings: Vec<String>,
    effective: Vec<Effective>,
}

impl Config {
    /// Reads the settings through `get` and nothing else but the key files that they name.
    ///
    /// # Errors
    /// All problems together. `SECRET_KEY` must be set here: only `from_environment` keeps one in a file.
    pub fn load(get: Get<'_>) -> Result<Self, Problems> {
        let mut reader = Reader::new(get);
        let config = Self::read(&mut reader);
        if config.secret_key_source != SecretKeySource::Setting && reader.is_fine("DATABASE_URL") {
            reader.refuse("SECRET_KEY", None, "is not set");
        }
        config.finish(reader)
    }

    /// The settings as they are in force, in the table's order, secrets masked.
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }

    /// Whether users are named by a UUID outside: the key, or our own random id.
    pub fn has_uuids(&self) -> bool {
        let is_ours = self.jwt.user_id_field == UserIdField::Column("uuid".to_owned());
        self.user_table.found.has_uuid_keys || is_ours
    }

    /// Whether a setting was given.
    pub fn is_set(&self, name: &str) -> bool {
        let is_given = |effective: &&Effective| effective.name == name && effective.origin != ValueSource::Default;
        self.effective.iter().any(|effective| is_given(&effective))
    }

    /// One pass over the table. A wrong value is noted by the reader and replaced by its default.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let server = Server::read(reader);
        let secret_key = reader.optional("SECRET_KEY", key::secret_key);
        let database = Database::read(reader);
        let secret_key_source = match &database.url {
            _ if reader.is_set("SECRET_KEY") => SecretKeySource::Setting,
            // Not created yet: see `from_environment`.
            DatabaseUrl::Sqlite(path) => SecretKeySource::File(key::file_beside(path)),
            DatabaseUrl::Postgres(_) => {
                reader.refuse("SECRET_KEY", None, "is not set, and PostgreSQL has no place to keep one made here");
                SecretKeySource::Setting
            }
        };
        let mut cors = Cors::read(reader);
        let user_table = UserTableSettings::read(reader);
        let accounts = Accounts::read(reader);
        let passwords = Passwords::read(reader);
        let jwt = Jwt::read(reader);
        let sessions = Sessions::read(reader, &jwt);
        let introspection_client = IntrospectionClient::read(reader);
        let cookie = RefreshCookie::read(reader, &server, &mut cors);
        let second_factor = SecondFactor::read(reader, &server, &jwt);
        let mail = Mail::read(reader, &server);
        Self {
            server,
            database,
            secret_key: secret_key.unwrap_or_default(),
            secret_key_source,
            cors,
            user_table,
            accounts,
            passwords,
            jwt,
            sessions,
            introspection_client,
            cookie,
            second_factor,
            mail,
            log: Log::read(reader),
            warnings: Vec::new(),
            effective: Vec::new(),
        }
    }

    /// Takes over what the reader collected: the problems, or else the rest.
    pub(super) fn finish(mut self, reader: Reader<'_>) -> Result<Self, Problems> {
        if !reader.problems.is_empty() {
            return Err(Problems(reader.problems));
        }
        self.warnings.extend(reader.warnings);
        self.effective = reader.effective;
        Ok(self)
    }
}
