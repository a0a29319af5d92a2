//! Files with the rows of a list: read and sent in batches, so that a long list needs no memory. When the reader goes away, so
//! does the work. What the rows look like is said by each list.

use std::future::Future;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream;

use super::access::Staff;
use super::changelist::{self, Asked};
use super::error::PageError;
use super::layout::{Message, Tone, see};
use super::words::commas;
use crate::db::page::{Cursor, From, Page, Paging};

/// So many rows are read at once.
const BATCH: usize = 500;

/// A file.
pub struct File {
    /// What the browser calls it.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
}

/// The search and the filters of a list, for its export's address and for the audit log.
pub fn pairs<S>(asked: &Asked<S>) -> Vec<(String, String)> {
    let q = asked.q.iter().map(|q| ("q".to_owned(), q.clone()));
    q.chain(asked.chosen.pairs(None)).collect()
}

/// Where the rows that a list shows are a file.
pub fn address<S>(list: &str, asked: &Asked<S>) -> String {
    changelist::address(&format!("{list}export/"), &pairs(asked))
}

/// Nothing is written where rows would be missing: the search means more than `users` users. Back to the list.
pub fn refuse<S>(staff: &Staff, list: &str, asked: &Asked<S>, users: usize) -> Result<HttpResponse, PageError> {
    let users = commas(i64::try_from(users).unwrap_or(i64::MAX));
    let text = format!("Not exported: more than {users} users match the search. Type more of the name.");
    staff.say(Message { tone: Tone::Bad, text, link: None })?;
    Ok(see(&changelist::address(list, &pairs(asked))))
}

/// The first batch of a list in this order.
pub fn paging<S>(sort: S, descending: bool) -> Paging<S> {
    Paging { sort, descending, from: None, size: BATCH }
}

/// A batch as it is sent, and where the next one begins.
pub struct Batch {
    bytes: Vec<u8>,
    after: Option<Cursor>,
}

impl Batch {
    /// The rows of a page, as `write` writes them.
    pub fn new<T>(page: Page<T>, bytes: Vec<u8>) -> Self {
        Self { bytes, after: page.after }
    }
}

/// Sends a file, batch by batch; `next` reads the batch at a place.
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
