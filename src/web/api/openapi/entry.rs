//! What an endpoint says about itself for the API document: what it takes, what it answers, and each way in which it fails.
//! The failures are made by the code that answers with them, so that their texts cannot differ. Views write entries.

use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr, Required};

use crate::config::Config;
use crate::guard::throttle::{ACCOUNT_AT_ADDRESS, Rule, Wait};
use crate::tokens::RefreshError;
use crate::tokens::TokenError;

use super::super::error::ApiError;
use super::schemas;

/// Credentials of the examples.
pub const PASSWORD: &str = "violet-harbour-17";
/// An access token of the examples.
pub const ACCESS: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2ln";
/// A refresh token of the examples.
pub const REFRESH: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2ln";
/// A sliding token of the examples.
pub const SLIDING: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoic2xpZGluZyJ9.c2ln";

/// The token of a link in a mail, of the examples.
pub const LINK_TOKEN: &str = "TGlua3MgaW4gbWFpbCBhcmUgZ29vZCBvbmNlIC0gMTIz";

/// The token of a challenge, of the examples.
pub const CHALLENGE: &str = "Q2hhbGxlbmdlcyB3YWl0IGZvciBhbiBhbnN3ZXItMTI";

/// One way in which an endpoint fails.
pub struct Fault {
    /// Key of its example; the integration tests provoke it by this name.
    pub name: &'static str,
    /// When it happens, without a full stop.
    pub when: &'static str,
    /// The answer.
    pub error: ApiError,
}

impl Fault {
    /// A fault and when it happens.
    pub fn new(name: &'static str, when: &'static str, error: impl Into<ApiError>) -> Self {
        Self { name, when, error: error.into() }
    }
}

/// A body that an endpoint takes.
pub struct Body {
    /// `None` is made from the view's fields.
    pub schema: Option<RefOr<Schema>>,
    /// What it may have besides the view's fields.
    pub more: Vec<(&'static str, RefOr<Schema>)>,
    /// A good one.
    pub example: Value,
    /// Whether a request without one is refused.
    pub is_required: bool,
}

/// What the API document says of an endpoint beyond the name and description of its view.
#[must_use]
pub struct Entry {
    /// The heading under which it stands.
    pub tag: &'static str,
    /// The body, for views that read one.
    pub takes: Option<Body>,
    /// Headers that it reads, besides what all views read.
    pub headers: Vec<Parameter>,
    /// What a success is, as a sentence.
    pub answers: &'static str,
    /// What this method does, where the view's description is of several.
    pub description: Option<&'static str>,
    /// The body of a success; none is 204.
    pub schema: Option<RefOr<Schema>>,
    /// A success.
    pub example: Value,
    /// Operations that go on with a success, by their ids, and with which body.
    pub links: Vec<(&'static str, Value)>,
    /// How it fails, besides what all views have in common.
    pub faults: Vec<Fault>,
}

impl Entry {
    /// An endpoint under a heading, with its success.
    pub fn new(tag: &'static str, answers: &'static str, schema: impl Into<RefOr<Schema>>, example: Value) -> Self {
        let (schema, description) = (Some(schema.into()), None);
        let (links, headers, faults) = (Vec::new(), Vec::new(), Vec::new());
        Self { tag, takes: None, headers, answers, description, schema, example, links, faults }
    }

    /// An endpoint whose success has no body.
    pub fn gone(tag: &'static str, answers: &'static str) -> Self {
        Self { schema: None, ..Self::new(tag, answers, schemas::text(), Value::Null) }
    }

    /// What this one of several methods does.
    pub fn does(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// It takes a body with the view's fields; this is a good one.
    pub fn takes(mut self, example: Value) -> Self {
        self.takes = Some(Body { schema: None, more: Vec::new(), example, is_required: true });
        self
    }

    /// It takes a body that the view's fields do not describe.
    pub fn takes_as(mut self, schema: impl Into<RefOr<Schema>>, example: Value) -> Self {
        self.takes = Some(Body { schema: Some(schema.into()), more: Vec::new(), example, is_required: true });
        self
    }

    /// Its body may have this field too.
    pub fn may_take(mut self, name: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        if let Some(body) = &mut self.takes {
            body.more.push((name, schema.into()));
        }
        self
    }

    /// The body may be left out.
    pub fn optionally(mut self) -> Self {
        self.takes = self.takes.map(|body| Body { is_required: false, ..body });
        self
    }

    /// It reads this header where it is sent.
    pub fn reads(mut self, header: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let parameter = ParameterBuilder::new().name(header).parameter_in(ParameterIn::Header).schema(Some(schema));
        self.headers.push(parameter.required(Required::False).description(Some(description)).build());
        self
    }

    /// A success leads to another operation: a field of the answer is a field there.
    pub fn leads_to(mut self, operation: &'static str, field: &str, from: &str) -> Self {
        self.links.push((operation, json!({field: format!("$response.body#/{from}")})));
        self
    }

    /// A way in which it fails.
    pub fn fault(mut self, name: &'static str, when: &'static str, error: impl Into<ApiError>) -> Self {
        self.faults.push(Fault::new(name, when, error));
        self
    }

    /// The ways in which any token in a field can be bad; `wrap` is how the endpoint reports them.
    pub fn bad_token<E: Into<ApiError>>(self, wrap: impl Fn(TokenError) -> E) -> Self {
        self.fault("token_invalid", "The token is damaged, or signed with another key", wrap(TokenError::Invalid))
            .fault("token_expired", "The token has expired", wrap(TokenError::Expired))
            .fault(
                "token_blacklisted",
                "The token is blacklisted: used, logged out or revoked",
                wrap(TokenError::Blacklisted),
            )
    }

    /// A login that does not succeed.
    pub fn no_account(self, error: impl Into<ApiError>) -> Self {
        self.fault("no_account", "Unknown user, wrong password, or inactive user", error)
    }

    /// A password is asked for, so guessing it is slowed down.
    pub fn throttled(self, config: &Config) -> Self {
        self.throttled_by(config, ACCOUNT_AT_ADDRESS)
    }

    /// Something else can be tried too often.
    pub fn throttled_by(self, config: &Config, rule: Rule) -> Self {
        if config.accounts.login_throttle {
            let error = ApiError::throttled(Wait(rule.first));
            self.fault("throttled", "Too many tries lately: Retry-After says when to try again", error)
        } else {
            self
        }
    }

    /// The ways in which a refresh is refused.
    pub fn no_refresh(self, config: &Config) -> Self {
        let entry = self.bad_token(RefreshError::Token).wrong_type(RefreshError::Token).fault(
            "no_account",
            "The token's user is gone or inactive",
            RefreshError::NoActiveAccount,
        );
        if config.jwt.check_revoke_token {
            entry.fault("password_changed", "The password changed since", RefreshError::PasswordChanged)
        } else {
            entry
        }
    }

    /// The token is good, but of another type than the endpoint wants.
    pub fn wrong_type<E: Into<ApiError>>(self, wrap: impl Fn(TokenError) -> E) -> Self {
        self.fault("token_wrong_type", "A good token, but of another type", wrap(TokenError::WrongType))
    }
}

/// A schema of the components.
pub fn component(name: &str) -> Ref {
    Ref::from_schema_name(name)
}
