//! What one would do next, as buttons: with a token, with a login that waits for a second factor, with a list. They are
//! forms, so that no token ever stands in an address. What still needs typing is opened by OPTIONS: its form is filled as
//! far as it can be, and nothing is tried yet.

use serde_json::Value;

use crate::app::App;
use crate::config::TokenClass;
use crate::journal::authentication::{FactorKind, Method};

use super::form::{ACCESS_TOKEN, METHOD, Sent};
use super::frame::{
    BLACKLIST, CONFIRM, FACTOR, FACTORS, Frame, LOGOUT, MAIL, ME, REFRESH, SESSIONS, SLIDING_REFRESH, VERIFY,
};

/// A button that sends something on.
pub struct Step {
    /// What it says.
    pub verb: String,
    /// Where it leads.
    pub endpoint: String,
    /// What it sends.
    pub fields: Vec<(&'static str, String)>,
}

impl Step {
    fn new(verb: &str, endpoint: &str, fields: &[(&'static str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { verb: verb.to_owned(), endpoint: endpoint.to_owned(), fields }
    }

    /// Opens a form of which a part is known.
    fn open(verb: &str, endpoint: &str, fields: &[(&'static str, &str)]) -> Self {
        Self::new(verb, endpoint, &[fields, &[(METHOD, "OPTIONS")]].concat())
    }
}

/// What an answer leads to.
pub fn of_answer(frame: &Frame, sent: &Sent, answer: &Value) -> Vec<Step> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    match (text("code"), text("challenge")) {
        (Some("second_factor_required"), Some(challenge)) => {
            let offered = answer.get("methods").and_then(Value::as_array).into_iter().flatten();
            let methods = offered.filter_map(|name| Method::of(name.as_str()?));
            return methods.filter_map(|method| of_method(method, challenge)).collect();
        }
        (Some("second_factor_enrolment_required"), Some(challenge)) => {
            let add = |verb, kind| Step::new(verb, FACTORS, &[("kind", kind), ("challenge", challenge)]);
            return vec![add("Add an app", "totp"), add("Add codes by email", "email")];
        }
        _ => {}
    }
    if let Some(enrolment) = text("enrolment") {
        let mut fields = vec![("enrolment", enrolment)];
        fields.extend(sent.token("challenge").map(|challenge| ("challenge", challenge)));
        return vec![Step::open("Confirm it", CONFIRM, &fields)];
    }
    if let (true, None, Some(challenge)) = (frame.is_at(MAIL), text("code"), sent.token("challenge")) {
        return vec![Step::open("Type the code in", FACTOR, &[("challenge", challenge), ("method", "email")])];
    }
    of_sessions(frame, sent, answer)
}

/// A passkey has no step: a page without scripts cannot ask for one.
fn of_method(method: Method, challenge: &str) -> Option<Step> {
    let open = |verb| Step::open(verb, FACTOR, &[("challenge", challenge), ("method", method.name())]);
    match method {
        Method::Factor(FactorKind::Email) => Some(Step::new("Mail a code", MAIL, &[("challenge", challenge)])),
        Method::Factor(FactorKind::Totp) => Some(open("Use an app's code")),
        Method::Factor(FactorKind::Passkey) => None,
        Method::Recovery => Some(open("Use a recovery code")),
    }
}

/// What one would do next with a token of this kind. `access` is the one that came with it.
pub fn of_token(app: &App, kind: &str, token: &str, access: Option<&str>) -> Vec<Step> {
    let step = |verb: &str, endpoint: &str, field| Step {
        verb: verb.to_owned(),
        endpoint: endpoint.to_owned(),
        fields: vec![(field, token.to_owned())],
    };
    let classes = &app.config.jwt.auth_token_classes;
    let mut steps = Vec::new();
    match kind {
        "refresh" => steps.push(step("Refresh with it", REFRESH, "refresh")),
        "sliding" => steps.push(step("Refresh it", SLIDING_REFRESH, "token")),
        _ => {}
    }
    let authenticates = match kind {
        "access" => classes.contains(&TokenClass::Access),
        "sliding" => classes.contains(&TokenClass::Sliding),
        _ => false,
    };
    if authenticates {
        for (verb, endpoint) in [("Who am I", ME), ("My sessions", SESSIONS)] {
            let mut look = step(verb, endpoint, ACCESS_TOKEN);
            look.fields.push((METHOD, "GET".to_owned()));
            steps.push(look);
        }
    }
    steps.push(step("Verify it", VERIFY, "token"));
    if kind == "refresh" {
        steps.push(step("Blacklist it", BLACKLIST, "refresh"));
    }
    if let ("refresh", Some(access)) = (kind, access) {
        let mut logout = step("Log out", LOGOUT, "refresh_token");
        logout.fields.push((ACCESS_TOKEN, access.to_owned()));
        steps.push(logout);
    }
    steps
}

/// The way to each session of a list, with the token that the list was asked for with.
fn of_sessions(frame: &Frame, sent: &Sent, list: &Value) -> Vec<Step> {
    let (true, Some(token), Some(list)) = (frame.is_at(SESSIONS), sent.token(ACCESS_TOKEN), list.as_array()) else {
        return Vec::new();
    };
    let step = |session: &Value| {
        let text = |name: &str| session.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text("label").or_else(|| text("device"))?;
        let since = text("created_at")?.get(..16)?.replace('T', " ");
        let here = if session["current"] == true { "This one: " } else { "" };
        Some(Step {
            verb: format!("{here}{name}, {since}"),
            endpoint: format!("{SESSIONS}{}/", text("id")?),
            fields: vec![(ACCESS_TOKEN, token.to_owned()), (METHOD, "GET".to_owned())],
        })
    };
    list.iter().filter_map(step).collect()
}
