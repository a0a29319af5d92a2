//! Mail to users: what it says (`letter`, `words`), the queue in the database that it waits in (`queue`), and how it leaves
//! (`message`, `transport`, `smtp`). `accounts` decides who gets which letter; nothing here knows why one is written.

pub mod letter;
mod message;
pub mod queue;
pub mod send_error;
mod smtp;
pub mod transport;
mod words;

use std::time::Duration;

use askama::Template;
use secrecy::SecretString;
use tokio::sync::{Notify, watch};

use crate::config::{Config, Mail};
use crate::crypto::seal::Seal;
use crate::db::types::{Instant, UserId};
use crate::db::{Conn, DbError, latchkey_mail};
use letter::Letter;
use send_error::SendError;
use transport::Transport;
use words::Words;

/// A mail that could not be delivered for so long is given up.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Queues letters, and sends them.
pub struct Mailer {
    settings: Mail,
    /// `PUBLIC_URL`, for links.
    origin: String,
    /// Its host, for Message-IDs.
    host: String,
    seal: Seal,
    transport: Transport,
    /// Rung when there is something in the queue.
    bell: Notify,
    /// Whether the process is to end.
    stop: watch::Sender<bool>,
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

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Text<'a> {
    words: &'a Words,
    site: &'a str,
    origin: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    words: &'a Words,
    subject: &'a str,
    /// Stands for a logo, which mail clients would not load.
    initial: String,
    site: &'a str,
    origin: &'a str,
}

impl Mailer {
    /// Made once, with the `App`.
    pub fn new(config: &Config) -> Self {
        let url = &config.server.public_url;
        Self {
            settings: config.mail.clone(),
            origin: config.server.public_origin(),
            host: url.host_str().unwrap_or("localhost").to_owned(),
            seal: Seal::new(&config.secret_key, "mail"),
            transport: Transport::new(&config.mail.url, url.host()),
            bell: Notify::new(),
            stop: watch::Sender::new(false),
        }
    }

    /// The same with another deadline for each attempt.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { transport: self.transport.with_deadline(deadline), ..self }
    }

    /// Queues a letter, inside the transaction that causes it. `wake` when that is done.
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
            status: latchkey_mail::QUEUED,
            attempts: 0,
            next_at: Some(now),
            give_up_at: mail.give_up_at.map_or(latest, |at| at.min(latest)),
        };
        latchkey_mail::insert(conn, &row)
    }

    /// Tells the sender that there is something in the queue.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    /// Tells the sender to finish what it is at. `queue::run` ends soon after.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Sends a letter at once, past the queue: to see whether mail works.
    pub async fn send_now(&self, now: Instant, to: &str, letter: &Letter) -> Result<(), SendError> {
        let id = format!("{}.{}", crate::crypto::random::jti(), now.timestamp());
        let mail = self.write(&id, now, to, &letter.subject(&self.settings.site_name), letter, None)?;
        self.transport.send(mail).await
    }

    /// The mail of a letter.
    fn write(
        &self,
        id: &str,
        at: Instant,
        to: &str,
        subject: &str,
        letter: &Letter,
        secret: Option<SecretString>,
    ) -> Result<message::Mail, SendError> {
        let (site, origin) = (self.settings.site_name.as_str(), self.origin.as_str());
        let words = self.words(letter, secret.as_ref());
        let words =
            &words.ok_or_else(|| SendError::permanent("The link of this mail is not there any more.".to_owned()))?;
        let initial = site.chars().take(1).flat_map(char::to_uppercase).collect();
        let unwritten = |error: askama::Error| SendError::permanent(format!("The mail cannot be written: {error}."));
        Ok(message::Mail {
            from: self.settings.from.clone(),
            to: message::address(to)?,
            subject: subject.to_owned(),
            at,
            id: id.to_owned(),
            host: self.host.clone(),
            text: Text { words, site, origin }.render().map_err(unwritten)?,
            html: Html { words, subject, initial, site, origin }.render().map_err(unwritten)?,
            secret,
        })
    }
}

/// What a secret of the queue is bound to.
fn context(to: &str, template: &str) -> String {
    format!("{template} {to}")
}
