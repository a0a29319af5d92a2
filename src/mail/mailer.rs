//! The `Mailer`: queues letters, and writes them out for whoever sends them. Built once, with the `App`.

use std::time::Duration;

use askama::Template;
use secrecy::SecretString;
use tokio::sync::{Notify, watch};

use super::delivery_error::DeliveryError;
use super::letter::Letter;
use super::message::{self, Mail};
use super::transport::Transport;
use super::words::{Site, Words};
use crate::config::{self, Config};
use crate::crypto::seal::Seal;
use crate::db::types::{Instant, UserId};
use crate::db::{Conn, DbError, latchkey_mail};

/// How long delivery of a mail is attempted.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(24);

/// Queues letters, and sends them.
pub struct Mailer {
    settings: config::Mail,
    /// `PUBLIC_URL`, for links.
    origin: String,
    /// Its host, for Message-IDs.
    host: String,
    pub(super) seal: Seal,
    pub(super) transport: Transport,
    /// Notified when there is something in the queue.
    pub(super) bell: Notify,
    /// Whether the process is about to end.
    pub(super) stop: watch::Sender<bool>,
}

/// A letter to be queued.
pub struct Outgoing<'a> {
    /// The recipient's address.
    pub to: &'a str,
    /// The recipient, if they have an account.
    pub user: Option<UserId>,
    /// What it says.
    pub letter: &'a Letter,
    /// What only the recipient may see: the token of a link.
    pub secret: Option<&'a SecretString>,
    /// When it becomes useless; a day at most.
    pub give_up_at: Option<Instant>,
}

/// A letter that is about to be written out.
pub(super) struct Draft<'a> {
    /// What is before the `@` of its Message-ID.
    pub id: &'a str,
    /// When it was queued.
    pub at: Instant,
    /// The recipient's address.
    pub to: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// What it says.
    pub letter: &'a Letter,
    /// What only the recipient may see.
    pub secret: Option<SecretString>,
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
    /// In place of a logo, which mail clients would not load.
    initial: String,
    site: &'a str,
    origin: &'a str,
}

impl Mailer {
    /// The mailer for these settings.
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

    /// The same, with another deadline for each attempt.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { transport: self.transport.with_deadline(deadline), ..self }
    }

    /// Queues a letter, in the transaction that causes it. Call `wake` when that has committed.
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

    /// Tells the sender to finish the mails that it is sending. `queue::run` ends soon after.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Sends a letter at once, bypassing the queue, to see whether mail works.
    pub async fn send_now(&self, now: Instant, to: &str, letter: &Letter) -> Result<(), DeliveryError> {
        let id = format!("{}.{}", crate::crypto::random::jti(), now.timestamp());
        let subject = letter.subject(&self.settings.site_name);
        let draft = Draft { id: &id, at: now, to, subject: &subject, letter, secret: None };
        let mail = self.write(draft)?;
        self.transport.send(mail).await
    }

    /// Writes a letter out.
    pub(super) fn write(&self, draft: Draft<'_>) -> Result<Mail, DeliveryError> {
        let Draft { id, at, to, subject, letter, secret } = draft;
        let (name, origin) = (self.settings.site_name.as_str(), self.origin.as_str());
        let words = Site { settings: &self.settings, origin }.words(letter, secret.as_ref());
        let words = &words
            .ok_or_else(|| DeliveryError::permanent("The link of this mail is not there any more.".to_owned()))?;
        let initial = name.chars().take(1).flat_map(char::to_uppercase).collect();
        let unwritten =
            |error: askama::Error| DeliveryError::permanent(format!("The mail cannot be written: {error}."));
        Ok(Mail {
            from: self.settings.from.clone(),
            to: message::address(to)?,
            subject: subject.to_owned(),
            at,
            id: id.to_owned(),
            host: self.host.clone(),
            text: Text { words, site: name, origin }.render().map_err(unwritten)?,
            html: Html { words, subject, initial, site: name, origin }.render().map_err(unwritten)?,
            secret,
        })
    }
}

/// What the encrypted secret of a queued mail is bound to.
pub(super) fn context(to: &str, template: &str) -> String {
    format!("{template} {to}")
}
