//! The export of users as CSV, under the same search and filters as the list, with Django's column names.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::{ADMIN, filter, search_in};
use crate::accounts::export::{Export, note};
use crate::app::App;
use crate::db::page::Paging;
use crate::db::types::Instant;
use crate::db::users::list::{self, Listed, Sort};
use crate::web::admin::access::Superuser;
use crate::web::admin::address::USERS;
use crate::web::admin::changelist::ListQuery;
use crate::web::admin::error::PageError;
use crate::web::admin::export::{Batch, File, paging, pairs, refuse, send};
use crate::web::admin::layout::see;
use crate::web::admin::search::is_pasted_token;

const FILE: File = File { name: "users.csv", media_type: "text/csv; charset=utf-8" };

const COLUMNS: [&str; 10] = [
    "id",
    "username",
    "email",
    "first_name",
    "last_name",
    "is_active",
    "is_staff",
    "is_superuser",
    "last_login",
    "date_joined",
];

/// `GET user/export/`
pub async fn export(superuser: Superuser, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let query = ListQuery::of(&request, &ADMIN, superuser.0.reader());
    if query.q.as_deref().is_some_and(is_pasted_token) {
        return Ok(see(USERS));
    }
    let (filter, q) = (filter(&query), query.q.clone());
    let (whom, typed) = (filter.clone(), q.clone());
    let (_, meant) = app.read(move |tx| search_in(tx, &whom, typed.as_deref())).await?;
    if let Some(users) = meant {
        return refuse(&superuser.0, USERS, &query, users);
    }
    note(&app, &superuser.actor(), Export::Users, &pairs(&query)).await?;
    Ok(send(&FILE, move |from| {
        let (app, filter, q) = (app.clone(), filter.clone(), q.clone());
        // The order by last login would leave out users who never logged in.
        let paging = Paging { from, ..paging(Sort::Username, false) };
        async move {
            let is_first = paging.from.is_none();
            let job = move |tx: &mut crate::app::Tx<'_>| {
                let (filter, _) = search_in(tx, &filter, q.as_deref())?;
                list::search(tx.conn, &tx.app.users, &filter, &paging)
            };
            let page = app.read(job).await?;
            let bytes = table(is_first, &page.rows).map_err(|_| PageError::Other("a CSV could not be written"))?;
            Ok(Batch::new(page, bytes))
        }
    }))
}

fn table(with_head: bool, users: &[Listed]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if with_head {
        writer.write_record(COLUMNS)?;
    }
    for user in users {
        let time = |at: Option<Instant>| at.map(Instant::iso).unwrap_or_default();
        writer.write_record([
            user.id.to_string(),
            harmless(&user.username),
            harmless(&user.email),
            harmless(&user.first_name),
            harmless(&user.last_name),
            user.is_active.to_string(),
            user.is_staff.to_string(),
            user.is_superuser.to_string(),
            time(user.last_login),
            time(user.date_joined),
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A spreadsheet would read a cell that begins like this as a formula. A quote makes it text.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        for cell in ["", "ann", "a=b", "'=1", " =1"] {
            assert_eq!(harmless(cell), cell);
        }
    }
}
