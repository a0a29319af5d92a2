//! What a form of the panel and of the pages of users is made of: fields with their errors, boxes to tick, and the summary
//! above them. The templates are `admin/includes/field.html`, `tick.html` and `errors.html`.

use crate::accounts::user::FieldError;
use crate::config::UsernameField;

/// What the field for the name is called that one logs in with.
pub fn login_label(field: UsernameField) -> &'static str {
    match field {
        UsernameField::Username => "Username",
        UsernameField::Email => "Email address",
        UsernameField::UsernameOrEmail => "Username or email address",
    }
}

/// What was wrong with a form.
#[derive(Debug, Default)]
pub struct Errors(Vec<FieldError>);

impl Errors {
    /// These.
    pub fn new(errors: Vec<FieldError>) -> Self {
        Self(errors)
    }

    /// One more.
    pub fn add(&mut self, field: &'static str, message: &str) {
        self.0.push(FieldError { field, message: message.to_owned() });
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with a field: all of it, in as many sentences.
    pub fn of(&self, field: &str) -> Option<String> {
        let of = self.0.iter().filter(|error| error.field == field).map(|error| error.message.as_str());
        Some(of.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
    }

    /// Above the form: the field's id, its label, the error.
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
    /// In words.
    pub label: &'static str,
    /// `text`, `email` or `password`.
    pub kind: &'static str,
    /// What stands in it.
    pub value: String,
    /// Below it.
    pub hint: &'static str,
    /// In characters; 0: not said.
    pub longest: usize,
    /// Whether it may not be empty.
    pub is_required: bool,
    /// Whether the page begins there.
    pub has_focus: bool,
    /// `autocomplete`
    pub autocomplete: &'static str,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What somebody else saved meanwhile.
    pub meanwhile: Option<String>,
}

impl Input {
    /// The ids of what describes it.
    pub fn described(&self) -> String {
        let parts =
            [("error", self.error.is_some()), ("meanwhile", self.meanwhile.is_some()), ("hint", !self.hint.is_empty())];
        let ids = parts.into_iter().filter(|(_, is_there)| *is_there).map(|(part, _)| format!("{}-{part}", self.name));
        ids.collect::<Vec<_>>().join(" ")
    }
}

/// A box to tick.
#[derive(Debug)]
pub struct Tick {
    /// Its name; `id_NAME` is its id.
    pub name: &'static str,
    /// In words.
    pub label: &'static str,
    /// Beside it.
    pub hint: &'static str,
    /// Whether it is ticked.
    pub is_on: bool,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What somebody else saved meanwhile.
    pub meanwhile: Option<bool>,
}
