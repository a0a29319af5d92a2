//! Possible next requests, as buttons: with a token, with a login that waits for a second factor, with a list. They are
//! forms, so that no token ever appears in an address. A step that needs more input sends OPTIONS, which only opens its
//! form, filled in as far as possible.

use serde_json::Value;

use crate::app::App;
use crate::config::TokenClass;
use crate::journal::authentication::{FactorKind, Method};

use super::super::endpoint::address_of;
use super::super::logout::Logout;
use super::super::me::Me;
use super::super::second_factor::enrol::{Confirm, Factors};
use super::super::second_factor::login::{Email, Finish};
use super::super::{View, sessions, sliding, token};
use super::page_request::{ACCESS_TOKEN, METHOD, PageRequest};

/// A button that sends a form to another endpoint.
pub struct NextStep {
    /// The text.
    pub verb: String,
    /// The address of the endpoint.
    pub endpoint: String,
    /// The fields that it sends.
    pub fields: Vec<(&'static str, String)>,
}

impl NextStep {
    /// Sends these fields to a view.
    fn to<V: View>(verb: &str, fields: &[(&'static str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { verb: verb.to_owned(), endpoint: address_of::<V>(), fields }
    }

    /// Opens the form of a view with these fields filled in.
    fn open<V: View>(verb: &str, fields: &[(&'static str, &str)]) -> Self {
        Self::to::<V>(verb, &[fields, &[(METHOD, "OPTIONS")]].concat())
    }
}

/// The next requests that an answer leads to.
pub fn of_answer(request: &PageRequest, answer: &Value) -> Vec<NextStep> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    match (text("code"), text("challenge")) {
        (Some("second_factor_required"), Some(challenge)) => {
            let offered = answer.get("methods").and_then(Value::as_array).into_iter().flatten();
            let methods = offered.filter_map(|name| Method::of(name.as_str()?));
            return methods.filter_map(|method| of_method(method, challenge)).collect();
        }
        (Some("second_factor_enrolment_required"), Some(challenge)) => {
            let add = |verb, kind| NextStep::to::<Factors>(verb, &[("kind", kind), ("challenge", challenge)]);
            return vec![add("Add an app", "totp"), add("Add codes by email", "email")];
        }
        _ => {}
    }
    if let Some(enrolment) = text("enrolment") {
        let mut fields = vec![("enrolment", enrolment)];
        fields.extend(request.token("challenge").map(|challenge| ("challenge", challenge)));
        return vec![NextStep::open::<Confirm>("Confirm it", &fields)];
    }
    let is_mailed = request.frame.is_about::<Email>();
    if let (true, None, Some(challenge)) = (is_mailed, text("code"), request.token("challenge")) {
        let fields = [("challenge", challenge), ("method", "email")];
        return vec![NextStep::open::<Finish>("Type the code in", &fields)];
    }
    of_sessions(request, answer)
}

/// The next request for a method. A passkey has none, because it needs a script.
fn of_method(method: Method, challenge: &str) -> Option<NextStep> {
    let open = |verb| NextStep::open::<Finish>(verb, &[("challenge", challenge), ("method", method.name())]);
    match method {
        Method::Factor(FactorKind::Email) => Some(NextStep::to::<Email>("Mail a code", &[("challenge", challenge)])),
        Method::Factor(FactorKind::Totp) => Some(open("Use an app's code")),
        Method::Factor(FactorKind::Passkey) => None,
        Method::Recovery => Some(open("Use a recovery code")),
    }
}

/// The next requests with a token of this type. `access` is the access token that came with it.
pub fn of_token(app: &App, token_type: &str, token: &str, access: Option<&str>) -> Vec<NextStep> {
    let classes = &app.config.jwt.auth_token_classes;
    let mut steps = Vec::new();
    match token_type {
        "refresh" => steps.push(NextStep::to::<token::Refresh>("Refresh with it", &[("refresh", token)])),
        "sliding" => steps.push(NextStep::to::<sliding::Refresh>("Refresh it", &[("token", token)])),
        _ => {}
    }
    let authenticates = match token_type {
        "access" => classes.contains(&TokenClass::Access),
        "sliding" => classes.contains(&TokenClass::Sliding),
        _ => false,
    };
    if authenticates {
        let fields = [(ACCESS_TOKEN, token), (METHOD, "GET")];
        steps.push(NextStep::to::<Me>("Who am I", &fields));
        steps.push(NextStep::to::<sessions::List>("My sessions", &fields));
    }
    steps.push(NextStep::to::<token::Verify>("Verify it", &[("token", token)]));
    if token_type == "refresh" {
        steps.push(NextStep::to::<token::Blacklist>("Blacklist it", &[("refresh", token)]));
    }
    if let ("refresh", Some(access)) = (token_type, access) {
        steps.push(NextStep::to::<Logout>("Log out", &[("refresh_token", token), (ACCESS_TOKEN, access)]));
    }
    steps
}

/// A link to each session of a list, with the token that the list was requested with.
fn of_sessions(request: &PageRequest, list: &Value) -> Vec<NextStep> {
    let is_list = request.frame.is_about::<sessions::List>();
    let (true, Some(token), Some(list)) = (is_list, request.token(ACCESS_TOKEN), list.as_array()) else {
        return Vec::new();
    };
    let step = |session: &Value| {
        let text = |name: &str| session.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text("label").or_else(|| text("device"))?;
        let since = text("created_at")?.get(..16)?.replace('T', " ");
        let here = if session["current"] == true { "This one: " } else { "" };
        Some(NextStep {
            verb: format!("{here}{name}, {since}"),
            endpoint: address_of::<sessions::One>().replace("{id}", text("id")?),
            fields: vec![(ACCESS_TOKEN, token.to_owned()), (METHOD, "GET".to_owned())],
        })
    };
    list.iter().filter_map(step).collect()
}
