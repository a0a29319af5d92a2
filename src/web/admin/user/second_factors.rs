//! `/admin/auth/user/ID/second_factors/…`: removes a second factor that a user lost, and decides whether a user must have one.
//! Superusers remove their own under `/account/`, which asks for a factor.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::super::access::Superuser;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::layout::see;
use super::factors::{self, SecondFactors};
use super::question::{Fields, Question, Row};
use super::{about, address_of, find, missing};
use crate::accounts::manage::ManageError;
use crate::accounts::user::FieldError;
use crate::app::App;
use crate::config::Required;
use crate::db::types::RowId;
use crate::db::types::UserId;
use crate::db::users::User;
use crate::factors::remove;
use crate::web::account::FACTORS;

const NOT_AFFECTED: &str = "Not affected";

/// `GET user/ID/second_factors/FACTOR/remove/`: asks first.
pub async fn ask_remove(
    superuser: Superuser,
    path: Path<(UserId, i64)>,
    app: Data<App>,
) -> Result<HttpResponse, PageError> {
    let (id, factor) = *path;
    if superuser.0.user.id == id {
        return Ok(see(FACTORS));
    }
    removal(&superuser, find(&app, id).await?, factor, None).await
}

/// `POST user/ID/second_factors/FACTOR/remove/`
pub async fn remove(
    superuser: Superuser,
    path: Path<(UserId, i64)>,
    app: Data<App>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let (id, factor) = *path;
    if superuser.0.user.id == id {
        return Ok(see(FACTORS));
    }
    let user = find(&app, id).await?;
    let by = match superuser.confirm(fields.own_password).await? {
        Ok(by) => by,
        Err(error) => return removal(&superuser, user, factor, Some(error)).await,
    };
    if !remove::remove_of(&app, &by, user.id, RowId(factor)).await.map_err(|error| refused(error, id))? {
        return Err(no_such_factor(factor));
    }
    superuser.0.say(about(format!("A second factor of {} was removed.", user.username), user.id))?;
    Ok(see(&address_of(id)))
}

async fn removal(
    superuser: &Superuser,
    user: User,
    factor: i64,
    error: Option<FieldError>,
) -> Result<HttpResponse, PageError> {
    let app = &superuser.0.visit.app;
    let all = SecondFactors::new(app, &user, factors::overview(&superuser.0, &user).await?, superuser.0.reader());
    let found = all.factors.iter().find(|row| row.id == factor).ok_or_else(|| no_such_factor(factor))?;
    let others = all.factors.len() - 1;
    let codes =
        if others == 0 { "Deleted with the last second factor" } else { "Deleted, because they may be lost too" };
    let next = match (others, all.is_required) {
        (0, true) => "Asks to set up a new one",
        (0, false) => "Needs only the password",
        _ => "Asks for one of the others",
    };
    let notice = app.config.mail.security_mail && !user.email.is_empty();
    let notice = if notice { "gets a mail about it" } else { "gets no mail about it" };
    let question = Question {
        action: format!("second_factors/{factor}/remove/"),
        name: "Remove a second factor",
        heading: format!("Remove “{}” of {}?", found.name, user.username),
        warning: format!(
            "This can’t be undone. {} {notice}. Make sure that the request really came from them.",
            user.username
        ),
        rows: vec![
            Row::new(format!("“{}”", found.name), 1, "Removed"),
            Row::new("Recovery codes", all.recovery_codes, codes),
            Row::new("Browsers", all.browsers.len(), "No longer remembered"),
            Row::new("Next login", None, next),
            Row::new("Live sessions", None, NOT_AFFECTED),
        ],
        buttons: ["Remove second factor", "Keep the second factor"],
        is_dangerous: true,
    };
    question.show(superuser, user, error)
}

/// `GET user/ID/second_factors/require/` and `…/unrequire/`: asks first.
pub async fn ask_require(
    superuser: Superuser,
    path: Path<(UserId, String)>,
    app: Data<App>,
) -> Result<HttpResponse, PageError> {
    let (id, word) = path.into_inner();
    requirement(&superuser, find(&app, id).await?, is_required(&word)?, None).await
}

/// `POST user/ID/second_factors/require/` and `…/unrequire/`
pub async fn require(
    superuser: Superuser,
    path: Path<(UserId, String)>,
    app: Data<App>,
    CsrfForm(fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let (id, word) = path.into_inner();
    let (is_required, user) = (is_required(&word)?, find(&app, id).await?);
    let by = match superuser.confirm(fields.own_password).await? {
        Ok(by) => by,
        Err(error) => return requirement(&superuser, user, is_required, Some(error)).await,
    };
    remove::require(&app, &by, user.id, is_required).await.map_err(|error| refused(error, id))?;
    let text = if is_required {
        format!("{} now needs a second factor at the next login.", user.username)
    } else {
        format!("The second factor requirement for {} was removed.", user.username)
    };
    superuser.0.say(about(text, user.id))?;
    Ok(see(&address_of(id)))
}

fn is_required(word: &str) -> Result<bool, PageError> {
    match word {
        "require" => Ok(true),
        "unrequire" => Ok(false),
        _ => Err(PageError::NoSuchPage),
    }
}

async fn requirement(
    superuser: &Superuser,
    user: User,
    is_required: bool,
    error: Option<FieldError>,
) -> Result<HttpResponse, PageError> {
    let app = &superuser.0.visit.app;
    let all = SecondFactors::new(app, &user, factors::overview(&superuser.0, &user).await?, superuser.0.reader());
    let (name, has) = (&user.username, all.factors.len());
    let question = if is_required {
        let (warning, next) = if has == 0 {
            (
                format!("{name} has none and must set one up at the next login."),
                "Asks for the password, then to set up a second factor",
            )
        } else {
            (format!("{name} already has one. This only matters once it is removed."), "Not affected")
        };
        Question {
            action: "second_factors/require/".to_owned(),
            name: "Require a second factor",
            heading: format!("Require a second factor of {name}?"),
            warning,
            rows: vec![
                Row::new("Second factors", has, if has == 0 { "None yet" } else { "Kept" }),
                Row::new("Next login", None, next),
                Row::new("Live sessions", None, NOT_AFFECTED),
            ],
            buttons: ["Require a second factor", "Leave it as it is"],
            is_dangerous: false,
        }
    } else {
        Question {
            action: "second_factors/unrequire/".to_owned(),
            name: "Require no second factor",
            heading: format!("No longer require a second factor of {name}?"),
            warning: match app.config.second_factor.required {
                Required::Everybody => "SECOND_FACTOR still requires one of everybody.".to_owned(),
                Required::Staff if user.is_staff || user.is_superuser => {
                    "SECOND_FACTOR still requires one of staff.".to_owned()
                }
                _ => format!("Without a second factor, {name} can log in with the password alone."),
            },
            rows: vec![Row::new(
                "Second factors",
                has,
                if has == 0 { "None needs to be set up" } else { "Kept and still asked for" },
            )],
            buttons: ["Require no second factor", "Leave it as it is"],
            is_dangerous: false,
        }
    };
    question.show(superuser, user, error)
}

fn no_such_factor(id: i64) -> PageError {
    PageError::NoSuchRow("second factor", id.to_string())
}

/// These forms have no fields that could show an error.
pub fn refused(error: ManageError, id: UserId) -> PageError {
    match error {
        ManageError::NoSuchUser => missing(id),
        ManageError::Busy => PageError::Busy,
        ManageError::Db(error) => error.into(),
        _ => PageError::Other("a refusal that this change cannot cause"),
    }
}
