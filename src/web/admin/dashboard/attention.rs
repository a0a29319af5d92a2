//! What needs attention: each item says where, and what to do.

use std::time::Duration;

use super::span::Span;
use super::{Figures, Snapshot, Statistic, address, amount, commas, short};
use crate::app::App;
use crate::config::{EmailUrl, SecretKeySource};
use crate::db::latchkey_mail::list::{self, QueueProblems};
use crate::db::types::Instant;
use crate::db::{Conn, DbError};
use crate::journal::events::Event;
use crate::web::admin::words::length;

/// Up to this many expired tokens are normal between two purges.
const ROUTINE: i64 = 10_000;

/// How long failed mail is shown.
const FAILED_SHOWN: Duration = Duration::from_hours(24);
/// How late a mail must be to count as overdue.
const OVERDUE: Duration = Duration::from_mins(10);

/// An item of the list.
pub struct Item {
    /// The class of its icon: `bad`, `warn` or none.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// The problem.
    pub title: String,
    /// The page that shows it.
    pub href: Option<String>,
    /// What it means and what to do.
    pub text: String,
}

/// All items, most urgent first.
pub fn list(app: &App, found: &Snapshot, figures: &Figures<'_>, span: Span) -> Vec<Item> {
    let reuse_alarms = figures.total(&Event::ReuseAlarm.name());
    let reuse = (reuse_alarms > 0).then(|| Item {
        class: "bad",
        icon: "alert",
        title: format!("{} ended by reuse in {}", amount(reuse_alarms, "session"), span.words()),
        href: Some(format!("{}?reason=reuse", address::SESSIONS)),
        text: "A used token came back. Someone may have copied tokens of these users.".to_owned(),
    });
    let pressing = [reuse, guessing(figures, span), migrations(found), overdue_mail(app, found), failed_mail(found)];
    let settings = [missing_indexes(found), unsent_mail(app), no_factor(found), signing_key(app), secret_key(app)];
    let routine = [expired(app, found), shared_addresses(found)];
    pressing.into_iter().chain(settings).chain(routine).flatten().collect()
}

/// The problems of the mail queue. One statement, answered by indexes.
pub fn mail(conn: &mut Conn, now: Instant) -> Result<QueueProblems, DbError> {
    list::find_problems(conn, now - FAILED_SHOWN - FAILED_SHOWN, now - FAILED_SHOWN, now - OVERDUE)
}

fn overdue_mail(app: &App, found: &Snapshot) -> Option<Item> {
    let waited = app.now().timestamp() - found.mail.overdue?.timestamp();
    Some(Item {
        class: "bad",
        icon: "mail",
        title: format!("Mail has been waiting for {}", length(waited.unsigned_abs())),
        href: Some(format!("{}?status=queued", address::MAIL)),
        text: "No server is sending it. Run a server with this database and the same SECRET_KEY.".to_owned(),
    })
}

fn failed_mail(found: &Snapshot) -> Option<Item> {
    let failed = found.mail.failed;
    let more = if failed == QueueProblems::MAX_COUNTED { " or more" } else { "" };
    (failed > 0).then(|| Item {
        class: "bad",
        icon: "mail",
        title: format!("{}{more} failed in 24 hours", amount(failed, "mail")),
        href: Some(format!("{}?status=failed", address::MAIL)),
        text: "The list shows why. Run latchkey sendtestemail to see what the mail server says.".to_owned(),
    })
}

/// Whether the site is public, and not a trial on someone's own machine.
pub fn is_public(app: &App) -> bool {
    app.config.server.public_url.scheme() == "https"
}

/// A public site that prints its mail.
fn unsent_mail(app: &App) -> Option<Item> {
    let is_printed = matches!(app.config.mail.url, EmailUrl::Console);
    (is_printed && is_public(app)).then(|| Item {
        class: "warn",
        icon: "mail",
        title: "Mail is not sent".to_owned(),
        href: Some(address::SETTINGS.to_owned()),
        text: "EMAIL_URL is console, so the server only prints mail. Set it to a mail server.".to_owned(),
    })
}

/// A public site with superusers who log in with a password alone.
fn no_factor(found: &Snapshot) -> Option<Item> {
    let without = found.without_factor;
    (without > 0).then(|| Item {
        class: "warn",
        icon: "lock",
        title: if without == 1 {
            "1 superuser has no second factor".to_owned()
        } else {
            format!("{} superusers have no second factor", commas(without))
        },
        href: Some(format!("{}?is_superuser=yes&is_active=yes&second_factor=no", address::USERS)),
        text: "Anyone who learns such a password can change everything here. Set SECOND_FACTOR=staff.".to_owned(),
    })
}

/// A few mistyped passwords are normal.
fn guessing(figures: &Figures<'_>, span: Span) -> Option<Item> {
    const ROUTINE: i64 = 100;
    let throttled = figures.total(&Event::ThrottledLogin.name());
    (throttled > ROUTINE).then(|| Item {
        class: "warn",
        icon: "alert",
        title: format!("{} throttled in {}", amount(throttled, "login"), span.words()),
        href: Some(format!("{}?action=login.throttled", address::AUDIT_LOG)),
        text: "Someone is guessing passwords. Users can still log in from known devices.".to_owned(),
    })
}

fn migrations(found: &Snapshot) -> Option<Item> {
    (!found.pending.is_empty()).then(|| Item {
        class: "bad",
        icon: "alert",
        title: format!("Pending migrations: {}", found.pending.join(", ")),
        href: None,
        text: "Run latchkey migrate.".to_owned(),
    })
}

fn many(indexes: usize) -> String {
    if indexes == 1 { "1 index".to_owned() } else { format!("{indexes} indexes") }
}

fn missing_indexes(found: &Snapshot) -> Option<Item> {
    (!found.missing.is_empty()).then(|| Item {
        class: "warn",
        icon: "alert",
        title: format!("{} missing", many(found.missing.len())),
        href: None,
        text: format!("Lists and searches are slower. Run latchkey migrate to create {}.", found.missing.join(", ")),
    })
}

fn signing_key(app: &App) -> Option<Item> {
    app.config.jwt.signing_key.is_none().then(|| Item {
        class: "warn",
        icon: "key",
        title: "Tokens are signed with SECRET_KEY".to_owned(),
        href: Some(address::SETTINGS.to_owned()),
        text: "Set JWT_SIGNING_KEY to a separate key, so that you can change either without the other.".to_owned(),
    })
}

fn secret_key(app: &App) -> Option<Item> {
    let (SecretKeySource::NewFile(path) | SecretKeySource::File(path)) = &app.config.secret_key_source else {
        return None;
    };
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Some(Item {
        class: "",
        icon: "lock",
        title: "SECRET_KEY was generated by Latchkey".to_owned(),
        href: Some(address::SETTINGS.to_owned()),
        text: format!("It is stored in {file} next to the database. Back it up: losing it logs everyone out."),
    })
}

fn expired(app: &App, found: &Snapshot) -> Option<Item> {
    let waiting = found.statistics.of(Statistic::ExpiredWaiting)?.value;
    let is_off = app.config.sessions.purge_interval.is_zero();
    (waiting > if is_off { 0 } else { ROUTINE }).then(|| Item {
        class: "",
        icon: "clock",
        title: format!("{} expired tokens are waiting to be deleted", short(waiting)),
        href: Some(format!("{}?status=expired", address::OUTSTANDING)),
        text: "They only use space. Run latchkey flushexpiredtokens, or set PURGE_INTERVAL.".to_owned(),
    })
}

fn shared_addresses(found: &Snapshot) -> Option<Item> {
    let shared = found.statistics.of(Statistic::SharedAddresses)?.value;
    (shared > 0).then(|| Item {
        class: "",
        icon: "users",
        title: if shared == 1 {
            "1 email address is shared".to_owned()
        } else {
            format!("{} email addresses are shared", commas(shared))
        },
        href: None,
        text: "Users who share an address cannot log in with it. Run latchkey check to list them.".to_owned(),
    })
}
