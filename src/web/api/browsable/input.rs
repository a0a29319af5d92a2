//! The inputs of a page's form: the fields that the view declares, filled in and with their errors.

use serde_json::Value;

use super::super::field::{Control, Field};
use super::page_request::{ACCESS_TOKEN, PageRequest};

/// The field that the page of every view with a token has.
pub fn access_token() -> Field {
    Field::required(ACCESS_TOKEN)
        .label("Access token")
        .hint("Clients send it in a header: see the curl command.")
        .token()
}

/// A field of the form.
pub struct Input {
    /// The field, as the view declares it.
    pub field: Field,
    /// The value.
    pub value: String,
    /// The errors.
    pub errors: Vec<String>,
}

impl Input {
    /// A field with the value that the answer provides for the next request, or else the value that was sent.
    pub fn new(field: Field, request: &PageRequest, answer: &Value) -> Self {
        let (sent, answered) = (request.fields.text(field.name), answer.get(field.name));
        let errors = match answered {
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let value = match field.control {
            Control::Password | Control::Code => "",
            Control::Token | Control::Text => answered.and_then(Value::as_str).or(sent).unwrap_or_default(),
            Control::Checkbox => sent.unwrap_or_default(),
        };
        Self { value: value.to_owned(), errors, field }
    }

    /// The ids of its descriptions, for `aria-describedby`.
    pub fn described_by(&self) -> String {
        let name = self.field.name;
        let error = (!self.errors.is_empty()).then(|| format!("{name}-error"));
        let hint = (!self.field.hint.is_empty()).then(|| format!("{name}-hint"));
        error.into_iter().chain(hint).collect::<Vec<_>>().join(" ")
    }
}
