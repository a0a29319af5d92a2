//! Mail that tells users what was done to their account: queued in the transaction that does it, if `SECURITY_MAIL` is on
//! and there is an address. What it says is in `mail`.

use crate::app::{App, Tx};
use crate::db::DbError;
use crate::db::users::User;
use crate::journal::Actor;
use crate::journal::authentication::FactorKind;
use crate::mail::Outgoing;
use crate::mail::letter::{Letter, Occurrence};

/// What whoever sits at the command line is called in a mail.
const OPERATOR: &str = "an operator";

/// The password was changed.
pub fn password_changed(tx: &mut Tx<'_>, user: &User, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    send(tx, user, &Letter::PasswordChanged { username: user.username.clone(), origin, changed_by })
}

/// The address was changed: to the one that it was, which `user` still has.
pub fn email_changed(tx: &mut Tx<'_>, user: &User, new_email: &str, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    let (username, new_email) = (user.username.clone(), new_email.to_owned());
    send(tx, user, &Letter::EmailChanged { username, new_email, origin, changed_by })
}

/// A second factor was added.
pub fn factor_added(tx: &mut Tx<'_>, user: &User, kind: FactorKind, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    let (username, factor) = (user.username.clone(), kind.phrase().to_owned());
    send(tx, user, &Letter::FactorAdded { username, factor, origin, changed_by })
}

/// A second factor was removed.
pub fn factor_removed(tx: &mut Tx<'_>, user: &User, kind: FactorKind, by: &Actor) -> Result<(), DbError> {
    let (origin, changed_by) = origin(tx.app, user, by);
    let (username, factor) = (user.username.clone(), kind.phrase().to_owned());
    send(tx, user, &Letter::FactorRemoved { username, factor, origin, changed_by })
}

/// New recovery codes were made, by the user.
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

/// When, and from where; of somebody else's doing who it was instead.
fn origin(app: &App, user: &User, by: &Actor) -> (Occurrence, Option<String>) {
    let at = app.now().timestamp();
    if by.user_id == Some(user.id) {
        return (Occurrence { at, ip: by.ip.clone() }, None);
    }
    let name = if by.user_id.is_some() { by.name.clone() } else { OPERATOR.to_owned() };
    (Occurrence { at, ip: None }, Some(name))
}
