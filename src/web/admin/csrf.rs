//! Protection against forged forms. Handlers get a form's fields only through `CsrfForm`, so an unchecked form does not
//! compile. It checks the origin that the browser reports, and a token: an HMAC over the session's key or, before a
//! login, over a random cookie.

use std::pin::Pin;

use actix_web::web::{Payload, Query};
use actix_web::{FromRequest, HttpRequest, dev};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::access;
use super::error::PageError;
use super::session::Visit;
use crate::crypto::digest;
use crate::crypto::keyed;
use crate::web::api::body;
use crate::web::origin::is_same_origin;

/// The fields of a form that was sent from one of our pages.
pub struct CsrfForm<T>(pub T);

/// A form without fields.
#[derive(Deserialize)]
pub struct NoFields {}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf_token: String,
}

/// The value of the hidden field `csrf_token`.
pub fn token(visit: &Visit) -> String {
    keyed::mac(&visit.app.config.secret_key, "latchkey csrf", &[&visit.binding()]).hex()
}

impl<T: DeserializeOwned + 'static> FromRequest for CsrfForm<T> {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let payload = Payload::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let visit = access::visit(&request)?;
            if !is_same_origin(request.headers(), &visit.app.config.server.public_url) {
                return Err(PageError::Csrf);
            }
            // Under the API's limits of size and time, because the sender may not be logged in.
            let mut payload = payload.await.map_err(|_| PageError::BadForm)?;
            let body = body::read(&mut payload).await.map_err(|_| PageError::BadForm)?;
            // The session or the rights may have ended during a slow upload.
            visit.look_again().await?;
            let body = std::str::from_utf8(&body).map_err(|_| PageError::BadForm)?;
            let given = Query::<Token>::from_query(body).map_err(|_| PageError::BadForm)?;
            if !digest::equal(given.csrf_token.as_bytes(), token(&visit).as_bytes()) {
                return Err(PageError::Csrf);
            }
            let form = Query::<T>::from_query(body).map_err(|_| PageError::BadForm)?;
            Ok(Self(form.into_inner()))
        })
    }
}
