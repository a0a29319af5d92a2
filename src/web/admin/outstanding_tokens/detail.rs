//! The page of one outstanding token: its state, the token itself, its claims, record, lineage and user.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::super::access::{Staff, Superuser};
use super::super::address::OUTSTANDING;
use super::super::claims::{self, Context, Decoded, Meaning};
use super::super::csrf::{CsrfForm, NoFields};
use super::super::error::PageError;
use super::super::layout::{Layout, Place, moved, page};
use super::super::status::{self, Badge, Status};
use super::super::words::{Jti, Reader, When, at_least, commas};
use super::Owner;
use crate::app::{App, Tx};
use crate::db::DbError;
use crate::db::outstanding_tokens;
use crate::db::types::TokenId;
use crate::db::types::UserId;
use crate::db::users::{self, TokenCounts};
use crate::tokens::reveal::{self, Revealed};

/// A sentence with a time in the middle.
struct Lede {
    before: &'static str,
    when: When,
    after: String,
}

struct Person {
    id: UserId,
    username: String,
    email: String,
    may_log_in: &'static str,
    tokens: String,
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/outstandingtoken/change_form.html")]
struct Detail {
    layout: Layout,
    id: i64,
    number: String,
    jti: Jti,
    kind: &'static str,
    owner: Owner,
    status: Badge,
    is_live: bool,
    lede: Lede,
    /// The whole token, after "Reveal token".
    revealed: Option<Revealed>,
    decoded: Option<Decoded>,
    key: &'static str,
    created: Option<When>,
    expires: When,
    blacklisted: Option<When>,
    blacklisted_id: Option<TokenId>,
    reason: Badge,
    by: Option<String>,
    is_ours: bool,
    rotated_from: Option<(TokenId, Jti)>,
    rotated: Option<When>,
    rotated_into: Option<(TokenId, Jti)>,
    person: Option<Person>,
}

/// `GET outstandingtoken/ID/change/`
pub async fn change(staff: Staff, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let found = find(&app, *path).await?;
    page(&Detail::new(staff.layout(Place::Outstanding(false)), &app, found, None))
}

/// `POST outstandingtoken/ID/reveal/`: the page again, with the whole token in it.
pub async fn reveal(
    superuser: Superuser,
    path: Path<i64>,
    app: Data<App>,
    _: CsrfForm<NoFields>,
) -> Result<HttpResponse, PageError> {
    let revealed = match reveal::reveal(&app, &superuser.actor(), TokenId(*path)).await? {
        Revealed::NotFound => return Err(PageError::NoSuchRow("outstanding token", path.to_string())),
        revealed @ (Revealed::Token(_) | Revealed::Resigned(_) | Revealed::No(_)) => revealed,
    };
    let found = find(&app, *path).await?;
    let mut layout = superuser.0.layout(Place::Outstanding(false));
    layout.here = address_of(*path);
    page(&Detail::new(layout, &app, found, Some(revealed)))
}

/// `GET outstandingtoken/ID/`, as in Django, and after a reload of a page that only a form leads to.
pub async fn bare(_: Staff, path: Path<i64>) -> HttpResponse {
    moved(&address_of(*path))
}

pub(super) fn address_of(id: i64) -> String {
    format!("{OUTSTANDING}{id}/change/")
}

/// A token, and how many its user has.
pub(super) struct TokenOfUser {
    pub token: outstanding_tokens::Detail,
    /// `None` if the user was deleted.
    pub counts: Option<TokenCounts>,
}

pub(super) async fn find(app: &App, id: i64) -> Result<TokenOfUser, PageError> {
    let now = app.now();
    let job = move |tx: &mut Tx<'_>| {
        let Some(token) = outstanding_tokens::find_detail(tx.conn, &tx.app.users, TokenId(id))? else {
            return Ok(None);
        };
        let counts = match &token.user {
            Some(user) => Some(users::count_tokens(tx.conn, user.id, now, Some(TokenCounts::MAX_COUNTED))?),
            None => None,
        };
        Ok::<_, DbError>(Some(TokenOfUser { token, counts }))
    };
    app.read(job).await?.ok_or(PageError::NoSuchRow("outstanding token", id.to_string()))
}

impl Detail {
    fn new(
        layout: Layout,
        app: &App,
        TokenOfUser { token: found, counts }: TokenOfUser,
        revealed: Option<Revealed>,
    ) -> Self {
        let reader = layout.reader;
        let when = |at| When::new(at, reader);
        let decoded = claims::decode(
            &found.token,
            &Context { jwt: &app.config.jwt, owner: claims::Owner::found(found.user.as_ref()), reader },
        );
        let key = match &found.kid {
            Some(kid) if kid == app.keys.kid() => "current key",
            Some(_) => "another key",
            None => "",
        };
        let row = &found.row;
        let status = Status::of(row.rotated_at, row.blacklisted_at, row.expires_at, reader.now);
        Self {
            id: row.id.0,
            number: commas(row.id.0),
            jti: Jti(row.jti.clone()),
            kind: kind(decoded.as_ref()),
            owner: Owner::new(row.user_id, row.username.clone()),
            status: status.badge(),
            is_live: status == Status::Live,
            lede: lede(app, &found, status, reader),
            decoded,
            key,
            created: row.created_at.map(when),
            expires: when(row.expires_at),
            blacklisted: row.blacklisted_at.map(when),
            blacklisted_id: found.blacklisted_id,
            reason: status::reason(row.blacklist_reason.as_deref()),
            by: found.blacklisted_by.clone(),
            is_ours: found.ours,
            rotated_from: found.rotated_from.clone().map(|(id, jti)| (id, Jti(jti))),
            rotated: row.rotated_at.map(when),
            rotated_into: found.rotated_into.clone().map(|(id, jti)| (id, Jti(jti))),
            person: person(&found, counts),
            layout,
            revealed,
        }
    }
}

/// The name of a token's type.
pub(super) fn kind(decoded: Option<&Decoded>) -> &'static str {
    match decoded.and_then(|decoded| decoded.kind.as_deref()) {
        Some("refresh") => "Refresh token",
        Some("sliding") => "Sliding token",
        _ => "Token",
    }
}

/// The sentence below the title: the state of the token, and until when.
fn lede(app: &App, found: &outstanding_tokens::Detail, status: Status, reader: Reader) -> Lede {
    let row = &found.row;
    let expires = When::new(row.expires_at, reader);
    let relative = expires.relative.clone();
    let checks_user = app.config.jwt.check_user_is_active;
    match (status, &found.user) {
        (Status::Live, None) => Lede {
            before: "Nobody can use it, because the user was deleted. It expires",
            when: expires,
            after: format!(", {relative}."),
        },
        (Status::Live, Some(user)) if !user.is_active && checks_user => Lede {
            before: "It is refused while the user is inactive. It expires",
            when: expires,
            after: format!(", {relative}."),
        },
        (Status::Live, Some(_)) => {
            Lede { before: "It can be refreshed until", when: expires, after: format!(" ({relative}).") }
        }
        (Status::Expired, _) => Lede {
            before: "It expired",
            when: expires,
            after: format!(", {relative}, and has been refused since then."),
        },
        (Status::Rotated, _) => {
            let when = When::new(row.rotated_at.unwrap_or(row.expires_at), reader);
            let is_refused = if row.blacklisted_at.is_some() {
                "It is refused if it comes back."
            } else {
                "It is still accepted, because JWT_BLACKLIST_AFTER_ROTATION is off."
            };
            let after = format!(", {}, by a refresh that replaced it. {is_refused}", when.relative);
            Lede { before: "It was used", when, after }
        }
        (Status::Blacklisted, _) => {
            let when = When::new(row.blacklisted_at.unwrap_or(row.expires_at), reader);
            let because = status::because(row.blacklist_reason.as_deref());
            let after = format!(", {}, {because}.", when.relative);
            Lede { before: "Refused since", when, after }
        }
    }
}

fn person(found: &outstanding_tokens::Detail, counts: Option<TokenCounts>) -> Option<Person> {
    let (user, counts) = found.user.as_ref().zip(counts)?;
    let may_log_in = match (user.is_active, user.is_superuser, user.is_staff) {
        (false, ..) => "No, inactive",
        (true, true, _) => "Yes, active and superuser",
        (true, false, true) => "Yes, active and staff",
        (true, false, false) => "Yes, active",
    };
    let tokens = format!("{} live, {} in all", commas(counts.live), at_least(counts.all, counts.is_cut()));
    Some(Person { id: user.id, username: user.username.clone(), email: user.email.clone(), may_log_in, tokens })
}
