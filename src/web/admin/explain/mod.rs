//! `/admin/explain/`: says whether a pasted token is accepted, and if not, exactly why. It takes a jti or a header as well.
//! `tokens::explain` runs the checks; their words are in `verdict` and `steps`, the answers to the client in `answers`.
//! A pasted token is never logged or stored, does not appear in an address, and is shown with its signature masked.

mod answers;
mod record;
mod steps;
mod subject;
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
use crate::db::types::UserId;
use crate::tokens::explain::{self, Answer, Explanation};
use answers::ClientAnswer;
use record::{SessionCard, Timeline};
use steps::Line;
use subject::Subject;
use verdict::Verdict;

/// A sentence that may contain a time.
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

/// The fields of the form.
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
    details: Option<Details>,
}

/// The part of the page below the verdict.
struct Details {
    lines: Vec<Line>,
    answers: Vec<ClientAnswer>,
    decoded: Option<Decoded>,
    is_believed: bool,
    timeline: Option<Timeline>,
    session: Option<SessionCard>,
    user: Option<Person>,
}

struct Person {
    id: UserId,
    username: String,
    email: String,
    is_active: bool,
}

/// `GET /admin/explain/`: the form; with `?jti=`, that token. A jti is not secret, a token is.
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
        let (verdict, details, jti) = match answer {
            Answer::Nothing => (None, None, String::new()),
            Answer::UnknownJti(jti) => (Some(Verdict::unknown(&jti)), None, jti),
            Answer::Token(token) => {
                let verdict = verdict::of(Subject { app, token: &token, reader });
                (Some(verdict), Some(Details::new(app, *token, reader)), asked)
            }
        };
        Self { layout, jti, verdict, details }
    }
}

impl Details {
    fn new(app: &App, token: Explanation, reader: Reader) -> Self {
        let owner = claims::Owner::found(token.facts.user.as_ref());
        let context = Context { jwt: &app.config.jwt, owner, reader };
        let subject = Subject { app, token: &token, reader };
        Self {
            lines: steps::lines(subject),
            decoded: token.unsigned.as_deref().and_then(|text| claims::decode(text, &context)),
            is_believed: token.is_well_signed() || !token.is_signed,
            timeline: record::timeline(subject),
            session: record::session(subject),
            user: token.facts.user.as_ref().map(|user| Person {
                id: user.id,
                username: user.username.clone(),
                email: user.email.clone(),
                is_active: user.is_active,
            }),
            answers: answers::of(app, token),
        }
    }
}
