//! `/admin/account/password/`: changes the user's own password. It always asks for the current one. This session stays, all
//! others end.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::super::access::Staff;
use super::super::address::ACCOUNT;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::form::{Errors, Input};
use super::super::layout::{Message, Tone, see};
use super::super::user::password::{self, Typed};
use super::super::user::refusal;
use super::render;
use crate::accounts::change;
use crate::accounts::change::OwnPassword;
use crate::accounts::endings::Kept;
use crate::accounts::manage::ManageError;

const OLD: &str = "old_password";

/// The labels for the summary of errors.
pub const LABELS: [(&str, &str); 3] =
    [(OLD, "Current password"), ("password1", "New password"), ("password2", "New password (again)")];

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    #[serde(default)]
    old_password: String,
    #[serde(flatten)]
    typed: Typed,
}

/// The three fields, always empty.
pub fn inputs(errors: &Errors) -> [Input; 3] {
    let [mut first, mut second] = password::inputs(errors);
    (first.label, second.label) = (LABELS[1].1, LABELS[2].1);
    let old = Input {
        name: OLD,
        label: LABELS[0].1,
        kind: "password",
        autocomplete: "current-password",
        is_required: true,
        error: errors.of(OLD),
        ..Input::default()
    };
    [old, first, second]
}

/// `POST account/password/`
pub async fn set(staff: Staff, CsrfForm(mut fields): CsrfForm<Fields>) -> Result<HttpResponse, PageError> {
    let password = match fields.typed.read_required() {
        Ok(password) => password,
        Err(errors) => return render(&staff, &errors).await,
    };
    let by = match staff.confirm_anew(OLD, fields.old_password).await? {
        Ok(by) => by,
        Err(error) => return render(&staff, &Errors::new(vec![error])).await,
    };
    let (visit, user) = (&staff.visit, &staff.user);
    let key = visit.key().ok_or(PageError::Other("a user without a session"))?;
    let new = OwnPassword { password, kept: Kept::panel_session(&key) };
    match change::set_own_password(&visit.app, &by, user, new).await {
        Ok(changed) => visit.refresh(changed),
        // It was changed elsewhere meanwhile, which ended this session too.
        Err(ManageError::Stale) => return Err(PageError::LoginRequired(ACCOUNT.to_owned())),
        Err(error) => return render(&staff, &refusal(error, user.id)?).await,
    }
    let text = "Your password was changed. All your other sessions ended.".to_owned();
    staff.say(Message { tone: Tone::Good, text, link: None })?;
    Ok(see(ACCOUNT))
}
