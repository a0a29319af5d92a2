//! `/admin/sessions/`: the sessions of the API. This file ends them, after a question. The list is in `list`, the page of one
//! session in `detail`, its picture in `chain` and its history in `history`.

mod chain;
pub mod detail;
mod history;
pub mod list;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::access::Superuser;
use super::address::SESSIONS;
use super::changelist::action::Chosen;
use super::csrf::{CsrfForm, NoFields};
use super::error::PageError;
use super::layout::{Layout, Message, Place, Tone, page, see};
use super::outstanding_tokens::Owner;
use super::status::{self, Badge, badge};
use super::words::{amount, commas, length};
use crate::app::{App, Tx};
use crate::db::DbError;
use crate::db::latchkey_session::list::{Listed, Status};
use crate::db::latchkey_session::{self, Session};
use crate::guard::device;
use crate::sessions;
use crate::tokens::administer;

/// The actions for selected sessions.
const ACTIONS: [(&str, &str); 1] = [("end", "End selected sessions")];

fn address_of(id: &str) -> String {
    format!("{SESSIONS}{id}/")
}

/// The status of a session; for an ended one, the reason.
struct StatusBadge {
    badge: Badge,
    is_ended: bool,
}

impl StatusBadge {
    fn new(app: &App, session: &Session) -> Self {
        let status = sessions::limits(app).status(session);
        let badge = match status {
            Status::Live => badge("live", "dot", "Live"),
            Status::Expired => badge("expired", "clock", "Expired"),
            Status::Ended => status::reason(session.end_reason.as_deref()),
        };
        Self { badge, is_ended: status == Status::Ended }
    }

    /// The text of the badge.
    fn words(&self) -> String {
        if self.is_ended { format!("Ended: {}", self.badge.word.to_lowercase()) } else { self.badge.word.to_owned() }
    }
}

/// A session that will be ended.
struct Ending {
    id: String,
    device: String,
    owner: Owner,
}

#[derive(Template)]
#[template(path = "admin/sessions/delete_confirmation.html")]
struct Confirmation {
    layout: Layout,
    /// Where the form is sent.
    action: String,
    /// Where "Keep" leads.
    back: String,
    endings: Vec<Ending>,
    /// How many of the selected sessions are over already.
    over: Option<String>,
    access_lifetime: String,
}

impl Confirmation {
    /// `back` is the list, or the page of the one session.
    fn new(layout: Layout, app: &App, found: Vec<Listed>, back: String) -> Self {
        let action = format!("{back}{}/", if back == SESSIONS { "action" } else { "end" });
        let limits = sessions::limits(app);
        let (live, over): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|found| found.session.ended_at.is_none() && found.session.expires_at > limits.now);
        let ending = |found: Listed| Ending {
            device: device::words(&found.session.user_agent),
            owner: Owner::new(Some(found.session.user_id), found.username),
            id: found.session.id,
        };
        Self {
            layout,
            action,
            back,
            over: (!over.is_empty()).then(|| commas(i64::try_from(over.len()).unwrap_or(i64::MAX))),
            endings: live.into_iter().map(ending).collect(),
            access_lifetime: length(app.config.jwt.access_token_lifetime.as_secs()),
        }
    }
}

/// `GET sessions/ID/end/`: asks first.
pub async fn ask(Superuser(staff): Superuser, path: Path<String>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let found = find(&app, path.into_inner()).await?;
    let back = address_of(&found.session.id);
    if found.session.ended_at.is_some() || found.session.expires_at <= app.now() {
        return Ok(see(&back));
    }
    page(&Confirmation::new(staff.layout(Place::Sessions(false)), &app, vec![found], back))
}

/// `POST sessions/ID/end/`
pub async fn end(
    superuser: Superuser,
    path: Path<String>,
    app: Data<App>,
    _: CsrfForm<NoFields>,
) -> Result<HttpResponse, PageError> {
    let id = find(&app, path.into_inner()).await?.session.id;
    let count = administer::end_sessions(&app, &superuser.actor(), vec![id.clone()]).await?;
    let text = match count {
        0 => "The session was over already. Nothing was changed.",
        _ => "The session was ended. Its tokens are refused from now on.",
    };
    superuser.0.say(Message { tone: Tone::Good, text: text.to_owned(), link: None })?;
    Ok(see(&address_of(&id)))
}

/// `POST sessions/action/`: asks, or ends the selected sessions.
pub async fn act(
    superuser: Superuser,
    app: Data<App>,
    form: CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, PageError> {
    let mut chosen = Chosen::from(form);
    chosen.selected.retain(|id| sessions::is_id(id));
    if !ACTIONS.iter().any(|(action, _)| *action == chosen.action) || chosen.selected.is_empty() {
        let text = "Select one or more sessions first. Nothing was changed.".to_owned();
        superuser.0.say(Message { tone: Tone::Bad, text, link: None })?;
        return Ok(see(SESSIONS));
    }
    if chosen.is_confirmed {
        let count = administer::end_sessions(&app, &superuser.actor(), chosen.selected).await?;
        let text = match count {
            0 => "The sessions were over already. Nothing was changed.".to_owned(),
            1 => "1 session was ended.".to_owned(),
            _ => format!("{} were ended.", amount(i64::try_from(count).unwrap_or(i64::MAX), "session")),
        };
        let link = (count > 0).then(|| (format!("{SESSIONS}?reason=admin"), "Show them".to_owned()));
        superuser.0.say(Message { tone: Tone::Good, text, link })?;
        return Ok(see(SESSIONS));
    }
    let job = move |tx: &mut Tx<'_>| latchkey_session::list::list(tx.conn, &tx.app.users, &chosen.selected);
    let found = app.read(job).await?;
    let layout = superuser.0.layout(Place::Sessions(false));
    page(&Confirmation::new(layout, &app, found, SESSIONS.to_owned()))
}

/// A session with the name of its user.
async fn find(app: &App, id: String) -> Result<Listed, PageError> {
    if !sessions::is_id(&id) {
        return Err(PageError::NoSuchSession);
    }
    let job = move |tx: &mut Tx<'_>| {
        Ok::<_, DbError>(latchkey_session::list::list(tx.conn, &tx.app.users, std::slice::from_ref(&id))?.pop())
    };
    app.read(job).await?.ok_or(PageError::NoSuchSession)
}
