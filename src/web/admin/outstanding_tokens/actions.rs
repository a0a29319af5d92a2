//! Blacklists the selected tokens of the list, after a question.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use crate::app::App;
use crate::db::outstanding_tokens::{self, Ticked};
use crate::db::types::{Instant, TokenId};
use crate::tokens::administer::{self, Outcome};
use crate::web::admin::access::{Staff, Superuser};
use crate::web::admin::address::{self, OUTSTANDING};
use crate::web::admin::changelist::action::Chosen;
use crate::web::admin::csrf::CsrfForm;
use crate::web::admin::error::PageError;
use crate::web::admin::layout::{Layout, Message, Place, Tone, page, see};
use crate::web::words::{amount, commas, length};

/// The actions for selected tokens.
pub const ACTIONS: [(&str, &str); 1] = [("blacklist", "Blacklist selected tokens")];

#[derive(Template)]
#[template(path = "admin/token_blacklist/outstandingtoken/selected_confirmation.html")]
struct Question {
    layout: Layout,
    ids: Vec<i64>,
    tokens: String,
    live: String,
    expired: String,
    already: String,
    users: String,
    access_lifetime: String,
}

/// `POST outstandingtoken/action/`
pub async fn act(
    superuser: Superuser,
    app: Data<App>,
    form: CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, PageError> {
    let chosen = Chosen::from(form);
    let ids: Vec<TokenId> = chosen.ids().into_iter().map(TokenId).collect();
    if !ACTIONS.iter().any(|(action, _)| *action == chosen.action) || ids.is_empty() {
        let text = "Select one or more tokens first. Nothing was changed.".to_owned();
        superuser.0.say(Message { tone: Tone::Bad, text, link: None })?;
        return Ok(see(OUTSTANDING));
    }
    if !chosen.is_confirmed {
        return ask(&superuser, &app, ids).await;
    }
    let outcome = administer::blacklist(&app, &superuser.actor(), ids).await?;
    let link = (outcome.blacklisted > 0).then(|| (address::BLACKLISTED.to_owned(), "Show them".to_owned()));
    superuser.0.say(Message { tone: Tone::Good, text: words(outcome), link })?;
    Ok(see(OUTSTANDING))
}

async fn ask(superuser: &Superuser, app: &App, ids: Vec<TokenId>) -> Result<HttpResponse, PageError> {
    let wanted = ids.clone();
    let tokens = app.read(move |tx| outstanding_tokens::list_ticked(tx.conn, &wanted)).await?;
    let now = app.now();
    let count = |is: fn(&Ticked, Instant) -> bool| {
        commas(i64::try_from(tokens.iter().filter(|token| is(token, now)).count()).unwrap_or(i64::MAX))
    };
    let users: BTreeSet<_> = tokens.iter().filter_map(|token| token.user_id).collect();
    page(&Question {
        layout: superuser.0.layout(Place::Outstanding(false)),
        ids: tokens.iter().map(|token| token.id.0).collect(),
        tokens: number(tokens.len(), "token"),
        live: count(|token, now| token.blacklisted_at.is_none() && token.expires_at > now),
        expired: count(|token, now| token.blacklisted_at.is_none() && token.expires_at <= now),
        already: count(|token, _| token.blacklisted_at.is_some()),
        users: number(users.len(), "user"),
        access_lifetime: length(app.config.jwt.access_token_lifetime.as_secs()),
    })
}

fn number(count: usize, noun: &str) -> String {
    amount(i64::try_from(count).unwrap_or(i64::MAX), noun)
}

fn words(Outcome { blacklisted, already }: Outcome) -> String {
    let are = |count| if count == 1 { "was" } else { "were" };
    match (blacklisted, already) {
        (0, 0) => "The tokens no longer exist: they were flushed. Nothing was changed.".to_owned(),
        (0, _) => "The tokens had been blacklisted already. Nothing was changed.".to_owned(),
        (done, 0) => format!("{} {} blacklisted.", number(done, "token"), are(done)),
        (done, _) => {
            format!("{} {} blacklisted, {already} {} already.", number(done, "token"), are(done), are(already))
        }
    }
}

/// `GET outstandingtoken/action/`: a reload of the question.
pub async fn bare(_: Staff) -> HttpResponse {
    see(OUTSTANDING)
}
