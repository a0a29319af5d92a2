//! Mail, from the queue to a real mail server.

use latchkey::db::DbError;
use latchkey::db::types::{Instant, UserId};
use latchkey::mail::letter::Letter;
use latchkey::mail::{Mailer, Outgoing};
use secrecy::SecretString;

use crate::harness::{Backend, Server, Smtp};

mod sending;

/// The token of every link.
pub const TOKEN: &str = "a-token-that-nobody-else-may-see-0123456789";

/// A server that sends its mail to `smtp`.
pub fn server(backend: Backend, smtp: &Smtp) -> Server {
    Server::with(
        backend,
        &[
            ("EMAIL_URL", &smtp.url()),
            ("SITE_NAME", "Bücherei Süd"),
            ("DEFAULT_FROM_EMAIL", "Bücherei Süd <accounts@example.com>"),
            ("PUBLIC_URL", "https://auth.example.com"),
        ],
    )
}

/// A link for a new password, which is over in an hour.
pub fn reset(server: &Server, username: &str) -> Letter {
    let expires_at = server.app.now().timestamp() + 3600;
    Letter::PasswordReset {
        username: username.to_owned(),
        ip: Some("203.0.113.9".to_owned()),
        sent_by: None,
        expires_at,
    }
}

/// Queues a letter for NAME@example.com as a transaction does.
pub fn enqueue(server: &Server, to: &str, letter: &Letter, give_up_at: Option<Instant>) {
    enqueue_with(server, &server.app.mailer, to, letter, give_up_at);
}

/// The same through another mailer.
pub fn enqueue_with(server: &Server, _mailer: &Mailer, to: &str, letter: &Letter, give_up_at: Option<Instant>) {
    let (app, letter, to) = (std::sync::Arc::clone(&server.app), letter.clone(), to.to_owned());
    let user = server.db.count("SELECT coalesce(min(id), 0) FROM auth_user");
    let job = move |conn: &mut latchkey::db::Conn| {
        let secret = SecretString::from(TOKEN);
        let user = (user > 0).then_some(UserId(user));
        let mail = Outgoing { to: &to, user, letter: &letter, secret: Some(&secret), give_up_at };
        app.mailer.enqueue(conn, app.now(), &mail)
    };
    server.wait(server.app.db.write::<_, DbError, _>(job)).unwrap();
}
