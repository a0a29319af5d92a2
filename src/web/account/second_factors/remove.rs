//! `/account/second-factors/{id}/remove/`: asks before a second factor is removed, and says what else ends.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::super::error::AccountError;
use super::super::page::{NoFields, OwnForm, Question};
use super::super::session::{CurrentUser, redirect};
use super::super::{FACTOR_REMOVED, FACTORS};
use crate::db::types::RowId;
use crate::factors;
use crate::factors::remove::{self, FactorProof};
use crate::journal::authentication::FactorKind;

/// `GET second-factors/{id}/remove/`
pub async fn ask(current: CurrentUser, id: Path<String>) -> Result<HttpResponse, AccountError> {
    let (app, user) = (&current.app, current.user().clone());
    let all = app.read(move |tx| factors::overview::overview(tx, &user)).await?;
    let factors = &all.enrolled.factors;
    let Some(factor) = factors.iter().find(|factor| factor.id.0.to_string() == *id) else {
        return Err(AccountError::NoSuchFactor);
    };
    let title = FactorKind::of(&factor.kind).map_or("Second factor", FactorKind::title);
    let name = if factor.name == title { title.to_owned() } else { format!("{title} “{}”", factor.name) };
    let mut consequences = vec![format!("{name} will no longer work.")];
    if factors.len() == 1 {
        consequences.push("It is your last second factor, so your recovery codes stop working too.".to_owned());
        let next = if all.is_required {
            "Your account must have a second factor. Your next login will ask you to add one."
        } else {
            "After that, your password alone is enough to log in."
        };
        consequences.push(next.to_owned());
    }
    if !all.browsers.is_empty() {
        consequences.push("Remembered browsers will ask for a second factor again.".to_owned());
    }
    let question = Question {
        site: &app.config.mail.site_name,
        title: "Remove this second factor?",
        consequences,
        action: format!("{FACTORS}{id}/remove/"),
        button: "Remove second factor",
    };
    question.show()
}

/// `POST second-factors/{id}/remove/`
pub async fn remove(
    current: CurrentUser,
    id: Path<String>,
    _: OwnForm<NoFields>,
) -> Result<HttpResponse, AccountError> {
    let id = id.parse().map_err(|_| AccountError::NoSuchFactor)?;
    let removed =
        remove::remove(&current.app, FactorProof::AccountSession(current.session), RowId(id), &current.client).await;
    if removed.map_err(AccountError::of_answer)? {
        Ok(redirect(FACTOR_REMOVED))
    } else {
        Err(AccountError::NoSuchFactor)
    }
}
