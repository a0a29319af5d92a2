//! A view's description of one of its methods for the API document: the body that it takes, its answer, and every error
//! of its own. Errors are made by the code that answers with them, so that their texts cannot differ.

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
    /// The error answer.
    pub error: ApiError,
}

impl ErrorExample {
    /// An error, and when it happens.
    pub fn new(name: &'static str, when: &'static str, error: impl Into<ApiError>) -> Self {
        Self { name, when, error: error.into() }
    }
}

/// The body that a method takes.
pub struct BodyDoc {
    /// The schema; `None` if it is made from the view's fields.
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
    /// The schema.
    pub schema: RefOr<Schema>,
    /// An example.
    pub example: Value,
}

/// The description of an operation, in addition to the name and description of its view.
#[must_use]
pub struct OperationDoc {
    /// What this method does, if the view's description covers several methods.
    pub description: Option<&'static str>,
    /// The body, if it reads one.
    pub body: Option<BodyDoc>,
    /// The headers that it reads in addition to those of all views.
    pub headers: Vec<Parameter>,
    /// The meaning of a success, as a sentence.
    pub success: &'static str,
    /// The body of a success; `None` is 204.
    pub answer: Option<AnswerDoc>,
    /// The ids of operations that a success leads to, and the bodies that they then take.
    pub links: Vec<(&'static str, Value)>,
    /// The errors, in addition to those of all views.
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
        // An answer that cannot be serialized has no example; the tests notice.
        let example = serde_json::to_value(example.into()).unwrap_or_default();
        Self { answer: Some(AnswerDoc { schema, example }), ..Self::no_content(success) }
    }

    /// An operation whose success has no body.
    pub fn no_content(success: &'static str) -> Self {
        let (headers, links, errors) = (Vec::new(), Vec::new(), Vec::new());
        Self { description: None, body: None, headers, success, answer: None, links, errors }
    }

    /// Describes this one of several methods.
    pub fn does(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// Takes a body with the view's fields; this is an example.
    pub fn takes(mut self, example: Value) -> Self {
        self.body = Some(BodyDoc { schema: None, unlisted: Vec::new(), example, is_required: true });
        self
    }

    /// Takes a body that the view's fields do not describe.
    pub fn takes_as(mut self, schema: impl Into<RefOr<Schema>>, example: Value) -> Self {
        self.body = Some(BodyDoc { schema: Some(schema.into()), unlisted: Vec::new(), example, is_required: true });
        self
    }

    /// Allows another member in the body, which OPTIONS does not list.
    pub fn may_take(mut self, name: &'static str, schema: impl Into<RefOr<Schema>>) -> Self {
        if let Some(body) = &mut self.body {
            body.unlisted.push((name, schema.into()));
        }
        self
    }

    /// Makes the body optional.
    pub fn optionally(mut self) -> Self {
        self.body = self.body.map(|body| BodyDoc { is_required: false, ..body });
        self
    }

    /// Reads this header, if it is sent.
    pub fn reads(mut self, header: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let parameter = ParameterBuilder::new().name(header).parameter_in(ParameterIn::Header).schema(Some(schema));
        self.headers.push(parameter.required(Required::False).description(Some(description)).build());
        self
    }

    /// Adds a link to another operation, one of whose fields takes a member of the answer.
    pub fn leads_to(mut self, operation: &'static str, field: &str, member: &str) -> Self {
        self.links.push((operation, json!({field: format!("$response.body#/{member}")})));
        self
    }

    /// Adds an error.
    pub fn error(mut self, name: &'static str, when: &'static str, error: impl Into<ApiError>) -> Self {
        self.errors.push(ErrorExample::new(name, when, error));
        self
    }

    /// Adds the errors of a bad token in a field; `wrap` is how the endpoint reports them.
    pub fn bad_token<E: Into<ApiError>>(self, wrap: impl Fn(TokenError) -> E) -> Self {
        self.error("token_invalid", "The token is damaged, or signed with another key", wrap(TokenError::Invalid))
            .error("token_expired", "The token has expired", wrap(TokenError::Expired))
            .error(
                "token_blacklisted",
                "The token is blacklisted: used, logged out or revoked",
                wrap(TokenError::Blacklisted),
            )
    }

    /// Adds the error for a valid token of the wrong type.
    pub fn wrong_type<E: Into<ApiError>>(self, wrap: impl Fn(TokenError) -> E) -> Self {
        self.error("token_wrong_type", "A valid token, but of another type", wrap(TokenError::WrongType))
    }

    /// Adds the errors of a refresh.
    pub fn refused_refresh(self, config: &Config) -> Self {
        let doc = self.bad_token(RefreshError::Token).wrong_type(RefreshError::Token);
        let doc = doc.error("no_account", "The token's user was deleted or is inactive", RefreshError::NoActiveAccount);
        if config.jwt.check_revoke_token {
            doc.error("password_changed", "The password was changed later", RefreshError::PasswordChanged)
        } else {
            doc
        }
    }

    /// Adds the error of a failed login.
    pub fn no_account(self, error: impl Into<ApiError>) -> Self {
        self.error("no_account", "Unknown user, wrong password, or inactive user", error)
    }

    /// Adds the throttling of an endpoint that takes a password or a second factor.
    pub fn throttled(self, config: &Config) -> Self {
        self.throttled_by(config, ACCOUNT_AT_ADDRESS)
    }

    /// Adds the throttling of another rule.
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
