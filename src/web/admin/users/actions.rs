//! Actions for selected users of the list: asks first, then changes one user after the other.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use strum::{EnumString, IntoStaticStr};

use crate::accounts::change;
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::ManageError;
use crate::accounts::user::FieldError;
use crate::app::App;
use crate::config::UserField;
use crate::db::DbError;
use crate::db::types::UserId;
use crate::db::user_table::UserTable;
use crate::db::users::User;
use crate::tokens::revoke;
use crate::web::admin::access::{Staff, Superuser};
use crate::web::admin::address::USERS;
use crate::web::admin::changelist::action::Chosen;
use crate::web::admin::confirm::OwnPassword;
use crate::web::admin::csrf::CsrfForm;
use crate::web::admin::error::PageError;
use crate::web::admin::layout::{Layout, Message, Place, Tone, page, see};
use crate::web::words::{amount, length};

/// The actions for selected users.
const ACTIONS: [(&str, &str); 3] = [
    ("log_out", "Log out selected users everywhere"),
    ("deactivate", "Deactivate selected users"),
    ("activate", "Activate selected users"),
];

/// Those that the user table allows.
pub fn of(users: &UserTable) -> &'static [(&'static str, &'static str)] {
    if users.has(UserField::IsActive) { &ACTIONS } else { &ACTIONS[..1] }
}

/// One of them; its word is the value in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum Action {
    LogOut,
    Deactivate,
    Activate,
}

impl Action {
    fn verb(self) -> &'static str {
        match self {
            Self::LogOut => "Log out",
            Self::Deactivate => "Deactivate",
            Self::Activate => "Activate",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::LogOut => "logged out everywhere",
            Self::Deactivate => "deactivated",
            Self::Activate => "activated",
        }
    }

    fn happens(self) -> &'static str {
        match self {
            Self::LogOut => "Sessions end, tokens are blacklisted",
            Self::Deactivate => "Can no longer log in; sessions end",
            Self::Activate => "Can log in again",
        }
    }

    /// Whether it changes nothing for this user.
    fn is_idle(self, user: &User) -> bool {
        match self {
            Self::LogOut => false,
            Self::Deactivate => !user.is_active,
            Self::Activate => user.is_active,
        }
    }
}

#[derive(Template)]
#[template(path = "admin/auth/user/selected_confirmation.html")]
struct Question {
    layout: Layout,
    action: &'static str,
    verb: &'static str,
    happens: &'static str,
    /// The users that it changes: id and username.
    users: Vec<(UserId, String)>,
    /// How many these are, in words.
    count: String,
    idle: usize,
    access_lifetime: String,
    own_password: OwnPassword,
}

/// `POST user/action/`: asks, or runs the action.
pub async fn act(
    superuser: Superuser,
    app: Data<App>,
    form: CsrfForm<Vec<(String, String)>>,
) -> Result<HttpResponse, PageError> {
    let chosen = Chosen::from(form);
    let ids: Vec<UserId> = chosen
        .selected
        .iter()
        .filter_map(|key| app.users.parse_key(key))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let found = app.read(move |tx| tx.app.users.list_by_id(tx.conn, &ids)).await?;
    let Some(action) = chosen.action.parse().ok().filter(|_: &Action| !found.is_empty()) else {
        let text = "Select one or more users first. Nothing was changed.".to_owned();
        superuser.0.say(Message { tone: Tone::Bad, text, link: None })?;
        return Ok(see(USERS));
    };
    if !chosen.is_confirmed {
        return ask(&superuser, action, found, None);
    }
    let by = match superuser.confirm(chosen.password.unwrap_or_default()).await? {
        Ok(by) => by,
        Err(error) => return ask(&superuser, action, found, Some(error)),
    };
    let (mut done, mut refused) = (0, Vec::new());
    for user in found.into_iter().filter(|user| !action.is_idle(user)) {
        match one(&app, &by, action, user.id).await {
            // The user was deleted meanwhile.
            Ok(()) | Err(ManageError::NoSuchUser) => done += 1,
            Err(ManageError::Protected(error)) => refused.push(format!("{}: {}", user.username, error.message)),
            Err(ManageError::Fields(errors)) => {
                refused.extend(errors.into_iter().map(|error| format!("{}: {}", user.username, error.message)));
            }
            Err(ManageError::Busy) => return Err(PageError::Busy),
            Err(ManageError::Db(error)) => return Err(error.into()),
            Err(error @ (ManageError::Stale | ManageError::Referenced | ManageError::NoCreation(_))) => {
                refused.push(format!("{}: {error}", user.username));
            }
        }
    }
    say(&superuser, action, done, refused)?;
    Ok(see(USERS))
}

async fn one(app: &Data<App>, by: &Confirmed, action: Action, id: UserId) -> Result<(), ManageError> {
    match action {
        Action::LogOut => {
            revoke::blacklist_all_of(app, by.actor(), id).await.map(drop).map_err(|error: DbError| error.into())
        }
        Action::Deactivate => change::set_active(app, by, id, false).await,
        Action::Activate => change::set_active(app, by, id, true).await,
    }
}

fn say(superuser: &Superuser, action: Action, done: i64, refused: Vec<String>) -> Result<(), PageError> {
    if done > 0 || refused.is_empty() {
        let were = if done == 1 { "was" } else { "were" };
        let text = match done {
            0 => "There was nothing to change for these users.".to_owned(),
            _ => format!("{} {were} {}.", amount(done, "user"), action.done()),
        };
        superuser.0.say(Message { tone: Tone::Good, text, link: None })?;
    }
    for text in refused {
        superuser.0.say(Message { tone: Tone::Bad, text, link: None })?;
    }
    Ok(())
}

fn ask(
    superuser: &Superuser,
    action: Action,
    found: Vec<User>,
    error: Option<FieldError>,
) -> Result<HttpResponse, PageError> {
    let (idle, users): (Vec<_>, Vec<_>) = found.into_iter().partition(|user| action.is_idle(user));
    page(&Question {
        layout: superuser.0.layout(Place::Users(false)),
        action: action.into(),
        verb: action.verb(),
        happens: action.happens(),
        count: amount(i64::try_from(users.len()).unwrap_or(i64::MAX), "user"),
        users: users.into_iter().map(|user| (user.id, user.username)).collect(),
        idle: idle.len(),
        access_lifetime: length(superuser.0.visit.app.config.jwt.access_token_lifetime.as_secs()),
        own_password: superuser.0.own_password(error.map(|error| error.message)),
    })
}

/// `GET user/action/`: a reload of the question.
pub async fn bare(_: Staff) -> HttpResponse {
    see(USERS)
}
