//! Settings: the environment (and `.env`) becomes one struct, with one part per section.
//! All problems are reported together. Nothing else in the program reads the environment.

mod accounts;
mod cors;
mod database;
mod dotenv;
mod environment;
mod jwt;
mod key;
mod log;
mod parse;
mod reader;
mod server;
mod table;
mod vocabulary;

use secrecy::SecretString;

pub use accounts::{Accounts, Hasher, Passwords, UsernameField};
pub use cors::Cors;
pub use database::{Database, DatabaseUrl};
pub use environment::{Superuser, superuser};
pub use jwt::Jwt;
pub use key::SecretKeySource;
pub use log::Log;
pub use reader::{Effective, Get, Problem, Problems};
pub use server::Server;
pub use table::{SETTINGS, Setting, env_example, readme_table};
pub use vocabulary::{Algorithm, Audience, ExtraClaim, TokenClass, UserIdField};

use reader::Reader;

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
    /// How people log in and who may open the panel.
    pub accounts: Accounts,
    /// How passwords are stored and what they must be.
    pub passwords: Passwords,
    /// Everything named `JWT_*`.
    pub jwt: Jwt,
    /// What the log looks like.
    pub log: Log,
    /// What works but should be looked at; one sentence each.
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

    /// One pass over the table. Where something is wrong, its default stands in and the reader knows.
    fn read(reader: &mut Reader<'_>) -> Self {
        let server = Server::read(reader);
        let secret_key = reader.optional("SECRET_KEY", key::secret_key);
        let database = Database::read(reader);
        let secret_key_source = match &database.url {
            _ if reader.is_set("SECRET_KEY") => SecretKeySource::Setting,
            // Not made yet: see `from_environment`.
            DatabaseUrl::Sqlite(path) => SecretKeySource::File(key::file_beside(path)),
            DatabaseUrl::Postgres(_) => {
                reader.refuse("SECRET_KEY", None, "is not set, and PostgreSQL has no place to keep one made here");
                SecretKeySource::Setting
            }
        };
        Self {
            server,
            database,
            secret_key: secret_key.unwrap_or_default(),
            secret_key_source,
            cors: Cors::read(reader),
            accounts: Accounts::read(reader),
            passwords: Passwords::read(reader),
            jwt: Jwt::read(reader),
            log: Log::read(reader),
            warnings: Vec::new(),
            effective: Vec::new(),
        }
    }

    /// Hands over what the reader collected: the problems, or the rest.
    fn finish(mut self, reader: Reader<'_>) -> Result<Self, Problems> {
        if !reader.problems.is_empty() {
            return Err(Problems(reader.problems));
        }
        self.warnings.extend(reader.warnings);
        self.effective = reader.effective;
        Ok(self)
    }
}
