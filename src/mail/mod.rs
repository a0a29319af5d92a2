//! Mail to users: what it says (`letter`), the queue in the database that it waits in (`queue`), and how it leaves
//! (`transport`). `accounts` decides who gets which letter; nothing here knows why one is written.

pub mod letter;
pub mod queue;

use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::Notify;

use crate::config::{Config, Mail};
use crate::crypto::seal::Seal;
use crate::db::types::{Instant, UserId};
use crate::db::{Conn, DbError, latchkey_mail};
use letter::Letter;

/// A mail that could not be delivered for so long is given up.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Queues letters, and sends them.
pub struct Mailer {
    settings: Mail,
    /// `PUBLIC_URL`, for links.
    origin: String,
    seal: Seal,
    /// Rung when there is something in the queue.
    bell: Notify,
}

/// A letter on its way to somebody.
pub struct Outgoing<'a> {
    /// Their address.
    pub to: &'a str,
    /// Who they are, where they have an account.
    pub user: Option<UserId>,
    /// What it says.
    pub letter: &'a Letter,
    /// What only the recipient may see: the token of a link.
    pub secret: Option<&'a SecretString>,
    /// When it is of no use any more; a day at most.
    pub give_up_at: Option<Instant>,
}

impl Mailer {
    /// Made once, with the `App`.
    pub fn new(config: &Config) -> Self {
        Self {
            settings: config.mail.clone(),
            origin: config.server.public_origin(),
            seal: Seal::new(&config.secret_key, "mail"),
            bell: Notify::new(),
        }
    }

    /// Queues a letter, inside the transaction that causes it. `ring` when that is done.
    pub fn enqueue(&self, conn: &mut Conn, now: Instant, mail: &Outgoing<'_>) -> Result<(), DbError> {
        let (template, parameters) = mail.letter.parts();
        let latest = now + GIVE_UP_AFTER;
        let sealed = mail.secret.map(|secret| self.seal.seal(&context(mail.to, template), secret));
        let row = latchkey_mail::NewRow {
            created_at: now,
            user_id: mail.user,
            recipient: mail.to,
            subject: &mail.letter.subject(&self.settings.site_name),
            template,
            parameters: &parameters,
            secret: sealed.as_deref(),
            status: queue::QUEUED,
            attempts: 0,
            next_at: Some(now),
            give_up_at: mail.give_up_at.map_or(latest, |at| at.min(latest)),
        };
        latchkey_mail::insert(conn, &row)
    }

    /// Tells the sender that there is something in the queue.
    pub fn ring(&self) {
        self.bell.notify_one();
    }
}

/// What a secret of the queue is bound to.
fn context(to: &str, template: &str) -> String {
    format!("{template} {to}")
}
