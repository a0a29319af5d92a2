//! Second factors under the proof: what the calls about them do to the real thing, and what a user has of them. What runs
//! at the same time stands in `scenarios`, what has to come of it in `model`.

use std::collections::BTreeMap;

use latchkey::accounts::confirm::Confirmed;
use latchkey::db::users::User;
use latchkey::factors::answer::{self, Answer as GivenAnswer, AnswerError, FactorResponse};
use latchkey::factors::ask;
use latchkey::factors::challenge::Purpose;
use latchkey::factors::enrol::{self, EnrolError, EnrolmentAuthority, Show};
use latchkey::factors::enrolment::Done;
use latchkey::factors::enrolment::{self, EnrolmentAnswer};
use latchkey::factors::remove::{self, FactorProof};
use latchkey::journal::authentication::{FactorKind, Method};
use latchkey::journal::{Actor, Client};
use latchkey::tokens::login::{Answered, EnrolmentInLogin, Pending};
use latchkey::tokens::obtain::{self, Tokens};
use secrecy::ExposeSecret;

use super::model::{Call, Challenge, Proof};
use super::world::{Answer, Cast, Seat, broken};
use crate::api::second_factor::totp_at;
use crate::harness::Pair;

/// What a user has to answer with.
#[derive(Default)]
pub struct Factors {
    /// Logins that wait.
    pub challenges: Vec<String>,
    /// What was begun: its token, and the secret of the app.
    begun: BTreeMap<Option<Challenge>, Begun>,
    app: String,
    paper: String,
}

/// An enrolment.
#[derive(Clone)]
pub struct Begun {
    token: String,
    secret: String,
}

/// What a factor that was added brings.
pub struct Added {
    /// The tokens of a login that waited for it.
    pub pair: Option<Pair>,
    paper: Option<String>,
}

impl Factors {
    /// Keeps what a call answered.
    pub fn keep(&mut self, call: Call, answer: &Answer) {
        match (call, answer) {
            (Call::Begin(by), Answer::Begun(begun)) => drop(self.begun.insert(by, begun.clone())),
            (Call::Confirm(by), Answer::Added(added)) => {
                self.app.clone_from(&self.begun[&by].secret);
                self.paper.clone_from(added.paper.as_ref().expect("recovery codes come with the first factor"));
            }
            (_, Answer::Waits(challenge)) => self.challenges.push(challenge.clone()),
            _ => {}
        }
    }
}

impl Seat {
    /// A call about second factors.
    pub async fn answer_factor(&self, cast: &Cast, call: Call) -> Result<Answer, Answer> {
        let (app, client) = (&self.app, Client::default());
        match call {
            Call::Begin(by) => {
                let by = if let Some(challenge) = by {
                    EnrolmentAuthority::PendingLogin(cast.factors.challenges[challenge].as_str().into())
                } else {
                    let (actor, now) = (Actor::user(&self.user(cast).await?, &client), app.now());
                    let by = Confirmed::by_login(actor, now, now).expect("it was just now");
                    EnrolmentAuthority::Password { by, factor: None }
                };
                let started = enrol::start(app, by, FactorKind::Totp, &client).await?;
                let Show::Totp { secret, .. } = started.show else { unreachable!("an app was asked for") };
                let (token, secret) = (started.token.expose_secret().into(), secret.expose_secret().into());
                Ok(Answer::Begun(Begun { token, secret }))
            }
            Call::Confirm(by) => {
                let begun = &cast.factors.begun[&by];
                let response = FactorResponse::Code(self.shown(&begun.secret).into());
                let answer = EnrolmentAnswer { token: begun.token.as_str().into(), response, name: None };
                let Some(challenge) = by else {
                    let done = enrolment::finish(app, answer, &client).await?;
                    return Ok(added(None, done));
                };
                let challenge = cast.factors.challenges[challenge].as_str().into();
                let enrolled = EnrolmentInLogin { challenge, answer };
                let (tokens, done) = obtain::with_enrolment(app, enrolled, client).await?;
                Ok(added(Some(pair(tokens)), done))
            }
            Call::Answer(challenge, proof) => {
                let answer = self.given(cast, cast.factors.challenges[challenge].clone(), proof);
                let (tokens, _) = obtain::with_factor(app, Answered { answer, remember: false }, client).await?;
                Ok(Answer::Pair(pair(tokens)))
            }
            Call::Remove(proof) => {
                let user = self.user(cast).await?;
                let (challenge, _) = ask::confirm(app, &user, &client).await?.ok_or(Answer::Refused)?;
                let answer = self.given(cast, challenge.expose_secret().into(), proof);
                let right = answer::check(app, answer, |purpose| purpose == Purpose::Confirm, &client).await?;
                let id = user.id;
                let all = app.read(move |tx| latchkey::db::latchkey_second_factor::list_of(tx.conn, id)).await?;
                let id = all.first().ok_or(Answer::Refused)?.id;
                if remove::remove(app, FactorProof::Answer(right), id, &client).await? {
                    Ok(Answer::Done)
                } else {
                    Err(Answer::Refused)
                }
            }
            other => unreachable!("{other:?} is not about second factors"),
        }
    }

    async fn user(&self, cast: &Cast) -> Result<User, Answer> {
        let id = cast.user;
        self.app.read(move |tx| tx.app.users.find(tx.conn, id)).await?.ok_or(Answer::Refused)
    }

    /// What an app shows now.
    fn shown(&self, secret: &str) -> String {
        totp_at(secret, self.app.now().timestamp())
    }

    fn given(&self, cast: &Cast, challenge: String, proof: Proof) -> GivenAnswer {
        let (method, code) = match proof {
            Proof::App if cast.factors.app.is_empty() => (Method::Factor(FactorKind::Totp), "000000".to_owned()),
            Proof::App => (Method::Factor(FactorKind::Totp), self.shown(&cast.factors.app)),
            Proof::Paper => (Method::Recovery, cast.factors.paper.clone()),
        };
        GivenAnswer { challenge: challenge.into(), method, response: FactorResponse::Code(code.into()) }
    }
}

fn pair(tokens: Tokens) -> Pair {
    let Tokens::Pair(pair) = tokens else { unreachable!("a pair was asked for") };
    Pair { refresh: pair.refresh, access: pair.access }
}

fn added(pair: Option<Pair>, done: Done) -> Answer {
    let paper = done.recovery_codes.map(|codes| codes[0].expose_secret().to_owned());
    Answer::Added(Added { pair, paper })
}

impl From<Pending> for Answer {
    fn from(pending: Pending) -> Self {
        Self::Waits(pending.challenge.expose_secret().to_owned())
    }
}

impl From<AnswerError> for Answer {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::NoChallenge | AnswerError::Wrong => Self::Refused,
            AnswerError::Throttled(_) | AnswerError::Db(_) => broken(error),
        }
    }
}

impl From<EnrolError> for Answer {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Answer(error) => error.into(),
            EnrolError::Exists | EnrolError::FactorRequired | EnrolError::Stale => Self::Refused,
            other => broken(other),
        }
    }
}
