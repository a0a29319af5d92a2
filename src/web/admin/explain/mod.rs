//! `/admin/explain/`: paste a token, a jti or a header, and see whether it is accepted, and if not, exactly why.
//! What is found out is in `tokens::explain`; the words for it are in `verdict` and `steps`, the client's side in `answers`.
//! What was pasted is in no log, no address and no table, and comes back with its signature masked.

mod answers;
mod record;
mod steps;
mod verdict;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use url::form_urlencoded;

use super::access::Staff;
use super::claims::{self, Context, Decoded, Meaning};
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Layout, Place, page};
use super::words::{Reader, When};
use crate::app::App;
use crate::db::types::Instant;
use crate::tokens::explain::{self, Answer, Explanation};
use answers::ClientAnswer;
use record::{SessionCard, Timeline};
use steps::Line;
use verdict::Verdict;

/// A sentence, in which a point in time may stand.
#[derive(Debug, Clone, Default)]
pub struct Sentence {
    before: String,
    when: Option<When>,
    after: String,
}

impl Sentence {
    fn plain(text: impl Into<String>) -> Self {
        Self { before: text.into(), ..Self::default() }
    }

    fn at(before: impl Into<String>, at: Instant, reader: Reader, after: impl Into<String>) -> Self {
        Self { before: before.into(), when: Some(When::new(at, reader)), after: after.into() }
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    token: String,
}

#[derive(Template)]
#[template(path = "admin/inspector.html")]
struct Inspector {
    layout: Layout,
    jti: String,
    verdict: Option<Verdict>,
    found: Option<Found>,
}

/// What is shown below the verdict.
struct Found {
    lines: Vec<Line>,
    answers: Vec<ClientAnswer>,
    decoded: Option<Decoded>,
    is_believed: bool,
    timeline: Option<Timeline>,
    session: Option<SessionCard>,
    user: Option<Person>,
}

struct Person {
    id: i64,
    username: String,
    email: String,
    is_active: bool,
}

/// `GET /admin/explain/`: the form; with `?jti=` what is known of that token. A jti is no secret, a token is one.
pub async fn form(staff: Staff, request: HttpRequest, app: Data<App>) -> Result<HttpResponse, PageError> {
    let mut asked = form_urlencoded::parse(request.query_string().as_bytes());
    let jti = asked.find(|(name, _)| name == "jti").map(|(_, value)| value.into_owned()).unwrap_or_default();
    let answer = if jti.contains('.') { Answer::Nothing } else { explain::explain(&app, &jti).await? };
    page(&Inspector::new(&staff, &app, answer, jti))
}

/// `POST /admin/explain/`: the answer.
pub async fn answer(
    staff: Staff,
    CsrfForm(fields): CsrfForm<Fields>,
    app: Data<App>,
) -> Result<HttpResponse, PageError> {
    let answer = explain::explain(&app, &fields.token).await?;
    page(&Inspector::new(&staff, &app, answer, String::new()))
}

impl Inspector {
    fn new(staff: &Staff, app: &App, answer: Answer, asked: String) -> Self {
        let mut layout = staff.layout(Place::Explain);
        super::address::EXPLAIN.clone_into(&mut layout.here);
        let reader = layout.reader;
        let (verdict, found, jti) = match answer {
            Answer::Nothing => (None, None, String::new()),
            Answer::UnknownJti(jti) => (Some(Verdict::unknown(&jti)), None, jti),
            Answer::Token(token) => (Some(verdict::of(app, &token, reader)), Some(found(app, *token, reader)), asked),
        };
        Self { layout, jti, verdict, found }
    }
}

fn found(app: &App, token: Explanation, reader: Reader) -> Found {
    let owner = claims::Owner::found(token.facts.user.as_ref());
    let context = Context { jwt: &app.config.jwt, owner, reader };
    Found {
        lines: steps::lines(app, &token, reader),
        decoded: token.unsigned.as_deref().and_then(|text| claims::decode(text, &context)),
        is_believed: token.is_well_signed() || !token.is_signed,
        timeline: record::timeline(&token, reader),
        session: record::session(app, &token, reader),
        user: token.facts.user.as_ref().map(|user| Person {
            id: user.id.0,
            username: user.username.clone(),
            email: user.email.clone(),
            is_active: user.is_active,
        }),
        answers: answers::of(app, token),
    }
}
