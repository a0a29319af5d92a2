//! Exports of a list as a file. Rows are read and sent in batches, so a long list needs little memory, and the export stops
//! when the client disconnects. Each list formats its own rows.

use std::future::Future;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream;

use super::access::Staff;
use super::changelist::{self, ListQuery};
use super::error::PageError;
use super::layout::{Message, Tone, see};
use super::words::commas;
use crate::db::page::{Cursor, From, Page, Paging};

/// How many rows are read at once.
const BATCH_SIZE: usize = 500;

/// A file.
pub struct File {
    /// The name of the download.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
}

/// The search and the filters of a list, for the address of the export and for the audit log.
pub fn pairs<S>(query: &ListQuery<S>) -> Vec<(String, String)> {
    let q = query.q.iter().map(|q| ("q".to_owned(), q.clone()));
    q.chain(query.chosen.pairs(None)).collect()
}

/// The address of the export of a list.
pub fn address<S>(list: &str, query: &ListQuery<S>) -> String {
    changelist::address(&format!("{list}export/"), &pairs(query))
}

/// Refuses an export that would be incomplete, because the search matches more than `users` users.
pub fn refuse<S>(staff: &Staff, list: &str, query: &ListQuery<S>, users: usize) -> Result<HttpResponse, PageError> {
    let users = commas(i64::try_from(users).unwrap_or(i64::MAX));
    let text = format!("Nothing was exported: the search matches more than {users} users. Enter more of the name.");
    staff.say(Message { tone: Tone::Bad, text, link: None })?;
    Ok(see(&changelist::address(list, &pairs(query))))
}

/// The first batch of a list in this order.
pub fn paging<S>(sort: S, descending: bool) -> Paging<S> {
    Paging { sort, descending, from: None, size: BATCH_SIZE }
}

/// A batch, and where the next one begins.
pub struct Batch {
    bytes: Vec<u8>,
    after: Option<Cursor>,
}

impl Batch {
    /// The formatted rows of a page.
    pub fn new<T>(page: Page<T>, bytes: Vec<u8>) -> Self {
        Self { bytes, after: page.after }
    }
}

/// Sends a file, batch by batch; `next` reads the batch that begins at a place.
pub fn send<F, N>(file: &File, next: N) -> HttpResponse
where
    N: Fn(Option<From>) -> F + 'static,
    F: Future<Output = Result<Batch, PageError>> + 'static,
{
    let batches = stream::try_unfold((next, Some(None)), |(next, place): (N, Option<Option<From>>)| async move {
        let Some(place) = place else { return Ok(None) };
        let batch = next(place).await.inspect_err(|error| tracing::error!(%error, "an export broke off"))?;
        let after = batch.after.map(|after| Some(From::After(after)));
        Ok::<_, PageError>(Some((Bytes::from(batch.bytes), (next, after))))
    });
    HttpResponse::Ok()
        .content_type(file.media_type)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)))
        .streaming(batches)
}
