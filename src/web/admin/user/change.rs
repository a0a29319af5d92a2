//! `/admin/auth/user/ID/change/`: the page of one user. Superusers can edit it, other staff can read it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use serde::Deserialize;

use super::super::access::{Staff, Superuser};
use super::super::confirm::OwnPassword;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::form::Errors;
use super::super::layout::{Layout, Place, page, see};
use super::super::status::{self, Badge};
use super::super::words::{When, amount, commas};
use super::profile_form::{self, LABELS, ProfileForm};
use super::sections::{self, Sections};
use super::{about, address_of, full_name, refusal};
use crate::accounts::change;
use crate::accounts::change::Edit;
use crate::accounts::manage::ManageError;
use crate::app::App;
use crate::config::UserField;
use crate::db::types::{EncodedPassword, UserId};
use crate::db::users::User;
use crate::db::users::profile::Profile;

#[derive(Template)]
#[template(path = "admin/auth/user/change_form.html")]
struct Detail {
    layout: Layout,
    name: String,
    badges: Vec<Badge>,
    is_own: bool,
    may_log_in: String,
    password: String,
    last_login: Option<When>,
    joined: Option<When>,
    /// Whether the user table records the last login.
    has_last_login: bool,
    /// For superusers.
    form: Option<ProfileForm>,
    errors: Vec<(String, &'static str, String)>,
    is_stale: bool,
    as_read: String,
    own_password: OwnPassword,
    sections: Sections,
    user: User,
}

impl Detail {
    /// The user whose factors can be removed here. Users remove their own under `/account/`, which asks for a factor.
    fn removes(&self) -> Option<UserId> {
        (self.layout.is_superuser && !self.is_own).then_some(self.user.id)
    }
}

/// A refused form, to be shown again.
struct RefusedForm {
    typed: Profile,
    errors: Errors,
    /// The fingerprint of the user that the form was made from; `None` if the user has changed since.
    as_read: Option<String>,
}

/// `GET user/ID/change/`
pub async fn show(staff: Staff, path: Path<UserId>, app: Data<App>) -> Result<HttpResponse, PageError> {
    render(&staff, &app, *path, None).await
}

/// The fields of the form.
#[derive(Deserialize)]
pub struct Fields {
    /// The fingerprint of the user that the form was made from.
    #[serde(default)]
    as_read: String,
    #[serde(flatten)]
    profile: profile_form::Fields,
}

/// `POST user/ID/change/`
pub async fn save(
    superuser: Superuser,
    path: Path<UserId>,
    app: Data<App>,
    CsrfForm(mut fields): CsrfForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let (id, typed) = (*path, fields.profile.profile());
    let by = match superuser.confirm(std::mem::take(&mut fields.profile.own_password)).await? {
        Ok(by) => by,
        Err(error) => {
            let refused = RefusedForm { typed, errors: Errors::new(vec![error]), as_read: Some(fields.as_read) };
            return render(&superuser.0, &app, id, Some(refused)).await;
        }
    };
    let edit = Edit { of: fields.as_read.clone(), new: typed.clone() };
    match change::update(&app, &by, id, edit).await {
        Ok(is_changed) => {
            let what = if is_changed { "was changed." } else { "was not changed." };
            superuser.0.say(about(format!("The user “{}” {what}", typed.username), id))?;
            Ok(see(&fields.profile.next(id)))
        }
        Err(ManageError::Stale) => {
            let refused = RefusedForm { typed, errors: Errors::default(), as_read: None };
            render(&superuser.0, &app, id, Some(refused)).await
        }
        Err(error) => {
            let refused = RefusedForm { typed, errors: refusal(error, id)?, as_read: Some(fields.as_read) };
            render(&superuser.0, &app, id, Some(refused)).await
        }
    }
}

async fn render(staff: &Staff, app: &App, id: UserId, refused: Option<RefusedForm>) -> Result<HttpResponse, PageError> {
    let (user, sections) = sections::read(staff, app, id).await?;
    let (reader, saved) = (staff.reader(), Profile::from(&user));
    let (is_sent, now) = (refused.is_some(), change::fingerprint(&saved));
    let refused = refused.unwrap_or_else(|| RefusedForm {
        typed: saved.clone(),
        errors: Errors::default(),
        as_read: Some(now.clone()),
    });
    let is_stale = refused.as_read.is_none();
    let meanwhile = is_stale.then_some(&saved);
    let form = || ProfileForm::new(&app.users, &refused.typed, &refused.errors, meanwhile);
    let mut badges = status::rights(user.is_active, user.is_staff, user.is_superuser);
    if user.is_active {
        badges.insert(0, status::ACTIVE);
    }
    let mut layout = staff.layout(Place::Users(false));
    if is_sent {
        layout.here = address_of(id);
    }
    page(&Detail {
        form: staff.user.is_superuser.then(form),
        errors: refused.errors.summary(&LABELS),
        is_stale,
        as_read: refused.as_read.unwrap_or(now),
        own_password: staff.own_password(refused.errors.of("own_password")),
        name: full_name(&user.first_name, &user.last_name),
        badges,
        is_own: staff.user.id == user.id,
        may_log_in: may_log_in(app, &user),
        password: password(&user.password),
        last_login: user.last_login.map(|at| When::new(at, reader)),
        has_last_login: app.users.has(UserField::LastLogin),
        joined: user.date_joined.map(|at| When::new(at, reader)),
        layout,
        sections,
        user,
    })
}

fn may_log_in(app: &App, user: &User) -> String {
    let panel = if app.may_open_panel(user) { "and may view this panel" } else { "but not to this panel" };
    match (user.is_active, user.is_superuser) {
        (false, _) => "No, the account is inactive".to_owned(),
        (true, true) => "Yes, and may make changes in this panel".to_owned(),
        (true, false) => format!("Yes, {panel}"),
    }
}

/// How a password is stored, without its hash and salt.
fn password(encoded: &EncodedPassword) -> String {
    let parts: Vec<&str> = encoded.0.split('$').collect();
    let number = |at: usize| parts.get(at).and_then(|part| part.parse::<i64>().ok());
    match (parts[0], parts.len()) {
        (scheme @ ("pbkdf2_sha256" | "pbkdf2_sha1"), 4) => match number(1) {
            Some(iterations) => format!("{scheme}, {}", amount(iterations, "iteration")),
            None => scheme.to_owned(),
        },
        (scheme @ ("bcrypt_sha256" | "bcrypt"), 5) => match number(3) {
            Some(rounds) => format!("{scheme}, {}", amount(rounds, "round")),
            None => scheme.to_owned(),
        },
        ("argon2", 6) => format!("argon2, {}", parts[1]),
        ("scrypt", 6) => match number(1) {
            Some(factor) => format!("scrypt, work factor {}", commas(factor)),
            None => "scrypt".to_owned(),
        },
        _ if encoded.0.starts_with('!') => "None; nobody can log in with a password until one is set".to_owned(),
        _ => "Stored in an unsupported format; no password matches it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_described_without_its_hash() {
        let describe = |encoded: &str| password(&EncodedPassword(encoded.to_owned()));
        for (encoded, words) in [
            ("pbkdf2_sha256$1000000$SALT$HASH", "pbkdf2_sha256, 1,000,000 iterations"),
            ("bcrypt_sha256$$2b$12$SALTHASH", "bcrypt_sha256, 12 rounds"),
            ("argon2$argon2id$v=19$m=102400,t=2,p=8$SALT$HASH", "argon2, argon2id"),
            ("scrypt$16384$SALT$8$5$HASH", "scrypt, work factor 16,384"),
            ("!SALT", "None; nobody can log in with a password until one is set"),
            ("", "Stored in an unsupported format; no password matches it"),
            ("md5$SALT$HASH", "Stored in an unsupported format; no password matches it"),
            ("pbkdf2_sha256$x$SALT$HASH", "pbkdf2_sha256"),
        ] {
            let described = describe(encoded);
            assert_eq!(described, words);
            assert!(!described.contains("SALT") && !described.contains("HASH"));
        }
    }
}
