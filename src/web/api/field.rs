//! The fields that a view asks for, each declared once: OPTIONS, the API document and the form of the browsable page are
//! made from the same declaration. `fields.rs` reads and checks what a request sends.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::openapi::schemas;

/// How a page shows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// One line of text.
    Text,
    /// One line that is hidden while it is typed, and never shown again.
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
    /// Its name.
    pub name: &'static str,
    /// Whether only answers have it.
    pub is_read_only: bool,
    /// Whether a request must have it.
    pub is_required: bool,
    /// How a page shows it.
    pub control: Control,
    /// What a page says beside it.
    pub hint: &'static str,
    /// What a browser may fill in: a word of HTML's `autocomplete`.
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

    /// A page calls it something other than its name.
    pub fn label(self, label: &'static str) -> Self {
        Self { label: Some(label), ..self }
    }

    /// A page explains it.
    pub fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// What a browser may fill in.
    pub fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    /// It holds a password.
    pub fn password(self) -> Self {
        Self { control: Control::Password, autocomplete: "current-password", ..self }
    }

    /// It holds a code that works once.
    pub fn code(self) -> Self {
        Self { control: Control::Code, autocomplete: "one-time-code", ..self }
    }

    /// It holds a token.
    pub fn token(self) -> Self {
        Self { control: Control::Token, ..self }
    }

    /// It is true or false.
    pub fn checkbox(self) -> Self {
        Self { control: Control::Checkbox, schema: || schemas::flag().into(), ..self }
    }

    /// It takes something other than any text.
    pub fn takes(self, schema: fn() -> RefOr<Schema>) -> Self {
        Self { schema, ..self }
    }

    /// What a page calls it.
    pub fn page_label(&self) -> String {
        self.label.map_or_else(|| self.options_label(), str::to_owned)
    }

    /// Its schema in the body of a request.
    pub fn schema(&self) -> RefOr<Schema> {
        (self.schema)()
    }

    /// What OPTIONS calls it: `Refresh token` of `refresh_token`.
    pub fn options_label(&self) -> String {
        self.name[..1].to_uppercase() + &self.name[1..].replace('_', " ")
    }
}
