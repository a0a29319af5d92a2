//! Sliding tokens: one token that authenticates and can be refreshed until its `refresh_exp`.

use std::sync::Arc;

use super::claims::{self, Kind};
use super::obtain::{issue, signed};
use super::record;
use super::refresh::{RefreshError, check, find_user};
use crate::accounts::login::{Credentials, LoginError};
use crate::app::App;
use crate::crypto::jwt;

/// Checks the credentials and issues a sliding token; it is recorded.
pub async fn obtain(app: &Arc<App>, credentials: Credentials) -> Result<String, LoginError> {
    let unsigned = issue(app, credentials, |app, conn, user, uuid, now| {
        let mut claims = claims::new(app, Kind::Sliding, now);
        claims::set_user(app, &mut claims, user, uuid);
        claims::finish(app, &mut claims);
        record::outstand(app, conn, &claims, user.id, None)
    });
    Ok(jwt::sign(&app.keys, &unsigned.await?))
}

/// The same token with a later `exp`: its id and `refresh_exp` stay.
pub async fn refresh(app: &Arc<App>, token: &str) -> Result<String, RefreshError> {
    let presented = claims::decode(app, token).await?;
    let shared = Arc::clone(app);
    let claims = app.db.read(move |conn| {
        let app = &*shared;
        let user = find_user(app, conn, &presented, None)?;
        // Its own time is checked before its user, as in SimpleJWT's next version.
        let checked = check(app, conn, &presented, user, Kind::Sliding);
        if !matches!(checked, Err(RefreshError::Token(_))) {
            claims::check_time(app, &presented, &app.config.jwt.sliding_token_refresh_exp_claim)?;
        }
        let (_, user) = checked?;
        let mut claims = presented.clone();
        claims::set_extra(app, &mut claims, &user, true);
        claims::set_times(app, &mut claims, Kind::Sliding, app.now());
        claims::finish(app, &mut claims);
        Ok::<_, RefreshError>(claims)
    });
    Ok(signed(app, &claims.await?))
}
