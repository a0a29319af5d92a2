//! `/admin/account/sessions/…`: lists and ends the user's own sessions, of the panel and of the API. The current session
//! cannot be ended here; "Log out" does that.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::super::access::Staff;
use super::super::address::ACCOUNT;
use super::super::csrf::{CsrfForm, NoFields};
use super::super::error::PageError;
use super::super::layout::{Message, Tone, see};
use super::super::user::sections::SessionRow;
use super::super::words::When;
use super::app;
use crate::accounts::admin_session;
use crate::db::latchkey_session;
use crate::db::types::RowId;
use crate::guard::device;
use crate::tokens::own_sessions;

/// How many sessions of the API are shown.
const MAX_SESSIONS: i64 = 100;

/// A session of the panel.
pub struct PanelRow {
    /// Its number.
    pub id: i64,
    /// The browser, in words.
    pub name: String,
    /// The address of the login.
    pub ip: String,
    /// When it began.
    pub started: When,
    /// When it was last used.
    pub used: When,
    /// Whether it is the current session.
    pub is_current: bool,
}

/// The user's sessions of the panel.
pub async fn panel(staff: &Staff) -> Result<Vec<PanelRow>, PageError> {
    let (visit, reader) = (&staff.visit, staff.reader());
    let found = admin_session::list(&visit.app, staff.user.id, &visit.key().unwrap_or_default()).await?;
    let row = |(session, is_current): (crate::db::latchkey_admin_session::Listed, bool)| PanelRow {
        id: session.id.0,
        name: device::words(&session.user_agent),
        ip: session.ip.unwrap_or_default(),
        started: When::new(session.created_at, reader),
        used: When::new(session.last_seen_at, reader),
        is_current,
    };
    Ok(found.into_iter().map(row).collect())
}

/// The user's sessions of the API.
pub async fn api(staff: &Staff) -> Result<Vec<SessionRow>, PageError> {
    let (app, user, reader) = (app(staff), staff.user.id, staff.reader());
    let now = reader.now;
    let found = app.read(move |tx| latchkey_session::list_newest_live_of(tx.conn, user, now, MAX_SESSIONS)).await?;
    let live = found.into_iter().filter(|session| own_sessions::is_live(app, session));
    Ok(live.map(|session| SessionRow::new(session, reader)).collect())
}

/// `POST account/sessions/ID/end/`: ends a session of the panel.
pub async fn end_panel(staff: Staff, path: Path<i64>, _: CsrfForm<NoFields>) -> Result<HttpResponse, PageError> {
    let (visit, user) = (&staff.visit, &staff.user);
    let key = visit.key().unwrap_or_default();
    let actor = visit.actor(user);
    let is_ended = admin_session::end_own(&visit.app, &actor, user.id, RowId(*path), &key).await?;
    answer(&staff, is_ended)
}

/// `POST account/api_sessions/ID/end/`: ends a session of the API.
pub async fn end_api(staff: Staff, path: Path<String>, _: CsrfForm<NoFields>) -> Result<HttpResponse, PageError> {
    let is_ended = own_sessions::end(app(&staff), &staff.user, &path, &staff.visit.client).await?;
    answer(&staff, is_ended)
}

fn answer(staff: &Staff, is_ended: bool) -> Result<HttpResponse, PageError> {
    let (tone, text) = if is_ended {
        (Tone::Good, "The session was ended.")
    } else {
        (Tone::Bad, "This session cannot be ended here. It has ended already, or it is your current session.")
    };
    staff.say(Message { tone, text: text.to_owned(), link: None })?;
    Ok(see(ACCOUNT))
}
