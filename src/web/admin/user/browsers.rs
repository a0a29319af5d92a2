//! `/admin/auth/user/ID/browsers/BROWSER/forget/`: forgets a remembered browser of a user, or all of them (`all`).

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::super::access::Superuser;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::layout::{Message, Tone, see};
use super::super::words::amount;
use super::factors::{self, SecondFactors};
use super::question::{Fields, Question, Row};
use super::second_factors::refused;
use super::{about, address_of, find};
use crate::accounts::user::FieldError;
use crate::app::App;
use crate::db::types::UserId;
use crate::db::users::User;
use crate::factors::remembered_browser;

const ALL: &str = "all";

/// `GET user/ID/browsers/BROWSER/forget/`: asks first.
pub async fn ask(
    superuser: Superuser,
    path: Path<(UserId, String)>,
    app: Data<App>,
) -> Result<HttpResponse, PageError> {
    let (id, which) = path.into_inner();
    render(&superuser, find(&app, id).await?, &which, None).await
}

/// `POST user/ID/browsers/BROWSER/forget/`
pub async fn forget(
    superuser: Superuser,
    path: Path<(UserId, String)>,
    app: Data<App>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let (id, which) = path.into_inner();
    let user = find(&app, id).await?;
    let by = match superuser.confirm(fields.own_password).await? {
        Ok(by) => by,
        Err(error) => return render(&superuser, user, &which, Some(error)).await,
    };
    let one = (which != ALL).then_some(which);
    let message =
        match remembered_browser::forget_of(&app, &by, user.id, one).await.map_err(|error| refused(error, id))? {
            0 => gone(),
            1 => about(format!("1 browser of {} was forgotten.", user.username), user.id),
            more => {
                let browsers = amount(i64::try_from(more).unwrap_or(i64::MAX), "browser");
                about(format!("{browsers} of {} were forgotten.", user.username), user.id)
            }
        };
    superuser.0.say(message)?;
    Ok(see(&address_of(id)))
}

fn gone() -> Message {
    let text = "This browser is no longer remembered. Nothing was changed.".to_owned();
    Message { tone: Tone::Bad, text, link: None }
}

async fn render(
    superuser: &Superuser,
    user: User,
    which: &str,
    error: Option<FieldError>,
) -> Result<HttpResponse, PageError> {
    let app = &superuser.0.visit.app;
    let all = SecondFactors::new(app, &user, factors::overview(&superuser.0, &user).await?, superuser.0.reader());
    let meant = all.browsers.into_iter().filter(|browser| which == ALL || browser.id == which);
    let mut rows: Vec<_> = meant
        .map(|browser| Row::new(browser.name, 1, format!("Forgotten (last used {})", browser.used.relative)))
        .collect();
    if rows.is_empty() {
        superuser.0.say(gone())?;
        return Ok(see(&address_of(user.id)));
    }
    let (name, is_one) = (&user.username, which != ALL);
    rows.push(Row::new("Live sessions", None, "Not affected"));
    let question = Question {
        action: format!("browsers/{which}/forget/"),
        name: "Forget browsers",
        heading: if is_one {
            format!("Forget this browser of {name}?")
        } else {
            format!("Forget all browsers of {name}?")
        },
        warning: format!(
            "The next login of {name} {} asks for a second factor.",
            if is_one { "there" } else { "in any of them" }
        ),
        rows,
        buttons: if is_one {
            ["Forget browser", "Keep the browser"]
        } else {
            ["Forget all browsers", "Keep the browsers"]
        },
        is_dangerous: true,
    };
    question.show(superuser, user, error)
}
