//! The fields that a view takes, each declared once: OPTIONS, the API document and the form of the browsable page are
//! made from the same declaration. `fields.rs` reads and checks the values in a request.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::openapi::schemas;

/// How a page shows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// One line of text.
    Text,
    /// One line, hidden while typing and never shown again.
    Password,
    /// A code that works once, so it is never shown again.
    Code,
    /// Several lines for a token.
    Token,
    /// A box to tick.
    Checkbox,
}

/// A field of a request or an answer.
#[derive(Debug, Clone)]
#[must_use]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// Whether only answers have it.
    pub is_read_only: bool,
    /// Whether a request must have it.
    pub is_required: bool,
    /// How a page shows it.
    pub control: Control,
    /// The hint beside it on a page.
    pub hint: &'static str,
    /// What a browser may fill in: a value of HTML's `autocomplete`.
    pub autocomplete: &'static str,
    label: Option<&'static str>,
    schema: fn() -> RefOr<Schema>,
}

impl Field {
    /// A field that a request must have.
    pub fn required(name: &'static str) -> Self {
        Self {
            name,
            is_read_only: false,
            is_required: true,
            control: Control::Text,
            hint: "",
            autocomplete: "off",
            label: None,
            schema: schemas::text_field,
        }
    }

    /// A field that a request may have.
    pub fn optional(name: &'static str) -> Self {
        Self { is_required: false, ..Self::required(name) }
    }

    /// A field that only answers have.
    pub fn read_only(name: &'static str) -> Self {
        Self { is_read_only: true, ..Self::optional(name) }
    }

    /// Sets a label for pages, in place of the name.
    pub fn label(self, label: &'static str) -> Self {
        Self { label: Some(label), ..self }
    }

    /// Sets a hint for pages.
    pub fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// Sets what a browser may fill in.
    pub fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    /// Makes it a password.
    pub fn password(self) -> Self {
        Self { control: Control::Password, autocomplete: "current-password", ..self }
    }

    /// Makes it a code that works once.
    pub fn code(self) -> Self {
        Self { control: Control::Code, autocomplete: "one-time-code", ..self }
    }

    /// Makes it a token.
    pub fn token(self) -> Self {
        Self { control: Control::Token, ..self }
    }

    /// Makes it a boolean.
    pub fn checkbox(self) -> Self {
        Self { control: Control::Checkbox, schema: || schemas::flag().into(), ..self }
    }

    /// Sets the schema of a field that takes something other than any text.
    pub fn takes(self, schema: fn() -> RefOr<Schema>) -> Self {
        Self { schema, ..self }
    }

    /// The label on a page.
    pub fn page_label(&self) -> String {
        self.label.map_or_else(|| self.options_label(), str::to_owned)
    }

    /// The schema in the body of a request.
    pub fn schema(&self) -> RefOr<Schema> {
        (self.schema)()
    }

    /// The label in OPTIONS: `Refresh token` for `refresh_token`.
    pub fn options_label(&self) -> String {
        self.name[..1].to_uppercase() + &self.name[1..].replace('_', " ")
    }
}
