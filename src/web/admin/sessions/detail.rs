//! The page of one session: its state, its chain of rotations, its details and its history.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use super::chain::{self, Axis, Chain, Row};
use super::history::{self, Alarm, Event, History};
use super::{StatusBadge, find};
use crate::app::{App, Tx};
use crate::db::latchkey_audit_log::list::ListedEntry;
use crate::db::latchkey_session::Session;
use crate::db::latchkey_session::list::{Listed, Status};
use crate::db::latchkey_token::chain as links;
use crate::db::latchkey_token::chain::{Address, SessionToken};
use crate::db::types::{Instant, TokenId};
use crate::db::{DbError, outstanding_tokens};
use crate::guard::device;
use crate::sessions;
use crate::web::admin::access::Staff;
use crate::web::admin::error::PageError;
use crate::web::admin::layout::{Layout, Place, page};
use crate::web::admin::outstanding_tokens::Owner;
use crate::web::admin::status;
use crate::web::words::{Reader, When, amount, commas, length};

/// How many addresses are shown.
const MAX_ADDRESSES: i64 = 20;

/// A sentence with a time in the middle.
struct Lede {
    before: String,
    when: When,
    after: String,
}

/// The warning that a used token came back.
struct Warning {
    /// "token 5", or "a token" if it is no longer recorded.
    token: String,
    rotated: Option<When>,
    rotated_by: Option<String>,
    came_back: When,
    presented_by: Option<String>,
    device: String,
}

#[derive(Template)]
#[template(path = "admin/sessions/change_form.html")]
struct Detail {
    layout: Layout,
    id: String,
    owner: Owner,
    status: StatusBadge,
    is_live: bool,
    lede: Lede,
    warning: Option<Warning>,
    tokens: String,
    axis: Axis,
    rows: Vec<Row>,
    session: Session,
    device: String,
    began: When,
    refreshed: Option<When>,
    ends: When,
    addresses: Vec<Address>,
    events: Vec<Event>,
}

/// What the database has on a session.
struct Known {
    entries: Vec<ListedEntry>,
    /// How many tokens it has, and the places of the shown ones.
    length: usize,
    places: Vec<usize>,
    links: Vec<SessionToken>,
    addresses: Vec<Address>,
}

/// `GET sessions/ID/`
pub async fn detail(staff: Staff, path: Path<String>, app: Data<App>) -> Result<HttpResponse, PageError> {
    let found = find(&app, path.into_inner()).await?;
    let session = found.session.clone();
    let known = app.read(move |tx| know(tx, &session)).await?;
    page(&Detail::new(staff.layout(Place::Sessions(false)), &app, found, known))
}

fn know(tx: &mut Tx<'_>, session: &Session) -> Result<Known, DbError> {
    let entries = history::entries(tx, session)?;
    let reused = match Alarm::find(&entries) {
        Some(alarm) => outstanding_tokens::find_by_jti(tx.conn, &alarm.jti)?.map(|token| token.id),
        None => None,
    };
    let ids = links::list_ids(tx.conn, &session.id)?;
    let places = chain::shown(&ids, reused);
    let wanted: Vec<TokenId> = places.iter().map(|place| ids[*place]).collect();
    Ok(Known {
        links: links::list(tx.conn, &wanted)?,
        addresses: links::list_addresses(tx.conn, &session.id, MAX_ADDRESSES)?,
        length: ids.len(),
        entries,
        places,
    })
}

impl Detail {
    fn new(layout: Layout, app: &App, Listed { session, username }: Listed, known: Known) -> Self {
        let reader = layout.reader;
        let when = |at| When::new(at, reader);
        let status = sessions::limits(app).status(&session);
        let ends_at = sessions::ends_at(app, &session);
        let axis = Axis::new(&session, ends_at, reader);
        let alarm = Alarm::find(&known.entries);
        let place = |alarm: &Alarm| {
            let at = known.links.iter().position(|link| link.jti == alarm.jti)?;
            known.places.get(at).map(|place| place + 1)
        };
        let warning = alarm.as_ref().map(|alarm| Warning::new(alarm, place(alarm), reader));
        let why = because(&session);
        let rotations = known.length.saturating_sub(1);
        let reused = alarm.as_ref().map(|alarm| (alarm.jti.as_str(), alarm.at));
        let chain = Chain { axis, places: &known.places, length: known.length, reused, now: reader.now };
        Self {
            id: session.id.clone(),
            owner: Owner::new(Some(session.user_id), username),
            status: StatusBadge::new(app, &session),
            is_live: status == Status::Live,
            lede: State { session: &session, status, ends_at, rotations, why: &why }.lede(reader),
            warning,
            tokens: commas(i64::try_from(known.length).unwrap_or(i64::MAX)),
            axis,
            events: History { session: &session, entries: &known.entries, rotations, why: &why }.events(reader),
            rows: chain.rows(known.links),
            device: device::words(&session.user_agent),
            began: when(session.created_at),
            refreshed: session.last_refreshed_at.map(when),
            ends: when(session.ended_at.unwrap_or(ends_at)),
            addresses: known.addresses,
            session,
            layout,
        }
    }
}

impl Warning {
    fn new(alarm: &Alarm, number: Option<usize>, reader: Reader) -> Self {
        Self {
            token: number.map_or_else(|| "one of its tokens".to_owned(), |number| format!("token {number}")),
            rotated: alarm.rotated_at.map(|at| When::new(at, reader)),
            rotated_by: alarm.rotated_by.clone(),
            came_back: When::new(alarm.at, reader),
            presented_by: alarm.presented_by.clone(),
            device: device::words(&alarm.user_agent),
        }
    }
}

/// The state of a session.
struct State<'a> {
    session: &'a Session,
    status: Status,
    ends_at: Instant,
    rotations: usize,
    /// The end of the sentence "It ended …".
    why: &'a str,
}

impl State<'_> {
    /// The sentence below the title.
    fn lede(&self, reader: Reader) -> Lede {
        let Self { session, status, ends_at, rotations, why } = *self;
        let device = device::words(&session.user_agent);
        let with = match i64::try_from(rotations).unwrap_or(i64::MAX) {
            0 => "without a rotation".to_owned(),
            count => format!("with {}", amount(count, "rotation")),
        };
        let end = session.ended_at.unwrap_or(ends_at);
        let when = When::new(end, reader);
        let lasted = |until: Instant| {
            length(u64::try_from(until.timestamp() - session.created_at.timestamp()).unwrap_or_default())
        };
        let relative = when.relative.clone();
        let (before, after) = match status {
            Status::Live => (
                format!("{device}, in use for {} {with}. The session lasts until", lasted(reader.now)),
                format!(" ({relative}), or longer if it is refreshed before then."),
            ),
            Status::Expired => {
                (format!("{device}. The session lasted {} {with} and expired", lasted(end)), format!(", {relative}."))
            }
            Status::Ended => (
                format!("{device}. The session lasted {} {with} and ended", lasted(end)),
                format!(", {relative}, {why}."),
            ),
        };
        Lede { before, when, after }
    }
}

/// Why a session ended, as the end of a sentence.
fn because(session: &Session) -> String {
    let why = match session.end_reason.as_deref() {
        Some("reuse") => "because a used token came back",
        Some("session_end") => "because its user ended it",
        Some("max_age") => "because it reached SESSION_MAX_AGE",
        Some("idle") => "because it was not used for SESSION_IDLE_TIMEOUT",
        Some("blacklist") => "because its last token was sent to the blacklist endpoint",
        Some("revoke") => "because a client revoked one of its tokens",
        Some("admin") => return format!("by {}", session.ended_by.as_deref().unwrap_or("an administrator")),
        other => status::because(other),
    };
    why.to_owned()
}
