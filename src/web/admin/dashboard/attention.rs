//! What somebody should look after: each with where, and what to do.

use std::time::Duration;

use super::span::Span;
use super::{Figures, Found, Statistic, address, amount, commas, short};
use crate::app::App;
use crate::config::{EmailUrl, SecretKeySource};
use crate::db::latchkey_mail::list::{self, QueueProblems};
use crate::db::types::Instant;
use crate::db::{Conn, DbError};
use crate::journal::events::Event;
use crate::web::admin::words::length;

/// So many expired tokens wait for the next purge anyway.
const ROUTINE: i64 = 10_000;

/// Mails that were given up are shown for so long.
const A_DAY: Duration = Duration::from_hours(24);
/// A mail that is due should be tried sooner.
const OVERDUE: Duration = Duration::from_mins(10);

/// One thing.
pub struct Item {
    /// The class of its icon: `bad`, `warn` or nothing.
    pub class: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// What it is.
    pub title: String,
    /// Where it is seen.
    pub href: Option<String>,
    /// What it means and what to do.
    pub text: String,
}

/// Everything, worst first.
pub fn list(app: &App, found: &Found, figures: &Figures<'_>, span: Span) -> Vec<Item> {
    let reuse_alarms = figures.total(&Event::ReuseAlarm.name());
    let reuse = (reuse_alarms > 0).then(|| Item {
        class: "bad",
        icon: "alert",
        title: format!("{} ended by reuse in {}", amount(reuse_alarms, "session"), span.words()),
        href: Some(format!("{}?reason=reuse", address::SESSIONS)),
        text: "A rotated token came back: somebody may hold copied tokens of these users.".to_owned(),
    });
    let pressing = [reuse, guessing(figures, span), migrations(found), overdue_mail(app, found), failed_mail(found)];
    let settings = [missing_indexes(found), unsent_mail(app), no_factor(found), signing_key(app), secret_key(app)];
    let routine = [expired(app, found), shared_addresses(found)];
    pressing.into_iter().chain(settings).chain(routine).flatten().collect()
}

/// What the queue of mail says. One statement, answered by indexes.
pub fn mail(conn: &mut Conn, now: Instant) -> Result<QueueProblems, DbError> {
    list::find_problems(conn, now - A_DAY - A_DAY, now - A_DAY, now - OVERDUE)
}

fn overdue_mail(app: &App, found: &Found) -> Option<Item> {
    let waited = app.now().timestamp() - found.mail.overdue?.timestamp();
    Some(Item {
        class: "bad",
        icon: "mail",
        title: format!("Mail has been waiting for {}", length(waited.unsigned_abs())),
        href: Some(format!("{}?status=queued", address::MAIL)),
        text: "Nobody sends it: a server of this database has to run, with the same SECRET_KEY.".to_owned(),
    })
}

fn failed_mail(found: &Found) -> Option<Item> {
    let failed = found.mail.failed;
    let most = if failed == QueueProblems::MAX_COUNTED { " or more" } else { "" };
    (failed > 0).then(|| Item {
        class: "bad",
        icon: "mail",
        title: format!("{}{most} given up in 24 hours", amount(failed, "mail")),
        href: Some(format!("{}?status=failed", address::MAIL)),
        text: "Each says why. Run latchkey sendtestemail to see what the mail server says.".to_owned(),
    })
}

/// Whether the site is on the web, and no trial on somebody's own machine.
pub fn is_public(app: &App) -> bool {
    app.config.server.public_url.scheme() == "https"
}

/// A site that is on the web, and prints its mail.
fn unsent_mail(app: &App) -> Option<Item> {
    let is_printed = matches!(app.config.mail.url, EmailUrl::Console);
    (is_printed && is_public(app)).then(|| Item {
        class: "warn",
        icon: "mail",
        title: "Mail reaches nobody".to_owned(),
        href: Some(address::SETTINGS.to_owned()),
        text: "EMAIL_URL is console: mail is printed by the server, not sent. Set it to a mail server.".to_owned(),
    })
}

/// A site that is on the web, and a password alone opens its panel.
fn no_factor(found: &Found) -> Option<Item> {
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
        text: "Whoever learns such a password may change everything here. Set SECOND_FACTOR=staff.".to_owned(),
    })
}

/// Somebody who mistypes a password a few times is no news.
fn guessing(figures: &Figures<'_>, span: Span) -> Option<Item> {
    const ROUTINE: i64 = 100;
    let held_back = figures.total(&Event::ThrottledLogin.name());
    (held_back > ROUTINE).then(|| Item {
        class: "warn",
        icon: "alert",
        title: format!("{} to log in held back in {}", amount(held_back, "attempt"), span.words()),
        href: Some(format!("{}?action=login.throttled", address::AUDIT_LOG)),
        text: "Somebody guesses passwords. Known devices of the owners are not held back.".to_owned(),
    })
}

fn migrations(found: &Found) -> Option<Item> {
    (!found.pending.is_empty()).then(|| Item {
        class: "bad",
        icon: "alert",
        title: format!("Not applied: {}", found.pending.join(", ")),
        href: None,
        text: "Run latchkey migrate.".to_owned(),
    })
}

fn many(indexes: usize) -> String {
    if indexes == 1 { "1 index".to_owned() } else { format!("{indexes} indexes") }
}

fn missing_indexes(found: &Found) -> Option<Item> {
    (!found.missing.is_empty()).then(|| Item {
        class: "warn",
        icon: "alert",
        title: format!("{} missing", many(found.missing.len())),
        href: None,
        text: format!("Lists and searches are slower. Run latchkey migrate, which makes {}.", found.missing.join(", ")),
    })
}

fn signing_key(app: &App) -> Option<Item> {
    app.config.jwt.signing_key.is_none().then(|| Item {
        class: "warn",
        icon: "key",
        title: "Tokens are signed with SECRET_KEY".to_owned(),
        href: Some(address::SETTINGS.to_owned()),
        text: "Set JWT_SIGNING_KEY to a key of its own: then either can be changed without the other.".to_owned(),
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
        title: "SECRET_KEY was made by Latchkey".to_owned(),
        href: Some(address::SETTINGS.to_owned()),
        text: format!("It is in {file} beside the database. Keep a copy: without it nobody stays logged in."),
    })
}

fn expired(app: &App, found: &Found) -> Option<Item> {
    let waiting = found.statistics.of(Statistic::ExpiredWaiting)?.value;
    let is_off = app.config.sessions.purge_interval.is_zero();
    (waiting > if is_off { 0 } else { ROUTINE }).then(|| Item {
        class: "",
        icon: "clock",
        title: format!("{} expired tokens wait", short(waiting)),
        href: Some(format!("{}?status=expired", address::OUTSTANDING)),
        text: "They only take room. Run latchkey flushexpiredtokens, or set PURGE_INTERVAL.".to_owned(),
    })
}

fn shared_addresses(found: &Found) -> Option<Item> {
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
        text: "Several users have the same: none of them can log in by it. Run latchkey check, which names them."
            .to_owned(),
    })
}
