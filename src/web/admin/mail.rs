//! `/admin/mail/`: the list of mail. It shows no contents and no secrets, and no mail can be sent again, because its secret
//! is erased once it is sent.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::access::Staff;
use super::address::MAIL;
use super::changelist::filter::{self, Field, FilterKind};
use super::changelist::{About, ChangeList, Column, ListQuery, ModelAdmin, Order, column};
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::search;
use super::status::{Badge, badge};
use super::words::{Reader, When, amount, commas};
use crate::accounts::upkeep::MAIL_KEPT;
use crate::app::{App, Tx};
use crate::db::latchkey_mail::list::{self, Filter, Listed, Sort, Whose};
use crate::db::latchkey_mail::{FAILED, QUEUED, SENT};
use crate::db::types::UserId;
use crate::db::{DbError, users};

static ADMIN: ModelAdmin<Sort> = ModelAdmin {
    about: About { path: MAIL, title: "Mail", app: None, hint: "Recipient, username or user id", icon: "mail" },
    orders: &[Order {
        name: "when",
        sort: Sort::When,
        words: ["oldest first", "newest first"],
        turns: ["Older", "Newer"],
    }],
    ordering: "-when",
    list_filter: &[
        filter::Filter {
            name: "status",
            label: "Status",
            kind: FilterKind::Tabs(&[(QUEUED, "Queued"), (SENT, "Sent"), (FAILED, "Failed")]),
        },
        filter::Filter { name: "at", label: "Written", kind: FilterKind::Dates },
    ],
};

/// How many users a search can mean.
const MAX_USERS: usize = 50;

struct Row {
    written: When,
    subject: String,
    recipient: String,
    user: Option<UserId>,
    username: String,
    status: Badge,
    is_being_sent: bool,
    next: Option<When>,
    done: Option<When>,
    attempts: String,
    error: Option<String>,
}

impl Row {
    fn new(mail: Listed, reader: Reader) -> Self {
        let when = |at| When::new(at, reader);
        Self {
            written: when(mail.created_at),
            subject: mail.subject,
            user: mail.user_id,
            username: mail.username.unwrap_or_default(),
            recipient: mail.recipient,
            status: status(&mail.status),
            is_being_sent: mail.is_claimed,
            // For a mail that is being sent, this is when another server may take over.
            next: mail.next_at.filter(|_| !mail.is_claimed && mail.attempts > 0).map(when),
            done: mail.done_at.map(when),
            attempts: commas(mail.attempts.into()),
            error: mail.error,
        }
    }
}

fn status(word: &str) -> Badge {
    match word {
        SENT => badge("live", "check", "Sent"),
        FAILED => badge("blacklisted", "alert", "Failed"),
        _ => badge("expired", "clock", "Queued"),
    }
}

#[derive(Template)]
#[template(path = "admin/mail/change_list.html")]
struct ListPage {
    layout: Layout,
    list: ChangeList,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// How long mail is listed.
    kept: String,
}

/// `GET mail/`
pub async fn list(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let reader = staff.reader();
    let query = ListQuery::of(&request, &ADMIN, reader);
    if let Some(q) = query.q.as_deref().filter(|q| search::is_pasted_token(q)) {
        return search::answer(&staff, MAIL, &[], q);
    }
    let filter =
        Filter { whose: None, status: query.chosen.choice("status").map(str::to_owned), written: query.period("at") };
    let (q, paging, is_whole) = (query.q.clone(), query.paging(), query.is_whole());
    let job = move |tx: &mut Tx<'_>| {
        let whose = q.as_deref().map(|q| whose(tx, q)).transpose()?;
        let found = list::search(tx.conn, &tx.app.users, &Filter { whose, ..filter.clone() }, &paging)?;
        Ok::<_, DbError>(if is_whole { found.of(list::count(tx.conn)?) } else { found })
    };
    let found = app.read(job).await?;
    let mut list = query.list(&found);
    let columns = vec![
        column("Subject"),
        column("To"),
        column("Status"),
        list.sorted("Written", "when"),
        column("Done"),
        column("Attempts"),
    ];
    let rows = found.rows.into_iter().map(|mail| Row::new(mail, reader)).collect();
    let kept = amount(i64::try_from(MAIL_KEPT.as_secs() / 86_400).unwrap_or(i64::MAX), "day");
    page(&ListPage { layout: staff.layout(Place::Mail), list, columns, rows, kept })
}

/// A recipient's address, or else users, or else addresses with this beginning. At most two statements.
fn whose(tx: &mut Tx<'_>, q: &str) -> Result<Whose, DbError> {
    if list::is_recipient(tx.conn, q)? {
        return Ok(Whose::Address(q.to_owned()));
    }
    let users = users::list::find_starting_with(tx.conn, &tx.app.users, (q, false), MAX_USERS)?.ids;
    Ok(if users.is_empty() { Whose::AddressLike(q.to_owned()) } else { Whose::Users(users) })
}

/// `POST mail/`: the search.
pub async fn search(staff: Staff, form: CsrfForm<Vec<(String, String)>>) -> Result<HttpResponse, PageError> {
    search::in_list(&staff, MAIL, form)
}
