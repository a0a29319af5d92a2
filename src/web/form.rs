//! The parts of a form of the panel and the account pages: fields with their errors, check boxes, and the summary of errors.
//! The templates are `admin/includes/field.html`, `tick.html` and `errors.html`.

use crate::accounts::user::FieldError;

/// The errors of a form.
#[derive(Debug, Default)]
pub struct Errors(Vec<FieldError>);

impl Errors {
    /// With these errors.
    pub fn new(errors: Vec<FieldError>) -> Self {
        Self(errors)
    }

    /// Adds an error.
    pub fn add(&mut self, field: &'static str, message: &str) {
        self.0.push(FieldError { field, message: message.to_owned() });
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All errors of a field, joined.
    pub fn of(&self, field: &str) -> Option<String> {
        let of = self.0.iter().filter(|error| error.field == field).map(|error| error.message.as_str());
        Some(of.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
    }

    /// The summary above the form: the id of the field, its label, the error.
    pub fn summary(&self, labels: &[(&'static str, &'static str)]) -> Vec<(String, &'static str, String)> {
        let label = |field| labels.iter().find(|(name, _)| *name == field).map_or("", |(_, label)| *label);
        self.0.iter().map(|error| (format!("id_{}", error.field), label(error.field), error.message.clone())).collect()
    }
}

/// A field for one line of text.
#[derive(Debug, Default)]
pub struct Input {
    /// Its name; `id_NAME` is its id.
    pub name: &'static str,
    /// The label.
    pub label: &'static str,
    /// `text`, `email` or `password`.
    pub kind: &'static str,
    /// The value.
    pub value: String,
    /// The hint below the field.
    pub hint: &'static str,
    /// The maximum length in characters; 0 for none.
    pub max_length: usize,
    /// Whether it is required.
    pub is_required: bool,
    /// Whether it has the focus.
    pub has_focus: bool,
    /// `autocomplete`
    pub autocomplete: &'static str,
    /// Its errors.
    pub error: Option<String>,
    /// The current value, if another user changed it in the meantime.
    pub meanwhile: Option<String>,
}

impl Input {
    /// The ids of its descriptions, for `aria-describedby`.
    pub fn described(&self) -> String {
        let parts =
            [("error", self.error.is_some()), ("meanwhile", self.meanwhile.is_some()), ("hint", !self.hint.is_empty())];
        let ids = parts.into_iter().filter(|(_, is_there)| *is_there).map(|(part, _)| format!("{}-{part}", self.name));
        ids.collect::<Vec<_>>().join(" ")
    }
}

/// A check box.
#[derive(Debug)]
pub struct Tick {
    /// Its name; `id_NAME` is its id.
    pub name: &'static str,
    /// The label.
    pub label: &'static str,
    /// The hint.
    pub hint: &'static str,
    /// Whether it is ticked.
    pub is_on: bool,
    /// Its errors.
    pub error: Option<String>,
    /// The current value, if another user changed it in the meantime.
    pub meanwhile: Option<bool>,
}
