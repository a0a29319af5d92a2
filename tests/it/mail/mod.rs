//! Mail, from the queue to a real mail server.

use latchkey::app::Tx;
use latchkey::db::DbError;
use latchkey::db::types::{Instant, UserId};
use latchkey::mail::Outgoing;
use latchkey::mail::letter::{Letter, Occurrence};
use latchkey::mail::queue::Delivered;
use secrecy::SecretString;

use crate::harness::server::NOW;
use crate::harness::{Backend, Server, Smtp};

mod failing;
mod sending;
mod sharing;
mod transports;
mod upkeep;

/// The token of every link.
pub const TOKEN: &str = "a-token-that-nobody-else-may-see-0123456789";

/// The settings of a site that sends its mail there.
pub fn settings(email_url: &str) -> [(&str, &str); 4] {
    [
        ("EMAIL_URL", email_url),
        ("SITE_NAME", "Bücherei Süd"),
        ("DEFAULT_FROM_EMAIL", "Bücherei Süd <accounts@example.com>"),
        ("PUBLIC_URL", "https://auth.example.com"),
    ]
}

/// A server that sends its mail to `smtp`.
pub fn server(backend: Backend, smtp: &Smtp) -> Server {
    Server::with(backend, &settings(&smtp.url()))
}

/// A link for a new password, which is over in an hour.
pub fn reset(username: &str) -> Letter {
    let ip = Some("203.0.113.9".to_owned());
    Letter::PasswordReset { username: username.to_owned(), ip, sent_by: None, expires_at: NOW + 3600 }
}

/// That a password was changed.
pub fn changed(username: &str) -> Letter {
    let origin = Occurrence { at: NOW, ip: Some("203.0.113.9".to_owned()) };
    Letter::PasswordChanged { username: username.to_owned(), origin, changed_by: None }
}

/// One letter of each kind, with this for every name in it.
pub fn letters(name: &str) -> Vec<Letter> {
    let text = || name.to_owned();
    let origin = || Occurrence { at: NOW, ip: Some(text()) };
    vec![
        Letter::Test {},
        Letter::PasswordReset { username: text(), ip: Some(text()), sent_by: None, expires_at: NOW },
        Letter::PasswordReset { username: text(), ip: None, sent_by: Some(text()), expires_at: NOW },
        Letter::PasswordChanged { username: text(), origin: origin(), changed_by: None },
        Letter::PasswordChanged { username: text(), origin: origin(), changed_by: Some(text()) },
        Letter::EmailConfirm { username: text(), expires_at: NOW },
        Letter::EmailChanged { username: text(), new_email: text(), origin: origin(), changed_by: None },
        Letter::EmailChanged { username: text(), new_email: text(), origin: origin(), changed_by: Some(text()) },
        Letter::EmailCode { username: text(), ip: Some(text()), expires_at: NOW },
        Letter::FactorAdded { username: text(), factor: text(), origin: origin(), changed_by: None },
        Letter::FactorAdded { username: text(), factor: text(), origin: origin(), changed_by: Some(text()) },
        Letter::FactorRemoved { username: text(), factor: text(), origin: origin(), changed_by: None },
        Letter::FactorRemoved { username: text(), factor: text(), origin: origin(), changed_by: Some(text()) },
        Letter::RecoveryCodes { username: text(), origin: origin() },
        Letter::NewDevice { username: text(), device: text(), origin: origin() },
    ]
}

/// A job that queues a letter with `TOKEN`, as what causes it does.
pub fn enqueueing(
    to: &str,
    letter: &Letter,
    give_up_at: Option<Instant>,
) -> impl Fn(&mut Tx<'_>) -> Result<(), DbError> + Send + 'static {
    let (letter, to) = (letter.clone(), to.to_owned());
    move |tx| {
        let secret = SecretString::from(TOKEN);
        let user: Option<UserId> = None;
        let mail = Outgoing { to: &to, user, letter: &letter, secret: Some(&secret), give_up_at };
        tx.send(&mail)
    }
}

/// Queues a letter in a transaction of its own.
pub fn enqueue(server: &Server, to: &str, letter: &Letter) {
    server.wait(server.app.write(enqueueing(to, letter, None))).unwrap();
}

/// What became of the mails that were due.
pub const fn delivered(sent: usize, again: usize, given_up: usize) -> Delivered {
    Delivered { sent, again, given_up }
}

/// The one value of a column of the one mail, as text.
pub fn column(server: &Server, name: &str) -> Option<String> {
    server.db.text(&format!("SELECT CAST({name} AS text) AS t FROM latchkey_mail"))
}
