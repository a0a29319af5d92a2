//! `App`: everything that the API, the panel and the command line share, built once. `tx` is how they use its database.

mod tx;

use std::ops::Deref;
use std::sync::Arc;

pub use tx::Tx;

use crate::clock::Clock;
use crate::config::Config;
use crate::config::UserIdClaimType::{Number, Text};
use crate::crypto::keys::{KeyError, Keys};
use crate::crypto::passkey::Passkeys;
use crate::crypto::password::{PasswordPool, Recipe};
use crate::crypto::seal::Seal;
use crate::db::conn::{AccessMode, Conn};
use crate::db::migrations::{self, DatabaseContents, MigrateError};
use crate::db::types::Instant;
use crate::db::user_table::UserTable;
use crate::db::users::User;
use crate::db::{Db, DbError};
use crate::key_set::KeySet;
use crate::key_set::fetch::{Source, TIMEOUT};
use crate::mail::Mailer;

/// How many passwords may wait for a thread before further logins are refused as busy.
const WAITING_PASSWORDS: usize = 256;

/// A handle to everything that is shared. Cloning it is cheap.
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl From<Parts> for App {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

/// Settings, database, keys, hasher, mailer and clock in one struct.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Signing and verifying keys.
    pub keys: Keys,
    /// Verifies tokens instead of `keys`, if `JWT_JWK_URL` is set.
    pub key_set: Option<KeySet>,
    /// Hashes and checks passwords.
    pub passwords: PasswordPool,
    /// Queues mail and sends it.
    pub mailer: Mailer,
    /// Checks second factors.
    pub factors: Factors,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where users are stored.
    pub users: UserTable,
    /// Whether Django uses the same database (it has `django_migrations`).
    pub beside_django: bool,
}

/// Checks second factors.
pub struct Factors {
    /// Encrypts secrets in the database.
    pub seal: Seal,
    /// Passkeys, if browsers offer them: with https, or on localhost.
    pub passkeys: Option<Passkeys>,
}

impl Factors {
    fn new(config: &Config) -> Self {
        let (server, cors) = (&config.server, &config.cors);
        let others: Vec<_> = cors.allowed_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
        let domain = &config.second_factor.passkey_rp_id;
        let passkeys = Passkeys::new(domain, &server.public_url, &others, &config.mail.site_name);
        Self { seal: Seal::new(&config.secret_key, "second factors"), passkeys }
    }
}

/// Why an `App` could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database failed.
    #[error("cannot open the database: {0}")]
    Db(#[from] DbError),
    /// Latchkey cannot work with this database.
    #[error("{0}")]
    Refused(String),
}

impl App {
    /// Parses the keys, opens the database and inspects it; writes nothing. Blocks: call it at start.
    pub fn open(config: Config, clock: Clock) -> Result<Self, OpenError> {
        Parts::open(config, clock).map(Self::from)
    }
}

impl Parts {
    /// Builds what `App::open` shares.
    fn open(mut config: Config, clock: Clock) -> Result<Self, OpenError> {
        let keys = Keys::new(&config.jwt, &config.secret_key)?;
        let db = Db::new(&config.database)?;
        // Read-only: a writing connection would switch a SQLite file to WAL, even one that is refused afterwards.
        let look = Conn::open(&config.database.url, AccessMode::Read).map_err(MigrateError::from);
        let found = look.and_then(|mut conn| {
            let found = migrations::inspect(&mut conn, &config)?;
            let is_number = found.users().is_some() && migrations::is_number(&mut conn, &config)?;
            Ok((found, is_number))
        });
        let (beside_django, users, is_number) = match found {
            Ok((DatabaseContents::Django(users), is_number)) => (true, *users, is_number),
            Ok((DatabaseContents::Latchkey(users), is_number)) => (false, *users, is_number),
            // Until they are migrated: a server is alive then, and not ready.
            Ok((DatabaseContents::Empty, _)) => {
                let planned = UserTable::planned(&config, db.is_postgres());
                (false, planned.map_err(|error| OpenError::Refused(error.to_string()))?, false)
            }
            Err(MigrateError::Db(error)) => return Err(error.into()),
            Err(refused) => return Err(OpenError::Refused(refused.to_string())),
        };
        config.user_table.found = users.found();
        config.jwt.user_id_claim_type.get_or_insert(if is_number { Number } else { Text });
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let recipe = Recipe::new(&config.passwords, beside_django);
        let passwords = PasswordPool::new(recipe, threads, WAITING_PASSWORDS);
        let source = |url| Source { url, algorithm: config.jwt.algorithm, timeout: TIMEOUT };
        let key_set = config.jwt.jwk_url.clone().map(|url| KeySet::new(source(url), clock.clone()));
        let (mailer, factors) = (Mailer::new(&config), Factors::new(&config));
        Ok(Self { config, db, keys, key_set, passwords, mailer, factors, clock, users, beside_django })
    }

    /// Returns the time.
    pub fn now(&self) -> Instant {
        Instant::from(self.clock.now())
    }

    /// Measures each kind of stored password once, so that a failed login takes as long as the slowest of them.
    pub async fn learn_password_schemes(&self) {
        let users = self.users.clone();
        match self.db.read(move |conn| users.list_password_examples(conn)).await {
            Ok(examples) => examples.into_iter().for_each(|example| self.passwords.learn(example.0)),
            Err(error) => tracing::warn!(%error, "the stored password schemes could not be read"),
        }
    }

    /// Whether a correct login replaces an outdated hash.
    pub fn may_rehash(&self) -> bool {
        // With the revoke check, a new hash would end the user's sessions.
        self.config.passwords.rehash.unwrap_or(!self.beside_django) && !self.config.jwt.check_revoke_token
    }

    /// Whether a user may open the panel: superusers, and other staff where `STAFF_MAY_VIEW` allows it.
    pub fn may_open_panel(&self, user: &User) -> bool {
        let staff_may_view = self.config.accounts.staff_may_view.unwrap_or(!self.beside_django);
        user.may_log_in() && (user.is_superuser || user.is_staff && staff_may_view)
    }
}
