//! `/account/second-factors/{id}/remove/`: asks first, and says what goes with it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::super::login::NoFields;
use super::super::page::{OwnForm, Question};
use super::super::trouble::Trouble;
use super::super::visit::{Visitor, see};
use super::super::{FACTOR_REMOVED, FACTORS};
use crate::app::App;
use crate::db::types::RowId;
use crate::factors;
use crate::factors::remove::{self, FactorProof};
use crate::journal::authentication::FactorKind;
use crate::web::extract::Client;

/// `GET second-factors/{id}/remove/`
pub async fn ask(app: Data<App>, Visitor(visit): Visitor, id: Path<String>) -> Result<HttpResponse, Trouble> {
    let user = visit.user().clone();
    let all = app.read(move |tx| factors::overview::overview(tx, &user)).await?;
    let factors = &all.enrolled.factors;
    let Some(factor) = factors.iter().find(|factor| factor.id.0.to_string() == *id) else {
        return Err(Trouble::NoSuchFactor);
    };
    let title = FactorKind::of(&factor.kind).map_or("Second factor", FactorKind::title);
    let name = if factor.name == title { title.to_owned() } else { format!("{title} “{}”", factor.name) };
    let mut goes = vec![format!("{name} is not asked for any more.")];
    if factors.len() == 1 {
        goes.push("It is your last one: your recovery codes become worthless.".to_owned());
        let next = if all.is_required {
            "This account must have a second factor: your next login asks you to add one."
        } else {
            "Your password alone opens your account then."
        };
        goes.push(next.to_owned());
    }
    if !all.browsers.is_empty() {
        goes.push("Browsers that were remembered are asked for a second factor again.".to_owned());
    }
    let question = Question {
        site: &app.config.mail.site_name,
        title: "Remove this second factor?",
        goes,
        action: format!("{FACTORS}{id}/remove/"),
        button: "Remove it",
    };
    question.show()
}

/// `POST second-factors/{id}/remove/`
pub async fn take(
    app: Data<App>,
    client: Client,
    Visitor(visit): Visitor,
    id: Path<String>,
    _: OwnForm<NoFields>,
) -> Result<HttpResponse, Trouble> {
    let id = id.parse().map_err(|_| Trouble::NoSuchFactor)?;
    let removed = remove::remove(&app, FactorProof::AccountSession(visit), RowId(id), &client).await;
    if removed.map_err(Trouble::of_answer)? { Ok(see(FACTOR_REMOVED)) } else { Err(Trouble::NoSuchFactor) }
}
