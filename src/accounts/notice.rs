//! Security mail, which tells users about changes to their account. It is queued in the transaction of the change, if
//! `SECURITY_MAIL` is on and the user has an address. The texts are in `mail`.

use crate::app::{App, Tx};
use crate::db::DbError;
use crate::db::users::User;
use crate::journal::Actor;
use crate::journal::authentication::FactorKind;
use crate::mail::Outgoing;
use crate::mail::letter::{Letter, Occurrence};

/// The name, in mail, of somebody at the command line.
const OPERATOR: &str = "an operator";

/// Reports a changed password.
pub fn password_changed(tx: &mut Tx<'_>, user: &User, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    send(tx, user, &Letter::PasswordChanged { username: user.username.clone(), origin, changed_by })
}

/// Reports a changed address, to the old one, which `user` still has.
pub fn email_changed(tx: &mut Tx<'_>, user: &User, new_email: &str, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    let (username, new_email) = (user.username.clone(), new_email.to_owned());
    send(tx, user, &Letter::EmailChanged { username, new_email, origin, changed_by })
}

/// Reports an added second factor.
pub fn factor_added(tx: &mut Tx<'_>, user: &User, kind: FactorKind, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    let (username, factor) = (user.username.clone(), kind.phrase().to_owned());
    send(tx, user, &Letter::FactorAdded { username, factor, origin, changed_by })
}

/// Reports a removed second factor.
pub fn factor_removed(tx: &mut Tx<'_>, user: &User, kind: FactorKind, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    let (username, factor) = (user.username.clone(), kind.phrase().to_owned());
    send(tx, user, &Letter::FactorRemoved { username, factor, origin, changed_by })
}

/// Reports new recovery codes, which only their user can make.
pub fn recovery_codes_made(tx: &mut Tx<'_>, user: &User, by: &Actor) -> Result<(), DbError> {
    let (origin, _) = origin(tx.app, user, by);
    send(tx, user, &Letter::RecoveryCodes { username: user.username.clone(), origin })
}

fn send(tx: &mut Tx<'_>, user: &User, letter: &Letter) -> Result<(), DbError> {
    if !tx.app.config.mail.security_mail || user.email.is_empty() {
        return Ok(());
    }
    let mail = Outgoing { to: &user.email, user: Some(user.id), letter, secret: None, give_up_at: None };
    tx.send(&mail)
}

/// When and from where the user made the change; where it was somebody else, who that was instead.
fn origin(app: &App, user: &User, by: &Actor) -> (Occurrence, Option<String>) {
    let at = app.now().timestamp();
    if by.user_id == Some(user.id) {
        return (Occurrence { at, ip: by.ip.clone() }, None);
    }
    let name = if by.user_id.is_some() { by.name.clone() } else { OPERATOR.to_owned() };
    (Occurrence { at, ip: None }, Some(name))
}
