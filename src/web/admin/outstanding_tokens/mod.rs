//! `/admin/token_blacklist/outstandingtoken/`: blacklists a token, after a question. The list is in `list`, the page of one
//! token in `detail`.

pub mod actions;
pub mod detail;
pub mod list;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::access::Superuser;
use super::claims::{self, Context};
use super::csrf::{CsrfForm, NoFields};
use super::error::PageError;
use super::layout::{Layout, Message, Place, Tone, page, see};
use super::words::{Jti, at_least, length};
use crate::app::App;
use crate::db::types::{TokenId, UserId};
use crate::tokens::administer::{self, Outcome};
use detail::{TokenOfUser, address_of, find, kind};

/// The user of a token or session.
pub enum Owner {
    /// A user: the id and the name.
    User(UserId, String),
    /// A user who was deleted.
    Deleted,
}

impl Owner {
    /// From a row's columns.
    pub fn new(id: Option<UserId>, username: Option<String>) -> Self {
        id.zip(username).map_or(Self::Deleted, |(id, username)| Self::User(id, username))
    }

    /// The name, for a title.
    pub fn name(&self) -> &str {
        match self {
            Self::User(_, username) => username,
            Self::Deleted => "a deleted user",
        }
    }
}

#[derive(Template)]
#[template(path = "admin/token_blacklist/outstandingtoken/delete_confirmation.html")]
struct Confirmation {
    layout: Layout,
    id: i64,
    jti: Jti,
    owner: Owner,
    kind: &'static str,
    other: Option<String>,
    access_lifetime: String,
}

/// `GET outstandingtoken/ID/blacklist/`: asks first.
pub async fn ask(Superuser(staff): Superuser, path: Path<i64>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let TokenOfUser { token: found, counts } = find(&app, *path).await?;
    if found.row.blacklisted_at.is_some() {
        return Ok(see(&address_of(*path)));
    }
    let decoded = claims::decode(
        &found.token,
        &Context { jwt: &app.config.jwt, owner: claims::Owner::found(found.user.as_ref()), reader: staff.reader() },
    );
    let is_live = found.row.expires_at > app.now();
    page(&Confirmation {
        layout: staff.layout(Place::Outstanding(false)),
        id: found.row.id.0,
        kind: kind(decoded.as_ref()),
        owner: Owner::new(found.row.user_id, found.row.username),
        jti: Jti(found.row.jti),
        other: counts.map(|counts| at_least(counts.live - i64::from(is_live), counts.is_cut())),
        access_lifetime: length(app.config.jwt.access_token_lifetime.as_secs()),
    })
}

/// `POST outstandingtoken/ID/blacklist/`
pub async fn blacklist(
    superuser: Superuser,
    path: Path<i64>,
    app: Data<App>,
    _: CsrfForm<NoFields>,
) -> Result<HttpResponse, PageError> {
    let text = match administer::blacklist(&app, &superuser.actor(), vec![TokenId(*path)]).await? {
        Outcome { blacklisted: 1.., .. } => "The token was blacklisted. It is refused from now on.",
        Outcome { already: 1.., .. } => "The token was blacklisted already. Nothing was changed.",
        Outcome { .. } => return Err(PageError::NoSuchRow("outstanding token", path.to_string())),
    };
    superuser.0.say(Message { tone: Tone::Good, text: text.to_owned(), link: None })?;
    Ok(see(&address_of(*path)))
}
