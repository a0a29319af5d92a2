//! `/admin/auth/user/`: the page of a user, and "log out everywhere". The list of users is in `list`,
//! the same as a file in `export`.

pub mod export;
pub mod list;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::access::{Staff, Superuser};
use super::address::{self, USERS};
use super::csrf::{CsrfForm, NoFields};
use super::error::PageError;
use super::layout::{Layout, Message, Place, Tone, moved, page, see};
use super::status::{self, Badge};
use super::words::{When, amount, commas, length};
use crate::app::App;
use crate::db::types::{EncodedPassword, UserId};
use crate::db::users::{self, TokenCounts, User};
use crate::db::{Conn, DbError};
use crate::tokens::revoke;

/// First and last name, where there are some.
fn full_name(first: &str, last: &str) -> String {
    format!("{first} {last}").trim().to_owned()
}

#[derive(Template)]
#[template(path = "admin/auth/user/change_form.html")]
struct Detail {
    layout: Layout,
    name: String,
    badges: Vec<Badge>,
    may_log_in: String,
    password: String,
    last_login: Option<When>,
    joined: When,
    live: String,
    blacklisted: String,
    all: String,
    has_tokens: bool,
    user: User,
}

/// `GET user/ID/change/`
pub async fn change(staff: Staff, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let (user, counts) = find(&app, *path).await?;
    let reader = staff.reader();
    let mut badges = status::rights(user.is_active, user.is_staff, user.is_superuser);
    if user.is_active {
        badges.insert(0, status::ACTIVE);
    }
    page(&Detail {
        layout: staff.layout(Place::Users(false)),
        name: full_name(&user.first_name, &user.last_name),
        badges,
        may_log_in: may_log_in(&app, &user),
        password: password(&user.password),
        last_login: user.last_login.map(|at| When::new(at, reader)),
        joined: When::new(user.date_joined, reader),
        live: commas(counts.live),
        blacklisted: commas(counts.blacklisted),
        all: commas(counts.all),
        has_tokens: counts.all > 0,
        user,
    })
}

/// `GET user/ID/`, as in Django.
pub async fn bare(_: Staff, path: Path<i64>) -> HttpResponse {
    moved(&address_of(*path))
}

fn address_of(id: i64) -> String {
    format!("{USERS}{id}/change/")
}

async fn find(app: &App, id: i64) -> Result<(User, TokenCounts), PageError> {
    let now = app.now();
    let job = move |conn: &mut Conn| {
        let Some(user) = users::find(conn, UserId(id))? else { return Ok(None) };
        let counts = users::count_tokens(conn, user.id, now)?;
        Ok::<_, DbError>(Some((user, counts)))
    };
    app.db.read(job).await?.ok_or(PageError::NoSuchRow("user", id))
}

fn may_log_in(app: &App, user: &User) -> String {
    let panel = if super::access::may_view(app, user) { "and may open this panel" } else { "but not to this panel" };
    match (user.is_active, user.is_superuser) {
        (false, _) => "No, the account is inactive".to_owned(),
        (true, true) => "Yes, and may change things in this panel".to_owned(),
        (true, false) => format!("Yes, {panel}"),
    }
}

/// How a password is stored, in words; never the hash or its salt.
fn password(encoded: &EncodedPassword) -> String {
    let parts: Vec<&str> = encoded.0.split('$').collect();
    let number = |at: usize| parts.get(at).and_then(|part| part.parse::<i64>().ok());
    match (parts[0], parts.len()) {
        (scheme @ ("pbkdf2_sha256" | "pbkdf2_sha1"), 4) => match number(1) {
            Some(iterations) => format!("{scheme}, {}", amount(iterations, "iteration")),
            None => scheme.to_owned(),
        },
        (scheme @ ("bcrypt_sha256" | "bcrypt"), 5) => match number(3) {
            Some(rounds) => format!("{scheme}, {}", amount(rounds, "round")),
            None => scheme.to_owned(),
        },
        ("argon2", 6) => format!("argon2, {}", parts[1]),
        ("scrypt", 6) => match number(1) {
            Some(factor) => format!("scrypt, work factor {}", commas(factor)),
            None => "scrypt".to_owned(),
        },
        _ if encoded.0.starts_with('!') => "None can be used until one is set".to_owned(),
        _ => "In a format that is not supported; no password matches it".to_owned(),
    }
}

#[derive(Template)]
#[template(path = "admin/auth/user/delete_confirmation.html")]
struct Confirmation {
    layout: Layout,
    id: i64,
    username: String,
    live: String,
    has_live: bool,
    other: String,
    access_lifetime: String,
}

/// `GET user/ID/blacklist/`: asks first.
pub async fn ask(Superuser(staff): Superuser, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let (user, counts) = find(&app, *path).await?;
    page(&Confirmation {
        layout: staff.layout(Place::Users(false)),
        id: user.id.0,
        username: user.username,
        live: commas(counts.live),
        has_live: counts.live > 0,
        other: commas(counts.all - counts.live),
        access_lifetime: length(app.config.jwt.access_token_lifetime.as_secs()),
    })
}

/// `POST user/ID/blacklist/`: "log out everywhere".
pub async fn blacklist(
    superuser: Superuser,
    path: Path<i64>,
    app: Data<App>,
    _: CsrfForm<NoFields>,
) -> Result<HttpResponse, PageError> {
    let id = UserId(*path);
    let user = app.db.read(move |conn| users::find(conn, id)).await?.ok_or(PageError::NoSuchRow("user", id.0))?;
    let count = revoke::blacklist_all_of(&app, &superuser.actor(), id).await?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let text = match count {
        0 => format!("{} had no live token. Nothing was changed.", user.username),
        1 => format!("1 token of {} was blacklisted.", user.username),
        _ => format!("{} of {} were blacklisted.", amount(count, "token"), user.username),
    };
    let link = (count > 0).then(|| (address::search(address::BLACKLISTED, &id.to_string()), "Show them".to_owned()));
    superuser.0.say(Message { tone: Tone::Good, text, link })?;
    Ok(see(&address_of(id.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_described_without_its_hash() {
        let describe = |encoded: &str| password(&EncodedPassword(encoded.to_owned()));
        for (encoded, words) in [
            ("pbkdf2_sha256$1000000$SALT$HASH", "pbkdf2_sha256, 1,000,000 iterations"),
            ("bcrypt_sha256$$2b$12$SALTHASH", "bcrypt_sha256, 12 rounds"),
            ("argon2$argon2id$v=19$m=102400,t=2,p=8$SALT$HASH", "argon2, argon2id"),
            ("scrypt$16384$SALT$8$5$HASH", "scrypt, work factor 16,384"),
            ("!SALT", "None can be used until one is set"),
            ("", "In a format that is not supported; no password matches it"),
            ("md5$SALT$HASH", "In a format that is not supported; no password matches it"),
            ("pbkdf2_sha256$x$SALT$HASH", "pbkdf2_sha256"),
        ] {
            let described = describe(encoded);
            assert_eq!(described, words);
            assert!(!described.contains("SALT") && !described.contains("HASH"));
        }
    }
}
