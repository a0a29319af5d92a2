//! What a view says about one of its methods for the API document: the body it takes, what it answers, and every error of
//! its own. Errors are not described but made, by the code that answers with them, so that their texts cannot differ.

use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Required};

use crate::config::Config;
use crate::guard::throttle::{ACCOUNT_AT_ADDRESS, Rule, Wait};
use crate::tokens::RefreshError;
use crate::tokens::TokenError;

use super::super::View;
use super::super::answer::AnswerBody;
use super::super::error::ApiError;

/// One error that an endpoint may answer with.
pub struct ErrorExample {
    /// The key of the example; the integration tests provoke it by this name.
    pub name: &'static str,
    /// When it happens, without a full stop.
    pub when: &'static str,
    /// The answer.
    pub error: ApiError,
}

impl ErrorExample {
    /// An error, and when it happens.
    pub fn new(name: &'static str, when: &'static str, error: impl Into<ApiError>) -> Self {
        Self { name, when, error: error.into() }
    }
}

/// The body that an endpoint takes.
pub struct BodyDoc {
    /// Its schema; `None` where it is made from the view's fields.
    pub schema: Option<RefOr<Schema>>,
    /// Optional members that OPTIONS does not list among the view's fields.
    pub unlisted: Vec<(&'static str, RefOr<Schema>)>,
    /// A body that is accepted.
    pub example: Value,
    /// Whether a request without a body is refused.
    pub is_required: bool,
}

/// The body of a success.
pub struct AnswerDoc {
    /// Its schema.
    pub schema: RefOr<Schema>,
    /// An example.
    pub example: Value,
}

/// What the API document says about an operation beyond the name and description of its view.
#[must_use]
pub struct OperationDoc {
    /// What this method does, where the view's description covers several methods.
    pub description: Option<&'static str>,
    /// The body that it takes, if it reads one.
    pub body: Option<BodyDoc>,
    /// The headers that it reads besides those that all views read.
    pub headers: Vec<Parameter>,
    /// What a success means, as a sentence.
    pub success: &'static str,
    /// The body of a success; `None` is 204.
    pub answer: Option<AnswerDoc>,
    /// The ids of operations that a success leads to, and the bodies that they then take.
    pub links: Vec<(&'static str, Value)>,
    /// Its errors, besides those that all views have in common.
    pub errors: Vec<ErrorExample>,
}

impl OperationDoc {
    /// An operation of the view `V` that answers with a body, of which this is an example.
    pub fn answers<V: View>(
        config: &Config,
        success: &'static str,
        example: impl AnswerBody + Into<V::Answer>,
    ) -> Self {
        let schema = schema_of(&example, config);
        // An answer that cannot be written has no example; the tests notice.
        let example = serde_json::to_value(example.into()).unwrap_or_default();
        Self { answer: Some(AnswerDoc { schema, example }), ..Self::no_content(success) }
    }

    /// An operation whose success has no body.
    pub fn no_content(success: &'static str) -> Self {
        let (headers, links, errors) = (Vec::new(), Vec::new(), Vec::new());
        Self { description: None, body: None, headers, success, answer: None, links, errors }
    }

    /// What this one of several methods does.
    pub fn does(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// It takes a body with the view's fields; this is an example.
    pub fn takes(mut self, example: Value) -> Self {
        self.body = Some(BodyDoc { schema: None, unlisted: Vec::new(), example, is_required: true });
        self
    }

    /// It takes a body that the view's fields do not describe.
    pub fn takes_as(mut self, schema: impl Into<RefOr<Schema>>, example: Value) -> Self {
        self.body = Some(BodyDoc { schema: Some(schema.into()), unlisted: Vec::new(), example, is_required: true });
        self
    }

    /// Its body may also have this member, which OPTIONS does not list.
    pub fn may_take(mut self, name: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        if let Some(body) = &mut self.body {
            body.unlisted.push((name, schema.into()));
        }
        self
    }

    /// The body may be left out.
    pub fn optionally(mut self) -> Self {
        self.body = self.body.map(|body| BodyDoc { is_required: false, ..body });
        self
    }

    /// It reads this header if it is sent.
    pub fn reads(mut self, header: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let parameter = ParameterBuilder::new().name(header).parameter_in(ParameterIn::Header).schema(Some(schema));
        self.headers.push(parameter.required(Required::False).description(Some(description)).build());
        self
    }

    /// A success leads to another operation, one of whose fields takes a member of the answer.
    pub fn leads_to(mut self, operation: &'static str, field: &str, member: &str) -> Self {
        self.links.push((operation, json!({field: format!("$response.body#/{member}")})));
        self
    }

    /// An error that it may answer with.
    pub fn error(mut self, name: &'static str, when: &'static str, error: impl Into<ApiError>) -> Self {
        self.errors.push(ErrorExample::new(name, when, error));
        self
    }

    /// The ways in which any token in a field can be bad; `wrap` is how the endpoint reports them.
    pub fn bad_token<E: Into<ApiError>>(self, wrap: impl Fn(TokenError) -> E) -> Self {
        self.error("token_invalid", "The token is damaged, or signed with another key", wrap(TokenError::Invalid))
            .error("token_expired", "The token has expired", wrap(TokenError::Expired))
            .error(
                "token_blacklisted",
                "The token is blacklisted: used, logged out or revoked",
                wrap(TokenError::Blacklisted),
            )
    }

    /// The token is good, but not of the type that the endpoint wants.
    pub fn wrong_type<E: Into<ApiError>>(self, wrap: impl Fn(TokenError) -> E) -> Self {
        self.error("token_wrong_type", "A good token, but of another type", wrap(TokenError::WrongType))
    }

    /// The ways in which a refresh is refused.
    pub fn refused_refresh(self, config: &Config) -> Self {
        let doc = self.bad_token(RefreshError::Token).wrong_type(RefreshError::Token);
        let doc = doc.error("no_account", "The token's user is gone or inactive", RefreshError::NoActiveAccount);
        if config.jwt.check_revoke_token {
            doc.error("password_changed", "The password was changed later", RefreshError::PasswordChanged)
        } else {
            doc
        }
    }

    /// A login that fails.
    pub fn no_account(self, error: impl Into<ApiError>) -> Self {
        self.error("no_account", "Unknown user, wrong password, or inactive user", error)
    }

    /// It asks for a password or a second factor, so guessing is slowed down.
    pub fn throttled(self, config: &Config) -> Self {
        self.throttled_by(config, ACCOUNT_AT_ADDRESS)
    }

    /// It is throttled by another rule.
    pub fn throttled_by(self, config: &Config, rule: Rule) -> Self {
        if config.accounts.login_throttle {
            let error = ApiError::throttled(Wait(rule.first));
            self.error("throttled", "Too many recent attempts: Retry-After says when to try again", error)
        } else {
            self
        }
    }
}

fn schema_of<T: AnswerBody>(_: &T, config: &Config) -> RefOr<Schema> {
    T::schema_under(config)
}
