//! Sliding tokens: one token that authenticates and can be refreshed until its `refresh_exp`.

use super::claims::{self, Kind};
use super::login::{self, ObtainError, Password};
use super::obtain::signed;
use super::presented::{Presented, RefreshError};
use super::renew::{self, Admitted};
use crate::app::App;
use crate::crypto::jwt;
use crate::factors::challenge::LoginTarget;
use crate::journal::Client;
use crate::sessions;

/// Checks the credentials, starts a session, and issues and records a sliding token.
pub async fn obtain(app: &App, password: Password, client: Client) -> Result<String, ObtainError> {
    let issued = login::with_password(app, password, client, LoginTarget::SlidingToken).await?;
    Ok(jwt::sign(&app.keys, &issued.unsigned))
}

/// Returns the same token with a later `exp`: its id and `refresh_exp` stay.
pub async fn refresh(app: &App, token: &str, client: Client) -> Result<String, RefreshError> {
    let presented = Presented { claims: claims::decode(app, token).await?, retry_key: None, client };
    let Admitted { mut claims, user, session } = renew::admit(app, presented, Kind::Sliding).await?;
    claims::set_extra(app, &mut claims, &user, true);
    claims::set_times(app, &mut claims, Kind::Sliding, app.now());
    sessions::cap(app, &mut claims, session.as_ref());
    claims::finish(app, &mut claims);
    Ok(signed(app, &claims))
}
